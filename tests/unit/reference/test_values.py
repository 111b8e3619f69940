"""Conversions of the oracle, each answer written by hand from the rules."""

from __future__ import annotations

import math
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from isthmus.verify.reference import bson
from isthmus.verify.reference.journal import Refusal
from isthmus.verify.reference.json_values import Policies, decimal_text, iso_text
from isthmus.verify.reference.reading import parse_type
from isthmus.verify.reference.values import Setting, convert, nearest_real
from tests.generators import bson_writer as bw

ENUMS = {"status": ("ACTIVE", "PENDING")}
DAY = 86_400_000
LOOSE = Policies(nul="remove", utf8="replace", nan="null", range="infinity")
REFUSED = "refused: "


def convert_text(type_text: str, written: bw.Value, setting: Setting) -> tuple[Any, Counter[str]]:
    """The value or `refused: code`, and what was noted."""
    notes: Counter[str] = Counter()
    value = bson.read_document(bw.document([("v", written)]).raw)[0][1]
    try:
        content = convert(value, parse_type(type_text, ENUMS), setting, lambda kind: notes.update([kind]))
    except Refusal as refusal:
        return REFUSED + refusal.code, Counter()
    return content, notes


@pytest.mark.parametrize(
    ("type_text", "written", "exact", "coerced"),
    [
        ("text", bw.string("é"), "é", "é"),
        ("text", bw.symbol("s"), "s", "s"),
        ("text", bw.object_id(bytes(12)), "0" * 24, "0" * 24),
        ("text", bw.int64(-5), "refused: type", "-5"),
        ("text", bw.boolean(true=True), "refused: type", "true"),
        ("text", bw.double(1e22), "refused: type", "1e+22"),
        ("text", bw.double(math.nan), "refused: type", "NaN"),
        ("text", bw.decimal128(0, 150, -2), "refused: type", "1.50"),
        ("text", bw.datetime_ms(1_614_834_367_089), "refused: type", "2021-03-04T05:06:07.089Z"),
        ("text", bw.datetime_ms(253_402_300_800_000), "refused: type", "refused: range"),
        ("text", bw.document([]), "refused: type", "refused: type"),
        ("varchar(2)", bw.string("éé"), "éé", "éé"),
        ("varchar(2)", bw.string("abc"), "refused: too-long", "refused: too-long"),
        ("smallint", bw.int32(32767), 32767, 32767),
        ("smallint", bw.int32(32768), "refused: out-of-range", "refused: out-of-range"),
        ("integer", bw.double(5.0), 5, 5),
        ("integer", bw.double(5.5), "refused: fraction", "refused: fraction"),
        ("integer", bw.double(math.inf), "refused: out-of-range", "refused: out-of-range"),
        ("bigint", bw.decimal128(1, 1 << 63, 0), -(1 << 63), -(1 << 63)),
        ("bigint", bw.decimal128(0, 1 << 63, 0), "refused: out-of-range", "refused: out-of-range"),
        ("bigint", bw.decimal128(0, 1, 6111), "refused: out-of-range", "refused: out-of-range"),
        ("bigint", bw.decimal128(0, 50, -1), 5, 5),
        ("bigint", bw.decimal128(0, 55, -1), "refused: fraction", "refused: fraction"),
        ("bigint", bw.boolean(true=True), "refused: type", 1),
        ("bigint", bw.string("-12"), "refused: type", -12),
        ("bigint", bw.string("1.0"), "refused: type", "refused: type"),
        ("double", bw.int64((1 << 53) + 1), "refused: inexact", float(1 << 53)),
        ("double", bw.decimal128(0, 1, -1), "refused: inexact", 0.1),
        ("double", bw.decimal128(0, 5, -1), 0.5, 0.5),
        ("double", bw.decimal128(0, 1, 400), "refused: out-of-range", "refused: out-of-range"),
        ("double", bw.string("1e3"), "refused: type", 1000.0),
        ("real", bw.double(0.5), 0.5, 0.5),
        ("real", bw.double(0.1), "refused: inexact", nearest_real(0.1)),
        ("real", bw.int32((1 << 24) + 1), "refused: inexact", float(1 << 24)),
        ("real", bw.double(3.5e38), "refused: out-of-range", "refused: out-of-range"),
        ("numeric", bw.decimal128(0, 150, -2), Decimal("1.50"), Decimal("1.50")),
        ("numeric", bw.decimal128(0, 1, 3), Decimal(1000), Decimal(1000)),
        ("numeric", bw.double(0.1), Decimal("0.1"), Decimal("0.1")),
        ("numeric", bw.double(5.0), Decimal(5), Decimal(5)),
        ("numeric", bw.double(math.inf), Decimal("Infinity"), Decimal("Infinity")),
        ("numeric(10,2)", bw.double(math.inf), "refused: out-of-range", "refused: out-of-range"),
        ("numeric(10,2)", bw.int32(5), Decimal("5.00"), Decimal("5.00")),
        ("numeric(10,2)", bw.double(2.675), "refused: scale", Decimal("2.68")),
        ("numeric(10,2)", bw.decimal128(0, 1225, -3), "refused: scale", Decimal("1.22")),
        ("numeric(10,2)", bw.decimal128(1, 1235, -3), "refused: scale", Decimal("-1.24")),
        ("numeric(10,2)", bw.int32(100_000_000), "refused: out-of-range", "refused: out-of-range"),
        ("boolean", bw.double(1.0), "refused: type", True),
        ("boolean", bw.int32(2), "refused: type", "refused: type"),
        ("boolean", bw.string("false"), "refused: type", False),
        ("date", bw.datetime_ms(-DAY), -1, -1),
        ("date", bw.datetime_ms(DAY + 1), "refused: time-of-day", 1),
        ("date", bw.datetime_ms(-1), "refused: time-of-day", -1),
        ("date", bw.string("1970-01-02"), "refused: type", 1),
        ("date", bw.string("2021-02-29"), "refused: type", "refused: type"),
        ("timestamptz", bw.datetime_ms(-1), -1000, -1000),
        ("timestamp(0)", bw.datetime_ms(1500), "refused: precision", 1_000_000),
        ("timestamp(0)", bw.datetime_ms(946_684_800_500), "refused: precision", 946_684_801_000_000),
        ("timestamptz", bw.timestamp(7, 9), "refused: type", 7_000_000),
        ("timestamptz", bw.string("1970-01-01T02:00:01.5+02:00"), "refused: type", 1_500_000),
        ("timestamptz", bw.string("1970-01-01T02:00:01"), "refused: type", "refused: type"),
        ("timestamptz", bw.datetime_ms(1 << 62), "refused: range", "refused: range"),
        (
            "uuid",
            bw.binary(4, bytes(16)),
            "00000000-0000-0000-0000-000000000000",
            "00000000-0000-0000-0000-000000000000",
        ),
        ("uuid", bw.binary(3, bytes(16)), "refused: uuid-legacy", "refused: uuid-legacy"),
        ("uuid", bw.binary(4, bytes(15)), "refused: type", "refused: type"),
        ("bytea", bw.binary(0, b"ab"), b"ab", b"ab"),
        ("bytea", bw.binary(5, b"ab"), "refused: type", b"ab"),
        ("status", bw.string("ACTIVE"), "ACTIVE", "ACTIVE"),
        ("status", bw.string("active"), "refused: enum", "refused: enum"),
        ("status", bw.int32(1), "refused: type", "refused: type"),
    ],
)
def test_conversion_with_and_without_coerce(type_text: str, written: bw.Value, exact: Any, coerced: Any) -> None:
    assert convert_text(type_text, written, Setting())[0] == exact
    assert convert_text(type_text, written, Setting(coerce=True))[0] == coerced


