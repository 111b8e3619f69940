"""Where documents go: a mongodump folder, or a running server."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import bson
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient

CHUNK = 2_000
"""Documents that are written at once; memory holds no more."""
_ID_INDEX: dict[str, Any] = {"v": {"$numberInt": "2"}, "key": {"_id": {"$numberInt": "1"}}, "name": "_id_"}
DATABASE = "nextcrm"


class Sink(Protocol):
    """Takes one collection after the other.

    Its methods raise OSError or PyMongoError, where the place cannot be read or written.
    """

    def holds(self) -> list[str]:
        """Names of collections that have documents there, in order."""
        ...

    def clear(self, collections: Iterable[str]) -> None:
        """Delete collections, where they are there."""
        ...

    def write(self, collection: str, documents: Iterable[dict[str, Any]], unique: str | None) -> None:
        """Take a whole collection; `unique` names a field with a unique index."""
        ...


class DumpFolder(AbstractContextManager["DumpFolder"]):
    """A folder as mongodump writes it: data and metadata of each collection.

    Args:
        folder: The database's folder; made when missing. Files of collections that are written are written over.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def __exit__(self, *_: object) -> None:
        """Do nothing: every file is closed when it is written."""

    def holds(self) -> list[str]:
        """Names of collections whose file is not empty."""
        return sorted(path.stem for path in self._folder.glob("*.bson") if path.stat().st_size)

    def clear(self, collections: Iterable[str]) -> None:
        """Delete both files of each collection."""
        for collection in collections:
            for ending in (".bson", ".metadata.json"):
                (self._folder / f"{collection}{ending}").unlink(missing_ok=True)

    def write(self, collection: str, documents: Iterable[dict[str, Any]], unique: str | None) -> None:
        """Write both files of a collection."""
        with (self._folder / f"{collection}.bson").open("wb") as file:
            for chunk in _chunks(documents):
                file.write(b"".join(chunk))
        indexes = [_ID_INDEX]
        if unique is not None:
            key = {unique: {"$numberInt": "1"}}
            indexes.append({"v": {"$numberInt": "2"}, "key": key, "name": f"{collection}_{unique}_key", "unique": True})
        metadata = {
            "options": {},
            "indexes": indexes,
            "uuid": "0" * 32,
            "collectionName": collection,
            "type": "collection",
        }
        (self._folder / f"{collection}.metadata.json").write_text(json.dumps(metadata), encoding="utf-8")


class Server(AbstractContextManager["Server"]):
    """A running server.

    Args:
        url: With the database in it; `nextcrm` without one.
    """

    def __init__(self, url: str) -> None:
        self._client: MongoClient[RawBSONDocument] = MongoClient(url, document_class=RawBSONDocument)
        self._database = self._client.get_default_database(DATABASE)

    def holds(self) -> list[str]:
        """Names of collections that have a document."""
        names = sorted(self._database.list_collection_names(filter={"type": "collection"}))
        return [name for name in names if self._database[name].find_one({}, {"_id": True}) is not None]

    def clear(self, collections: Iterable[str]) -> None:
        """Drop the collections."""
        for collection in collections:
            self._database.drop_collection(collection)

    def write(self, collection: str, documents: Iterable[dict[str, Any]], unique: str | None) -> None:
        """Insert a collection that is not there; an empty one is made."""
        self._database.create_collection(collection)
        target = self._database[collection]
        for chunk in _chunks(documents):
            target.insert_many([RawBSONDocument(one) for one in chunk], ordered=True)
        if unique is not None:
            target.create_index(unique, unique=True, name=f"{collection}_{unique}_key")

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self._client.close()


def _chunks(documents: Iterable[dict[str, Any]]) -> Iterator[list[bytes]]:
    left = iter(documents)
    while chunk := [bson.encode(one) for one in islice(left, CHUNK)]:
        yield chunk
