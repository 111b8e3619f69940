"""What a phase has for people to look at: the numbers Isthmus has for it, nothing secret, and who is meant by a key.

Oracle: what the lists of Isthmus say of the same run, the secrets the test wrote, and hand-made standings.
"""

from __future__ import annotations

import contextlib
import io
import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg
import pytest

from apps.panamia.moving.acknowledged import acknowledge
from apps.panamia.moving.ledgers import left_by, without_secrets
from apps.panamia.moving.phases import PHASES, Item, Standing
from apps.panamia.moving.showing import show_items
from isthmus.cli.output import result_console
from isthmus.errors import ConfigError
from isthmus.state.runs import read_run
from isthmus.state.waiting import list_waiting
from tests.apps.panamia.conftest import Moved, isthmus, phase_command
from tests.fix_dumps import MakeDump
from tests.integration.copy.carrying import oid

MAPPING = """
isthmus: 1
target: {tables: existing, rerun: tracked, on_conflict: keep_target}
extras: dead_letter
collections:
  sessions:
    key: token
    fields:
      token: {type: text!, sensitive: true}
      user: text
      pin: {type: integer, sensitive: true}
      friend: {references: people}
  people: {fields: {name: text}}
"""
SECRETS = ("live-secret-one", "live-secret-two", "hush-4711")


def documents(user: str) -> list[dict[str, object]]:
    made: list[dict[str, object]] = [
        {"_id": oid(number), "token": one, "user": user, "friend": oid(50)} for number, one in enumerate(SECRETS[:2])
    ]
    return [*made, {"_id": oid(7), "token": "t", "pin": SECRETS[2]}, {"_id": oid(8), "user": "no token"}]


