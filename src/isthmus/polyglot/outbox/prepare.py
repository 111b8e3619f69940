"""Make the tables of the outbox where they are missing, and find out whether a relay may listen."""

from __future__ import annotations

import psycopg

from isthmus.connect.postgres import connect, explain, trouble
from isthmus.polyglot.outbox.sessions import has_outbox, is_pooled, need_outbox, open_session
from isthmus.state.up_to_date import bring_up_to_date


def prepare(conninfo: str) -> bool:
    """Bring the state up to date where there is no outbox yet.

    Args:
        conninfo: The database.

    Returns:
        Whether the address is direct, so that one may listen there.

    Raises:
        TargetError: It cannot be reached; the tables are not there and a pooler stands between (`outbox-missing`); the
            role may not make them (`no-right`), or another isthmus is at work (`lease-held`).
    """
    try:
        with open_session(conninfo) as connection:
            pooled = is_pooled(connection, conninfo)
            there = has_outbox(connection)
            if pooled:
                need_outbox(connection)
        if not there:
            with connect(conninfo, autocommit=True) as direct:
                bring_up_to_date(direct)
    except psycopg.Error as fault:
        raise trouble(fault, "prepare the outbox", explain(fault)) from None
    return not pooled
