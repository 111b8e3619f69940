"""What the catalog says of columns that are there, as far as their values are compared with others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, LiteralString, cast

import psycopg
from psycopg import sql

from isthmus.connect.postgres import first_number
from isthmus.mapping.types import UUID_TEXT

_COLUMNS = """
SELECT c.relname, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), t.typname, b.typname, b.typtype = 'e'
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
  JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
  JOIN pg_catalog.pg_type b ON b.oid = CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END
WHERE c.relnamespace = to_regnamespace(%s) AND c.relname = ANY(%s) AND c.relkind IN ('r', 'p')
  AND a.attnum > 0 AND NOT a.attisdropped
"""
_TRIGGERS = """
SELECT DISTINCT c.relname, g.tgname FROM pg_catalog.pg_trigger g JOIN pg_catalog.pg_class c ON c.oid = g.tgrelid
WHERE c.relnamespace = to_regnamespace(%s) AND c.relname = ANY(%s) AND NOT g.tgisinternal AND g.tgenabled <> 'D'
ORDER BY 1, 2
"""
_UUID = f"^{UUID_TEXT}$"
_AS_TEXT = {"text", "varchar", "citext", "name"}


@dataclass(frozen=True)
class ThereColumn:
    """A column.

    Attributes:
        type: As the server writes it.
        base: Name of the type; of a domain the one it is over.
        as_text: Whether a text that is given is taken as it stands.
    """

    type: str
    base: str
    as_text: bool

    def value(self, text: sql.Composable) -> sql.Composed:
        """Return SQL of a text as a value of the column's type."""
        return sql.SQL("({})::{}").format(text, sql.SQL(cast("LiteralString", self.type)))

    def text(self, value: sql.Composable) -> sql.Composed:
        """Return SQL of what a given value is there, as text."""
        if self.base == "json":
            return sql.SQL("({})::jsonb::text").format(value)
        if self.as_text:
            return sql.SQL("({})::text").format(value)
        return sql.SQL("{}::text").format(self.value(value))

    def is_text(self, own: sql.Composable, value: sql.Composable) -> sql.Composed:
        """Return SQL that is true of a value of the column whose text is that of a given one; an index on the column
        serves it where it has one of the usual types of keys.
        """
        text = sql.SQL("({})::text").format(value)
        if self.base == "uuid":
            return sql.SQL("{} = CASE WHEN {text} ~ {form} THEN {text}::uuid END").format(
                own, text=text, form=sql.Literal(_UUID)
            )
        if self.base in {"text", "varchar"}:
            return sql.SQL("{} = {}").format(own, text)
        return sql.SQL("{}::text = {}").format(own, text)

    def own_text(self, value: sql.Composable) -> sql.Composed:
        """Return SQL of a value of the column, as text."""
        if self.base == "json":  # what it says, not how it was written
            return sql.SQL("({})::jsonb::text").format(value)
        return sql.SQL("({})::text").format(value)


@dataclass(frozen=True)
class There:
    """What is there.

    Attributes:
        columns: Table → column → what it is; a table that is not there has none.
        triggers: Table → names of triggers of its own that may change what is written.
    """

    columns: dict[str, dict[str, ThereColumn]]
    triggers: dict[str, list[str]]


def read_there(connection: psycopg.Connection[Any], schema: str, tables: Iterable[str]) -> There:
    """Read the columns of some tables of a schema."""
    names = list(tables)
    given = (sql.Identifier(schema).as_string(connection), names)
    found: dict[str, dict[str, ThereColumn]] = {name: {} for name in names}
    for table, name, kind, own, base, is_enum in connection.execute(_COLUMNS, given):
        as_text = is_enum or base in _AS_TEXT
        found[str(table)][str(name)] = ThereColumn(str(kind), str(base), as_text and (is_enum or own == base))
    triggers: dict[str, list[str]] = {}
    for table, name in connection.execute(_TRIGGERS, given):
        triggers.setdefault(str(table), []).append(str(name))
    return There(found, triggers)


def number(connection: psycopg.Connection[Any], query: sql.Composable) -> int:
    """Return the only number of a query."""
    return first_number(connection.execute(sql.Composed([query])))
