"""Pass 2 of a survey: look values up in the ids and keys of all collections.

Looking up is the proof. What is worth it `candidates` says; what the counts mean `judge` and `relations`.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from isthmus._rust import IdSet, Prober
from isthmus.sources.protocol import Source
from isthmus.sources.reading import Options, read_all
from isthmus.survey.candidates import SEEMS_UNIQUE, Candidate, find_candidates, find_keys
from isthmus.survey.judge import Grounds, judge
from isthmus.survey.lookups import Looked
from isthmus.survey.model import Survey
from isthmus.survey.paths import node_at
from isthmus.survey.probing import Probing, Sets, limits, may_differ
from isthmus.survey.profile import Node
from isthmus.survey.reference import ID, Key, Reference
from isthmus.survey.relations import settle
from isthmus.work.progress import Progress

Candidates = Mapping[str, tuple[Candidate, ...]]


def find_references(
    source: Source,
    survey: Survey,
    ids: Mapping[str, IdSet],
    options: Options,
    progress: Progress,
    stop: threading.Event,
    tell_set: Callable[[Key, IdSet], None] | None = None,
) -> tuple[Reference, ...]:
    """Look up every value that may be a reference.

    Reads collections once more, and those with natural keys that something may point at once more before that. Neither
    is read when nothing in it can be meant.

    Args:
        source: The source.
        survey: What pass 1 found.
        ids: Collection → its ids, as pass 1 left them.
        options: How.
        progress: Told how far it is.
        stop: Set when the user wants it to end.
        tell_set: Called with every set that values are looked up in.

    Raises:
        Interrupted: The user asked to stop.
        SourceError: The source as a whole cannot be read.
    """
    roots = {name: one.profile.root for name, one in survey.collections.items()}
    part = frozenset(name for name, one in survey.collections.items() if one.sampled or one.broken)
    keys = {
        name: tuple(find_keys(name, one.profile, one.info.indexes, whole=name not in part))
        for name, one in survey.collections.items()
    }
    candidates = find_candidates({name: one.profile for name, one in survey.collections.items()}, keys)
    natural = _collect(source, _natural(candidates), roots, options, progress, stop)
    repeated = {key: _repeated(key, values, survey) for key, values in natural.items()}
    natural = {key: values for key, values in natural.items() if _is_key(key, repeated[key], survey)}
    candidates = _without(candidates, natural)
    sets = Sets([*(Key(name, ID, "id") for name in ids), *natural], [*ids.values(), *natural.values()])
    for key, values in zip(sets.keys, tuple(sets.held), strict=True):
        if tell_set is not None:
            tell_set(key, values)
    sets.cut(roots, (key for found in candidates.values() for one in found for key in one.keys))
    looked = _look_up(source, candidates, sets, roots, options, progress, stop)
    grounds = Grounds(
        roots=roots,
        shared=_shared(looked, {(key.collection, key.path): key for key in sets.keys}),
        sampled=part,
        repeated=repeated,
        own={one.candidate.collection: one.pairs for one in looked if one.candidate.path == ID},
    )
    found = [reference for one in looked if (reference := judge(one, grounds)) is not None]
    return settle(found, {name: one.profile.documents for name, one in survey.collections.items()})


def _natural(candidates: Candidates) -> tuple[Key, ...]:
    held = dict.fromkeys(key for found in candidates.values() for one in found for key in one.keys)
    return tuple(key for key in held if key.path != ID)


def _collect(
    source: Source,
    keys: tuple[Key, ...],
    roots: Mapping[str, Node],
    options: Options,
    progress: Progress,
    stop: threading.Event,
) -> dict[Key, IdSet]:
    """Return the values of natural keys."""
    if not keys:
        return {}
    plans: dict[str, dict[str, Any]] = {}
    for number, key in enumerate(keys):
        bounds = limits(len(keys), roots[key.collection].present)
        empty: dict[str, Any] = {"own": None, "probes": [], "collect": [], "limits": bounds}
        plans.setdefault(key.collection, empty)["collect"].append({"path": list(key.path), "set": str(number)})
    progress.stage("collecting")
    counters = {name: _collector(json.dumps(plan, ensure_ascii=False)) for name, plan in plans.items()}
    found: dict[str, IdSet] = {}
    for one in read_all(source, counters, options, progress, stop).values():
        found |= one.counter.sets()
    return {key: found[str(number)] for number, key in enumerate(keys)}


def _collector(plan: str) -> Callable[[], Prober]:
    return lambda: Prober(plan, [])


def _repeated(key: Key, values: IdSet, survey: Survey) -> int | None:
    """Return how many values of a key stand in it more than once; None where that is not known."""
    node = node_at(survey.collections[key.collection].profile.root, key.path)
    if key.unique_by != "values" or node is None:
        return 0
    return max(0, node.filled - len(values)) if json.loads(values.describe())["exact"] else None


def _is_key(key: Key, repeated: int | None, survey: Survey) -> bool:
    """Tell whether a natural key is one, now that its values were counted; a few may be there twice by mistake."""
    node = node_at(survey.collections[key.collection].profile.root, key.path)
    return node is not None and (repeated or 0) <= (1 - SEEMS_UNIQUE) * node.filled


def _without(candidates: Candidates, natural: Mapping[Key, IdSet]) -> dict[str, tuple[Candidate, ...]]:
    """Leave out keys that turned out to be none, and candidates that can mean nothing else."""
    left: dict[str, tuple[Candidate, ...]] = {}
    for name, found in candidates.items():
        kept: list[Candidate] = []
        for one in found:
            keys = tuple(key for key in one.keys if key.path == ID or key in natural)
            forms = one.forms if keys else tuple(form for form in one.forms if form != "value")
            if forms and (keys or one.ids):
                kept.append(replace(one, keys=keys, forms=forms))
        if kept:
            left[name] = tuple(kept)
    return left


def _look_up(
    source: Source,
    candidates: Candidates,
    sets: Sets,
    roots: Mapping[str, Node],
    options: Options,
    progress: Progress,
    stop: threading.Event,
) -> list[Looked]:
    """Return what was found of every candidate."""
    counted = sum(may_differ(one, roots[name]) for name, found in candidates.items() for one in found)
    probing = {name: Probing(name, found, sets, roots[name], counted) for name, found in candidates.items()}
    progress.stage("looking up")
    read = read_all(source, probing, options, progress, stop)
    return [looked for name, one in read.items() for looked in probing[name].read(one.counter)]


def _shared(looked: list[Looked], keys: Mapping[tuple[str, tuple[str, ...]], Key]) -> dict[Key, dict[Key, float]]:
    """Say of every key that was looked up itself which share of it other keys hold."""
    found: dict[Key, dict[Key, float]] = {}
    for one in looked:
        key = keys.get((one.candidate.collection, one.candidate.path))
        if key is not None and one.values:
            found[key] = {other: one.hit(other) / one.values for other in one.hits if other != key}
    return found
