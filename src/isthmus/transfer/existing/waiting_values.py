"""Values of references that wait, as they are compared: with what they will be once what they lead to is there.

Two tables of the session list them, both of one shape: `WAITING` those of the stage, `THERE` those of the real tables.
"""

from __future__ import annotations

from dataclasses import dataclass

import psycopg
from psycopg import sql

from isthmus.transfer.existing.names import STAGE
from isthmus.transfer.finishing.references import ReferenceSite
from isthmus.transfer.job import Job
from isthmus.transfer.staging import exists

WAITING = sql.Identifier("pg_temp", "waiting")
THERE = sql.Identifier("pg_temp", "waits_there")

ASIDE = sql.Identifier(STAGE, "_isthmus_waiting")
"""Values that were looked up and lead outside, of documents in the stage."""

COLUMNS = sql.SQL(
    "number bigint, table_name text, column_name text, own_column text, row_id text, row_position integer[],"
    " target_table text, target_id text, waits text, meant text, done boolean NOT NULL DEFAULT false,"
    " dropped boolean NOT NULL DEFAULT false"
)
"""`waits` is what stands for the value as long as it waits, `meant` what it is behind the delivery.

Of those that are `done` it is settled then: found, or an orphan (NULL, or `dropped` from its array).
"""


MARKED = sql.SQL("{table} || ': ' || {value}::text")
"""What stands for a value that no id stands for."""


@dataclass(frozen=True)
class Place:
    """Where the values of a column stand.

    Attributes:
        ledger: `WAITING` or `THERE`.
        table: The table.
        column: The column.
        row_id: SQL of what a row's document is known by, as text.
        positions: SQL of the row's place inside arrays.
        depth: How many numbers that has.
        value: SQL of the value.
    """

    ledger: sql.Identifier
    table: str
    column: str
    row_id: sql.Composable
    positions: sql.Composable
    depth: int
    value: sql.Composable

    @property
    def listed(self) -> sql.Composed:
        """SQL that is true of entries (`w`) of the row's column, whichever its elements."""
        listed = sql.SQL("w.table_name = {} AND w.column_name = {} AND w.own_column IS NULL AND w.row_id = {}").format(
            sql.Literal(self.table), sql.Literal(self.column), self.row_id
        )
        if not self.depth:  # nothing to compare, and no planner knows how often nothing is nothing
            return listed
        return sql.SQL("{} AND w.row_position[:{}] = {}").format(listed, sql.Literal(self.depth), self.positions)

    def one(self, instead: sql.Composable) -> sql.Composed:
        """Return SQL of the value as text, with what an entry (`w`) says instead of it where it waits."""
        return sql.SQL(
            "(SELECT x.v FROM (SELECT {instead} AS v, 0 AS n FROM {ledger} w WHERE {listed}"
            " AND ({value} IS NULL OR {value}::text = w.target_id) UNION ALL SELECT {value}::text, 1) AS x"
            " ORDER BY x.n LIMIT 1)"
        ).format(instead=instead, ledger=self.ledger, listed=self.listed, value=self.value)

    def array(self, instead: sql.Composable) -> sql.Composed:
        """Return SQL of an array as text, its elements as `one` has a value; `e.v` is the element."""
        return sql.SQL(
            "CASE WHEN {value} IS NOT NULL THEN coalesce((SELECT array_agg(y.v ORDER BY y.n) FROM (SELECT e.n,"
            " CASE WHEN w.target_id IS NULL THEN e.v::text ELSE {instead} END AS v, w.dropped AND w.done AS dropped"
            " FROM unnest({value}) WITH ORDINALITY AS e(v, n) LEFT JOIN LATERAL (SELECT * FROM {ledger} w"
            " WHERE {listed} AND (e.v::text = w.target_id OR e.v IS NULL AND w.row_position[{last}] = e.n - 1) LIMIT 1)"
            " AS w ON true) AS y WHERE y.dropped IS NOT TRUE), '{{}}'::text[])::text END"
        ).format(
            value=self.value,
            instead=instead,
            ledger=self.ledger,
            listed=self.listed,
            last=sql.Literal(self.depth + 1),
        )


def count_aside(job: Job, connection: psycopg.Connection, site: ReferenceSite, ids: list[str]) -> int:
    """Count the values of a column that were set aside, of some documents."""
    if site.shape not in {"column", "array"} or job.existing is None or not exists(connection, ASIDE):
        return 0
    row = connection.execute(
        sql.SQL("SELECT count(*) FROM {} WHERE table_name = %s AND column_name = %s AND row_id = ANY(%s)").format(
            ASIDE
        ),
        (site.table, site.column, ids),
    ).fetchone()
    return int(row[0]) if row else 0


def columns_of(connection: psycopg.Connection, ledger: sql.Identifier) -> set[tuple[str, str]]:
    """Return the columns (table, column) that have entries."""
    rows = connection.execute(
        sql.SQL("SELECT DISTINCT table_name, column_name FROM {} WHERE own_column IS NULL").format(ledger)
    ).fetchall()
    return {(str(table), str(column)) for table, column in rows}
