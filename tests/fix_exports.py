"""Writes JSON as mongoexport does, from raw BSON, byte by byte. Imports nothing from isthmus and no driver.

Follows the Extended JSON specification (v2, canonical and relaxed); keys that stand twice and types that drivers no
longer have are written as they stand. What JSON cannot hold raises: text that is not UTF-8, and what is no BSON. What
it folds without a word is told by `is_lossless`: NaNs with a payload, Decimal128 beyond 34 digits, keys of arrays, and
objects that only look like a type. Blind spot: a real mongoexport.
"""

from __future__ import annotations

import base64
import datetime
import json
import math
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.fix_archives import split
from tests.fix_dumps import compress, file_name

_YEAR_1970, _YEAR_10000 = 0, 253_402_300_800_000
_TYPE_KEYS = frozenset(
    {
        *("$oid", "$numberInt", "$numberLong", "$numberDouble", "$numberDecimal", "$date", "$binary", "$uuid"),
        *("$timestamp", "$regularExpression", "$regex", "$code", "$symbol", "$undefined", "$dbPointer"),
        *("$minKey", "$maxKey"),
    }
)


@dataclass(frozen=True)
class Element:
    """One element of a document: type byte, key and payload as they stand."""

    type: int
    key: bytes
    payload: bytes


def elements(document: bytes) -> Iterator[Element]:
    """Yield the elements of a well-formed document."""
    at, end = 4, struct.unpack_from("<i", document)[0] - 1
    while at < end:
        kind = document[at]
        behind_key = document.index(0, at + 1)
        size = _size(kind, document, behind_key + 1)
        yield Element(kind, document[at + 1 : behind_key], document[behind_key + 1 : behind_key + 1 + size])
        at = behind_key + 1 + size


def _size(kind: int, data: bytes, at: int) -> int:
    """Return how many bytes the value of a type takes that begins at a place."""
    fixed = {
        0x01: 8,
        0x06: 0,
        0x07: 12,
        0x08: 1,
        0x09: 8,
        0x0A: 0,
        0x10: 4,
        0x11: 8,
        0x12: 8,
        0x13: 16,
        0xFF: 0,
        0x7F: 0,
    }
    if kind in fixed:
        return fixed[kind]
    if kind == 0x0B:
        return data.index(0, data.index(0, at) + 1) + 1 - at
    length = struct.unpack_from("<i", data, at)[0]
    return int(length) + {0x02: 4, 0x0D: 4, 0x0E: 4, 0x05: 5, 0x0C: 16}.get(kind, 0)


def to_json(document: bytes, *, relaxed: bool = False) -> str:
    """Return a document as one line of JSON.

    Raises:
        ValueError: Some text in it is not UTF-8, or something in it is no BSON.
    """
    return _object((one.key.decode(), _value(one, relaxed=relaxed)) for one in elements(document))


def _object(pairs: Iterable[tuple[str, str]]) -> str:
    return "{" + ",".join(f"{_text(key)}:{value}" for key, value in pairs) + "}"


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _string(payload: bytes) -> str:
    return payload[4:-1].decode()


def _value(one: Element, *, relaxed: bool) -> str:
    data = one.payload
    match one.type:
        case 0x01:
            return _double(struct.unpack("<d", data)[0], relaxed=relaxed)
        case 0x02:
            return _text(_string(data))
        case 0x03:
            return to_json(data, relaxed=relaxed)
        case 0x04:
            return "[" + ",".join(_value(item, relaxed=relaxed) for item in elements(data)) + "]"
        case 0x05:
            content = data[9:] if data[4] == 2 else data[5:]
            inner = {"base64": base64.b64encode(content).decode(), "subType": f"{data[4]:02x}"}
            return json.dumps({"$binary": inner})
        case 0x06:
            return '{"$undefined":true}'
        case 0x07:
            return f'{{"$oid":"{data.hex()}"}}'
        case 0x08:
            return "true" if data == b"\1" else "false"
        case 0x09:
            return _date(struct.unpack("<q", data)[0], relaxed=relaxed)
        case 0x0A:
            return "null"
        case 0x0B:
            pattern, options, _ = data.split(b"\0")
            return _object(
                [
                    (
                        "$regularExpression",
                        _object([("pattern", _text(pattern.decode())), ("options", _text(options.decode()))]),
                    )
                ]
            )
        case 0x0C:
            target = f'{{"$oid":"{data[-12:].hex()}"}}'
            return _object([("$dbPointer", _object([("$ref", _text(_string(data[:-12]))), ("$id", target)]))])
        case 0x0D:
            return _object([("$code", _text(_string(data)))])
        case 0x0E:
            return _object([("$symbol", _text(_string(data)))])
        case 0x0F:
            length = struct.unpack_from("<i", data, 4)[0]
            code, scope = data[4 : 8 + length], data[8 + length :]
            return _object([("$code", _text(_string(code))), ("$scope", to_json(scope, relaxed=relaxed))])
        case 0x10:
            number = struct.unpack("<i", data)[0]
            return str(number) if relaxed else f'{{"$numberInt":"{number}"}}'
        case 0x11:
            ordinal, seconds = struct.unpack("<II", data)
            return f'{{"$timestamp":{{"t":{seconds},"i":{ordinal}}}}}'
        case 0x12:
            number = struct.unpack("<q", data)[0]
            return str(number) if relaxed else f'{{"$numberLong":"{number}"}}'
        case 0x13:
            return f'{{"$numberDecimal":"{_decimal(int.from_bytes(data, "little"))}"}}'
        case 0xFF:
            return '{"$minKey":1}'
        case 0x7F:
            return '{"$maxKey":1}'
        case kind:
            raise ValueError(f"no BSON type {kind:#x}")


