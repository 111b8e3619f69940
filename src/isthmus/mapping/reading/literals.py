"""Values an author writes in a mapping: defaults, and what skip rules compare with.

Decides how a YAML word becomes Extended JSON: of a BSON type that the column takes exactly, so that the core needs no
rule of its own for them. (MongoDB Extended JSON v2, canonical for numbers beyond int32, instants and binary.)
"""

from __future__ import annotations

import base64
import binascii
import math
import re
import struct
import uuid
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from pydantic import JsonValue

from isthmus.mapping.reading.nodes import ListNode, MapNode, Node, ScalarNode
from isthmus.mapping.reading.reader import describe, shorten
from isthmus.mapping.types import INSTANT_KINDS, INTEGER_RANGES, TEXT_KINDS, ColumnType

EXTENDED = ("$oid", "$date", "$numberInt", "$numberLong", "$numberDouble", "$numberDecimal", "$binary")
"""Keys of Extended JSON that are read."""
_INT32 = range(-(2**31), 2**31)
_INT64 = range(-(2**63), 2**63)
DECIMAL_DIGITS = 34
"""Digits of Decimal128 (IEEE 754-2008)."""


class LiteralFault(ValueError):  # noqa: N818 - it becomes a Problem, not an error of its own
    """A value that does not fit.

    Attributes:
        message: End of a sentence that starts with the place.
        hint: What would be right.
    """

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def column_literal(node: Node, column_type: ColumnType, enum_values: tuple[str, ...]) -> JsonValue:
    """Turn a default into Extended JSON that a column of this type takes exactly.

    Args:
        node: What the author wrote.
        column_type: The column's type.
        enum_values: The values of its enum; empty for others.

    Raises:
        LiteralFault: It does not fit the type.
    """
    if column_type.array:
        if not isinstance(node, ListNode):
            message = f"must be a list for a column of type `{column_type}`, but is {describe(node)}"
            raise LiteralFault(message, "Write a list: [A, B].")
        return [column_literal(item, column_type.element, enum_values) for item in node.items]
    if column_type.kind == "jsonb":
        return any_value(node)
    if not isinstance(node, ScalarNode) or node.value is None:
        message = f"does not fit a column of type `{column_type}`: it is {describe(node)}"
        raise LiteralFault(message, "Write one value of that type.")
    if column_type.kind in TEXT_KINDS or column_type.kind == "enum":
        return _text(node, column_type, enum_values)
    if column_type.kind in INTEGER_RANGES:
        return _integer(node, column_type)
    if column_type.kind in ("real", "double", "numeric"):
        return _number(node, column_type)
    if column_type.kind in INSTANT_KINDS:
        return _instant(node, column_type)
    return _other(node, column_type)


def _unfit(node: ScalarNode, column_type: ColumnType, hint: str | None = None) -> LiteralFault:
    return LiteralFault(f"does not fit a column of type `{column_type}`: it is {describe(node)}", hint)


def _text(node: ScalarNode, column_type: ColumnType, enum_values: tuple[str, ...]) -> JsonValue:
    if not isinstance(node.value, str):
        raise _unfit(node, column_type, f'Write it in quotes: "{shorten(node.text)}".')
    if "\0" in node.value:
        raise LiteralFault("holds a NUL, which PostgreSQL text cannot hold")
    if column_type.kind == "enum" and node.value not in enum_values:
        values = ", ".join(f"`{value}`" for value in enum_values[:20])
        raise LiteralFault(
            f"is not a value of the enum `{column_type.enum}`: `{shorten(node.value)}`", f"Its values: {values}."
        )
    if column_type.length is not None and len(node.value) > column_type.length:
        raise LiteralFault(f"has {len(node.value)} characters, more than a column of type `{column_type}` holds")
    return node.value


