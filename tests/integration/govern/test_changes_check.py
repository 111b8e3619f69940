"""Repositories that `isthmus changes check` must refuse, each by the rule, the file and the line stated here, and good
ones that it must let pass.

What hooks written by hand let through (each was tried on such a hook), and the test that closes it:

| gap | test |
| --- | --- |
| a deleted model needs no entry | `BAD["model deleted"]` |
| a renamed model needs no entry | `BAD["model renamed"]`, `BAD["model renamed and edited"]` |
| mode or link of a model | `BAD["model executable"]`, `BAD["model replaced by a link"]` |
| any new entry will do | `BAD["entry of another model"]` |
| a part of another word is enough | `BAD["path as a part of another"]`, `BAD["name of the model alone"]` |
| the path anywhere in the text is enough | `BAD["path in the text alone"]` |
| the name of the entry is enough | `BAD["name of the entry alone"]` |
| one entry for many models | `BAD["one entry for two models"]`, `BAD["two paths in one entry"]` |
| sections are not looked at | `BAD["no sections"]`, `BAD["section …"]`, `BAD["sections out of order"]` |
| values are not looked at | `BAD["ticket …"]`, `BAD["date …"]`, `BAD["section as the template has it"]` |
| dependencies are not looked at | `BAD["migration …"]`, `BAD["table …"]`, `BAD["column …"]` |
| an entry is edited for a new change | `BAD["entry edited for a new change"]` |
| an entry is edited, deleted, renamed, replaced | `BAD["entry edited"]` and the next |
| models of other languages and folders | `test_models_of_any_language_are_governed` |
| no folder of entries | `BAD["no folder of entries"]` |
| no folder of models | `test_a_glob_that_finds_nothing_is_refused` |
| without `--staged` nothing is looked at | every case of `BAD` is tried without it as well |
| `--no-verify`; a hook that may not be executed | cases of `BAD` are committed and held against a base |
| a second change behind an entry | `test_a_second_change_past_the_hook_is_found` |
| the working tree is looked at | `BAD["good in the working tree alone"]`, `BAD["entry is not staged"]` |
| CHANGELOG.md is not looked at | `BAD["log …"]` |
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from isthmus.errors import ConfigError
from isthmus.govern.changes.check import CheckedChanges, check_changes
from isthmus.govern.changes.entry import SECTIONS
from isthmus.govern.changes.rules.all import RULES
from isthmus.govern.rules.rule import Rule
from isthmus.govern.settings import find_project
from tests.fix_git import Git
from tests.integration.govern.model_repositories import (
    DEEP,
    LOG,
    MIGRATION,
    NEEDS,
    OLD,
    PROFILE,
    README,
    SCHEMA_JSON,
    SETTINGS,
    SQL,
    USER,
    change,
    entry,
    log,
    note,
    place,
    project,
)

Change = Callable[[Git], object]
NEW = "2026-02-01_user_add_email.md"


@pytest.fixture(scope="module")
def committed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    git = project(tmp_path_factory.mktemp("project"))
    git("checkout", "-q", "-b", "feature")
    return git.folder


@pytest.fixture
def git(committed: Path, tmp_path: Path) -> Git:
    shutil.copytree(committed, tmp_path / "project", symlinks=True)
    return Git(tmp_path / "project")


def checked(git: Git, **how: Any) -> CheckedChanges:
    return check_changes(find_project(git.folder), **how)


def refused(found: CheckedChanges) -> list[tuple[str, str, int]]:
    return [(one.rule, one.file, one.line) for one in found.findings]


def line_of(part: str, text: str) -> int:
    """Return the line of an entry where something stands."""
    return text[: text.index(part)].count("\n") + 1


def changed_with(text: str, name: str = NEW) -> Change:
    """Change the user's model, and write this entry for it."""
    return lambda git: (change(git), note(git, name, text))


def other(old: str, new: str, **how: str) -> Change:
    """The same with a good entry in which something is other."""
    good = entry(**how)
    assert old in good
    return changed_with(good.replace(old, new, 1))


def link(path: str, to: str) -> Change:
    def make(git: Git) -> None:
        (git.folder / path).unlink()
        (git.folder / path).symlink_to(to)
        git("add", "-A")

    return make


def renamed(git: Git, new: str = "lib/model/account.ts") -> None:
    git.move(USER, new)


def renamed_and_edited(git: Git) -> None:
    renamed(git)
    change(git, "lib/model/account.ts")


def one_for_two(git: Git) -> None:
    change(git, USER)
    change(git, PROFILE)
    note(git, NEW, entry(USER))


def edited_for_a_new_change(git: Git) -> None:
    change(git, PROFILE)
    note(git, OLD, entry(PROFILE, day="2026-01-10", added="- `bio` and `more`: text"))


def good_in_the_tree_alone(git: Git) -> None:
    change(git)
    note(git, NEW, entry().replace("PANA-12", "soon"))
    git.write(place(NEW), entry())


def not_staged(git: Git) -> None:
    change(git)
    git.write(place(NEW), entry())


