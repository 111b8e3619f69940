"""The tests' own decoder of COPY bytes, against bytes written by hand from PostgreSQL's documentation."""

from __future__ import annotations

import struct
from decimal import Decimal
from typing import Any

import pytest

from tests.oracle.copy_binary import Kind, rows


def field(data: bytes | None) -> bytes:
    return struct.pack(">i", -1) if data is None else struct.pack(">i", len(data)) + data


def numeric(digits: list[int], weight: int, sign: int, scale: int) -> bytes:
    return struct.pack(f">hhHH{len(digits)}h", len(digits), weight, sign, scale, *digits)


@pytest.mark.parametrize(
    ("kind", "data", "value"),
    [
        (Kind("text"), "é".encode(), "é"),
        (Kind("smallint"), b"\xff\xfe", -2),
        (Kind("bigint"), struct.pack(">q", -5), -5),
        (Kind("real"), struct.pack(">f", 0.5), 0.5),
        (Kind("boolean"), b"\1", True),
        (Kind("date"), struct.pack(">i", 0), 10_957),
        (Kind("date"), struct.pack(">i", (1 << 31) - 1), "infinity"),
        (Kind("timestamptz"), struct.pack(">q", -1), 946_684_799_999_999),
        (Kind("timestamp"), struct.pack(">q", -(1 << 63)), "-infinity"),
        (Kind("uuid"), bytes(16), "00000000-0000-0000-0000-000000000000"),
        (Kind("bytea"), b"\0\xff", b"\0\xff"),
        (Kind("jsonb"), b"\1{}", "{}"),
        (Kind("text"), None, None),
        (Kind("integer", array=True), struct.pack(">iiI", 0, 0, 23), []),
        (
            Kind("integer", array=True),
            struct.pack(">iiIii", 1, 1, 23, 2, 1) + field(struct.pack(">i", 7)) + field(None),
            [7, None],
        ),
    ],
)
def test_one_field(kind: Kind, data: bytes | None, value: Any) -> None:
    assert list(rows(b"\0\1" + field(data), [kind])) == [(value,)]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (numeric([], 0, 0, 0), "0"),
        (numeric([], 0, 0, 2), "0.00"),
        (numeric([1, 5000], 0, 0, 2), "1.50"),
        (numeric([1], 1, 0x4000, 0), "-10000"),
        (numeric([100], -1, 0, 2), "0.01"),
        (numeric([1234, 5678, 9000], 1, 0, 1), "12345678.9"),
        (numeric([], 0, 0xC000, 0), "NaN"),
        (numeric([], 0, 0xF000, 0), "-Infinity"),
    ],
)
def test_numeric(data: bytes, text: str) -> None:
    ((found,),) = rows(b"\0\1" + field(data), [Kind("numeric")])
    assert str(found) == str(Decimal(text))


@pytest.mark.parametrize(
    "data",
    [b"\0\2" + field(b"a"), b"\0\1" + struct.pack(">i", 9) + b"a", b"\0\1" + struct.pack(">i", -2)],
)
def test_rows_that_are_none(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"A (row|field)"):
        list(rows(data, [Kind("text")]))


@pytest.mark.parametrize(
    ("kind", "data"),
    [("jsonb", b"\2{}"), ("jsonb", b"\1NaN"), ("boolean", b"\2"), ("numeric", numeric([0, 1], 0, 0, 0))],
)
def test_values_that_are_none(kind: str, data: bytes) -> None:
    with pytest.raises(ValueError, match=r"version|JSON|boolean|numeric"):
        list(rows(b"\0\1" + field(data), [Kind(kind)]))