def _double(number: float, *, relaxed: bool) -> str:
    if not math.isfinite(number):
        word = "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"
        return f'{{"$numberDouble":"{word}"}}'
    return repr(number) if relaxed else f'{{"$numberDouble":"{number!r}"}}'


def _date(milliseconds: int, *, relaxed: bool) -> str:
    if not relaxed or not _YEAR_1970 <= milliseconds < _YEAR_10000:
        return f'{{"$date":{{"$numberLong":"{milliseconds}"}}}}'
    moment = datetime.datetime(1970, 1, 1) + datetime.timedelta(milliseconds=milliseconds)  # noqa: DTZ001  UTC throughout
    fraction = f".{milliseconds % 1000:03}".rstrip("0") if milliseconds % 1000 else ""
    return f'{{"$date":"{moment:%Y-%m-%dT%H:%M:%S}{fraction}Z"}}'


def _decimal(bits: int) -> str:
    """Return the text of a decimal in the short form; its rules are those of General Decimal Arithmetic."""
    sign = "-" if bits >> 127 else ""
    if bits >> 122 & 0x1F == 0x1F:
        return "NaN"
    if bits >> 122 & 0x1F == 0x1E:
        return f"{sign}Infinity"
    exponent, digits = (bits >> 113 & 0x3FFF) - 6176, str(bits & ((1 << 113) - 1))
    scientific = exponent + len(digits) - 1
    if exponent > 0 or scientific < -6:
        head = digits[0] + (f".{digits[1:]}" if len(digits) > 1 else "")
        return f"{sign}{head}E{scientific:+}"
    if exponent == 0:
        return sign + digits
    padded = digits.rjust(1 - exponent, "0")
    return f"{sign}{padded[:exponent]}.{padded[exponent:]}"


def fits_json(document: bytes) -> bool:
    """Whether JSON can hold a document."""
    try:
        to_json(document)
    except ValueError:
        return False
    return True


def is_lossless(document: bytes, *, relaxed: bool = False) -> bool:
    """Whether the JSON of a document says all that is in it."""
    return not any(_folds(one, relaxed=relaxed) for one in elements(document)) and not _looks_like_a_type(document)


def _folds(one: Element, *, relaxed: bool) -> bool:
    data = one.payload
    match one.type:
        case 0x01:
            number = struct.unpack("<d", data)[0]
            return math.isnan(number) and data != struct.pack("<d", math.nan)
        case 0x03:
            return not is_lossless(data, relaxed=relaxed)
        case 0x04:
            keys = [item.key for item in elements(data)]
            honest = keys == [str(number).encode() for number in range(len(keys))]
            return not honest or any(_folds(item, relaxed=relaxed) for item in elements(data))
        case 0x0F:
            length = struct.unpack_from("<i", data, 4)[0]
            return not is_lossless(data[8 + length :], relaxed=relaxed)
        case 0x12:
            return relaxed and -(1 << 31) <= struct.unpack("<q", data)[0] < 1 << 31
        case 0x13:
            bits = int.from_bytes(data, "little")
            if bits >> 123 & 0xF == 0xF:
                return bits not in {0x1F << 122, 0x1E << 122, 0x1E << 122 | 1 << 127}
            return bits >> 125 & 3 == 3 or bits & ((1 << 113) - 1) >= 10**34
        case _:
            return False


def _looks_like_a_type(document: bytes) -> bool:
    return any(one.key.decode() in _TYPE_KEYS for one in elements(document))


SHAPES = ("lines", "pretty", "array")


def export(documents: Iterable[bytes], *, shape: str = "lines", relaxed: bool = False) -> bytes:
    """Return the text of a collection: a document on each line, each written out over many lines, or one array."""
    texts = [to_json(one, relaxed=relaxed) for one in documents]
    if shape == "array":
        return ("[" + ",\n".join(texts) + "]\n").encode()
    if shape == "pretty":
        texts = [_written_out(text) for text in texts]
    return "".join(f"{text}\n" for text in texts).encode()


def _written_out(text: str) -> str:
    """Put a line end and a tab behind every comma and brace outside of texts; nothing else is touched."""
    out: list[str] = []
    inside = escaped = False
    for character in text:
        out.append(character)
        if inside:
            inside, escaped = escaped or character != '"', character == "\\" and not escaped
        elif character == '"':
            inside = True
        elif character in "{[,":
            out.append("\n\t")
    return "".join(out)


def write_export(
    folder: Path, name: str, documents: bytes | Iterable[bytes], *, compressed: bool = False, **how: Any
) -> Path:
    """Write one collection's file, `documents` as a list or back to back; `how` as in `export`; return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{file_name(name)}.json{'.gz' if compressed else ''}"
    text = export(split(documents) if isinstance(documents, bytes) else documents, **how)
    path.write_bytes(compress(text) if compressed else text)
    return path
