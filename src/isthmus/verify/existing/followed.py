"""Where the documents that references name are in tables that were there before: for the plain oracle of *samples*.

Known are ids: those that were derived, and what `isthmus.id_map` says these became. What is looked up by other values
is not: rows of others may hold them, and which of them was meant the checksum knows.
"""

from __future__ import annotations

from collections.abc import Collection

import psycopg
from psycopg import sql

from isthmus.connect.real_columns import ThereColumn
from isthmus.mapping.tables import Column, Table
from isthmus.verify.existing.given import key_column
from isthmus.verify.existing.known import Known
from isthmus.verify.remembered import Remembered

_KEPT = 100_000
_BASES = {"uuid": "uuid", "smallint": "int2", "integer": "int4", "bigint": "int8", "numeric": "numeric"}
"""Kind of the mapping → the server's name of the type that holds just its values; texts hold any."""
_TEXTS = {"text", "varchar"}
_LOOKED_UP = "It is looked up by another field than the id, which rows of others may hold, too: checksum compares it."
_WITHOUT_ID = "It leads to a table that keeps no id: checksum compares it."
_OTHER_TYPE = "Ids have another type there than in the mapping: checksum compares it."
_WAITS = "References of it wait for what was not carried: checksum compares it."


class Followed:
    """Follows ids to rows; see `reference.finishing.There`. For one thread.

    Args:
        known: The rows.
    """

    def __init__(self, known: Known) -> None:
        self._known = known
        self._rows = Remembered(self._rows_of, _KEPT)
        self._are_there = Remembered(self._have, _KEPT)

    def row_of(self, table: str, document_id: str) -> str:
        """Return the id of the row that a document of a root table is."""
        return self._rows.find(table, document_id) if self._known.has_moved(table) else document_id

    def prepare(self, table: str, document_ids: Collection[str]) -> None:
        """Find several rows at once."""
        if self._known.has_moved(table):
            self._rows.prepare(table, document_ids)
        self._are_there.prepare(table, document_ids)

    def has(self, table: str, document_id: str) -> bool:
        """Tell whether a root table has the row that a document with this id is."""
        return self._are_there.find(table, document_id)

    def _rows_of(self, table: str, document_ids: list[str]) -> list[str]:
        found = self._known.rows(
            "SELECT given_id, row_id FROM {moved} WHERE given_id = ANY({ids}::text[])",
            moved=self._known.given.place(table, "moved"),
            ids=sql.Literal(document_ids),
        )
        moved = {str(given): str(row) for given, row in found}
        return [moved.get(one, one) for one in document_ids]

    def _have(self, table: str, document_ids: list[str]) -> list[bool]:
        known = self._known
        key = key_column(known.subject.schema.tables[table])
        there = known.there.columns[table].get(key)
        if there is None:
            return [False] * len(document_ids)
        try:
            with known.given.connection.transaction():
                found = known.rows(
                    "SELECT one.place FROM unnest({ids}::text[]) WITH ORDINALITY AS one (id, place)"
                    " WHERE EXISTS (SELECT FROM {real} t WHERE t.{key} = {value})",
                    ids=sql.Literal([self.row_of(table, one) for one in document_ids]),
                    real=known.real(table),
                    key=sql.Identifier(key),
                    value=there.value(sql.SQL("one.id")),
                )
        except psycopg.DataError:  # one is no value of the column's type
            if len(document_ids) == 1:
                return [False]
            middle = len(document_ids) // 2
            return [*self._have(table, document_ids[:middle]), *self._have(table, document_ids[middle:])]
        places = {int(place) for (place,) in found}
        return [place in places for place in range(1, len(document_ids) + 1)]


def why_not_followed(known: Known, table: Table, column: Column, waiting: Collection[tuple[str, str]]) -> str:
    """Return why the oracle cannot say what references of a column hold, a sentence; empty where it can.

    Args:
        known: The rows.
        table: The column's table.
        column: The column.
        waiting: (table, column) of references that wait.
    """
    there = known.column(table, column.name)
    entries = known.subject.mapping.collections
    tables = known.subject.schema.tables
    for target in {
        tables[entries[entry].table].name: tables[entries[entry].table] for _, entry in column.rewrites
    }.values():
        id_there = known.column(target, key_column(target))
        if id_there is None:
            return _WITHOUT_ID
        if not (id_there.as_text or id_there.base == "uuid"):
            return _OTHER_TYPE
    reference = column.reference
    if reference is None:
        return ""
    if reference.by is not None or (reference.lookup and not reference.routed):
        return _LOOKED_UP
    target = tables[reference.table]
    if target.column(key_column(target)).hidden:
        return _WITHOUT_ID
    if there is not None and not _holds_the_same(column, there):
        return _OTHER_TYPE
    is_open = column.type.array or reference.routed
    return _WAITS if is_open and (table.name, column.name) in waiting else ""


def _holds_the_same(column: Column, there: ThereColumn) -> bool:
    kind = column.type.kind
    return kind in _TEXTS or there.base.removeprefix("_") == _BASES.get(kind)
