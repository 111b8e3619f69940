"""Writes mongodump archives from documents or raw bytes. Imports nothing from isthmus.

The checksum is computed here bit by bit as `hash/crc64` of Go does with its ECMA polynomial, so that the product's is
not its own witness. What a real mongodump writes and this does not: oplogs of a real server, and odd metadata.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import bson
from bson import Int64

from tests.fix_dumps import Documents, compress, raw_bytes

MAGIC = b"\x6d\xe2\x99\x81"
TERMINATOR = b"\xff\xff\xff\xff"
POLYNOMIAL = 0xC96C5795D7870F42


def _table() -> list[int]:
    table: list[int] = []
    for byte in range(256):
        register = byte
        for _ in range(8):
            register = register >> 1 ^ (POLYNOMIAL if register & 1 else 0)
        table.append(register)
    return table


_TABLE = _table()


def checksum(data: bytes) -> int:
    """Return the CRC-64 that mongodump writes."""
    register = 0xFFFF_FFFF_FFFF_FFFF
    for byte in data:
        register = _TABLE[(register ^ byte) & 0xFF] ^ register >> 8
    return register ^ 0xFFFF_FFFF_FFFF_FFFF


def signed(number: int) -> Int64:
    """Return a 64-bit number as BSON holds it."""
    return Int64(number - (1 << 64) if number >> 63 else number)


def metadata_of(name: str, *, kind: str = "collection", **options: object) -> dict[str, Any]:
    """Return the metadata mongodump writes for a collection."""
    index = {"v": {"$numberInt": "2"}, "key": {"_id": {"$numberInt": "1"}}, "name": "_id_"}
    indexes = [] if kind == "view" else [index]
    return {"options": options, "indexes": indexes, "uuid": "0" * 32, "collectionName": name, "type": kind}


def description(database: str, name: str, metadata: str, *, kind: str = "collection", size: int = 0) -> bytes:
    """Return the document of the prelude that describes a collection."""
    return bson.encode({"db": database, "collection": name, "metadata": metadata, "size": size, "type": kind})


def prelude(descriptions: Iterable[bytes], *, version: str | None = "0.1") -> bytes:
    """Return everything in front of the first block."""
    header: dict[str, object] = {"concurrent_collections": 4}
    if version is not None:
        header["version"] = version
    header |= {"server_version": "8.0.4", "tool_version": "100.11.0"}
    return MAGIC + bson.encode(header) + b"".join(descriptions) + TERMINATOR


def block(database: str, name: str, raw: bytes) -> bytes:
    """Return a block with documents."""
    return bson.encode({"db": database, "collection": name, "EOF": False, "CRC": Int64(0)}) + raw + TERMINATOR


def end_block(database: str, name: str, crc: int) -> bytes:
    """Return the last block of a collection."""
    return bson.encode({"db": database, "collection": name, "EOF": True, "CRC": signed(crc)}) + TERMINATOR


def archive(
    collections: Mapping[str, Documents] | Mapping[tuple[str, str], Documents],
    *,
    database: str = "shop",
    metadata: Mapping[str, Mapping[str, object]] | None = None,
    in_segment: int | None = None,
    oplog: Documents | None = None,
    without_end: Iterable[str] = (),
    version: str | None = "0.1",
) -> bytes:
    """Return a whole archive.

    Args:
        collections: Documents by collection, or by (database, collection); bytes are whole documents in a row.
        database: Of those that name none.
        metadata: By collection, where it is not the ordinary one; empty: none is written.
        in_segment: Documents of one collection in a row before the next has its turn; None: all.
        oplog: Entries of an oplog.
        without_end: Collections whose end block is left out.
        version: Stated format version; None: none is stated.
    """
    all_of = {(one if isinstance(one, tuple) else (database, one)): raw_bytes(own) for one, own in collections.items()}
    described: list[bytes] = []
    for (place, name), raw in all_of.items():
        own = (metadata or {}).get(name, metadata_of(name))
        kind = str(own.get("type", "collection"))
        described.append(description(place, name, json.dumps(own) if own else "", kind=kind, size=len(raw)))
    if oplog is not None:
        all_of["", "oplog"] = raw_bytes(oplog)
        described.append(description("", "oplog", "", kind=""))
    queues = {names: _segments(raw, in_segment) for names, raw in all_of.items()}
    blocks: list[bytes] = []
    for turn in itertools.count():
        if all(turn > len(own) for own in queues.values()):
            break
        for (place, name), own in queues.items():
            if turn < len(own):
                blocks.append(block(place, name, own[turn]))
            elif turn == len(own) and name not in without_end:
                blocks.append(end_block(place, name, checksum(all_of[place, name])))
    return prelude(described, version=version) + b"".join(blocks)


def _segments(raw: bytes, in_segment: int | None) -> list[bytes]:
    """Cut documents into segments; a collection without any has one without any, as mongodump writes it."""
    if in_segment is None:
        return [raw]
    documents = split(raw)
    return [b"".join(documents[at : at + in_segment]) for at in range(0, len(documents), in_segment)] or [b""]


def split(raw: bytes) -> list[bytes]:
    """Cut whole documents apart by their lengths."""
    documents: list[bytes] = []
    at = 0
    while at < len(raw):
        end = at + int.from_bytes(raw[at : at + 4], "little")
        documents.append(raw[at:end])
        at = end
    return documents


def write_archive(path: Path, data: bytes, *, compressed: bool = False) -> Path:
    """Write an archive's file, gzipped as `mongodump --archive --gzip` does it; return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(compress(data) if compressed else data)
    return path
