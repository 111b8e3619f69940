"""One copy from the first look to the balance: the entry of the package.

Decides whether a run begins, goes on, or is already complete; leaves the work to the steps.
"""

from __future__ import annotations

import contextlib
import threading
import time

import psycopg
from psycopg.types.json import Jsonb

from isthmus.connect.postgres import connect, explain, trouble
from isthmus.errors import TargetError
from isthmus.mapping import Mapping
from isthmus.mapping.plan import compile_plans
from isthmus.mapping.references import as_loaded
from isthmus.mapping.tables import build_schema
from isthmus.sources.counting import count_documents
from isthmus.sources.optional import with_optional
from isthmus.sources.protocol import Source
from isthmus.state.checkpoints import PartitionState, partial_books, read_partitions
from isthmus.state.lease import Lease
from isthmus.state.runs import is_told, mark_told
from isthmus.state.statements import statement
from isthmus.transfer.balance import Balance, balance_from_json, draw_balance
from isthmus.transfer.beginning.begin import open_job
from isthmus.transfer.beginning.task import Task
from isthmus.transfer.existing.books import enter_delivery
from isthmus.transfer.existing.deliver import after_delivery, deliver, is_delivered
from isthmus.transfer.existing.names import STAGE
from isthmus.transfer.existing.only import carried_before, chosen
from isthmus.transfer.existing.pairs import drop_pairs
from isthmus.transfer.existing.stage import drop_stage
from isthmus.transfer.finishing.finish import finish, merge_junctions, settle_all_orphans
from isthmus.transfer.hands import Hands
from isthmus.transfer.job import Job, Options
from isthmus.transfer.loading.copy import copy_partitions
from isthmus.transfer.locks import no_long_waits
from isthmus.transfer.moving.all_read import assert_all_read
from isthmus.transfer.moving.moved import find_moved, keep_moved, moved_of
from isthmus.transfer.moving.resume import Changes, check_read_part, find_changes
from isthmus.transfer.result import Result
from isthmus.work.interrupted import Interrupted
from isthmus.work.progress import Progress
from isthmus.work.retry import Retry
from isthmus.work.stages import reached


def copy_database(
    mapping: Mapping,
    source: Source,
    conninfo: str,
    *,
    mapping_text: str,
    options: Options | None = None,
    progress: Progress | None = None,
    stop: threading.Event | None = None,
    result: Result | None = None,
) -> Result:
    """Carry a database, or go on with carrying it.

    Writes to the target only, under the run lease. Safe to call again after any end, also a killed process: the same
    mapping and source continue from the checkpoints; a complete run is compared with the source and left as it is.

    Args:
        mapping: The checked mapping.
        source: Where documents come from; not closed here.
        conninfo: Target, as libpq takes it.
        mapping_text: The mapping file's text, kept in the run so that a refusal can say what differs.
        options: How to work.
        progress: Gets the live numbers.
        stop: Set it to end after the batch in hand; the call then returns with outcome `interrupted`.
        result: Gets what it came to so far, also when the call raises; None makes one.

    Returns:
        What it came to.

    Raises:
        IsthmusError: Refused before anything was written, or stopped by something waiting does not mend; the code
            says what. What was committed is kept.
    """
    options, progress, stop = options or Options(), progress or Progress(), stop or threading.Event()
    loaded = as_loaded(mapping)
    task = Task(
        mapping,
        mapping_text,
        build_schema(loaded),
        chosen(mapping, compile_plans(loaded), options.only),
        with_optional(source, mapping.optional_collections),
        conninfo,
        options,
        progress,
        stop,
    )
    began = time.monotonic()
    result = result if result is not None else Result()
    result.fresh = task.options.fresh
    task.source.tell(progress.note)
    try:
        with contextlib.suppress(Interrupted):
            _sessions(task, result)
    except BaseException:
        result.outcome = "failed"
        raise
    finally:
        result.seconds = time.monotonic() - began
    return result


def tell(conninfo: str, result: Result) -> None:
    """Note in the target that the books of a complete run were shown to somebody, so that its dead letters are no news.

    A command calls it behind its output: one that dies before it leaves the next one to show them all. A server that
    is away is no trouble here, for the same reason.
    """
    if result.run is not None and result.outcome == "complete" and not result.told:
        tell_run(conninfo, result.run)


def tell_run(conninfo: str, run: int) -> None:
    """Note in the target that the books of a complete run were shown to somebody; does nothing without the server."""
    with contextlib.suppress(TargetError, psycopg.Error), connect(conninfo, autocommit=True) as connection:
        mark_told(connection, run)


def _sessions(task: Task, result: Result) -> None:
    """Work under the lease; after a loss of the server outside of the steps that wait for it themselves, begin again.

    Nothing is done twice: every session goes on from what is committed.
    """
    retry = Retry(task.options.retry_seconds)
    while True:
        lease, working = Lease(task.conninfo), False
        try:
            lease.acquire()
            working = True
            _session(task, lease, result)
        except psycopg.Error as fault:
            words = explain(fault, values=not task.schema.sensitive)
            _once_more(task, retry, trouble(fault, "go on", words))
        except TargetError as fault:
            # Steps that wait for the server have waited long enough; only a session that could not begin is waited for.
            if retry.fresh or working or fault.code not in {"unreachable", "lease-held"}:
                raise
            fault.retryable = True
            _once_more(task, retry, fault)
        else:
            return
        finally:
            lease.release()


