"""MongoDB's order of values, as far as an `_id` may need it: which of several documents has the lowest.

Written from "Comparison/Sort Order" of MongoDB's manual: types come in classes, a class holds all numbers, texts and
symbols are one class; inside a class the values are compared.

Blind spots: a server sorts texts by a collation where a collection has one; values that are equal to it (5 and 5.0) are
equal here too, and who asks decides between them.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from isthmus.verify.reference import bson
from isthmus.verify.reference.bson import Document, Value

CLASSES = (
    (bson.MIN_KEY,),
    (bson.UNDEFINED,),
    (bson.NULL,),
    bson.NUMBERS,
    (bson.STRING, bson.SYMBOL),
    (bson.DOCUMENT,),
    (bson.ARRAY,),
    (bson.BINARY,),
    (bson.OBJECT_ID,),
    (bson.BOOL,),
    (bson.DATETIME,),
    (bson.TIMESTAMP,),
    (bson.REGEX,),
    (bson.DB_POINTER,),
    (bson.CODE,),
    (bson.CODE_WITH_SCOPE,),
    (bson.MAX_KEY,),
)
"""Type bytes, the lowest class first."""

RANKS = {kind: rank for rank, kinds in enumerate(CLASSES) for kind in kinds}

Sortable = tuple[Any, ...]


def order_of(value: Value) -> Sortable:
    """What sorts as MongoDB sorts the value."""
    return (RANKS[value.type], *_within(value))


def _within(value: Value) -> Sortable:
    data: Any = value.data
    if value.type in bson.NUMBERS:
        return _number(value)
    if value.type == bson.DOCUMENT:
        return _document(data)
    if value.type == bson.ARRAY:
        return tuple(order_of(element) for element in data)
    if value.type == bson.BINARY:
        # By the stored length, then the subtype, then the bytes.
        return (len(value.raw), value.raw[4], value.raw[5:])
    if value.type == bson.CODE_WITH_SCOPE:
        return (data[0], _document(data[1]))
    if isinstance(data, tuple):
        return data  # pyright: ignore[reportUnknownVariableType]  two plain parts, the first counting first
    return () if data is None else (data,)


def _document(elements: Document) -> Sortable:
    """Element by element: the class of the value, then the key, then the value; what ends first is lower."""
    return tuple((RANKS[value.type], key, order_of(value)) for key, value in elements)


def _number(value: Value) -> Sortable:
    """Exactly, whatever the types; NaN is below all other numbers."""
    data: Any = value.data
    if value.type == bson.DECIMAL128:
        if data.kind != "finite":
            return (0,) if data.kind == "nan" else (1 if data.sign else 3,)
        return (2, (-1 if data.sign else 1) * data.coefficient * Fraction(10) ** data.exponent)
    if isinstance(data, float) and not math.isfinite(data):
        return (0,) if math.isnan(data) else (1 if data < 0 else 3,)
    return (2, Fraction(data))
