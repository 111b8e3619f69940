"""The target as Python source: SQLAlchemy 2 tables, for applications and schema tools that want it in that form."""

from __future__ import annotations

import keyword
import re

from isthmus.mapping.names import quote_identifier, quote_literal
from isthmus.mapping.target import Index, Table, TargetSchema
from isthmus.mapping.types import INTEGER_RANGES, ColumnType

_HEAD = '''"""The tables of a mapping, made by `isthmus ddl --format sqlalchemy`."""

from sqlalchemy import (
    DDL,
    Column,
    ForeignKeyConstraint,
    Index,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    event,
    literal_column,
)
from sqlalchemy.dialects import postgresql

metadata = MetaData(schema={schema})
'''

_SIMPLE = {
    "text": "TEXT()",
    "smallint": "SMALLINT()",
    "integer": "INTEGER()",
    "bigint": "BIGINT()",
    "real": "REAL()",
    "double": "DOUBLE_PRECISION()",
    "boolean": "BOOLEAN()",
    "date": "DATE()",
    "uuid": "UUID()",
    "bytea": "BYTEA()",
    "jsonb": "JSONB()",
}


def render_sqlalchemy(schema: TargetSchema) -> str:
    """Write Python source that defines `metadata` with every table, key, index and type of a schema.

    `metadata.create_all(engine)` then makes the same catalog as the SQL script. Extensions, the schema and functions
    are made by events before the tables.
    """
    names = _variables(schema)
    parts = [_HEAD.format(schema=repr(schema.schema))]
    parts += [_event(statement) for statement in _before(schema)]
    for name, values in schema.enums.items():
        labels = "".join(f"    {value!r},\n" for value in values)
        parts.append(
            f"{names['type', name]} = postgresql.ENUM(\n{labels}    name={name!r},\n    metadata=metadata,\n)\n"
        )
    parts += [_table(table, names) for table in schema.tables.values()]
    for table in schema.tables.values():
        variable = names["table", table.name]
        for key in table.foreign_keys:
            target = names["table", key.target_table]
            mine = ", ".join(f"{variable}.c[{column!r}]" for column in key.columns)
            theirs = ", ".join(f"{target}.c[{column!r}]" for column in key.target_columns)
            on_delete = "" if key.on_delete is None else f', ondelete="{key.on_delete.upper()}"'
            parts.append(
                f"{variable}.append_constraint(\n"
                f"    ForeignKeyConstraint([{mine}], [{theirs}], name={key.name!r}{on_delete})\n)\n"
            )
    return "\n".join(parts)


def _before(schema: TargetSchema) -> list[str]:
    return [
        f"CREATE SCHEMA IF NOT EXISTS {quote_identifier(schema.schema)}",
        *(
            f"DO $$ BEGIN IF EXISTS (SELECT FROM pg_catalog.pg_available_extensions WHERE name = {quote_literal(name)})"
            f" THEN CREATE EXTENSION IF NOT EXISTS {quote_identifier(name)}; END IF; END $$"
            for name in schema.extensions
        ),
        *schema.functions,
    ]


def _event(statement: str) -> str:
    # DDL() formats its text with `%`.
    return f'event.listen(metadata, "before_create", DDL({statement.replace("%", "%%")!r}))\n'


def _variables(schema: TargetSchema) -> dict[tuple[str, str], str]:
    """Python names: the table's own where it is one, else made of what is usable in it, always unique."""
    taken = {"metadata", *re.findall(r"\w+", _HEAD)}
    names: dict[tuple[str, str], str] = {}
    wanted = [*(("table", name) for name in schema.tables), *(("type", name) for name in schema.enums)]
    for kind, name in wanted:
        base = name if name.isascii() and name.isidentifier() else re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_")
        if not base.isidentifier() or keyword.iskeyword(base):
            base = f"{kind}_{base}"
        if kind == "type":
            base = f"{base}_type"
        variable, number = base, 2
        while variable in taken:
            variable, number = f"{base}_{number}", number + 1
        taken.add(variable)
        names[kind, name] = variable
    return names


def _table(table: Table, names: dict[tuple[str, str], str]) -> str:
    lines = [f"{names['table', table.name]} = Table(", f"    {table.name!r},", "    metadata,"]
    for column in table.final.columns:
        said = f"{column.name!r}, {_type(column.type, names)}, nullable={column.nullable}"
        if column.name in table.primary_key and column.type.kind in INTEGER_RANGES:
            said += ", autoincrement=False"  # or SQLAlchemy makes a sequence of it
        if column.sql_default is not None:
            said += f", server_default=literal_column({column.sql_default!r})"
        lines.append(f"    Column({said}),")
    if table.primary_key:
        key = ", ".join(repr(column) for column in table.primary_key)
        lines.append(f"    PrimaryKeyConstraint({key}, name={table.primary_key_name!r}),")
    lines += [_index(index) for index in table.indexes]
    lines.append(")\n")
    return "\n".join(lines)


def _index(index: Index) -> str:
    # `literal_column` takes the text as it is, colons and percent signs too.
    what = ", ".join(repr(column) for column in index.columns)
    if index.expression is not None:
        what = f"literal_column({f'({index.expression})'!r})"
    options = ", unique=True" if index.unique else ""
    if index.method != "btree":
        options += f", postgresql_using={index.method!r}"
    if index.where is not None:
        predicate = f"({index.where}\n)"
        options += f", postgresql_where=literal_column({predicate!r})"
    return f"    Index({index.name!r}, {what}{options}),"


def _type(column_type: ColumnType, names: dict[tuple[str, str], str]) -> str:
    written = _scalar_type(column_type, names)
    return f"postgresql.ARRAY({written})" if column_type.array else written


def _scalar_type(column_type: ColumnType, names: dict[tuple[str, str], str]) -> str:
    if column_type.kind == "enum":
        return names["type", column_type.enum or ""]
    if column_type.kind == "varchar":
        return f"postgresql.VARCHAR({'' if column_type.length is None else column_type.length})"
    if column_type.kind == "numeric":
        numbers = "" if column_type.precision is None else f"{column_type.precision}, {column_type.scale or 0}"
        return f"postgresql.NUMERIC({numbers})"
    if column_type.kind in ("timestamp", "timestamptz"):
        zone = f"timezone={column_type.kind == 'timestamptz'}"
        precision = "" if column_type.precision is None else f", precision={column_type.precision}"
        return f"postgresql.TIMESTAMP({zone}{precision})"
    return f"postgresql.{_SIMPLE[column_type.kind]}"
