"""The one form in which a document stands in JSONB: that of the engine's extras. Pure.

Texts, booleans, null, int32 and ordinary doubles are plain; every other value carries its type as in MongoDB's Extended
JSON (`{"$oid": …}`, `{"$date": …}`, `{"$numberLong": …}`, `{"$binary": …}`). So it can be turned back into the same
values; only the order of fields is PostgreSQL's. It cannot hold a text with a NUL, and a field whose name begins with
`$` could not be told from a type, so both are refused for either store.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import bson
from bson import CodecOptions, DatetimeConversion
from bson.binary import UuidRepresentation
from bson.dbref import DBRef
from bson.errors import BSONError

from isthmus._rust import extended_json
from isthmus.polyglot.outbox.intent import MARK
from isthmus.polyglot.stores import faults
from isthmus.sources.extended_json.values import Decoder

CODEC: CodecOptions[dict[str, Any]] = CodecOptions(
    uuid_representation=UuidRepresentation.STANDARD,
    tz_aware=True,
    datetime_conversion=DatetimeConversion.DATETIME_AUTO,
)
"""How both stores give values back."""

LARGEST_BYTES = 16 * 1024 * 1024 - 2_048
"""Of a document, beside Isthmus's mark in it: what MongoDB takes."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_YEAR_10000_MS = 253_402_300_800_000
_REFERENCE = ("$ref", "$id", "$db")
"""Of a DBRef, in the order that MongoDB asks for; jsonb has another one."""


def to_bson(document: Mapping[str, Any], collection: str) -> bytes:
    """Return a document as BSON, if both stores can hold it.

    Raises:
        PolyglotError: It cannot be (code `store-document`).
    """
    if MARK in document:
        raise faults.no_document(f"the field {MARK} is Isthmus's own", collection, MARK)
    try:
        data = bson.encode(document, codec_options=CODEC)
    except (BSONError, OverflowError, TypeError, ValueError, RecursionError) as fault:
        words = " ".join(str(fault).split())[:200] if isinstance(fault, BSONError) else type(fault).__name__
        raise faults.no_document(f"it cannot be written as BSON: {words}", collection) from fault
    if len(data) > LARGEST_BYTES:
        message = f"it has {len(data):,} bytes; MongoDB takes {LARGEST_BYTES:,} at most"
        raise faults.no_document(message, collection)
    for path, what in unfit(data):
        raise faults.no_document(f"{what}, which one of the two cannot keep", collection, path)
    return data


def from_bson(data: bytes) -> dict[str, Any]:
    """Return the document of BSON, with values as both stores give them."""
    return bson.decode(data, codec_options=CODEC)  # pyright: ignore[reportUnknownMemberType]


def unfit(data: bytes) -> Iterator[tuple[str, str]]:
    """Yield path and words for what the form cannot hold in a document."""
    yield from _unfit("", from_bson(data))


def _unfit(path: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        if "\0" in value:
            yield path, "a text holds a NUL"
        yield from _unfit(path, getattr(value, "scope", None))  # of code, which is a text, too
    elif isinstance(value, dict):
        for name, one in cast("dict[str, object]", value).items():
            below = f"{path}.{name}" if path else name
            if name.startswith("$"):
                yield below, f"the name of a field begins with $: {name[:60]}"
            yield from _unfit(below, one)
    elif isinstance(value, list):
        for number, one in enumerate(cast("list[object]", value)):
            yield from _unfit(f"{path}.{number}", one)
    elif isinstance(value, DBRef):
        for name, one in cast("dict[str, object]", dict(value.as_doc())).items():
            if name.startswith("$") and name not in _REFERENCE:
                yield f"{path}.{name}", f"the name of a field begins with $: {name[:60]}"
            yield from _unfit(f"{path}.{name}", one)
    elif hasattr(value, "pattern") and "\0" in str(cast("Any", value).pattern):
        yield path, "a regular expression holds a NUL"


def to_json(data: bytes) -> dict[str, Any]:
    """Return a document of BSON as JSON values in the form, without Isthmus's mark.

    What the form cannot hold (`unfit`) is not refused here.
    """
    found = cast("dict[str, Any]", _plain(json.loads(extended_json(data))))
    found.pop(MARK, None)
    return found


def value_to_json(value: object) -> Any:
    """Return one value of Python's in the form."""
    return to_json(bson.encode({"": value}, codec_options=CODEC))[""]


def written(document: Mapping[str, Any]) -> str:
    """Return JSON values of the form as text, which is the same for equal ones."""
    return json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def read(text: str) -> dict[str, Any]:
    """Return the document of a text in the form, with values as both stores give them.

    Raises:
        Unfit: The text is JSON that is no such form: somebody else wrote it.
    """
    return from_bson(to_bytes(text))


def to_bytes(text: str) -> bytes:
    """Return the BSON of a text in the form.

    Raises:
        Unfit: As `read`.
    """
    if '"$ref"' in text:
        text = json.dumps(_in_order(json.loads(text)), ensure_ascii=False)
    return Decoder().decode(text, 0)[0]


def is_document(value: object) -> bool:
    """Tell whether a JSON value of the form is a document, and no value that carries its type."""
    return isinstance(value, dict) and not any(name.startswith("$") for name in cast("dict[str, Any]", value))


def _in_order(value: Any) -> Any:
    """Return JSON values with the fields of each DBRef in their order."""
    if isinstance(value, list):
        return [_in_order(one) for one in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    fields = {name: _in_order(one) for name, one in cast("dict[str, Any]", value).items()}
    return {**{name: fields[name] for name in _REFERENCE if name in fields}, **fields} if "$ref" in fields else fields


def _plain(value: Any) -> Any:
    """Return canonical Extended JSON in the form."""
    if isinstance(value, list):
        return [_plain(one) for one in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    fields = cast("dict[str, Any]", value)
    if len(fields) == 1:
        (name, inner), *_ = fields.items()
        if name == "$numberInt":
            return int(inner)
        if name == "$numberDouble":
            return _double(fields, float(inner))
        if name == "$date":
            return _date(fields, int(inner["$numberLong"]))
        if name == "$timestamp":
            return fields
    return {name: _plain(one) for name, one in fields.items()}


def _double(typed: dict[str, Any], number: float) -> Any:
    ordinary = 1e-5 <= abs(number) < 1e15 or str(number) == "0.0"
    return number if ordinary else typed


def _date(typed: dict[str, Any], milliseconds: int) -> Any:
    if not 0 <= milliseconds < _YEAR_10000_MS:
        return typed
    moment = _EPOCH + timedelta(milliseconds=milliseconds)
    return {"$date": f"{moment:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1000:03d}Z"}
