"""The sessions of a switch: in PostgreSQL with settings that neither role nor database may take from it, in MongoDB one
in which each question sees what was acknowledged before it.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import psycopg
import pymongo
from pymongo.client_session import ClientSession
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.read_preferences import ReadPreference

from isthmus.connect import postgres
from isthmus.connect.mongo import MongoServer
from isthmus.errors import TargetError, Where

_SETTLE_SECONDS = 20.0


def connect(conninfo: str, *, autocommit: bool = False) -> psycopg.Connection[Any]:
    """Open a connection that sees every row or fails, and whose COMMIT is on disk when it is answered.

    Rows that a policy hides would be taken for missing, and removed on the other side.

    Raises:
        TargetError: The server cannot be reached (`unreachable`), or is a standby (`read-only-server`).
    """
    connection = postgres.connect(conninfo, autocommit=True)
    try:
        refuse_standby(connection)
        connection.execute(
            "SELECT set_config('row_security', 'off', false),"
            " CASE WHEN current_setting('synchronous_commit') IN ('off', 'local', 'remote_write')"
            " THEN set_config('synchronous_commit', 'on', false) END"
        )
        connection.autocommit = autocommit
    except BaseException:
        connection.close()
        raise
    return connection


def refuse_standby(connection: psycopg.Connection[Any]) -> None:
    """Refuse a server that takes no writes: it may be behind, and what it says of a freeze is old.

    Raises:
        TargetError: It is one (code `read-only-server`).
    """
    row = connection.execute("SELECT pg_is_in_recovery()").fetchone()
    if row and row[0]:
        raise TargetError(
            "The server is a standby and takes no writes.", code="read-only-server", hint="Give the primary's address."
        )


def refuse_hidden_rows(connection: psycopg.Connection[Any], table: int, name: str) -> None:
    """Refuse a table of which a policy may hide rows: what is hidden would be taken for missing.

    Raises:
        TargetError: One may (code `switch-hidden-rows`).
    """
    row = connection.execute("SELECT row_security_active(%s::oid)", (table,)).fetchone()
    if row and row[0]:
        raise TargetError(
            f"Row security may hide rows of {name} from this role.",
            code="switch-hidden-rows",
            where=Where(table=name),
            hint="Use the owner of the table, or a role with BYPASSRLS: what is hidden would be taken for missing.",
        )


@contextmanager
def causal(server: MongoServer) -> Generator[ClientSession]:
    """Give a session whose reads see all that was acknowledged before them, also behind a change of the primary.

    Raises:
        SourceError: The server is in trouble.
    """
    with server.ask("begin a session", lambda: server.client.start_session(causal_consistency=True)) as session:
        yield session


def settle(server: MongoServer, database: str, collection: str, session: ClientSession) -> None:
    """Wait until a majority of the servers has what any of their writers was told is done, so that it will be read.

    A writer that asks for one server's word only is answered before the others have its write, and reads of what a
    majority has would miss it.

    Raises:
        SourceError: The server is in trouble.
    """
    try:
        with pymongo.timeout(_SETTLE_SECONDS):
            found = server.client.get_database(database)
            found.command("ping", session=session)  # its answer tells the session how far the server is
            asked = found.get_collection(
                collection, read_preference=ReadPreference.PRIMARY, read_concern=ReadConcern("majority")
            )
            asked.find_one({}, {"_id": 1}, session=session)
    except PyMongoError as error:
        raise server.trouble(error, "answer with what a majority has", collection=collection) from None
