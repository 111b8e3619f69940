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
            return cursor.fetchall() if cursor.description is not None else []

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
        assert world.undo(code=1) == {"other-id": 1}
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


def plain(ran: Ran) -> str:
    return " ".join(ran.out.split())


def test_the_id_of_another_row_is_told_with_its_documents_and_what_helps(world: World) -> None:
    """And no command is named as the next one that cannot help: neither by status nor by the undo of the copy."""
    cy, ben = world.id_of("Cy"), world.id_of("Ben")
    world.there["posts"].update_one({"_id": "two"}, {"$set": {"author": cy}})
    for how in ((), ("--live",)):
        ran = world.run("refs", "rewrite", "mapping.yaml", "--undo", *how, "--json", "told.json", code=1)
        told = json.loads((world.folder / "told.json").read_text("utf-8"))
        (other,) = [one for one in told["listed"] if one["outcome"] == "other_id"]
        assert other == {
            "collection": "posts", "id": "two", "path": "author", "value": str(oid(2)), "becomes": ben,
            "outcome": "other_id", "reason": None,
            "stands": {"id": cy, "table": 'us "ers', "documents": [f"Üs'ers {oid(3)}"]},
        }  # fmt: skip
        assert f"posts two author {oid(2)}; now {cy}, a row of us \"ers: Üs'ers {oid(3)}" in plain(ran)
        assert "run the same command with --live; it settles them. Or say --leave-ids" in plain(ran)
    status = world.on_target("status", "--json", "told.json")
    assert "1 value of posts author not put back by refs rewrite --undo: others wrote the id of another row" in plain(
        status
    )
    assert "--undo lists ids of other rows, and what helps." in plain(status)
    said = json.loads((world.folder / "told.json").read_text("utf-8"))["other_ids"]
    assert [(one["collection"], one["path"], one["count"]) for one in said] == [("posts", "author", 1)]
    shown = plain(world.run("undo", "mapping.yaml", "--only", "Üs'ers", code=1))
    assert "whose id others have put into documents of MongoDB" in shown
    assert "--undo --leave-ids --live" in shown
    assert "Put the old ids back first" not in shown


def test_a_person_says_that_such_an_id_may_stay_and_nothing_waits_for_it(world: World) -> None:
    cy = world.id_of("Cy")
    world.there["posts"].update_one({"_id": "two"}, {"$set": {"author": cy}})
    before = world.log()
    assert world.rewrite("--undo", "--leave-ids") == {"would_restore": 4, "would_leave_id": 1}
    assert world.log() == before, "without --live nothing is done"
    assert world.rewrite("--undo", "--live", code=1) == {"restored": 4, "other_id": 1}
    assert world.rewrite("--undo", "--leave-ids", "--live") == {"id_left": 1}
    assert world.ask("SELECT state, reason, left_id FROM isthmus.rewrite_log WHERE state = 'left'") == [
        ("left", None, cy)
    ]
    assert world.there["posts"].find_one({"_id": "two"})["author"] == cy
    shown = world.run("refs", "rewrite", "mapping.yaml", "--undo")
    assert f"posts two author {oid(2)}; now {cy}, a row of us" in plain(shown), "it is still told"
    assert "not put back" not in plain(world.on_target("status"))
    said = json.loads(world.run("undo", "mapping.yaml", "--only", "Üs'ers", "--json", "-").out)
    assert said["in_the_way"] == []
    (note,) = [note for note in said["notes"] if "--leave-ids" in note]
    assert 'Documents of posts hold ids of 1 row of us "ers' in note
    assert world.undo("--live") == {}
    assert world.rewrite("--undo", "--live") == {"id_left": 1}
    world.run("copy", "mapping.yaml", "--only", "Üs'ers")
    assert world.id_of("Cy") == cy, "what stayed leads to it again"


def test_an_id_that_may_stay_is_told_no_more_once_its_place_was_rewritten_again(world: World) -> None:
    world.there["posts"].update_one({"_id": "two"}, {"$set": {"author": world.id_of("Cy")}})
    world.rewrite("--undo", "--leave-ids", "--live")
    world.there["posts"].update_one({"_id": "two"}, {"$set": {"author": oid(2)}})
    assert world.rewrite("--live") == {"changed": 5}
    assert world.rewrite("--undo", "--live") == {"restored": 5}


def test_ids_may_stay_where_something_is_undone_only(world: World) -> None:
    ran = world.run("refs", "rewrite", "mapping.yaml", "--leave-ids", "--live", code=2)
    assert "--leave-ids" in ran.err
    assert "without --undo nothing is put back" in " ".join(ran.err.split())
