"""`isthmus switch` as an operator runs it: what it does, what it refuses and then lets go on, what it prints.

Oracle: documents and rows read past all stores; the catalog of MongoDB. Cannot see: a role without collMod, which the
wire server does not know.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from pathlib import Path
from typing import Any

import psycopg
import pytest
from bson import Binary, Decimal128, Int64, ObjectId, Timestamp
from pymongo.errors import PyMongoError

from isthmus.polyglot.outbox import delete, enqueue, put
from isthmus.polyglot.switch.ledger import held
from tests.fix_mongo import MongoDatabase
from tests.integration.cli.conftest import Ran, run_command
from tests.integration.copy.pooler import pooling
from tests.integration.switch.world import PEOPLE, TABLE, World

WORD = "zqkanarienvogel"
WITH = ("--table", TABLE)
OWN = {"bio": {"$ne": "never"}}
"""A validator that was there before."""


class Command:
    """The command, with both addresses in the environment."""

    def __init__(self, folder: Path, world: World) -> None:
        self.folder, self.world = folder, world
        self.env = {"POSTGRES_DIRECT_URL": world.conninfo, "MONGODB_URI": world.url, "COLUMNS": "80"}

    def run(self, *words: object, **env: str) -> Ran:
        return run_command(self.folder, "switch", *words, env={**self.env, **env})

    def json(self, *words: object) -> tuple[int, dict[str, Any]]:
        ran = self.run(*words, "--json", "-")
        return ran.code, json.loads(ran.out)

    def refused(self, *words: object, code: str, exit_code: int = 1) -> Ran:
        """Run a switch that is refused; writers may then write where they did."""
        before = self.world.do("SELECT home, generation FROM isthmus.switch WHERE collection = %s", PEOPLE)
        ran = self.run(*words)
        assert (ran.code, f"({code})" in ran.err) == (exit_code, True), ran.all
        after = self.world.do(
            "SELECT home, generation FROM isthmus.switch WHERE collection = %s AND frozen_at IS NULL", PEOPLE
        )
        assert not before or after == before
        assert self.world.do("SELECT count(*) FROM isthmus.switch_move WHERE ended_at IS NULL") == [(0,)]
        return ran

    def validator(self) -> Any:
        (found,) = self.world.documents.list_collections(filter={"name": PEOPLE})
        return found["options"].get("validator", {})


@pytest.fixture
def command(tmp_path: Path, world: World) -> Command:
    return Command(tmp_path, world)


ODD: dict[str, Any] = {
    "long": Int64(5),
    "price": Decimal128("1.50"),
    "ref": ObjectId(),
    "mark": Timestamp(1, 2),
    "raw": Binary(b"\0\1", 128),
    "double": 3.0,
    "deep": [{"a": [None, float("inf")]}],
}


def test_there_and_back(command: Command) -> None:
    """Everything an operator sees on a good day, with values of every kind and a mark of the outbox."""
    world, people = command.world, command.world.people
    world.documents.create_collection(PEOPLE, validator=OWN, validationLevel="moderate")
    mark = {"v": Int64(7), "e": Binary(uuid.uuid4().bytes, 4)}
    people.insert_many([{"_id": f"p{one}", "bio": f"b{one}", **ODD, "_isthmus": mark} for one in range(5)])
    assert command.run("status").out == "No collection is known.\n"
    assert command.run("prepare", PEOPLE, PEOPLE).out == "The tables of switches are there, with 1 collection.\n"
    code, found = command.json("run", PEOPLE, *WITH, "--by", "Ann")
    assert (code, found["outcome"], found["home"], found["generation"]) == (0, "switched", "postgres", 1)
    assert found["counts"] == {"ahead": 5, "documents": 5, "written": 0, "removed": 0, "verified": 5}
    assert found["fence"] == "raised"
    assert 0 < found["frozen_seconds"] <= found["seconds"] + 1
    row = world.rows()["p0"]
    assert (row["_id"], row["bio"], row["long"], row["price"]) == (
        "p0",
        "b0",
        {"$numberLong": "5"},
        {"$numberDecimal": "1.50"},
    )
    assert "_isthmus" not in row
    with pytest.raises(PyMongoError, match="validation"):
        people.insert_one({"_id": "past the guard"})
    assert "lives in PostgreSQL already" in command.run("run", PEOPLE, *WITH).out
    code, found = command.json("status")
    assert (code, found["outcome"], found["collections"][PEOPLE]["fenced"]) == (0, "settled", True)
    assert found["collections"][PEOPLE]["by"] == "Ann"
    assert found["collections"][PEOPLE]["move"]["step"] == "flipped"

    async def write() -> None:
        async with world.switch() as switch, switch.writing(PEOPLE) as store:
            await store.update("p1", set={"bio": "new"})
            await store.delete("p2")
            await store.insert({"_id": "p9", "bio": "made"})

    asyncio.run(write())
    code, found = command.json("back", PEOPLE, *WITH)
    assert (code, found["outcome"], found["home"], found["fence"]) == (0, "switched", "mongodb", "lowered")
    assert found["counts"] == {"documents": 5, "written": 2, "removed": 1, "verified": 5}
    there = {one["_id"]: one for one in people.find()}
    assert {name: one["bio"] for name, one in there.items()} == {
        "p0": "b0",
        "p1": "new",
        "p3": "b3",
        "p4": "b4",
        "p9": "made",
    }
    assert {name: there["p1"]["_isthmus"][name] for name in mark} == mark
    assert {name: there["p1"][name] for name in ODD} == ODD
    assert (command.validator(), world.do("SELECT count(*) FROM isthmus.switch_fence")) == (OWN, [(0,)])
    people.delete_one({"_id": "p3"})
    code, found = command.json("run", PEOPLE, *WITH, "--no-fence")
    assert (code, found["generation"], found["fence"], found["counts"]["ahead"]) == (0, 3, "none", 0)
    assert sorted(world.rows()) == ["p0", "p1", "p4", "p9"]
    assert command.validator() == OWN


@pytest.mark.parametrize(
    ("words", "code", "slug"),
    [
        (["run", PEOPLE], 2, "switch-carrier"),
        (["run", PEOPLE, *WITH, "-m", "x.yaml"], 2, "switch-carrier"),
        (["run", PEOPLE, "--table", "nothing"], 2, "switch-table"),
        (["run", PEOPLE, "--table", "isthmus.run"], 2, "switch-table"),
        (["run", PEOPLE, *WITH, "-s", "nonsense"], 2, "bad-source"),
        (["run", PEOPLE, *WITH, "-s", f"mongodb://u:{WORD}@127.0.0.1:1/x?serverSelectionTimeoutMS=200"], 3, "source-"),
        (["run", PEOPLE, *WITH, "-t", f"postgresql://u:{WORD}@127.0.0.1:1/x"], 4, "unreachable"),
        (["status", "-t", "nonsense"], 2, "bad-target"),
        (["cancel", PEOPLE, "-t", f"postgresql://u:{WORD}@127.0.0.1:1/x"], 4, "unreachable"),
    ],
    ids=lambda one: " ".join(one)[:40] if isinstance(one, list) else None,
)
def test_what_cannot_be_is_refused_before_anything_is_done(
    command: Command, words: list[str], code: int, slug: str
) -> None:
    command.world.people.insert_one({"_id": "a"})
    ran = command.run(*words)
    assert (ran.code, f"({slug}" in ran.err) == (code, True), ran.err
    assert WORD not in ran.all
    assert command.world.do("SELECT count(*) FROM isthmus.switch_move") == [(0,)]


def test_documents_that_a_table_cannot_keep_are_all_named_and_nothing_is_copied(command: Command) -> None:
    command.world.people.insert_many(
        [{"_id": "a"}, {"_id": "b", "bio": "x\0", "deep": [{"$oid": "x"}]}, {"_id": "c", "n": {"k": "\0"}}]
    )
    ran = command.refused("run", PEOPLE, *WITH, code="switch-unfit")
    assert "3 values" in ran.err
    for words in ("_id b, bio", "_id b, deep.0.$oid", "_id c, n.k"):
        assert words in ran.err
    assert command.world.rows() == {}


def test_ids_of_two_kinds_and_of_others_are_refused(command: Command) -> None:
    command.world.people.insert_many([{"_id": "a"}, {"_id": ObjectId()}])
    command.refused("run", PEOPLE, *WITH, code="switch-ids")
    command.world.people.delete_many({})
    command.world.people.insert_one({"_id": 5})
    command.refused("run", PEOPLE, *WITH, code="switch-ids")


def test_rows_of_somebody_elses_and_constraints_are_refused(command: Command) -> None:
    world, quoted = command.world, TABLE.replace('"', '""')
    world.do(f"INSERT INTO \"{quoted}\" (id, document) VALUES ('x', '{{}}')")
    world.documents.create_collection(PEOPLE)
    command.refused("run", PEOPLE, *WITH, code="switch-table-filled")
    assert sorted(world.rows()) == ["x"]
    world.do(f'TRUNCATE "{quoted}"')
    world.people.insert_many([{"_id": "a", "nick": "n"}, {"_id": "b", "nick": "n"}])
    ran = command.refused("run", PEOPLE, *WITH, code="switch-refused")
    assert "nick" in ran.err
    assert world.rows() == {}


def test_events_of_the_outbox_must_be_applied_first(command: Command) -> None:
    world = command.world
    world.people.insert_one({"_id": "a"})
    with psycopg.connect(world.conninfo) as connection:
        enqueue(connection, put(PEOPLE, "b", {"x": 1}), delete(PEOPLE, "a"))
    ran = command.refused("run", PEOPLE, *WITH, "--wait-seconds", "0.2", code="switch-outbox")
    assert "2 events" in ran.err
    assert run_command(command.folder, "outbox", "run", "--drain", env=command.env).code == 0
    world.people.insert_one({"_id": "a", "came": "late", "_isthmus": {"v": Int64(0)}})
    assert world.do("SELECT count(*) FROM isthmus.outbox WHERE confirm_at IS NOT NULL") == [(1,)]
    assert command.run("run", PEOPLE, *WITH).code == 0
    assert sorted(world.rows()) == ["b"], "what a write that came late made anew is not carried along"
    with psycopg.connect(world.conninfo) as connection:
        enqueue(connection, put(PEOPLE, "past", {}))
    ran = command.run("status")
    assert (ran.code, "past the guard" in " ".join(ran.out.split())) == (1, True)
    command.refused("back", PEOPLE, *WITH, "--wait-seconds", "0.2", code="switch-outbox")


def test_who_writes_past_the_guard_makes_a_difference(command: Command, tmp_path: Path) -> None:
    """Between the copy and the comparison, where no fence is."""
    command.world.people.insert_many([{"_id": "a", "n": 1}, {"_id": "b", "n": 1}, {"_id": "c", "n": 1}])
    runs = command.world.runs(tmp_path)
    with runs.begin("run", *WITH, "--no-fence", pause=("switch.copied", 1)) as session:
        session.wait_until_paused()
        command.world.people.update_one({"_id": "a"}, {"$set": {"n": Int64(1)}})
        command.world.people.delete_one({"_id": "b"})
        command.world.people.insert_one({"_id": "d"})
        ran = command.run("status")
        assert (ran.code, " copied" in ran.out) == (0, True), "at work"
        assert command.run("cancel", PEOPLE).code == 4
        session.go_on()
        ended = session.ended()
    assert (ended.code, "(switch-differs)" in ended.text) == (1, True), ended.text
    for words in ("3 of 4 documents", "a differs in n", "b is in PostgreSQL only", "d is in MongoDB only"):
        assert words in ended.words
    assert command.run("run", PEOPLE, *WITH).code == 0


def test_a_switch_that_was_left_is_shown_and_cancelled(command: Command, tmp_path: Path) -> None:
    world = command.world
    world.documents.create_collection(PEOPLE, validator=OWN)
    world.people.insert_one({"_id": "a"})
    assert world.runs(tmp_path).run("run", *WITH, kill=["switch.fenced", 1]).code == -9
    ran = command.run("status")
    words = " ".join(ran.out.split())
    assert ran.code == 1
    assert "left behind the step fenced, and no process is at work on it. Nobody can write." in words
    assert "isthmus switch run" in words
    assert "isthmus switch cancel" in words
    assert "--resolutions" not in words
    for one in ("mapping m.yaml", f"table {TABLE}"):
        world.do("UPDATE isthmus.switch_move SET carrier = %s", one)
        words = " ".join(command.run("status").out.split())
        told = "--mapping m.yaml With --resolutions as well, if it was begun with them."
        assert (told in words) == one.startswith("mapping"), words
    assert command.json("status")[1]["collections"][PEOPLE]["outcome"] == "left"
    ran = command.run("back", PEOPLE, *WITH)
    assert (ran.code, "(switch-under-way)" in ran.err) == (1, True), ran.err
    no_address = {"MONGODB_URI": ""}
    assert "(source-needed)" in command.run("cancel", PEOPLE, **no_address).err
    code, found = command.json("cancel", PEOPLE)
    assert (code, found["outcome"], found["home"]) == (0, "cancelled", "mongodb")
    assert command.validator() == OWN
    world.people.insert_one({"_id": "b"})
    assert command.json("cancel", PEOPLE)[1]["outcome"] == "nothing"
    assert command.run("status").code == 0
    assert command.run("run", PEOPLE, *WITH).code == 0
    assert sorted(world.rows()) == ["a", "b"]


def test_ctrl_c_lets_writers_write_again(command: Command, tmp_path: Path) -> None:
    import signal

    command.world.people.insert_one({"_id": "a"})
    with command.world.runs(tmp_path).begin("run", *WITH, pause=("switch.fenced", 1)) as session:
        session.wait_until_paused()
        session.process.send_signal(signal.SIGINT)
        session.go_on()
        ended = session.ended()
    assert (ended.code, "Writers may write again" in ended.text) == (130, True), ended.text
    assert command.world.do("SELECT frozen_at IS NULL, home FROM isthmus.switch") == [(True, "mongodb")]
    assert command.validator() in ({}, None)


def test_one_process_at_a_time_and_no_pooler(command: Command) -> None:
    with held(command.world.conninfo, PEOPLE):
        ran = command.run("run", PEOPLE, *WITH)
        assert (ran.code, "(switch-held)" in ran.err) == (4, True)
    with pooling(command.world.conninfo, per_transaction=True) as pooled:
        ran = command.run("run", PEOPLE, *WITH, POSTGRES_DIRECT_URL=pooled)
        assert (ran.code, "(pooled-connection)" in ran.err) == (4, True)
        assert command.run("status", POSTGRES_DIRECT_URL=pooled).code == 0


def test_first_commands_on_a_new_database(tmp_path: Path, database: str, mongo: MongoDatabase) -> None:
    command = Command(tmp_path, World(database, mongo.url, mongo.client[mongo.name]))
    ran = command.run("status")
    assert (ran.code, "(switch-missing)" in ran.err, "isthmus switch prepare" in ran.err) == (4, True, True)
    assert command.run("prepare").code == 0
    assert command.run("status").out == "No collection is known.\n"