def with_log(text: Callable[[str], str]) -> Change:
    def make(git: Git) -> None:
        changed_with(entry())(git)
        git.add(LOG, text((git.folder / LOG).read_text()))

    return make


def without_folder(git: Git) -> None:
    git("rm", "-rq", "--cached", "mongo-migrations")
    git.commit()
    git("branch", "--force", "main", "HEAD")
    change(git)


def later_migration(git: Git) -> None:
    git.add("prisma/migrations/20260202000000_later/migration.sql", SQL)
    change(git)
    note(git, NEW, entry(needs=NEEDS.replace(MIGRATION, "20260202000000_later")))


def unstaged_migration(git: Git) -> None:
    git.write("prisma/migrations/20260120000000_mine/migration.sql", SQL)
    change(git)
    note(git, NEW, entry(needs="- **Required Migration**: 20260120000000_mine"))


def later_column(git: Git) -> None:
    git.add("prisma/migrations/20260202000000_later/migration.sql", SQL)
    git.add(
        "prisma/migrations/schema.json",
        SCHEMA_JSON.replace(f'"migration": "{MIGRATION}"}}', '"migration": "20260202000000_later"}'),
    )
    change(git)
    note(git, NEW, entry(needs=NEEDS))


def needs(text: str, rule: str, line: int = 0) -> tuple[Change, str, str, int]:
    whole = entry(needs=text)
    return changed_with(whole), rule, place(NEW), line or line_of(text, whole)


