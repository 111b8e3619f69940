"""Every place of a target that holds references, as SQL over its tables. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from psycopg import sql

from isthmus.connect.jsonb_paths import ids_only, values_inside
from isthmus.mapping.model import FieldPath, Mapping, RouteField, walk
from isthmus.mapping.reading.fields import show_path
from isthmus.mapping.tables import Column, Reference, Table, TargetSchema
from isthmus.verify.looking import key_column, of_row

Shape = Literal["column", "array", "route", "pair", "jsonb", "parent"]


@dataclass(frozen=True)
class Aim:
    """What a value may point at.

    Attributes:
        table: The table.
        columns: Its columns that the value is compared with.
        values: SQL of the value, or of its parts.
    """

    table: Table
    columns: tuple[str, ...]
    values: tuple[sql.Composable, ...]


@dataclass(frozen=True)
class Place:
    """Where references stand.

    Attributes:
        table: The table.
        path: Column as ledgers and books have it: `a|b` of a route, `column.path` inside jsonb; of a parent the
            columns.
        shape: How the values lie there.
        columns: The columns that hold them.
        source: SQL of the FROM items, over alias `r`.
        value: SQL of one value.
        aims: What it may point at, in order of preference: one, but for routes.
        as_met: Whether the ledger has the values of documents for it, not ids.
        required: Of a route: whether every row has one.
        sensitive: Whether the values must not be shown.
        as_text: Whether the values are those of the columns aimed at, as text.
        own: Of a route: the columns that may be set beside another one, from a field of their own.
    """

    table: Table
    path: str
    shape: Shape
    columns: tuple[str, ...]
    source: sql.Composable
    value: sql.Composable
    aims: tuple[Aim, ...]
    as_met: bool = False
    required: bool = False
    sensitive: bool = False
    as_text: bool = False
    own: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Its name in the books."""
        return f"{self.table.name}.{self.path}"

    @property
    def points_at(self) -> str:
        """What it points at, for people."""
        return " or ".join(f"{aim.table.name}.{', '.join(aim.columns)}" for aim in self.aims)


def places(mapping: Mapping, schema: TargetSchema) -> list[Place]:
    """Return every place, table by table."""
    return [place for table in schema.tables.values() for place in _of_table(mapping, schema, table)]


def _of_table(mapping: Mapping, schema: TargetSchema, table: Table) -> Iterator[Place]:
    rows = sql.SQL("{} r").format(sql.Identifier(schema.schema, table.name))
    parent = schema.tables[table.parent] if table.parent is not None else None
    if parent is not None:
        yield _parent(table, parent, rows)
    for column in table.final.columns:
        reference = column.reference
        if reference is None:
            pass
        elif not reference.routed:
            yield _column(schema, table, column, reference, rows)
        elif reference.routed[0] == column.name:
            yield _route(mapping, schema, table, reference.routed, rows)
        for path, entry in column.rewrites:
            yield _inside(mapping, schema, table, column, path, entry, rows)


def _parent(table: Table, parent: Table, rows: sql.Composed) -> Place:
    own = next(key.columns for key in table.foreign_keys if key.target_table == parent.name and key.on_delete)
    key = next(key.target_columns for key in table.foreign_keys if key.columns == own and key.on_delete)
    values = tuple(of_row(name) for name in own)
    texts = sql.SQL(", ").join(sql.SQL("{}::text").format(value) for value in values)
    value = sql.SQL("concat_ws('/', {})").format(texts)
    return Place(table, ", ".join(own), "parent", own, rows, value, (Aim(parent, key, values),))


def _column(schema: TargetSchema, table: Table, column: Column, reference: Reference, rows: sql.Composed) -> Place:
    value = of_row(column.name)
    source: sql.Composable = rows
    shape: Shape = "pair" if table.kind == "junction" else "array" if column.type.array else "column"
    if shape == "array":
        source = rows + sql.SQL(" CROSS JOIN LATERAL unnest({}) AS e(v)").format(value)
        value = sql.SQL("e.v").format()
    return Place(
        table=table,
        path=column.name,
        shape=shape,
        columns=(column.name,),
        source=source,
        value=value,
        aims=(Aim(schema.tables[reference.table], (reference.column,), (value,)),),
        as_met=reference.lookup or reference.by is not None,
        sensitive=column.sensitive,
        as_text=reference.as_text,
    )


def _route(mapping: Mapping, schema: TargetSchema, table: Table, names: tuple[str, ...], rows: sql.Composed) -> Place:
    columns = [table.column(name) for name in names]
    aims = tuple(
        Aim(schema.tables[column.reference.table], (column.reference.column,), (of_row(column.name),))
        for column in columns
        if column.reference is not None
    )
    return Place(
        table=table,
        path="|".join(names),
        shape="route",
        columns=names,
        source=rows,
        value=sql.SQL("coalesce({})").format(
            sql.SQL(", ").join(sql.SQL("{}::text").format(of_row(name)) for name in names)
        ),
        aims=aims,
        required=all(_requires(mapping, entry, names) for entry in table.entries),
        own=tuple(one.name for one in columns if one.reference is not None and one.reference.own is not None),
        sensitive=any(column.sensitive for column in columns),
    )


def _requires(mapping: Mapping, entry: str, names: tuple[str, ...]) -> bool:
    rules = [rule for rule in walk(mapping.collections[entry].fields) if isinstance(rule, RouteField)]
    return any(rule.required and tuple(one.column for one in rule.routes) == names for rule in rules)


def _inside(
    mapping: Mapping,
    schema: TargetSchema,
    table: Table,
    column: Column,
    path: FieldPath,
    entry: str,
    rows: sql.Composed,
) -> Place:
    target = schema.tables[mapping.collections[entry].table]
    # a column that existed before may be json
    further, value = values_inside(sql.SQL("{}::jsonb").format(of_row(column.name)), path)
    value = ids_only(value, column.form_at(path))
    return Place(
        table=table,
        path=f"{column.name}.{show_path(path)}",
        shape="jsonb",
        columns=(column.name,),
        source=rows + further,
        value=value,
        aims=(Aim(target, (key_column(target) or "id",), (value,)),),
        sensitive=column.sensitive,
        as_text=True,
    )
