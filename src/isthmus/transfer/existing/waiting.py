"""References to collections that a copy does not carry (`--only`) and that find no row: they wait for a later copy.

They stand in `isthmus.pending_reference`. Where the real column has no foreign key it holds the derived id meanwhile;
else, and where it would have to be looked up or routed, it is NULL, and a pair is left out. The delivery that brings
the row sets them; one of everything settles also those that lead nowhere, of documents that it carries.
"""

from __future__ import annotations

from collections import Counter

import psycopg
from psycopg import sql

from isthmus.mapping.tables import PendingTable, Reference
from isthmus.state.ledgers import Cause
from isthmus.transfer.existing.fit import Existing, FedTable
from isthmus.transfer.existing.only import leads_outside, unknown_entries, waits
from isthmus.transfer.existing.refused import Refused
from isthmus.transfer.existing.sides import Sides
from isthmus.transfer.existing.waiting_values import ASIDE, COLUMNS, MARKED, WAITING, columns_of
from isthmus.transfer.finishing.places import document_path
from isthmus.transfer.finishing.references import (
    ReferenceSite,
    alternative,
    reference_sites,
    route_choice,
    target_of,
)
from isthmus.transfer.finishing.remove import CHUNK, remove_documents
from isthmus.transfer.job import Job
from isthmus.transfer.staging import exists


def refuse_unwaitable(job: Job, connection: psycopg.Connection) -> int:
    """Refuse documents with a value to be looked up that finds no row, where the column cannot be empty meanwhile.

    A transaction a chunk. Safe to repeat.

    Returns:
        How many documents became dead letters.
    """
    total = 0
    for waiting in job.pending_tables:
        place = sql.Identifier("isthmus", waiting.name)
        if waiting.pairs or waiting.array or not leads_outside(job, waiting.reference.entry):
            continue
        if job.existing is None or may_be_empty(job.existing, waiting.table, waiting.column):
            continue
        while exists(connection, place):
            job.check_stop()
            with connection.transaction():
                job.lease.assert_held(connection, job.run.id)
                rows = connection.execute(
                    sql.SQL("SELECT DISTINCT r.{}::text FROM {} r WHERE {} ORDER BY 1 LIMIT {}").format(
                        sql.Identifier(waiting.keys[0][0]), place, _not_found(job, waiting), sql.Literal(CHUNK)
                    )
                ).fetchall()
                if not rows:
                    break
                path = document_path(job, job.schema.tables[waiting.table], [waiting.column], waiting.flow)
                cause = _pending_cause(f"{waiting.table}.{waiting.column}", path, waiting.reference.entry)
                remove_documents(job, connection, waiting.flow, {str(row_id): cause for (row_id,) in rows})
            total += len(rows)
    return total


def _pending_cause(name: str, path: str, entry: str) -> Cause:
    message = (
        f"{name} refers to a document of {entry} that is not in the target and that this copy does not carry; the"
        " column must have a value."
    )
    return Cause("reference-pending", path, message, name)


def may_be_empty(existing: Existing, table: str, column: str) -> bool:
    """Tell whether a column may be NULL until what it refers to comes."""
    fed = existing.tables[table]
    root = fed
    while root.table.parent is not None:
        root = existing.tables[root.table.parent]
    there = fed.fed(column)
    if not root.row_key or column in {*fed.table.primary_key, *fed.row_key}:
        return False
    return there is None or not there.there.not_null


def _not_found(job: Job, waiting: PendingTable) -> sql.Composed:
    value = sql.SQL("r.{}").format(sql.Identifier(waiting.value))
    target = alternative(job, waiting.reference, value, waiting=True)
    return sql.SQL("{value} IS NOT NULL AND NOT EXISTS (SELECT FROM {ids} t WHERE t.{key} = {value})").format(
        value=value, ids=target.table, key=sql.Identifier(target.key)
    )


def set_look_ups_aside(job: Job, connection: psycopg.Connection, waiting: PendingTable, place: sql.Identifier) -> None:
    """Keep values that lead outside and find no row, inside the transaction that looks up the others.

    The column they are meant for is NULL, or their place in its array.
    """
    if not leads_outside(job, waiting.reference.entry):
        return
    connection.execute(
        sql.SQL(
            "CREATE TABLE IF NOT EXISTS {} (table_name text, column_name text, row_id text, row_position integer[],"
            " target_table text, target_id text)"
        ).format(ASIDE)
    )
    own, *positions = (sql.SQL("r.{}").format(sql.Identifier(key)) for key, _ in waiting.keys)
    if waiting.array:
        positions.append(sql.SQL("r.element").format())
    parts = {
        "aside": ASIDE,
        "table": sql.Literal(waiting.table),
        "column": sql.Literal(waiting.column),
        "own": own,
        "positions": sql.SQL(", ").join(positions),
        "target": sql.Literal(waiting.reference.table),
        "value": sql.Identifier(waiting.value),
        "place": place,
        "missing": _not_found(job, waiting),
    }
    connection.execute(
        sql.SQL(
            "INSERT INTO {aside} SELECT {table}, {column}, {own}::text, ARRAY[{positions}]::integer[], {target},"
            " r.{value}::text FROM {place} r WHERE {missing}"
        ).format(**parts)
    )
    if not waiting.array:
        connection.execute(sql.SQL("DELETE FROM {place} r WHERE {missing}").format(**parts))


