"""Apply what is pending: one deployer at a time, each migration as a whole, everything written down.

A migration in a transaction (the default) and its line in the history are committed together. One without is executed
statement by statement; before each the history says how far it is, so that a death shows which statement it was at.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Generator, Mapping, Sequence
from contextlib import contextmanager
from threading import Event

import psycopg

from isthmus.connect.postgres import explain, trouble
from isthmus.errors import ConfigError, GovernError, Problem, TargetError, Where
from isthmus.govern.deploying.applying import apply
from isthmus.govern.deploying.beside import refuse_foreign
from isthmus.govern.deploying.deployer import LOCK_SECONDS, Deployer
from isthmus.govern.deploying.renamed import refuse_renamed
from isthmus.govern.deploying.standing import TO_APPLY, Standing, standings
from isthmus.govern.deploying.telling import Done, Telling
from isthmus.govern.migrations.meant import meant
from isthmus.govern.migrations.script import Script
from isthmus.state.deployer_at_work import last_session_over
from isthmus.state.lease import Lease
from isthmus.state.migrate import check_state, migrate
from isthmus.state.schema_history import read_history
from isthmus.work.interrupted import Interrupted

_POLL_SECONDS = 0.5


def refuse(standing: Sequence[Standing]) -> None:
    """Refuse to go on where the history and the files do not fit together.

    Raises:
        GovernError: Code `history-differs`; `problems` holds every finding.
    """
    problems: list[Problem] = []
    for one in standing:
        if one.misfit is not None:
            message, hint = one.misfit
            problems.append(Problem(one.stand, message, Where(file=one.script.file if one.script else one.name), hint))
    if problems:
        raise GovernError(
            "The migrations and what was applied of them do not fit together; nothing was applied.",
            code="history-differs",
            problems=tuple(problems),
        )


def to_apply(standing: Sequence[Standing], to: str | None = None) -> list[tuple[Script, Standing]]:
    """Return what is to be applied, in order.

    Args:
        standing: Of all migrations.
        to: The last one that is wanted, as `meant` takes it; None for all.

    Raises:
        GovernError: The history does not fit (code `history-differs`).
        ConfigError: There is no one migration of that name (code `unknown-migration`), or one that is pending cannot be
            executed as it is (`bad-migrations`).
    """
    known = [one.name for one in standing if one.script is not None]
    last = meant(known, to) if to is not None else None
    refuse(standing)
    wanted = known if last is None else known[: known.index(last) + 1]
    found = [(one.script, one) for one in standing if one.script and one.stand in TO_APPLY and one.name in wanted]
    faulty = [script for script, _ in found if script.faults]
    if faulty:
        raise ConfigError(
            "Some of what is pending cannot be executed as it is; nothing was applied.",
            code="bad-migrations",
            problems=tuple(fault for script in faulty for fault in script.faults),
            hint="What belongs to the baseline: where the database has it, isthmus schema resolve takes that down."
            if any(script.statements for script in faulty)
            else None,
        )
    return found


def pending_of(
    connection: psycopg.Connection,
    schemas: Mapping[str, Sequence[Script]],
    to: str | None = None,
    *,
    titles: Collection[str] = (),
) -> dict[str, list[tuple[Script, Standing]]]:
    """Return what is to be applied of each of some schemas, in order; nothing where one of them cannot be deployed.

    Args:
        connection: In autocommit mode.
        schemas: What the settings call it → its migrations.
        to: The last migration that is wanted, of a single schema; None for all.
        titles: What the settings call all schemas, these and others.

    Raises:
        GovernError: Another runner is at work (`not-adopted`, `history-grew`), a schema was applied under another name
            (`schema-renamed`), or a history does not fit (`history-differs`).
        ConfigError: As `to_apply`.
    """
    every: dict[str, list[Standing]] = {}
    for title, scripts in schemas.items():
        history = read_history(connection, title)
        refuse_foreign(connection, title, scripts)
        refuse_renamed(connection, title, scripts, {*titles, *schemas})
        every[title] = standings(scripts, history)
    refuse([one for ones in every.values() for one in ones])
    return {title: to_apply(ones, to) for title, ones in every.items()}


@contextmanager
def deploying(
    conninfo: str, *, telling: Telling | None = None, wait_seconds: float = 0.0, stop: Event | None = None
) -> Generator[Lease]:
    """Hold a database as its only deployer; who writes to its state brings that up to date before.

    Args:
        conninfo: Direct address of the database.
        telling: Hears that somebody else is waited for.
        wait_seconds: How long another isthmus is waited for.
        stop: Set when the user wants it to end.

    Raises:
        TargetError: As `Lease.acquire` and `check_state`, or the server failed inside the block (`target-unavailable`,
            `target-refused`).
        Interrupted: The user asked to stop while it waited.
    """
    lease = _acquired(conninfo, telling or Telling(), wait_seconds, stop)
    try:
        last_session_over(lease.connection)
        check_state(lease.connection)
        yield lease
    except psycopg.Error as fault:
        raise trouble(fault, "be deployed to", explain(fault)) from fault
    finally:
        lease.release()


def _acquired(conninfo: str, telling: Telling, wait_seconds: float, stop: Event | None) -> Lease:
    ends_at = time.monotonic() + wait_seconds
    told = False
    while True:
        lease = Lease(conninfo)
        try:
            lease.acquire()
        except TargetError as fault:
            if fault.code != "lease-held" or time.monotonic() >= ends_at:
                raise
            if not told:
                telling.waits_for_lease(fault.message)
                told = True
        else:
            return lease
        if stop is not None and stop.wait(_POLL_SECONDS):
            raise Interrupted
        if stop is None:
            time.sleep(_POLL_SECONDS)


def deploy(
    conninfo: str,
    title: str,
    scripts: Sequence[Script],
    *,
    telling: Telling | None = None,
    stop: Event | None = None,
    lock_seconds: float = LOCK_SECONDS,
    wait_seconds: float = 0.0,
    to: str | None = None,
    titles: Collection[str] = (),
) -> list[Done]:
    """Apply every pending migration of a schema, in order.

    Args:
        conninfo: Direct address of the database.
        title: What the settings call the schema.
        scripts: All its migrations.
        telling: Hears of the work.
        stop: Set when the user wants it to end; then it ends between two migrations.
        lock_seconds: How long a statement waits for a lock before its migration is tried again.
        wait_seconds: How long another isthmus that is at work is waited for.
        to: The last migration that is wanted; None for all.
        titles: What the settings call all schemas, this one and others.

    Returns:
        What was applied now.

    Raises:
        GovernError: As `pending_of`.
        ConfigError: As `to_apply`.
        TargetError: The server refused a migration (`migration-failed`), a lock was not to be had (`migration-locked`),
            or the connection was lost (`connection-lost`); what came before it stays applied, and of itself nothing is
            there, unless it runs without a transaction.
        Interrupted: The user asked to stop.
    """
    telling = telling or Telling()
    found: list[Done] = []
    with deploying(conninfo, telling=telling, wait_seconds=wait_seconds, stop=stop) as lease:
        deployer = Deployer(conninfo, lease, title, telling, lock_seconds, stop)
        pending = pending_of(lease.connection, {title: scripts}, to, titles=titles)[title]
        if pending:
            migrate(lease.connection)
        for script, one in pending:
            if stop is not None and stop.is_set():
                raise Interrupted
            found.append(apply(deployer, script, one.applied))
            telling.has_done(found[-1])
    return found
