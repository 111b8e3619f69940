"""Read a stretch of a collection in `_id` order: cursors opened again where they were lost, replies cut into blocks.

Decides what is the end of a stretch (only an exhausted cursor), what is a lost cursor (read on behind the last `_id`)
and what is for others to wait for (an error that may pass). Replies stay the bytes that the server sent.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pymongo.errors import CursorNotFound, OperationFailure, PyMongoError

from isthmus._rust import frame, hop, source_id
from isthmus.connect.mongo import LOST_CURSOR
from isthmus.errors import SourceError, Where
from isthmus.sources.live.positions import BEGIN, behind, id_document, same_id, show
from isthmus.sources.live.reach import Reach
from isthmus.sources.protocol import Block, Position

_IDLE_SECONDS = 300.0
"""A session that was idle for 30 minutes is gone, and its cursors with it (MongoDB, `logicalSessionTimeoutMinutes`);
an operator may make that shorter."""
_MOST_LOSSES = 3  # of one cursor after another without a document in between
_USUAL_DOCUMENTS = 1000
_FEWEST_DOCUMENTS = 2
_MOST_DOCUMENTS = 100_000
_MOST_GROWTHS = 4  # each costs a cursor
_FILLED = 0.8  # of a block, so that somewhat larger documents still fit
_TAIL_BYTES = 1 << 10


@dataclass(frozen=True, slots=True)
class Stretch:
    """What one reader reads.

    Attributes:
        collection: The collection.
        start: Position to begin at.
        stop: Position to end at; None reads to the end.
        max_bytes: Most bytes of a block, unless one document is larger.
        document_bytes: Size of a usual document; None when unknown.
        grow: See `Source.read`.
    """

    collection: str
    start: Position
    stop: Position | None
    max_bytes: int
    document_bytes: int | None = None
    grow: Callable[[int], None] | None = None


def read_blocks(reach: Reach, stretch: Stretch) -> Iterator[Block]:
    """Yield the documents of a stretch as blocks; the last one ends at the stretch's stop where it has one.

    Memory: one reply, of about `max_bytes`. It is larger, up to the 16 MiB that MongoDB puts into one, only where
    documents suddenly are.

    Raises:
        SourceError: `source-unreachable`, `source-interrupted`, `same-id-twice` (all retryable), `source-right`,
            `source-refuses`, `no-id` or `broken-framing`, after whole documents only.
    """
    at, held = stretch.start, b""
    for reply, ended in _replies(reach, stretch):
        data, held = held + reply if held else reply, b""
        if stretch.stop is not None and not ended:
            # Whether another document follows is not known yet, and the last block must end where the stretch does.
            cut = last_start(data)
            data, held = data[:cut], data[cut:]
        done = 0
        while done < len(data):
            piece = _piece(data, done, stretch)
            done += len(piece)
            is_last = ended and done == len(data) and stretch.stop is not None
            block = Block(piece, at, stretch.stop if is_last and stretch.stop else _behind_last(piece, stretch))
            at = block.end
            yield block
    if held and stretch.stop is not None:
        yield Block(held, at, stretch.stop)


def _replies(reach: Reach, stretch: Stretch) -> Iterator[tuple[bytes, bool]]:
    """Yield what the server sends, whole documents in order and each once, with whether it is known to be the last."""
    stop = stretch.stop
    inclusive = stop is not None and behind(stop)
    if not (inclusive and stretch.start != BEGIN and same_id(id_document(stretch.start), id_document(stop or BEGIN))):
        for reply, ended in _walk(reach, stretch):
            yield reply, ended and not inclusive
    elif behind(stretch.start):
        return
    if stop is not None and inclusive:
        last = _ask(reach, stretch, lambda: reach.one(stretch.collection, stop))
        if last:
            yield last, True


def _walk(reach: Reach, stretch: Stretch) -> Iterator[tuple[bytes, bool]]:
    """Yield the replies up to the document of the stretch's stop, exclusive, over as many cursors as it takes."""
    collection = stretch.collection
    at = stretch.start
    pace = _Pace(stretch)
    losses = 0
    while True:
        arrived = False
        try:
            lowest = at if at != BEGIN else None
            with reach.walk(collection, lowest, stretch.stop, pace.documents) as replies:
                for raw, ended in replies:
                    reply = raw if arrived else _behind(at, raw)
                    arrived = arrived or bool(raw)
                    if not reply:
                        continue
                    documents = count_framed(reply, stretch.collection)
                    refuse_same_id(at, reply, stretch.collection)
                    at, losses = _behind_last(reply, stretch), 0
                    asked_at = time.monotonic()
                    yield reply, ended
                    idle_seconds = time.monotonic() - asked_at
                    if not ended and (pace.changed(len(reply), documents) or idle_seconds > _IDLE_SECONDS):
                        break
                else:
                    return
        except PyMongoError as error:
            if not arrived and reach.refused_snapshot(collection, error):
                continue
            losses += 1
            if not is_lost_cursor(error) or losses > _MOST_LOSSES:
                raise reach.server.trouble(error, f"read {collection}", collection=collection) from None


