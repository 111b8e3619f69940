"""SQL text over a `TargetSchema`: pure, for PostgreSQL 15 to 18.

Each function returns one statement without a semicolon, except those that say otherwise. Nothing is executed here.
Every identifier goes through `quote_identifier`; an index predicate is the mapping author's own SQL, taken as it is.
"""

from __future__ import annotations

import re
from typing import Literal

from isthmus.mapping.names import quote_identifier, quote_literal
from isthmus.mapping.search import SearchSql, search_query
from isthmus.mapping.target import Column, ForeignKey, Index, PendingTable, Table, TargetSchema

Format = Literal["sql", "sqlalchemy"]


def qualified(schema: TargetSchema, name: str) -> str:
    """Quote a name of the target schema together with the schema."""
    return f"{quote_identifier(schema.schema)}.{quote_identifier(name)}"


def _list(names: tuple[str, ...]) -> str:
    return ", ".join(quote_identifier(name) for name in names)


def create_schema_sql(schema: TargetSchema) -> str:
    """Make the target schema; repeatable."""
    return f"CREATE SCHEMA IF NOT EXISTS {quote_identifier(schema.schema)}"


def create_extensions(schema: TargetSchema) -> list[str]:
    """Make each wanted extension where the server has it; repeatable. Rights to make it are the server's to judge."""
    return [
        "DO $isthmus$ BEGIN\n"
        f"  IF EXISTS (SELECT FROM pg_catalog.pg_available_extensions WHERE name = {quote_literal(name)}) THEN\n"
        f"    CREATE EXTENSION IF NOT EXISTS {quote_identifier(name)};\n"
        "  END IF;\n"
        "END $isthmus$"
        for name in schema.extensions
    ]


def create_types(schema: TargetSchema) -> list[str]:
    """Make the enum types."""
    return [
        f"CREATE TYPE {qualified(schema, name)} AS ENUM ({', '.join(quote_literal(value) for value in values)})"
        for name, values in schema.enums.items()
    ]


def create_functions(schema: TargetSchema) -> list[str]:
    """Make the functions that indexes need; repeatable."""
    return list(schema.functions)


def create_table(schema: TargetSchema, table: Table, *, final: bool = False) -> str:
    """Make a table with its columns and nothing else; keys and indexes come after the load.

    Args:
        schema: What it belongs to.
        table: The table.
        final: As finish leaves it. Otherwise as the load needs it: with hidden columns, and without NOT NULL for
            columns whose values come in finish.
    """
    columns = table.final.columns if final else table.columns
    lines = ",\n".join(f"  {_column(schema, column, final=final)}" for column in columns)
    return f"CREATE TABLE {qualified(schema, table.name)} (\n{lines}\n)"


def _column(schema: TargetSchema, column: Column, *, final: bool) -> str:
    null = "" if column.nullable or (column.waits and not final) else " NOT NULL"
    default = "" if column.sql_default is None else f" DEFAULT {column.sql_default}"
    return f"{quote_identifier(column.name)} {column.type.sql(schema.schema)}{null}{default}"


def create_pending_table(schema: TargetSchema, pending: PendingTable, state_schema: str = "isthmus") -> str:
    """Make a pending table in the state's schema; repeatable."""
    lines = ",\n".join(f"  {_column(schema, column, final=True)}" for column in pending.columns)
    name = f"{quote_identifier(state_schema)}.{quote_identifier(pending.name)}"
    return f"CREATE TABLE IF NOT EXISTS {name} (\n{lines}\n)"


def set_not_null(schema: TargetSchema, table: Table) -> str | None:
    """Set NOT NULL on the columns whose values came in finish; repeatable. None when there is no such column."""
    names = [column.name for column in table.columns if column.waits and not column.nullable]
    actions = ",\n".join(f"  ALTER COLUMN {quote_identifier(name)} SET NOT NULL" for name in names)
    return f"ALTER TABLE {qualified(schema, table.name)}\n{actions}" if names else None


def drop_hidden(schema: TargetSchema, table: Table) -> str | None:
    """Drop the columns that were there only for the load; repeatable. None when there is none."""
    names = [column.name for column in table.columns if column.hidden]
    actions = ",\n".join(f"  DROP COLUMN IF EXISTS {quote_identifier(name)}" for name in names)
    return f"ALTER TABLE {qualified(schema, table.name)}\n{actions}" if names else None


