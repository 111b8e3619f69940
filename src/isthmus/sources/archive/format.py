"""What the bytes of a mongodump archive mean: version, descriptions of collections, headers of blocks.

Pure: documents in, facts out. The layout (mongo-tools, `common/archive/spec.md`): a magic number; a prelude of one
document with the version and one for each collection, closed by a terminator; then blocks, each a header that names
a collection, documents of it, and a terminator. Blocks of different collections stand between each other. The last
block of a collection has no documents; its header says so and carries the checksum over all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bson import BSON, CodecOptions, DatetimeConversion
from bson.errors import BSONError

MAGIC = bytes.fromhex("6de29981")
"""First bytes of an archive; no BSON document begins so, for its length would be negative."""

TERMINATOR = b"\xff\xff\xff\xff"
"""Stands where the length of a next document would."""

VERSION = "0.1"
"""The only version of the format there is."""

OPLOG_NAMES = frozenset({"oplog", "oplog.bson"})
"""How the oplog is called there; it belongs to the database without a name."""

_CODEC = CodecOptions[dict[str, Any]](datetime_conversion=DatetimeConversion.DATETIME_AUTO)


class MalformedError(Exception):
    """A document of the archive's own is not what stands at its place; the text continues "it …"."""


@dataclass(frozen=True, slots=True)
class Description:
    """What the prelude says of one collection.

    Attributes:
        database: Its database; empty for the oplog.
        name: Its name.
        kind: `collection`, `view`, `timeseries`, or empty where an older mongodump does not say.
        metadata: Options and indexes as JSON text, as a folder's `.metadata.json` holds them; may be empty.
    """

    database: str
    name: str
    kind: str
    metadata: str


@dataclass(frozen=True, slots=True)
class BlockHeader:
    """What begins a block.

    Attributes:
        database: The collection's database.
        name: The collection.
        ends: Whether this block is the collection's last; it has no documents then.
        checksum: CRC-64 over all documents of the collection, in a last block.
    """

    database: str
    name: str
    ends: bool
    checksum: int


def read_version(document: bytes) -> str:
    """Return the format version that the first document of an archive states; empty when it states none.

    Raises:
        MalformedError: The document cannot be read.
    """
    return _text(_decode(document), "version")


def read_description(document: bytes) -> Description:
    """Read a document of the prelude that describes a collection.

    Raises:
        MalformedError: It is no such document.
    """
    fields = _decode(document)
    name = _name(fields)
    return Description(_text(fields, "db"), name, _text(fields, "type"), _text(fields, "metadata"))


def read_block_header(document: bytes) -> BlockHeader:
    """Read the document that begins a block.

    Raises:
        MalformedError: It is no such document.
    """
    fields = _decode(document)
    name = _name(fields)
    ends, checksum = fields.get("EOF", False), fields.get("CRC", 0)
    if not isinstance(ends, bool) or not isinstance(checksum, int):
        raise MalformedError("says neither whether a collection goes on nor that it ends")
    return BlockHeader(_text(fields, "db"), name, ends, checksum & 0xFFFF_FFFF_FFFF_FFFF)


def _decode(document: bytes) -> dict[str, Any]:
    try:
        return BSON(document).decode(_CODEC)
    except (BSONError, ValueError, OverflowError, RecursionError) as error:
        raise MalformedError(f"cannot be read ({error})") from error


def _name(fields: dict[str, Any]) -> str:
    name = _text(fields, "collection")
    if not name:
        raise MalformedError("names no collection")
    if "\0" in name or "\0" in _text(fields, "db"):
        raise MalformedError("names a collection with a zero byte in its name, which MongoDB does not allow")
    return name


def _text(fields: dict[str, Any], key: str) -> str:
    value = fields.get(key, "")
    if not isinstance(value, str):
        raise MalformedError(f"holds no text as {key}, but {value!r:.60}")
    return value
