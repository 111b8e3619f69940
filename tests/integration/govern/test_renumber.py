"""New numbers by `isthmus schema renumber`: what moves, what stays, what is refused; afterwards the check is silent."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from isthmus.errors import ConfigError, GovernError
from isthmus.govern.renumbering.renumber import Renumbered, renumber
from isthmus.govern.settings import find_project
from tests.fix_git import Git
from tests.integration.govern.repositories import (
    FIRST,
    FLAT,
    JOURNAL,
    SETTINGS,
    SQL,
    THIRD,
    checked,
    drizzle,
    journal,
    place,
    prisma,
    refused,
)

NAMES = ("0000_first", "0001_second")
BASE = 'base = "main"\n'


def done(git: Git, *names: str, **how: object) -> Renumbered:
    project = find_project(git.folder)
    return renumber(project, project.settings.schemas[0], names, **how)  # pyright: ignore[reportArgumentType]


def named(name: str, more: str = "") -> str:
    return f"-- Migration: {name}\n{more}{SQL}"


@pytest.fixture
def folders(tmp_path: Path) -> Git:
    """A branch `feature` with three migrations of its own, two of them older than what `main` has meanwhile."""
    git = prisma(tmp_path)
    git.add("isthmus.toml", BASE + SETTINGS)
    git.commit()
    git("checkout", "-q", "-b", "feature")
    git.add(place("20260103000000_a"), named("20260103000000_a"))
    git.add(place("20260103000000_a", "rollback.sql"), "DROP TABLE a;\n")
    git.add(
        place("20260103000001_b"),
        named("20260103000001_b", "-- Dependencies: 20260101000000_first,\n--   20260103000000_a\n"),
    )
    git.commit()
    git("checkout", "-q", "main")
    git.add(place("20260104000000_main"), SQL)
    git.commit()
    git("checkout", "-q", "feature")
    git.add(place("20260105000000_c"), SQL)
    return git


def test_own_ones_come_behind_the_base_in_their_order(folders: Git) -> None:
    before = datetime.now(UTC).strftime("%Y%m%d%H%M%S")
    assert {one.rule for one in checked(folders).findings} == {"migration-order"}
    result = done(folders)
    assert list(result.names) == ["20260103000000_a", "20260103000001_b", "20260105000000_c"]
    new = list(result.names.values())
    assert [one[14:] for one in new] == ["_a", "_b", "_c"]
    assert new == sorted(new)
    assert new[0][:14] >= before
    assert result.after == "20260104000000_main"
    assert folders("status", "--porcelain") == folders("status", "--porcelain", "--untracked-files=no")
    assert (folders.folder / place(new[0], "rollback.sql")).read_text() == "DROP TABLE a;\n"
    assert folders("show", f":{place(new[1])}") == named(
        new[1], f"-- Dependencies: 20260101000000_first,\n--   {new[0]}\n"
    )
    assert not (folders.folder / "prisma/migrations/20260103000000_a").exists()
    for how in ({}, {"staged": True}, {"base": "main"}):
        assert refused(checked(folders, **how)) == []
    folders.commit()
    assert done(folders).names == {}
    folders("merge", "-q", "-m", "merge", "main")
    assert refused(checked(folders, base="main")) == []


def test_a_dry_run_changes_nothing(folders: Git) -> None:
    before = folders("status", "--porcelain")
    result = done(folders, dry_run=True)
    assert len(result.names) == 3
    assert folders("status", "--porcelain") == before


def test_what_comes_after_the_base_keeps_its_number(tmp_path: Path) -> None:
    git = prisma(tmp_path)
    git.add(THIRD, SQL)
    assert done(git).names == {}
    result = done(git, "20260103000000_third")
    assert list(result.names) == ["20260103000000_third"]


def test_nothing_that_others_have_is_moved(folders: Git) -> None:
    folders.commit()
    folders("merge", "-q", "-m", "merge", "main")
    for name in ("20260101000000_first", "20260104000000_main"):
        with pytest.raises(GovernError) as caught:
            done(folders, name)
        assert caught.value.code == "not-renumbered"
        assert [(one.where.file, one.message) for one in caught.value.problems] == [(place(name), "It is in main.")]
    with pytest.raises(ConfigError) as unknown:
        done(folders, "20260103000009_x")
    assert unknown.value.code == "no-such-migration"


def test_without_a_base_only_what_is_in_no_commit_moves(tmp_path: Path) -> None:
    git = prisma(tmp_path)
    git.add(place("20260101120000_old"), SQL)
    assert list(done(git).names) == ["20260101120000_old"]
    assert refused(checked(git, staged=True)) == []
    with pytest.raises(GovernError) as caught:
        done(git, "20260102000000_second")
    assert "no base is known" in caught.value.problems[0].message


def test_what_a_database_has_keeps_its_number(folders: Git) -> None:
    with pytest.raises(GovernError) as caught:
        done(folders, applied={"20260103000000_a": "x"})
    assert [(one.where.file, one.message) for one in caught.value.problems] == [
        (place("20260103000000_a"), "It was applied to the target.")
    ]
    result = done(folders, applied={"20260105000000_c": "x"})
    assert list(result.names) == ["20260103000000_a", "20260103000001_b"]
    assert result.after == "20260105000000_c"


@pytest.mark.parametrize("how", ["edited", "gone"])
def test_changes_that_are_not_staged_are_not_moved(how: str, folders: Git) -> None:
    file = folders.folder / place("20260103000000_a")
    if how == "edited":
        file.write_text("other")
    else:
        file.unlink()
    before = folders("status", "--porcelain")
    with pytest.raises(ConfigError) as caught:
        done(folders)
    assert caught.value.code == "not-staged"
    assert [one.where.file for one in caught.value.problems] == [place("20260103000000_a")]
    assert folders("status", "--porcelain") == before


def test_a_file_that_was_only_touched_is_moved(folders: Git) -> None:
    file = folders.folder / place("20260103000000_a")
    file.write_bytes(file.read_bytes())
    assert len(done(folders).names) == 3


def test_files_that_git_does_not_hold_are_told(folders: Git) -> None:
    folders.write(place("20260103000003_x"), SQL)
    assert done(folders).untracked == [place("20260103000003_x")]


def flat(folder: Path) -> Git:
    git = drizzle(folder)
    git.add("isthmus.toml", BASE + FLAT)
    git.add("drizzle/meta/0001_snapshot.json", '{"id": "1"}')
    git.commit()
    git("checkout", "-q", "-b", "feature")
    git.add("drizzle/0002_mine.sql", named("0002_mine"))
    git.add("drizzle/0002_mine.rollback.sql", "SELECT 1;\n")
    git.add("drizzle/meta/0002_snapshot.json", '{"id": "mine"}')
    git.add("drizzle/0003_also.sql", named("0003_also", "-- Dependencies: 0002_mine\n"))
    git.add(JOURNAL, journal(*NAMES, "0002_mine", "0003_also"))
    git.commit()
    git("checkout", "-q", "main")
    git.add("drizzle/0002_main.sql", SQL)
    git.add(JOURNAL, journal(*NAMES, "0002_main", when=(1000, 1010, 1025)))
    git.commit()
    git("checkout", "-q", "feature")
    return git


def entries(git: Git) -> list[tuple[int, str]]:
    return [(one["idx"], one["tag"]) for one in json.loads(git("show", f":{JOURNAL}"))["entries"]]


def test_the_flat_layout_takes_journal_and_snapshots_along(tmp_path: Path) -> None:
    git = flat(tmp_path)
    result = done(git)
    assert result.names == {"0002_mine": "0003_mine", "0003_also": "0004_also"}
    assert result.stale == ["drizzle/meta/0003_snapshot.json"]
    assert entries(git) == [(0, "0000_first"), (1, "0001_second"), (2, "0003_mine"), (3, "0004_also")]
    assert refused(checked(git, base="main")) == []
    assert refused(checked(git, staged=True)) == []
    git.commit()
    with pytest.raises(AssertionError):
        git("merge", "-q", "main")
    # both entries are kept, in any order, and the numbers made good again
    git.add(JOURNAL, journal(*NAMES, "0003_mine", "0004_also", "0002_main", when=(1000, 1010, 1020, 1030, 1025)))
    assert {one.rule for one in checked(git, staged=True).findings} >= {"journal"}
    assert done(git).names == {}
    assert [tag for _, tag in entries(git)] == ["0000_first", "0001_second", "0002_main", "0003_mine", "0004_also"]
    assert refused(checked(git, staged=True)) == []
    git.commit()
    assert refused(checked(git, base="main")) == []


def test_a_journal_that_cannot_be_read_stops_it(tmp_path: Path) -> None:
    git = flat(tmp_path)
    git.add(JOURNAL, "{")
    before = git("status", "--porcelain")
    with pytest.raises(ConfigError) as caught:
        done(git)
    assert caught.value.code == "bad-journal"
    assert git("status", "--porcelain") == before


def test_a_new_number_that_is_there_already_in_the_working_tree_is_refused(tmp_path: Path) -> None:
    git = flat(tmp_path)
    git.write("drizzle/0003_mine.sql", "not held by git\n")
    with pytest.raises(ConfigError) as caught:
        done(git)
    assert caught.value.code == "in-the-way"
    assert (git.folder / "drizzle/0003_mine.sql").read_text() == "not held by git\n"
    assert (git.folder / "drizzle/0002_mine.sql").exists()
    assert FIRST
