"""Apply one event to MongoDB, and say what came of it. Writes nothing into PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import pymongo
from bson import CodecOptions
from bson.binary import UuidRepresentation
from bson.errors import BSONError
from pymongo.errors import DocumentTooLarge, DuplicateKeyError, PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.read_preferences import ReadPreference
from pymongo.write_concern import WriteConcern

from isthmus.connect.mongo import MongoServer
from isthmus.polyglot.outbox import writes
from isthmus.polyglot.outbox.event import Event
from isthmus.polyglot.outbox.faults import Refusal, is_trouble, refusal
from isthmus.polyglot.outbox.intent import MARK
from isthmus.work.stages import reached

_MARKS: CodecOptions[dict[str, Any]] = CodecOptions(uuid_representation=UuidRepresentation.UNSPECIFIED)
_TRIES = 3
"""How often a write is sent while somebody else changes the document each time."""


class MongoAway(Exception):  # noqa: N818  the server's trouble, which is waited for
    """MongoDB is in trouble; what was sent may have been done, or not.

    Args:
        words: What the driver says, on one line, without secrets.
    """


class Applier:
    """Writes events into one database of a server.

    Args:
        server: The server.
        database: The database's name.
        write_seconds: How long one event may take before its outcome counts as unknown. The server is told, too.
    """

    def __init__(self, server: MongoServer, database: str, *, write_seconds: float = 10.0) -> None:
        self._server = server
        self._seconds = write_seconds
        self._database = server.client.get_database(
            database,
            codec_options=_MARKS,
            read_preference=ReadPreference.PRIMARY,
            read_concern=ReadConcern("majority"),
            write_concern=WriteConcern(
                "majority", j=True
            ),  # a server that stands alone answers before its journal else
        )

    def apply(self, event: Event) -> Literal["applied", "already"] | writes.Later | Refusal:
        """Apply an event whose key the caller holds; safe to repeat: what was applied is recognised.

        Returns:
            Whether it was applied now, or before, or had nothing to do; a later mark that stands in the document; or
            why it is refused.

        Raises:
            MongoAway: The server is in trouble.
        """
        try:
            with pymongo.timeout(self._seconds):
                return self._tried(event)
        except PyMongoError as error:
            raise self._away(error) from error

    def confirm(self, event: Event) -> None:
        """Remove what a write that came late has made of a document that `event`, a delete, had removed.

        Raises:
            MongoAway: The server is in trouble.
        """
        try:
            with pymongo.timeout(self._seconds):
                self._database[event.collection].delete_one(writes.marked_before(event))
        except PyMongoError as error:
            raise self._away(error) from error

    def answers(self) -> None:
        """Ask the server for a sign of life.

        Raises:
            MongoAway: It gives none.
        """
        try:
            with pymongo.timeout(self._seconds):
                self._database.command("ping")
        except PyMongoError as error:
            raise self._away(error) from error

    def _away(self, error: PyMongoError) -> MongoAway:
        return MongoAway(self._server.explain(error))

    def _tried(self, event: Event) -> Literal["applied", "already"] | writes.Later | Refusal:
        refused: Refusal | None = None
        for _ in range(_TRIES):
            refused = None
            try:
                if self._write(event):
                    reached("outbox.written")
                    return "applied"
            except (BSONError, TypeError, ValueError) as error:  # the driver cannot send it: not all are its own errors
                return Refusal("too-large" if isinstance(error, DocumentTooLarge) else "driver", type(error).__name__)
            except PyMongoError as error:
                if is_trouble(error, passes=self._server.trouble(error, "write").retryable):
                    raise
                refused = refusal(error, self._server.explain(error))
                if not isinstance(error, DuplicateKeyError):
                    return refused
            found = self._database[event.collection].find_one(writes.by_id(event), {"_id": 0, MARK: 1})
            verdict = writes.judge(event, writes.met(found), refused)
            if verdict != "again":
                return verdict
            if refused is None and not self._holds(writes.own_condition(event), event.collection):
                return "already"
        return refused or Refusal("busy", "Others changed the document each time between the write and a look at it.")

    def _write(self, event: Event) -> bool:
        """Send the write; return whether it did something."""
        collection = self._database[event.collection]
        if event.operation == "insert":
            collection.insert_one(writes.whole_document(event))
            return True
        if event.operation == "delete":
            return collection.delete_one(writes.still_before(event)).deleted_count > 0
        if event.operation == "put":
            done = collection.replace_one(writes.still_before(event), writes.whole_document(event), upsert=True)
        else:
            create = writes.may_create(event)
            done = collection.update_one(writes.condition(event), writes.changes(event), upsert=create)
        return done.matched_count > 0 or done.upserted_id is not None

    def _holds(self, condition: Mapping[str, Any] | None, collection: str) -> bool:
        return condition is None or self._database[collection].find_one(condition, {"_id": 1}) is not None
