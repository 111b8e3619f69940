"""Whether a collection's validator would refuse documents as they would be: the server itself is asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from bson import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo.errors import OperationFailure, PyMongoError

from isthmus._rust import source_id
from isthmus.connect.mongo import MongoServer

_MOST_BYTES = 8 << 20


class Validator:
    """The validator of one collection.

    Args:
        server: The server.
        database: The database's name.
        collection: The collection.
        rule: The validator, as `listCollections` has it.
    """

    def __init__(self, server: MongoServer, database: str, collection: str, rule: object) -> None:
        self._server = server
        self._database = server.client.get_database(database)
        self.collection = collection
        self._rule = rule
        self.answers = True

    def refuses(self, documents: Sequence[bytes]) -> set[bytes]:
        """Return `{"_id": value}` of those documents that it does not let pass.

        A server that cannot be asked (before MongoDB 5.1) is asked once; `answers` is false then, and nothing is known.

        Raises:
            SourceError: The server is in trouble.
        """
        refused: set[bytes] = set()
        for chunk in _chunks(documents):
            if self.answers:
                refused |= self._ask(chunk)
        return refused

    def _ask(self, documents: Sequence[bytes]) -> set[bytes]:
        pipeline: list[dict[str, Any]] = [
            {"$documents": [{"$literal": RawBSONDocument(one)} for one in documents]},
            {"$match": {"$nor": [self._rule]}},
            {"$project": {"_id": 1}},
        ]
        what = f"judge documents of {self.collection}"
        try:
            raw = self._database.with_options(CodecOptions(document_class=RawBSONDocument))
            with raw.aggregate(pipeline) as cursor:
                found = (source_id(bytes(one.raw)) for one in cursor)
                return {one for one in found if one is not None}
        except OperationFailure as error:
            fault = self._server.trouble(error, what, collection=self.collection)
            if fault.retryable:
                raise fault from None
            self.answers = False
            return set()
        except PyMongoError as error:
            raise self._server.trouble(error, what, collection=self.collection) from None


def _chunks(documents: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    """Yield stretches of documents that fit into one command."""
    first, size = 0, 0
    for number, one in enumerate(documents):
        if number > first and size + len(one) > _MOST_BYTES:
            yield documents[first:number]
            first, size = number, 0
        size += len(one)
    if first < len(documents):
        yield documents[first:]
