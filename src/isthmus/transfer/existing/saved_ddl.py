"""Definitions that were set aside while rows are delivered are made again: by the copy, or by whatever comes next.

What is made again and struck off `isthmus.saved_ddl` is one transaction, as was setting it aside: at any instant the
table says exactly what is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import psycopg

from isthmus.connect.postgres import explain, meaning
from isthmus.errors import TargetError
from isthmus.state.lease import Lease
from isthmus.transfer.hands import Hands
from isthmus.transfer.job import Job
from isthmus.work.amounts import plural
from isthmus.work.listed import listed
from isthmus.work.stages import reached

_MOST_NAMES = 3


@dataclass(frozen=True)
class Saved:
    """A definition that is missing in its table now."""

    id: int
    label: str
    kind: str


def missing(connection: psycopg.Connection) -> list[Saved]:
    """Return what is set aside now: indexes first, then foreign keys; empty where nothing is, or no state."""
    row = connection.execute("SELECT to_regclass('isthmus.saved_ddl') IS NOT NULL").fetchone()
    if not row or not row[0]:
        return []
    rows = connection.execute(
        "SELECT id, name || ' of ' || table_schema || '.' || table_name, kind FROM isthmus.saved_ddl"
        " ORDER BY kind DESC, id"
    ).fetchall()
    return [Saved(int(number), str(label), str(kind)) for number, label, kind in rows]


def put_back(connection: psycopg.Connection, saved: Saved) -> None:
    """Make a definition again, prove it where it was proven, and strike it off; each a transaction. Safe to repeat.

    Raises:
        TargetError: The rows that are there now stand against it (code `not-restored`), or the role may not.
    """
    while _put_back_next(connection, saved):
        pass


def _put_back_next(connection: psycopg.Connection, saved: Saved) -> bool:
    """Do the next step; return whether anything is left to do. Raises as `put_back`."""
    try:
        return _next_step(connection, saved.id)
    except psycopg.Error as fault:
        if meaning(fault) == "transient":
            raise
        raise _stands_against(saved, fault) from None


def _next_step(connection: psycopg.Connection, number: int) -> bool:
    """Do what comes next for a stored definition; return whether anything is left to do."""
    with connection.transaction():
        # locked, so that of two commands that put it back one comes first
        row = connection.execute(
            "SELECT statements, validate_statement FROM isthmus.saved_ddl WHERE id = %s FOR UPDATE", (number,)
        ).fetchone()
        if row is None:
            return False
        statements, validate = row
        for statement in statements or [validate]:
            connection.execute(statement.encode())
        more = bool(statements) and validate is not None
        if more:
            connection.execute("UPDATE isthmus.saved_ddl SET statements = '[]' WHERE id = %s", (number,))
        else:
            connection.execute("DELETE FROM isthmus.saved_ddl WHERE id = %s", (number,))
        reached("saved.restored-before-commit")
    reached("saved.restored-after-commit")
    return more


def _stands_against(saved: Saved, fault: psycopg.Error) -> TargetError:
    return TargetError(
        f"The {saved.kind.replace('-', ' ')} {saved.label} was set aside for a load and cannot be made again:"
        f" {explain(fault, values=False)}.",
        code="not-restored",
        hint="Its definition stands in isthmus.saved_ddl; mend what stands against it and run the same command again.",
    )


def restore(job: Job, hands: Hands) -> None:
    """Put everything back that is set aside: indexes side by side, then foreign keys, which are proven side by side."""
    indexes = [saved for saved in missing(job.lease.connection) if saved.kind == "index"]
    hands.all((f"index {saved.label}", lambda c, s=saved: _put_back(job, c, s)) for saved in indexes)
    keys = missing(job.lease.connection)
    for saved in keys:  # to add one locks two tables, so not side by side
        hands.part(f"foreign key {saved.label}", lambda c, s=saved: _add(job, c, s))
    hands.all((f"foreign key {saved.label}", lambda c, s=saved: _put_back(job, c, s)) for saved in keys)


def _put_back(job: Job, connection: psycopg.Connection, saved: Saved) -> None:
    job.lease.ensure()
    put_back(connection, saved)


def _add(job: Job, connection: psycopg.Connection, saved: Saved) -> None:
    job.lease.ensure()
    _put_back_next(connection, saved)


def words_before(those: Sequence[Saved]) -> str:
    """Return a sentence that tells somebody what will be put back now, before it is."""
    return f"A copy ended before it put {_indexes_and_keys(those)} back; that is done now, and may take a while."


def words_behind(those: Sequence[Saved]) -> str:
    """Return a sentence that tells what was put back; of many the first by name."""
    return f"Put back {_indexes_and_keys(those)}: {listed([saved.label for saved in those], _MOST_NAMES)}."


def _indexes_and_keys(those: Sequence[Saved]) -> str:
    indexes = sum(saved.kind == "index" for saved in those)
    keys = len(those) - indexes
    parts = [plural(indexes, "index", "indexes") if indexes else "", plural(keys, "foreign key") if keys else ""]
    return " and ".join(part for part in parts if part)


def restore_abandoned(conninfo: str, begun: Callable[[list[Saved]], None] = lambda _: None) -> list[Saved]:
    """Put back what a copy had set aside when it died; called at the beginning of commands that look at a target.

    Does nothing while another isthmus is at work on it.

    Args:
        conninfo: The target.
        begun: Called with what will be put back, before it is: that may take as long as the rows are many.

    Returns:
        What was put back.

    Raises:
        TargetError: The server cannot be reached, or something cannot be made again (code `not-restored`).
    """
    lease = Lease(conninfo)
    try:
        lease.acquire()
    except TargetError as fault:
        if fault.code == "lease-held":
            return []
        raise
    try:
        return restore_with(lease, begun)
    finally:
        lease.release()


def restore_with(lease: Lease, begun: Callable[[list[Saved]], None]) -> list[Saved]:
    """Put back what is set aside, under a lease that is held; return it. `begun` as for `restore_abandoned`."""
    found = missing(lease.connection)
    if found:
        begun(found)
    for saved in found:
        put_back(lease.connection, saved)
    return found
