"""Reads one BSON document from raw bytes into plain values, losing nothing.

Decides only what the bytes say: every type of the BSON specification (https://bsonspec.org/spec.html, version 1.1,
with the deprecated types), duplicate keys kept in order, keys and strings kept as bytes whether or not they are UTF-8,
dates as the stored integer, Decimal128 as sign, coefficient and exponent. What a value *means* for a column is decided
elsewhere. Written by hand because a driver's decoder folds duplicate keys, refuses bad UTF-8 and turns dates into a
type with less range.

Blind spot: array keys are ignored (order is what counts), so a document whose array keys lie reads like one whose keys
are right; that is also what MongoDB's own tools do.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

MAX_NESTING = 100
"""Levels of documents, arrays and scopes, the outermost document being the first (MongoDB's documented limit)."""

DOUBLE, STRING, DOCUMENT, ARRAY, BINARY, UNDEFINED, OBJECT_ID, BOOL = 1, 2, 3, 4, 5, 6, 7, 8
DATETIME, NULL, REGEX, DB_POINTER, CODE, SYMBOL, CODE_WITH_SCOPE, INT32 = 9, 10, 11, 12, 13, 14, 15, 16
TIMESTAMP, INT64, DECIMAL128, MAX_KEY, MIN_KEY = 17, 18, 19, 0x7F, 0xFF

NUMBERS = (DOUBLE, INT32, INT64, DECIMAL128)


class BsonFault(Exception):  # noqa: N818  (a fact about bytes, caught and turned into a rejection)
    """The bytes are not a BSON document.

    Attributes:
        code: `bson` (structure), `bson-type` (unknown type byte) or `nesting` (deeper than `MAX_NESTING`).
        offset: Byte offset inside the document where it was noticed.
        path: Keys and array positions on the way to it.
    """

    def __init__(self, code: str, offset: int, path: tuple[str | int, ...]) -> None:
        super().__init__(f"{code} at byte {offset}")
        self.code = code
        self.offset = offset
        self.path = path


@dataclass(frozen=True, slots=True)
class Decimal128:
    """A Decimal128 as stored: `kind` is `finite`, `nan` or `infinity`; sign 1 is minus; coefficient * 10^exponent."""

    kind: str
    sign: int
    coefficient: int
    exponent: int


@dataclass(frozen=True, slots=True)
class Value:
    """One BSON value.

    Attributes:
        type: The type byte.
        data: By type: float, bytes (string, symbol, code, ObjectId), list of (key bytes, Value) for a document, list of
            Value for an array, (subtype, payload) for binary (inner payload for subtype 2), bool, int (both integers;
            datetime in milliseconds since 1970), (pattern, options), (namespace, ObjectId), (code, scope list),
            (seconds, ordinal), Decimal128, None for null, undefined, minKey and maxKey.
        raw: The value's bytes exactly as stored, without type byte and key.
    """

    type: int
    data: Any
    raw: bytes


Document = list[tuple[bytes, Value]]


def read_document(data: bytes) -> Document:
    """Read one whole document.

    Args:
        data: Exactly the document's bytes, length prefix and final zero included.

    Returns:
        Its elements in stored order, duplicates included.

    Raises:
        BsonFault: The bytes are not one well-formed document.
    """
    elements, end = _document(data, 0, len(data), 1, (), as_array=False)
    if end != len(data):
        raise BsonFault("bson", end, ())
    return elements


def last_wins(elements: Document) -> tuple[Document, int]:
    """Fold duplicate keys: the last value stays, at the place of the last one.

    Returns:
        The elements without duplicates and how many were dropped.
    """
    last = {key: index for index, (key, _) in enumerate(elements)}
    kept = [element for index, element in enumerate(elements) if last[element[0]] == index]
    return kept, len(elements) - len(kept)


def value_at(document: Document, path: tuple[str, ...]) -> Value | None:
    """The value at a path of keys through documents, None when it is missing; of duplicate keys the last."""
    value: Value | None = Value(DOCUMENT, document, b"")
    for key in path:
        if value is None or value.type != DOCUMENT:
            return None
        value = dict(value.data).get(key.encode("utf-8"))
    return value


def _int32(data: bytes, at: int, end: int, path: tuple[str | int, ...]) -> int:
    if at + 4 > end:
        raise BsonFault("bson", at, path)
    return struct.unpack_from("<i", data, at)[0]


def _cstring(data: bytes, at: int, end: int, path: tuple[str | int, ...]) -> tuple[bytes, int]:
    zero = data.find(b"\0", at, end)
    if zero < 0:
        raise BsonFault("bson", at, path)
    return data[at:zero], zero + 1


def _string(data: bytes, at: int, end: int, path: tuple[str | int, ...]) -> tuple[bytes, int]:
    length = _int32(data, at, end, path)
    stop = at + 4 + length
    if length < 1 or stop > end or data[stop - 1] != 0:
        raise BsonFault("bson", at, path)
    return data[at + 4 : stop - 1], stop


def _document(
    data: bytes, at: int, end: int, depth: int, path: tuple[str | int, ...], *, as_array: bool
) -> tuple[Document, int]:
    """Elements of the document that starts at `at`; `end` is the first byte beyond what may be touched."""
    if depth > MAX_NESTING:
        raise BsonFault("nesting", at, path)
    length = _int32(data, at, end, path)
    stop = at + length
    if length < 5 or stop > end or data[stop - 1] != 0:
        raise BsonFault("bson", at, path)
    elements: Document = []
    at += 4
    while at < stop - 1:
        kind = data[at]
        key, value_at = _cstring(data, at + 1, stop - 1, path)
        step: str | int = len(elements) if as_array else key.decode("utf-8", "replace")
        value, at = _value(data, kind, at, value_at, stop - 1, depth, (*path, step))
        elements.append((key, value))
    return elements, stop


def _fixed(data: bytes, at: int, size: int, end: int, path: tuple[str | int, ...]) -> bytes:
    if at + size > end:
        raise BsonFault("bson", at, path)
    return data[at : at + size]


def _value(  # noqa: PLR0915 - one branch a BSON type: a table written as code
    data: bytes, kind: int, type_at: int, at: int, end: int, depth: int, path: tuple[str | int, ...]
) -> tuple[Value, int]:
    content: Any = None
    stop = at
    if kind == DOUBLE:
        stop = at + 8
        content = struct.unpack("<d", _fixed(data, at, 8, end, path))[0]
    elif kind in (STRING, CODE, SYMBOL):
        content, stop = _string(data, at, end, path)
    elif kind == DOCUMENT:
        content, stop = _document(data, at, end, depth + 1, path, as_array=False)
    elif kind == ARRAY:
        elements, stop = _document(data, at, end, depth + 1, path, as_array=True)
        content = [value for _, value in elements]
    elif kind == BINARY:
        length = _int32(data, at, end, path)
        if length < 0:
            raise BsonFault("bson", at, path)
        stop = at + 5 + length
        whole = _fixed(data, at, 5 + length, end, path)
        subtype, payload = whole[4], whole[5:]
        if subtype == 2:
            if len(payload) < 4 or struct.unpack_from("<i", payload)[0] != len(payload) - 4:
                raise BsonFault("bson", at, path)
            payload = payload[4:]
        content = (subtype, payload)
    elif kind == OBJECT_ID:
        stop = at + 12
        content = _fixed(data, at, 12, end, path)
    elif kind == BOOL:
        stop = at + 1
        byte = _fixed(data, at, 1, end, path)[0]
        if byte > 1:
            raise BsonFault("bson", at, path)
        content = byte == 1
    elif kind in (DATETIME, INT64):
        stop = at + 8
        content = struct.unpack("<q", _fixed(data, at, 8, end, path))[0]
    elif kind == REGEX:
        pattern, options_at = _cstring(data, at, end, path)
        options, stop = _cstring(data, options_at, end, path)
        content = (pattern, options)
    elif kind == DB_POINTER:
        namespace, stop = _string(data, at, end, path)
        content = (namespace, _fixed(data, stop, 12, end, path))
        stop += 12
    elif kind == CODE_WITH_SCOPE:
        length = _int32(data, at, end, path)
        stop = at + length
        if length < 14 or stop > end:
            raise BsonFault("bson", at, path)
        code, scope_at = _string(data, at + 4, stop, path)
        scope, scope_end = _document(data, scope_at, stop, depth + 1, path, as_array=False)
        if scope_end != stop:
            raise BsonFault("bson", at, path)
        content = (code, scope)
    elif kind == INT32:
        stop = at + 4
        content = _int32(data, at, end, path)
    elif kind == TIMESTAMP:
        stop = at + 8
        ordinal, seconds = struct.unpack("<II", _fixed(data, at, 8, end, path))
        content = (seconds, ordinal)
    elif kind == DECIMAL128:
        stop = at + 16
        content = decimal128(_fixed(data, at, 16, end, path))
    elif kind not in (UNDEFINED, NULL, MIN_KEY, MAX_KEY):
        raise BsonFault("bson-type", type_at, path)
    return Value(kind, content, data[at:stop]), stop


def decimal128(raw: bytes) -> Decimal128:
    """Read 16 little-endian bytes of IEEE 754-2008 decimal128, binary integer significand.

    A coefficient above 34 digits (also every one of the "11" form, which starts at 2^113) is non-canonical and counts
    as zero, as IEEE 754-2008 section 3.5.2 says.
    """
    bits = int.from_bytes(raw, "little")
    sign = bits >> 127
    if (bits >> 122) & 0b11111 == 0b11111:
        return Decimal128("nan", sign, 0, 0)
    if (bits >> 122) & 0b11111 == 0b11110:
        return Decimal128("infinity", sign, 0, 0)
    if (bits >> 125) & 0b11 == 0b11:
        return Decimal128("finite", sign, 0, ((bits >> 111) & 0x3FFF) - 6176)
    coefficient = bits & ((1 << 113) - 1)
    if coefficient >= 10**34:
        coefficient = 0
    return Decimal128("finite", sign, coefficient, ((bits >> 113) & 0x3FFF) - 6176)