def _once_more(task: Task, retry: Retry, error: TargetError) -> None:
    """Wait for the server, or raise the error when waiting does not help."""
    if not error.retryable:
        raise error from None
    retry.again(error, task.stop, task.progress.note)


def _open(task: Task, lease: Lease, result: Result) -> tuple[Job, list[PartitionState]]:
    """Begin a run or go on with it, waiting for others who use the tables as long as for a server that is away.

    Raises:
        Interrupted: The user asked to stop; nothing was dropped.
    """
    retry, schemas = Retry(task.options.retry_seconds), (task.schema.schema, STAGE, "isthmus")
    while True:
        try:
            with no_long_waits(
                lease.connection, schemas, seconds=task.options.retry_seconds, readers=task.options.fresh
            ):
                return open_job(task, lease, result)
        except TargetError as fault:
            if fault.code != "tables-in-use":
                raise
            retry.again(fault, task.stop, task.progress.note)


def _session(task: Task, lease: Lease, result: Result) -> None:
    task.progress.stage("preflight")
    job, states = _open(task, lease, result)
    try:
        _work(job, states, result)
    finally:
        result.partial = {} if result.balance is not None else partial_books(states)


def _work(job: Job, states: list[PartitionState], result: Result) -> None:
    """Copy, finish, balance; fills `result`."""
    result.delivers = job.existing is not None
    _announce(job, states)
    _count_skipped(job, result)
    if job.run.stage == "complete":
        if not result.worked:
            job.progress.stage("verifying")
            result.repeated = True
            result.changes = find_changes(job, states)
            result.told = is_told(job.lease.connection, job.run.id)
        result.moved = moved_of(job.lease.connection, job.run.id)
        result.balance = balance_from_json(job.run.balance) if job.run.balance else None
        result.outcome = "complete"
        return
    result.worked = True
    if result.resumed:
        job.progress.stage("verifying")
        check_read_part(job, states)
    if job.run.stage == "copying":
        job.progress.stage("copying")
        copy_partitions(job, states, result.broken)
        moved: Changes | None = None
        if job.source.moves and not result.broken:
            job.progress.stage("verifying")
            moved = find_moved(job, states, result.broken)
        if result.broken:
            result.outcome = "failed"
            return
        with Hands(job) as hands:
            hands.part("end of the load", lambda connection: _end_load(job, connection, moved))
        reached("copy.complete")
    result.moved = moved_of(job.lease.connection, job.run.id)
    with Hands(job) as hands:
        if job.existing is None or not is_delivered(job.lease.connection, job.run):
            finish(job, hands)  # what is delivered is settled, whatever became of the rows it points at since
        if job.existing is not None:
            deliver(job, hands, lambda: _settle_again(job, hands))
            after_delivery(job, hands)
        result.balance = hands.part("balance", lambda connection: _complete(job, connection))
    reached("complete.after-commit")
    result.outcome = "complete"
    job.progress.stage("complete")


def _settle_again(job: Job, hands: Hands) -> None:
    """Settle what refers to documents that left the stage, whose pairs are gone with them."""
    settle_all_orphans(job, hands)
    hands.part("junctions", lambda connection: merge_junctions(job, connection))


def _end_load(job: Job, connection: psycopg.Connection, moved: Changes | None) -> None:
    with connection.transaction():
        job.lease.assert_held(connection, job.run.id)
        assert_all_read(job, connection)
        if moved is not None:
            keep_moved(job, connection, moved)
        connection.execute(statement("run", "set_stage"), {"run": job.run.id, "stage": "finishing"})
        reached("copy.complete-before-commit")


def _complete(job: Job, connection: psycopg.Connection) -> Balance:
    """Draw the balance and close the run with it. Safe to repeat."""
    with connection.transaction():
        job.lease.assert_held(connection, job.run.id)
        balance = draw_balance(job, connection, read_partitions(connection, job.run.id))
        if job.existing is not None:
            enter_delivery(job, connection, balance)
            drop_pairs(job, connection)
            drop_stage(connection)
        connection.execute(statement("run", "complete_run"), {"run": job.run.id, "balance": Jsonb(balance.as_json())})
        reached("complete.before-commit")
    return balance


def _count_skipped(job: Job, result: Result) -> None:
    """Enter the collections that the source has and the mapping leaves behind as a whole: why, and how many documents.

    What the first session of a call counted stands. What is to be asked for is not left behind where somebody did.
    """
    carried = set(job.plans)
    if job.existing is not None:
        carried |= carried_before(job, job.lease.connection)
    for info in job.source.collections():
        why = job.mapping.why_skipped(info.name)
        if why is not None and info.name not in carried and info.name not in result.skipped_collections:
            result.skipped_collections[info.name] = why
            result.skipped_documents[info.name] = count_documents(job.source, info)


def _announce(job: Job, states: list[PartitionState]) -> None:
    sizes = {info.name: info.bytes_total for info in job.source.collections()}
    for collection in job.plans:
        books = [state.counts.get("books", {}) for state in states if state.collection == collection]
        job.progress.expect(
            collection,
            bytes_total=sizes.get(collection),
            bytes_done=sum(entry.get("bytes", 0) for entry in books),
            documents=sum(entry.get("read", 0) for entry in books),
            dead_letters=sum(entry.get("dead_letters", 0) for entry in books),
        )
