"""Rows that somebody has written to since the copy: what is told of them, and that following it takes them back.

Oracle: what each test itself wrote, and the rows as they were behind the copy. Cannot see: values of documents, which
`isthmus verify` tells.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.integration.copy.carrying import oid
from tests.integration.undo.undoing import World

MAPPING = """
isthmus: 1
target: {tables: existing, rerun: tracked}
collections:
  people:
    fields:
      name: text
      changedAt: {column: "Changed ät", type: timestamptz}
      trips: {child: trips, fields: {said: text}}
"""
TABLES = """
CREATE TABLE people (id uuid PRIMARY KEY, name text, "Changed ät" timestamptz, "se en" integer DEFAULT 7,
  nick text, made timestamptz NOT NULL DEFAULT now(), drawn uuid DEFAULT gen_random_uuid());
CREATE TABLE trips (people_id uuid REFERENCES people ON DELETE CASCADE, position integer, said text,
  rated integer DEFAULT 3, PRIMARY KEY (people_id, position));
CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW."Changed ät" := now(); RETURN NEW; END';
CREATE TRIGGER "ké ep" BEFORE UPDATE ON people FOR EACH ROW EXECUTE FUNCTION keep();
CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER of_trips AFTER INSERT OR UPDATE ON trips FOR EACH ROW EXECUTE FUNCTION act();
CREATE TRIGGER "on insert" BEFORE INSERT ON people FOR EACH ROW EXECUTE FUNCTION act();
"""
NAMES = ("Ann", "Bob 'B\"", "Çid", "Dee")


@pytest.fixture
def world(world: World) -> World:
    """Return four people that were carried to tables with triggers."""
    world.prepare(
        TABLES,
        MAPPING,
        {
            "people": [
                {"_id": oid(n), "name": name, "changedAt": None, "trips": [{"said": "x"}]}
                for n, name in enumerate(NAMES, 1)
            ]
        },
    )
    world.do('ALTER TABLE people DISABLE TRIGGER "ké ep"')
    world.copy()
    return world


def beside(world: World) -> dict[str, tuple[int, str | None]]:
    """Return the columns that are told, with in how many rows and what was carried."""
    (one,) = world.undo(live=False, code=1)["in_the_way"]
    assert one["why"] == "written-beside"
    return {column["column"]: (column["count"], column["carried"]) for column in one["columns"]}


def test_columns_that_the_mapping_does_not_fill_are_named_with_what_they_held(world: World) -> None:
    ((made,),) = world.rows("SELECT DISTINCT made::text FROM people")
    world.do("UPDATE people SET \"se en\" = 8 WHERE name IN ('Ann', 'Çid')")
    world.do("UPDATE people SET nick = 'A' WHERE name = 'Ann'")
    assert beside(world) == {"nick": (1, None), "se en": (2, "7")}
    ran = world.run("undo", world.mapping, "-t", world.conninfo, env={"COLUMNS": "80"})
    words = " ".join(ran.out.split())
    assert "nick of 1 row: it was NULL" in words
    assert "se en of 2 rows: it was 7" in words
    world.do('UPDATE people SET "se en" = 7, nick = NULL')
    world.do("UPDATE people SET made = made + interval '1 s' WHERE name = 'Ann'")
    assert beside(world) == {"made": (1, made)}, "all rows of a copy came at one instant"
    world.do(f"UPDATE people SET made = '{made}'")
    assert world.undo()["outcome"] == "done"


def test_what_cannot_be_proven_is_not_said(world: World) -> None:
    world.do("UPDATE people SET drawn = gen_random_uuid(), \"se en\" = 8 WHERE name = 'Ann'")
    assert beside(world) == {}, "nobody knows what was drawn for it"
    world.do("UPDATE people SET \"se en\" = 9 WHERE name = 'Dee'; UPDATE trips SET rated = 4")
    assert beside(world) == {}, "no row is untouched"


def test_a_column_that_was_added_since_held_nothing(world: World) -> None:
    world.do("ALTER TABLE people ADD COLUMN later text; UPDATE people SET later = 'ü' WHERE name = 'Ann'")
    assert beside(world) == {"later": (1, None)}


def test_the_way_out_where_a_trigger_keeps_a_column_that_was_carried(world: World) -> None:
    world.do('ALTER TABLE people ENABLE TRIGGER "ké ep"')
    world.do("UPDATE people SET name = 'Anna' WHERE name = 'Ann'")
    world.do("UPDATE people SET name = 'Ann' WHERE name = 'Anna'")  # put back as it was, but for what the trigger wrote
    (one,) = world.undo(live=False, code=1)["in_the_way"]
    assert (one["why"], one["count"], one["columns"]) == ("edited", 1, [])
    assert one["triggers"] == ["ké ep", "of_trips"]
    ran = world.run("undo", world.mapping, "-t", world.conninfo, env={"COLUMNS": "80"})
    words = " ".join(ran.out.split())
    assert "isthmus verify MAPPING --source SOURCE --layers checksum names each column" in words
    assert "Triggers write, too, when such a row is changed: ké ep, of_trips." in words
    assert "DISABLE TRIGGER" in words
    verified = world.run(
        "verify", world.mapping, "-s", world.dump, "-t", world.conninfo, "--layers", "checksum", "--json", "-"
    )
    found: list[dict[str, Any]] = json.loads(verified.out)["differences"]
    assert [(each["table"], each["path"], each["expected"]) for each in found] == [("people", "Changed ät", None)]
    world.do('ALTER TABLE people DISABLE TRIGGER "ké ep"; UPDATE people SET "Changed ät" = NULL')
    world.do('ALTER TABLE people ENABLE TRIGGER "ké ep"')
    assert world.undo()["outcome"] == "done"
