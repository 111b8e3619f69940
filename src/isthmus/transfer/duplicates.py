"""Documents that cannot all be in the target: two with one id, two with one unique value.

Of duplicates the document with the lowest `_id` stays (MongoDB's own order); the others become dead letters. What is
held in memory are ids, never documents; a collection is read a fixed number of times for every `PASS_IDS` ids.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain

import psycopg
from psycopg import sql

from isthmus._rust import compare_ids
from isthmus.mapping.tables import Index, Table
from isthmus.state.ledgers import Adjusted, Cause, forget_adjustments, insert_adjustments
from isthmus.state.source_ids import show
from isthmus.transfer.holders import Loser, losers
from isthmus.transfer.job import Job
from isthmus.transfer.load import copy_targets, send_rows
from isthmus.transfer.origins import PASS_ID_BYTES, PASS_IDS, Documents, Found, chunks, require_all, source_ids
from isthmus.transfer.places import SHOWN_CHARACTERS, document_path
from isthmus.transfer.remove import STEP_BYTES, delete_rows, key_column, remove_next, write_letters
from isthmus.transfer.stages import reached

_RELOAD_BYTES = 1 << 20


def settle_duplicate_ids(job: Job, connection: psycopg.Connection, table: Table) -> int:
    """Keep one document of each id that several share, the lowest `_id`; the others become dead letters.

    It happens when a dump holds a document twice, or an ObjectId and its own hex text as two ids of one collection.

    Args:
        job: The copy.
        connection: Autocommit connection.
        table: A root table without its primary key.

    Returns:
        How many ids were settled. Safe to repeat.
    """
    collection = str(table.collection)
    total = 0
    while ids := _shared_ids(job, connection, table):
        job.check_stop()
        _keep_lowest(job, connection, collection, ids)
        total += len(ids)
    return total


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
        source_id: `{"_id": value}` as BSON; None when unreadable.
        location: File and offset.
        size: Its bytes.
    """

    number: int
    source_id: bytes | None
    location: str
    size: int


def _keep_lowest(job: Job, connection: psycopg.Connection, collection: str, ids: set[str]) -> None:
    """Make dead letters of all documents but one of each id, then load that one again.

    Rows of documents with one id cannot be told apart, so they are deleted together, and only when no other document
    of the id is without its letter: after a crash in between, the ids are found again, and the documents with letters
    are passed over.
    """
    documents = Documents(job, connection, collection, ids)
    keepers: dict[str, _Keeper] = {}
    for number, found in enumerate(documents):
        known = keepers.get(found.id)
        if known is None or _is_lower(found.source_id, known.source_id):
            keepers[found.id] = _Keeper(number, found.source_id, found.location, len(found.document))
    require_all(collection, ids, keepers.keys())
    root = job.root_table(collection)
    column = f"{root.name}.{key_column(root)}"
    leaving = (found for found in documents if found.location != keepers[found.id].location)
    for first in leaving:
        with connection.transaction():
            job.lease.assert_held(connection, job.run.id)
            write_letters(
                job,
                connection,
                collection,
                chain([first], leaving),
                lambda found: _shared_id_cause(found, keepers[found.id], column),
            )
            reached("finish.duplicates-before-commit")
        reached("finish.duplicates-after-commit")
    staying = (found for found in documents if found.location == keepers[found.id].location)
    for step in _steps(keepers):
        with connection.transaction():
            job.lease.assert_held(connection, job.run.id)
            _load_again(job, connection, collection, step, staying)
            reached("finish.duplicates-before-commit")
        reached("finish.duplicates-after-commit")


def _is_lower(left: bytes | None, right: bytes | None) -> bool:
    return left is not None and right is not None and compare_ids(left, right) < 0


def _shared_id_cause(found: Found, keeper: _Keeper, column: str) -> Cause:
    message = (
        f"The source holds this _id more than once; the document at {keeper.location} is kept."
        if found.source_id == keeper.source_id
        else f"Its _id becomes the id {found.id}, as does another form of it at {keeper.location}; that one is"
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
    job: Job, connection: psycopg.Connection, collection: str, step: dict[str, _Keeper], staying: Iterator[Found]
) -> None:
    """Replace all rows of some ids by those of the documents that stay, which come next in `staying`."""
    delete_rows(job, connection, collection, step)
    # a loser with the same _id took the list of its changed values along
    source_ids = [keeper.source_id for keeper in step.values() if keeper.source_id is not None]
    forget_adjustments(connection, job.run.id, collection, source_ids)
    part: list[Found] = []
    part_bytes = 0
    loaded: set[str] = set()
    while len(loaded) < len(step) and (found := next(staying, None)) is not None:
        part.append(found)
        part_bytes += len(found.document)
        loaded.add(found.id)
        if part_bytes >= _RELOAD_BYTES:
            _load(job, connection, collection, part)
            part, part_bytes = [], 0
    _load(job, connection, collection, part)
    require_all(collection, set(step), loaded)


def _load(job: Job, connection: psycopg.Connection, collection: str, part: list[Found]) -> None:
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
    collection = str(table.collection)
    total = 0
    for chunk in chunks(losers(job, connection, table, index), lambda loser: len(loser.id) + len(loser.shown)):
        job.check_stop()
        cause = _shared_value_causes(job, connection, table, index, chunk)
        ids = {loser.id for loser in chunk}
        documents = iter(Documents(job, connection, collection, ids, hold=False))
        removed: set[str] = set()
        for first in documents:
            with connection.transaction():
                job.lease.assert_held(connection, job.run.id)
                removed |= remove_next(job, connection, collection, chain([first], documents), cause)
                reached("finish.duplicates-before-commit")
            reached("finish.duplicates-after-commit")
        require_all(collection, ids, removed)
        total += len(ids)
    return total


def _shared_value_causes(
    job: Job, connection: psycopg.Connection, table: Table, index: Index, chunk: list[Loser]
) -> Callable[[Found], Cause]:
    """Return what says why a document of a chunk leaves."""
    label = ", ".join(index.columns)
    path = document_path(job, table, index.columns)
    by_id = {loser.id: loser for loser in chunk}
    keepers = sorted({loser.keeper for loser in chunk if loser.keeper is not None})
    known = source_ids(job, connection, str(table.collection), keepers)
    texts = {keeper: text for keeper, (_, text) in zip(keepers, known, strict=True)}

    def cause(found: Found) -> Cause:
        loser = by_id[found.id]
        if loser.keeper is None:
            message = f"The document itself holds one {label} more than once; it must be unique in {table.name}."
        else:
            message = (
                f"Its {label} is also held by the document {texts[loser.keeper]}, which is kept;"
                f" {table.name} allows it once."
            )
        return Cause("duplicate-key", path, message, f"{table.name}.{label}", value=loser.shown)

    return cause
