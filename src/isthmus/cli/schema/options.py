"""Arguments and options that the commands of `isthmus schema` share."""

from __future__ import annotations

from typing import Annotated

import typer

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