def _integer(node: ScalarNode, column_type: ColumnType) -> JsonValue:
    if isinstance(node.value, bool) or not isinstance(node.value, int):
        raise _unfit(node, column_type, "Write a whole number.")
    low, high = INTEGER_RANGES[column_type.kind]
    if not low <= node.value <= high:
        raise LiteralFault(f"is outside the range of `{column_type}`, {low} to {high}")
    return extended_integer(node.value)


def extended_integer(value: int) -> JsonValue:
    """An integer as int32, else int64 Extended JSON."""
    return value if value in _INT32 else {"$numberLong": str(value)}


def _number(node: ScalarNode, column_type: ColumnType) -> JsonValue:
    value = node.value
    if isinstance(value, bool) or not isinstance(value, int | Decimal | float):
        raise _unfit(node, column_type, "Write a number.")
    if column_type.kind == "numeric":
        return _numeric(Decimal(value), column_type)
    try:
        number = float(value)
        if column_type.kind == "real" and math.isfinite(number):
            number = float(struct.unpack("<f", struct.pack("<f", number))[0])
    except OverflowError:
        number = math.inf
    if math.isinf(number) and not (isinstance(value, float) and math.isinf(value)):
        raise LiteralFault(f"is outside the range of `{column_type}`")
    if math.isfinite(number):
        return {"$numberDouble": repr(number)}
    return {"$numberDouble": "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"}


def _numeric(value: Decimal, column_type: ColumnType) -> JsonValue:
    if not value.is_finite():
        if value.is_nan():
            return {"$numberDecimal": "NaN"}
        if column_type.precision is not None:
            raise LiteralFault(f"is infinite, which `{column_type}` cannot hold")
        return {"$numberDecimal": "Infinity" if value > 0 else "-Infinity"}
    _, digits, exponent = value.as_tuple()
    exponent = int(exponent)
    if len(digits) > DECIMAL_DIGITS or not -6143 <= exponent <= 6111:
        raise LiteralFault(f"has more than the {DECIMAL_DIGITS} digits of Decimal128")
    if column_type.precision is not None:
        scale = column_type.scale or 0
        if value != 0 and value.adjusted() >= column_type.precision - scale:
            raise LiteralFault(f"is outside the range of `{column_type}`")
        if value != value.quantize(Decimal(1).scaleb(-scale)) if -exponent > scale else False:
            raise LiteralFault(f"has more digits after the point than `{column_type}` holds")
    return {"$numberDecimal": str(abs(value) if value == 0 else value)}


def _instant(node: ScalarNode, column_type: ColumnType) -> JsonValue:
    example = "2024-01-31" if column_type.kind == "date" else "2024-01-31T12:00:00Z"
    hint = f'Write ISO 8601, such as "{example}".'
    if not isinstance(node.value, str):
        raise _unfit(node, column_type, hint)
    milliseconds = parse_instant(node.value)
    if milliseconds is None:
        raise _unfit(node, column_type, hint)
    if column_type.kind == "date" and milliseconds % 86_400_000:
        raise LiteralFault("has a time of day, which a `date` cannot hold", hint)
    if (
        column_type.precision is not None
        and column_type.precision < 3
        and milliseconds % 10 ** (3 - column_type.precision)
    ):
        raise LiteralFault(f"has more digits of a second than `{column_type}` holds")
    return {"$date": {"$numberLong": str(milliseconds)}}


def parse_instant(text: str) -> int | None:
    """Read ISO 8601 (without a zone: UTC).

    Returns:
        Milliseconds since 1970; None for text that is none, or has more than milliseconds, BSON's unit.
    """
    try:
        instant = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=UTC)
    since = instant - datetime(1970, 1, 1, tzinfo=UTC)
    microseconds = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    return None if microseconds % 1000 else microseconds // 1000


