"""One update of one document that happens only if every value it replaces still stands where it was read. Pure.

The condition is of the value at the concrete path and of nothing else. A bare query would not do: `{"a": value}` also
takes an array that holds the value, and `{"a.3": value}` also a field called 3 of any element. So the kind of all that
is on the way is part of the condition. Where elements of an array are arrays themselves, a query cannot tell such a
field from a position; then, and when the first try did not match, the condition is an expression that can. That is not
the rule, because not every server looks a document with an expression up by its `_id`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from bson.raw_bson import RawBSONDocument
from pymongo import UpdateOne

from isthmus.polyglot.mark import RevisionEnd
from isthmus.polyglot.sites import Place
from isthmus.sources.live.positions import equals

SIMPLE = {"locale": "simple"}
"""The collation that tells every text from every other one."""

MOST_VALUES = 500
"""Most values that one update replaces: a document with more is read again for the others."""

_ARRAY = {"$type": "array"}


@dataclass(frozen=True)
class Replacement:
    """A value that is replaced: where it stands, what stands there, what is to stand there."""

    place: Place
    there: object
    becomes: object


@dataclass(frozen=True)
class Change:
    """What is done to one document, all of it or nothing.

    Attributes:
        source_id: `{"_id": value}` as BSON.
        replacements: The values; at least one.
        ends: What makes those conflict who read the document before, through a store.
        tried: Whether an update of the document did not match before.
    """

    source_id: bytes
    replacements: tuple[Replacement, ...]
    ends: RevisionEnd
    tried: bool = False


def as_update(change: Change, *, collated: bool) -> UpdateOne:
    """Return the update of a change.

    Args:
        change: The change; no key in it is empty, holds a dot or begins with a dollar sign.
        collated: Whether the collection has a collation of its own, by which other texts might be taken for equal.
    """
    expressed = change.tried or any(_has_array_in_array(one.place) for one in change.replacements)
    same = _expressed(change.replacements) if expressed else _queried(change.replacements)
    fields = {_path(one.place): one.becomes for one in change.replacements} | change.ends.fields
    wanted = {"_id": by_id(change.source_id), **same, **change.ends.condition}
    return UpdateOne(wanted, {"$set": fields}, collation=SIMPLE if collated else None)


def by_id(source_id: bytes) -> Any:
    """Return what a query compares `_id` with to find this document alone, whatever type it has."""
    return RawBSONDocument(equals(source_id))["_id"]


def _has_array_in_array(place: Place) -> bool:
    return any(isinstance(one, int) and isinstance(other, int) for one, other in pairwise(place))


def _path(place: Place) -> str:
    return ".".join(map(str, place))


def _queried(replacements: Sequence[Replacement]) -> dict[str, Any]:
    """Return conditions that together say what stands at the places, by path: one, and none that is an operator.

    Servers differ in which queries they answer by the index of `_id`; all do these.
    """
    conditions: dict[str, dict[str, Any]] = {}
    positions: dict[str, dict[int, bool]] = {}
    for one in replacements:
        for length in range(1, len(one.place)):
            above, step = _path(one.place[:length]), one.place[length]
            if isinstance(step, int):
                positions.setdefault(above, {})[step] = length + 1 < len(one.place)
            else:
                conditions.setdefault(above, {})["$not"] = _ARRAY
        conditions.setdefault(_path(one.place), {}).update({"$eq": one.there, "$not": _ARRAY})
    for above, steps in positions.items():
        conditions[above] = {**_ARRAY, "$not": {"$elemMatch": _taken_for_positions(steps)}}
    return dict(conditions)


def _taken_for_positions(steps: dict[int, bool]) -> dict[str, Any]:
    """Return a condition of elements in which a query would find a field where a position is meant.

    Args:
        steps: Position → whether the path goes on below it.
    """
    if not any(steps.values()):
        return {"$type": ["object", "array"]}  # there are none but single values
    fields = [{str(step): {"$exists": True}} for step in steps]
    return fields[0] if len(fields) == 1 else {"$or": fields}


def _expressed(replacements: Sequence[Replacement]) -> dict[str, Any]:
    return {"$expr": {"$and": [{"$eq": [value_at(one.place), {"$literal": one.there}]} for one in replacements]}}


def value_at(place: Place) -> Any:
    """Return the aggregation expression of what stands at a concrete path; null where the document has no such path.

    A key leads through an array to an array, which is equal to no value here, for values are no arrays.
    """
    expression: Any = None
    keys: list[str] = []
    for step in place:
        if isinstance(step, str):
            keys.append(step)
            continue
        array, keys = _below(expression, keys), []
        element = {"$cond": [{"$isArray": ["$$there"]}, {"$arrayElemAt": ["$$there", step]}, None]}
        expression = {"$let": {"vars": {"there": array}, "in": element}}
    return _below(expression, keys)


def _below(expression: Any, keys: Sequence[str]) -> Any:
    if expression is None:
        return f"${'.'.join(keys)}"
    if not keys:
        return expression
    return {"$let": {"vars": {"it": expression}, "in": f"$$it.{'.'.join(keys)}"}}
