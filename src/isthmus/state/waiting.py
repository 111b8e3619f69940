"""References that wait for a later copy, and those among them that lead nowhere as far as copies have come.

A reference waits for a collection that no copy has carried yet. Once one has, and the row is still not there, it leads
nowhere; it stays in `isthmus.pending_reference` all the same, for a document may come yet.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import psycopg

from isthmus.mapping import Mapping, parse_mapping
from isthmus.mapping.tables import build_schema
from isthmus.state.runs import Run
from isthmus.state.statements import statement

_AT_ONCE = 2_000


@dataclass(frozen=True)
class Waiting:
    """References of one column that wait for rows of one table.

    Attributes:
        table: Table of the rows that hold them.
        column: The column; of a place inside jsonb with its path.
        points_at: The table.
        count: How many.
        lead_nowhere: Whether copies have carried all that fills the table, so that no copy that was asked for brings
            the rows.
    """

    table: str
    column: str
    points_at: str
    count: int
    lead_nowhere: bool


@dataclass(frozen=True)
class WaitingLine:
    """One of them.

    Attributes:
        row_id: Id of the root row that holds it.
        position: Position inside child tables, from 0; empty for a root row.
        target_id: The id that the row would have.
    """

    table: str
    column: str
    row_id: str
    position: list[int]
    points_at: str
    target_id: str
    lead_nowhere: bool


def waiting_references(connection: psycopg.Connection, run: Run, *, table: str | None = None) -> list[Waiting]:
    """Return how many references wait, column by column; reads only.

    Args:
        connection: The target.
        run: Its newest run, whose mapping says what fills the tables.
        table: Only those of this table.
    """
    if not _is_there(connection):
        return []
    given = {"schema": run.target_schema, "table": table}
    rows = connection.execute(statement("report", "waiting_references"), given).fetchall()
    decided = _Decided(connection, run) if rows else None
    return [
        Waiting(str(name), str(column), str(to), int(n), decided is not None and decided.for_good(name, column, to))
        for name, column, to, n in rows
    ]


def list_waiting(
    connection: psycopg.Connection, run: Run, *, table: str | None = None, limit: int | None = None
) -> Iterator[WaitingLine]:
    """Yield the references themselves, oldest first; reads page by page.

    Args:
        connection: The target.
        run: Its newest run.
        table: Only those of this table.
        limit: Most to yield; None for all.
    """
    if not _is_there(connection):
        return
    decided = _Decided(connection, run)
    after, left = 0, limit
    while left is None or left > 0:
        page = _AT_ONCE if left is None else min(left, _AT_ONCE)
        given = {"schema": run.target_schema, "table": table, "after": after, "limit": page}
        rows = connection.execute(statement("report", "list_waiting"), given).fetchall()
        for number, name, column, row_id, position, to, target_id in rows:
            nowhere = decided.for_good(name, column, to)
            yield WaitingLine(name, column, row_id, list(position), to, target_id, nowhere)
            after = number
        if len(rows) < page:
            return
        left = None if left is None else left - len(rows)


def filled_by(mapping: Mapping, collections: Collection[str]) -> frozenset[str]:
    """Return the root tables all of whose source collections are among some. Pure."""
    sources: dict[str, set[str]] = {}
    for rule in mapping.collections.values():
        sources.setdefault(rule.table, set()).update(rule.source_names)
    return frozenset(name for name, own in sources.items() if own <= set(collections))


class _Decided:
    """Tells what copies have brought as far as they were asked to, by the mapping of a run."""

    def __init__(self, connection: psycopg.Connection, run: Run) -> None:
        mapping = parse_mapping(run.mapping_text, file_name="the run's mapping")
        rows = connection.execute(
            statement("report", "carried_collections"),
            {"schema": run.target_schema, "all": list(mapping.source_collections)},
        ).fetchall()
        self._carried = filled_by(mapping, [str(name) for (name,) in rows])
        self._routes: dict[tuple[str, str], set[str]] = {}
        for table in build_schema(mapping).tables.values():
            aims = {column.name: column.reference for column in table.columns if column.reference is not None}
            for name, reference in aims.items():
                if reference.routed:
                    self._routes[table.name, name] = {aims[one].table for one in reference.routed}

    def for_good(self, table: str, column: str, points_at: str) -> bool:
        """Tell whether everything was carried that a reference may lead to: of a route all its tables."""
        return self._routes.get((table, column), {points_at}) <= self._carried


def _is_there(connection: psycopg.Connection) -> bool:
    row = connection.execute("SELECT to_regclass('isthmus.pending_reference') IS NOT NULL").fetchone()
    return bool(row and row[0])  # a state that an older version made lacks it
