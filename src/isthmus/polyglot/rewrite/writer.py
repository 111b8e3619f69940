"""The one that writes into MongoDB: conditional updates with majority write concern, and what came of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, cast

from bson.errors import InvalidBSON
from bson.raw_bson import RawBSONDocument
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError, DocumentTooLarge, OperationFailure, PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.read_preferences import ReadPreference
from pymongo.write_concern import WriteConcern

from isthmus.connect.mongo import UNAUTHORIZED, Document, MongoServer
from isthmus.errors import SourceError, Where
from isthmus.polyglot.rewrite.documents import Read, document
from isthmus.polyglot.rewrite.updates import Change, as_update, by_id
from isthmus.sources.back_to_back import each_document

Wrote = Literal["written", "unmatched"] | tuple[Literal["refused"], str]
"""What came of one update; refused with the reason as a slug."""

MOST_TRIES = 5
"""How often a document is read again that others change before it can be updated."""

_MAJORITY = WriteConcern("majority", wtimeout=60_000)
# Codes of write errors (MongoDB, `src/mongo/base/error_codes.yml`).
_REFUSALS = {
    121: "validator",  # DocumentValidationFailure
    11000: "duplicate-key",
    11001: "duplicate-key",
    66: "shard-key",  # ImmutableField: `_id` is never set
    10334: "too-large",  # BSONObjectTooLarge
    17419: "too-large",
    17420: "too-large",
}
_OTHER_SHAPE = 28  # PathNotViable: there is no such path any more
_BAD_VALUE = 2  # an operator that the server does not know; the next try has others


class Writer:
    """Updates documents of one database of a server, and reads single ones as the last write left them.

    Args:
        server: The server.
        database: The database's name.
        collated: Collections with a collation of their own.
    """

    def __init__(self, server: MongoServer, database: str, collated: Iterable[str] = ()) -> None:
        self._server = server
        self._collated = frozenset(collated)
        self._database = server.client.get_database(
            database,
            read_preference=ReadPreference.PRIMARY,
            read_concern=ReadConcern("majority"),
            write_concern=_MAJORITY,
        )

    def write(self, collection: str, changes: Sequence[Change]) -> list[Wrote]:
        """Do each change whose document still is what was read; return what came of each.

        A number of `unmatched` is exact, but which ones they are is not known from the server's answer: where some are,
        all that were not refused are called so, and the caller looks at the documents.

        Raises:
            SourceError: The server is in trouble, or the user may not write (`source-right`). Some changes may be done.
        """
        outcomes: list[Wrote] = []
        if not changes:
            return outcomes
        updates = [as_update(change, collated=collection in self._collated) for change in changes]
        refused: dict[int, Wrote] = {}
        try:
            matched = self._of(collection).bulk_write(updates, ordered=False).matched_count
        except BulkWriteError as error:
            details: Mapping[str, Any] = error.details or {}
            matched = int(details.get("nMatched", 0))
            refused = {
                int(one["index"]): self._outcome(one, collection, changes[int(one["index"])])
                for one in details.get("writeErrors", [])
            }
            if details.get("writeConcernErrors"):
                raise self._unconfirmed(collection) from None
        except DocumentTooLarge:
            if len(changes) == 1:
                return [("refused", "too-large")]
            return [outcome for one in changes for outcome in self.write(collection, [one])]
        except PyMongoError as error:
            raise self._trouble(error, collection) from None
        other: Wrote = "written" if matched + len(refused) == len(changes) else "unmatched"
        return [refused.get(number, other) for number in range(len(changes))]

    def read(self, collection: str, source_ids: Sequence[bytes]) -> dict[bytes, Read]:
        """Return documents by their `{"_id": value}`, as a majority has them; what is gone is left out.

        Raises:
            SourceError: The server is in trouble.
        """
        if not source_ids:
            return {}

        def ask() -> dict[bytes, Read]:
            cursor = self._of(collection).find_raw_batches(_any_of(source_ids))
            with cursor:
                found: dict[bytes, Read] = {}
                for reply in cast("Iterable[bytes]", cursor):
                    found |= {one.source_id: one for one in map(document, each_document(reply))}
            return found

        return self._server.ask(f"read {collection}", ask, collection=collection)

    def _of(self, collection: str) -> Collection[Document]:
        return self._database.get_collection(collection)

    def _outcome(self, error: Mapping[str, Any], collection: str, change: Change) -> Wrote:
        code = int(error.get("code", 0))
        if code == _OTHER_SHAPE or (code == _BAD_VALUE and not change.tried):
            return "unmatched"
        if code in _REFUSALS:
            return "refused", _REFUSALS[code]
        fault = self._server.trouble(
            OperationFailure(str(error.get("errmsg", "")), code), "update", collection=collection
        )
        if fault.retryable:
            raise fault
        return "refused", f"server-{code}"

    def _unconfirmed(self, collection: str) -> SourceError:
        return SourceError(
            f"A majority of the servers at {self._server.display} did not confirm what was written within a minute.",
            code="source-interrupted",
            where=Where(collection=collection),
            hint="Run the same command again; it looks at what was written and goes on.",
            retryable=True,
        )

    def _trouble(self, error: PyMongoError, collection: str) -> SourceError:
        fault = self._server.trouble(error, f"update {collection}", collection=collection)
        if isinstance(error, OperationFailure) and error.code == UNAUTHORIZED:
            fault.hint = "Give it the role `readWrite` on the database."
        else:
            fault.hint = "Run the same command again; it looks at what was written and goes on."
        return fault


def _any_of(source_ids: Sequence[bytes]) -> Document:
    """Return a query of documents by their `_id`."""
    try:
        values = [RawBSONDocument(one)["_id"] for one in source_ids]
    except InvalidBSON:  # text that is not UTF-8, which a query can only hold as bytes
        return {"$or": [{"_id": by_id(one)} for one in source_ids]}
    return {"_id": {"$in": values}}
