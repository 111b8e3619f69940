"""Make the indexes that `ensure` needs, and look whether they are there, for both faces of the driver."""

from __future__ import annotations

from typing import Any

from pymongo.asynchronous.collection import AsyncCollection
from pymongo.collection import Collection

from isthmus.errors import Problem
from isthmus.polyglot.ensure.asking import ask, ask_async, checked
from isthmus.polyglot.ensure.belonging import Belonging
from isthmus.polyglot.ensure.preparing import checking, making


def ensure_indexes(collection: Collection[Any], belonging: Belonging, *, timeout_seconds: float = 600.0) -> list[str]:
    """Make the indexes that `ensure` needs where they are missing; safe to repeat.

    Args:
        collection: The collection; made if it is not there.
        belonging: Which document belongs to a row.
        timeout_seconds: How long that may take; an index that is on its way then is finished by the server.

    Returns:
        The names of those that were made.

    Raises:
        PolyglotError: Several documents hold one reference (`ensure-duplicate`); `problems` has each reference with
            its documents. An index of the same name stands in the way (`ensure-index`). No document is changed.
        SourceError: As of `ensure`.
    """
    at = checked(collection, Collection, "ensure_indexes", "await ensure_indexes_async")
    return ask(at, making(belonging, at.name), None, timeout_seconds)


async def ensure_indexes_async(
    collection: AsyncCollection[Any], belonging: Belonging, *, timeout_seconds: float = 600.0
) -> list[str]:
    """Do what `ensure_indexes` does, on a collection of pymongo's AsyncMongoClient."""
    at = checked(collection, AsyncCollection, "ensure_indexes_async", "ensure_indexes")
    return await ask_async(at, making(belonging, at.name), None, timeout_seconds)


def check_indexes(
    collection: Collection[Any], belonging: Belonging, *, timeout_seconds: float = 600.0
) -> tuple[Problem, ...]:
    """Look whether a collection is as `ensure` needs it. Reads all of it, and writes nothing.

    Returns:
        Everything that stands against it: indexes that are missing (`ensure-no-index`), references that several
        documents hold (`ensure-duplicate`), e-mails that no look-up finds (`ensure-email-form`). Empty: nothing.

    Raises:
        SourceError: As of `ensure`.
    """
    at = checked(collection, Collection, "check_indexes", "await check_indexes_async")
    return ask(at, checking(belonging, at.name), None, timeout_seconds)


async def check_indexes_async(
    collection: AsyncCollection[Any], belonging: Belonging, *, timeout_seconds: float = 600.0
) -> tuple[Problem, ...]:
    """Do what `check_indexes` does, on a collection of pymongo's AsyncMongoClient."""
    at = checked(collection, AsyncCollection, "check_indexes_async", "check_indexes")
    return await ask_async(at, checking(belonging, at.name), None, timeout_seconds)
