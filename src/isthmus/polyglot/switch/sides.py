"""The documents of a collection on both sides, read once in one order, with bounded memory. Writes nothing."""

from __future__ import annotations

import json
import threading
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from typing import Any, cast

import psycopg
from bson import CodecOptions
from bson.binary import UuidRepresentation
from bson.errors import BSONError
from bson.raw_bson import RawBSONDocument
from psycopg import sql
from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.read_preferences import ReadPreference

from isthmus.connect.mongo import MongoServer
from isthmus.errors import PolyglotError, SourceError, Where
from isthmus.polyglot.stores.form import written
from isthmus.polyglot.stores.ids import id_kind
from isthmus.polyglot.switch.waiting import ended_by
from isthmus.work.interrupted import Interrupted

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
        stop: Ends reading.
        session: In which MongoDB is read, so that nothing that was acknowledged before is missed.
    """

    def __init__(
        self,
        server: MongoServer,
        database: str,
        collection: str,
        table: sql.Identifier,
        stop: threading.Event,
        session: ClientSession,
    ) -> None:
        self._server = server
        self.table = table
        self.name = collection
        self.session = session
        self._stop = stop
        raw = server.client.get_database(database).get_collection(collection, codec_options=_RAW)
        self.collection: Collection[RawBSONDocument] = raw.with_options(
            codec_options=_RAW, read_preference=ReadPreference.PRIMARY, read_concern=ReadConcern("majority")
        )

    def pairs(self, connection: psycopg.Connection[Any]) -> Generator[Pair]:
        """Yield every document that is on either side, by its id's text.

        Args:
            connection: In an open transaction; not used for anything else meanwhile.

        Raises:
            PolyglotError: Ids are of more than one kind, or of one that the stores do not take (`switch-ids`), or a
                document cannot be read at all (`switch-unfit`).
            SourceError: MongoDB is in trouble.
            Interrupted: The stop was set.
        """
        with (
            ended_by(self._stop, connection),
            closing(self._sources()) as sources,
            closing(self.rows(connection)) as rows,
        ):
            source, row = next(sources, None), next(rows, None)
            while source is not None or row is not None:
                if self._stop.is_set():
                    raise Interrupted
                name = min(one[0].encode() for one in (source, row) if one is not None).decode()
                here = source if source is not None and source[0] == name else None
                there = row if row is not None and row[0] == name else None
                yield Pair(name, here[1] if here else None, there[1] if there else None)
                if here is not None:
                    source = next(sources, None)
                if there is not None:
                    row = next(rows, None)

    def rows(self, connection: psycopg.Connection[Any]) -> Generator[tuple[str, str]]:
        """Yield id and document of every row, the document written in one way, one row at a time."""
        query = sql.SQL('COPY (SELECT id, document::text FROM {} ORDER BY id COLLATE "C") TO STDOUT').format(self.table)
        with connection.cursor() as cursor, cursor.copy(query) as copy:
            copy.set_types(["text", "text"])
            for name, text in copy.rows():
                yield str(name), written(cast("dict[str, Any]", json.loads(text)))

    def trouble(self, error: PyMongoError, what: str) -> SourceError:
        """Return what to raise for an error of MongoDB's driver."""
        return self._server.trouble(error, what, collection=self.name)

    def _sources(self) -> Generator[tuple[str, bytes]]:
        kind, before = "", b""
        try:
            with self.collection.find({}, sort=[("_id", 1)], batch_size=_PAGE, session=self.session) as cursor:
                for one in cursor:
                    value = one["_id"]
                    found, text = id_kind(value), str(value)
                    if found == "other" or (kind and found != kind):
                        raise no_ids(self.name, f"an _id is of the type {type(value).__name__}", kind)
                    if before >= text.encode():
                        words = "MongoDB sorts them otherwise than by their bytes (a collation?)"
                        raise no_ids(self.name, words, kind)
                    kind, before = found, text.encode()
                    yield text, bytes(one.raw)
        except PyMongoError as error:
            raise self.trouble(error, "read documents") from None
        except BSONError as error:
            behind = f" behind the _id {before.decode()[:80]}" if before else ""
            raise PolyglotError(
                f"A document of {self.name}{behind} cannot be read: {type(error).__name__}.",
                code="switch-unfit",
                where=Where(collection=self.name),
                hint="Correct it in MongoDB: a text of it is no UTF-8, most likely. Nothing was copied.",
            ) from None


def no_ids(collection: str, what: str, kind: str) -> PolyglotError:
    """Return the error for ids that a table of documents does not take."""
    beside = f", beside ids that are {kind}" if kind else ""
    return PolyglotError(
        f"The ids of {collection} are not of one kind that a table of documents takes: {what}{beside}.",
        code="switch-ids",
        where=Where(collection=collection),
        hint="Texts, ObjectIds or UUIDs, one of them throughout. Others go with a mapping (--mapping).",
    )
