"""What commands say of a run that is complete but fell short, of one that is not complete, and to who may not look.

Oracle: the books that the copy itself printed, and DESIGN section 11.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from isthmus.state.lease import Lease
from tests.chaos.sessions import Copy
from tests.integration.cli.conftest import MAPPING, RunCommand
from tests.integration.copy.carrying import World, listening, oid

USERS: list[dict[str, Any]] = [
    {"_id": oid(n), "name": f"user {n}", "posts": [oid(101)], "notes": [{"text": "a"}, {"text": "b"}]}
    for n in (1, 2, 3)
]
POSTS: list[dict[str, Any]] = [{"_id": oid(101), "title": "t", "user": oid(1)}]
BAD_USER: dict[str, Any] = {"_id": oid(9), "name": None}
ORPHAN: dict[str, Any] = {"_id": oid(102), "title": "t", "user": oid(77)}


@pytest.fixture
def world(database: str, tmp_path: Path) -> World:
    made = World(database, tmp_path / "dump" / "shop")
    made.write({"Users": USERS, "Posts": POSTS})
    return made


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    path = tmp_path / "mapping.yaml"
    path.write_text(MAPPING)
    return path


def complete_untold(world: World) -> None:
    """Carry everything in a process that dies between the end of the run and its output."""

    def die(stage: str) -> None:
        if stage == "complete.after-commit":
            raise KeyboardInterrupt

    with suppress(KeyboardInterrupt), listening(die):
        world.copy(MAPPING)
    assert world.rows("SELECT stage, told_at FROM isthmus.run") == [("complete", None)]


def complete_unbalanced(world: World) -> None:
    """Carry everything while somebody deletes a row behind the copy's back."""

    def steal(stage: str) -> None:
        if stage == "finish.before-complete":
            world.rows("DELETE FROM user_notes WHERE ctid IN (SELECT ctid FROM user_notes LIMIT 1)")

    with listening(steal):
        result = world.copy(MAPPING)
    assert result.balance is not None
    assert result.balance.differences == ["user_notes: 6 rows expected, 5 are in the table."]


@pytest.mark.parametrize(("broken", "code"), [(False, 1), (True, 3)])
def test_books_that_were_never_told_are_told_before_what_changed(
    isthmus: RunCommand, world: World, mapping: Path, *, broken: bool, code: int
) -> None:
    users = world.write({"Users": [*USERS, BAD_USER], "Posts": POSTS})["Users"]
    as_it_was = users.read_bytes()
    complete_untold(world)
    world.write({"Users": [*USERS, BAD_USER, {"_id": oid(4), "name": "new"}]})
    if broken:
        users.write_bytes(as_it_was[:-3])
    command = ("copy", mapping, "-s", world.folder, "-t", world.conninfo)
    ran = isthmus(*command)
    assert ran.code == code, ran.all
    books, verdict, changes = (ran.out.index(words) for words in ("Documents", "1 dead letter", "the source changed"))
    assert books < verdict < changes
    users.write_bytes(as_it_was)
    ran = isthmus(*command)
    assert (ran.code, "dead letter" in ran.out) == (0, True), "told, and still not forgotten"


def test_status_of_a_run_whose_books_do_not_balance_says_so(isthmus: RunCommand, world: World) -> None:
    complete_unbalanced(world)
    ran = isthmus("status", "-t", world.conninfo)
    assert ran.code == 1
    assert "Run 1: complete, but its books do not balance" in ran.out
    assert "user_notes: 6 rows expected, 5 are in the table." in ran.out
    ran = isthmus("status", "-t", world.conninfo, "--json", "-")
    told = json.loads(ran.out)
    assert (ran.code, told["balanced"]) == (1, False)
    assert told["left_behind"]["differences"] == ["user_notes: 6 rows expected, 5 are in the table."]


def test_check_of_a_run_whose_books_do_not_balance_says_so(isthmus: RunCommand, world: World, mapping: Path) -> None:
    complete_unbalanced(world)
    ran = isthmus("check", mapping, "-s", world.folder, "-t", world.conninfo, "--json", "-")
    assert ran.code == 1, ran.all
    assert "The books do not balance" in ran.err
    told = json.loads(ran.out)
    assert (told["outcome"], told["exit_code"], told["run"]["balanced"]) == ("failed", 1, False)
    assert told["run"]["left_behind"]["differences"] == ["user_notes: 6 rows expected, 5 are in the table."]


