"""What the second phase leaves in MongoDB: documents that point at users of PostgreSQL, and nothing else changed.

Oracle: the same documents, generated once more into a dump, and which row each person has. Cannot see: applications
that write meanwhile (`tests/integration/polyglot/test_rewrite_writers.py`), documents that nobody generates.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bson
import pytest
from bson import ObjectId
from pymongo import MongoClient

from tests.apps.panamia.conftest import Moved, Served
from tests.apps.panamia.dump import Made

pytestmark = pytest.mark.slow

PLACES = {
    "nextauth_accounts": ["userId"],
    "notifications": ["actor", "target"],
    "articles": ["authorId", "coAuthors.userId", "reviewedBy.userId", "removedBy"],
    "profiles": ["userId", "verification.verifiedBy"],
    "mentorSessions": ["mentorUserId", "menteeUserId"],
    "mentorsessions": ["mentorUserId", "menteeUserId"],
    "followers": ["followerId", "userId"],
    "userlists": ["user_id"],
    "emailmigrations": ["userId"],
    "images": ["userId"],
}
"""Where documents name users; read from the facts, not from the mapping."""


def test_documents_point_at_the_rows_of_persons_and_nothing_else_changes(
    moved_from_dump: Moved, moved_on_server: Served
) -> None:
    before = Made(Path(moved_from_dump.source)).documents
    after = {
        name: {one["_id"]: bson.decode(one.raw) for one in documents}
        for name, (documents, _) in moved_on_server.stages[2].documents.items()
    }
    changed: Counter[str] = Counter()

    def row(value: object) -> object:
        old = str(value) if isinstance(value, ObjectId | str) else ""
        found = moved_on_server.row_of("users", old) or moved_on_server.row_of("nextauth_users", old)
        changed[name] += found is not None
        return found or value

    for name, documents in before.items():
        for document in documents:
            for place in PLACES.get(name, ()):
                _replace(document, place.split("."), row)
        assert {one["_id"]: one for one in documents} == after[name], name
    assert {name for name in changed if changed[name]} == PLACES.keys() - {"mentorsessions"}, (
        "these know addresses only"
    )
    assert sum(changed.values()) > 3_000


def _replace(there: Any, path: list[str], becomes: Callable[[object], object]) -> None:
    if isinstance(there, list):
        for one in there:  # pyright: ignore[reportUnknownVariableType]
            _replace(one, path, becomes)
    elif isinstance(there, dict) and path[0] in there:
        if path[1:]:
            _replace(there[path[0]], path[1:], becomes)
        else:
            there[path[0]] = becomes(there[path[0]])


def test_what_could_not_be_mapped_is_an_item_with_document_and_place(at_phase: Callable[[int], Served]) -> None:
    served = at_phase(2)
    page = json.loads(served.phase("status", "--json").said)["phases"][1]
    refused = served.copies[2].result["collections"].values()
    unmapped = sum(place.get("unmapped", 0) for one in refused for place in one["places"].values())
    assert (page["word"], page["items"], page["open"]) == ("done", unmapped, 0)
    keys = [
        line.split()[1] for line in served.phase("items", "2", "--all").said.splitlines() if line[:9] == "reference"
    ]
    assert len(set(keys)) == unmapped > 20
    listed = {
        f"{one['collection']}/{one['id']}/{one['path']}/unmapped"
        for one in served.copies[2].result["listed"]
        if one["outcome"] == "unmapped"
    }
    assert set(keys) == listed


def test_what_applications_write_with_ids_of_nobody_is_seen_by_verify_and_becomes_an_item(
    at_phase: Callable[[int], Served],
) -> None:
    served, nobody = at_phase(2), ObjectId()
    with MongoClient[dict[str, Any]](served.source) as client:
        there = client.get_default_database()
        new = there["images"].insert_one({"userId": nobody, "url": "https://example.org/new"}).inserted_id
        ran = served.phase("verify", "2")
        key = f"images/{new}/userId/unmapped"
        assert (ran.code, key in ran.said) == (1, True), ran.said
        assert "run 2" in ran.said
        assert served.words()[2] == "verify failed"
        assert served.phase("run", "2").code == 1
        ran = served.phase("items", "2")
        assert (ran.code, key in ran.said, "1 items, 1 of them open" in ran.said) == (1, True, True), ran.said
        assert served.phase("verify", "2").code == 0, "it is known, and waits for somebody"
        assert served.phase("run", "3").code == 5
        assert served.phase("acknowledge", "2", key, "--reason", "nobody's").code == 0
        assert served.words()[2] == "done"
        assert served.phase("verify", "2").code == 0
        there["images"].delete_one({"_id": new})
    assert served.phase("run", "2").code == 1
    assert key not in served.phase("items", "2", "--all").said, "what is gone is no item any more"


def test_an_application_that_writes_an_old_id_again_is_seen_by_verify(at_phase: Callable[[int], Served]) -> None:
    served = at_phase(2)
    assert served.phase("verify", "2").code == 0
    with MongoClient[dict[str, Any]](served.source) as client:
        there = client.get_default_database()
        user = there["users"].find_one({"email": {"$in": [one["key"] for one in served.lines("people")]}})
        assert user is not None
        there["images"].update_one({}, {"$set": {"userId": user["_id"]}})
    assert served.phase("verify", "2").code == 1
    page = json.loads(served.phase("status", "--json").said)
    assert (page["phases"][1]["word"], page["next"]) == ("verify failed", "run 2")
    assert served.phase("run", "3").code == 5
    assert served.phase("run", "2").code in {0, 1}
    assert served.phase("verify", "2").code == 0
