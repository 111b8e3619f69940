"""A collection of a mapping, whose documents become rows with columns, is switched over by the engine, and back.

Oracle: rows by name; what a test itself changed on either side. Cannot see: a conversion that both of the engine's
conversions misread, which is its own tests' to see.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pymongo.monitoring
import pytest
from bson import ObjectId
from pymongo import MongoClient

from isthmus.cli.switch.moving import Asked, move
from isthmus.connect import mongo as connecting
from isthmus.connect.mongo import MongoServer
from tests.fix_mongo import MongoDatabase
from tests.integration.cli.conftest import run_command
from tests.integration.switch.test_switch_command import Command
from tests.integration.switch.world import World, made_table

PEOPLE = "pe'ople \"x"
MAPPING = """
isthmus: 1
target: {tables: existing, rerun: tracked}
ids: uuid
collections:
  users:
    table: users
    fields: {email: text!}
  "pe'ople \\"x":
    table: people
    fields:
      userId: {column: user_id, references: users}
      bio: text
      steps: {child: steps, fields: {name: text!}}
"""
TABLES = (
    "CREATE TABLE users (id uuid PRIMARY KEY, email text NOT NULL);"
    "CREATE TABLE people (id uuid PRIMARY KEY, user_id uuid REFERENCES users, bio text);"
    'CREATE TABLE steps (people_id uuid, "position" integer, name text NOT NULL, PRIMARY KEY (people_id, "position"))'
)


@pytest.fixture
def command(tmp_path: Path, database: str, mongo: MongoDatabase) -> Command:
    world = World(database, mongo.url, mongo.client[mongo.name])
    (tmp_path / "m.yaml").write_text(MAPPING, encoding="utf-8")
    return Command(tmp_path, world)


@pytest.mark.slow  # the engine copies and verifies eight times
def test_there_and_back_with_columns(command: Command) -> None:
    world, people = command.world, command.world.documents[PEOPLE]
    user = ObjectId()
    world.documents["users"].insert_one({"_id": user, "email": "a@x.org"})
    people.insert_many(
        [{"_id": ObjectId(), "userId": user, "bio": f"b{one}", "steps": [{"name": "s"}]} for one in range(4)]
    )
    with_mapping = ("-m", "m.yaml")
    ran = command.run("run", "nobody", *with_mapping)
    assert (ran.code, "(switch-unknown)" in ran.err) == (2, True), ran.err
    assert command.run("prepare", "nobody").code == 0
    ran = command.run("run", "nobody", *with_mapping)
    assert (ran.code, "(switch-mapping)" in ran.err) == (2, True), ran.err
    ran = command.run("run", PEOPLE, *with_mapping)
    assert ran.code == 4, "the tables are not there"
    assert world.do("SELECT frozen_at IS NULL FROM isthmus.switch WHERE collection = %s", PEOPLE) == [(True,)]
    world.do(TABLES)
    assert run_command(command.folder, "copy", "m.yaml", env={**command.env, "DATABASE_URL": world.conninfo}).code == 0
    people.update_one({"bio": "b1"}, {"$set": {"bio": "changed"}})
    people.insert_one({"bio": "later"})
    code, found = command.json("run", PEOPLE, *with_mapping)
    assert (code, found["outcome"], found["counts"]["verified"]) == (0, "switched", 5), found
    assert found["counts"]["ahead"] == 2
    rows = [row[0] for row in world.do("SELECT bio FROM people ORDER BY 1")]
    assert rows == ["b0", "b2", "b3", "changed", "later"]
    world.do("UPDATE steps SET name = 'written since' WHERE people_id = (SELECT min(people_id::text)::uuid FROM steps)")
    ran = command.run("back", PEOPLE, *with_mapping)
    assert (ran.code, "(switch-back-written)" in ran.err, "Rows of steps" in ran.err) == (1, True, True), ran.err
    assert world.do("SELECT frozen_at IS NULL, home FROM isthmus.switch WHERE collection = %s", PEOPLE) == [
        (True, "postgres")
    ]
    world.do("UPDATE steps SET name = 's'")
    world.documents["users"].update_one({"_id": user}, {"$set": {"email": "new@x.org"}})  # of another collection
    written = [{"q": {"bio": "b0"}, "u": {"$set": {"bio": "past the fence"}}}]
    world.documents.command({"update": PEOPLE, "updates": written, "bypassDocumentValidation": True})
    ran = command.run("back", PEOPLE, *with_mapping)
    assert (ran.code, "(switch-differs)" in ran.err) == (1, True), ran.err
    restored = [{"q": {"bio": "past the fence"}, "u": {"$set": {"bio": "b0"}}}]
    world.documents.command({"update": PEOPLE, "updates": restored, "bypassDocumentValidation": True})
    code, found = command.json("back", PEOPLE, *with_mapping)
    assert (code, found["outcome"], found["fence"], found["counts"]["verified"]) == (0, "switched", "lowered", 5), found
    people.delete_one({"bio": "b2"})
    ran = command.run("run", PEOPLE, *with_mapping)
    assert (ran.code, "(switch-not-carried)" in ran.err, "1 rows whose document is gone" in ran.err) == (1, True, True)
    assert "nobody writes" not in ran.err, "before anybody was kept waiting"
    world.do("DELETE FROM steps WHERE people_id = (SELECT id FROM people WHERE bio = 'b2')")
    world.do("DELETE FROM people WHERE bio = 'b2'")
    world.do("UPDATE people SET bio = 'edited too early' WHERE bio = 'b3'")
    ran = command.run("run", PEOPLE, *with_mapping)
    assert (ran.code, "1 rows that were changed in PostgreSQL" in " ".join(ran.err.split())) == (1, True), ran.err
    world.do("UPDATE people SET bio = 'b3' WHERE bio = 'edited too early'")
    assert command.run("run", PEOPLE, *with_mapping).code == 0


def filled(command: Command, **options: Any) -> None:
    """Make the tables, and put people into MongoDB."""
    command.world.do(TABLES)
    command.world.documents.create_collection(PEOPLE, **options)
    command.world.documents[PEOPLE].insert_many([{"_id": ObjectId(), "bio": f"b{one}"} for one in range(3)])
    assert command.run("prepare", PEOPLE).code == 0


class Seen(pymongo.monitoring.CommandListener):
    """The walks through a collection, each with how it is asked for, and when the server has changed the fence."""

    def __init__(self) -> None:
        self.walks: list[dict[str, Any]] = []
        self.fenced_at: Any = None

    def started(self, event: pymongo.monitoring.CommandStartedEvent) -> None:
        if event.command.get("find") == PEOPLE and event.command.get("limit") != 1:
            self.walks.append(dict(event.command))

    def succeeded(self, event: pymongo.monitoring.CommandSucceededEvent) -> None:
        if event.command_name == "collMod":
            self.fenced_at = event.reply["operationTime"]

    def failed(self, event: pymongo.monitoring.CommandFailedEvent) -> None:
        pass


@pytest.mark.parametrize("way", ["mapping", "table"])
@pytest.mark.parametrize("goal", ["postgres", "mongodb"])
def test_all_is_read_from_the_primary_and_nothing_acknowledged_is_missed(
    command: Command, goal: Any, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the address says. The wire server is alone: what is asked for is seen, not that others lag behind."""
    world, seen = command.world, Seen()
    filled(command)
    world.do(made_table("documents").decode())
    table, mapping = (None, command.folder / "m.yaml") if way == "mapping" else ("documents", None)
    if goal == "mongodb":
        assert command.run("run", PEOPLE, f"--{way}", mapping or table).code == 0
    url = f"{world.url}{'&' if '?' in world.url else '?'}readPreference=secondaryPreferred"

    def opened(text: str, **_: object) -> MongoServer:
        client = MongoClient[dict[str, Any]](text, event_listeners=[seen])
        return MongoServer(client, world.documents.name, "here", ())

    monkeypatch.setattr(connecting, "open_server", opened)
    asked = Asked(PEOPLE, url, world.conninfo, None, table, mapping, None, 10.0, replaced=False, json_file=None)
    assert move(asked, goal) == 0
    assert seen.walks
    assert not [one for one in seen.walks if "$readPreference" in one]
    asked_for = [one["readConcern"] for one in seen.walks]
    assert {one["level"] for one in asked_for} == {"majority"}
    assert asked_for[-1]["afterClusterTime"] >= seen.fenced_at


