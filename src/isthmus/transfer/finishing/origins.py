"""From an id in the target back to the document in the source.

Ids that came from an ObjectId are reversed with the key; all others stand in `isthmus.id_map`. Documents are found
again by reading their collection once and deriving every id anew, so nothing about where a row came from has to be
stored beside it. How often a collection is read depends on how many ids are looked for (`PASS_IDS`), and memory on
neither the number nor the size of the documents.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TypeVar

import bson
import psycopg
from bson import ObjectId
from psycopg import sql

from isthmus._rust import document_digest
from isthmus._rust import source_id as document_id
from isthmus.errors import InternalError, SourceError
from isthmus.mapping.model import Flow
from isthmus.mapping.plan_tables import flow_of
from isthmus.mapping.references import point
from isthmus.state.source_ids import show
from isthmus.state.statements import statement
from isthmus.transfer.job import Job
from isthmus.transfer.moving.carried import CarriedDocuments

T = TypeVar("T")

# Most ids looked for in one pass over a collection, by number and by their bytes as text.
PASS_IDS = 100_000
PASS_ID_BYTES = 16 << 20

# The ids are handed to the core again with every block, so many ids want large blocks.
_BLOCK_BYTES = 1 << 20
_BLOCK_BYTES_PER_ID = 80
_LARGEST_BLOCK_BYTES = 8 << 20

_HELD_BYTES = 16 << 20
_FOUND_BYTES = 500  # what a document that is held costs beside its bytes


@dataclass(frozen=True, slots=True)
class Found:
    """A document found again.

    Attributes:
        flow: The flow that its rows came by.
        id: Its id in the target, as text.
        source_id: `{"_id": value}` as BSON; None when unreadable.
        document: The original bytes; where it moved those it has now, none when it is gone.
        location: File and offset.
        moved: Whether the run carried it with other content: a source that moves has changed or lost it since.
    """

    flow: Flow
    id: str
    source_id: bytes | None
    document: bytes
    location: str
    moved: bool = False


def id_scheme(job: Job, collection: str) -> str:
    """Return how ids are made (uuid, cuid2 or keep), by the name they are hashed with: a source collection or an entry.

    Where entries of several schemes read one source collection, it is that of the first.
    """
    pointer = point(job.mapping, collection)
    if pointer is None:
        raise KeyError(collection)
    return job.mapping.collections[pointer.entry].ids


def source_ids(
    job: Job, connection: psycopg.Connection, collection: str, ids: list[str], *, scheme: str | None = None
) -> list[tuple[bytes | None, str]]:
    """Return (`{"_id": …}` BSON or None, text for people) for each id, in order.

    With `ids: keep` the id is the text itself and its BSON type is not known.

    Args:
        job: The copy.
        connection: Knows the id map.
        collection: The name that ids are hashed with.
        ids: Ids in the target, as text.
        scheme: How they are made; None asks the mapping.
    """
    if (scheme or id_scheme(job, collection)) == "keep":
        return [(None, text) for text in ids]
    joined = job.mapping.joins(job.mapping.collections)
    name = "ids_by_id" if job.existing is None and not joined else "ids_by_derived_id"
    known: dict[str, bytes] = {}
    for text, source_id in connection.execute(
        statement("ledger", name), {"collection": collection, "ids": ids}
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


def ids_of_flow(job: Job, connection: psycopg.Connection, flow: Flow, ids: list[str]) -> list[tuple[bytes | None, str]]:
    """Return the `_id` behind each id of a flow's documents, as `source_ids`."""
    return source_ids(job, connection, flow.collection, ids, scheme=job.mapping.collections[flow.entry].ids)


def bson_ids(job: Job, connection: psycopg.Connection, flow: Flow, ids: Collection[str]) -> dict[str, bytes]:
    """Return the `_id` of the document behind each id, as `{"_id": value}` BSON, by which documents are ordered.

    With `ids: keep` the target does not tell a number from another one or a text from an ObjectId, so the source is
    read, once for every `PASS_IDS` ids.

    Raises:
        SourceError: The source cannot be read, or no longer holds a document.
        InternalError: An id was not derived by this target's key and stands in no map (code `id-unknown`).
    """
    found: dict[str, bytes | None] = {}
    for chunk in chunks(ids, len):
        if job.mapping.collections[flow.entry].ids == "keep":
            for document in Documents(job, connection, flow, set(chunk), hold=False):
                # of one that is gone any order will do, as long as it stays the same
                gone = bson.encode({"_id": document.id}) if document.moved else None
                found[document.id] = document.source_id or gone
            require_all(flow.collection, set(chunk), found.keys())
        else:
            known = ids_of_flow(job, connection, flow, chunk)
            found.update((text, source_id) for text, (source_id, _) in zip(chunk, known, strict=True))
    known_ids = {text: source_id for text, source_id in found.items() if source_id is not None}
    if len(known_ids) < len(found):
        unknown = min(found.keys() - known_ids.keys())
        raise InternalError(
            f"A row of {flow.collection} has the id {unknown}, which no _id of the source gives.",
            code="id-unknown",
            hint="Was a row of the target changed or added while the copy worked? Start over with --fresh.",
        )
    return known_ids


