"""The references of rows: which lead to no row, and which of those wait for a later copy.

One anti-join for each reference, in the target; what dangles goes to a temporary table.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from isthmus.connect.jsonb_paths import ids_only, values_inside
from isthmus.connect.postgres import first_number
from isthmus.connect.real_columns import There
from isthmus.mapping import Mapping
from isthmus.mapping.model import FieldPath
from isthmus.mapping.paths import show_path
from isthmus.mapping.references import Pointer, hashed_as
from isthmus.mapping.rules import ColumnField
from isthmus.mapping.tables import Column, Reference, Table, TargetSchema


@dataclass(frozen=True)
class RowSite:
    """One place of a table where references stand.

    Attributes:
        table: The table.
        column: The column.
        ledger: What the ledgers call it: the column, with the path behind it inside jsonb; of a route all its columns.
        pointer: What documents a value leads to, where it leads to no row.
        to_table: The table that it leads to.
        to_column: The column of that table which has the value.
        root: Column with the id of the root row; of a pair the other column. None where the table has none.
        inside: The path inside jsonb.
        action: What a copy does with an orphan.
        sensitive: Whether its values must not be shown.
        form: Regular expression of the ids among the values inside jsonb; None where every value is one.
        routed: Whether it is one column of a route: a reference that waits then waits for each of them.
    """

    table: str
    column: str
    ledger: str
    pointer: Pointer
    to_table: str
    to_column: str
    root: str | None
    inside: FieldPath | None = None
    action: str = "null"
    sensitive: bool = False
    form: str | None = None
    routed: bool = False

    @property
    def name(self) -> str:
        """Table and column, with the path inside jsonb."""
        return f"{self.table}.{self.column}" + (f".{show_path(self.inside)}" if self.inside is not None else "")

    @property
    def target(self) -> str:
        """Table and column that it leads to."""
        return f"{self.to_table}.{self.to_column}"


def row_sites(mapping: Mapping, schema: TargetSchema) -> list[RowSite]:
    """Return every reference of the rows of a mapping, in the order of its tables."""
    return [site for table in schema.tables.values() for site in _of_table(mapping, schema, table)]


def _of_table(mapping: Mapping, schema: TargetSchema, table: Table) -> Iterator[RowSite]:
    root = next((column.name for column in table.columns if column.role in {"id", "root_id"}), None)
    if table.kind == "child" and root is not None:
        yield _part_site(mapping, schema, table, root)
    for column in table.final.columns:
        owner = root
        if table.kind == "junction":
            owner = next(other.name for other in table.columns if other.name != column.name)
        if column.reference is not None:
            yield _column_site(mapping, table, column, column.reference, owner)
        for path, entry in column.rewrites:
            to = schema.tables[mapping.collections[entry].table]
            yield RowSite(
                table.name,
                column.name,
                f"{column.name}.{show_path(path)}",
                Pointer(entry, hashed_as(mapping, entry)),
                to.name,
                _id_column(to),
                owner,
                path,
                "kept",
                column.sensitive,
                column.form_at(path),
            )


def _part_site(mapping: Mapping, schema: TargetSchema, table: Table, own: str) -> RowSite:
    """Return the reference of a child table's rows to their root row."""
    root = schema.root_of(table)
    entry = root.entries[0]
    pointer = Pointer(entry, hashed_as(mapping, entry))
    return RowSite(table.name, own, own, pointer, root.name, _id_column(root), own, action="dead_letter")


def _column_site(mapping: Mapping, table: Table, column: Column, reference: Reference, owner: str | None) -> RowSite:
    return RowSite(
        table.name,
        column.name,
        "|".join(reference.routed) or column.name,
        Pointer(reference.entry, reference.collection, _field_of(mapping, reference)),
        reference.table,
        reference.column,
        owner,
        action=reference.on_orphan,
        sensitive=column.sensitive,
        routed=bool(reference.routed),
    )


def _field_of(mapping: Mapping, reference: Reference) -> FieldPath | None:
    """Return the field that a value of the column has in documents; None where it is an id."""
    if reference.by is None or reference.lookup:
        return None
    rules = mapping.collections[reference.entry].fields
    return next((one.path for one in rules if isinstance(one, ColumnField) and one.column == reference.by), None)


def _id_column(table: Table) -> str:
    return next((one.name for one in table.columns if one.role == "id" and not one.hidden), table.primary_key[0])


@dataclass(frozen=True)
class RowCheck:
    """What the anti-join of one site came to.

    Attributes:
        values: References that are not null; None where it could not be looked at.
        why_not: Why it could not, a sentence without its full stop.
    """

    values: int | None
    why_not: str = ""


