"""The indexes that `ensure` needs, and whether a collection has them. Pure.

One is unique, on the reference, and leaves unclaimed documents out: two documents cannot hold one key. The other is on
the e-mail, with the collation in which it is looked for: without it each sign-in of somebody who has no document would
read the whole collection.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any, cast
from uuid import UUID

from isthmus.errors import Problem, Where
from isthmus.polyglot.ensure.belonging import Belonging
from isthmus.polyglot.ensure.filters import collation_of

_LEAST: dict[type, tuple[str, Any]] = {str: ("$gt", ""), UUID: ("$gte", b""), int: ("$gte", -inf)}
"""Below every key of a type; MongoDB compares values of one kind only."""
_TYPES: dict[type, frozenset[Any]] = {
    str: frozenset({"string", 2}),
    UUID: frozenset({"binData", 5}),
    int: frozenset({"number"}),
}
_EXACT = {"locale": "simple"}
_OF_COLLATION = {
    "caseLevel": False,
    "alternate": "non-ignorable",
    "normalization": False,
    "backwards": False,
    "numericOrdering": False,
}
"""What else a collation says, as it is unless it is said."""


@dataclass(frozen=True)
class Index:
    """An index that is needed.

    Attributes:
        path: The field.
        name: What it is called when it is made here.
        words: What it is for people.
        options: What it is made with.
    """

    path: str
    name: str
    words: str
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])


def needed_indexes(belonging: Belonging, by_email: bool = True) -> list[Index]:
    """Return the indexes that are needed.

    Args:
        belonging: Which document belongs to a row.
        by_email: Whether documents are claimed as well.
    """
    sign, least = _LEAST[belonging.form.type]
    filtered = {belonging.reference: {sign: least}}
    unique = {"unique": True, "partialFilterExpression": filtered}
    found = [
        Index(
            belonging.reference,
            _named(belonging.reference),
            f"a unique index on {belonging.reference} that leaves unclaimed documents out",
            unique,
        )
    ]
    if by_email and belonging.email is not None:
        collation = collation_of(belonging)
        how = "" if collation is None else " whose collation is of the locale en and the strength 2"
        options = {} if collation is None else {"collation": collation}
        found.append(Index(belonging.email, _named(belonging.email), f"an index on {belonging.email}{how}", options))
    return found


def missing_indexes(belonging: Belonging, by_email: bool, there: Sequence[Mapping[str, Any]]) -> list[Index]:
    """Return the indexes that are needed and not there.

    Args:
        belonging: Which document belongs to a row.
        by_email: Whether documents are claimed as well.
        there: The indexes of the collection, as the server lists them.
    """
    return [one for one in needed_indexes(belonging, by_email) if not any(_serves(belonging, one, it) for it in there)]


def judge_indexes(
    belonging: Belonging, by_email: bool, there: Sequence[Mapping[str, Any]], collection: str
) -> tuple[Problem, ...]:
    """Return what is missing, as findings. Arguments as of `missing_indexes`."""
    return tuple(
        Problem(
            "ensure-no-index",
            f"There is no index that keeps documents of {collection} one to a row: it takes {one.words}."
            if "unique" in one.options
            else f"There is no index that finds an e-mail in {collection}: it takes {one.words}.",
            Where(collection=collection, path=one.path),
            "Call ensure_indexes once, before the application starts.",
        )
        for one in missing_indexes(belonging, by_email, there)
    )


def _named(path: str) -> str:
    return f"isthmus_ensure_{path}"


def _serves(belonging: Belonging, needed: Index, there: Mapping[str, Any]) -> bool:
    keys: Mapping[str, Any] = there.get("key", {})
    if not keys or next(iter(keys)) != needed.path or keys[needed.path] not in {1, -1}:
        return False
    if "unique" in needed.options:
        return (
            len(keys) == 1
            and bool(there.get("unique"))
            and "collation" not in there
            and _covers(belonging, there.get("partialFilterExpression"))
        )
    if there.get("hidden") or "partialFilterExpression" in there:
        return False
    return _same_collation(needed.options.get("collation"), there.get("collation"))


def _covers(belonging: Belonging, filtered: Mapping[str, Any] | None) -> bool:
    """Tell whether a filter of an index leaves no key out."""
    if filtered is None:
        return True
    if set(filtered) != {belonging.reference}:
        return False
    condition = filtered[belonging.reference]
    if not isinstance(condition, Mapping) or len(cast("Mapping[str, Any]", condition)) != 1:
        return False
    ((sign, value),) = cast("Mapping[str, Any]", condition).items()
    kind = belonging.form.type
    if sign == "$type":
        return not _TYPES[kind].isdisjoint(cast("list[Any]", value) if isinstance(value, list) else [value])
    return (sign, value) in {("$exists", True), _LEAST[kind], ("$gte", _LEAST[kind][1])}


def _same_collation(wanted: Any, there: Mapping[str, Any] | None) -> bool:
    if wanted is None or there is None:
        return wanted is None and (there is None or dict(there) == _EXACT)
    document = wanted.document
    if any(there.get(name) != document[name] for name in document):
        return False
    return all(there.get(name, usual) == usual for name, usual in _OF_COLLATION.items())
