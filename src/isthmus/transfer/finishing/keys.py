"""Build keys, unique indexes, other indexes and foreign keys, each in a transaction of its own, each only once.

A step that finds its result in the catalog is done.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Literal

import psycopg

from isthmus.mapping import ddl
from isthmus.mapping.tables import ForeignKey, Index, Table
from isthmus.transfer.job import Job
from isthmus.work.stages import reached


@dataclass(frozen=True)
class Step:
    """One statement of finish and how to tell that it is done.

    Attributes:
        name: What is built, for people.
        done: SQL that gives true when the result is in the catalog.
        parameters: Its parameters.
        statement: What builds it.
        kind: Names its stages: `finish.KIND-before-commit`, `finish.KIND-after-commit`.
    """

    name: str
    done: str
    parameters: tuple[str, ...]
    statement: str
    kind: Literal["primary-key", "unique-index", "index", "foreign-key", "validation"]


_HAS_CONSTRAINT = (
    "SELECT EXISTS (SELECT FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_class t ON t.oid = c.conrelid"
    " JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace"
    " WHERE n.nspname = %s AND t.relname = %s AND c.conname = %s)"
)
_IS_VALIDATED = _HAS_CONSTRAINT.replace("c.conname = %s)", "c.conname = %s AND c.convalidated)")
_HAS_INDEX = (
    "SELECT EXISTS (SELECT FROM pg_catalog.pg_class i JOIN pg_catalog.pg_namespace n ON n.oid = i.relnamespace"
    " WHERE n.nspname = %s AND i.relname = %s AND i.relkind = 'i')"
)


def primary_key_step(job: Job, table: Table) -> Step:
    """Return the step that gives a table its primary key."""
    return Step(
        f"primary key of {table.name}",
        _HAS_CONSTRAINT,
        (job.schema.schema, table.name, table.primary_key_name),
        ddl.add_primary_key(job.schema, table),
        "primary-key",
    )


def index_step(job: Job, index: Index) -> Step:
    """Return the step that builds an index."""
    table = job.schema.tables[index.table]
    return Step(
        f"index {index.name}",
        _HAS_INDEX,
        (job.schema.schema, index.name),
        ddl.create_index(job.schema, table, index),
        "unique-index" if index.unique else "index",
    )


def foreign_key_steps(job: Job, key: ForeignKey) -> tuple[Step, Step]:
    """Return the steps that add a foreign key unvalidated, and validate it."""
    place = (job.schema.schema, key.table, key.name)
    add = ddl.add_foreign_key(job.schema, key, not_valid=True)
    validate = ddl.validate_foreign_key(job.schema, key)
    return (
        Step(f"foreign key {key.name}", _HAS_CONSTRAINT, place, add, "foreign-key"),
        Step(f"validation of {key.name}", _IS_VALIDATED, place, validate, "validation"),
    )


def build(job: Job, connection: psycopg.Connection, step: Step) -> bool:
    """Do a step unless it is done.

    Args:
        job: The copy.
        connection: Autocommit connection.
        step: What to build.

    Returns:
        Whether it was built now.

    Raises:
        psycopg.Error: The server refuses; nothing changed.
    """
    row = connection.execute(step.done.encode(), step.parameters).fetchone()
    if row and row[0]:
        return False
    with connection.transaction():
        job.lease.assert_held(connection, job.run.id)
        connection.execute(step.statement.encode())
        reached(f"finish.{step.kind}-before-commit")
    reached(f"finish.{step.kind}-after-commit")
    return True


_SNAPSHOT_SECONDS = 10.0


def await_old_snapshots(job: Job, connection: psycopg.Connection) -> bool:
    """Wait a while for sessions that can still see rows which were deleted meanwhile, such as an automatic ANALYZE.

    An index takes such rows in, so it may be refused for a value that no row has any more.

    Returns:
        Whether there were such sessions; building again may succeed then.
    """
    query = (
        "SELECT pid, backend_xmin::text FROM pg_catalog.pg_stat_activity WHERE datname = current_database()"
        " AND backend_xmin IS NOT NULL AND application_name NOT LIKE 'isthmus%'"
    )
    before = set(connection.execute(query).fetchall())
    left, ends_at = before, time.monotonic() + _SNAPSHOT_SECONDS
    while left and time.monotonic() < ends_at:
        job.check_stop()
        time.sleep(0.1)
        left = before & set(connection.execute(query).fetchall())
    return bool(before)
