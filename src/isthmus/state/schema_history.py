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

State = Literal["baseline", "applied", "running", "failed", "settled"]
Whose = Literal["person", "prisma", "drizzle"]
_VERSION = 10
"""The state migration that makes the table."""
_LONGEST_FAULT = 2_000


@dataclass(frozen=True)
class Applied:
    """One migration, as the history has it.

    Attributes:
        name: Its name.
        checksum: SHA-256 of the SQL that was applied, hex.
        state: `running` where it is tried now, or its deployer died; `failed` where the server refused it; `settled`
            where a person said behind which statement to go on.
        steps: Statements that it has.
        steps_done: How many are through; of one in a transaction all or none.
        started_at: When it was begun.
        applied_at: When it was through; None where it is not, or nobody knows.
        seconds: How long it took; None where Isthmus did not apply it.
        fault: What the server said of the last attempt.
        isthmus_version: Which Isthmus wrote this.
        on_word_of: Whose word it is; None where Isthmus saw all of it.
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
    isthmus_version: str
    on_word_of: Whose | None

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


def read_all_applied(connection: psycopg.Connection) -> dict[str, dict[str, str]]:
    """Return title → name → checksum of what every schema has in this target; none for one that has nothing."""
    if _VERSION not in applied_versions(connection):
        return {}
    found: dict[str, dict[str, str]] = {}
    for title, name, checksum in connection.execute(statement("schema_history", "list_all")):
        found.setdefault(str(title), {})[str(name)] = str(checksum)
    return found


def begin(connection: psycopg.Connection, title: str, name: str, checksum: str, steps: int) -> int:
    """Write down that a migration without a transaction is tried; return how many of its statements are through."""
    given = {"title": title, "name": name, "checksum": checksum, "steps": steps, "version": __version__}
    row = connection.execute(statement("schema_history", "begin"), given).fetchone()
    return int(row[0]) if row else 0


def step(connection: psycopg.Connection, title: str, name: str, done: int) -> None:
    """Write down how many statements are through."""
    connection.execute(statement("schema_history", "step"), {"title": title, "name": name, "done": done})


def applied(
    connection: psycopg.Connection, title: str, name: str, checksum: str, steps: int, started_at: datetime
) -> None:
    """Write down that a migration is through, in the caller's transaction."""
    given = _given(title, name, checksum, steps) | {"started_at": started_at}
    connection.execute(statement("schema_history", "applied"), given)


def failed(
    connection: psycopg.Connection, title: str, name: str, checksum: str, steps: int, started_at: datetime, fault: str
) -> bool:
    """Write down what the server said; return False where the migration got through all the same: its commit did, and
    the answer to that was lost."""
    given = _given(title, name, checksum, steps) | {"started_at": started_at, "fault": fault[:_LONGEST_FAULT]}
    return connection.execute(statement("schema_history", "failed"), given).rowcount > 0


def told(
    connection: psycopg.Connection,
    title: str,
    name: str,
    checksum: str,
    steps: int,
    *,
    state: State,
    done: int,
    whose: Whose,
    applied_at: datetime | None = None,
) -> None:
    """Write down what Isthmus did not do itself, on somebody's word, in the caller's transaction.

    Args:
        connection: In the caller's transaction.
        title: What the settings call the schema.
        name: The migration's.
        checksum: SHA-256 of its file as it is now, hex.
        steps: Statements that it has.
        state: What is said of it.
        done: How many statements are through.
        whose: Who says so.
        applied_at: When it was applied; None where nobody knows.
    """
    given = {"state": state, "done": done, "whose": whose, "applied_at": applied_at}
    connection.execute(statement("schema_history", "told"), _given(title, name, checksum, steps) | given)


def forget(connection: psycopg.Connection, title: str, name: str) -> None:
    """Take a migration out of the history."""
    connection.execute(statement("schema_history", "forget"), {"title": title, "name": name})


def _given(title: str, name: str, checksum: str, steps: int) -> dict[str, Any]:
    return {"title": title, "name": name, "checksum": checksum, "steps": steps, "version": __version__}
