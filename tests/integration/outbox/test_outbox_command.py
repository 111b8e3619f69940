"""`isthmus outbox` as a user runs it: exit codes, what is printed, JSON, what is refused, and what is never shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import psycopg
import pytest
from bson import Int64

from isthmus.polyglot.outbox import delete, put, update
from tests.fix_mongo import MongoDatabase
from tests.fix_postgres import free_port, password_url
from tests.integration.cli.conftest import Ran, run_command
from tests.integration.copy.pooler import pooling
from tests.integration.outbox.world import PEOPLE, World

WORD = "zqkanarienvogel"
AWAY = f"mongodb://u:{WORD}@127.0.0.1:1/x?serverSelectionTimeoutMS=300"


class Command:
    """The command, with both addresses in the environment."""

    def __init__(self, folder: Path, world: World) -> None:
        self.folder, self.world = folder, world
        self.env = {"POSTGRES_URL": world.conninfo, "MONGODB_URI": world.url, "COLUMNS": "80"}

    def run(self, *words: object, **env: str) -> Ran:
        return run_command(self.folder, "outbox", *words, env={**self.env, **env})

    def json(self, *words: object) -> tuple[int, dict[str, Any]]:
        ran = self.run(*words, "--json", "-")
        return ran.code, json.loads(ran.out)


@pytest.fixture
def command(tmp_path: Path, world: World) -> Command:
    return Command(tmp_path, world)


def test_status_run_retry_and_skip(command: Command) -> None:
    world = command.world
    assert command.run("status").out == "All is applied.\n"
    (parked, *_) = world.enqueue(update(PEOPLE, 1, set={"x": 1}))
    world.enqueue(put(PEOPLE, 1, {"x": 2}), put("other", "y", {"x": 3}))
    code, found = command.json("status")
    assert (code, found["outcome"], found["lag_events"], found["parked"]) == (0, "behind", 3, 0)
    assert found["lag_seconds"] >= 0
    ran = command.run("run", "--drain", "--attempts", "1")
    assert (ran.code, ran.out) == (1, "1 event applied, 1 parked.\n")
    assert "listening" in ran.err
    shown = command.run("status")
    assert shown.code == 1
    assert "1 event parked, 1 behind." in shown.out
    assert "no-document: There is no document with this _id to update." in shown.out
    code, found = command.json("status")
    assert (code, found["outcome"], found["collections"][PEOPLE]["behind"]) == (1, "parked", 1)
    assert found["troubled"][0]["number"] == parked
    assert command.run("retry", "--all").out == "1 event is tried again.\n"
    assert command.json("run", "--drain", "--attempts", "1")[1]["outcome"] == "drained"
    assert command.json("retry", "-c", PEOPLE, "--id", "1") == (
        0,
        {"outcome": "retried", "exit_code": 0, "numbers": [parked]},
    )
    command.run("run", "--drain", "--attempts", "1")
    assert command.run("skip", parked, "--reason", "not any more", "--by", "Ann").out == "1 event is left out.\n"
    code, found = command.json("run", "--drain")
    assert (code, found["outcome"], found["applied"], found["exit_code"]) == (0, "drained", 1, 0)
    assert command.json("status")[1]["outcome"] == "clear"


def test_status_tells_of_a_collection_that_lives_elsewhere_and_shows_what_is_lost_without_a_person(
    command: Command,
) -> None:
    world = command.world
    world.do("INSERT INTO isthmus.switch (collection, home) VALUES (%s, 'postgres')", PEOPLE)
    first, large, gone = world.enqueue(
        update(PEOPLE, 1, set={"x": Int64(2)}), put(PEOPLE, 2, {"x": "y" * 300_000}), delete(PEOPLE, 3)
    )
    shown = command.run("status")
    assert (shown.code, "lives in PostgreSQL" in shown.out, "parked" in shown.out) == (1, True, True)
    assert (command.json("status")[1]["outcome"], command.json("status")[1]["elsewhere"]) == ("elsewhere", [PEOPLE])
    ran = command.run("run", "--drain")
    assert (ran.code, ran.out) == (1, "0 events applied, 3 parked.\n")
    shown = command.run("status")
    assert (shown.code, "lives-elsewhere" in shown.out) == (1, True)
    assert "numberLong" not in shown.out
    shown = command.run("status", "--changes")
    assert '"$numberLong"' in shown.out
    assert "300,013 bytes, too many to show" in shown.out
    code, found = command.json("status", "--changes")
    assert (code, found["outcome"]) == (1, "parked")
    changes = {one["number"]: (one["bytes"], one["change"]) for one in found["troubled"]}
    assert changes[first][1] == {"set": {"x": {"$numberLong": "2"}}}
    assert (changes[large], changes[gone]) == ((300_013, None), (0, None))
    assert "change" not in command.json("status")[1]["troubled"][0]
    assert command.run("skip", first, large, gone, "--reason", "written by hand").code == 0
    code, found = command.json("status")
    assert (code, found["outcome"], found["elsewhere"]) == (0, "clear", [])


def test_first_run_makes_the_tables_and_other_commands_ask_for_it(
    tmp_path: Path, database: str, mongo: MongoDatabase
) -> None:
    command = Command(tmp_path, World(database, mongo.url, None))
    ran = command.run("status")
    assert (ran.code, "(outbox-missing)" in ran.err, "isthmus outbox run --drain" in ran.err) == (4, True, True)
    with pooling(database, per_transaction=True) as pooled:
        refused = command.run("run", "--drain", POSTGRES_URL=pooled)
        assert (refused.code, "(outbox-missing)" in refused.err) == (4, True)
        assert command.run("run", "--drain").code == 0
        ran = command.run("run", "--drain", POSTGRES_URL=pooled)
        assert (ran.code, "a pooler stands between" in ran.err) == (0, True)
        ran = command.run("run", "--drain", POSTGRES_URL=pooled, POSTGRES_DIRECT_URL=database)
        assert (ran.code, "listening" in ran.err, "a pooler" in ran.err) == (0, True, False)


@pytest.mark.parametrize(
    ("words", "code", "slug"),
    [
        (["retry"], 2, "which-ones"),
        (["retry", "1", "--all"], 2, "which-ones"),
        (["retry", "--id", "1"], 2, "which-ones"),
        (["retry", "77"], 2, "which-ones"),
        (["retry", "-c", "$x", "--id", "1"], 1, "outbox-key"),
        (["skip", "77", "--reason", "x"], 2, "which-ones"),
        (["skip", "77", "--reason", " "], 2, "no-reason"),
        (["run", "--drain", "-s", "nonsense"], 2, "bad-source"),
        (
            ["run", "--drain", "-s", AWAY],
            3,
            "source-unreachable",
        ),
        (["status", "-t", "nonsense"], 2, "bad-target"),
        (["status", "-t", f"postgresql://u:{WORD}@127.0.0.1:1/x"], 4, "unreachable"),
    ],
    ids=lambda one: " ".join(one)[:30] if isinstance(one, list) else None,
)
def test_refusals(command: Command, words: list[str], code: int, slug: str) -> None:
    ran = command.run(*words)
    assert (ran.code, f"({slug})" in ran.err) == (code, True), ran.err
    assert WORD not in ran.all


def test_address_that_names_no_database_is_refused(command: Command) -> None:
    host = command.world.url.partition("://")[2].partition("/")[0]
    ran = command.run("run", "--drain", MONGODB_URI=f"mongodb://{host}/")
    assert (ran.code, "(database-needed)" in ran.err) == (2, True)


def test_passwords_are_never_shown(command: Command) -> None:
    command.world.enqueue(put(PEOPLE, 1, {}))
    address = password_url(command.world.conninfo, WORD)
    for words in (["status"], ["run", "--drain"], ["retry", "--all"]):
        ran = command.run(*words, POSTGRES_URL=address)
        assert ran.code == 0, ran.all
        assert WORD not in ran.all
    ran = command.run("status", POSTGRES_URL=address.replace("@127.0.0.1:", f"@127.0.0.1:{free_port()}1"[:-1]))
    assert WORD not in ran.all


def test_words_of_others_cannot_break_the_lines(command: Command) -> None:
    command.world.enqueue(update("a\nb", "x\x1b[2J\n", set={"x": 1}))
    ran = command.run("run", "--drain", "--attempts", "1")
    assert ran.code == 1
    shown = command.run("status")
    assert "\x1b" not in ran.all + shown.all
    assert "a b" in shown.out


def test_role_without_rights_is_told(command: Command) -> None:
    address = password_url(command.world.conninfo, "x")
    role = address.partition("//")[2].partition(":")[0]
    with psycopg.connect(command.world.conninfo, autocommit=True) as connection:
        connection.execute(f"ALTER ROLE {role} NOSUPERUSER".encode())
    for words in (["status"], ["run", "--drain"], ["retry", "--all"]):
        ran = command.run(*words, POSTGRES_URL=address)
        assert (ran.code, "permission denied" in ran.err) == (4, True), ran.err
