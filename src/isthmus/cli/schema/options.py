"""Arguments and options that the commands of `isthmus schema` share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from isthmus.govern.settings import Project, SchemaSettings

NamesArgument = Annotated[
    list[str] | None, typer.Argument(metavar="[SCHEMA]…", help="Only these schemas of the settings; else all.")
]
TargetOption = Annotated[
    str,
    typer.Option(
        "--target",
        "-t",
        envvar=["POSTGRES_DIRECT_URL", "DATABASE_URL"],
        metavar="TARGET",
        help="The database, by its direct address: postgresql://… or embedded:DIR.",
        show_default=False,
    ),
]
SchemaOption = Annotated[
    str | None, typer.Option("--schema", metavar="SCHEMA", help="Of which schema, where the settings name several.")
]
ScratchOption = Annotated[
    str | None,
    typer.Option(
        "--scratch",
        metavar="TARGET",
        help="A server on which databases may be made and dropped: postgresql://… or embedded:DIR."
        " Else PostgreSQL is started in a temporary folder.",
        show_default=False,
    ),
]


def only_schema(project: Project, schema: str | None) -> SchemaSettings:
    """Return the one schema that a command is for.

    Raises:
        ConfigError: The settings name several, or none (code `which-schema`).
    """
    from isthmus.errors import ConfigError

    chosen = project.settings.chosen([schema] if schema is not None else [], project.file)
    if len(chosen) != 1:
        raise ConfigError(
            "The settings name several schemas." if chosen else "The settings name no schema.",
            code="which-schema",
            hint=f"Give --schema, one of: {', '.join(one.title for one in chosen)}." if chosen else "Add [schema].",
        )
    return chosen[0]
