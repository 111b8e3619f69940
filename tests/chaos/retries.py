"""The command `letters retry` in sessions of its own, and targets to try it on again and again."""

from __future__ import annotations

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from tests.chaos.sessions import Copy
from tests.fix_postgres import create_database


class Retry(Copy):
    """The command `letters retry` of one target."""

    def command(self, *options: str) -> list[str]:
        """Return the arguments of `isthmus`."""
        return ["letters", "retry", str(self.mapping), "--target", self.target, "--retry-seconds", "30", *options]


def clone(server: str, target: str) -> str:
    """Return a new database with all that another one holds; nobody may be connected to that."""
    made = create_database(server)
    names = [sql.Identifier(str(conninfo_to_dict(one)["dbname"])) for one in (made, target)]
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {}").format(names[0]))
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*names))
    return made
