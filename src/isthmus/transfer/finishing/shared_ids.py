"""Documents that share an id of the target and were changed or removed since a source that moves was read.

Their rows cannot be told apart, and what the source holds now is not what they were made of. So none of them stays: all
become dead letters, each with the bytes it has now, if any.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

import psycopg
from psycopg import sql

from isthmus.errors import SourceError, Where
from isthmus.mapping.model import Flow
from isthmus.mapping.tables import Table
from isthmus.state.ledgers import Cause, insert_dead_letters
from isthmus.transfer.document_rows import flow_column, key_column, key_type
from isthmus.transfer.finishing.origins import Documents, Found
from isthmus.transfer.finishing.remove import OffBooks, forget_rows, letter
from isthmus.transfer.job import Job
from isthmus.work.stages import reached


def refuse_moved(job: Job, connection: psycopg.Connection, table: Table, ids: set[str]) -> set[str]:
    """Turn into dead letters all documents of those shared ids of which one is no longer as the run carried it.

    Reads each collection once, and again where there are any.

    Args:
        job: The copy.
        connection: Inside a transaction.
        table: Their root table.
        ids: Ids that several rows have.

    Returns:
        The ids whose documents left.
    """
    rows = rows_by_flow(job, connection, table, ids)
    moved: set[str] = set()
    for flow, counts in rows.items():
        same = Counter(found.id for found in _documents(job, connection, flow, set(counts)) if not found.moved)
        moved |= {text for text, count in counts.items() if same[text] != count}
    if moved:
        job.lease.assert_held(connection, job.run.id)
        column = f"{table.name}.{key_column(table)}"
        off = OffBooks(job)
        leaving = {flow: Counter({text: counts[text] for text in moved & set(counts)}) for flow, counts in rows.items()}
        for flow, counts in leaving.items():
            for found in _one_for_each_row(flow, _documents(job, connection, flow, set(counts)), counts):
                insert_dead_letters(connection, job.run.id, [letter(found, _cause(found, column))])
                off.add_stored(found)
        off.write(connection)
        for flow, counts in leaving.items():
            forget_rows(job, connection, flow, set(counts))
        reached("finish.duplicates-before-commit")
    return moved


def unmoved(documents: Iterable[Found]) -> Iterator[Found]:
    """Yield documents as long as none has moved.

    Raises:
        SourceError: One was changed or removed since `refuse_moved` looked at it (code `changed-under-us`); the next
            try finds it so. Sources that stand still have none.
    """
    for found in documents:
        if found.moved:
            raise SourceError(
                f"A document of {found.flow.collection} was written to or removed while it was looked at.",
                code="changed-under-us",
                where=Where(collection=found.flow.collection),
                hint="Run the same command again; what was carried is kept.",
                retryable=True,
            )
        yield found


def _documents(job: Job, connection: psycopg.Connection, flow: Flow, ids: set[str]) -> Documents:
    return Documents(job, connection, flow, ids, hold=False, shared=True)


def rows_by_flow(job: Job, connection: psycopg.Connection, table: Table, ids: set[str]) -> dict[Flow, Counter[str]]:
    """Count the rows of a root table that have some ids, by the flow they came by; flows without any are left out."""
    found = connection.execute(
        sql.SQL(
            "SELECT {flow}, {key}::text, count(*) FROM {table} WHERE {key} = ANY(%s::{kind}[]) GROUP BY 1, 2"
        ).format(
            flow=flow_column(table),
            key=sql.Identifier(key_column(table)),
            table=sql.Identifier(job.schema.schema, table.name),
            kind=key_type(table, job.schema.schema),
        ),
        (sorted(ids),),
    ).fetchall()
    rows = {flow: Counter({str(t): int(n) for number, t, n in found if number == flow.number}) for flow in table.flows}
    return {flow: counts for flow, counts in rows.items() if counts}


def _one_for_each_row(flow: Flow, documents: Iterable[Found], rows: Counter[str]) -> Iterator[Found]:
    """Yield as many documents for each id as it has rows, those that are gone last."""
    left = Counter(rows)
    for found in documents:
        if found.document and left[found.id]:
            left[found.id] -= 1
            yield found
    for text, count in left.items():
        for _ in range(count):
            yield Found(flow, text, None, b"", "removed since it was read", moved=True)


def _cause(found: Found, column: str) -> Cause:
    message = (
        f"Its _id becomes the id {found.id}, as did another form of it; one of the two was written to or removed since"
        " they were read, so none of them is kept."
    )
    return Cause("duplicate-id", "_id", message, column)
