"""One copy from the first look to the balance: the entry of the package.

Decides whether a run begins, goes on, or is already complete; leaves the work to the steps.
"""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

import psycopg
from psycopg.types.json import Jsonb

from isthmus import __version__
from isthmus.connect.postgres import explain, meaning
from isthmus.errors import InternalError, SourceError, TargetError
from isthmus.mapping import Mapping, ddl
from isthmus.mapping.plan import compile_plans
from isthmus.mapping.tables import TargetSchema, build_schema
from isthmus.sources.protocol import Source
from isthmus.state.checkpoints import (
    PartitionState,
    insert_partitions,
    partial_books,
    read_carried,
    read_partitions,
)
from isthmus.state.lease import Lease
from isthmus.state.migrate import migrate, state_exists
from isthmus.state.runs import Run, id_key, insert_run, latest_run
from isthmus.state.statements import statement
from isthmus.transfer import staging
from isthmus.transfer.balance import Balance, balance_from_json, draw_balance
from isthmus.transfer.copy import copy_partitions
from isthmus.transfer.finish import finish
from isthmus.transfer.fresh import check_dependents, drop_run
from isthmus.transfer.hands import Hands
from isthmus.transfer.job import Interrupted, Job, Options, feeders
from isthmus.transfer.preflight import check_server, check_source, check_target, raise_findings
from isthmus.transfer.progress import Progress
from isthmus.transfer.resume import Changes, check_read_part, find_changes
from isthmus.transfer.retry import Retry
from isthmus.transfer.same_run import refuse_other
from isthmus.transfer.space import check_space
from isthmus.transfer.stages import reached

_PARTITION_BYTES = 64 << 20
_SMALL_BYTES = 4 << 20


@dataclass
class Result:
    """What a copy came to.

    Attributes:
        run: Number of the run; None when it was refused before one began.
        outcome: complete; interrupted (resumable); failed (a collection could not be read to its end, resumable).
        resumed: Whether an earlier session of this run had committed something.
        repeated: Whether the run was complete before and this call only compared.
        seconds: How long this call took.
        balance: The books; None unless the run is complete.
        changes: What differs in the source since the run completed; None unless `repeated`.
        broken: Collection → why its reading ended early.
        partial: Collection → books so far, when the run is not complete.
        dropped: Number of the run that was dropped first (--fresh).
    """

    run: int | None
    outcome: Literal["complete", "interrupted", "failed"]
    resumed: bool
    repeated: bool = False
    seconds: float = 0.0
    balance: Balance | None = None
    changes: Changes | None = None
    broken: dict[str, SourceError] = field(default_factory=dict[str, SourceError])
    partial: dict[str, dict[str, int]] = field(default_factory=dict[str, dict[str, int]])
    dropped: int | None = None

    @property
    def exit_code(self) -> int:
        """The code of DESIGN section 11: the highest cause wins."""
        if self.outcome == "interrupted":
            return 130
        if self.broken or (self.changes and self.changes.broken):
            return 3
        if self.changes:
            return 1
        if self.repeated:
            return 1 if self.balance is not None and self.balance.differences else 0
        return 0 if self.balance is not None and self.balance.complete else 1


