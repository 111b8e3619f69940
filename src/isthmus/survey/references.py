"""Pass 2 of a survey: look values up in the ids and keys of all collections, and say which are references to what.

Looking up is the proof; `judge` weighs what was found, and is pure.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from isthmus._rust import IdSet, Prober
from isthmus.sources.protocol import Source
from isthmus.survey.candidates import Candidate, find_candidates, find_keys, node_at
from isthmus.survey.model import Survey
from isthmus.survey.profile import ELEMENT, Node, Path
from isthmus.survey.reference import Cardinality, Form, Key, Reference
from isthmus.survey.similar import likeness, says_reference
from isthmus.work.progress import Progress
from isthmus.sources.reading import Options, read_all

_MOST = 0.5
"""Share of the values that a reference must hit: a field of which less is found is told as something else."""
_ALIKE = 0.9
"""Collections that are hit nearly as often as the best are decided between by name."""
_PART = 0.1
"""Share of the values from which on a further collection is one that a field points at in turns, and no accident."""
_FEW_KEYS = 8
_MANY = 20
_SMALL = 10_000
"""Numbers below are met everywhere; what begins above them is hardly hit by chance."""
_DIFFER = 0.85


def find_references(
    source: Source,
    survey: Survey,
    ids: Mapping[str, IdSet],
    options: Options,
    progress: Progress,
    stop: threading.Event,
) -> tuple[Reference, ...]:
    """Look up every value that may be a reference.

    Reads collections once more, and those with natural keys that something may point at once more before that.

    Raises:
        Interrupted: The user asked to stop.
        SourceError: The source as a whole cannot be read.
    """
    profiles = {name: one.profile for name, one in survey.collections.items()}
    keys = {name: tuple(find_keys(name, one.profile, one.info.indexes)) for name, one in survey.collections.items()}
    candidates = find_candidates(profiles, keys)
    held = dict.fromkeys(key for found in candidates.values() for one in found for key in one.keys)
    natural = [key for key in held if key.path != ("_id",)]
    all_keys = [Key(name, ("_id",), "id") for name in ids] + natural
    sets = [*ids.values(), *_collect(source, natural, options, progress, stop)]
    place = {(key.collection, key.path): number for number, key in enumerate(all_keys)}
    plans = {
        name: json.dumps(_plan(name, found, place, len(ids)), ensure_ascii=False) for name, found in candidates.items()
    }
    progress.stage("looking up")
    counters = {name: _maker(plan, sets) for name, plan in plans.items() if candidates[name]}
    counted = read_all(source, counters, options, progress, stop)
    found: list[Reference] = []
    for name, one in counted.items():
        probes = json.loads(one.counter.result())["probes"]
        for candidate, probe in zip(candidates[name], probes, strict=True):
            node = node_at(profiles[name].root, candidate.path)
            reference = judge(candidate, probe, all_keys, node or Node(), {n: p.root for n, p in profiles.items()})
            if reference is not None:
                found.append(reference)
    return tuple(pair_up(_one_way(found, {name: profile.documents for name, profile in profiles.items()})))


def _maker(plan: str, sets: list[IdSet]) -> Any:
    return lambda: Prober(plan, sets)


def _collect(
    source: Source, natural: list[Key], options: Options, progress: Progress, stop: threading.Event
) -> Iterator[IdSet]:
    """Yield the values of natural keys, each as a set, in order."""
    if not natural:
        return
    plans: dict[str, list[dict[str, Any]]] = {}
    for number, key in enumerate(natural):
        plans.setdefault(key.collection, []).append({"path": list(key.path), "set": str(number)})
    progress.stage("collecting")
    counters = {
        name: _maker(json.dumps({"own": None, "probes": [], "collect": collect}), []) for name, collect in plans.items()
    }
    counted = read_all(source, counters, options, progress, stop)
    found: dict[str, IdSet] = {}
    for one in counted.values():
        found |= one.counter.sets()
    for number in range(len(natural)):
        yield found[str(number)]


def _plan(
    collection: str, candidates: tuple[Candidate, ...], place: dict[tuple[str, Path], int], ids: int
) -> dict[str, Any]:
    probes: list[dict[str, Any]] = []
    for one in candidates:
        numbers = set(range(ids)) if set(one.forms) - {"value"} else set[int]()
        numbers |= {place[key.collection, key.path] for key in one.keys}
        probes.append({"path": list(one.path), "forms": list(one.forms), "sets": sorted(numbers)})
    return {"own": place[collection, ("_id",)], "probes": probes, "collect": []}


def judge(
    candidate: Candidate, probe: Mapping[str, Any], keys: list[Key], node: Node, roots: Mapping[str, Node]
) -> Reference | None:
    """Say what values refer to, by what was found of them; None when they are no references.

    Args:
        candidate: The values.
        probe: What the core says of them.
        keys: What the probe's sets are, by their number.
        node: What stands at their path.
        roots: Collection → what its documents hold.
    """
    hits: dict[Key, int] = {}
    forms: dict[Form, int] = {}
    examples: list[str] = []
    for form in candidate.forms:
        told = probe["forms"].get(form)
        if told is None:
            continue
        counted = {keys[int(number)]: int(count) for number, count in told.get("hits", {}).items()}
        if form == "value":
            counted = {key: count for key, count in counted.items() if key in candidate.keys}
        counted = {key: count for key, count in counted.items() if not _is_itself(candidate, key)}
        if max(counted.values(), default=0) < _MOST * told["values"] and len(counted) < 2:
            continue
        forms[form] = told["values"]
        examples += [str(one) for one in told.get("examples", ())]
        for key, count in counted.items():
            hits[key] = hits.get(key, 0) + count
    values = sum(forms.values())
    if not values or not hits:
        return None
    best = _best(candidate, hits)
    if 2 * values < int(probe["values"]):  # most values are of another kind: that is no field of references
        return None
    several = _several(hits, best, values)
    found = sum(several.values()) if several else hits[best]
    if found < _MOST * values or not _is_credible(candidate, best, forms, node, roots):
        return None
    distinct = int(probe.get("distinct", 0))
    return Reference(
        collection=candidate.collection,
        path=candidate.path,
        forms=forms,
        to=best,
        values=values,
        hits=min(found, values),
        null=int(probe.get("null", 0)),
        several={key.collection: count for key, count in several.items()},
        wrong={key.collection: count for key, count in hits.items() if key != best and key not in several},
        examples=tuple(examples[:5]),
        cardinality=_cardinality(candidate.path, distinct, values),
        distinct=distinct,
        pairs=tuple(int(one, 16) for one in probe.get("pairs", ())),
    )


def _is_itself(candidate: Candidate, key: Key) -> bool:
    return (candidate.collection, candidate.path) == (key.collection, key.path)


def _name(path: Path) -> str:
    return next((step for step in reversed(path) if step not in {ELEMENT, "$id", "*"}), "")


def _likeness(candidate: Candidate, key: Key) -> float:
    own = likeness(_name(candidate.path), key.collection, _name(key.path))
    if own == 0.0 and len(candidate.path) > 1:
        outer = [step for step in candidate.path[:-1] if step not in {ELEMENT, "*"}]
        if outer and outer[-1] != _name(candidate.path):
            return 0.8 * likeness(outer[-1], key.collection, _name(key.path))
    return own


def _best(candidate: Candidate, hits: Mapping[Key, int]) -> Key:
    most = max(hits.values())
    alike = [key for key, count in hits.items() if count >= _ALIKE * most]
    return max(
        alike,
        key=lambda key: (
            _likeness(candidate, key),
            hits[key],
            key.unique_by == "id",
            key.unique_by == "index",
            key.collection,
        ),
    )


def _several(hits: Mapping[Key, int], best: Key, values: int) -> dict[Key, int]:
    """Return the collections that one field points at in turns: each value is found in one of them."""
    if hits[best] >= _DIFFER * values:
        return {}
    parts = {key: count for key, count in hits.items() if count >= _PART * values and key.path == ("_id",)}
    total = sum(parts.values())
    return parts if len(parts) > 1 and _MOST * values <= total <= 1.05 * values and total > 1.2 * hits[best] else {}


def _is_credible(
    candidate: Candidate, key: Key, forms: Mapping[Form, int], node: Node, roots: Mapping[str, Node]
) -> bool:
    """Tell whether equal values can be more than chance; ObjectIds always are."""
    if set(forms) != {"value"}:
        return candidate.path != ("_id",) or _likeness(candidate, key) > 0 or key.collection != candidate.collection
    there = node_at(roots[key.collection], key.path)
    if there is None:
        return False
    named = _likeness(candidate, key)
    if _is_dense(there):  # numbers from one on: any small number is one of them
        return named >= 0.7 or _is_spread(node, there) or (named > 0 or says_reference(_name(candidate.path)))
    return named > 0 or node.distinct >= _FEW_KEYS


def _is_dense(node: Node) -> bool:
    if node.integers is None or not node.distinct:
        return False
    low, high = node.integers.range
    return low < _SMALL and node.distinct > 0.3 * (high - low + 1)


def _is_spread(node: Node, there: Node) -> bool:
    """Tell whether a field's numbers go through a good part of a key's, not only through the few small ones."""
    return node.distinct >= _MANY and 4 * node.distinct >= there.distinct


def _cardinality(path: Path, distinct: int, values: int) -> Cardinality:
    once = distinct >= _DIFFER * values
    if ELEMENT in path:
        return "one-to-many" if once else "many-to-many"
    return "one-to-one" if once else "many-to-one"


def _one_way(found: list[Reference], documents: Mapping[str, int]) -> list[Reference]:
    """Leave out one of two keys that hold the same values: the smaller collection points at the larger one."""
    known = {(one.collection, one.path, one.to.collection, one.to.path): one for one in found}
    left: list[Reference] = []
    for one in found:
        back = known.get((one.to.collection, one.to.path, one.collection, one.path))
        if back is None or _weight(one, documents) >= _weight(back, documents):
            left.append(one)
    return left


def _weight(one: Reference, documents: Mapping[str, int]) -> tuple[float, int, bool, str]:
    return one.hits / one.values, documents[one.to.collection], one.to.path == ("_id",), one.to.collection


def pair_up(found: list[Reference]) -> list[Reference]:
    """Name for each of two references that hold the same pairs of documents the other one: they are one relation."""
    sides: dict[int, int] = {}
    for number, one in enumerate(found):
        for other in range(number):
            before = found[other]
            mutual = (one.collection, one.to.collection) == (before.to.collection, before.collection)
            if mutual and other not in sides and _overlap(one.pairs, before.pairs) >= 0.5:
                sides[number], sides[other] = other, number
                break
    return [
        replace(one, other_side=(found[sides[number]].collection, found[sides[number]].path))
        if number in sides
        else one
        for number, one in enumerate(found)
    ]


def _overlap(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    """Estimate how many of all pairs two sides share, from the lowest hashes of each."""
    if not one or not other:
        return 0.0
    size = max(len(one), len(other))
    union = sorted({*one, *other})[:size]
    both = {*one} & {*other}
    return sum(pair in both for pair in union) / len(union)
