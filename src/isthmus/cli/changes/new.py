"""`isthmus changes new`: an entry for a change of a model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def new(
    model: Annotated[
        str,
        typer.Argument(metavar="MODEL", help="The model: its path, its name, or a part of the path that only one has."),
    ],
    description: Annotated[str, typer.Argument(metavar="DESCRIPTION", help="What changed: add verification.")],
    ticket: Annotated[
        str | None, typer.Option("--ticket", metavar="TICKET", help="Else what the name of the branch says.")
    ] = None,
    day: Annotated[
        str | None, typer.Option("--date", metavar="YYYY-MM-DD", help="Of the change; else today, UTC.")
    ] = None,
) -> int:
    """Write an entry for a change of a model, with its sections, and CHANGELOG.md; the README the first time.

    MODEL may have been deleted or renamed since HEAD; a renamed one has both its paths in the entry.

    Exit codes: 0 written, 2 the settings, the repository or the words cannot be used; nothing was written.
    """
    from isthmus.cli.output import out, show_hint
    from isthmus.govern.changes.writing import write_entry
    from isthmus.govern.settings import find_project

    project = find_project(Path.cwd(), section="changes")
    for file in write_entry(project, model, description, ticket=ticket, day=day):
        out.print(str(file), markup=False, soft_wrap=True)
    show_hint(
        out,
        "Write what stands in <angle brackets>; then git add these files with the model, and isthmus changes check "
        "--staged.",
        indent=0,
    )
    return 0