def create_all(schema: TargetSchema) -> list[str]:
    """Everything a load needs, in order: schema, extensions, types, functions, tables. No keys, no indexes."""
    return [
        create_schema_sql(schema),
        *create_extensions(schema),
        *create_types(schema),
        *create_functions(schema),
        *(create_table(schema, table) for table in schema.tables.values()),
    ]


def add_primary_key(schema: TargetSchema, table: Table) -> str:
    """Add a table's primary key.

    Raises:
        ValueError: The table has none.
    """
    if not table.primary_key:
        raise ValueError(f"{table.name} has no primary key.")
    return (
        f"ALTER TABLE {qualified(schema, table.name)}\n"
        f"  ADD CONSTRAINT {quote_identifier(table.primary_key_name)} PRIMARY KEY ({_list(table.primary_key)})"
    )


def create_index(schema: TargetSchema, table: Table, index: Index) -> str:
    """Make an index."""
    unique = "UNIQUE " if index.unique else ""
    what = f"({index.expression})" if index.expression is not None else _list(index.columns)
    # The line break keeps the parenthesis out of a comment at the end of the author's text.
    where = f"\n  WHERE ({index.where}\n  )" if index.where is not None else ""
    return (
        f"CREATE {unique}INDEX {quote_identifier(index.name)} ON {qualified(schema, table.name)}\n"
        f"  USING {index.method} ({what}){where}"
    )


def add_foreign_key(schema: TargetSchema, key: ForeignKey, *, not_valid: bool = True) -> str:
    """Add a foreign key; `not_valid` leaves the rows that are there to `validate_foreign_key`."""
    on_update = "" if key.on_update is None else f" ON UPDATE {key.on_update.upper()}"
    on_delete = "" if key.on_delete is None else f" ON DELETE {key.on_delete.upper()}"
    return (
        f"ALTER TABLE {qualified(schema, key.table)}\n"
        f"  ADD CONSTRAINT {quote_identifier(key.name)} FOREIGN KEY ({_list(key.columns)})\n"
        f"  REFERENCES {qualified(schema, key.target_table)} ({_list(key.target_columns)})"
        f"{on_update}{on_delete}{' NOT VALID' if not_valid else ''}"
    )


def validate_foreign_key(schema: TargetSchema, key: ForeignKey) -> str:
    """Check the rows that were there when the foreign key was added."""
    return f"ALTER TABLE {qualified(schema, key.table)} VALIDATE CONSTRAINT {quote_identifier(key.name)}"


def search_query_of(schema: TargetSchema, index: Index) -> str:
    """The query that uses a search index.

    Raises:
        ValueError: The index is not a search index.
    """
    if index.expression is None or index.where is None or index.language is None:
        raise ValueError(f"{index.name} is not a search index.")
    sql = SearchSql("", index.expression, index.where)
    return search_query(schema.schema, index.table, sql, index.language)


def render(schema: TargetSchema, *, format: Format = "sql") -> str:  # noqa: A002 - the option's name
    """Write the whole target as one text.

    Args:
        schema: What `build_schema` made.
        format: `sql`: a script for an empty database; `sqlalchemy`: Python source of models.

    Returns:
        The text, ending in a line break; the same schema always gives the same text.
    """
    if format == "sqlalchemy":
        return render_sqlalchemy(schema)
    blocks: list[str] = [create_schema_sql(schema), *create_extensions(schema), *create_types(schema)]
    blocks += create_functions(schema)
    tables = list(schema.tables.values())
    blocks += [create_table(schema, table, final=True) for table in tables]
    blocks += [add_primary_key(schema, table) for table in tables if table.primary_key]
    lines = [f"{block};\n" for block in blocks]
    for table in tables:
        for index in table.indexes:
            if index.kind == "search":
                query = re.sub(r"\r\n?|\n", "\n-- ", search_query_of(schema, index))
                lines.append(f"-- The search index is used by:\n-- {query};\n{create_index(schema, table, index)};\n")
            else:
                lines.append(f"{create_index(schema, table, index)};\n")
    for table in tables:
        lines += [f"{add_foreign_key(schema, key, not_valid=False)};\n" for key in table.foreign_keys]
    return "\n".join(lines)


def render_sqlalchemy(schema: TargetSchema) -> str:
    """Write Python source that defines the schema as typed SQLAlchemy 2 models; see `isthmus.mapping.alchemy`."""
    from isthmus.mapping.alchemy import render_sqlalchemy as write

    return write(schema)
