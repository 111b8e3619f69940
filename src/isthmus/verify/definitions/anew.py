"""What the server makes of the mapping's definitions: made anew in a schema of their own, read, and rolled back.

So predicates, expressions and types are compared in the server's own words, whatever its version. Nothing stays, and
no table of the target is locked against writing.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import psycopg
from psycopg import sql

from isthmus.connect.postgres import explain, meaning
from isthmus.mapping import Mapping, ddl
from isthmus.mapping.search import ARRAY_TEXT
from isthmus.mapping.tables import Index, Table, TargetSchema, build_schema
from isthmus.verify.definitions.catalog import Definition, Definitions, read_definitions


@dataclass
class Wanted:
    """What the mapping wants.

    Attributes:
        definitions: By place, as if they were in the target's schema.
        unknown: Name of each index that could not be made anew → why, the server's words.
    """

    definitions: Definitions = field(default_factory=dict[tuple[str, str, str], Definition])
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
    real, name = mapping.target.schema_name, f"isthmus_verify_{secrets.token_hex(8)}"
    target = mapping.target.model_copy(update={"schema_name": name})
    schema = build_schema(mapping.model_copy(update={"target": target}))
    wanted = Wanted()
    try:
        with connection.transaction(force_rollback=True):
            _run(connection, [ddl.create_schema_sql(schema)])
            connection.execute(
                "SELECT set_config('search_path', concat_ws(', ', %s::text,"
                " nullif(pg_catalog.current_setting('search_path'), '')), true)",
                (name,),
            )
            _make(connection, schema, wanted, real)
            functions = [ARRAY_TEXT] if schema.functions else []
            found = read_definitions(connection, name, schema.tables, schema.enums, functions)
            quoted = connection.execute("SELECT pg_catalog.quote_ident(%s)", (real,)).fetchone()
    except psycopg.Error as fault:
        if meaning(fault) == "transient":
            raise
        raise CannotMake(explain(fault)) from None
    assert quoted is not None  # noqa: S101  it always gives one
    for one in (*found.values(), *wanted.definitions.values()):
        parts = {part: said.replace(f"{name}.", f"{quoted[0]}.") for part, said in one.parts.items()}
        wanted.definitions[one.place] = replace(one, parts=parts)
    return wanted


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
    place, aside = sql.Identifier(schema.schema, table.name), sql.Identifier(f"{schema.schema}_aside")
    with connection.transaction(force_rollback=True):
        # The table of the index must have the table's name, so the one that has it goes aside meanwhile.
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(aside))
        connection.execute(sql.SQL("ALTER TABLE {} SET SCHEMA {}").format(place, aside))
        connection.execute(sql.SQL("CREATE TABLE {} (LIKE {})").format(place, sql.Identifier(real, table.name)))
        _run(connection, [ddl.create_index(schema, table, index)])
        return read_definitions(connection, schema.schema, [table.name])["index", table.name, index.name]


def _run(connection: psycopg.Connection[Any], statements: Iterable[str]) -> None:
    for statement in statements:
        connection.execute(statement.encode())
