"""A collection's profile as data: what was met at each path, counted by the core.

`Profiler.result` of `isthmus._rust` is where it comes from; its JSON is read here and nowhere else. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

ELEMENT = "[]"
"""What an array's elements stand under in a path."""

ANY_KEY = "*"
"""What the keys of a document stand under in a path that are data, not names."""

Path = tuple[str, ...]
Kind = Literal["s", "i", "d", "b", "o"]
Value = tuple[Kind, str | int | float | bool]
"""A distinct value: text, integer, double, boolean, or an ObjectId's 24 hexadecimal digits."""

SCALARS = frozenset(
    {
        "double",
        "string",
        "binData",
        "objectId",
        "bool",
        "date",
        "regex",
        "javascript",
        "symbol",
        "int",
        "timestamp",
        "long",
        "decimal",
    }
)
"""MongoDB's names of the types that hold one value."""


@dataclass(frozen=True)
class Texts:
    """What strings at a path look like; each count is of strings.

    Attributes:
        length: Fewest and most characters.
        bytes_max: Most bytes of UTF-8.
        hex24: 24 hexadecimal digits, as an ObjectId is printed.
        date: An ISO 8601 date, with or without a time.
        number: A decimal number.
        zero_led: One of these with a leading zero or `+`, which a number would lose: a postal code, a telephone number.
        padded: A space at an end.
        lines: A line break inside.
    """

    length: tuple[int, int] = (0, 0)
    bytes_max: int = 0
    hex24: int = 0
    uuid: int = 0
    email: int = 0
    url: int = 0
    date: int = 0
    number: int = 0
    zero_led: int = 0
    empty: int = 0
    padded: int = 0
    nul: int = 0
    invalid_utf8: int = 0
    lines: int = 0
    html: int = 0


@dataclass(frozen=True)
class Integers:
    """What 32- and 64-bit integers at a path span."""

    range: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Doubles:
    """What doubles at a path span; `range` is of finite ones.

    Attributes:
        whole: How many are integers that a double holds exactly.
        fraction_digits: Most digits behind the point in the shortest form that reads back the same.
    """

    range: tuple[float, float] | None = None
    nan: int = 0
    infinite: int = 0
    whole: int = 0
    fraction_digits: int = 0


@dataclass(frozen=True)
class Decimals:
    """What Decimal128 values at a path span; `range` as they are printed, of finite ones."""

    range: tuple[str, str] | None = None
    digits_before: int = 0
    digits_after: int = 0
    nan: int = 0
    infinite: int = 0


@dataclass(frozen=True)
class Dates:
    """What dates at a path span, in milliseconds since 1970; `out_of_range` is what PostgreSQL's timestamp refuses."""

    range: tuple[int, int] = (0, 0)
    out_of_range: int = 0
    midnight: int = 0


@dataclass(frozen=True)
class Arrays:
    """What arrays at a path are like.

    Attributes:
        length: Fewest and most elements.
        total: Elements of all together.
        nested: Arrays that hold an array.
        mixed: Arrays whose elements are of several kinds among scalar, document and array.
    """

    length: tuple[int, int] = (0, 0)
    total: int = 0
    empty: int = 0
    nested: int = 0
    mixed: int = 0


@dataclass(frozen=True)
class Documents:
    """What embedded documents at a path are like.

    Attributes:
        keys: Fewest and most keys.
        dbref: `{$ref, $id}`, with or without `$db`.
        extended: Documents with a key that begins with `$`.
    """

    keys: tuple[int, int] = (0, 0)
    empty: int = 0
    dbref: int = 0
    extended: int = 0


@dataclass(frozen=True)
class Binaries:
    """What binary values at a path are like; `subtypes` by their number."""

    length: tuple[int, int] = (0, 0)
    subtypes: dict[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True)
class Collapsed:
    """Keys of a document that are data: more than are followed, or all alike.

    Attributes:
        keys: How many different ones at least.
        look: `hex24`, `uuid`, `number`, `date` or `mixed`.
        node: What stands under all of them together.
    """

    keys: int
    examples: tuple[str, ...]
    look: str
    node: Node


