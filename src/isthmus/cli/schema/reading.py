"""Read a database's history for a command that changes nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Generator

import psycopg

from isthmus.cli.target import telling_trouble
from isthmus.connect.postgres import connect


@contextlib.contextmanager
def reading(conninfo: str) -> Generator[psycopg.Connection]:
    """Connect for as long as the context lasts.

    Yields:
        A connection in autocommit mode.

    Raises:
        TargetError: It cannot be reached or read.
    """
    with connect(conninfo, autocommit=True) as connection, telling_trouble(conninfo, ["isthmus"]):
        yield connection
