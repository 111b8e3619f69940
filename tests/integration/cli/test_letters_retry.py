"""`isthmus letters retry` as a person runs it: exit codes, what is printed and written, what later commands say.

What becomes of rows and books is looked at in tests/integration/copy/test_retry_letters.py.
"""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from bson import ObjectId
from rich.console import Console

from isthmus.cli.retry_letters import show_retry
from isthmus.transfer.letters.result import RetryResult
from tests.fix_dumps import MakeDump
from tests.fix_mongo import MongoDatabase
from tests.integration.cli.conftest import Ran, RunCommand
from tests.integration.copy.carrying import World, listening

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
    {"_id": LATE, "pin": "Qx7w", "n": "314159265"},
    {"_id": STAYS, "name": "c", "pin": "Qx7w", "n": "no number 314159265"},
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
    table = [line.split() for line in ran.out.splitlines() if line.startswith(("collection", "Users ", "posts.user "))]
    assert table == [
        ["collection", "tried", "carried", "skipped", "left"],
        ["Users", "2", "1", "–", "1"],
        ["posts.user", "1", "–"],
    ]
    assert "isthmus letters list" in ran.out
    assert "314159265" not in ran.all
    data = json.loads((tmp_path / "retry.json").read_text())
    assert (data["run"], data["outcome"], data["exit_code"]) == (1, "complete", 1)
    assert data["collections"] == {"Users": {"tried": 2, "carried": 1, "skipped": 0, "left": 1, "untried": 0}}
    assert data["references"] == {"posts.user": {"restored": 1, "not_restored": 0}}
    assert data["left"] == [{"collection": "Users", "stage": "convert", "code": "type", "count": 1}]
    assert data["balance"]["differences"] == []
    again = copied("letters", "retry", "corrected.yaml")
    assert again.code == 1
    assert "0 of 1 dead letter of run 1 carried, 1 left" in again.out


def test_letters_that_were_not_asked_for_are_told_apart(copied: Callable[..., Ran], tmp_path: Path) -> None:
    ran = copied("letters", "retry", "corrected.yaml", "--code", "required", "--json", "retry.json")
    assert ran.code == 1, ran.all
    assert json.loads((tmp_path / "retry.json").read_text())["left"]
    assert "Why they stay:" not in ran.out
    heading, line = ran.out.partition("Not asked for")[2].splitlines()[:2]
    assert heading.endswith("and not tried:")
    assert line == "  1 dead letter in Users: type (convert)"
    ran = copied("letters", "retry", "corrected.yaml", "--code", "type")
    assert "Not asked for" not in ran.out
    assert "Why they stay:\n  1 dead letter in Users: type (convert)" in ran.out


def test_sum_of_several_collections_is_told() -> None:
    shown = io.StringIO()
    result = RetryResult(
        run=1,
        outcome="complete",
        tried={"A": 3, "B": 2},
        carried={"A": 1, "B": 2},
        left=[("A", "convert", "type", 2), ("C", "convert", "nul", 4)],
    )
    show_retry(Console(file=shown, width=120), result, "embedded:pg")
    lines = [line.split() for line in shown.getvalue().splitlines()]
    assert ["all", "5", "3", "–", "6"] in lines
    assert lines.index(["Why", "they", "stay:"]) < lines.index(
        ["2", "dead", "letters", "in", "A:", "type", "(convert)"]
    )
    assert lines[lines.index(["4", "dead", "letters", "in", "C:", "nul", "(convert)"]) - 1][:2] == ["Not", "asked"]


def test_later_commands_know_both_mappings(copied: Callable[..., Ran]) -> None:
    refused = copied("copy", "corrected.yaml")
    assert (refused.code, "mapping-changed" in refused.err) == (2, True)
    assert "isthmus letters retry MAPPING --target TARGET" in refused.err
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
    assert "314159265" in copied("letters", "export").out, "the first mapping shows it"
    copied("letters", "retry", "corrected.yaml")
    for command in (("list",), ("show", "2"), ("export",)):
        ran = copied("letters", *command)
        assert ran.code == 0, ran.all
        assert "314159265" not in ran.all, command
        assert "Qx7w" not in ran.all, command
        assert str(STAYS) in ran.all
    assert "314159265" in copied("letters", "export", "--show-sensitive").out


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


