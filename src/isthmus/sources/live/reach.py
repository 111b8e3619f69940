"""Queries on the `_id` index of one collection: how a cursor is opened, and with which guarantees.

Decides the read concern: a snapshot session where the server allows it, majority otherwise; behind a session of the
caller's, all that was acknowledged until then, from the primary. Bounds are `min` and `max` with a hint on the index,
never a comparison operator, because operators only compare values of one type.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, cast

from bson.raw_bson import RawBSONDocument
from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.errors import ConfigurationError, InvalidOperation, OperationFailure, PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.read_preferences import ReadPreference

from isthmus.connect.mongo import Document, MongoServer
from isthmus.sources.live.positions import equals, id_document
from isthmus.sources.protocol import Position

INDEX = [("_id", 1)]

# What servers say to read concern `snapshot` where they have none: BadValue, IllegalOperation (a standalone server),
# InvalidOptions (capped collections), ReadConcernMajorityNotEnabled, SnapshotUnavailable.
_NO_SNAPSHOT = frozenset({2, 20, 72, 148, 246})


class Reach:
    """How a database's collections are asked.

    Args:
        server: Where to ask.
        database: The database's name.
        behind: A causal session of the same cluster: the primary is asked, whatever the address says, and nothing is
            missed that was acknowledged before what the session did last when a walk begins. None: as the address says.
    """

    def __init__(self, server: MongoServer, database: str, *, behind: ClientSession | None = None) -> None:
        self.server = server
        self.database = server.client.get_database(
            database,
            read_preference=None if behind is None else ReadPreference.PRIMARY,
            read_concern=ReadConcern("majority"),
        )
        self._behind = behind
        self._unpinned: set[str] = set()
        self.on_note: Callable[[str], None] | None = None

    def first_id(self, collection: str, *, last: bool = False) -> bytes | None:
        """Return `{"_id": value}` of the first document of the index, or of the last; None when there is none.

        Raises:
            PyMongoError: The driver's own.
        """
        order = -1 if last else 1
        cursor = self._raw(collection).find_raw_batches({}, {"_id": 1}, sort=[("_id", order)], hint=INDEX, limit=1)
        with cursor:
            return next((reply for reply in _replies(cursor) if reply), None)

    def sample(self, collection: str, size: int) -> bytes:
        """Return `{"_id": value}` of that many documents drawn at random, back to back, in the index's order.

        Raises:
            PyMongoError: The driver's own.
        """
        pipeline: list[Document] = [{"$sample": {"size": size}}, {"$project": {"_id": 1}}, {"$sort": {"_id": 1}}]
        with self._raw(collection).aggregate_raw_batches(pipeline) as cursor:
            return b"".join(_replies(cursor))

    def one(self, collection: str, position: Position) -> bytes:
        """Return the document behind which a position lies, and nothing where it is gone.

        Raises:
            PyMongoError: The driver's own.
        """
        query: Any = RawBSONDocument(equals(position))
        with self._raw(collection).find_raw_batches(query, hint=INDEX) as cursor:
            return b"".join(_replies(cursor))

    @contextmanager
    def walk(
        self, collection: str, lowest: Position | None, stop: Position | None, batch_documents: int
    ) -> Generator[Iterator[tuple[bytes, bool]]]:
        """Open a cursor over a stretch of the index, in its order; its session ends with the block.

        Gives an iterator of replies, whole documents or none, with whether the cursor is exhausted.

        Args:
            collection: The collection.
            lowest: Begins at this document, inclusive; None at the first one.
            stop: Ends in front of this document; None at the end.
            batch_documents: Most documents of one reply.

        Raises:
            PyMongoError: The driver's own, also later from the cursor.
        """
        bounds: dict[str, Any] = {}
        if lowest is not None:
            bounds["min"] = RawBSONDocument(id_document(lowest))
        if stop is not None:
            bounds["max"] = RawBSONDocument(id_document(stop))
        with self._session(collection) as session:
            cursor = self._raw(collection).find_raw_batches(
                {}, sort=INDEX, hint=INDEX, batch_size=batch_documents, session=session, **bounds
            )
            with cursor:
                yield ((reply, not cursor.alive) for reply in _replies(cursor))

    def refused_snapshot(self, collection: str, error: PyMongoError) -> bool:
        """Tell whether an error of a walk's first reply means: no snapshot here. None is asked for from then on."""
        if collection in self._unpinned:
            return False
        code = error.code if isinstance(error, OperationFailure) else None
        if code not in _NO_SNAPSHOT and not isinstance(error, ConfigurationError | InvalidOperation):
            return False
        self._unpinned.add(collection)
        if self.on_note is not None:
            self.on_note(
                f"The server gives no snapshot of {collection} ({self.server.explain(error)}); each document is read as"
                " a majority has it at that moment."
            )
        return True

    @contextmanager
    def _session(self, collection: str) -> Generator[ClientSession]:
        if self._behind is not None:  # no snapshot waits for a time that another session has seen
            with self.server.client.start_session(causal_consistency=True) as session:
                _follow(session, self._behind)
                yield session
            return
        pinned = collection not in self._unpinned
        with self.server.client.start_session(snapshot=pinned, causal_consistency=False) as session:
            yield session

    def _raw(self, collection: str) -> Collection[Document]:
        return self.database.get_collection(collection)


def _follow(session: ClientSession, before: ClientSession) -> None:
    """Let a session see all that another one has seen; a server that is no member of a cluster tells no times."""
    if before.cluster_time is not None:
        session.advance_cluster_time(before.cluster_time)
    if before.operation_time is not None:
        session.advance_operation_time(before.operation_time)


def _replies(cursor: object) -> Iterator[bytes]:
    """Yield what a raw cursor gives, which pymongo types as documents."""
    yield from cast("Iterable[bytes]", cursor)
