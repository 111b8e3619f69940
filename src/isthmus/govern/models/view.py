"""Questions to a catalog that writers of SQL ask. Pure."""

from __future__ import annotations

import re

from isthmus.govern.catalog.model import Catalog, Key, Properties
from isthmus.govern.models.sql_names import name, within

_TOKEN = re.compile(r"E?'(?:[^'\\]|''|\\.)*'")
_NAME = r'(?:"(?:[^"]|"")+"|[^\s".,()]+)'
_REFERENCES = re.compile(rf"REFERENCES ({_NAME}\.{_NAME}|{_NAME})\(([^)]*)\)")


def of_table(catalog: Catalog, kind: str, table: Key) -> dict[str, Properties]:
    """Return what hangs on a table, by name: its constraints, its indexes, its triggers."""
    return {key.part: one for key, one in catalog.items() if key.kind == kind and key[1:3] == table[1:3]}


def tables(catalog: Catalog) -> list[Key]:
    """Return its tables."""
    return sorted(key for key in catalog if key.kind == "table")


def kept_tables(before: Catalog, after: Catalog) -> list[Key]:
    """Return the tables that are there on both sides."""
    return [key for key in tables(after) if key in before]


def table_name(key: Key) -> str:
    """Return the table that something hangs on, as SQL names it."""
    return within(key.schema, key.name)


def definition(one: Properties) -> str:
    """Return how the server defines something."""
    return str(one["definition"])


def kind_of(one: Properties) -> str:
    """Return the first word of a constraint's definition: `PRIMARY`, `UNIQUE`, `FOREIGN`, `CHECK`, `EXCLUDE`."""
    return definition(one).split(" ", 1)[0]


def values_of(one: Properties) -> list[str]:
    """Return an enum's values in their order, quoted."""
    return _TOKEN.findall(str(one["values"] or ""))


def word_for_type(one: Properties) -> str:
    """Return what SQL calls a type where it changes or drops it: `DOMAIN` or `TYPE`."""
    return "DOMAIN" if one["form"] == "domain" else "TYPE"


def owned_sequences(catalog: Catalog, table: Key, column: str) -> list[Key]:
    """Return the sequences that a column owns."""
    owner = f"{_printed(table.schema)}.{_printed(table.name)}.{_printed(column)}"
    return sorted(
        key
        for key, one in catalog.items()
        if key.kind == "sequence" and unquoted(str(one.get("owned by") or "")) == owner
    )


def references(one: Properties) -> tuple[str, str] | None:
    """Return table and columns that a foreign key points at, as the server prints them; None where it is none."""
    found = _REFERENCES.search(definition(one))
    return (unquoted(found[1]), found[2]) if found else None


def printed(table: Key) -> str:
    """Return a table as `references` names it."""
    return f"{_printed(table.schema)}.{_printed(table.name)}"


def is_own_index(catalog: Catalog, key: Key) -> bool:
    """Tell whether an index belongs to a constraint, and comes and goes with it."""
    constraint = catalog.get(Key("constraint", *key[1:]))
    return constraint is not None and kind_of(constraint) in {"PRIMARY", "UNIQUE", "EXCLUDE"}


def column_text(column: str, one: Properties, *, serial: str | None = None, nullable: bool | None = None) -> str:
    """Return a column as CREATE TABLE and ADD COLUMN take it.

    Args:
        column: Its name.
        one: What it is.
        serial: Its type where it makes its own sequence, in place of type, default and NOT NULL.
        nullable: Whether it may be null, where that is to be another answer than its own.
    """
    if serial is not None:
        return f"{name(column)} {serial}"
    parts = [name(column), str(one["type"])]
    if one["collation"]:
        parts.append(f"COLLATE {one['collation']}")
    if one["generated"]:
        expression, _, how = str(one["generated"]).rpartition(" ")
        parts.append(f"GENERATED ALWAYS AS ({expression}) {how.upper()}")
    if one["default"] is not None:
        parts.append(f"DEFAULT {one['default']}")
    if one["identity"]:
        parts.append(f"GENERATED {str(one['identity']).upper()} AS IDENTITY")
    may_be_null = one["nullable"] if nullable is None else nullable
    if not may_be_null and not (one["identity"] and nullable is None):
        parts.append("NOT NULL")
    return " ".join(parts)


def without_name(one: Properties, index: str) -> str:
    """Return an index's definition without its name: equal where two differ in nothing else."""
    return definition(one).replace(f" INDEX {_printed(index)} ON ", " INDEX ON ", 1)


def unquoted(text: str) -> str:
    """Return a name without its quotes: which words need them is the server's decision."""
    return text.replace('"', "")


def _printed(text: str) -> str:
    return unquoted(name(text))
