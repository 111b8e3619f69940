"""Documents as trees before they are bytes: keys may be any bytes and stand twice, values may be any raw BSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias, cast

from bson import Binary, DBRef, Decimal128, Int64, ObjectId

from tests.generators import bson_writer as bw
from tests.generators.bson_writer import Value

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Document:
    """A (sub-)document, its elements in order."""

    elements: tuple[tuple[bytes, Node], ...]


@dataclass(frozen=True, slots=True)
class Array:
    """An array."""

    items: tuple[Node, ...]


Node: TypeAlias = "Value | Document | Array"
"""A value: a tree, or the raw bytes of a scalar."""


def node(plain: Any) -> Node:
    """Turn a plain Python or bson value into a tree; trees and raw values stay as they are."""
    match plain:
        case Value() | Document() | Array():
            return plain
        case None:
            return bw.null()
        case bool():
            return bw.boolean(true=plain)
        case int():
            return (
                bw.int32(plain) if -(1 << 31) <= plain < 1 << 31 and not isinstance(plain, Int64) else bw.int64(plain)
            )
        case float():
            return bw.double(plain)
        case str():
            return bw.string(plain)
        case Binary():
            return bw.binary(plain.subtype, bytes(plain))
        case ObjectId():
            return bw.object_id(plain.binary)
        case Decimal128():
            return Value(0x13, plain.bid)
        case datetime():
            return bw.datetime_ms((plain - EPOCH) // timedelta(milliseconds=1))
        case DBRef():
            return document(plain.as_doc())
        case Mapping():
            return document(cast("Mapping[str, Any]", plain))
        case list() | tuple():
            return Array(tuple(map(node, cast("Iterable[Any]", plain))))
        case _:
            raise TypeError(f"no BSON for {type(plain).__name__}")


def document(elements: Mapping[str, Any] | Iterable[tuple[str | bytes, Any]]) -> Document:
    """Make a (sub-)document of plain values, trees and raw values."""
    pairs = cast("Mapping[str, Any]", elements).items() if isinstance(elements, Mapping) else elements
    return Document(tuple((key.encode() if isinstance(key, str) else key, node(value)) for key, value in pairs))


def encode(tree: Document) -> bytes:
    """Return the BSON of a whole document."""
    return _value(tree).raw


def _value(tree: Node) -> Value:
    match tree:
        case Document():
            return bw.document((key, _value(one)) for key, one in tree.elements)
        case Array():
            return bw.array([_value(one) for one in tree.items])
        case Value():
            return tree
