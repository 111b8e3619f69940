"""Which migrations of a project's own schemas were applied, kept in `isthmus.schema_history`.

A migration in a transaction of its own is written down inside that transaction, so that what stands here is so. One
without is written down statement by statement: while it is `running`, the statement behind `steps_done` may have been
executed or not.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, cast

import psycopg

from isthmus import __version__
from isthmus.state.migrate import applied_versions
from isthmus.state.statements import statement

State = Literal["baseline", "applied", "running", "failed"]
_VERSION = 10
"""The state migration that makes the table."""
_LONGEST_FAULT = 2_000


@dataclass(frozen=True)
class Applied:
    """One migration, as the history has it.

    Attributes:
        name: Its name.
        checksum: SHA-256 of the SQL that was applied, hex.
        state: `running` where it is tried now, or its deployer died; `failed` where the server refused it.
        steps: Statements that it has.
        steps_done: How many are through; of one in a transaction all or none.
        started_at: When it was begun.
        applied_at: When it was through.
        seconds: How long it took.
        fault: What the server said of the last attempt.
    """

    name: str
    checksum: str
    state: State
    steps: int
    steps_done: int
    started_at: datetime
    applied_at: datetime | None
    seconds: float | None
    fault: str | None

    @property
    def is_through(self) -> bool:
        """Whether the database has it."""
        return self.state in {"applied", "baseline"}


def read_history(connection: psycopg.Connection, title: str) -> dict[str, Applied]:
    """Return name → migration, in the order of names; empty where the target has no history."""
    if _VERSION not in applied_versions(connection):
        return {}
    rows = connection.execute(statement("schema_history", "list"), {"title": title}).fetchall()
    found = [Applied(str(row[0]), str(row[1]), cast("State", row[2]), *row[3:]) for row in rows]
    return {one.name: one for one in found}


def begin(connection: psycopg.Connection, title: str, name: str, checksum: str, steps: int) -> int:
    """Write down that a migration without a transaction is tried; return how many of its statements are through."""
    given = {"title": title, "name": name, "checksum": checksum, "steps": steps, "version": __version__}
    row = connection.execute(statement("schema_history", "begin"), given).fetchone()
    return int(row[0]) if row else 0


def step(connection: psycopg.Connection, title: str, name: str, done: int) -> None:
    """Write down how many statements are through."""
    connection.execute(statement("schema_history", "step"), {"title": title, "name": name, "done": done})


def applied(
    connection: psycopg.Connection,
    title: str,
    name: str,
    checksum: str,
    steps: int,
    started_at: datetime,
    *,
    state: State = "applied",
) -> None:
    """Write down that a migration is through, in the caller's transaction."""
    connection.execute(
        statement("schema_history", "applied"), _given(title, name, checksum, steps, started_at) | {"state": state}
    )


def failed(
    connection: psycopg.Connection, title: str, name: str, checksum: str, steps: int, started_at: datetime, fault: str
) -> bool:
    """Write down what the server said; return False where the migration got through all the same: its commit did, and
    the answer to that was lost."""
    given = _given(title, name, checksum, steps, started_at) | {"fault": fault[:_LONGEST_FAULT]}
    return connection.execute(statement("schema_history", "failed"), given).rowcount > 0


def forget(connection: psycopg.Connection, title: str, name: str) -> None:
    """Take a migration out of the history."""
    connection.execute(statement("schema_history", "forget"), {"title": title, "name": name})


def _given(title: str, name: str, checksum: str, steps: int, started_at: datetime) -> dict[str, Any]:
    return {
        "title": title,
        "name": name,
        "checksum": checksum,
        "steps": steps,
        "started_at": started_at,
        "version": __version__,
    }
