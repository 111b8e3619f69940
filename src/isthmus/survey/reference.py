"""A reference as a survey found it: which values point at documents of which collection, and how well. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from isthmus.survey.profile import Path

Form = Literal["oid", "hex", "dbref", "value"]
"""How a value points: an ObjectId, its 24 hexadecimal digits as text, a DBRef, or the value of a key itself."""

Doubt = Literal["", "numbers", "values"]
Cardinality = Literal["one-to-one", "many-to-one", "one-to-many", "many-to-many"]

ID: Path = ("_id",)


@dataclass(frozen=True)
class Key:
    """What references may hold: the values of a path that tell the documents of a collection apart.

    Attributes:
        collection: The collection.
        path: `_id`, or a natural key.
        unique_by: `id`; `index` where a unique index says so; `values` where hardly any is there twice.
    """

    collection: str
    path: Path
    unique_by: Literal["id", "index", "values"]


@dataclass(frozen=True)
class Reference:
    """Values that point at documents of a collection.

    Attributes:
        collection: Whose documents hold them.
        path: Where.
        forms: How they point → how many do.
        to: What they point at; of several the one that is hit most.
        several: All that are hit, where one field points at several collections → how many values do.
        values: All that are no null, no array, and no document but a DBRef or a compound key.
        null: Nulls.
        hits: Values that are found.
        wrong: Other collections in which some are found as well → how many.
        examples: Some that are not found, as Extended JSON.
        cardinality: Seen from the holder.
        distinct: Different values; an estimate where they are many.
        other_side: (collection, path) of the reference that says the same from the other side.
        sampled: What it points at was read in part only: `hits` is the least there are, and what is not found may be in
            the part that was not read.
        repeated: How many values of `to` stand there more than once, so that a value may mean two documents; None where
            there were too many to count.
        doubt: Why what is found may be found by chance: only `numbers` that are counted from one on are equal, or it is
            plain `values` of which some are nowhere; and no name speaks for it. Empty where neither is so.
        false_positives: Chance that a value that is nowhere counts as a hit, because ids no longer fitted exactly;
            `hits` is without those to be expected.
        pairs: The lowest hashes of the pairs of documents that the values join, those in `wrong` included; not kept.
        pairs_distinct: How many pairs there are; not kept.
        pairs_meant: How many there are without those in `wrong`; not kept.
    """

    collection: str
    path: Path
    forms: dict[Form, int]
    to: Key
    values: int
    hits: int
    null: int = 0
    several: dict[str, int] = field(default_factory=dict[str, int])
    wrong: dict[str, int] = field(default_factory=dict[str, int])
    examples: tuple[str, ...] = ()
    cardinality: Cardinality = "many-to-one"
    distinct: int = 0
    other_side: tuple[str, Path] | None = None
    sampled: bool = False
    repeated: int | None = 0
    doubt: Doubt = ""
    false_positives: float = 0.0
    pairs: tuple[int, ...] = field(default=(), repr=False)
    pairs_distinct: int = field(default=0, repr=False)
    pairs_meant: float = field(default=0.0, repr=False)

    @property
    def orphans(self) -> int:
        """Values that lead nowhere; the most there may be where `sampled`."""
        return self.values - self.hits

    @property
    def hit_rate(self) -> float:
        """Share of the values that are found, the least there may be where `sampled`; 1 where there are none."""
        return self.hits / self.values if self.values else 1.0

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values; what `pairs` told is `other_side`."""
        return {
            "collection": self.collection,
            "path": list(self.path),
            "forms": self.forms,
            "to": {"collection": self.to.collection, "path": list(self.to.path), "unique_by": self.to.unique_by},
            "several": self.several,
            "values": self.values,
            "null": self.null,
            "hits": self.hits,
            "wrong": self.wrong,
            "examples": list(self.examples),
            "cardinality": self.cardinality,
            "distinct": self.distinct,
            "other_side": None if self.other_side is None else [self.other_side[0], list(self.other_side[1])],
            "sampled": self.sampled,
            "repeated": self.repeated,
            "doubt": self.doubt,
            "false_positives": self.false_positives,
        }


def read_reference(found: dict[str, Any]) -> Reference:
    """Read a reference that was written as JSON.

    Raises:
        KeyError, TypeError, ValueError: It is none.
    """
    to, other = found["to"], found["other_side"]
    return Reference(
        collection=found["collection"],
        path=tuple(found["path"]),
        forms=found["forms"],
        to=Key(to["collection"], tuple(to["path"]), to["unique_by"]),
        values=found["values"],
        hits=found["hits"],
        null=found["null"],
        several=found["several"],
        wrong=found["wrong"],
        examples=tuple(found["examples"]),
        cardinality=found["cardinality"],
        distinct=found["distinct"],
        other_side=None if other is None else (other[0], tuple(other[1])),
        sampled=found["sampled"],
        repeated=found["repeated"],
        doubt=found["doubt"],
        false_positives=found["false_positives"],
    )