GOOD_TEXT = entry()
AT = {name: line_of(f"# {name}\n", GOOD_TEXT) for name in SECTIONS}
HERE = place(NEW)
BAD: dict[str, tuple[Change, str, str, int]] = {
    # what is done; rule, file and line that must be named
    "model changed": (change, "model-entry", USER, 0),
    "model added": (lambda git: change(git, "lib/model/new one.ts"), "model-entry", "lib/model/new one.ts", 0),
    "model deleted": (lambda git: git("rm", "-q", USER), "model-entry", USER, 0),
    "model with a hostile name": (lambda git: change(git, DEEP), "model-entry", DEEP, 0),
    "model renamed": (renamed, "model-entry", USER, 0),
    "model renamed to": (renamed, "model-entry", "lib/model/account.ts", 0),
    "model renamed and edited": (renamed_and_edited, "model-entry", USER, 0),
    "model renamed in case alone": (lambda git: renamed(git, "lib/model/User.ts"), "model-entry", USER, 0),
    "model moved out of the globs": (lambda git: renamed(git, "lib/user.ts"), "model-entry", USER, 0),
    "model executable": (lambda git: git("update-index", "--chmod=+x", USER), "model-entry", USER, 0),
    "model replaced by a link": (link(USER, "profile.ts"), "model-entry", USER, 0),
    "line ends of a model": (lambda git: git.add(USER, b"a\r\n"), "model-entry", USER, 0),
    "entry of another model": (lambda git: (change(git), note(git, NEW, entry(PROFILE))), "model-entry", USER, 0),
    "path as a part of another": (other(USER, "lib/model/user.tsx"), "model-entry", USER, 0),
    "name of the model alone": (
        other(f"{USER}\n\n## Post", "user\n\n## Post"),
        "entry-model",
        HERE,
        AT["Model File"] + 2,
    ),
    "path in the text alone": (other(f"{USER}\n\n## Post", f"{PROFILE}\n\n{USER}\n\n## Post"), "model-entry", USER, 0),
    "name of the entry alone": (changed_with("# user\n"), "model-entry", USER, 0),
    "path of the working folder": (
        other(f"{USER}\n\n## P", f"./{USER}\n\n## P"),
        "entry-model",
        HERE,
        AT["Model File"] + 2,
    ),
    "path in another case": (
        other(f"{USER}\n\n## P", "lib/model/User.ts\n\n## P"),
        "entry-model",
        HERE,
        AT["Model File"] + 2,
    ),
    "one entry for two models": (one_for_two, "model-entry", PROFILE, 0),
    "two paths in one entry": (
        other(f"{USER}\n\n## Post", f"`{USER}` `{PROFILE}`\n\n## Post"),
        "entry-model",
        HERE,
        AT["Model File"] + 2,
    ),
    "renamed, and the old one is there": (
        other(f"{USER}\n\n## Post", f"{PROFILE} → {USER}\n\n## Post"),
        "entry-model",
        HERE,
        AT["Model File"] + 2,
    ),
    "renamed to what is not there": (
        lambda git: (
            renamed(git),
            note(git, "2026-02-01_none_x.md", entry("lib/model/account.ts → lib/model/none.ts")),
        ),
        "entry-model",
        place("2026-02-01_none_x.md"),
        AT["Model File"] + 2,
    ),
    "renamed to what was deleted": (
        lambda git: (
            git("rm", "-q", USER, PROFILE),
            note(git, "2026-02-01_profile_x.md", entry(f"{USER} → {PROFILE}")),
        ),
        "entry-model",
        place("2026-02-01_profile_x.md"),
        AT["Model File"] + 2,
    ),
    "entry edited for a new change": (edited_for_a_new_change, "model-entry", PROFILE, 0),
    "entry edited": (lambda git: note(git, OLD, entry(PROFILE) + "more\n"), "entry-unchanged", place(OLD), 0),
    "entry deleted": (lambda git: (git("rm", "-q", place(OLD)), log(git)), "entry-unchanged", place(OLD), 0),
    "entry renamed": (
        lambda git: (git.move(place(OLD), place("2026-01-10_profile_other.md")), log(git)),
        "entry-unchanged",
        place(OLD),
        0,
    ),
    "entry moved out": (lambda git: git.move(place(OLD), f"old/{OLD}"), "entry-unchanged", place(OLD), 0),
    "entry replaced by a link": (link(place(OLD), "../README.md"), "entry-unchanged", place(OLD), 0),
    "entry executable": (lambda git: git("update-index", "--chmod=+x", place(OLD)), "entry-unchanged", place(OLD), 0),
    "new entry as a link": (
        lambda git: (changed_with(GOOD_TEXT)(git), link(place(NEW), "../README.md")(git)),
        "entry-file",
        HERE,
        0,
    ),
    "not UTF-8": (
        lambda git: (change(git), git.add(HERE, GOOD_TEXT.encode() + b"\xff\n"), log(git)),
        "entry-file",
        HERE,
        GOOD_TEXT.count("\n") + 1,
    ),
    "no day in the name": (changed_with(GOOD_TEXT, "user_add_email.md"), "entry-name", place("user_add_email.md"), 0),
    "upper case in the name": (
        changed_with(GOOD_TEXT, "2026-02-01_User_x.md"),
        "entry-name",
        place("2026-02-01_User_x.md"),
        0,
    ),
    "no description in the name": (
        changed_with(GOOD_TEXT, "2026-02-01_user.md"),
        "entry-name",
        place("2026-02-01_user.md"),
        0,
    ),
    "name of another model": (
        changed_with(GOOD_TEXT, "2026-02-01_profile_x.md"),
        "entry-name",
        place("2026-02-01_profile_x.md"),
        0,
    ),
    "in a folder below": (changed_with(GOOD_TEXT, f"2026/{NEW}"), "entry-name", place(f"2026/{NEW}"), 0),
    "another kind of file": (
        changed_with(GOOD_TEXT, "2026-02-01_user_x.txt"),
        "entry-name",
        place("2026-02-01_user_x.txt"),
        0,
    ),
    "date is no day": (
        changed_with(entry(day="2026-02-30"), "2026-02-30_user_x.md"),
        "entry-date",
        place("2026-02-30_user_x.md"),
        5,
    ),
    "date in the future": (
        changed_with(entry(day="2999-01-01"), "2999-01-01_user_x.md"),
        "entry-date",
        place("2999-01-01_user_x.md"),
        5,
    ),
    "date is another than the name's": (other("2026-02-01", "2026-02-02"), "entry-date", HERE, 5),
    "date in words": (other("2026-02-01", "February 1st"), "entry-date", HERE, 5),
    "date is empty": (other("2026-02-01\n", ""), "entry-date", HERE, 3),
    "ticket is another's": (other("PANA-12", "JIRA-12"), "entry-ticket", HERE, 9),
    "ticket and more": (other("PANA-12", "PANA-12, PANA-13"), "entry-ticket", HERE, 9),
    "ticket is empty": (other("PANA-12\n", ""), "entry-ticket", HERE, 7),
    "no sections": (changed_with("# user: add email\n"), "entry-sections", HERE, 0),
    "sections out of order": (
        changed_with(GOOD_TEXT.replace("Rollback", "X").replace("Testing", "Rollback").replace("X", "Testing")),
        "entry-sections",
        HERE,
        AT["Testing"],
    ),
    "section twice": (other("## Testing", "## Rollback\n\nx\n\n## Testing"), "entry-sections", HERE, AT["Testing"]),
    "section in another level": (
        other("### Index Changes", "## Index Changes"),
        "entry-sections",
        HERE,
        AT["Index Changes"],
    ),
    "section in another case": (
        other("## Data Migration", "## Data migration"),
        "entry-sections",
        HERE,
        AT["Data Migration"],
    ),
    "section in a fenced block": (other("## Rollback", "```\n## Rollback\n```"), "entry-sections", HERE, 0),
    "section in a comment": (other("## Rollback", "<!--\n## Rollback -->"), "entry-sections", HERE, 0),
    "section that says nothing": (other("Nothing reads the field yet.", ""), "entry-words", HERE, AT["Rollback"]),
    "section to be written": (other("Saved and read back.", "- TODO"), "entry-words", HERE, AT["Testing"]),
    "section as the template has it": (
        other("Saved and read back.", "Saved.\n<what was tried, and how>"),
        "entry-words",
        HERE,
        AT["Testing"] + 3,
    ),
    "nothing was tried": (other("Saved and read back.", "None"), "entry-words", HERE, AT["Testing"]),
    "nothing changed": (changed_with(entry(added="None")), "entry-words", HERE, AT["Changes"]),
    "dependencies in prose": needs("the users table", "entry-dependencies"),
    "dependencies not said": needs("", "entry-dependencies", AT["PostgreSQL Dependencies"]),
    "dependency to be written": needs("- **Table**: <table>", "entry-dependencies"),
    "column without a table": needs("- **Column**: id", "entry-dependencies"),
    "migration that is not there": needs("- **Required Migration**: 20260105093000_other", "dependency-migration"),
    "migration by a part of its name": needs("- **Required Migration**: 20260105_init_users", "dependency-migration"),
    "migration that is not staged": (
        unstaged_migration,
        "dependency-migration",
        HERE,
        AT["PostgreSQL Dependencies"] + 2,
    ),
    "migration that came later": (later_migration, "dependency-migration", HERE, AT["PostgreSQL Dependencies"] + 2),
    "table that is not there": needs("- **Table**: user", "dependency-table"),
    "two tables in one bullet": needs("- **Table**: `users`, `users`", "entry-dependencies"),
    "table in another case": needs("- **Table**: Users", "dependency-table"),
    "table of another schema": needs("- **Table**: other.users", "dependency-table"),
    "column that is not there": needs(
        "- **Table**: users\n- **Column**: id, nobody", "dependency-table", AT["PostgreSQL Dependencies"] + 3
    ),
    "column that came later": (later_column, "dependency-table", HERE, AT["PostgreSQL Dependencies"] + 4),
    "log is missing": (lambda git: (changed_with(GOOD_TEXT)(git), git("rm", "-qf", LOG)), "change-log", LOG, 0),
    "log lacks an entry": (lambda git: (change(git), git.add(HERE, GOOD_TEXT)), "change-log", LOG, 5),
    "log was edited": (with_log(lambda text: text.replace("PANA-12", "PANA-13", 1)), "change-log", LOG, 7),
    "log is the oldest first": (with_log(lambda text: "\n".join(reversed(text.split("\n")))), "change-log", LOG, 1),
    "README is missing": (
        lambda git: (changed_with(GOOD_TEXT)(git), git("rm", "-q", README)),
        "folder-readme",
        README,
        0,
    ),
    "README is empty": (lambda git: (changed_with(GOOD_TEXT)(git), git.add(README, "\n")), "folder-readme", README, 0),
    "no folder of entries": (without_folder, "model-entry", USER, 0),
    "good in the working tree alone": (good_in_the_tree_alone, "entry-ticket", HERE, 9),
    "entry is not staged": (not_staged, "model-entry", USER, 0),
}


