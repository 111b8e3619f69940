"""Arguments and options that the commands of `isthmus switch` share."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from pathlib import Path
from typing import Annotated

import typer

TargetOption = Annotated[
    str,
    typer.Option(
        "--target",
        "-t",
        envvar=["POSTGRES_DIRECT_URL", "POSTGRES_URL", "DATABASE_URL"],
        metavar="TARGET",
        help="The application's PostgreSQL by its direct address: postgresql://… or embedded:DIR.",
        show_default=False,
    ),
]
SOURCE_HELP = "The running MongoDB server: mongodb://HOST/DATABASE or mongodb+srv://…."
SourceOption = Annotated[
    str,
    typer.Option("--source", "-s", envvar="MONGODB_URI", metavar="SOURCE", help=SOURCE_HELP, show_default=False),
]
CollectionArgument = Annotated[str, typer.Argument(metavar="COLLECTION", help="The collection, as MongoDB calls it.")]
TableOption = Annotated[
    str | None,
    typer.Option(
        "--table",
        metavar="TABLE",
        help="The table of documents (id, document jsonb, revision) on the side of PostgreSQL: NAME or SCHEMA.NAME.",
        show_default=False,
    ),
]
MappingOption = Annotated[
    Path | None,
    typer.Option(
        "--mapping",
        "-m",
        metavar="MAPPING",
        help="The mapping whose collection this is, where it becomes rows with columns; isthmus copy and verify do it.",
        show_default=False,
    ),
]
WaitOption = Annotated[
    float,
    typer.Option(
        "--wait-seconds",
        min=0,
        metavar="SECONDS",
        help="How long writers in flight are waited for, and then the outbox. Nobody can write meanwhile.",
    ),
]
FenceOption = Annotated[
    bool,
    typer.Option(
        "--fence/--no-fence",
        help="Let MongoDB refuse writes of it by a validator, which stays; else the guard alone turns writers away.",
    ),
]
ByOption = Annotated[str | None, typer.Option("--by", metavar="NAME", help="Who does it. Kept.", show_default=False)]


@contextlib.contextmanager
def telling_trouble(what: str) -> Generator[None]:
    """Turn what the server says to a block into an error for people.

    Args:
        what: What the block does, as the end of `The server did not …`.

    Raises:
        TargetError: The server refuses, or is in trouble.
    """
    import psycopg

    from isthmus.connect.postgres import explain, trouble

    try:
        yield
    except psycopg.Error as fault:
        raise trouble(fault, what, explain(fault, values=False)) from None
