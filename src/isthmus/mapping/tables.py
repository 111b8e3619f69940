"""From the mapping to tables: which exist, with which columns, keys, references and indexes.

Pure: no database is asked. `ddl` turns the result into SQL, `plan` into the core's instructions; both start from
`placing`, so their columns cannot differ.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from isthmus.mapping.model import Flow, IndexRule, Mapping, SearchRule
from isthmus.mapping.names import object_name
from isthmus.mapping.pending import pending_tables
from isthmus.mapping.placing import PlacedTable, child_key, place_tables
from isthmus.mapping.references import make_reference, meets_sensitive, refer
from isthmus.mapping.search import array_text_function, search_sql
from isthmus.mapping.target import (
    HIDDEN_COLUMNS,
    HIDDEN_FILLED,
    HIDDEN_ID,
    HIDDEN_SOURCE,
    HIDDEN_THING,
    POSITION,
    Column,
    DeleteAction,
    ForeignKey,
    Index,
    IndexKind,
    OrphanAction,
    PendingTable,
    Reference,
    Role,
    Table,
    TableKind,
    TargetSchema,
    UpdateAction,
)

__all__ = [
    "HIDDEN_COLUMNS",
    "HIDDEN_FILLED",
    "HIDDEN_ID",
    "HIDDEN_SOURCE",
    "HIDDEN_THING",
    "POSITION",
    "Column",
    "ForeignKey",
    "Index",
    "IndexKind",
    "OrphanAction",
    "PendingTable",
    "Reference",
    "Role",
    "Table",
    "TableKind",
    "TargetSchema",
    "build_schema",
    "child_key",
    "pending_tables",
]


@dataclass(frozen=True)
class _Share:
    """What one flow puts into a table."""

    flow: Flow
    table: PlacedTable
    parent: PlacedTable | None


def build_schema(mapping: Mapping) -> TargetSchema:
    """Build all tables of a mapping; pure, the same mapping always gives the same result, names included."""
    shares: dict[str, list[_Share]] = {}
    for flow in mapping.flows:
        placed = place_tables(mapping, flow)
        for table in placed:
            parent = None if table.parent is None else placed[table.parent]
            shares.setdefault(table.name, []).append(_Share(flow, table, parent))
    builder = _SchemaBuilder(mapping, {*shares, *mapping.junctions, *_index_names(shares)})
    for table in shares.values():
        builder.add(table)
    for name in mapping.junctions:
        builder.add_junction(name)
    return TargetSchema(
        schema=mapping.target.schema_name,
        enums={name: list(values) for name, values in mapping.enums.items()},
        extensions=mapping.extensions,
        tables=builder.tables,
        functions=(array_text_function(mapping.target.schema_name),) if builder.needs_array_text else (),
    )


def _index_names(shares: dict[str, list[_Share]]) -> Iterator[str]:
    for table in shares.values():
        for share in table:
            yield from (index.name for index in share.table.indexes if index.name is not None)


def _united(shares: list[_Share]) -> tuple[Column, ...]:
    """The columns of all flows, each once, those of the first flow first, extras last."""
    found: dict[str, Column] = {}
    for share in shares:
        for placed in share.table.columns:
            column = placed.column
            known = found.get(column.name)
            if known is not None:
                column = replace(
                    known,
                    sensitive=known.sensitive or column.sensitive,
                    rewrites=tuple(dict.fromkeys((*known.rewrites, *column.rewrites))),
                    forms=tuple(dict.fromkeys((*known.forms, *column.forms))),
                    by_default=known.by_default or column.by_default,
                )
            found[column.name] = column
    last = ("extras", "filled")
    return tuple(sorted(found.values(), key=lambda column: last.index(column.role) if column.role in last else -1))


@dataclass(frozen=True)
class _Wanted:
    """An index as one rule wants it."""

    rule: IndexRule
    kind: IndexKind


def _wanted_indexes(table: PlacedTable) -> Iterator[_Wanted]:
    if table.parent is None and table.primary_key != table.row_key and not table.columns[0].column.hidden:
        yield _Wanted(IndexRule(columns=table.row_key, unique=True), "unique")
    for placed in table.columns:
        column, rule = placed.column, placed.rule
        if rule is not None and rule.unique:
            yield _Wanted(IndexRule(columns=(column.name,), unique=True), "unique")
        if placed.index or (rule is not None and rule.index):
            gin = column.type.array or column.type.kind == "jsonb"
            kind: IndexKind = "gin" if gin else "reference" if column.reference else "filter"
            yield _Wanted(IndexRule(columns=(column.name,), method="gin" if gin else "btree"), kind)
    for rule in table.indexes:
        yield _Wanted(rule, "unique" if rule.unique else "gin" if rule.method == "gin" else "filter")


def _all_indexes(shares: list[_Share]) -> list[_Wanted]:
    """The indexes of all entries; one that an entry before wants too is there once."""
    first = {share.flow.entry: share.table for share in reversed(shares)}
    found: list[_Wanted] = []
    for share in shares:
        table = first.pop(share.flow.entry, None)
        known = {(one.rule.columns, one.rule.unique, one.rule.method, one.rule.where) for one in found}
        for one in _wanted_indexes(table) if table is not None else ():
            if (one.rule.columns, one.rule.unique, one.rule.method, one.rule.where) not in known:
                found.append(one)
    return found


@dataclass
class _SchemaBuilder:
    """Builds tables one after the other and keeps the names of keys and indexes apart: in PostgreSQL they share one
    namespace with the tables of a schema."""

    mapping: Mapping
    taken: set[str]
    tables: dict[str, Table] = field(default_factory=dict[str, Table])
    needs_array_text: bool = False
    _constraints: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])

    def _name(self, parts: tuple[str, ...], suffix: str, *, detail: str = "") -> str:
        name = object_name(parts, suffix)
        if name in self.taken:
            name = object_name(parts, suffix, detail=detail or "again")
        attempt = 2
        while name in self.taken:
            name = object_name(parts, suffix, detail=f"{detail}\0{attempt}")
            attempt += 1
        self.taken.add(name)
        return name

    def add(self, shares: list[_Share]) -> None:
        table, parent = shares[0].table, shares[0].parent
        columns = _united(shares)
        key_name = self._name((table.name,), "pkey")
        foreign_keys: list[ForeignKey] = []
        if parent is not None:
            mine = table.row_key[: len(parent.row_key)]
            ends = mine, parent.name, parent.row_key
            foreign_keys.append(self._foreign_key(table.name, *ends, "cascade", self.mapping.target.on_update))
        for column in columns:
            target = column.reference
            if target is not None and not column.type.array and not target.as_text:
                ends = (column.name,), target.table, (target.column,)
                foreign_keys.append(self._foreign_key(table.name, *ends, target.on_delete, target.on_update))
        indexes = [self._index(table.name, one.rule, one.kind) for one in _all_indexes(shares)]
        search = next((share.table.search for share in shares if share.table.search is not None), None)
        if search is not None:
            indexes.append(self._search(table.name, columns, search))
        self.tables[table.name] = Table(
            name=table.name,
            kind="root" if parent is None else "child",
            flows=tuple(share.flow for share in shares),
            parent=None if parent is None else parent.name,
            columns=columns,
            primary_key=table.primary_key,
            primary_key_name=key_name,
            foreign_keys=tuple(foreign_keys),
            indexes=tuple(indexes),
        )

    def _foreign_key(
        self,
        table: str,
        columns: tuple[str, ...],
        target: str,
        target_columns: tuple[str, ...],
        on_delete: DeleteAction | None,
        on_update: UpdateAction | None,
    ) -> ForeignKey:
        # Names of foreign keys live in their table, apart from those of indexes.
        name = object_name((table, *columns), "fkey")
        if (table, name) in self._constraints:
            name = object_name((table, *columns), "fkey", detail="\0".join(columns))
        self._constraints.add((table, name))
        return ForeignKey(name, table, columns, target, target_columns, on_delete, on_update)

    def _index(self, table: str, rule: IndexRule, kind: IndexKind) -> Index:
        name = rule.name
        if name is None:
            detail = f"{rule.method}\0{rule.where or ''}"
            name = self._name((table, *rule.columns), "key" if rule.unique else "idx", detail=detail)
        return Index(name, table, rule.columns, None, rule.unique, rule.method, rule.where, kind)

    def _search(self, table: str, columns: tuple[Column, ...], rule: SearchRule) -> Index:
        types = {column.name: column.type for column in columns}
        read = [(name, types[name]) for name in rule.columns]
        self.needs_array_text = self.needs_array_text or any(column_type.array for _, column_type in read)
        sql = search_sql(self.mapping.target.schema_name, read, rule.language)
        name = self._name((table, "search"), "idx")
        return Index(name, table, rule.columns, sql.expression, False, "gin", sql.predicate, "search", rule.language)

    def add_junction(self, name: str) -> None:
        junction = self.mapping.junctions[name]
        stated = junction.on_orphan is not None
        columns: list[Column] = []
        foreign_keys: list[ForeignKey] = []
        for end in junction.columns:
            referred = refer(self.mapping, end.collection)
            reference = make_reference(self.mapping, referred, junction.orphan_action, stated=stated)
            column = Column(end.column, referred.type, nullable=False, role="other", reference=reference)
            columns.append(replace(column, sensitive=meets_sensitive(self.mapping, end.collection)))
            ends = (end.column,), reference.table, (reference.column,)
            key = self._foreign_key(name, *ends, "cascade", reference.on_update)
            foreign_keys.append(key)
        first, second = (column.name for column in columns)
        key_name = self._name((name,), "pkey")
        reverse = Index(self._name((name, second), "idx"), name, (second,), None, False, "btree", None, "reference")
        self.tables[name] = Table(
            name=name,
            kind="junction",
            flows=(),
            parent=None,
            columns=tuple(columns),
            primary_key=(first, second),
            primary_key_name=key_name,
            foreign_keys=tuple(foreign_keys),
            indexes=(reverse,),
        )
