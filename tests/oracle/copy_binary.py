"""Decodes PostgreSQL's COPY binary rows into the plain Python values that the reference oracle uses.

Format: PostgreSQL documentation, COPY, "Binary Format", and the `*_send` functions of each type. Rows only: no header,
no trailer.

Blind spot: this decoder believes what it was taught about the format; whether a server takes the same bytes and prints
the same values is shown by the integration tests, which put a real server between the two.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

GAP_DAYS = 10_957
"""Days from 1970-01-01 to 2000-01-01."""


@dataclass(frozen=True)
class Kind:
    """Type of one column: the plan's kind name and whether it is an array of it."""

    name: str
    array: bool = False


class JsonText(str):
    """The text of a jsonb value, so that it is not mistaken for a text."""


def rows(data: bytes, kinds: Sequence[Kind]) -> Iterator[tuple[Any, ...]]:
    """Decode whole rows back to back.

    Raises:
        ValueError: The bytes are not rows of that many columns, or a value is not in its type's form.
    """
    at = 0
    while at < len(data):
        (count,) = struct.unpack_from(">h", data, at)
        at += 2
        if count != len(kinds):
            raise ValueError(f"A row at byte {at - 2} has {count} fields where the table has {len(kinds)} columns.")
        row: list[Any] = []
        for kind in kinds:
            (length,) = struct.unpack_from(">i", data, at)
            at += 4
            if length == -1:
                row.append(None)
                continue
            if length < 0 or at + length > len(data):
                raise ValueError(f"A field at byte {at - 4} has the length {length}.")
            row.append(_value(data[at : at + length], kind))
            at += length
        yield tuple(row)


def _value(data: bytes, kind: Kind) -> Any:
    return _array(data, kind.name) if kind.array else _scalar(data, kind.name)


def _array(data: bytes, name: str) -> list[Any]:
    dimensions, has_null, _element = struct.unpack_from(">iiI", data)
    if dimensions == 0:
        if len(data) != 12:
            raise ValueError("An empty array has bytes after its header.")
        return []
    count, lower = struct.unpack_from(">ii", data, 12)
    if dimensions != 1 or lower != 1 or count < 1:
        raise ValueError(f"An array has {dimensions} dimensions, lower bound {lower}, {count} elements.")
    at, content = 20, list[Any]()
    for _ in range(count):
        (length,) = struct.unpack_from(">i", data, at)
        at += 4
        if length == -1:
            content.append(None)
            continue
        content.append(_scalar(data[at : at + length], name))
        at += length
    if at != len(data) or has_null not in (0, 1) or (None in content and not has_null):
        raise ValueError("An array's header does not fit its elements.")
    return content


def _exactly(form: str, data: bytes) -> Any:
    return struct.unpack(form, data)[0]


def _scalar(data: bytes, name: str) -> Any:
    if name in ("text", "varchar", "enum"):
        return data.decode("utf-8")
    if name in ("smallint", "integer", "bigint"):
        return _exactly({"smallint": ">h", "integer": ">i", "bigint": ">q"}[name], data)
    if name in ("real", "double"):
        return _exactly(">f" if name == "real" else ">d", data)
    if name == "numeric":
        return _numeric(data)
    if name == "boolean":
        if data not in (b"\0", b"\1"):
            raise ValueError(f"A boolean is {data!r}.")
        return data == b"\1"
    if name == "date":
        days = _exactly(">i", data)
        return {(1 << 31) - 1: "infinity", -(1 << 31): "-infinity"}.get(days, days + GAP_DAYS)
    if name in ("timestamp", "timestamptz"):
        moment = _exactly(">q", data)
        infinite = {(1 << 63) - 1: "infinity", -(1 << 63): "-infinity"}
        return infinite.get(moment, moment + GAP_DAYS * 86_400_000_000)
    if name == "uuid":
        return str(UUID(bytes=data))
    if name == "bytea":
        return data
    if name == "jsonb":
        if data[:1] != b"\1":
            raise ValueError(f"A jsonb value has version {data[:1]!r}.")
        text = data[1:].decode("utf-8")
        json.loads(text, parse_constant=_no_constant)
        return JsonText(text)
    raise ValueError(f"No such kind: {name}.")


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON.")


def _numeric(data: bytes) -> Decimal:
    count, weight, sign, scale = struct.unpack_from(">hhHH", data)
    if sign in (0xC000, 0xD000, 0xF000):
        if count:
            raise ValueError("A special numeric has digits.")
        return {0xC000: Decimal("NaN"), 0xD000: Decimal("Infinity"), 0xF000: Decimal("-Infinity")}[sign]
    digits: tuple[int, ...] = struct.unpack_from(f">{count}h", data, 8)
    if len(data) != 8 + 2 * count or sign not in (0, 0x4000) or any(not 0 <= digit <= 9999 for digit in digits):
        raise ValueError("A numeric is not in its form.")
    if count and (digits[0] == 0 or digits[-1] == 0):
        raise ValueError("A numeric has zero digits at an end, which the server would strip.")
    decimals = "".join(f"{digit:04d}" for digit in digits)
    # Give the value exactly `scale` digits after the point, as the server prints it.
    shift = 4 * (weight - count + 1) + scale if count else 0
    if shift < 0:
        if decimals[shift:].strip("0"):
            raise ValueError("A numeric has more digits than its scale shows.")
        decimals = decimals[:shift]
    decimals = (decimals + "0" * shift).lstrip("0") or "0"
    return Decimal((int(sign == 0x4000), tuple(map(int, decimals)), -scale))
