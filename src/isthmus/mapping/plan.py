"""The compiled plan: what the core does with one collection's documents, as JSON.

The format is `isthmus_core::plan`'s; the core refuses keys it does not know. Everything is resolved here: types, ids of
referenced collections, policies of every column, positions of tables and columns.
"""

from __future__ import annotations

import json
from typing import Any

from isthmus.mapping.model import (
    DEAD_LETTER,
    ChildField,
    ColumnField,
    DropField,
    FieldPath,
    FieldRule,
    JunctionColumn,
    JunctionField,
    Mapping,
    Policies,
)
from isthmus.mapping.tables import PlacedColumn, PlacedTable, place_tables
from isthmus.mapping.types import ColumnType

PLAN_VERSION = 1

_Json = dict[str, Any]


def compile_plans(mapping: Mapping) -> dict[str, str]:
    """Compile a plan for every carried collection.

    Returns:
        Plan JSON by collection, in the mapping's order; collections skipped as a whole have none. The same mapping
        always gives the same text.
    """
    return {name: json.dumps(_plan(mapping, name), ensure_ascii=False) for name in mapping.collections}


def _plan(mapping: Mapping, name: str) -> _Json:
    collection = mapping.collections[name]
    compiler = _Compiler(mapping, name)
    fields = compiler.fields(collection.fields, ())
    return {
        "version": PLAN_VERSION,
        "collection": name,
        "ids": collection.ids,
        "unknown": "dead_letter" if collection.extras == DEAD_LETTER else "extras",
        "skip": [
            {
                "all": [{"path": list(part.path), "op": part.op, "values": list(part.values)} for part in rule.all],
                "why": rule.why,
            }
            for rule in collection.skip
        ],
        "tables": compiler.tables,
        "fields": fields,
    }


def _table(mapping: Mapping, table: PlacedTable) -> _Json:
    written: _Json = {"name": table.name, "kind": "root" if table.parent is None else "child"}
    if table.parent is not None:
        written["parent"] = table.parent
    written["columns"] = [_column(mapping, entry) for entry in table.columns]
    return written


def _column(mapping: Mapping, entry: PlacedColumn) -> _Json:
    column, rule = entry.column, entry.rule
    reference = column.reference
    default = rule.default if rule is not None else None
    written_default: _Json | None = None
    if default is not None:
        written_default = {"kind": default.kind}
        if default.kind == "literal":
            written_default["value"] = default.value
    return {
        "name": column.name,
        "role": column.role,
        "type": _type(mapping, column.type),
        "required": not column.nullable,
        "default": written_default,
        "default_for": list(rule.default_for) if rule is not None else ["missing"],
        "coerce": rule is not None and rule.coerce,
        "sensitive": column.sensitive,
        "policies": _policies(rule.policies if rule is not None else mapping.policies),
        "reference": None if reference is None else _reference(mapping, reference.collection),
        "rewrite": [{"path": list(path), **_reference(mapping, collection)} for path, collection in column.rewrites],
    }


def _reference(mapping: Mapping, collection: str) -> _Json:
    return {"collection": collection, "ids": mapping.collections[collection].ids}


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


class _Compiler:
    """Compiles the fields of one collection; junction tables are added to `tables` as their fields are met."""

    def __init__(self, mapping: Mapping, collection: str) -> None:
        self._mapping = mapping
        self._collection = collection
        self._placed = place_tables(mapping, collection)
        self._positions = {table.at: position for position, table in enumerate(self._placed)}
        self._junctions: dict[tuple[str, str], int] = {}
        self.tables = [_table(mapping, table) for table in self._placed]

    def fields(self, rules: tuple[FieldRule, ...], at: tuple[FieldPath, ...]) -> list[_Json]:
        """Compile the rules of the document, or of the elements of the arrays `at` leads through."""
        table = self._positions[at]
        columns = {entry.column.name: number for number, entry in enumerate(self._placed[table].columns)}
        written: list[_Json] = []
        for rule in rules:
            path = list(rule.path)
            match rule:
                case ColumnField():
                    written.append({"path": path, "do": "column", "table": table, "column": columns[rule.column]})
                case JunctionField():
                    written.append({"path": path, "do": "junction", "table": self._junction(rule)})
                case ChildField():
                    below = (*at, rule.path)
                    inner = self.fields(rule.fields, below)
                    written.append({"path": path, "do": "child", "table": self._positions[below], "fields": inner})
                case DropField():
                    written.append({"path": path, "do": "drop"})
        return written

    def _junction(self, rule: JunctionField) -> int:
        """Add the junction as this collection sees it: one entry for each side it feeds."""
        own = own_column(self._mapping, self._collection, rule)
        known = self._junctions.get((rule.junction, own))
        if known is not None:
            return known
        junction = self._mapping.junctions[rule.junction]
        columns = [
            _pair_column(self._mapping, entry, "own" if entry.column == own else "other") for entry in junction.columns
        ]
        self.tables.append({"name": rule.junction, "kind": "junction", "columns": columns})
        self._junctions[rule.junction, own] = len(self.tables) - 1
        return len(self.tables) - 1


def _pair_column(mapping: Mapping, entry: JunctionColumn, role: str) -> _Json:
    return {
        "name": entry.column,
        "role": role,
        "type": _type(mapping, mapping.collections[entry.collection].id.type),
        "required": True,
        "default": None,
        "default_for": ["missing"],
        "coerce": False,
        "sensitive": False,
        "policies": _policies(mapping.policies),
        "reference": _reference(mapping, entry.collection),
        "rewrite": [],
    }


def own_column(mapping: Mapping, collection: str, rule: JunctionField) -> str:
    """The junction's column that takes the id of this collection's documents.

    Raises:
        KeyError: No column of the junction refers to the collection, or both do and the rule does not say which;
            `check` refuses such mappings.
    """
    if rule.own is not None:
        return rule.own
    candidates = [e.column for e in mapping.junctions[rule.junction].columns if e.collection == collection]
    if len(candidates) != 1:
        raise KeyError(rule.junction)
    return candidates[0]
