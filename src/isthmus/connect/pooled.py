"""Whether a connection is a session of its own, or a pooler lends it another one for every transaction.

The run lease, temporary tables and settings belong to a session, so a pooler in transaction mode cannot be worked with.
"""

from __future__ import annotations

import contextlib

import psycopg

from isthmus.connect.postgres import connect
from isthmus.errors import TargetError

_RIVALS = 4


def refuse_pooled(connection: psycopg.Connection, conninfo: str) -> None:
    """Raise when a pooler stands between that changes sessions behind a connection.

    A pooler gives a number of its own in place of the server process's, so most connections are known to be direct by
    one question. Where there is one, other connections take its sessions for a moment: only in transaction mode can
    they get the one that this connection has just used, or leave it with another. (One with many idle sessions may
    escape notice.)

    Args:
        connection: In autocommit mode, outside a transaction.
        conninfo: What it was opened with.

    Raises:
        TargetError: Code `pooled-connection`; waiting does not mend it.
    """
    mine = _process(connection)
    if mine == connection.info.backend_pid:
        return
    rivals: list[psycopg.Connection] = []
    try:
        for _ in range(_RIVALS):
            rival = connect(conninfo)
            rivals.append(rival)
            if _process(rival) == mine or _process(connection) != mine:  # the rival's transaction stays open
                raise TargetError(
                    "The target's address leads to a connection pooler in transaction mode, which gives each"
                    " transaction another session.",
                    code="pooled-connection",
                    hint="Use the direct address of the server (often another port, or POSTGRES_DIRECT_URL), or a pool"
                    " in session mode.",
                )
    finally:
        for rival in rivals:
            with contextlib.suppress(psycopg.Error):
                rival.close()


def _process(connection: psycopg.Connection) -> int:
    row = connection.execute("SELECT pg_catalog.pg_backend_pid()").fetchone()
    return int(row[0]) if row else 0
