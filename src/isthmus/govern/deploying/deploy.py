"""Apply what is pending: one deployer at a time, each migration as a whole, everything written down.

A migration in a transaction (the default) and its line in the history are committed together. One without is executed
statement by statement; before each the history says how far it is, so that a death shows which statement it was at.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event

import psycopg

from isthmus.connect.postgres import connect
from isthmus.errors import GovernError, Problem, TargetError, Where
from isthmus.govern.deploying.standing import MISFITS, Standing, standings
from isthmus.govern.migrations.script import Script
from isthmus.state.lease import Lease
from isthmus.state.migrate import migrate
from isthmus.state.schema_history import applied, begin, failed, read_history, step
from isthmus.work.interrupted import Interrupted

LOCK_SECONDS = 5.0
"""A statement waits no longer for a lock: whoever waits for an exclusive one keeps everybody else waiting behind it."""
_PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0)


@dataclass(frozen=True)
class Done:
    """One migration that was applied now.

    Attributes:
        name: Its name.
        seconds: How long it took.
        attempts: How often it was tried, because a lock was not to be had.
    """

    name: str
    seconds: float
    attempts: int


def refuse(standing: Sequence[Standing]) -> None:
    """Refuse to go on where the history and the files do not fit together.

    Raises:
        GovernError: Code `history-differs`; `problems` holds every finding.
    """
    problems: list[Problem] = []
    for one in standing:
        if one.stand in MISFITS:
            message, hint = MISFITS[one.stand]
            problems.append(Problem(one.stand, message, Where(file=one.script.file if one.script else one.name), hint))
    if problems:
        raise GovernError(
            "The migrations and what was applied of them do not fit together; nothing was applied.",
            code="history-differs",
            problems=tuple(problems),
        )


@contextmanager
def deploying(conninfo: str) -> Generator[psycopg.Connection]:
    """Hold a database as its only deployer, its state brought up to date; the connection is in autocommit mode.

    Raises:
        TargetError: As `Lease.acquire` and `migrate`.
    """
    lease = Lease(conninfo)
    lease.acquire()
    try:
        migrate(lease.connection)
        yield lease.connection
    finally:
        lease.release()


def deploy(
    conninfo: str,
    title: str,
    scripts: Sequence[Script],
    *,
    tell: Callable[[Done], None] = lambda _: None,
    stop: Event | None = None,
    lock_seconds: float = LOCK_SECONDS,
) -> list[Done]:
    """Apply every pending migration of a schema, in order.

    Args:
        conninfo: Direct address of the database.
        title: What the settings call the schema.
        scripts: All its migrations.
        tell: Called with each that was applied.
        stop: Set when the user wants it to end; then it ends between two migrations.
        lock_seconds: How long a statement waits for a lock before its migration is tried again.

    Returns:
        What was applied now.

    Raises:
        GovernError: The history does not fit (`history-differs`).
        TargetError: The server refused a migration (`migration-failed`), or a lock was not to be had
            (`migration-locked`); what came before it stays applied, and of itself nothing is there, unless it runs
            without a transaction.
        Interrupted: The user asked to stop.
    """
    found: list[Done] = []
    with deploying(conninfo) as connection:
        standing = standings(scripts, read_history(connection, title))
        refuse(standing)
        for one in standing:
            if one.stand not in {"pending", "failed"} or one.script is None:
                continue
            if stop is not None and stop.is_set():
                raise Interrupted
            found.append(_apply(conninfo, connection, title, one.script, lock_seconds, stop))
            tell(found[-1])
    return found


def _apply(
    conninfo: str, history: psycopg.Connection, title: str, script: Script, lock_seconds: float, stop: Event | None
) -> Done:
    began = time.monotonic()
    for attempt, pause in enumerate((*_PAUSES, None), 1):
        started_at = datetime.now(UTC)
        # A session of its own: what a migration sets is gone with it.
        with connect(conninfo, autocommit=True) as connection:
            connection.execute("SELECT set_config('lock_timeout', %s, false)", (f"{round(lock_seconds * 1000)}ms",))
            try:
                run = _as_a_whole if script.in_transaction else _step_by_step
                run(connection, history, title, script, started_at)
                return Done(script.name.text, time.monotonic() - began, attempt)
            except psycopg.Error as fault:
                busy = isinstance(fault, psycopg.errors.LockNotAvailable) and script.in_transaction
                if busy and pause is not None:
                    if stop is not None and stop.wait(pause):
                        raise Interrupted from None
                    if stop is None:
                        time.sleep(pause)
                    continue
                refusal = _refusal(history, title, script, started_at, fault, busy=busy)
                if refusal is None:
                    return Done(script.name.text, time.monotonic() - began, attempt)
                raise refusal from None
    raise AssertionError  # the last attempt returns or raises


def _as_a_whole(
    connection: psycopg.Connection, history: psycopg.Connection, title: str, script: Script, started_at: datetime
) -> None:
    del history
    with connection.transaction():
        for one in script.statements:
            _execute(connection, script, one.text, one.line)
        applied(connection, title, script.name.text, script.checksum, len(script.statements), started_at)


def _step_by_step(
    connection: psycopg.Connection, history: psycopg.Connection, title: str, script: Script, started_at: datetime
) -> None:
    name = script.name.text
    done = begin(history, title, name, script.checksum, len(script.statements))
    for number, one in enumerate(script.statements[done:], done + 1):
        _execute(connection, script, one.text, one.line)
        step(history, title, name, number)
    applied(history, title, name, script.checksum, len(script.statements), started_at)


def _execute(connection: psycopg.Connection, script: Script, text: str, line: int) -> None:
    try:
        connection.execute(text.encode())
    except psycopg.Error as fault:
        fault.add_note(f"{script.file}:{line + _lines_before(text, fault)}")
        raise


def _lines_before(text: str, fault: psycopg.Error) -> int:
    place = fault.diag.statement_position
    return text.count("\n", 0, int(place) - 1) if place else 0


def _refusal(
    history: psycopg.Connection, title: str, script: Script, started_at: datetime, fault: psycopg.Error, *, busy: bool
) -> TargetError | None:
    """Write down what the server said, and return it; None where the migration got through all the same."""
    said = (fault.diag.message_primary or str(fault)).strip()
    hint = fault.diag.message_hint
    place = next(iter(getattr(fault, "__notes__", [])), script.file)
    file, _, line = place.rpartition(":")
    if not failed(history, title, script.name.text, script.checksum, len(script.statements), started_at, said):
        return None
    if not script.in_transaction:
        then = "It runs without a transaction: look what of it is there, then isthmus schema resolve says how to go on."
    elif busy:
        then = "Nothing of it is there. Try again when the table is used less, or end what holds the lock."
    else:
        then = "Nothing of it is there. Correct it (it is not applied, so it may change) and deploy again."
    return TargetError(
        f"The server refused {script.name.text}: {said}{f' ({hint})' if hint else ''}",
        code="migration-locked" if busy else "migration-failed",
        where=Where(file=file or script.file, line=int(line) if line.isdigit() else None),
        hint=then,
        retryable=busy,
    )
