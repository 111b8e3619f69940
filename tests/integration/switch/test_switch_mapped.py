"""A collection of a mapping, whose documents become rows with columns, is switched over by the engine, and back.

Oracle: rows by name; what a test itself changed on either side. Cannot see: a conversion that both of the engine's
conversions misread, which is its own tests' to see.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from bson import ObjectId

from tests.fix_mongo import MongoDatabase
from tests.integration.cli.conftest import run_command
from tests.integration.switch.test_switch_command import Command
from tests.integration.switch.world import World

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
