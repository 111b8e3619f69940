"""Every command: help, exit codes, what is data and what is talk, JSON shapes.

Oracle: the CLI contract (DESIGN section 11) written out here. Blind spot: the words in tables for people.
"""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bson
import pytest

from isthmus.state.lease import Lease
from tests.fix_dumps import write_collection
from tests.fix_postgres import create_database, drop_database
from tests.integration.cli.conftest import COMMAND, MAPPING, RunCommand, run_command
from tests.integration.copy.carrying import oid

COMMANDS = [
    *((), ("demo",), ("check",), ("ddl",), ("copy",), ("status",)),
    *(("letters",), ("letters", "list"), ("letters", "show"), ("letters", "export")),
    *(("orphans",), ("orphans", "list"), ("ids",), ("ids", "lookup"), ("ids", "export")),
]


class Copied:
    """A target with one complete run, shared by tests that only look."""

    def __init__(self, conninfo: str, folder: Path) -> None:
        self.conninfo = conninfo
        self.folder = folder
        self.mapping = folder / "mapping.yaml"
        self.dump = folder / "dump" / "shop"


@pytest.fixture(scope="module")
def copied(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copied]:
    folder = tmp_path_factory.mktemp("copied")
    conninfo = create_database(postgres)
    found = Copied(conninfo, folder)
    found.mapping.write_text(MAPPING)
    users: list[dict[str, Any]] = [
        {"_id": oid(n), "name": f"user {n}", "posts": [oid(101)], "notes": [{"text": "x"}]} for n in range(1, 61)
    ]
    users += [{"_id": f"text {n}", "name": None} for n in range(60)]
    posts = [{"_id": n, "title": "t", "user": oid(900 + n)} for n in range(60)] + [{"_id": oid(101), "user": oid(1)}]
    write_collection(found.dump, "Users", users)
    write_collection(found.dump, "Posts", posts)
    ran = run_command(folder, "copy", found.mapping, "-s", found.dump, "-t", conninfo, "--json", "copy.json")
    assert ran.code == 1, ran.all
    yield found
    drop_database(postgres, conninfo)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command) or "isthmus")
def test_help_says_what_a_command_does_on_standard_output(started: RunCommand, command: tuple[str, ...]) -> None:
    ran = started(*command, "--help", env={"COLUMNS": "80"})
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("Usage: isthmus")
    assert max(map(len, ran.out.splitlines())) <= 110
    short = started(*command, "-h")
    assert short.code == 0


def test_usage_mistakes_are_told_on_standard_error_with_exit_two(isthmus: RunCommand, copied: Copied) -> None:
    mistakes: list[tuple[object, ...]] = [
        ("nonsense",),
        ("copy",),
        ("copy", copied.mapping, "-s", copied.dump),
        ("copy", copied.mapping, "-s", copied.dump, "-t", copied.conninfo, "--workers", "0"),
        ("copy", copied.mapping, "-s", copied.dump, "-t", copied.conninfo, "--memory", "much"),
        ("copy", copied.mapping, "-s", copied.dump, "-t", copied.conninfo, "--id-key", "nowhere"),
        ("copy", "nowhere.yaml", "-s", copied.dump, "-t", copied.conninfo),
        ("copy", copied.dump, "-s", copied.dump, "-t", copied.conninfo),
        ("letters", "show", "x", "-t", copied.conninfo),
        ("letters", "show", "99999", "-t", copied.conninfo),
        ("ddl", copied.mapping, "--format", "nonsense"),
        ("status",),
    ]
    for mistake in mistakes:
        ran = isthmus(*mistake)
        assert ran.code == 2, (mistake, ran.all)
        assert ran.out == "", mistake
        assert ran.err.strip(), mistake


def test_version_is_data(isthmus: RunCommand) -> None:
    ran = isthmus("--version")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("isthmus 0.")


