"""What the mapping wants, as far as that can be said without a server: for roles that may not make anything.

Blind spots: the text of predicates and of search expressions, of which it is only known whether there is one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

from isthmus.connect.definitions import Definition, Definitions
from isthmus.mapping.search import ARRAY_TEXT
from isthmus.mapping.tables import ForeignKey, Index, Table, TargetSchema
from isthmus.mapping.types import ColumnType

_NAMES = {"varchar": "character varying", "double": "double precision"}
_INSTANTS = {"timestamp": "without time zone", "timestamptz": "with time zone"}


Quote = Callable[[str], str]
"""Quotes a name as the server does: only where it must."""


def state(schema: TargetSchema, quote: Quote) -> Definitions:
    """Return the definitions; each has only the parts that are known."""
    found: list[Definition] = [
        Definition("enum", name, name, {"labels": json.dumps(labels, ensure_ascii=False)})
        for name, labels in schema.enums.items()
    ]
    found += [Definition("function", name, name, {}) for name in ([ARRAY_TEXT] if schema.functions else [])]
    for table in schema.tables.values():
        found += _of_table(schema, table.final, quote)
    return {one.place: one for one in found}


def _of_table(schema: TargetSchema, table: Table, quote: Quote) -> Iterator[Definition]:
    plain = {"kind": "table", "logged": "yes", "row security": "off", "inherits": "no"}
    yield Definition("table", table.name, table.name, plain)
    for column in table.columns:
        null = "nullable" if column.nullable else "not null"
        null = "not null" if column.name in table.primary_key else null
        parts = {"type": _type(column.type, schema.schema, quote), "null": null, "default": "", "generated": ""}
        yield Definition("column", table.name, column.name, {**parts, "collation": ""})
    if table.primary_key:
        parts = {"columns": _names(table.primary_key), "index valid": "yes"}
        yield Definition("key", table.name, table.primary_key_name, parts)
    for index in table.indexes:
        yield _index(index)
    for key in table.foreign_keys:
        yield _foreign_key(key)


def _index(index: Index) -> Definition:
    columns = ("(expression)",) if index.expression is not None else index.columns
    parts = {
        "valid": "yes",
        "unique": "yes" if index.unique else "no",
        "method": index.method,
        "columns": _names(columns),
        "partial": "no" if index.where is None else "yes",
    }
    return Definition("index", index.table, index.name, parts)


def _foreign_key(key: ForeignKey) -> Definition:
    parts = {
        "columns": _names(key.columns),
        "target": key.target_table,
        "target columns": _names(key.target_columns),
        "on delete": key.on_delete or "",
        "on update": key.on_update or "",
        "validated": "yes",
        "enforced": "yes",
    }
    return Definition("foreign key", key.table, key.name, parts)


def _names(names: tuple[str, ...]) -> str:
    return json.dumps(list(names), ensure_ascii=False)


def _type(column_type: ColumnType, schema: str, quote: Quote) -> str:
    """Return a type as the server writes it."""
    kind = column_type.kind
    if kind == "enum":
        words = f"{quote(schema)}.{quote(column_type.enum or '')}"
    elif kind in _INSTANTS:
        precision = "" if column_type.precision is None else f"({column_type.precision})"
        words = f"timestamp{precision} {_INSTANTS[kind]}"
    else:
        words = _NAMES.get(kind, kind)
        if kind == "varchar" and column_type.length is not None:
            words += f"({column_type.length})"
        if kind == "numeric" and column_type.precision is not None:
            words += f"({column_type.precision},{column_type.scale or 0})"
    return f"{words}[]" if column_type.array else words
