"""What was found out of an identity goes from temporary tables into the state, and out of the way between searches."""

from __future__ import annotations

from typing import Any

import psycopg

from isthmus import __version__
from isthmus.state.identities import Mode, keep_conflicts, replace_map
from isthmus.state.statements import statements
from isthmus.transfer.identities.found import Found
from isthmus.transfer.identities.reading import PACKAGE


def keep(connection: psycopg.Connection, found: Found, mode: Mode, source_name: str) -> None:
    """Keep what `find_out` left behind, in one transaction: the map, and the conflicts; then drop it.

    A live map is kept only without conflicts; see `live`. Documents that are not in the source any more stay in it.
    """
    with connection.transaction():
        replace_map(
            connection,
            found.name,
            mode,
            source_name=source_name,
            counts=found.counts(),
            answers_digest=found.answers_digest,
            rules_digest=found.rules_digest,
            version=__version__,
        )
        if mode == "live":
            names = list(found.collections)
            execute(connection, "mark_gone", {"name": found.name, "collections": names})
        ask(connection, found)
        forget(connection)


def ask(connection: psycopg.Connection, found: Found) -> None:
    """Keep only what a person must say, instead of what the last plan asked; the map stays what it is."""
    keep_conflicts(connection, found.name, [one.as_row() for one in found.conflicts])


def set_aside(connection: psycopg.Connection, number: int) -> None:
    """Put what `find_out` left behind out of the way of the next search."""
    connection.execute(f"DROP TABLE IF EXISTS pg_temp.thing_found_{int(number)}".encode())
    connection.execute(f"ALTER TABLE pg_temp.thing_found RENAME TO thing_found_{int(number)}".encode())


def take_back(connection: psycopg.Connection, number: int) -> None:
    """Undo `set_aside`, for `keep`."""
    forget(connection)
    connection.execute(f"ALTER TABLE pg_temp.thing_found_{int(number)} RENAME TO thing_found".encode())


def forget(connection: psycopg.Connection) -> None:
    """Drop the temporary tables of a search."""
    execute(connection, "forget")


def execute(connection: psycopg.Connection, name: str, values: dict[str, Any] | None = None) -> None:
    """Execute the statements of a name, one after the other."""
    for part in statements("things", PACKAGE)[name].split(b";\n"):
        connection.execute(part, values)
