"""Pass 1 of a survey: a profile of every collection, and the set of its ids."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence

from isthmus._rust import IdSet, Profiler
from isthmus.sources.gridfs import buckets
from isthmus.sources.protocol import CollectionInfo, Source
from isthmus.sources.reading import Options, read_all
from isthmus.survey.model import Survey, Surveyed
from isthmus.survey.probing import LEAST_BYTES, MOST_BYTES
from isthmus.survey.profile import read_profile
from isthmus.work.progress import Progress

IDS_BYTES = 192 << 20
"""Memory of the sets of ids of all collections together; before they are merged, workers hold as much again at most."""


def scan(
    source: Source, options: Options, progress: Progress, stop: threading.Event, names: Sequence[str] | None = None
) -> tuple[Survey, dict[str, IdSet]]:
    """Read the collections of a source that it lets itself be read.

    Args:
        source: The source.
        options: How.
        progress: Told how far it is.
        stop: Set when the user wants it to end.
        names: The collections to read; None for all.

    Returns:
        What was found, and collection → its ids.

    Raises:
        Interrupted: The user asked to stop.
        SourceError: The source as a whole cannot be read.
    """
    listed = source.collections()
    infos = {info.name: info for info in listed if info.readable and (names is None or info.name in names)}
    for name, info in infos.items():
        progress.expect(name, bytes_total=info.bytes_total, bytes_done=0, documents=0, dead_letters=0)
    progress.stage("surveying")
    found = read_all(source, _profilers(infos), options, progress, stop)
    collections: dict[str, Surveyed] = {}
    for name, counted in found.items():
        text = counted.counter.result()
        collections[name] = Surveyed(
            infos[name], text, read_profile(text), tuple(sorted(counted.broken)), counted.sampled
        )
    survey = Survey(
        source=source.name,
        kind=source.kind,
        moves=source.moves,
        database=_database(source),
        sample=options.sample,
        collections=collections,
        left_out={info.name: info.rule for info in listed if info.rule is not None},
        buckets=tuple(buckets(infos)),
    )
    return survey, {name: counted.counter.ids() for name, counted in found.items()}


def _profilers(infos: Mapping[str, CollectionInfo]) -> dict[str, Callable[[], Profiler]]:
    """Make what profiles each collection, with its share of the memory for ids: by size, as far as the source tells."""
    sizes = {name: info.bytes_total for name, info in infos.items()}
    known = [size for size in sizes.values() if size is not None]
    usual = sum(known) // len(known) if known else 1
    whole = sum(usual if size is None else size for size in sizes.values())

    def profiler(size: int | None) -> Callable[[], Profiler]:
        share = IDS_BYTES * (usual if size is None else size) // max(1, whole)
        text = json.dumps({"ids_bytes": min(MOST_BYTES, max(LEAST_BYTES, share))})
        return lambda: Profiler(text)

    return {name: profiler(size) for name, size in sizes.items()}


def _database(source: Source) -> str | None:
    name = source.identity().get("database")
    return name if isinstance(name, str) else None
