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
        doubtful: Whether another way of its route leads to a row: it is an orphan only if the document names the
            collection it means (a DBRef), which only the document tells.
    """

    table: str
    column: str
    row_id: str
    positions: tuple[int, ...]
    target_id: str
    action: str
    doubtful: bool = False


def read_orphans(connection: psycopg.Connection[Any], run: int, schema: TargetSchema) -> Iterator[Orphan]:
    """Yield the orphans of a run that point at no row of the target now; of routes also those that are doubtful."""
    for table_name, column_name in connection.execute(_PLACES, (run,)).fetchall():
        table = schema.tables.get(table_name)
        if table is None:
            continue
        queries = {False: orphans_of(run, schema, table, column_name)}
        if (doubtful := _doubtful(run, schema, table, column_name)) is not None:
            queries[True] = doubtful
        for is_doubtful, query in queries.items():
            for row_id, positions, target_id, action in connection.execute(query):
                yield Orphan(table_name, column_name, row_id, tuple(positions or ()), target_id, action, is_doubtful)


def orphans_of(run: int, schema: TargetSchema, table: Table, column: str) -> sql.Composed:
    """Return the query for those of a column, or of a route by its name in the ledger: row, positions, what it holds,
    action.
    """
    there = [sql.SQL(" AND NOT ") + one for one in _there(schema, table, column)]
    return sql.Composed([_select(run, table, column), *there])


def _doubtful(run: int, schema: TargetSchema, table: Table, column: str) -> sql.Composed | None:
    """Return the same query for those of a route that some of its ways, but not all, lead to a row; None elsewhere."""
    there = list(_there(schema, table, column))
    if len(there) < 2:
        return None
    some, every = sql.SQL(" OR ").join(there), sql.SQL(" AND ").join(there)
    return _select(run, table, column) + sql.SQL(" AND ({}) AND NOT ({})").format(some, every)


def _select(run: int, table: Table, column: str) -> sql.Composed:
    return sql.SQL(_SELECT).format(run=sql.Literal(run), table=sql.Literal(table.name), column=sql.Literal(column))


def _there(schema: TargetSchema, table: Table, column: str) -> Iterator[sql.Composed]:
    """Yield conditions that are true of what points at a row, one for each table it may point at."""
    for one in table.columns:
        reference = one.reference
        if reference is None or column not in {one.name, "|".join(reference.routed)}:
            continue
        key = _key(schema, reference)
        if key is not None:
            yield sql.SQL("EXISTS (SELECT FROM {} t WHERE t.{}::text = o.target_id)").format(
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
