"""`schema.json`: which tables and columns a folder of migrations makes, and by which migration. Pure.

It is written by `isthmus schema rehearse` and committed, so that a check can ask what exists without a database. Names
are those that the catalog has at the end: a table that was renamed was made by the migration that gave it its name.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from isthmus.govern.catalog.naming import quoted

VERSION = 1
WHAT = "Written by isthmus schema rehearse; do not edit."


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        type: As the server prints it: `character varying(255)`.
        nullable: Whether it may hold NULL.
        migration: Name of the migration that made it.
    """

    type: str
    nullable: bool
    migration: str


@dataclass(frozen=True)
class Table:
    """One table or view.

    Attributes:
        migration: Name of the migration that made it; one of another folder where this one only added columns.
        columns: Name → column; of a table of another folder those that this one added.
    """

    migration: str
    columns: Mapping[str, Column] = field(default_factory=dict[str, Column])


@dataclass(frozen=True)
class SchemaJson:
    """All of it.

    Attributes:
        migrations: Name → its checksum (`checksum_of`), in the order in which they are applied.
        tables: `schema.table`, as the server has the names, without quotes → table; see `table_key`.
    """

    migrations: Mapping[str, str] = field(default_factory=dict[str, str])
    tables: Mapping[str, Table] = field(default_factory=dict[str, Table])


class SchemaJsonFault(ValueError):  # noqa: N818  it becomes a finding
    """The file cannot be read; the text says why."""


def checksum_of(sql: str, rollback: str | None) -> str:
    """Return SHA-256 of a migration, hex: its text, and a rollback of its own file behind it, with line feeds.

    Args:
        sql: Its text.
        rollback: The text of its rollback's file; None where it has none of its own.
    """
    whole = sql if rollback is None else f"{sql}\0{rollback}"
    return hashlib.sha256(whole.replace("\r\n", "\n").encode()).hexdigest()


def table_key(schema: str, name: str) -> str:
    """Return what a table is found by in `SchemaJson.tables`; names stand in double quotes where one holds a dot."""
    return f"{schema}.{name}" if "." not in schema + name else f"{quoted(schema)}.{quoted(name)}"


def read_schema_json(text: str) -> SchemaJson:
    """Read the text of a `schema.json`.

    Raises:
        SchemaJsonFault: It is none, or of a later version.
    """
    try:
        found: Any = json.loads(text)
    except json.JSONDecodeError as fault:
        raise SchemaJsonFault(f"it is no JSON (line {fault.lineno}: {fault.msg})") from None
    except (RecursionError, ValueError):  # too deep, or a number of thousands of digits
        raise SchemaJsonFault("it has not the form of one (what it holds is too large)") from None
    try:
        version = found["isthmus"]
        if type(version) is not int or version != VERSION:
            raise SchemaJsonFault(f"it is of version {version!s:.40}, and this isthmus knows version {VERSION}")
        return SchemaJson(
            {_text(name): _text(checksum) for name, checksum in reversed(_entries(found["migrations"]))},
            {_text(name): _table(one) for name, one in _entries(found["tables"])},
        )
    except (KeyError, TypeError, AttributeError) as fault:
        raise SchemaJsonFault(f"it has not the form of one ({fault})") from None


def schema_json_of(text: str | None) -> SchemaJson | None:
    """Read the text of a `schema.json`; None where there is none, or none that can be read: a rule says so."""
    try:
        return None if text is None else read_schema_json(text)
    except SchemaJsonFault:
        return None


def _entries(value: object) -> Sequence[tuple[Any, Any]]:
    if not isinstance(value, dict):
        raise TypeError(f"{value!r:.40} is no object")
    return list(cast("dict[Any, Any]", value).items())


def _table(value: Any) -> Table:
    columns = {_text(name): _column(one) for name, one in _entries(value["columns"])}
    return Table(_text(value["migration"]), columns)


def _column(value: Any) -> Column:
    if not isinstance(value["nullable"], bool):
        raise TypeError("`nullable` is neither true nor false")
    return Column(_text(value["type"]), value["nullable"], _text(value["migration"]))


def _text(value: object) -> str:
    if not isinstance(value, str) or any("\ud800" <= one <= "\udfff" for one in value):  # halves of a letter
        raise TypeError(f"{value!r:.40} is no text")
    return value


def render(schema: SchemaJson) -> str:
    """Return the text of a `schema.json`: tables and columns sorted, UTF-8, with a line break at its end.

    A migration is a line and a column is one, so that what is new shows as lines that are new. The newest migration
    stands first: behind the others it would change the line in front of it, for JSON wants a comma there.
    """
    migrations = _block(4, (_member(name, _json(one)) for name, one in reversed([*schema.migrations.items()])))
    tables = _block(4, (_member(name, _of_table(one)) for name, one in sorted(schema.tables.items())))
    return (
        f'{{\n  "isthmus": {VERSION},\n  "what": {_json(WHAT)},\n  "migrations": {migrations},\n'
        f'  "tables": {tables}\n}}\n'
    )


def _of_table(table: Table) -> str:
    columns = _block(8, (_member(name, _json(vars(one))) for name, one in sorted(table.columns.items())))
    return _block(6, (_member("migration", _json(table.migration)), _member("columns", columns)))


def _block(indent: int, members: Iterable[str]) -> str:
    lines = ",\n".join(" " * indent + one for one in members)
    return f"{{\n{lines}\n{' ' * (indent - 2)}}}" if lines else "{}"


def _member(name: str, text: str) -> str:
    return f"{_json(name)}: {text}"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
