"""`isthmus refs rewrite` as a user runs it: exit codes, what is printed, JSON, and what is never shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from bson import ObjectId

from tests.fix_dumps import write_collection
from tests.fix_mongo import MongoDatabase
from tests.fix_postgres import free_port
from tests.integration.cli.conftest import Ran, run_command
from tests.integration.copy.carrying import oid

MAPPING = """
isthmus: 1
ids: cuid2
collections:
  Üsers: {table: users, fields: {name: {type: text!, unique: true}}}
  posts:
    fields:
      title: text
      the author: {references: Üsers, on_orphan: "null"}
      patron: {references: Üsers, on_orphan: "null", sensitive: true}
      mail: {references: Üsers.name, type: text, on_orphan: "null"}
  later: {optional: later, fields: {by: {references: Üsers}}}
"""
WORD = "zqkanarienvogel"


class World:
    """A folder with a mapping, documents on a server and an empty target."""

    def __init__(self, folder: Path, mongo: MongoDatabase, target: str) -> None:
        self.folder, self.mongo, self.target = folder, mongo, target
        (folder / "mapping.yaml").write_text(MAPPING, encoding="utf-8")

    def run(self, *words: object, source: str | None = None, env: dict[str, str] | None = None) -> Ran:
        return run_command(
            self.folder, *words, "-s", source or self.mongo.url, "-t", self.target, env={"COLUMNS": "80", **(env or {})}
        )

    def rewrite(self, *more: object, source: str | None = None) -> Ran:
        return self.run("refs", "rewrite", "mapping.yaml", *more, source=source)

    def json(self, *more: object) -> tuple[int, dict[str, Any]]:
        ran = self.rewrite(*more, "--json", "-")
        return ran.code, json.loads(ran.out)

    @property
    def posts(self) -> Any:
        return self.mongo.client[self.mongo.name]["posts"]


@pytest.fixture
def world(tmp_path: Path, mongo: MongoDatabase, database: str) -> World:
    """Return two users and two posts that are copied."""
    made = World(tmp_path, mongo, database)
    mongo.write(
        {
            "Üsers": [{"_id": oid(1), "name": "Ann's"}, {"_id": oid(2), "name": "Ben"}],
            "posts": [
                {"_id": "one", "title": "a", "the author": oid(1), "patron": str(oid(2)), "mail": "Ben"},
                {"_id": "two", "title": "b", "the author": oid(2)},
            ],
        }
    )
    copied = made.run("copy", "mapping.yaml")
    assert copied.code == 0, copied.all
    return made


def test_dry_live_again_and_back(world: World) -> None:
    dry = world.rewrite()
    assert dry.code == 0
    assert "Dry run: 3 values would change in 2 documents" in dry.out
    assert "--live" in dry.out
    assert "posts mail: it is compared with name, not with an id." in " ".join(dry.out.split())
    assert "The source does not have later." in dry.out
    assert world.posts.find_one({"_id": "two"})["the author"] == oid(2)
    live = world.rewrite("--live")
    assert (live.code, "3 values rewritten in 2 documents" in live.out, "--undo" in live.out) == (0, True, True)
    assert type(world.posts.find_one({"_id": "two"})["the author"]) is str
    again = world.rewrite("--live")
    assert (again.code, "0 values rewritten" in again.out) == (0, True)
    assert "3 values would be put back" in world.rewrite("--undo").out
    assert "3 values put back" in world.rewrite("--undo", "--live").out
    assert world.posts.find_one({"_id": "one"})["patron"] == str(oid(2))


def test_the_json_of_a_run_has_every_path_and_the_first_values(world: World) -> None:
    nobody = ObjectId()
    world.posts.insert_one({"_id": "three", "the author": nobody})
    code, found = world.json("--live", "--only", "posts")
    assert code == found.pop("exit_code") == 1
    listed = {(one["id"], one["path"]): one for one in found.pop("listed")}
    assert found.pop("seconds") >= 0
    assert found == {
        "mode": "live",
        "outcome": "complete",
        "rewrite": 1,
        "resumed": False,
        "documents_changed": 2,
        "collections": {
            "posts": {
                "documents": 3,
                "places": {
                    "the author": {"leads_to": ["users"], "values": 3, "changed": 2, "unmapped": 1},
                    "patron": {"leads_to": ["users"], "values": 1, "changed": 1},
                },
            }
        },
        "left_out": [{"collection": "posts", "path": "mail", "why": "it is compared with name, not with an id"}],
        "missing": [],
    }
    assert listed["three", "the author"] == {
        "collection": "posts", "id": "three", "path": "the author", "value": str(nobody), "becomes": None,
        "outcome": "unmapped", "reason": None, "stands": None,
    }  # fmt: skip
    assert listed["two", "the author"]["becomes"] == world.posts.find_one({"_id": "two"})["the author"]


def test_a_sensitive_value_is_in_nothing_that_is_shown(world: World) -> None:
    ran = [world.rewrite("--live", "--json", "-"), world.rewrite("--undo", "--json", "-")]
    for one in ran:
        assert one.code == 0
        listed = [line for line in json.loads(one.out)["listed"] if line["path"] == "patron"]
        assert [(line["value"], line["becomes"]) for line in listed] == [("(hidden)", "(hidden)")]
    world.posts.insert_one({"_id": "three", "patron": WORD})
    assert WORD not in world.rewrite("--live", "--json", "-").all


def test_what_needs_somebody_is_listed_with_what_it_is(world: World) -> None:
    world.posts.insert_many([{"_id": f"p{n}", "the author": f"nobody {n}"} for n in range(10, 20)])
    ran = world.rewrite("--limit", "3")
    assert ran.code == 1
    assert "Unmapped: no row of what they lead to is known for them (10):" in ran.out
    assert "posts p10  the author  nobody 10" in ran.out
    assert "7 more" in ran.out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--to", "user"), 2, "Did you mean users?"),
        (("--only", "Üsers"), 2, "nothing-refers"),
    ],
)
def test_what_is_not_in_the_mapping_is_a_wrong_command_line(
    world: World, words: tuple[str, ...], code: int, said: str
) -> None:
    ran = world.rewrite(*words)
    assert (ran.code, ran.out) == (code, "")
    assert said in ran.err


def test_files_are_no_documents_that_can_be_rewritten(world: World, tmp_path: Path) -> None:
    write_collection(tmp_path / "dump" / "shop", "posts", [{"_id": 1}])
    ran = world.rewrite(source=str(tmp_path / "dump" / "shop"))
    assert (ran.code, "source-not-live" in ran.err) == (2, True)


def test_a_server_that_is_away_is_the_sources_fault_and_its_password_is_not_shown(world: World) -> None:
    away = f"mongodb://me:{WORD}@127.0.0.1:{free_port()}/app?serverSelectionTimeoutMS=300"
    ran = world.rewrite("--retry-seconds", "0", "--json", "out.json", source=away)
    assert ran.code == 3
    assert WORD not in ran.all
    found = json.loads((world.folder / "out.json").read_text(encoding="utf-8"))
    assert (found["mode"], found["outcome"], found["exit_code"]) == ("dry-run", "failed", 3)
    assert WORD not in json.dumps(found)


def test_a_target_without_a_copy_is_the_targets_fault(tmp_path: Path, mongo: MongoDatabase, database: str) -> None:
    world = World(tmp_path, mongo, database)
    mongo.write({"Üsers": [{"_id": 1, "name": "a"}], "posts": [{"_id": 1}]})
    ran = world.rewrite("--live")
    assert (ran.code, "(not-copied)" in ran.err, "isthmus copy" in ran.err) == (4, True, True)
    assert world.rewrite("--undo").code == 4
