"""Where documents go: a mongodump folder, or a running server."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import bson
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient

CHUNK = 2_000
CHUNK_BYTES = 2 * 2**20
"""Documents, and bytes, that are written at once; memory holds little more."""
_ID_INDEX: dict[str, Any] = {"v": {"$numberInt": "2"}, "key": {"_id": {"$numberInt": "1"}}, "name": "_id_"}
_EXPIRY = "expireAfterSeconds"


@dataclass(frozen=True)
class Index:
    """An index of a collection.

    Attributes:
        name: As the server knows it.
        keys: Fields in order, each with 1, or -1 for descending.
        options: As the server takes them (`unique`, `sparse`, `collation`, `expireAfterSeconds`).
    """

    name: str
    keys: dict[str, int]
    options: dict[str, Any] = field(default_factory=dict[str, Any])


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

    def write(self, collection: str, documents: Iterable[dict[str, Any]], indexes: Sequence[Index] = ()) -> None:
        """Take a whole collection and its indexes, without that of `_id`."""
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

    def write(self, collection: str, documents: Iterable[dict[str, Any]], indexes: Sequence[Index] = ()) -> None:
        """Write both files of a collection."""
        with (self._folder / f"{collection}.bson").open("wb") as file:
            for chunk in _chunks(documents):
                file.write(b"".join(chunk))
        metadata = {
            "options": {},
            "indexes": [_ID_INDEX, *(_shown(index) for index in indexes)],
            "uuid": "0" * 32,
            "collectionName": collection,
            "type": "collection",
        }
        (self._folder / f"{collection}.metadata.json").write_text(json.dumps(metadata), encoding="utf-8")


class Server(AbstractContextManager["Server"]):
    """A running server.

    Args:
        url: With the database in it, or without.
        database: Its name, where the URL names none.
    """

    def __init__(self, url: str, database: str) -> None:
        self._client: MongoClient[RawBSONDocument] = MongoClient(url, document_class=RawBSONDocument)
        self._database = self._client.get_default_database(database)

    def holds(self) -> list[str]:
        """Names of collections that have a document."""
        names = sorted(self._database.list_collection_names(filter={"type": "collection"}))
        return [name for name in names if self._database[name].find_one({}, {"_id": True}) is not None]

    def clear(self, collections: Iterable[str]) -> None:
        """Drop the collections."""
        for collection in collections:
            self._database.drop_collection(collection)

    def write(self, collection: str, documents: Iterable[dict[str, Any]], indexes: Sequence[Index] = ()) -> None:
        """Insert a collection that is not there; an empty one is made.

        An index that lets documents expire is not made: the server would delete what is planted.
        """
        self._database.create_collection(collection)
        target = self._database[collection]
        for chunk in _chunks(documents):
            target.insert_many([RawBSONDocument(one) for one in chunk], ordered=True)
        for index in indexes:
            if _EXPIRY not in index.options:
                target.create_index(list(index.keys.items()), name=index.name, **index.options)

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self._client.close()


def _shown(index: Index) -> dict[str, Any]:
    """An index as a dump's metadata tell it."""
    key = {path: _number(direction) for path, direction in index.keys.items()}
    return {"v": _number(2), "key": key, "name": index.name, **{name: _number(v) for name, v in index.options.items()}}


def _number(value: Any) -> Any:
    """Whole numbers as Extended JSON, also inside of options."""
    if isinstance(value, dict):
        return {name: _number(inner) for name, inner in value.items()}
    return {"$numberInt": str(value)} if type(value) is int else value


def _chunks(documents: Iterable[dict[str, Any]]) -> Iterator[list[bytes]]:
    """Encoded documents, as many at a time as are written at once; at least one."""
    chunk: list[bytes] = []
    held = 0
    for document in documents:
        data = bson.encode(document)
        chunk.append(data)
        held += len(data)
        if len(chunk) == CHUNK or held >= CHUNK_BYTES:
            yield chunk
            chunk, held = [], 0
    if chunk:
        yield chunk
