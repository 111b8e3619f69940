"""How a copy begins: everything that can refuse it is looked at first, then a run is opened, or found to go on with.

What a run consists of (its row, its tables, its partitions) comes into being in one transaction.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

import psycopg

from isthmus import __version__
from isthmus.connect.definitions import read_definitions
from isthmus.errors import TargetError
from isthmus.mapping import ddl
from isthmus.mapping.tables import TargetSchema, pending_tables
from isthmus.state.checkpoints import PartitionState, expecting, insert_partitions, read_partitions
from isthmus.state.lease import Lease
from isthmus.state.migrate import check_state, migrate, state_exists
from isthmus.state.runs import STOOD, Run, id_key, insert_run, latest_run
from isthmus.transfer import staging
from isthmus.transfer.beginning.fresh import check_dependents, drop_run
from isthmus.transfer.beginning.identifying import find_things, go_by_things, recalled
from isthmus.transfer.beginning.preflight import Finding, check_server, check_source, check_target, raise_findings
from isthmus.transfer.beginning.same_run import refuse_other, refuse_other_source
from isthmus.transfer.beginning.space import check_space
from isthmus.transfer.beginning.task import Task
from isthmus.transfer.existing.deliver import is_delivered
from isthmus.transfer.existing.fit import Existing, find_lacking
from isthmus.transfer.existing.narrow import narrow_plans
from isthmus.transfer.existing.only import ONLY, refuse_other_scope, scope_of
from isthmus.transfer.existing.preflight import (
    SHAPE,
    check_not_own,
    check_same,
    check_surroundings,
    is_existing,
    is_tracked,
    read_existing,
)
from isthmus.transfer.existing.saved_ddl import restore_with, words_before, words_behind
from isthmus.transfer.existing.stage import create_stage, drop_letters_stage, stage_schema
from isthmus.transfer.existing.triggers import find_triggers
from isthmus.transfer.identities.found import Found
from isthmus.transfer.job import Job, feeders
from isthmus.transfer.joining.joined import JOINING
from isthmus.transfer.moving.meanwhile import since_it_began
from isthmus.transfer.result import Result
from isthmus.work.retry import persist
from isthmus.work.stages import reached

_PARTITION_BYTES = 64 << 20
_SMALL_BYTES = 4 << 20


def open_job(task: Task, lease: Lease, result: Result) -> tuple[Job, list[PartitionState]]:
    """Find or open the run, and note it in `result`.

    Returns:
        What its steps share, and its partitions.

    Raises:
        IsthmusError: A contradiction; nothing was written.
        psycopg.Error: The server failed on the way; safe to repeat.
    """
    connection = lease.connection
    check_state(connection)
    put_back = restore_with(lease, lambda found: task.progress.note(words_before(found)))
    if put_back:
        task.progress.note(words_behind(put_back))
    known = latest_run(connection) if state_exists(connection) else None
    # once, and never what an earlier session of this call has begun
    fresh = task.options.fresh and result.dropped is None and result.run is None
    follows = known is not None and result.run is None and _is_followed(task, known)
    if known is not None and not fresh and not follows:
        task = recalled(task, connection, known)
    existing = _preflight(task, connection, known, fresh=fresh)
    found: list[Found] | None = None
    if known is not None and fresh:
        # another key, and what a person must say, are refused before anything is dropped
        key = id_key(connection, create=False, given=task.options.id_key)
        lease.adopt(known.id)
        migrate(connection)
        found = find_things(task, connection, key)
        task.progress.note(drop_run(connection, known, task.stop))
        result.dropped = known.id
        known = None
    if known is None:
        migrate(connection)
        reached("begin.state-made")
        key = id_key(connection, create=True, given=task.options.id_key)
        reached("begin.key-made")
        found = find_things(task, connection, key) if found is None else found
        task, existing = go_by_things(task, connection, found, existing)
        run, states = _begin(task, lease, existing)
    elif follows:
        refuse_other_source(known, task.source)
        migrate(connection)
        drop_letters_stage(connection)  # of a retry that was killed
        key = id_key(connection, create=False, given=task.options.id_key)
        task, existing = go_by_things(task, connection, find_things(task, connection, key), existing)
        run, states = _begin(task, lease, existing)
    else:
        run, key, states = _go_on(task, lease, known)
    job = task.job(lease, run, key)
    job.enum_oids = enum_array_oids(connection, task.schema)
    if existing is not None:
        job.existing, job.schema = existing, stage_schema(task.schema, existing)
        job.plans = narrow_plans(task.plans, existing)
    result.run = run.id
    result.resumed = result.resumed or any(state.batches or state.done for state in states)
    return job, states


def _is_followed(task: Task, known: Run) -> bool:
    """Tell whether a complete run is followed by another one, and not only compared with the source."""
    if known.stage != "complete" or not is_existing(task.mapping):
        return False
    return is_tracked(task.mapping) or known.tables.get(ONLY, []) != scope_of(task.plans, task.mapping)


def _preflight(task: Task, connection: psycopg.Connection, known: Run | None, *, fresh: bool) -> Existing | None:
    """Raise everything that stands against the copy, tell the rest; return the tables that are somebody else's."""
    findings = check_server(connection) + check_source(task.mapping, task.source, task.plans)
    if known is not None and known.stage != "complete" and task.source.moves and not fresh:
        findings = since_it_began(findings)
    existing: Existing | None = None
    if is_existing(task.mapping):
        existing, against = _look_at_existing(task, connection, known, fresh=fresh)
        findings += against
    elif known is None or fresh:
        findings += check_target(connection, task.schema, replaced=known)
    if known is None or fresh:
        findings += check_space(connection, task.mapping, task.source, only=task.plans, replaced=known)
    if known is not None and fresh:
        findings += check_dependents(connection, known)
    raise_findings(findings)
    for finding in findings:
        task.progress.note(str(finding.problem))
    return existing


