"""The real rows as a copy into tables of Isthmus's own would have left them, for layers that look at such tables.

Under the tables' own names in the schema of temporary objects: ids are those of the documents, types those of the
mapping. What differs rightly has the given value there. References and ids inside jsonb are those that are there, where
the oracle can follow ids to rows; others are the given ones, so that of them it only says whether they are NULL.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace

from psycopg import sql

from isthmus.mapping.tables import Column, Table
from isthmus.state.kept_values import EXTRAS, ROW
from isthmus.verify.existing.accounts import ORPHANS
from isthmus.verify.existing.compare import DIFFERING, same_row
from isthmus.verify.existing.given import key_column
from isthmus.verify.existing.known import Known
from isthmus.verify.looking import of_row
from isthmus.verify.subject import Subject

_SCHEMA = "pg_temp"


def mirrored(known: Known) -> Subject:
    """Return the subject as layers see it that look at the mirror."""
    subject = known.subject
    return replace(subject, schema=replace(subject.schema, schema=_SCHEMA), connection=known.given.connection)


def make_mirror(
    known: Known,
    accounted: Mapping[tuple[str, str], Counter[str]],
    is_followed: Callable[[Table, Column], bool],
    *,
    whole: bool,
) -> None:
    """Make the mirror.

    Args:
        known: The rows, compared.
        accounted: (table, path) → why → how many differ rightly.
        is_followed: Tells of a column with references, or ids inside jsonb, whether they are compared as they are.
        whole: Whether all of it will be read, so that it is made at once.
    """
    for table in known.subject.schema.tables.values():
        known.do(
            "CREATE TEMPORARY {kind} {name} AS {query}",
            kind=sql.SQL("TABLE" if whole else "VIEW"),
            name=sql.Identifier(_SCHEMA, table.name),
            query=_query(known, table, accounted, is_followed),
        )
        if whole and table.kind != "junction" and not table.column(key_column(table)).hidden:
            known.do(
                "CREATE INDEX ON {name} ({key})",
                name=sql.Identifier(_SCHEMA, table.name),
                key=sql.Identifier(key_column(table)),
            )


def counted_as_given(known: Known, accounted: Mapping[tuple[str, str], Counter[str]]) -> dict[str, Counter[str]]:
    """Return table → column → how many values of the mirror are given ones, because what is there differs rightly."""
    found: dict[str, Counter[str]] = {}
    for name, path, count in known.rows(
        "SELECT table_name, path, count(given) FROM {differing} WHERE why <> 'orphan' AND path NOT IN ({row}, {extras})"
        " GROUP BY 1, 2",
        differing=DIFFERING,
        row=sql.Literal(ROW),
        extras=sql.Literal(EXTRAS),
    ):
        found.setdefault(str(name), Counter())[str(path)] += int(count)
    for table in known.subject.schema.tables.values():
        if table.kind == "junction" or not accounted.get((table.name, ROW)):
            continue
        columns = [column.name for column in table.columns]
        (counts,) = known.rows(
            "SELECT {counts} FROM {given} g JOIN {rows} r ON r.own = {own}::text"
            " WHERE EXISTS (SELECT FROM {differing} d WHERE d.why IS NOT NULL AND d.table_name = {table}"
            " AND d.path = {row} AND d.actual IS NULL AND d.own = r.own AND d.positions = {positions})",
            counts=sql.SQL(", ").join(sql.SQL("count({})").format(of_row(name, "g")) for name in columns),
            given=known.given.place(table.name),
            rows=known.given.place(known.root_of(table).name, "rows"),
            own=of_row(key_column(table), "g"),
            differing=DIFFERING,
            table=sql.Literal(table.name),
            row=sql.Literal(ROW),
            positions=known.positions(table, "g"),
        )
        found.setdefault(table.name, Counter()).update(dict(zip(columns, map(int, counts), strict=True)))
    return found


def _query(
    known: Known,
    table: Table,
    accounted: Mapping[tuple[str, str], Counter[str]],
    is_followed: Callable[[Table, Column], bool],
) -> sql.Composed:
    if table.kind == "junction":
        return sql.SQL("SELECT * FROM {} g").format(known.given.place(table.name))
    root = known.root_of(table)
    if not known.key(root):
        cells = [_real(known, column) for column in table.final.columns]
        return sql.SQL("SELECT {} FROM {} t").format(sql.SQL(", ").join(cells), known.real(table.name))
    cells = [_cell(known, table, column, accounted, is_followed) for column in table.final.columns]
    return sql.SQL(
        "SELECT {cells} FROM {given} g JOIN {rows} r ON r.own = {own}::text LEFT JOIN {real} t ON {there}"
        " WHERE t.tableoid IS NOT NULL OR {absent}"
    ).format(
        cells=sql.SQL(", ").join(cells),
        given=known.given.place(table.name),
        rows=known.given.place(root.name, "rows"),
        own=of_row(key_column(table), "g"),
        real=known.real(table.name),
        there=same_row(known, table),
        absent=_accounted(known, table, ROW, accounted),
    )


def _accounted(
    known: Known, table: Table, path: str, accounted: Mapping[tuple[str, str], Counter[str]], but: str = ""
) -> sql.Composed:
    """Return SQL that is true of given rows of which something differs rightly."""
    if not any(count for why, count in accounted.get((table.name, path), Counter[str]()).items() if why != but):
        return sql.SQL("false").format()
    return sql.SQL(
        "EXISTS (SELECT FROM {} d WHERE d.why <> {} AND d.table_name = {} AND d.path = {} AND d.own = r.own"
        " AND d.positions = {})"
    ).format(DIFFERING, sql.Literal(but), sql.Literal(table.name), sql.Literal(path), known.positions(table, "g"))


def _orphan(known: Known, table: Table, column: Column) -> sql.Composed:
    """Return SQL that is true of given rows of which the ledger says that a reference points at nothing."""
    if (table.name, column.name) not in known.lost or column.type.array:
        return sql.SQL("false").format()
    return sql.SQL(
        "EXISTS (SELECT FROM {} o WHERE o.table_name = {} AND o.column_name = {} AND o.row_id = r.own"
        " AND o.row_position = {} AND o.target_id = {}::text)"
    ).format(
        ORPHANS,
        sql.Literal(table.name),
        sql.Literal(column.name),
        known.positions(table, "g"),
        of_row(column.name, "g"),
    )


def _real(known: Known, column: Column) -> sql.Composed:
    return sql.SQL("{}::{} AS {}").format(
        of_row(column.name, "t"), known.given.kind(column), sql.Identifier(column.name)
    )


def _cell(
    known: Known,
    table: Table,
    column: Column,
    accounted: Mapping[tuple[str, str], Counter[str]],
    is_followed: Callable[[Table, Column], bool],
) -> sql.Composed:
    given, name = of_row(column.name, "g"), sql.Identifier(column.name)
    there = known.column(table, column.name)
    places = {"id", "root_id", "ancestor_position", "position"}
    if column.role in places or (table.kind == "root" and column.name in known.key(table)):
        return sql.SQL("{} AS {}").format(given, name)
    if there is None:  # what nobody named, kept beside the table
        told = _accounted(known, table, EXTRAS, accounted)
        return sql.SQL(
            "CASE WHEN {} THEN {} ELSE (SELECT e.document FROM isthmus.extras e WHERE e.table_schema = {}"
            " AND e.table_name = {} AND e.id = r.row_id AND e.row_position = {}) END AS {}"
        ).format(
            told,
            given,
            sql.Literal(known.subject.schema.schema),
            sql.Literal(table.name),
            known.positions(table, "g"),
            name,
        )
    absent = sql.SQL("t.tableoid IS NULL")
    if column.reference is not None or column.rewrites:
        told = _accounted(known, table, column.name, accounted, but="orphan")
        if not is_followed(table, column):
            return sql.SQL("CASE WHEN {} THEN NULL WHEN {} OR {} OR {} IS NOT NULL THEN {} END AS {}").format(
                _orphan(known, table, column), absent, told, of_row(column.name, "t"), given, name
            )
        kind = known.given.kind(column)
        return sql.SQL("CASE WHEN NOT ({} OR {}) THEN {}::{} WHEN {} THEN NULL ELSE ({})::{} END AS {}").format(
            absent,
            told,
            of_row(column.name, "t"),
            kind,
            _orphan(known, table, column),
            known.text(table, column, "g"),
            kind,
            name,
        )
    value: sql.Composable = sql.SQL("{}::{}").format(of_row(column.name, "t"), known.given.kind(column))
    if there.base == "numeric" and not column.type.array:  # 1 and 1.00 are compared before
        value = sql.SQL("CASE WHEN {} = {} THEN {} ELSE {} END").format(of_row(column.name, "t"), given, given, value)
    told = _accounted(known, table, column.name, accounted)
    return sql.SQL("CASE WHEN {} OR {} THEN {} ELSE {} END AS {}").format(absent, told, given, value, name)