OF_TEXTS = {rule.name for rule in RULES} - {"model-entry", "entry-unchanged", "change-log", "folder-readme"}
"""Rules on texts alone: they look at the same entries in every scope, so a few cases show that of a base."""
SHOWN = {"ticket is empty", "no day in the name", "migration that is not staged", "table in another case"}


@pytest.mark.parametrize("case", BAD)
def test_bad_repository_is_refused_by_rule_file_and_line(case: str, git: Git) -> None:
    act, rule, file, line = BAD[case]
    act(git)
    for how in ({"staged": True}, {}):
        found = refused(checked(git, **how))
        assert (rule, file, line) in found, (how, found)
    if rule in OF_TEXTS and case not in SHOWN:
        return
    git.commit()  # past the hook
    found = refused(checked(git, base="main"))
    assert (rule, file, line) in found, ("committed", found)


def with_rename(form: str) -> Change:
    text = entry(form, added="None")
    return lambda git: (renamed(git), note(git, "2026-02-01_account_rename_user.md", text))


def deleted(git: Git) -> None:
    git("rm", "-q", USER)
    note(git, NEW, entry(added="None").replace("### Removed Fields\n\nNone", "### Removed Fields\n\nAll of them."))


def flat_migration(git: Git) -> None:
    git.add("isthmus.toml", SETTINGS.replace("[changes]", '[[schema]]\nfolder = "drizzle"\nlayout = "flat"\n[changes]'))
    git.add("drizzle/0000_first.sql", SQL)
    changed_with(entry(needs="- **Required Migration**: 0000_first"))(git)


