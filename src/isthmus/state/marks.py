"""Marks on sessions, so that after a lost connection one can wait for what the server still does for it.

A connection that breaks behind a COMMIT leaves open whether the server has it: the transaction may end well after the
client has gone. A mark is a session-level advisory lock with a number of its own. It falls away when the server has
ended the session, and then what the transaction did is either there to be seen, or undone.
"""

from __future__ import annotations

import secrets

import psycopg

from isthmus.state.statements import statement

# An arbitrary number beside the lease's (`state.lease.LOCK`); advisory locks are per database.
_CLASS = 0x69737469
_GRACE = "2s"


def mark(connection: psycopg.Connection) -> int:
    """Mark the session of an autocommit connection; return the mark's number."""
    number = secrets.randbits(31)
    connection.execute("SELECT pg_advisory_lock(%s, %s)", (_CLASS, number))
    return number


def await_end(connection: psycopg.Connection, number: int) -> None:
    """Wait until a marked session of a lost connection has ended; after two seconds the server is told to end it.

    Args:
        connection: Another connection, in autocommit mode.
        number: What `mark` returned for the lost one.

    Raises:
        psycopg.errors.LockNotAvailable: It has not ended two seconds after that, either; worth another try.
    """
    try:
        _touch(connection, number)
    except psycopg.errors.LockNotAvailable:
        connection.execute(statement("run", "end_marked"), {"class": _CLASS, "object": number})
        _touch(connection, number)


def _touch(connection: psycopg.Connection, number: int) -> None:
    with connection.transaction():
        connection.execute("SELECT set_config('lock_timeout', %s, true)", (_GRACE,))
        connection.execute("SELECT pg_advisory_xact_lock(%s, %s)", (_CLASS, number))
