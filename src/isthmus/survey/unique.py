"""Whether the values of a field are all different: known from the profile where it is exact, else counted once more.

An index that must be unique costs a document for every value that stands twice, so an estimate is not enough.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, cast

from isthmus._rust import Prober
from isthmus.sources.protocol import Source
from isthmus.sources.reading import Options, read_all
from isthmus.survey.model import Survey
from isthmus.survey.paths import node_at
from isthmus.survey.profile import ANY_KEY, ELEMENT, Node, Path
from isthmus.work.progress import Progress

Counts = Mapping[tuple[str, Path], int]
"""Collection and path → how many different values there are, exactly."""

_HASHED = frozenset({"string", "int", "long", "double", "decimal", "objectId", "date"})
"""Types of which the profile keeps hashes."""
_SKETCH = 256
"""Different values up to which the profile knows their number exactly."""


def count_unique(survey: Survey, source: Source, options: Options, progress: Progress, stop: threading.Event) -> Survey:
    """Return a survey that knows of every field that may be unique how many different values it has.

    Reads the collections of such fields once more, where the profile does not know.

    Args:
        survey: What was found.
        source: The source it was found in.
        options: How to read.
        progress: Told how far it is.
        stop: Set when the user wants it to end.

    Raises:
        Interrupted: The user asked to stop.
        SourceError: The source as a whole cannot be read.
    """
    counts = count_values(source, wanted(survey), options, progress, stop)
    return replace(survey, counted={**survey.counted, **counts})


def wanted(survey: Survey) -> list[tuple[str, Path]]:
    """Return what must be counted: keys that references name, and fields with a unique index; sorted.

    What was not read to its end is not: nothing is known of the rest.
    """
    found = {(one.to.collection, one.to.path) for one in survey.references if one.to.path != ("_id",)}
    for name, one in survey.collections.items():
        for index in one.info.indexes:
            keys = index.get("key")
            if not index.get("unique") or not isinstance(keys, Mapping):
                continue
            paths = [tuple(key.split(".")) for key in cast("Mapping[str, object]", keys)]
            if len(paths) == 1:  # of a DBRef, which is not counted itself, its `$id` is
                found |= {(name, paths[0]), (name, (*paths[0], "$id"))}
    known = {(one.collection, one.path) for one in survey.looked_in if one.exact} | set(survey.counted)
    return sorted(
        (name, path)
        for name, path in found - known
        if name in survey.collections
        and not (survey.collections[name].sampled or survey.collections[name].broken)
        and (node := _node(survey, name, path)) is not None
        and node.filled
        and known_distinct(node) is None
    )


def _node(survey: Survey, collection: str, path: Path) -> Node | None:
    return None if {ELEMENT, ANY_KEY} & set(path) else node_at(survey.collections[collection].profile.root, path)


def known_distinct(node: Node) -> int | None:
    """Return how many different values a node has, where the profile's number is no estimate."""
    if node.values is not None:
        return len(node.values)
    return node.distinct if set(node.kinds) <= _HASHED and 0 < node.distinct < _SKETCH else None


def count_values(
    source: Source,
    keys: Iterable[tuple[str, Path]],
    options: Options,
    progress: Progress,
    stop: threading.Event,
) -> dict[tuple[str, Path], int]:
    """Count the different values of fields, reading their collections once more.

    Args:
        source: The source.
        keys: Collections and paths.
        options: How to read.
        progress: Told how far it is.
        stop: Set when the user wants it to end.

    Returns:
        The counts; what is too much to be held exactly is left out.

    Raises:
        Interrupted: The user asked to stop.
        SourceError: The source as a whole cannot be read.
    """
    plans: dict[str, list[Path]] = {}
    for collection, path in keys:
        plans.setdefault(collection, []).append(path)
    if not plans:
        return {}
    progress.stage("counting")
    counted = read_all(source, {name: _maker(paths) for name, paths in plans.items()}, options, progress, stop)
    found: dict[tuple[str, Path], int] = {}
    for name, one in counted.items():
        sets = one.counter.sets()
        for number, path in enumerate(plans[name]):
            held = sets.get(str(number))
            if held is not None and json.loads(held.describe())["exact"] and not one.broken:
                found[name, path] = len(held)
    return found


def _maker(paths: list[Path]) -> Any:
    collect = [{"path": list(path), "set": str(number)} for number, path in enumerate(paths)]
    plan = json.dumps({"own": None, "probes": [], "collect": collect})
    return lambda: Prober(plan, [])
