"""Documents that were joined into others (`on_duplicate: merge`, identities), as the id map knows them."""

from __future__ import annotations

import psycopg

from isthmus.mapping.model import Flow
from isthmus.mapping.tables import HIDDEN_FILLED, HIDDEN_THING, Index, Table
from isthmus.state.checkpoints import add_tally
from isthmus.transfer.finishing.origins import Found
from isthmus.transfer.job import Job

JOINING = "joining"
"""The table of the state's schema that says who is joined into whom, from the decision until the last one is."""


def merges(job: Job, table: Table) -> bool:
    """Tell whether documents of this table are joined."""
    return table.kind == "root" and job.mapping.joins(table.entries)


def joins_by(job: Job, table: Table, index: Index) -> bool:
    """Tell whether documents that stand against a unique index of this table are joined.

    Of a table of things nothing else joins them than that they are one thing.
    """
    if not merges(job, table):
        return False
    return index.columns == (HIDDEN_THING,) or table.name not in job.mapping.thing_tables


def winning(job: Job, table: Table) -> dict[str, frozenset[int]]:
    """Return each column whose value a collection gives first (`wins`), with the numbers of its flows.

    Empty where one flow alone fills the table: then there is nothing to choose from.
    """
    if len(table.flows) < 2:
        return {}
    found = {column.name: job.mapping.winning(table.name, column.name) for column in table.columns}
    return {name: flows for name, flows in found.items() if flows}


def told_defaults(table: Table) -> frozenset[str]:
    """Return the columns of which the rows of a table tell, while it is loaded, whether a default filled them."""
    tells = any(column.name == HIDDEN_FILLED for column in table.columns)
    return frozenset(column.name for column in table.columns if tells and column.by_default)


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


def joined_into(connection: psycopg.Connection, flow: Flow, row_id: str) -> set[str]:
    """Return the ids that the documents of a flow would have that were joined into one."""
    rows = connection.execute(
        "SELECT derived_id FROM isthmus.id_map WHERE id = %s AND origin = 'merged' AND collection = %s",
        (row_id, flow.collection),
    )
    return {str(derived) for (derived,) in rows}


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
    # of those that leave themselves too: another one's value may have won over their own
    connection.execute(
        "DELETE FROM isthmus.conflict WHERE run_id = %s AND action = 'merged' AND collection = %s"
        " AND source_row_id = ANY(%s)",
        (job.run.id, flow.collection, sorted(joined | ids)),
    )
    if joined:
        add_tally(connection, job.run.id, "merged", flow.collection, -len(joined))
    return joined