def chunks(items: Iterable[T], size: Callable[[T], int]) -> Iterator[list[T]]:
    """Cut items into lists of as many as one pass over the source looks for; `size` gives the bytes of an item's id."""
    chunk: list[T] = []
    held = 0
    for item in items:
        if chunk and (len(chunk) >= PASS_IDS or held + size(item) > PASS_ID_BYTES):
            yield chunk
            chunk, held = [], 0
        chunk.append(item)
        held += size(item)
    if chunk:
        yield chunk


class Documents:
    """The documents of a flow whose rows have one of some ids, in source order; may be gone through several times.

    Dead letters of the load and of duplicate ids that were there at the beginning are not among them, nor is what the
    core rejects or skips: they may share an id with a document that has rows, and have none themselves.

    Of a source that moves, every id sought has a document: a changed one comes as it is now, one that is gone comes
    last and without bytes, both marked as `moved`. What was written under an id only after the run had read is none.

    Reads the source each time, unless all were small enough to be held since the first time. Memory: one block, 16 MiB
    of documents held, and some bytes for each such letter that shares an id with a document sought.

    Args:
        job: The copy.
        connection: Knows the dead letters; used while documents are gone through, also inside the caller's transaction.
        flow: Their flow; documents of the same source collection that other flows took are passed over.
        ids: Ids in the target, as text.
        hold: Whether to hold documents for another time.
        shared: Whether several rows may have one id, so that of a source that moves each is wanted.
        others: How many more of these hold documents meanwhile; they share the 16 MiB.
    """

    def __init__(
        self,
        job: Job,
        connection: psycopg.Connection,
        flow: Flow,
        ids: set[str],
        *,
        hold: bool = True,
        shared: bool = False,
        others: int = 0,
    ) -> None:
        self._job = job
        self._connection = connection
        self._flow = flow
        self._collection = flow.collection
        kind = job.mapping.collections[flow.entry].id.type.kind
        self._sought, self._owners = _sought(connection, kind, ids)
        self._letters = _Letters(job, connection, flow.collection)
        self._hold = hold
        self._held_bytes = _HELD_BYTES // (others + 1)
        self._shared = shared
        self._held: list[Found] | None = None

    def __iter__(self) -> Iterator[Found]:
        if self._held is not None:
            yield from self._held
            return
        held: list[Found] = []
        held_bytes = 0
        for found in self._moving() if self._job.source.moves else self._without_letter():
            if self._hold:
                held_bytes += len(found.document) + _FOUND_BYTES
                held.append(found)
                if held_bytes > self._held_bytes:
                    self._hold = False
                    held = []
            yield found
        if self._hold:
            self._held = held

    def _has_rows(self, document: bytes) -> bool:
        """Tell whether a document has rows by this flow: the core refuses and skips some, and others take some."""
        batch = self._job.transcoder(self._collection).transcode(document)
        return flow_of(self._job.plan_tables(self._collection), batch) == self._flow

    def _without_letter(self) -> Iterator[Found]:
        """Yield every document that is sought and no letter; reads the whole collection once."""
        passed: Counter[bytes] = Counter()
        for part in self._parts():
            letters = self._letters.among(found.document for found in part)
            for found in part:
                if letters:
                    digest = sha256(found.document).digest()
                    passed[digest] += 1
                    if passed[digest] <= letters.get(digest, 0):
                        continue
                if self._has_rows(found.document):
                    yield found

    def _moving(self) -> Iterator[Found]:
        """Yield a document for every id that is sought, as it is now where it moved, and those that are gone.

        Here an `_id` stands for one document only, so letters are known by it, whatever became of their content.
        """
        carried = CarriedDocuments(self._job, self._connection, self._collection)
        met: set[str] = set()
        for part in self._parts():
            known = carried.known([found.document for found in part])
            letters = carried.with_letter([found.source_id for found in part if found.source_id is not None])
            for found, state in zip(part, known, strict=True):
                if state is None or found.source_id in letters:
                    continue
                if state == "other" and found.id in met and not self._shared:
                    continue
                if state == "same" and not self._has_rows(found.document):
                    continue
                met.add(found.id)
                yield replace(found, moved=state == "other")
        yield from gone_documents(self._job, self._connection, self._flow, sorted(set(self._owners) - met))

    def _parts(self) -> Iterator[list[Found]]:
        """Yield what is sought, block by block; reads the whole collection once."""
        job, collection, sought = self._job, self._collection, self._sought
        transcoder = job.transcoder(collection)
        block_bytes = min(_LARGEST_BLOCK_BYTES, _BLOCK_BYTES + len(sought) * _BLOCK_BYTES_PER_ID)
        for partition in job.source.partitions(collection, 1):
            for block in job.source.read(partition, after=None, until=None, max_bytes=block_bytes):
                job.check_stop()
                found: list[Found] = []
                for offset, length, number in transcoder.find(block.data, sought):
                    document = block.data[offset : offset + length]
                    place = job.source.locate(block.start, offset, collection=collection)
                    found.append(Found(self._flow, self._owners[number], document_id(document), document, place))
                yield found