def gather(sides: Sides, refused: Refused) -> Counter[tuple[str, str]]:
    """List what waits of the stage, inside the delivery's transaction.

    What the real table cannot hold meanwhile is taken out of the stage; where the column cannot be empty, the document
    is refused instead.

    Returns:
        Tallies: (`pending`, name of the reference) → how many; (`pending-kept`, …) → how many of them stay in the
        table as they are; (`pending-key`, table and constraint) → how many wait for the sake of a foreign key.
    """
    found = Counter[tuple[str, str]]()
    sides.do(sql.SQL("CREATE TEMP TABLE waiting ({}) ON COMMIT DROP").format(COLUMNS))
    done: set[tuple[str, str]] = set()
    for site in reference_sites(sides.job):
        if not waits(sides.job, site) or site.shape.startswith("waiting"):
            continue
        looked_up = site.shape == "pair" and _reference(sides, site).lookup
        if not looked_up and (site.table, site.column) in done:
            continue  # what several flows or arrays fill is looked at once
        done.add((site.table, site.column))
        if site.shape == "pair":
            found += _gather_pairs(sides, site, looked_up=looked_up)
        elif site.shape == "route":
            found += _gather_routes(sides, refused, site)
        elif site.shape != "jsonb" and _reference(sides, site).lookup:
            found += _gather_aside(sides, site)
        else:
            found += _gather_values(sides, refused, site)
    sides.do(sql.SQL("CREATE INDEX ON {} (table_name, column_name, row_id)").format(WAITING))
    sides.do(sql.SQL("ANALYZE {}").format(WAITING))
    sides.waiting |= columns_of(sides.connection, WAITING)
    return found


def _reference(sides: Sides, site: ReferenceSite) -> Reference:
    reference = sides.job.schema.tables[site.table].column(site.column).reference
    if reference is None:
        raise KeyError(site.name)
    return reference


def keys_of(fed: FedTable, column: str) -> list[str]:
    """Return the foreign keys of a real table that keep a column from holding an id that no row has."""
    return [key.name for key in fed.there.keys if column in key.columns]


def _list(
    sides: Sides,
    site: ReferenceSite,
    column: str,
    value: sql.Composable,
    target: str,
    condition: sql.Composable,
    *,
    source: sql.Composable | None = None,
    marked: bool = False,
) -> int:
    return sides.do(
        sql.SQL(
            "INSERT INTO {waiting} (table_name, column_name, own_column, row_id, row_position, target_table, target_id,"
            " waits, meant) SELECT x.*, {form}, {form} FROM (SELECT {table}::text, {column}::text, {owned_by}::text,"
            " r.{own}::text, ARRAY[{positions}]::integer[], {target}::text, {value}::text AS value FROM {source}"
            " WHERE {condition}) AS x"
        ).format(
            waiting=WAITING,
            form=MARKED.format(table=sql.Literal(target), value=sql.SQL("x.value")) if marked else sql.SQL("x.value"),
            table=sql.Literal(site.table),
            column=sql.Literal(column),
            owned_by=sql.Literal(site.key if site.shape == "pair" else None),
            own=sql.Identifier(site.key),
            positions=sql.SQL(", ").join(site.positions),
            target=sql.Literal(target),
            value=value,
            source=source or site.everywhere,
            condition=condition,
        )
    )


def _missing(site: ReferenceSite) -> sql.Composed:
    one = site.alternatives[0]
    return sql.SQL("{value} IS NOT NULL AND NOT EXISTS (SELECT FROM {ids} t WHERE t.{key}{text} = {value})").format(
        value=site.value,
        ids=one.table,
        key=sql.Identifier(one.key),
        text=sql.SQL("::text" if site.shape == "jsonb" else ""),
    )


def _refuse(sides: Sides, refused: Refused, site: ReferenceSite, condition: sql.Composable) -> None:
    root = sides.root_of(sides.existing.tables[site.table].table)
    rows = sides.connection.execute(
        sql.SQL("SELECT DISTINCT r.{}::text FROM {} WHERE {} ORDER BY 1 LIMIT {}").format(
            sql.Identifier(site.key), site.everywhere, condition, sql.Literal(CHUNK)
        )
    ).fetchall()
    cause = _pending_cause(site.name, site.path, site.alternatives[0].entry)
    for (row_id,) in rows:
        refused.add(root.name, str(row_id), cause)


