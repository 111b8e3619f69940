"""Fixtures that write mongodump folders from documents or raw bytes. Imports nothing from isthmus."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from urllib.parse import quote

import bson
import pytest

Document = bytes | Mapping[str, object]
Documents = bytes | Iterable[Document]
MakeDump = Callable[..., Path]


def encode(document: Document) -> bytes:
    """Return raw BSON: bytes as they are, mappings encoded."""
    return document if isinstance(document, bytes) else bson.encode(document)


def raw_bytes(documents: Documents) -> bytes:
    """Return a data file's bytes; `documents` given as bytes are the whole file as it is, broken or not."""
    return documents if isinstance(documents, bytes) else b"".join(encode(one) for one in documents)


def compress(raw: bytes) -> bytes:
    """Return gzip bytes that depend on `raw` only."""
    return gzip.compress(raw, mtime=0)


def file_name(collection: str) -> str:
    """Return the file stem mongodump uses: percent-encoded like one segment of a URL path."""
    return quote(collection, safe="$&+=:@~")


def write_collection(
    folder: Path,
    name: str,
    documents: Documents | None,
    *,
    compressed: bool = False,
    metadata: Mapping[str, object] | bytes | None = None,
) -> Path:
    """Write one collection's files.

    Args:
        folder: The database's folder; made when missing.
        name: Collection name, any text.
        documents: Its documents or its whole data file as bytes; None writes no data file.
        compressed: Whether both files are gzipped.
        metadata: Its metadata; by default that of an ordinary collection; bytes are written as they are; an empty
            mapping writes none.

    Returns:
        The path of the data file, whether it was written or not.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ending = ".gz" if compressed else ""
    path = folder / f"{file_name(name)}.bson{ending}"
    if documents is not None:
        raw = raw_bytes(documents)
        path.write_bytes(compress(raw) if compressed else raw)
    if metadata is None:
        index = {"v": {"$numberInt": "2"}, "key": {"_id": {"$numberInt": "1"}}, "name": "_id_"}
        metadata = {"options": {}, "indexes": [index], "uuid": "0" * 32, "collectionName": name, "type": "collection"}
    if metadata:
        text = metadata if isinstance(metadata, bytes) else json.dumps(metadata).encode()
        (folder / f"{file_name(name)}.metadata.json{ending}").write_bytes(compress(text) if compressed else text)
    return path


@pytest.fixture
def make_dump(tmp_path: Path) -> MakeDump:
    """Return a function that writes a dump and gives the path of the database's folder.

    `make_dump({"Users": [{"_id": 1}], "Raw": b"..."}, database="shop", compressed=True)`; `compressed` may also be
    the collection names to gzip; `metadata` maps collection names to theirs (see `write_collection`).
    """

    def make(
        collections: Mapping[str, Documents | None],
        *,
        database: str = "shop",
        compressed: bool | Iterable[str] = False,
        metadata: Mapping[str, Mapping[str, object] | bytes] | None = None,
        root: Path | None = None,
    ) -> Path:
        folder = (root or tmp_path / "dump") / database
        folder.mkdir(parents=True, exist_ok=True)
        packed = set(collections if compressed is True else compressed or ())
        for name, documents in collections.items():
            own = (metadata or {}).get(name)
            write_collection(folder, name, documents, compressed=name in packed, metadata=own)
        return folder

    return make