GOOD: dict[str, Change] = {
    "nothing": lambda _: None,
    "another file of the folder": lambda git: git.add("lib/model/README.md", "more\n"),
    "what keeps an empty folder": lambda git: git.add(place(".gitkeep"), ""),
    "entry": changed_with(GOOD_TEXT),
    "path as code": other(f"{USER}\n\n## Post", f"`{USER}`\n\n## Post"),
    "line ends of Windows": changed_with(GOOD_TEXT.replace("\n", "\r\n")),
    "hostile name": lambda git: (change(git, DEEP), note(git, "2026-02-01_mentor_seances_x.md", entry(f"`{DEEP}`"))),
    "two models, two entries": lambda git: (
        change(git),
        change(git, PROFILE),
        note(git, NEW, GOOD_TEXT),
        note(git, "2026-02-01_profile_x.md", entry(PROFILE)),
    ),
    "names with arrows and back-ticks": lambda git: (
        change(git, "lib/model/a → `b`.ts"),
        note(git, "2026-02-01_a_b_x.md", entry("`` lib/model/a → `b`.ts ``")),
    ),
    "several columns": changed_with(entry(needs="- **Table**: users\n- **Column**: `id`, `Größe, 'x'`")),
    "two entries of one model": lambda git: (
        change(git),
        note(git, NEW, GOOD_TEXT),
        note(git, "2026-02-01_user_and_more.md", GOOD_TEXT),
    ),
    "renamed, both named": with_rename(f"`{USER}` → `lib/model/account.ts`"),
    "renamed, with another arrow": with_rename(f"{USER} -> lib/model/account.ts"),
    "renamed, an entry for each": lambda git: (
        renamed(git),
        note(git, NEW, GOOD_TEXT),
        note(git, "2026-02-01_account_x.md", entry("lib/model/account.ts")),
    ),
    "deleted": deleted,
    "dependencies that are true": changed_with(entry(needs=NEEDS)),
    "dependencies with hostile names": changed_with(
        entry(
            needs="- **Table**: `users`\n  which has it since January\n- **Column**: `Größe, 'x'`\n"
            '- **Table**: Odd "one".users'
        )
    ),
    "migration of the same day": changed_with(entry(day="2026-01-05", needs=NEEDS), "2026-01-05_user_x.md"),
    "migration of the same commit": lambda git: (
        git.add("prisma/migrations/20260131000000_new/migration.sql", SQL),
        changed_with(entry(needs="- **Required Migration**: 20260131000000_new"))(git),
    ),
    "migration of a flat folder": flat_migration,
    "further sections": changed_with(GOOD_TEXT + "\n## Notes\n\nTODO is no placeholder in here: <script>.\n"),
    "headings in a fenced block": other("Saved and read back.", "Saved:\n\n```md\n## Date\n<x>\n```"),
}


@pytest.mark.parametrize("case", GOOD)
def test_good_repository_passes(case: str, git: Git) -> None:
    GOOD[case](git)
    for how in ({"staged": True}, {}):
        assert refused(checked(git, **how)) == [], how
    git.commit()
    assert refused(checked(git, base="main")) == []


def test_every_rule_has_a_bad_case() -> None:
    assert {rule.name for rule in RULES} - {rule for _, rule, _, _ in BAD.values()} == {"model-globs"}


# Branches, merges, rebases.


def branch(git: Git, name: str, model: str, entry_name: str | None, *, text: str = "") -> None:
    """Commit a change of a model on a branch of its own, past hooks."""
    git("checkout", "-q", "-B", name, "main")
    change(git, model, text or name)
    if entry_name is not None:
        note(git, entry_name, entry(model, day=entry_name[:10]))
    git.commit()


def test_a_second_change_past_the_hook_is_found(git: Git) -> None:
    branch(git, "feature", USER, NEW)
    assert refused(checked(git, base="main")) == []
    change(git, text="again")
    git.commit()
    found = checked(git, base="main")
    assert refused(found) == [("model-entry", USER, 0)]
    assert NEW in found.findings[0].message
    note(git, "2026-02-03_user_again.md", entry(day="2026-02-03"))
    git.commit()
    assert refused(checked(git, base="main")) == []


def test_a_model_that_is_deleted_behind_its_entry_is_found(git: Git) -> None:
    branch(git, "feature", USER, NEW)
    git("rm", "-q", USER)
    assert refused(checked(git, base="main")) == [("model-entry", USER, 0)]
    git.commit()
    assert refused(checked(git, base="main")) == [("model-entry", USER, 0)]


def test_a_change_that_was_taken_back_needs_an_entry_where_the_first_one_has_one(git: Git) -> None:
    before = (git.folder / USER).read_text()
    branch(git, "feature", USER, NEW)
    git.add(USER, before)
    git.commit()
    assert refused(checked(git, base="main")) == [("model-entry", USER, 0)]


def test_a_revert_leaves_the_entry_and_writes_another(git: Git) -> None:
    branch(git, "feature", USER, NEW)
    git("revert", "--no-commit", "HEAD")
    assert {rule for rule, _, _ in refused(checked(git, staged=True))} == {"entry-unchanged", "model-entry"}
    git("checkout", "HEAD", "--", "mongo-migrations")
    note(git, "2026-02-03_user_take_email_back.md", entry(day="2026-02-03"))
    assert refused(checked(git, staged=True)) == []
    git.commit()
    assert refused(checked(git, base="main")) == []


def test_a_merge_asks_for_no_second_entry(git: Git) -> None:
    branch(git, "feature", USER, NEW)
    git("checkout", "-q", "main")
    git("merge", "--quiet", "--no-ff", "--no-commit", "feature")
    assert refused(checked(git, staged=True)) == []
    git.commit("merge")
    for how in ({}, {"base": "feature"}, {"base": "HEAD~1"}):
        assert refused(checked(git, **how)) == []


