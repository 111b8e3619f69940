"""From an id in the target back to the document in the source.

Ids that came from an ObjectId are reversed with the key; all others stand in `isthmus.id_map`. Documents are found
again by reading their collection once and deriving every id anew, so nothing about where a row came from has to be
stored beside it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import bson
import psycopg
from bson import ObjectId

from isthmus._rust import source_id as document_id
from isthmus.errors import SourceError
from isthmus.state.source_ids import show
from isthmus.state.statements import statement
from isthmus.transfer.job import Job

_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True)
class Found:
    """A document found again.

    Attributes:
        id: Its id in the target, as text.
        source_id: `{"_id": value}` as BSON; None when unreadable.
        document: The original bytes.
        location: File and offset.
    """

    id: str
    source_id: bytes | None
    document: bytes
    location: str


def id_scheme(job: Job, collection: str) -> str:
    """Return how a collection's ids are made: uuid, cuid2 or keep."""
    return str(json.loads(job.plans[collection])["ids"])


def source_ids(
    job: Job, connection: psycopg.Connection, collection: str, ids: list[str]
) -> list[tuple[bytes | None, str]]:
    """Return (`{"_id": …}` BSON or None, text for people) for each id, in order.

    With `ids: keep` the id is the text itself and its BSON type is not known.
    """
    if id_scheme(job, collection) == "keep":
        return [(None, text) for text in ids]
    known: dict[str, bytes] = {}
    for text, source_id in connection.execute(
        statement("ledger", "ids_by_id"), {"collection": collection, "ids": ids}
    ).fetchall():
        known[str(text)] = bytes(source_id)
    result: list[tuple[bytes | None, str]] = []
    for text in ids:
        source_id = known.get(text)
        if source_id is None:
            object_id = job.codec.reverse(text)
            source_id = bson.encode({"_id": ObjectId(object_id)}) if object_id else None
        result.append((source_id, show(source_id) if source_id else text))
    return result


def find_documents(job: Job, collection: str, ids: set[str]) -> Iterator[Found]:
    """Yield every document of a collection whose id is wanted, in source order.

    Reads the whole collection once; an id that several documents share is yielded several times. Memory: one block
    and one document.
    """
    transcoder = job.transcoder(collection)
    wanted = sorted(ids)
    for partition in job.source.partitions(collection, 1):
        for block in job.source.read(partition, after=None, until=None, max_bytes=_BLOCK_BYTES):
            job.check_stop()
            for offset, length, number in transcoder.find(block.data, wanted):
                document = block.data[offset : offset + length]
                yield Found(
                    wanted[number],
                    document_id(document),
                    document,
                    job.source.locate(block.start, offset, collection=collection),
                )


def require_all(collection: str, wanted: set[str], found: set[str]) -> None:
    """Raise unless every wanted document was found.

    Raises:
        SourceError: The source no longer holds a document whose row is in the target.
    """
    missing = wanted - found
    if missing:
        raise SourceError(
            f"{len(missing)} documents of {collection} have rows in the target and are no longer in the source,"
            f" for example the one with id {min(missing)}.",
            code="document-gone",
            hint="The source must stay as it is until the copy is complete; give it back, or start over with --fresh.",
        )
