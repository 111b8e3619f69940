"""Lays a planted database down: as a mongodump folder with the truth beside it, or on a MongoDB server."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bson import json_util
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from tests.fix_dumps import write_collection
from tests.planted.database import Collection, Database
from tests.planted.truth import IndexTruth

BATCH_DOCUMENTS = 1000
BATCH_BYTES = 8 << 20
CANNOT_CREATE_INDEX = 67


@dataclass(frozen=True)
class Written:
    """Where things lie.

    Attributes:
        dump: The folder of the database, as mongodump makes it.
        truth: The truth as JSON.
    """

    dump: Path
    truth: Path


def write_dump(database: Database, folder: Path, *, compressed: bool = False) -> Written:
    """Write `dump/<database>/` and `truth.json` into a folder, which is made when missing.

    The same database gives the same bytes. Files of the same names are overwritten, others stay.
    """
    dump = folder / "dump" / database.name
    for name, collection in database.collections.items():
        documents = None if collection.kind == "view" else b"".join(collection.documents)
        metadata = _metadata(database.name, name, collection)
        write_collection(dump, name, documents, compressed=compressed, metadata=metadata)
    truth = folder / "truth.json"
    truth.write_text(database.truth.to_json(), encoding="utf-8")
    return Written(dump, truth)


def load(database: Database, client: MongoClient[dict[str, Any]], name: str | None = None) -> list[str]:
    """Write a database to a server: collections, documents as they are, indexes.

    Args:
        name: Another name for it there. It must not exist yet.

    Returns:
        Names of indexes that this server cannot make; the wire server of the tests has no text indexes.

    Raises:
        pymongo.errors.OperationFailure: The server refuses a collection, a document or an index; the wire server of the
            tests reads every value as Python does, and so refuses far dates and text that is not UTF-8.
    """
    target = client[name or database.name]
    without: list[str] = []
    for collection_name, collection in database.collections.items():
        target.create_collection(collection_name, **collection.options)
        for batch in _batches(collection.documents):
            # As a command: `insert_many` looks into documents, which fails where a text is not UTF-8.
            target.command("insert", collection_name, documents=[RawBSONDocument(one) for one in batch])
        for index in collection.indexes:
            described = {"key": _key(index), "name": index.name, **index.options}
            try:
                target.command("createIndexes", collection_name, indexes=[described])
            except OperationFailure as error:
                if error.code != CANNOT_CREATE_INDEX:
                    raise
                without.append(index.name)
    return without


def _batches(documents: list[bytes]) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    size = 0
    for one in documents:
        if batch and (len(batch) == BATCH_DOCUMENTS or size + len(one) > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(one)
        size += len(one)
    if batch:
        yield batch


def _metadata(database: str, name: str, collection: Collection) -> dict[str, Any]:
    """Return what mongodump says of a collection, in canonical Extended JSON."""
    view = collection.kind == "view"
    indexes = [] if view else [{"v": 2, "key": {"_id": 1}, "name": "_id_"}, *map(_index, collection.indexes)]
    said = {"options": collection.options, "indexes": indexes}
    canonical = json.loads(json_util.dumps(said, json_options=json_util.CANONICAL_JSON_OPTIONS))
    uuid = hashlib.sha256(f"{database}.{name}".encode()).hexdigest()[:32]
    kind = "view" if view else "collection"
    return {**canonical, **({} if view else {"uuid": uuid}), "collectionName": name, "type": kind}


def _key(index: IndexTruth) -> dict[str, Any]:
    return {part[0]: part[1] for part in index.keys}


def _index(index: IndexTruth) -> dict[str, Any]:
    texts = [path for path, how in index.keys if how == "text"]
    if not texts:
        return {"v": 2, "key": _key(index), "name": index.name, **index.options}
    # A server keeps a text index under keys of its own.
    others = {path: how for path, how in index.keys if how != "text"}
    return {
        "v": 2,
        "key": {**others, "_fts": "text", "_ftsx": 1},
        "name": index.name,
        "weights": dict.fromkeys(texts, 1),
        "default_language": "english",
        "language_override": "language",
        "textIndexVersion": 3,
        **index.options,
    }
