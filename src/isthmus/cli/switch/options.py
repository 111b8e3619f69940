"""Arguments and options that the commands of `isthmus switch` share."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Annotated

import typer

_MOST_NAMES = 10

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
OptionalSourceOption = Annotated[
    str | None,
    typer.Option(
        "--source",
        "-s",
        envvar="MONGODB_URI",
        metavar="SOURCE",
        help=f"{SOURCE_HELP} It is asked whether fences stand where they should.",
        show_default=False,
    ),
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
ReplacedOption = Annotated[
    bool,
    typer.Option(
        "--replaced",
        help="The table, or MongoDB's collection, was made anew since it was switched, by a restore for example: take"
        " the one that is named now for the one of then.",
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


def refuse_unknown(collection: str, known: Sequence[str], there: Sequence[str] = (), place: str = "") -> None:
    """Refuse a collection that nobody knows, which is a name mistyped most likely.

    Args:
        collection: As it was given.
        known: Those that isthmus switch knows.
        there: Those of MongoDB, where it may be one of them, too.
        place: Which MongoDB that is.

    Raises:
        ConfigError: It is none of them (code `switch-unknown`).
    """
    from difflib import get_close_matches

    from isthmus.errors import ConfigError

    if collection in known or collection in there:
        return
    names = sorted({*known, *there})
    close = get_close_matches(collection, names, n=1, cutoff=0.6)
    meant = f"Is {close[0]} meant? " if close else ""
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    listed = f"There are: {', '.join(names[:_MOST_NAMES])}{more}." if names else "There is none."
    beside = f", and {place} has none of this name" if place else ""
    raise ConfigError(
        f"isthmus switch knows no collection {collection[:120]}{beside}.",
        code="switch-unknown",
        hint=f"{meant}{listed} isthmus switch prepare makes one known.",
    )
