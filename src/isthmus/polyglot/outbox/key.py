"""Which document an event is of: a collection and an `_id`, and a digest by which equal ones are one key. Pure.

MongoDB takes the numbers 5, 5.0 and Decimal128("5") for one `_id`, also inside an embedded document, so their digests
are equal: two keys of one document would lose its order. Texts are compared as they are; a collection with a collation
of its own, which takes "a" and "A" for one `_id`, must be given one of them only.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

import bson
from bson import Decimal128, Int64, Regex
from bson.binary import UuidRepresentation
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.errors import BSONError

from isthmus.errors import PolyglotError, Where

CODEC: CodecOptions[dict[str, Any]] = CodecOptions(
    uuid_representation=UuidRepresentation.STANDARD, datetime_conversion=DatetimeConversion.DATETIME_MS
)
"""How values of Python become BSON and back: an UUID is binary of subtype 4, far dates survive."""

_LONGEST_COLLECTION_BYTES = 200
_LARGEST_ID_BYTES = 1_024


@dataclass(frozen=True)
class DocumentKey:
    """A document that events are of.

    Attributes:
        collection: Its collection.
        document_id: `{"_id": value}` as BSON.
        digest: 32 bytes; equal for what MongoDB takes for one document.
    """

    collection: str
    document_id: bytes
    digest: bytes


def document_key(collection: str, document_id: object) -> DocumentKey:
    """Return the key of a document.

    Args:
        collection: A collection's name.
        document_id: The `_id`, of any type that MongoDB takes for one.

    Raises:
        PolyglotError: MongoDB takes no such name or `_id` (code `outbox-key`).
    """
    _check_collection(collection)
    try:
        data = bson.encode({"_id": document_id}, codec_options=CODEC)
        value: Any = bson.decode(data, CODEC)["_id"]  # pyright: ignore[reportUnknownMemberType]
    except (BSONError, OverflowError, TypeError, ValueError) as fault:
        message = f"The _id of a document in {collection} is no value of BSON: {type(document_id).__name__}."
        raise _no_key(message, collection) from fault
    if isinstance(value, list | Regex):
        raise _no_key(f"MongoDB takes no {type(document_id).__name__} as _id.", collection)
    if isinstance(value, dict) and any(name.startswith("$") for name in cast("dict[str, Any]", value)):
        raise _no_key("MongoDB takes no _id with a field whose name begins with $.", collection)
    if len(data) > _LARGEST_ID_BYTES:
        message = f"The _id of a document in {collection} has {len(data):,} bytes; {_LARGEST_ID_BYTES:,} is the limit."
        raise _no_key(message, collection)
    text = collection.encode()
    return DocumentKey(collection, data, hashlib.sha256(_sized(text) + _canonical(value)).digest())


def _check_collection(collection: str) -> None:
    unusable = not collection or collection.startswith("system.") or any(one in collection for one in "$\0")
    try:
        too_long = len(collection.encode()) > _LONGEST_COLLECTION_BYTES
    except UnicodeEncodeError:
        unusable = too_long = True
    if unusable or too_long:
        raise _no_key(f"MongoDB takes no collection called {collection[:60]!r}.", None)


def _no_key(message: str, collection: str | None) -> PolyglotError:
    hint = "Give a collection's name and the _id of a document in it."
    return PolyglotError(message, code="outbox-key", where=Where(collection=collection), hint=hint)


def _canonical(value: Any) -> bytes:
    """Return bytes that are equal for values that MongoDB's index takes for equal."""
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value).items()
        return b"{" + b"".join(_sized(name.encode()) + _sized(_canonical(one)) for name, one in fields) + b"}"
    if isinstance(value, list):
        return b"[" + b"".join(_sized(_canonical(one)) for one in cast("list[object]", value)) + b"]"
    if isinstance(value, int | float | Int64 | Decimal128) and not isinstance(value, bool):
        return b"n" + _number(value.to_decimal() if isinstance(value, Decimal128) else value).encode()
    return b"v" + bson.encode({"": value}, codec_options=CODEC)


def _number(value: Any) -> str:
    exact = isinstance(value, Decimal)  # of which math asks a double, and 1E+6144 is none
    if value.is_nan() if exact else math.isnan(value):
        return "nan"
    if value.is_infinite() if exact else math.isinf(value):
        return "inf" if value > 0 else "-inf"
    numerator, denominator = value.as_integer_ratio()
    return f"{numerator:x}/{denominator:x}"


def _sized(data: bytes) -> bytes:
    return len(data).to_bytes(4, "little") + data
