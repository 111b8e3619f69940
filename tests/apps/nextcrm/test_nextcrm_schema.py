"""NextCRM's schema under governance: the migrations are fresh, checked, rehearsed, deployed, and drift is told.

Oracle: the catalog that the server has after `isthmus ddl`, against the one after `isthmus schema deploy`.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import psycopg
import pytest

from apps.nextcrm.baseline import NAME, baseline, main, write
from isthmus.errors import GovernError
from isthmus.govern.catalog.compare import differences
from isthmus.govern.catalog.read import read_catalog
from isthmus.govern.check import check_schemas
from isthmus.govern.settings import find_project
from tests.apps.nextcrm.conftest import HOME, Carried, run
from tests.fix_git import Git
from tests.oracle.copying import url

FOLDER = HOME / "migrations"
REMEDY = (
    "mapping.yaml and migrations/ differ. As long as no database has the baseline: python -m apps.nextcrm.baseline."
    " Afterwards: isthmus schema new, and its SQL."
)


def test_the_baseline_is_what_the_mapping_asks_for() -> None:
    if [one.name for one in FOLDER.iterdir() if one.is_dir()] != [NAME]:
        pytest.skip("There are later migrations: the mapping is held against all of them, below.")
    made = baseline()
    assert (FOLDER / NAME / "migration.sql").read_text(encoding="utf-8") == made.text, REMEDY
    assert (FOLDER / NAME / "rollback.sql").read_text(encoding="utf-8") == made.rollback, REMEDY


def test_the_migrations_make_what_the_mapping_asks_for(deployed: str, database: str) -> None:
    printed = run("ddl", "mapping.yaml", database=database)
    assert printed.code == 0, printed.said
    with psycopg.connect(database) as asked, psycopg.connect(deployed) as made:
        asked.execute(printed.out.encode())
        found = differences(read_catalog(asked), read_catalog(made))
        assert not found, REMEDY + "\n" + "\n".join(one.sentence for one in found)
        assert len([key for key in read_catalog(made) if key.kind == "table"]) == 39


def test_no_rule_stands_against_the_migrations(tmp_path: Path, database: str) -> None:
    git = Git(tmp_path / "a project")
    home = git.folder / "apps" / "nextcrm"
    shutil.copytree(FOLDER, home / "migrations")
    shutil.copy(HOME / "isthmus.toml", home)
    git("add", "--all")
    ran = run("schema", "check", database=database, home=home)
    assert ran.code == 0, ran.out + ran.said
    assert "nothing stands against them" in ran.out
    assert "not looked" not in ran.out + ran.said  # the linter was asked
    git.commit()
    (home / "migrations" / NAME / "migration.sql").write_text("SELECT 1;\n", encoding="utf-8")
    git("add", "--all")
    assert run("schema", "check", database=database, home=home).code == 5  # or the check looks at nothing


def test_the_rules_say_nothing_against_what_this_repository_holds() -> None:
    if shutil.which("git") is None or not (HOME.parents[1] / ".git").exists():
        pytest.skip("there is no repository, as in a release's archive")
    assert not check_schemas(find_project(HOME)).findings


def test_the_rehearsal_restores_and_its_record_is_fresh(postgres: str, database: str) -> None:
    ran = run("schema", "rehearse", "--check", "--scratch", url(postgres), database=database)
    assert ran.code == 0, REMEDY + ran.out + ran.said
    assert "1 restored" in ran.out


def test_a_second_deployment_applies_nothing(deployed: str) -> None:
    again = run("schema", "deploy", "--json", "-", database=deployed)
    assert again.code == 0, again.said
    assert run("schema", "status", database=deployed).code == 0
    assert json.loads(again.out)["applied"] == {"nextcrm": []}


def test_a_copied_database_has_no_drift(busy: Carried, postgres: str) -> None:
    ran = run("schema", "drift", "--scratch", url(postgres), database=busy.database)
    assert ran.code == 0, ran.out + ran.said


@pytest.mark.parametrize(
    ("done", "told"),
    [
        ('DROP INDEX "crm_Accounts_search_idx"', "crm_Accounts_search_idx"),
        ('ALTER TABLE "Documents" DROP COLUMN extras', "extras"),
        ('ALTER TABLE "Tasks" DROP CONSTRAINT "Tasks_createdBy_fkey"', "Tasks_createdBy_fkey"),
        ('ALTER TABLE "crm_Opportunities" ALTER COLUMN budget TYPE integer', "budget"),
        ('DROP TABLE "secondBrain_notions"', "secondBrain_notions"),
    ],
)
def test_what_another_tool_takes_away_is_drift(deployed: str, postgres: str, done: str, told: str) -> None:
    with psycopg.connect(deployed) as connection:
        connection.execute(done.encode())
    ran = run("schema", "drift", "--scratch", url(postgres), database=deployed)
    assert ran.code == 1, ran.out + ran.said
    assert told in ran.out


@pytest.mark.parametrize(("words", "code"), [(["--help"], 0), (["mapping.yaml"], 2), (["--force"], 2)])
def test_the_command_that_writes_the_baseline_writes_nothing_where_it_is_asked_something_else(
    words: list[str], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.stat().st_mtime_ns for path in FOLDER.rglob("*")}
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == code
    said = capsys.readouterr()
    assert ("Exit codes:" in said.out) == (code == 0)
    assert {path: path.stat().st_mtime_ns for path in FOLDER.rglob("*")} == before


def test_the_baseline_is_not_written_anew_behind_a_later_migration(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / "migrations")
    shutil.copy(HOME / "isthmus.toml", tmp_path)
    later = tmp_path / "migrations" / "20260102000000_later"
    later.mkdir()
    later.joinpath("migration.sql").write_text(
        "-- Purpose: a test\n-- Ticket: N/A\n-- Reversible: No\n\nSELECT 1;\n", encoding="utf-8"
    )
    before = (tmp_path / "migrations" / NAME / "migration.sql").read_bytes()
    with pytest.raises(GovernError, match="20260102000000_later") as refused:
        write(find_project(tmp_path))
    assert refused.value.code == "baseline-behind"
    assert (tmp_path / "migrations" / NAME / "migration.sql").read_bytes() == before
