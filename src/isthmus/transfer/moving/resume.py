"""Is it still the same source? Read again what was read before and compare.

A resume goes on only when the bytes already carried are still what the source holds: a repaired dump passes, another
one does not. A source that moves may differ there and is compared when the load ends (`moved`). A second copy of a
finished run compares everything and names what is new or changed; it writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import islice
from typing import Any, LiteralString, TypeVar

import psycopg
from blake3 import blake3
from psycopg import sql

from isthmus._rust import source_id as document_id
from isthmus.errors import SourceError, Where
from isthmus.sources.protocol import Block, Partition
from isthmus.state.checkpoints import BatchRecord, PartitionState, read_batches
from isthmus.state.source_ids import show
from isthmus.transfer.job import Job
from isthmus.transfer.moving.gone import find_gone
from isthmus.work.retry import persist

T = TypeVar("T")

_BLOCK_BYTES = 1 << 20
# Errors that speak of what a source holds; the others say that it cannot be looked at, and nothing about its documents.
_CONTENT_CODES = frozenset(
    {"truncated", "broken-framing", "gzip-broken", "changed-under-us", "broken-json", "crc-differs"}
)
_NAMED = 100  # new or changed documents listed by id, and as many that are gone; the rest is counted
_SOUGHT = 10_000  # gone documents of a collection that are looked for: of some the target holds no id


@dataclass
class Changes:
    """How a source differs from what a run carried.

    Attributes:
        new: Documents whose `_id` was not there, or not so many times.
        changed: Documents whose `_id` was there with other content.
        gone: Documents that are no longer there, or not so many times.
        named: Collection → ids of new and changed documents, at most 100 in all.
        new_ids: Those of them that are new.
        changed_ids: Those of them that are changed. A state that an older version wrote has neither.
        gone_ids: Collection → ids of documents that are gone, at most 100 in all, as far as the target tells them.
        reordered: Collections with the same documents in another order, which is no change.
        broken: Collections that can no longer be read to their end, with the reason.
    """

    new: int = 0
    changed: int = 0
    gone: int = 0
    named: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    new_ids: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    changed_ids: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    gone_ids: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    reordered: list[str] = field(default_factory=list[str])
    broken: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def room(self) -> int:
        """How many more documents that are new or changed may be named."""
        return max(0, _NAMED - _count(self.named))

    @property
    def gone_room(self) -> int:
        """How many more documents that are gone may be named."""
        return max(0, _NAMED - _count(self.gone_ids))

    def add(self, more: Changes) -> None:
        """Add what differs in another collection."""
        self.new += more.new
        self.changed += more.changed
        self.gone += more.gone
        self.named.update(more.named)
        self.new_ids.update(more.new_ids)
        self.changed_ids.update(more.changed_ids)
        self.gone_ids.update(more.gone_ids)
        self.reordered += more.reordered
        self.broken.update(more.broken)

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values; the names are those of the constructor's arguments."""
        return asdict(self)

    def __bool__(self) -> bool:
        return bool(self.new or self.changed or self.gone or self.broken)


def _count(names: dict[str, list[str]]) -> int:
    return sum(map(len, names.values()))


def check_read_part(job: Job, states: Iterable[PartitionState]) -> None:
    """Compare the part of the source that is already carried with what it was then.

    Reads the source, and the batch digests from the target; writes nothing. A collection that was read to its end must
    still end there: documents behind it would never be read. A source in trouble that may pass is waited for.

    Does nothing for a source that moves: what was read of it may well be different now, which is no reason to stop, and
    is named by the comparison at the end of the load. That also tells when it is another database of the same name.

    Raises:
        SourceError: A batch differs or breaks, or a finished collection grew (code `source-changed`); or the source
            cannot be read.
    """
    if job.source.moves:
        return
    for state in states:
        if state.position is not None or state.done:
            records = read_batches(job.lease.connection, job.run.id, state.collection, state.number)
            job.progress.step(state.collection)
            _persist(job, partial(_check_partition, job, state, records))


def _persist(job: Job, work: Callable[[], T]) -> T:
    return persist(work, seconds=job.options.retry_seconds, stop=job.stop, note=job.progress.note)


