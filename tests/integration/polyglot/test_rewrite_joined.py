"""Documents that were joined into others, acknowledged, and rewritten: the word holds while nothing else changes.

Oracle: what the test wrote into the documents. Cannot see: a purge of the log (there is none).
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.fix_mongo import MongoDatabase
from tests.integration.copy.carrying import oid
from tests.integration.polyglot.test_rewrite_left import World

MAPPING = """
isthmus: 1
ids: cuid2
target: {tables: existing, rerun: tracked, on_conflict: keep_target}
collections:
  users: {fields: {name: text!}}
  "Pos'ts":
    table: posts
    on_duplicate: merge
    fields:
      mail: {type: text!, unique: true}
      title: text
      author: {references: users, on_orphan: "null"}
"""
TABLES = """
CREATE TABLE users (id text PRIMARY KEY, name text NOT NULL);
CREATE TABLE posts (id text PRIMARY KEY, mail text NOT NULL UNIQUE, title text, author text)
"""


@pytest.fixture
def world(tmp_path: Path, mongo: MongoDatabase, database: str) -> World:
    """Three posts of one mail, two of them joined into the first, and the words about these."""
    made = World(tmp_path, mongo, database)
    (tmp_path / "mapping.yaml").write_text(MAPPING, encoding="utf-8")
    mongo.write(
        {
            "users": [{"_id": oid(n), "name": str(n)} for n in (1, 2)],
            "Pos'ts": [
                {"_id": "a", "mail": "x", "title": "of a", "author": oid(2)},
                {"_id": "b", "mail": "x", "title": "of b", "author": oid(2), "more": {"ü": [1]}},
                {"_id": "c", "mail": "x", "title": "of c", "author": oid(1)},
            ],
        }
    )
    made.ask(TABLES)
    made.run("copy", "mapping.yaml")
    assert open_conflicts(made) == ["of b", "of c"]
    conflicts(made, "acknowledge", "--all", "--reason", "they are one")
    assert open_conflicts(made) == []
    return made


def conflicts(world: World, *words: str) -> str:
    return world.on_target("conflicts", *words).out


def open_conflicts(world: World) -> list[str]:
    """The titles of documents whose conflicts are open."""
    found = json.loads(conflicts(world, "list", "--open", "--json", "-"))["conflicts"]
    return sorted(one["differing"]["title"]["source"] for one in found)


def test_a_joined_document_stays_acknowledged_behind_a_rewrite_and_its_undoing(world: World) -> None:
    """But for one of which that very reference differs: what differs is told otherwise then, so it is open again."""
    assert world.rewrite("--live") == {"changed": 3}
    assert open_conflicts(world) == []
    world.run("copy", "mapping.yaml")
    assert open_conflicts(world) == ["of c"]
    assert world.rewrite("--undo", "--live") == {"restored": 3}
    assert open_conflicts(world) == ["of c"], "the run read rewritten documents"
    world.run("copy", "mapping.yaml")
    assert open_conflicts(world) == []


def test_a_joined_document_that_changes_otherwise_is_open_again(world: World) -> None:
    world.rewrite("--live")
    world.there["Pos'ts"].update_one({"_id": "b"}, {"$set": {"more.ü": [2]}})
    world.run("copy", "mapping.yaml")
    assert open_conflicts(world) == ["of b", "of c"]
