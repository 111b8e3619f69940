"""Writes BSON, well-formed or not, from plain parts.

Drivers refuse to write much of what real servers hold (bad UTF-8, duplicate keys, deprecated types, lying array keys),
so this writer takes bytes as they are. Format: https://bsonspec.org/spec.html, version 1.1.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Value:
    """One value: its type byte and its bytes without type and key."""

    type: int
    raw: bytes


def _bytes(text: str | bytes) -> bytes:
    return text.encode("utf-8") if isinstance(text, str) else text


def _string(text: str | bytes) -> bytes:
    content = _bytes(text)
    return struct.pack("<i", len(content) + 1) + content + b"\0"


def double(number: float) -> Value:
    return Value(0x01, struct.pack("<d", number))


def double_bits(bits: int) -> Value:
    return Value(0x01, struct.pack("<Q", bits))


def string(text: str | bytes) -> Value:
    return Value(0x02, _string(text))


def document(elements: Iterable[tuple[str | bytes, Value]]) -> Value:
    body = b"".join(bytes([value.type]) + _bytes(key) + b"\0" + value.raw for key, value in elements)
    return Value(0x03, struct.pack("<i", len(body) + 5) + body + b"\0")


def array(values: Sequence[Value], keys: Sequence[str | bytes] | None = None) -> Value:
    names = keys if keys is not None else [str(index) for index in range(len(values))]
    return Value(0x04, document(zip(names, values, strict=True)).raw)


def binary(subtype: int, payload: bytes) -> Value:
    content = struct.pack("<i", len(payload)) + payload if subtype == 2 else payload
    return Value(0x05, struct.pack("<iB", len(content), subtype) + content)


def undefined() -> Value:
    return Value(0x06, b"")


def object_id(content: bytes) -> Value:
    assert len(content) == 12
    return Value(0x07, content)


def boolean(*, true: bool) -> Value:
    return Value(0x08, b"\1" if true else b"\0")


def datetime_ms(milliseconds: int) -> Value:
    return Value(0x09, struct.pack("<q", milliseconds))


def null() -> Value:
    return Value(0x0A, b"")


def regex(pattern: str | bytes, options: str | bytes) -> Value:
    return Value(0x0B, _bytes(pattern) + b"\0" + _bytes(options) + b"\0")


def db_pointer(namespace: str | bytes, content: bytes) -> Value:
    return Value(0x0C, _string(namespace) + content)


def code(text: str | bytes) -> Value:
    return Value(0x0D, _string(text))


def symbol(text: str | bytes) -> Value:
    return Value(0x0E, _string(text))


def code_with_scope(text: str | bytes, scope: Value) -> Value:
    body = _string(text) + scope.raw
    return Value(0x0F, struct.pack("<i", len(body) + 4) + body)


def int32(number: int) -> Value:
    return Value(0x10, struct.pack("<i", number))


def timestamp(seconds: int, ordinal: int) -> Value:
    return Value(0x11, struct.pack("<II", ordinal, seconds))


def int64(number: int) -> Value:
    return Value(0x12, struct.pack("<q", number))


def decimal128(sign: int, coefficient: int, exponent: int) -> Value:
    """A finite decimal in the short form; exponent is that of the last digit, -6176 to 6111."""
    bits = sign << 127 | (exponent + 6176) << 113 | coefficient
    return Value(0x13, bits.to_bytes(16, "little"))


def decimal128_bits(bits: int) -> Value:
    return Value(0x13, bits.to_bytes(16, "little"))


def min_key() -> Value:
    return Value(0xFF, b"")


def max_key() -> Value:
    return Value(0x7F, b"")


def dbref(collection: str, identifier: Value, database: str | None = None) -> Value:
    parts = [("$ref", string(collection)), ("$id", identifier)]
    return document([*parts, ("$db", string(database))] if database else parts)


def prepended(key: str, value: Value, body: bytes) -> bytes:
    """A document with one more element in front."""
    inside = bytes([value.type]) + key.encode("utf-8") + b"\0" + value.raw + body[4:]
    return struct.pack("<i", len(inside) + 4) + inside
