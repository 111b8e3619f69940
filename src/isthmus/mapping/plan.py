"""The compiled plan: what the core does with one source collection's documents, as JSON.

The format is `isthmus_core::plan`'s; the core refuses keys it does not know. Everything is resolved here: types, ids of
referenced collections, policies of every column, positions of tables and columns. A plan has one shape for each flow of
its source collection, in the order in which their `when` is asked; numbers of tables count inside the shape.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic import JsonValue

from isthmus._rust import extended_json
from isthmus.mapping.mark import MARK
from isthmus.mapping.model import (
    ChildField,
    ColumnField,
    Condition,
    DropField,
    FieldPath,
    FieldRule,
    Flow,
    JunctionField,
    Mapping,
    OtherValues,
    Policies,
    Rewrite,
    RouteField,
    ToFlagsField,
    ValueRule,
)
from isthmus.mapping.pending import pending_pairs, pending_values
from isthmus.mapping.placing import PlacedColumn, PlacedTable, place_tables
from isthmus.mapping.references import Pointer, Referred, field_rule, own_column, point, refer
from isthmus.mapping.target import Column, PendingTable
from isthmus.mapping.things import Things
from isthmus.mapping.types import ColumnType

PLAN_VERSION = 2

_Json = dict[str, Any]


def compile_plans(mapping: Mapping) -> dict[str, str]:
    """Compile a plan for every carried source collection.

    Returns:
        Plan JSON by source collection, in the mapping's order; collections skipped as a whole have none. The same
        mapping always gives the same text.
    """
    return {name: json.dumps(_plan(mapping, name), ensure_ascii=False) for name in mapping.source_collections}


def _plan(mapping: Mapping, source: str) -> _Json:
    shapes = [_Compiler(mapping, flow).shape() for flow in mapping.flows_of(source)]
    return {"version": PLAN_VERSION, "collection": source, "shapes": shapes}


def _tests(conditions: tuple[Condition, ...]) -> list[_Json]:
    return [{"path": list(part.path), "op": part.op, "values": list(part.values)} for part in conditions]


def _plain_column(mapping: Mapping, column: Column) -> _Json:
    """A column of which nothing is known but name, role and type."""
    return {
        "name": column.name,
        "role": column.role,
        "type": _type(mapping, column.type),
        "required": not column.nullable,
        "default": None,
        "default_for": ["missing"],
        "coerce": False,
        "sensitive": column.sensitive,
        "policies": _policies(mapping.policies),
        "reference": None,
        "rewrite": [],
        "normalise": [],
        "values": [],
        "others": None,
    }


def _column(mapping: Mapping, placed: PlacedColumn, collection: str) -> _Json:
    column, rule = placed.column, placed.rule
    written = _plain_column(mapping, column)
    if column.role == "thing":
        return {**written, **_thing(mapping, collection)}
    if column.role in ("constant", "source"):
        written["default"] = {"kind": "literal", "value": placed.constant}
    if rule is None:
        return written
    if rule.default is not None:
        literal = {"value": rule.default.value} if rule.default.kind == "literal" else {}
        written["default"] = {"kind": rule.default.kind, **literal}
    written["default_for"] = list(rule.default_for)
    written["coerce"] = rule.coerce
    written["policies"] = _policies(rule.policies)
    written["rewrite"] = [_rewrite(mapping, one) for one in rule.rewrite]
    if rule.rename:
        written["rename"] = [{"path": list(one.path), "to": one.to} for one in rule.rename]
    if rule.identity is not None and mapping.things is not None:
        written["things"] = {
            "of": mapping.things.in_lines.get(collection, ""),
            "members": _members(mapping, mapping.things, rule.identity),
        }
    if placed.referred is not None:
        written["reference"] = _reference(mapping, placed.referred, rule)
    else:
        written["normalise"] = list(rule.normalise)
        written["values"] = _values(rule.values)
        written["others"] = _others(rule.other_values)
    return written


def _rewrite(mapping: Mapping, rule: Rewrite) -> _Json:
    others = {"keep_others": True} if rule.keep_others else {}
    return {"path": list(rule.path), **_ids_of(mapping, rule.collection), **others}


def _thing(mapping: Mapping, collection: str) -> _Json:
    """What fills the hidden column of the thing: nothing, where documents of a collection are no members."""
    members = {member.collection for identity in mapping.identities.values() for member in identity.members}
    if mapping.things is None or collection not in members:
        return {"role": "constant", "default": {"kind": "literal", "value": None}}
    return {"things": {"of": mapping.things.in_lines.get(collection, "")}}


def _members(mapping: Mapping, things: Things, identity: str) -> _Json:
    """The things of all documents that a reference to them may lead to."""
    names = [member.collection for member in mapping.identities[identity].members]
    return {name: things.in_lines.get(name, "") for name in names}


def _dropped(mapping: Mapping, collection: str) -> list[_Json]:
    """Conditions on the documents that people want left behind."""
    if mapping.things is None:
        return []
    return [
        {"all": [{"path": ["_id"], "op": "in", "values": [_literal(one) for one in documents]}], "why": why}
        for why, documents in mapping.things.why_dropped.get(collection, {}).items()
    ]


def _literal(document: bytes) -> JsonValue:
    return json.loads(extended_json(document))["_id"]


def _ids_of(mapping: Mapping, reference: str) -> _Json:
    pointer = point(mapping, reference)
    if pointer is None:
        raise KeyError(reference)
    return {"collection": pointer.hashed_as, **_scheme(mapping, pointer)}


def _scheme(mapping: Mapping, pointer: Pointer) -> _Json:
    entry = mapping.collections[pointer.entry]
    return {"ids": entry.ids, "rewritten": True} if entry.rewritten else {"ids": entry.ids}


def _reference(mapping: Mapping, referred: Referred, rule: ColumnField | None) -> _Json:
    pointer = referred.pointer
    written: _Json = {
        "collection": pointer.hashed_as,
        **_scheme(mapping, pointer),
        "by": None,
    }
    field = field_rule(mapping, pointer)
    if field is not None and field.type is not None:
        own = rule.normalise if rule is not None else ()
        written["by"] = {
            "type": _type(mapping, field.type),
            "coerce": field.coerce or (rule is not None and rule.coerce),
            "normalise": [step for step in ("trim", "lower") if step in (*field.normalise, *own)],
            "values": _values(field.values),
            "others": _others(field.other_values),
            "policies": _policies(field.policies),
        }
    return written


def _values(values: tuple[ValueRule, ...]) -> list[_Json]:
    return [{"from": rule.source, "to": rule.becomes} for rule in values]


def _others(others: OtherValues | None) -> _Json | None:
    return None if others is None else {"value": others.becomes}


def _policies(policies: Policies) -> _Json:
    return policies.model_dump(mode="json")


def _type(mapping: Mapping, column_type: ColumnType) -> _Json:
    written: _Json = {"kind": column_type.kind}
    if column_type.length is not None:
        written["length"] = column_type.length
    if column_type.precision is not None:
        written["precision"] = column_type.precision
    if column_type.scale is not None:
        written["scale"] = column_type.scale
    if column_type.enum is not None:
        written["values"] = list(mapping.enums[column_type.enum])
        written["name"] = f"{mapping.target.schema_name}.{column_type.enum}"
    written["array"] = column_type.array
    return written


def _paths(rule: FieldRule) -> tuple[FieldPath, ...]:
    return rule.paths if isinstance(rule, ColumnField | RouteField) else (rule.path,)


class _Compiler:
    """Compiles one flow; pending and junction tables are added to `tables` as their fields are met."""

    def __init__(self, mapping: Mapping, flow: Flow) -> None:
        self._mapping = mapping
        self._flow = flow
        self._placed = place_tables(mapping, flow)
        self._positions = {table.at: position for position, table in enumerate(self._placed)}
        self._junctions: dict[tuple[str, str], int] = {}
        self.tables = [self._table(table) for table in self._placed]

    def shape(self) -> _Json:
        """Compile the flow."""
        entry = self._mapping.collections[self._flow.entry]
        fields = self._fields(entry.fields, ())
        if not any(path[:1] == (MARK,) for rule in entry.fields for path in _paths(rule)):
            fields.append({"path": [MARK], "do": "drop"})
        return {
            "entry": self._flow.entry,
            "when": _tests(entry.when),
            "ids": entry.ids,
            "unknown": "extras" if self._keeps_extras() else "dead_letter",
            "skip": [
                *_dropped(self._mapping, self._flow.collection),
                *({"all": _tests(rule.all), "why": rule.why} for rule in entry.skip),
            ],
            "tables": self.tables,
            "fields": fields,
        }

    def _keeps_extras(self) -> bool:
        """Whether any of the tables does; in those that do not, fields without a rule are refused anyway."""
        return any(placed.column.role == "extras" for table in self._placed for placed in table.columns)

    def _table(self, table: PlacedTable) -> _Json:
        written: _Json = {"name": table.name, "kind": "root" if table.parent is None else "child"}
        if table.parent is not None:
            written["parent"] = table.parent
        collection = self._flow.collection
        written["columns"] = [_column(self._mapping, placed, collection) for placed in _loaded(table)]
        return written

    def _fields(self, rules: tuple[FieldRule, ...], at: tuple[FieldPath, ...]) -> list[_Json]:
        """Compile the rules of the document, or of the elements of the arrays `at` leads through."""
        number = self._positions[at]
        table = self._placed[number]
        columns = {placed.column.name: position for position, placed in enumerate(_loaded(table))}
        written: list[_Json] = []
        for rule in rules:
            match rule:
                case ColumnField():
                    written.append(self._column_field(rule, number, columns))
                case ToFlagsField():
                    flags = [{"label": flag.label, "column": columns[flag.column]} for flag in rule.flags]
                    written.append({"path": list(rule.path), "do": "to_flags", "table": number, "flags": flags})
                case RouteField():
                    routes = [columns[route.column] for route in rule.routes]
                    route: _Json = {**_chosen(rule), "do": "route", "table": number, "columns": routes}
                    written.append({**route, "required": True} if rule.required else route)
                case JunctionField():
                    written.append({"path": list(rule.path), "do": "junction", "table": self._junction(rule)})
                case ChildField():
                    below = (*at, rule.path)
                    inner = self._fields(rule.fields, below)
                    child = {"do": "child", "table": self._positions[below], "fields": inner}
                    written.append({"path": list(rule.path), **child})
                case DropField():
                    written.append({"path": list(rule.path), "do": "drop"})
        return written

    def _column_field(self, rule: ColumnField, table: int, columns: dict[str, int]) -> _Json:
        if rule.flags:
            flags = [{"path": list(flag.path), "label": flag.label} for flag in rule.flags]
            return {
                "do": "flags",
                "table": table,
                "column": columns[rule.column],
                "flags": flags,
                "coerce": rule.coerce,
            }
        if rule.object:
            parts = [{"key": part.key, "path": list(part.path)} for part in rule.object]
            return {"do": "object", "table": table, "column": columns[rule.column], "parts": parts}
        if rule.column in columns:
            return {**_chosen(rule), "do": "column", "table": table, "column": columns[rule.column]}
        return {**_chosen(rule), "do": "pending", "table": self._pending(rule, table)}

    def _pending(self, rule: ColumnField, table: int) -> int:
        placed = next(one for one in self._placed[table].columns if one.column.name == rule.column)
        pending = pending_values(self._flow, self._placed[table], placed)
        written = self._pending_columns(pending, placed.referred, rule)
        self.tables.append(
            {
                "name": pending.name,
                "kind": "pending",
                "parent": table,
                "books": f"{pending.table}.{pending.column}",
                "columns": written,
            }
        )
        return len(self.tables) - 1

    def _pending_columns(
        self, pending: PendingTable, referred: Referred | None, rule: ColumnField | None
    ) -> list[_Json]:
        columns = [_plain_column(self._mapping, column) for column in pending.columns]
        if referred is not None:
            columns[-1]["reference"] = _reference(self._mapping, referred, rule)
        if rule is not None:
            columns[-1]["required"] = rule.required
            columns[-1]["coerce"] = rule.coerce
            columns[-1]["policies"] = _policies(rule.policies)
        return columns

    def _junction(self, rule: JunctionField) -> int:
        """Add the junction as this flow sees it: one table for each side it feeds."""
        own = own_column(self._mapping, self._flow.entry, rule.junction, rule.own)
        known = self._junctions.get((rule.junction, own))
        if known is not None:
            return known
        table: _Json = {"name": rule.junction, "kind": "junction"}
        pairs = pending_pairs(self._mapping, self._flow, rule.junction, own)
        if pairs is not None:
            table["name"], table["books"] = pairs.name, f"{pairs.table}.{pairs.column}"
        columns: list[_Json] = []
        for end in self._mapping.junctions[rule.junction].columns:
            referred = refer(self._mapping, end.collection)
            if end.column == own:
                column = Column(end.column, referred.type, nullable=False, role="own")
            else:
                column = Column(end.column, referred.met, nullable=False, role="other", sensitive=rule.sensitive)
            written = _plain_column(self._mapping, column)
            written["reference"] = _reference(self._mapping, referred, None)
            if end.column == own:
                written["reference"]["by"] = None
            columns.append(written)
        table["columns"] = columns
        self.tables.append(table)
        self._junctions[rule.junction, own] = len(self.tables) - 1
        return len(self.tables) - 1


def _loaded(table: PlacedTable) -> list[PlacedColumn]:
    """The columns that rows are loaded with; the others come in finish."""
    return [placed for placed in table.columns if not placed.column.waits]


def _chosen(rule: ColumnField | RouteField) -> _Json:
    """Which value of the document a field takes."""
    written: _Json = {"path": list(rule.path)}
    if rule.first_of:
        written = {"first_of": [list(path) for path in rule.first_of]}
    if rule.element is not None:
        written["element"] = rule.element
        written["of"] = list(rule.of)
        written["others"] = "extras" if rule.others is None else "drop"
        written["coerce"] = isinstance(rule, ColumnField) and rule.coerce
    return written
