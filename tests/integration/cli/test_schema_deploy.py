"""`isthmus schema deploy`, `status`, `resolve`, `adopt` as a person and a script meet them: words, JSON, exit codes."""

from __future__ import annotations

import json
import re
import shlex
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from psycopg.conninfo import make_conninfo

from tests.fix_postgres import password_url
from tests.integration.cli.conftest import COMMAND, Ran, RunCommand
from tests.integration.cli.terminals import COLUMNS, at_terminal, shown_lines
from tests.integration.copy.pooler import pooling
from tests.integration.govern.deployed import NONE, Project

Do = Callable[..., Ran]


@pytest.fixture
def project(tmp_path: Path, database: str) -> Project:
    made = Project(tmp_path / "project", database)
    made.write("0001_a", "CREATE TABLE a (id int);\nINSERT INTO a VALUES (1);")
    made.write("0002_b", "INSERT INTO a VALUES (2);\nSELECT 1 / 0;\nINSERT INTO a VALUES (3);", more=NONE)
    made.write("0003_c", "CREATE TABLE c (id int);")
    return made


@pytest.fixture
def schema(isthmus: RunCommand, project: Project) -> Do:
    """Return a function that runs a command of `isthmus schema` on the project's database."""

    def run(command: str, *arguments: object, env: dict[str, str] | None = None) -> Ran:
        environment = {"POSTGRES_DIRECT_URL": "", "DATABASE_URL": project.conninfo, **(env or {})}
        return isthmus("schema", command, *arguments, cwd=project.root, env=environment)

    return run


def test_a_dry_run_shows_what_would_be_applied_and_writes_nothing(schema: Do, project: Project) -> None:
    ran = schema("deploy", "--dry-run", "--to", "0002_b", "--json", "-")
    assert ran.code == 0
    pending = json.loads(ran.out)["pending"]["m"]
    assert [(one["name"], one["in_transaction"], one["steps"]) for one in pending] == [
        ("0001_a", True, 2),
        ("0002_b", False, 3),
    ]
    assert "0002_b: 3 statements, statement by statement" in ran.err
    assert project.one("SELECT to_regnamespace('isthmus')") is None


def test_a_deploy_ends_behind_the_migration_that_is_named(schema: Do, project: Project) -> None:
    assert schema("deploy", "--to", "0009_x").code == 2
    ran = schema("deploy", "--to", "0001_a")
    assert (ran.code, "0001_a: applied" in ran.out) == (0, True)
    assert project.stands()["0003_c"] == "pending"
    assert "nothing is pending" in schema("deploy", "--to", "1").out


def test_to_is_for_one_schema(isthmus: RunCommand, tmp_path: Path, database: str) -> None:
    project = Project(tmp_path / "several", database)
    (project.root / "b").mkdir()
    (project.root / "isthmus.toml").write_text(
        '[[schema]]\nfolder = "m"\nlayout = "flat"\n[[schema]]\nfolder = "b"\nlayout = "flat"\n'
    )
    project.write("0001_a", "SELECT 1;")
    ran = isthmus("schema", "deploy", "--to", "0001_a", "-t", database, cwd=project.root)
    assert (ran.code, "which-schema" in ran.err) == (2, True)
    ran = isthmus("schema", "deploy", "m", "--to", "0001_a", "-t", database, cwd=project.root)
    assert ran.code == 0
    ran = isthmus("schema", "status", "-t", database, cwd=project.root)
    assert [line for line in ran.out.splitlines() if not line.startswith(" ")] == ["m: 1 applied", "b: no migrations"]
    assert isthmus("schema", "resolve", "0001_a", "-t", database, cwd=project.root).code == 2


