"""One copy from the first look to the balance: the entry of the package.

Decides whether a run begins, goes on, or is already complete; leaves the work to the steps.
"""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from isthmus import __version__
from isthmus.connect.postgres import explain, meaning
from isthmus.errors import ConfigError, SourceError, TargetError
from isthmus.mapping import Mapping, ddl
from isthmus.mapping.plan import compile_plans
from isthmus.mapping.tables import TargetSchema, build_schema
from isthmus.sources.protocol import Source
from isthmus.state.checkpoints import PartitionState, insert_partitions, read_partitions
from isthmus.state.lease import Lease
from isthmus.state.migrate import migrate, state_exists
from isthmus.state.runs import Run, id_key, insert_run, latest_run
from isthmus.state.statements import statement
from isthmus.transfer import staging
from isthmus.transfer.balance import Balance, balance_from_json, draw_balance
from isthmus.transfer.copy import copy_partitions
from isthmus.transfer.finish import finish
from isthmus.transfer.job import Interrupted, Job, Options
from isthmus.transfer.keys import Hands
from isthmus.transfer.preflight import check_server, check_source, check_target, raise_findings
from isthmus.transfer.progress import Progress
from isthmus.transfer.resume import Changes, check_read_part, find_changes
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
    began = time.monotonic()
    progress.stage("preflight")
    lease = Lease(conninfo)
    try:
        lease.acquire()
        job, states, resumed = _open_job(mapping, source, conninfo, mapping_text, lease, options, progress, stop)
        result = Result(job.run.id, "interrupted", resumed)
        with contextlib.suppress(Interrupted):
            _work(job, states, result)
        if result.balance is None:
            result.partial = partial_books(states)
        result.seconds = time.monotonic() - began
        return result
    except psycopg.Error as fault:
        raise TargetError(
            f"PostgreSQL could not go on: {explain(fault)}.",
            code="target-unavailable",
            hint="What was committed is kept; run the same command again when the server is well.",
            retryable=meaning(fault) == "transient",
        ) from fault
    finally:
        lease.release()


def _open_job(
    mapping: Mapping,
    source: Source,
    conninfo: str,
    mapping_text: str,
    lease: Lease,
    options: Options,
    progress: Progress,
    stop: threading.Event,
) -> tuple[Job, list[PartitionState], bool]:
    """Find or open the run; return it with its partitions and whether something was already carried."""
    connection = lease.connection
    schema = build_schema(mapping)
    plans = compile_plans(mapping)
    findings = check_server(connection) + check_source(mapping, source)
    known = latest_run(connection) if state_exists(connection) else None
    if known is None or options.fresh:
        findings += check_target(connection, schema, mapping, replaced=known)
    raise_findings(findings)
    for finding in findings:
        progress.note(finding.problem.message)
    if known is not None and options.fresh:
        id_key(connection, create=False, given=options.id_key)  # another key is refused before anything is dropped
        job = _job(mapping, schema, plans, source, conninfo, lease, options, progress, stop, known, b"\0" * 32)
        lease.adopt(known.id)
        _forget(job, connection, known)
        known = None
    if known is None:
        migrate(connection)
        reached("begin.state-made")
        key = id_key(connection, create=True, given=options.id_key)
        reached("begin.key-made")
        job = _job(mapping, schema, plans, source, conninfo, lease, options, progress, stop, None, key)
        states = _begin(job, connection, mapping_text)
    else:
        _refuse_other(known, mapping, mapping_text, source)
        migrate(connection)
        key = id_key(connection, create=False, given=options.id_key)
        job = _job(mapping, schema, plans, source, conninfo, lease, options, progress, stop, known, key)
        if known.stage != "complete":
            # Waits for the last transaction of a holder that was killed or fenced off; only then is the rest certain.
            lease.adopt(known.id)
            job.run = latest_run(connection) or known
        states = read_partitions(connection, known.id)
    job.enum_oids = _enum_array_oids(connection, schema)
    return job, states, any(state.batches for state in states)


def _job(
    mapping: Mapping,
    schema: TargetSchema,
    plans: dict[str, str],
    source: Source,
    conninfo: str,
    lease: Lease,
    options: Options,
    progress: Progress,
    stop: threading.Event,
    run: Run | None,
    key: bytes,
) -> Job:
    placeholder = Run(0, mapping.fingerprint, "", {}, "", "", {}, datetime.now(UTC), "copying", None, None, "", "")
    return Job(mapping, schema, plans, source, conninfo, lease, run or placeholder, key, options, progress, stop)


