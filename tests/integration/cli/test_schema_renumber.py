"""`isthmus schema renumber`, and `check` with a database: words, JSON, exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.fix_git import Git
from tests.integration.cli.conftest import RunCommand
from tests.integration.govern.repositories import SQL, drizzle, place, prisma

MINE = "20260101120000_mine"


@pytest.fixture
def project(tmp_path: Path) -> Git:
    git = prisma(tmp_path / "project")
    git("checkout", "-q", "-b", "feature")
    git.add(place(MINE), SQL)
    git.commit()
    return git


def test_renumber_says_what_moved_and_check_is_content(isthmus: RunCommand, project: Git) -> None:
    folder = project.folder
    ran = isthmus("schema", "renumber", "--base", "main", "--dry-run", cwd=folder)
    assert ran.code == 0
    assert "1 migration would come behind 20260102000000_second." in ran.out
    assert (folder / place(MINE)).exists()
    ran = isthmus("schema", "renumber", "--base", "main", "--json", "-", cwd=folder)
    assert ran.code == 0
    told = json.loads(ran.out)
    new = told["names"][MINE]
    assert told["files"] == {place(MINE): place(new)}
    assert (told["outcome"], told["after"]) == ("complete", "20260102000000_second")
    assert "The settings name no base" in " ".join(ran.err.split())
    assert isthmus("schema", "check", "--base", "main", cwd=folder).code == 0
    ran = isthmus("schema", "renumber", "--base", "main", cwd=folder)
    assert (ran.code, ran.out) == (0, "prisma/migrations: no migration needs a new number.\n")


def test_renumber_refuses_what_is_merged_by_name_and_reason(isthmus: RunCommand, project: Git) -> None:
    ran = isthmus("schema", "renumber", "20260101000000_first", "--base", "main", cwd=project.folder)
    assert ran.code == 5
    assert "not-renumbered" in ran.err
    assert f"{place('20260101000000_first')}: It is in main." in " ".join(ran.err.split())
    ran = isthmus("schema", "renumber", MINE, cwd=project.folder)
    assert ran.code == 5
    assert "no base is known" in " ".join(ran.err.split())
    assert isthmus("schema", "renumber", "x", cwd=project.folder).code == 2
    assert isthmus("schema", "renumber", "--base", "nothing", cwd=project.folder).code == 2


def test_renumber_notes_snapshots_that_are_stale(isthmus: RunCommand, tmp_path: Path) -> None:
    git = drizzle(tmp_path / "flat")
    git.add("drizzle/0001_mine.sql", SQL)
    git.add("drizzle/meta/0001_snapshot.json", "{}")
    ran = isthmus("schema", "renumber", cwd=git.folder)
    assert ran.code == 0
    assert "0001_mine → 0002_mine" in ran.out
    assert "drizzle/meta/_journal.json: written anew" in ran.out


def test_check_and_renumber_with_a_database(isthmus: RunCommand, project: Git, database: str) -> None:
    folder = project.folder
    (folder / place("20260102000000_second")).write_text(SQL.replace("TABLE x (", "TABLE y ("))
    (folder / place(MINE)).write_text(SQL.replace("TABLE x (", "TABLE z ("))
    assert isthmus("schema", "deploy", "--target", database, cwd=folder).code == 0
    ran = isthmus("schema", "check", "--target", database, "--json", "-", cwd=folder)
    assert ran.code == 5
    found = [(one["rule"], one["file"]) for one in json.loads(ran.out)["findings"]]
    assert found == [
        ("migration-applied", place(MINE)),
        ("migration-applied", place("20260102000000_second")),
    ]
    assert isthmus("schema", "check", cwd=folder).code == 0
    ran = isthmus("schema", "renumber", "--base", "main", "--target", database, cwd=folder)
    assert ran.code == 5
    assert "It was applied to the target" in " ".join(ran.err.split())
    assert isthmus("schema", "check", "--target", "postgresql://localhost:1/x", cwd=folder).code == 4


def test_check_says_what_squawk_says_and_which_rule(isthmus: RunCommand, project: Git) -> None:
    project.add(place("20260103000000_third"), SQL.replace("CREATE TABLE x (id int)", "DROP INDEX i"))
    ran = isthmus("schema", "check", "--staged", cwd=project.folder)
    assert ran.code == 5
    assert "(dangerous-ddl/require-concurrent-index-deletion)" in ran.out
    assert "Drop the index `CONCURRENTLY`." in ran.out


def test_check_notes_what_it_could_not_compare_with_and_what_cannot_be_changed(
    isthmus: RunCommand, tmp_path: Path
) -> None:
    git = Git(tmp_path / "old")
    git.add("isthmus.toml", 'base = "origin/main"\n[schema]\nfolder = "m"\nlayout = "flat"\n')
    for number in range(12):
        git.add(f"m/{number:04}_old.sql", "SELECT 1;\n")
    git.commit()
    ran = isthmus("schema", "check", "--json", "-", cwd=git.folder)
    assert ran.code == 5
    base, committed = json.loads(ran.out)["notes"]
    assert "There is no origin/main here" in base
    assert "36 findings are about migrations of m that are committed already. " in committed
    assert 'baseline = "0011_old"' in committed
    assert "36 findings in 12 files." in ran.err
    git.add("isthmus.toml", '[schema]\nfolder = "m"\nlayout = "flat"\nbaseline = "0011_old"\n')
    ran = isthmus("schema", "check", "--json", "-", cwd=git.folder)
    assert ran.code == 0
    assert all(note.startswith("These settings change ") for note in json.loads(ran.out)["notes"])