def _check_partition(job: Job, state: PartitionState, records: list[BatchRecord]) -> None:
    partition = Partition(state.collection, state.number, state.start, state.end)
    until = None if state.done else state.position
    stream = _Stream(job.source.read(partition, after=None, until=until, max_bytes=_BLOCK_BYTES))
    for record in records:
        job.check_stop()
        try:
            same = stream.digest(record.source_bytes) == record.digest
        except SourceError as fault:
            if fault.retryable or fault.code not in _CONTENT_CODES:
                raise
            raise _changed(job, state, record.start, f"cannot be read as it was ({fault.message})") from fault
        if not same:
            raise _changed(job, state, record.start, "holds other documents")
    if state.done and not stream.ended():
        raise _changed(job, state, records[-1].end if records else state.start, "holds more documents than before")


def _changed(job: Job, state: PartitionState, position: bytes, what: str) -> SourceError:
    place = job.source.locate(position, 0, collection=state.collection)
    message = f"The source is not the one this run began with: from {place} on it {what}."
    return SourceError(
        message,
        code="source-changed",
        where=Where(collection=state.collection),
        hint="Go on with the original or repaired source, or start over with --fresh.",
    )


class _Stream:
    """The bytes of a partition or collection, taken in pieces of the lengths they once had."""

    def __init__(self, blocks: Iterator[Block]) -> None:
        self._blocks = blocks
        self._rest = memoryview(b"")

    def digest(self, size: int) -> bytes | None:
        """Take `size` bytes and return their blake3 digest; None when the source ends before."""
        hasher = blake3()
        while size:
            if self.ended():
                return None
            hasher.update(self._rest[:size])
            taken = min(size, len(self._rest))
            size -= taken
            self._rest = self._rest[taken:]
        return hasher.digest()

    def ended(self) -> bool:
        """Tell whether nothing is left; reads the next block to know."""
        if not self._rest:
            block = next(self._blocks, None)
            if block is None:
                return True
            self._rest = memoryview(block.data)
        return False


def find_changes(job: Job, states: list[PartitionState]) -> Changes:
    """Compare a whole source with what a finished run carried. A source in trouble that may pass is waited for.

    Returns:
        What differs; empty when nothing does.
    """
    changes = Changes()
    for collection in sorted({state.collection for state in states}):
        try:
            changes.add(compare_collection(job, states, collection, changes))
        except SourceError as fault:
            changes.broken[collection] = str(fault)
    return changes


def compare_collection(job: Job, states: list[PartitionState], collection: str, before: Changes) -> Changes:
    """Compare a collection with what the run carried of it; name as many documents as `before` leaves room for.

    The common case, nothing changed, costs one read of the collection. Only one that differs is compared document by
    document, in temporary tables of the target. A source in trouble that may pass is waited for.

    Raises:
        SourceError: The source cannot be read.
    """
    job.progress.step(collection)
    mine = sorted((s for s in states if s.collection == collection), key=lambda s: s.number)
    records = [
        record for state in mine for record in read_batches(job.lease.connection, job.run.id, collection, state.number)
    ]
    if _persist(job, partial(_unchanged, job, collection, records)):
        return Changes()
    return _persist(job, partial(_compare_documents, job, collection, before))


def _whole(job: Job, collection: str) -> Iterator[Block]:
    for partition in job.source.partitions(collection, 1):
        yield from job.source.read(partition, after=None, until=None, max_bytes=_BLOCK_BYTES)


def _unchanged(job: Job, collection: str, records: list[BatchRecord]) -> bool:
    stream = _Stream(_whole(job, collection))
    for record in records:
        job.check_stop()
        if stream.digest(record.source_bytes) != record.digest:
            return False
    return stream.ended()