def copy_database(
    mapping: Mapping,
    source: Source,
    conninfo: str,
    *,
    mapping_text: str,
    options: Options | None = None,
    progress: Progress | None = None,
    stop: threading.Event | None = None,
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

    Returns:
        What it came to.

    Raises:
        IsthmusError: Refused before anything was written, or stopped by something waiting does not mend; the code
            says what. What was committed is kept.
    """
    options, progress, stop = options or Options(), progress or Progress(), stop or threading.Event()
    task = _Task(
        mapping, mapping_text, build_schema(mapping), compile_plans(mapping), source, conninfo, options, progress, stop
    )
    began = time.monotonic()
    result = Result(None, "interrupted", resumed=False)
    with contextlib.suppress(Interrupted):
        _sessions(task, result)
    result.seconds = time.monotonic() - began
    return result


@dataclass(frozen=True)
class _Task:
    """What the caller asked for, with what follows from the mapping alone; see `Job`."""

    mapping: Mapping
    mapping_text: str
    schema: TargetSchema
    plans: dict[str, str]
    source: Source
    conninfo: str
    options: Options
    progress: Progress
    stop: threading.Event

    def job(self, lease: Lease, run: Run, key: bytes) -> Job:
        return Job(
            self.mapping,
            self.schema,
            self.plans,
            self.source,
            self.conninfo,
            lease,
            run,
            key,
            self.options,
            self.progress,
            self.stop,
        )


def _sessions(task: _Task, result: Result) -> None:
    """Work under the lease; after a loss of the server outside of the steps that wait for it themselves, begin again.

    Nothing is done twice: every session goes on from what is committed.
    """
    retry = Retry(task.options.retry_seconds)
    while True:
        lease, began, working = Lease(task.conninfo), time.monotonic(), False
        try:
            lease.acquire()
            working = True
            _session(task, lease, result)
        except psycopg.Error as fault:
            if working and time.monotonic() - began > task.options.retry_seconds:
                retry = Retry(task.options.retry_seconds)  # it went on for a while in between: another trouble
            transient = meaning(fault) == "transient"
            words = explain(fault, values=not task.schema.sensitive)
            _once_more(
                task,
                retry,
                TargetError(
                    f"PostgreSQL {'could not go on' if transient else 'refuses to go on'}: {words}.",
                    code="target-unavailable" if transient else "target-refused",
                    hint="What was committed is kept; run the same command again when "
                    + ("the server is well." if transient else "the cause is mended."),
                    retryable=transient,
                ),
            )
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


def _once_more(task: _Task, retry: Retry, trouble: TargetError) -> None:
    """Wait for the server, or raise the trouble when waiting does not help."""
    if not trouble.retryable:
        raise trouble from None
    if retry.fresh:
        task.progress.note(f"{trouble.message} Trying again for up to {retry.limit_seconds:.0f} s.")
    retry.again(trouble, task.stop)


def _session(task: _Task, lease: Lease, result: Result) -> None:
    task.progress.stage("preflight")
    job, states, resumed = _open_job(task, lease, result)
    result.run, result.resumed = job.run.id, result.resumed or resumed
    try:
        _work(job, states, result)
    finally:
        result.partial = {} if result.balance is not None else partial_books(states)


def _open_job(task: _Task, lease: Lease, result: Result) -> tuple[Job, list[PartitionState], bool]:
    """Find or open the run; return it with its partitions and whether something was already carried."""
    connection = lease.connection
    findings = check_server(connection) + check_source(task.mapping, task.source)
    known = latest_run(connection) if state_exists(connection) else None
    # once, and never what an earlier session of this call has begun
    fresh = task.options.fresh and result.dropped is None and result.run is None
    if known is None or fresh:
        findings += check_target(connection, task.schema, task.mapping, replaced=known)
        findings += check_space(connection, task.mapping, task.source, replaced=known)
    if known is not None and fresh:
        findings += check_dependents(connection, known)
    raise_findings(findings)
    for finding in findings:
        task.progress.note(str(finding.problem))
    if known is not None and fresh:
        id_key(connection, create=False, given=task.options.id_key)  # another key is refused before anything is dropped
        lease.adopt(known.id)
        task.progress.note(drop_run(connection, known))
        result.dropped = known.id
        known = None
    if known is None:
        migrate(connection)
        reached("begin.state-made")
        key = id_key(connection, create=True, given=task.options.id_key)
        reached("begin.key-made")
        run, states = _begin(task, lease)
    else:
        refuse_other(known, task.mapping, task.mapping_text, task.source)
        migrate(connection)
        key = id_key(connection, create=False, given=task.options.id_key)
        run = known
        if known.stage != "complete":
            # Waits for the last transaction of a holder that was killed or fenced off; only then is the rest certain.
            lease.adopt(known.id)
            run = latest_run(connection) or known
        states = read_partitions(connection, known.id)
    job = task.job(lease, run, key)
    job.enum_oids = _enum_array_oids(connection, task.schema)
    return job, states, any(state.batches for state in states)


def _begin(task: _Task, lease: Lease) -> tuple[Run, list[PartitionState]]:
    """Open a run: its row, its tables and its partitions, in one transaction."""
    connection, schema = lease.connection, task.schema
    states = _plan_partitions(task)
    waiting = staging.pair_tables(feeders(task.plans), schema)
    tables = {
        "tables": list(schema.tables),
        "types": list(schema.enums),
        "waiting": [table.name for table in waiting.values() if not table.in_place],
    }
    with connection.transaction():
        for text in ddl.create_all(schema):
            connection.execute(text.encode())
        run = insert_run(
            connection,
            fingerprint=task.mapping.fingerprint,
            mapping_text=task.mapping_text,
            source=task.source.identity(),
            source_name=task.source.name,
            target_schema=schema.schema,
            tables=tables,
            started_at=datetime.now(UTC),
            token=lease.token,
            holder=lease.holder,
            version=__version__,
        )
        for create in staging.create_statements(waiting, schema):
            connection.execute(create)
        insert_partitions(connection, run, states)
        reached("begin.before-commit")
    reached("begin.after-commit")
    lease.adopt(run)
    opened = latest_run(connection)
    if opened is None:
        raise TargetError("The run that was just opened is gone.", code="run-gone")
    return opened, states


def _plan_partitions(task: _Task) -> list[PartitionState]:
    states: list[PartitionState] = []
    sizes = {info.name: info.bytes_total or 0 for info in task.source.collections()}
    for collection in task.plans:
        size = sizes.get(collection, 0)
        wanted = -(-size // _PARTITION_BYTES)
        if size > _SMALL_BYTES * task.options.workers:
            wanted = -(-wanted // task.options.workers) * task.options.workers  # as many for each worker
        for partition in task.source.partitions(collection, max(1, wanted)):
            states.append(PartitionState(collection, partition.number, partition.start, partition.end))
    return states


def _enum_array_oids(connection: psycopg.Connection, schema: TargetSchema) -> dict[str, int]:
    """Return qualified enum name → OID of the enum type, which the binary form of an enum array carries."""
    rows = connection.execute(
        "SELECT t.typname, t.oid FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace"
        " WHERE n.nspname = %s AND t.typname = ANY(%s)",
        (schema.schema, list(schema.enums)),
    ).fetchall()
    return {f"{schema.schema}.{name}": int(oid) for name, oid in rows}


def _work(job: Job, states: list[PartitionState], result: Result) -> None:
    """Copy, finish, balance; fills `result`."""
    _announce(job, states)
    if job.run.stage == "complete":
        job.progress.stage("verifying")
        result.repeated = True
        result.changes = find_changes(job, states)
        result.balance = balance_from_json(job.run.balance) if job.run.balance else None
        result.outcome = "complete"
        return
    if result.resumed:
        job.progress.stage("verifying")
        check_read_part(job, states)
    if job.run.stage == "copying":
        job.progress.stage("copying")
        result.broken = copy_partitions(job, states)
        if result.broken:
            result.outcome = "failed"
            return
        with Hands(job) as hands:
            hands.part("end of the load", lambda connection: _end_load(job, connection))
        reached("copy.complete")
    with Hands(job) as hands:
        finish(job, hands)
        result.balance = hands.part("balance", lambda connection: _complete(job, connection))
    reached("complete.after-commit")
    result.outcome = "complete"
    job.progress.stage("complete")


def _end_load(job: Job, connection: psycopg.Connection) -> None:
    with connection.transaction():
        job.lease.assert_held(connection, job.run.id)
        _assert_all_read(job, connection)
        connection.execute(statement("run", "set_stage"), {"run": job.run.id, "stage": "finishing"})
        reached("copy.complete-before-commit")


def _assert_all_read(job: Job, connection: psycopg.Connection) -> None:
    """Hold what is committed against what there was to read.

    Raises:
        InternalError: A partition is not done, partitions do not meet, the books differ from the batches, or the
            bytes read are not those that the source holds.
    """
    states, carried = read_partitions(connection, job.run.id), read_carried(connection, job.run.id)
    exact = {info.name: info.bytes_total for info in job.source.collections() if info.bytes_exact}
    for collection in job.plans:
        mine = [state for state in states if state.collection == collection]
        read = sum(state.counts.get("books", {}).get("read", 0) for state in mine)
        size = sum(state.counts.get("books", {}).get("bytes", 0) for state in mine)
        open_ends = [state.end for state in mine[:-1]] != [state.start for state in mine[1:]]
        for wrong, what in (
            (not mine or not all(state.done for state in mine), "a part of it was not read to its end"),
            (open_ends or (mine and mine[-1].end is not None), "its parts do not cover it"),
            ((read, size) != carried.get(collection, (0, 0)), "the books do not agree with the batches"),
            (size != (exact.get(collection, size)), f"{size:,} bytes were read of {exact.get(collection)}"),
        ):
            if wrong:
                raise InternalError(
                    f"The load of {collection} is not complete: {what}.",
                    code="load-incomplete",
                    hint="Nothing is lost; please report this, and start over with --fresh.",
                )


def _complete(job: Job, connection: psycopg.Connection) -> Balance:
    """Draw the balance and close the run with it. Safe to repeat."""
    with connection.transaction():
        job.lease.assert_held(connection, job.run.id)
        balance = draw_balance(job, connection, read_partitions(connection, job.run.id))
        connection.execute(statement("run", "complete_run"), {"run": job.run.id, "balance": Jsonb(balance.as_json())})
        reached("complete.before-commit")
    return balance


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
