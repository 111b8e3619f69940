"""Ids of the core: as the oracle derives them, reversible, and in MongoDB's order."""

from __future__ import annotations

import functools
from fractions import Fraction
from typing import Any

import bson as driver
import pytest
from bson import json_util
from hypothesis import given
from hypothesis import strategies as st

from isthmus._rust import IdCodec, compare_ids, extended_json, source_id
from isthmus.verify.reference import bson, ids
from tests.generators import bson_writer as bw
from tests.generators import grid, values
from tests.oracle.effort import say_seed, tries

LOSSLESS: Any = json_util.CANONICAL_JSON_OPTIONS
KEY = bytes(range(32, 64))
CORE, ORACLE = IdCodec(KEY), ids.Ids(KEY)
IDS = [value for value in grid.border_values() if value.type not in (0x04, 0x06, 0x0B)]


def id_document(value: bw.Value) -> bytes:
    return bw.document([("_id", value)]).raw


def read(value: bw.Value) -> bson.Value:
    return bson.read_document(id_document(value))[0][1]


@pytest.mark.parametrize("scheme", ["uuid", "cuid2"])
def test_border_values_derive_as_the_oracle_says(scheme: str) -> None:
    wrong = [
        v for v in IDS if CORE.derive("Tasks é", id_document(v), scheme) != ORACLE.derive("Tasks é", read(v), scheme)
    ]
    assert not wrong


@tries(300)
@given(values.anything(), st.sampled_from(["uuid", "cuid2"]), st.text(max_size=5))
def test_any_value_derives_as_the_oracle_says(value: bw.Value, scheme: str, collection: str) -> None:
    say_seed()
    assert CORE.derive(collection, id_document(value), scheme) == ORACLE.derive(collection, read(value), scheme)


@tries(200)
@given(st.binary(min_size=12, max_size=12), st.sampled_from(["uuid", "cuid2"]))
def test_object_ids_come_back(object_id: bytes, scheme: str) -> None:
    say_seed()
    derived = CORE.derive("x", id_document(bw.object_id(object_id)), scheme)
    assert CORE.reverse(derived) == object_id
    assert ORACLE.reverse(derived) == object_id
    assert IdCodec(bytes(32)).reverse(derived) is None


@tries(200)
@given(
    st.one_of(
        st.uuids().map(str),
        st.text("0123456789abcdefghijklmnopqrstuvwxyz-", min_size=20, max_size=40),
        st.text(max_size=40),
    )
)
def test_no_other_text_comes_back(text: str) -> None:
    say_seed()
    assert CORE.reverse(text) is None


# MongoDB manual, "Comparison/Sort Order"; a missing value is not among ids.
BRACKETS: list[tuple[int, ...]] = [
    (0xFF,),
    (0x06, 0x0A),
    (0x01, 0x10, 0x12, 0x13),
    (0x02, 0x0E),
    (0x03,),
    (0x04,),
    (0x05,),
    (0x07,),
    (0x08,),
    (0x09,),
    (0x11,),
    (0x0B,),
    (0x0C,),
    (0x0D,),
    (0x0F,),
    (0x7F,),
]


def bracket(value: bw.Value) -> int:
    return next(number for number, types in enumerate(BRACKETS) if value.type in types)


def number_of(value: bw.Value) -> Any:
    """A key that orders numbers of all types exactly; NaN comes first."""
    text = ids.canonical_number(read(value))
    special = {"nan": (0, Fraction(0)), "-inf": (1, Fraction(0)), "inf": (3, Fraction(0))}
    if text in special:
        return special[text]
    digits, _, exponent = text.partition("e")
    return (2, Fraction(int(digits)) * Fraction(10) ** int(exponent))


def test_brackets_are_in_mongodbs_order() -> None:
    some = IDS[::7]
    for first in some:
        for second in some:
            if (one := bracket(first)) != (other := bracket(second)):
                assert compare_ids(id_document(first), id_document(second)) == (-1 if one < other else 1)


def test_numbers_of_all_types_are_ordered_by_value() -> None:
    numbers = [value for value in IDS if value.type in (0x01, 0x10, 0x12, 0x13)]
    ordered = sorted(numbers, key=functools.cmp_to_key(lambda a, b: compare_ids(id_document(a), id_document(b))))
    keys = [number_of(value) for value in ordered]
    assert keys == sorted(keys)


@tries(300)
@given(values.anything(), values.anything(), values.anything())
def test_order_of_ids_is_total(first: bw.Value, second: bw.Value, third: bw.Value) -> None:
    say_seed()
    a, b, c = map(id_document, (first, second, third))
    assert compare_ids(a, a) == 0
    assert compare_ids(a, b) == -compare_ids(b, a)
    if compare_ids(a, b) <= 0 and compare_ids(b, c) <= 0:
        assert compare_ids(a, c) <= 0
    if CORE.derive("x", a, "uuid") == CORE.derive("x", b, "uuid") and first.type != 0x07 and second.type != 0x07:
        texts = first.type in (0x02, 0x0E) and second.type in (0x02, 0x0E)
        # Two spellings of one ObjectId's hex digits are one id here, and two texts to MongoDB.
        assert texts or compare_ids(a, b) == 0


@tries(200)
@given(values.documents(values.anything()))
def test_source_id_is_the_last_id_of_a_document(written: bw.Value) -> None:
    say_seed()
    found = bson.value_at(bson.read_document(written.raw), ("_id",))
    expected = None if found is None else bw.document([("_id", bw.Value(found.type, found.raw))]).raw
    assert source_id(written.raw) == expected


FOLDED = (
    "$date",
    "$numberDecimal",
    "$numberDouble",
    "$regularExpression",
    "$dbPointer",
    "$symbol",
    "$undefined",
    "$code",
)
"""Types that the driver changes by reading or writing them (NaN payloads, years, deprecated types)."""


@tries(300)
@given(values.documents(values.anything()))
def test_extended_json_reads_back_as_the_same_document(written: bw.Value) -> None:
    say_seed()
    text = extended_json(written.raw)
    keys_of_its_own = b"$" in written.raw
    if keys_of_its_own or any(word in text for word in (*FOLDED, "\ufffd", "$binary")):
        return
    back = driver.encode(json_util.loads(text, json_options=json_util.CANONICAL_JSON_OPTIONS))
    assert back == driver.encode(driver.decode(written.raw, LOSSLESS))
