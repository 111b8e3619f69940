"""Filters with gaps: written, read back, and which keys they leave out.

Oracle: the ranges, gone through with the order of MongoDB for each kind of key; and filters that only look like it.
"""

from __future__ import annotations

from decimal import Decimal
from itertools import permutations
from math import inf, nan
from typing import Any
from uuid import UUID

import pytest
from bson import SON, Binary, CodecOptions, Decimal128, Int64
from bson.binary import UuidRepresentation

from isthmus.errors import PolyglotError
from isthmus.polyglot.ensure.gaps import (
    LONGEST_BYTES,
    MOST_KEYS,
    Gapped,
    check_keys,
    filter_with_gaps,
    gaps_of,
    name_with_gaps,
    plain,
)

TEXT = ("$gt", "")
OPTIONS: CodecOptions[Any] = CodecOptions()
ONE, TWO = (Binary(bytes([number] * 16), 4) for number in (1, 2))


def is_in(filtered: dict[str, Any], key: str) -> bool:
    """Tell whether a filter holds for a key, in the order of texts that MongoDB has: that of their UTF-8."""
    signs = {"$gt": lambda one, other: one > other, "$lt": lambda one, other: one < other}
    return any(
        all(signs[sign](key.encode(), bound.encode()) for sign, bound in ranged["userId"].items())
        for ranged in filtered["$or"]
    )


def test_filter_leaves_out_its_keys_and_nothing_else() -> None:
    keys = ["", "a", "k'\"", "k\0", "ka", "ÿ", "\U0001f600", "\uffff"]
    left_out = ["k'\"", "ka", "\uffff"]
    filtered = filter_with_gaps("userId", TEXT, sorted(left_out, key=str.encode))
    assert [key for key in keys if not is_in(filtered, key)] == ["", *left_out]


def test_keys_in_another_order_leave_out_no_more() -> None:
    left_out = ["b", "d", "f"]
    for order in permutations(left_out):
        filtered = filter_with_gaps("userId", TEXT, order)
        assert {key for key in "abcdefg" if not is_in(filtered, key)} <= set(left_out)
        assert gaps_of("userId", TEXT, str, filtered) == order


@pytest.mark.parametrize(
    ("kind", "least", "keys"),
    [
        (str, TEXT, ("k",)),
        (str, TEXT, ("k", "l", "m'ü")),
        (UUID, ("$gte", b""), (b"a", ONE, TWO)),
        (int, ("$gte", -inf), (-5, 2.5, Int64(2**40), Decimal128("1E+30"), inf)),
    ],
)
def test_filter_is_read_back_as_servers_list_it(kind: type, least: tuple[str, Any], keys: tuple[Any, ...]) -> None:
    filtered = filter_with_gaps("owner.id", least, keys)
    listed = SON([("$or", [SON([(path, SON(bounds)) for path, bounds in one.items()]) for one in filtered["$or"]])])
    for one in (filtered, listed):
        assert gaps_of("owner.id", least, kind, one) == keys
        assert gaps_of("userId", least, kind, one) is None


WHOLE = filter_with_gaps("userId", TEXT, ["b", "d"])["$or"]


@pytest.mark.parametrize(
    "filtered",
    [
        None,
        {},
        {"userId": {"$gt": ""}},
        {"$or": []},
        {"$or": WHOLE[:1]},
        {"$or": WHOLE[:2]},
        {"$or": WHOLE[1:]},
        {"$or": [WHOLE[0], WHOLE[2]]},
        {"$or": WHOLE, "active": True},
        {"$or": [*WHOLE, {"other": 1}]},
        {"$or": [{**WHOLE[0], "active": True}, *WHOLE[1:]]},
        {"$or": [{"userId": {"$gt": "", "$lte": "b"}}, *WHOLE[1:]]},
        {"$or": [{"userId": {"$gt": "a", "$lt": "b"}}, *WHOLE[1:]]},
        {"$or": [{"other": {"$gt": "", "$lt": "b"}}, *WHOLE[1:]]},
        {"$or": ["b", "d"]},
        {"$or": {"userId": {"$gt": ""}}},
        {"$or": [{"userId": "b"}, {"userId": {"$gt": "b"}}]},
        filter_with_gaps("userId", TEXT, ["b", 5]),
        filter_with_gaps("userId", TEXT, [True]),
        filter_with_gaps("userId", TEXT, [None]),
        filter_with_gaps("userId", ("$gte", ""), ["b"]),
    ],
)
def test_filter_that_only_looks_like_it_is_none(filtered: Any) -> None:
    assert gaps_of("userId", TEXT, str, filtered) is None


@pytest.mark.parametrize("bound", [True, nan, Decimal128("NaN"), "5", None])
def test_bound_that_is_no_number_is_none_of_numbers(bound: Any) -> None:
    assert gaps_of("n", ("$gte", -inf), int, filter_with_gaps("n", ("$gte", -inf), [5, bound])) is None


def test_numbers_are_left_out_whatever_their_type() -> None:
    one = Gapped("x", (5.0, Decimal128("7"), Int64(9)))
    assert all(one.leaves_out(key) for key in (5, Int64(7), 9, Decimal128("9.0")))
    assert not any(one.leaves_out(key) for key in (4, 6, Int64(10)))
    assert Decimal128("7").to_decimal() == Decimal(7)


def test_uuids_are_the_same_however_the_collection_writes_them() -> None:
    key = UUID(int=5)
    standard: CodecOptions[Any] = CodecOptions(uuid_representation=UuidRepresentation.STANDARD)
    java: CodecOptions[Any] = CodecOptions(uuid_representation=UuidRepresentation.JAVA_LEGACY)
    assert plain(key, standard) == plain(Binary(key.bytes, 4), OPTIONS) == Binary(key.bytes, 4)
    assert plain(key, java).subtype == 3
    assert Gapped("x", (Binary(key.bytes, 4),)).leaves_out(plain(key, standard))
    assert not Gapped("x", (Binary(key.bytes, 4),)).leaves_out(plain(key, java))


def test_name_tells_keys_apart() -> None:
    names = [name_with_gaps("but_", keys) for keys in (["a"], ["b"], ["a", "b"], [Decimal128("5")], [5])]
    assert len(set(names)) == 5
    assert all(one.startswith("but_") for one in names)
    assert name_with_gaps("but_", ["a"]) == names[0]


def test_too_many_keys_and_long_ones_are_refused() -> None:
    check_keys([str(number) for number in range(MOST_KEYS)], "userId", "people")
    for keys, words in (([str(number) for number in range(MOST_KEYS + 1)], "100"), (["x" * LONGEST_BYTES], "longer")):
        with pytest.raises(PolyglotError) as error:
            check_keys(keys, "userId", "people")
        assert error.value.code == "ensure-gaps"
        assert words in error.value.message
        assert error.value.hint
