"""Look what stands against `ensure` in a collection: indexes that are missing, and what is in the documents. Pure.

What is found is told all at once: references that several documents hold, with those documents.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bson import CodecOptions

from isthmus.errors import Problem, Where
from isthmus.polyglot.ensure import filters
from isthmus.polyglot.ensure.asks import Asking, Call
from isthmus.polyglot.ensure.belonging import Belonging
from isthmus.polyglot.ensure.doubles import Double, double_problems, doubles
from isthmus.polyglot.ensure.gaps import MOST_KEYS, Gapped, plain
from isthmus.polyglot.ensure.indexes import gapped_indexes, judge_indexes, leaves_out
from isthmus.polyglot.ensure.telling import MOST_NAMED, built, more, shown, told


def checking(belonging: Belonging, collection: str, options: CodecOptions[Any]) -> Asking[tuple[Problem, ...]]:
    """Look whether all is as `ensure` needs it. Reads the collection; writes nothing.

    Args:
        belonging: Which document belongs to a row.
        collection: For findings.
        options: Of the collection.
    """
    there = yield from built()
    problems = [*judge_indexes(belonging, True, there, collection)]
    found = yield from doubles(belonging, MOST_KEYS, there)
    problems += double_problems(found, belonging, collection)
    problems += _left_out(belonging, there, found, collection, options)
    if belonging.email is not None:
        problems += yield from _hidden_emails(belonging, collection)
    return tuple(problems)


def _left_out(
    belonging: Belonging,
    there: Sequence[Mapping[str, Any]],
    found: Sequence[Double],
    collection: str,
    options: CodecOptions[Any],
) -> list[Problem]:
    """Return keys that the index leaves out though no two documents hold them."""
    gapped = gapped_indexes(belonging, there)
    double = Gapped("", tuple(plain(one.key, options) for one in found))
    keys = gapped[0].keys if gapped else ()
    idle = [one for one in keys if leaves_out(belonging, there, one) and not double.leaves_out(one)]
    problems = [
        Problem(
            "ensure-left-out",
            f"The index leaves {shown(one)} out, which no two documents hold any more.",
            Where(collection=collection, path=belonging.reference),
            "Call ensure_indexes again.",
        )
        for one in idle[:MOST_NAMED]
    ]
    return [*problems, *more(len(idle), "ensure-left-out", collection)]


def _hidden_emails(belonging: Belonging, collection: str) -> Asking[tuple[Problem, ...]]:
    """Find unclaimed documents whose e-mail no look-up finds, for the white space around it."""
    path = str(belonging.email)
    if "trim" not in belonging.normalise:
        return ()
    found: list[Mapping[str, Any]] = yield from told(Call("find", (filters.spaced(belonging), {path: 1})))
    hidden = [one for one in found if not filters.is_looked_for(belonging, str(filters.value_at(one, path)))]
    problems = [
        Problem(
            "ensure-email-form",
            f"The e-mail of the document {one['_id']!r} has so much white space around it that it is not found.",
            Where(collection=collection, path=path),
            "Write it without.",
        )
        for one in hidden[:MOST_NAMED]
    ]
    return (*problems, *more(len(hidden), "ensure-email-form", collection))