def test_where_one_of_several_schemas_does_not_fit_none_is_applied(
    isthmus: RunCommand, tmp_path: Path, database: str
) -> None:
    project = Project(tmp_path / "several", database)
    other = Project(tmp_path / "b", database, replace(project.settings, folder="b"))
    other.folder.rename(project.root / "b")
    (project.root / "isthmus.toml").write_text(
        '[[schema]]\nfolder = "m"\nlayout = "flat"\n[[schema]]\nfolder = "b"\nlayout = "flat"\n'
    )
    other.folder = project.root / "b"
    edited = other.write("0001_b", "SELECT 1;")
    assert isthmus("schema", "deploy", "b", "-t", database, cwd=project.root).code == 0
    edited.write_text(edited.read_text() + "SELECT 2;\n")
    project.write("0001_a", "CREATE TABLE a (id int);")
    ran = isthmus("schema", "deploy", "-t", database, cwd=project.root)
    assert (ran.code, "nothing was applied" in ran.err) == (5, True), ran.all
    assert project.one("SELECT to_regclass('a')") is None
    edited.write_text(edited.read_text().replace("SELECT 2;\n", ""))
    ran = isthmus("schema", "deploy", "-t", database, cwd=project.root)
    assert (ran.code, "0001_a: applied" in ran.out) == (0, True), ran.all


def test_a_half_run_one_is_settled_and_the_deploy_goes_on(schema: Do, project: Project) -> None:
    ran = schema("deploy", "--json", "-")
    told = json.loads(ran.out)
    assert (ran.code, told["code"], told["exit_code"]) == (4, "migration-failed", 4)
    assert "isthmus schema resolve 0002_b shows" in ran.err
    ran = schema("status")
    assert ran.code == 1
    assert "m: 1 applied, 1 half-run, 1 pending" in ran.out
    assert "1 of 3 statements, begun" in ran.out
    assert "The server said: division by zero" in ran.out
    assert schema("deploy").code == 5
    ran = schema("resolve", "0002_b", "--json", "-")
    told = json.loads(ran.out)
    assert (ran.code, told["outcome"], told["possible"]) == (1, "open", ["step", "applied", "again"])
    assert told["in_hand"] == {"statement": 2, "line": 7, "text": "SELECT 1 / 0", "is_undone": True}
    assert "0002_b.sql:7" in ran.err
    assert "isthmus schema resolve 0002_b --step 1" in ran.err
    assert schema("resolve", "0002_b", "--step", "2", "--again").code == 2
    assert schema("resolve", "0002_b", "--forget").code == 2
    ran = schema("resolve", "0002_b", "--step", "2", "--why", "not needed")
    assert (ran.code, ran.out) == (0, "0002_b: settled, on your word.\n")
    ran = schema("status")
    assert (ran.code, "on a person's word" in ran.out) == (1, True)
    assert schema("deploy").code == 0
    told = json.loads(schema("status", "--json", "-").out)
    states = [(one["name"], one["state"], one["on_word_of"]) for one in told["schemas"]["m"]]
    assert states == [("0001_a", "applied", None), ("0002_b", "applied", "person"), ("0003_c", "applied", None)]
    assert told["schemas"]["m"][0]["isthmus_version"]
    assert schema("resolve", "0001_a").code == 0


def test_hints_name_the_target_that_was_given_without_its_password(schema: Do, project: Project) -> None:
    address = password_url(project.conninfo, "hush hush")
    for command in ("deploy", "deploy", "status"):
        ran = schema(command, "--target", address)
        named = re.search(r"isthmus schema (resolve 0002_b --target \S+) shows", " ".join(ran.all.split()))
        assert (named is not None, "hush" in ran.all) == (True, False), ran.all
        assert schema(*shlex.split(named[1] if named else ""), env={"PGPASSWORD": "hush hush"}).code == 1
    project.write("0001_a", "SELECT 1;").unlink()
    ran = schema("status", "-t", project.conninfo)
    assert re.search(r"isthmus schema resolve 0001_a --forget --target \S+", " ".join(ran.out.split())), ran.out
    assert "--target" not in schema("status").all + schema("deploy").all


def test_status_fits_a_terminal_of_80_columns(project: Project) -> None:
    for name in ("0004_a_name_that_is_about_as_long_as_names_of_migrations_become", "0005_short"):
        project.write(name, "SELECT 1;")
    project.write("0002_b", "SELECT 1;")
    project.deploy()
    project.write("0003_c", "SELECT 'another';")
    code, written = at_terminal([COMMAND, "schema", "status", "-t", project.conninfo], project.root)
    lines = shown_lines(written)
    assert code == 5
    assert max(map(len, lines)) <= COLUMNS, lines
    assert lines[0] == "m: 4 applied, 1 changed"
    assert any("→ It was applied with another text." in line for line in lines)


