"""Documents that cannot all be in the target: two with one id, two with one unique value.

Of duplicates the document with the lowest `_id` stays (MongoDB's own order), of equal ones from several source
collections that of the flow that comes first; the others become dead letters. What is held in memory are ids, never
documents; a collection is read a fixed number of times for every `PASS_IDS` ids and each of its flows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import chain

import psycopg
from psycopg import sql

from isthmus._rust import compare_ids
from isthmus.mapping.model import Flow
from isthmus.mapping.tables import Index, Table
from isthmus.sources.protocol import Source
from isthmus.state.ledgers import Adjusted, Cause, forget_adjustments, insert_adjustments
from isthmus.state.source_ids import show
from isthmus.transfer.document_rows import delete_rows, key_column
from isthmus.transfer.finishing.holders import Loser, losers
from isthmus.transfer.finishing.origins import (
    PASS_ID_BYTES,
    PASS_IDS,
    Documents,
    Found,
    chunks,
    ids_of_flow,
    require_all,
)
from isthmus.transfer.finishing.places import SHOWN_CHARACTERS, document_path
from isthmus.transfer.finishing.remove import STEP_BYTES, remove_next, write_letters
from isthmus.transfer.finishing.shared_ids import refuse_moved, rows_by_flow, unmoved
from isthmus.transfer.job import Job
from isthmus.transfer.loading.load import copy_targets, send_rows
from isthmus.work.stages import reached

_RELOAD_BYTES = 1 << 20


def settle_duplicate_ids(job: Job, connection: psycopg.Connection, table: Table) -> int:
    """Keep one document of each id that several share, the lowest `_id`; the others become dead letters.

    It happens when a dump holds a document twice, when a collection has an ObjectId and its own hex text as two ids,
    and when two source collections of one table have one ObjectId.

    Args:
        job: The copy.
        connection: Autocommit connection.
        table: A root table without its primary key.

    Returns:
        How many ids were settled. Safe to repeat.
    """
    total = 0
    while ids := _shared_ids(job, connection, table):
        job.check_stop()
        with _in_one_go(job, connection):
            left = ids - refuse_moved(job, connection, table, ids) if job.source.moves else ids
            if left:
                _keep_lowest(job, connection, table, left)
        total += len(ids)
    return total


def _in_one_go(job: Job, connection: psycopg.Connection) -> AbstractContextManager[object]:
    """Return a transaction where the source moves: after a crash between two it may no longer hold what was found."""
    return connection.transaction() if job.source.moves else nullcontext()


def _shared_ids(job: Job, connection: psycopg.Connection, table: Table) -> set[str]:
    """Return ids that several rows have, as many as one pass over the source looks for."""
    rows = connection.execute(
        sql.SQL(
            "SELECT shared FROM (SELECT shared, sum(octet_length(shared)) OVER (ORDER BY shared"
            " ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS bytes_before"
            " FROM (SELECT {key}::text AS shared FROM {table} GROUP BY {key} HAVING count(*) > 1) AS d) AS w"
            " WHERE bytes_before IS NULL OR bytes_before < {id_bytes} LIMIT {limit}"
        ).format(
            key=sql.Identifier(key_column(table)),
            table=sql.Identifier(job.schema.schema, table.name),
            id_bytes=sql.Literal(PASS_ID_BYTES),
            limit=sql.Literal(PASS_IDS),
        )
    ).fetchall()
    return {str(row[0]) for row in rows}


@dataclass(frozen=True, slots=True)
class _Keeper:
    """The document that stays with an id.

    Attributes:
        number: How many documents of the pass came before it.
        flow: Its flow.
        source_id: `{"_id": value}` as BSON; None when unreadable.
        location: File and offset.
        size: Its bytes.
    """

    number: int
    flow: Flow
    source_id: bytes | None
    location: str
    size: int

    def is_(self, found: Found, source: Source) -> bool:
        """Tell whether a document that was found once more is this one.

        A file may hold an `_id` twice; a running server may not, but places there move with what stands before them.
        """
        if found.flow != self.flow:
            return False
        return found.source_id == self.source_id if source.moves else found.location == self.location


def _keep_lowest(job: Job, connection: psycopg.Connection, table: Table, ids: set[str]) -> None:
    """Make dead letters of all documents but one of each id, then load that one again.

    Rows of documents with one id cannot be told apart, so they are deleted together, and only when no other document
    of the id is without its letter: after a crash in between, the ids are found again, and the documents with letters
    are passed over.
    """
    first, *others = table.flows
    rows = rows_by_flow(job, connection, table, ids) if others else {first: ids}
    passes = [
        Documents(job, connection, flow, set(mine), shared=True, others=len(rows) - 1) for flow, mine in rows.items()
    ]
    keepers: dict[str, _Keeper] = {}
    for number, found in enumerate(unmoved(chain(*passes))):
        known = keepers.get(found.id)
        if known is None or _is_lower(found.source_id, known.source_id):
            keepers[found.id] = _Keeper(number, found.flow, found.source_id, found.location, len(found.document))
    require_all(table.name, ids, keepers.keys())
    column = f"{table.name}.{key_column(table)}"
    leaving = (found for found in unmoved(chain(*passes)) if not keepers[found.id].is_(found, job.source))
    for first in leaving:
        with connection.transaction():
            job.lease.assert_held(connection, job.run.id)
            write_letters(
                job,
                connection,
                chain([first], leaving),
                lambda found: _shared_id_cause(found, keepers[found.id], column),
            )
            reached("finish.duplicates-before-commit")
        reached("finish.duplicates-after-commit")
    staying = (found for found in unmoved(chain(*passes)) if keepers[found.id].is_(found, job.source))
    for step in _steps(keepers):
        with connection.transaction():
            job.lease.assert_held(connection, job.run.id)
            _load_again(job, connection, table, step, staying)
            reached("finish.duplicates-before-commit")
        reached("finish.duplicates-after-commit")


def _is_lower(left: bytes | None, right: bytes | None) -> bool:
    return left is not None and right is not None and compare_ids(left, right) < 0


def _shared_id_cause(found: Found, keeper: _Keeper, column: str) -> Cause:
    if found.flow.collection != keeper.flow.collection:
        message = (
            f"Its _id becomes the id {found.id}, as does that of the document at {keeper.location}, of the collection"
            f" {keeper.flow.collection}; that one is kept: both collections fill one table."
        )
    elif found.source_id == keeper.source_id:
        message = f"The source holds this _id more than once; the document at {keeper.location} is kept."
    else:
        message = (
            f"Its _id becomes the id {found.id}, as does another form of it at {keeper.location}; that one is"
            " kept: an ObjectId and its own hex text are one id."
        )
    value = show(found.source_id)[:SHOWN_CHARACTERS] if found.source_id else ""
    return Cause("duplicate-id", "_id", message, column, value=value)


def _steps(keepers: dict[str, _Keeper]) -> Iterator[dict[str, _Keeper]]:
    """Cut what is loaded again into what one transaction carries, in source order."""
    step: dict[str, _Keeper] = {}
    size = 0
    for key, keeper in sorted(keepers.items(), key=lambda item: item[1].number):
        if step and size + keeper.size > STEP_BYTES:
            yield step
            step, size = {}, 0
        step[key] = keeper
        size += keeper.size
    if step:
        yield step


def _load_again(
    job: Job, connection: psycopg.Connection, table: Table, step: dict[str, _Keeper], staying: Iterator[Found]
) -> None:
    """Replace all rows of some ids by those of the documents that stay, which come next in `staying`."""
    for flow in table.flows:
        delete_rows(job, connection, flow, step)
    # a loser with the same _id took the list of its changed values along
    for collection in {keeper.flow.collection for keeper in step.values()}:
        mine = [k.source_id for k in step.values() if k.source_id is not None and k.flow.collection == collection]
        forget_adjustments(connection, job.run.id, collection, mine)
    part: list[Found] = []
    part_bytes = 0
    loaded: set[str] = set()
    while len(loaded) < len(step) and (found := next(staying, None)) is not None:
        if part and (part_bytes >= _RELOAD_BYTES or part[0].flow != found.flow):
            _load(job, connection, part)
            part, part_bytes = [], 0
        part.append(found)
        part_bytes += len(found.document)
        loaded.add(found.id)
    if part:
        _load(job, connection, part)
    require_all(table.name, set(step), loaded)


def _load(job: Job, connection: psycopg.Connection, part: list[Found]) -> None:
    """Load documents of one flow."""
    collection = part[0].flow.collection
    batch = job.transcoder(collection).transcode(b"".join(found.document for found in part))
    insert_adjustments(
        connection,
        job.run.id,
        [
            Adjusted(
                collection, part[one.document].source_id, one.table, one.column, one.position, one.kind, one.original
            )
            for one in batch.adjustments
        ],
    )
    for target in copy_targets(job, collection):
        if batch.rows(target.index):
            send_rows(connection, target, batch)


def settle_duplicate_keys(job: Job, connection: psycopg.Connection, table: Table, index: Index) -> int:
    """Keep one document of each unique value that several hold, the lowest `_id`; the others become dead letters.

    Args:
        job: The copy.
        connection: Autocommit connection.
        table: Root or child table.
        index: A unique index of it that could not be built.

    Returns:
        How many documents became dead letters. Safe to repeat.
    """
    total = 0
    for chunk in chunks(losers(job, connection, table, index), lambda loser: len(loser.id) + len(loser.shown)):
        job.check_stop()
        causes = _shared_value_causes(job, connection, table, index, chunk)
        for flow in table.flows:
            mine = {loser.id for loser in chunk if loser.flow == flow}
            if mine:
                _remove(job, connection, flow, mine, causes)
        total += len(chunk)
    return total


def _remove(
    job: Job, connection: psycopg.Connection, flow: Flow, ids: set[str], cause: Callable[[Found], Cause]
) -> None:
    documents = iter(Documents(job, connection, flow, ids, hold=False))
    removed: set[str] = set()
    for first in documents:
        with connection.transaction():
            job.lease.assert_held(connection, job.run.id)
            removed |= remove_next(job, connection, flow, chain([first], documents), cause)
            reached("finish.duplicates-before-commit")
        reached("finish.duplicates-after-commit")
    require_all(flow.collection, ids, removed)


def _shared_value_causes(
    job: Job, connection: psycopg.Connection, table: Table, index: Index, chunk: list[Loser]
) -> Callable[[Found], Cause]:
    """Return what says why a document of a chunk leaves."""
    label = ", ".join(index.columns)
    paths = {flow: document_path(job, table, index.columns, flow) for flow in table.flows}
    by_id = {loser.id: loser for loser in chunk}
    texts: dict[str, str] = {}
    for flow in table.flows:
        keepers = sorted({one.keeper for one in chunk if one.keeper is not None and one.keeper_flow == flow})
        known = ids_of_flow(job, connection, flow, keepers)
        texts |= {keeper: text for keeper, (_, text) in zip(keepers, known, strict=True)}

    def cause(found: Found) -> Cause:
        loser = by_id[found.id]
        if loser.keeper is None:
            message = f"The document itself holds one {label} more than once; it must be unique in {table.name}."
        else:
            keeper = loser.keeper_flow or loser.flow
            of = f" of {keeper.collection}" if keeper.collection != loser.flow.collection else ""
            message = (
                f"Its {label} is also held by the document {texts[loser.keeper]}{of}, which is kept;"
                f" {table.name} allows it once."
            )
        return Cause("duplicate-key", paths[loser.flow], message, f"{table.name}.{label}", value=loser.shown)

    return cause
