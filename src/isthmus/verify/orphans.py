"""The ledger of orphans, as far as it can be believed: an orphan that points at a row is none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from isthmus.mapping.tables import Reference, Table, TargetSchema

_PLACES = """
SELECT DISTINCT table_name, column_name FROM isthmus.orphan WHERE run_id = %s AND action IN ('null', 'drop')
ORDER BY 1, 2
"""
_SELECT = (
    "SELECT o.row_id, o.row_position, o.target_id, o.action FROM isthmus.orphan o WHERE o.run_id = {run}"
    " AND o.action IN ('null', 'drop') AND o.table_name = {table} AND o.column_name = {column}"
)


@dataclass(frozen=True)
class Orphan:
    """A reference that points at nothing, and was set to NULL or left out.

    Attributes:
        table: Its table.
        column: Its column; of a route its columns joined with `|`.
        row_id: Id of the root row.
        positions: Of the child row, outermost first; in an array of references also that of the element.
        target_id: What it holds.
        action: `null` or `drop`.
    """

    table: str
    column: str
    row_id: str
    positions: tuple[int, ...]
    target_id: str
    action: str


def read_orphans(connection: psycopg.Connection[Any], run: int, schema: TargetSchema) -> Iterator[Orphan]:
    """Yield the orphans of a run that point at no row of the target now."""
    for table_name, column_name in connection.execute(_PLACES, (run,)).fetchall():
        table = schema.tables.get(table_name)
        if table is None:
            continue
        for row_id, positions, target_id, action in connection.execute(orphans_of(run, schema, table, column_name)):
            yield Orphan(table_name, column_name, row_id, tuple(positions or ()), target_id, action)


def orphans_of(run: int, schema: TargetSchema, table: Table, column: str) -> sql.Composed:
    """Return the query for those of a column, or of a route by its name in the ledger: row, positions, what it holds,
    action.
    """
    query = sql.SQL(_SELECT).format(run=sql.Literal(run), table=sql.Literal(table.name), column=sql.Literal(column))
    return sql.Composed([query, *_there(schema, table, column)])


def _there(schema: TargetSchema, table: Table, column: str) -> Iterator[sql.Composed]:
    """Yield conditions that are false of what points at a row, one for each table it may point at."""
    for one in table.columns:
        reference = one.reference
        if reference is None or column not in {one.name, "|".join(reference.routed)}:
            continue
        key = _key(schema, reference)
        if key is not None:
            yield sql.SQL(" AND NOT EXISTS (SELECT FROM {} t WHERE t.{}::text = o.target_id)").format(
                sql.Identifier(schema.schema, reference.table), sql.Identifier(key)
            )


def _key(schema: TargetSchema, reference: Reference) -> str | None:
    """Return the column that a reference's value is compared with; None where the finished table does not keep it."""
    target = schema.tables[reference.table].final
    if not reference.lookup:
        return reference.column
    if reference.by is not None:
        column = next((one for one in target.columns if one.name == reference.by), None)
        return None if column is None or column.waits else column.name
    return next((one.name for one in target.columns if one.role == "id"), None)
