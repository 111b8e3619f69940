"""Shared and split collections of a server that others write to between the load and finish.

Oracle: the documents planted and the writes of the test, counted by hand.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import bson
import pytest

from tests.fix_mongo import MongoDatabase
from tests.integration.copy.carrying import World, balanced, oid
from tests.integration.copy.test_live_moved import once_at

SHARED = """
isthmus: 1
collections:
  Animals:
    from: [Cats, Dogs, Birds]
    fields: {name: text, tag: {type: text, unique: true}, toys: {child: toys, fields: {n: integer}}}
"""


@pytest.fixture
def live(world: World, mongo: MongoDatabase) -> World:
    """Return an empty target whose source is the server."""
    return replace(world, folder=cast("Any", mongo.url))


@pytest.mark.parametrize("write", ["removed", "changed", "nothing"])
def test_of_an_id_that_two_collections_share_none_stays_once_one_of_them_moved(
    live: World, mongo: MongoDatabase, write: str
) -> None:
    mongo.write(
        {
            "Cats": [{"_id": oid(1), "name": "cat", "toys": [{"n": 1}]}, {"_id": oid(3), "name": "x"}],
            "Dogs": [{"_id": oid(1), "name": "dog", "toys": [{"n": 2}]}, {"_id": oid(4), "name": "y"}],
            "Birds": [{"_id": oid(5), "name": "z"}],
        }
    )
    dogs = mongo.client[mongo.name]["Dogs"]

    def act() -> None:
        if write == "removed":
            dogs.delete_one({"_id": oid(1)})
        if write == "changed":
            dogs.update_one({"_id": oid(1)}, {"$set": {"name": "wolf"}})

    with once_at("copy.complete", act):
        result = live.copy(SHARED, workers=1)
    balanced(result)
    stays = ["cat"] if write == "nothing" else []
    assert live.column("SELECT name FROM animals ORDER BY 1") == [*stays, "x", "y", "z"]
    assert live.one("SELECT count(*) FROM toys") == len(stays)
    letters = [(one.collection, one.code) for one in live.letters()]
    if write == "nothing":
        assert letters == [("Dogs", "duplicate-id")]
    else:
        code = "original-gone" if write == "removed" else "duplicate-id"
        assert sorted(letters) == [("Cats", "duplicate-id"), ("Dogs", code)]


SPLIT = """
isthmus: 1
collections:
  Cars:
    from: Things
    when: {kind: car}
    fields: {kind: text, owner: {references: Owners, column: owner_id, on_orphan: dead_letter}}
  Boats: {from: Things, when: {kind: boat}, fields: {kind: text}}
  Owners: {fields: {}}
"""


@pytest.mark.parametrize("becomes", ["boat", "kite"])
def test_document_that_would_go_elsewhere_now_leaves_the_table_it_was_loaded_into(
    live: World, mongo: MongoDatabase, becomes: str
) -> None:
    mongo.write(
        {
            "Things": [
                {"_id": oid(1), "kind": "car", "owner": oid(100)},
                {"_id": oid(2), "kind": "car", "owner": oid(101)},
                {"_id": oid(3), "kind": "boat"},
            ],
            "Owners": [{"_id": oid(101)}],
        }
    )
    things = mongo.client[mongo.name]["Things"]
    with once_at("copy.complete", lambda: things.update_one({"_id": oid(1)}, {"$set": {"kind": becomes}})):
        result = live.copy(SPLIT, workers=1)
    balanced(result)
    assert live.one("SELECT count(*) FROM cars") == 1
    assert live.one("SELECT count(*) FROM boats") == 1
    (letter,) = live.letters()
    assert (letter.source_id, {cause["code"] for cause in letter.causes}) == (
        str(oid(1)),
        # a document that no entry takes any more is not found again, as if it were gone
        {"orphan", "original-changed" if becomes == "boat" else "original-gone"},
    )
    if becomes == "boat":
        assert bson.decode(letter.document)["kind"] == "boat"
