"""References that had to be looked up: resolved by one join each, once no orphan is left among them.

Until then their values wait in tables of their own (schema `isthmus`), as the documents have them; orphans are settled
there. Here also routed references find their column: the first entry that has the id keeps it.
"""

from __future__ import annotations

from collections.abc import Collection, Container
from dataclasses import replace

import psycopg
from psycopg import sql

from isthmus.connect.postgres import first_number
from isthmus.errors import InternalError
from isthmus.mapping import ddl
from isthmus.mapping.tables import HIDDEN_SOURCE, PendingTable, Table
from isthmus.transfer.existing.only import leads_outside, unknown_entries, waits
from isthmus.transfer.existing.waiting import set_look_ups_aside
from isthmus.transfer.finishing.own_fields import take_own_fields
from isthmus.transfer.finishing.references import ReferenceSite, alternative, one_of_each, reference_sites, route_choice
from isthmus.transfer.job import Job
from isthmus.transfer.joining.joined import merges
from isthmus.transfer.staging import exists
from isthmus.work.stages import reached


def waiting_columns(table: Table) -> frozenset[str]:
    """Return the columns of a table whose values come when their references are resolved."""
    return frozenset(column.name for column in table.columns if column.waits)


def resolve_lookups(job: Job, connection: psycopg.Connection) -> None:
    """Fill every column that waits, and drop the tables its values waited in. Safe to repeat.

    A transaction each: what is resolved has no waiting table any more. A column that itself is pointed at comes before
    those that point at it.

    Args:
        job: The copy, with every value that waits having its target.
        connection: Autocommit connection.

    Raises:
        InternalError: A value that waits found no row, or no target (code `lookup-lost`).
    """
    for waiting in in_order([one for one in job.pending_tables if not one.pairs]):
        place = sql.Identifier("isthmus", waiting.name)
        if not exists(connection, place):
            continue
        job.check_stop()
        with connection.transaction():
            job.lease.assert_held(connection, job.run.id)
            set_look_ups_aside(job, connection, waiting, place)
            look_up(job, connection, waiting, place)
            connection.execute(sql.SQL("DROP TABLE {}").format(place))
            reached("finish.lookups-before-commit")
        reached("finish.lookups-after-commit")


def require_looked_up(job: Job, connection: psycopg.Connection) -> None:
    """Set NOT NULL on required columns that waited, now that they are filled. Safe to repeat.

    Those whose values may go on waiting for a later copy stay as they are.
    """
    for table in job.schema.tables.values():
        filled = [c for c in table.columns if c.reference is None or not leads_outside(job, c.reference.entry)]
        statement = ddl.set_not_null(job.schema, replace(table, columns=tuple(filled)))
        if statement is not None:
            with connection.transaction():
                job.lease.assert_held(connection, job.run.id)
                connection.execute(statement.encode())
                reached("finish.not-null-before-commit")
            reached("finish.not-null-after-commit")


def in_order(tables: list[PendingTable]) -> list[PendingTable]:
    """Put waiting tables in an order in which each finds the column it points at filled.

    Pure. A mapping whose references by look-up go round in a circle is refused when it is read.
    """
    ordered: list[PendingTable] = []
    left = list(tables)
    while left:
        unfilled = {(one.table, one.column) for one in left}
        ready = [one for one in left if not _aims_at(one) & unfilled] or left
        ordered += ready
        left = [one for one in left if one not in ready]
    return ordered


def _aims_at(waiting: PendingTable) -> set[tuple[str, str]]:
    reference = waiting.reference
    return {(reference.table, reference.column), (reference.table, reference.by or reference.column)}


_VALUES = sql.SQL("SELECT {keys}, {result} AS result FROM {waiting} p JOIN {target} t ON t.{key} = {value}")
_ARRAYS = sql.SQL(
    "SELECT {keys}, coalesce(array_agg({result} ORDER BY p.element) FILTER (WHERE p.element >= 0),"
    " array_remove(array_agg({result}), NULL)) AS result"
    " FROM {waiting} p LEFT JOIN {target} t ON t.{key} = {value} GROUP BY {keys}"
)
"""An array a row: elements in their order, NULL where the element is; those without a place are left out."""


