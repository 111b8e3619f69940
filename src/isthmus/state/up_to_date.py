"""Bring the state up to date for a command that writes to it and to nothing else."""

from __future__ import annotations

from typing import Any

import psycopg

from isthmus.errors import TargetError
from isthmus.state.lease import LOCK
from isthmus.state.migrate import migrate


def bring_up_to_date(connection: psycopg.Connection[Any]) -> None:
    """Apply this version's migrations, while no other isthmus writes to the target.

    Args:
        connection: In autocommit mode.

    Raises:
        TargetError: One does (code `lease-held`), or the state cannot be brought up to date.
    """
    row = connection.execute("SELECT pg_try_advisory_lock(%s, %s)", LOCK).fetchone()
    if not row or not row[0]:
        raise TargetError(
            "Another isthmus is writing to this target.",
            code="lease-held",
            hint="Run the same command again when it is done.",
        )
    try:
        migrate(connection)
    finally:
        connection.execute("SELECT pg_advisory_unlock(%s, %s)", LOCK)
