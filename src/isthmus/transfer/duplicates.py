"""Documents that cannot all be in the target: two with one id, two with one unique value, one with an endless key.

Of duplicates the document with the lowest `_id` stays (MongoDB's own order); the others become dead letters. Which
keys are too long is the server's word: every candidate is offered to an index of the same shape.
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
from isthmus.transfer.places import document_path, sensitive
from isthmus.transfer.remove import (
    CHUNK,
    Leaving,
    delete_rows,
    key_column,
    letter,
    letter_places,
    remove_documents,
)
from isthmus.transfer.rivals import leaving
from isthmus.transfer.stages import reached

_GROUPS = 200
# The longest btree entry is 2,704 bytes after compression (PostgreSQL, "index row size exceeds btree version 4
# maximum"); text shorter than this never reaches it in any encoding of a key column.
_SURELY_SHORT_BYTES = 1_300
_SHOWN_CHARACTERS = 80


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
    leaving = Leaving(job, collection)
    losers = 0
    keepers: list[Found] = []
    for group in groups.values():
        ordered = sorted(group, key=cmp_to_key(_order))
        keeper = ordered[0]
        for found in ordered[1:]:
            leaving.add(found)
            same = found.source_id == keeper.source_id
            message = (
                f"The source holds this _id more than once; the document at {keeper.location} is kept."
                if same
                else f"Its _id becomes the id {found.id}, as does another form of it at {keeper.location}; that one is"
                " kept: an ObjectId and its own hex text are one id."
            )
            value = show(found.source_id)[:_SHOWN_CHARACTERS] if found.source_id else ""
            root = job.root_table(collection)
            cause = Cause("duplicate-id", "_id", message, f"{root.name}.{key_column(root)}", value=value)
            insert_dead_letters(connection, job.run.id, [letter(collection, found, cause)])
            losers += 1
        keepers.append(keeper)
    leaving.write(connection)
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
        "SELECT array_agg({key}::text), left({value}, {shown}) FROM {table} WHERE {present}"
        " GROUP BY {columns} HAVING count(*) > 1 LIMIT {limit}"
    ).format(
        key=sql.Identifier(key_column(table)),
        value=_value(table, index.columns),
        shown=sql.Literal(_SHOWN_CHARACTERS),
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


def _value(table: Table, columns: tuple[str, ...]) -> sql.Composable:
    """Return SQL of what a message may show of these columns' values."""
    if sensitive(table, columns):
        return sql.Literal("(hidden)")
    texts = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(name)) for name in columns)
    return sql.SQL("concat_ws(', ', {})").format(texts)


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
    label, path = ", ".join(index.columns), document_path(job, table, index.columns)
    columns = sql.SQL(", ").join(sql.Identifier(name) for name in index.columns)
    held = sql.SQL(f"({index.where}\n)" if index.where else "true")  # pyright: ignore[reportArgumentType]  the mapping's own SQL
    size = sql.SQL(" + ").join(
        sql.SQL("coalesce(octet_length({}::text), 0)").format(sql.Identifier(name)) for name in index.columns
    )
    with connection.transaction():
        job.lease.assert_held(connection, job.run.id)
        candidates = connection.execute(
            sql.SQL(
                "SELECT DISTINCT ON (1) {key}::text, left({value}, {shown}) FROM {table}"
                " WHERE {size} > {short} AND {held} ORDER BY 1"
            ).format(
                key=sql.Identifier(key_column(table)),
                value=_value(table, index.columns),
                shown=sql.Literal(_SHOWN_CHARACTERS),
                held=held,
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
        for row_id, value in candidates:
            words = _refusal(connection, job, table, columns, held, str(row_id))
            if words is not None:
                message = f"Its {label} is too long for a key: {words}."
                causes[str(row_id)] = Cause("key-too-long", path, message, f"{table.name}.{label}", value=str(value))
            if len(causes) >= CHUNK:
                break
        if causes:
            remove_documents(job, connection, collection, causes)
        reached("finish.long-keys-before-commit")
    reached("finish.long-keys-after-commit")
    return len(causes)


def _refusal(
    connection: psycopg.Connection, job: Job, table: Table, columns: sql.Composed, held: sql.Composable, row_id: str
) -> str | None:
    """Offer one document's key to the trial index; return the server's words if it refuses."""
    try:
        with connection.transaction():
            connection.execute(
                sql.SQL("INSERT INTO trial SELECT {columns} FROM {table} WHERE {key}::text = {id} AND {held}").format(
                    columns=columns,
                    table=sql.Identifier(job.schema.schema, table.name),
                    key=sql.Identifier(key_column(table)),
                    id=sql.Literal(row_id),
                    held=held,
                )
            )
    except psycopg.errors.ProgramLimitExceeded as fault:
        return fault.diag.message_primary or "index row too large"
    return None
