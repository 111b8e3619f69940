"""One value of a BSON document put in place of another: every other byte stays. Pure.

Nothing of the rest is decoded. So it serves documents too that a driver reads and does not write back as they were:
deprecated types, text that is not UTF-8, keys that stand twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

_LEAST = 5  # bytes of a document without fields
_DOCUMENT, _ARRAY = 0x03, 0x04
_REGEX, _BINARY, _POINTER = 0x0B, 0x05, 0x0C
_FIXED = {
    0x01: 8,  # double
    0x06: 0,  # undefined
    0x07: 12,  # ObjectId
    0x08: 1,  # boolean
    0x09: 8,  # date
    0x0A: 0,  # null
    0x10: 4,  # int32
    0x11: 8,  # timestamp
    0x12: 8,  # int64
    0x13: 16,  # decimal
    0x7F: 0,  # max key
    0xFF: 0,  # min key
}
"""Bytes of values whose type says how many."""
_COUNTED = {
    0x02: 4,  # text
    _DOCUMENT: 0,
    _ARRAY: 0,
    _BINARY: 5,
    _POINTER: 16,
    0x0D: 4,  # code
    0x0E: 4,  # symbol
    0x0F: 0,  # code with scope
}
"""Bytes of a value beyond those that its first four count."""


class _Element(NamedTuple):
    kind_at: int
    key: bytes
    value_at: int
    end: int


class _Found(NamedTuple):
    element: _Element
    holders: list[int]  # where each document and array that it stands in begins


def replace_value(raw: bytes, path: Sequence[str | int], there: bytes, becomes: bytes) -> bytes:
    """Return a document with the value at a path replaced, and the document itself where another value stands there.

    Args:
        raw: The document.
        path: Where: keys are texts, positions numbers. Of keys that stand twice, the first that holds the value.
        there: `{"": value}`: what must stand there, of the same type and the same bytes.
        becomes: `{"": value}`.

    Raises:
        ValueError: It is no BSON as far as it was looked at.
    """
    if len(raw) < _LEAST or _number(raw, 0) != len(raw) or raw[-1]:
        raise ValueError("no whole document")
    if not path or not isinstance(path[0], str):
        return raw
    found = _find(raw, 0, len(raw), path, there)
    if found is None:
        return raw
    kind_at, key, value_at, end = found.element
    value = becomes[6:-1]
    changed = bytearray(raw[:kind_at] + becomes[4:5] + key + b"\0" + value + raw[end:])
    longer = len(value) - (end - value_at)
    for at in found.holders:
        changed[at : at + 4] = (_number(raw, at) + longer).to_bytes(4, "little")
    return bytes(changed)


def _find(raw: bytes, at: int, most: int, path: Sequence[str | int], there: bytes) -> _Found | None:
    step, deeper = path[0], path[1:]
    key = step.encode() if isinstance(step, str) else None
    for number, one in enumerate(_elements(raw, at, most)):
        if number != step if key is None else one.key != key:
            continue
        kind = raw[one.kind_at]
        if not deeper:
            if kind == there[4] and raw[one.value_at : one.end] == there[6:-1]:
                return _Found(one, [at])
        elif kind == (_DOCUMENT if isinstance(deeper[0], str) else _ARRAY):
            found = _find(raw, one.value_at, one.end, deeper, there)
            if found is not None:
                return _Found(found.element, [at, *found.holders])
    return None


def _elements(raw: bytes, at: int, most: int) -> Iterator[_Element]:
    end = at + _number(raw, at) - 1
    if end + 1 > most or end < at + 4 or raw[end]:
        raise ValueError("a document that is longer or shorter than it says")
    at += 4
    while at < end:
        value_at = raw.index(0, at + 1, end) + 1
        following = _end(raw, raw[at], value_at)
        if following > end:
            raise ValueError("a value that is longer than what it stands in")
        yield _Element(at, raw[at + 1 : value_at - 1], value_at, following)
        at = following


def _end(raw: bytes, kind: int, at: int) -> int:
    if kind in _FIXED:
        return at + _FIXED[kind]
    if kind == _REGEX:
        return raw.index(0, raw.index(0, at) + 1) + 1
    if kind not in _COUNTED:
        raise ValueError("a type that BSON does not have")
    return at + _COUNTED[kind] + _number(raw, at)


def _number(raw: bytes, at: int) -> int:
    return int.from_bytes(raw[at : at + 4], "little")