def _other(node: ScalarNode, column_type: ColumnType) -> JsonValue:
    if column_type.kind == "boolean":
        if not isinstance(node.value, bool):
            raise _unfit(node, column_type, "Write `true` or `false`.")
        return node.value
    if column_type.kind == "uuid":
        hint = "Write it as 8-4-4-4-12 hex digits."
        if not isinstance(node.value, str) or not re.fullmatch(
            r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", node.value
        ):
            raise _unfit(node, column_type, hint)
        return _binary(uuid.UUID(node.value).bytes, "04")
    hint = r'Write it as hex digits: "\xdeadbeef".'
    if not isinstance(node.value, str) or not node.value.startswith("\\x"):
        raise _unfit(node, column_type, hint)
    try:
        return _binary(bytes.fromhex(node.value[2:]), "00")
    except ValueError:
        raise _unfit(node, column_type, hint) from None


def _binary(data: bytes, subtype: str) -> JsonValue:
    return {"$binary": {"base64": base64.b64encode(data).decode(), "subType": subtype}}


def is_extended(node: MapNode) -> bool:
    """Whether a map is an Extended JSON value that `any_value` reads, not a document."""
    return any(key.text in EXTENDED for key, _ in node.entries)


def any_value(node: Node) -> JsonValue:
    """Turn any YAML value into Extended JSON; `{$oid: …}`, `{$date: …}` and their like are values of these types.

    Raises:
        LiteralFault: A number has no BSON type, or an Extended JSON value is malformed.
    """
    if isinstance(node, ListNode):
        return [any_value(item) for item in node.items]
    if isinstance(node, MapNode):
        if is_extended(node):
            return _extended(node)
        return {key.text: any_value(value) for key, value in node.entries}
    value = node.value
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        if value not in _INT64:
            raise LiteralFault(f"is a whole number beyond 64 bits: {shorten(node.text)}")
        return extended_integer(value)
    if isinstance(value, Decimal):
        number = float(value)
        if math.isinf(number):
            raise LiteralFault(f"is beyond a double: {shorten(node.text)}")
        return {"$numberDouble": repr(number)}
    return {"$numberDouble": "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"}


def _extended(node: MapNode) -> JsonValue:
    key, inner = node.entries[0]
    if len(node.entries) != 1:
        raise LiteralFault(f"has other keys beside `{key.text}`", "An Extended JSON value stands alone.")
    if key.text == "$binary" and isinstance(inner, MapNode):
        parts = {part.text: value.text for part, value in inner.entries if isinstance(value, ScalarNode)}
        try:
            return _binary(base64.b64decode(parts["base64"], validate=True), f"{int(parts['subType'], 16):02x}")
        except (KeyError, ValueError, binascii.Error):
            raise LiteralFault("is not a `$binary` value", "Write {$binary: {base64: …, subType: …}}.") from None
    if key.text == "$date" and isinstance(inner, MapNode):
        words = [value for part, value in inner.entries if part.text == "$numberLong"]
        inner = words[0] if words else inner
        if isinstance(inner, ScalarNode) and re.fullmatch(r"-?[0-9]{1,19}", inner.text):
            return {"$date": {"$numberLong": str(int(inner.text))}}
    if isinstance(inner, ScalarNode):
        value = _extended_word(key.text, inner.text)
        if value is not None:
            return value
    raise LiteralFault(f"is not a `{key.text}` value", "See MongoDB Extended JSON v2.")


def _extended_word(name: str, text: str) -> JsonValue:
    if name == "$oid" and re.fullmatch(r"[0-9a-fA-F]{24}", text):
        return {"$oid": text.lower()}
    if name == "$date":
        milliseconds = parse_instant(text)
        return None if milliseconds is None else {"$date": {"$numberLong": str(milliseconds)}}
    if name in ("$numberInt", "$numberLong") and re.fullmatch(r"[-+]?[0-9]{1,19}", text):
        limit = _INT32 if name == "$numberInt" else _INT64
        return {name: str(int(text))} if int(text) in limit else None
    if name == "$numberDecimal":
        try:
            return {name: str(Decimal(text))}
        except InvalidOperation:
            return None
    if name == "$numberDouble":
        try:
            number = float(text)
        except ValueError:
            return None
        return {name: repr(number).replace("inf", "Infinity").replace("nan", "NaN")}
    return None
