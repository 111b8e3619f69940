"""What may be enqueued and what is refused before anything is written; keys that are equal where MongoDB's are.

Oracle: what MongoDB documents of `_id`, field names and paths. Cannot see: what a server does with them, which
`integration/outbox` looks at.
"""

from __future__ import annotations

import datetime as dt
import math
import uuid
from collections.abc import Callable
from typing import Any

import bson
import pytest
from bson import Binary, Decimal128, Int64, ObjectId, Regex
from hypothesis import given
from hypothesis import strategies as st

from isthmus.errors import PolyglotError
from isthmus.polyglot.outbox import delete, insert, put, update
from isthmus.polyglot.outbox.key import document_key

SAME: list[list[Any]] = [
    [5, 5.0, Int64(5), Decimal128("5"), Decimal128("5.000"), Decimal128("0.5E+1")],
    [0, -0.0, Decimal128("-0"), Decimal128("0E+10")],
    [math.nan, Decimal128("NaN"), Decimal128("sNaN")],
    [math.inf, Decimal128("Infinity")],
    [{"a": 1, "b": [2]}, {"a": 1.0, "b": [Int64(2)]}],
    [uuid.UUID(int=3), Binary(uuid.UUID(int=3).bytes, 4)],
    [dt.datetime(2026, 1, 1, tzinfo=dt.UTC), dt.datetime(2026, 1, 1, 0, 0, 0, 1)],  # noqa: DTZ001  as drivers give them
]
OTHER: list[Any] = [
    *("5", True, False, None, 0.1, Decimal128("0.1"), 2**53 + 1, float(2**53), b"5", Binary(b"5", 128)),
    *({"b": 2, "a": 1}, {"a": 1, "b": 2}, {"a": {"b": 1}}, {"ab": 1}, {"a": "b1"}, {}, "", "é", "e\u0301"),
    *(ObjectId("0123456789abcdef01234567"), "0123456789abcdef01234567", -1, Int64(-(2**63)), Decimal128("1E+6144")),
]


def test_ids_that_mongodb_takes_for_one_are_one_key_and_no_others() -> None:
    groups = [*SAME, *([one] for one in OTHER)]
    digests = [{document_key("c", one).digest for one in group} for group in groups]
    assert [len(one) for one in digests] == [1] * len(groups)
    assert len(set.union(*digests)) == len(groups)
    assert document_key("c", 5).digest != document_key("d", 5).digest
    assert document_key("ab", "c").digest != document_key("a", "bc").digest


@given(number=st.integers(-(2**53), 2**53))
def test_any_number_that_a_double_holds_is_one_key(number: int) -> None:
    assert document_key("c", number).digest == document_key("c", float(number)).digest


@pytest.mark.parametrize(
    ("collection", "document_id"),
    [
        *(("", 1), ("$x", 1), ("a\0b", 1), ("system.users", 1), ("x" * 201, 1), ("\ud800", 1)),
        *(("c", [1]), ("c", Regex("x")), ("c", {"$a": 1}), ("c", object()), ("c", 2**63), ("c", "x" * 1100)),
        *(("c", "\ud800"), ("c", {1: 2})),
    ],
)
@pytest.mark.parametrize(
    "make", [delete, lambda name, one: put(name, one, {}), lambda name, one: update(name, one, set={"a": 1})]
)
def test_keys_that_mongodb_cannot_have_are_refused(make: Callable[..., Any], collection: str, document_id: Any) -> None:
    with pytest.raises(PolyglotError) as caught:
        make(collection, document_id)
    assert (caught.value.code, caught.value.exit_code) == ("outbox-key", 1)


@pytest.mark.parametrize(
    "document",
    [
        *({"$set": 1}, {"_isthmus": 1}, {"_id": 2}, {1: 2}, {"a": object()}, {"a": 2**63}, {"a": {"b\0c": 1}}),
        *({"a": "x" * (16 << 20)}, {"a": "\ud800"}),
    ],
    ids=lambda one: str(one)[:20],
)
@pytest.mark.parametrize("make", [insert, put])
def test_documents_that_mongodb_would_refuse_each_time_are_refused(make: Any, document: Any) -> None:
    with pytest.raises(PolyglotError) as caught:
        make("c", 1, document)
    assert caught.value.code == "outbox-document"


