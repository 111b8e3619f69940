"""What stands in the way, in words: nothing is called clear that could not be seen.

Oracle: the facts given in each test.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import bson
import pytest
from bson import ObjectId

from isthmus.mapping import parse_mapping
from isthmus.polyglot.decommission_checks import (
    Check,
    Decommission,
    code_check,
    collections_check,
    documents_check,
    writes_check,
)
from isthmus.polyglot.decommission_copies import Copy
from isthmus.polyglot.decommission_documents import Changed, made_at
from isthmus.polyglot.decommission_writes import How, Writes
from isthmus.polyglot.named_in_code import Code, Named

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
MAPPING = parse_mapping(
    """
    isthmus: 1
    collections:
      users: {fields: {a: text}}
      posts: {fields: {a: text}}
      old: {from: legacy, optional: legacy, fields: {a: text}}
      drafts: {skip: nobody reads them}
    """
)


@pytest.mark.parametrize(
    ("how", "last", "why", "stands"),
    [
        ("oplog", {"a": NOW}, "", True),
        ("oplog", {"a": NOW}, "It reaches back to now only.", True),
        ("oplog", {}, "", False),
        ("oplog", {}, "It reaches back to now only.", None),
        ("ids", {"a": NOW}, "No oplog.", True),
        ("ids", {}, "No oplog.", None),
        (None, {}, "It did not say.", None),
    ],
)
def test_writes_are_clear_only_where_all_of_them_could_be_seen(
    how: How | None, last: dict[str, datetime], why: str, stands: bool | None
) -> None:
    check = writes_check(Writes(how, NOW, last, why), 60)
    assert check.stands is stands
    assert (why in check.details) is bool(why)


def test_collections_are_named_by_what_becomes_of_them() -> None:
    known = {"users": Copy(3, complete=True, verified=True, why_not=""), "posts": Copy(4, True, False, "it failed")}
    check = collections_check(MAPPING, ["users", "posts", "drafts", "sessions"], known)
    assert {name: one["fate"] for name, one in check.facts.items()} == {
        "users": "carried",
        "posts": "not verified",
        "drafts": "left behind",
        "sessions": "unnamed",
        "legacy": "optional",
    }
    assert check.stands
    assert check.details == ["posts: run 4 carried it, but it failed", "sessions: the mapping does not name it"]
    del known["posts"]
    assert "posts: no complete copy carried it" in collections_check(MAPPING, ["posts"], known).details
    clear = collections_check(MAPPING, ["users", "posts", "drafts"], {**known, "posts": known["users"]})
    assert (clear.stands, clear.told) == (
        False,
        "2 collections carried and verified, 1 collection left behind on purpose.",
    )
    gone = collections_check(MAPPING, ["users"], {**known, "posts": known["users"]})
    assert (gone.stands, gone.facts["posts"]["fate"]) == (False, "gone")
    assert gone.told == "2 collections carried and verified (1 of them not in MongoDB any more)."


def test_documents_say_how_they_differ() -> None:
    changed = {
        "a": Changed(documents=5, new=1, changed=2, newest_at=NOW, listed=["1", "2", "3", "4"]),
        "b": Changed(documents=7, rewritten=7),
        "c": Changed(documents=1, broken=["It broke."]),
    }
    check = documents_check(changed)
    assert check.stands
    assert check.details == [
        "a: 1 new, 2 changed, the newest made 2026-01-02 03:04:05 UTC: 1, 2, 3 …",
        "c: not read to its end (It broke.)",
    ]
    assert "13 documents" in check.told
    assert "7 differ by nothing but references that refs rewrite replaced" in check.told
    assert documents_check({"b": changed["b"]}).stands is False


def test_only_an_object_id_says_when_a_document_was_made() -> None:
    assert made_at(bson.encode({"_id": ObjectId("65f0c1a2b3c4d5e6f7a8b9c0")})) == datetime(
        2024, 3, 12, 20, 57, 6, tzinfo=UTC
    )
    assert made_at(bson.encode({"_id": "65f0c1a2b3c4d5e6f7a8b9c0"})) is None
    assert made_at(bson.encode({"_id": "xy"}).replace(b"xy", b"\xff\xfe")) is None


def test_code_that_could_not_be_read_is_not_clear() -> None:
    assert code_check(Code(), []).stands is None
    assert code_check(Code(files=2), [Path("app")]).stands is False
    unread = code_check(Code(files=2, unread=["app/a.py: Permission denied"]), [Path("app")])
    assert (unread.stands, unread.details) == (True, ["not looked at: app/a.py: Permission denied"])
    named = code_check(Code(1, [Named("app/a.py", 3, ("pymongo",), "code")]), [Path("app")])
    assert (named.stands, named.details) == (True, ["app/a.py:3: pymongo"])


def test_answer_is_clear_only_when_nothing_is_in_the_way_and_nobody_is_at_work() -> None:
    found = Decommission("source", "target", None, [Check("a", False, ""), Check("b", None, "")])
    assert found.clear
    assert found.as_json()["outcome"] == "clear"
    found.at_work = "isthmus"
    assert not found.clear
    found = Decommission("source", "target", None, [Check("a", True, "")])
    assert (found.clear, found.as_json()["in_the_way"]) == (False, ["a"])
