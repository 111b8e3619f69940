"""Take back what copies brought into tables that exist: the entry of the package.

Everything is looked at in one transaction, which then removes the rows and what is known of them, or is given up. While
it removes, nobody else writes to the tables nor refers to their rows anew.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import psycopg
from psycopg import sql

from isthmus import __version__
from isthmus.connect.postgres import connect, explain, trouble
from isthmus.errors import Problem, TargetError, Where
from isthmus.mapping import Mapping
from isthmus.mapping.plan import compile_plans
from isthmus.mapping.references import as_loaded
from isthmus.mapping.tables import build_schema
from isthmus.state.lease import Lease
from isthmus.state.live_things import as_carried
from isthmus.state.migrate import check_state, migrate, state_exists
from isthmus.state.reports import require_run
from isthmus.state.runs import Run, id_key, latest_run
from isthmus.state.statements import statements
from isthmus.transfer.beginning.preflight import Finding, check_server, raise_findings
from isthmus.transfer.existing.preflight import read_existing
from isthmus.transfer.existing.saved_ddl import missing
from isthmus.transfer.existing.sides import Sides
from isthmus.transfer.existing.stage import stage_schema
from isthmus.transfer.existing.waiting_there import look_again
from isthmus.transfer.job import Job, Options
from isthmus.transfer.letters.source import LettersSource
from isthmus.transfer.locks import waiting_briefly
from isthmus.transfer.undoing.forgetting import forget, last_run
from isthmus.transfer.undoing.pairs import look_at_pairs
from isthmus.transfer.undoing.references import count_references, find_references, let_wait
from isthmus.transfer.undoing.referring import PACKAGE, check_keys, look_at_referring, read_keys
from isthmus.transfer.undoing.removing import remove_rows
from isthmus.transfer.undoing.result import End, UndoResult
from isthmus.transfer.undoing.rows import look_at_rows
from isthmus.transfer.undoing.scope import collections_of, refuse_other_mapping, refuse_run
from isthmus.transfer.undoing.taking import Taking
from isthmus.work.interrupted import Interrupted
from isthmus.work.progress import Progress
from isthmus.work.retry import Retry
from isthmus.work.stages import reached

_WHAT = "this undo"
_OF_DELIVERIES = {"keys-in-a-circle", "column-not-fed"}
"""What stands against bringing rows to tables that exist, and not against taking them away."""


@dataclass(frozen=True)
class _Undo:
    """What the caller asked for; its attributes are explained at `undo_copy`."""

    mapping: Mapping
    mapping_text: str
    conninfo: str
    collections: list[str]
    live: bool
    options: Options
    progress: Progress
    stop: threading.Event
    result: UndoResult


def undo_copy(
    mapping: Mapping,
    conninfo: str,
    *,
    mapping_text: str,
    only: Sequence[str] = (),
    live: bool = False,
    retry_seconds: float = 60.0,
    progress: Progress | None = None,
    stop: threading.Event | None = None,
    result: UndoResult | None = None,
) -> UndoResult:
    """Take back the rows that copies brought and nobody has written to since, or say what stands in the way.

    Writes to the target only, under the run lease and in one transaction: whatever ends it, either all is done or
    nothing. Run again, it finds nothing left to do.

    Args:
        mapping: The mapping that the rows were carried with.
        conninfo: Target, as libpq takes it.
        mapping_text: The mapping file's text.
        only: Entries or source collections; empty for all.
        live: Whether rows are removed; else nothing is written.
        retry_seconds: How long others who use the tables are waited for.
        progress: Told which step is at work.
        stop: Set it to end before the next step; nothing is done then.
        result: Gets what it came to so far, also when the call raises.

    Raises:
        IsthmusError: It cannot be done; nothing was removed.
    """
    result = result if result is not None else UndoResult("live" if live else "dry-run")
    began = time.monotonic()
    lease = Lease(conninfo)
    try:
        undo = _Undo(
            mapping,
            mapping_text,
            conninfo,
            collections_of(mapping, only),
            live,
            Options(retry_seconds=retry_seconds),
            progress or Progress(),
            stop or threading.Event(),
            result,
        )
        result.collections = undo.collections
        lease.acquire()
        _try_until_free(undo, lease)
    except Interrupted:
        result.outcome = "interrupted"
    except psycopg.Error as fault:
        words = explain(fault, values=not build_schema(mapping).sensitive)
        raise trouble(fault, "take back what was copied", words) from None
    finally:
        lease.release()
        result.seconds = time.monotonic() - began
    return result


def _try_until_free(undo: _Undo, lease: Lease) -> None:
    retry = Retry(undo.options.retry_seconds)
    while True:
        try:
            _once(undo, lease)
        except TargetError as fault:
            if fault.code != "tables-in-use":
                raise
            retry.again(fault, undo.stop, undo.progress.note)
        else:
            return


def _once(undo: _Undo, lease: Lease) -> None:
    """Look, and remove when that is asked for and nothing stands in the way. One transaction, on its own connection."""
    result = undo.result
    result.begin()
    with connect(undo.conninfo, autocommit=True) as connection:
        check_state(connection)
        if not state_exists(connection):
            require_run(connection)
        raise_findings([*check_server(connection), *_check_definitions(connection)], _WHAT)
        if undo.live:
            migrate(connection)
            known = latest_run(connection)
            refuse_run(known)
            if known is not None:
                lease.adopt(known.id)
        with connection.transaction(force_rollback=not undo.live):
            migrate(connection)  # of a dry run: forgotten with the rest
            known = latest_run(connection)
            refuse_run(known)
            if undo.live and known is not None:
                lease.assert_held(connection, known.id)
            taking = _open(undo, lease, connection, known)
            outcome = _look(undo, taking)
            if undo.live and outcome == "clear":
                _remove(undo, taking)
                outcome = "done"
            taking.sides.job.check_stop()
            reached("undo.before-commit")
        result.outcome = outcome
        reached("undo.after-commit")


def _check_definitions(connection: psycopg.Connection) -> list[Finding]:
    """Report indexes and foreign keys that a copy had set aside when it died: they do not guard the rows now."""
    found = missing(connection)
    if not found:
        return []
    named = ", ".join(one.label for one in found[:3])
    problem = Problem(
        "definitions-missing",
        f"{len(found)} indexes and foreign keys that a copy had set aside are not back yet: {named}.",
        hint="isthmus status puts them back; or go on with that copy. Then run the same undo again.",
    )
    return [Finding(problem, TargetError)]


def _open(undo: _Undo, lease: Lease, connection: psycopg.Connection, known: Run | None) -> Taking:
    """Read the tables, lock those that are written to, and list what waits in them.

    Raises:
        IsthmusError: Something else than rows stands against it.
    """
    mapping = as_carried(connection, undo.mapping)
    loaded = as_loaded(mapping)
    schema = build_schema(loaded)
    refuse_other_mapping(last_run(connection, schema.schema, undo.collections), mapping, undo.mapping_text)
    existing, findings = read_existing(connection, schema)
    raise_findings([one for one in findings if one.problem.code not in _OF_DELIVERIES], _WHAT)
    run = known if known is not None else _no_run(mapping, undo.mapping_text, schema.schema)
    job = Job(
        mapping,
        stage_schema(schema, existing),
        compile_plans(loaded),
        LettersSource(run),
        undo.conninfo,
        lease,
        run,
        id_key(connection, create=False),
        undo.options,
        undo.progress,
        undo.stop,
        existing=existing,
    )
    taking = Taking(Sides(job, connection, existing), undo.collections, undo.result)
    oids = [fed.there.oid for fed in taking.tables]
    keys = read_keys(connection, oids)
    raise_findings([*check_keys(keys), *_check_triggers(connection, oids)], _WHAT)
    if undo.live:
        _lock(undo, taking)
    look_again(taking.sides)
    return taking


def _no_run(mapping: Mapping, text: str, schema: str) -> Run:
    """Stand for a run where all are forgotten; rows that others deleted may still be known."""
    now = datetime.now(UTC)
    return Run(0, mapping.fingerprint, text, {}, "", schema, {}, now, "complete", now, None, "", __version__)


def _check_triggers(connection: psycopg.Connection, oids: list[int]) -> list[Finding]:
    rows = connection.execute(statements("undo", PACKAGE)["delete_triggers"], {"oids": oids}).fetchall()
    return [
        Finding(
            Problem(
                "delete-triggers",
                f"{schema}.{table} has triggers that fire when rows are deleted: {', '.join(names)}. What they do to"
                " other rows is not known.",
                Where(table=str(table)),
                "Disable them for the undo if they should not fire (ALTER TABLE … DISABLE TRIGGER …).",
            ),
            TargetError,
        )
        for schema, table, names in rows
    ]


def _lock(undo: _Undo, taking: Taking) -> None:
    """Keep others from writing to all tables of the mapping, and from referring anew to rows that may go.

    Who refers to a row by a foreign key takes a lock of its table, which EXCLUSIVE stands against; readers go on.
    """
    sides = taking.sides
    losing = [fed.name for fed in taking.tables]
    others = [name for name in sides.existing.tables if name not in losing]
    oids = [fed.there.oid for fed in sides.existing.tables.values()]
    undo.progress.stage("Waiting for the tables")
    with waiting_briefly(sides.connection, oids, seconds=undo.options.retry_seconds, readers=True):
        for names, lock in (
            (losing, sql.SQL("LOCK TABLE ONLY {} IN EXCLUSIVE MODE")),
            (others, sql.SQL("LOCK TABLE ONLY {} IN SHARE ROW EXCLUSIVE MODE")),
        ):
            if names:
                sides.do(lock.format(sql.SQL(", ").join(sides.real(name) for name in names)))
    reached("undo.locked")


def _look(undo: _Undo, taking: Taking) -> End:
    """Look at everything; return `clear`, `nothing` or `in-the-way`."""
    result = undo.result
    for words, step in (
        ("Looking at rows", look_at_rows),
        ("Looking at references", find_references),
        ("Looking at pairs", look_at_pairs),
    ):
        taking.sides.job.check_stop()
        undo.progress.stage(words)
        step(taking)
    count_references(taking)
    taking.sides.job.check_stop()
    undo.progress.stage("Looking at foreign keys")
    look_at_referring(taking, read_keys(taking.sides.connection, [fed.there.oid for fed in taking.tables]))
    for counts in (result.removed, result.stayed, result.deleted, result.waiting):
        for name in [name for name, count in counts.items() if not count]:
            del counts[name]
    if result.in_the_way:
        return "in-the-way"
    carried = last_run(taking.sides.connection, taking.sides.existing.schema, undo.collections)
    return "clear" if result.removed or result.stayed or carried is not None else "nothing"


def _remove(undo: _Undo, taking: Taking) -> None:
    taking.sides.job.check_stop()
    undo.progress.stage("Removing rows")
    let_wait(taking)
    reached("undo.waiting")
    remove_rows(taking)
    reached("undo.removed")
    undo.result.undo = forget(taking)
