"""What a person meets who uses governance for the first time: examples to copy, whole lists, and no wrong words.

Oracle: what git, a TOML reader and the database say.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import tomllib
from pathlib import Path

import psutil
import pytest

from tests.fix_git import Git
from tests.fix_postgres import password_url
from tests.integration.cli.conftest import COMMAND, RunCommand
from tests.integration.cli.test_process_one import mute_server
from tests.integration.govern import model_repositories as models
from tests.integration.govern.deployed import NONE, Project
from tests.integration.govern.repositories import FIRST, SECOND, SETTINGS, SQL, prisma

FLAT = '[schema]\nfolder = "m"\nlayout = "flat"\n'


def example(err: str) -> str:
    """Return what a message shows to be copied: all from the first line in brackets on."""
    lines = err.splitlines()
    return "\n".join(lines[next(n for n, line in enumerate(lines) if line.strip().startswith("[")) :])


@pytest.mark.parametrize(
    ("words", "table"),
    [
        (("schema", "check"), "schema"),
        (("schema", "status", "-t", "postgresql://127.0.0.1:1/x"), "schema"),
        (("changes", "check"), "changes"),
        (("changes", "log"), "changes"),
        (("changes", "new", "user", "x"), "changes"),
    ],
)
def test_without_settings_the_example_is_toml_that_the_command_takes(
    words: tuple[str, ...], table: str, isthmus: RunCommand, tmp_path: Path
) -> None:
    ran = isthmus(*words, cwd=tmp_path)
    assert (ran.code, "no-settings" in ran.err) == (2, True), ran.all
    assert list(tomllib.loads(example(ran.err))) == [table]
    (tmp_path / "isthmus.toml").write_text(example(ran.err))
    ran = isthmus(*words, cwd=tmp_path)
    assert not [code for code in ("no-settings", "bad-settings", "no-changes") if f"({code})" in ran.err], ran.all


@pytest.mark.parametrize(("name", "prefix"), [("isthmus.toml", ""), ("pyproject.toml", "tool.isthmus.")])
def test_settings_without_models_get_an_example_that_fits_their_file(
    name: str, prefix: str, isthmus: RunCommand, tmp_path: Path
) -> None:
    git = Git(tmp_path / "project")
    git.add(name, f'[{prefix}schema]\nfolder = "m"\n')
    ran = isthmus("changes", "check", cwd=git.folder)
    assert (ran.code, "no-changes" in ran.err) == (2, True), ran.all
    git.add(name, (git.folder / name).read_text() + example(ran.err) + "\n")
    git.add("lib/model/user.ts", "x")
    ran = isthmus("changes", "check", cwd=git.folder)
    assert "(model-entry)" in ran.out, ran.all


def test_all_rules_that_there_are_none_of_are_told_at_once(isthmus: RunCommand, tmp_path: Path) -> None:
    git = prisma(tmp_path / "project")
    git.add("isthmus.toml", SETTINGS + 'off = {"dangerous-ddl/nope" = "x", migration-tme = "x", journal = "x"}\n')
    ran = isthmus("schema", "check", cwd=git.folder)
    assert (ran.code, "unknown-rule" in ran.err) == (2, True)
    assert "There is no rule dangerous-ddl/nope to switch off." in ran.err
    assert "There is no rule migration-tme to switch off." in ran.err
    assert "Did you mean migration-time?" in ran.err
    assert "no rule journal" not in ran.err
    git.add("isthmus.toml", SETTINGS + 'off = {"header-valeus/20260101000000_first" = "x"}\n')
    assert "Did you mean header-values/20260101000000_first?" in isthmus("schema", "check", cwd=git.folder).err
    git.add("isthmus.toml", models.SETTINGS + 'off = {model-entri = "x", "Grüße" = "x"}\n')
    ran = isthmus("changes", "check", cwd=git.folder)
    assert ran.code == 2
    assert "There is no rule model-entri to switch off." in ran.err
    assert "Did you mean model-entry?" in ran.err
    assert "There is no rule Grüße to switch off." in ran.err


def test_edits_that_are_not_staged_are_told_and_the_index_is_not_written(isthmus: RunCommand, tmp_path: Path) -> None:
    git = prisma(tmp_path / "project")
    odd = 'prisma/migrations/20260102000000_second/o\'dd "ü".txt'
    git.add(odd, "x")
    git.commit()
    git.write(FIRST, SQL + "DROP TABLE x;\n")
    (git.folder / odd).unlink()
    os.utime(git.folder / SECOND, (0, 0))  # touched, and the same
    git.write("elsewhere.txt", "x")
    git("add", "--intent-to-add", "elsewhere.txt")
    index = (git.folder / ".git" / "index").read_bytes()
    for how in ((), ("--staged",)):
        ran = isthmus("schema", "check", *how, "--json", "-", cwd=git.folder)
        assert json.loads(ran.out)["unstaged"] == [FIRST, odd]
        assert f"Judged as git has them staged, for the working tree says something else: {FIRST}, {odd}." in ran.err
    assert (git.folder / ".git" / "index").read_bytes() == index
    git("checkout", "-q", "--", ".")
    assert "Judged as" not in isthmus("schema", "check", cwd=git.folder).err


def test_edits_of_models_and_entries_that_are_not_staged_are_told(isthmus: RunCommand, tmp_path: Path) -> None:
    git = models.project(tmp_path / "project")
    for path in (models.USER, models.place(models.OLD), models.LOG):
        git.write(path, "another")
    git.write("isthmus.toml", models.SETTINGS + "\n")
    ran = isthmus("changes", "check", "--staged", "--json", "-", cwd=git.folder)
    assert (ran.code, json.loads(ran.out)["unstaged"]) == (
        0,
        sorted([models.USER, models.place(models.OLD), models.LOG]),
    )
    assert f"something else: {models.USER}" in ran.err


def test_what_is_found_in_many_files_alike_is_said_once(isthmus: RunCommand, tmp_path: Path) -> None:
    git = Git(tmp_path / "old")
    git.add("isthmus.toml", FLAT)
    for number in range(12):
        git.add(f"m/{number:04}_old.sql", "SELECT 1;\n")
    git.add("m/0012_other.sql", SQL.replace("PANA-1", "?"))
    git.commit()
    ran = isthmus("schema", "check", cwd=git.folder)
    assert ran.code == 5
    assert ran.out.count("The header has no `Purpose:`.") == 1
    assert all(f"m/{number:04}_old.sql\n" in ran.out for number in range(12))
    assert ran.out.index("0011_old") < ran.out.index("`Purpose:`") < ran.out.index("0012_other")
    assert "37 findings in 13 files." in ran.out


@pytest.fixture
def project(tmp_path: Path, database: str) -> Project:
    made = Project(tmp_path / "project", database)
    made.write("0001_a", "CREATE TABLE a (id int);")
    return made


def test_a_deploy_that_does_not_begin_prints_no_heading(isthmus: RunCommand, project: Project) -> None:
    ran = isthmus("schema", "deploy", "-t", "postgresql://127.0.0.1:1/x", cwd=project.root)
    assert (ran.code, ran.out) == (4, "")
    (first,) = project.scripts()
    project.do(
        'CREATE TABLE "__drizzle_migrations" (id serial, hash text, created_at bigint)',
        f"INSERT INTO \"__drizzle_migrations\" (hash) VALUES ('{first.checksum}')",
    )
    ran = isthmus("schema", "deploy", "-t", project.conninfo, cwd=project.root)
    assert (ran.code, "not-adopted" in ran.err, ran.out) == (5, True, "")
    project.do('DROP TABLE "__drizzle_migrations"')
    ran = isthmus("schema", "deploy", "-t", project.conninfo, cwd=project.root)
    assert [line.partition(" (")[0] for line in ran.out.splitlines()] == ["m:", "  0001_a: applied"]
    ran = isthmus("schema", "deploy", "-t", project.conninfo, cwd=project.root)
    assert ran.out.splitlines() == ["m:", "  nothing is pending; it has 1 migration."]


def test_commands_that_are_suggested_name_the_target_without_its_password(
    isthmus: RunCommand, project: Project
) -> None:
    project.write("0002_b", "SELECT 1;\nSELECT 1 / 0;", more=NONE)
    address = password_url(project.conninfo, "hush hush")
    assert isthmus("schema", "deploy", "-t", address, cwd=project.root).code == 4
    ran = isthmus("schema", "resolve", "0002_b", "-t", address, cwd=project.root)
    shown = address.replace(":" + address.split(":")[2].partition("@")[0], "")
    assert f"isthmus schema resolve 0002_b --target {shown} --step 1\n" in ran.out
    assert "hush" not in ran.all
    ran = isthmus("schema", "resolve", "0002_b", cwd=project.root, env={"DATABASE_URL": address})
    assert "isthmus schema resolve 0002_b --step 1\n" in ran.out


@pytest.mark.parametrize(
    "words",
    [("status", "-t"), ("drift", "-t"), ("check", "--target"), ("rehearse", "--scratch")],
    ids=lambda one: str(one[0]),
)
def test_a_command_that_commits_nothing_does_not_speak_of_what_was_committed(
    words: tuple[str, str], tmp_path: Path
) -> None:
    git = Git(tmp_path / "project")
    git.add("isthmus.toml", FLAT)
    git.add("m/0001_a.sql", SQL)
    with mute_server() as port:
        command = [COMMAND, "schema", *words, f"postgresql://x@127.0.0.1:{port}/x"]
        with subprocess.Popen(command, cwd=git.folder, stderr=subprocess.PIPE, text=True) as process:
            try:
                ends_at = time.monotonic() + 30
                while not any(one.raddr for one in psutil.Process(process.pid).net_connections()):
                    assert time.monotonic() < ends_at
                    time.sleep(0.05)
                process.send_signal(signal.SIGINT)
                _, said = process.communicate(timeout=30)
            finally:
                process.kill()
    assert process.returncode == 130, said
    assert said == "SIGINT: ending now. Nothing was committed; the same command may be run again.\n"


def test_a_file_without_any_statement_is_not_deployed_and_one_that_is_applied_is_in_nobodys_way(
    isthmus: RunCommand, project: Project
) -> None:
    target = ("-t", project.conninfo)
    project.write("0002_nothing", "-- to come\n;;")
    ran = isthmus("schema", "deploy", *target, cwd=project.root)
    assert (ran.code, "bad-migrations" in ran.err, "0002_nothing.sql: It holds no statement." in ran.err) == (
        2,
        True,
        True,
    ), ran.all
    assert "baseline" not in ran.err
    assert (project.one("SELECT to_regclass('a')"), ran.out) == (None, "")
    assert isthmus("schema", "deploy", "--to", "0001_a", *target, cwd=project.root).code == 0
    assert isthmus("schema", "resolve", "0002_nothing", "--applied", *target, cwd=project.root).code == 0
    project.write("0003_c", "CREATE TABLE c (id int);")
    ran = isthmus("schema", "deploy", *target, cwd=project.root)
    assert (ran.code, "0003_c: applied" in ran.out) == (0, True), ran.all


def test_what_to_do_about_a_refused_migration_stands_in_the_message(isthmus: RunCommand, project: Project) -> None:
    project.write("0002_b", "SELECT 1 / 0;")
    ran = isthmus("schema", "deploy", "-t", project.conninfo, cwd=project.root)
    assert ran.code == 4
    assert 'off = {"migration-unchanged/0002_b" = "why"}' in ran.err
    assert ".md" not in ran.err


def test_the_search_path_of_an_address_says_where_tables_are_made(isthmus: RunCommand, project: Project) -> None:
    """What is told to who leaves Prisma's `schema` out of an address."""
    project.do("CREATE SCHEMA other")
    address = password_url(project.conninfo, "x")
    ran = isthmus("schema", "deploy", "-t", f"{address}?schema=other", cwd=project.root)
    assert (ran.code, "options=-csearch_path%3DSCHEMA" in ran.err) == (2, True), ran.all
    ran = isthmus("schema", "deploy", "-t", f"{address}?options=-csearch_path%3Dother", cwd=project.root)
    assert ran.code == 0, ran.all
    assert project.one("SELECT relnamespace::regnamespace::text FROM pg_class WHERE relname = 'a'") == "other"
    assert project.stands() == {"0001_a": "applied"}