@dataclass(frozen=True)
class Node:
    """What was met at one path.

    Attributes:
        present: Values.
        parents: Documents (of elements: arrays) in which a value could stand here.
        holders: Of those, how many have one, null or not.
        types: MongoDB's name of the type → values.
        values: Distinct values with how often each was met, rarest last; None where they are too many, or not all of
            a kind that is kept.
        distinct: How many different values there are; an estimate where `sketch` is full.
        sketch: The smallest hashes of the values, ascending: of two paths, those tell how many values they share.
        duplicate_keys: Documents in which the key stands more than once.
        fields: Key → what stands there, in the order in which the keys were met first.
        elements: Of arrays.
        collapsed: Instead of `fields`.
        unlisted: Values under further keys that are not followed.
    """

    present: int = 0
    parents: int = 0
    holders: int = 0
    types: dict[str, int] = field(default_factory=dict[str, int])
    texts: Texts | None = None
    integers: Integers | None = None
    doubles: Doubles | None = None
    decimals: Decimals | None = None
    dates: Dates | None = None
    arrays: Arrays | None = None
    documents: Documents | None = None
    binaries: Binaries | None = None
    values: tuple[tuple[Value, int], ...] | None = None
    distinct: int = 0
    sketch: tuple[int, ...] = ()
    duplicate_keys: int = 0
    fields: dict[str, Node] = field(default_factory=dict[str, "Node"])
    elements: Node | None = None
    collapsed: Collapsed | None = None
    unlisted: int = 0

    @property
    def missing(self) -> int:
        """Documents without the key."""
        return self.parents - self.holders

    @property
    def null(self) -> int:
        """Values that are null (or undefined, which is read as null)."""
        return self.types.get("null", 0) + self.types.get("undefined", 0)

    @property
    def filled(self) -> int:
        """Values that are neither null nor undefined."""
        return self.present - self.null

    @cached_property
    def kinds(self) -> dict[str, int]:
        """The types but null, the most frequent first."""
        found = {name: count for name, count in self.types.items() if name not in {"null", "undefined"}}
        return dict(sorted(found.items(), key=lambda one: (-one[1], one[0])))

    @property
    def scalars(self) -> int:
        """Values that are neither null nor made of others."""
        return sum(count for name, count in self.types.items() if name in SCALARS)


@dataclass(frozen=True)
class Profile:
    """What a collection holds.

    Attributes:
        documents: How many were read.
        broken: Those that are malformed or nest too deep, and are not counted otherwise, by code.
        bytes: Bytes of BSON of all together.
        sizes: Bytes of the smallest and of the largest document.
        root: The documents themselves.
        odd_keys: What is odd about keys (`dot`, `dollar`, `empty`, `long`, `nul`, `invalid_utf8`, `duplicate`) →
            (path, how often), the most frequent first; not all paths where there are many.
        refused: What PostgreSQL cannot hold (`nul`, `nan`, `out_of_range`, `invalid_utf8`, `decimal_special`) → values.
        path_limit: Whether there are more paths than are followed.
    """

    documents: int
    broken: dict[str, int]
    bytes: int
    sizes: tuple[int, int]
    root: Node
    odd_keys: dict[str, tuple[tuple[str, int], ...]]
    refused: dict[str, int]
    path_limit: bool

    def walk(self) -> Iterator[tuple[Path, Node]]:
        """Yield every path but the root with what stands there, parents first."""
        return _walk(self.root, ())


def _walk(node: Node, path: Path) -> Iterator[tuple[Path, Node]]:
    children = list(node.fields.items())
    if node.collapsed is not None:
        children.append((ANY_KEY, node.collapsed.node))
    if node.elements is not None:
        children.append((ELEMENT, node.elements))
    for key, child in children:
        yield (*path, key), child
        yield from _walk(child, (*path, key))


def read_profile(text: str) -> Profile:
    """Read what the core says of a collection."""
    found: dict[str, Any] = json.loads(text)
    sizes = found.get("sizes", {})
    return Profile(
        documents=found.get("documents", 0),
        broken=found.get("broken", {}),
        bytes=found.get("bytes", 0),
        sizes=(sizes.get("min", 0), sizes.get("max", 0)),
        root=_node(found["root"]),
        odd_keys={what: tuple((p, n) for p, n in paths) for what, paths in found.get("odd_keys", {}).items()},
        refused=found.get("refused", {}),
        path_limit=found.get("path_limit", False),
    )


_PARTS = {
    "string": ("texts", Texts),
    "integer": ("integers", Integers),
    "double": ("doubles", Doubles),
    "decimal": ("decimals", Decimals),
    "date": ("dates", Dates),
    "array": ("arrays", Arrays),
    "document": ("documents", Documents),
    "binary": ("binaries", Binaries),
}


def _node(found: dict[str, Any]) -> Node:
    parts: dict[str, Any] = {}
    for name, (attribute, shape) in _PARTS.items():
        if name in found:
            parts[attribute] = shape(**{key: _plain(value) for key, value in found[name].items()})
    collapsed = found.get("collapsed")
    if collapsed is not None:
        parts["collapsed"] = Collapsed(
            collapsed["keys"], tuple(collapsed["examples"]), collapsed["look"], _node(collapsed["node"])
        )
    if "values" in found:
        parts["values"] = tuple((_value(value), count) for value, count in found["values"])
    return Node(
        present=found.get("present", 0),
        parents=found.get("parents", 0),
        holders=found.get("with", 0),
        types=found.get("types", {}),
        distinct=found.get("distinct", 0),
        sketch=tuple(int(one, 16) for one in found.get("sketch", ())),
        duplicate_keys=found.get("duplicate_keys", 0),
        fields={key: _node(child) for key, child in found.get("fields", {}).items()},
        elements=_node(found["elements"]) if "elements" in found else None,
        unlisted=found.get("unlisted", 0),
        **parts,
    )


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value  # pyright: ignore[reportUnknownArgumentType,reportUnknownVariableType]


def _value(found: dict[str, Any]) -> Value:
    ((kind, value),) = found.items()
    return kind, value  # pyright: ignore[reportReturnType]  the core writes no other kinds