def test_copy_json_has_the_shape_of_the_contract(copied: Copied) -> None:
    report = json.loads((copied.folder / "copy.json").read_text())
    assert {"run", "outcome", "resumed", "seconds", "collections", "junctions", "references"} <= set(report)
    assert (report["run"], report["outcome"], report["resumed"], report["exit_code"]) == (1, "complete", False, 1)
    assert isinstance(report["seconds"], float)
    users = report["collections"]["Users"]
    assert set(users) >= {"read", "copied", "merged", "kept", "skipped", "dead_letters", "tables"}
    assert users == {
        **users,
        "read": 120,
        "copied": 60,
        "merged": 0,
        "kept": 0,
        "skipped": 0,
        "dead_letters": 60,
        "tables": {"users": 60, "user_notes": 60},
    }
    assert report["junctions"] == {"likes": 60}
    for books in report["references"].values():
        assert {"values", "resolved", "pending", "orphans"} <= set(books)
    assert report["references"]["posts.user_id"] == {
        **report["references"]["posts.user_id"],
        "values": 61,
        "resolved": 1,
        "pending": 0,
        "orphans": 60,
    }
    assert set(report["references"]) == {"posts.user_id", "likes.post_id"}
    assert report["balance"]["balanced"] is True


def test_json_goes_to_standard_output_or_a_file_and_tables_make_room(
    isthmus: RunCommand, copied: Copied, tmp_path: Path
) -> None:
    again = ("copy", copied.mapping, "-s", copied.dump, "-t", copied.conninfo)
    ran = isthmus(*again, "--json", "-")
    assert ran.code == 0
    assert json.loads(ran.out)["repeated"] is True
    assert "nothing was written" in ran.err
    ran = isthmus(*again, "--json", tmp_path / "out.json")
    assert "nothing was written" in ran.out
    assert json.loads((tmp_path / "out.json").read_text())["outcome"] == "complete"
    ran = isthmus(*again, "--json", tmp_path / "no such folder" / "out.json")
    assert ran.code == 2, ran.all
    assert "no such folder" in ran.err


def test_status_tells_the_state_of_a_complete_run_and_of_none(
    isthmus: RunCommand, copied: Copied, database: str
) -> None:
    ran = isthmus("status", "-t", copied.conninfo, "--json", "-")
    assert ran.code == 0
    report = json.loads(ran.out)
    assert (report["run"], report["stage"], report["running"]) == (1, "complete", False)
    assert report["collections"]["Users"]["read"] == 120
    assert report["letters"] == [{"run": 1, "collection": "Users", "stage": "convert", "code": "required", "count": 60}]
    assert report["orphans"][0]["count"] == 60
    told = isthmus("status", env={"DATABASE_URL": copied.conninfo})
    assert told.code == 0
    assert "complete" in told.out
    for word in ("Users", "Posts", "60 dead letters", "60 orphans"):
        assert word in told.out
    for command in (("status",), ("letters", "list"), ("orphans", "list"), ("ids", "export"), ("ids", "lookup", "x")):
        ran = isthmus(*command, "-t", database)
        assert (ran.code, ran.out) == (4, ""), command
        assert "no run of Isthmus" in ran.err


def test_commands_that_only_look_make_no_embedded_server(isthmus: RunCommand, copied: Copied, short_path: Path) -> None:
    (short_path / "empty").mkdir()
    looks: list[tuple[object, ...]] = [
        *(("status",), ("letters", "list"), ("letters", "show", 1), ("letters", "export"), ("orphans", "list")),
        *(("ids", "lookup", "x"), ("ids", "export"), ("check", copied.mapping, "-s", copied.dump)),
    ]
    for folder in (short_path / "missing", short_path / "empty"):
        for look in looks:
            ran = isthmus(*look, "--target", f"embedded:{folder}")
            assert (ran.code, ran.out) == (4, ""), look
            assert "error (no-such-target)" in ran.err, look
            assert f"{folder}: There is no embedded server in this folder." in ran.err, look
            assert "isthmus copy makes" in ran.err, look
    assert [path.name for path in short_path.rglob("*")] == ["empty"]
    ran = isthmus("check", copied.mapping, "-t", f"embedded:{short_path / 'missing'}", "--json", "-")
    (finding,) = json.loads(ran.out)["findings"]
    assert (finding["code"], finding["exit_code"]) == ("no-such-target", 4)


