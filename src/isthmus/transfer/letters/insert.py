"""Carry letters that fit from where they wait into the target: references settled and in the ledger, rows inserted.

All rows of a transaction are inserted by one statement, because foreign keys are looked at when a statement ends:
documents that refer to each other can arrive together only so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import psycopg
from psycopg import sql

from isthmus.connect.postgres import first_number
from isthmus.state.statements import statement
from isthmus.transfer.document_rows import key_column, key_type
from isthmus.transfer.finishing.lookups import in_order, look_up, route_statement
from isthmus.transfer.finishing.orphans import bad_references, old_ids, undoing
from isthmus.transfer.finishing.own_fields import take_own_fields
from isthmus.transfer.finishing.references import ReferenceSite, one_of_each
from isthmus.transfer.job import Job
from isthmus.transfer.joining.joined import merges
from isthmus.transfer.letters.staging import StagedTable, identifiers


@dataclass(frozen=True)
class Entered:
    """An orphan that was entered into the ledger.

    Attributes:
        row_id: Id of the document, as text.
        target_collection: The name that the missing id is hashed with.
        target_id: The missing id.
        old_id: The same as the source has it, for people.
    """

    row_id: str
    target_collection: str
    target_id: str
    old_id: str


def settle_references(job: Job, connection: psycopg.Connection, sites: Iterable[ReferenceSite]) -> dict[str, int]:
    """Handle the orphans of letters that fit as the mapping says, inside the caller's transaction.

    Args:
        job: The retry.
        connection: The caller's.
        sites: The references of these letters, as they wait.

    Returns:
        Name of a reference → how many orphans there were of it.
    """
    found: dict[str, int] = {}
    for site in sites:
        if site.action != "dead_letter":
            found[site.name] = found.get(site.name, 0) + len(enter_orphans(job, connection, site, undoing(site)))
    return found


def enter_orphans(
    job: Job, connection: psycopg.Connection, site: ReferenceSite, change: sql.Composable
) -> list[Entered]:
    """Enter references that lead nowhere into the ledger, and change what waits in the same statement.

    Args:
        job: The retry.
        connection: Inside the caller's transaction.
        site: The reference, as it waits.
        change: Further WITH queries over `bad`; may be empty.

    Returns:
        What was entered.
    """
    rows = connection.execute(
        sql.SQL(
            "WITH bad AS ({missing}){change} INSERT INTO isthmus.orphan (run_id, source_collection,"
            " table_name, column_name, row_id, row_position, target_collection, target_id, action, by_default)"
            " SELECT {run}, {collection}, {table}, {column}, bad.row_id, bad.row_position, bad.target_collection,"
            " bad.target_id, {action}, {by_default} FROM bad RETURNING id, row_id, target_collection, target_id"
        ).format(
            missing=bad_references(site),
            change=change,
            run=sql.Literal(job.run.id),
            collection=sql.Literal(site.collection),
            table=sql.Literal(site.table),
            column=sql.Literal(site.column),
            action=sql.Literal(site.action),
            by_default=sql.Literal(not site.stated),
        )
    ).fetchall()
    found: list[Entered] = []
    for collection in sorted({str(row[2]) for row in rows}):
        mine = [row for row in rows if row[2] == collection]
        old = old_ids(job, connection, site, collection, [str(target) for *_, target in mine])
        connection.execute(
            statement("ledger", "fill_old_ids"),
            {
                "ids": [int(row[0]) for row in mine],
                "old_ids": [source_id for source_id, _ in old],
                "texts": [text for _, text in old],
            },
        )
        found += [
            Entered(str(row_id), collection, str(target), text)
            for (_, row_id, _, target), (_, text) in zip(mine, old, strict=True)
        ]
    return found


def count_values(connection: psycopg.Connection, site: ReferenceSite) -> int:
    """Return how many references of letters that fit wait to be inserted."""
    return first_number(connection.execute(sql.SQL("SELECT count({}) FROM {}").format(site.value, site.source)))


def resolve(
    job: Job, connection: psycopg.Connection, tables: Sequence[StagedTable], sites: list[ReferenceSite]
) -> None:
    """Give references that are looked up or routed their value, where they wait; none of them leads nowhere any more.

    Args:
        job: The retry.
        connection: The caller's.
        tables: Where rows wait, of letters that fit and no others.
        sites: Their references.

    Raises:
        InternalError: One of them found nothing (code `lookup-lost`).
    """
    waiting = {one.pending.name: one for one in tables if one.pending is not None and not one.pending.pairs}
    for pending in in_order([one.pending for one in waiting.values() if one.pending is not None]):
        into = next(one for one in tables if one.plan.name == pending.table and one.plan.flow == pending.flow)
        target = next(
            site.alternatives[0].table
            for site in sites
            if (site.table, site.column, site.flow) == (pending.table, pending.column, pending.flow)
        )
        place = waiting[pending.name].place
        look_up(job, connection, pending, place, into=into.place, pointed_at=target)
    for site in sites:
        if site.shape == "route":
            connection.execute(route_statement(site))
            take_own_fields(job, connection, site)


@dataclass(frozen=True)
class Inserted:
    """How many rows arrived.

    Attributes:
        rows: (source collection, root or child table) → rows.
        pairs: Junction table → pairs that were not in it.
        resolved: Junction table → pairs the documents name.
    """

    rows: dict[tuple[str, str], int]
    pairs: dict[str, int]
    resolved: dict[str, int]


def insert_rows(
    job: Job, connection: psycopg.Connection, tables: Sequence[StagedTable], sites: list[ReferenceSite]
) -> Inserted:
    """Insert all rows that wait, inside the caller's transaction.

    Args:
        job: The retry.
        connection: The caller's.
        tables: Where they wait, of letters that fit and no others.
        sites: Their references.

    Raises:
        psycopg.Error: The server refuses a row.
    """
    queries: list[sql.Composed] = []
    counts: list[sql.Composed] = []
    places: list[tuple[str, str]] = []
    pairs: dict[str, list[sql.Composed]] = {}
    for table in tables:
        if table.plan.kind == "junction":
            pairs.setdefault(table.plan.name, []).append(_pairs(job, table, sites))
        elif table.pending is None:
            columns = identifiers(_filled(job, table.plan.name))
            name = sql.Identifier(f"i{len(queries)}")
            places.append((table.plan.flow.collection, table.plan.name))
            queries.append(
                sql.SQL("{} AS (INSERT INTO {} ({}) SELECT {} FROM {} RETURNING 1)").format(
                    name, sql.Identifier(job.schema.schema, table.plan.name), columns, columns, table.place
                )
            )
            counts.append(sql.SQL("(SELECT count(*) FROM {})").format(name))
    for number, (junction, sides) in enumerate(pairs.items()):
        columns = identifiers(column.name for column in job.schema.tables[junction].columns)
        named, made = sql.Identifier(f"p{number}"), sql.Identifier(f"j{number}")
        sums = sql.SQL(" UNION ALL ").join(sql.SQL("SELECT {} FROM ({}) s").format(columns, side) for side in sides)
        queries.append(sql.SQL("{} AS ({})").format(named, sums))
        queries.append(
            sql.SQL(
                "{made} AS (INSERT INTO {there} ({columns}) SELECT DISTINCT {columns} FROM {named}"
                " ON CONFLICT DO NOTHING RETURNING 1)"
            ).format(made=made, there=sql.Identifier(job.schema.schema, junction), columns=columns, named=named)
        )
        counts += [sql.SQL("(SELECT count(*) FROM {})").format(one) for one in (made, named)]
    query = sql.SQL("WITH {} SELECT {}").format(sql.SQL(", ").join(queries), sql.SQL(", ").join(counts))
    row = connection.execute(query).fetchone() or ()
    numbers = [int(number) for number in row]
    of_pairs = numbers[len(places) :]
    rows: dict[tuple[str, str], int] = {}
    for place, number in zip(places, numbers, strict=False):
        rows[place] = rows.get(place, 0) + number
    return Inserted(
        rows=rows,
        pairs=dict(zip(pairs, of_pairs[::2], strict=True)),
        resolved=dict(zip(pairs, of_pairs[1::2], strict=True)),
    )


def _filled(job: Job, table: str) -> list[str]:
    """Return the columns of a root or child table that rows fill; what only the load needs, where it is still there."""
    if job.existing is not None:
        return [column.name for column in job.existing.tables[table].table.columns]
    return [column.name for column in job.schema.tables[table].final.columns]


def _pairs(job: Job, table: StagedTable, sites: list[ReferenceSite]) -> sql.Composed:
    """Return SQL of the pairs that wait, with the columns of the junction."""
    own, other = sql.Identifier(table.plan.own), sql.Identifier(table.plan.other)
    if table.pending is None:
        return sql.SQL("SELECT {}, {} FROM {}").format(own, other, table.place)
    target = next(
        site.alternatives[0]
        for site in sites
        if site.shape == "pair" and (site.table, site.key, site.flow) == (table.plan.name, table.key, table.plan.flow)
    )
    reference = table.pending.reference
    root = job.schema.tables[reference.table]
    result: sql.Composable = sql.SQL("t.{}").format(sql.Identifier(reference.column))
    if merges(job, root) and reference.column == key_column(root):  # who was joined is another row
        result = sql.SQL(
            "coalesce((SELECT m.id FROM isthmus.id_map m WHERE m.origin = 'merged' AND m.collection = ANY({names})"
            " AND m.derived_id = {value}::text LIMIT 1)::{kind}, {value})"
        ).format(
            names=sql.Literal(list(root.collections)),
            value=result,
            kind=key_type(root, job.schema.schema),
        )
    return sql.SQL("SELECT w.{own}, {result} AS {other} FROM {place} w JOIN {target} t ON t.{key} = w.{other}").format(
        own=own,
        other=other,
        result=result,
        place=table.place,
        target=one_of_each(job, target.table, target.key, reference.column, several=merges(job, root)),
        key=sql.Identifier(target.key),
    )