def gone_documents(job: Job, connection: psycopg.Connection, flow: Flow, ids: list[str]) -> Iterator[Found]:
    """Yield what is left to say of documents that the source no longer holds, in the order of their ids."""
    known = ids_of_flow(job, connection, flow, ids)
    for text, (source_id, _) in zip(ids, known, strict=True):
        yield Found(flow, text, source_id, b"", f"{flow.collection}, removed since it was read", moved=True)


class _Letters:
    """Documents that were dead letters of the load or of duplicate ids when this was made.

    A document is known by its content, so that it is found again in whatever form the source is given then. Of several
    with the same bytes as many are letters as there are letters of it; which of them makes no difference.
    """

    def __init__(self, job: Job, connection: psycopg.Connection, collection: str) -> None:
        self._connection = connection
        self._wanted: dict[str, object] = {"run": job.run.id, "collection": collection}
        row = connection.execute(statement("ledger", "last_rowless_letter"), self._wanted).fetchone()
        self._last = row[0] if row else None

    def among(self, documents: Iterable[bytes]) -> dict[bytes, int]:
        """Return SHA-256 → how many letters there are, of those documents that have any."""
        if self._last is None:
            return {}
        digests = [document_digest(document) for document in documents]
        if not digests:
            return {}
        rows = self._connection.execute(
            statement("ledger", "rowless_letters"), {**self._wanted, "last": self._last, "digests": digests}
        ).fetchall()
        return {bytes(digest): int(count) for digest, count in rows}


# Types of kept ids whose text the core does not read; the server gives the bytes that the core compares.
_SEND = {
    "bytea": "byteasend",
    "date": "date_send",
    "numeric": "numeric_send",
    "timestamp": "timestamp_send",
    "timestamptz": "timestamptz_send",
}


def _sought(connection: psycopg.Connection, kind: str, ids: set[str]) -> tuple[list[bytes | str], list[str]]:
    """Return ids as the core compares them, and beside each the id as text.

    A numeric column gives each number its own scale, which the core, that writes the number as it was, does not know;
    so a number is sought with every scale that shows all its digits.
    """
    texts = sorted(ids)
    if kind == "uuid":  # the core reads these too, more slowly
        return [uuid.UUID(text).bytes for text in texts], texts
    if kind not in _SEND:
        return list(texts), texts
    scales = "min_scale(v), scale(v)" if kind == "numeric" else "NULL::integer, NULL::integer"
    rows = connection.execute(
        sql.SQL(
            "SELECT t, {send}(v), {scales} FROM (SELECT t, t::{kind} AS v FROM unnest(%s::text[]) AS t) AS i"
        ).format(
            send=sql.Identifier("pg_catalog", _SEND[kind]),
            scales=sql.SQL(scales),
            kind=sql.Identifier("pg_catalog", kind),
        ),
        (texts,),
    ).fetchall()
    sought: list[bytes | str] = []
    owners: list[str] = []
    for text, data, low, high in rows:
        forms = [bytes(data)] if low is None else [_with_scale(bytes(data), scale) for scale in range(low, high + 1)]
        sought += forms
        owners += [str(text)] * len(forms)
    return sought, owners


def _with_scale(data: bytes, scale: int) -> bytes:
    """Return the binary form of a numeric with another display scale, its fourth 16-bit number (numeric_send)."""
    return data[:6] + scale.to_bytes(2, "big") + data[8:]


def require_all(collection: str, wanted: set[str], found: AbstractSet[str]) -> None:
    """Raise unless every wanted document was found, as it always is in a source that moves.

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
