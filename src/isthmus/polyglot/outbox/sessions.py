"""Connections of a relay to PostgreSQL, and whether one may listen on them.

Nothing is set on a session: through a pooler in transaction mode it is somebody else's a moment later.
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from isthmus.connect.pooled import refuse_pooled
from isthmus.connect.secrets import hide
from isthmus.errors import TargetError

CHANNEL = "isthmus_outbox"

_LIVENESS = {"connect_timeout": 10, "keepalives_idle": 15, "keepalives_interval": 5, "keepalives_count": 3}


def open_session(conninfo: str) -> psycopg.Connection[Any]:
    """Open a connection in autocommit mode, good for a pooler too.

    Raises:
        TargetError: The server cannot be reached or refuses (code `unreachable`, retryable).
    """
    given = conninfo_to_dict(conninfo)
    liveness = {name: value for name, value in _LIVENESS.items() if name not in given}
    try:
        return psycopg.connect(
            make_conninfo(conninfo, **liveness, application_name="isthmus outbox", client_encoding="UTF8"),
            autocommit=True,
            prepare_threshold=None,
        )
    except psycopg.Error as fault:
        raise TargetError(
            f"PostgreSQL cannot be reached: {hide(' '.join(str(fault).split()))}",
            code="unreachable",
            hint="Check address, port, role and password, and that the server runs.",
            retryable=True,
        ) from None


def is_pooled(connection: psycopg.Connection[Any], conninfo: str) -> bool:
    """Tell whether a pooler lends this connection another session for each transaction.

    Raises:
        TargetError: The server went away (code `unreachable`).
    """
    try:
        refuse_pooled(connection, conninfo)
    except TargetError as fault:
        if fault.code != "pooled-connection":
            raise
        return True
    return False


def has_outbox(connection: psycopg.Connection[Any]) -> bool:
    """Tell whether the tables of the outbox are there."""
    row = connection.execute("SELECT to_regclass('isthmus.outbox') IS NOT NULL").fetchone()
    return bool(row and row[0])


def need_outbox(connection: psycopg.Connection[Any]) -> None:
    """Refuse a database without the tables of the outbox.

    Raises:
        TargetError: They are not there (code `outbox-missing`).
    """
    if not has_outbox(connection):
        raise TargetError(
            "This database has no outbox: the table isthmus.outbox is not there.",
            code="outbox-missing",
            hint="Run isthmus outbox run --drain once, with the direct address of the database.",
        )
