"""How random values are drawn: a plan for each field, drawn once, then asked for a value for each document."""

from __future__ import annotations

import random
import string
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from bson import Binary, Decimal128, Int64

from tests.generators import bson_writer as bw
from tests.generators.bson_writer import Value
from tests.planted.nodes import Array, Document, Node, document, node
from tests.planted.planter import PlantedDistractor, PlantedReference, canonical, object_id

DAY = 86_400_000
LETTERS = string.ascii_lowercase + "äßžøщ李😀 '\"\\\n"


class Plan(Protocol):
    """Draws values of one place."""

    def draw(self, chance: random.Random, holder: Any, /) -> Node:
        """Draw a value for the document with the `_id` `holder`."""
        ...


@dataclass(frozen=True)
class Scalar:
    """Values of one kind, each drawn anew."""

    make: Callable[[random.Random], Any]

    def draw(self, chance: random.Random, _holder: Any) -> Node:
        """Draw a value."""
        return node(self.make(chance))


@dataclass(frozen=True)
class Enum:
    """One of few values, the first most often."""

    values: Sequence[Any]

    def draw(self, chance: random.Random, _holder: Any) -> Node:
        """Draw a value."""
        return node(self.values[min(chance.randrange(len(self.values)), chance.randrange(len(self.values)))])


@dataclass(frozen=True)
class Mixed:
    """One of several plans, with weights."""

    plans: Sequence[tuple[float, Plan]]

    def draw(self, chance: random.Random, holder: Any) -> Node:
        """Draw a value."""
        chosen = chance.choices([plan for _, plan in self.plans], [weight for weight, _ in self.plans])[0]
        return chosen.draw(chance, holder)


@dataclass(frozen=True)
class Field:
    """A field of a document.

    Attributes:
        missing: Share of documents without it.
        null: Share of documents where it is null.
        twice: Share of documents where it stands twice.
    """

    key: bytes
    plan: Plan
    missing: float = 0.0
    null: float = 0.0
    twice: float = 0.0

    def draw(self, chance: random.Random, holder: Any) -> list[tuple[bytes, Node]]:
        """Draw its elements: none, one, or two of which the last counts."""
        if chance.random() < self.missing:
            return []
        value = bw.null() if chance.random() < self.null else self.plan.draw(chance, holder)
        # What comes first and is hidden must hold no reference.
        hidden = [(self.key, bw.string("hidden"))] if chance.random() < self.twice else []
        return [*hidden, (self.key, value)]


@dataclass(frozen=True)
class SubDocument:
    """A document of fields."""

    fields: Sequence[Field]

    def draw(self, chance: random.Random, holder: Any) -> Document:
        """Draw a document."""
        return Document(tuple(element for field in self.fields for element in field.draw(chance, holder)))


@dataclass(frozen=True)
class Items:
    """An array of up to `most` values of one plan."""

    plan: Plan
    most: int = 4

    def draw(self, chance: random.Random, holder: Any) -> Node:
        """Draw an array."""
        return Array(tuple(self.plan.draw(chance, holder) for _ in range(chance.randint(0, self.most))))


@dataclass(frozen=True)
class KeyedByData:
    """A map: a document whose keys are data."""

    key: Callable[[random.Random], str]
    plan: Plan

    def draw(self, chance: random.Random, holder: Any) -> Node:
        """Draw a map of up to five keys."""
        keys = sorted({self.key(chance) for _ in range(chance.randint(0, 5))})
        return document((key, self.plan.draw(chance, holder)) for key in keys)


@dataclass(frozen=True)
class Named:
    """A reference."""

    reference: PlantedReference

    def draw(self, _chance: random.Random, holder: Any) -> Node:
        """Draw a value that names a document."""
        return node(self.reference.value(holder))


@dataclass(frozen=True)
class NamedByKind:
    """A document of two fields: a kind, and a reference into the collection of this kind."""

    references: dict[str, PlantedReference]

    def draw(self, chance: random.Random, holder: Any) -> Node:
        """Draw a document."""
        kind = chance.choice(list(self.references))
        return document({"kind": kind, "ref": self.references[kind].value(holder)})


@dataclass(frozen=True)
class Distracting:
    """Values that only look like references."""

    distractor: PlantedDistractor
    make: Callable[[random.Random], Any]

    def draw(self, chance: random.Random, _holder: Any) -> Node:
        """Draw a value."""
        return node(self.distractor.value(self.make(chance)))


@dataclass(frozen=True)
class ByHolder:
    """A value for each document, by its `_id`."""

    values: dict[Hashable, Any]

    def draw(self, _chance: random.Random, holder: Any) -> Node:
        """Return the document's value."""
        return node(self.values[canonical(holder)])


