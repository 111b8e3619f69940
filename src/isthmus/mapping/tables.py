"""From the mapping to tables: which exist, with which columns, keys, references and indexes.

Pure: no database is asked. `ddl` turns the result into SQL, `plan` into the core's instructions; both start from
`place_tables`, so their columns cannot differ.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from isthmus.mapping.model import (
    DEAD_LETTER,
    ChildField,
    Collection,
    ColumnField,
    FieldPath,
    FieldRule,
    IndexRule,
    Mapping,
    SearchRule,
)
from isthmus.mapping.names import object_name
from isthmus.mapping.search import array_text_function, search_sql
from isthmus.mapping.types import ColumnType

Role = Literal["id", "value", "reference", "extras", "root_id", "ancestor_position", "position", "own", "other"]
TableKind = Literal["root", "child", "junction"]
IndexKind = Literal["unique", "filter", "reference", "gin", "search"]
OrphanAction = Literal["null", "dead_letter", "drop"]

POSITION = "position"
"""Column of a child row's place in its array, from 0."""


@dataclass(frozen=True)
class Reference:
    """What a column's values point at.

    Attributes:
        collection: The collection whose ids they are.
        table: Its root table.
        column: That table's key column.
        on_orphan: What a value without target gets; `drop` leaves a junction's pair out.
        stated: Whether the mapping says so; False for the default policy.
    """

    collection: str
    table: str
    column: str
    on_orphan: OrphanAction
    stated: bool


@dataclass(frozen=True)
class Column:
    """A column.

    Attributes:
        path: Keys of the field it comes from, relative to the row's document; None for columns Isthmus adds.
        rewrites: Paths inside a jsonb value whose ids are replaced, with the collection they belong to.
        sql_default: Always None: defaults are filled in by the copy, not left to the table.
    """

    name: str
    type: ColumnType
    nullable: bool
    role: Role
    reference: Reference | None = None
    sensitive: bool = False
    path: FieldPath | None = None
    rewrites: tuple[tuple[FieldPath, str], ...] = ()
    sql_default: None = None


@dataclass(frozen=True)
class ForeignKey:
    """A foreign key; `on_delete` is `cascade` where rows are part of the row they point at."""

    name: str
    table: str
    columns: tuple[str, ...]
    target_table: str
    target_columns: tuple[str, ...]
    on_delete: Literal["cascade"] | None = None


@dataclass(frozen=True)
class Index:
    """An index.

    Attributes:
        columns: The indexed columns; of a search index those it reads.
        expression: SQL of a search index (a tsvector); None for plain columns.
        where: SQL of the predicate; the author's own, or the size limit of a search index.
    """

    name: str
    table: str
    columns: tuple[str, ...]
    expression: str | None
    unique: bool
    method: Literal["btree", "gin"]
    where: str | None
    kind: IndexKind
    language: str | None = None


