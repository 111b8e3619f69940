"""Make the indexes that `ensure` needs, and tell what in the documents stands against them. Pure.

What is found is told all at once: references that several documents hold, with those documents.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from isthmus.errors import PolyglotError, Problem, Where
from isthmus.polyglot.ensure import filters
from isthmus.polyglot.ensure.asks import Asking, Call, Duplicate, Trouble, Wait
from isthmus.polyglot.ensure.belonging import Belonging
from isthmus.polyglot.ensure.indexes import judge_indexes, missing_indexes, needed_indexes
from isthmus.work.amounts import plural

_MOST_NAMED = 20
_SHOWN_CHARACTERS = 80


def making(belonging: Belonging, collection: str) -> Asking[list[str]]:
    """Make the indexes that are missing; return their names.

    Raises:
        PolyglotError: Several documents hold one reference (code `ensure-duplicate`); `problems` has each of them.
    """
    made: list[str] = []
    for one in missing_indexes(belonging, True, (yield from _told(Call("list_indexes")))):
        call = Call("create_index", ([(one.path, 1)],), {"name": one.name, **one.options})
        answer = yield from _told(call)
        if isinstance(answer, Duplicate):
            problems = yield from _duplicates(belonging, collection)
            raise PolyglotError(
                f"Several documents of {collection} hold one {belonging.reference}, so no index can keep it unique.",
                code="ensure-duplicate",
                where=Where(collection=collection, path=belonging.reference),
                hint="Decide which document it is, take the reference out of the others, then call it again.",
                problems=problems,
            )
        made.append(one.name)
    return made


def checking(belonging: Belonging, collection: str) -> Asking[tuple[Problem, ...]]:
    """Look whether all is as `ensure` needs it. Reads the collection; writes nothing."""
    there = yield from _told(Call("list_indexes"))
    problems = [*judge_indexes(belonging, True, there, collection)]
    problems += yield from _duplicates(belonging, collection)
    if belonging.email is not None:
        problems += yield from _hidden_emails(belonging, collection)
    return tuple(problems)


def _duplicates(belonging: Belonging, collection: str) -> Asking[tuple[Problem, ...]]:
    (unique, *_) = needed_indexes(belonging)
    steps: list[dict[str, Any]] = [
        {"$match": unique.options["partialFilterExpression"]},
        {
            "$group": {
                "_id": f"${belonging.reference}",
                "documents": {"$sum": 1},
                "first": {"$min": "$_id"},
                "last": {"$max": "$_id"},
            }
        },
        {"$match": {"documents": {"$gt": 1}}},
        {"$sort": {"_id": 1}},
        {"$limit": _MOST_NAMED + 1},
    ]
    found: list[Mapping[str, Any]] = yield from _told(Call("aggregate", (steps,), {"allowDiskUse": True}))
    problems = [
        Problem(
            "ensure-duplicate",
            f"{plural(one['documents'], 'document')} hold {_shown(one['_id'])}, among them {one['first']!r} and"
            f" {one['last']!r}.",
            Where(collection=collection, path=belonging.reference),
            "Decide which document it is, and take the reference out of the others.",
        )
        for one in found[:_MOST_NAMED]
    ]
    return (*problems, *_more(len(found), "ensure-duplicate", collection))


def _hidden_emails(belonging: Belonging, collection: str) -> Asking[tuple[Problem, ...]]:
    """Find unclaimed documents whose e-mail no look-up finds, for the white space around it."""
    path = str(belonging.email)
    if "trim" not in belonging.normalise:
        return ()
    found: list[Mapping[str, Any]] = yield from _told(Call("find", (filters.spaced(belonging), {path: 1})))
    hidden = [one for one in found if not filters.is_looked_for(belonging, str(filters.value_at(one, path)))]
    problems = [
        Problem(
            "ensure-email-form",
            f"The e-mail of the document {one['_id']!r} has so much white space around it that it is not found.",
            Where(collection=collection, path=path),
            "Write it without.",
        )
        for one in hidden[:_MOST_NAMED]
    ]
    return (*problems, *_more(len(hidden), "ensure-email-form", collection))


def _more(found: int, code: str, collection: str) -> tuple[Problem, ...]:
    if found <= _MOST_NAMED:
        return ()
    return (Problem(code, "There are more of this kind.", Where(collection=collection), "Look again behind these."),)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[: _SHOWN_CHARACTERS - 1]}…"


def _told(call: Call) -> Asking[Any]:
    """Ask, again where the server is in trouble that passes."""
    tried = 0
    while isinstance(answer := (yield call), Trouble):
        yield Wait(min(0.05 * 2.0**tried, 1.0))
        tried = min(tried + 1, 16)
    return answer
