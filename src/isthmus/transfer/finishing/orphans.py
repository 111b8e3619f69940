"""Orphans: references whose target does not exist, found by anti-joins and handled by the mapping's policy.

Ledger row and change are one statement. A dead letter makes new orphans of what refers to it, so passes repeat until
one finds nothing.
"""

from __future__ import annotations

from typing import LiteralString

import psycopg
from psycopg import sql

from isthmus.state.checkpoints import add_tally, read_tallies
from isthmus.state.ledgers import Cause, fill_old_ids
from isthmus.transfer.finishing.origins import source_ids
from isthmus.transfer.finishing.places import SHOWN_CHARACTERS
from isthmus.transfer.finishing.references import ReferenceSite
from isthmus.transfer.finishing.remove import CHUNK, remove_documents
from isthmus.transfer.finishing.shortened import in_document
from isthmus.transfer.job import Job
from isthmus.transfer.staging import exists
from isthmus.work.hidden import HIDDEN
from isthmus.work.stages import reached

_LEDGER = sql.SQL(
    "INSERT INTO isthmus.orphan (run_id, source_collection, table_name, column_name, row_id, row_position,"
    " target_collection, target_id, action, by_default)"
    " SELECT {run}, {collection}, {table}, {column}, bad.row_id, bad.row_position, bad.target_collection,"
    " bad.target_id, {action}, {by_default} FROM bad"
)


def settle_orphans(job: Job, connection: psycopg.Connection, site: ReferenceSite) -> int:
    """Handle every orphan of one reference: in one transaction, or in one a chunk where documents leave for it.

    Args:
        job: The copy.
        connection: Autocommit connection.
        site: The reference; its target table has its primary key.

    Returns:
        How many documents became dead letters (new orphans may follow from them). Safe to repeat: what was handled is
        no longer found.
    """
    if not exists(connection, site.place):
        return 0  # a crash came after this side was settled and merged into its junction
    if site.action == "dead_letter":
        return _refuse_documents(job, connection, site)
    with connection.transaction():
        job.lease.assert_held(connection, job.run.id)
        if site.action == "kept":
            # what stays in the jsonb would be found again: the ledger of this place is written anew
            connection.execute(
                "DELETE FROM isthmus.orphan WHERE run_id = %s AND table_name = %s AND column_name = %s"
                " AND source_collection = %s",
                (job.run.id, site.table, site.column, site.collection),
            )
        handled = connection.execute(_change(job, site)).rowcount
        if handled:
            _fill_old_ids(job, connection, site)
        reached("finish.orphans-before-commit")
    reached("finish.orphans-after-commit")
    return 0


_POSITION = "finish-position"


def _mark(job: Job, connection: psycopg.Connection, site: ReferenceSite) -> None:
    """Keep which reference cost documents last, inside the transaction in which it did."""
    connection.execute("DELETE FROM isthmus.tally WHERE run_id = %s AND kind = %s", (job.run.id, _POSITION))
    add_tally(connection, job.run.id, _POSITION, site.name, 1)


def rest_of_pass(job: Job, connection: psycopg.Connection, sites: list[ReferenceSite]) -> list[ReferenceSite]:
    """Return the references from the one on that cost documents last; all of them when none did.

    For which of its orphans a document is refused depends on the order of the passes, so a pass that a crash ended goes
    on where it was.
    """
    marked = read_tallies(connection, job.run.id).get(_POSITION, {})
    first = next((number for number, site in enumerate(sites) if site.name in marked), 0)
    return sites[first:]


def _fill_old_ids(job: Job, connection: psycopg.Connection, site: ReferenceSite) -> None:
    """Give the ledger rows of a reference the ids that the source has, in the transaction that wrote them."""
    fill_old_ids(
        connection,
        job.run.id,
        site.table,
        site.column,
        lambda collection, ids: old_ids(job, connection, site, collection, ids),
    )


def old_ids(
    job: Job, connection: psycopg.Connection, site: ReferenceSite, collection: str, ids: list[str]
) -> list[tuple[bytes | None, str]]:
    """Return (`{"_id": …}` BSON or None, text) behind each value; a value as the documents have it is itself."""
    if site.as_met:
        return [(None, text) for text in ids]
    return source_ids(job, connection, collection, ids)


def has_no_target(site: ReferenceSite) -> sql.Composed:
    """Return SQL, over the aliases of a site's `source`, that is true for a value nothing it points at has."""
    missing = [
        sql.SQL("NOT EXISTS (SELECT FROM {} t WHERE {} = {})").format(one.table, one.compared, one.value)
        for one in site.alternatives
    ]
    return sql.SQL("{} IS NOT NULL AND ").format(site.value) + sql.SQL(" AND ").join(missing)


def bad_references(site: ReferenceSite) -> sql.Composed:
    """Return a query of every orphan: place of its row, ids as text, positions, the name its id is hashed with."""
    positions: sql.Composable = sql.SQL("NULL::integer[]")
    if site.positions:
        positions = sql.SQL("ARRAY[{}]").format(sql.SQL(", ").join(site.positions))
    return sql.SQL(
        "SELECT r.ctid AS place, r.{key}::text AS row_id, {positions} AS row_position, {value}::text AS target_id,"
        " {collection} AS target_collection, {element} AS element FROM {source} WHERE {missing}"
    ).format(
        key=sql.Identifier(site.key),
        positions=positions,
        value=site.value,
        collection=_collection(site),
        element=sql.SQL("e.n" if site.shape == "array" else "NULL::bigint"),
        source=site.source,
        missing=has_no_target(site),
    )