def test_a_terminal_shows_the_statement_that_is_executed(project: Project) -> None:
    project.write("0002_b", "SELECT pg_sleep(0.1);\nSELECT pg_sleep(1.0);", more=NONE)
    code, written = at_terminal([COMMAND, "schema", "deploy", "-t", project.conninfo], project.root)
    assert code == 0, written
    assert "0002_b: statement 2 of 2, " in written
    assert [line.split("(")[0].strip() for line in shown_lines(written) if line] == [
        "m:",
        "0001_a: applied",
        "0002_b: applied",
        "0003_c: applied",
    ]


def test_of_two_deployers_one_applies_and_the_other_is_refused_or_waits(
    schema: Do, project: Project, isthmus: RunCommand
) -> None:
    from concurrent.futures import ThreadPoolExecutor

    project.write("0002_b", "INSERT INTO a VALUES (2);\nSELECT pg_sleep(2);")
    with ThreadPoolExecutor() as pool:
        first = pool.submit(schema, "deploy")
        sleeping = (
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(2)' AND datname = current_database()"
        )
        ends_at = time.monotonic() + 30
        while not project.one(sleeping.replace("count(*)", "count(*) FILTER (WHERE pid <> pg_backend_pid())")):
            assert time.monotonic() < ends_at
            time.sleep(0.02)
        refused = schema("deploy")
        waiting = pool.submit(schema, "deploy", "--wait-seconds", "60")
        settled = schema("resolve", "0003_c", "--applied")
        assert "lease-held" in settled.err
        assert (refused.code, "lease-held" in refused.err, "pid" in refused.err) == (4, True, True)
        ran = first.result()
        assert (ran.code, ran.out.count("applied")) == (0, 3)
        ran = waiting.result()
    assert (ran.code, "nothing is pending" in ran.out) == (0, True)
    assert "Waiting for it." in ran.err
    assert project.one("SELECT array_agg(id ORDER BY id) FROM a") == [1, 2]


def test_a_pooler_in_transaction_mode_is_refused_and_the_direct_address_is_used(schema: Do, project: Project) -> None:
    project.write("0002_b", "SELECT 1;")
    with pooling(project.conninfo, per_transaction=True) as pooled:
        ran = schema("deploy", env={"DATABASE_URL": pooled})
        assert (ran.code, "pooled-connection" in ran.err, "POSTGRES_DIRECT_URL" in ran.err) == (4, True, True)
        assert project.one("SELECT to_regnamespace('isthmus')") is None
        ran = schema("deploy", "-t", pooled, env={"POSTGRES_DIRECT_URL": project.conninfo})
        assert ran.code == 4
        ran = schema("deploy", env={"DATABASE_URL": pooled, "POSTGRES_DIRECT_URL": project.conninfo})
        assert (ran.code, ran.out.count("applied")) == (0, 3)


def test_what_the_server_says_is_shown_and_passwords_never_are(schema: Do, project: Project) -> None:
    address = password_url(project.conninfo, "hush hush")
    project.write("0002_b", "DO $$ BEGIN RAISE NOTICE 'look here'; END $$;")
    project.write("0003_c", "DO $$ BEGIN RAISE EXCEPTION 'cannot reach postgresql://u:hush@h/d'; END $$;")
    ran = schema("deploy", "-t", address)
    assert ran.code == 4
    assert "note: 0002_b: the server says: NOTICE: look here" in ran.err
    for command in (("status",), ("resolve", "0003_c"), ("deploy",)):
        ran = schema(*command, "-t", address)
        assert "cannot reach" in ran.all
        assert "hush" not in ran.all


