"""Documents that were joined into others (`on_duplicate: merge`), as the id map knows them."""

from __future__ import annotations

import psycopg

from isthmus.mapping.model import Flow
from isthmus.mapping.tables import Table
from isthmus.state.checkpoints import add_tally
from isthmus.transfer.finishing.origins import Found
from isthmus.transfer.job import Job

JOINING = "joining"
"""The table of the state's schema that says who is joined into whom, from the decision until the last one is."""


def merges(job: Job, table: Table) -> bool:
    """Tell whether documents that stand against a unique index of this table are joined."""
    return table.kind == "root" and job.mapping.joins(table.entries)


def has_joined(job: Job, connection: psycopg.Connection, found: Found) -> bool:
    """Tell whether others were joined into a document, so that its rows are not its own alone."""
    table = job.root_of(found.flow)
    if not merges(job, table):
        return False
    collections = list(table.collections)
    row = connection.execute(
        "SELECT EXISTS (SELECT FROM isthmus.id_map WHERE id = %s AND origin = 'merged' AND collection = ANY(%s))",
        (found.id, collections),
    ).fetchone()
    return bool(row and row[0])


def forget_joined(job: Job, connection: psycopg.Connection, flow: Flow, ids: set[str]) -> set[str]:
    """Forget which documents of a flow were joined into some, inside the transaction in which these leave.

    Returns:
        The ids that they would have had.
    """
    if not merges(job, job.root_of(flow)):
        return set()
    joined = {
        str(derived)
        for (derived,) in connection.execute(
            "DELETE FROM isthmus.id_map WHERE origin = 'merged' AND collection = %s AND id = ANY(%s)"
            " RETURNING derived_id",
            (flow.collection, sorted(ids)),
        ).fetchall()
    }
    if joined:
        connection.execute(
            "DELETE FROM isthmus.conflict WHERE run_id = %s AND action = 'merged' AND collection = %s"
            " AND source_row_id = ANY(%s)",
            (job.run.id, flow.collection, sorted(joined)),
        )
        add_tally(connection, job.run.id, "merged", flow.collection, -len(joined))
    return joined
