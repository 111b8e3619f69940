"""What every connection to a target is set to, whatever the role and the database have of their own.

Oracle: what the server says of its settings.
"""

from __future__ import annotations

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from isthmus.connect.postgres import connect

TIME_OUTS = {
    "statement_timeout": 0,
    "lock_timeout": 0,
    "idle_in_transaction_session_timeout": 0,
    "idle_session_timeout": 140_000,
    "transaction_timeout": 170_000,
}
"""Setting → the server's version that has it."""


def test_time_outs_of_the_database_do_not_end_a_session(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        known = [name for name, version in TIME_OUTS.items() if connection.info.server_version >= version]
        for name in known:
            alter = sql.SQL("ALTER DATABASE {} SET {} = '7min'")
            connection.execute(
                alter.format(sql.Identifier(str(conninfo_to_dict(database)["dbname"])), sql.Identifier(name))
            )
    ask = sql.SQL(", ").join(sql.SQL("current_setting({})").format(sql.Literal(name)) for name in known)
    with psycopg.connect(database) as theirs, connect(database) as ours:
        assert set(theirs.execute(sql.SQL("SELECT {}").format(ask)).fetchone() or ()) == {"7min"}
        assert set(ours.execute(sql.SQL("SELECT {}").format(ask)).fetchone() or ()) == {"0"}