def _collection(site: ReferenceSite) -> sql.Composable:
    """Return SQL of the name that a value is hashed with: of the first alternative that has one."""
    *others, last = site.alternatives
    collection: sql.Composable = sql.SQL("{}::text").format(sql.Literal(last.collection))
    for one in reversed(others):
        collection = sql.SQL("CASE WHEN {} IS NOT NULL THEN {} ELSE {} END").format(
            one.value, sql.Literal(one.collection), collection
        )
    return collection


_NULL: LiteralString = "UPDATE {place} r SET {cleared} FROM bad WHERE r.ctid = bad.place"
_DELETE: LiteralString = "DELETE FROM {place} r USING bad WHERE r.ctid = bad.place"
_CHANGES: dict[tuple[str, str], LiteralString] = {
    ("column", "null"): _NULL,
    ("route", "null"): _NULL,
    ("pair", "drop"): _DELETE,
    ("waiting", "null"): _DELETE,  # what does not wait any more stays NULL in its row
    ("waiting-array", "null"): _NULL,
    # the row stays, without a place in the array, so that an array that loses all its elements becomes an empty one
    ("waiting-array", "drop"): "UPDATE {place} r SET {cleared}, element = -1 FROM bad WHERE r.ctid = bad.place",
    ("array", "null"): (
        "UPDATE {place} r SET {column} = (SELECT array_agg(CASE WHEN e.n = ANY (b.elements) THEN NULL ELSE e.v END"
        " ORDER BY e.n) FROM unnest(r.{column}) WITH ORDINALITY AS e(v, n))"
        " FROM (SELECT place, array_agg(element) AS elements FROM bad GROUP BY place) b WHERE r.ctid = b.place"
    ),
    ("array", "drop"): (
        "UPDATE {place} r SET {column} = ARRAY(SELECT e.v FROM unnest(r.{column}) WITH ORDINALITY AS e(v, n)"
        " WHERE NOT e.n = ANY (b.elements) ORDER BY e.n)"
        " FROM (SELECT place, array_agg(element) AS elements FROM bad GROUP BY place) b WHERE r.ctid = b.place"
    ),
}
"""(shape, action) → what is done to the rows of orphans."""


def undoing(site: ReferenceSite) -> sql.Composable:
    """Return the WITH query (behind `bad`, and a comma before it) that undoes orphans; empty where they stay."""
    if site.action == "kept":
        return sql.SQL("")
    cleared = sql.SQL(", ").join(sql.SQL("{} = NULL").format(sql.Identifier(name)) for name in site.columns)
    return sql.SQL(", changed AS (" + _CHANGES[site.shape, site.action] + ")").format(
        place=site.place, cleared=cleared, column=sql.Identifier(site.columns[0])
    )


def _change(job: Job, site: ReferenceSite) -> sql.Composed:
    """Return the one statement that changes the rows and writes the ledger."""
    bad = in_document(job, site, bad_references(site))
    return sql.SQL("WITH bad AS ({}){} ").format(bad, undoing(site)) + _LEDGER.format(
        run=sql.Literal(job.run.id),
        collection=sql.Literal(site.collection),
        table=sql.Literal(site.table),
        column=sql.Literal(site.column),
        action=sql.Literal(site.action),
        by_default=sql.Literal(not site.stated),
    )


def _refuse_documents(job: Job, connection: psycopg.Connection, site: ReferenceSite) -> int:
    """Turn the documents that hold an orphan into dead letters, chunk by chunk."""
    total = 0
    while True:
        job.check_stop()
        with connection.transaction():
            job.lease.assert_held(connection, job.run.id)
            rows = connection.execute(
                sql.SQL(
                    "SELECT DISTINCT ON (bad.row_id) bad.row_id, bad.target_collection, bad.target_id FROM ({}) AS bad"
                    " ORDER BY 1, 3 LIMIT {}"
                ).format(bad_references(site), sql.Literal(CHUNK))
            ).fetchall()
            if not rows:
                return total
            causes = _causes(job, connection, site, rows)
            chosen = list(causes)
            connection.execute(
                sql.SQL("WITH bad AS (SELECT * FROM ({}) AS b WHERE b.row_id = ANY(%s)) ").format(bad_references(site))
                + _LEDGER.format(
                    run=sql.Literal(job.run.id),
                    collection=sql.Literal(site.collection),
                    table=sql.Literal(site.table),
                    column=sql.Literal(site.column),
                    action=sql.Literal("dead_letter"),
                    by_default=sql.Literal(not site.stated),
                ),
                (chosen,),
            )
            _fill_old_ids(job, connection, site)
            remove_documents(job, connection, site.flow, causes)
            _mark(job, connection, site)
            reached("finish.orphans-before-commit")
        reached("finish.orphans-after-commit")
        total += len(causes)


def _causes(
    job: Job, connection: psycopg.Connection, site: ReferenceSite, rows: list[tuple[object, ...]]
) -> dict[str, Cause]:
    """Return why each document leaves, from (its id, name the value is hashed with, value)."""
    causes: dict[str, Cause] = {}
    for collection in sorted({str(row[1]) for row in rows}):
        mine = [row for row in rows if row[1] == collection]
        old = old_ids(job, connection, site, collection, [str(target) for _, _, target in mine])
        for (row_id, _, _), (_, text) in zip(mine, old, strict=True):
            causes[str(row_id)] = orphan_cause(site, text)
    return causes


def orphan_cause(site: ReferenceSite, old_id: str) -> Cause:
    """Say why a document leaves for an orphan; `old_id` is the missing id as the source has it, for people."""
    shown = HIDDEN if site.sensitive else old_id[:SHOWN_CHARACTERS]
    pointed_at = " or ".join(dict.fromkeys(one.collection for one in site.alternatives))
    message = f"{site.name} refers to {shown} of {pointed_at}, which is not in the target."
    return Cause("orphan", site.path, message, site.name, value=shown)