@dataclass(frozen=True)
class Side:
    """One side of a relation: what it says of a document."""

    of: Callable[[Any], list[Any]]

    def draw(self, _chance: random.Random, holder: Any) -> Node:
        """Return the document's array."""
        return node(self.of(holder))


@dataclass(frozen=True)
class Deep:
    """Documents and arrays in one another, up to sixty deep."""

    def draw(self, chance: random.Random, _holder: Any) -> Node:
        """Draw a value."""
        value: Node = bw.int32(-1)
        for level in reversed(range(chance.randint(5, 60))):
            value = Array((value,)) if level % 3 == 2 else document({"d": value})
        return value


def text(chance: random.Random) -> str:
    """Draw a short text."""
    return "".join(chance.choices(LETTERS, k=chance.randint(0, 12)))


def date(chance: random.Random) -> Value:
    """Draw a moment of the years 1938 to 2033."""
    return bw.datetime_ms(chance.randint(-(10**12), 2 * 10**12))


def decimal(chance: random.Random) -> Decimal128:
    """Draw a price, now and then with zeros at its end."""
    return Decimal128(f"{chance.randint(-999, 10**6)}.{chance.choice(['00', '5', '250', '99'])}")


ORDINARY: list[Callable[[random.Random], Any]] = [
    text,
    text,
    lambda chance: chance.randint(-(10**6), 10**6),
    lambda chance: Int64(chance.randint(-(1 << 63), (1 << 63) - 1)),
    lambda chance: chance.uniform(-1e6, 1e6),
    lambda chance: chance.random() < 0.5,
    date,
    decimal,
    lambda chance: Binary(chance.randbytes(16), 4),
    lambda chance: Binary(chance.randbytes(chance.randint(0, 9)), 0),
]
"""Values that PostgreSQL takes."""

REFUSED: list[Callable[[random.Random], Any]] = [
    lambda chance: f"a\0{text(chance)}",
    lambda chance: bw.string(b"caf\xe9 \xff" + chance.randbytes(2)),
    lambda chance: chance.choice([float("nan"), float("inf"), float("-inf")]),
    lambda chance: chance.choice([Decimal128("NaN"), Decimal128("Infinity"), Decimal128("-Infinity")]),
    lambda chance: bw.datetime_ms(chance.choice([1 << 60, -(1 << 60), (1 << 63) - 1, -(1 << 63)])),
    lambda chance: bw.datetime_ms(chance.choice([9_224_318_016_000_000, -210_866_803_200_001])),
]
"""Values that it refuses, in all columns or in jsonb."""

UNUSUAL: list[Callable[[random.Random], Any]] = [
    lambda chance: bw.datetime_ms(chance.choice([253_402_300_800_000, -62_135_596_800_001, -210_866_803_200_000])),
    lambda chance: bw.datetime_ms(9_224_318_016_000_000 - chance.randint(1, DAY)),
    lambda chance: chance.choice([Decimal128("-0"), Decimal128("1E+6111"), Decimal128("1E-6176"), Decimal128("5E+3")]),
    lambda chance: chance.choice([-0.0, 5e-324, 1.7976931348623157e308]),
    lambda _: bw.undefined(),
    lambda chance: chance.choice([bw.min_key(), bw.max_key()]),
    lambda chance: bw.regex("^a.*b$", chance.choice(["", "i"])),
    lambda chance: bw.timestamp(chance.getrandbits(32), chance.getrandbits(32)),
    lambda _: bw.code("function () { return 1 }"),
    lambda chance: bw.code_with_scope("x", bw.document([("x", bw.int32(chance.randint(0, 9)))])),
    lambda _: bw.symbol("sign"),
    lambda chance: bw.db_pointer("shop.users", chance.randbytes(12)),
    lambda chance: Binary(chance.randbytes(16), 3),
]
"""Rare types and edges that a careful reader can carry."""

DATA_KEYS: dict[str, Callable[[random.Random], str]] = {
    "object-id": lambda chance: str(object_id(chance)),
    "day": lambda chance: f"20{chance.randint(10, 24)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}",
    "number": lambda chance: str(chance.randint(1, 10**6)),
    "email": lambda chance: f"user{chance.randint(1, 10**6)}@example.com",
}
"""Keys that are data."""

ODD_KEYS: list[bytes] = [
    b"a.b",
    b".",
    b"$set",
    b"$",
    b"",
    b"with space",
    b'quo"te',
    "größe".encode(),
    b"n" * 64,
    ("ä" * 40).encode(),
    b"caf\xe9",
    b"select",
    b"_id",
    b"0",
]
"""Keys that cannot simply be a column's name; `_id` stands in sub-documents only."""
