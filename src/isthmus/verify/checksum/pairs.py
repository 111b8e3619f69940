"""The pairs of junction tables: what all arrays of the source name, as a set, against what the target holds.

Both sides of a relation may name a pair, so pairs are no sum: they go into temporary tables of the target's server, and
are compared there. Nothing of the target is changed; the temporary tables go with the connection.
"""

from __future__ import annotations

import threading
from typing import Any

import psycopg
from psycopg import sql

from isthmus._rust import Batch
from isthmus.connect.binary_copy import send_copy
from isthmus.connect.postgres import first_number
from isthmus.mapping.plan_tables import PlanTable
from isthmus.mapping.tables import Column, PendingTable, Table
from isthmus.verify.joined import JOINED
from isthmus.verify.result import MOST_LISTED, ColumnCheck, LayerResult
from isthmus.verify.subject import Subject


class PairStore:
    """Pairs that documents name, in temporary tables.

    Args:
        subject: What is verified.
        connection: Sees the same instant; for the pairs alone.
        pending: Where values wait for finish.
        left_out: Junctions that are left to the oracle.
    """

    def __init__(
        self,
        subject: Subject,
        connection: psycopg.Connection[Any],
        pending: list[PendingTable],
        left_out: frozenset[str],
    ) -> None:
        self._subject = subject
        self._connection = connection
        self._mutex = threading.Lock()
        tables = [table for table in subject.schema.tables.values() if table.kind == "junction"]
        roots = (table for table in subject.schema.tables.values() if table.kind == "root")
        self._merging = {root.name: list(root.collections) for root in roots if subject.mapping.joins(root.entries)}
        self._junctions = {table.name: table for table in tables if table.name not in left_out}
        self._places = {name: sql.Identifier("pg_temp", f"pairs_{n}") for n, name in enumerate(self._junctions)}
        self._pending = {one.name: one for one in pending if one.pairs and one.table in self._junctions}
        for name, place in self._places.items():
            there = sql.Identifier(subject.schema.schema, name)
            connection.execute(
                sql.SQL("CREATE TEMPORARY TABLE {} AS SELECT * FROM {} WHERE false").format(place, there)
            )
        for one in self._pending.values():
            columns = [
                sql.SQL("{} {}").format(
                    sql.Identifier(column.name),
                    sql.SQL(column.type.sql(subject.schema.schema)),  # pyright: ignore[reportArgumentType]  of the mapping
                )
                for column in one.columns
            ]
            place = sql.Identifier("pg_temp", one.name)
            connection.execute(sql.SQL("CREATE TEMPORARY TABLE {} ({})").format(place, sql.SQL(", ").join(columns)))

    def add(self, tables: tuple[PlanTable, ...], batch: Batch) -> None:
        """Take the pairs of a batch; from any thread."""
        for table in tables:
            if table.kind != "junction" or table.name not in self._junctions or not batch.rows(table.index):
                continue
            place = sql.Identifier("pg_temp", table.waiting) if table.waiting else self._places[table.name]
            statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(
                place, sql.SQL(", ").join(map(sql.Identifier, table.columns))
            )
            with self._mutex:
                rows = batch.rows(table.index)
                send_copy(self._connection, statement, table.name, batch.copy_data(table.index), rows)

    def compare(self, result: LayerResult) -> None:
        """Enter the pairs that are missing and those that nobody names."""
        for one in self._pending.values():
            self._resolve(one, result)
        for table in self._junctions.values():
            self._compare(table, result)

    def _resolve(self, pending: PendingTable, result: LayerResult) -> None:
        """Look the other end of waiting pairs up, and enter what leads nowhere and is not in the ledger."""
        reference = pending.reference
        target = self._subject.schema.tables[reference.table]
        by = reference.by or next(c.name for c in target.columns if c.role == "id")
        own = pending.keys[0][0]
        self._follow(sql.Identifier("pg_temp", pending.name), own, self._junctions[pending.table])
        parts = {
            "pairs": self._places[pending.table],
            "own": sql.Identifier(own),
            "other": sql.Identifier(pending.column),
            "held": sql.Identifier(reference.column),
            "waiting": sql.Identifier("pg_temp", pending.name),
            "target": sql.Identifier(self._subject.schema.schema, reference.table),
            "by": sql.Identifier(by),
            "run": sql.Literal(self._subject.run.id),
            "table": sql.Literal(pending.table),
            "column": sql.Literal(pending.column),
            "most": sql.Literal(MOST_LISTED),
        }
        found = (
            "INSERT INTO {pairs} ({own}, {other}) SELECT w.{own}, t.{held} FROM {waiting} w JOIN {target} t"
            " ON t.{by} = w.{other}"
        )
        self._connection.execute(sql.SQL(found).format(**parts))
        lost = (
            "SELECT w.{own}::text, w.{other}::text, count(*) OVER () FROM {waiting} w"
            " WHERE NOT EXISTS (SELECT FROM {target} t WHERE t.{by} = w.{other})"
            " AND NOT EXISTS (SELECT FROM isthmus.orphan o WHERE o.run_id = {run} AND o.table_name = {table}"
            " AND o.column_name = {column} AND o.row_id = w.{own}::text AND o.target_id = w.{other}::text)"
            " ORDER BY 1, 2 LIMIT {most}"
        )
        rows = self._connection.execute(sql.SQL(lost).format(**parts)).fetchall()
        self._enter(self._junctions[pending.table], "missing", rows, result)

    def _compare(self, table: Table, result: LayerResult) -> None:
        place, there = self._places[table.name], sql.Identifier(self._subject.schema.schema, table.name)
        self._connection.execute(sql.SQL("ANALYZE {}").format(place))
        for column in table.columns:
            self._follow(place, column.name, table)
        dropped = self._forget_orphans(table)
        first, second = (sql.Identifier(column.name) for column in table.columns)
        same = sql.SQL("a.{0} = b.{0} AND a.{1} = b.{1}").format(first, second)
        compared = first_number(self._connection.execute(sql.SQL("SELECT count(*) FROM {}").format(there)))
        result.checked += compared
        result.columns.append(ColumnCheck(table.name, "", compared=compared, accounted=dropped))
        for here, other, word in ((place, there, "missing"), (there, place, "extra")):
            query = sql.SQL(
                "SELECT {0}::text, {1}::text, count(*) OVER () FROM (SELECT DISTINCT {0}, {1} FROM {2}) a"
                " WHERE NOT EXISTS (SELECT FROM {3} b WHERE {4}) ORDER BY 1, 2 LIMIT {5}"
            ).format(first, second, here, other, same, sql.Literal(MOST_LISTED))
            self._enter(table, word, self._connection.execute(query).fetchall(), result)
        query = sql.SQL("SELECT {0}::text, {1}::text FROM {2} GROUP BY {0}, {1} HAVING count(*) > 1 LIMIT {3}").format(
            first, second, there, sql.Literal(MOST_LISTED)
        )
        for one, two in self._connection.execute(query):
            pair = self._subject.hiding.row(table.name, f"{one}/{two}")
            result.differs(table.name, "(row)", f"{table.name} holds the pair {pair} more than once.", id=pair)

    def _enter(self, table: Table, word: str, rows: list[tuple[Any, ...]], result: LayerResult) -> None:
        hiding = self._subject.hiding
        for one, two, _ in rows:
            pair = f"{one}/{two}"
            shown = hiding.row(table.name, pair)
            if word == "missing":
                message = f"{table.name} lacks the pair {shown}, which documents of the source name."
                result.differs(table.name, "(row)", message, id=shown, expected=shown)
            else:
                message = f"{table.name} holds the pair {shown}, which no document of the source names."
                result.differs(table.name, "(row)", message, id=shown, actual=shown)
        if rows and rows[0][2] > len(rows):
            result.more(table.name, "(row)", rows[0][2] - len(rows))

    def _follow(self, place: sql.Identifier, column: str, table: Table) -> None:
        """Let pairs whose end is a joined document name the row that it became part of."""
        reference = table.column(column).reference
        if reference is None or reference.table not in self._merging:
            return
        statement = (
            "UPDATE {pairs} p SET {column} = m.id::{kind} FROM {joined} m WHERE m.collection = ANY({names})"
            " AND m.derived_id = p.{column}::text"
        )
        self._connection.execute(
            sql.SQL(statement).format(
                pairs=place,
                joined=sql.SQL(JOINED),
                column=sql.Identifier(column),
                kind=sql.SQL(table.column(column).type.sql(self._subject.schema.schema)),  # pyright: ignore[reportArgumentType]  of the mapping
                names=sql.Literal(self._merging[reference.table]),
            )
        )

    def _names(self, column: Column) -> sql.Composed:
        """Return SQL that is true where the ledger (`o`) names the row that a pair (`p`) belongs to."""
        own = sql.SQL("p.{}::text").format(sql.Identifier(column.name))
        names = self._merging.get(column.reference.table) if column.reference is not None else None
        if names is None:
            return sql.SQL("o.row_id = {}").format(own)
        return sql.SQL(
            "(o.row_id = {own} OR EXISTS (SELECT FROM {joined} m WHERE m.collection = ANY({names})"
            " AND m.derived_id = o.row_id AND m.id = {own}))"
        ).format(own=own, joined=sql.SQL(JOINED), names=sql.Literal(names))

    def _forget_orphans(self, table: Table) -> int:
        """Leave out pairs with an end that is not there, where the ledger has them; return how many."""
        forgotten = 0
        for column in table.columns:
            reference = column.reference
            other = next(one for one in table.columns if one is not column)
            if reference is None:
                continue
            forgotten += self._connection.execute(
                sql.SQL(
                    "DELETE FROM {pairs} p USING isthmus.orphan o WHERE o.run_id = {run} AND o.table_name = {table}"
                    " AND o.column_name = {name} AND o.action = 'drop' AND {its} AND o.target_id = p.{column}::text"
                    " AND NOT EXISTS (SELECT FROM {target} t WHERE t.{held} = p.{column})"
                ).format(
                    pairs=self._places[table.name],
                    run=sql.Literal(self._subject.run.id),
                    table=sql.Literal(table.name),
                    name=sql.Literal(column.name),
                    its=self._names(other),
                    column=sql.Identifier(column.name),
                    target=sql.Identifier(self._subject.schema.schema, reference.table),
                    held=sql.Identifier(reference.column),
                )
            ).rowcount
        return forgotten
