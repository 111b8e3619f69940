"""What `isthmus switch` holds of collections, for those who take rows or documents of them away."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import psycopg

from isthmus.errors import TargetError

LOCK = 0x73776974
"""The first of the two numbers of an advisory lock; it spells "swit". The second is a hash of the collection's name."""

_TAKE = "SELECT pg_try_advisory_lock(%s, hashtext(%s))"
_MAPPED = """
SELECT s.collection, m.ended_at IS NULL AND m.id IS NOT NULL
FROM isthmus.switch s LEFT JOIN LATERAL (
    SELECT id, ended_at, carrier FROM isthmus.switch_move m
    WHERE m.collection = s.collection AND (m.ended_at IS NULL OR m.step = 'flipped' AND m.goal = s.home)
    ORDER BY m.id DESC LIMIT 1
) AS m ON true
WHERE s.collection = ANY(%s) AND (s.home = 'postgres' OR m.ended_at IS NULL AND m.id IS NOT NULL)
  AND NOT coalesce(starts_with(m.carrier, 'table '), false)
ORDER BY s.collection"""


def has_switches(connection: psycopg.Connection[Any]) -> bool:
    """Tell whether the tables of switches are there."""
    row = connection.execute("SELECT to_regclass('isthmus.switch_fence') IS NOT NULL").fetchone()
    return bool(row and row[0])


def take_switch(connection: psycopg.Connection[Any], collection: str) -> bool:
    """Be the only one who moves a collection, for as long as the session lasts; tell whether that is so."""
    row = connection.execute(_TAKE, (LOCK, collection)).fetchone()
    return bool(row and row[0])


def keep_from_switching(connection: psycopg.Connection[Any], collections: Iterable[str]) -> None:
    """Let nobody move collections to another database as long as the connection lives.

    Raises:
        TargetError: Somebody does (code `switch-held`).
    """
    for name in collections:
        if not take_switch(connection, name):
            raise TargetError(
                f"isthmus switch is at work on the collection {name}.",
                code="switch-held",
                hint="Nothing more was taken away. Wait until it has ended, and look again.",
            )


def refuse_switched(connection: psycopg.Connection[Any], collections: Sequence[str]) -> None:
    """Refuse collections whose rows, as a mapping makes them, are or may become what applications read and write.

    What lives in a table of documents is no row of a mapping.

    Raises:
        TargetError: One lives in PostgreSQL (code `lives-in-postgres`), or its switch has not ended (`switch-open`).
    """
    if not has_switches(connection):
        return
    found = connection.execute(_MAPPED, (list(collections),)).fetchall()
    for name, is_open in found:
        if is_open:
            raise TargetError(
                f"A switch of the collection {name} has not ended, so its rows may become what applications read.",
                code="switch-open",
                hint=f"Let it end, or end it: isthmus switch cancel {name}. Then run the same undo again.",
            )
        raise TargetError(
            f"The collection {name} lives in PostgreSQL (isthmus switch): its rows are what applications read and"
            " write, not a copy.",
            code="lives-in-postgres",
            hint=f"Move it back to MongoDB first: isthmus switch back {name}. Then run the same undo again.",
        )
