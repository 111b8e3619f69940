"""Which columns the tables of one flow have, and which rule each comes from.

`tables` unites what several flows put into one table; `plan` compiles one flow. Both start here, so their columns
cannot differ.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from pydantic import JsonValue

from isthmus.mapping.model import (
    DEAD_LETTER,
    ChildField,
    Collection,
    ColumnField,
    FieldPath,
    FieldRule,
    Flow,
    IndexRule,
    Mapping,
    RouteField,
    SearchRule,
    ToFlagsField,
)
from isthmus.mapping.references import Referred, make_reference, refer
from isthmus.mapping.rules import as_written
from isthmus.mapping.table_defaults import default_sql
from isthmus.mapping.target import HIDDEN_FILLED, HIDDEN_SOURCE, HIDDEN_THING, POSITION, Column
from isthmus.mapping.types import ID_FORMS, ColumnType


@dataclass(frozen=True)
class PlacedColumn:
    """A column with the rule it comes from.

    Attributes:
        rule: None for columns Isthmus adds, and for constants.
        constant: Extended JSON of the value every row of this flow has; None for columns that are no constants.
        index: Whether a constant is indexed.
        referred: How a reference reaches its target.
    """

    column: Column
    rule: ColumnField | None = None
    constant: JsonValue = None
    index: bool = False
    referred: Referred | None = None


@dataclass(frozen=True)
class PlacedTable:
    """A root or child table as one flow fills it, with the rules it comes from.

    Attributes:
        at: Paths of the arrays that lead to it, () for the root table.
        parent: Position of the parent in the list of the flow's tables; None for the root table.
        row_key: Columns that tell a row while it is loaded: the id, or the root's id and the positions.
        primary_key: Columns of its key in the end; empty for none.
    """

    name: str
    at: tuple[FieldPath, ...]
    parent: int | None
    columns: tuple[PlacedColumn, ...]
    row_key: tuple[str, ...]
    primary_key: tuple[str, ...]
    indexes: tuple[IndexRule, ...] = ()
    search: SearchRule | None = None


def place_tables(mapping: Mapping, flow: Flow) -> list[PlacedTable]:
    """List the root table and the child tables of a flow, each child after its parent.

    The order of columns is fixed: key columns, the flow's number, the thing, constants, the fields in the mapping's
    order, extras, what defaults filled.
    """
    placer = _Placer(mapping, flow)
    placer.place_root()
    return placer.tables


class _Placer:
    """Places the tables of one flow, one after the other."""

    def __init__(self, mapping: Mapping, flow: Flow) -> None:
        self._mapping = mapping
        self._flow = flow
        self._entry: Collection = mapping.collections[flow.entry]
        self._several = {name for name, flows in mapping.table_flows.items() if len(flows) > 1}
        self.tables: list[PlacedTable] = []

    def place_root(self) -> None:
        entry = self._entry
        key = entry.id
        columns = [
            PlacedColumn(Column(key.column, key.type, nullable=False, role="id", path=("_id",), hidden=not key.kept)),
            *self._source(entry.table),
            *self._thing(entry.table),
            *self._constants(),
            *self._values(entry.fields),
            *_extras(entry.extras),
        ]
        columns += self._filled(entry.table, columns)
        self.tables.append(
            PlacedTable(
                entry.table,
                (),
                None,
                tuple(columns),
                (key.column,),
                entry.primary_key,
                entry.indexes,
                entry.search,
            )
        )
        self._children(entry.fields, 0)

    def _source(self, table: str) -> list[PlacedColumn]:
        if table not in self._several:
            return []
        column = Column(HIDDEN_SOURCE, ColumnType("smallint"), nullable=False, role="source", hidden=True)
        return [PlacedColumn(column, constant=self._flow.number)]

    def _thing(self, table: str) -> list[PlacedColumn]:
        if table not in self._mapping.thing_tables:
            return []
        return [PlacedColumn(Column(HIDDEN_THING, ColumnType("text"), nullable=True, role="thing", hidden=True))]

    def _filled(self, table: str, columns: list[PlacedColumn]) -> list[PlacedColumn]:
        entries = [flow.entry for flow in self._mapping.table_flows[table]]
        if not self._mapping.joins(entries) or not any(placed.column.by_default for placed in columns):
            return []
        kind = ColumnType("text", array=True)
        return [PlacedColumn(Column(HIDDEN_FILLED, kind, nullable=True, role="filled", hidden=True))]

    def _constants(self) -> Iterator[PlacedColumn]:
        source = next(rule for rule in self._entry.sources if rule.collection == self._flow.collection)
        for constant in self._entry.constants:
            column = Column(constant.column, constant.type, nullable=not constant.required, role="constant")
            value = source.constants.get(constant.column, constant.value)
            yield PlacedColumn(column, constant=value, index=constant.index)

    def _values(self, rules: tuple[FieldRule, ...]) -> Iterator[PlacedColumn]:
        for rule in rules:
            if isinstance(rule, ColumnField):
                yield self._value(rule)
            elif isinstance(rule, ToFlagsField):
                yield from (self._value(column) for column in rule.columns)
            elif isinstance(rule, RouteField):
                routed = tuple(route.column for route in rule.routes)
                for column, one in zip(rule.columns, rule.routes, strict=True):
                    yield self._value(column, routed, rule, one.field)

    def _value(
        self,
        rule: ColumnField,
        routed: tuple[str, ...] = (),
        route: RouteField | None = None,
        own: FieldPath | None = None,
    ) -> PlacedColumn:
        mapping = self._mapping
        pointed = [(as_written(one.path, rule.rename), refer(mapping, one.collection)) for one in rule.rewrite]
        rewrites = tuple((path, referred.pointer.entry) for path, referred in pointed)
        kept = [place for place, one in zip(rewrites, rule.rewrite, strict=True) if one.keep_others]
        column = Column(
            rule.column,
            rule.type or ColumnType("text"),
            nullable=not rule.required,
            role="value",
            sensitive=rule.sensitive,
            path=rule.path,
            rewrites=rewrites,
            forms=tuple((path, ID_FORMS[mapping.collections[entry].ids]) for path, entry in kept),
            sql_default=None if rule.table_default is None else default_sql(rule.table_default),
            by_default=rule.default is not None,
        )
        if rule.references is None:
            return PlacedColumn(column, rule)
        referred = refer(mapping, rule.references, rule.type)
        action, stated = rule.orphan_action, rule.on_orphan is not None
        if route is not None:
            action, stated = route.orphan_action, route.on_orphan is not None or route.required
        reference = make_reference(
            mapping,
            referred,
            action,
            stated=stated,
            routed=routed,
            on_delete=rule.on_delete,
            on_update=rule.on_update,
            own=own,
        )
        column = replace(column, type=referred.type, role="reference", reference=reference)
        return PlacedColumn(column, rule, referred=referred)

    def _children(self, rules: tuple[FieldRule, ...], parent: int) -> None:
        for rule in rules:
            if not isinstance(rule, ChildField):
                continue
            above = self.tables[parent]
            key = child_key(above.name, above.row_key, rule.own)
            own, *ancestors = key[:-1]
            integer = ColumnType("integer")
            columns = [PlacedColumn(Column(own, self._entry.id.type, nullable=False, role="root_id"))]
            columns += [PlacedColumn(Column(n, integer, nullable=False, role="ancestor_position")) for n in ancestors]
            columns.append(PlacedColumn(Column(POSITION, integer, nullable=False, role="position")))
            columns += self._source(rule.table)
            columns += self._values(rule.fields)
            columns += _extras(rule.extras)
            at = (*above.at, rule.path)
            self.tables.append(PlacedTable(rule.table, at, parent, tuple(columns), key, key, rule.indexes, rule.search))
            self._children(rule.fields, len(self.tables) - 1)


def _extras(name: str) -> list[PlacedColumn]:
    if name == DEAD_LETTER:
        return []
    return [PlacedColumn(Column(name, ColumnType("jsonb"), nullable=True, role="extras"))]


def child_key(parent: str, parent_key: tuple[str, ...], own: str | None) -> tuple[str, ...]:
    """Name the key columns of a child table.

    Args:
        parent: Its parent table.
        parent_key: Columns that tell that table's rows; one for a root table.
        own: The stated name of the column with the root document's id.

    Returns:
        That column (`<parent>_id` unless stated), the position in each child table above, its own position.
    """
    above = () if len(parent_key) == 1 else (*parent_key[1:-1], f"{parent}_{POSITION}")
    return (own or f"{parent}_id", *above, POSITION)
