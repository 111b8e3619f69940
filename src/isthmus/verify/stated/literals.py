"""Values that a mapping states (Extended JSON), as SQL of a column's type. Pure."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from bson import Decimal128, json_util
from psycopg import sql
from pydantic import JsonValue

from isthmus.mapping.types import ColumnType

_OPTIONS = json_util.JSONOptions(json_mode=json_util.JSONMode.RELAXED, tz_aware=True, tzinfo=UTC)
_KINDS = {
    "text",
    "varchar",
    "enum",
    "boolean",
    "smallint",
    "integer",
    "bigint",
    "real",
    "double",
    "numeric",
    "date",
    "timestamp",
    "timestamptz",
    "uuid",
}


TEXTUAL = frozenset({"text", "varchar", "enum", "uuid"})
"""Kinds that are compared as texts, for a column that existed before may be text."""


def comparable(value: sql.Composable, column_type: ColumnType) -> sql.Composable:
    """Return SQL of a column's value as it is compared with `literal`."""
    return sql.SQL("{}::text").format(value) if column_type.kind in TEXTUAL else value


def literal(value: JsonValue, column_type: ColumnType, schema: str) -> sql.Composed | None:
    """Return SQL of a stated value as a column of that type holds it; None for types that are not compared here."""
    element = column_type.element
    text = told(value, column_type)
    if text is None:
        return None
    kind = sql.SQL("text" if element.kind in TEXTUAL else element.sql(schema))  # pyright: ignore[reportArgumentType]  made by the mapping package
    return sql.SQL("CAST({} AS {})").format(sql.Literal(text), kind)


def told(value: JsonValue, column_type: ColumnType) -> str | None:
    """Return a stated value as text that PostgreSQL reads as that type; None for types that are not compared here."""
    element = column_type.element
    if element.kind not in _KINDS:
        return None
    try:
        read = json_util.loads(json.dumps(value), json_options=_OPTIONS)
    except (TypeError, ValueError, OverflowError):
        return None
    return _text(read, element)


def _text(value: object, element: ColumnType) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        at = value.astimezone(UTC)
        if element.kind == "date":
            return at.date().isoformat()
        return at.replace(tzinfo=None).isoformat() if element.kind == "timestamp" else at.isoformat()
    if isinstance(value, Decimal128):
        return str(value.to_decimal())
    if isinstance(value, int | float | str):
        return str(value)
    return str(value) if element.kind == "uuid" and value is not None else None
