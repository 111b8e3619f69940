"""What people said of migrations (`isthmus.schema_word`), and whose history was adopted (`isthmus.schema_adoption`).

Words are only ever added, each with the line of the history as it was before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

import psycopg

from isthmus import __version__
from isthmus.state.migrate import applied_versions
from isthmus.state.statements import statement

Answer = Literal["applied", "step", "again", "forget", "accept"]
Runner = Literal["prisma", "drizzle"]
_VERSION = 11
"""The state migration that makes the tables."""


@dataclass(frozen=True)
class Adoption:
    """The history of another runner that was adopted.

    Attributes:
        runner: Whose it is.
        schema: Where it is kept.
        table: Its table.
        known: Ids of the entries that it had then.
    """

    runner: Runner
    schema: str
    table: str
    known: frozenset[str]


def keep_word(
    connection: psycopg.Connection, title: str, name: str, answer: Answer, *, done: int | None, why: str | None
) -> None:
    """Keep what a person said of a migration, before the history follows it; in the caller's transaction."""
    given = {"title": title, "name": name, "answer": answer, "done": done, "why": why, "version": __version__}
    connection.execute(statement("schema_history", "word"), given)


def keep_adoption(connection: psycopg.Connection, title: str, adoption: Adoption) -> None:
    """Keep whose history was adopted, in the caller's transaction; a second adoption takes the place of the first."""
    given = {
        "title": title,
        "runner": adoption.runner,
        "schema": adoption.schema,
        "table": adoption.table,
        "known": sorted(adoption.known),
        "version": __version__,
    }
    connection.execute(statement("schema_history", "adopt"), given)


def read_adoption(connection: psycopg.Connection, title: str) -> Adoption | None:
    """Return whose history was adopted for a schema; None where none was."""
    if _VERSION not in applied_versions(connection):
        return None
    row = connection.execute(statement("schema_history", "adoption"), {"title": title}).fetchone()
    return None if row is None else Adoption(cast("Runner", row[0]), row[1], row[2], frozenset(row[3]))
