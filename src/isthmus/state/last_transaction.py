"""Wait, but not for long, for a transaction that somebody left open on tables of the state."""

from __future__ import annotations

import contextlib
from collections.abc import Generator

import psycopg

from isthmus.errors import TargetError

LONGEST_SECONDS = 30


@contextlib.contextmanager
def last_transaction_over(connection: psycopg.Connection, which: str) -> Generator[None]:
    """Open a transaction whose statements wait at most 30 s for one that is open on the server.

    Args:
        connection: Connection in autocommit mode.
        which: Which transaction that most likely is, as it follows the word.

    Raises:
        TargetError: It does not end (code `lease-held`); nothing was done.
    """
    try:
        with connection.transaction():
            connection.execute("SELECT set_config('lock_timeout', %s, true)", (f"{LONGEST_SECONDS}s",))
            yield
    except psycopg.errors.LockNotAvailable:
        raise TargetError(
            f"A transaction {which} is still open.",
            code="lease-held",
            hint="Stop the isthmus it belongs to, or end its session on the server (pg_stat_activity, application_name"
            " isthmus) with pg_terminate_backend; then run the same command again.",
        ) from None
