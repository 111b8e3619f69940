"""MongoDB's order of `_id`s; answers from its manual ("Comparison/Sort Order"), and the core asked the same."""

from __future__ import annotations

from itertools import pairwise

import pytest

from isthmus._rust import compare_ids
from isthmus.verify.reference import bson
from isthmus.verify.reference.ordering import order_of
from isthmus.verify.reference.references import id_document
from tests.generators import bson_writer as bw

ASCENDING = [
    [bw.min_key()],
    [bw.null()],
    [bw.double(float("nan")), bw.decimal128_bits(0b11111 << 122)],
    [bw.double(float("-inf"))],
    [bw.int64(-(2**63))],
    [bw.int32(-1), bw.double(-1.0)],
    [bw.int32(0), bw.double(-0.0), bw.decimal128(1, 0, 3)],
    [bw.decimal128(0, 1, -6176)],
    [bw.double(0.1)],
    [bw.int32(5), bw.int64(5), bw.double(5.0), bw.decimal128(0, 500, -2)],
    [bw.int64(2**53)],
    [bw.int64(2**53 + 1)],
    [bw.double(1e300)],
    [bw.decimal128(0, 1, 6111)],
    [bw.double(float("inf"))],
    [bw.string("")],
    [bw.string("B")],
    [bw.string("a"), bw.symbol("a")],
    [bw.string("a\0")],
    [bw.string("ab")],
    [bw.string("\u00e9")],
    [bw.document([])],
    [bw.document([("b", bw.int32(1))])],
    [bw.document([("b", bw.int32(1)), ("a", bw.int32(0))])],
    [bw.document([("b", bw.int32(2))])],
    [bw.document([("a", bw.string("x"))])],
    [bw.document([("b", bw.string(""))])],
    [bw.binary(0, b"z")],
    [bw.binary(0, b"aa")],
    [bw.binary(5, b"aa")],
    [bw.object_id(bytes(12))],
    [bw.object_id(bytes([255] * 12))],
    [bw.boolean(true=False)],
    [bw.boolean(true=True)],
    [bw.datetime_ms(-1)],
    [bw.datetime_ms(0)],
    [bw.timestamp(0, 1)],
    [bw.timestamp(2**31, 0)],
    [bw.max_key()],
]
"""Values that are equal to MongoDB, the lowest first. Of two documents the type counts before the key."""


def read(value: bw.Value) -> bson.Value:
    return bson.read_document(bw.document([("_id", value)]).raw)[0][1]


def test_values_are_ordered_as_the_manual_says() -> None:
    for equals in ASCENDING:
        assert len({order_of(read(value)) for value in equals}) == 1, equals
    for lower, higher in pairwise(ASCENDING):
        assert order_of(read(lower[0])) < order_of(read(higher[0])), (lower, higher)


@pytest.mark.parametrize("number", range(len(ASCENDING)))
def test_the_core_orders_them_alike(number: int) -> None:
    mine = [id_document(read(value)) for value in ASCENDING[number]]
    for place, others in enumerate(ASCENDING):
        for other in others:
            for one in mine:
                found = compare_ids(one, id_document(read(other)))
                assert (found > 0) - (found < 0) == (number > place) - (number < place), (number, other)
