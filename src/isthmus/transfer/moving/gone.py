"""Names documents that a source no longer holds, by what the target remembers of them.

The run keeps a digest of every `_id`, not the `_id`. So the ids that the target does hold are gone through, those of
dead letters, of the id map and of rows, and their digests say which of them are sought. Nothing can be named that was
left behind by a rule, or whose table keeps no id and that no map knows.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Collection, Iterable, Iterator
from itertools import islice

import bson
import psycopg
from bson import Binary, Decimal128, ObjectId
from bson.errors import BSONError
from psycopg import sql

from isthmus.errors import ConfigError
from isthmus.mapping.model import Flow
from isthmus.mapping.tables import Table, build_schema
from isthmus.state.source_ids import parse, show, value_of
from isthmus.transfer.job import Job

_AT_ONCE = 2_000

Named = tuple[bytes, str]
"""`{"_id": value}` as BSON, and the same for people."""


def find_gone(job: Job, connection: psycopg.Connection, collection: str, digests: Collection[bytes]) -> Iterator[str]:
    """Yield the ids, for people, of documents with these digests of `_id`, as far as the target holds them.

    Reads the target only, and no further than asked for; memory stays flat.

    Args:
        job: The copy.
        connection: In a transaction; gets server-side cursors.
        collection: Their source collection.
        digests: The first eight bytes of `document_digests`, as `_rust.Batch` has them.
    """
    transcoder, sought = job.transcoder(collection), set(digests)
    known = _known(job, connection, collection)
    while sought and (some := list(islice(known, _AT_ONCE))):
        job.check_stop()
        found = transcoder.transcode(b"".join(source_id for source_id, _ in some)).document_digests
        for number, (_, name) in enumerate(some):
            digest = found[number * 16 : number * 16 + 8]
            if digest in sought:
                sought.remove(digest)
                yield name


def _known(job: Job, connection: psycopg.Connection, collection: str) -> Iterator[Named]:
    """Yield every `_id` of a collection that the target holds; some several times, some in several types."""
    given = (job.run.id, collection)
    yield from _shown(
        connection, "SELECT source_id FROM isthmus.dead_letter WHERE run_id = %s AND collection = %s", given
    )
    yield from _shown(connection, "SELECT source_id FROM isthmus.id_map WHERE collection = %s", (collection,))
    schemas = [job.schema] if job.existing is None else [job.schema, build_schema(job.mapping)]
    for schema in schemas:
        for flow in job.mapping.flows_of(collection):
            table = schema.tables[job.mapping.collections[flow.entry].table]
            yield from _of_rows(job, connection, schema.schema, table, flow)


def _shown(connection: psycopg.Connection, query: str, given: Iterable[object]) -> Iterator[Named]:
    with connection.cursor(name="isthmus_gone") as cursor:
        cursor.itersize = _AT_ONCE
        for (source_id,) in cursor.execute(query.encode(), tuple(given)):
            if source_id is not None:
                yield bytes(source_id), show(bytes(source_id))


def _of_rows(job: Job, connection: psycopg.Connection, schema: str, table: Table, flow: Flow) -> Iterator[Named]:
    """Yield the `_id` that the ids of a table's rows tell: those that came from ObjectIds, and those that were kept."""
    column = next(column for column in table.columns if column.role == "id")
    place = sql.Identifier(schema, table.name).as_string(connection)
    there = connection.execute(
        "SELECT FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attname = %s AND NOT attisdropped",
        (place, column.name),
    )
    if not there.rowcount:
        return
    kept = job.mapping.collections[flow.entry].ids == "keep"
    with connection.cursor(name="isthmus_gone") as cursor:
        cursor.itersize = _AT_ONCE
        query = sql.SQL("SELECT {}::text FROM {}").format(
            sql.Identifier(column.name), sql.Identifier(schema, table.name)
        )
        for (text,) in cursor.execute(query):
            if text is None:
                continue
            if kept:
                yield from _meanings(str(text))
            elif (object_id := job.codec.reverse(str(text))) is not None:
                yield bson.encode({"_id": ObjectId(object_id)}), object_id.hex()


def _meanings(text: str) -> Iterator[Named]:
    """Yield what a kept id may have been, for the target no longer says of which type; a number reads as it stands."""
    with contextlib.suppress(ValueError):
        yield bson.encode({"_id": Binary.from_uuid(uuid.UUID(text))}), text
    try:
        for meaning in parse(text):
            number = isinstance(value_of(meaning), int | float | Decimal128)
            yield meaning, text if number else show(meaning)
    except (ConfigError, BSONError):
        return