def test_status_and_check_tell_in_one_line_what_a_run_left_behind(
    isthmus: RunCommand, world: World, mapping: Path
) -> None:
    key = MAPPING.replace("title: text", "title: {type: text, index: true}")
    mapping.write_text(key)
    long = {"_id": oid(103), "title": "".join(chr(0x4E00 + n * n % 20000) for n in range(9000))}
    world.write({"Users": [*USERS, BAD_USER], "Posts": [*POSTS, ORPHAN, long]})
    result = world.copy(key)
    assert result.balance is not None
    (index,) = result.balance.left_out_indexes
    left = f"1 dead letter, 1 orphan handled by a default, 1 index left out ({index})"
    ran = isthmus("status", "-t", world.conninfo)
    assert (ran.code, f"Not everything was carried: {left}." in ran.out.splitlines()) == (0, True), ran.out
    told = json.loads(isthmus("status", "-t", world.conninfo, "--json", "-").out)
    wanting = {
        "dead_letters": 1,
        "orphans_by_default": 1,
        "conflicts_by_default": 0,
        "left_out_indexes": [index],
        "differences": [],
    }
    assert (told["balanced"], told["left_behind"]) == (True, wanting)
    ran = isthmus("check", mapping, "-t", world.conninfo)
    assert (ran.code, f"It did not carry everything: {left}; isthmus status --target " in ran.out) == (0, True)
    told = json.loads(isthmus("check", mapping, "-t", world.conninfo, "--json", "-").out)
    assert (told["outcome"], told["run"]["left_behind"]) == ("passed", wanting)


def test_status_counts_without_what_finish_took_away(isthmus: RunCommand, world: World) -> None:
    refusing = MAPPING.replace("references: Users}", "references: Users, on_orphan: dead_letter}")
    world.write({"Posts": [*POSTS, ORPHAN]})
    balance = world.copy(refusing).balance
    assert balance is not None
    assert balance.collections["Posts"].dead_letters == 1
    told = json.loads(isthmus("status", "-t", world.conninfo, "--json", "-").out)
    for name, books in balance.as_json()["collections"].items():
        assert told["collections"][name] == {key: value for key, value in books.items() if key != "letters"}


def test_json_of_a_copy_that_did_not_complete_has_the_run_and_its_books_so_far(
    isthmus: RunCommand, world: World, mapping: Path
) -> None:
    posts = world.write({"Posts": [*POSTS, ORPHAN]})["Posts"]
    whole = posts.read_bytes()
    posts.write_bytes(whole[:-4])
    command = ("copy", mapping, "-s", world.folder, "-t", world.conninfo, "--workers", "1", "--json", "-")
    so_far: dict[str, Any] = {
        name: {"read": read, "copied": read, "merged": 0, "kept": 0, "skipped": 0, "dead_letters": 0, "tables": tables}
        for name, read, tables in (("Users", 3, {"users": 3, "user_notes": 6}), ("Posts", 1, {"posts": 1}))
    }
    failed = isthmus(*command)
    report = json.loads(failed.out)
    assert (failed.code, report["run"], report["outcome"]) == (3, 1, "failed")
    assert report["collections"] == so_far
    posts.write_bytes(whole.replace(b"t\x00", b"u\x00"))
    refused = isthmus(*command)
    report = json.loads(refused.out)
    assert (refused.code, report["code"], report["outcome"]) == (3, "source-changed", "failed")
    assert (report["run"], report["stage"], report["collections"]) == (1, "copying", so_far)
    assert (report["junctions"], report["references"]) == ({}, {})
    posts.write_bytes(whole)
    assert isthmus(*command).code == 1
    mapping.write_text(MAPPING.replace("title: text", "title: varchar"))
    report = json.loads(isthmus(*command).out)
    assert (report["code"], report["run"], report["stage"]) == ("mapping-changed", 1, "complete")
    assert report["junctions"] == {"likes": 3}
    assert report["references"]["posts.user_id"]["orphans"] == 1


def test_json_of_a_copy_that_met_no_run_names_none(isthmus: RunCommand, world: World, mapping: Path) -> None:
    world.rows("CREATE TABLE public.users (x integer)")
    report = json.loads(isthmus("copy", mapping, "-s", world.folder, "-t", world.conninfo, "--json", "-").out)
    assert (report["run"], report["collections"], report["code"]) == (None, {}, "table-exists")


@pytest.fixture
def reader(world: World) -> Iterator[str]:
    """Conninfo of a role that may connect and nothing else."""
    role = sql.Identifier("who reads")
    with psycopg.connect(world.conninfo, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(role))
        yield make_conninfo(world.conninfo, user="who reads")
        connection.execute(sql.SQL("DROP OWNED BY {} CASCADE").format(role))
        connection.execute(sql.SQL("DROP ROLE {}").format(role))


def test_role_that_may_not_read_the_state_is_told_what_to_grant(isthmus: RunCommand, world: World, reader: str) -> None:
    world.write({"Users": [*USERS, BAD_USER]})
    world.copy(MAPPING)
    looks = [
        *(("status",), ("letters", "list"), ("letters", "show", "1"), ("letters", "export"), ("orphans", "list")),
        *(("ids", "lookup", str(oid(1))), ("ids", "export")),
    ]
    for look in looks:
        ran = isthmus(*look, "-t", reader)
        assert (ran.code, ran.out) == (4, ""), look
        assert "error (no-read-right)" in ran.err, look
        assert 'GRANT USAGE ON SCHEMA "isthmus" TO "who reads"; GRANT SELECT ON ALL TABLES IN SCHEMA' in ran.err, look
    for _ in range(2):  # the second time for the schema of the tables that were carried, which `ids` looks into
        ran = isthmus("ids", "export", "-t", reader)
        for grant in ran.err[ran.err.index("GRANT") :].strip().rstrip(".").split("; ") if ran.code else ():
            world.rows(grant)
    for look in looks:
        ran = isthmus(*look, "-t", reader)
        assert ran.code == 0, ran.all