def is_lost_cursor(error: PyMongoError) -> bool:
    """Tell whether an error took a cursor and nothing else, so that another one can go on behind the last `_id`."""
    return isinstance(error, CursorNotFound) or (isinstance(error, OperationFailure) and error.code in LOST_CURSOR)


def _ask(reach: Reach, stretch: Stretch, question: Callable[[], bytes]) -> bytes:
    return reach.server.ask(f"read {stretch.collection}", question, collection=stretch.collection)


class _Pace:
    """How many documents a reply may hold, so that it has about as many bytes as a block."""

    def __init__(self, stretch: Stretch) -> None:
        self._bytes = stretch.max_bytes
        self._growths = 0
        size = stretch.document_bytes
        self.documents = self._fitting(size) if size else _USUAL_DOCUMENTS

    def changed(self, reply_bytes: int, documents: int) -> bool:
        """Look at a reply; tell whether another cursor should ask for another number of documents."""
        too_large = documents > _FEWEST_DOCUMENTS and 2 * reply_bytes > 3 * self._bytes
        too_small = documents >= self.documents and 3 * reply_bytes < self._bytes and self._growths < _MOST_GROWTHS
        if not too_large and not too_small:
            return False
        self._growths += too_small
        before = self.documents
        self.documents = self._fitting(-(-reply_bytes // documents))
        return self.documents != before

    def _fitting(self, document_bytes: int) -> int:
        fitting = int(self._bytes * _FILLED / max(1, document_bytes))
        return min(_MOST_DOCUMENTS, max(_FEWEST_DOCUMENTS, fitting))


def _behind(at: Position, reply: bytes) -> bytes:
    """Return a cursor's first reply without the document that was read before."""
    if not reply or not behind(at):
        return reply
    length = int.from_bytes(reply[:4], "little")
    found = source_id(reply[:length])
    return reply[length:] if found is not None and same_id(found, id_document(at)) else reply


def refuse_same_id(at: Position, reply: bytes, collection: str) -> None:
    """Raise when a reply begins with the `_id` that the last one ended with: no position could tell the two apart."""
    if not behind(at):
        return
    found = source_id(reply[: int.from_bytes(reply[:4], "little")])
    if found is not None and same_id(found, id_document(at)):
        raise SourceError(
            f"{collection} gives two documents with the _id {show(found)}.",
            code="same-id-twice",
            where=Where(collection=collection),
            hint="On a sharded cluster, find the shards that both hold it and remove one; otherwise it was written anew"
            " just now, and the same command goes on.",
            retryable=True,
        )


def count_framed(reply: bytes, collection: str) -> int:
    """Return how many documents a reply has.

    Raises:
        SourceError: It is not made of whole documents (`broken-framing`).
    """
    frames = frame(reply, final=True)
    if frames.broken is not None or frames.end != len(reply):
        raise SourceError(
            f"The server's reply breaks at its byte {frames.end:,}. {frames.broken[0] if frames.broken else ''}",
            code="broken-framing",
            where=Where(collection=collection),
            hint="Run validate on the collection; a proxy between may also have damaged it.",
        )
    return frames.documents


def _piece(data: bytes, start: int, stretch: Stretch) -> bytes:
    """Return the whole documents from `start` on that fit into a block, at least one."""
    if len(data) - start <= stretch.max_bytes:
        return data[start:] if start else data
    frames = frame(memoryview(data)[start : start + stretch.max_bytes], final=False)
    if frames.end:
        return data[start : start + frames.end]
    length = int.from_bytes(data[start : start + 4], "little")
    if stretch.grow is not None:
        stretch.grow(length)
    return data[start : start + length]


def _behind_last(data: bytes, stretch: Stretch) -> Position:
    """Return the position behind the last document of whole documents."""
    found = source_id(data[last_start(data) :])
    if found is None:
        raise SourceError(
            f"A document of {stretch.collection} has no _id that can be read, so there is no going on behind it.",
            code="no-id",
            where=Where(collection=stretch.collection),
            hint="Find it with db.COLLECTION.find({_id: {$exists: false}}), and give it one or remove it.",
        )
    return found


def last_start(data: bytes) -> int:
    """Return where the last of whole documents starts.

    The core hops over all but a tail of it, which is made longer until it holds the last document.
    """
    tail, start = _TAIL_BYTES, len(data)
    while start >= len(data):
        start = hop(memoryview(data)[: max(0, len(data) - tail)], 0)[0] if tail < len(data) else 0
        tail *= 8
    while (following := start + int.from_bytes(data[start : start + 4], "little")) < len(data):
        start = following
    return start