def _compare_documents(job: Job, collection: str, before: Changes) -> Changes:
    """Compare a collection document by document; name as many as `before` leaves room for."""
    connection = job.connect()
    try:
        connection.execute("CREATE TEMP TABLE seen (id bytea, content bytea)")
        transcoder = job.transcoder(collection)
        with connection.cursor() as cursor, cursor.copy("COPY seen FROM STDIN (FORMAT binary)") as copy:
            copy.set_types(["bytea", "bytea"])
            for block in _whole(job, collection):
                job.check_stop()
                digests = transcoder.transcode(block.data).document_digests
                for start in range(0, len(digests), 16):
                    copy.write_row((digests[start : start + 8], digests[start + 8 : start + 16]))
        connection.execute(
            "CREATE TEMP TABLE carried AS SELECT substring(document_digests FROM g * 16 + 1 FOR 8) AS id,"
            " substring(document_digests FROM g * 16 + 9 FOR 8) AS content"
            " FROM isthmus.batch, generate_series(0, documents - 1) AS g WHERE run_id = %s AND collection = %s",
            (job.run.id, collection),
        )
        connection.execute("ANALYZE seen")
        connection.execute("ANALYZE carried")
        # A document may stand several times, so times are compared, not presence.
        connection.execute(
            "CREATE TEMP TABLE differing AS"
            " SELECT id, content, coalesce(s.times, 0) - coalesce(c.times, 0) AS more FROM"
            " (SELECT id, content, count(*) AS times FROM seen GROUP BY 1, 2) s FULL JOIN"
            " (SELECT id, content, count(*) AS times FROM carried GROUP BY 1, 2) c USING (id, content)"
            " WHERE coalesce(s.times, 0) <> coalesce(c.times, 0)"
        )
        row = connection.execute(
            "SELECT coalesce(sum(least(came, went)), 0), coalesce(sum(came - least(came, went)), 0),"
            " coalesce(sum(went - least(came, went)), 0) FROM (SELECT"
            " coalesce(sum(more) FILTER (WHERE more > 0), 0) AS came,"
            " coalesce(-sum(more) FILTER (WHERE more < 0), 0) AS went"
            " FROM differing GROUP BY id) AS d"
        ).fetchone()
        changed, new, gone = map(int, row) if row else (0, 0, 0)
        changes = Changes(new, changed, gone)
        wanted = _digests(connection, "bool_or(more > 0)", before.room)
        if wanted:
            names = dict(_names(job, collection, wanted.keys()))
            changes.named[collection] = list(names)
            for ids, was in ((changes.new_ids, False), (changes.changed_ids, True)):
                if some := [name for name, digest in names.items() if wanted[digest] == was]:
                    ids[collection] = some
        lost = _digests(connection, "bool_and(more < 0)", _SOUGHT) if before.gone_room else {}
        if lost:
            names = list(islice(find_gone(job, connection, collection, lost.keys()), before.gone_room))
            if names:
                changes.gone_ids[collection] = names
        if not changes:
            changes.reordered.append(collection)
        return changes
    finally:
        connection.close()


def _digests(connection: psycopg.Connection, which: LiteralString, most: int) -> dict[bytes, bool]:
    """Return digest of `_id` → whether the run carried a document with it that is not there now, of some that differ.

    Args:
        connection: Has the temporary table `differing`.
        which: SQL that is true of the wanted ones, of all that differs under an `_id`.
        most: How many.
    """
    query = sql.SQL("SELECT id, bool_or(more < 0) FROM differing GROUP BY id HAVING {} LIMIT {}").format(
        sql.SQL(which), sql.Literal(most)
    )
    return {bytes(digest): bool(was) for digest, was in connection.execute(query)}


def _names(job: Job, collection: str, wanted: Collection[bytes]) -> Iterator[tuple[str, bytes]]:
    """Yield the printable ids of the documents with these digests of `_id`, each with it, in source order.

    Not by content: a document that is written to all the time has another one by now.
    """
    transcoder = job.transcoder(collection)
    for block in _whole(job, collection):
        batch = transcoder.transcode(block.data)
        for number in range(batch.documents):
            digest = batch.document_digests[number * 16 : number * 16 + 8]
            if digest in wanted:
                source_id = document_id(block.data[batch.offset(number) : batch.offset(number + 1)])
                yield show(source_id) if source_id else f"document {number + 1} without an _id", digest
