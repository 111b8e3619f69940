"""What the server makes of the mapping's definitions: made anew in a schema of their own, read, and rolled back.

So predicates, expressions and types are compared in the server's own words, whatever its version. Nothing stays, and
no table of the target is locked against writing. For a role that may not create schemas all is made temporary.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import psycopg
from psycopg import sql

from isthmus.connect.definitions import Definition, Definitions, read_definitions
from isthmus.connect.postgres import explain, meaning
from isthmus.mapping import Mapping, ddl
from isthmus.mapping.search import ARRAY_TEXT
from isthmus.mapping.tables import Index, Table, TargetSchema, build_schema

_TEMPORARY = "pg_temp"
_TEMPORARY_SCHEMA = re.compile(r"(?<![\w\"])pg_temp(?:_\d+)?\.")
"""How the server may call it (PostgreSQL: Client Connection Defaults, `search_path`)."""


@dataclass
class Wanted:
    """What the mapping wants.

    Attributes:
        definitions: By place, as if they were in the target's schema.
        path: The `search_path` under which the target's own definitions read alike.
        unknown: Name of each index that could not be made anew → why, the server's words.
    """

    definitions: Definitions = field(default_factory=dict[tuple[str, str, str], Definition])
    path: str = ""
    unknown: dict[str, str] = field(default_factory=dict[str, str])


class CannotMake(Exception):  # noqa: N818  no error: what is to be compared is then found another way
    """Nothing can be made in this database; the text says why, in the server's words."""


def make_anew(connection: psycopg.Connection[Any], mapping: Mapping) -> Wanted:
    """Make all that the mapping wants in a schema that nobody sees, read it, and take it back.

    Args:
        connection: In a transaction, which goes on afterwards.
        mapping: The mapping, of tables that Isthmus makes.

    Raises:
        CannotMake: The server refuses, because the role may not, or because it stands by for another.
        psycopg.Error: The connection broke, or the like.
    """
    try:
        try:
            return _made_in(connection, mapping, f"isthmus_verify_{secrets.token_hex(8)}")
        except psycopg.errors.InsufficientPrivilege:
            return _made_in(connection, mapping, _TEMPORARY)
    except psycopg.Error as fault:
        if meaning(fault) == "transient":
            raise
        raise CannotMake(explain(fault)) from None


def _made_in(connection: psycopg.Connection[Any], mapping: Mapping, name: str) -> Wanted:
    real = mapping.target.schema_name
    target = mapping.target.model_copy(update={"schema_name": name})
    schema = build_schema(mapping.model_copy(update={"target": target}))
    quoted = sql.Identifier(real).as_string(connection)
    wanted = Wanted(path=quoted if name == _TEMPORARY else "")
    with connection.transaction(force_rollback=True):
        if name != _TEMPORARY:
            _run(connection, [ddl.create_schema_sql(schema)])
        connection.execute(
            "SELECT set_config('search_path', concat_ws(', ', %s::text,"
            " nullif(pg_catalog.current_setting('search_path'), '')), true)",
            (name,),
        )
        _make(connection, schema, wanted, real)
        functions = [ARRAY_TEXT] if schema.functions else []
        found = read_definitions(connection, name, schema.tables, schema.enums, functions)
        row = connection.execute("SELECT pg_catalog.quote_ident(%s)", (real,)).fetchone()
    assert row is not None  # noqa: S101  it always gives one
    for one in (*found.values(), *wanted.definitions.values()):
        parts = {part: _renamed(one, part, name, str(row[0])) for part in one.parts}
        wanted.definitions[one.place] = replace(one, parts=parts)
    return wanted


def _renamed(one: Definition, part: str, name: str, real: str) -> str:
    """Return a part with the real schema for that in which it was made.

    The server names temporary tables and types without a schema, as it does those of the real schema in `search_path`;
    but the table of an index and a function's own name always with it.
    """
    said = one.parts[part]
    if name != _TEMPORARY:
        return said.replace(f"{name}.", f"{real}.")
    place = _TEMPORARY_SCHEMA.search(said) if part == "definition" and one.kind in {"index", "function"} else None
    if place is None:
        return _without(said, real)
    return f"{said[: place.start()]}{real}.{_without(said[place.end() :], real)}"


def _without(said: str, real: str) -> str:
    """Leave out the temporary schema and the real one before names; neither in literals nor inside of names."""
    schema = rf"{_TEMPORARY_SCHEMA.pattern}|(?<![\w\"]){re.escape(real)}\."
    parts = re.compile(rf"""'(?:[^']|'')*'|(?P<schema>{schema})|"(?:[^"]|"")*\"""")
    return parts.sub(lambda part: "" if part["schema"] else part[0], said)


def _make(connection: psycopg.Connection[Any], schema: TargetSchema, wanted: Wanted, real: str) -> None:
    tables = list(schema.tables.values())
    _run(connection, ddl.create_types(schema))
    _run(connection, ddl.create_functions(schema))
    _run(connection, (ddl.create_table(schema, table, final=True) for table in tables))
    _run(connection, (ddl.add_primary_key(schema, table) for table in tables if table.primary_key))
    for table in tables:
        for index in table.indexes:
            _make_index(connection, schema, table, index, wanted, real)
    for table in tables:
        _run(connection, (ddl.add_foreign_key(schema, key, not_valid=False) for key in table.foreign_keys))


def _make_index(
    connection: psycopg.Connection[Any], schema: TargetSchema, table: Table, index: Index, wanted: Wanted, real: str
) -> None:
    """Make an index; over columns of the types that are there where its predicate names one of them with its schema."""
    try:
        with connection.transaction():
            _run(connection, [ddl.create_index(schema, table, index)])
        return
    except psycopg.Error as fault:
        if meaning(fault) == "transient":
            raise
        words = explain(fault)
    try:
        made = _make_over_real(connection, schema, table, index, real)
    except psycopg.Error as fault:
        if meaning(fault) == "transient":
            raise
        wanted.unknown[index.name] = words
    else:
        wanted.definitions[made.place] = made


def _make_over_real(
    connection: psycopg.Connection[Any], schema: TargetSchema, table: Table, index: Index, real: str
) -> Definition:
    place = sql.Identifier(schema.schema, table.name)
    with connection.transaction(force_rollback=True):
        # The table of the index must have the table's name, so the one that has it goes meanwhile.
        connection.execute(sql.SQL("DROP TABLE {}").format(place))
        connection.execute(sql.SQL("CREATE TABLE {} (LIKE {})").format(place, sql.Identifier(real, table.name)))
        _run(connection, [ddl.create_index(schema, table, index)])
        return read_definitions(connection, schema.schema, [table.name])["index", table.name, index.name]


def _run(connection: psycopg.Connection[Any], statements: Iterable[str]) -> None:
    for statement in statements:
        connection.execute(statement.encode())
