"""Dead letters and conflicts of a migration in phases: each copy --only is a run of its own, and all of them count.

Oracle: the documents planted, and which of the copies carried their collection last. A retry is judged by the rows.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.fix_dumps import MakeDump
from tests.integration.cli.conftest import Ran, RunCommand
from tests.integration.copy.carrying import oid

PEOPLE = "Pe'o \"ple é"
TABLES = """
CREATE TABLE people (id uuid PRIMARY KEY, name text NOT NULL, n integer, note text);
CREATE TABLE things (id uuid PRIMARY KEY, n integer NOT NULL, owner uuid REFERENCES people);
CREATE TABLE places (id uuid PRIMARY KEY, n integer, name text UNIQUE);
"""
MAPPING = """\
isthmus: 1
target: {tables: existing}
extras: dead_letter
collections:
  'Pe''o "ple é': {table: people, fields: {name: text!, n: {type: integer, coerce: COERCE}, note: text}}
  things: {rerun: tracked, fields: {n: {type: integer!, coerce: COERCE}, owner: {references: 'Pe''o "ple é'}}}
  places: {match: [[name]], fields: {n: {type: integer, coerce: COERCE}, name: text}}
"""
DUMP: dict[str, list[dict[str, Any]]] = {
    PEOPLE: [{"_id": oid(1), "name": "Ann"}, {"_id": oid(2), "name": "Bob", "n": "2"}, {"_id": oid(3)}],
    "things": [{"_id": oid(11), "n": 1, "owner": oid(2)}, {"_id": oid(12), "n": "12", "owner": oid(1)}],
    "places": [{"_id": oid(21), "n": "21"}, {"_id": oid(22), "n": 2, "name": "Rom é"}],
}
Do = Callable[..., Ran]


class World:
    """A target with three tables, a dump, and commands on them."""

    def __init__(self, isthmus: RunCommand, make_dump: MakeDump, database: str, folder: Path) -> None:
        self.isthmus, self.make_dump, self.database, self.folder = isthmus, make_dump, database, folder
        self.sql(TABLES)
        self.sql("INSERT INTO places VALUES (gen_random_uuid(), 1, 'Rom é')")
        self.write()

    def sql(self, text: str) -> None:
        with psycopg.connect(self.database, autocommit=True) as connection:
            connection.execute(text.encode())

    def rows(self, text: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.database) as connection:
            return connection.execute(text.encode()).fetchall()

    def write(self, *, loose: bool = False, sensitive: str = "") -> None:
        text = MAPPING.replace("COERCE", str(loose).lower())
        (self.folder / "mapping.yaml").write_text(text.replace("note: text", f"note: {sensitive or 'text'}"))

    def do(self, *arguments: object, code: int = 0) -> Ran:
        ran = self.isthmus(*arguments, env={"DATABASE_URL": self.database}, cwd=self.folder)
        assert ran.code == code, ran.all
        return ran

    def copy(self, *only: str, code: int = 1, dump: dict[str, list[dict[str, Any]]] = DUMP) -> None:
        names = [word for name in only for word in ("--only", name)]
        self.do("copy", "mapping.yaml", "-s", self.make_dump(dump), *names, code=code)

    def said(self, *arguments: object, code: int = 0) -> dict[str, Any]:
        return json.loads(self.do(*arguments, "--json", "-", code=code).out)

    def listed(self, *options: object) -> set[tuple[int, str]]:
        """Return (run, _id) of the letters listed, export and list being of one mind."""
        said = self.said("letters", "list", *options)
        found = {(one["run"], one["source_id"]) for one in said["letters"]}
        exported = [json.loads(line) for line in self.do("letters", "export", *options).out.splitlines()]
        assert {(one["run"], one["source_id"]) for one in exported} == found
        assert len(exported) == len(said["letters"]) == said["total"]
        return found

    def told(self) -> set[tuple[int, str, int]]:
        """Return (run, collection, how many) of what status says of letters."""
        return {(one["run"], one["collection"], one["count"]) for one in self.said("status")["letters"]}


@pytest.fixture
def world(isthmus: RunCommand, make_dump: MakeDump, database: str, tmp_path: Path) -> World:
    return World(isthmus, make_dump, database, tmp_path)


def letters(*numbers: int, run: int) -> set[tuple[int, str]]:
    return {(run, str(oid(number))) for number in numbers}


def test_letters_of_every_phase_are_there_and_those_of_a_phase_carried_again_or_taken_back_are_not(
    world: World,
) -> None:
    for collection in (PEOPLE, "things", "places"):
        world.copy(collection)
    every = letters(2, 3, run=1) | letters(12, run=2) | letters(21, run=3)
    assert world.listed() == every
    assert world.listed("--run", 1) == letters(2, 3, run=1)
    assert world.listed("--collection", "things") == letters(12, run=2)
    assert world.said("letters", "list")["runs"] == [1, 2, 3]
    text = world.do("letters", "list").out
    assert [text.count(f"(convert)  run {run}") for run in (1, 2, 3)] == [2, 1, 1]
    assert world.told() == {(1, PEOPLE, 1), (2, "things", 1), (3, "places", 1)}
    text = world.do("status").out
    assert f"run 1 carried {PEOPLE} last" in text
    assert f"1 dead letter in {PEOPLE}: required (convert), run 1" in text
    number = next(one["id"] for one in world.said("letters", "list")["letters"] if one["run"] == 2)
    shown = world.do("letters", "show", number)
    assert "  run    2\n" in shown.out
    assert "letters retry MAPPING --run 2" in shown.err

    world.copy(PEOPLE)  # again: its first run says nothing any more
    every = every - letters(2, 3, run=1) | letters(2, 3, run=4)
    assert world.listed() == every
    assert world.listed("--run", 1) == letters(2, 3, run=1)  # who asks for it
    old = world.said("letters", "list", "--run", 1)["letters"][0]["id"]
    assert f"1; run 4 carried {PEOPLE} again since" in world.do("letters", "show", old).out
    assert "retry" not in world.do("letters", "show", old).err
    assert (4, PEOPLE, 1) in world.told()
    said = world.said("letters", "acknowledge", "--all", "--run", 2, "--reason", "x")
    assert (said["newly"], said["open"]) == (1, 0)
    ran = world.do("letters", "acknowledge", old, "--reason", "x", code=2)
    assert "(no-letter)" in ran.err
    assert world.listed() == every

    world.do("undo", "mapping.yaml", "--only", "things", "--live")
    assert world.listed() == every - letters(12, run=2)
    assert world.told() == {(4, PEOPLE, 1), (3, "places", 1)}
    ran = world.do("letters", "list", "--run", 2, code=2)
    assert "(no-such-run)" in ran.err
    assert "1, 3, 4" in ran.err
    for command in (("letters", "export"), ("conflicts", "list")):
        assert "(no-such-run)" in world.do(*command, "--run", 7, code=2).err
    assert "(no-such-run)" in world.do("letters", "retry", "mapping.yaml", "--run", 7, code=2).err
    world.copy("things")
    still_open = {one["source_id"] for one in world.said("letters", "list", "--open")["letters"]}
    assert still_open == {str(oid(number)) for number in (2, 3, 21)}  # the word about the other one holds again
    assert world.listed() == every - letters(12, run=2) | letters(12, run=5)


def test_a_collection_that_is_empty_by_now_leaves_no_letter(world: World) -> None:
    world.copy(PEOPLE)
    world.copy("things")
    world.copy(PEOPLE, code=0, dump={**DUMP, PEOPLE: []})
    assert world.listed() == letters(12, run=2)


def test_conflicts_of_every_phase_are_there_and_those_of_a_phase_carried_again_are_not(world: World) -> None:
    world.copy("places")
    world.copy("things")
    (one,) = world.said("conflicts", "list")["conflicts"]
    assert (one["run"], one["table"]) == (1, "places")
    assert world.said("conflicts", "list", "--run", 2)["conflicts"] == []
    text = world.do("conflicts", "list").out
    assert "run" in text.splitlines()[0].split()
    (told,) = world.said("status")["conflicts"]
    assert told == {"run": 1, "table": "places", "action": "kept", "count": 1, "acknowledged": 0}
    assert "1 conflict in places: kept, run 1" in world.do("status").out
    assert world.said("conflicts", "acknowledge", one["id"], "--reason", "theirs")["open"] == 0
    assert "1 acknowledged conflict in places: kept, run 1" in world.do("status").out
    world.copy("places")
    (again,) = world.said("conflicts", "list")["conflicts"]
    assert (again["run"], again["acknowledged"] is not None) == (3, True)


def test_a_retry_is_of_one_run_and_leaves_no_other_out_in_silence(world: World) -> None:
    for collection in (PEOPLE, "things", "places"):
        world.copy(collection)
    world.copy(PEOPLE)  # run 4
    world.write(loose=True)
    ran = world.do("letters", "retry", "mapping.yaml", code=2)
    assert "(several-runs)" in ran.err
    for words in ("run 2 (things)", "run 3 (places)", f"run 4 ({PEOPLE})", "--run 2, --run 3, --run 4"):
        assert words in ran.err
    assert len(world.listed()) == 4
    ran = world.do("letters", "retry", "mapping.yaml", "--run", 1, code=2)
    assert "(run-followed)" in ran.err

    ran = world.do("letters", "retry", "mapping.yaml", "--run", 2)  # not the newest
    assert "1 of 1 dead letter of run 2 carried, none is left" in ran.out
    assert "1 dead letter of run 3 not tried (places): --run 3" in ran.out
    assert world.listed() == letters(2, 3, run=4) | letters(21, run=3)
    assert world.rows("SELECT n FROM things ORDER BY 1") == [(1,), (12,)]

    # one of whose letters a row of an earlier run waits for
    assert world.rows("SELECT count(*) FROM things WHERE owner IS NULL") == [(1,)]
    said = world.said("letters", "retry", "mapping.yaml", "--collection", PEOPLE, code=1)
    assert (said["run"], said["collections"][PEOPLE]["carried"], said["collections"][PEOPLE]["left"]) == (4, 1, 1)
    assert said["elsewhere"] == [{"run": 3, "collection": "places", "code": "type", "count": 1}]
    assert world.rows("SELECT count(*) FROM things WHERE owner IS NULL") == [(0,)]
    assert world.rows("SELECT name, n FROM people ORDER BY 1") == [("Ann", None), ("Bob", 2)]
    world.do("letters", "retry", "mapping.yaml", "--collection", "places")
    assert world.listed() == letters(3, run=4)
    # the only run that has any is taken, though it is not the newest
    world.copy("things", code=0)
    assert world.said("letters", "retry", "mapping.yaml", code=1)["run"] == 4


def test_letters_of_a_collection_that_was_carried_again_are_not_tried(world: World) -> None:
    world.copy()
    now = {**DUMP, PEOPLE: [DUMP[PEOPLE][0], {"_id": oid(2), "name": "Rob", "n": "3"}]}
    world.copy(PEOPLE, dump=now)
    assert world.listed() == letters(12, 21, run=1) | letters(2, run=2)
    world.write(loose=True)
    ran = world.do("letters", "retry", "mapping.yaml", "--run", 1)
    assert f"not tried: 2 dead letters of {PEOPLE}: run 2 carried it again since" in ran.out
    assert world.rows("SELECT name FROM people") == [("Ann",)]
    world.do("letters", "retry", "mapping.yaml")
    assert world.rows("SELECT name, n FROM people ORDER BY 1") == [("Ann", None), ("Rob", 3)]
    assert world.listed() == set()


def test_what_a_later_mapping_calls_sensitive_is_hidden_of_earlier_runs_too(world: World) -> None:
    hushed = {**DUMP, PEOPLE: [{"_id": oid(3), "note": "hush-4711"}]}
    world.copy(PEOPLE, dump=hushed)
    assert "hush-4711" in world.do("letters", "export").out
    world.write(sensitive="{type: text, sensitive: true}")
    world.copy("things", dump=hushed)
    number = world.said("letters", "list", "--run", 1)["letters"][0]["id"]
    assert "hush-4711" not in world.do("letters", "export").out
    assert "hush-4711" not in world.do("letters", "show", number).out
    assert "hush-4711" in world.do("letters", "show", number, "--show-sensitive").out


TREES = """
CREATE TABLE "Tree's é" (id uuid PRIMARY KEY, up uuid);
CREATE TABLE groves (id uuid PRIMARY KEY, up uuid, tree uuid);
"""
TREES_MAPPING = """\
isthmus: 1
target: {tables: existing, rerun: tracked}
collections:
  trees: {table: "Tree's é", fields: {up: {references: trees, on_orphan: "null"}}}
  groves: {fields: {up: {references: groves, on_orphan: "null"}, tree: {references: trees, on_orphan: "null"}}}
