"""`isthmus ddl`: print the tables a mapping asks for."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from isthmus.cli.options import MappingArgument


def ddl(
    mapping: MappingArgument,
    form: Annotated[
        Literal["sql", "sqlalchemy"], typer.Option("--format", "-f", help="SQL text, or SQLAlchemy 2 tables in Python.")
    ] = "sql",
) -> None:
    """Print the tables, keys and indexes that a mapping asks for. Touches no database."""
    from isthmus.mapping import ddl as make
    from isthmus.mapping import load_mapping
    from isthmus.mapping.tables import build_schema

    schema = build_schema(load_mapping(mapping))
    typer.echo(make.render(schema) if form == "sql" else make.render_sqlalchemy(schema), nl=False)
