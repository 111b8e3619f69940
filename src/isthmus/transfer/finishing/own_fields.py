"""Columns of routes that have a field of their own: they take it where the route leads to another column.

The field's value stays in extras at any rate, so nothing is lost that finds no row, and taking it can be repeated.
"""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
from psycopg import sql

from isthmus.mapping.tables import Table
from isthmus.state.own_fields import OWN_IDS, lay_out_own_ids
from isthmus.transfer.document_rows import key_column
from isthmus.transfer.finishing.references import Alternative, ReferenceSite, positions_of, reference_sites, target_of
from isthmus.transfer.job import Job
from isthmus.transfer.joining.joined import merges


def take_own_fields(job: Job, connection: psycopg.Connection, site: ReferenceSite) -> int:
    """Fill the columns of a route from their own fields, inside the caller's transaction. Safe to repeat.

    Args:
        job: The copy or retry.
        connection: The target.
        site: The route, as its rows stand or wait; every id stands in its one column.

    Returns:
        How many values were taken.
    """
    table = job.schema.tables[site.table]
    extras = next((column.name for column in table.columns if column.role == "extras"), None)
    if extras is None:
        return 0
    held = sql.SQL("r.{}").format(sql.Identifier(extras))
    return sum(
        _take(job, connection, site, name, one, held, source=site.source, place=site.place)
        for name, one in _own_columns(table, site)
    )


def take_own_fields_later(job: Job, connection: psycopg.Connection) -> int:
    """Do the same in the tables of a complete run, for ids whose document came later: in a transaction each.

    Rows that are told apart in later runs (`rerun: tracked`) stay as they are.

    Args:
        job: The retry.
        connection: Autocommit connection.

    Returns:
        How many values were taken.
    """
    taken = 0
    for site in {site.name: site for site in reference_sites(job) if site.shape == "route"}.values():
        table = job.schema.tables[site.table]
        columns = list(_own_columns(table, site))
        rule = job.mapping.collections[job.schema.root_of(table).entries[0]]
        if not columns or (job.existing is not None and rule.rerun == "tracked"):
            continue
        held = _held_there(job, table)
        place = sql.Identifier(job.run.target_schema, table.name)
        with connection.transaction():
            job.lease.assert_held(connection, job.run.id)
            for name, one in columns:
                source = sql.SQL("{} r").format(place)
                taken += _take(job, connection, site, name, one, held, source=source, place=place)
    return taken


def _own_columns(table: Table, site: ReferenceSite) -> Iterator[tuple[str, Alternative]]:
    for name, one in zip(site.columns, site.alternatives, strict=True):
        reference = table.column(name).reference
        if reference is not None and reference.own is not None:
            yield name, one


def _held_there(job: Job, table: Table) -> sql.Composable:
    """Return SQL of the extras of a row `r` of the real table."""
    extras = next((column.name for column in table.columns if column.role == "extras"), "")
    if job.existing is None or job.existing.tables[table.name].extras is None:
        return sql.SQL("r.{}::jsonb").format(sql.Identifier(extras))
    positions = sql.SQL(", ").join(sql.SQL("r.{}").format(sql.Identifier(name)) for name in positions_of(table))
    return sql.SQL(
        "(SELECT e.document FROM isthmus.extras e WHERE e.table_schema = {} AND e.table_name = {} AND e.id = r.{}::text"
        " AND e.row_position = ARRAY[{}]::integer[])"
    ).format(sql.Literal(job.run.target_schema), sql.Literal(table.name), sql.Identifier(key_column(table)), positions)


def _take(
    job: Job,
    connection: psycopg.Connection,
    site: ReferenceSite,
    name: str,
    one: Alternative,
    extras: sql.Composable,
    *,
    source: sql.Composable,
    place: sql.Identifier,
) -> int:
    reference = job.schema.tables[site.table].column(name).reference
    target = target_of(job, one)
    others = [sql.SQL("r.{}").format(sql.Identifier(other)) for other in site.columns if other != name]
    parts: dict[str, sql.Composable] = {
        "place": place,
        "source": source,
        "column": sql.Identifier(name),
        "value": sql.SQL("({} #> {})::text").format(extras, sql.Literal(list((reference and reference.own) or ()))),
        "open": sql.SQL("r.{} IS NULL AND num_nonnulls({}) > 0").format(
            sql.Identifier(name), sql.SQL(", ").join(others)
        ),
        "target": one.table if place == site.place else sql.Identifier(job.run.target_schema, target.name),
        "key": sql.Identifier(one.key),
        "ids": OWN_IDS,
        "kept": _row_of(job, target),
    }
    values = sql.SQL("SELECT {value} FROM {source} WHERE {open} AND {value} IS NOT NULL").format(**parts)
    entry = job.mapping.collections[one.entry]
    if not lay_out_own_ids(connection, values, job.codec, one.collection, entry.ids, rewritten=entry.rewritten):
        return 0
    return connection.execute(
        sql.SQL(
            "WITH found AS (SELECT DISTINCT ON (k.value) k.value, t.{key} AS id"
            " FROM (SELECT o.value, {kept} AS id FROM {ids} o) k JOIN {target} t ON t.{key}::text = k.id)"
            " UPDATE {place} r SET {column} = f.id FROM (SELECT r.ctid AS place, found.id FROM {source}"
            " JOIN found ON found.value = {value} WHERE {open}) f WHERE r.ctid = f.place"
        ).format(**parts)
    ).rowcount


def _row_of(job: Job, target: Table) -> sql.Composable:
    """Return SQL of the id, as text, of the row that the document of an id `o` is: its own, or another one's."""
    origins = [*(["merged"] if merges(job, target) else []), *(["matched"] if job.existing is not None else [])]
    return sql.SQL(
        "coalesce((SELECT m.id FROM isthmus.id_map m WHERE m.origin = ANY({}) AND m.collection = ANY({})"
        " AND m.derived_id = o.id LIMIT 1), o.id)"
    ).format(sql.Literal(origins), sql.Literal(list(target.collections)))