def test_letters_list_shows_a_page_and_json_gives_all(isthmus: RunCommand, copied: Copied) -> None:
    ran = isthmus("letters", "list", "-t", copied.conninfo, "--limit", "5")
    assert (ran.code, ran.out.count("(convert)")) == (0, 5)
    assert "5 of 60 shown" in ran.err
    report = json.loads(isthmus("letters", "list", "-t", copied.conninfo, "--json", "-").out)
    assert (report["total"], len(report["letters"])) == (60, 60)
    assert set(report["letters"][0]) == {
        *("id", "collection", "source_id", "location", "stage", "code", "path", "message", "size_bytes", "created_at"),
        *("acknowledged", "run"),
    }
    assert "No dead letters" in isthmus("letters", "list", "-t", copied.conninfo, "--code", "nul").out
    assert isthmus("letters", "list", "-t", copied.conninfo, "-c", "Posts").code == 0


def test_letters_show_and_export_give_the_document(isthmus: RunCommand, copied: Copied, tmp_path: Path) -> None:
    ran = isthmus("letters", "show", "1", "-t", copied.conninfo, "--json", "-")
    letter = json.loads(ran.out)
    assert letter["document"] == {"_id": "text 0", "name": None}
    assert letter["causes"][0]["code"] == "required"
    assert "Users.bson at byte" in isthmus("letters", "show", "1", "-t", copied.conninfo).out
    ran = isthmus("letters", "export", "-t", copied.conninfo)
    lines = [json.loads(line) for line in ran.out.splitlines()]
    assert [line["document"]["_id"] for line in lines] == [f"text {n}" for n in range(60)]
    assert "60 dead letters written" in ran.err
    isthmus("letters", "export", "-t", copied.conninfo, "-o", tmp_path / "letters.jsonl", "--code", "required")
    assert len((tmp_path / "letters.jsonl").read_text().splitlines()) == 60


def test_orphans_list_shows_a_page_and_json_gives_all(isthmus: RunCommand, copied: Copied) -> None:
    ran = isthmus("orphans", "list", "-t", copied.conninfo, "--limit", "3")
    assert ran.code == 0
    assert "3 of 60 shown" in ran.err
    assert ran.out.count("posts.user_id") == 3
    report = json.loads(isthmus("orphans", "list", "-t", copied.conninfo, "--json", "-", "--table", "posts").out)
    assert (report["total"], len(report["orphans"])) == (60, 60)
    assert {orphan["old_id"] for orphan in report["orphans"]} == {str(oid(900 + n)) for n in range(60)}
    assert report["orphans"][0]["by_default"] is True


def test_ids_export_is_complete_and_lookup_goes_both_ways(isthmus: RunCommand, copied: Copied, tmp_path: Path) -> None:
    ran = isthmus("ids", "export", "-t", copied.conninfo)
    rows = list(csv.DictReader(io.StringIO(ran.out)))
    assert len(rows) == 121
    assert "121 ids written" in ran.err
    chosen = [next(row for row in rows if row["source_id"] == source) for source in (str(oid(7)), '{"$numberInt":"5"}')]
    for row in chosen:
        there = json.loads(isthmus("ids", "lookup", row["source_id"], "-t", copied.conninfo, "--json", "-").out)
        assert row["id"] in {known["id"] for known in there}
        back = json.loads(isthmus("ids", "lookup", row["id"], "-t", copied.conninfo, "--json", "-").out)
        assert row["source_id"] in {known["source_id"] for known in back}
    assert isthmus("ids", "lookup", "nobody", "-t", copied.conninfo).code == 1
    for strange in ('{"$date": {"$numberLong": "9999999999999999"}}', "{broken", "[" * 5000):
        assert isthmus("ids", "lookup", strange, "-t", copied.conninfo).code in {1, 2}
    key = isthmus("ids", "export", "--key", "-t", copied.conninfo)
    assert len(bytes.fromhex(key.out.strip())) == 32
    isthmus("ids", "export", "--key", "-t", copied.conninfo, "-o", tmp_path / "key")
    assert (tmp_path / "key").stat().st_mode & 0o077 == 0


def test_output_into_a_pipe_that_closes_ends_quietly(copied: Copied) -> None:
    for command in ("letters export", "letters list --json -", "ids export", "ddl"):
        what = f"'{copied.mapping}'" if command == "ddl" else ""
        done = subprocess.run(
            ["bash", "-c", f'{COMMAND} {command} {what} | head -c 20 >/dev/null; echo "${{PIPESTATUS[0]}}"'],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "DATABASE_URL": copied.conninfo},
        )
        assert "Traceback" not in done.stderr, done.stderr
        assert "BrokenPipe" not in done.stderr, done.stderr
        assert done.stdout.strip() == "0", command