def test_source_that_is_gone_is_not_missed_unless_it_is_named(copied: Callable[..., Ran], tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "dump")
    refused = copied("letters", "retry", "corrected.yaml", "--source", tmp_path / "dump" / "shop", "--json", "-")
    assert refused.code == 3, refused.all
    assert {**json.loads(refused.out), "error": ""}["exit_code"] == 3
    assert json.loads(copied("letters", "list", "--json", "-").out)["total"] == 2
    ran = copied("letters", "retry", "corrected.yaml")
    assert (ran.code, "1 of 2 dead letters of run 1 carried" in ran.out) == (1, True), ran.all


def test_document_that_was_repaired_in_the_source_is_not_carried_by_a_retry(
    copied: Callable[..., Ran], make_dump: MakeDump
) -> None:
    make_dump({"Users": [{**user, "name": "repaired", "n": 5} for user in USERS], "Posts": []})
    copied("letters", "retry", "corrected.yaml")
    (line,) = map(json.loads, copied("letters", "export").out.splitlines())
    assert line["document"]["name"] == "c"


def test_retry_tries_what_it_is_asked_for_only(copied: Callable[..., Ran], database: str) -> None:
    ran = copied("letters", "retry", "corrected.yaml", "--collection", "Posts")
    assert (ran.code, "0 of 0" in ran.out) == (1, True), ran.all
    ran = copied("letters", "retry", "corrected.yaml", "--collection", "Users", "--code", "required")
    assert (ran.code, "1 of 1 dead letter of run 1 carried, 1 left" in ran.out) == (1, True), ran.all
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM users").fetchone() == (2,)


def test_rows_that_were_carried_before_stay_as_they_are(copied: Callable[..., Ran], database: str) -> None:
    with psycopg.connect(database) as connection:
        before = connection.execute("SELECT xmin, * FROM users").fetchall()
        connection.rollback()
        ran = copied("letters", "retry", "corrected.yaml")
        assert "Rows that were carried before stay as they are" in ran.out
        assert set(before) < set(connection.execute("SELECT xmin, * FROM users").fetchall())


def test_numbers_go_on_behind_a_fresh_copy(copied: Callable[..., Ran]) -> None:
    def numbers() -> list[int]:
        return [one["id"] for one in json.loads(copied("letters", "list", "--json", "-").out)["letters"]]

    before = numbers()
    assert copied("copy", "begun.yaml", "--fresh").code == 1
    assert sorted({*before, *numbers()}) == [1, 2, 3, 4]
    assert copied("letters", "show", "1").code == 2
    assert "Dead letter 3" in copied("letters", "show", "3").out


def test_letter_whose_bytes_are_no_document_is_written_as_hex_and_stays(
    copied: Callable[..., Ran], database: str
) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            r"UPDATE isthmus.dead_letter SET document = '\x0500' WHERE source_id_text = %s", [str(STAYS)]
        )
    ran = copied("letters", "retry", "corrected.yaml")
    assert (ran.code, "1 of 2 dead letters of run 1 carried, 1 left" in ran.out) == (1, True), ran.all
    (line,) = map(json.loads, copied("letters", "export", "--show-sensitive").out.splitlines())
    assert (line["source_id"], line["document"]) == (str(STAYS), "0500")
    (line,) = map(json.loads, copied("letters", "export").out.splitlines())
    assert line["document"].startswith("(hidden: unreadable bytes")


THINGS = "isthmus: 1\ncollections: {Things: {fields: {n: {type: integer, unique: true}, m: integer}}}\n"


