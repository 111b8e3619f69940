"""How far the outbox is behind, and which events wait for a person. Reads PostgreSQL only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import psycopg

from isthmus.state.statements import statements

LARGEST_SHOWN_BYTES = 256 * 1024
"""Of what an event would do, where it is shown."""


@dataclass(frozen=True)
class CollectionStatus:
    """Open events of one collection.

    Attributes:
        collection: Its name.
        lag_events: Events on their way: committed, not applied, with no parked one before them.
        lag_seconds: Age of the oldest of these; 0 without any.
        retrying: Of these, events that MongoDB refused at least once.
        parked: Events that wait for a person; each parks its document.
        behind: Events that wait behind a parked one.
    """

    collection: str
    lag_events: int
    lag_seconds: float
    retrying: int
    parked: int
    behind: int


@dataclass(frozen=True)
class Troubled:
    """An event that MongoDB refused.

    Attributes:
        id: Its number.
        collection: Of the document.
        document_id: `{"_id": value}` as BSON.
        operation: What is to be done.
        attempts: How often it was refused.
        fault: What it is: a slug.
        words: The same in a sentence.
        created_at: When it was enqueued.
        parked_at: Since when it waits for a person; None: it is tried again.
        next_attempt_at: When; None where it is parked.
        behind: Later events of the same document.
        bytes: Size of what is to be done.
        change: What is to be done, as `Intent.payload` has it; None where it was not asked for, or is larger than
            `LARGEST_SHOWN_BYTES`.
    """

    id: int
    collection: str
    document_id: bytes
    operation: str
    attempts: int
    fault: str
    words: str
    created_at: datetime
    parked_at: datetime | None
    next_attempt_at: datetime | None
    behind: int
    bytes: int
    change: bytes | None


@dataclass(frozen=True)
class Status:
    """How the outbox stands.

    Attributes:
        collections: By name, those with open events.
        troubled: Events that were refused, parked ones first; not all where there are many.
        elsewhere: Collections of these that live in PostgreSQL: their events are never applied. Empty where the role
            may not ask.
    """

    collections: tuple[CollectionStatus, ...]
    troubled: tuple[Troubled, ...]
    elsewhere: tuple[str, ...] = ()

    @property
    def lag_events(self) -> int:
        """Events on their way."""
        return sum(one.lag_events for one in self.collections)

    @property
    def lag_seconds(self) -> float:
        """Age of the oldest of them; 0 without any."""
        return max((one.lag_seconds for one in self.collections), default=0.0)

    @property
    def parked(self) -> int:
        """Events that wait for a person."""
        return sum(one.parked for one in self.collections)

    @property
    def behind(self) -> int:
        """Events that wait behind a parked one."""
        return sum(one.behind for one in self.collections)

    @property
    def outcome(self) -> Literal["clear", "behind", "parked", "elsewhere"]:
        """Whether all is applied, something is on its way, waits for a person, or is for a collection that moved."""
        if self.parked:
            return "parked"
        return "elsewhere" if self.elsewhere else "behind" if self.lag_events else "clear"


def read_status(connection: psycopg.Connection[Any], *, limit: int = 50, changes: bool = False) -> Status:
    """Look how the outbox stands.

    Args:
        connection: To a database with an outbox.
        limit: Most refused events to list.
        changes: Whether to read what these would do.
    """
    collections = connection.execute(_statement("collections")).fetchall()
    most = LARGEST_SHOWN_BYTES if changes else -1
    troubled = connection.execute(_statement("troubled"), {"limit": limit, "most": most}).fetchall()
    row = connection.execute(_statement("may_ask_homes")).fetchone()
    elsewhere = connection.execute(_statement("elsewhere")).fetchall() if row and row[0] else []
    return Status(
        tuple(CollectionStatus(*row) for row in collections),
        tuple(Troubled(row[0], row[1], bytes(row[2]), *row[3:]) for row in troubled),
        tuple(str(row[0]) for row in elsewhere),
    )


def _statement(name: str) -> bytes:
    return statements("status", "isthmus.polyglot.outbox")[name]
