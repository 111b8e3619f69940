"""Rows that the user gives: SQL whose statements are executed as soon as the tables are there that they name."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from isthmus.connect.postgres import explain
from isthmus.errors import ConfigError, Problem, Where
from isthmus.govern.migrations.script import of_psql
from isthmus.govern.sql.statements import SqlFault, Statement, split
from isthmus.govern.sql.transactions import controls


@dataclass
class SeedFile:
    """One file.

    Attributes:
        file: Its path, for people.
        statements: Its statements, but those that begin or end a transaction.
        done: Which of them got through on the database in hand.
        ever: Which of them ever got through.
        said: Why the others did not, in the server's words.
    """

    file: str
    statements: tuple[Statement, ...]
    done: set[int] = field(default_factory=set[int])
    ever: set[int] = field(default_factory=set[int])
    said: dict[int, str] = field(default_factory=dict[int, str])

    def again(self) -> None:
        """Begin anew, on a database that has none of it."""
        self.done.clear()

    def give(self, connection: psycopg.Connection) -> None:
        """Execute what has not got through yet; each statement alone, once.

        Args:
            connection: Of its own: what the file sets stays set.
        """
        for number, one in enumerate(self.statements):
            if number in self.done:
                continue
            try:
                with connection.transaction():
                    given = connection.execute(one.text.encode())
            except psycopg.Error as fault:
                self.said[number] = explain(fault)
                continue
            if one.words[:1] != ("INSERT",) or given.rowcount:
                self.done.add(number)
                self.ever.add(number)

    @property
    def never(self) -> list[tuple[int, str]]:
        """Line and server's words of statements that never got through."""
        return [
            (one.line, self.said.get(number, "it inserted nothing"))
            for number, one in enumerate(self.statements)
            if number not in self.ever
        ]


def read_seed_file(file: Path) -> SeedFile:
    """Read a file of rows.

    Raises:
        ConfigError: It is not there, no UTF-8 or no SQL, or holds what only psql understands (code `bad-seed`);
            `problems` holds every statement of these.
    """
    try:
        text = file.read_text(encoding="utf-8")
        statements = tuple(split(text))
    except (OSError, UnicodeDecodeError) as fault:
        raise ConfigError(
            f"The rows cannot be read: {fault.strerror if isinstance(fault, OSError) else 'it is not UTF-8'}.",
            code="bad-seed",
            where=Where(file=str(file)),
            hint="Give a file of INSERT statements.",
        ) from None
    except SqlFault as fault:
        raise ConfigError(
            f"Its SQL does not end: {fault}.", code="bad-seed", where=Where(file=str(file), line=fault.line)
        ) from None
    problems = tuple(
        Problem("bad-seed", f"It cannot be given to the server. {said}", Where(file=str(file), line=line), hint)
        for line, said, hint in of_psql(statements)
    )
    if problems:
        raise ConfigError(
            "The rows cannot be given as they are.", code="bad-seed", where=Where(file=str(file)), problems=problems
        )
    return SeedFile(str(file), tuple(one for one in statements if controls(one) is None))
