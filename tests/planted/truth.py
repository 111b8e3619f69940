"""The truth about a planted database, as plain dataclasses that become plain JSON and come back from it.

Paths are lists of keys from the document's top; `[]` stands for the items of an array and `{}` for the keys of a map
(a sub-document whose keys are data). No planted key has one of these two names. Keys and texts that are not UTF-8 are
written with lone surrogates (`surrogateescape`). Types have the names that MongoDB's `$type` takes. Of a key that
stands twice in a document the last value counts.
"""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ITEMS = "[]"
"""Stands in a path for the items of an array."""
KEYS = "{}"
"""Stands in a path for the keys of a map."""
FEW_VALUES = 20
"""Up to so many distinct values of a path are listed."""


@dataclass
class DistinctValue:
    """A value that occurs at a path.

    Attributes:
        type: Its BSON type.
        value: As text: texts themselves, numbers and milliseconds in decimal (doubles as Python writes them), `true`
            and `false`, ObjectIds in hex, all others as the hex of their bytes.
        count: How often it occurs.
    """

    type: str
    value: str
    count: int


@dataclass
class PathTruth:
    """What stands at one path of a collection.

    Attributes:
        path: The path.
        parents: The (sub-)documents or arrays that could hold it: those that are there at the path above.
        missing: How many parents are without it; 0 behind `[]` and `{}`.
        null: Values that are null.
        present: Values that are not; behind `[]` and `{}` there may be several in a parent.
        types: Values by type, null among them.
        distinct: Distinct values, type included, of those that are not null, document or array.
        values: These values, most frequent first; None where there are more than `FEW_VALUES`.
        string_bytes: Shortest and longest text in bytes.
        array_items: Shortest and longest array in items.
    """

    path: list[str]
    parents: int
    missing: int
    null: int
    present: int
    types: dict[str, int]
    distinct: int
    values: list[DistinctValue] | None
    string_bytes: list[int] | None
    array_items: list[int] | None


@dataclass
class KeyOddity:
    """A key that cannot simply become a column's name.

    Attributes:
        path: The path that ends in it.
        kind: `dot`, `dollar` (in front), `empty`, `long` (over 63 bytes), `invalid-utf8`, `duplicate`. The keys of a
            DBRef are no oddity.
        documents: (Sub-)documents that hold it.
    """

    path: list[str]
    kind: str
    documents: int


@dataclass
class MapTruth:
    """A sub-document whose keys are data.

    Attributes:
        path: Where it stands.
        keys: What its keys are: `object-id`, `day`, `number`, `email`.
        documents: How many there are.
        distinct: Distinct keys of all.
    """

    path: list[str]
    keys: str
    documents: int
    distinct: int


@dataclass
class Refused:
    """Values that PostgreSQL takes in no type or not in the one at hand.

    Attributes:
        path: Where they stand.
        kind: `nul` and `invalid-utf8` (in text), `date-range` (no timestamp holds it), `wide-id` (an `_id` no index
            entry holds), and what jsonb refuses: `nan`, `infinity`, `decimal-nan`, `decimal-infinity`.
        values: How many.
        documents: In how many documents.
    """

    path: list[str]
    kind: str
    values: int
    documents: int


@dataclass
class IndexTruth:
    """An index besides that of `_id`; `options` as MongoDB takes them."""

    name: str
    keys: list[list[Any]]
    options: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass
class CollectionTruth:
    """One collection.

    Attributes:
        kind: `collection`, `capped`, `view` (no documents of its own) or `gridfs`.
        options: As MongoDB takes them when it is made.
        bytes: BSON bytes of all documents.
        smallest: Bytes of the smallest document; 0 where there is none.
        largest: Bytes of the largest.
    """

    name: str
    kind: str
    options: dict[str, Any]
    documents: int
    bytes: int
    smallest: int
    largest: int
    paths: list[PathTruth]
    key_oddities: list[KeyOddity]
    maps: list[MapTruth]
    refused: list[Refused]
    indexes: list[IndexTruth]

    def at(self, *path: str) -> PathTruth:
        """Return what stands at a path; KeyError where nothing does."""
        for one in self.paths:
            if one.path == list(path):
                return one
        raise KeyError(path)


@dataclass
class Place:
    """A path of a collection."""

    collection: str
    path: list[str]


@dataclass
class Hits:
    """How many values are found among the keys of a collection: its `_id`s, or a field that is unique in it."""

    collection: str
    path: list[str]
    values: int


