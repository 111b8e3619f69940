"""Retry dead letters with a corrected mapping: carry what fits, set undone references again, say why the rest stays.

Letters hold the bytes that the run read, so no source is read. Everything is committed batch by batch under the run
lease; whatever ends a retry, the same command goes on. What it leaves does not depend on how often it was begun.
"""

from __future__ import annotations

import contextlib
import threading
import time

import psycopg

from isthmus.connect.postgres import explain, trouble
from isthmus.errors import ConfigError, TargetError
from isthmus.mapping import Mapping, parse_mapping
from isthmus.mapping.tables import build_schema
from isthmus.sources.protocol import Source
from isthmus.state.lease import Lease
from isthmus.state.live_things import as_carried
from isthmus.state.migrate import check_state, migrate
from isthmus.state.reports import require_run
from isthmus.state.runs import Run, id_key, read_run
from isthmus.transfer.beginning.begin import enum_array_oids
from isthmus.transfer.beginning.preflight import check_server, raise_findings
from isthmus.transfer.beginning.same_run import refuse_other_source
from isthmus.transfer.existing.names import STAGE
from isthmus.transfer.existing.narrow import narrow_plans
from isthmus.transfer.existing.only import ONLY, chosen
from isthmus.transfer.existing.preflight import check_surroundings, is_existing, read_existing
from isthmus.transfer.existing.stage import drop_letters_stage, stage_schema
from isthmus.transfer.hands import Hands
from isthmus.transfer.job import Job, Options
from isthmus.transfer.letters.passes import Passes
from isthmus.transfer.letters.result import Choice, RetryResult
from isthmus.transfer.letters.same_shape import Shape, refuse_other_shape, shape_of, with_sensitive_of
from isthmus.transfer.letters.source import LettersSource
from isthmus.transfer.letters.which import Tried, run_to_try
from isthmus.transfer.locks import no_long_waits
from isthmus.work.interrupted import Interrupted
from isthmus.work.progress import Progress
from isthmus.work.retry import Retry


def retry_letters(
    mapping: Mapping,
    conninfo: str,
    *,
    mapping_text: str,
    source: Source | None = None,
    choice: Choice | None = None,
    run: int | None = None,
    options: Options | None = None,
    progress: Progress | None = None,
    stop: threading.Event | None = None,
    result: RetryResult | None = None,
) -> RetryResult:
    """Try the dead letters of a run again with a corrected mapping.

    Writes to the target only, under the run lease. Safe to call again after any end, also a killed process. Rows that
    were carried before stay as they are.

    Args:
        mapping: The corrected mapping; it must want the tables that the run made.
        conninfo: Target, as libpq takes it.
        mapping_text: The mapping file's text, kept in the run.
        source: Compared with the run's by its identity, not read; None compares nothing.
        choice: Which letters to try; by default all.
        run: Its number; None takes the only run that has letters, of those that are the last copy of a collection.
        options: How long to wait for a server that is away.
        progress: Gets the live numbers.
        stop: Set it to end after the batch in hand; the call then returns with outcome `interrupted`.
        result: Gets what it came to so far, also when the call raises.

    Raises:
        IsthmusError: Refused before anything was written, or stopped by something waiting does not mend. What was
            committed is kept.
    """
    choice = choice or Choice()
    options, progress, stop = options or Options(), progress or Progress(), stop or threading.Event()
    result = result if result is not None else RetryResult()
    began = time.monotonic()
    lease = Lease(conninfo)
    sensitive = build_schema(mapping).sensitive
    try:
        lease.acquire()
        progress.stage("preflight")
        mapping = as_carried(lease.connection, mapping)
        shape = shape_of(mapping)
        schemas, retry = (shape.schema.schema, STAGE, "isthmus"), Retry(options.retry_seconds)
        job: Job | None = None
        tried: Tried | None = None
        while job is None or tried is None:
            try:
                with no_long_waits(lease.connection, schemas, seconds=options.retry_seconds):
                    tried = _tried(lease, run, choice)
                    job = _open(shape, conninfo, lease, tried, source, options, progress, stop)
            except TargetError as fault:
                if fault.code != "tables-in-use":
                    raise
                retry.again(fault, stop, progress.note)
        result.run, result.elsewhere = job.run.id, tried.elsewhere
        passes = Passes(job, mapping, mapping_text, choice, tried.since, result)

        def work(connection: psycopg.Connection) -> None:
            with no_long_waits(connection, schemas, seconds=options.retry_seconds):
                passes.work(connection)

        with Hands(job) as hands, contextlib.suppress(Interrupted):
            hands.part("dead letters", work)
            result.outcome = "complete"
        passes.note(lease)
        if job.existing is not None:
            with lease.connection.transaction():
                lease.assert_held(lease.connection, job.run.id)
                drop_letters_stage(lease.connection)
        progress.stage("complete")
    except psycopg.Error as fault:
        result.outcome = "failed"
        raise trouble(fault, "go on with the letters", explain(fault, values=not sensitive)) from None
    except BaseException:
        result.outcome = "failed"
        raise
    finally:
        lease.release()
        result.seconds = time.monotonic() - began
    return result


