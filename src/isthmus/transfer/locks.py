"""Wait for tables that others use for a while only, and say for whom."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Sequence

import psycopg
from psycopg import sql

from isthmus.connect.secrets import hide
from isthmus.errors import TargetError

LONGEST_SECONDS = 5.0
"""How long one try waits. It is given up then, as all who want to write stand in line behind it."""

_TRIES = 3
"""How often is tried at least: a try as long as the caller's patience would pass for work that went on in between."""

_MOST_NAMED = 3

# What stands against SHARE ROW EXCLUSIVE (PostgreSQL: explicit locking, table 13.2), and what only reads.
_WRITING = (
    "RowExclusiveLock",
    "ShareUpdateExclusiveLock",
    "ShareLock",
    "ShareRowExclusiveLock",
    "ExclusiveLock",
    "AccessExclusiveLock",
)
_READING = ("AccessShareLock", "RowShareLock")

# Those who stand in line count, too. A prepared transaction has no process. No query's text: it may hold data.
_HOLDERS = """
SELECT l.relation::regclass::text AS "table", l.pid, max(a.application_name), max(a.usename::text), max(a.state),
       max(extract(epoch FROM clock_timestamp() - a.xact_start))::bigint
FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'relation' AND l.relation = ANY(%s::oid[]) AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
  AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
  AND l.mode = ANY(%s)
GROUP BY 1, 2 ORDER BY 6 DESC NULLS LAST, 1, 2
"""


def lock_tables(
    connection: psycopg.Connection, places: Sequence[sql.Identifier], oids: Sequence[int], *, seconds: float
) -> None:
    """Let nobody else write to tables until the caller's transaction ends; readers are not kept away.

    Args:
        connection: Inside a transaction.
        places: The tables.
        oids: Their numbers in the catalog.
        seconds: As `waiting_briefly` takes it.

    Raises:
        TargetError: Somebody else holds them (code `tables-in-use`, retryable); nothing is locked.
    """
    with waiting_briefly(connection, oids, seconds=seconds):
        connection.execute(sql.SQL("LOCK TABLE ONLY {} IN SHARE ROW EXCLUSIVE MODE").format(sql.SQL(", ").join(places)))


@contextlib.contextmanager
def waiting_briefly(
    connection: psycopg.Connection, oids: Sequence[int], *, seconds: float, readers: bool = False
) -> Generator[None]:
    """Let what is done inside the block wait for locks for a while only. It is a savepoint of the caller's transaction.

    Args:
        connection: Inside a transaction.
        oids: The numbers in the catalog of the tables that are locked.
        seconds: How long the caller goes on trying; one try waits a part of it, and no longer than `LONGEST_SECONDS`.
        readers: Whether it waits for readers, too.

    Raises:
        TargetError: Somebody else holds them (code `tables-in-use`, retryable); what the block did is undone.
    """
    row = connection.execute("SELECT current_setting('lock_timeout')").fetchone()
    try:
        with connection.transaction():
            _wait_at_most(connection, _one_try(seconds))
            yield
            _wait_at_most(connection, str(row[0]) if row else "0")
    except psycopg.errors.LockNotAvailable:
        raise _in_use(connection, oids, readers=readers) from None


@contextlib.contextmanager
def no_long_waits(
    connection: psycopg.Connection, schemas: Sequence[str], *, seconds: float, readers: bool = False
) -> Generator[None]:
    """Let all that is done on a connection inside the block wait for locks for a while only.

    Args:
        connection: Outside of a transaction.
        schemas: Where the tables are that may be waited for.
        seconds: As `waiting_briefly` takes it.
        readers: Whether readers are waited for, too.

    Raises:
        TargetError: Somebody else holds a table (code `tables-in-use`, retryable). What was committed inside the block
            stays.
    """
    connection.execute("SELECT set_config('lock_timeout', %s, false)", (_one_try(seconds),))
    try:
        yield
    except psycopg.errors.LockNotAvailable:
        oids = connection.execute(
            "SELECT array_agg(c.oid)"
            " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname = ANY(%s) AND c.relkind IN ('r', 'p', 'v')",
            (list(schemas),),
        ).fetchone()
        raise _in_use(connection, list(oids[0] or []) if oids else [], readers=readers) from None
    finally:
        with contextlib.suppress(psycopg.Error):  # a connection that is lost waits for nothing
            connection.execute("SET lock_timeout = 0")


def _one_try(seconds: float) -> str:
    return f"{max(100, int(1000 * min(seconds / _TRIES, LONGEST_SECONDS)))}ms"


def _wait_at_most(connection: psycopg.Connection, time: str) -> None:
    connection.execute("SELECT set_config('lock_timeout', %s, true)", (time,))


def _in_use(connection: psycopg.Connection, oids: Sequence[int], *, readers: bool) -> TargetError:
    modes = [*_READING, *_WRITING] if readers else list(_WRITING)
    holders = connection.execute(_HOLDERS, (list(oids), modes)).fetchall()
    named = [_holder(*row) for row in holders[:_MOST_NAMED]]
    if len(holders) > _MOST_NAMED:
        named.append(f"and {len(holders) - _MOST_NAMED} more")
    pids = sorted({int(row[1]) for row in holders if row[1] is not None})
    ask = ", ".join(str(pid) for pid in pids[:_MOST_NAMED])
    return TargetError(
        "Others use tables that are to be written: "
        + ("; ".join(named) if named else "who it was is not there any more")
        + ".",
        code="tables-in-use",
        hint="What was done before is kept. Let that work come to its end"
        + (f", or end it (SELECT pg_terminate_backend(pid) for {ask})" if ask else "")
        + "; then run the same command again.",
        retryable=True,
    )


def _holder(
    table: str, pid: int | None, application: str | None, role: str | None, state: str | None, seconds: int | None
) -> str:
    if pid is None:
        return f"{table} by a prepared transaction (see pg_prepared_xacts)"
    about = [hide(application)] if application else []
    about += [f"role {role}"] if role else []
    about += [state] if state else []
    since = f", for {seconds:,} s" if seconds is not None else ""
    return f"{table} by process {pid} ({', '.join(about) or 'unknown'}){since}"
