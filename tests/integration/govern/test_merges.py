"""Branches: what merges, rebases and new numbers bring in, in both layouts, made with git itself.

Where no base is known, a merge is compared with HEAD alone: what comes in must come after what HEAD has.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from isthmus.govern.hooks import install
from isthmus.govern.repository.git import Repository
from tests.fix_git import Git
from tests.integration.cli.conftest import COMMAND
from tests.integration.govern.repositories import (
    FLAT,
    JOURNAL,
    SETTINGS,
    SQL,
    checked,
    drizzle,
    journal,
    place,
    prisma,
    refused,
)

MINE, MAIN = place("20260103000000_mine"), place("20260104000000_main")


def folders(folder: Path) -> Git:
    """Return a repository on `main`, whose branch `feature` has an older migration than `main`."""
    git = prisma(folder)
    git("checkout", "-q", "-b", "feature")
    git.add(MINE, SQL)
    git.commit()
    git("checkout", "-q", "main")
    git.add(MAIN, SQL)
    git.commit()
    return git


FLAT_MINE, FLAT_MAIN = "drizzle/0002_mine.sql", "drizzle/0003_main.sql"
NAMES = ("0000_first", "0001_second")


def flat(folder: Path) -> Git:
    """Return the same in the flat layout; the journals conflict, as they do in life."""
    git = drizzle(folder)
    git("checkout", "-q", "-b", "feature")
    git.add(FLAT_MINE, SQL)
    git.add(JOURNAL, journal(*NAMES, "0002_mine"))
    git.commit()
    git("checkout", "-q", "main")
    git.add(FLAT_MAIN, SQL)
    git.add(JOURNAL, journal(*NAMES, "0003_main", when=(1000, 1010, 1030)))
    git.commit()
    return git


BOTH: dict[str, tuple[Callable[[Path], Git], str, str]] = {
    "folders": (folders, MINE, SETTINGS),
    "flat": (flat, FLAT_MINE, FLAT),
}


@pytest.fixture(params=BOTH)
def layout(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def git(layout: str, tmp_path: Path) -> Git:
    return BOTH[layout][0](tmp_path)


@pytest.fixture
def mine(layout: str) -> str:
    return BOTH[layout][1]


@pytest.fixture
def settings(layout: str) -> str:
    return 'base = "main"\n' + BOTH[layout][2]


def merge(git: Git, *branches: str, tags: tuple[str, ...] = ("0002_mine", "0003_main")) -> None:
    """Merge without a commit; a journal in conflict gets the entries of both."""
    try:
        git("merge", "--quiet", "--no-commit", "--no-ff", *branches)
    except AssertionError:
        git.add(JOURNAL, journal(*NAMES, *tags))


def order(found: list[tuple[str, str]]) -> list[str]:
    return [file for rule, file in found if rule == "migration-order"]


def test_a_merge_that_brings_an_older_number_in_is_found(git: Git, mine: str) -> None:
    merge(git, "feature")
    assert order(refused(checked(git, staged=True))) == [mine]
    assert order(refused(checked(git))) == [mine]


def test_a_committed_merge_is_found_against_what_was_there_before(git: Git, mine: str) -> None:
    merge(git, "feature")
    git.commit()
    assert checked(git).findings == ()  # nothing tells any more what was there first
    assert order(refused(checked(git, base="HEAD~1"))) == [mine]


def test_a_branch_is_found_against_its_base_before_it_is_merged(git: Git, mine: str) -> None:
    git("checkout", "-q", "feature")
    assert refused(checked(git, base="main")) == [("migration-order", mine)]


def test_a_rebased_branch_is_found_against_its_base(git: Git, layout: str, mine: str) -> None:
    if layout == "folders":
        git("rebase", "-q", "main", "feature")
    else:
        git("checkout", "-q", "feature")
        with pytest.raises(AssertionError):
            git("rebase", "-q", "main")
        git.add(JOURNAL, journal(*NAMES, "0002_mine", "0003_main"))
        git("rebase", "--continue")
    assert order(refused(checked(git, base="main"))) == [mine]


def test_the_base_may_be_merged_into_a_branch_with_later_numbers(git: Git, settings: str, layout: str) -> None:
    git("checkout", "-q", "-b", "later", "main~1")
    name = "20260105000000_later" if layout == "folders" else "0004_later"
    git.add(place(name) if layout == "folders" else f"drizzle/{name}.sql", SQL)
    if layout == "flat":
        git.add(JOURNAL, journal(*NAMES, name, when=(1000, 1010, 1040)))
    git.add("isthmus.toml", settings)
    git.commit()
    merge(git, "main")
    if layout == "flat":
        git.add(JOURNAL, journal(*NAMES, "0003_main", name, when=(1000, 1010, 1030, 1040)))
    assert refused(checked(git, staged=True)) == []
    git.commit()
    assert refused(checked(git, base="main")) == []
    git("checkout", "-q", "main")
    git("merge", "--quiet", "--no-commit", "--no-ff", "later")
    assert refused(checked(git, staged=True)) == []


def test_what_the_base_has_is_not_judged_again_when_it_is_merged(tmp_path: Path) -> None:
    git = folders(tmp_path)
    git.add(place("20260104000001_old"), "SELECT 1;\n")
    git.commit()
    git("checkout", "-q", "-b", "later", "feature~1")
    git.add("isthmus.toml", SETTINGS)
    git.commit()
    git("merge", "--quiet", "--no-commit", "--no-ff", "main")
    assert {one.rule for one in checked(git, staged=True).findings} == {"header-fields"}
    git.add("isthmus.toml", 'base = "main"\n' + SETTINGS)
    assert refused(checked(git, staged=True)) == []


def test_a_fast_forward_is_found_against_what_was_there_before(git: Git, layout: str) -> None:
    git("checkout", "-q", "-b", "behind", "main")
    name = "20260103120000_old" if layout == "folders" else "0002_old"
    file = place(name) if layout == "folders" else f"drizzle/{name}.sql"
    git.add(file, SQL)
    git.commit()
    git("checkout", "-q", "main")
    git("merge", "--quiet", "--ff-only", "behind")
    assert order(refused(checked(git, base="ORIG_HEAD"))) == [file]


def test_an_octopus_is_found_with_every_head(tmp_path: Path) -> None:
    git = folders(tmp_path)
    git("checkout", "-q", "-b", "other", "main~1")
    git.add(place("20260103120000_other"), SQL)
    git.commit()
    git("checkout", "-q", "main")
    git("merge", "--quiet", "--no-commit", "feature", "other")
    assert order(refused(checked(git, staged=True))) == [MINE, place("20260103120000_other")]
    git("rm", "-q", "--cached", MINE)
    git.add(place("20260103120000_other"), SQL + "-- more\n")
    assert set(refused(checked(git, staged=True))) >= {
        ("migration-unchanged", MINE),
        ("migration-unchanged", place("20260103120000_other")),
    }


def test_what_a_merge_brings_in_is_not_changed_by_the_way(git: Git, mine: str) -> None:
    merge(git, "feature")
    git.add(mine, SQL + "-- more\n")
    found = [one for one in checked(git, staged=True).findings if one.rule == "migration-unchanged"]
    assert [(one.file, "was edited" in one.message) for one in found] == [(mine, True)]
    git("rm", "-q", "--cached", mine)
    assert ("migration-unchanged", mine) in refused(checked(git, staged=True))


def test_a_merge_that_drops_what_the_base_has_is_found(git: Git, layout: str) -> None:
    git("checkout", "-q", "feature")
    git("merge", "--quiet", "--no-commit", "--no-ff", "--strategy", "ours", "main")
    file = MAIN if layout == "folders" else FLAT_MAIN
    assert ("migration-unchanged", file) in refused(checked(git, staged=True))
    git.commit()
    assert ("migration-unchanged", file) in refused(checked(git, base="main"))


def test_a_merge_in_conflict_is_an_error_until_it_is_settled(tmp_path: Path) -> None:
    from isthmus.errors import ConfigError

    git = flat(tmp_path)
    with pytest.raises(AssertionError):
        git("merge", "--quiet", "feature")
    with pytest.raises(ConfigError) as caught:
        checked(git)
    assert caught.value.code == "unmerged"


def test_both_branches_may_have_the_same_number(tmp_path: Path) -> None:
    git = drizzle(tmp_path)
    git("checkout", "-q", "-b", "feature")
    git.add("drizzle/0002_mine.sql", SQL)
    git.commit()
    git("checkout", "-q", "main")
    git.add("drizzle/0002_main.sql", SQL)
    git.commit()
    assert told(git, staged=True) == []
    git("checkout", "-q", "feature")
    assert told(git, base="main") == ["It has the same number as 0002_main, which is in main."]
    git("checkout", "-q", "main")
    git("merge", "--quiet", "--no-commit", "feature")
    assert told(git, staged=True) == ["0002 is the number of 2 migrations: 0002_main, 0002_mine."]


def told(git: Git, **how: object) -> list[str]:
    return [one.message for one in checked(git, **how).findings if one.rule == "migration-order"]


def test_a_branch_that_is_behind_deletes_nothing(git: Git) -> None:
    git("checkout", "-q", "-b", "other", "HEAD~1")
    assert refused(checked(git, base="main")) == []


# New numbers


def moved(git: Git, new: str, text: str = SQL) -> list[tuple[str, str]]:
    """Merge main into feature, give its own migration another name and text, and check."""
    git("checkout", "-q", "feature")
    git("merge", "--quiet", "-m", "merge", "main")
    git.move(MINE, place(new))
    git.add(place(new), text)
    return refused(checked(git, base="main"))


def test_what_only_the_branch_has_may_be_given_a_later_number(tmp_path: Path) -> None:
    git = folders(tmp_path)
    assert moved(git, "20260105000000_mine") == []
    assert refused(checked(git, staged=True)) == [("migration-unchanged", MINE)]
    git.add("isthmus.toml", 'base = "main"\n' + SETTINGS)
    assert refused(checked(git, staged=True)) == []


@pytest.mark.parametrize(
    ("new", "text"),
    [
        ("20260105000000_other", SQL),
        ("20260105000000_mine", SQL + "-- more\n"),
        ("20260105000000_mine", SQL.replace("PANA-1", "PANA-2")),
        ("20260105000000_mine", "-- Migration: 20260105000000_mine\n" + SQL),
        ("20260102120000_mine", SQL),
    ],
    ids=["words", "text", "header", "a line more", "an earlier number"],
)
def test_a_new_number_changes_nothing_else(new: str, text: str, tmp_path: Path) -> None:
    assert ("migration-unchanged", MINE) in moved(folders(tmp_path), new, text)


def named(git: Git, header: str) -> None:
    git("checkout", "-q", "feature")
    git.add(MINE, header + SQL)
    git.commit()


def test_a_new_number_changes_the_lines_that_name_it(tmp_path: Path) -> None:
    git = folders(tmp_path)
    named(git, "-- Migration: 20260103000000_mine\n")
    text = "-- Migration: 20260105000000_mine\n" + SQL
    assert moved(git, "20260105000000_mine", text) == []
    assert moved_again(git, text.replace("20260105000000_mine", "20260105000000_yours", 1)) != []
    assert moved_again(git, text.replace("tables", "table")) != []
    assert moved_again(git, text) == []


def moved_again(git: Git, text: str) -> list[tuple[str, str]]:
    git.add(place("20260105000000_mine"), text)
    return refused(checked(git, base="main"))


def test_what_the_base_has_is_given_no_new_number(tmp_path: Path) -> None:
    git = folders(tmp_path)
    git.move(MAIN, place("20260105000000_main"))
    for how in ({"staged": True}, {"base": "main"}, {"base": "main~1"}):
        found = refused(checked(git, **how))
        assert (("migration-unchanged", MAIN) in found) == (how != {"base": "main~1"}), how


# As git itself asks, which has written nothing down yet when it does


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("feature",), "It comes before 20260104000000_main, which is in HEAD. (migration-order)"),
        (("feature", "other"), "It comes before 20260104000000_main, which is in HEAD. (migration-order)"),
        (("--strategy", "ours", "feature"), "It is committed in feature and was deleted. (migration-unchanged)"),
    ],
    ids=["two", "octopus", "ours"],
)
def test_hooks_refuse_a_merge(words: tuple[str, ...], part: str, tmp_path: Path) -> None:
    git = folders(tmp_path)
    git("checkout", "-q", "-b", "other", "main~1")
    git.add(place("20260103120000_other"), SQL)
    git.commit()
    git("checkout", "-q", "main")
    install(Repository(git.folder), ["schema check --staged"], str(COMMAND))
    with pytest.raises(AssertionError) as caught:
        git("merge", "--no-edit", *words)
    assert part in str(caught.value)
