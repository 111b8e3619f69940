"""What is written down of a switch, by the one process that moves a collection. PostgreSQL only."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import psycopg

from isthmus.connect.pooled import refuse_pooled
from isthmus.errors import PolyglotError, TargetError, Where
from isthmus.polyglot.outbox.event import Event
from isthmus.polyglot.switch.carrier import Home
from isthmus.polyglot.switch.place import Place
from isthmus.polyglot.switch.rows import Kept, Move, columns_of, place_of
from isthmus.polyglot.switch.session import connect, refuse_standby
from isthmus.polyglot.switch.waiting import Blockers, ended_by
from isthmus.state.statements import statements
from isthmus.state.switches import take_switch
from isthmus.state.up_to_date import bring_up_to_date

_EVENTS = 1_000


class Ledger:
    """The rows of one collection, held by this process.

    Args:
        connection: In autocommit mode, with the collection's advisory lock.
        collection: Its name.
        conninfo: What the connection was opened with.
    """

    def __init__(self, connection: psycopg.Connection[Any], collection: str, conninfo: str) -> None:
        self.connection = connection
        self.collection = collection
        self.token = uuid4()
        self._conninfo = conninfo

    def stands(self) -> tuple[Home, int, bool]:
        """Return where the collection lives, how often it changed that, and whether it is frozen."""
        row = self._row("stands")
        return row[0], int(row[1]), bool(row[2])

    def open_move(self) -> Move | None:
        """Return the move that has not ended."""
        row = self._one("open_move")
        if row is None:
            return None
        number, goal, carrier, step, announced, *place = row
        return Move(int(number), goal, str(step), bool(announced), place_of(carrier, *place))

    def lives(self) -> Place | None:
        """Return with what the collection came to live where it does; None: it always did, or nobody noted it."""
        row = self._one("lives")
        return None if row is None else place_of(*row)

    def begin(self, goal: Home, carrier: str, by: str | None, place: Place | None = None) -> Move:
        """Begin a move."""
        place = place or Place(carrier)
        row = self._row("begin", goal=goal, carrier=carrier, by=by, token=self.token, **columns_of(place))
        return Move(int(row[0]), goal, "begun", announced=False, place=place)

    def go_on(self, move: Move, carrier: str, by: str | None, place: Place | None = None) -> None:
        """Go on with a move that a process left."""
        columns = columns_of(place or Place(carrier))
        self._do("go_on", move=move.id, carrier=carrier, by=by, token=self.token, **columns)

    def filled_before(self, carrier: str, table: int) -> bool:
        """Tell whether a copy of this collection was ever committed into a table, in a move of any outcome."""
        row = self._one("carried", carrier=carrier, table=table)
        return bool(row and row[0])

    def filled(self, connection: psycopg.Connection[Any]) -> None:
        """Note that the table of the move holds a copy, in the transaction of another connection that puts it there.

        Raises:
            TargetError: Another process has taken the move over (code `switch-held`).
        """
        self.assert_mine(connection)
        connection.execute(_statement("filled"), {"collection": self.collection})

    def step(
        self,
        move: Move,
        step: str,
        counts: Mapping[str, int] | None = None,
        contents: Mapping[str, str] | None = None,
    ) -> None:
        """Write down how far a move is, what was counted, and what tables hold."""
        values = {"counts": json.dumps(dict(counts or {})), "contents": json.dumps(dict(contents or {}))}
        self._do("step", move=move.id, step=step, **values)

    def contents(self) -> dict[str, str]:
        """Return what tables held when the collection last came to live in PostgreSQL; empty where nobody noted it."""
        row = self._one("contents")
        return dict(row[0]) if row else {}

    def announce(self, move: Move) -> None:
        """Turn new writers away."""
        self._do("announce", move=move.id)

    def freeze(self, *, wait_seconds: float, stop: threading.Event | None = None) -> None:
        """Wait for the writers in flight, and freeze the collection.

        Raises:
            PolyglotError: They did not end in time (code `switch-writers`); it is not frozen then.
            Interrupted: The stop was set; it is not frozen then.
        """
        with connect(self._conninfo, autocommit=True) as other:
            blockers = Blockers(other, self.connection.info.backend_pid)
            try:
                with (
                    blockers.looking(wait_seconds=wait_seconds),
                    ended_by(stop or threading.Event(), self.connection),
                    self.connection.transaction(),
                ):
                    wait = f"{max(int(wait_seconds * 1000), 1)}ms"
                    self.connection.execute("SELECT set_config('lock_timeout', %s, true)", (wait,))
                    self._do("freeze")
            except psycopg.errors.LockNotAvailable:
                who = blockers.names or "just gone"
                raise PolyglotError(
                    f"Writers did not end within {wait_seconds:g} s: {who}.",
                    code="switch-writers",
                    where=Where(collection=self.collection),
                    hint="Let them end, or end them, and run the same command again; --wait-seconds waits longer.",
                    retryable=True,
                ) from None

    def open_events(self) -> tuple[int, int]:
        """Return how many events of the collection the outbox has not applied, and how many of them are parked."""
        row = self._one("open_events")
        return (int(row[0]), int(row[1])) if row else (0, 0)

    def unconfirmed(self) -> Iterator[list[Event]]:
        """Yield deletes that the outbox would look at once more, oldest first, not too many at once."""
        after = 0
        while True:
            values = {"collection": self.collection, "after": after, "most": _EVENTS}
            rows = self.connection.execute(_statement("unconfirmed"), values).fetchall()
            if not rows:
                return
            yield [
                Event(number, key, collection, bytes(document_id), token, operation, bytes(payload), attempts)
                for number, key, collection, document_id, token, operation, payload, attempts in rows
            ]
            after = rows[-1][0]

    def flip(self, move: Move, by: str | None, *, forget_fence: bool) -> tuple[int, float]:
        """Let the collection live elsewhere; inside the caller's transaction.

        Returns:
            Its generation, and how many seconds nobody could write.

        Raises:
            TargetError: Somebody else changed its row (code `switch-changed`).
        """
        row = self._one("flip", goal=move.goal, by=by)
        if row is None:
            raise TargetError(
                f"The collection {self.collection} is not frozen any more, or lives elsewhere already.",
                code="switch-changed",
                hint="Somebody changed isthmus.switch by hand. Look at isthmus switch status.",
            )
        if forget_fence:
            self._do("forget_fence")
        return int(row[0]), self.end(move, "flipped")

    def end(self, move: Move, step: str) -> float:
        """Write down that a move has ended; return how many seconds nobody could write."""
        row = self._one("end", move=move.id, step=step)
        return float(row[0]) if row and row[0] is not None else 0.0

    def thaw(self, move: Move | None) -> float:
        """Let the collection be written again where it was, and end its move, if there is one. Committed.

        Returns:
            How many seconds nobody could write.
        """
        with self.connection.transaction():
            self._do("thaw")
            return self.end(move, "cancelled") if move is not None else 0.0

    def fence(self) -> Kept | None:
        """Return what stood in the place of the fence; None where none was raised."""
        row = self._one("fence")
        return None if row is None else Kept(bytes(row[0]), row[1], row[2])

    def keep_fence(self, kept: Kept) -> None:
        """Keep what a fence is about to replace."""
        self._do("keep_fence", before=kept.before, database=kept.database, uuid=kept.uuid)

    def forget_fence(self) -> None:
        """Note that there is no fence any more."""
        self._do("forget_fence")

    def _do(self, name: str, **values: object) -> None:
        self.connection.execute(_statement(name), {"collection": self.collection, **values})

    def assert_mine(self, connection: psycopg.Connection[Any]) -> None:
        """Make sure, until the transaction of a connection ends, that no other process has taken the move over.

        A process that stood still while its session was ended does not know that it is not the only one any more.

        Raises:
            TargetError: One has (code `switch-held`).
        """
        values = {"collection": self.collection, "token": self.token}
        if connection.execute(_statement("mine"), values).fetchone() is None:
            raise _held_by_another(self.collection)

    def _row(self, name: str, **values: object) -> tuple[Any, ...]:
        row = self._one(name, **values)
        if row is None:
            raise TargetError(
                f"The collection {self.collection} is not in isthmus.switch any more.",
                code="switch-changed",
                hint="Somebody changed isthmus.switch by hand. Look at isthmus switch status.",
            )
        return row

    def _one(self, name: str, **values: object) -> tuple[Any, ...] | None:
        return self.connection.execute(_statement(name), {"collection": self.collection, **values}).fetchone()


@contextmanager
def held(
    conninfo: str, collection: str, *, unknown: Callable[[Sequence[str]], object] | None = None
) -> Generator[Ledger]:
    """Be the only process that moves a collection; makes the tables where they are missing, and enters it.

    Args:
        conninfo: The database.
        collection: Which.
        unknown: Called with the names of all that are known when this one is not; may refuse it.

    Raises:
        TargetError: Another process moves it (`switch-held`); the address leads to a pooler (`pooled-connection`) or to
            a standby (`read-only-server`); the role may not make the tables (`no-right`).
    """
    with connect(conninfo, autocommit=True) as connection:
        refuse_pooled(connection, conninfo)
        prepare(connection)
        known = [str(row[0]) for row in connection.execute(_statement("known")).fetchall()]
        if unknown is not None and collection not in known:
            unknown(known)
        if not take_switch(connection, collection):
            raise _held_by_another(collection)
        connection.execute(_statement("enter"), {"collection": collection})
        yield Ledger(connection, collection, conninfo)


def prepare(connection: psycopg.Connection[Any], *collections: str) -> None:
    """Make the tables where they are missing, and enter collections.

    Raises:
        TargetError: The role may not (`no-right`), another isthmus is at work (`lease-held`), or the server is a
            standby (`read-only-server`).
    """
    refuse_standby(connection)
    row = connection.execute(_statement("complete")).fetchone()
    if not row or not row[0]:
        bring_up_to_date(connection)
    for collection in collections:
        connection.execute(_statement("enter"), {"collection": collection})


def _held_by_another(collection: str) -> TargetError:
    return TargetError(
        f"Another isthmus switch is at work on the collection {collection}.",
        code="switch-held",
        hint="Wait for it, or end it with Ctrl-C: it then lets writers write again.",
    )


def _statement(name: str) -> bytes:
    return statements("move", "isthmus.polyglot.switch")[name]
