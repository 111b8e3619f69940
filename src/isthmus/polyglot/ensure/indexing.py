"""Make the indexes that `ensure` needs, and look whether they are there, for both faces of the driver."""

from __future__ import annotations

from typing import Any, Literal, get_args

from pymongo.asynchronous.collection import AsyncCollection
from pymongo.collection import Collection

from isthmus.errors import PolyglotError, Problem
from isthmus.polyglot.ensure.asking import ask, ask_async, checked
from isthmus.polyglot.ensure.asks import Asking
from isthmus.polyglot.ensure.belonging import Belonging
from isthmus.polyglot.ensure.making import making
from isthmus.polyglot.ensure.preparing import checking

LeaveOut = Literal["duplicates"]


def ensure_indexes(
    collection: Collection[Any],
    belonging: Belonging,
    *,
    leave_out: LeaveOut | None = None,
    timeout_seconds: float = 600.0,
) -> list[str]:
    """Make the indexes that `ensure` needs where they are missing; safe to repeat, also while the application runs.

    With `leave_out="duplicates"` references that several documents hold already are no obstacle, up to 100 of them: the
    unique index leaves them out and keeps all others. `ensure` finds a document with such a reference where one alone
    holds it, and claims and creates none. Called again when fewer stand double, it makes an index that leaves out
    fewer, or none, and drops the one before only then. That takes MongoDB 6.0.

    Args:
        collection: The collection; made if it is not there.
        belonging: Which document belongs to a row.
        leave_out: `duplicates`; None: nothing.
        timeout_seconds: How long that may take; an index that is on its way then is finished by the server.

    Returns:
        The names of those that were made.

    Raises:
        PolyglotError: Several documents hold one reference (`ensure-duplicate`); `problems` has each reference with
            its documents. They cannot be left out (`ensure-gaps`). An index of the same name stands in the way
            (`ensure-index`). No document is changed.
        SourceError: As of `ensure`.
    """
    at = checked(collection, Collection, "ensure_indexes", "await ensure_indexes_async")
    return ask(at, _making(at, belonging, leave_out), None, timeout_seconds)


async def ensure_indexes_async(
    collection: AsyncCollection[Any],
    belonging: Belonging,
    *,
    leave_out: LeaveOut | None = None,
    timeout_seconds: float = 600.0,
) -> list[str]:
    """Do what `ensure_indexes` does, on a collection of pymongo's AsyncMongoClient."""
    at = checked(collection, AsyncCollection, "ensure_indexes_async", "ensure_indexes")
    return await ask_async(at, _making(at, belonging, leave_out), None, timeout_seconds)


def _making(collection: Any, belonging: Belonging, leave_out: str | None) -> Asking[list[str]]:
    if leave_out is not None and leave_out not in get_args(LeaveOut):
        raise PolyglotError(
            f"leave_out is {leave_out!r}.", code="ensure-gaps", hint='Give "duplicates", or None to leave nothing out.'
        )
    return making(belonging, collection.name, collection.codec_options, leave_out=leave_out is not None)


def check_indexes(
    collection: Collection[Any], belonging: Belonging, *, timeout_seconds: float = 600.0
) -> tuple[Problem, ...]:
    """Look whether a collection is as `ensure` needs it. Reads all of it, and writes nothing.

    Returns:
        Everything that stands against it: indexes that are missing or not yet built (`ensure-no-index`), references
        that several documents hold, left out or not (`ensure-duplicate`), or held when the index was made that leaves
        them out (`ensure-left-out`), e-mails that no look-up finds (`ensure-email-form`). Empty: nothing.

    Raises:
        SourceError: As of `ensure`.
    """
    at = checked(collection, Collection, "check_indexes", "await check_indexes_async")
    return ask(at, checking(belonging, at.name, at.codec_options), None, timeout_seconds)


async def check_indexes_async(
    collection: AsyncCollection[Any], belonging: Belonging, *, timeout_seconds: float = 600.0
) -> tuple[Problem, ...]:
    """Do what `check_indexes` does, on a collection of pymongo's AsyncMongoClient."""
    at = checked(collection, AsyncCollection, "check_indexes_async", "check_indexes")
    return await ask_async(at, checking(belonging, at.name, at.codec_options), None, timeout_seconds)