def test_tables_keep_their_lines_in_a_pipe_and_fit_a_narrow_terminal(isthmus: RunCommand, copied: Copied) -> None:
    wide = isthmus("status", "-t", copied.conninfo).out
    assert any("Users" in line and "120" in line and "60" in line for line in wide.splitlines())
    letters = isthmus("letters", "list", "-t", copied.conninfo, "--limit", "1").out
    assert "\x1b" not in wide + letters


def test_check_and_ddl_touch_nothing(isthmus: RunCommand, copied: Copied, database: str) -> None:
    ran = isthmus("check", copied.mapping, "--source", copied.dump, "--target", database)
    assert ran.code == 0, ran.all
    assert "2 collections become 4 tables (2 root, 1 child, 1 junction)" in ran.out
    ran = isthmus("check", copied.mapping, "--source", copied.dump.parent, "--db", "nothere")
    assert ran.code == 3
    ran = isthmus("check", copied.mapping, "--target", copied.conninfo)
    assert (ran.code, ran.err) == (0, "")
    assert "Run 1 of this mapping made these tables; it is complete." in ran.out
    ddl = isthmus("ddl", copied.mapping)
    assert ddl.code == 0
    assert 'CREATE TABLE "public"."users"' in ddl.out
    python = isthmus("ddl", copied.mapping, "--format", "sqlalchemy")
    compile(python.out, "ddl", "exec")


MISTAKES = """\
isthmus: 1
collections:
  Users:
    fields:
      name: txt
      age: {type: integer, requird: true}
      boss: {references: Userz}
"""


def test_mapping_mistakes_are_all_told_with_line_and_suggestion_and_nothing_is_written(
    isthmus: RunCommand, write_mapping: Callable[[str], Path], copied: Copied, database: str
) -> None:
    path = write_mapping(MISTAKES)
    for command in (("check", path), ("ddl", path), ("copy", path, "-s", copied.dump, "-t", database)):
        ran = isthmus(*command)
        assert (ran.code, ran.out) == (2, ""), ran.all
        for words in ("mapping.yaml:5", "text", "mapping.yaml:6", "required", "mapping.yaml:7", "Users"):
            assert words in ran.err, (words, ran.err)
    assert "no run of Isthmus" in isthmus("status", "-t", database).err


def test_source_mistakes_exit_three(isthmus: RunCommand, copied: Copied, database: str, tmp_path: Path) -> None:
    (tmp_path / "void").mkdir()
    for source in (tmp_path / "nowhere", tmp_path / "void", copied.mapping, copied.dump.with_name("shopp")):
        ran = isthmus("copy", copied.mapping, "-s", source, "-t", database)
        assert ran.code in {2, 3}, (source, ran.all)
        assert ran.out == ""
    ran = isthmus("copy", copied.mapping, "-s", copied.dump.parent, "-t", database, "--db", "shopp")
    assert ran.code == 3
    assert "shop" in ran.err
    assert "no run of Isthmus" in isthmus("status", "-t", database).err


def test_addresses_come_from_the_environment_and_progress_is_plain_lines_without_a_terminal(
    isthmus: RunCommand, copied: Copied, database: str
) -> None:
    ran = isthmus("copy", copied.mapping, env={"MONGODB_URI": str(copied.dump), "DATABASE_URL": database})
    assert ran.code == 1, ran.all
    assert "The books balance, but not everything was carried" in ran.out
    assert "letters list" in ran.out
    assert "\x1b" not in ran.all
    assert "\r" not in ran.all


