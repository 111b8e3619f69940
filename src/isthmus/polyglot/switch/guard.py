"""Which store a request is to use, and a hold on the answer for as long as it writes.

A write is made while its transaction holds the collection's row FOR SHARE. Freezing updates that row, so it waits for
writers in flight, and whoever comes later finds it frozen. Only what a transaction holds is used: no session, no
notification, no prepared statement, so a pooler in transaction mode may stand between.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from isthmus.errors import PolyglotError, Where
from isthmus.polyglot.stores.protocol import DocumentStore
from isthmus.polyglot.stores.session import in_transaction, rows_of, savepoint, sqlstate, turn
from isthmus.polyglot.switch.carrier import Home
from isthmus.state.statements import statements

S = TypeVar("S", bound=DocumentStore)

_NO_TABLE = "42P01"
_NO_RIGHT = "42501"
_NO_TRANSACTION = "25P01"
_CONNECTION = "08"
_LOST = frozenset({"25P03", "25P04", "57P01", "57P02", "57P03", "57P05"})
"""Errors with which the server ends a session: its timeouts, an operator, a crash. Beside those of the connection."""
_LOOKS = 5
"""How often a row is looked for that is entered, frozen and let go of meanwhile."""
_LOOK_AGAIN_SECONDS = 0.1


@dataclass(frozen=True)
class Homes(Generic[S]):
    """The two stores of a collection.

    Attributes:
        mongodb: The store in MongoDB.
        postgres: Makes the one in PostgreSQL for a connection: `lambda connection: JsonbStore(connection, "profiles")`.
    """

    mongodb: S
    postgres: Callable[[Any], S]


@dataclass(frozen=True)
class Standing:
    """Where a collection lives.

    Attributes:
        home: Which database its documents are read from and written to.
        generation: How often it changed its home.
        frozen_at: Since when nobody may write; None: they may.
    """

    home: Home
    generation: int
    frozen_at: datetime | None


class Switch(Generic[S]):
    """The stores of an application's collections, and which of the two a request is to use.

    Args:
        connect: Gives a connection inside a transaction: a context manager that commits when it is left, and undoes
            when an error leaves it. SQLAlchemy's `engine.begin` and `sessionmaker.begin`, and `pool.connection` of
            psycopg's AsyncConnectionPool are such.
        collections: Name in MongoDB → its stores.
    """

    def __init__(
        self, connect: Callable[[], AbstractAsyncContextManager[Any]], collections: Mapping[str, Homes[S]]
    ) -> None:
        self._connect = connect
        self._collections = dict(collections)

    @asynccontextmanager
    async def reading(self, collection: str, *, connection: Any = None) -> AsyncGenerator[S]:
        """Give the store to read from. Works while the collection is frozen; holds nothing.

        Args:
            collection: Which.
            connection: The application's own, in place of a new one.

        Raises:
            PolyglotError: `switch-unknown`, `switch-missing`.
        """
        homes = self._homes(collection)
        async with self._on(connection) as on:
            home = (await look(on, collection)).home
            yield homes.postgres(on) if home == "postgres" else homes.mongodb

    @asynccontextmanager
    async def writing(self, collection: str, *, wait_seconds: float = 0.0, connection: Any = None) -> AsyncGenerator[S]:
        """Give the store to write to, and hold the collection where it is until the block is left.

        Only when the block was left without an error may a write be called done. Otherwise its outcome is not known, as
        with any lost COMMIT: read, then decide. Keep the block short, and write nothing behind it.

        Args:
            collection: Which.
            wait_seconds: How long to wait while it is frozen.
            connection: The application's own, inside a transaction, in place of a new one: its rows are then committed
                with the write to PostgreSQL. The collection is held until that transaction ends, and a write is done
                only when it was committed.

        Raises:
            PolyglotError: `switch-frozen`: try again later, nothing was written. `switch-unknown`, `switch-missing`.
                `switch-lost`: the transaction that held the collection ended meanwhile, because its connection was
                lost or somebody committed inside the block: the write may have been done, or not.
        """
        homes = self._homes(collection)
        give_up_at = time.monotonic() + wait_seconds
        while True:
            entered = written = False
            try:
                async with self._on(connection) as on:
                    held = await (_held(on, collection) if connection is None else _held_apart(on, collection))
                    entered = True
                    yield homes.postgres(on) if held.standing.home == "postgres" else homes.mongodb
                    written = True
                    await _still(on, collection, held)
                return
            except PolyglotError as fault:
                if entered or fault.code != "switch-frozen" or time.monotonic() >= give_up_at:
                    raise
            except Exception as fault:
                if written and _is_lost(fault):
                    raise _lost(collection) from fault
                raise
            await asyncio.sleep(min(_LOOK_AGAIN_SECONDS, max(give_up_at - time.monotonic(), 0.0)))

    async def standing(self, collection: str) -> Standing:
        """Return where a collection lives.

        Raises:
            PolyglotError: `switch-unknown`, `switch-missing`.
        """
        self._homes(collection)
        async with self._connect() as on:
            return await look(on, collection)

    def _homes(self, collection: str) -> Homes[S]:
        try:
            return self._collections[collection]
        except KeyError:
            known = ", ".join(sorted(self._collections)) or "none"
            raise PolyglotError(
                f"The application has no stores for a collection {collection[:60]!r}.",
                code="switch-unknown",
                hint=f"It has: {known}.",
            ) from None

    @asynccontextmanager
    async def _on(self, connection: Any) -> AsyncGenerator[Any]:
        if connection is not None:
            yield connection
            return
        async with self._connect() as made:
            yield made


async def look(connection: Any, collection: str) -> Standing:
    """Return where a collection lives; one that nobody switched lives in MongoDB.

    Raises:
        PolyglotError: The tables are not there (code `switch-missing`).
    """
    async with turn(connection):
        rows = await _asked(connection, "look", collection)
    return Standing(*rows[0]) if rows else Standing("mongodb", 0, None)


async def hold(connection: Any, collection: str) -> Standing:
    """Hold a collection where it is until the connection's transaction ends, for a write of the application's own.

    For transactions that write rows and enqueue (isthmus.polyglot.outbox) a write of the same collection, too. What is
    refused leaves the transaction usable, and holds nothing.

    Raises:
        PolyglotError: It is frozen (`switch-frozen`); no transaction is open, so nothing would be held
            (`switch-no-transaction`); or the tables are not there (`switch-missing`).
    """
    return (await _held_apart(connection, collection)).standing


@dataclass(frozen=True)
class _Held:
    """A collection that is held.

    Attributes:
        standing: Where it is.
        transaction: The server's number of the transaction that holds it.
    """

    standing: Standing
    transaction: str


async def _held_apart(connection: Any, collection: str) -> _Held:
    """Hold a collection in a savepoint: when it is refused, neither an error nor a lock stays in the transaction.

    Raises:
        PolyglotError: As `hold`.
    """
    async with turn(connection):
        try:
            async with savepoint(connection):
                return await _held(connection, collection)
        except PolyglotError:
            raise
        except Exception as fault:
            if sqlstate(fault) == _NO_TRANSACTION:
                raise _no_transaction() from fault
            raise


async def _held(connection: Any, collection: str) -> _Held:
    for _ in range(_LOOKS):
        rows = await _asked(connection, "hold", collection)
        if not await in_transaction(connection):
            raise _no_transaction()
        if rows and rows[0][2] is None:
            *standing, transaction = rows[0]
            return _Held(Standing(*standing), str(transaction))
        found = rows or await _asked(connection, "look", collection)
        if not found:
            await _asked(connection, "enter", collection)
        elif found[0][2] is not None:
            raise _frozen(collection, found[0][2])
    raise _frozen(collection, None)


async def _still(connection: Any, collection: str, held: _Held) -> None:
    """Make sure that the transaction which holds a collection has not ended.

    Raises:
        PolyglotError: It has (code `switch-lost`).
    """
    async with turn(connection):
        rows = await _asked(connection, "still", collection)
    if rows[0][0] != held.transaction:
        raise _lost(collection)


def _is_lost(fault: BaseException) -> bool:
    """Tell whether it is not known what became of a transaction, for something ended it from outside."""
    code = sqlstate(fault)
    return code is None or code.startswith(_CONNECTION) or code in _LOST


async def _asked(connection: Any, name: str, collection: str) -> list[tuple[Any, ...]]:
    statement = statements("guard", "isthmus.polyglot.switch")[name].decode()
    try:
        return await rows_of(connection, statement, {"collection": collection})
    except PolyglotError:
        raise
    except Exception as fault:
        if sqlstate(fault) == _NO_TABLE and "isthmus.switch" in str(fault):
            raise PolyglotError(
                "This database knows no switches: the table isthmus.switch is not there.",
                code="switch-missing",
                hint="Run isthmus switch prepare once, with the direct address of the database.",
            ) from fault
        if sqlstate(fault) == _NO_RIGHT and name == "enter":
            raise PolyglotError(
                f"The collection {collection[:60]} is not known to isthmus switch, and this role may not enter it.",
                code="switch-unknown",
                where=Where(collection=collection),
                hint="Run isthmus switch prepare with its name.",
            ) from fault
        raise


def _no_transaction() -> PolyglotError:
    return PolyglotError(
        "No transaction is open on this connection: the collection would not be held while it is written.",
        code="switch-no-transaction",
        hint="Give a connection inside a transaction; Switch's connect must begin one.",
    )


def _lost(collection: str) -> PolyglotError:
    return PolyglotError(
        f"The transaction that held the collection {collection[:60]} ended inside the block that writes it: its"
        " connection was lost, or the block committed or rolled back.",
        code="switch-lost",
        where=Where(collection=collection),
        hint="What the block wrote may have been done, or not: read the document, then decide. Commit behind it.",
    )


def _frozen(collection: str, since: datetime | None) -> PolyglotError:
    when = f" since {since:%Y-%m-%d %H:%M:%S}" if since is not None else ""
    return PolyglotError(
        f"The collection {collection[:60]} is frozen{when}: it is being switched to another database.",
        code="switch-frozen",
        where=Where(collection=collection),
        hint="Nothing was written. Try again in some seconds; isthmus switch status tells how far it is.",
        retryable=True,
    )
