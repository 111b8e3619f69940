"""Read a database's history for a command that changes nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Generator

import psycopg

from isthmus.cli.target import may_not_read
from isthmus.connect.postgres import connect, explain, trouble


@contextlib.contextmanager
def reading(conninfo: str) -> Generator[psycopg.Connection]:
    """Connect for as long as the context lasts.

    Yields:
        A connection in autocommit mode.

    Raises:
        TargetError: It cannot be reached or read.
    """
    with connect(conninfo, autocommit=True) as connection:
        try:
            yield connection
        except psycopg.errors.InsufficientPrivilege as fault:
            raise may_not_read(connection, ["isthmus"], fault) from fault
        except psycopg.Error as fault:
            raise trouble(fault, "show what it holds", explain(fault)) from fault
