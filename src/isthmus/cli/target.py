"""Open a target for a command that only reads its state."""

from __future__ import annotations

import contextlib
from collections.abc import Generator

import psycopg

from isthmus.connect.postgres import connect
from isthmus.connect.target import open_target
from isthmus.state.reports import require_run
from isthmus.state.runs import Run


@contextlib.contextmanager
def reading(target: str) -> Generator[tuple[psycopg.Connection, Run]]:
    """Connect to a target and find its newest run, for as long as the context lasts.

    Yields:
        An autocommit connection and the run.

    Raises:
        TargetError: It cannot be reached, or nothing was ever copied to it.
    """
    with open_target(target) as address, connect(address.conninfo, autocommit=True) as connection:
        yield connection, require_run(connection)
