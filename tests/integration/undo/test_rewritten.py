"""Rows whose ids a rewrite wrote into documents of MongoDB: taken back once the old ids are put back.

Oracle: what each test itself wrote on either side. Cannot see: ids that applications keep elsewhere.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from pymongo import MongoClient

from tests.fix_mongo import MongoDatabase, database_url
from tests.integration.cli.conftest import run_command
from tests.integration.copy.carrying import oid
from tests.integration.polyglot.rewriting import Rewriting

MAPPING = """
isthmus: 1
target: {tables: existing, rerun: tracked}
ids: cuid2
collections:
  users: {fields: {name: text!}}
  posts: {fields: {title: text!, by: {references: users, on_orphan: "null"}}}
"""
TABLES = """
CREATE TABLE users (id text PRIMARY KEY, name text);
CREATE TABLE posts (id text PRIMARY KEY, title text, by text REFERENCES users);
"""


@pytest.fixture
def both(mongo_server: str, database: str) -> Iterator[Rewriting]:
    """Return users and their posts, copied, with the ids of the rows in place of the old ones."""
    name = f"t-{secrets.token_hex(4)}-ü'%"
    with MongoClient[dict[str, Any]](mongo_server) as client:
        url = database_url(mongo_server, quote(name, safe=""))
        made = Rewriting(MongoDatabase(name, url, client), database, MAPPING)
        made.mongo.write(
            {
                "users": [{"_id": oid(1), "name": "Ann"}, {"_id": oid(2), "name": "Ben"}],
                "posts": [{"_id": oid(10 + n), "title": f"p{n}", "by": oid(1 + n % 2)} for n in range(4)],
            }
        )
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute(TABLES)
        made.copy()
        assert made.rewrite().outcome == "complete"
        try:
            yield made
        finally:
            client.drop_database(name)


def undo(world: Rewriting, folder: Path, code: int) -> dict[str, Any]:
    mapping = folder / "mapping.yaml"
    mapping.write_text(MAPPING, "utf-8")
    ran = run_command(folder, "undo", mapping, "-t", world.target, "--live", "--json", "-")
    assert ran.code == code, ran.all
    said: dict[str, Any] = json.loads(ran.out)
    return said


def held(said: dict[str, Any]) -> set[tuple[str, str, int]]:
    return {(one["why"], one["table"], one["count"]) for one in said["in_the_way"]}


def test_a_value_that_somebody_changed_keeps_nothing_back_for_ever(both: Rewriting, tmp_path: Path) -> None:
    assert held(undo(both, tmp_path, 1)) == {("rewritten", "users", 2)}
    both.set("posts", oid(10), set={"by": "somebody else"})
    both.mongo.client[both.mongo.name]["posts"].delete_one({"_id": oid(11)})
    both.rewrite(undo=True)
    assert both.one("posts", oid(12))["by"] == oid(1)
    assert undo(both, tmp_path, 0)["removed"] == {"users": 2, "posts": 4}
    assert both.one("posts", oid(10))["by"] == "somebody else"


def test_the_id_of_another_row_that_somebody_wrote_there_keeps_that_row(both: Rewriting, tmp_path: Path) -> None:
    ((ann,),) = both.do("SELECT id FROM users WHERE name = 'Ann'")
    both.set("posts", oid(11), set={"by": ann})  # it was Ben's
    both.rewrite(undo=True)
    said = undo(both, tmp_path, 1)
    assert held(said) == {("other-id", "users", 1)}
    assert said["in_the_way"][0]["ids"] == [ann]
    both.set("posts", oid(11), set={"by": oid(1)})
    both.rewrite(undo=True)
    assert undo(both, tmp_path, 0)["removed"] == {"users": 2, "posts": 4}


def test_an_update_that_nobody_knows_the_end_of_keeps_the_row(both: Rewriting, tmp_path: Path) -> None:
    both.rewrite(undo=True)
    both.do(
        "UPDATE isthmus.rewrite_log SET state = 'planned', settled_at = NULL WHERE source_id = (SELECT"
        " min(source_id) FROM isthmus.rewrite_log)"
    )
    assert held(undo(both, tmp_path, 1)) == {("rewritten", "users", 1)}
    both.rewrite(undo=True)
    assert undo(both, tmp_path, 0)["outcome"] == "done"
