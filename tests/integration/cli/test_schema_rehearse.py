"""`isthmus schema rehearse` as a person and a script meet it: words, files, JSON, exit codes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg
import pytest

from tests.fix_git import Git
from tests.integration.cli.conftest import RunCommand

HEADER = "-- Purpose: a test\n-- Ticket: N/A\n-- Reversible: {}\n"
FIRST, SECOND = "m/0001_users.sql", "m/0002_email.sql"


@pytest.fixture
def project(tmp_path: Path) -> Git:
    git = Git(tmp_path / "a project")
    git.add("isthmus.toml", '[schema]\nfolder = "m"\nlayout = "flat"\n')
    git.add(FIRST, HEADER.format("Yes") + "-- Rollback: DROP TABLE users;\n\nCREATE TABLE users (id int, name text);\n")
    git.commit()
    return git


def second(reversible: str, rollback: str) -> str:
    return (
        HEADER.format(reversible) + f"-- Rollback: {rollback}\n\nALTER TABLE users ADD email text;\nCREATE INDEX i ON"
        " users (email);\nUPDATE users SET name = upper(name);\n"
    )


def test_a_rehearsal_that_finds_nothing_writes_schema_json_once(
    isthmus: RunCommand, project: Git, postgres: str
) -> None:
    ran = isthmus("schema", "rehearse", "--scratch", postgres, cwd=project.folder)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines() == ["1 migration: 1 restored.", "m/schema.json: written; git add it."]
    written = (project.folder / "m/schema.json").read_text()
    assert json.loads(written)["tables"]["public.users"]["columns"]["id"] == {
        "type": "integer",
        "nullable": True,
        "migration": "0001_users",
    }
    assert written.endswith("}\n")
    ran = isthmus("schema", "rehearse", "--scratch", postgres, "--check", cwd=project.folder)
    assert (ran.code, ran.out.splitlines()) == (0, ["1 migration: 1 restored."])
    (project.folder / "m/schema.json").write_text(written.replace("integer", "bigint"))
    ran = isthmus("schema", "rehearse", "--scratch", postgres, "--check", cwd=project.folder)
    assert ran.code == 5
    assert "m/schema.json: it is not what the migrations make." in ran.out
    assert "public.users.id is `bigint` of 0001_users in it, and should be `integer` of 0001_users." in (
        " ".join(ran.out.split())
    )
    assert "bigint" in (project.folder / "m/schema.json").read_text()


def test_what_does_not_restore_is_told_and_nothing_is_written(isthmus: RunCommand, project: Git, postgres: str) -> None:
    project.add(SECOND, second("Yes", "ALTER TABLE users DROP email;"))
    ran = isthmus("schema", "rehearse", "--scratch", postgres, "--json", "out.json", cwd=project.folder)
    assert ran.code == 5
    assert "0002_email: its rollback does not restore what was there before." in ran.out
    assert "behind the rollback: public.users.name: values are not what they were." in ran.out
    assert "m/schema.json: not written" in ran.out
    assert not (project.folder / "m/schema.json").exists()
    told = json.loads((project.folder / "out.json").read_text())
    assert (told["outcome"], told["exit_code"]) == ("refused", 5)
    first, last = told["schemas"]["m"]
    assert (first["outcome"], last["outcome"], last["rows_before"]) == ("restores", "not restored", 3)
    (finding,) = last["findings"]
    assert (finding["kind"], finding["object"]) == ("rows-lost", None)
    project.add(SECOND, second("Partial", "ALTER TABLE users DROP email;"))
    ran = isthmus("schema", "rehearse", "--scratch", postgres, cwd=project.folder)
    assert ran.code == 0
    assert "its rollback restores a part, as `Reversible: Partial` says." in ran.out
    assert "values are not what they were" in ran.out


def test_what_the_settings_excuse_is_told_with_the_reason(isthmus: RunCommand, project: Git, postgres: str) -> None:
    project.add(SECOND, second("Yes", "ALTER TABLE users DROP email;"))
    settings = project.folder / "isthmus.toml"
    settings.write_text(settings.read_text() + 'off = {"rehearsal/0002_email" = "names are not kept"}\n')
    ran = isthmus("schema", "rehearse", "--scratch", postgres, cwd=project.folder)
    assert ran.code == 0
    assert "Excused: names are not kept" in ran.out
    settings.write_text(settings.read_text().replace("0002_email", "0002_other"))
    ran = isthmus("schema", "rehearse", "--scratch", postgres, cwd=project.folder)
    assert ran.code == 2
    assert "unknown-migration" in ran.err


def test_a_migration_that_is_refused_ends_with_its_file_and_line(
    isthmus: RunCommand, project: Git, postgres: str
) -> None:
    project.add(SECOND, HEADER.format("No") + "\nALTER TABLE users\n  ADD email txt;\n")
    ran = isthmus("schema", "rehearse", "--scratch", postgres, "--json", "-", cwd=project.folder)
    assert ran.code == 4
    told = json.loads(ran.out)
    assert (told["outcome"], told["code"]) == ("failed", "migration-failed")
    assert [one["name"] for one in told["schemas"]["m"]] == ["0001_users"]
    assert f"{project.folder / SECOND}:6" in " ".join(ran.err.split())


def test_without_a_server_one_is_started_and_gone_afterwards(isthmus: RunCommand, project: Git) -> None:
    before = set(Path(tempfile.gettempdir()).glob("isthmus-scratch-*"))
    project.add(SECOND, HEADER.format("No") + "\nGRANT SELECT ON users TO somebody;\n")
    ran = isthmus("schema", "rehearse", cwd=project.folder)
    assert ran.code == 0
    assert "Made on the scratch server, for migrations name them: somebody." in ran.err
    assert set(Path(tempfile.gettempdir()).glob("isthmus-scratch-*")) <= before


def test_a_server_that_lets_nobody_make_databases_says_what_to_do(
    isthmus: RunCommand, project: Git, postgres: str
) -> None:
    role = f"nobody_{os.getpid()}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN".encode())
        try:
            ran = isthmus("schema", "rehearse", "--scratch", f"{postgres} user={role}", cwd=project.folder)
        finally:
            connection.execute(f"DROP ROLE {role}".encode())
    assert ran.code == 4
    assert "scratch-refused" in ran.err
    assert "CREATEDB" in ran.err


@pytest.mark.parametrize("what", ["mysql://x/y", "postgresql://127.0.0.1:1/x"])
def test_a_scratch_server_that_is_none(isthmus: RunCommand, project: Git, what: str) -> None:
    ran = isthmus("schema", "rehearse", "--scratch", what, cwd=project.folder)
    assert ran.code == (2 if what.startswith("mysql") else 4)
    assert ran.err.count("\n") < 6


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_in_the_middle_it_leaves_no_database(project: Git, postgres: str, number: int) -> None:
    project.add(SECOND, HEADER.format("No") + "\nSELECT pg_sleep(60);\n")
    command = [sys.executable, "-m", "isthmus", "schema", "rehearse", "--scratch", postgres]
    process = subprocess.Popen(command, cwd=project.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        with psycopg.connect(postgres, autocommit=True) as connection:
            asked = (
                b"SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND datname LIKE 'isthmus%'"
            )
            ends_at = time.monotonic() + 60
            while connection.execute(asked).fetchone() != (1,) and time.monotonic() < ends_at:
                time.sleep(0.05)
            process.send_signal(number)
            assert process.wait(30) == 130
            left = connection.execute("SELECT count(*) FROM pg_database WHERE starts_with(datname, 'isthmus_scratch')")
            assert left.fetchone() == (0,)
    finally:
        process.kill()
        process.communicate()


def test_a_sidecar_that_is_rehearsed_alone_says_what_was_left_out(
    isthmus: RunCommand, project: Git, postgres: str
) -> None:
    project.add(
        "isthmus.toml", '[[schema]]\nfolder = "m"\nlayout = "flat"\n[[schema]]\nfolder = "s"\nlayout = "flat"\n'
    )
    project.add("s/0001_x.sql", HEADER.format("No") + "\nALTER TABLE users ADD x int;\n")
    ran = isthmus("schema", "rehearse", "s", "--scratch", postgres, cwd=project.folder)
    assert ran.code == 4
    assert "m was left out. Name it, too, where its migrations make what is missing." in " ".join(ran.err.split())
    ran = isthmus("schema", "rehearse", "s", "m", "--scratch", postgres, cwd=project.folder)
    assert (ran.code, ran.err) == (0, "")


def test_a_file_that_cannot_be_written_is_named(isthmus: RunCommand, project: Git, postgres: str) -> None:
    (project.folder / "m/schema.json").mkdir()
    ran = isthmus("schema", "rehearse", "--scratch", postgres, "--json", "-", cwd=project.folder)
    assert ran.code == 2
    told = json.loads(ran.out)
    assert (told["outcome"], told["code"]) == ("failed", "schema-json-not-written")
    assert [one["outcome"] for one in told["schemas"]["m"]] == ["restores"]
