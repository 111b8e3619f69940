"""`isthmus ddl`: print the tables a mapping asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from isthmus.cli.options import JsonOption, MappingArgument

if TYPE_CHECKING:
    from isthmus.mapping.tables import TargetSchema


def ddl(
    mapping: MappingArgument,
    form: Annotated[
        Literal["sql", "sqlalchemy"],
        typer.Option("--format", "-f", help="SQL text, or typed SQLAlchemy 2 models in Python."),
    ] = "sql",
    json_file: JsonOption = None,
) -> None:
    """Print the tables, keys and indexes that a mapping asks for. Touches no database.

    As SQLAlchemy models: a Python module with a typed class for every table, and relationships along foreign keys and
    through junctions. Base.metadata.create_all makes the same tables as the SQL.

    With --json, the same SQL as a list of statements in order; --json - prints that list and no text.

    Exit code 0; 2 when the mapping has mistakes, which are all named.
    """
    from isthmus.cli.findings import refused_json, writing_refusals
    from isthmus.cli.output import write_json
    from isthmus.mapping import ddl as make
    from isthmus.mapping import load_mapping
    from isthmus.mapping.tables import build_schema

    with writing_refusals(json_file, refused_json):
        schema = build_schema(load_mapping(mapping))
    if json_file != "-":
        typer.echo(make.render(schema) if form == "sql" else make.render_sqlalchemy(schema), nl=False)
    report = {"outcome": "passed", "exit_code": 0, "schema": schema.schema, "statements": _statements(schema)}
    write_json(report, json_file)


def _statements(schema: TargetSchema) -> list[dict[str, Any]]:
    """Return the statements of the script in its order: kind, name, table (null where it has none), and the SQL."""
    from isthmus.mapping import ddl as make
    from isthmus.mapping.search import ARRAY_TEXT

    def one(kind: str, name: str, table: str | None, sql: str) -> dict[str, Any]:
        return {"kind": kind, "name": name, "table": table, "sql": sql}

    tables = list(schema.tables.values())
    return [
        one("schema", schema.schema, None, make.create_schema_sql(schema)),
        *(
            one("extension", name, None, sql)
            for name, sql in zip(schema.extensions, make.create_extensions(schema), strict=True)
        ),
        *(one("type", name, None, sql) for name, sql in zip(schema.enums, make.create_types(schema), strict=True)),
        *(one("function", ARRAY_TEXT, None, sql) for sql in make.create_functions(schema)),
        *(one("table", table.name, table.name, make.create_table(schema, table, final=True)) for table in tables),
        *(
            one("primary-key", table.primary_key_name, table.name, make.add_primary_key(schema, table))
            for table in tables
            if table.primary_key
        ),
        *(
            one("index", index.name, table.name, make.create_index(schema, table, index))
            for table in tables
            for index in table.indexes
        ),
        *(
            one("foreign-key", key.name, table.name, make.add_foreign_key(schema, key, not_valid=False))
            for table in tables
            for key in table.foreign_keys
        ),
    ]