"""
UP = {
    "trees": [{"_id": oid(1), "up": oid(91)}, {"_id": oid(2), "up": oid(1)}, {"_id": oid(3), "up": oid(93)}],
    "groves": [{"_id": oid(11), "up": oid(81), "tree": oid(92)}],
}


def orphans(world: World, *options: object) -> set[tuple[int, str]]:
    """Return (run, old id) of the orphans listed; their number is that of the whole list."""
    said = world.said("orphans", "list", *options)
    assert len(said["orphans"]) == said["total"]
    return {(one["run"], one["old_id"]) for one in said["orphans"]}


def test_orphans_of_every_phase_are_there_and_those_of_a_phase_carried_again_or_taken_back_are_not(
    world: World,
) -> None:
    world.sql(TREES)
    (world.folder / "mapping.yaml").write_text(TREES_MAPPING)
    world.copy("groves", code=0, dump=UP)
    world.copy("trees", code=0, dump=UP)
    trees, groves = {(2, str(oid(91))), (2, str(oid(93)))}, {(1, str(oid(81)))}
    assert orphans(world) == trees | groves
    assert world.said("orphans", "list")["runs"] == [1, 2]
    assert orphans(world, "--run", 1) == groves
    assert orphans(world, "--table", "Tree's é") == trees
    for options in ((), ("--run", 1)):  # what waits is asked of all there is
        (waiting,) = world.said("orphans", "list", "--waiting", *options)["waiting"]
        assert (waiting["table"], waiting["column"], waiting["count"]) == ("groves", "tree", 1)
        assert waiting["lead_nowhere"]
    said = world.said("status")["orphans"]
    assert {(one["run"], one["table"], one["count"]) for one in said} == {(1, "groves", 1), (2, "Tree's é", 2)}
    text = world.do("status").out
    assert "1 orphan in groves.up: null, run 1\n" in text
    assert "2 orphans in Tree's é.up: null, run 2\n" in text
    text = world.do("orphans", "list", "--limit", 1).out
    assert "run" in text.split()
    assert str(oid(81)) in text
    assert "run" not in world.do("orphans", "list", "--run", 1).out.split()

    again = {**UP, "trees": [{"_id": oid(1), "up": oid(94)}, *UP["trees"][1:]]}
    world.copy("trees", code=0, dump=again)
    trees = {(3, str(oid(94))), (3, str(oid(93)))}
    assert orphans(world) == trees | groves
    assert orphans(world, "--run", 2) == {(2, str(oid(91))), (2, str(oid(93)))}
    world.do("undo", "mapping.yaml", "--only", "groves", "--live")
    assert orphans(world) == trees
    assert "run" not in world.do("orphans", "list").out.split()
    assert "(no-such-run)" in world.do("orphans", "list", "--run", 1, code=2).err
