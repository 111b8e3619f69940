"""`isthmus letters retry` as a person runs it: exit codes, what is printed and written, what later commands say.

What becomes of rows and books is looked at in tests/integration/copy/test_retry_letters.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from bson import ObjectId

from tests.fix_dumps import MakeDump
from tests.integration.cli.conftest import Ran, RunCommand

BEGUN = """\
isthmus: 1
collections:
  Users: {fields: {name: text!, pin: {type: text, sensitive: true}, n: integer}}
  Posts: {fields: {user: {references: Users, on_orphan: "null"}}}
"""
CORRECTED = BEGUN.replace("n: integer", "n: {type: integer, coerce: true, sensitive: true}").replace(
    "name: text!", "name: {type: text, required: true, default: nobody}"
)
LATE, STAYS = ObjectId(), ObjectId()
USERS = [
    {"_id": ObjectId(), "name": "a", "n": 1},
    {"_id": LATE, "pin": "7419", "n": "31415"},
    {"_id": STAYS, "name": "c", "pin": "7419", "n": "no number 31415"},
]


@pytest.fixture
def copied(isthmus: RunCommand, make_dump: MakeDump, database: str, tmp_path: Path) -> Callable[..., Ran]:
    """Return a function that runs a command on a target that holds a copy with two dead letters."""
    (tmp_path / "begun.yaml").write_text(BEGUN)
    (tmp_path / "corrected.yaml").write_text(CORRECTED)
    dump = make_dump({"Users": USERS, "Posts": [{"_id": ObjectId(), "user": LATE}]})
    env = {"DATABASE_URL": database, "MONGODB_URI": str(dump)}
    ran = isthmus("copy", tmp_path / "begun.yaml", env=env)
    assert ran.code == 1, ran.all
    return lambda *arguments: isthmus(*arguments, env=env, cwd=tmp_path)


def test_retry_tells_what_it_carried_set_again_and_left(copied: Callable[..., Ran], tmp_path: Path) -> None:
    ran = copied("letters", "retry", "corrected.yaml", "--json", "retry.json")
    assert ran.code == 1, ran.all
    assert "1 of 2 dead letters of run 1 carried, 1 left" in ran.out
    assert "posts.user" in ran.out
    assert "1 dead letter in Users: type (convert)" in ran.out
    assert "isthmus letters list" in ran.out
    assert "31415" not in ran.all
    data = json.loads((tmp_path / "retry.json").read_text())
    assert (data["run"], data["outcome"], data["exit_code"]) == (1, "complete", 1)
    assert data["collections"] == {"Users": {"tried": 2, "carried": 1, "skipped": 0, "left": 1, "untried": 0}}
    assert data["references"] == {"posts.user": {"restored": 1, "not_restored": 0}}
    assert data["left"] == [{"collection": "Users", "stage": "convert", "code": "type", "count": 1}]
    assert data["balance"]["differences"] == []
    again = copied("letters", "retry", "corrected.yaml")
    assert again.code == 1
    assert "0 of 1 dead letter of run 1 carried, 1 left" in again.out


def test_later_commands_know_both_mappings(copied: Callable[..., Ran]) -> None:
    refused = copied("copy", "corrected.yaml")
    assert (refused.code, "mapping-changed" in refused.err) == (2, True)
    copied("letters", "retry", "corrected.yaml")
    for mapping in ("begun.yaml", "corrected.yaml"):
        ran = copied("copy", mapping)
        assert ran.code == 0, ran.all
        assert "nothing was written" in ran.out
    status = copied("status", "--json", "-")
    assert status.code == 0
    (retried,) = json.loads(status.out)["retries"]
    assert retried["carried"] == {"Users": 1}
    assert retried["ended_at"]
    assert "mapping_text" not in retried
    assert "1 dead letter carried" in copied("status").out


def test_what_any_of_its_mappings_calls_sensitive_is_hidden(copied: Callable[..., Ran]) -> None:
    assert "31415" in copied("letters", "export").out, "the first mapping shows it"
    copied("letters", "retry", "corrected.yaml")
    for command in (("list",), ("show", "2"), ("export",)):
        ran = copied("letters", *command)
        assert ran.code == 0, ran.all
        assert "31415" not in ran.all, command
        assert "7419" not in ran.all, command
        assert str(STAYS) in ran.all
    assert "31415" in copied("letters", "export", "--show-sensitive").out


def test_refusals_name_what_to_do_and_leave_json(
    copied: Callable[..., Ran], make_dump: MakeDump, tmp_path: Path
) -> None:
    (tmp_path / "other.yaml").write_text(BEGUN.replace("n: integer", "n: bigint"))
    ran = copied("letters", "retry", "other.yaml", "--json", "-")
    assert ran.code == 2
    assert "other-shape" in ran.err
    assert "integer; this mapping wants bigint" in ran.err
    assert {**json.loads(ran.out), "error": ""}["code"] == "other-shape"
    other = make_dump({"Users": USERS}, database="elsewhere")
    ran = copied("letters", "retry", "corrected.yaml", "--source", other)
    assert (ran.code, "source-differs" in ran.err) == (3, True), ran.all
    assert copied("letters", "retry", "missing.yaml").code == 2
    same = tmp_path / "dump" / "shop"
    assert copied("letters", "retry", "corrected.yaml", "--source", same, "--code", "nul").code == 1
    assert "0 of 0" in copied("letters", "retry", "corrected.yaml", "--code", "nul").out


def test_target_without_letters_has_nothing_to_retry(copied: Callable[..., Ran], database: str, tmp_path: Path) -> None:
    (tmp_path / "skips.yaml").write_text(
        CORRECTED.replace("Users: {fields", "Users: {skip: [{when: {pin: {present: true}}, why: known}], fields")
    )
    ran = copied("letters", "retry", "skips.yaml")
    assert ran.code == 0, ran.all
    assert "0 of 2 dead letters of run 1 carried, 2 left behind by a skip rule, none is left" in ran.out
    ran = copied("letters", "retry", "skips.yaml")
    assert (ran.code, "has no dead letters" in ran.out) == (0, True)
    with psycopg.connect(database) as connection:
        row = connection.execute("SELECT balance -> 'collections' -> 'Users', told_at FROM isthmus.run").fetchone()
    assert row is not None
    assert (row[0]["skipped"], row[0]["dead_letters"], row[1] is not None) == (2, 0, True)
