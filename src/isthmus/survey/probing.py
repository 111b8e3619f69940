"""What the core is asked to look up in a collection, and how its answer is read. Pure but for the sets it makes.

Each candidate takes one to three probes: values that are ids and values that are keys are counted apart, for a text of
24 digits is both and must not count as two; and parts of a key's numbers make no pairs of documents.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from isthmus._rust import IdSet, Prober, Profiler
from isthmus.survey.candidates import Candidate
from isthmus.survey.chance import PARTS, is_countable, is_dense, parts
from isthmus.survey.lookups import Looked, read_probes
from isthmus.survey.paths import node_at
from isthmus.survey.profile import Node
from isthmus.survey.reference import ID, Form, Key

KEYS_BYTES = 256 << 20
"""Memory of all sets of a kind together; each worker may hold as much again of what it has not handed over yet."""
LEAST_BYTES = 1 << 20
MOST_BYTES = 64 << 20
"""Memory that one set has, at least and at most."""
_ESTIMATED = 256
"""Beyond so many different values their number is an estimate."""
_NEARLY = 0.8
"""Share of different values, estimated, from which on they are counted exactly: they may all differ."""
_NUMBER = struct.Struct("<ib4sqb")
"""A document of nothing but a 64-bit integer as `_id`: length, type, key, number, end. https://bsonspec.org"""


def limits(sets: int, expected: int) -> dict[str, int]:
    """Return the core's limits of one of several sets that are held at once."""
    return {"ids_bytes": min(MOST_BYTES, max(LEAST_BYTES, KEYS_BYTES // max(1, sets))), "expected": expected}


@dataclass
class Sets:
    """All that values are looked up in.

    Attributes:
        keys: What the first sets hold.
        held: The sets: of the keys, then of parts of keys.
        parts: Key → numbers of the sets of its parts.
        noise: Key → chance that a value which is not there counts as found.
    """

    keys: Sequence[Key]
    held: list[IdSet]
    parts: dict[Key, range] = field(default_factory=dict[Key, range])
    noise: dict[Key, float] = field(default_factory=dict[Key, float])

    def __post_init__(self) -> None:
        self.places = {key: number for number, key in enumerate(self.keys)}
        for key, one in zip(self.keys, self.held, strict=True):
            rate = float(json.loads(one.describe())["false_positives"])
            if rate > 0:
                self.noise[key] = rate

    def cut(self, roots: Mapping[str, Node], keys: Iterator[Key]) -> None:
        """Cut those keys into parts whose numbers are hit by any small number, and make a set of each part."""
        for key in dict.fromkeys(keys):
            node = node_at(roots[key.collection], key.path)
            if node is not None and is_dense(node) and is_countable(node):
                self.parts[key] = range(len(self.held), len(self.held) + PARTS)
                self.held += [_set_of(part) for part in parts(node)]


def _set_of(numbers: range) -> IdSet:
    profiler = Profiler()
    profiler.read(b"".join(_NUMBER.pack(_NUMBER.size, 0x12, b"_id", number, 0) for number in numbers))
    return profiler.ids()


class Probing:
    """The probes of one collection.

    Args:
        collection: Its name.
        candidates: What is looked up.
        sets: In what.
        root: What the documents hold.
        counted: How many fields of all collections are counted exactly.
    """

    def __init__(self, collection: str, candidates: Sequence[Candidate], sets: Sets, root: Node, counted: int) -> None:
        self._candidates = candidates
        self._sets = sets
        self._differing = {one.path for one in candidates if may_differ(one, root)}
        collect = [{"path": list(path), "set": _name(path)} for path in sorted(self._differing)]
        self._plan = json.dumps(
            {
                "own": sets.places[Key(collection, ID, "id")],
                "probes": [probe for one in candidates for probe in self._probes(one)],
                "collect": collect,
                "limits": limits(counted, root.present),
            },
            ensure_ascii=False,
        )

    def __call__(self) -> Prober:
        """Make what looks up a part of the collection."""
        return Prober(self._plan, self._sets.held)

    def read(self, prober: Prober) -> Iterator[Looked]:
        """Yield what was found of each candidate, in order."""
        probes: Iterator[dict[str, Any]] = iter(json.loads(prober.result())["probes"])
        collected = prober.sets()
        for one in self._candidates:
            told = [next(probes) for _ in _together(one)]
            spread = next(probes) if self._cut_keys(one) else None
            looked = read_probes(one, told, self._sets.keys, self._sets.noise, self._sets.parts, spread)
            values = collected.get(_name(one.path))
            if values is not None and json.loads(values.describe())["exact"]:
                looked = looked.counted(len(values))
            yield looked

    def _probes(self, one: Candidate) -> Iterator[dict[str, Any]]:
        for forms in _together(one):
            keys = one.keys if forms == ("value",) else [Key(name, ID, "id") for name in one.ids]
            numbers = sorted(self._sets.places[key] for key in keys)
            collections = [self._sets.keys[number].collection for number in numbers]
            yield {"path": list(one.path), "forms": forms, "sets": numbers, "collections": collections}
        if cut := self._cut_keys(one):
            numbers = [number for key in cut for number in self._sets.parts[key]]
            yield {"path": list(one.path), "forms": ["value"], "sets": numbers}

    def _cut_keys(self, one: Candidate) -> list[Key]:
        return [key for key in one.keys if key in self._sets.parts]


def may_differ(candidate: Candidate, root: Node) -> bool:
    """Tell whether a candidate's values may be all different, and are too many for the profile to know."""
    node = node_at(root, candidate.path)
    return (
        candidate.path != ID
        and node is not None
        and node.distinct > _ESTIMATED
        and node.distinct >= _NEARLY * node.scalars
    )


def _name(path: tuple[str, ...]) -> str:
    return json.dumps(path)


def _together(candidate: Candidate) -> list[tuple[Form, ...]]:
    """Return which forms are counted together."""
    ids: tuple[Form, ...] = tuple(form for form in candidate.forms if form != "value")
    values: tuple[Form, ...] = ("value",) if "value" in candidate.forms else ()
    return [forms for forms in (ids, values) if forms]
