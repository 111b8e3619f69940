"""What layers that ask the target itself share: rows named for people, differences listed, columns that are gone.

Indexes are not used to find rows: one that is broken would hide what is wrong.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from isthmus.connect.postgres import meaning
from isthmus.mapping.tables import Table
from isthmus.verify.ours import Ours
from isthmus.verify.result import MOST_LISTED, LayerResult
from isthmus.verify.subject import Subject
from isthmus.work.hidden import HIDDEN

SHOWN_CHARACTERS = 200
_PAGE = 5_000
NOT_OURS = "As far as ids and ledgers tell, that is in rows that were there before the copy."


def of_row(name: str, alias: str = "r") -> sql.Composed:
    """Return SQL of a column of a row."""
    return sql.SQL("{}.{}").format(sql.Identifier(alias), sql.Identifier(name))


def key_column(table: Table) -> str | None:
    """Return the column with the root document's id; None where the table keeps none, or is a junction."""
    for column in table.final.columns:
        if column.role in {"id", "root_id"}:
            return column.name
    return None


def position_columns(table: Table) -> list[str]:
    """Return the position columns of a child table, outermost first."""
    return [column.name for column in table.columns if column.role in {"ancestor_position", "position"}]


def label(table: Table, alias: str = "r") -> sql.Composed:
    """Return SQL of a row's key as text, its parts joined with `/`; NULL where the table has no key."""
    names = table.primary_key or tuple(filter(None, [key_column(table)]))
    parts: list[sql.Composable] = []
    for name in names:
        hidden = table.column(name).sensitive
        parts.append(sql.Literal(HIDDEN) if hidden else sql.SQL("{}::text").format(of_row(name, alias)))
    if not parts:
        return sql.SQL("NULL::text").format()
    return sql.SQL("concat_ws('/', {})").format(sql.SQL(", ").join(parts))


def owner(table: Table, alias: str = "r") -> sql.Composed:
    """Return SQL of the root document's id of a row, as text; NULL where the table keeps none."""
    name = key_column(table)
    return sql.SQL("{}::text").format(of_row(name, alias)) if name else sql.SQL("NULL::text").format()


def shown(value: sql.Composable, *, sensitive: bool) -> sql.Composable:
    """Return SQL of what a report may show of a value."""
    if sensitive:
        return sql.SQL("CASE WHEN ({}) IS NOT NULL THEN {} END").format(value, sql.Literal(HIDDEN))
    return sql.SQL("left(({})::text, {})").format(value, sql.Literal(SHOWN_CHARACTERS))


@dataclass(frozen=True)
class Fault:
    """One thing that rows may do wrong.

    Attributes:
        table: The table.
        path: The column, or what stands for it.
        message: A sentence that says what is wrong.
        expected: What would be right; None for nothing.
        query: Rows that are wrong: label, owner's id, value as shown; None where they are found another way.
    """

    table: str
    path: str
    message: str
    expected: str | None
    query: sql.Composable | None = None


class Looking:
    """Asks the target, for one layer and one thread.

    Args:
        subject: The target.
        connection: A connection of the layer's own that sees the subject's instant.
        result: Takes what differs.
    """

    def __init__(self, subject: Subject, connection: psycopg.Connection[Any], result: LayerResult) -> None:
        self.subject = subject
        self.connection = connection
        self.result = result
        self.schema = subject.schema
        self._ours = Ours(subject, connection) if subject.existing else None
        # No index is trusted; without them a nested loop, taken on a wrong guess, would read a table for every row.
        for setting in ("enable_indexscan", "enable_indexonlyscan", "enable_bitmapscan", "enable_nestloop"):
            connection.execute(sql.SQL("SET LOCAL {} = off").format(sql.Identifier(setting)))

    def place(self, table: str) -> sql.Identifier:
        """Return the qualified name of a table of the mapping."""
        return sql.Identifier(self.schema.schema, table)

    def row(self, query: sql.Composable) -> tuple[Any, ...]:
        """Return the only row of a query."""
        found = self.connection.execute(sql.Composed([query])).fetchone()
        assert found is not None  # noqa: S101  an aggregate gives one
        return found

    @contextmanager
    def at(self, table: str, path: str) -> Generator[None]:
        """Look at a column; where the server cannot, for it or its table is gone, that is a difference."""
        try:
            with self.connection.transaction():
                yield
        except psycopg.Error as fault:
            if meaning(fault) == "transient":
                raise
            words = fault.diag.message_primary or str(fault)
            self.result.differs(table, path, f"It cannot be looked at: {words}.", expected="readable", actual=None)

    def enter(self, fault: Fault, wrong: int, *, ours: bool = False) -> tuple[int, int]:
        """Enter rows that are wrong: the first ones by name, all in number.

        Args:
            fault: What is wrong.
            wrong: How many rows are.
            ours: Whether all of them are known to be the copy's.

        Returns:
            How many were entered, and how many are none of the copy's rows and so nothing it could have got wrong.
        """
        if not wrong or fault.query is None:
            return 0, 0
        if self._ours is None or ours:
            room = max(MOST_LISTED - len(self.result.differences), 0)
            query = sql.SQL("SELECT * FROM ({}) AS x LIMIT {}").format(fault.query, sql.Literal(room))
            rows = self.connection.execute(query).fetchall() if room else []
            self._list(fault, rows)
            self.result.more(fault.table, fault.path, wrong - len(rows))
            return wrong, 0
        entered = total = 0
        with self.connection.cursor(name="isthmus_verify_rows") as cursor:
            cursor.itersize = _PAGE
            cursor.execute(sql.SQL("SELECT * FROM ({}) AS x").format(fault.query))
            while rows := cursor.fetchmany(_PAGE):
                total += len(rows)
                known = self._ours.among(fault.table, [row[1] for row in rows])
                own = [row for row in rows if row[1] in known]
                entered += len(own)
                self._list(fault, own)
        return entered, total - entered

    def enter_rows(self, fault: Fault, rows: Sequence[tuple[Any, ...]]) -> int:
        """Enter rows (label, owner's id, value as shown) that were found wrong; return how many are the copy's."""
        if self._ours is not None:
            known = self._ours.among(fault.table, [row[1] for row in rows])
            rows = [row for row in rows if row[1] in known]
        self._list(fault, rows)
        return len(rows)

    def _list(self, fault: Fault, rows: Sequence[tuple[Any, ...]]) -> None:
        for name, _, value in rows:
            self.result.differs(fault.table, fault.path, fault.message, id=name, expected=fault.expected, actual=value)