def test_a_role_that_may_not_read_the_history_is_told(schema: Do, project: Project) -> None:
    project.write("0002_b", "SELECT 1;")
    schema("deploy")
    role = f"nobody_{project.one('SELECT pg_backend_pid()')}"
    project.do(f"CREATE ROLE {role} LOGIN PASSWORD 'x'")
    try:
        port = project.one("SELECT current_setting('port')")
        database = project.one("SELECT current_database()")
        address = make_conninfo(f"host=127.0.0.1 port={port} user={role} password=x", dbname=database)
        ran = schema("status", "-t", address, "--json", "-")
        assert (ran.code, "no-read-right" in ran.err, "GRANT" in ran.err) == (4, True, True), ran.all
        assert json.loads(ran.out)["code"] == "no-read-right"
        project.do(
            'CREATE TABLE "__drizzle_migrations" (id serial, hash text, created_at bigint)',
            f"GRANT USAGE ON SCHEMA isthmus TO {role}",
            f"GRANT SELECT ON ALL TABLES IN SCHEMA isthmus TO {role}",
        )
        ran = schema("adopt", "--dry-run", "-t", address)
        assert (ran.code, "no-read-right" in ran.err, "GRANT SELECT ON" in ran.err) == (4, True, True), ran.all
    finally:
        project.do(f"DROP OWNED BY {role}", f"DROP ROLE {role}")


def test_a_history_of_drizzle_is_adopted_written_into_the_settings_and_deployed_upon(
    schema: Do, project: Project
) -> None:
    project.do(
        "CREATE SCHEMA drizzle", 'CREATE TABLE drizzle."__drizzle_migrations" (id serial, hash text, created_at bigint)'
    )
    (first, *_) = project.scripts()
    project.do(
        f"INSERT INTO drizzle.\"__drizzle_migrations\" (hash, created_at) VALUES ('{first.checksum}', 5)",
        "CREATE TABLE a (id int)",
    )
    project.write("0002_b", "INSERT INTO a VALUES (2);")
    ran = schema("deploy")
    assert (ran.code, "not-adopted" in ran.err) == (5, True)
    ran = schema("status")
    assert (ran.code, "isthmus schema adopt" in ran.out) == (5, True)
    ran = schema("adopt", "--dry-run")
    assert (ran.code, "would become baseline" in ran.out) == (0, True)
    assert project.one("SELECT to_regnamespace('isthmus')") is None
    ran = schema("adopt", "--write", "--json", "-")
    told = json.loads(ran.out)
    assert (ran.code, told["baseline"], told["written"]) == (0, "0001_a", True)
    assert (told["adopted"], told["pending"]) == ([{"name": "0001_a", "accepted": False}], ["0002_b", "0003_c"])
    assert 'folder = "m"\nbaseline = "0001_a"\n' in (project.root / "isthmus.toml").read_text()
    assert schema("deploy").code == 0
    ran = schema("status")
    assert (ran.code, ran.out.splitlines()[0]) == (0, "m: 1 baseline, 2 applied")
    project.do("INSERT INTO drizzle.\"__drizzle_migrations\" (hash, created_at) VALUES ('x', 6)")
    ran = schema("deploy")
    assert (ran.code, "history-grew" in ran.err) == (5, True)
    told = json.loads(schema("status", "--json", "-").out)
    assert (told["exit_code"], told["other_runners"]["m"]["code"]) == (5, "history-grew")


@pytest.mark.parametrize(
    "words",
    [("--all", "--up-to", "0001_a"), ("--all", "--accept", "0001_a"), ("--up-to", "0001_a", "--history", "a.b")],
)
def test_words_of_adopt_that_contradict_are_refused(words: tuple[str, ...], schema: Do) -> None:
    assert schema("adopt", *words).code == 2


def test_a_new_embedded_server_is_made_for_a_deploy_and_for_nothing_else(
    isthmus: RunCommand, project: Project, short_path: Path
) -> None:
    project.write("0002_b", "SELECT 1;")
    target = f"embedded:{short_path / 'new'}"
    for command in (("status",), ("deploy", "--dry-run"), ("adopt", "--all"), ("resolve", "0001_a")):
        assert isthmus("schema", *command, "-t", target, cwd=project.root).code == 4
    assert isthmus("schema", "deploy", "-t", target, cwd=project.root).code == 0
    assert isthmus("schema", "status", "-t", target, cwd=project.root).code == 0
