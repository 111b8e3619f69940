"""Put rows into empty tables, such as their constraints take them.

A value is guessed from its type; what the server refuses is guessed again, from what the refusing CHECK says itself.
Where no row can be made, the table stays empty, and the server's words say why.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import psycopg
from psycopg import sql

from isthmus.connect.postgres import explain
from isthmus.govern.catalog.model import Key
from isthmus.govern.rehearsing.seeding.shape import Column, Reference, Shape
from isthmus.govern.rehearsing.seeding.values import WHOLE, candidates, value

Manner: TypeAlias = Literal["harsh", "mild"]
"""`harsh`: rows with nulls, duplicates and wide values wherever the table takes them. `mild`: none of these, so that
what fails with such rows fails with most."""
_Row: TypeAlias = dict[str, str | None]
_STYLES: dict[Manner, tuple[str, ...]] = {"harsh": ("wide", "nulls", "again"), "mild": ("plain", "plain")}
_MOST_TRIES = 300
_FIRST_KEY = 20_000
"""Of numbers that are unique; a smallint holds it, too."""


@dataclass(frozen=True)
class Unfilled:
    """A table that stayed empty.

    Attributes:
        key: Of the table.
        why: The server's words, or what is not known.
    """

    key: Key
    why: str


def fill(connection: psycopg.Connection, shapes: Sequence[Shape], manner: Manner) -> list[Unfilled]:
    """Put rows into tables, all in one transaction; those that others point at come first.

    Args:
        connection: In autocommit mode.
        shapes: The tables.
        manner: What the rows are like.

    Returns:
        Those that got none.
    """
    waiting = list(shapes)
    found: list[Unfilled] = []
    if not waiting:
        return found
    with connection.transaction():
        connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
        while waiting:
            one = _next(waiting)
            waiting.remove(one)
            why = _fill_one(connection, one, manner)
            if why is not None:
                found.append(Unfilled(one.key, why))
    return found


def _next(waiting: Sequence[Shape]) -> Shape:
    """Return the table to fill next: best one that points at nothing that still waits."""
    empty = {one.key for one in waiting}

    def missing(one: Shape) -> tuple[int, int]:
        still = [ref for ref in one.references if ref.table in empty and ref.table != one.key]
        return sum(not _may_be_null(one, ref) for ref in still), len(still)

    return min(waiting, key=missing)


def _may_be_null(shape: Shape, reference: Reference) -> bool:
    return all(name in shape.columns and shape.columns[name].nullable for name in reference.columns)


def _fill_one(connection: psycopg.Connection, shape: Shape, manner: Manner) -> str | None:
    """Insert the rows of a table; return why there is none, None where there is at least one."""
    why: str | None = None
    done = 0
    for number, style in enumerate(_STYLES[manner], 1):
        said = _Attempt(connection, shape, number, style).insert()
        if said is None:
            done += 1
        else:
            why = why or said
    return None if done else why


@dataclass
class _Attempt:
    """One row that is tried until the server takes it."""

    connection: psycopg.Connection
    shape: Shape
    number: int
    style: str
    chosen: _Row = field(default_factory=dict[str, str | None])
    never_null: set[str] = field(default_factory=set[str])
    tried: dict[str, _Choice] = field(default_factory=dict[str, "_Choice"])

    def insert(self) -> str | None:
        """Return None once a row is in, else what was said of the last one."""
        why = "nothing fits its constraints"
        for _ in range(_MOST_TRIES):
            try:
                row = self._row()
            except _Unknown as unknown:
                return str(unknown)
            try:
                with self.connection.transaction():
                    _insert(self.connection, self.shape, row)
                return None
            except psycopg.Error as fault:
                why = explain(fault)
                if not self._mend(fault):
                    return why
        return why

    def _row(self) -> _Row:
        row: _Row = {}
        for name, column in self.shape.columns.items():
            if name in self.chosen:
                row[name] = self.chosen[name]
            elif not column.numbered:
                made = self._value(column)
                if made is not None or column.nullable:
                    row[name] = made
                elif not column.default:
                    raise _Unknown(f"no value is known for {name} of the type {column.type}")
        for reference in self.shape.references:
            self._point(row, reference)
        return row

    def _value(self, column: Column) -> str | None:
        if self.style == "nulls" and column.nullable and column.name not in self.never_null:
            return None
        wide = self.style in {"wide", "again"}
        if column.name in self.shape.unique:
            # not the first numbers: migrations that write rows themselves give them these
            return value(column, self.number + (_FIRST_KEY if column.type in WHOLE else 0), wide=wide)
        return value(column, 1 if self.style == "again" else self.number, wide=wide)

    def _point(self, row: _Row, reference: Reference) -> None:
        if self.style == "nulls" and _may_be_null(self.shape, reference):
            row.update(dict.fromkeys(reference.columns))
            return
        there = _rows_of(self.connection, reference)
        if there:
            unique = not self.shape.unique.isdisjoint(reference.columns)
            at = self.number - 1 if unique or self.style == "nulls" else 0
            row.update(zip(reference.columns, there[at % len(there)], strict=True))
        elif _may_be_null(self.shape, reference):
            row.update(dict.fromkeys(reference.columns))
        elif reference.table == self.shape.key:
            row.update({name: row.get(key) for name, key in zip(reference.columns, reference.keys, strict=True)})
        else:
            raise _Unknown(f"it needs rows of {reference.table.place}, which has none")

    def _mend(self, fault: psycopg.Error) -> bool:
        """Choose something else where the server refused a row; False where nothing else is known."""
        if isinstance(fault, psycopg.errors.CheckViolation):
            return self._choose(fault.diag.constraint_name, fault.diag.datatype_name)
        if isinstance(fault, psycopg.errors.NotNullViolation):
            names = self._of_domain(fault.diag.datatype_name) or [fault.diag.column_name or ""]
            fresh = [name for name in names if name not in self.never_null]
            self.never_null.update(fresh)
            return bool(fresh)
        if isinstance(fault, (psycopg.errors.UniqueViolation, psycopg.errors.ExclusionViolation)):
            self.number += 1
            advanced = [one for one in self.tried.values() if one.advance(self.chosen)]
            return self.number < _MOST_TRIES // 10 or bool(advanced)
        if isinstance(fault, psycopg.errors.ForeignKeyViolation):
            self.number += 1
            return self.number < _MOST_TRIES // 10
        if isinstance(fault, psycopg.DataError):
            if self.style in {"wide", "again"}:
                self.style = "plain"
                return True
            advanced = [one for one in self.tried.values() if one.advance(self.chosen)]
            if advanced:
                return True
        was, self.style = self.style, "nulls"
        return was != "nulls"

    def _of_domain(self, domain: str | None) -> list[str]:
        return [one.name for one in self.shape.columns.values() if domain is not None and one.domain == domain]

    def _choose(self, check: str | None, domain: str | None) -> bool:
        name = f"domain {domain}" if domain is not None else check or "bound"
        if name not in self.tried:
            known = self.shape.columns
            if domain is not None:
                names = self._of_domain(domain)
                said = " ".join(one for name in names[:1] for one in known[name].checks)
            elif check is not None and check in self.shape.checks:
                said, stated = self.shape.checks[check]
                names = [one for one in stated if one in known]
            else:
                said, names = self.shape.bound or "", [one for one in self.shape.partitioned_by if one in known]
            if not names:
                return False
            asked = [known[one] for one in (names[:1] if domain is not None else names)]
            self.tried[name] = _Choice(tuple(names), candidates(said, asked, self.number), alike=domain is not None)
        return self.tried[name].advance(self.chosen)


@dataclass
class _Choice:
    """Values that one CHECK may take, in the order in which they are tried; `alike`: one value for all columns."""

    names: tuple[str, ...]
    values: Iterator[tuple[str | None, ...]]
    alike: bool

    def advance(self, chosen: _Row) -> bool:
        """Choose the next ones; False where there are no more."""
        found = next(self.values, None)
        if found is None:
            return False
        chosen.update(zip(self.names, found * len(self.names) if self.alike else found, strict=True))
        return True


class _Unknown(Exception):  # noqa: N818  it becomes a sentence
    """No row can be made; the text says why."""


def _rows_of(connection: psycopg.Connection, reference: Reference) -> list[tuple[str, ...]]:
    keys = [sql.Identifier(one) for one in reference.keys]
    asked = sql.SQL("SELECT {} FROM {} WHERE {} ORDER BY {} LIMIT 5").format(
        sql.SQL(", ").join(sql.SQL("{}::text").format(one) for one in keys),
        sql.Identifier(reference.table.schema, reference.table.name),
        sql.SQL(" AND ").join(sql.SQL("{} IS NOT NULL").format(one) for one in keys),
        sql.SQL(", ").join(sql.SQL("{}::text").format(one) for one in keys),
    )
    return connection.execute(asked).fetchall()


def _insert(connection: psycopg.Connection, shape: Shape, row: _Row) -> None:
    table = sql.Identifier(shape.key.schema, shape.key.name)
    if not row:
        connection.execute(sql.SQL("INSERT INTO {} DEFAULT VALUES").format(table))
        return
    connection.execute(
        sql.SQL("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE VALUES ({})").format(
            table,
            sql.SQL(", ").join(map(sql.Identifier, row)),
            sql.SQL(", ").join(sql.Placeholder() * len(row)),
        ),
        list(row.values()),
    )