def _refuse_other(run: Run, mapping: Mapping, mapping_text: str, source: Source) -> None:
    """Raise unless mapping and source are the ones the run began with."""
    if run.fingerprint != mapping.fingerprint:
        raise ConfigError(
            f"Run {run.id} of this target began with another mapping."
            f" {_first_difference(run.mapping_text, mapping_text)}",
            code="mapping-changed",
            hint="Go on with the mapping it began with, or start over with --fresh (it drops what the run made).",
        )
    identity = source.identity()
    if run.source != identity:
        differing = sorted(key for key in {*run.source, *identity} if run.source.get(key) != identity.get(key))
        told = "; ".join(f"{key}: it was {run.source.get(key)}, now {identity.get(key)}" for key in differing)
        raise SourceError(
            f"Run {run.id} of this target began with another source ({told}).",
            code="source-differs",
            hint="Go on with that source, or start over with --fresh (it drops what the run made).",
        )


def _first_difference(before: str, after: str) -> str:
    """Return a sentence with the first line in which two mapping files differ."""
    old, new = before.splitlines(), after.splitlines()
    for number, (left, right) in enumerate(zip(old, new, strict=False), start=1):
        if left != right:
            return f"The first difference is in line {number}: it was `{left.strip()}`, now `{right.strip()}`."
    if len(old) != len(new):
        return f"It had {len(old)} lines, now {len(new)}."
    return "Its text is the same; this version of Isthmus reads it differently."


def _begin(job: Job, connection: psycopg.Connection, mapping_text: str) -> list[PartitionState]:
    """Open a run: its row, its tables and its partitions, in one transaction."""
    states: list[PartitionState] = []
    sizes = {info.name: info.bytes_total or 0 for info in job.source.collections()}
    for collection in job.plans:
        size = sizes.get(collection, 0)
        wanted = -(-size // _PARTITION_BYTES)
        if size > _SMALL_BYTES * job.options.workers:
            wanted = -(-wanted // job.options.workers) * job.options.workers  # as many for each worker
        for partition in job.source.partitions(collection, max(1, wanted)):
            states.append(PartitionState(collection, partition.number, partition.start, partition.end))
    started_at = datetime.now(UTC)
    waiting = staging.pair_tables(job.feeders, job.schema)
    tables = {
        "tables": list(job.schema.tables),
        "types": list(job.schema.enums),
        "waiting": [table.name for table in waiting.values() if not table.in_place],
    }
    with connection.transaction():
        for text in ddl.create_all(job.schema):
            connection.execute(text.encode())
        run = insert_run(
            connection,
            fingerprint=job.mapping.fingerprint,
            mapping_text=mapping_text,
            source=job.source.identity(),
            source_name=job.source.name,
            target_schema=job.schema.schema,
            tables=tables,
            started_at=started_at,
            token=job.lease.token,
            holder=job.lease.holder,
            version=__version__,
        )
        for create in staging.create_statements(waiting, job.schema):
            connection.execute(create)
        insert_partitions(connection, run, states)
        reached("begin.before-commit")
    reached("begin.after-commit")
    job.lease.adopt(run)
    opened = latest_run(connection)
    if opened is None:
        raise TargetError("The run that was just opened is gone.", code="run-gone")
    job.run = opened
    return states


def _forget(job: Job, connection: psycopg.Connection, run: Run) -> None:
    """Drop what a run made and its state (--fresh), in one transaction; the id key stays."""
    with connection.transaction():
        for name in run.tables.get("tables", []):
            connection.execute(
                sql.SQL("DROP TABLE IF EXISTS {} CASCADE").format(sql.Identifier(run.target_schema, name))
            )
        for name in run.tables.get("waiting", []):
            connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier("isthmus", name)))
        for name in run.tables.get("types", []):
            connection.execute(sql.SQL("DROP TYPE IF EXISTS {}").format(sql.Identifier(run.target_schema, name)))
        connection.execute(statement("run", "delete_id_map"))
        connection.execute(statement("run", "delete_runs"))
        reached("fresh.before-commit")
    reached("fresh.after-commit")
    job.progress.note(f"Run {run.id} and its {len(run.tables.get('tables', []))} tables are dropped (--fresh).")


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
        connection.execute(statement("run", "set_stage"), {"run": job.run.id, "stage": "finishing"})
        reached("copy.complete-before-commit")


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


def partial_books(states: list[PartitionState]) -> dict[str, dict[str, int]]:
    """Return collection → books so far."""
    partial: dict[str, dict[str, int]] = {}
    for state in states:
        books = partial.setdefault(state.collection, {"read": 0, "copied": 0, "skipped": 0, "dead_letters": 0})
        for name in books:
            books[name] += state.counts.get("books", {}).get(name, 0)
    return partial


def run_summary(run: Run) -> dict[str, Any]:
    """Return a run's facts as JSON values, without its mapping text."""
    return {
        "run": run.id,
        "stage": run.stage,
        "source": run.source_name,
        "schema": run.target_schema,
        "started_at": run.started_at.isoformat(),
        "finished_at": run.finished_at.isoformat() if run.finished_at else None,
        "isthmus_version": run.version,
        "holder": run.holder,
    }