def test_dead_letters_stop_the_switch_until_somebody_has_looked_at_them(command: Command) -> None:
    world, people = command.world, command.world.documents[PEOPLE]
    filled(command)
    left = people.insert_one({"bio": "stays behind", "steps": [{"name": "s"}, {"nam": "zqkanarienvogel"}]}).inserted_id
    env = {**command.env, "DATABASE_URL": world.conninfo}
    ran = command.run("run", PEOPLE, "-m", "m.yaml", "--json", "said.json")
    words = " ".join(ran.err.split())
    assert (ran.code, "(switch-not-carried)" in words, "1 dead letters that nobody has ack" in words) == (1, True, True)
    for told in (f"_id {left}, steps.1.name", "Dead letter 1: Column steps.name", "isthmus letters acknowledge"):
        assert told in words
    assert "Frozen" not in words, "before anybody was kept waiting"
    (found,) = json.loads((command.folder / "said.json").read_text())["findings"]
    assert (found["code"], found["where"]["source_id"]) == ("required", str(left))
    said = run_command(command.folder, "letters", "acknowledge", "1", "--reason", "a test account", env=env)
    assert said.code == 0, said.err
    code, found = command.json("run", PEOPLE, "-m", "m.yaml")
    assert (code, found["outcome"], found["counts"]["documents"], found["counts"]["written"]) == (0, "switched", 4, 0)
    assert world.do("SELECT count(*) FROM people") == [(3,)]
    assert command.run("back", PEOPLE, "-m", "m.yaml").code == 0
    people.update_one({"_id": left}, {"$set": {"bio": "is somebody's after all"}})
    ran = command.run("run", PEOPLE, "-m", "m.yaml")
    assert (ran.code, "(switch-not-carried)" in ran.err) == (1, True), "what was looked at was another document"
    assert world.do("SELECT home, frozen_at IS NULL FROM isthmus.switch") == [("mongodb", True)]


def test_answers_that_nothing_asks_for_are_refused(command: Command) -> None:
    filled(command)
    (command.folder / "answers.yaml").write_text("isthmus: 1\n", encoding="utf-8")
    ran = command.run("run", PEOPLE, "-m", "m.yaml", "--resolutions", "answers.yaml")
    assert (ran.code, "(no-identities)" in ran.err) == (2, True), ran.err
    assert command.world.do("SELECT count(*) FROM isthmus.switch_move") == [(0,)]