def test_items_have_the_numbers_of_isthmus_and_nothing_that_is_secret(
    make_dump: MakeDump, database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text(MAPPING, encoding="utf-8")
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute('CREATE TABLE sessions (token text PRIMARY KEY, "user" text, pin integer, friend uuid)')
        connection.execute("CREATE TABLE people (id uuid PRIMARY KEY, name text)")
        for user in ("a", "b"):
            dump = make_dump({"sessions": documents(user), "people": []})
            ran = isthmus("copy", str(mapping), "--source", str(dump), "--only", "sessions", database=database)
            assert ran.code == 1, ran.said
            connection.execute("UPDATE sessions SET \"user\" = 'theirs'")
        items = left_by(connection, 2)
        run = read_run(connection, 2)
        assert run is not None
        waiting = without_secrets(connection, run, list_waiting(connection, run))
    listed = {
        kind: isthmus(f"{kind}s", "list", database=database, json_file=tmp_path / f"{kind}.json").result[f"{kind}s"]
        for kind in ("letter", "conflict")
    }
    for kind, there in listed.items():
        mine = [item for item in items if item.kind == kind]
        assert [item.number for item in mine] == [one["id"] for one in there]
        assert len(mine) == len({item.key for item in mine}) == 2
    digests = [sha256(one.encode()).hexdigest()[:12] for one in SECRETS]  # what anybody could try out
    assert not [one for one in digests if one in repr(items) + repr(waiting)]
    letters = [item for item in items if item.kind == "letter"]
    assert all(one["message"] in item.shown for one, item in zip(listed["letter"], letters, strict=True))
    show_items(result_console(None), items)
    shown = capsys.readouterr().out
    assert all(f"number {item.number}: " in shown for item in items)
    assert [(line.table, line.column) for line in waiting] == [("sessions", "friend")] * 2
    assert len({line.row_id for line in waiting}) == 2
    waits = isthmus("orphans", "list", "--waiting", database=database, json_file=tmp_path / "orphans.json")
    assert str(waits.result).count("'row_id'") == 2
    said = [shown, repr(items), repr(waiting), waits.said, str(waits.result)]
    assert not [one for one in SECRETS for text in said if one in text]


HERE = Standing(
    PHASES[0],
    items=(Item("nowhere", "users/1/nul", ""), Item("nowhere", "users/11/nul", ""), Item("nowhere", "Ü 'x'/3", "")),
)
MEANT = (
    ((), False, "which-ones", "Give keys, or --all."),
    (("users/1/nul",), True, "which-ones", "not both"),
    (("users",), False, "unknown-item", "users/1/nul, nowhere users/11/nul."),
    (("nobody",), False, "unknown-item", "nowhere Ü 'x'/3"),
    (("users/1/nul", "", "users"), False, "unknown-item", "2 keys of phase 1"),
)


@pytest.mark.parametrize(("keys", "everything", "code", "words"), MEANT)
def test_a_key_that_means_nothing_or_several_things_acknowledges_nothing(
    database: str, keys: tuple[str, ...], everything: bool, code: str, words: str
) -> None:
    with psycopg.connect(database) as connection, pytest.raises(ConfigError) as caught:
        acknowledge(connection, HERE, keys, "why", everything=everything)  # it would fail: the target is empty
    said = " ".join([str(caught.value), *map(str, caught.value.problems)])
    assert (caught.value.code, caught.value.exit_code, words in said) == (code, 2, True), said
    assert "phase items 1" in (caught.value.hint or "")


def test_a_key_that_nothing_open_has_says_so(database: str) -> None:
    none = replace(HERE, items=(), run=1)
    with psycopg.connect(database) as connection, pytest.raises(ConfigError) as caught:
        acknowledge(connection, none, ["x"], "why")
    assert "none is open" in str(caught.value.problems[0])


def test_of_a_phase_that_was_not_run_nothing_is_acknowledged(database: str) -> None:
    none = replace(HERE, items=(), run=None)
    with psycopg.connect(database) as connection, pytest.raises(ConfigError, match="not run yet") as caught:
        acknowledge(connection, none, (), "why", everything=True)
    assert caught.value.hint == "Run it first: python -m apps.panamia.phase run 1", "as it is typed"


def test_items_and_what_was_acknowledged_are_json_too(twin: Moved, forked: None, tmp_path: Path) -> None:
    file = tmp_path / "ü 'x'.json"
    where: dict[str, Any] = {"source": twin.source, "database": twin.database, "answers": twin.answers}

    def told(*words: str) -> tuple[int, dict[str, Any]]:
        out = io.StringIO()
        with contextlib.redirect_stderr(io.StringIO()):
            ran = phase_command(*words, "--json", "-", errors=out, **where)
        return ran.code, json.loads(ran.said.removeprefix(out.getvalue()))

    with psycopg.connect(twin.database) as connection:
        for name in ("panamia_move", "isthmus"):
            connection.execute(f"DELETE FROM {name}.acknowledgement".encode())
    code, page = told("items", "6")
    count = page["open"]
    assert (code, page["exit_code"], page["phase"], page["name"]) == (1, 1, 6, "the rest")
    assert len(page["items"]) == count > 42
    lines = [line for line in phase_command("items", "6", **where).said.splitlines() if line[:1] != " "]
    assert [f"{one['kind']:<10}{one['key']}" for one in page["items"]] == [one for one in lines if "/" in one]
    assert {"letter", "nowhere"} <= {one["kind"] for one in page["items"]}
    first, last = page["items"][0], page["items"][-1]
    code, page = told("acknowledge", "6", first["key"], last["key"], "--reason", " by phone ")
    assert (code, page.pop("outcome"), page.pop("exit_code"), page.pop("open")) == (0, "acknowledged", 0, count - 2)
    assert page["items"] == [{**one, "acknowledged": "by phone"} for one in (first, last)]
    code, page = told("acknowledge", "6", "no such key", "--reason", "x")
    assert (code, page["outcome"], page["code"]) == (2, "failed", "unknown-item")
    ran = phase_command("acknowledge", "6", "--all", "--reason", "x", "--json", str(file), **where)
    assert (ran.code, len(json.loads(file.read_text())["items"])) == (0, count - 2)
    assert f"… and {count - 42:,} more; --json has them." in ran.said
    code, page = told("items", "6")
    assert (code, page["items"], page["open"]) == (0, [], 0)
    code, page = told("items", "6", "--all")
    assert [one["acknowledged"] for one in page["items"]].count("by phone") == 2
    assert len(page["items"]) == count


def test_of_a_rewrite_that_a_dump_has_not_nothing_is_acknowledged(moved_from_dump: Moved) -> None:
    moved = moved_from_dump
    where: dict[str, Any] = {"source": moved.source, "database": moved.database, "answers": moved.answers}
    ran = phase_command("acknowledge", "2", "--all", "--reason", "x", **where)
    assert (ran.code, "(source-not-live)" in ran.said, "Go on with run 3" in ran.said) == (2, True, True), ran.said


def test_acknowledge_without_a_key_is_a_usage_error(moved_from_dump: Moved, forked: None) -> None:
    moved = moved_from_dump
    where = {"source": moved.source, "database": moved.database, "answers": moved.answers}
    for words in (("--reason", "x"), ("key", "--all", "--reason", "x")):
        ran = phase_command("acknowledge", "1", *words, **where)
        assert (ran.code, "(which-ones)" in ran.said, "phase items 1" in ran.said) == (2, True, True), ran.said
