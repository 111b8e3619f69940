"""`isthmus check` and `isthmus ddl`: what they say of a target that holds a run, and their JSON.

Oracle: `isthmus copy` itself, which must say the same; PostgreSQL, which takes the statements one by one.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import bson
import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from isthmus.connect.embedded import EmbeddedServer
from isthmus.state.lease import Lease
from tests.fix_archives import archive, write_archive
from tests.fix_dumps import MakeDump
from tests.integration.cli.conftest import RunCommand
from tests.integration.copy.carrying import oid

MAPPING = """\
isthmus: 1
enums: {status: [A, B]}
collections:
  Users:
    fields:
      name: {type: text, required: true, index: true}
      status: status
      tags: text[]
      posts: {junction: likes}
      notes: {child: user_notes, fields: {text: text}}
    search: [name, tags]
  Posts:
    fields: {title: text, user: {references: Users, column: user_id}}
junctions: {likes: {user_id: Users, post_id: Posts}}
"""
USERS = [{"_id": oid(n), "name": f"user {n}", "posts": [oid(101)]} for n in range(1, 9)]
POSTS = [{"_id": oid(101), "title": "t", "user": oid(1)}]


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    path = tmp_path / "my mapping.yaml"
    path.write_text(MAPPING)
    return path


@pytest.fixture
def dump(make_dump: MakeDump) -> Path:
    return make_dump({"Users": USERS, "Posts": POSTS})


def report(ran_out: str) -> dict[str, Any]:
    return json.loads(ran_out)


def test_check_of_a_complete_run_of_the_same_mapping_says_so(
    isthmus: RunCommand, mapping: Path, dump: Path, database: str
) -> None:
    assert isthmus("copy", mapping, "-s", dump, "-t", database).code == 0
    ran = isthmus("check", mapping, "-s", dump, "-t", database)
    assert (ran.code, ran.err) == (0, "")
    assert "Run 1 of this mapping made these tables; it is complete." in ran.out
    told = report(isthmus("check", mapping, "-t", database, "--json", "-").out)
    assert (told["outcome"], told["run"]["run"], told["run"]["stage"]) == ("passed", 1, "complete")


def test_check_and_copy_tell_of_a_collection_that_may_be_missing(
    isthmus: RunCommand, mapping: Path, dump: Path, database: str
) -> None:
    mapping.write_text(MAPPING.replace("  Posts:\n", "  Posts:\n    from: [Posts, Pösts]\n    optional: Pösts\n"))
    remark = "holds no collection Pösts; the mapping says that it may be missing."
    checked = isthmus("check", mapping, "-s", dump, "--json", "-")
    assert checked.code == 0
    assert " ".join(checked.err.split()).count(remark) == 1
    told = report(checked.out)
    assert [one["code"] for one in told["findings"]] == ["optional-missing"]
    assert told["collections"]["Pösts"] == {"bytes": 0, "documents": 0, "tables": ["posts"]}
    copied = isthmus("copy", mapping, "-s", dump, "-t", database)
    assert copied.code == 0, copied.err
    assert " ".join((copied.out + copied.err).split()).count(remark) == 1
    assert isthmus("verify", mapping, "-s", dump, "-t", database).code == 0
    mapping.write_text(mapping.read_text().replace("optional: Pösts", "optional: Pösst"))
    wrong = isthmus("check", mapping, "-s", dump)
    assert wrong.code == 2
    assert "my mapping.yaml:14" in wrong.err
    assert "Did you mean `Pösts`?" in " ".join(wrong.err.split())


def test_check_of_an_incomplete_run_gives_the_command_that_goes_on(
    isthmus: RunCommand, mapping: Path, dump: Path, database: str
) -> None:
    users = dump / "Users.bson"
    whole = users.read_bytes()
    users.write_bytes(whole[:-9])
    assert isthmus("copy", mapping, "-s", dump, "-t", database).code == 3
    users.write_bytes(whole)
    ran = isthmus("check", mapping, "-s", dump, "-t", database)
    assert ran.code == 0, ran.all
    assert f"it is not complete: isthmus copy '{mapping}' --source {dump} --target " in ran.out
    told = report(isthmus("check", mapping, "-t", database, "--json", "-").out)
    assert told["run"]["stage"] == "copying"
    lease = Lease(database)
    lease.acquire()
    try:
        assert "at work on it now" in isthmus("check", mapping, "-t", database).out
    finally:
        lease.release()
    assert isthmus("copy", mapping, "-s", dump, "-t", database).code == 0


def test_check_of_another_mapping_or_source_says_what_copy_says(
    isthmus: RunCommand, mapping: Path, dump: Path, database: str, make_dump: MakeDump
) -> None:
    assert isthmus("copy", mapping, "-s", dump, "-t", database).code == 0
    other = make_dump({"Users": USERS, "Posts": POSTS}, database="shop2")
    said = isthmus("copy", mapping, "-s", other, "-t", database, "--json", "-")
    ran = isthmus("check", mapping, "-s", other, "-t", database, "--json", "-")
    assert (ran.code, report(ran.out)["code"]) == (said.code, "source-differs")
    assert report(ran.out)["error"] == report(said.out)["error"]
    run = report(ran.out)["run"]
    assert (run["run"], run["stage"]) == (1, "complete")
    mapping.write_text(MAPPING.replace("title: text", "title: varchar"))
    said = isthmus("copy", mapping, "-s", dump, "-t", database, "--json", "-")
    for more in ((), ("-s", dump)):
        ran = isthmus("check", mapping, *more, "-t", database, "--json", "-")
        assert (ran.code, report(ran.out)["code"]) == (said.code, "mapping-changed") == (2, "mapping-changed")
        assert report(ran.out)["error"] == report(said.out)["error"]
        assert report(ran.out)["run"] == run
        assert "title: varchar" in ran.err


@pytest.mark.parametrize("compressed", [False, True], ids=["plain", "gzip"])
def test_check_tells_of_an_archive_that_breaks_off(
    isthmus: RunCommand, mapping: Path, tmp_path: Path, database: str, compressed: bool
) -> None:
    whole = archive({"Posts": [bson.encode(one) for one in POSTS], "Users": [bson.encode(one) for one in USERS]})
    path = write_archive(tmp_path / "whole.archive", whole, compressed=compressed)
    assert isthmus("check", mapping, "-s", path).code == 0
    cut = tmp_path / "cut.archive"
    cut.write_bytes(path.read_bytes()[: -(12 if compressed else 150)])
    copied = isthmus("copy", mapping, "-s", cut, "-t", database, "--json", "-")
    ran = isthmus("check", mapping, "-s", cut, "--json", "-")
    assert ran.code == copied.code == 3, ran.all
    found = report(ran.out)["findings"]
    assert {one["code"] for one in found} == {"gzip-broken" if compressed else "truncated"}
    assert "Users" in {one["where"]["collection"] for one in found}
    assert all(one["where"]["file"] == str(cut) and " byte " in one["message"] for one in found)
    broken = report(copied.out)["broken"]
    assert {one["where"]["collection"] for one in found} == set(broken)
    assert all(one["message"].partition(" Every document")[0] in broken[one["where"]["collection"]] for one in found)


def test_check_that_writes_json_gives_tables_and_sizes(
    isthmus: RunCommand, mapping: Path, dump: Path, database: str, tmp_path: Path
) -> None:
    mapping.write_text(MAPPING.replace("isthmus: 1", "isthmus: 1\nextensions: [no_such_extension]"))
    ran = isthmus("check", mapping, "-s", dump, "-t", database, "--json", "-")
    assert ran.code == 0, ran.all
    assert "2 collections become 4 tables" in ran.err
    told = report(ran.out)
    (finding,) = told["findings"]
    assert (finding["code"], finding["severity"], finding["exit_code"]) == ("no-extension", "remark", 0)
    assert finding["hint"]
    assert {name: told[name] for name in ("outcome", "exit_code", "run", "tables", "collections")} == {
        "outcome": "passed",
        "exit_code": 0,
        "run": None,
        "tables": {"root": 2, "child": 1, "junction": 1},
        "collections": {
            "Users": {
                "bytes": (dump / "Users.bson").stat().st_size,
                "documents": None,
                "tables": ["users", "user_notes", "likes"],
            },
            "Posts": {"bytes": (dump / "Posts.bson").stat().st_size, "documents": None, "tables": ["posts"]},
        },
    }
    isthmus("check", mapping, "--json", tmp_path / "check.json")
    alone = json.loads((tmp_path / "check.json").read_text())
    assert alone["collections"]["Users"]["bytes"] is None


def test_check_that_is_refused_writes_every_finding_with_who_must_act(
    isthmus: RunCommand, mapping: Path, dump: Path, database: str, make_dump: MakeDump
) -> None:
    make_dump({"Invoices": [{"_id": 1}]})
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE TABLE public.users (x integer)")
    (dump / "Posts.bson").unlink()
    (dump / "Posts.metadata.json").unlink()
    ran = isthmus("check", mapping, "-s", dump, "-t", database, "--json", "-")
    assert ran.code == 4, ran.all
    told = report(ran.out)
    assert (told["outcome"], told["exit_code"], told["code"]) == ("failed", 4, "preflight")
    assert [(one["code"], one["severity"], one["exit_code"], one["where"]) for one in told["findings"]] == [
        ("no-such-collection", "error", 3, {"collection": "Posts"}),
        ("unnamed-collection", "error", 2, {"collection": "Invoices"}),
        ("table-exists", "error", 4, {"table": "users"}),
    ]
    assert told["collections"]["Users"]["bytes"] == (dump / "Users.bson").stat().st_size


def test_check_and_ddl_of_a_wrong_mapping_write_its_mistakes_as_json(
    isthmus: RunCommand, mapping: Path, tmp_path: Path
) -> None:
    mapping.write_text(MAPPING.replace("title: text", "title: txt").replace("required: true", "requird: true"))
    for command in ("check", "ddl"):
        (tmp_path / "out.json").write_text('{"outcome": "passed"}')
        ran = isthmus(command, mapping, "--json", tmp_path / "out.json")
        assert (ran.code, ran.out) == (2, "")
        told = json.loads((tmp_path / "out.json").read_text())
        assert (told["outcome"], told["exit_code"]) == ("failed", 2)
        assert {one["code"] for one in told["findings"]} == {"unknown-key", "unknown-type"}
        assert all(one["where"]["line"] and one["exit_code"] == 2 for one in told["findings"])
    ran = isthmus("check", mapping.with_name("none.yaml"), "--json", "-")
    assert (ran.code, len(report(ran.out)["findings"])) == (2, 1)


def test_check_json_of_a_target_that_is_away_holds_no_password(isthmus: RunCommand, mapping: Path) -> None:
    ran = isthmus("check", mapping, "-t", "postgresql://me:s3cretpw@127.0.0.1:1/db", "--json", "-")
    assert (ran.code, report(ran.out)["code"]) == (4, "unreachable")
    assert [one["code"] for one in report(ran.out)["findings"]] == ["unreachable"]
    assert "s3cretpw" not in ran.all


def test_ddl_json_is_the_script_statement_by_statement(
    isthmus: RunCommand, mapping: Path, database: str, tmp_path: Path
) -> None:
    mapping.write_text(MAPPING.replace("isthmus: 1", "isthmus: 1\nextensions: [no_such_extension]"))
    script = isthmus("ddl", mapping).out
    ran = isthmus("ddl", mapping, "--json", "-")
    assert (ran.code, ran.err) == (0, "")
    told = report(ran.out)
    rest = script
    for statement in told["statements"]:
        before, found, rest = rest.partition(f"{statement['sql']};\n")
        assert found, statement
        assert all(line.startswith("--") or not line for line in before.splitlines()), before
    assert not rest
    kinds = [(one["kind"], one["name"], one["table"]) for one in told["statements"]]
    assert kinds[:5] == [
        ("schema", "public", None),
        ("extension", "no_such_extension", None),
        ("type", "status", None),
        ("function", "isthmus_array_text", None),
        ("table", "users", "users"),
    ]
    assert {kind for kind, _, _ in kinds[5:]} == {"table", "primary-key", "index", "foreign-key"}
    with psycopg.connect(database, autocommit=True) as connection:
        for statement in told["statements"]:
            connection.execute(statement["sql"])
        for kind, name, table in kinds:
            if kind in {"index", "primary-key"}:
                row = connection.execute(
                    "SELECT indrelid::regclass::text FROM pg_index WHERE indexrelid = to_regclass(%s)", (f'"{name}"',)
                ).fetchone()
                assert row == (table,)
    both = isthmus("ddl", mapping, "--format", "sqlalchemy", "--json", tmp_path / "ddl.json")
    compile(both.out, "ddl", "exec")
    assert json.loads((tmp_path / "ddl.json").read_text()) == told


@pytest.fixture
def no_temporary_tables(database: str) -> Any:
    """Conninfo of a role that may do all but make temporary tables."""
    role = "without_temp"
    with psycopg.connect(database, autocommit=True) as connection:
        name = sql.Identifier(str(connection.info.dbname))
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
        connection.execute(sql.SQL("GRANT CREATE ON DATABASE {} TO {}").format(name, sql.Identifier(role)))
        connection.execute(sql.SQL("GRANT ALL ON SCHEMA public TO {}").format(sql.Identifier(role)))
        connection.execute(sql.SQL("REVOKE TEMPORARY ON DATABASE {} FROM PUBLIC").format(name))
        yield make_conninfo(database, user=role)
        connection.execute(sql.SQL("DROP OWNED BY {} CASCADE").format(sql.Identifier(role)))
        connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


def test_role_that_may_not_make_temporary_tables_is_refused_before_anything_is_written(
    isthmus: RunCommand, mapping: Path, dump: Path, database: str, no_temporary_tables: str
) -> None:
    for command in ("check", "copy"):
        ran = isthmus(command, mapping, "-s", dump, "-t", no_temporary_tables)
        assert ran.code == 4, ran.all
        assert "may not create temporary tables" in ran.err
        assert "GRANT TEMPORARY ON DATABASE" in ran.err
    assert "no run of Isthmus" in isthmus("status", "-t", database).err


def test_disk_that_is_likely_too_small_is_a_remark(
    isthmus: RunCommand, mapping: Path, dump: Path, own_server: EmbeddedServer
) -> None:
    target = own_server.conninfo  # one whose files are on this machine, whatever server the other tests use
    assert isthmus("check", mapping, "-s", dump, "-t", target).err == ""
    with (dump / "Users.bson").open("r+b") as file:  # a hole, which takes no space
        file.truncate(shutil.disk_usage(own_server.directory).free)
    ran = isthmus("check", mapping, "-s", dump, "-t", target, "--json", "-")
    assert ran.code == 0, ran.all
    assert "disk has" in ran.err
    (finding,) = report(ran.out)["findings"]
    assert (finding["code"], finding["severity"]) == ("little-space", "remark")


def test_disk_of_a_server_that_does_not_tell_where_its_files_are_is_not_judged(
    isthmus: RunCommand, mapping: Path, dump: Path, database: str, no_temporary_tables: str
) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            sql.SQL("GRANT TEMPORARY ON DATABASE {} TO PUBLIC").format(sql.Identifier(str(connection.info.dbname)))
        )
    os.truncate(dump / "Users.bson", shutil.disk_usage(dump).total)
    ran = isthmus("check", mapping, "-s", dump, "-t", no_temporary_tables)
    assert (ran.code, ran.err) == (0, ""), ran.all
