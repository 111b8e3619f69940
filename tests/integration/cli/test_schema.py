"""`isthmus schema` as a person and a script meet it: words, JSON, exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.fix_git import Git
from tests.integration.cli.conftest import RunCommand
from tests.integration.govern.repositories import FIRST, SECOND, SQL, THIRD, drizzle, prisma

PURPOSE = "-- Purpose: a test\n-- Ticket: PANA-1\n-- Reversible: No\n"


@pytest.fixture
def project(tmp_path: Path) -> Git:
    return prisma(tmp_path / "project")


def test_check_passes_and_refuses_with_file_line_rule_and_hint(isthmus: RunCommand, project: Git) -> None:
    ran = isthmus("schema", "check", cwd=project.folder)
    assert (ran.code, ran.out.strip()) == (0, "2 migrations, 2 looked at: nothing stands against them.")
    project.add(THIRD, SQL.replace("Yes", "Maybe"))
    project.write(FIRST, "anything")
    ran = isthmus("schema", "check", "--staged", "--json", "-", cwd=project.folder)
    assert ran.code == 5
    told = json.loads(ran.out)
    assert (told["outcome"], told["exit_code"], told["looked_at"]) == ("refused", 5, {"prisma/migrations": 1})
    (finding,) = told["findings"]
    assert (finding["rule"], finding["file"], finding["line"]) == ("header-values", THIRD, 3)
    assert THIRD in ran.err
    assert "line 3: `Reversible: Maybe` is none of Yes, No, Partial. (header-values)" in ran.err
    assert "1 finding in 1 file." in ran.err


def test_check_says_what_it_did_not_look_at(isthmus: RunCommand, project: Git) -> None:
    project.write(THIRD, SQL)
    ran = isthmus("schema", "check", cwd=project.folder)
    assert ran.code == 0
    assert f"Not looked at, for git does not hold it: {THIRD}" in " ".join(ran.err.split())


def test_check_of_staged_and_of_a_base_at_once_is_a_mistake(isthmus: RunCommand, project: Git) -> None:
    assert isthmus("schema", "check", "--staged", "--base", "main", cwd=project.folder).code == 2


def test_check_without_settings_or_repository(isthmus: RunCommand, tmp_path: Path) -> None:
    ran = isthmus("schema", "check", cwd=tmp_path)
    assert ran.code == 2
    assert "no-settings" in ran.err
    (tmp_path / "isthmus.toml").write_text('[schema]\nfolder = "m"\n')
    ran = isthmus("schema", "check", cwd=tmp_path)
    assert ran.code == 2
    assert "no-repository" in ran.err


def test_status_and_deploy(isthmus: RunCommand, project: Git, database: str) -> None:
    project.add(FIRST, PURPOSE + "CREATE TABLE a (id int);\n")
    project.add(SECOND, PURPOSE + "ALTER TABLE nobody ADD x int;\n")
    environment = {"POSTGRES_DIRECT_URL": database, "DATABASE_URL": "postgresql://nobody.invalid/x"}
    ran = isthmus("schema", "status", cwd=project.folder, env=environment)
    assert (ran.code, ran.out.splitlines()[0]) == (1, "prisma/migrations: 2 pending")
    ran = isthmus("schema", "deploy", "--json", "-", cwd=project.folder, env=environment)
    assert ran.code == 4
    told = json.loads(ran.out)
    assert [one["name"] for one in told["applied"]["prisma/migrations"]] == ["20260101000000_first"]
    assert (told["code"], told["outcome"]) == ("migration-failed", "failed")
    assert 'relation "nobody" does not exist' in ran.err
    ran = isthmus("schema", "status", cwd=project.folder, env=environment)
    assert ran.code == 1
    assert "1 applied, 1 failed" in ran.out
    project.add(SECOND, PURPOSE + "ALTER TABLE a ADD x int;\n")
    ran = isthmus("schema", "deploy", cwd=project.folder, env=environment)
    assert (ran.code, "20260102000000_second: applied" in ran.out) == (0, True)
    ran = isthmus("schema", "deploy", cwd=project.folder, env=environment)
    assert (ran.code, "nothing is pending; it has 2 migrations." in ran.out) == (0, True)
    project.add(FIRST, PURPOSE + "CREATE TABLE a (id bigint);\n")
    ran = isthmus("schema", "status", cwd=project.folder, env=environment)
    assert (ran.code, "1 changed, 1 applied" in ran.out) == (5, True)
    ran = isthmus("schema", "deploy", cwd=project.folder, env=environment)
    assert ran.code == 5
    assert "history-differs" in ran.err


def test_new_writes_what_check_only_wants_filled_in(isthmus: RunCommand, project: Git) -> None:
    project("checkout", "-q", "-b", "feature/PANA-77-mails")
    ran = isthmus("schema", "new", "Add e-mails", cwd=project.folder)
    assert ran.code == 0
    (file,) = [Path(line) for line in ran.out.splitlines() if line.endswith(".sql")]
    text = file.read_text()
    assert file.parent.name.endswith("_add_e_mails")
    assert f"-- Migration: {file.parent.name}\n" in text
    assert "-- Ticket: PANA-77\n" in text
    project("add", "-A")
    told = json.loads(isthmus("schema", "check", "--staged", "--json", "-", cwd=project.folder).out)
    assert [(one["rule"], one["line"]) for one in told["findings"]] == [("migration-files", None), ("header-values", 2)]
    file.write_text(text.replace("<what it is for>", "mails of users") + "CREATE TABLE mails (id int);\n")
    project("add", "-A")
    assert isthmus("schema", "check", "--staged", cwd=project.folder).code == 0


def test_new_in_the_flat_layout_adds_to_the_journal(isthmus: RunCommand, tmp_path: Path) -> None:
    project = drizzle(tmp_path / "flat")
    ran = isthmus("schema", "new", "third", "--purpose", "a test", "--ticket", "N/A", cwd=project.folder)
    assert ran.code == 0
    assert (project.folder / "drizzle" / "0002_third.sql").exists()
    project.add("drizzle/0002_third.sql", (project.folder / "drizzle/0002_third.sql").read_text() + "SELECT 1;\n")
    project("add", "-A")
    assert isthmus("schema", "check", cwd=project.folder).code == 0
    assert isthmus("schema", "new", "!", cwd=project.folder).code == 2
    assert isthmus("schema", "new", "x", "--schema", "other", cwd=project.folder).code == 2