def test_a_merge_keeps_the_entries_that_it_brings_in(git: Git) -> None:
    branch(git, "feature", USER, NEW)
    git("checkout", "-q", "main")
    git("merge", "--quiet", "--no-ff", "--no-commit", "feature")
    note(git, NEW, entry(added="- `other`: text"))
    found = checked(git, staged=True)
    assert refused(found) == [("entry-unchanged", place(NEW), 0)]
    assert "committed in MERGE_HEAD and was edited" in found.findings[0].message


def test_a_merge_of_a_change_without_an_entry_is_found(git: Git) -> None:
    branch(git, "feature", USER, None)
    git("checkout", "-q", "main")
    git("merge", "--quiet", "--no-ff", "--no-commit", "feature")
    assert refused(checked(git, staged=True)) == [("model-entry", USER, 0)]


def test_two_branches_that_are_merged_need_the_log_anew_and_no_further_entry(git: Git) -> None:
    branch(git, "one", USER, NEW)
    branch(git, "two", USER, "2026-02-02_user_add_name.md", text="two")
    merge = ("merge", "--quiet", "--no-commit", "-X", "ours", "one")
    git(*merge)
    git.write(LOG, "conflict")
    git("add", "-A")
    assert {rule for rule, _, _ in refused(checked(git, staged=True))} == {"change-log"}
    log(git)
    assert refused(checked(git, staged=True)) == []
    git.commit("merge")
    assert refused(checked(git, base="main")) == []


def test_an_entry_that_was_written_while_merging_counts(git: Git) -> None:
    branch(git, "feature", USER, None)
    git("checkout", "-q", "-B", "other", "main")
    git("commit", "-q", "--allow-empty", "-m", "x")
    git("merge", "--quiet", "--no-ff", "--no-commit", "feature")
    note(git, NEW, GOOD_TEXT)
    git.commit("merge")
    assert refused(checked(git, base="main")) == []


def test_a_branch_behind_its_base_answers_for_itself_alone(git: Git) -> None:
    branch(git, "feature", USER, NEW)
    git("checkout", "-q", "main")
    change(git, PROFILE)
    git.commit("past the hook")
    git("checkout", "-q", "feature")
    assert refused(checked(git, base="main")) == []
    git("merge", "--quiet", "-m", "merge", "main")
    assert refused(checked(git, base="main")) == []


def test_what_the_base_has_is_not_asked_for_while_it_is_merged(git: Git) -> None:
    branch(git, "feature", USER, NEW)
    git("checkout", "-q", "main")
    change(git, PROFILE)
    git.commit("before there was a log")
    git("checkout", "-q", "feature")
    git("merge", "--quiet", "--no-commit", "main")
    assert refused(checked(git, staged=True)) == [("model-entry", PROFILE, 0)]
    git.add("isthmus.toml", 'base = "main"\n' + SETTINGS)
    assert refused(checked(git, staged=True)) == []


def test_a_rebased_branch_keeps_its_entries(git: Git) -> None:
    branch(git, "feature", USER, NEW)
    change(git, DEEP)
    git.add(place("2026-02-02_mentor_seances_x.md"), entry(DEEP, day="2026-02-02"))
    log(git)
    git.commit()
    git("checkout", "-q", "main")
    change(git, "lib/model/other.ts")
    git.commit("past the hook")
    git("rebase", "-q", "main", "feature")
    assert refused(checked(git, base="main")) == []


