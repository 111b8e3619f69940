"""Documents that stand double already: an index leaves them out, keeps all others, and goes when they do.

Oracle: the documents and indexes as the server lists them, and inserts past `ensure`, which the index lets in or not.
Cannot see: a mongod older than 6.0; what it answers is put to `answer_of` as its source has it.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from bson import Binary
from pymongo import MongoClient
from pymongo.errors import DuplicateKeyError, OperationFailure

from isthmus.errors import PolyglotError, Problem
from isthmus.polyglot.ensure import Belonging, ensure_indexes
from isthmus.polyglot.ensure.server import answer_of
from tests.integration.ensure.crowd import BELONGING as CROWDED
from tests.integration.ensure.crowd import Crowd, crowd
from tests.integration.ensure.faces import Face

BELONGING = Belonging("userId", email="email")
DATABASE = "left-out-ü'%"
WHOLE, PLAIN = "isthmus_ensure_userId", "isthmus_ensure_userId_plain"


def codes(found: tuple[Problem, ...]) -> list[str]:
    return [one.code for one in found]


def names(face: Face) -> list[str]:
    return sorted(one["name"] for one in face.collection.list_indexes())


def refused(face: Face, code: str, reference: Any, belonging: Belonging = BELONGING, **how: Any) -> PolyglotError:
    with pytest.raises(PolyglotError) as error:
        face.ensure(belonging, reference, **how)
    assert error.value.code == code
    assert error.value.hint
    return error.value


def test_all_but_what_stands_double_is_found_claimed_and_created(face: Face) -> None:
    double = [{"_id": number, "userId": "u'2", "email": "b@x"} for number in (1, 2)]
    there = [*double, {"_id": 3, "email": "a@x"}, {"_id": 4, "userId": "u4"}, {"_id": 5}, {"_id": 6, "userId": ""}]
    face.collection.insert_many(there)
    made = face.make(BELONGING, leave_out="duplicates")
    assert [made[0].startswith("isthmus_ensure_userId_but_"), *made[1:]] == [True, "isthmus_ensure_email", PLAIN]
    assert face.there() == there
    assert face.make(BELONGING, leave_out="duplicates") == []
    assert codes(face.check(BELONGING)) == ["ensure-duplicate"]
    assert "1 and 2" in refused(face, "ensure-duplicate", "u'2", email="a@x", create=dict).message
    assert face.ensure(BELONGING, "u4").how == "found"
    assert face.ensure(BELONGING, "u1", email="a@x").how == "claimed"
    assert face.ensure(BELONGING, "u'", create=dict).how == "created"
    assert face.ensure(BELONGING, "u'2 ", create=dict).how == "created"
    for taken in ("u1", "u'", "u'2 ", "u4"):
        with pytest.raises(DuplicateKeyError):
            face.collection.insert_one({"userId": taken})


def test_what_stands_double_no_more_is_kept_again(face: Face) -> None:
    face.collection.insert_many([{"_id": number, "userId": f"u{number // 2}"} for number in range(6)])
    (first, *_) = face.make(BELONGING, leave_out="duplicates")
    face.collection.update_many({"_id": {"$in": [0, 1, 2]}}, {"$unset": {"userId": 1}})
    assert face.ensure(BELONGING, "u1").document == {"_id": 3, "userId": "u1"}
    ways: list[dict[str, Any]] = [{"create": dict}, {"email": "a@x"}]
    for how in ways:
        assert "none does now" in refused(face, "ensure-left-out", "u0", **how).message
    assert face.ensure(BELONGING, "u0").how == "none"
    found = face.check(BELONGING)
    assert codes(found) == ["ensure-duplicate", "ensure-left-out", "ensure-left-out"]
    assert [word in one.message for one, word in zip(found, ("'u2'", "'u0'", "'u1'"), strict=True)] == [True] * 3

    (second,) = face.make(BELONGING, leave_out="duplicates")
    assert second.startswith("isthmus_ensure_userId_but_")
    assert names(face) == sorted(["_id_", second, PLAIN, "isthmus_ensure_email"])
    assert first != second
    assert face.ensure(BELONGING, "u0", create=lambda: {"_id": "new"}).how == "created"
    assert codes(face.check(BELONGING)) == ["ensure-duplicate"]

    face.collection.delete_one({"_id": 5})
    assert face.make(BELONGING) == [WHOLE]
    assert names(face) == sorted(["_id_", WHOLE, "isthmus_ensure_email"])
    assert face.check(BELONGING) == ()
    assert face.ensure(BELONGING, "u2").how == "found"


def test_without_leave_out_the_index_with_gaps_stays(face: Face) -> None:
    face.collection.insert_many([{"_id": 1, "userId": "u1"}, {"_id": 2, "userId": "u1"}])
    face.make(BELONGING, leave_out="duplicates")
    before = names(face)
    with pytest.raises(PolyglotError) as error:
        face.make(BELONGING)
    assert error.value.code == "ensure-duplicate"
    assert len(error.value.problems) == 1
    assert "leave_out" in (error.value.hint or "")
    assert names(face) == before


def test_nothing_stands_double_and_the_index_leaves_nothing_out(face: Face) -> None:
    face.collection.insert_many([{"userId": "u1"}, {"userId": None}, {}])
    assert face.make(BELONGING, leave_out="duplicates") == [WHOLE, "isthmus_ensure_email"]


@pytest.mark.parametrize(
    ("holds", "double", "others"),
    [
        (UUID, [UUID(int=5), UUID(int=9)], [UUID(int=1), UUID(int=7), UUID(int=2**128 - 1)]),
        (int, [-5, 2**40], [-(2**62), 0, 2**62]),
        (str, ["ann", "z\U0001f600", "Ann", "a'\"n"], ["", "an", "ANN", "ann ", "z", "\uffff", "ännchen"]),
    ],
)
def test_keys_of_every_type_are_left_out(face: Face, holds: Any, double: list[Any], others: list[Any]) -> None:
    belonging = Belonging("of.id", holds)
    stored = [Binary.from_uuid(one) if holds is UUID else one for one in double]
    face.collection.insert_many([{"of": {"id": one}} for one in stored * 2])
    face.make(belonging, leave_out="duplicates")
    for one in filter(lambda key: key != "", others):
        assert face.ensure(belonging, one, create=dict).how == "created"
        assert face.ensure(belonging, one, create=dict).how == "found"
    for one in double:
        refused(face, "ensure-duplicate", one, belonging, create=dict)
    face.collection.delete_many({"of.id": stored[0]})
    refused(face, "ensure-left-out", double[0], belonging, create=dict)
    face.make(belonging, leave_out="duplicates")
    assert face.ensure(belonging, double[0], create=dict).how == "created"
    refused(face, "ensure-duplicate", double[1], belonging, create=dict)


def test_numbers_that_are_one_in_other_types_are_left_out_together(sync: Face) -> None:
    belonging = Belonging("n", int)
    sync.collection.insert_many([{"n": 5}, {"n": 5.0}])
    sync.make(belonging, leave_out="duplicates")
    sync.collection.delete_many({})
    refused(sync, "ensure-left-out", 5, belonging, create=dict)


def test_keys_that_stand_double_in_arrays_are_left_out(sync: Face) -> None:
    there = [{"_id": 1, "userId": ["u1", "u2"]}, {"_id": 2, "userId": "u1"}, {"_id": 3, "userId": ["u3", "u3"]}]
    sync.collection.insert_many(there)
    with pytest.raises(PolyglotError) as error:
        sync.make(BELONGING)
    assert ["'u1'" in one.message for one in error.value.problems] == [True]
    sync.make(BELONGING, leave_out="duplicates")
    refused(sync, "ensure-duplicate", "u1", create=dict)
    assert sync.ensure(BELONGING, "u4", create=dict).how == "created"


def test_more_than_anybody_should_leave_out_are_refused(sync: Face) -> None:
    sync.collection.insert_many([{"userId": f"u{number // 2:03}"} for number in range(202)])
    with pytest.raises(PolyglotError) as error:
        sync.make(BELONGING, leave_out="duplicates")
    assert error.value.code == "ensure-gaps"
    assert names(sync) == ["_id_"]
    sync.collection.delete_one({"userId": "u000"})
    assert len(sync.make(BELONGING, leave_out="duplicates")) == 3
    refused(sync, "ensure-duplicate", "u100", create=dict)


def test_other_word_than_duplicates_is_refused(face: Face) -> None:
    for word in ("all", "", True, ["duplicates"]):
        with pytest.raises(PolyglotError) as error:
            face.make(BELONGING, leave_out=word)
        assert error.value.code == "ensure-gaps"
    assert names(face) == []


def test_server_without_such_indexes_is_told_from_other_refusals(sync: Face) -> None:
    words = "unsupported expression in partial index: $or"
    old = OperationFailure(words, 67, {"errmsg": words, "code": 67, "codeName": "CannotCreateIndex"})
    with pytest.raises(PolyglotError) as error:
        answer_of(old, sync.collection.database.client, "people")
    assert error.value.code == "ensure-gaps"
    assert "6.0" in (error.value.hint or "")
    other = OperationFailure("too many indexes", 67, {"errmsg": "too many indexes", "code": 67})
    with pytest.raises(PolyglotError) as error:
        answer_of(other, sync.collection.database.client, "people")
    assert error.value.code == "ensure-refused"


@pytest.fixture(scope="module")
def people(mongo_server: str) -> Iterator[tuple[Crowd, Any]]:
    """Processes that are ready, and the database that they write to."""
    with MongoClient[dict[str, Any]](mongo_server) as client, crowd(mongo_server, DATABASE) as processes:
        client.drop_database(DATABASE)
        yield processes, client[DATABASE]
        client.drop_database(DATABASE)


def test_one_document_for_each_row_beside_those_that_stand_double(people: tuple[Crowd, Any]) -> None:
    crowded, database = people
    collection = database["beside"]
    double = [{"_id": number, "userId": f"u{number // 2 * 3}"} for number in range(4)]
    collection.insert_many([*double, {"_id": "it", "contact": {"email": "ann@x"}}])
    ensure_indexes(collection, CROWDED, leave_out="duplicates")
    collection.delete_many({"userId": "u3"})
    calls = [
        {"reference": f"u{number % 4}", "email": "ann@x" if number % 4 == 1 else None, "creates": True}
        for number in range(crowded.size)
    ]
    came = crowded.round("beside", calls)
    of = {name: Counter(one.how for one in came if one.reference == name) for name in ("u0", "u1", "u2", "u3")}
    assert set(of["u0"]) == {"ensure-duplicate"}
    assert set(of["u3"]) == {"ensure-left-out"}
    assert of["u1"]["claimed"] == of["u2"]["created"] == 1
    assert {*of["u1"], *of["u2"]} == {"claimed", "created", "found"}
    assert Counter(one["userId"] for one in collection.find()) == {"u0": 2, "u1": 1, "u2": 1}


def test_row_has_one_document_at_most_while_indexes_are_made_anew(people: tuple[Crowd, Any]) -> None:
    """A person takes references out of documents, and the indexes are made again and again, as the rows are ensured."""
    crowded, database = people
    for number in range(2):
        name = f"anew {number}"
        collection = database[name]
        collection.insert_many([{"_id": f"{row} {of}", "userId": f"u{row}"} for row in range(4) for of in range(2)])
        ensure_indexes(collection, CROWDED, leave_out="duplicates")
        collection.update_many({"_id": {"$in": ["0 0", "0 1", "1 0", "1 1", "2 0"]}}, {"$unset": {"userId": 1}})
        ended, faults = threading.Event(), list[BaseException]()

        def remake(at: Any = collection, until: threading.Event = ended, told: list[BaseException] = faults) -> None:
            while not until.is_set():
                try:
                    ensure_indexes(at, CROWDED, leave_out="duplicates")
                except PolyglotError as fault:
                    told.append(fault)

        makers = [threading.Thread(target=remake) for _ in range(2)]
        for one in makers:
            one.start()
        calls = [{"reference": f"u{call % 6}", "email": None, "creates": True} for call in range(crowded.size)]
        came = [one for _ in range(3) for one in crowded.round(name, calls)]
        ended.set()
        for one in makers:
            one.join()
        assert faults == []
        held = Counter(one["userId"] for one in collection.find({"userId": {"$gt": ""}}))
        assert held == {"u0": 1, "u1": 1, "u2": 1, "u3": 2, "u4": 1, "u5": 1}
        assert {one.how for one in came} <= {"created", "found", "ensure-duplicate", "ensure-left-out"}
        assert {one.how for one in came if one.reference == "u3"} == {"ensure-duplicate"}
        for row in ("u0", "u1", "u4", "u5"):
            assert sum(one.how == "created" for one in came if one.reference == row) == 1
