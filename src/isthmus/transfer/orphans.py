"""Orphans: references whose target does not exist, found by anti-joins and handled by the mapping's policy.

Ledger row and change are one statement. A dead letter makes new orphans of what refers to it, so passes repeat until
one finds nothing.
"""

from __future__ import annotations

import psycopg
from psycopg import sql

from isthmus.state.checkpoints import add_tally, read_tallies
from isthmus.state.ledgers import Cause, fill_old_ids
from isthmus.transfer.job import Job
from isthmus.transfer.origins import source_ids
from isthmus.transfer.places import SHOWN_CHARACTERS
from isthmus.transfer.references import ReferenceSite
from isthmus.transfer.remove import CHUNK, remove_documents
from isthmus.transfer.stages import reached
from isthmus.transfer.staging import exists

_LEDGER = sql.SQL(
    "INSERT INTO isthmus.orphan (run_id, source_collection, table_name, column_name, row_id, row_position,"
    " target_collection, target_id, action, by_default)"
    " SELECT {run}, {collection}, {table}, {column}, bad.row_id, bad.row_position, {target_collection},"
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
                "DELETE FROM isthmus.orphan WHERE run_id = %s AND table_name = %s AND column_name = %s",
                (job.run.id, site.table, site.column),
            )
        handled = connection.execute(_change(job, site)).rowcount
        if handled:
            fill_old_ids(
                connection,
                job.run.id,
                site.table,
                site.column,
                lambda collection, ids: source_ids(job, connection, collection, ids),
            )
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


def _bad(site: ReferenceSite) -> sql.Composed:
    positions: sql.Composable = sql.SQL("NULL::integer[]")
    if site.positions:
        positions = sql.SQL("ARRAY[{}]").format(
            sql.SQL(", ").join(sql.SQL("r.{}").format(sql.Identifier(name)) for name in site.positions)
        )
    target_key: sql.Composable = sql.SQL("t.{}").format(sql.Identifier(site.target_key))
    if site.action == "kept":  # ids inside jsonb are text
        target_key = sql.SQL("{}::text").format(target_key)
    return sql.SQL(
        "SELECT r.ctid AS place, r.{key}::text AS row_id, {positions} AS row_position, {value}::text AS target_id"
        " FROM {source} WHERE {value} IS NOT NULL AND NOT EXISTS (SELECT FROM {target} t WHERE {target_key} = {value})"
    ).format(
        key=sql.Identifier(site.key),
        positions=positions,
        value=site.value,
        source=site.source,
        target=site.target,
        target_key=target_key,
    )


def _change(job: Job, site: ReferenceSite) -> sql.Composed:
    """Return the one statement that changes the rows and writes the ledger."""
    change: sql.Composable = sql.SQL("")
    if site.action == "null":
        change = sql.SQL(", changed AS (UPDATE {} r SET {} = NULL FROM bad WHERE r.ctid = bad.place)").format(
            site.place, sql.Identifier(site.column)
        )
    elif site.action == "drop":
        change = sql.SQL(", changed AS (DELETE FROM {} r USING bad WHERE r.ctid = bad.place)").format(site.place)
    return sql.SQL("WITH bad AS ({}){} ").format(_bad(site), change) + _LEDGER.format(
        run=sql.Literal(job.run.id),
        collection=sql.Literal(site.collection),
        table=sql.Literal(site.table),
        column=sql.Literal(site.column),
        target_collection=sql.Literal(site.target_collection),
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
                sql.SQL("SELECT bad.row_id, min(bad.target_id) FROM ({}) AS bad GROUP BY 1 LIMIT {}").format(
                    _bad(site), sql.Literal(CHUNK)
                )
            ).fetchall()
            if not rows:
                return total
            targets = [str(target) for _, target in rows]
            old = source_ids(job, connection, site.target_collection, targets)
            causes = {str(row_id): _cause(site, text) for (row_id, _), (_, text) in zip(rows, old, strict=True)}
            chosen = list(causes)
            connection.execute(
                sql.SQL("WITH bad AS (SELECT * FROM ({}) AS b WHERE b.row_id = ANY(%s)) ").format(_bad(site))
                + _LEDGER.format(
                    run=sql.Literal(job.run.id),
                    collection=sql.Literal(site.collection),
                    table=sql.Literal(site.table),
                    column=sql.Literal(site.column),
                    target_collection=sql.Literal(site.target_collection),
                    action=sql.Literal("dead_letter"),
                    by_default=sql.Literal(not site.stated),
                ),
                (chosen,),
            )
            fill_old_ids(
                connection,
                job.run.id,
                site.table,
                site.column,
                lambda collection, ids: source_ids(job, connection, collection, ids),
            )
            remove_documents(job, connection, site.collection, causes)
            _mark(job, connection, site)
            reached("finish.orphans-before-commit")
        reached("finish.orphans-after-commit")
        total += len(causes)


def _cause(site: ReferenceSite, old_id: str) -> Cause:
    shown = "(hidden)" if site.sensitive else old_id[:SHOWN_CHARACTERS]
    message = f"{site.name} refers to {shown} of {site.target_collection}, which is not in the target."
    return Cause("orphan", site.path, message, site.name, value=shown)
