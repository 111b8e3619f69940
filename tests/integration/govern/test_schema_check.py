"""Repositories that `isthmus schema check` must refuse, each by the rule, the file and the line stated here, and good
ones that it must let pass. Branches and merges are in `test_merges.py`, what SQL must not be in `test_sql_rules.py`.

What the hooks of the papers let through, as tried out (facts 4.1), and the case that blocks it now. Every case is run
three times: staged alone, as a whole, and committed past the hook and checked against the base.

| gap | cases |
| --- | --- |
| a committed migration is deleted | `deleted`, `newest deleted`, `all deleted` |
| its folder is renamed | `renamed`, `moved away` |
| renamed, with a small edit | `renamed and edited`; `test_merges.py`: `test_a_new_number_changes_nothing_else` |
| replaced by a symbolic link | `replaced by a link`, `new link` |
| values of the header are empty | `empty purpose`, `empty ticket`, `empty word on reversing`, `empty rollback` |
| Reversible is Maybe | `maybe`, `yes, but` |
| the time is 99999999999999 | `nines`, `no such day`, `no such time`, `in the future` |
| underscores at the end, or doubled | `underscore at the end`, `two underscores` |
| a folder with `up.sql` alone, of any name | `another file`, `up.sql alone, in a folder of any name` |
| a space in the name of a folder | `space` |
| bad in the index, good in the working tree | `bad in the index alone` |
| staged, and deleted in the working tree | `bad and deleted` |
| blocked before: edits, chmod, names | `edited`, `executable`, `upper case` |
| blocked before: line 31, case and spaces | `behind line 30`, `lower case`, `no space`, `space before the colon` |
| taken before, and now: line ends of Windows | good: `CRLF` |
| from the history: deleted and made anew | `deleted and made anew` |
| from the history: all sixteen deleted | `all deleted` |
| from the history: a phase as a ticket | `a phase as a ticket` |
| from the history: reversible without a rollback | `no rollback` |
| flat: a name in another form is not looked at | flat: `three digits`, `not SQL`, `a folder` |
| flat: `when` goes back, a file has no entry | flat: `when goes back`, `when stands still`, `no entry` |
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from isthmus.errors import ConfigError
from isthmus.govern.check import check_schemas
from isthmus.govern.rules.all import RULES
from isthmus.govern.rules.rule import Rule
from isthmus.govern.settings import find_project
from tests.fix_git import Git
from tests.integration.govern.repositories import (
    FIRST,
    JOURNAL,
    SECOND,
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

Change = Callable[[Git], object]


def new(name: str, text: str | bytes = SQL) -> Change:
    return lambda git: git.add(place(name), text)


def third(old: str, changed: str) -> Change:
    assert old in SQL
    return lambda git: git.add(THIRD, SQL.replace(old, changed))


def link(git: Git) -> None:
    (git.folder / FIRST).unlink()
    (git.folder / FIRST).symlink_to("../migration_lock.toml")
    git("add", "-A")


def new_link(git: Git) -> None:
    git.write("x.sql", SQL)
    (git.folder / THIRD).parent.mkdir()
    (git.folder / THIRD).symlink_to("../../../x.sql")
    git("add", "-A")


def bad_in_index_alone(git: Git) -> None:
    git.add(THIRD, SQL.replace("Yes", "Maybe"))
    git.write(THIRD, SQL)


def bad_and_deleted(git: Git) -> None:
    git.add(THIRD, SQL.replace("PANA-1", "soon"))
    (git.folder / THIRD).unlink()


def renamed_and_edited(git: Git) -> None:
    git.move(FIRST, place("20260101000000_renamed"))
    git.add(place("20260101000000_renamed"), SQL + "-- more\n")


ODD = "20260103000000_"
BAD: dict[str, tuple[Change, str, str, int]] = {
    # what is done; rule, file and line that must be named
    "edited": (lambda git: git.add(FIRST, SQL + "--\n"), "migration-unchanged", FIRST, 0),
    "emptied": (lambda git: git.add(FIRST, ""), "migration-unchanged", FIRST, 0),
    "line ends": (lambda git: git.add(FIRST, SQL.replace("\n", "\r\n")), "migration-unchanged", FIRST, 0),
    "deleted": (lambda git: git("rm", "-q", FIRST), "migration-unchanged", FIRST, 0),
    "newest deleted": (lambda git: git("rm", "-q", SECOND), "migration-unchanged", SECOND, 0),
    "renamed": (lambda git: git.move(FIRST, place("20260101000000_other")), "migration-unchanged", FIRST, 0),
    "renamed and edited": (renamed_and_edited, "migration-unchanged", FIRST, 0),
    "all deleted": (lambda git: git("rm", "-q", "-r", "prisma"), "migration-unchanged", SECOND, 0),
    "deleted and made anew": (
        lambda git: (git("rm", "-q", FIRST), git.add(THIRD, SQL)),
        "migration-unchanged",
        FIRST,
        0,
    ),
    "made a folder": (
        lambda git: (git("rm", "-q", SECOND), git.add(f"{SECOND}/migration.sql", SQL)),
        "migration-unchanged",
        SECOND,
        0,
    ),
    "moved away": (lambda git: git.move(FIRST, "old/migration.sql"), "migration-unchanged", FIRST, 0),
    "replaced by a link": (link, "migration-unchanged", FIRST, 0),
    "executable": (lambda git: git("update-index", "--chmod=+x", FIRST), "migration-unchanged", FIRST, 0),
    "upper case": (new(f"{ODD}Third"), "migration-name", place(f"{ODD}Third"), 0),
    "space": (new("20260103000000 x"), "migration-name", place("20260103000000 x"), 0),
    "hyphen": (new(f"{ODD}a-b"), "migration-name", place(f"{ODD}a-b"), 0),
    "underscore at the end": (new(f"{ODD}a_"), "migration-name", place(f"{ODD}a_"), 0),
    "two underscores": (new(f"{ODD}a__b"), "migration-name", place(f"{ODD}a__b"), 0),
    "no words": (new("20260103000000"), "migration-name", place("20260103000000"), 0),
    "digit first": (new(f"{ODD}1a"), "migration-name", place(f"{ODD}1a"), 0),
    "too few digits": (new("2026010300000_a"), "migration-name", place("2026010300000_a"), 0),
    "beyond ASCII": (new(f"{ODD}größe"), "migration-name", place(f"{ODD}größe"), 0),
    "too long": (new(ODD + "a" * 190), "migration-name", place(ODD + "a" * 190), 0),
    "beside the folders": (
        lambda git: git.add("prisma/migrations/20260103000000_third.sql", SQL),
        "migration-name",
        "prisma/migrations/20260103000000_third.sql",
        0,
    ),
    "no such day": (new("20260231000000_a"), "migration-time", place("20260231000000_a"), 0),
    "no such time": (new("20260203250000_a"), "migration-time", place("20260203250000_a"), 0),
    "nines": (new("99999999999999_a"), "migration-time", place("99999999999999_a"), 0),
    "in the future": (new("29990101000000_a"), "migration-time", place("29990101000000_a"), 0),
    "older": (new("20251231000000_a"), "migration-order", place("20251231000000_a"), 0),
    "between": (new("20260101120000_a"), "migration-order", place("20260101120000_a"), 0),
    "the same number": (new("20260102000000_z"), "migration-order", place("20260102000000_z"), 0),
    "another file": (
        lambda git: git.add(place(f"{ODD}third", "up.sql"), SQL),
        "migration-files",
        place(f"{ODD}third", "up.sql"),
        0,
    ),
    "no migration.sql": (lambda git: git.add(place(f"{ODD}third", "down.sql"), SQL), "migration-files", THIRD, 0),
    "up.sql alone, in a folder of any name": (
        lambda git: git.add("prisma/migrations/Some Thing/up.sql", SQL),
        "migration-name",
        "prisma/migrations/Some Thing/up.sql",
        0,
    ),
    "a file beside it": (
        lambda git: (git.add(THIRD, SQL), git.add(place(f"{ODD}third", "data.csv"), "1")),
        "migration-files",
        place(f"{ODD}third", "data.csv"),
        0,
    ),
    "empty": (lambda git: git.add(THIRD, ""), "migration-files", THIRD, 0),
    "nothing but comments": (lambda git: git.add(THIRD, SQL.split("\n\n")[0]), "migration-files", THIRD, 0),
    "not UTF-8": (lambda git: git.add(THIRD, SQL.encode() + b"-- \xff\n"), "migration-files", THIRD, 7),
    "new link": (new_link, "migration-files", THIRD, 0),
    "no purpose": (third("-- Purpose: tables of users\n", ""), "header-fields", THIRD, 1),
    "no ticket": (third("-- Ticket: PANA-1\n", ""), "header-fields", THIRD, 1),
    "no word on reversing": (third("-- Reversible: Yes\n", ""), "header-fields", THIRD, 1),
    "lower case": (third("-- Purpose:", "-- purpose:"), "header-fields", THIRD, 1),
    "no space": (third("-- Ticket:", "--Ticket:"), "header-fields", THIRD, 2),
    "space before the colon": (third("-- Ticket:", "-- Ticket :"), "header-fields", THIRD, 2),
    "behind line 30": (lambda git: git.add(THIRD, "--\n" * 30 + SQL), "header-fields", THIRD, 31),
    "twice": (third("-- Ticket: PANA-1\n", "-- Ticket: PANA-1\n-- Ticket: PANA-2\n"), "header-fields", THIRD, 3),
    "says it is another": (third("-- Purpose", f"-- Migration: {ODD}other\n-- Purpose"), "header-fields", THIRD, 1),
    "empty purpose": (third("tables of users", ""), "header-values", THIRD, 1),
    "purpose to be written": (third("tables of users", "TODO"), "header-values", THIRD, 1),
    "purpose of the template": (third("tables of users", "<what it is for>"), "header-values", THIRD, 1),
    "other ticket": (third("PANA-1", "JIRA-1"), "header-values", THIRD, 2),
    "ticket and more": (third("PANA-1", "PANA-1 and others"), "header-values", THIRD, 2),
    "empty ticket": (third("PANA-1", ""), "header-values", THIRD, 2),
    "a phase as a ticket": (third("PANA-1", "Phase 5 - Users"), "header-values", THIRD, 2),
    "empty word on reversing": (third("Reversible: Yes", "Reversible:"), "header-values", THIRD, 3),
    "maybe": (third("Yes", "Maybe"), "header-values", THIRD, 3),
    "yes in lower case": (third("Yes", "yes"), "header-values", THIRD, 3),
    "yes, but": (third("Yes", "Yes, but not really"), "header-values", THIRD, 3),
    "no rollback": (third("-- Rollback: DROP TABLE x;\n", ""), "header-values", THIRD, 3),
    "empty rollback": (third("DROP TABLE x;", ""), "header-values", THIRD, 4),
    "rollback to be written": (third("DROP TABLE x;", "TBD"), "header-values", THIRD, 4),
    "partial, no rollback": (third("Yes\n-- Rollback: DROP TABLE x;", "Partial"), "header-values", THIRD, 3),
    "unknown transaction": (third("-- Rollback", "-- Transaction: maybe\n-- Rollback"), "header-values", THIRD, 4),
    "zero-width space": (third("x (id", "x\u200b (id"), "invisible-characters", THIRD, 6),
    "writing turned round": (third("tables", "\u202etables"), "invisible-characters", THIRD, 1),
    "no-break space": (third("TABLE x (", "TABLE\u00a0x ("), "invisible-characters", THIRD, 6),
    "bad in the index alone": (bad_in_index_alone, "header-values", THIRD, 3),
    "bad and deleted": (bad_and_deleted, "header-values", THIRD, 2),
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("staged", [False, True], ids=["all", "staged"])
def test_bad_repository_is_refused_by_rule_file_and_line(case: str, staged: bool, tmp_path: Path) -> None:
    change, rule, file, line = BAD[case]
    git = prisma(tmp_path)
    assert checked(git).findings == ()
    change(git)
    found = {(one.rule, one.file, one.line) for one in checked(git, staged=staged).findings}
    assert (rule, file, line) in found, found


@pytest.mark.parametrize("case", BAD)
def test_what_was_committed_past_the_hook_is_found_against_the_base(case: str, tmp_path: Path) -> None:
    change, rule, file, line = BAD[case]
    git = prisma(tmp_path)
    git("checkout", "-q", "-b", "feature")
    change(git)
    git.commit()
    found = {(one.rule, one.file, one.line) for one in checked(git, base="main").findings}
    assert (rule, file, line) in found, found


def more(text: str, *, file: bool = True) -> Change:
    return lambda git: (git.add("drizzle/0002_third.sql", SQL) if file else None, git.add(JOURNAL, text))


NAMES = ("0000_first", "0001_second")
FLAT_BAD: dict[str, tuple[Change, str, str, int]] = {
    "no entry": (lambda git: git.add("drizzle/0002_third.sql", SQL), "journal", JOURNAL, 0),
    "entry without a file": (more(journal(*NAMES, "0002_third"), file=False), "journal", JOURNAL, 4),
    "when goes back": (more(journal(*NAMES, "0002_third", when=(1000, 1010, 1005))), "journal", JOURNAL, 4),
    "when stands still": (more(journal(*NAMES, "0002_third", when=(1000, 1010, 1010))), "journal", JOURNAL, 4),
    "out of order": (more(journal("0000_first", "0002_third", "0001_second")), "journal", JOURNAL, 4),
    "entry twice": (more(journal(*NAMES, "0001_second"), file=False), "journal", JOURNAL, 4),
    "idx wrong": (more(journal(*NAMES).replace('"idx": 1', '"idx": 7'), file=False), "journal", JOURNAL, 3),
    "no JSON": (more("{", file=False), "journal", JOURNAL, 0),
    "no journal": (more('{"entries": [{"tag": 5}]}', file=False), "journal", JOURNAL, 0),
    "three digits": (lambda git: git.add("drizzle/002_x.sql", SQL), "migration-name", "drizzle/002_x.sql", 0),
    "a folder": (lambda git: git.add("drizzle/0002_x/y.sql", SQL), "migration-name", "drizzle/0002_x/y.sql", 0),
    "not SQL": (lambda git: git.add("drizzle/0002_x.txt", SQL), "migration-name", "drizzle/0002_x.txt", 0),
    "edited": (lambda git: git.add("drizzle/0000_first.sql", "x"), "migration-unchanged", "drizzle/0000_first.sql", 0),
    "the same number": (
        lambda git: git.add("drizzle/0001_zebra.sql", SQL),
        "migration-order",
        "drizzle/0001_zebra.sql",
        0,
    ),
}


@pytest.mark.parametrize("case", FLAT_BAD)
def test_bad_repository_of_the_flat_layout(case: str, tmp_path: Path) -> None:
    change, rule, file, line = FLAT_BAD[case]
    git = drizzle(tmp_path)
    assert checked(git).findings == ()
    change(git)
    found = {(one.rule, one.file, one.line) for one in checked(git).findings}
    assert (rule, file, line) in found, found


GOOD: dict[str, Change] = {
    "nothing changed": lambda git: git.folder,
    "a new migration": lambda git: git.add(THIRD, SQL),
    "several": lambda git: (git.add(THIRD, SQL), git.add(place("20260104000000_fourth"), SQL)),
    "no ticket needed": third("PANA-1", "N/A"),
    "not reversible": third("Yes\n-- Rollback: DROP TABLE x;", "No"),
    "rollback of several lines": third("DROP TABLE x;", "\n--   DROP TABLE x;\n--   DROP TYPE y;"),
    "rollback in a file": lambda git: (
        git.add(THIRD, SQL.replace("-- Rollback: DROP TABLE x;\n", "")),
        git.add(place(f"{ODD}third", "rollback.sql"), "DROP TABLE x;\n"),
    ),
    "no transaction": third("-- Rollback", "-- Transaction: none\n-- Rollback"),
    "its own name": third("-- Purpose", f"-- Migration: {ODD}third\n-- Purpose"),
    "CRLF": lambda git: git.add(THIRD, SQL.replace("\n", "\r\n")),
    "byte order mark": lambda git: git.add(THIRD, "\ufeff" + SQL),
    "text beyond ASCII": third("tables of users", "Tabellen für Größen, 表"),
    "header behind a comment": lambda git: git.add(THIRD, "-- Copyright\n--\n" + SQL),
    "header in the last lines allowed": lambda git: git.add(THIRD, "--\n" * 26 + SQL),
    "template changed": lambda git: git.add("prisma/migrations/TEMPLATE.sql", "-- other\n"),
    "lock changed": lambda git: git.add("prisma/migrations/migration_lock.toml", "# other\n"),
    "README": lambda git: git.add("prisma/migrations/README.md", "x"),
    "other files of the project": lambda git: git.add("src/migration.sql", ""),
    "edited in the working tree alone": lambda git: git.write(FIRST, "DROP DATABASE x;\n"),
    "deleted in the working tree alone": lambda git: (git.folder / FIRST).unlink(),
    "changed again before the commit": lambda git: (git.add(THIRD, "x"), git.add(THIRD, SQL)),
}


@pytest.mark.parametrize("case", GOOD)
@pytest.mark.parametrize("how", ["all", "staged", "base"])
def test_good_repository_passes(case: str, how: str, tmp_path: Path) -> None:
    git = prisma(tmp_path)
    git("checkout", "-q", "-b", "feature")
    GOOD[case](git)
    if how == "base":
        git.commit()
    options: dict[str, Any] = {"staged": {"staged": True}, "base": {"base": "main"}}.get(how, {})
    assert checked(git, **options).findings == ()


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.bad[0]], ids=lambda rule: rule.name)
def test_examples_of_pages_are_what_they_say(rule: Rule[Any], tmp_path: Path) -> None:
    layout = "folders" if "/" in rule.bad[0] else "flat"
    for which, (file, text) in (("bad", rule.bad), ("good", rule.good)):
        git = Git(tmp_path / which)
        git.add("isthmus.toml", f'[schema]\nfolder = "m"\nlayout = "{layout}"\n')
        git.add(f"m/{file}", text)
        found = {one.rule.partition("/")[0] for one in checked(git).findings}
        assert (rule.name in found) == (which == "bad"), which


# Which index, which commits.


def test_the_index_that_git_names_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git = prisma(tmp_path)
    other = tmp_path / "other-index"
    (tmp_path / ".git" / "index").replace(other)
    git("read-tree", "HEAD")
    git("rm", "-q", "--cached", FIRST)
    assert refused(checked(git)) == [("migration-unchanged", FIRST)]
    monkeypatch.setenv("GIT_INDEX_FILE", os.fspath(other))
    assert refused(checked(git)) == []


def test_before_the_first_commit(tmp_path: Path) -> None:
    git = Git(tmp_path)
    git.add("isthmus.toml", SETTINGS)
    git.add(FIRST, SQL)
    assert refused(checked(git, staged=True)) == []
    git.add(SECOND, "SELECT 1;\n")
    assert {one.rule for one in checked(git, staged=True).findings} == {"header-fields"}


def test_files_that_git_does_not_hold_are_told(tmp_path: Path) -> None:
    git = prisma(tmp_path)
    git.write(THIRD, "")
    found = checked(git)
    assert (found.findings, found.untracked) == ((), (THIRD,))


# Settings.


def test_a_baseline_is_only_kept_from_change(tmp_path: Path) -> None:
    git = prisma(tmp_path)
    git.add(THIRD, "SELECT 1;\n")
    git.commit()
    assert checked(git).findings != ()
    git.add("isthmus.toml", SETTINGS + f'baseline = "{ODD}third"\n')
    assert checked(git).findings == ()
    git.add(THIRD, "SELECT 2;\n")
    assert refused(checked(git)) == [("migration-unchanged", THIRD)]


def test_a_rule_is_switched_off_with_a_reason_that_is_told(tmp_path: Path) -> None:
    git = prisma(tmp_path)
    git.add(THIRD, SQL.replace("PANA-1", "soon"))
    assert checked(git).findings != ()
    git.add("isthmus.toml", SETTINGS + 'off = {header-values = "tickets come with the new tracker"}\n')
    found = checked(git)
    assert found.findings == ()
    assert found.off == {"prisma/migrations": {"header-values": "tickets come with the new tracker"}}


def test_a_folder_is_not_moved_out_of_sight_with_its_settings(tmp_path: Path) -> None:
    git = prisma(tmp_path)
    git("checkout", "-q", "-b", "feature")
    git("mv", "prisma", "db")
    git.add("isthmus.toml", SETTINGS.replace("prisma", "db"))
    wanted = [("migration-unchanged", "isthmus.toml")]
    assert refused(checked(git, staged=True)) == wanted
    git.commit()
    assert refused(checked(git)) == []  # nothing tells any more where it was
    assert refused(checked(git, base="main")) == wanted


def test_a_folder_is_given_up_in_two_steps(tmp_path: Path) -> None:
    git = prisma(tmp_path)
    git.add("isthmus.toml", SETTINGS + 'off = {migration-unchanged = "moved to db"}\n')
    git("mv", "prisma", "db")
    assert refused(checked(git)) == []
    git.commit()
    git.add("isthmus.toml", SETTINGS.replace("prisma", "db"))
    assert refused(checked(git)) == []


def test_settings_may_move_to_pyproject(tmp_path: Path) -> None:
    git = prisma(tmp_path)
    git("rm", "-q", "isthmus.toml")
    git.add("pyproject.toml", SETTINGS.replace("[schema]", "[tool.isthmus.schema]"))
    assert refused(checked(git)) == []
    git.add("pyproject.toml", SETTINGS.replace("[schema]", "[tool.isthmus.schema]").replace("prisma", "db"))
    assert refused(checked(git)) == [("migration-unchanged", "pyproject.toml")]


@pytest.mark.parametrize(
    ("settings", "code", "part"),
    [
        ("", "bad-settings", "names no folder"),
        ("[schema", "bad-settings", "no TOML"),
        ("[schema]\nfolder = 5\n", "bad-settings", "1 setting is wrong"),
        ('[schema]\nfolder = "/etc"\n', "bad-settings", "1 setting is wrong"),
        ('[schema]\nfolder = "../x"\n', "bad-settings", "1 setting is wrong"),
        ('[schema]\nfolder = "a"\nlayuot = "flat"\nticket = "("\n', "bad-settings", "2 settings are wrong"),
        ('[[schema]]\nfolder = "a"\n[[schema]]\nfolder = "a/b"\n', "bad-settings", "lie in each other"),
        ('[[schema]]\nfolder = "a"\nname = "x"\n[[schema]]\nfolder = "x"\n', "bad-settings", "are called x"),
        (SETTINGS + 'off = {no-such-rule = "x"}\n', "unknown-rule", "no-such-rule"),
        (SETTINGS + 'off = {journal = ""}\n', "bad-settings", "1 setting is wrong"),
        (SETTINGS + 'baseline = "20200101000000_x"\n', "unknown-baseline", "no migration"),
    ],
)
def test_settings_that_are_wrong_are_refused(settings: str, code: str, part: str, tmp_path: Path) -> None:
    git = prisma(tmp_path)
    git.write("isthmus.toml", settings)
    with pytest.raises(ConfigError) as caught:
        checked(git)
    assert caught.value.code == code
    assert part in str(caught.value)


def test_no_settings_no_repository_no_base(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        find_project(tmp_path)
    assert caught.value.code == "no-settings"
    (tmp_path / "isthmus.toml").write_text(SETTINGS)
    with pytest.raises(ConfigError) as caught:
        check_schemas(find_project(tmp_path))
    assert caught.value.code == "no-repository"
    with pytest.raises(ConfigError) as caught:
        checked(prisma(tmp_path / "there"), base="origin/nothing")
    assert caught.value.code == "no-base"


def test_settings_may_stand_in_pyproject_and_name_several_folders(tmp_path: Path) -> None:
    git = Git(tmp_path)
    git.add(
        "pyproject.toml",
        '[project]\nname = "x"\n[[tool.isthmus.schema]]\nfolder = "a"\nlayout = "flat"\n'
        '[[tool.isthmus.schema]]\nfolder = "b"\nname = "sidecar"\n',
    )
    git.add("a/0001_x.sql", SQL)
    git.add("b/20260101000000_x/migration.sql", SQL.replace("PANA-1", "?"))
    found = checked(git)
    assert found.folders == {"a": 1, "sidecar": 1}
    assert [one.file for one in found.findings] == ["b/20260101000000_x/migration.sql"]
    assert checked(git, only=["a"]).findings == ()
    with pytest.raises(ConfigError, match="no schema c"):
        checked(git, only=["c"])