def test_the_index_that_git_names_is_read(git: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    change(git)
    other = git.folder.parent / "other-index"
    shutil.copy(git.folder / ".git" / "index", other)
    git("reset", "-q")
    assert refused(checked(git)) == []
    monkeypatch.setenv("GIT_INDEX_FILE", os.fspath(other))
    assert refused(checked(git)) == [("model-entry", USER, 0)]


def test_before_the_first_commit_models_have_entries_too(tmp_path: Path) -> None:
    git = Git(tmp_path)
    git.add("isthmus.toml", SETTINGS)
    git.add(USER, "x\n")
    assert refused(checked(git, staged=True)) == [("model-entry", USER, 0)]
    git.add(README, "x\n")
    note(git, NEW, GOOD_TEXT)
    assert refused(checked(git, staged=True)) == []
    assert refused(checked(git)) == []


def test_a_base_that_shares_nothing_with_head_is_an_error(git: Git) -> None:
    git("checkout", "-q", "--orphan", "alone")
    git.commit("alone")  # with main's own words, in the same second, it would be main's own commit
    with pytest.raises(ConfigError) as caught:
        checked(git, base="main")
    assert caught.value.code == "no-common-commit"


# All entries, and what cannot be told.


def test_a_base_of_the_settings_that_is_not_there_is_told(git: Git) -> None:
    git.add("isthmus.toml", 'base = "origin/main"\n' + SETTINGS)
    assert [one for one in checked(git, staged=True).notes if one.startswith("There is no origin/main here")]
    git("branch", "origin/main")
    assert checked(git, staged=True).notes == ()


def test_a_file_that_is_only_announced_is_in_no_commit(git: Git) -> None:
    git.write("lib/model/new.ts", "x")
    git.write(place(NEW), GOOD_TEXT)
    git("add", "--intent-to-add", "lib/model/new.ts", place(NEW))
    assert refused(checked(git, staged=True)) == []
    change(git)
    assert refused(checked(git, staged=True)) == [("model-entry", USER, 0)]
    git.add("lib/model/new.ts", "")
    assert ("model-entry", "lib/model/new.ts", 0) in refused(checked(git, staged=True))


def test_an_entry_without_sections_is_told_once(git: Git) -> None:
    for text in ("", "# user: add e-mail\n\nWe added it.\n"):
        note(git, NEW, text)
        assert [rule for rule, _, _ in refused(checked(git, staged=True))] == ["entry-sections"]


def test_an_object_that_git_lost_is_an_error(git: Git) -> None:
    oid = git("rev-parse", f"HEAD:{place(OLD)}").strip()
    (git.folder / ".git" / "objects" / oid[:2] / oid[2:]).unlink()
    with pytest.raises(ConfigError) as caught:
        checked(git)
    assert (caught.value.code, oid in str(caught.value)) == ("git-failed", True)


def test_long_lines_of_marks_are_read_at_once(git: Git) -> None:
    change(git)
    begun = time.process_time()
    for text in ("." * 30_000 + "a", "-" * 30_000 + "a", "## x" + " " * 30_000 + "x", " " * 30_000 + "x"):
        note(git, NEW, entry(f"x{text}").replace("Saved and read back.", text))
        assert refused(checked(git, staged=True))
    assert time.process_time() - begun < 10  # seconds; it was minutes


def test_committed_entries_are_looked_at_where_nothing_is_staged(git: Git) -> None:
    note(git, "2026-01-20_user_bad.md", entry(day="2026-01-21", needs="- **Required Migration**: 20260101000000_none"))
    git.commit("past the hook")
    assert refused(checked(git, staged=True)) == []
    rules = [(rule, line) for rule, _, line in refused(checked(git))]
    assert rules == [("entry-date", 5), ("dependency-migration", 17)]
    git.add("isthmus.toml", SETTINGS + "since = 2026-02-01\n")
    assert refused(checked(git)) == []
    git("rm", "-q", place(OLD))
    log(git)
    assert refused(checked(git)) == [("entry-unchanged", place(OLD), 0)]


def test_a_table_of_a_committed_entry_may_have_been_dropped(git: Git) -> None:
    change(git)
    note(git, NEW, entry(needs=NEEDS))
    git.commit()
    git.add("prisma/migrations/schema.json", SCHEMA_JSON.replace("public.users", "public.accounts"))
    found = checked(git)
    assert refused(found) == []
    assert any("schema.json has no table users. It may have been dropped since." in one for one in found.notes)


def test_without_schema_json_a_note_says_what_was_not_asked(git: Git) -> None:
    git("rm", "-q", "prisma/migrations/schema.json")
    change(git)
    note(git, NEW, entry(needs="- **Table**: nothing"))
    found = checked(git, staged=True)
    assert refused(found) == []
    assert any("no schema.json in prisma/migrations" in one for one in found.notes)


def test_the_time_of_a_flat_migration_is_its_journals_else_unknown(git: Git) -> None:
    flat_migration(git)
    assert any("Nothing tells when 0000_first was written" in one for one in checked(git).notes)
    when = 1_770_000_000_000  # 2026-02-02
    git.add(
        "drizzle/meta/_journal.json",
        f'{{"version": "7", "dialect": "postgresql", "entries": [{{"idx": 0, "version": "7", "when": {when}, '
        '"tag": "0000_first", "breakpoints": true}]}',
    )
    found = checked(git)
    assert [(one.rule, one.line) for one in found.findings] == [
        ("dependency-migration", AT["PostgreSQL Dependencies"] + 2)
    ]
    assert "2026-02-02, later than the entry (2026-02-01)" in found.findings[0].message


def test_a_glob_that_finds_nothing_is_refused(git: Git) -> None:
    git.add("isthmus.toml", SETTINGS.replace("lib/model/**/*.ts", "lib/modell/**/*.ts"))
    for how in ({}, {"staged": True}, {"base": "main"}):
        assert ("model-globs", "isthmus.toml", 0) in refused(checked(git, **how))


def test_the_last_model_may_go(git: Git) -> None:
    for number, model in enumerate((USER, PROFILE, DEEP)):
        git("rm", "-q", model)
        words = ("user", "profile", "mentor_seances")[number]
        note(git, f"2026-02-01_{words}_gone.md", entry(model))
    assert refused(checked(git, staged=True)) == []
    git.commit()
    assert refused(checked(git)) == []


@pytest.mark.parametrize(
    ("glob", "model", "other_file"),
    [
        ("app/models.py", "app/models.py", "app/models.pyi"),
        ("src/**/*.java", "src/a/b/User.java", "src/a/b/User.kt"),
        ("**/*.rb", "user.rb", "user.rbs"),
        ("app/[[]id]/*.ts", "app/[id]/user.ts", "app/i/user.ts"),
        ("m/user-?.[jt]s", "m/user-1.js", "m/user-10.js"),
        ("m/**", "m/a b/c", "n/a"),
        ("größe/*.go", "größe/x.go", "größe/y/x.go"),
    ],
)
def test_models_of_any_language_are_governed(glob: str, model: str, other_file: str, git: Git) -> None:
    git.add("isthmus.toml", SETTINGS.replace("lib/model/**/*.ts", glob))
    git.add(model, "1")
    git.commit("before")
    git.add(model, "2")
    git.add(other_file, "2")
    assert refused(checked(git, staged=True)) == [("model-entry", model, 0)]


def test_the_log_itself_holds_no_models(git: Git) -> None:
    git.add("isthmus.toml", SETTINGS.replace("lib/model/**/*.ts", "**/*"))
    git.commit()
    note(git, NEW, GOOD_TEXT)
    assert refused(checked(git, staged=True)) == []


def test_an_exclamation_mark_takes_files_out(git: Git) -> None:
    git.add("isthmus.toml", SETTINGS.replace('ts"]', 'ts", "!lib/model/user.ts"]'))
    git.commit()
    change(git)
    assert refused(checked(git, staged=True)) == []


def test_a_project_in_a_folder_has_its_own_paths(tmp_path: Path) -> None:
    git = Git(tmp_path)
    git.add("apps/web/isthmus.toml", SETTINGS)
    git.add(f"apps/web/{USER}", "1")
    git.add(USER, "1")
    git.commit()
    for model in (USER, f"apps/web/{USER}"):
        git.add(model, "2")
    found = check_changes(find_project(tmp_path / "apps" / "web"), staged=True)
    assert refused(found) == [("model-entry", f"apps/web/{USER}", 0)]
    assert f"isthmus changes new {USER} " in found.findings[0].hint
    git.add(f"apps/web/{README}", "x\n")
    git.add(f"apps/web/{place(NEW)}", GOOD_TEXT)
    found = check_changes(find_project(tmp_path / "apps" / "web"), staged=True)
    assert refused(found) == [("change-log", f"apps/web/{LOG}", 0)]


def test_a_rule_is_switched_off_with_a_reason_that_is_told(git: Git) -> None:
    git.add("isthmus.toml", SETTINGS + 'off = {model-entry = "the log begins with the next release"}\n')
    change(git)
    found = checked(git)
    assert found.findings == ()
    assert found.off == {"model-entry": "the log begins with the next release"}


def test_files_that_git_does_not_hold_are_told(git: Git) -> None:
    git.write("lib/model/new.ts", "x")
    git.write("lib/model/new.md", "x")
    git.write(place(NEW), GOOD_TEXT)
    assert checked(git).untracked == ("lib/model/new.ts", place(NEW))


@pytest.mark.parametrize(
    ("settings", "code", "part"),
    [
        ('[schema]\nfolder = "m"\n', "no-changes", "name no models"),
        ('[changes]\nfolder = "m"\nmodels = []\n', "bad-settings", "1 setting is wrong"),
        ('[changes]\nfolder = "m"\nmodels = ["!x"]\n', "bad-settings", "1 setting is wrong"),
        ('[changes]\nfolder = "m"\nmodels = ["/x"]\n', "bad-settings", "1 setting is wrong"),
        ('[changes]\nfolder = "m"\nmodels = ["../x"]\n', "bad-settings", "1 setting is wrong"),
        ('[changes]\nfolder = "m"\nmodels = ["x/*.{ts,js}"]\n', "bad-settings", "1 setting is wrong"),
        ('[changes]\nfolder = "m"\nmodels = ["x/**.ts"]\n', "bad-settings", "1 setting is wrong"),
        ('[changes]\nfolder = "m"\nmodels = ["x/[z-a]"]\n', "bad-settings", "1 setting is wrong"),
        (SETTINGS + 'off = {journal = "x"}\n', "unknown-rule", "no rule journal"),
    ],
)
def test_settings_that_are_wrong_are_refused(settings: str, code: str, part: str, git: Git) -> None:
    git.write("isthmus.toml", settings)
    with pytest.raises(ConfigError) as caught:
        checked(git)
    assert caught.value.code == code
    assert part in str(caught.value)


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.bad[0]], ids=lambda rule: rule.name)
def test_examples_of_pages_are_what_they_say(rule: Rule[Any], git: Git) -> None:
    for (path, text), expected in ((rule.bad, True), (rule.good, False)):
        file = f"mongo-migrations/{path}"
        git.add(file, text)
        found = {(one.rule, one.file) for one in checked(git).findings}
        assert ((rule.name, file) in found) is expected
        git("rm", "-qf", file)
