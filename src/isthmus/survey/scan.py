"""Pass 1 of a survey: a profile of every collection, and the set of its ids."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from isthmus._rust import IdSet, Profiler
from isthmus.sources.gridfs import buckets
from isthmus.sources.protocol import Source
from isthmus.sources.reading import Options, read_all
from isthmus.survey.model import Survey, Surveyed
from isthmus.survey.profile import read_profile
from isthmus.work.progress import Progress


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
    found = read_all(source, dict.fromkeys(infos, Profiler), options, progress, stop)
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
        sample=options.sample,
        collections=collections,
        left_out={info.name: info.rule for info in listed if info.rule is not None},
        buckets=tuple(buckets(infos)),
    )
    return survey, {name: counted.counter.ids() for name, counted in found.items()}