def _tried(lease: Lease, number: int | None, choice: Choice) -> Tried:
    """Return which run's letters are tried.

    Raises:
        IsthmusError: None can be now, or all that it carried was carried again.
    """
    connection = lease.connection
    check_state(connection)
    newest = require_run(connection)
    _refuse_unfinished(newest, undone=False)  # it holds the stage that letters would need
    tried = run_to_try(connection, newest, number, choice)
    _refuse_unfinished(tried.run)
    return tried


def _open(
    shape: Shape,
    conninfo: str,
    lease: Lease,
    tried: Tried,
    source: Source | None,
    options: Options,
    progress: Progress,
    stop: threading.Event,
) -> Job:
    """Look whether the letters of a run can be retried, and take the run.

    Raises:
        IsthmusError: They cannot; nothing was written.
    """
    connection, run = lease.connection, tried.run
    raise_findings(check_server(connection))
    if source is not None:
        refuse_other_source(run, source)
    before = shape_of(as_carried(connection, parse_mapping(run.mapping_text, file_name="the run's mapping")))
    refuse_other_shape(run.id, before, shape)
    lease.adopt(run.id)
    migrate(connection)
    run = _again(connection, run)  # as the holder before left it
    _refuse_unfinished(run)
    schema = with_sensitive_of(shape.schema, before.schema)
    existing = None
    if is_existing(shape.mapping):
        existing, against = read_existing(connection, schema)
        raise_findings([*against, *check_surroundings(connection, schema, replaced=run)])
    plans = chosen(shape.mapping, dict(shape.plans), tuple(run.tables.get(ONLY, [])))
    plans = _not_followed(run, plans, tried.since)
    job = Job(
        shape.mapping,
        schema if existing is None else stage_schema(schema, existing),
        plans if existing is None else narrow_plans(plans, existing),
        LettersSource(run),
        conninfo,
        lease,
        run,
        id_key(connection, create=False),
        options,
        progress,
        stop,
        existing=existing,
    )
    job.enum_oids = enum_array_oids(connection, shape.schema)
    return job


def _again(connection: psycopg.Connection, run: Run) -> Run:
    there = read_run(connection, run.id)
    if there is None:
        raise TargetError(f"Run {run.id} is gone: somebody took it back meanwhile.", code="run-gone")
    return there


def _not_followed(run: Run, plans: dict[str, str], since: dict[str, int]) -> dict[str, str]:
    """Return the plans of the collections whose last copy a run is: the letters of others are older than their rows.

    Raises:
        ConfigError: There are none (code `run-followed`).
    """
    left = {name: plan for name, plan in plans.items() if name not in since}
    if left:
        return left
    later = " and ".join(map(str, sorted({since[name] for name in plans})))
    raise ConfigError(
        f"All that run {run.id} carried was carried again, by run {later}: its dead letters hold"
        " what the documents said before, and are not tried.",
        code="run-followed",
        hint="Leave --run out: isthmus letters list shows the dead letters that count.",
    )


def _refuse_unfinished(run: Run, *, undone: bool = True) -> None:
    """Raise unless a run came to its end with books that balance; `undone`: also where some of it was taken back.

    Raises:
        TargetError: It is not complete (code `run-unfinished`), its books do not balance (code `books-unbalanced`), or
            some of what it carried was taken back (`partly-undone`).
    """
    if run.stage != "complete" or run.balance is None:
        raise TargetError(
            f"Run {run.id} of this target is not complete (stage {run.stage}), so it is not known yet which documents"
            " stay dead letters.",
            code="run-unfinished",
            hint="Run the same isthmus copy again until it is complete, then retry the letters.",
        )
    if undone:
        run.refuse_undone()
    if run.balance["differences"]:
        raise TargetError(
            f"The books of run {run.id} do not balance, so nothing can be added to them.",
            code="books-unbalanced",
            hint="isthmus status shows where. Please report it, and start over with isthmus copy --fresh.",
        )
