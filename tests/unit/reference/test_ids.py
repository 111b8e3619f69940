"""Derived ids of the oracle against published vectors and by their own laws."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.verify.reference import bson, ids
from tests.generators import bson_writer as bw
from tests.oracle.effort import say_seed, tries

KEYS = ids.Ids(bytes(range(32)))


def value(written: bw.Value) -> bson.Value:
    return bson.read_document(bw.document([("_id", written)]).raw)[0][1]


def test_speck_of_the_papers_vector() -> None:
    # Beaulieu et al. 2013, appendix C, Speck96/144.
    key = bytes.fromhex("1514131211100d0c0b0a0908050403020100")
    plain = bytes.fromhex("656d6974206e69202c726576")
    cipher = bytes.fromhex("2bf31072228a7ae440252ee6")
    assert ids.speck_encrypt(key, plain) == cipher
    assert ids.speck_decrypt(key, cipher) == plain


@tries(100)
@given(st.binary(min_size=12, max_size=12))
def test_object_id_ids_are_version_8_uuids_and_reversible(object_id: bytes) -> None:
    say_seed()
    number = KEYS.of_object_id(object_id)
    text = ids.uuid_text(number)
    parsed = uuid.UUID(text)
    assert (parsed.version, parsed.variant) == (8, uuid.RFC_4122)
    assert KEYS.reverse(text) == object_id
    cuid = ids.cuid2_text(number)
    assert len(cuid) == 24
    assert cuid[0].isalpha()
    assert KEYS.reverse(cuid) == object_id
    assert ids.Ids(bytes(32)).reverse(text) is None


@tries(100)
@given(st.integers(0, (1 << 122) - 1))
def test_printed_forms_hold_all_122_bits(number: int) -> None:
    assert ids.number_of_uuid(ids.uuid_text(number)) == number
    assert ids.number_of_cuid2(ids.cuid2_text(number)) == number


@pytest.mark.parametrize("number", [0, 1, 25, 26, (1 << 122) - 1])
def test_cuid2_text_has_one_shape(number: int) -> None:
    text = ids.cuid2_text(number)
    assert len(text) == 24
    assert text[0] in "abcdefghijklmnopqrstuvwxyz"


def test_numbers_that_mongodb_calls_equal_have_one_canonical_form() -> None:
    fives = [bw.int32(5), bw.int64(5), bw.double(5.0), bw.decimal128(0, 5, 0), bw.decimal128(0, 500, -2)]
    assert {ids.canonical(value(one)) for one in fives} == {b"n5e0"}
    zeros = [bw.int32(0), bw.double(-0.0), bw.decimal128(1, 0, -3), bw.decimal128(0, 0, 6111)]
    assert {ids.canonical(value(one)) for one in zeros} == {b"n0e0"}


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        (bw.int32(1000), b"n1e3"),
        (bw.double(0.5), b"n5e-1"),
        (bw.double(-1e300), b"n-" + str(int(-1e300))[1:].rstrip("0").encode() + b"e"),
        (bw.decimal128(1, 120, 3), b"n-12e4"),
        (bw.double(float("nan")), b"nnan"),
        (bw.double(float("-inf")), b"n-inf"),
        (bw.decimal128_bits(0x1F << 122), b"nnan"),
        (bw.decimal128_bits(0x1E << 122), b"ninf"),
        (bw.string("5"), b"s5"),
        (bw.symbol("5"), b"s5"),
        (bw.object_id(bytes(12)), b"o" + bytes(12)),
        (bw.boolean(true=True), b"b\1"),
        (bw.datetime_ms(-1), b"d" + b"\xff" * 8),
        (bw.timestamp(1, 2), b"t" + b"\2\0\0\0\1\0\0\0"),
        (bw.binary(2, b"ab"), b"x\2ab"),
        (bw.null(), b"z"),
        (bw.min_key(), b"<"),
        (bw.max_key(), b">"),
        (bw.document([("a", bw.int32(1))]), b"{\0\0\0\1a\0\0\0\4n1e0"),
        (bw.array([bw.null()]), b"[\0\0\0\1z"),
        (bw.regex("a", "i"), b"ra\0i"),
        (bw.code("f"), b"cf"),
        (bw.undefined(), b"u"),
    ],
)
def test_canonical_form_of_each_type(written: bw.Value, canonical: bytes) -> None:
    found = ids.canonical(value(written))
    assert found.startswith(canonical) if canonical.endswith(b"e") else found == canonical


def test_exact_binary_expansion_of_a_double_tells_it_from_its_decimal() -> None:
    assert ids.canonical(value(bw.double(0.1))) != ids.canonical(value(bw.decimal128(0, 1, -1)))


def test_24_hex_digits_are_the_object_id_in_any_case() -> None:
    object_id = bytes.fromhex("0123456789abcdef01234567")
    wanted = KEYS.derive("Any", value(bw.object_id(object_id)), "uuid")
    for text in (object_id.hex(), object_id.hex().upper()):
        assert KEYS.derive("Other", value(bw.string(text)), "uuid") == wanted
    assert KEYS.derive("Any", value(bw.string(object_id.hex()[:-1])), "uuid") != wanted


def test_hashed_ids_differ_by_collection_and_have_no_way_back() -> None:
    five = value(bw.int32(5))
    first, second = KEYS.derive("A", five, "uuid"), KEYS.derive("B", five, "uuid")
    assert first != second
    assert KEYS.reverse(first) is None
