"""Reading `expect`: what the values of a column should be."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, get_args

from pydantic import JsonValue

from isthmus.mapping.keys import EXPECT_KEYS
from isthmus.mapping.reading.literals import LiteralFault, column_literal
from isthmus.mapping.reading.nodes import MapNode, Node
from isthmus.mapping.reading.reader import Place, Reader
from isthmus.mapping.rules import Expect, Form
from isthmus.mapping.types import INSTANT_KINDS, INTEGER_RANGES, TEXT_KINDS, ColumnType

ORDERED_KINDS = frozenset({*INTEGER_RANGES, "real", "double", "numeric", *INSTANT_KINDS})
"""Kinds of column that `min` and `max` are for."""
_FORMS = get_args(Form)


def read_expect(reader: Reader, node: Node, place: Place, column_type: ColumnType) -> Expect:
    """Read `expect`, short form (a form of text) and long form.

    Args:
        reader: Takes the problems.
        node: What the author wrote.
        place: Of `expect`.
        column_type: Of the column, which is no reference.
    """
    if not isinstance(node, MapNode):
        found: dict[str, Node] = {"form": node}
        places = {"form": place}
    else:
        found = reader.keys(node, place, "`expect`", EXPECT_KEYS)
        places = {key: (*place, key) for key in found}
        if not found and not reader.is_broken(place):
            known = ", ".join(f"`{key}`" for key in EXPECT_KEYS)
            reader.report("bad-expect", place, "`expect` states nothing.", f"Write one of {known}, or remove it.")
    stated: dict[str, Any] = {}
    for key, value in found.items():
        at = places[key]
        if not _fits(reader, key, at, column_type):
            continue
        if key == "form":
            stated[key] = reader.choice(value, at, "`expect`", _FORMS, _FORMS[0])
        elif key in {"min", "max"}:
            stated[key] = _bound(reader, key, value, at, column_type)
        else:
            stated[key] = reader.text(value, at, f"`{key}`") or None
    low, high = (_number(stated.get(key)) for key in ("min", "max"))
    if low is not None and high is not None and low > high:
        reader.report("bad-expect", places["max"], "No value is both: `max` is less than `min`.", "Change one of them.")
    return Expect(**stated)


def _fits(reader: Reader, key: str, place: Place, column_type: ColumnType) -> bool:
    kind = column_type.kind
    if key in {"form", "pattern"}:
        good, those = kind in TEXT_KINDS, "texts (text, varchar and their arrays)"
    elif key in {"min", "max"}:
        good, those = kind in ORDERED_KINDS, "numbers, dates and instants, and arrays of them"
    else:
        good, those = kind in INSTANT_KINDS and not column_type.array, "one date or instant"
    if not good:
        message = f"`{key}` is for {those}, and this column is of type `{column_type}`."
        reader.report("expect-type", place, message, "Remove it, or change the type.")
    return good


def _bound(reader: Reader, key: str, node: Node, place: Place, column_type: ColumnType) -> JsonValue:
    try:
        bound = column_literal(node, column_type.element, ())
    except LiteralFault as fault:
        reader.report("bad-expect", place, f"`{key}` {fault.message}.", fault.hint)
        return None
    number = _number(bound)
    if number is None or not number.is_finite():
        hint = f"Remove `{key}`: without it there is no bound."
        reader.report("bad-expect", place, f"`{key}` must be a finite value.", hint)
        return None
    return bound


def _number(bound: JsonValue) -> Decimal | None:
    """What a bound is ordered by; None for no bound."""
    while isinstance(bound, dict):
        (bound,) = bound.values()
    return None if bound is None else Decimal(str(bound))
