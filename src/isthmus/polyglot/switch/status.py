"""Where each collection lives, and how far a switch of it is. Reads PostgreSQL only."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

import psycopg

from isthmus.polyglot.switch.carrier import Home
from isthmus.state.statements import statements
from isthmus.state.switches import LOCK

Outcome = Literal["settled", "moving", "late-events", "fence-missing", "fence-left", "left"]
"""`left`: a switch that nobody is at work on; `fence-left`: MongoDB refuses writes of what lives there;
`fence-missing`: it takes writes of what lives in PostgreSQL, though a fence was raised; `late-events`: the outbox has
events, and it lives elsewhere."""


@dataclass(frozen=True)
class LastMove:
    """A switch that is under way, or the last one that ended.

    Attributes:
        goal: Where it goes, or went.
        step: How far it is; `flipped` and `cancelled` are ends.
        carrier: What copies and verifies.
        began_at: When it began.
        stepped_at: When it came to the step.
        announced_at: Since when writers are turned away; None: they are not yet.
        ended_at: When it ended; None: it is under way.
        frozen_seconds: How long nobody could write; None before its end.
        counts: Documents, ahead, written, removed, verified.
        said_by: Who said so.
    """

    goal: Home
    step: str
    carrier: str
    began_at: datetime
    stepped_at: datetime
    announced_at: datetime | None
    ended_at: datetime | None
    frozen_seconds: float | None
    counts: Mapping[str, int]
    said_by: str | None


@dataclass(frozen=True)
class CollectionStatus:
    """One collection.

    Attributes:
        collection: Its name.
        home: Which database its documents live in.
        generation: How often it has changed that.
        since: Since when it lives there.
        said_by: Who switched it last.
        frozen_seconds: For how long nobody can write; None: they can.
        move: The switch that is under way, or else the last one; None: there was none.
        at_work: Whether a process is at work on it.
        fenced: Whether a fence was raised in MongoDB, as it is written down.
        open_events: Events of it in the outbox that are not applied.
        stands: Whether MongoDB has a fence before it; None: it was not asked, or something changed meanwhile.
    """

    collection: str
    home: Home
    generation: int
    since: datetime
    said_by: str | None
    frozen_seconds: float | None
    move: LastMove | None
    at_work: bool
    fenced: bool
    open_events: int
    stands: bool | None = None

    @property
    def outcome(self) -> Outcome:
        """What a person has to know of it."""
        if self.move is not None and self.move.ended_at is None:
            return "moving" if self.at_work else "left"
        if self.home == "mongodb" and (self.fenced or self.stands):
            return "fence-left"
        if self.home == "postgres" and self.fenced and self.stands is False:
            return "fence-missing"
        return "late-events" if self.home == "postgres" and self.open_events else "settled"


def read_status(
    connection: psycopg.Connection[Any], collections: Sequence[str] | None = None
) -> list[CollectionStatus]:
    """Look where collections live.

    Args:
        connection: To a database with the tables of switches.
        collections: Which; None: all that are known.
    """
    values = {"lock": LOCK, "collections": list(collections) if collections else None}
    query = statements("move", "isthmus.polyglot.switch")["status"]
    return [_status(row) for row in connection.execute(query, values).fetchall()]


def with_fences(
    before: Sequence[CollectionStatus], standing: Collection[str], after: Sequence[CollectionStatus]
) -> list[CollectionStatus]:
    """Return where collections live, and before which of them a fence stands.

    Args:
        before: As they were when MongoDB was not asked yet.
        standing: The collections before which a fence stands.
        after: As they are behind that; of one that was moved meanwhile nothing can be said.
    """
    still = {one.collection: (one.generation, one.move, one.fenced) for one in before}
    return [
        replace(one, stands=one.collection in standing)
        if still.get(one.collection) == (one.generation, one.move, one.fenced)
        else one
        for one in after
    ]


def _status(row: tuple[Any, ...]) -> CollectionStatus:
    collection, home, generation, since, said_by, frozen_at, seconds, goal, *move = row[:17]
    step, carrier, began_at, stepped_at, announced_at, ended_at, frozen_seconds, counts, mover = move
    last = (
        LastMove(goal, step, carrier, began_at, stepped_at, announced_at, ended_at, frozen_seconds, counts or {}, mover)
        if goal is not None
        else None
    )
    open_move = last is not None and last.ended_at is None
    frozen = frozen_at is not None or (open_move and announced_at is not None)
    return CollectionStatus(
        collection, home, generation, since, said_by, float(seconds) if frozen else None, last, *row[17:20]
    )