def test_json_of_a_copy_that_is_refused_in_the_middle_has_the_run_and_its_books_so_far(
    world: World, mapping: Path, tmp_path: Path
) -> None:
    key = tmp_path / "key"
    key.write_text("01" * 32)
    options = ("--workers", "1", "--json", str(tmp_path / "copy.json"))
    copy = Copy(mapping, world.folder, world.conninfo, key, tmp_path, options=options)
    with copy.begin(pause=("copy.partition-done", 1)) as session:
        session.wait_until_paused()
        world.rows("DROP TABLE posts")
        session.go_on()
        ended = session.ended()
    assert ended.code == 4, ended.text
    report = json.loads((tmp_path / "copy.json").read_text())
    assert (report["outcome"], report["code"]) == ("failed", "target-refused")
    assert (report["run"], report["stage"]) == (1, "copying")
    books = report["collections"]["Users"]
    assert (books["read"], books["copied"], books["tables"]) == (3, 3, {"users": 3, "user_notes": 6})


def test_documents_that_are_only_gone_are_said_to_be_still_in_the_target(
    isthmus: RunCommand, world: World, mapping: Path
) -> None:
    world.copy(MAPPING)
    world.write({"Users": USERS[:2]})
    command = ("copy", mapping, "-s", world.folder, "-t", world.conninfo)
    ran = isthmus(*command)
    assert "gone: 1" in ran.out, ran.all
    assert ("still in the target" in ran.out, "to carry them" in ran.out) == (True, False)
    world.write({"Users": [*USERS[:2], {"_id": oid(8), "name": "new"}]})
    assert "with --fresh to carry them" in isthmus(*command).out


def test_check_speaks_of_a_copy_that_is_not_begun(isthmus: RunCommand, world: World, mapping: Path) -> None:
    world.rows("CREATE TABLE public.users (x integer)")
    ran = isthmus("check", mapping, "-t", world.conninfo)
    assert (ran.code, "One thing stands against a copy." in ran.err) == (4, True), ran.all
    assert "Nothing was written" not in ran.all


def test_status_names_who_holds_the_lease_or_held_it_last(isthmus: RunCommand, world: World, mapping: Path) -> None:
    """The process of the last command is not the one that began the run."""
    world.write({"Users": [*USERS, BAD_USER], "Posts": POSTS})
    assert isthmus("copy", mapping, "-s", world.folder, "-t", world.conninfo).code == 1
    first = world.one("SELECT lease_holder FROM isthmus.run")
    assert isthmus("letters", "retry", mapping, "-t", world.conninfo).code == 1
    last = world.one("SELECT lease_holder FROM isthmus.run")
    assert first != last, "the retry must have taken the lease for this to see anything"
    told = isthmus("status", "-t", world.conninfo).out
    (begun,) = (line for line in told.splitlines() if line.startswith("  begun "))
    assert "pid" not in begun
    assert f"  lease    last held by {last}\n" in told
    lease = Lease(world.conninfo)
    lease.acquire()
    try:
        told = isthmus("status", "-t", world.conninfo).out
    finally:
        lease.release()
    assert f"  lease    held by isthmus {lease.holder}\n" in told
    assert "(at work now)" in told


def test_letter_is_shown_with_what_to_do_and_the_command_to_carry_it(
    isthmus: RunCommand, world: World, mapping: Path
) -> None:
    world.write({"Users": [*USERS, BAD_USER], "Posts": POSTS})
    ran = isthmus("copy", mapping, "-s", world.folder, "-t", world.conninfo, "--fresh")
    assert ran.code == 1, ran.all
    listed = isthmus("letters", "list", "-t", world.conninfo)
    command = listed.err.splitlines()[-1].removeprefix("Look at one: isthmus ")
    shown = isthmus(*shlex.split(command))
    assert "  • required  name\n    Column users.name cannot take null" in shown.out
    assert "\n    → Drop the `!`, give a `default`" in shown.out
    assert "isthmus letters retry MAPPING --target " in shown.err


def test_fresh_names_one_table_as_one(isthmus: RunCommand, world: World, mapping: Path) -> None:
    mapping.write_text("isthmus: 1\ncollections: {Posts: {fields: {title: text}}, Users: {skip: not wanted}}\n")
    world.write({"Posts": [{"_id": oid(1), "title": "t"}]})
    for fresh in ((), ("--fresh",)):
        ran = isthmus("copy", mapping, "-s", world.folder, "-t", world.conninfo, *fresh)
        assert ran.code in {0, 1}, ran.all
    assert "Run 1 and its table are dropped (--fresh), with their rows: posts 1." in ran.err
    assert "1 collection becomes 1 table (1 root, 0 child, 0 junction)." in isthmus("check", mapping).out