@pytest.mark.parametrize(
    ("type_text", "written", "strict", "loose", "noted"),
    [
        ("text", bw.string("a\0b"), "refused: nul", "ab", {"nul_removed": 1}),
        ("text", bw.string(b"a\xff"), "refused: utf8", "a\ufffd", {"utf8_replaced": 1}),
        ("text", bw.string(b"\xff\0"), "refused: utf8", "\ufffd", {"utf8_replaced": 1, "nul_removed": 1}),
        ("status", bw.string("ACT\0IVE"), "refused: nul", "ACTIVE", {"nul_removed": 1}),
        ("date", bw.datetime_ms(1 << 62), "refused: range", "infinity", {"range_infinity": 1}),
        ("timestamp", bw.datetime_ms(-(1 << 62)), "refused: range", "-infinity", {"range_infinity": 1}),
    ],
)
def test_policies(type_text: str, written: bw.Value, strict: Any, loose: Any, noted: dict[str, int]) -> None:
    assert convert_text(type_text, written, Setting())[0] == strict
    assert convert_text(type_text, written, Setting(policies=LOOSE)) == (loose, Counter(noted))


@pytest.mark.parametrize(
    ("type_text", "written"),
    [("numeric", bw.double(-0.0)), ("numeric(5,2)", bw.decimal128(1, 0, -3)), ("bigint", bw.double(-0.0))],
)
def test_minus_zero_becomes_zero_and_is_counted(type_text: str, written: bw.Value) -> None:
    content, notes = convert_text(type_text, written, Setting())
    assert content == 0
    assert not str(content).startswith("-")
    assert notes == {"negative_zero": 1}


def test_doubles_keep_nan_infinities_and_minus_zero() -> None:
    for type_text in ("double", "real"):
        assert math.isnan(convert_text(type_text, bw.double(math.nan), Setting())[0])
        assert convert_text(type_text, bw.double(-math.inf), Setting())[0] == -math.inf
        assert math.copysign(1, convert_text(type_text, bw.double(-0.0), Setting())[0]) == -1


@pytest.mark.parametrize(
    ("stored", "text"),
    [
        ((0, 0, 0), "0"),
        ((1, 0, -2), "-0.00"),
        ((0, 0, 3), "0E+3"),
        ((0, 150, -2), "1.50"),
        ((0, 1, 3), "1E+3"),
        ((0, 12, 3), "1.2E+4"),
        ((0, 1, -6), "0.000001"),
        ((0, 1, -7), "1E-7"),
        ((1, 1234, -2), "-12.34"),
    ],
)
def test_decimal_text_follows_the_specification(stored: tuple[int, int, int], text: str) -> None:
    assert decimal_text(bson.Decimal128("finite", *stored)) == text


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (-62_135_596_800_000, "0001-01-01T00:00:00.000Z"),
        (-62_135_596_800_001, None),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        (253_402_300_800_000, None),
    ],
)
def test_iso_text_has_four_digit_years_only(milliseconds: int, text: str | None) -> None:
    assert iso_text(milliseconds) == text
