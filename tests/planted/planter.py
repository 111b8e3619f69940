"""Plants references, relations and distractors, and keeps the book about every value it hands out.

The keys of all targets are made before any document, so a value can point forward. What a value hits is looked up at
the end, among all keys there are.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, cast

from bson import Binary, DBRef, Int64, ObjectId

from tests.planted.nodes import EPOCH
from tests.planted.truth import ITEMS, Distractor, Hits, Place, Reference, Relation


def path_of(text: str) -> list[str]:
    """Turn `lines[].product` into a path."""
    return text.replace(ITEMS, f".{ITEMS}").split(".")


def object_id(chance: random.Random) -> ObjectId:
    """Draw an ObjectId of the years 2017 to 2024."""
    return ObjectId(chance.randint(1_500_000_000, 1_730_000_000).to_bytes(4, "big") + chance.randbytes(8))


def canonical(key: Any) -> Hashable:
    """Return what equals that of another key exactly if MongoDB takes them for the same; keys are no booleans."""
    if isinstance(key, dict):
        return "document", tuple((name, canonical(value)) for name, value in cast("dict[str, Any]", key).items())
    return (key.subtype, bytes(key)) if isinstance(key, Binary) else key


@dataclass(frozen=True)
class Keys:
    """The values by which documents of a collection are named: its `_id`s, or a field that is unique in it."""

    collection: str
    path: tuple[str, ...]
    values: Sequence[Any]

    @property
    def are_ids(self) -> bool:
        """Whether they are `_id`s."""
        return self.path == ("_id",)

    @cached_property
    def known(self) -> frozenset[Hashable]:
        """Their canonical forms."""
        return frozenset(map(canonical, self.values))


@dataclass(frozen=True)
class Blemishes:
    """How sound the values of a reference are; the numbers are shares of its values.

    Attributes:
        orphans: Name a document that never existed.
        strays: Name a document of another collection; orphans as well.
        others: Are texts that name nothing.
    """

    orphans: float = 0.0
    strays: float = 0.0
    others: float = 0.0


NONE = Blemishes()


class PlantedReference:
    """A path that names documents of one collection.

    Args:
        chance: Where chance comes from.
        place: The path.
        target: What its values are taken from.
        forms: How ids are written, with weights; ignored where the target's keys are no ObjectIds.
        blemishes: How many values are unsound.
        strays: Keys of other collections of which some end up here.
        coverage: Share of the target's documents that may be named at all.
        kind: Path and value that say that this target is meant, where there are several.
    """

    def __init__(
        self,
        chance: random.Random,
        place: Place,
        target: Keys,
        *,
        forms: Mapping[str, float] | None = None,
        blemishes: Blemishes = NONE,
        strays: Sequence[Keys] = (),
        coverage: float = 1.0,
        kind: tuple[list[str], str] | None = None,
    ) -> None:
        self.place = place
        self.target = target
        self.other_side: Place | None = None
        self.pairs: set[tuple[Hashable, Hashable]] = set()
        self._chance = chance
        self._forms = dict(forms or {"object_id": 1.0})
        self._blemishes = blemishes
        self._strays = strays
        self._pool = chance.sample(target.values, max(1, round(coverage * len(target.values))))
        self._kind = kind
        self._values: list[Hashable] = []
        self._written: Counter[str] = Counter()
        self._others = 0

    def value(self, holder: Any) -> Any:
        """Draw a value for the document with the `_id` `holder`."""
        roll = self._chance.random()
        bad = self._blemishes
        if roll < bad.others:
            self._others += 1
            return self._chance.choice(["", "N/A", "unknown"])
        if roll < bad.others + bad.orphans:
            return self.write(holder, self.absent())
        if self._strays and roll < bad.others + bad.orphans + bad.strays:
            return self.write(holder, self._chance.choice(self._chance.choice(self._strays).values))
        return self.write(holder, self._chance.choice(self._pool))

    def values(self, holder: Any, most: int) -> list[Any]:
        """Draw an array of up to `most` values, now and then one twice."""
        return [self.value(holder) for _ in range(self._chance.randint(0, most))]

    def write(self, holder: Any, key: Any) -> Any:
        """Return a key as it is written, and put it into the book."""
        self._values.append(canonical(key))
        self.pairs.add((canonical(holder), canonical(key)))
        form, value = self._form(key)
        self._written[form] += 1
        return value

    def absent(self) -> Any:
        """Return a key like the target's that none of its documents has."""
        while canonical(key := _like(self._chance, self._chance.choice(self.target.values))) in self.target.known:
            pass
        return key

    def truth(self, keys: Iterable[Keys]) -> Reference:
        """Return what was planted."""
        held = Counter(key for _, key in self.pairs)
        sharing = "many" if max(held.values(), default=0) > 1 else "one"
        naming = "many" if ITEMS in self.place.path else "one"
        return Reference(
            collection=self.place.collection,
            path=self.place.path,
            form=self._written.most_common(1)[0][0] if self._written else self._form(self.target.values[0])[0],
            forms=dict(sorted(self._written.items())),
            target=self.target.collection,
            target_path=list(self.target.path),
            type_path=self._kind[0] if self._kind else None,
            type_value=self._kind[1] if self._kind else None,
            values=len(self._values),
            distinct=len(held),
            documents=len({holder for holder, _ in self.pairs}),
            orphans=sum(value not in self.target.known for value in self._values),
            others=self._others,
            hits=hits(self._values, keys),
            cardinality=f"{sharing}_to_{naming}",
            other_side=self.other_side,
        )

    def _form(self, key: Any) -> tuple[str, Any]:
        if not self.target.are_ids:
            return "natural", key
        if not isinstance(key, ObjectId):
            return "id", _as_another_number(self._chance, key) if isinstance(key, int) else key
        form = self._chance.choices(list(self._forms), list(self._forms.values()))[0]
        if form == "hex":
            return form, str(key)
        return form, DBRef(self.target.collection, key) if form == "dbref" else key


