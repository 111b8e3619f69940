"""Arguments and options that the commands of `isthmus outbox` share."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import psycopg

TargetOption = Annotated[
    str,
    typer.Option(
        "--target",
        "-t",
        envvar=["POSTGRES_DIRECT_URL", "POSTGRES_URL", "DATABASE_URL"],
        metavar="TARGET",
        help="The database with the outbox: postgresql://… or embedded:DIR, best by its direct address.",
        show_default=False,
    ),
]
_LARGEST = 2**63 - 1
Number = Annotated[
    list[int] | None,
    typer.Argument(metavar="NUMBER", min=1, max=_LARGEST, help="Events, as status lists them.", show_default=False),
]


@contextlib.contextmanager
def outbox_of(target: str) -> Generator[psycopg.Connection[Any]]:
    """Connect to a database with an outbox, for as long as the context lasts.

    Yields:
        A connection in autocommit mode; through a pooler, too.

    Raises:
        ConfigError: The text is no target (`bad-target`).
        TargetError: It cannot be reached, has no outbox (`outbox-missing`), or refuses what is asked.
    """
    import psycopg

    from isthmus.connect.postgres import explain, trouble
    from isthmus.connect.target import open_target
    from isthmus.polyglot.outbox.sessions import need_outbox, open_session

    with open_target(target) as address, open_session(address.conninfo) as connection:
        try:
            need_outbox(connection)
            yield connection
        except psycopg.Error as fault:
            raise trouble(fault, "show or change its outbox", explain(fault)) from None