@dataclass
class Reference:
    """A path whose values name documents of one collection. A path that names one of several has an entry for each.

    Attributes:
        form: The most frequent of `forms`: `object_id`; `hex` (24 hex digits as text); `dbref`; `id` (an `_id` of
            another type, as it is); `natural` (value of a field that is unique in the target).
        forms: Values by form.
        target: The collection whose documents are meant.
        target_path: `_id`, or the unique field.
        type_path: Where it is said that this collection is meant, if one of several can be; None for a DBRef, which
            says it itself.
        type_value: What stands there then.
        values: Values that are references, each time they occur.
        distinct: Distinct ones.
        documents: Documents that hold at least one.
        orphans: Values whose document does not exist in the target.
        others: Values at the path that are no reference at all, such as empty texts.
        hits: What the values hit, by collection and key, the target's included; ids of two collections may be the same.
        cardinality: `one_to_one`, `many_to_one`, `one_to_many`, `many_to_many`: how many documents name the same target
            at most, and how many targets one path can name in a document.
        other_side: The array in the target that holds the same relation the other way round.
    """

    collection: str
    path: list[str]
    form: str
    forms: dict[str, int]
    target: str
    target_path: list[str]
    type_path: list[str] | None
    type_value: str | None
    values: int
    distinct: int
    documents: int
    orphans: int
    others: int
    hits: list[Hits]
    cardinality: str
    other_side: Place | None

    @property
    def hit_rate(self) -> float:
        """Share of the values whose document exists; 1 where there are no values."""
        return 1 - self.orphans / self.values if self.values else 1.0


@dataclass
class Relation:
    """A relation kept in arrays on both sides; pairs are distinct.

    Attributes:
        both: Pairs that both sides name.
        left_only: Pairs that only the left side names.
        right_only: Pairs that only the right side names.
        dangling: Pairs, of those above, with an end that does not exist.
    """

    left: Place
    right: Place
    both: int
    left_only: int
    right_only: int
    dangling: int


@dataclass
class Distractor:
    """A path that looks like a reference and is none.

    Attributes:
        kind: `name` (named like one), `ids_of_nothing` (ids whose collection does not exist), `reused_ids` (some ids of
            a collection are another one's as well), `small_int`, `boolean`, `date`, `year` (coincide with int keys),
            `part_of_key` (one field of a compound key, such as its year; the whole is the key), `shared_text` (some
            texts are unique elsewhere, too).
        values: Values that are not null.
        hits: What they coincide with, taken as numbers where they are booleans or dates (milliseconds).
    """

    collection: str
    path: list[str]
    kind: str
    values: int
    hits: list[Hits]


@dataclass
class Truth:
    """All that is known of a planted database; `settings` and `seed` give it again.

    Attributes:
        keys: By which values documents are named: the `_id`s, and fields that every document of a collection has and
            no two have alike. A few other fields may be unique by chance.
    """

    database: str
    generator: str
    seed: int
    settings: dict[str, Any]
    collections: list[CollectionTruth] = field(default_factory=list[CollectionTruth])
    keys: list[Place] = field(default_factory=list[Place])
    references: list[Reference] = field(default_factory=list[Reference])
    relations: list[Relation] = field(default_factory=list[Relation])
    distractors: list[Distractor] = field(default_factory=list[Distractor])

    def collection(self, name: str) -> CollectionTruth:
        """Return one collection; KeyError where there is none."""
        for one in self.collections:
            if one.name == name:
                return one
        raise KeyError(name)

    def to_json(self) -> str:
        """Return JSON text, the same for the same truth, in ASCII."""
        return json.dumps(dataclasses.asdict(self), indent=1, sort_keys=True) + "\n"

    @staticmethod
    def from_json(text: str) -> Truth:
        """Return the truth that `to_json` wrote."""
        return _built(Truth, json.loads(text))


def read_truth(file: Path) -> Truth:
    """Read a truth file."""
    return Truth.from_json(file.read_text(encoding="utf-8"))


def _built(wanted: Any, data: Any) -> Any:
    """Build dataclasses, and lists and dicts of them, from what JSON gave."""
    if dataclasses.is_dataclass(wanted) and isinstance(wanted, type):
        hints = typing.get_type_hints(wanted)
        return wanted(**{name: _built(hints[name], value) for name, value in data.items()})
    arguments = typing.get_args(wanted)
    if isinstance(wanted, types.UnionType):
        return None if data is None else _built(arguments[0], data)
    if typing.get_origin(wanted) is list:
        return [_built(arguments[0], one) for one in data]
    return data
