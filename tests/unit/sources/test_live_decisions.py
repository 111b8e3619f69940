"""What is decided about a running server's collections without asking it: places, parts, sizes, what is the same."""

from __future__ import annotations

import itertools

import bson
import pytest
from bson import Decimal128, Int64, ObjectId
from hypothesis import given
from hypothesis import strategies as st

from isthmus.errors import SourceError
from isthmus.sources.live.partitions import is_one_type, quantiles, sample_size
from isthmus.sources.live.positions import BEGIN, before, behind, equals, id_document, same_id
from isthmus.sources.live.read import count_framed, last_start, refuse_same_id

NOT_UTF8 = b"\x11\0\0\0\x02_id\0\x03\0\0\0\xff\xfe\0\0"


def ident(value: object) -> bytes:
    return bson.encode({"_id": value})


@pytest.mark.parametrize("found", [ident(5), ident({"a": {"b": []}}), ident(None), ident("ü"), NOT_UTF8], ids=repr)
def test_places_keep_the_bytes_of_an_id(found: bytes) -> None:
    assert id_document(found) == found
    assert id_document(before(found)) == found
    assert (behind(found), behind(before(found)), behind(BEGIN)) == (True, False, False)
    assert before(before(found)) == before(found)
    value = found[9:-1]
    assert equals(found) == (
        (len(value) + 20).to_bytes(4, "little")
        + b"\x03_id\0"
        + (len(value) + 10).to_bytes(4, "little")
        + found[4:5]
        + b"$eq\0"
        + value
        + b"\0\0"
    )


def test_what_the_filter_says_is_read_by_the_driver_as_it_is_meant() -> None:
    assert bson.decode(equals(ident({"x": 1}))) == {"_id": {"$eq": {"x": 1}}}
    assert bson.decode(before(ident("a"))) == {"before": "a"}


@pytest.mark.parametrize("position", [b"", BEGIN, b"\0" * 8, bson.encode({"a": 1}), ident(1) + b"\0", ident(1)[:-1]])
def test_what_is_no_place_behind_a_document_is_refused(position: bytes) -> None:
    with pytest.raises(SourceError) as caught:
        id_document(position)
    assert caught.value.code == "bad-position"


def test_numbers_are_one_key_and_texts_another() -> None:
    fives = [ident(5), ident(Int64(5)), ident(5.0), ident(Decimal128("5"))]
    assert all(same_id(left, right) for left, right in itertools.product(fives, fives))
    assert all(is_one_type(left, right) for left, right in itertools.product(fives, fives))
    assert not same_id(ident(5), ident("5"))
    assert not is_one_type(ident(5), ident("5"))
    assert not is_one_type(ident(None), ident(ObjectId()))
    assert same_id(NOT_UTF8, NOT_UTF8)
    assert not same_id(NOT_UTF8, ident(5))


@given(st.lists(st.integers(-50, 50), min_size=1, max_size=60), st.integers(2, 20))
def test_quantiles_are_ordered_distinct_and_behind_the_first(values: list[int], wanted: int) -> None:
    ids = [ident(value) for value in sorted(values)]
    places = [bson.decode(place)["before"] for place in quantiles(ids, wanted, ident(min(values)))]
    assert places == sorted(set(places))
    assert min(values) not in places
    assert set(places) <= set(values)
    assert len(places) < wanted
    if len(set(values)) == len(values) and len(values) >= 2 * wanted:
        assert len(places) == wanted - 1


@given(st.integers(2, 500), st.one_of(st.none(), st.integers(0, 10**9)))
def test_samples_are_large_enough_and_no_larger_than_the_collection(wanted: int, documents: int | None) -> None:
    size = sample_size(wanted, documents)
    if documents:
        assert size <= documents
        assert size >= min(documents, 4 * wanted)
        assert size <= max(documents // 20, 4 * wanted)
    else:
        assert size >= wanted


@given(st.lists(st.integers(0, 3000), min_size=1, max_size=30))
def test_last_document_is_found_whatever_stands_before_it(sizes: list[int]) -> None:
    documents = [bson.encode({"_id": number, "pad": b"\5\0\0\0" * size}) for number, size in enumerate(sizes)]
    data = b"".join(documents)
    assert data[last_start(data) :] == documents[-1]
    assert count_framed(data, "Things") == len(documents)
    for damaged in (data[:-1], data + b"\0", data + b"\xff" * 10):
        with pytest.raises(SourceError) as caught:
            count_framed(damaged, "Things")
        assert caught.value.code == "broken-framing"


def test_two_documents_with_one_id_are_never_taken_for_one() -> None:
    reply = bson.encode({"_id": 5.0, "shard": 2}) + bson.encode({"_id": 6})
    for at in (BEGIN, ident(4), before(ident(5)), ident("5")):
        refuse_same_id(at, reply, "Things")
    with pytest.raises(SourceError) as caught:
        refuse_same_id(ident(5), reply, "Things")
    assert caught.value.code == "same-id-twice"