def _go_on(task: Task, lease: Lease, known: Run) -> tuple[Run, bytes, list[PartitionState]]:
    """Go on with a run that is there, or find it complete."""
    connection = lease.connection
    refuse_other(known, task.mapping, task.mapping_text, task.source)
    if is_existing(task.mapping):
        refuse_other_scope(known, scope_of(task.plans, task.mapping))
    key = id_key(connection, create=False, given=task.options.id_key)
    run = known
    if known.stage != "complete":
        # Waits for the last transaction of a holder that was killed or fenced off; only then is the rest certain.
        lease.adopt(known.id)
        run = latest_run(connection) or known
    migrate(connection)
    return run, key, read_partitions(connection, known.id)


def _look_at_existing(
    task: Task, connection: psycopg.Connection, known: Run | None, *, fresh: bool
) -> tuple[Existing, list[Finding]]:
    """Read the tables that are there; return them and what stands against going on with them."""
    existing, against = read_existing(connection, task.schema)
    if fresh and known is not None:
        against += check_not_own(known, task.schema)
    if known is None or fresh or _is_followed(task, known):
        against += find_lacking(task.mapping, existing, task.plans)
        against += find_triggers(task.mapping, existing, task.plans, task.schema)
        return existing, against + check_surroundings(connection, task.schema, replaced=known)
    if known.stage == "complete" or is_delivered(connection, known):
        return existing, []
    return existing, check_same(existing, known) or [finding for finding in against if finding.severity is not None]


def _begin(task: Task, lease: Lease, existing: Existing | None) -> tuple[Run, list[PartitionState]]:
    """Open a run: its row, its tables and its partitions, in one transaction."""
    connection = lease.connection
    schema = task.schema if existing is None else stage_schema(task.schema, existing)
    states = _plan_partitions(task)
    waiting = staging.pair_tables(feeders(task.plans, schema), schema)
    pending = pending_tables(task.mapping)
    pairs = [table.name for table in waiting.values() if not table.in_place]
    joining = [JOINING] if task.mapping.joins(task.mapping.collections) else []
    tables = {
        "tables": list(schema.tables) if existing is None else [],
        "types": list(schema.enums),
        "waiting": list(dict.fromkeys([*pairs, *(table.name for table in pending), *joining])),
    }
    if existing is not None:
        tables |= {"delivers": list(existing.tables), SHAPE: existing.shape(), ONLY: scope_of(task.plans, task.mapping)}
    with connection.transaction():
        if existing is None:
            for text in ddl.create_all(schema):
                connection.execute(text.encode())
        else:
            stood = read_definitions(connection, existing.schema, existing.tables)
            tables[STOOD] = sorted(one.as_line() for one in stood.values())
            create_stage(connection, schema, existing)
        run = insert_run(
            connection,
            fingerprint=task.mapping.fingerprint,
            mapping_text=task.mapping_text,
            source=task.source.identity(),
            source_name=task.source.name,
            target_schema=task.schema.schema,
            tables=tables,
            started_at=datetime.now(UTC),
            token=lease.token,
            holder=lease.holder,
            version=__version__,
        )
        for create in staging.create_statements(waiting, schema):
            connection.execute(create)
        for table in pending:
            connection.execute(ddl.create_pending_table(task.schema, table).encode())
        insert_partitions(connection, run, states)
        reached("begin.before-commit")
    reached("begin.after-commit")
    lease.adopt(run)
    opened = latest_run(connection)
    if opened is None:
        raise TargetError("The run that was just opened is gone.", code="run-gone")
    return opened, states


def _plan_partitions(task: Task) -> list[PartitionState]:
    states: list[PartitionState] = []
    sizes = {info.name: info.bytes_total for info in task.source.collections()}
    for collection in task.plans:
        size = sizes.get(collection) or 0
        wanted = -(-size // _PARTITION_BYTES)
        if size > _SMALL_BYTES * task.options.workers:
            wanted = -(-wanted // task.options.workers) * task.options.workers  # as many for each worker

        split = partial(task.source.partitions, collection, max(1, wanted))
        seconds, note = task.options.retry_seconds, task.progress.note
        for partition in persist(split, seconds=seconds, stop=task.stop, note=note):
            counts = {} if partition.number else expecting(sizes.get(collection))
            state = PartitionState(collection, partition.number, partition.start, partition.end, counts=counts)
            states.append(state)
    return states


def enum_array_oids(connection: psycopg.Connection, schema: TargetSchema) -> dict[str, int]:
    """Return qualified enum name → OID of the enum type, which the binary form of an enum array carries."""
    rows = connection.execute(
        "SELECT t.typname, t.oid FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace"
        " WHERE n.nspname = %s AND t.typname = ANY(%s)",
        (schema.schema, list(schema.enums)),
    ).fetchall()
    return {f"{schema.schema}.{name}": int(oid) for name, oid in rows}
