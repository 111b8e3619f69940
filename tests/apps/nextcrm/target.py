"""Asks a NextCRM target with SQL of its own: rows by label, ledgers, pairs. Imports nothing from isthmus."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

import bson
import psycopg
from psycopg import sql
from psycopg.rows import dict_row


class Target:
    """The tables and ledgers of one copy.

    Args:
        connection: To the target.
        labels: By table, the column by which rows are found.
    """

    def __init__(self, connection: psycopg.Connection[Any], labels: dict[str, str]) -> None:
        self.connection, self.labels = connection, labels
        self._ids: dict[str, dict[str, UUID]] = {}

    def count(self, table: str) -> int:
        """How many rows a table has."""
        return self._one(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table)))

    def ids(self, table: str) -> dict[str, UUID]:
        """The id of every row, by its label."""
        if table not in self._ids:
            query = sql.SQL("SELECT {}, id FROM {}").format(sql.Identifier(self.labels[table]), sql.Identifier(table))
            rows = self.connection.execute(query).fetchall()
            self._ids[table] = dict(rows)
            assert len(self._ids[table]) == len(rows), f"two rows of {table} have one label"
        return self._ids[table]

    def row(self, table: str, label: str) -> dict[str, Any]:
        """The row with a label; instants as ISO text, all else as it comes."""
        query = sql.SQL("SELECT * FROM {} WHERE {} = %s").format(
            sql.Identifier(table), sql.Identifier(self.labels[table])
        )
        with self.connection.cursor(row_factory=dict_row) as cursor:
            found = cursor.execute(query, (label,)).fetchall()
        assert len(found) == 1, f"{len(found)} rows of {table} are called {label!r}"
        return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in found[0].items()}

    def not_null(self, table: str, column: str) -> int:
        """How many rows have a value there."""
        return self._one(sql.SQL("SELECT count({}) FROM {}").format(sql.Identifier(column), sql.Identifier(table)))

    def elements(self, table: str, column: str) -> int:
        """How many elements the arrays of a column have together."""
        query = sql.SQL("SELECT coalesce(sum(cardinality({})), 0) FROM {}")
        return int(self._one(query.format(sql.Identifier(column), sql.Identifier(table))))

    def pairs(self, table: str, columns: tuple[str, str]) -> set[tuple[UUID, UUID]]:
        """Every pair of a junction."""
        query = sql.SQL("SELECT {}, {} FROM {}").format(*map(sql.Identifier, columns), sql.Identifier(table))
        return {(left, right) for left, right in self.connection.execute(query)}

    @cached_property
    def letters(self) -> dict[tuple[str, bytes], tuple[str, bytes]]:
        """Of every dead letter: its code and original bytes, by collection and `{"_id": value}` as BSON."""
        query = "SELECT collection, source_id, code, document FROM isthmus.dead_letter"
        return {(name, bytes(key)): (code, bytes(raw)) for name, key, code, raw in self.connection.execute(query)}

    @cached_property
    def orphans(self) -> list[tuple[str, str, str, str, str, str]]:
        """Of every orphan: collection, table, column, old id as text, action, and the id of the row it stood in."""
        query = """SELECT source_collection, table_name, column_name, old_id_text, action, row_id FROM isthmus.orphan
            ORDER BY id"""
        return [tuple(row) for row in self.connection.execute(query)]

    @cached_property
    def joined(self) -> dict[tuple[str, bytes], str]:
        """Of every document that was joined into another row: that row's id, by collection and `{"_id": value}`."""
        query = "SELECT collection, document, row_id FROM isthmus.conflict WHERE action = 'merged'"
        return {
            (name, bson.encode({"_id": bson.decode(bytes(raw))["_id"]})): row
            for name, raw, row in self.connection.execute(query)
        }

    @cached_property
    def adjustments(self) -> list[tuple[str, bytes, str, str, str]]:
        """Of every change that cannot be turned back: collection, `{"_id": value}`, column, kind, the value before."""
        query = "SELECT collection, source_id, column_name, kind, original FROM isthmus.adjustment ORDER BY id"
        return [(name, bytes(key or b""), *rest) for name, key, *rest in self.connection.execute(query)]

    def _one(self, query: sql.Composed) -> int:
        row = self.connection.execute(query).fetchone()
        assert row is not None
        return row[0]
