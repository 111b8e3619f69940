"""The indexes of `ensure`: made once, and everything that stands against them told with its documents.

Oracle: the indexes as the server lists them, and documents that a test put there.
"""

from __future__ import annotations

from typing import Any

import pytest
from bson import ObjectId

from isthmus.errors import PolyglotError, Problem
from isthmus.polyglot.ensure import Belonging
from tests.integration.ensure.faces import Face

BELONGING = Belonging("userId", email="e-mail ü")


def codes(found: tuple[Problem, ...]) -> list[str]:
    return [one.code for one in found]


def test_indexes_are_made_once_and_then_nothing_is_missing(face: Face) -> None:
    assert codes(face.check(BELONGING)) == ["ensure-no-index", "ensure-no-index"]
    assert face.make(BELONGING) == ["isthmus_ensure_userId", "isthmus_ensure_e-mail ü"]
    assert face.make(BELONGING) == []
    assert face.check(BELONGING) == ()
    made = {one["name"]: one for one in face.collection.list_indexes()}
    assert made["isthmus_ensure_userId"]["unique"] is True
    assert face.there() == []


def test_other_indexes_on_the_fields_are_left(face: Face) -> None:
    face.collection.create_index("userId")
    face.collection.create_index("e-mail ü", unique=True)
    assert len(face.make(BELONGING)) == 2
    assert len(list(face.collection.list_indexes())) == 5


def test_index_that_serves_is_taken_as_it_is(face: Face) -> None:
    face.collection.create_index("userId", unique=True, sparse=True)
    face.collection.insert_one({"userId": None})
    assert face.make(BELONGING) == ["isthmus_ensure_e-mail ü"]


def test_index_of_that_name_for_something_else_is_told(face: Face) -> None:
    face.collection.create_index("other", name="isthmus_ensure_userId")
    with pytest.raises(PolyglotError) as error:
        face.make(BELONGING)
    assert error.value.code == "ensure-index"
    assert "same name" in error.value.message


def test_references_that_several_documents_hold_are_listed(face: Face) -> None:
    same = [{"_id": number, "userId": "u'1"} for number in range(3)]
    ids = [ObjectId(), ObjectId()]
    free: list[dict[str, Any]] = [{}, {}, {"userId": None}, {"userId": None}, {"userId": ""}, {"userId": ""}]
    face.collection.insert_many([*same, *({"_id": one, "userId": "u2"} for one in ids), {"userId": "u3"}, *free])
    before = face.there()
    with pytest.raises(PolyglotError) as error:
        face.make(BELONGING)
    assert error.value.code == "ensure-duplicate"
    assert "userId" in error.value.message
    first, second = error.value.problems
    assert '3 documents hold "u\'1"' in first.message
    assert all(words in first.message for words in ("0", "2"))
    assert repr(ids[0]) in second.message
    assert repr(ids[1]) in second.message
    assert codes(face.check(BELONGING)) == ["ensure-no-index", "ensure-no-index", *["ensure-duplicate"] * 2]
    assert face.there() == before
    face.collection.update_many({"_id": {"$in": [0, 1, ids[0]]}}, {"$unset": {"userId": 1}})
    assert len(face.make(BELONGING)) == 2
    assert face.check(BELONGING) == ()


def test_many_duplicates_are_not_all_listed(face: Face) -> None:
    face.collection.insert_many([{"userId": f"u{number // 2:03}"} for number in range(60)])
    with pytest.raises(PolyglotError) as error:
        face.make(BELONGING)
    assert len(error.value.problems) == 21
    assert "more" in error.value.problems[-1].message


def test_emails_that_no_look_up_finds_are_listed(face: Face) -> None:
    face.make(BELONGING)
    there = {1: "   a@x", 2: " a@x ", 3: "b@x\n\n\n", 4: "   ", 5: "c@x"}
    face.collection.insert_many([{"_id": number, "e-mail ü": text} for number, text in there.items()])
    face.collection.insert_one({"_id": 6, "e-mail ü": "    d@x", "userId": "u1"})
    found = face.check(BELONGING)
    assert codes(found) == ["ensure-email-form"] * 2
    assert "1" in found[0].message
    assert "3" in found[1].message
    assert all(one.where.path == "e-mail ü" for one in found)


def test_check_without_an_email_looks_at_references_alone(face: Face) -> None:
    only = Belonging("owner.id", int)
    assert [one.where.path for one in face.check(only)] == ["owner.id"]
    face.collection.insert_many([{"owner": {"id": 5}}, {"owner": {"id": 5.0}}, {"owner": {"id": "5"}}])
    with pytest.raises(PolyglotError) as error:
        face.make(only)
    assert "2 documents" in error.value.problems[0].message
