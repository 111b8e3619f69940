"""Apply one migration, and learn what became of it where the server or the way to it fails.

A lock that is not to be had is tried again after a pause. A COMMIT whose answer was lost is looked up in the history.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime

import psycopg

from isthmus.connect.postgres import connect, explain
from isthmus.connect.secrets import hide
from isthmus.errors import TargetError, Where
from isthmus.govern.deploying.attempt import Attempt
from isthmus.govern.deploying.deployer import Deployer
from isthmus.govern.deploying.telling import Done
from isthmus.govern.migrations.script import Script
from isthmus.state.deployer_at_work import last_session_over
from isthmus.state.lease import Lease
from isthmus.state.schema_history import Applied, failed, read_history

_PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0)
_BACK_SECONDS = 10.0
"""How long a server that went away is waited for, to learn what became of a migration."""
_HALF_RUN = "It runs without a transaction: isthmus schema resolve {} shows how far it is, and how to go on."


def apply(deployer: Deployer, script: Script, known: Applied | None) -> Done:
    """Apply one migration.

    Args:
        deployer: Who does it.
        script: The migration.
        known: Its line in the history; None where it has none.

    Raises:
        TargetError: The server refused it (`migration-failed`), a lock was not to be had (`migration-locked`), the
            connection was lost (`connection-lost`), or another deployer came in between (`lease-lost`, `lease-held`).
        Interrupted: The user asked to stop, in a pause before another attempt.
    """
    began = time.monotonic()
    deployer.lease.ensure()
    deployer.telling.begins(script)
    for number, pause in enumerate((*_PAUSES, None), 1):
        started_at = datetime.now(UTC)
        with connect(deployer.conninfo, autocommit=True) as connection:
            attempt = Attempt(deployer, script, connection)
            try:
                attempt.run(known, started_at)
                return Done(script.name.text, time.monotonic() - began, number)
            except psycopg.Error as fault:
                if _is_lost(connection, deployer.lease):
                    connection.close()
                    _settle_loss(deployer, script, fault)
                    return Done(script.name.text, time.monotonic() - began, number)
                busy = attempt.may_be_repeated(fault)
                if not busy or pause is None:
                    refusal = _refusal(deployer, script, attempt, started_at, fault, busy=busy)
                    if refusal is None:
                        return Done(script.name.text, time.monotonic() - began, number)
                    raise refusal from None
                words = f"{explain(fault)}{attempt.held_by}"
        deployer.telling.tries_again(script, pause, words)
        deployer.pause(pause)
        known = read_history(deployer.lease.connection, deployer.title).get(script.name.text)
    raise AssertionError  # the last attempt returns or raises


def _is_lost(connection: psycopg.Connection, lease: Lease) -> bool:
    """Tell whether the server or the way to it went away, on either connection."""
    if connection.closed:
        return True
    try:
        lease.connection.execute("SELECT 1")
    except psycopg.Error:
        return True
    return False


def _settle_loss(deployer: Deployer, script: Script, fault: psycopg.Error) -> None:
    """Learn from the history whether a migration got through whose connection was lost.

    Raises:
        TargetError: It did not, or that cannot be learnt now (code `connection-lost`).
    """
    name = script.name.text
    message = f"The connection was lost while {name} was applied: {explain(fault)}."
    try:
        _reach_again(deployer)
        last_session_over(deployer.lease.connection)
        there = read_history(deployer.lease.connection, deployer.title).get(name)
    except (TargetError, psycopg.Error):
        raise TargetError(
            message + " Whether it got through is not known.",
            code="connection-lost",
            where=Where(file=script.file),
            hint="isthmus schema status tells, once the server can be reached; deploy again goes on from there.",
            retryable=True,
        ) from None
    if there is not None and there.is_through and script.is_text_of(there.checksum):
        return
    nothing = script.in_transaction or there is None
    raise TargetError(
        message + (" Nothing of it is there." if nothing else ""),
        code="connection-lost",
        where=Where(file=script.file),
        hint="Deploy again." if nothing else _HALF_RUN.format(name),
        retryable=nothing,
    )


def _reach_again(deployer: Deployer) -> None:
    ends_at = time.monotonic() + _BACK_SECONDS
    while True:
        try:
            deployer.lease.ensure()
        except TargetError as fault:
            if not fault.retryable or time.monotonic() >= ends_at:
                raise
            deployer.pause(0.5)
        else:
            return


def _refusal(
    deployer: Deployer,
    script: Script,
    attempt: Attempt,
    started_at: datetime,
    fault: psycopg.Error,
    *,
    busy: bool,
) -> TargetError | None:
    """Write down what the server said, and return it; None where the migration got through all the same."""
    name, said = script.name.text, explain(fault)
    hint = fault.diag.message_hint
    steps = len(script.statements)
    history = deployer.lease.connection
    if not failed(history, deployer.title, name, script.checksum, steps, started_at, said):
        return None
    if not script.in_transaction:
        then = _HALF_RUN.format(name)
    elif busy:
        then = "Nothing of it is there. Try again when the table is used less, or end what holds the lock."
    elif isinstance(fault, psycopg.errors.QueryCanceled) and "statement timeout" in said:
        then = (
            "Nothing of it is there. The role, the database or the migration sets statement_timeout: give the role a"
            " longer one (ALTER ROLE … SET statement_timeout = …), or set it in the migration; deploy again."
        )
    else:
        then = (
            "Nothing of it is there. Mend what the server names, or its text where that is in no commit; deploy again."
            " One that is committed and that no database takes: correct it, and excuse it in the settings,"
            f' off = {{"migration-unchanged/{name}" = "why"}}.'
        )
    return TargetError(
        f"The server refused {name}: {said}{f' ({hide(hint)})' if hint else ''}{attempt.held_by if busy else ''}",
        code="migration-locked" if busy else "migration-failed",
        where=Where(file=script.file, line=attempt.line),
        hint=then,
        retryable=busy,
    )
