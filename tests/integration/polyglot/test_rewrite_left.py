"""What an undo of a rewrite could not put back, and `isthmus undo` of the copy behind it.

Oracle: the documents as the test wrote them, and the rows of the target. Cannot see: ids that applications wrote where
no rewrite ever did (`isthmus refs audit`).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import psycopg
import pytest

from isthmus.state.rewrites import settle_left
from tests.fix_mongo import MongoDatabase
from tests.integration.cli.conftest import Ran, run_command
from tests.integration.copy.carrying import oid

MAPPING = """
isthmus: 1
ids: cuid2
target: {tables: existing, rerun: tracked, on_conflict: keep_target}
collections:
  "Üs'ers": {table: 'us "ers', fields: {name: text!}}
  posts: {fields: {author: {references: "Üs'ers", on_orphan: "null"}, fans: {type: "text[]", references: "Üs'ers", on_orphan: drop}}}
"""  # noqa: E501 - one line of a mapping
TABLES = """
CREATE TABLE "us ""ers" (id text PRIMARY KEY, name text NOT NULL);
CREATE TABLE posts (id text PRIMARY KEY, author text, fans text[]);
"""


class World:
    """Documents, a target with tables of its own, and the commands."""

    def __init__(self, folder: Path, mongo: MongoDatabase, target: str) -> None:
        self.folder, self.target = folder, target
        self.there: Any = mongo.client[mongo.name]
        self.source = mongo.url
        (folder / "mapping.yaml").write_text(MAPPING, encoding="utf-8")

    def run(self, *words: str, code: int = 0) -> Ran:
        source = () if words[0] == "undo" else ("-s", self.source)
        return self.on_target(*words, *source, code=code)

    def on_target(self, *words: str, code: int = 0) -> Ran:
        """Run a command that reads no documents."""
        ran = run_command(self.folder, *words, "-t", self.target, env={"COLUMNS": "80"})
        assert ran.code == code, ran.all
        return ran

    def rewrite(self, *more: str, code: int = 0) -> dict[str, int]:
        """Rewrite; return outcome → values."""
        said = json.loads(self.run("refs", "rewrite", "mapping.yaml", *more, "--json", "-", code=code).out)
        found: dict[str, int] = {}
        for collection in said["collections"].values():
            for place in collection["places"].values():
                for name, count in place.items():
                    if name not in {"leads_to", "values"}:
                        found[name] = found.get(name, 0) + count
        return found

    def undo(self, *more: str, code: int = 0) -> dict[str, int]:
        """Take the users back; return why not → how many rows."""
        words = ["undo", "mapping.yaml", "--only", "Üs'ers", *more, "--json", "-"]
        return {one["why"]: one["count"] for one in json.loads(self.run(*words, code=code).out)["in_the_way"]}

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.target, autocommit=True) as connection:
            cursor = connection.execute(query.encode())
            return cursor.fetchall() if cursor.description else []

    def id_of(self, name: str) -> str:
        ((found,),) = self.ask(f'SELECT id FROM "us ""ers" WHERE name = \'{name}\'')
        return str(found)

    def log(self) -> list[tuple[str, str | None]]:
        return self.ask("SELECT state, reason FROM isthmus.rewrite_log ORDER BY state, reason")


@pytest.fixture
def world(tmp_path: Path, mongo: MongoDatabase, database: str) -> World:
    """Three users and three posts, copied and rewritten."""
    made = World(tmp_path, mongo, database)
    mongo.write(
        {
            "Üs'ers": [{"_id": oid(n), "name": name} for n, name in enumerate(("Ann", "Ben", "Cy"), 1)],
            "posts": [
                {"_id": "one", "author": oid(1), "fans": [oid(2), oid(3)]},
                {"_id": "two", "author": oid(2)},
                {"_id": "three", "author": oid(3)},
            ],
        }
    )
    made.ask(TABLES)
    made.run("copy", "mapping.yaml")
    assert made.rewrite("--live") == {"changed": 5}
    return made


def test_what_could_not_be_put_back_is_settled_and_told_and_keeps_no_copy_from_its_undo(world: World) -> None:
    assert world.undo(code=1) == {"rewritten": 3}
    world.there["posts"].update_one({"_id": "one"}, {"$set": {"author": "somebody who is no row"}})
    world.there["posts"].delete_one({"_id": "two"})
    assert world.rewrite("--undo", code=1) == {"would_restore": 3, "left_alone": 1, "gone": 1}
    assert {state for state, _ in world.log()} == {"done"}, "without --live nothing is done"
    assert world.rewrite("--undo", "--live", code=1) == {"restored": 3, "left_alone": 1, "gone": 1}
    assert world.log() == [("gone", None), ("left", None), ("undone", None), ("undone", None), ("undone", None)]
    for how in ((), ("--live",)):
        assert world.rewrite("--undo", *how) == {"left_before": 1, "gone": 1}, "nothing is to do, and it is still told"
    assert world.there["posts"].find_one({"_id": "one"})["author"] == "somebody who is no row"
    assert world.undo() == {}
    assert world.undo("--live") == {}
    assert world.ask('SELECT count(*) FROM "us ""ers"') == [(0,)]


def test_an_id_of_a_row_that_somebody_wrote_himself_keeps_that_row_until_it_is_gone(world: World) -> None:
    cy = world.id_of("Cy")
    world.there["posts"].update_one({"_id": "two"}, {"$set": {"author": cy}})
    for _ in range(2):  # it may be another one the next time
        world.rewrite("--undo", "--live", code=1)
        assert ("left", cy) in world.log()
        assert world.undo(code=1) == {"rewritten": 1}
    assert world.there["posts"].find_one({"_id": "two"})["author"] == cy
    assert world.ask('SELECT count(*) FROM "us ""ers"') == [(3,)]
    world.there["posts"].update_one({"_id": "two"}, {"$set": {"author": oid(3)}})
    assert world.rewrite("--undo", "--live", code=1) == {"left_alone": 1}
    assert ("left", None) in world.log()
    assert world.undo("--live") == {}
    assert world.rewrite("--undo") == {"left_before": 1}


def test_a_value_that_another_line_put_back_is_no_id_that_somebody_wrote(world: World) -> None:
    world.there["posts"].update_one({"_id": "one"}, {"$pop": {"fans": -1}})  # Ben is gone, and Cy stands in his place
    assert world.rewrite("--undo", "--live", code=1) == {"restored": 4, "left_alone": 1}
    assert ("left", None) in world.log()
    assert world.there["posts"].find_one({"_id": "one"})["fans"] == [oid(3)]
    assert world.undo() == {}


def test_no_text_of_a_document_is_written_down_but_the_id_of_a_row(world: World) -> None:
    """Not for a moment either: who is killed before the end of an undo leaves none behind."""
    cy = world.id_of("Cy")
    with psycopg.connect(world.target) as connection:
        lines = [number for (number,) in connection.execute("SELECT id FROM isthmus.rewrite_log ORDER BY id")]
        texts = ["what a user 'wrote' ü", cy, None, cy.upper(), ""]
        settle_left(connection, list(zip(lines, texts, strict=True)))
    found = world.ask("SELECT reason FROM isthmus.rewrite_log WHERE state = 'left' ORDER BY id")
    assert found == [(None,), (cy,), (None,), (None,), (None,)]


def test_documents_that_are_changed_are_counted_and_not_those_looked_at(world: World) -> None:
    shown = world.run("refs", "rewrite", "mapping.yaml", "--undo", "--live").out
    assert "5 values put back in 3 documents; 3 documents looked at" in " ".join(shown.split())
    world.there["posts"].insert_one({"_id": "four", "author": None})
    for how, words in (((), "Dry run: 5 values would change"), (("--live",), "5 values rewritten")):
        shown = " ".join(world.run("refs", "rewrite", "mapping.yaml", *how).out.split())
        assert f"{words} in 3 documents; 4 documents looked at (" in shown
    shown = " ".join(world.run("refs", "rewrite", "mapping.yaml", "--live").out.split())
    assert "0 values rewritten; 4 documents looked at (" in shown
