"""Drizzle's journal and snapshots of committed migrations stay as they are, in commits, branches and merges."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fix_git import Git
from tests.integration.govern.repositories import FLAT, JOURNAL, SQL, checked, drizzle, journal

NAMES = ("0000_first", "0001_second")
SNAPSHOT = "drizzle/meta/0001_snapshot.json"
Change = Callable[[Git], object]


@pytest.fixture
def git(tmp_path: Path) -> Git:
    made = drizzle(tmp_path)
    made.add("drizzle/meta/0000_snapshot.json", '{"id": "a"}')
    made.add(SNAPSHOT, '{"id": "b", "prevId": "a"}')
    made.commit()
    made("checkout", "-q", "-b", "feature")
    return made


def found(git: Git, **how: object) -> list[tuple[str, int, str]]:
    return [
        (one.file, one.line, one.message) for one in checked(git, **how).findings if one.rule == "journal-unchanged"
    ]


def entry(old: str, new: str) -> Change:
    return lambda git: git.add(JOURNAL, journal(*NAMES).replace(old, new))


BAD: dict[str, tuple[Change, str, int, str]] = {
    "when": (entry("1010", "1011"), JOURNAL, 3, "`when` of 0001_second was 1010"),
    "idx": (entry('"idx": 1', '"idx": 7'), JOURNAL, 3, "`idx` of 0001_second was 1"),
    "breakpoints": (entry("true", "false"), JOURNAL, 2, "`breakpoints` of 0000_first was true in main and is false"),
    "no breakpoints": (
        entry('1000, "tag": "0000_first", "breakpoints": true', '1000, "tag": "0000_first"'),
        JOURNAL,
        2,
        "is not there",
    ),
    "tag": (entry("0001_second", "0001_other"), JOURNAL, 0, "0001_second had an entry"),
    "gone": (lambda git: git.add(JOURNAL, journal(*NAMES[:1])), JOURNAL, 0, "0001_second had an entry"),
    "journal gone": (lambda git: git("rm", "-q", JOURNAL), JOURNAL, 0, "was deleted"),
    "snapshot edited": (lambda git: git.add(SNAPSHOT, "{}"), SNAPSHOT, 0, "was edited"),
    "snapshot gone": (lambda git: git("rm", "-q", SNAPSHOT), SNAPSHOT, 0, "was deleted"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_committed_stays(case: str, git: Git) -> None:
    change, file, line, part = BAD[case]
    change(git)
    git.commit()
    told = found(git, base="main")
    assert [(file, line)] == [(one[0], one[1]) for one in told if part in one[2]], told
    git("reset", "-q", "--soft", "HEAD~1")
    assert [one[:2] for one in found(git, staged=True)] == [one[:2] for one in told]


def test_what_is_added_is_free(git: Git) -> None:
    git.add("drizzle/0002_third.sql", SQL)
    git.add(JOURNAL, journal(*NAMES, "0002_third"))
    git.add("drizzle/meta/0002_snapshot.json", "{}")
    assert checked(git).findings == ()
    git.add(JOURNAL, journal(*NAMES, "0002_third", when=(1000, 1010, 1099)))
    git.add("drizzle/meta/0002_snapshot.json", "[]")
    assert checked(git).findings == ()


def test_own_entries_move_up_where_the_base_is_known(git: Git) -> None:
    git.add("isthmus.toml", 'base = "main"\n' + FLAT)
    git.add("drizzle/0003_mine.sql", SQL)
    git.add(JOURNAL, journal(*NAMES, "0003_mine"))
    git.commit()
    git("checkout", "-q", "main")
    git.add("drizzle/0002_main.sql", SQL)
    git.add(JOURNAL, journal(*NAMES, "0002_main"))
    git.commit()
    git("checkout", "-q", "feature")
    with pytest.raises(AssertionError):
        git("merge", "-q", "main")
    git.add(JOURNAL, journal(*NAMES, "0002_main", "0003_mine"))
    assert checked(git, staged=True).findings == ()
    git.add(JOURNAL, journal(*NAMES, "0002_main", "0003_mine", when=(1000, 1010, 1021, 1030)))
    assert [one[2] for one in found(git, staged=True)] == ["`when` of 0002_main was 1020 in MERGE_HEAD and is 1021."]


def test_a_journal_that_lost_an_entry_in_a_merge_is_found(git: Git) -> None:
    git.add("drizzle/0002_mine.sql", SQL)
    git.add(JOURNAL, journal(*NAMES, "0002_mine"))
    git.commit()
    git("checkout", "-q", "main")
    git.add("drizzle/0003_main.sql", SQL)
    git.add(JOURNAL, journal(*NAMES, "0003_main"))
    git.commit()
    with pytest.raises(AssertionError):
        git("merge", "-q", "feature")
    git.add(JOURNAL, journal(*NAMES, "0003_main"))
    rules = {(one.rule, one.message.split()[0]) for one in checked(git, staged=True).findings}
    assert rules >= {("journal", "0002_mine.sql"), ("journal-unchanged", "0002_mine")}
