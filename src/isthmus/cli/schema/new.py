"""`isthmus schema new`: the next migration, with its header."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it does: add_users_email.")],
    schema: Annotated[
        str | None, typer.Option("--schema", metavar="SCHEMA", help="Of which schema, where the settings name several.")
    ] = None,
    purpose: Annotated[str | None, typer.Option("--purpose", metavar="TEXT", help="Why it is there.")] = None,
    ticket: Annotated[
        str | None, typer.Option("--ticket", metavar="TICKET", help="Else what the name of the branch says.")
    ] = None,
) -> int:
    """Write the next migration, with its header, and its entry in Drizzle's journal.

    Its number comes after all of the folder, of HEAD and of the base that the settings name.
    """
    from isthmus.cli.output import out, show_hint
    from isthmus.errors import ConfigError
    from isthmus.govern.settings import find_project
    from isthmus.govern.writing.new import write_new

    project = find_project(Path.cwd())
    chosen = project.settings.chosen([schema] if schema is not None else [], project.file)
    if len(chosen) != 1:
        raise ConfigError(
            "The settings name several schemas." if chosen else "The settings name no schema.",
            code="which-schema",
            hint=f"Give --schema, one of: {', '.join(one.title for one in chosen)}." if chosen else "Add [schema].",
        )
    for file in write_new(project, chosen[0], name, purpose=purpose, ticket=ticket):
        out.print(str(file), markup=False, soft_wrap=True)
    show_hint(
        out, "Write what stands in <angle brackets>, and the SQL; then git add it, and isthmus schema check.", indent=0
    )
    return 0