class Rows:
    """Holds the references of rows against the tables that they lead to.

    Args:
        connection: In autocommit mode; has the temporary tables of an audit.
        schema: What the mapping wants.
        there: Real columns of its tables.
    """

    def __init__(self, connection: psycopg.Connection[Any], schema: TargetSchema, there: There) -> None:
        self._connection = connection
        self._schema = schema
        self._there = there

    def check(self, number: int, site: RowSite) -> RowCheck:
        """Enter the references of a site that lead to no row, and count all."""
        columns, goals = self._there.columns.get(site.table, {}), self._there.columns.get(site.to_table, {})
        if site.column not in columns:
            return RowCheck(None, f"{site.table} has no column {site.column}" if columns else "there is no such table")
        column, goal = columns[site.column], goals.get(site.to_column)
        source, value, as_text = self._values(site, column.type)
        counted = sql.SQL("SELECT count(*) FROM {} WHERE {} IS NOT NULL").format(source, value)
        condition = sql.SQL("true")
        if goal is not None:
            own = sql.SQL("t.{}").format(sql.Identifier(site.to_column))
            same = not as_text and goal.type == column.type.removesuffix("[]")
            met = sql.SQL("{} = {}").format(own, value) if same else goal.is_text(own, value)
            condition = sql.SQL("NOT EXISTS (SELECT FROM {} t WHERE {})").format(
                sql.Identifier(self._schema.schema, site.to_table), met
            )
        root = sql.SQL("NULL::text") if site.root not in columns else _text(site.root)
        self._connection.execute(
            sql.SQL(
                "INSERT INTO pg_temp.audit_row (site, row_key, root_id, value) SELECT {site}, {key}, {root},"
                " {value}::text FROM {source} WHERE {value} IS NOT NULL AND {condition}"
            ).format(
                site=sql.Literal(number),
                key=self._key(site.table, columns),
                root=root,
                value=value,
                source=source,
                condition=condition,
            )
        )
        return RowCheck(first_number(self._connection.execute(counted)))

    def waiting(self, sites: Sequence[RowSite]) -> None:
        """Enter references that wait; those whose row is there by now are set by the next copy."""
        for number, site in enumerate(sites):
            column = site.ledger if site.inside is not None else site.column
            goal = self._there.columns.get(site.to_table, {}).get(site.to_column)
            there: sql.Composable = sql.SQL("false")
            if goal is not None:
                own = sql.SQL("t.{}").format(sql.Identifier(site.to_column))
                there = sql.SQL("EXISTS (SELECT FROM {} t WHERE {})").format(
                    sql.Identifier(self._schema.schema, site.to_table), goal.is_text(own, sql.SQL("p.target_id"))
                )
            self._connection.execute(
                sql.SQL(
                    "INSERT INTO pg_temp.audit_row (site, row_key, root_id, value, pending, there)"
                    " SELECT {}, ARRAY[p.row_id] || p.row_position::text[], p.row_id, p.target_id, p.id, {}"
                    " FROM isthmus.pending_reference p"
                    " WHERE (p.table_schema, p.table_name, p.column_name, p.target_table) = ({}, {}, {}, {})"
                ).format(
                    sql.Literal(number),
                    there,
                    *map(sql.Literal, (self._schema.schema, site.table, column, site.to_table)),
                )
            )

    def _values(self, site: RowSite, kind: str) -> tuple[sql.Composed, sql.Composable, bool]:
        """Return the FROM item of a site over alias `r`, its value, and whether that is a text."""
        source = sql.SQL("{} r").format(sql.Identifier(self._schema.schema, site.table))
        value = sql.SQL("r.{}").format(sql.Identifier(site.column))
        if site.inside is not None:
            inside, text = values_inside(sql.SQL("{}::jsonb").format(value), site.inside)
            return source + inside, ids_only(text, site.form), True
        if kind.endswith("[]"):
            return source + sql.SQL(" CROSS JOIN LATERAL unnest({}) AS e(v)").format(value), sql.SQL("e.v"), False
        return source, value, False

    def _key(self, table: str, columns: dict[str, Any]) -> sql.Composed:
        """Return SQL of what a row is known by: its primary key, as far as it is there."""
        names = [name for name in self._schema.tables[table].final.primary_key if name in columns]
        parts = [_text(name) for name in names] or [sql.SQL("r.ctid::text").format()]
        return sql.SQL("ARRAY[{}]").format(sql.SQL(", ").join(parts))


def _text(column: str) -> sql.Composed:
    return sql.SQL("r.{}::text").format(sql.Identifier(column))