@dataclass(frozen=True)
class Table:
    """A table; `collection` and `parent` are None where there is none (junctions; root tables)."""

    name: str
    kind: TableKind
    collection: str | None
    parent: str | None
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...]
    primary_key_name: str
    foreign_keys: tuple[ForeignKey, ...]
    indexes: tuple[Index, ...]

    def column(self, name: str) -> Column:
        """Find a column; KeyError when there is none of that name."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)


@dataclass(frozen=True)
class TargetSchema:
    """All that a mapping wants in the target.

    Attributes:
        schema: PostgreSQL schema of everything here.
        enums: Values of each enum type.
        extensions: To be made where the server has them.
        tables: By name; root tables with their children in the mapping's order, then junctions.
        functions: SQL statements that make functions indexes need; to be run before indexes.
    """

    schema: str
    enums: dict[str, list[str]]
    extensions: tuple[str, ...]
    tables: dict[str, Table]
    functions: tuple[str, ...] = ()

    @property
    def sensitive(self) -> bool:
        """Whether any column is sensitive."""
        return any(column.sensitive for table in self.tables.values() for column in table.columns)


@dataclass(frozen=True)
class PlacedColumn:
    """A column with the rule it comes from."""

    column: Column
    rule: ColumnField | None = None


@dataclass(frozen=True)
class PlacedTable:
    """A root or child table with the rules it comes from.

    Attributes:
        at: Paths of the arrays that lead to it, () for the root table.
        parent: Position of the parent in the list of the collection's tables; None for the root table.
    """

    name: str
    at: tuple[FieldPath, ...]
    parent: int | None
    columns: tuple[PlacedColumn, ...]
    key: tuple[str, ...]
    indexes: tuple[IndexRule, ...] = ()
    search: SearchRule | None = None


def reference_to(mapping: Mapping, collection: str, on_orphan: OrphanAction, *, stated: bool) -> Reference:
    """Describe a reference to a carried collection."""
    target = mapping.collections[collection]
    return Reference(collection, target.table, target.id.column, on_orphan, stated)


def place_tables(mapping: Mapping, collection: str) -> list[PlacedTable]:
    """List a collection's root table and its child tables, each child after its parent.

    The order of columns is fixed: key columns, the fields in the mapping's order, extras.
    """
    rule = mapping.collections[collection]
    columns = [PlacedColumn(Column(rule.id.column, rule.id.type, nullable=False, role="id", path=("_id",)))]
    columns += _value_columns(mapping, rule.fields)
    columns += _extras(rule.extras)
    root = PlacedTable(rule.table, (), None, tuple(columns), (rule.id.column,), rule.indexes, rule.search)
    tables = [root]
    _place_children(mapping, rule, rule.fields, 0, tables)
    return tables


def _value_columns(mapping: Mapping, rules: tuple[FieldRule, ...]) -> list[PlacedColumn]:
    placed: list[PlacedColumn] = []
    for rule in rules:
        if not isinstance(rule, ColumnField):
            continue
        reference = None
        column_type = rule.type
        if rule.references is not None:
            reference = reference_to(mapping, rule.references, rule.orphan_action, stated=rule.on_orphan is not None)
            column_type = column_type or mapping.collections[rule.references].id.type
        column = Column(
            rule.column,
            column_type or ColumnType("text"),
            nullable=not rule.required,
            role="value" if reference is None else "reference",
            reference=reference,
            sensitive=rule.sensitive,
            path=rule.path,
            rewrites=tuple((rewrite.path, rewrite.collection) for rewrite in rule.rewrite),
        )
        placed.append(PlacedColumn(column, rule))
    return placed


def _extras(name: str) -> list[PlacedColumn]:
    if name == DEAD_LETTER:
        return []
    return [PlacedColumn(Column(name, ColumnType("jsonb"), nullable=True, role="extras"))]


def child_key(parent: str, parent_key: tuple[str, ...], own: str | None) -> tuple[str, ...]:
    """Name the key columns of a child table.

    Args:
        parent: Its parent table.
        parent_key: That table's key; one column for a root table.
        own: The stated name of the column with the root document's id.

    Returns:
        That column (`<parent>_id` unless stated), the position in each child table above, its own position.
    """
    above = () if len(parent_key) == 1 else (*parent_key[1:-1], f"{parent}_{POSITION}")
    return (own or f"{parent}_id", *above, POSITION)


def _place_children(
    mapping: Mapping, collection: Collection, rules: tuple[FieldRule, ...], parent: int, tables: list[PlacedTable]
) -> None:
    for rule in rules:
        if not isinstance(rule, ChildField):
            continue
        above = tables[parent]
        key = child_key(above.name, above.key, rule.own)
        own, *ancestors = key[:-1]
        integer = ColumnType("integer")
        columns = [PlacedColumn(Column(own, collection.id.type, nullable=False, role="root_id"))]
        columns += [PlacedColumn(Column(n, integer, nullable=False, role="ancestor_position")) for n in ancestors]
        columns.append(PlacedColumn(Column(POSITION, integer, nullable=False, role="position")))
        columns += _value_columns(mapping, rule.fields)
        columns += _extras(rule.extras)
        at = (*above.at, rule.path)
        tables.append(PlacedTable(rule.table, at, parent, tuple(columns), key, rule.indexes, rule.search))
        _place_children(mapping, collection, rule.fields, len(tables) - 1, tables)


def build_schema(mapping: Mapping) -> TargetSchema:
    """Build all tables of a mapping; pure, the same mapping always gives the same result, names included."""
    builder = _SchemaBuilder(mapping)
    for collection in mapping.collections:
        placed = place_tables(mapping, collection)
        for table in placed:
            builder.add(collection, placed, table)
    for name in mapping.junctions:
        builder.add_junction(name)
    return TargetSchema(
        schema=mapping.target.schema_name,
        enums={name: list(values) for name, values in mapping.enums.items()},
        extensions=mapping.extensions,
        tables=builder.tables,
        functions=(array_text_function(mapping.target.schema_name),) if builder.needs_array_text else (),
    )


@dataclass
class _SchemaBuilder:
    """Builds tables one after the other and keeps the names of keys and indexes apart: in PostgreSQL they share one
    namespace with the tables of a schema."""

    mapping: Mapping
    tables: dict[str, Table] = field(default_factory=dict[str, Table])
    needs_array_text: bool = False
    _taken: set[str] = field(default_factory=set[str])
    _constraints: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])

    def __post_init__(self) -> None:
        for name in self.mapping.collections:
            for placed in place_tables(self.mapping, name):
                self._taken.add(placed.name)
                self._taken |= {index.name for index in placed.indexes if index.name is not None}
        self._taken |= set(self.mapping.junctions)

    def _name(self, parts: tuple[str, ...], suffix: str, *, detail: str = "") -> str:
        name = object_name(parts, suffix)
        if name in self._taken:
            name = object_name(parts, suffix, detail=detail or "again")
        attempt = 2
        while name in self._taken:
            name = object_name(parts, suffix, detail=f"{detail}\0{attempt}")
            attempt += 1
        self._taken.add(name)
        return name

    def add(self, collection: str, placed: list[PlacedTable], table: PlacedTable) -> None:
        columns = tuple(entry.column for entry in table.columns)
        key_name = self._name((table.name,), "pkey")
        foreign_keys: list[ForeignKey] = []
        if table.parent is not None:
            parent = placed[table.parent]
            mine = table.key[: len(parent.key)]
            foreign_keys.append(self._foreign_key(table.name, mine, parent.name, parent.key, cascade=True))
        for column in columns:
            if column.reference is not None:
                target = column.reference
                foreign_keys.append(self._foreign_key(table.name, (column.name,), target.table, (target.column,)))
        self.tables[table.name] = Table(
            table.name,
            "root" if table.parent is None else "child",
            collection,
            None if table.parent is None else placed[table.parent].name,
            columns,
            table.key,
            key_name,
            tuple(foreign_keys),
            tuple(self._indexes(table)),
        )

    def _foreign_key(
        self,
        table: str,
        columns: tuple[str, ...],
        target: str,
        target_columns: tuple[str, ...],
        *,
        cascade: bool = False,
    ) -> ForeignKey:
        # Names of foreign keys live in their table, apart from those of indexes.
        name = object_name((table, *columns), "fkey")
        if (table, name) in self._constraints:
            name = object_name((table, *columns), "fkey", detail="\0".join(columns))
        self._constraints.add((table, name))
        return ForeignKey(name, table, columns, target, target_columns, "cascade" if cascade else None)

    def _indexes(self, table: PlacedTable) -> list[Index]:
        indexes: list[Index] = []
        for entry in table.columns:
            rule, column = entry.rule, entry.column
            if rule is None:
                continue
            if rule.unique:
                indexes.append(self._index(table, IndexRule(columns=(column.name,), unique=True), "unique"))
            if rule.index:
                gin = column.type.array or column.type.kind == "jsonb"
                kind: IndexKind = "gin" if gin else "reference" if column.reference else "filter"
                indexes.append(
                    self._index(table, IndexRule(columns=(column.name,), method="gin" if gin else "btree"), kind)
                )
        for index_rule in table.indexes:
            kind = "unique" if index_rule.unique else "gin" if index_rule.method == "gin" else "filter"
            indexes.append(self._index(table, index_rule, kind))
        if table.search is not None:
            indexes.append(self._search(table, table.search))
        return indexes

    def _index(self, table: PlacedTable, rule: IndexRule, kind: IndexKind) -> Index:
        name = rule.name
        if name is None:
            detail = f"{rule.method}\0{rule.where or ''}"
            name = self._name((table.name, *rule.columns), "key" if rule.unique else "idx", detail=detail)
        return Index(name, table.name, rule.columns, None, rule.unique, rule.method, rule.where, kind)

    def _search(self, table: PlacedTable, rule: SearchRule) -> Index:
        types = {entry.column.name: entry.column.type for entry in table.columns}
        columns = [(name, types[name]) for name in rule.columns]
        self.needs_array_text = self.needs_array_text or any(column_type.array for _, column_type in columns)
        sql = search_sql(self.mapping.target.schema_name, columns, rule.language)
        name = self._name((table.name, "search"), "idx")
        return Index(
            name, table.name, rule.columns, sql.expression, False, "gin", sql.predicate, "search", rule.language
        )

    def add_junction(self, name: str) -> None:
        junction = self.mapping.junctions[name]
        stated = junction.on_orphan is not None
        columns = tuple(
            Column(
                entry.column,
                self.mapping.collections[entry.collection].id.type,
                nullable=False,
                role="other",
                reference=reference_to(self.mapping, entry.collection, junction.orphan_action, stated=stated),
            )
            for entry in junction.columns
        )
        first, second = (column.name for column in columns)
        foreign_keys = tuple(
            self._foreign_key(name, (c.name,), c.reference.table, (c.reference.column,), cascade=True)
            for c in columns
            if c.reference is not None
        )
        key_name = self._name((name,), "pkey")
        reverse = Index(self._name((name, second), "idx"), name, (second,), None, False, "btree", None, "reference")
        self.tables[name] = Table(
            name, "junction", None, None, columns, (first, second), key_name, foreign_keys, (reverse,)
        )
