"""Documents that cannot all be in the target: two with one id, two with one unique value, one with an endless key.

Of duplicates the document with the lowest `_id` stays (MongoDB's own order); the others become dead letters. Which
keys are too long is the server's word: every candidate is offered to an index of the same shape.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cmp_to_key

import psycopg
from psycopg import sql

from isthmus._rust import compare_ids
from isthmus.mapping.tables import Index, Table
from isthmus.state.ledgers import Cause, insert_dead_letters
from isthmus.transfer.job import Job
from isthmus.transfer.load import COPY_HEADER, COPY_TRAILER, copy_targets
from isthmus.transfer.origins import Found, find_documents, require_all, source_ids
from isthmus.transfer.remove import CHUNK, delete_rows, key_column, letter, remove_documents, take_off_books
from isthmus.transfer.stages import reached

_GROUPS = 200
# The longest btree entry is 2,704 bytes after compression (PostgreSQL, "index row size exceeds btree version 4
# maximum"); text shorter than this never reaches it in any encoding of a key column.
_SURELY_SHORT_BYTES = 1_300


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


def _keep_lowest(job: Job, connection: psycopg.Connection, collection: str, ids: set[str]) -> int:
    groups: dict[str, list[Found]] = defaultdict(list)
    for found in find_documents(job, collection, ids):
        if job.transcoder(collection).transcode(found.document).accepted:
            groups[found.id].append(found)
    require_all(collection, ids, set(groups))
    delete_rows(job, connection, collection, ids)
    losers = 0
    for group in groups.values():
        ordered = sorted(group, key=cmp_to_key(_order))
        keeper = ordered[0]
        for found in ordered[1:]:
            take_off_books(job, connection, collection, found)
            same = found.source_id == keeper.source_id
            message = (
                f"The source holds this _id more than once; the document at {keeper.location} is kept."
                if same
                else f"Its _id becomes the id {found.id}, as does another form of it at {keeper.location}; that one is"
                " kept: an ObjectId and its own hex text are one id."
            )
            cause = Cause("duplicate-id", "_id", message, f"{job.root_table(collection).name}.id")
            insert_dead_letters(connection, job.run.id, [letter(collection, found, cause)])
            losers += 1
        _load_again(job, connection, collection, keeper.document)
    return losers


def _order(left: Found, right: Found) -> int:
    if left.source_id is None or right.source_id is None:
        return 0
    return compare_ids(left.source_id, right.source_id)


def _load_again(job: Job, connection: psycopg.Connection, collection: str, document: bytes) -> None:
    batch = job.transcoder(collection).transcode(document)
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
        present.append(sql.SQL(f"({index.where})"))  # pyright: ignore[reportArgumentType]  the mapping's own SQL
    query = sql.SQL(
        "SELECT array_agg({key}::text) FROM {table} WHERE {present}"
        " GROUP BY {columns} HAVING count(*) > 1 LIMIT {limit}"
    ).format(
        key=sql.Identifier(key_column(table)),
        table=sql.Identifier(job.schema.schema, table.name),
        present=sql.SQL(" AND ").join(present),
        columns=columns,
        limit=sql.Literal(_GROUPS),
    )
    label = ", ".join(index.columns)
    total = 0
    while True:
        job.check_stop()
        with connection.transaction():
            job.lease.assert_held(connection, job.run.id)
            groups = connection.execute(query).fetchall()
            if not groups:
                return total
            causes: dict[str, Cause] = {}
            for (members,) in groups:
                for row_id, message in _losers(job, connection, collection, table, members, label):
                    causes.setdefault(row_id, Cause("duplicate-key", label, message, f"{table.name}.{label}"))
                if len(causes) >= CHUNK:
                    break
            remove_documents(job, connection, collection, causes)
            reached("finish.duplicates-before-commit")
        total += len(causes)


def _losers(
    job: Job, connection: psycopg.Connection, collection: str, table: Table, members: list[str], label: str
) -> list[tuple[str, str]]:
    """Return (id, message) of the documents that must go from one group of rows with the same value."""
    distinct = sorted(set(members))
    if len(distinct) == 1:
        return [(distinct[0], f"The document itself holds one {label} twice; it must be unique in {table.name}.")]
    known = list(zip(distinct, source_ids(job, connection, collection, distinct), strict=True))
    known.sort(key=cmp_to_key(_order_known))
    (_, (_, keeper)) = known[0]
    return [
        (row_id, f"Its {label} is also held by the document {keeper}, which is kept; {table.name} allows it once.")
        for row_id, _ in known[1:]
    ]


def _order_known(left: tuple[str, tuple[bytes | None, str]], right: tuple[str, tuple[bytes | None, str]]) -> int:
    (left_id, (left_source, _)), (right_id, (right_source, _)) = left, right
    if left_source is not None and right_source is not None:
        return compare_ids(left_source, right_source)
    return (left_id > right_id) - (left_id < right_id)


def settle_long_keys(job: Job, connection: psycopg.Connection, table: Table, index: Index) -> int:
    """Turn documents whose key no index entry can hold into dead letters.

    Args:
        job: The copy.
        connection: Autocommit connection.
        table: Root or child table.
        index: Its unique index, or its primary key as one, that could not be built.

    Returns:
        How many documents became dead letters. Safe to repeat.
    """
    collection = str(table.collection)
    label = ", ".join(index.columns)
    columns = sql.SQL(", ").join(sql.Identifier(name) for name in index.columns)
    size = sql.SQL(" + ").join(
        sql.SQL("coalesce(octet_length({}::text), 0)").format(sql.Identifier(name)) for name in index.columns
    )
    with connection.transaction():
        job.lease.assert_held(connection, job.run.id)
        candidates = connection.execute(
            sql.SQL("SELECT DISTINCT {key}::text FROM {table} WHERE {size} > {short}").format(
                key=sql.Identifier(key_column(table)),
                table=sql.Identifier(job.schema.schema, table.name),
                size=size,
                short=sql.Literal(_SURELY_SHORT_BYTES),
            )
        ).fetchall()
        connection.execute(
            sql.SQL("CREATE TEMP TABLE trial ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA").format(
                columns, sql.Identifier(job.schema.schema, table.name)
            )
        )
        connection.execute(sql.SQL("CREATE INDEX trial_key ON trial ({})").format(columns))
        causes: dict[str, Cause] = {}
        for (row_id,) in candidates:
            words = _refusal(connection, job, table, columns, str(row_id))
            if words is not None:
                causes[str(row_id)] = Cause(
                    "key-too-long", label, f"Its {label} is too long for a key: {words}.", f"{table.name}.{label}"
                )
            if len(causes) >= CHUNK:
                break
        if causes:
            remove_documents(job, connection, collection, causes)
        reached("finish.long-keys-before-commit")
    return len(causes)


def _refusal(connection: psycopg.Connection, job: Job, table: Table, columns: sql.Composed, row_id: str) -> str | None:
    """Offer one document's key to the trial index; return the server's words if it refuses."""
    try:
        with connection.transaction():
            connection.execute(
                sql.SQL("INSERT INTO trial SELECT {columns} FROM {table} WHERE {key}::text = {id}").format(
                    columns=columns,
                    table=sql.Identifier(job.schema.schema, table.name),
                    key=sql.Identifier(key_column(table)),
                    id=sql.Literal(row_id),
                )
            )
    except psycopg.errors.ProgramLimitExceeded as fault:
        return fault.diag.message_primary or "index row too large"
    return None