def look_up(
    job: Job,
    connection: psycopg.Connection,
    waiting: PendingTable,
    place: sql.Identifier,
    *,
    into: sql.Identifier | None = None,
    pointed_at: sql.Identifier | None = None,
) -> None:
    """Fill a column that waits, inside the caller's transaction; every value has its row and its target.

    Args:
        job: The copy.
        connection: The caller's.
        waiting: What waits.
        place: Where.
        into: The table with the column, with rows of one flow only; None is the one in the target.
        pointed_at: What the values point at; None is the table in the target.

    Raises:
        InternalError: A value found no row, or no target (code `lookup-lost`).
    """
    table = job.schema.tables[waiting.table]
    # documents that are one have a value together until they are joined: any of them will do, for all lead to one row
    several = merges(job, job.schema.tables[waiting.reference.table])
    ranked = pointed_at is not None or job.existing is not None
    target = alternative(job, waiting.reference, sql.SQL("p.{}").format(sql.Identifier(waiting.value)), waiting=True)
    same = [sql.SQL("r.{} = g.{}").format(sql.Identifier(column), sql.Identifier(key)) for key, column in waiting.keys]
    if len(table.flows) > 1 and into is None:
        same.append(sql.SQL("r.{} = {}").format(sql.Identifier(HIDDEN_SOURCE), sql.Literal(waiting.flow.number)))
    found = _ARRAYS if waiting.array else _VALUES
    result = waiting.reference.column
    parts = {
        "table": into or sql.Identifier(job.schema.schema, table.name),
        "column": sql.Identifier(waiting.column),
        "same": sql.SQL(" AND ").join(same),
        "found": found.format(
            keys=sql.SQL(", ").join(sql.SQL("p.{}").format(sql.Identifier(key)) for key, _ in waiting.keys),
            waiting=place,
            target=one_of_each(job, pointed_at or target.table, target.key, result, several=several, ranked=ranked),
            key=sql.Identifier(target.key),
            value=target.value,
            result=sql.SQL("t.{}").format(sql.Identifier(result)),
        ),
    }
    # a planner that knows nothing of the waiting table takes a nested loop for it
    connection.execute(sql.SQL("ANALYZE {}").format(place))
    expected = first_number(connection.execute(sql.SQL("SELECT count(*) FROM ({found}) g").format(**parts)))
    changed = connection.execute(
        sql.SQL("UPDATE {table} r SET {column} = g.result FROM ({found}) g WHERE {same}").format(**parts)
    ).rowcount
    waited = first_number(connection.execute(_rows_that_wait(waiting, place)))
    if not changed == expected == waited:
        raise InternalError(
            f"Of {waited} references of {waiting.table}.{waiting.column} that waited {expected} found what they point"
            f" at, and {changed} their row.",
            code="lookup-lost",
            hint="Nothing is lost; please report this, and start over with --fresh.",
        )


def _rows_that_wait(waiting: PendingTable, place: sql.Identifier) -> sql.Composed:
    if not waiting.array:
        return sql.SQL("SELECT count(*) FROM {}").format(place)
    keys = sql.SQL(", ").join(sql.Identifier(key) for key, _ in waiting.keys)
    return sql.SQL("SELECT count(*) FROM (SELECT FROM {} GROUP BY {}) g").format(place, keys)


def settle_routes(job: Job, connection: psycopg.Connection, *, tables: Container[str] | None = None) -> None:
    """Leave every routed id in the column of the first entry that has it. Safe to repeat; no value is without target.

    Args:
        job: The copy, with all orphans settled.
        connection: Autocommit connection.
        tables: The tables to settle; None for all.
    """
    for site in reference_sites(job):
        if site.shape != "route" or (tables is not None and site.table not in tables):
            continue
        with connection.transaction():
            job.lease.assert_held(connection, job.run.id)
            entries = [one.entry for one in site.alternatives]
            unknown = unknown_entries(job, connection, entries)
            connection.execute(route_statement(site, unknown, waits=waits(job, site)))
            take_own_fields(job, connection, site)
            reached("finish.routes-before-commit")
        reached("finish.routes-after-commit")


def route_statement(site: ReferenceSite, unknown: Collection[str] = (), *, waits: bool = False) -> sql.Composed:
    """Return the statement that clears the columns behind the first one whose table has the id, and those before it.

    What is not decided yet (see `references.route_choice`, as for the arguments) stays in all its columns.
    """
    columns = [sql.Identifier(name) for name in site.columns]
    cleared = sql.SQL(", ").join(
        sql.SQL("{} = CASE WHEN c.chosen IN ({}, -1) THEN r.{} END").format(column, sql.Literal(n), column)
        for n, column in enumerate(columns)
    )
    several = sql.SQL("num_nonnulls({}) > 1").format(
        sql.SQL(", ").join(sql.SQL("r.{}").format(column) for column in columns)
    )
    return sql.SQL(
        "UPDATE {place} r SET {cleared} FROM (SELECT r.ctid AS place, {chosen} AS chosen FROM {source}"
        " WHERE {several}) c WHERE r.ctid = c.place"
    ).format(
        place=site.place,
        cleared=cleared,
        chosen=route_choice(site, unknown, waits=waits),
        source=site.source,
        several=several,
    )
