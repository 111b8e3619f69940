"""Which indexes serve `ensure`, as servers list them.

Oracle: a table by hand, of what MongoDB lets in with each index.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from isthmus.polyglot.ensure import Belonging
from isthmus.polyglot.ensure.filters import SIMPLE
from isthmus.polyglot.ensure.indexes import (
    Index,
    gapped_index,
    judge_indexes,
    lacks_plain,
    leaves_out,
    missing_indexes,
    needed_indexes,
    plain_index,
    superfluous,
)

TEXTS = Belonging("userId", email="email")
FULL = {"locale": "en", "strength": 2, "caseLevel": False, "caseFirst": "off", "numericOrdering": False}
FULL |= {"alternate": "non-ignorable", "maxVariable": "punct", "normalization": False, "backwards": False}
FULL |= {"version": "57.1"}


def unique(filtered: Any = None, path: str = "userId", **more: Any) -> dict[str, Any]:
    more |= {} if filtered is None else {"partialFilterExpression": {path: filtered}}
    return {"v": 2, "key": {path: 1}, "name": "x", "unique": True, **more}


def missing(belonging: Belonging, there: dict[str, Any]) -> list[str]:
    return [one.path for one in missing_indexes(belonging, True, [{"key": {"_id": 1}}, there])]


@pytest.mark.parametrize(
    ("holds", "filtered"),
    [
        (str, {"$gt": ""}),
        (str, {"$gte": ""}),
        (str, {"$type": "string"}),
        (str, {"$type": ["string", "objectId"]}),
        (str, {"$exists": True}),
        (str, None),
        (UUID, {"$gte": b""}),
        (UUID, {"$type": "binData"}),
        (int, {"$gte": float("-inf")}),
        (int, {"$type": "number"}),
    ],
)
def test_unique_indexes_that_let_no_key_in_twice(holds: Any, filtered: Any) -> None:
    one = Belonging("userId", holds)
    assert missing(one, unique(filtered)) == []
    assert missing(one, {**unique(filtered), "key": {"userId": -1}}) == []
    assert missing(one, unique(filtered, sparse=True)) == []


@pytest.mark.parametrize(
    "there",
    [
        {"key": {"userId": 1}},
        {"key": {"userId": 1}, "unique": False},
        unique(key={"userId": 1, "email": 1}),
        unique(key={"email": 1, "userId": 1}),
        unique(key={"userId": "hashed"}),
        unique(key={}),
        unique({"$gt": "m"}),
        unique({"$type": "objectId"}),
        unique({"$gt": "", "$lt": "m"}),
        unique("u1"),
        unique(partialFilterExpression={"userId": {"$gt": ""}, "active": True}),
        unique(partialFilterExpression={"active": True}),
        unique(partialFilterExpression={}),
        unique({"$gt": {"a": 1}}),
        unique({"$gte": []}),
        unique({"$type": [{}, []]}),
        unique({"$exists": [1]}),
        unique(partialFilterExpression={"$or": [{"userId": {"$gt": ""}}]}),
        unique(key={"userId": {}}),
        unique(collation=FULL),
    ],
)
def test_indexes_that_let_a_key_in_twice(there: dict[str, Any]) -> None:
    assert "userId" in missing(TEXTS, there)


def test_types_of_keys_are_told_apart() -> None:
    assert missing(Belonging("userId", int), unique({"$gt": ""})) == ["userId"]
    assert missing(Belonging("userId", UUID), unique({"$type": "string"})) == ["userId"]


@pytest.mark.parametrize(
    "there",
    [
        {"key": {"email": 1}, "collation": FULL},
        {"key": {"email": -1, "name": 1}, "unique": True, "collation": FULL},
        {"key": {"email": 1}, "collation": {"locale": "en", "strength": 2}},
        {"key": {"email": 1}, "collation": FULL, "sparse": True},
    ],
)
def test_indexes_that_find_an_email(there: dict[str, Any]) -> None:
    assert missing(TEXTS, there) == ["userId"]


@pytest.mark.parametrize(
    "there",
    [
        {"key": {"email": 1}},
        {"key": {"email": "text"}, "collation": FULL},
        {"key": {"name": 1, "email": 1}, "collation": FULL},
        {"key": {"email": 1}, "collation": {**FULL, "strength": 1}},
        {"key": {"email": 1}, "collation": {**FULL, "locale": "de"}},
        {"key": {"email": 1}, "collation": {**FULL, "caseLevel": True}},
        {"key": {"email": 1}, "collation": {**FULL, "alternate": "shifted"}},
        {"key": {"email": 1}, "collation": FULL, "hidden": True},
        {"key": {"email": 1}, "collation": FULL, "partialFilterExpression": {"userId": None}},
    ],
)
def test_indexes_that_find_no_email(there: dict[str, Any]) -> None:
    assert missing(TEXTS, there) == ["userId", "email"]


def test_emails_that_are_compared_exactly_need_a_plain_index() -> None:
    exact = Belonging("userId", email="email", normalise=("trim",))
    assert missing(exact, {"key": {"email": 1}, "unique": True}) == ["userId"]
    assert missing(exact, {"key": {"email": 1}, "collation": FULL}) == ["userId", "email"]
    assert "collation" not in needed_indexes(exact)[1].options


def test_collection_with_a_collation_of_its_own_needs_an_index_without() -> None:
    own = {"v": 2, "key": {"_id": 1}, "name": "_id_", "collation": FULL}
    exact = Belonging("userId", email="email", normalise=("trim",))
    taken_over = [own, unique({"$gt": ""}, collation=FULL), {"key": {"email": 1}, "collation": FULL}]
    assert [one.path for one in missing_indexes(TEXTS, True, taken_over)] == ["userId"]
    assert [one.path for one in missing_indexes(exact, True, taken_over)] == ["userId"]
    (made,) = missing_indexes(TEXTS, False, taken_over)
    assert made.options["collation"] == SIMPLE
    for listed in (unique({"$gt": ""}), unique({"$gt": ""}, collation={"locale": "simple"})):
        assert missing_indexes(TEXTS, False, [own, listed]) == []
        assert lacks_plain(TEXTS, [own, listed])  # by which documents are looked for
        assert not lacks_plain(TEXTS, [own, listed, {"key": {"userId": 1}, "collation": FULL}])
        assert not lacks_plain(TEXTS, [{"key": {"_id": 1}, "name": "_id_"}, listed])
    assert gapped_index(TEXTS, ["u1"], [own]).options["collation"] == SIMPLE
    assert "collation" not in gapped_index(TEXTS, ["u1"], []).options


def listed(made: Index) -> dict[str, Any]:
    return {"key": {made.path: 1}, "name": made.name, **made.options}


def test_plain_index_is_needed_beside_gaps_alone() -> None:
    but = listed(gapped_index(TEXTS, ["u1"], []))
    assert lacks_plain(TEXTS, [but])
    assert not lacks_plain(TEXTS, [but, listed(plain_index(TEXTS))])
    assert not lacks_plain(TEXTS, [but, {"key": {"userId": 1, "name": 1}}])
    assert lacks_plain(TEXTS, [but, {"key": {"userId": 1}, "hidden": True}])
    assert not lacks_plain(TEXTS, [but, unique({"$gt": ""})])


def test_index_is_superfluous_only_where_another_keeps_its_keys() -> None:
    one, other, both = (listed(gapped_index(TEXTS, keys, [])) for keys in (["u1"], ["u2"], ["u1", "u2"]))
    plain, whole = listed(plain_index(TEXTS)), unique({"$gt": ""})
    assert superfluous(TEXTS, [one, other, plain]) == []
    assert superfluous(TEXTS, [both, plain]) == []
    assert superfluous(TEXTS, [both, one, plain]) == [both["name"]]
    assert set(superfluous(TEXTS, [both, one, whole, plain])) == {both["name"], one["name"], plain["name"]}
    theirs = {**one, "name": "theirs"}
    assert superfluous(TEXTS, [theirs, whole, {"key": {"userId": 1}, "name": "userId_1"}]) == []
    own = {"key": {"_id": 1}, "name": "_id_", "collation": FULL}
    assert superfluous(TEXTS, [own, whole, plain]) == []


def test_unique_index_with_gaps_is_no_missing_one() -> None:
    but = listed(gapped_index(TEXTS, ["u1"], []))
    assert [one.where.path for one in judge_indexes(TEXTS, True, [but], "p")] == ["email"]
    for strange in ({"unique": False}, {"collation": FULL}, {"key": {"userId": 1, "a": 1}}):
        assert [one.where.path for one in judge_indexes(TEXTS, False, [{**but, **strange}], "p")] == ["userId"]
    assert leaves_out(TEXTS, [but], "u1")
    assert not leaves_out(TEXTS, [but], "u2")
    assert not leaves_out(TEXTS, [but, unique({"$gt": ""})], "u1")


def test_findings_name_field_and_remedy() -> None:
    found = judge_indexes(TEXTS, True, [], "pe'ople")
    assert [(one.code, one.where.path, one.where.collection) for one in found] == [
        ("ensure-no-index", "userId", "pe'ople"),
        ("ensure-no-index", "email", "pe'ople"),
    ]
    assert all("ensure_indexes" in (one.hint or "") for one in found)
    assert [one.where.path for one in judge_indexes(TEXTS, False, [], "p")] == ["userId"]
    assert judge_indexes(Belonging("userId"), True, [unique({"$gt": ""})], "p") == ()
