"""Turn the text of one JSON document into BSON: Extended JSON v2, canonical and relaxed, and what v1 wrote otherwise.

Decides which objects stand for a BSON type. What pymongo's `json_util` reads is read, but nothing that it would guess:
a value that the type cannot hold exactly is refused with the reason. BSON is written by pymongo; types it has no class
for, and keys that stand twice, are put together here, so that a document is the same bytes as in a dump.

Specification: https://github.com/mongodb/specifications/blob/master/source/extended-json.md
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
import struct
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeGuard, TypeVar, cast

import bson
from bson import Binary, Code, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp
from bson.datetime_ms import DatetimeMS
from bson.errors import BSONError

# Smallest and largest. No `range`: `in` walks through it for subclasses of int, and Int64 is one.
_INT32 = (-(1 << 31), (1 << 31) - 1)
_INT64 = (-(1 << 63), (1 << 63) - 1)
_UINT32 = (0, (1 << 32) - 1)

_INTEGER = re.compile(r"[+-]?[0-9]{1,20}")
_DOUBLE = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_DOUBLE_WORDS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_DECIMAL = re.compile(r"[0-9A-Za-z+.-]+")
_OBJECT_ID = re.compile(r"[0-9a-fA-F]{24}")
_UUID = re.compile(r"[0-9a-fA-F]{32}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_SUBTYPE = re.compile(r"[0-9a-fA-F]{1,2}|f{6}[89a-fA-F][0-9a-fA-F]")
_DATE = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,3}0*)?"
    r"(Z|[+-][0-9]{2}(:?[0-9]{2})?)?"
)
_T = TypeVar("_T")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_REGEX_OPTIONS = "ilmsux"  # the letters BSON knows, in its order


class Unfit(ValueError):  # noqa: N818  a reason, made into an error where file and line are known
    """A value that is JSON and cannot be BSON; its text is what follows `a document …`.

    Says of what type a value is and in which path, never the value: nobody knows here which fields are sensitive.

    Args:
        what: What is wrong with the document: `with a …`, `that …`.
        why: What is wrong with that; empty where there is no more to say.
        path: Where in the document; empty where it is not known.
    """

    def __init__(self, what: str, why: str = "", path: str = "") -> None:
        place = f" in {_shown(path)}" if path else ""
        super().__init__(f"{what}{place}, {why}" if why else f"{what}{place}")
        self.what = what
        self.why = why


@dataclass(frozen=True, slots=True)
class _Malformed:
    """Stands for a value that is unfit, while the document is looked through for its path."""


@dataclass(frozen=True, slots=True)
class _Element:
    """A value for which pymongo has no class: the type byte and the bytes behind the key."""

    type: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class _Repeated:
    """A document in which a key stands more than once."""

    pairs: list[tuple[str, object]]


class Decoder:
    """Reads JSON documents one by one out of a text. Not safe for several threads at once."""

    def __init__(self) -> None:
        self._odd = False  # whether the document in hand holds what pymongo cannot write
        self._json = json.JSONDecoder(object_pairs_hook=self._object, parse_float=_plain_double)

    def decode(self, text: str, at: int) -> tuple[bytes, int]:
        """Return the BSON of the document that begins at `text[at]`, and the index behind it.

        Raises:
            json.JSONDecodeError: It is not JSON, or not all of it is there; `pos` is where.
            Unfit: It is JSON and cannot be a BSON document.
        """
        self._odd = False
        try:
            value, end = cast("tuple[object, int]", self._json.raw_decode(text, at))
        except json.JSONDecodeError:
            raise
        except Unfit as error:
            raise Unfit(error.what, error.why, self._path_of_unfit(text, at)) from None
        except RecursionError:
            raise Unfit("that nests far deeper than the 100 levels MongoDB allows") from None
        except ValueError as error:  # Python refuses to read integers of thousands of digits
            raise Unfit("with an integer beyond 64 bits") from error
        return self._encode(value), end

    def _object(self, pairs: list[tuple[str, object]]) -> object:
        document = dict(pairs)
        if not _TYPES.isdisjoint(document):
            key = pairs[0][0] if len(pairs) == 1 else next(key for key in document if key in _TYPES)
            if len(document) != len(pairs):
                raise Unfit(f"with a {key} in an object that has a key twice")
            value = _WRAPPERS[key](document)
            if type(value) is _Element:
                self._odd = True
            return value
        if len(document) != len(pairs):
            self._odd = True
            return _Repeated(pairs)
        return document

    def _path_of_unfit(self, text: str, at: int) -> str:
        """Return the path of the first value that is unfit; empty when it cannot be told, as in half a document."""

        def marking(read: Callable[[_T], object]) -> Callable[[_T], object]:
            def marked(part: _T) -> object:
                try:
                    return read(part)
                except Unfit:
                    return _Malformed()

            return marked

        walker = json.JSONDecoder(object_pairs_hook=marking(self._object), parse_float=marking(_plain_double))
        try:
            value, _ = cast("tuple[object, int]", walker.raw_decode(text, at))
        except (ValueError, RecursionError):
            return ""
        return next((path for path, one in _values(value) if isinstance(one, _Malformed)), "")

    def _encode(self, value: object) -> bytes:
        if not _is_document(value):
            raise Unfit("that is a value of an Extended JSON type, where a document should be")
        try:
            if isinstance(value, _Repeated) or self._odd:
                return _document(_pairs(value))
            if "_id" in value and next(iter(value)) != "_id":
                # pymongo moves `_id` of the outermost document to its front, and of no other
                return bson.encode({"": value})[6:-1]
            return bson.encode(value)
        except RecursionError:
            raise Unfit("that nests far deeper than the 100 levels MongoDB allows") from None
        except (BSONError, ValueError, OverflowError, TypeError, struct.error) as error:
            raise _blame(value) or Unfit(f"that cannot be written as BSON ({type(error).__name__})") from None


def _is_document(value: object) -> TypeGuard[dict[str, object] | _Repeated]:
    return isinstance(value, (dict, _Repeated))


def _pairs(document: dict[str, object] | _Repeated) -> Iterable[tuple[str, object]]:
    return document.pairs if isinstance(document, _Repeated) else document.items()


def _document(pairs: Iterable[tuple[str, object]]) -> bytes:
    body = b"".join(_element(key, value) for key, value in pairs)
    return struct.pack("<i", len(body) + 5) + body + b"\0"


def _element(key: str, value: object) -> bytes:
    if isinstance(value, _Element):
        return bytes([value.type]) + _c_string(key) + value.payload
    if _is_document(value):
        return b"\x03" + _c_string(key) + _document(_pairs(value))
    if isinstance(value, list):
        items = cast("list[object]", value)
        return b"\x04" + _c_string(key) + _document((str(number), item) for number, item in enumerate(items))
    return bson.encode({key: value})[4:-1]


def _c_string(text: str) -> bytes:
    if "\0" in text:
        raise Unfit("with a key that holds a NUL", "which BSON keys cannot have")
    return text.encode() + b"\0"


def _string(text: str) -> bytes:
    raw = text.encode() + b"\0"
    return struct.pack("<i", len(raw)) + raw


def _blame(value: object) -> Unfit | None:
    """Return why a value cannot be BSON, None when nothing is found; looks at the values pymongo takes from JSON."""
    for path, one in _values(value):
        if isinstance(one, int) and not _INT64[0] <= one <= _INT64[1]:
            return Unfit("with an integer beyond 64 bits", path=path)
        if isinstance(one, str) and not _is_text(one):
            return Unfit("with half a surrogate pair", "which is no character", path)
        if _is_document(one):
            for key, _ in _pairs(one):
                if "\0" in key:
                    return Unfit("with a key that holds a NUL", "which BSON keys cannot have", path)
                if not _is_text(key):
                    return Unfit("with a key that holds half a surrogate pair", "which is no character", path)
    return None


def _values(value: object) -> Iterator[tuple[str, object]]:
    """Yield a value and all that is in it, outer ones first, each with its path."""
    stack: list[tuple[str, object]] = [("", value)]
    while stack:
        path, one = stack.pop()
        yield path, one
        if _is_document(one):
            inner = [(f"{path}.{key}" if path else key, item) for key, item in _pairs(one)]
            stack.extend(reversed(inner))
        elif isinstance(one, list):
            stack.extend((f"{path}[]", item) for item in reversed(cast("list[object]", one)))


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _shown(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:59]}…"


def _plain_double(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise Unfit("with a number", "which a double cannot hold")
    return value


def _unfit(key: str, value: object) -> Unfit:
    return Unfit(f"with a {key}", f"{_kind(value)} that cannot be one")


def _kind(value: object) -> str:
    """Return what JSON calls a value."""
    if value is None:
        return "a null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, (int, float)):
        return "a number"
    if isinstance(value, str):
        return "a text"
    return "a list" if isinstance(value, list) else "an object"


def _alone(key: str, document: dict[str, object]) -> object:
    """Return the only value of an object that stands for a type."""
    if len(document) != 1:
        other = next(name for name in document if name != key)
        raise Unfit(f"with a {key} beside {_shown(other)}", "and Extended JSON cannot say which of the two is meant")
    return document[key]


def _text(key: str, document: dict[str, object], pattern: re.Pattern[str] | None = None) -> str:
    value = document[key] if len(document) == 1 else _alone(key, document)
    if not isinstance(value, str) or (pattern is not None and not pattern.fullmatch(value)):
        raise _unfit(key, value)
    return value


def _is_integer(value: object, allowed: tuple[int, int]) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and allowed[0] <= value <= allowed[1]


def _fields(key: str, document: dict[str, object], names: set[str]) -> dict[str, object]:
    """Return the object that is the only value of one that stands for a type; it has these keys and no others."""
    inner = _alone(key, document)
    if not isinstance(inner, dict) or cast("dict[str, object]", inner).keys() != names:
        raise _unfit(key, cast("object", inner))
    return cast("dict[str, object]", inner)


def _object_id(document: dict[str, object]) -> object:
    return ObjectId(_text("$oid", document, _OBJECT_ID))


def _int32(document: dict[str, object]) -> object:
    text = _text("$numberInt", document, _INTEGER)
    if not _is_integer(int(text), _INT32):
        raise _unfit("$numberInt", text)
    return int(text)


def _int64(document: dict[str, object]) -> object:
    value = _alone("$numberLong", document)
    number = int(value) if isinstance(value, str) and _INTEGER.fullmatch(value) else value
    if not _is_integer(number, _INT64):
        raise _unfit("$numberLong", value)
    return Int64(cast("int", number))


def _double(document: dict[str, object]) -> object:
    text = _text("$numberDouble", document)
    if text in _DOUBLE_WORDS:
        return _DOUBLE_WORDS[text]
    if not _DOUBLE.fullmatch(text):
        raise _unfit("$numberDouble", text)
    return _plain_double(text)


def _decimal(document: dict[str, object]) -> object:
    text = _text("$numberDecimal", document, _DECIMAL)
    try:
        return Decimal128(text)
    except (ArithmeticError, ValueError):
        raise _unfit("$numberDecimal", text) from None


def _date(document: dict[str, object]) -> object:
    value = _alone("$date", document)
    if isinstance(value, str) and _DATE.fullmatch(value):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            raise _unfit("$date", value) from None
        # without an offset it is UTC, as pymongo reads it
        moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
        return DatetimeMS((moment - _EPOCH) // _MILLISECOND)
    if _is_integer(value, _INT64):  # v1 wrote plain milliseconds; an Int64 is a `$numberLong` read before
        return DatetimeMS(int(cast("int", value)))
    raise _unfit("$date", value)


def _binary(document: dict[str, object]) -> object:
    value = document["$binary"]
    if isinstance(value, str) and document.keys() == {"$binary", "$type"}:  # v1
        encoded, subtype = value, document["$type"]
        if _is_integer(subtype, (0, 255)):
            subtype = f"{cast('int', subtype):02x}"
    else:
        parts = _fields("$binary", document, {"base64", "subType"})
        encoded, subtype = parts["base64"], parts["subType"]
    if not isinstance(encoded, str) or not isinstance(subtype, str) or not _SUBTYPE.fullmatch(subtype):
        raise _unfit("$binary", value)
    try:
        data = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise _unfit("$binary", encoded) from None
    return Binary(data, int(subtype[-2:], 16))


def _uuid(document: dict[str, object]) -> object:
    return Binary.from_uuid(uuid.UUID(_text("$uuid", document, _UUID)))


def _timestamp(document: dict[str, object]) -> object:
    parts = _fields("$timestamp", document, {"t", "i"})
    if not all(_is_integer(part, _UINT32) for part in parts.values()):
        raise _unfit("$timestamp", parts)
    return Timestamp(cast("int", parts["t"]), cast("int", parts["i"]))


def _regular_expression(document: dict[str, object]) -> object:
    parts = _fields("$regularExpression", document, {"pattern", "options"})
    return _regex("$regularExpression", parts["pattern"], parts["options"])


def _v1_regex(document: dict[str, object]) -> object:
    pattern, options = document["$regex"], document.get("$options", "")
    if document.keys() - {"$regex", "$options"} or not isinstance(pattern, str) or not isinstance(options, str):
        return document  # a query that somebody stored
    return _regex("$regex", pattern, options)


def _regex(key: str, pattern: object, options: object) -> object:
    if not isinstance(pattern, str) or not isinstance(options, str):
        raise _unfit(key, pattern)
    if "\0" in pattern or "\0" in options:
        raise Unfit(f"with a {key} that holds a NUL", "with which BSON ends such a text")
    if options == "".join(letter for letter in _REGEX_OPTIONS if letter in options):
        return Regex(pattern, options)
    return _Element(0x0B, _c_string(pattern) + _c_string(options))  # pymongo would sort and drop letters


def _code(document: dict[str, object]) -> object:
    text, scope = document["$code"], document.get("$scope")
    if document.keys() - {"$code", "$scope"} or not isinstance(text, str):
        raise _unfit("$code", document)
    if "$scope" not in document:
        return Code(text)
    if not _is_document(scope):
        raise _unfit("$scope", scope)
    payload = _string(text) + _document(_pairs(scope))
    return _Element(0x0F, struct.pack("<i", len(payload) + 4) + payload)


def _symbol(document: dict[str, object]) -> object:
    return _Element(0x0E, _string(_text("$symbol", document)))


def _undefined(document: dict[str, object]) -> object:
    if _alone("$undefined", document) is not True:
        raise _unfit("$undefined", document["$undefined"])
    return _Element(0x06, b"")


def _pointer(document: dict[str, object]) -> object:
    parts = _fields("$dbPointer", document, {"$ref", "$id"})
    name, target = parts["$ref"], parts["$id"]
    if not isinstance(name, str) or not isinstance(target, ObjectId):
        raise _unfit("$dbPointer", parts)
    return _Element(0x0C, _string(name) + target.binary)


def _smallest(document: dict[str, object]) -> object:
    if not _is_integer(_alone("$minKey", document), (1, 1)):
        raise _unfit("$minKey", document["$minKey"])
    return MinKey()


def _largest(document: dict[str, object]) -> object:
    if not _is_integer(_alone("$maxKey", document), (1, 1)):
        raise _unfit("$maxKey", document["$maxKey"])
    return MaxKey()


# `$ref` with `$id` is not among them: a DBRef is a document like any other in BSON.
_WRAPPERS: dict[str, Callable[[dict[str, object]], object]] = {
    "$oid": _object_id,
    "$numberInt": _int32,
    "$numberLong": _int64,
    "$numberDouble": _double,
    "$numberDecimal": _decimal,
    "$date": _date,
    "$binary": _binary,
    "$uuid": _uuid,
    "$timestamp": _timestamp,
    "$regularExpression": _regular_expression,
    "$regex": _v1_regex,
    "$code": _code,
    "$symbol": _symbol,
    "$undefined": _undefined,
    "$dbPointer": _pointer,
    "$minKey": _smallest,
    "$maxKey": _largest,
}
_TYPES = frozenset(_WRAPPERS)
