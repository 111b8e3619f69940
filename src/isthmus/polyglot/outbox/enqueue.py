"""Write intents down, inside the transaction of the rows that they belong to: both are committed, or neither.

Takes connections of psycopg and of SQLAlchemy, also sessions, synchronous or not. Nothing is committed here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from inspect import iscoroutinefunction
from typing import Any, cast

from isthmus.errors import PolyglotError
from isthmus.polyglot.of_sqlalchemy import commits_each, connection_of, with_colons
from isthmus.polyglot.outbox.intent import Intent
from isthmus.state.statements import statements

_NO_TABLE = "42P01"
_IDLE = 0  # libpq's PQTRANS_IDLE: no transaction is open


def enqueue(connection: Any, *intents: Intent) -> list[int]:
    """Write intents down in the open transaction of a connection, and wake the relays when it commits.

    Holds the locks of the keys until then, so others who write of the same documents wait: enqueue at the end of a
    transaction, and all at once. The locks are taken in one order whatever the order of the intents, so two calls
    cannot stand in each other's way for ever; two calls in one transaction can.

    Args:
        connection: psycopg's Connection or Cursor, SQLAlchemy's Connection or Session.
        intents: What is to be done; of one document in this order.

    Returns:
        The events' numbers, in the order of the intents.

    Raises:
        PolyglotError: No transaction is open, so the intents would be kept without the rows
            (`outbox-no-transaction`); the tables of the outbox are not there (`outbox-missing`); or it is no such
            connection (`outbox-connection`).
    """
    if not hasattr(connection, "execute") or iscoroutinefunction(connection.execute):
        raise _other_connection(connection, "enqueue", "await enqueue_async")
    if hasattr(connection, "exec_driver_sql") or hasattr(connection, "get_bind"):
        return _enqueue_by_sqlalchemy(connection, intents)
    _need_transaction(getattr(connection, "connection", connection))
    numbers: dict[int, int] = {}
    try:
        for place, intent in _in_order(intents):
            cursor = connection.execute(_statement("enqueue"), _values(intent), prepare=False)
            numbers[place] = _number(cursor.fetchone())
        if numbers:
            connection.execute(_statement("wake"), prepare=False)
    except Exception as fault:
        raise _told(fault) from fault
    return [numbers[place] for place in range(len(intents))]


async def enqueue_async(connection: Any, *intents: Intent) -> list[int]:
    """Do what `enqueue` does, on a connection that is awaited.

    Args:
        connection: psycopg's AsyncConnection or AsyncCursor, SQLAlchemy's AsyncConnection or AsyncSession.
        intents: As there.

    Returns and raises: As `enqueue`.
    """
    if not hasattr(connection, "execute") or not iscoroutinefunction(connection.execute):
        raise _other_connection(connection, "enqueue_async", "enqueue")
    run_sync = getattr(connection, "run_sync", None)
    if run_sync is not None:  # SQLAlchemy's: they lend their synchronous face to a function
        return cast("list[int]", await run_sync(_enqueue_by_sqlalchemy, intents))
    _need_transaction(getattr(connection, "connection", connection))
    numbers: dict[int, int] = {}
    try:
        for place, intent in _in_order(intents):
            cursor: Any = await _awaited(connection.execute(_statement("enqueue"), _values(intent), prepare=False))
            numbers[place] = _number(await _awaited(cursor.fetchone()))
        if numbers:
            await _awaited(connection.execute(_statement("wake"), prepare=False))
    except Exception as fault:
        raise _told(fault) from fault
    return [numbers[place] for place in range(len(intents))]


def _awaited(work: Any) -> Awaitable[Any]:
    return cast("Awaitable[Any]", work)


def _enqueue_by_sqlalchemy(connection: Any, intents: Sequence[Intent]) -> list[int]:
    from sqlalchemy import text
    from sqlalchemy.exc import DBAPIError

    connection = connection_of(connection)
    if commits_each(connection):
        raise _no_transaction()
    numbers: dict[int, int] = {}
    try:
        for place, intent in _in_order(intents):
            found = connection.execute(text(with_colons(_statement("enqueue").decode())), _values(intent))
            numbers[place] = _number(found.fetchone())
        if numbers:
            connection.execute(text(with_colons(_statement("wake").decode())))
    except DBAPIError as fault:
        raise _told(fault.orig or fault) from fault
    return [numbers[place] for place in range(len(intents))]


def _in_order(intents: Sequence[Intent]) -> list[tuple[int, Intent]]:
    """Return intents with their places, in the order in which locks are taken; of one key as they were given."""
    return sorted(enumerate(intents), key=lambda one: (one[1].key.digest, one[0]))


def _values(intent: Intent) -> dict[str, object]:
    return {
        "digest": intent.key.digest,
        "collection": intent.key.collection,
        "document_id": intent.key.document_id,
        "operation": intent.operation,
        "payload": intent.payload,
    }


def _statement(name: str) -> bytes:
    return statements("enqueue", "isthmus.polyglot.outbox")[name]


def _number(row: Any) -> int:
    """Return the number from a row of any row factory."""
    if isinstance(row, Mapping):
        return int(cast("Mapping[str, int]", row)["id"])
    return int(row.id if hasattr(row, "id") else row[0])


def _need_transaction(connection: Any) -> None:
    """Refuse a connection on which each statement would be committed by itself.

    Raises:
        PolyglotError: So it is (code `outbox-no-transaction`).
    """
    if connection.autocommit and connection.info.transaction_status == _IDLE:
        raise _no_transaction()


def _no_transaction() -> PolyglotError:
    return PolyglotError(
        "No transaction is open on this connection: the intent would be kept without the rows that it belongs to.",
        code="outbox-no-transaction",
        hint="Enqueue inside `with connection.transaction():`, or on a connection that is not in autocommit mode.",
    )


def _other_connection(connection: object, called: str, other: str) -> PolyglotError:
    return PolyglotError(
        f"{called} takes no {type(connection).__name__}.",
        code="outbox-connection",
        hint=f"Give a connection, cursor or session of psycopg or SQLAlchemy; this may be one for {other}.",
    )


def _told(fault: BaseException) -> BaseException:
    """Return what to raise for an error of the driver: itself, but where the outbox's tables are not there."""
    if getattr(fault, "sqlstate", None) != _NO_TABLE or "isthmus.outbox" not in str(fault):
        return fault
    return PolyglotError(
        "This database has no outbox: the table isthmus.outbox is not there.",
        code="outbox-missing",
        hint="Run isthmus outbox run --drain once, with the direct address of the database.",
    )
