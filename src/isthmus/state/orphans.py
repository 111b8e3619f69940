"""Read the orphan ledger: references that led nowhere, by the runs that found them. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import psycopg

from isthmus.connect.postgres import first_number
from isthmus.state.acknowledgements import Scope
from isthmus.state.reports import pages, places
from isthmus.state.statements import statement


@dataclass(frozen=True)
class OrphanLine:
    """A row of the orphan ledger; `old_id` is printable, `position` counts from 0 inside child tables."""

    id: int
    run: int
    collection: str
    table: str
    column: str
    row_id: str
    position: list[int] | None
    target_collection: str
    old_id: str | None
    action: str
    by_default: bool


@dataclass(frozen=True)
class OrphanCount:
    """Orphans of one run that are alike; attributes as of `OrphanLine`."""

    run: int
    table: str
    column: str
    action: str
    by_default: bool
    count: int


def list_orphans(
    connection: psycopg.Connection, scope: Scope, *, table: str | None = None, limit: int | None = None
) -> Iterator[OrphanLine]:
    """Yield the orphans of some runs, oldest first; reads page by page."""
    for row in pages(connection, "list_orphans", {**places(scope), "table": table}, limit):
        yield OrphanLine(*row)


def count_orphans(connection: psycopg.Connection, scope: Scope, *, table: str | None = None) -> int:
    """Return how many orphans of some runs a filter meets."""
    return first_number(connection.execute(statement("report", "count_orphans"), {**places(scope), "table": table}))


def orphan_counts(connection: psycopg.Connection, scope: Scope) -> list[OrphanCount]:
    """Return how many orphans some runs found, by run, reference and what was done."""
    rows = connection.execute(statement("report", "orphan_counts"), places(scope)).fetchall()
    return [OrphanCount(int(r), str(t), str(c), str(a), bool(d), int(n)) for r, t, c, a, d, n in rows]
