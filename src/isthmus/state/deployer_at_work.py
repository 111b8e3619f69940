"""Whether a migration is executed now: a lock of the session that executes it, beside the lease of its deployer.

The lease falls with its deployer. The session that executes a statement may outlive that: a server notices only after
a while that nobody listens any more, and a COMMIT that was sent goes through.
"""

from __future__ import annotations

import psycopg

from isthmus.state.last_transaction import last_transaction_over
from isthmus.state.statements import statement

# Two arbitrary numbers that spell "isth" and "mus2"; advisory locks are per database.
_LOCK = (0x69737468, 0x6D757332)


def mark_at_work(connection: psycopg.Connection) -> None:
    """Mark a session as one that executes migrations, until it ends. Waits for one of before."""
    connection.execute("SELECT pg_catalog.pg_advisory_lock(%s, %s)", _LOCK)


def is_at_work(connection: psycopg.Connection) -> bool:
    """Tell whether a session executes migrations now. Reads the catalog only."""
    given = {"class": _LOCK[0], "object": _LOCK[1]}
    row = connection.execute(statement("schema_history", "is_deployer_at_work"), given).fetchone()
    return bool(row and row[0])


def last_session_over(connection: psycopg.Connection) -> None:
    """Wait, but not for long, for the session of a deployer that died.

    Args:
        connection: Holds the lease; in autocommit mode.

    Raises:
        TargetError: It does not end (code `lease-held`).
    """
    with last_transaction_over(connection, "of a deployer that is gone"):
        connection.execute("SELECT pg_catalog.pg_advisory_xact_lock(%s, %s)", _LOCK)
