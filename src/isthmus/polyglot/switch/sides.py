"""The documents of a collection on both sides, read once in one order, with bounded memory. Writes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import psycopg
from bson import CodecOptions
from bson.binary import UuidRepresentation
from bson.raw_bson import RawBSONDocument
from psycopg import sql
from pymongo.collection import Collection
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.read_preferences import ReadPreference

from isthmus.connect.mongo import MongoServer
from isthmus.errors import PolyglotError, SourceError, Where
from isthmus.polyglot.stores.form import written
from isthmus.polyglot.stores.ids import id_kind

_RAW: CodecOptions[RawBSONDocument] = CodecOptions(
    document_class=RawBSONDocument, uuid_representation=UuidRepresentation.STANDARD
)
_PAGE = 500


@dataclass(frozen=True)
class Pair:
    """A document, as either side has it.

    Attributes:
        id: The text of its `_id`.
        source: BSON in MongoDB; None: it is not there.
        row: The text of the row's document, written in one way; None: there is no row.
    """

    id: str
    source: bytes | None
    row: str | None


class Sides:
    """Both sides of a collection.

    Args:
        server: The server of MongoDB.
        database: The database's name there.
        collection: The collection.
        table: The table of documents.
    """

    def __init__(self, server: MongoServer, database: str, collection: str, table: sql.Identifier) -> None:
        self._server = server
        self.table = table
        self.name = collection
        raw = server.client.get_database(database).get_collection(collection, codec_options=_RAW)
        self.collection: Collection[RawBSONDocument] = raw.with_options(
            codec_options=_RAW, read_preference=ReadPreference.PRIMARY, read_concern=ReadConcern("majority")
        )

    def pairs(self, connection: psycopg.Connection[Any]) -> Iterator[Pair]:
        """Yield every document that is on either side, by its id's text.

        Args:
            connection: In an open transaction.

        Raises:
            PolyglotError: Ids are of more than one kind, or of one that the stores do not take (code `switch-ids`).
            SourceError: MongoDB is in trouble.
        """
        sources, rows = self._sources(), self._rows(connection)
        source, row = next(sources, None), next(rows, None)
        while source is not None or row is not None:
            name = min(one[0].encode() for one in (source, row) if one is not None).decode()
            here = source if source is not None and source[0] == name else None
            there = row if row is not None and row[0] == name else None
            yield Pair(name, here[1] if here else None, there[1] if there else None)
            if here is not None:
                source = next(sources, None)
            if there is not None:
                row = next(rows, None)

    def trouble(self, error: PyMongoError, what: str) -> SourceError:
        """Return what to raise for an error of MongoDB's driver."""
        return self._server.trouble(error, what, collection=self.name)

    def _sources(self) -> Iterator[tuple[str, bytes]]:
        kind, before = "", b""
        try:
            with self.collection.find({}, sort=[("_id", 1)], batch_size=_PAGE) as cursor:
                for one in cursor:
                    value = one["_id"]
                    found, text = id_kind(value), str(value)
                    if found == "other" or (kind and found != kind):
                        raise self._no_ids(f"an _id is of the type {type(value).__name__}", kind)
                    if before >= text.encode():
                        raise self._no_ids("MongoDB sorts them otherwise than by their bytes (a collation?)", kind)
                    kind, before = found, text.encode()
                    yield text, bytes(one.raw)
        except PyMongoError as error:
            raise self.trouble(error, "read documents") from None

    def _rows(self, connection: psycopg.Connection[Any]) -> Iterator[tuple[str, str]]:
        query = sql.SQL('SELECT id, document::text FROM {} ORDER BY id COLLATE "C"').format(self.table)
        with connection.cursor(name="isthmus_switch") as cursor:
            cursor.itersize = _PAGE
            cursor.execute(query)
            for name, text in cursor:
                yield str(name), written(cast("dict[str, Any]", json.loads(text)))

    def _no_ids(self, what: str, kind: str) -> PolyglotError:
        beside = f", beside ids that are {kind}" if kind else ""
        return PolyglotError(
            f"The ids of {self.name} are not of one kind that a table of documents takes: {what}{beside}.",
            code="switch-ids",
            where=Where(collection=self.name),
            hint="Texts, ObjectIds or UUIDs, one of them throughout. Others go with a mapping (--mapping).",
        )
