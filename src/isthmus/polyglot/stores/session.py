"""Statements on a connection of the application's, whichever library it is of: psycopg, or SQLAlchemy. Asynchronous.

A statement is written once, with psycopg's `%(name)s`. Nothing belongs to a session, so a pooler may stand between.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from inspect import iscoroutinefunction
from typing import Any
from weakref import WeakKeyDictionary

from isthmus.errors import PolyglotError
from isthmus.polyglot.of_sqlalchemy import commits_each, with_colons

_TURNS: WeakKeyDictionary[Any, asyncio.Lock] = WeakKeyDictionary()


def turn(connection: Any) -> asyncio.Lock:
    """Return what one has to hold for work of several statements on a connection.

    A connection has one transaction and one stack of savepoints: of two pieces of work that are awaited at once, the
    second one's savepoint would lie inside the first one's.

    Raises:
        PolyglotError: It is no connection (code `store-connection`).
    """
    if not iscoroutinefunction(getattr(connection, "execute", None)):
        raise other_connection(connection)
    found = _TURNS.get(connection)
    return found if found is not None else _TURNS.setdefault(connection, asyncio.Lock())


async def rows_of(connection: Any, statement: str, values: Mapping[str, object]) -> list[tuple[Any, ...]]:
    """Execute a statement, and return its rows; none for one that gives none.

    Args:
        connection: psycopg's AsyncConnection; SQLAlchemy's AsyncConnection or AsyncSession.
        statement: SQL with `%(name)s`, and `%%` for a percent sign.
        values: The parameters.

    Raises:
        PolyglotError: It is no such connection (code `store-connection`).
    """
    execute = getattr(connection, "execute", None)
    if not iscoroutinefunction(execute):
        raise other_connection(connection)
    if hasattr(connection, "run_sync"):
        from sqlalchemy import text

        result: Any = await execute(text(with_colons(statement)), dict(values))
        return [tuple(row) for row in result.all()] if result.returns_rows else []
    cursor: Any = connection.cursor(row_factory=_as_tuples)
    async with cursor:
        await cursor.execute(statement.encode(), dict(values), prepare=False)
        return await cursor.fetchall() if cursor.description is not None else []


@asynccontextmanager
async def savepoint(connection: Any) -> AsyncGenerator[None]:
    """Undo what the block did when it raises, its row locks too, so that the transaction around it goes on.

    The caller has the connection's `turn`.
    """
    await rows_of(connection, "SAVEPOINT isthmus_store", {})
    try:
        yield
    except BaseException:
        with suppress(Exception):  # the connection may be what failed
            await rows_of(connection, "ROLLBACK TO SAVEPOINT isthmus_store", {})
        raise
    await rows_of(connection, "RELEASE SAVEPOINT isthmus_store", {})


async def in_transaction(connection: Any) -> bool:
    """Tell whether what is executed now is kept together until a commit."""
    if hasattr(connection, "run_sync"):
        return bool(connection.in_transaction()) and not await connection.run_sync(commits_each)
    return not connection.autocommit or connection.info.transaction_status != 0


def sqlstate(fault: BaseException) -> str | None:
    """Return the code of PostgreSQL that an error carries, whichever library raised it."""
    return getattr(fault, "sqlstate", None) or getattr(getattr(fault, "orig", None), "sqlstate", None)


def quoted(*names: str) -> str:
    """Return a name as SQL has it, for a statement of `rows_of`."""
    return ".".join('"' + name.replace('"', '""').replace("%", "%%") + '"' for name in names)


def other_connection(connection: object) -> PolyglotError:
    """Return the error for something that is no connection."""
    return PolyglotError(
        f"Statements cannot be awaited on a {type(connection).__name__}.",
        code="store-connection",
        hint="Give psycopg's AsyncConnection, or SQLAlchemy's AsyncConnection or AsyncSession, inside a transaction.",
    )


def _as_tuples(cursor: Any) -> Any:
    from psycopg.rows import tuple_row

    return tuple_row(cursor)
