"""Read the ledgers for people and programs: dead letters, orphans, status. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from isthmus.errors import ConfigError, TargetError
from isthmus.state.lease import LOCK
from isthmus.state.migrate import state_exists
from isthmus.state.runs import Run, latest_run
from isthmus.state.statements import statement

_PAGE = 500


@dataclass(frozen=True)
class LetterLine:
    """A dead letter without its bytes; attributes as in `isthmus.dead_letter`, `size_bytes` of the document."""

    id: int
    collection: str
    source_id: str | None
    location: str
    stage: str
    code: str
    path: str
    message: str
    size_bytes: int
    created_at: datetime


@dataclass(frozen=True)
class Letter(LetterLine):
    """A dead letter with all causes and its bytes."""

    causes: list[dict[str, Any]]
    document: bytes


@dataclass(frozen=True)
class OrphanLine:
    """A row of the orphan ledger; `old_id` is printable, `position` counts from 0 inside child tables."""

    id: int
    collection: str
    table: str
    column: str
    row_id: str
    position: list[int] | None
    target_collection: str
    old_id: str | None
    action: str
    by_default: bool


def require_run(connection: psycopg.Connection) -> Run:
    """Return the newest run of a target.

    Raises:
        TargetError: Nothing was ever copied to it (code `no-run`).
    """
    run = latest_run(connection) if state_exists(connection) else None
    if run is None:
        raise TargetError(
            "This target holds no run of Isthmus.",
            code="no-run",
            hint="Check --target, or begin with isthmus copy.",
        )
    return run


def is_running(connection: psycopg.Connection) -> bool:
    """Tell whether some isthmus is writing to this database now."""
    row = connection.execute(statement("report", "is_running"), {"class": LOCK[0], "object": LOCK[1]}).fetchone()
    return bool(row and row[0])


def count_letters(
    connection: psycopg.Connection, run: int, *, collection: str | None = None, code: str | None = None
) -> int:
    """Return how many dead letters a filter meets."""
    row = connection.execute(
        statement("report", "count_letters"), {"run": run, "collection": collection, "code": code}
    ).fetchone()
    return int(row[0]) if row else 0


def list_letters(
    connection: psycopg.Connection,
    run: int,
    *,
    collection: str | None = None,
    code: str | None = None,
    limit: int | None = None,
) -> Iterator[LetterLine]:
    """Yield dead letters without bytes, oldest first; reads page by page."""
    after, left = 0, limit
    while left is None or left > 0:
        rows = connection.execute(
            statement("report", "list_letters"),
            {
                "run": run,
                "after": after,
                "collection": collection,
                "code": code,
                "limit": _PAGE if left is None else min(_PAGE, left),
            },
        ).fetchall()
        if not rows:
            return
        for row in rows:
            yield LetterLine(*row)
        after = int(rows[-1][0])
        left = None if left is None else left - len(rows)


def read_letter(connection: psycopg.Connection, run: int, number: int) -> Letter:
    """Return one dead letter with its bytes.

    Raises:
        ConfigError: There is no such letter (code `no-letter`).
    """
    row = connection.execute(statement("report", "read_letter"), {"run": run, "id": number}).fetchone()
    if row is None:
        raise ConfigError(
            f"Run {run} has no dead letter {number}.", code="no-letter", hint="isthmus letters list shows the numbers."
        )
    return Letter(*row)


def list_orphans(
    connection: psycopg.Connection, run: int, *, table: str | None = None, limit: int | None = None
) -> Iterator[OrphanLine]:
    """Yield the orphan ledger, oldest first; reads page by page."""
    after, left = 0, limit
    while left is None or left > 0:
        rows = connection.execute(
            statement("report", "list_orphans"),
            {"run": run, "after": after, "table": table, "limit": _PAGE if left is None else min(_PAGE, left)},
        ).fetchall()
        if not rows:
            return
        for row in rows:
            yield OrphanLine(*row)
        after = int(rows[-1][0])
        left = None if left is None else left - len(rows)


def count_orphans(connection: psycopg.Connection, run: int, *, table: str | None = None) -> int:
    """Return how many orphans a filter meets."""
    row = connection.execute(statement("report", "count_orphans"), {"run": run, "table": table}).fetchone()
    return int(row[0]) if row else 0


def letter_counts(connection: psycopg.Connection, run: int) -> list[tuple[str, str, str, int]]:
    """Return (collection, stage, code, count) of all dead letters."""
    rows = connection.execute(statement("ledger", "letter_counts"), {"run": run}).fetchall()
    return [(str(c), str(s), str(k), int(n)) for c, s, k, n in rows]


def orphan_counts(connection: psycopg.Connection, run: int) -> list[tuple[str, str, str, bool, int]]:
    """Return (table, column, action, by default, count) of all orphans."""
    rows = connection.execute(statement("ledger", "orphan_counts"), {"run": run}).fetchall()
    return [(str(t), str(c), str(a), bool(d), int(n)) for t, c, a, d, n in rows]