def test_broken_dump_exits_three_tells_how_to_go_on_and_status_shows_it(
    isthmus: RunCommand, write_mapping: Callable[[str], Path], database: str, tmp_path: Path
) -> None:
    folder = tmp_path / "dump" / "shop"
    whole = [bson.encode({"_id": oid(n), "name": "n"}) for n in range(5)]
    path = write_mapping("isthmus: 1\ncollections: {Users: {fields: {name: text}}, Fine: {fields: {name: text}}}\n")
    data = write_collection(folder, "Users", [*whole[:3], whole[3][:9]])
    write_collection(folder, "Fine", whole)
    command = ("copy", path, "-s", folder, "-t", database)
    ran = isthmus(*command, "--json", "-")
    assert ran.code == 3, ran.all
    report = json.loads(ran.out)
    assert (report["outcome"], report["collections"]["Users"]["copied"]) == ("failed", 3)
    assert "Users.bson" in report["broken"]["Users"]
    assert f"byte {len(whole[0]) * 3}" in ran.err
    assert "run the same command again" in ran.err
    status = isthmus("status", "-t", database)
    assert "Run the same isthmus copy again" in status.out
    assert "Run 1: not complete, nothing works on it now (stage copying)" in status.out
    assert json.loads(isthmus("status", "-t", database, "--json", "-").out)["stage"] == "copying"
    data.write_bytes(b"".join(whole))
    ran = isthmus(*command, "--json", "-")
    assert ran.code == 0, ran.all
    report = json.loads(ran.out)
    assert (report["resumed"], report["collections"]["Users"]["copied"]) == (True, 5)


def test_status_and_a_second_copy_see_that_an_isthmus_is_at_work(isthmus: RunCommand, copied: Copied) -> None:
    lease = Lease(copied.conninfo)
    lease.acquire()
    try:
        ran = isthmus("status", "-t", copied.conninfo, "--json", "-")
        assert (ran.code, json.loads(ran.out)["running"]) == (0, True)
        assert "at work now" in ran.err
        ran = isthmus("copy", copied.mapping, "-s", copied.dump, "-t", copied.conninfo)
        assert (ran.code, ran.out) == (4, "")
        assert "Another isthmus is writing" in ran.err
    finally:
        lease.release()
    assert json.loads(isthmus("status", "-t", copied.conninfo, "--json", "-").out)["running"] is False


def test_id_that_nothing_has_is_exit_one_and_a_dead_letter_is_named(isthmus: RunCommand, copied: Copied) -> None:
    target = ("-t", copied.conninfo)
    ran = isthmus("ids", "lookup", "f" * 24, *target)
    assert (ran.code, "No row and no dead letter has this id" in ran.out, "derived" in ran.out) == (1, True, True)
    derived = json.loads(isthmus("ids", "lookup", "f" * 24, *target, "--json", "-").out)[0]["id"]
    assert isthmus("ids", "lookup", derived, *target).code == 1
    ran = isthmus("ids", "lookup", "text 3", *target)
    assert (ran.code, "Dead letter 4 has this _id: isthmus letters show 4" in ran.out) == (0, True), ran.all
    (known,) = json.loads(isthmus("ids", "lookup", "text 3", *target, "--json", "-").out)
    assert (known["collection"], known["tables"], known["dead_letters"]) == ("Users", [], [4])
    assert isthmus("ids", "lookup", "text 3", *target, "-c", "Posts").code == 1
    (known,) = json.loads(isthmus("ids", "lookup", str(oid(101)), *target, "--json", "-").out)
    assert (known["collection"], known["tables"], known["dead_letters"]) == ("Posts", ["posts"], [])


def test_filter_that_no_dead_letter_matches_is_told_with_what_there_is(isthmus: RunCommand, copied: Copied) -> None:
    ran = isthmus("letters", "list", "-t", copied.conninfo, "--code", "nil", "-c", "Users")
    assert ran.code == 0
    assert "No dead letters match --collection Users and --code nil." in ran.out
    assert [line.split() for line in ran.out.splitlines()[1:]] == [["collections", "Users"], ["codes", "required"]]


def test_commands_that_only_read_ask_where_from(isthmus: RunCommand) -> None:
    for command in (("status",), ("letters", "list"), ("orphans", "list"), ("ids", "lookup")):
        words = " ".join(isthmus(*command, "--help").out.split())
        assert ("Where to read the run from" in words, "Where to write" in words) == (True, False), command
    assert "Where to write" in " ".join(isthmus("copy", "--help").out.split())


def test_size_that_is_none_is_refused_by_the_name_of_its_option(isthmus: RunCommand) -> None:
    ran = isthmus("copy", "m.yaml", "-s", "x", "-t", "y", "--memory", "lots")
    assert (ran.code, "--memory" in ran.err, "'lots' is no size" in ran.err) == (2, True, True), ran.all
    ran = isthmus("copy", "m.yaml", "-s", "x", "-t", "y", env={"ISTHMUS_MEMORY": "many"})
    assert (ran.code, "--memory" in ran.err, "'many' is no size" in ran.err) == (2, True, True), ran.all
