"""Open PostgreSQL connections for Isthmus and judge what their errors mean.

Decides which errors are worth another try and which speak of the data. Leaves the retrying to the caller.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any, Literal

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from isthmus.connect.names import NamesCursor
from isthmus.connect.secrets import hide
from isthmus.errors import TargetError

Meaning = Literal["transient", "data", "final"]

# Classes and codes of PostgreSQL's appendix A, "PostgreSQL Error Codes".
_TRANSIENT_CLASSES = ("08", "40", "53", "55", "57", "58")
# P0001 is what a trigger's RAISE gives by default: it speaks of the row.
_DATA_CLASSES = ("22", "23", "54", "P0001")


def connect(conninfo: str, *, autocommit: bool = False) -> psycopg.Connection:
    """Open one connection with the settings every Isthmus session needs.

    UTF-8, no statement, lock or idle time-outs of the role's (a long load is not an accident), ISO dates in UTC.

    Args:
        conninfo: What libpq takes.
        autocommit: Whether each statement stands alone.

    Returns:
        The open connection.

    Raises:
        TargetError: The server cannot be reached or refuses (code `unreachable`, retryable). The message holds no
            password.
    """
    try:
        connection = psycopg.connect(
            make_conninfo(conninfo, **_unless_given(conninfo), application_name="isthmus", client_encoding="UTF8"),
            autocommit=True,
            cursor_factory=NamesCursor,
        )
        connection.execute(
            "SELECT set_config('statement_timeout', '0', false), set_config('lock_timeout', '0', false),"
            " set_config('idle_in_transaction_session_timeout', '0', false), set_config('timezone', 'UTC', false),"
            # values are compared by their texts, also with those of earlier sessions
            " set_config('datestyle', 'ISO, YMD', false), set_config('intervalstyle', 'postgres', false),"
            " set_config('extra_float_digits', '1', false), set_config('bytea_output', 'hex', false),"
            # and so are definitions
            " set_config('quote_all_identifiers', 'off', false)"
        )
        connection.execute(  # settings that not every version has
            "SELECT set_config(name, '0', false)"
            " FROM unnest(ARRAY['idle_session_timeout', 'transaction_timeout']) AS name"
            " WHERE current_setting(name, true) IS NOT NULL"
        )
        _notice_our_death(connection)
        connection.autocommit = autocommit
    except psycopg.Error as fault:
        raise TargetError(
            f"PostgreSQL cannot be reached: {hide(str(fault).strip())}",
            code="unreachable",
            hint=_what_to_check(conninfo),
            retryable=True,
        ) from None
    return connection


def _what_to_check(conninfo: str) -> str:
    folder = Path(str(conninfo_to_dict(conninfo).get("host") or "")).parent
    if not (folder / "data" / "PG_VERSION").exists():  # what an embedded server keeps beside its socket
        return "Check address, port, role and password, and that the server runs."
    return (
        "The embedded server went away while it was used. What was committed is kept: run the same command again, which"
        f" starts it anew. Why it ended stands in {folder / 'server.log'}."
    )


def first_number(cursor: psycopg.Cursor[Any]) -> int:
    """Return the first value of a statement's first row, a count for example; 0 when there is no row."""
    row = cursor.fetchone()
    return int(row[0]) if row else 0


def has_rows(connection: psycopg.Connection[Any], schema: str, table: str) -> bool:
    """Tell whether a table holds any row.

    Raises:
        psycopg.errors.InsufficientPrivilege: The role may not look into it.
    """
    query = sql.SQL("SELECT EXISTS (SELECT FROM {})::integer").format(sql.Identifier(schema, table))
    return bool(first_number(connection.execute(query)))


# A network that swallows everything would otherwise hold a wait for the system's two hours.
_LIVENESS = {
    "connect_timeout": 30,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}


def _unless_given(conninfo: str) -> dict[str, int]:
    """Return the liveness settings that the user's own connection string leaves open."""
    given = conninfo_to_dict(conninfo)
    return {name: value for name, value in _LIVENESS.items() if name not in given}


def _notice_our_death(connection: psycopg.Connection) -> None:
    """Let the server look every few seconds whether we still live while it works on a statement.

    Otherwise a long CREATE INDEX of a killed isthmus holds its locks until it is through. Servers on systems that
    cannot look refuse the setting.
    """
    with contextlib.suppress(psycopg.errors.InvalidParameterValue):
        connection.execute("SELECT set_config('client_connection_check_interval', '2s', false)")


def meaning(fault: psycopg.Error) -> Meaning:
    """Judge an error: `transient` (try again), `data` (a value in the batch), `final` (somebody must act).

    A broken connection carries no code; it is transient. Disk full (53100) is transient too: space may be made while
    the run waits.
    """
    code = fault.sqlstate
    if code == "22P04":  # bad COPY file format: our bytes are wrong, not the user's values
        return "final"
    if code is None:
        return "transient" if isinstance(fault, psycopg.OperationalError | psycopg.InterfaceError) else "final"
    if code.startswith(_DATA_CLASSES):
        return "data"
    if code.startswith(_TRANSIENT_CLASSES):
        return "transient"
    return "final"


def trouble(fault: psycopg.Error, what: str, words: str) -> TargetError:
    """Turn an error of the server into one that says what to do.

    Args:
        fault: The error.
        what: What the server was to do, for example `take rows of Users`.
        words: The server's words, as `explain` returns them.

    Returns:
        Code `target-unavailable`, retryable, when waiting may mend it; else `target-refused`.
    """
    if meaning(fault) == "transient":
        return TargetError(
            f"PostgreSQL could not {what}: {words}.",
            code="target-unavailable",
            hint="What was committed is kept; run the same command again when the server is well.",
            retryable=True,
        )
    return TargetError(
        f"PostgreSQL refuses to {what}: {words}.",
        code="target-refused",
        hint="What was committed is kept; run the same command again when the cause is mended.",
    )


def explain(fault: psycopg.Error, *, detail: bool = False, values: bool = True) -> str:
    """Return the server's words on one line, without secrets.

    Args:
        fault: The error.
        detail: Whether to add the server's detail, which may quote a key or a whole row.
        values: Whether the words may quote a value of a row. If not, an error that may do so is told by its name and
            code, and by the constraint, table and column that the server names.
    """
    if not values and meaning(fault) != "transient":
        named = ((what, getattr(fault.diag, f"{what}_name")) for what in ("constraint", "table", "column"))
        places = "".join(f", {what} {name}" for what, name in named if name)
        name = f"{type(fault).__name__} ({fault.sqlstate}{places})"
        return f"{name}; PostgreSQL's words are in its own log, as they may quote a sensitive value"
    primary = fault.diag.message_primary
    text = primary if primary else str(fault)
    if detail and primary and fault.diag.message_detail:
        text = f"{primary} ({fault.diag.message_detail})"
    return hide(" ".join(text.split()))
