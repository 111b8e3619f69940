"""Many processes that ensure at one instant: one document for each row, one winner, and everybody is told.

Oracle: the documents that are there afterwards, counted by the test, against what the callers were told. Cannot see:
an election of a replica set between two of them, which majority reads and writes are there against.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from pymongo import MongoClient

from isthmus.polyglot.ensure import ensure_indexes
from tests.integration.ensure.crowd import BELONGING, Crowd, crowd

DATABASE = "together-ü'%"
EMAIL = "ann@x.org"


@pytest.fixture(scope="module")
def people(mongo_server: str) -> Iterator[tuple[Crowd, Any]]:
    """Processes that are ready, and the database that they write to."""
    with MongoClient[dict[str, Any]](mongo_server) as client, crowd(mongo_server, DATABASE) as processes:
        client.drop_database(DATABASE)
        yield processes, client[DATABASE]
        client.drop_database(DATABASE)


def calls(crowd: Crowd, *, one_row: bool, email: str | None = EMAIL, creates: bool) -> list[dict[str, Any]]:
    return [
        {"reference": "u1" if one_row else f"u{number}", "email": email, "creates": creates}
        for number in range(crowd.size)
    ]


def prepared(database: Any, name: str, *documents: dict[str, Any]) -> Any:
    collection = database[name]
    ensure_indexes(collection, BELONGING)
    if documents:
        collection.insert_many(list(documents))
    return collection


@pytest.mark.parametrize("creates", [False, True])
@pytest.mark.parametrize("left", [{}, {"userId": None}, {"userId": ""}])
def test_many_rows_claim_one_document(people: tuple[Crowd, Any], left: dict[str, Any], *, creates: bool) -> None:
    crowd, database = people
    name = f"claim's {len(left)}{left.get('userId')}{creates}"
    collection = prepared(database, name, {"_id": "it", "contact": {"email": "Ann@X.org "}, **left})
    came = crowd.round(name, calls(crowd, one_row=False, creates=creates))
    assert Counter(one.how for one in came) == {"claimed": 1, "taken": crowd.size - 1}
    (winner,) = [one for one in came if one.how == "claimed"]
    assert winner.document == "it"
    assert all(one.others == ("it",) for one in came if one.how == "taken")
    (there,) = collection.find()
    assert there == {"_id": "it", "contact": {"email": "Ann@X.org "}, "userId": winner.reference}
    again = crowd.round(name, [{"reference": winner.reference, "email": None, "creates": True}] * 4)
    assert [(one.how, one.document) for one in again] == [("found", "it")] * 4


def test_many_calls_for_one_row_claim_one_document(people: tuple[Crowd, Any]) -> None:
    crowd, database = people
    collection = prepared(database, "one row", {"_id": "it", "contact": {"email": EMAIL}})
    came = crowd.round("one row", calls(crowd, one_row=True, creates=True))
    assert Counter(one.how for one in came) == {"claimed": 1, "found": crowd.size - 1}
    assert {one.document for one in came} == {"it"}
    assert collection.count_documents({}) == 1


@pytest.mark.parametrize("email", [None, EMAIL])
def test_many_calls_for_one_row_create_one_document(people: tuple[Crowd, Any], email: str | None) -> None:
    crowd, database = people
    name = f"create {email}"
    collection = prepared(database, name)
    came = crowd.round(name, calls(crowd, one_row=True, email=email, creates=True))
    assert Counter(one.how for one in came) == {"created": 1, "found": crowd.size - 1}
    (there,) = collection.find()
    assert {one.document for one in came} == {str(there["_id"])}
    assert (there["userId"], there["contact"]) == ("u1", {"email": email})


def test_many_rows_create_a_document_each(people: tuple[Crowd, Any]) -> None:
    crowd, database = people
    collection = prepared(database, "each")
    came = crowd.round("each", calls(crowd, one_row=False, email=None, creates=True))
    assert {one.how for one in came} == {"created"}
    assert {one["userId"] for one in collection.find()} == {one.reference for one in came}
    assert collection.count_documents({}) == crowd.size


def test_claim_and_creation_for_one_row_come_to_one_document(people: tuple[Crowd, Any]) -> None:
    crowd, database = people
    for number in range(3):
        name = f"both {number}"
        collection = prepared(database, name, {"_id": "it", "contact": {"email": EMAIL}})
        both = calls(crowd, one_row=True, creates=True)
        for one in both[::2]:
            one["email"] = None
        came = crowd.round(name, both)
        told = Counter(one.how for one in came)
        assert told["claimed"] + told["created"] == 1
        assert told["found"] == crowd.size - 1
        held = list(collection.find({"userId": "u1"}))
        assert len(held) == 1
        assert {one.document for one in came} == {str(held[0]["_id"])}


def test_two_unclaimed_documents_are_left_to_a_person(people: tuple[Crowd, Any]) -> None:
    crowd, database = people
    there = [{"_id": "a", "contact": {"email": EMAIL}}, {"_id": "b", "contact": {"email": "ANN@x.org"}, "userId": None}]
    collection = prepared(database, "two", *there)
    came = crowd.round("two", calls(crowd, one_row=False, creates=True))
    assert {one.how for one in came} == {"ambiguous"}
    assert {frozenset(one.others) for one in came} == {frozenset({"a", "b"})}
    assert list(collection.find(sort=[("_id", 1)])) == there