class PlantedRelation:
    """Two arrays that hold the same relation, one on either side; some pairs stand on one side only.

    Args:
        left: The array of the one side, whose target is the other.
        right: The array of the other side.
        per_left: About so many pairs for each document of the left side.
        one_sided: Share of the pairs that one side alone names.
        orphans: Share of pairs with an end that does not exist.
    """

    def __init__(
        self,
        chance: random.Random,
        left: PlantedReference,
        right: PlantedReference,
        *,
        per_left: float = 1.5,
        one_sided: float = 0.2,
        orphans: float = 0.02,
    ) -> None:
        self.left, self.right = left, right
        left.other_side, right.other_side = right.place, left.place
        self._of_left: dict[Hashable, list[Any]] = {}
        self._of_right: dict[Hashable, list[Any]] = {}
        lefts, rights = right.target.values, left.target.values
        for _ in range(round(per_left * len(lefts))):
            one, other = chance.choice(lefts), chance.choice(rights)
            roll = chance.random()
            if roll < orphans / 2:
                self._add(self._of_left, one, left.absent())
            elif roll < orphans:
                self._add(self._of_right, other, right.absent())
            else:
                side = chance.random()
                if side >= one_sided / 2:
                    self._add(self._of_left, one, other)
                if side < one_sided / 2 or side >= one_sided:
                    self._add(self._of_right, other, one)

    def of_left(self, holder: Any) -> list[Any]:
        """Return the array of a document of the left side."""
        return [self.left.write(holder, key) for key in self._of_left.get(canonical(holder), [])]

    def of_right(self, holder: Any) -> list[Any]:
        """Return the array of a document of the right side."""
        return [self.right.write(holder, key) for key in self._of_right.get(canonical(holder), [])]

    def truth(self) -> Relation:
        """Return what was planted."""
        left, right = self.left.pairs, {(key, holder) for holder, key in self.right.pairs}
        lefts, rights = self.right.target.known, self.left.target.known
        return Relation(
            left=self.left.place,
            right=self.right.place,
            both=len(left & right),
            left_only=len(left - right),
            right_only=len(right - left),
            dangling=sum(one not in lefts or other not in rights for one, other in left | right),
        )

    @staticmethod
    def _add(side: dict[Hashable, list[Any]], holder: Any, key: Any) -> None:
        side.setdefault(canonical(holder), []).append(key)


