"""Documents that cannot all be in the target: two with one id, two with one unique value.

Of duplicates the document with the lowest `_id` stays (MongoDB's own order); the others become dead letters.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import cmp_to_key

import psycopg
from psycopg import sql

from isthmus._rust import compare_ids
from isthmus.mapping.tables import Index, Table
from isthmus.state.ledgers import (
    Adjusted,
    Cause,
    forget_adjustments,
    insert_adjustments,
    insert_dead_letters,
)
from isthmus.state.source_ids import show
from isthmus.transfer.job import Job
from isthmus.transfer.load import COPY_HEADER, COPY_TRAILER, copy_targets
from isthmus.transfer.origins import Found, find_documents, require_all, source_ids
from isthmus.transfer.places import SHOWN_CHARACTERS, document_path, shown_value
from isthmus.transfer.remove import (
    CHUNK,
    OffBooks,
    delete_rows,
    key_column,
    letter,
    letter_places,
    remove_documents,
)
from isthmus.transfer.rivals import leaving
from isthmus.transfer.stages import reached

_GROUPS = 200


def settle_duplicate_ids(job: Job, connection: psycopg.Connection, table: Table) -> int:
    """Keep one document of each id that several share, the lowest `_id`; the others become dead letters.

    It happens when a dump holds a document twice, or an ObjectId and its own hex text as two ids of one collection.

    Args:
        job: The copy.
        connection: Autocommit connection.
        table: A root table without its primary key.

    Returns:
        How many documents became dead letters. Safe to repeat.
    """
    collection = str(table.collection)
    key = sql.Identifier(key_column(table))
    total = 0
    while True:
        job.check_stop()
        with connection.transaction():
            job.lease.assert_held(connection, job.run.id)
            rows = connection.execute(
                sql.SQL("SELECT {key}::text FROM {table} GROUP BY {key} HAVING count(*) > 1 LIMIT {limit}").format(
                    key=key,
                    table=sql.Identifier(job.schema.schema, table.name),
                    limit=sql.Literal(_GROUPS),
                )
            ).fetchall()
            if not rows:
                return total
            total += _keep_lowest(job, connection, collection, {str(row[0]) for row in rows})
            reached("finish.duplicates-before-commit")
        reached("finish.duplicates-after-commit")


def _keep_lowest(job: Job, connection: psycopg.Connection, collection: str, ids: set[str]) -> int:
    groups: dict[str, list[Found]] = defaultdict(list)
    gone = letter_places(job, connection, collection)
    for found in find_documents(job, collection, ids):
        if found.location not in gone and job.transcoder(collection).transcode(found.document).accepted:
            groups[found.id].append(found)
    require_all(collection, ids, set(groups))
    delete_rows(job, connection, collection, ids)
    off = OffBooks(job, collection)
    losers = 0
    keepers: list[Found] = []
    for group in groups.values():
        ordered = sorted(group, key=cmp_to_key(_order))
        keeper = ordered[0]
        for found in ordered[1:]:
            off.add(found)
            same = found.source_id == keeper.source_id
            message = (
                f"The source holds this _id more than once; the document at {keeper.location} is kept."
                if same
                else f"Its _id becomes the id {found.id}, as does another form of it at {keeper.location}; that one is"
                " kept: an ObjectId and its own hex text are one id."
            )
            value = show(found.source_id)[:SHOWN_CHARACTERS] if found.source_id else ""
            root = job.root_table(collection)
            cause = Cause("duplicate-id", "_id", message, f"{root.name}.{key_column(root)}", value=value)
            insert_dead_letters(connection, job.run.id, [letter(collection, found, cause)])
            losers += 1
        keepers.append(keeper)
    off.write(connection)
    for keeper in keepers:
        _load_again(job, connection, collection, keeper)
    return losers


def _order(left: Found, right: Found) -> int:
    if left.source_id is None or right.source_id is None:
        return 0
    return compare_ids(left.source_id, right.source_id)


def _load_again(job: Job, connection: psycopg.Connection, collection: str, keeper: Found) -> None:
    batch = job.transcoder(collection).transcode(keeper.document)
    if keeper.source_id is not None:  # a loser with the same _id took the list of its changed values along
        forget_adjustments(connection, job.run.id, collection, [keeper.source_id])
    insert_adjustments(
        connection,
        job.run.id,
        [
            Adjusted(collection, keeper.source_id, one.table, one.column, one.position, one.kind, one.original)
            for one in batch.adjustments
        ],
    )
    for target in copy_targets(job, collection):
        size = batch.size(target.index)
        if size:
            with connection.cursor().copy(target.statement) as copy:
                copy.write(COPY_HEADER)
                copy.write(batch.chunk(target.index, 0, size))
                copy.write(COPY_TRAILER)


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
    columns = sql.SQL(", ").join(sql.Identifier(name) for name in index.columns)
    present = [sql.SQL("{} IS NOT NULL").format(sql.Identifier(name)) for name in index.columns]
    if index.where:
        present.append(sql.SQL(f"({index.where}\n)"))  # pyright: ignore[reportArgumentType]  the mapping's own SQL
    query = sql.SQL(
        "SELECT array_agg({key}::text), {value} FROM {table} WHERE {present}"
        " GROUP BY {columns} HAVING count(*) > 1 LIMIT {limit}"
    ).format(
        key=sql.Identifier(key_column(table)),
        value=shown_value(table, index.columns),
        table=sql.Identifier(job.schema.schema, table.name),
        present=sql.SQL(" AND ").join(present),
        columns=columns,
        # a document of a child table may be in several groups, and who stays shows only when all of them are known
        limit=sql.Literal(CHUNK) if table.kind == "root" else sql.SQL("ALL"),
    )
    total = 0
    while True:
        job.check_stop()
        with connection.transaction():
            job.lease.assert_held(connection, job.run.id)
            groups = connection.execute(query).fetchall()
            if not groups:
                return total
            causes = _causes(job, connection, table, index, groups)
            remove_documents(job, connection, collection, causes)
            reached("finish.duplicates-before-commit")
        reached("finish.duplicates-after-commit")
        total += len(causes)


def _causes(
    job: Job, connection: psycopg.Connection, table: Table, index: Index, groups: Sequence[tuple[list[str], str]]
) -> dict[str, Cause]:
    """Return why documents must leave; a group is the ids of the rows with one value, and that value."""
    collection, label = str(table.collection), ", ".join(index.columns)
    distinct = sorted({member for members, _ in groups for member in members})
    known = list(zip(distinct, source_ids(job, connection, collection, distinct), strict=True))
    known.sort(key=cmp_to_key(_order_known))
    texts = {row_id: text for row_id, (_, text) in known}
    rank = {row_id: number for number, (row_id, _) in enumerate(known)}
    causes: dict[str, Cause] = {}
    for row_id, why in leaving([members for members, _ in groups], rank, CHUNK).items():
        if why.keeper is None:
            message = f"The document itself holds one {label} more than once; it must be unique in {table.name}."
        else:
            message = (
                f"Its {label} is also held by the document {texts[why.keeper]}, which is kept;"
                f" {table.name} allows it once."
            )
        path, value = document_path(job, table, index.columns), str(groups[why.group][1])
        causes[row_id] = Cause("duplicate-key", path, message, f"{table.name}.{label}", value=value)
    return causes


def _order_known(left: tuple[str, tuple[bytes | None, str]], right: tuple[str, tuple[bytes | None, str]]) -> int:
    (left_id, (left_source, _)), (right_id, (right_source, _)) = left, right
    if left_source is not None and right_source is not None:
        return compare_ids(left_source, right_source)
    return (left_id > right_id) - (left_id < right_id)
