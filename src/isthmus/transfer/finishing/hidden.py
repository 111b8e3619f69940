"""Columns that are there only while a copy works: ids that a table does not keep, numbers of flows, things, what
defaults filled.

They go when nothing needs them any more, in one transaction: either all are there or none is. What comes after must do
without; of a run whose hidden columns are gone only the balance is left to draw.
"""

from __future__ import annotations

import psycopg

from isthmus.errors import TargetError
from isthmus.mapping import ddl
from isthmus.mapping.names import object_name
from isthmus.mapping.tables import HIDDEN_COLUMNS, HIDDEN_THING, Index, Table
from isthmus.transfer.job import Job
from isthmus.work.stages import reached


def hidden_index_name(table: str) -> str:
    """Name the index that keeps hidden ids apart; it goes with its column."""
    return object_name((table,), "isthmus_id")


def thing_index(table: str) -> Index:
    """Return the unique index by which the documents of one thing are joined; it goes with its column."""
    name = object_name((table,), "isthmus_thing")
    return Index(name, table, (HIDDEN_THING,), None, True, "btree", None, "unique")


def are_dropped(job: Job, connection: psycopg.Connection, tables: list[Table]) -> bool:
    """Tell whether the hidden columns of these tables are gone; reads the catalog only."""
    row = connection.execute(
        "SELECT count(*) FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid"
        " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = %s AND c.relname = ANY(%s) AND a.attname = ANY(%s) AND NOT a.attisdropped",
        (job.schema.schema, [table.name for table in tables], list(HIDDEN_COLUMNS)),
    ).fetchone()
    return row is not None and row[0] == 0


def drop_hidden_columns(job: Job, connection: psycopg.Connection, tables: list[Table]) -> None:
    """Drop the hidden columns, in one transaction. Safe to repeat. The room they took stays with the tables.

    Raises:
        TargetError: Somebody built something on one of them meanwhile (code `has-dependents`); nothing is dropped.
    """
    try:
        with connection.transaction():
            job.lease.assert_held(connection, job.run.id)
            for table in tables:
                statement = ddl.drop_hidden(job.schema, table)
                if statement is not None:
                    connection.execute(statement.encode())
            reached("finish.hidden-columns-before-commit")
    except psycopg.errors.DependentObjectsStillExist as fault:
        what = "; ".join((fault.diag.message_detail or fault.diag.message_primary or "").splitlines())
        raise TargetError(
            f"Columns that were there for the copy only cannot be dropped, because something depends on them: {what}.",
            code="has-dependents",
            hint="Drop it, run the same command again, and make it anew afterwards. What is loaded is kept.",
        ) from None
    reached("finish.hidden-columns-after-commit")
