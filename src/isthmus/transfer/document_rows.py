"""Which rows of the target are a document's, and how they are deleted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import psycopg
from psycopg import sql

from isthmus.mapping.model import Flow
from isthmus.mapping.tables import HIDDEN_SOURCE, Table
from isthmus.transfer.job import Job
from isthmus.transfer.staging import exists, pair_tables


@dataclass(frozen=True, slots=True)
class DocumentTable:
    """A table that holds rows of a flow's documents.

    Attributes:
        name: Its name in the books: of a table of pairs that wait that of their junction.
        place: Qualified table.
        owner: Column of it with the document's id.
        flow: Number of the flow where rows of others are in the table too, so that these must be told apart.
        kind: What is in it; `waiting` for values that finish looks up, which are no rows in the books.
    """

    name: str
    place: sql.Identifier
    owner: str
    flow: int | None = None
    kind: Literal["rows", "pairs", "waiting"] = "rows"

    @property
    def of_flow(self) -> sql.Composable:
        """SQL condition of the flow's own rows."""
        return of_flow(self.flow)


def tables_of(job: Job, flow: Flow) -> list[DocumentTable]:
    """Return every table that holds rows of a flow's documents; those of what waits may be gone already."""
    schema = job.schema.schema
    found: list[DocumentTable] = []
    for table in job.schema.tables.values():
        if flow in table.flows:
            number = flow.number if len(table.flows) > 1 else None
            found.append(DocumentTable(table.name, sql.Identifier(schema, table.name), key_column(table), number))
    for pairs in pair_tables(job.feeders, job.schema).values():
        if pairs.flow == flow:
            found.append(DocumentTable(pairs.junction, pairs.identifier, pairs.own, kind="pairs"))
    for waiting in job.pending_tables:
        if waiting.flow == flow and not waiting.pairs:
            place = sql.Identifier("isthmus", waiting.name)
            found.append(DocumentTable(waiting.name, place, waiting.keys[0][0], kind="waiting"))
    return found


def of_flow(number: int | None) -> sql.Composable:
    """Return the SQL condition of one flow's rows in a table that several fill; `true` where only one does."""
    if number is None:
        return sql.SQL("true")
    return sql.SQL("{} = {}").format(sql.Identifier(HIDDEN_SOURCE), sql.Literal(number))


def flow_column(table: Table) -> sql.Composable:
    """Return SQL of the number of the flow that a row of a root or child table came by."""
    first, *others = table.flows
    return sql.Identifier(HIDDEN_SOURCE) if others else sql.SQL("{}::smallint").format(sql.Literal(first.number))


def key_column(table: Table) -> str:
    """Return the column that holds the root document's id: `id` of a root table, `<parent>_id` of a child table."""
    for column in table.columns:
        if column.role in {"id", "root_id"}:
            return column.name
    raise KeyError(table.name)


def key_type(table: Table, schema: str) -> sql.SQL:
    """Return the SQL type of that column."""
    column = next(column for column in table.columns if column.role in {"id", "root_id"})
    return sql.SQL(column.type.sql(schema))  # pyright: ignore[reportArgumentType]  made by the mapping, not by users


def delete_rows(job: Job, connection: psycopg.Connection, flow: Flow, ids: Iterable[str]) -> None:
    """Delete every row of these documents of a flow, inside the caller's transaction."""
    wanted = list(ids)
    kind = key_type(job.root_of(flow), job.schema.schema)
    for table in tables_of(job, flow):
        if table.kind == "waiting" and not exists(connection, table.place):
            continue
        connection.execute(
            sql.SQL("DELETE FROM {} WHERE {} = ANY(%s::{}[]) AND {}").format(
                table.place, sql.Identifier(table.owner), kind, table.of_flow
            ),
            (wanted,),
        )
