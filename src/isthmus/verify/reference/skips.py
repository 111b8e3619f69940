"""Conditions on a document: whether an entry takes it, and whether it is left out.

A condition looks at one path of keys; it does not look into arrays. Values are equal when MongoDB would call them equal
as ids: 5, 5L, 5.0 and Decimal 5 are one number, a symbol equals its string. `missing`, `null` and `present` are three
different states; a missing value is equal to none of the given values. `before` and `not_before` compare dates with an
instant, or with the start of the run; what is no date is neither.
"""

from __future__ import annotations

from typing import Any

from isthmus.verify.reference import bson
from isthmus.verify.reference.bson import Document, Value
from isthmus.verify.reference.ids import canonical
from isthmus.verify.reference.literals import as_bson, moment_us
from isthmus.verify.reference.rules import Condition, Skip


def skipped(document: Document, skips: tuple[Skip, ...], now_us: int) -> str | None:
    """The first skip all of whose conditions hold: its `why`; None if none does."""
    for skip in skips:
        if all(holds(document, condition, now_us) for condition in skip.conditions):
            return skip.why
    return None


def holds(document: Document, condition: Condition, now_us: int) -> bool:
    """Whether one condition holds, in a run that began at `now_us` (µs since 1970)."""
    value = bson.value_at(document, condition.path)
    if condition.op == "missing":
        return value is None
    is_null = value is not None and value.type in (bson.NULL, bson.UNDEFINED)
    if condition.op == "null":
        return is_null
    if condition.op == "present":
        return value is not None and not is_null
    if condition.op in ("before", "not_before"):
        if value is None or value.type != bson.DATETIME:
            return False
        wanted = (moment_us(condition.values[0]) if condition.values else now_us) // 1000
        return (value.data < wanted) == (condition.op == "before")
    equal = value is not None and any(same(value, wanted) for wanted in condition.values)
    return equal if condition.op in ("eq", "in") else not equal


def same(value: Value, wanted: Any) -> bool:
    """Whether a stored value equals a value written in the mapping."""
    return canonical(value) == canonical(as_bson(wanted))
