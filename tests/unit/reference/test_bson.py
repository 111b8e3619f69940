"""The oracle's BSON walker: what it reads, keeps and refuses."""

from __future__ import annotations

import struct
from typing import Any

import bson as driver
import pytest
from bson.codec_options import CodecOptions
from bson.datetime_ms import DatetimeMS
from bson.raw_bson import RawBSONDocument
from hypothesis import given

from isthmus.verify.reference import bson
from tests.generators import bson_writer as bw
from tests.generators import values
from tests.oracle.effort import say_seed, tries


def only(value: bw.Value) -> bson.Value:
    elements = bson.read_document(bw.document([("v", value)]).raw)
    assert [key for key, _ in elements] == [b"v"]
    return elements[0][1]


@pytest.mark.parametrize(
    ("written", "type_byte", "data"),
    [
        (bw.double(1.5), 0x01, 1.5),
        (bw.string(b"a\0\xff"), 0x02, b"a\0\xff"),
        (bw.binary(4, bytes(16)), 0x05, (4, bytes(16))),
        (bw.binary(2, b"abc"), 0x05, (2, b"abc")),
        (bw.undefined(), 0x06, None),
        (bw.object_id(bytes(range(12))), 0x07, bytes(range(12))),
        (bw.boolean(true=True), 0x08, True),
        (bw.datetime_ms(-1), 0x09, -1),
        (bw.null(), 0x0A, None),
        (bw.regex("^a", "i"), 0x0B, (b"^a", b"i")),
        (bw.db_pointer("db.c", bytes(12)), 0x0C, (b"db.c", bytes(12))),
        (bw.code("f()"), 0x0D, b"f()"),
        (bw.symbol("s"), 0x0E, b"s"),
        (bw.int32(-5), 0x10, -5),
        (bw.timestamp(7, 9), 0x11, (7, 9)),
        (bw.int64(1 << 62), 0x12, 1 << 62),
        (bw.decimal128(1, 150, -2), 0x13, bson.Decimal128("finite", 1, 150, -2)),
        (bw.min_key(), 0xFF, None),
        (bw.max_key(), 0x7F, None),
    ],
)
def test_read_each_type_gives_type_data_and_raw_bytes(written: bw.Value, type_byte: int, data: Any) -> None:
    value = only(written)
    assert (value.type, value.data, value.raw) == (type_byte, data, written.raw)


def test_read_keeps_duplicate_keys_in_order_and_last_wins_folds_them() -> None:
    pairs = [("a", bw.int32(1)), ("b", bw.int32(2)), ("a", bw.int32(3))]
    elements = bson.read_document(bw.document(pairs).raw)
    assert [(key, value.data) for key, value in elements] == [(b"a", 1), (b"b", 2), (b"a", 3)]
    folded, dropped = bson.last_wins(elements)
    assert ([(key, value.data) for key, value in folded], dropped) == ([(b"b", 2), (b"a", 3)], 1)


def test_read_array_ignores_its_keys() -> None:
    assert [item.data for item in only(bw.array([bw.int32(1), bw.int32(2)], ["9", "x"])).data] == [1, 2]


@pytest.mark.parametrize(
    ("bits", "kind"),
    [(0x1F << 122, "nan"), (0x3F << 121, "nan"), (0x1E << 122, "infinity"), (((0x1E << 122) | (1 << 127)), "infinity")],
)
def test_decimal128_special_values(bits: int, kind: str) -> None:
    assert bson.decimal128(bits.to_bytes(16, "little")).kind == kind


@pytest.mark.parametrize("bits", [(6176 << 113) | 10**34, (3 << 125) | (6176 << 111) | 7])
def test_decimal128_beyond_34_digits_counts_as_zero(bits: int) -> None:
    stored = bson.decimal128(bits.to_bytes(16, "little"))
    assert (stored.kind, stored.coefficient) == ("finite", 0)


@pytest.mark.parametrize(("levels", "fits"), [(98, True), (99, True), (100, False), (150, False)])
def test_read_nesting_counts_the_document_as_the_first_of_100_levels(levels: int, *, fits: bool) -> None:
    raw = bw.document([("v", values.nested(levels, bw.int32(1)))]).raw
    if fits:
        bson.read_document(raw)
        return
    with pytest.raises(bson.BsonFault) as caught:
        bson.read_document(raw)
    assert caught.value.code == "nesting"


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "bson"),
        (b"\5\0\0\0", "bson"),
        (b"\6\0\0\0\0", "bson"),
        (b"\5\0\0\0\1", "bson"),
        (bw.document([("v", bw.Value(0x08, b"\2"))]).raw, "bson"),
        (bw.document([("v", bw.Value(0x14, b""))]).raw, "bson-type"),
        (bw.document([("v", bw.Value(0x00, b""))]).raw, "bson-type"),
        (bw.document([("v", bw.Value(0x02, struct.pack("<i", 0)))]).raw, "bson"),
        (bw.document([("v", bw.Value(0x02, struct.pack("<i", 3) + b"abc"))]).raw, "bson"),
        (bw.document([("v", bw.Value(0x02, struct.pack("<i", 1 << 30) + b"a\0"))]).raw, "bson"),
        (bw.document([("v", bw.Value(0x03, b"\4\0\0\0\0"))]).raw, "bson"),
        (bw.document([("v", bw.Value(0x05, struct.pack("<iB", -1, 0)))]).raw, "bson"),
        (bw.document([("v", bw.Value(0x05, struct.pack("<iB", 4, 2) + b"\1\0\0\0"))]).raw, "bson"),
        (bw.document([("v", bw.Value(0x07, b"short"))]).raw, "bson"),
        (bw.document([("v", bw.Value(0x0F, struct.pack("<i", 9) + b"\1\0\0\0\0"))]).raw, "bson"),
        (bw.document([("v", bw.int32(1))]).raw + b"\0", "bson"),
    ],
)
def test_read_damaged_bytes_are_refused(raw: bytes, code: str) -> None:
    with pytest.raises(bson.BsonFault) as caught:
        bson.read_document(raw)
    assert caught.value.code == code


LOSSLESS = CodecOptions(document_class=RawBSONDocument, datetime_conversion=3, unicode_decode_error_handler="ignore")  # pyright: ignore


def plain(value: bson.Value) -> Any:
    """What a driver would give for the types whose driver form is simple; None marks the others."""
    if value.type == bson.DATETIME:
        return DatetimeMS(value.data)
    if value.type in (bson.DOUBLE, bson.BOOL, bson.INT32, bson.INT64):
        return value.data
    if value.type == bson.OBJECT_ID:
        return driver.ObjectId(value.data)
    return None


@tries(200)
@given(values.documents(values.anything()))
def test_read_agrees_with_the_driver_on_keys_and_simple_values(written: bw.Value) -> None:
    say_seed()
    elements, _ = bson.last_wins(bson.read_document(written.raw))
    if any(key.decode("utf-8", "ignore").encode() != key for key, _ in elements):
        return
    read = driver.decode(written.raw, CodecOptions(datetime_conversion=3, unicode_decode_error_handler="ignore"))
    assert {key.decode() for key, _ in elements} == set(read)
    for key, value in elements:
        if (expected := plain(value)) is not None:
            found = read[key.decode()]
            assert repr(found) == repr(expected)
