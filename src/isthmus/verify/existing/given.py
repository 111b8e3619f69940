"""What the documents of the source give, in temporary tables of the target's server: rows as the core makes them.

Enums are texts there. Nothing of the target is changed; the tables go with the connection.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, LiteralString, cast

import psycopg
from psycopg import sql

from isthmus._rust import Batch
from isthmus.connect.binary_copy import send_copy
from isthmus.mapping.plan_tables import PlanTable
from isthmus.mapping.tables import HIDDEN_SOURCE, Column, PendingTable, Table, pending_tables
from isthmus.verify.subject import Subject


def key_column(table: Table) -> str:
    """Return the column that holds the root document's id, hidden or not."""
    return next(column.name for column in table.columns if column.role in {"id", "root_id"})


class Given:
    """The temporary tables.

    Args:
        subject: What is verified.
        connection: Sees the same instant; for these tables alone, under `mutex`.
    """

    def __init__(self, subject: Subject, connection: psycopg.Connection[Any]) -> None:
        self._subject = subject
        self.connection = connection
        self.mutex = threading.Lock()
        self._numbers = {name: number for number, name in enumerate(subject.schema.tables)}
        self.pending = {one.name: one for one in pending_tables(subject.histories[0].mapping)}
        for table in subject.schema.tables.values():
            self._create(self.place(table.name), table.columns)
        for one in self.pending.values():
            self._create(sql.Identifier("pg_temp", one.name), one.columns)

    def place(self, table: str, what: str = "given") -> sql.Identifier:
        """Name a temporary table of a table."""
        return sql.Identifier("pg_temp", f"isthmus_{what}_{self._numbers[table]}")

    def _create(self, place: sql.Identifier, columns: Iterable[Column]) -> None:
        parts = [sql.SQL("{} {}").format(sql.Identifier(one.name), self.kind(one)) for one in columns]
        self.connection.execute(sql.SQL("CREATE TEMPORARY TABLE {} ({})").format(place, sql.SQL(", ").join(parts)))

    def kind(self, column: Column) -> sql.SQL:
        """Return the type that a column has in the temporary tables."""
        kind = column.type
        if kind.kind == "enum":
            kind = replace(kind, kind="text", enum=None)
        return sql.SQL(cast("LiteralString", kind.sql(self._subject.schema.schema)))

    def add(self, tables: tuple[PlanTable, ...], batch: Batch) -> None:
        """Take the rows of a batch; from any thread."""
        for table in tables:
            rows = batch.rows(table.index)
            if not rows:
                continue
            place = sql.Identifier("pg_temp", table.waiting) if table.waiting else self.place(table.name)
            statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(
                place, sql.SQL(", ").join(map(sql.Identifier, table.columns))
            )
            with self.mutex:
                send_copy(self.connection, statement, table.name, batch.copy_data(table.index), rows)

    def settled(self) -> None:
        """Tell the server what the tables hold, once all is given."""
        for table in self._subject.schema.tables.values():
            if table.kind != "junction":
                key = sql.Identifier(key_column(table))
                for form in ("CREATE INDEX ON {} (({}::text))", "CREATE INDEX ON {} ({})"):
                    self.connection.execute(sql.SQL(form).format(self.place(table.name), key))
            self.connection.execute(sql.SQL("ANALYZE {}").format(self.place(table.name)))
        for name in self.pending:
            self.connection.execute(sql.SQL("ANALYZE {}").format(sql.Identifier("pg_temp", name)))

    def of_flow(self, waiting: PendingTable, alias: str) -> sql.Composed:
        """Return SQL that is true of given rows of the flow that something waits of."""
        if len(self._subject.schema.tables[waiting.table].flows) < 2:
            return sql.SQL("true").format()
        return sql.SQL("{}.{} = {}").format(
            sql.Identifier(alias), sql.Identifier(HIDDEN_SOURCE), sql.Literal(waiting.flow.number)
        )


class GivenTaker:
    """Sends the rows of documents to where they are compared."""

    def __init__(self, given: Given, tables: tuple[PlanTable, ...]) -> None:
        self._given = given
        self._tables = tables

    def take(self, documents: bytes, batch: Batch) -> None:
        """See `Taker`."""
        del documents
        self._given.add(self._tables, batch)

    def merge(self, other: GivenTaker) -> None:
        """See `Taker`."""