def test_document_that_holds_itself_is_refused() -> None:
    document: dict[str, Any] = {}
    document["a"] = document
    with pytest.raises(PolyglotError) as caught:
        put("c", 1, document)
    assert caught.value.code == "outbox-document"


@pytest.mark.parametrize(
    "parts",
    [
        *({}, {"set": {}}, {"set": {"": 1}}, {"set": {"a.": 1}}, {"set": {".a": 1}}, {"set": {"a..b": 1}}),
        *({"set": {"$a": 1}}, {"set": {"a.$": 1}}, {"set": {"a.$[].b": 1}}, {"unset": ["a.$b"]}, {"set": {1: 1}}),
        *({"set": {"_id": 1}}, {"set": {"_id.a": 1}}, {"increment": {"_isthmus.v": 1}}, {"unset": ["_isthmus"]}),
        *({"set": {"a": 1}, "unset": ["a"]}, {"set": {"a": 1}, "increment": {"a.b.c": 1}}, {"set": {"a\0": 1}}),
        *({"pull": {"a.$": 1}}, {"pull": {"_id": 1}}, {"pull": {"a": 1}, "set": {"a.0": 1}}, {"pull": {"a.$each": 1}}),
        *({"where": {}}, {"set": {"$": 1}, "where": {}}, {"set": {"a.$.b.$": 1}, "where": {}}),
        *({"set": {"a.$[].b": 1}, "where": {}}, {"set": {"a.$b": 1}, "where": {}}),
    ],
    ids=str,
)
def test_paths_that_mongodb_would_refuse_each_time_are_refused(parts: dict[str, Any]) -> None:
    with pytest.raises(PolyglotError) as caught:
        update("c", 1, **parts)
    assert caught.value.code == "outbox-path"


@pytest.mark.parametrize("number", [True, "1", None, [1], math])
def test_only_numbers_are_added(number: Any) -> None:
    with pytest.raises(PolyglotError) as caught:
        update("c", 1, increment={"n": number})
    assert caught.value.code == "outbox-document"


@pytest.mark.parametrize("where", [{"_id": 2}, {"_id.a": 2}, {"_isthmus.v": 2}, {1: 2}, {"a": object()}])
def test_conditions_that_cannot_stand_beside_those_of_the_outbox_are_refused(where: Any) -> None:
    with pytest.raises(PolyglotError) as caught:
        update("c", 1, set={"a": 1}, where=where)
    assert caught.value.code == "outbox-document"


def test_an_update_has_a_condition_or_makes_the_document() -> None:
    with pytest.raises(PolyglotError) as caught:
        update("c", 1, set={"a": 1}, where={}, create=True)
    assert caught.value.code == "outbox-document"


def test_payloads_hold_what_was_given() -> None:
    assert put("c", 1, {"_id": 1.0, "a.b": {"$c": 1}}).payload == bson.encode({"a.b": {"$c": 1}})
    assert delete("c", 1).payload == b""
    given_parts = update("c", 1, set={"a.b": Int64(1)}, unset="ab", increment={"n": Decimal128("1.0")}, create=True)
    assert bson.decode(given_parts.payload) == {
        "set": {"a.b": Int64(1)},
        "unset": {"ab": True},
        "increment": {"n": Decimal128("1.0")},
        "create": True,
    }
    given_parts = update("c", 1, set={"a.$.b": 1}, pull={"l": {"$in": [1]}}, where={"$or": [{"a.b": 2}]})
    assert bson.decode(given_parts.payload) == {
        "set": {"a.$.b": 1},
        "pull": {"l": {"$in": [1]}},
        "where": {"$or": [{"a.b": 2}]},
    }
    assert bson.decode(update("c", 1, set={"a": 1}, where={}).payload) == {"set": {"a": 1}, "where": {}}
