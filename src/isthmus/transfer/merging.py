"""Documents that are one thing (`on_duplicate: merge`): joined into the one with the lowest `_id`.

Decides who is joined into whom, and in which order. What that means for rows is `merging_rows`'s. Nothing of a joined
document is lost: where it says something else than the one that stays, the ledger of conflicts names the columns and
keeps its bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cmp_to_key
from itertools import groupby

import psycopg

from isthmus._rust import compare_ids
from isthmus.mapping.tables import Index, Table
from isthmus.transfer.holders import Loser, losers
from isthmus.transfer.job import Job
from isthmus.transfer.merging_rows import Joined, join_rows
from isthmus.transfer.origins import bson_ids
from isthmus.transfer.stages import reached

_STEP_DOCUMENTS = 10_000  # joined in one transaction: each is a few hundred bytes in memory


def merge_duplicates(job: Job, connection: psycopg.Connection, table: Table, index: Index) -> int:
    """Join the documents that hold a unique value together into the one with the lowest `_id`.

    Args:
        job: The copy, with all orphans settled.
        connection: Autocommit connection.
        table: A root table whose entries say so.
        index: A unique index of it that could not be built.

    Returns:
        How many documents were joined into others. Safe to repeat: who is joined has no row any more.
    """
    total = 0
    for step in _steps(losers(job, connection, table, index, by_keeper=True)):
        job.check_stop()
        ordered = _in_order(job, connection, table, step)
        with connection.transaction():
            job.lease.assert_held(connection, job.run.id)
            join_rows(job, connection, table, ordered)
            reached("finish.merge-before-commit")
        reached("finish.merge-after-commit")
        total += len(step)
    return total


def _steps(found: Iterator[Loser]) -> Iterator[list[Loser]]:
    """Cut losers into what one transaction joins; those of one keeper stay together, so that their order is known."""
    step: list[Loser] = []
    for _, group in groupby(found, key=lambda loser: loser.keeper):
        step += group
        if len(step) >= _STEP_DOCUMENTS:
            yield step
            step = []
    if step:
        yield step


def _in_order(job: Job, connection: psycopg.Connection, table: Table, step: list[Loser]) -> list[Joined]:
    """Number the documents that are joined into one by their `_id`, of equal ones by their flow."""
    known: dict[str, bytes] = {}
    for flow in table.flows:
        mine = [loser.id for loser in step if loser.flow == flow]
        if mine:
            known |= bson_ids(job, connection, flow, mine)

    def compare(left: Loser, right: Loser) -> int:
        return compare_ids(known[left.id], known[right.id]) or left.flow.number - right.flow.number

    ordered = sorted(step, key=cmp_to_key(compare))
    return [Joined(one.flow, one.id, str(one.keeper), rank, known[one.id]) for rank, one in enumerate(ordered)]