class PlantedDistractor:
    """A path that only looks like a reference."""

    def __init__(self, place: Place, kind: str) -> None:
        self.place = place
        self.kind = kind
        self._values: list[Hashable] = []

    def value(self, value: Any) -> Any:
        """Return a value, and put it into the book unless it is None."""
        if value is not None:
            self._values.append(_as_key(value))
        return value

    def truth(self, keys: Iterable[Keys]) -> Distractor:
        """Return what was planted."""
        # Its own keys: an `_id` that is reused elsewhere hits itself.
        elsewhere = [
            one for one in keys if (one.collection, list(one.path)) != (self.place.collection, self.place.path)
        ]
        found = hits(self._values, elsewhere)
        return Distractor(self.place.collection, self.place.path, self.kind, len(self._values), found)


class Planter:
    """All that is planted in one database."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.keys: list[Keys] = []
        self._references: list[PlantedReference] = []
        self._relations: list[PlantedRelation] = []
        self._distractors: list[PlantedDistractor] = []

    def key(self, collection: str, path: str, values: Sequence[Any]) -> Keys:
        """Make known by which values documents are named."""
        self.keys.append(Keys(collection, tuple(path_of(path)), values))
        return self.keys[-1]

    def reference(self, collection: str, path: str | list[str], target: Keys, **how: Any) -> PlantedReference:
        """Plant a reference; `how` as `PlantedReference` takes it."""
        place = Place(collection, path_of(path) if isinstance(path, str) else path)
        self._references.append(PlantedReference(self.chance, place, target, **how))
        return self._references[-1]

    def relation(self, left: PlantedReference, right: PlantedReference, **how: Any) -> PlantedRelation:
        """Plant a relation of two references; `how` as `PlantedRelation` takes it."""
        self._relations.append(PlantedRelation(self.chance, left, right, **how))
        return self._relations[-1]

    def distractor(self, collection: str, path: str | list[str], kind: str) -> PlantedDistractor:
        """Plant a distractor; kinds stand in `truth.Distractor`."""
        place = Place(collection, path_of(path) if isinstance(path, str) else path)
        self._distractors.append(PlantedDistractor(place, kind))
        return self._distractors[-1]

    def truth(self) -> tuple[list[Reference], list[Relation], list[Distractor]]:
        """Return what was planted and holds values; to be called when all documents are made."""
        references = [one.truth(self.keys) for one in self._references]
        distractors = [one.truth(self.keys) for one in self._distractors]
        return (
            [one for one in references if one.values],
            [one.truth() for one in self._relations],
            [one for one in distractors if one.values],
        )


def hits(values: Iterable[Hashable], keys: Iterable[Keys]) -> list[Hits]:
    """Say how many values are among the keys of which collections."""
    counted = Counter(values)
    found: list[Hits] = []
    for one in keys:
        number = sum(times for value, times in counted.items() if value in one.known)
        if number:
            found.append(Hits(one.collection, list(one.path), number))
    return found


def _as_key(value: Any) -> Hashable:
    """Return what a careless look-up would take a value for."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, datetime):
        return round((value - EPOCH).total_seconds() * 1000)
    return canonical(value)


def _as_another_number(chance: random.Random, number: int) -> Any:
    """Return an equal number of any type that has one."""
    roll = chance.random()
    return Int64(number) if roll < 0.1 else float(number) if roll < 0.15 else number


def _like(chance: random.Random, key: Any) -> Any:
    """Return another key of the same shape, not sure to be new."""
    match key:
        case ObjectId():
            return object_id(chance)
        case Binary():
            return Binary(chance.randbytes(len(key)), key.subtype)
        case str():
            return f"{chance.randint(100, 999)}-{key}"
        case int():
            return key + chance.randint(1, 10) * 10_000_000
        case _:
            name, last = list(key.items())[-1]
            return {**key, name: _like(chance, last)}