def test_letter_without_bytes_stays_and_is_told_through_every_command(
    isthmus: RunCommand, database: str, mongo: MongoDatabase, tmp_path: Path
) -> None:
    (tmp_path / "things.yaml").write_text(THINGS)
    (tmp_path / "corrected.yaml").write_text(THINGS.replace("m: integer", "m: {type: integer, coerce: true}"))
    kept, gone, late = sorted(ObjectId() for _ in range(3))
    mongo.write({"Things": [{"_id": kept, "n": 1}, {"_id": gone, "n": 1}, {"_id": late, "n": 2, "m": "3"}]})

    def remove(stage: str) -> None:
        if stage == "copy.complete":
            mongo.client[mongo.name]["Things"].delete_one({"_id": gone})

    with listening(remove):
        World(database, mongo.url).copy(THINGS)  # pyright: ignore[reportArgumentType]  the source's address
    env = {"DATABASE_URL": database}

    def told() -> dict[str, object]:
        assert str(gone) in isthmus("letters", "list", "--code", "original-gone", env=env).out
        (line,) = map(json.loads, isthmus("letters", "export", "--code", "original-gone", env=env).out.splitlines())
        assert (line["source_id"], line["document"]) == (str(gone), None)
        assert {cause["code"] for cause in line["causes"]} == {"original-gone", "duplicate-key"}
        return line

    before = told()
    ran = isthmus("letters", "retry", tmp_path / "corrected.yaml", env=env)
    assert (ran.code, "1 of 2 dead letters of run 1 carried, 1 left" in ran.out) == (1, True), ran.all
    assert "1 dead letter in Things: original-gone" in ran.out
    assert told() == before
    again = isthmus("letters", "retry", tmp_path / "corrected.yaml", "--code", "original-gone", env=env)
    assert (again.code, "0 of 1 dead letter of run 1 carried, 1 left" in again.out) == (1, True), again.all
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT n, m FROM things ORDER BY n").fetchall() == [(1, None), (2, 3)]


HIDING = """\
isthmus: 1
collections:
  Users:
    on_duplicate: merge
    fields:
      mail: {type: text, unique: true, sensitive: true}
      phone: {type: text, unique: true}
      boss: {references: Users.mail, sensitive: true, on_orphan: dead_letter}
      city: {type: text, sensitive: true}
      n: {type: integer, coerce: COERCE}
      m: integer
"""


def test_letters_that_are_joined_or_refer_by_a_sensitive_field_show_no_sensitive_value(
    isthmus: RunCommand, make_dump: MakeDump, database: str, tmp_path: Path
) -> None:
    (tmp_path / "begun.yaml").write_text(HIDING.replace("COERCE", "false"))
    (tmp_path / "corrected.yaml").write_text(
        HIDING.replace("COERCE", "true").replace("m: integer", "m: {type: integer, sensitive: true}")
    )
    first, second, before, joined, between, lost = sorted(ObjectId() for _ in range(6))
    dump = make_dump(
        {
            "Users": [
                {"_id": first, "mail": "zq-one", "city": "zq-rome", "m": 314159265},
                {"_id": second, "phone": "2"},
                {"_id": before, "mail": "zq-one", "m": 161803398},
                {"_id": joined, "mail": "zq-one", "city": "zq-oslo", "n": "3", "m": 271828182},
                {"_id": between, "mail": "zq-one", "phone": "2", "n": "4"},
                {"_id": lost, "n": "5", "boss": "zq-nobody", "city": None},
            ]
        }
    )
    env = {"DATABASE_URL": database}
    isthmus("copy", tmp_path / "begun.yaml", "-s", dump, env=env)
    ran = isthmus("letters", "retry", tmp_path / "corrected.yaml", env=env)
    assert "1 of 3 dead letters of run 1 carried, 2 left" in ran.out, ran.all
    left = {line["source_id"]: line for line in map(json.loads, isthmus("letters", "export", env=env).out.splitlines())}
    assert {one: line["code"] for one, line in left.items()} == {str(between): "duplicate-key", str(lost): "orphan"}
    assert (left[str(lost)]["document"]["boss"], left[str(lost)]["document"]["city"]) == ("(hidden)", None)
    for command in (
        *(("letters", "list"), ("letters", "show", "3"), ("letters", "export"), ("letters", "list", "--json", "-")),
        *(("conflicts", "list"), ("conflicts", "list", "--json", "-"), ("orphans", "list"), ("status",)),
    ):
        shown = isthmus(*command, env=env)
        assert shown.code == 0, shown.all
        assert not [word for word in ("zq-", "314159265", "271828182", "161803398") if word in shown.all], (
            command,
            shown.all,
        )
    asked = isthmus("letters", "export", "--show-sensitive", env=env).out
    assert "zq-one" in asked
    assert "zq-nobody" in asked
    assert "zq-oslo" in isthmus("conflicts", "list", "--show-sensitive", "--json", "-", env=env).out