def _empty(sides: Sides, site: ReferenceSite, condition: sql.Composable) -> None:
    """Set the columns of a site to NULL in the stage."""
    table = sides.job.schema.tables[site.table]
    for name in site.columns:
        if not table.column(name).nullable:  # the mapping wants a value, and the real table takes none meanwhile
            sides.do(sql.SQL("ALTER TABLE {} ALTER COLUMN {} DROP NOT NULL").format(site.place, sql.Identifier(name)))
    cleared = sql.SQL(", ").join(sql.SQL("{} = NULL").format(sql.Identifier(name)) for name in site.columns)
    sides.do(sql.SQL("UPDATE {} r SET {} WHERE {}").format(site.place, cleared, condition))


def _gather_values(sides: Sides, refused: Refused, site: ReferenceSite) -> Counter[tuple[str, str]]:
    """List the ids of a column, of an array, or inside jsonb."""
    fed, missing, inside = sides.existing.tables[site.table], _missing(site), site.shape == "jsonb"
    keys = [] if inside else keys_of(fed, site.column)
    key_columns = {*fed.table.primary_key, *fed.row_key}
    if (keys and not may_be_empty(sides.existing, site.table, site.column)) or (
        not sides.root_of(fed.table).row_key or site.column in key_columns
    ):
        _refuse(sides, refused, site, missing)
        return Counter()
    target = target_of(sides.job, site.alternatives[0]).name
    count = _list(sides, site, site.column, site.value, target, missing)
    found = Counter({("pending", site.name): count})
    if not keys:
        found["pending-kept", site.name] += count
    elif count:
        _empty(sides, site, missing)
    found.update({("pending-key", f"{fed.name}.{key}"): count for key in keys})
    return found


def _gather_aside(sides: Sides, site: ReferenceSite) -> Counter[tuple[str, str]]:
    """List values that were set aside while they were looked up, of documents that are still in the stage."""
    if not exists(sides.connection, ASIDE):
        return Counter()
    fed = sides.existing.tables[site.table]
    count = sides.do(
        sql.SQL(
            "INSERT INTO {waiting} (table_name, column_name, row_id, row_position, target_table, target_id, waits,"
            " meant) SELECT a.*, {form}, {form} FROM {aside} a WHERE a.table_name = {table}"
            " AND a.column_name = {column} AND a.row_id IN (SELECT s.{own}::text FROM {stage} s)"
        ).format(
            waiting=WAITING,
            form=MARKED.format(table=sql.SQL("a.target_table"), value=sql.SQL("a.target_id")),
            aside=ASIDE,
            table=sql.Literal(site.table),
            column=sql.Literal(site.column),
            own=sides.owner(fed),
            stage=sides.staged(fed.name),
        )
    )
    found = Counter({("pending", site.name): count})
    found.update({("pending-key", f"{fed.name}.{key}"): count for key in keys_of(fed, site.column)})
    return found


def _gather_routes(sides: Sides, refused: Refused, site: ReferenceSite) -> Counter[tuple[str, str]]:
    """List ids whose column is not decided: in every column where they may come to stand."""
    fed = sides.existing.tables[site.table]
    unknown = unknown_entries(sides.job, sides.connection, [one.entry for one in site.alternatives])
    condition = sql.SQL("{} IS NOT NULL AND {} = -1").format(site.value, route_choice(site, unknown))
    if not all(may_be_empty(sides.existing, site.table, column) for column in site.columns):
        _refuse(sides, refused, site, condition)
        return Counter()
    count = sides.one(sql.SQL("SELECT count(*) FROM {} WHERE {}").format(site.everywhere, condition))
    if not count:
        return Counter()
    found = Counter({("pending", site.name): count})
    for name, one in zip(site.columns, site.alternatives, strict=True):
        target = sides.job.mapping.collections[one.entry].table
        own = sql.SQL("{} IS NOT NULL AND {}").format(one.value, condition)
        _list(sides, site, name, one.value, target, own, marked=True)
        found.update({("pending-key", f"{fed.name}.{key}"): count for key in keys_of(fed, name)})
    _empty(sides, site, condition)
    return found


def _gather_pairs(sides: Sides, site: ReferenceSite, *, looked_up: bool) -> Counter[tuple[str, str]]:
    """List the pairs of one side of a junction, whichever array they come from; looked up ones stand by themselves."""
    fed, missing = sides.existing.tables[site.table], _missing(site)
    target = _reference(sides, site).table
    keys = keys_of(fed, site.column)
    if looked_up:
        count = _list(sides, site, site.column, site.value, target, missing, marked=True)
    else:
        place = sides.staged(site.table)
        count = _list(sides, site, site.column, site.value, target, missing, source=sql.SQL("{} r").format(place))
    found = Counter({("pending", site.name): count})
    found.update({("pending-key", f"{fed.name}.{key}"): count for key in keys})
    if not looked_up and not keys:
        found["pending-kept", site.name] += count
    elif not looked_up and count:
        sides.do(sql.SQL("DELETE FROM {} r WHERE {}").format(sides.staged(site.table), missing))
    return found
