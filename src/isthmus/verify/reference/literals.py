"""Values an author writes in a mapping: defaults of columns, and what skip conditions compare with.

A default is what its column's type makes of the words; a condition's value is the BSON value the words stand for, where
MongoDB Extended JSON (`{$oid: …}`, `{$date: …}`, `{$numberLong: …}`) names the types YAML has no word for.
"""

from __future__ import annotations

import base64
import struct
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, cast

from isthmus.verify.reference import bson
from isthmus.verify.reference.bson import Value
from isthmus.verify.reference.json_values import EPOCH, Policies, plain_json
from isthmus.verify.reference.values import Type
from isthmus.verify.reference.words import Truth


def default_value(said: Any, kind: Type) -> Any:
    """What a column of this type holds when the author writes this as its default (not jsonb)."""
    if kind.array:
        element = Type(kind.kind, kind.length, kind.precision, kind.scale, kind.values)
        return [default_value(item, element) for item in said]
    if kind.kind in ("text", "varchar", "enum"):
        return str(said)
    if kind.kind == "double":
        return float(said)
    if kind.kind == "real":
        return struct.unpack("<f", struct.pack("<f", float(said)))[0]
    if kind.kind == "numeric":
        return _numeric(said, kind)
    if kind.kind in ("date", "timestamp", "timestamptz"):
        microseconds = moment_us(said)
        return microseconds // 86_400_000_000 if kind.kind == "date" else microseconds
    if kind.kind == "bytea":
        return bytes.fromhex(str(said).removeprefix("\\x"))
    if kind.kind == "uuid":
        return str(said).lower()
    return said


def default_json(said: Any) -> Any:
    """What a jsonb column holds when the author writes this as its default."""
    return plain_json(as_bson(said), Policies(), lambda _: None)


def _numeric(said: Any, kind: Type) -> Decimal:
    number = Decimal(str(said))
    if kind.precision is None or not number.is_finite():
        return number
    steps = int(number.scaleb(kind.scale or 0))
    return Decimal((int(steps < 0), tuple(map(int, str(abs(steps)))), -(kind.scale or 0)))


def moment_us(said: Any) -> int:
    """A date or moment, text or already a date object, as microseconds since 1970; without a zone it is UTC."""
    moment = said if isinstance(said, date) else datetime.fromisoformat(str(said))
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    since = moment - EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def as_bson(said: Any) -> Value:
    """A YAML value as the BSON value it stands for; int32 and int64 are one number here."""
    if said is None:
        return Value(bson.NULL, None, b"")
    if isinstance(said, bool | Truth):
        return Value(bson.BOOL, bool(said), b"")
    if isinstance(said, int):
        return Value(bson.INT64, said, b"")
    if isinstance(said, float):
        return Value(bson.DOUBLE, said, b"")
    if isinstance(said, list):
        return Value(bson.ARRAY, [as_bson(item) for item in cast("list[Any]", said)], b"")
    if isinstance(said, dict):
        return _document(cast("dict[str, Any]", said))
    return Value(bson.STRING, str(said).encode("utf-8"), b"")


def _document(said: dict[str, Any]) -> Value:
    if len(said) == 1:
        name, inner = next(iter(said.items()))
        if name == "$oid":
            return Value(bson.OBJECT_ID, bytes.fromhex(str(inner)), b"")
        if name == "$date":
            stated: Any = cast("dict[str, Any]", inner)["$numberLong"] if isinstance(inner, dict) else None
            milliseconds = int(stated) if stated is not None else moment_us(inner) // 1000
            return Value(bson.DATETIME, milliseconds, b"")
        if name in ("$numberInt", "$numberLong"):
            return Value(bson.INT64, int(inner), b"")
        if name == "$numberDouble":
            return Value(bson.DOUBLE, float(inner), b"")
        if name == "$numberDecimal":
            return Value(bson.DECIMAL128, _decimal128(Decimal(str(inner))), b"")
        if name == "$binary":
            parts = cast("dict[str, str]", inner)
            return Value(bson.BINARY, (int(str(parts["subType"]), 16), base64.b64decode(parts["base64"])), b"")
    return Value(bson.DOCUMENT, [(key.encode("utf-8"), as_bson(item)) for key, item in said.items()], b"")


def _decimal128(number: Decimal) -> bson.Decimal128:
    sign, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int):
        return bson.Decimal128("infinity" if exponent == "F" else "nan", sign, 0, 0)
    return bson.Decimal128("finite", sign, int("".join(map(str, digits))), exponent)
