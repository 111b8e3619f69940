"""Documents that are one thing (`on_duplicate: merge`): joined into the one with the lowest `_id`.

First it is decided who is one with whom (`groups`), and the decision is written down in `isthmus.joining`.
Then all that points at documents which are joined is made to point at the one that stays (`moves`). Then group
after group becomes one row (`rows`). A copy that was ended in between goes on with the same decision. Nothing
of a joined document is lost: where it says something else than the one that stays, the ledger of conflicts names the
columns and keeps its bytes.
"""

from __future__ import annotations

from collections.abc import Sequence

import psycopg
from psycopg import sql

from isthmus.mapping.tables import Table
from isthmus.transfer.document_rows import key_column
from isthmus.transfer.job import Job
from isthmus.transfer.joining.groups import MEMBERS, MergedTable, decide_groups, drop_groups
from isthmus.transfer.joining.joined import JOINING
from isthmus.transfer.joining.moves import move_references
from isthmus.transfer.joining.rows import join_rows
from isthmus.transfer.staging import exists
from isthmus.work.stages import reached

_STEP_DOCUMENTS = 10_000  # joined in one transaction, and the rest of the last group
_PLACE = sql.Identifier("isthmus", JOINING)


def is_joining(connection: psycopg.Connection) -> bool:
    """Tell whether documents were found to be one that are not all joined yet."""
    return exists(connection, _PLACE)


def merge_documents(job: Job, connection: psycopg.Connection, merged: Sequence[MergedTable]) -> int:
    """Join all documents that are one thing. Safe to repeat: who is joined has no row any more.

    Args:
        job: The copy, with all orphans, look-ups and routes settled.
        connection: Autocommit connection.
        merged: The root tables whose documents are joined.

    Returns:
        How many documents were joined into others.
    """
    if not is_joining(connection):
        found = decide_groups(job, connection, merged)
        if found:
            _write_down(job, connection)
        drop_groups(connection)
        if not found:
            return 0
    move_references(job, connection, _PLACE)
    total = 0
    tables = {one.table.name: one.table for one in merged}
    while step := connection.execute(
        sql.SQL("SELECT root, step FROM {} ORDER BY 1, 2 LIMIT 1").format(_PLACE)
    ).fetchone():
        job.check_stop()
        root, number = str(step[0]), int(step[1])
        with connection.transaction():
            job.lease.assert_held(connection, job.run.id)
            total += join_rows(job, connection, tables[root], _of_step(root, number))
            connection.execute(
                sql.SQL("DELETE FROM {} WHERE root = {} AND step = {}").format(
                    _PLACE, sql.Literal(root), sql.Literal(number)
                )
            )
            reached("finish.merge-before-commit")
        reached("finish.merge-after-commit")
    with connection.transaction():
        job.lease.assert_held(connection, job.run.id)
        connection.execute(sql.SQL("DROP TABLE {}").format(_PLACE))
        reached("finish.joined-before-commit")
    reached("finish.joined-after-commit")
    return total


def forget_parted(job: Job, connection: psycopg.Connection, tables: Sequence[Table]) -> None:
    """Forget that documents were joined by an earlier run which have a row of their own now. Safe to repeat.

    Args:
        job: The copy, with all documents joined that are one thing.
        connection: Autocommit connection.
        tables: The root tables whose documents are joined.
    """
    for table in tables:
        with connection.transaction():
            job.lease.assert_held(connection, job.run.id)
            connection.execute(
                sql.SQL(
                    "DELETE FROM isthmus.id_map m USING {rows} r WHERE m.origin = 'merged'"
                    " AND m.collection = ANY({names}) AND m.derived_id = r.{key}::text"
                ).format(
                    rows=sql.Identifier(job.schema.schema, table.name),
                    names=sql.Literal(list(table.collections)),
                    key=sql.Identifier(key_column(table)),
                )
            )


def _write_down(job: Job, connection: psycopg.Connection) -> None:
    """Keep the decision, and with it which groups one transaction joins."""
    with connection.transaction():
        job.lease.assert_held(connection, job.run.id)
        connection.execute(
            sql.SQL(
                "CREATE TABLE {place} AS SELECT m.*, (s.before / {size})::integer AS step FROM {members} m JOIN"
                " (SELECT root, keeper, coalesce(sum(count(*)) OVER (PARTITION BY root ORDER BY keeper"
                " ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)::bigint AS before FROM {members}"
                " GROUP BY root, keeper) s USING (root, keeper)"
            ).format(place=_PLACE, size=sql.Literal(_STEP_DOCUMENTS), members=MEMBERS)
        )
        connection.execute(sql.SQL("CREATE INDEX ON {} (root, step)").format(_PLACE))
        connection.execute(sql.SQL("ANALYZE {}").format(_PLACE))
        reached("finish.groups-before-commit")
    reached("finish.groups-after-commit")


def _of_step(root: str, number: int) -> sql.Composed:
    return sql.SQL(
        "SELECT id, keeper, place, flow, source_id FROM {} WHERE root = {} AND step = {} AND place > 0"
    ).format(_PLACE, sql.Literal(root), sql.Literal(number))
