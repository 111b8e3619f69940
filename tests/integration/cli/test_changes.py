"""`isthmus changes` as a person and a script meet it: words, JSON, exit codes, files."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.fix_git import Git
from tests.integration.cli.conftest import RunCommand
from tests.integration.govern.model_repositories import (
    DEEP,
    LOG,
    MIGRATION,
    OLD,
    PROFILE,
    README,
    SETTINGS,
    USER,
    change,
    entry,
    log,
    note,
    place,
    project,
)


@pytest.fixture
def git(tmp_path: Path) -> Git:
    return project(tmp_path / "project")


def written(text: str) -> str:
    """Return a new entry's text as a person completes it."""
    for left, said in (
        ("<all of its name; or None in place of these three lines>", MIGRATION),
        ("<table>", "users"),
        ("<column>", "id"),
        ("<how to go back>", "Take the field out again."),
        ("<what was tried, and how>", "Saved and read back."),
        ("<ticket>", "N/A"),
    ):
        text = text.replace(left, said)
    lines = ["None" if line.startswith("<") else line for line in text.split("\n")]
    return "\n".join(lines).replace("### Added Fields\n\nNone", "### Added Fields\n\n- `email`: text")


def only_entry(git: Git) -> Path:
    (found,) = [one for one in (git.folder / "mongo-migrations" / "changes").iterdir() if one.name != OLD]
    return found


def test_new_writes_what_check_only_wants_filled_in(isthmus: RunCommand, git: Git) -> None:
    git("checkout", "-q", "-b", "feature/pana-77-mails")
    change(git)
    ran = isthmus("changes", "new", "user", "Add e-mail", cwd=git.folder)
    assert ran.code == 0, ran.all
    today = datetime.now(UTC).date().isoformat()
    file = only_entry(git)
    assert file.name == f"{today}_user_add_e_mail.md"
    assert [str(file), str(git.folder / LOG)] == ran.out.splitlines()[:2]
    text = file.read_text()
    for part in (
        f"## Date\n\n{today}\n",
        "## Ticket\n\nPANA-77\n",
        f"## Model File\n\n`{USER}`\n",
        "# user: Add e-mail\n",
    ):
        assert part in text
    git("add", "-A")
    told = json.loads(isthmus("changes", "check", "--staged", "--json", "-", cwd=git.folder).out)
    assert {one["rule"] for one in told["findings"]} == {"entry-words", "entry-dependencies"}
    assert len(told["findings"]) == 10
    assert (told["outcome"], told["changed"], told["looked_at"]) == ("refused", {USER: "was edited"}, 1)
    file.write_text(written(text))
    git("add", "-A")
    ran = isthmus("changes", "check", "--staged", cwd=git.folder)
    assert (ran.code, ran.out) == (0, "3 models, 1 changed; 2 entries, 1 looked at: nothing stands against them.\n")


def test_check_refuses_with_file_line_rule_and_hint(isthmus: RunCommand, git: Git) -> None:
    change(git, DEEP)
    note(git, "2026-02-01_user_x.md", entry().replace("PANA-12", "soon"))
    ran = isthmus("changes", "check", cwd=git.folder)
    assert ran.code == 5
    flat = " ".join(ran.out.split())
    assert f"{DEEP} • It was edited, and no new entry has it as its model. (model-entry)" in flat
    assert """isthmus changes new 'lib/model/deep/Mentor Séance'"'"'s.ts' "what changed",""" in flat
    assert "line 9: `soon` is no ticket. (entry-ticket)" in flat
    assert "2 findings in 2 files." in ran.out


def test_check_says_what_it_did_not_look_at_and_what_is_off(isthmus: RunCommand, git: Git) -> None:
    git.write("lib/model/more.ts", "x")
    git.add("isthmus.toml", SETTINGS + 'off = {model-entry = "not yet"}\n')
    ran = isthmus("changes", "check", cwd=git.folder)
    assert ran.code == 0
    said = " ".join(ran.err.split())
    assert "Not looked at, for git does not hold it: lib/model/more.ts" in said
    assert "The rule model-entry is switched off for changes: not yet" in said
    assert "2 models have no entry yet" in said


def test_usage_and_settings_that_are_missing(isthmus: RunCommand, git: Git, tmp_path: Path) -> None:
    assert isthmus("changes", "check", "--staged", "--base", "main", cwd=git.folder).code == 2
    ran = isthmus("changes", "check", "--base", "nothing", cwd=git.folder)
    assert (ran.code, "no-base" in ran.err) == (2, True)
    for words in (("check",), ("log",), ("new", "user", "x")):
        ran = isthmus("changes", *words, cwd=tmp_path)
        assert (ran.code, "no-settings" in ran.err) == (2, True)
        (tmp_path / "alone").mkdir(exist_ok=True)
        (tmp_path / "alone" / "isthmus.toml").write_text('[schema]\nfolder = "m"\n')
        ran = isthmus("changes", *words, cwd=tmp_path / "alone")
        assert (ran.code, "no-changes" in ran.err) == (2, True)


@pytest.mark.parametrize(
    ("words", "code", "part"),
    [
        (("lib/model", "x"), "several-models", "3 models"),
        (("nobody", "x"), "no-model", "no model 'nobody'"),
        (("lib/other.ts", "x"), "no-model", "no model 'lib/other.ts'"),
        (("user", "!"), "bad-name", "No name"),
        (("user", "x" * 300), "bad-name", "too long"),
        (("user", "x", "--date", "2026-02-30"), "bad-date", "is no day"),
        (("user", "x", "--date", "2999-01-01"), "bad-date", "future"),
        (("user", "x", "--ticket", "soon"), "bad-ticket", "soon is no ticket"),
        (("profile", "add bio", "--date", "2026-01-10"), "entry-exists", OLD),
    ],
)
def test_new_refuses_and_writes_nothing(
    words: tuple[str, ...], code: str, part: str, isthmus: RunCommand, git: Git
) -> None:
    ran = isthmus("changes", "new", *words, cwd=git.folder)
    assert ran.code == 2
    assert code in ran.err
    assert part in ran.err
    assert git("status", "--porcelain") == ""


@pytest.mark.parametrize(
    ("said", "model"),
    [
        (USER, USER),
        ("user.ts", USER),
        ("PROF", PROFILE),
        ("./lib/model/user.ts", USER),
        ("Séance", DEEP),
        (DEEP, DEEP),
        ("userlist", "lib/model/userlist.ts"),
        ("user", USER),
    ],
)
def test_a_model_is_named_by_path_by_name_or_by_a_part(said: str, model: str, isthmus: RunCommand, git: Git) -> None:
    git.write("lib/model/userlist.ts", "a model that git does not hold yet")
    assert isthmus("changes", "new", said, "x", "--ticket", "N/A", cwd=git.folder).code == 0
    assert f"`{model}`\n" in only_entry(git).read_text()


def test_new_from_a_folder_below(isthmus: RunCommand, git: Git) -> None:
    ran = isthmus("changes", "new", "user.ts", "x", "--date", "2026-02-01", cwd=git.folder / "lib" / "model")
    assert ran.code == 0
    assert only_entry(git).name == "2026-02-01_user_x.md"


def test_new_for_a_deleted_and_for_a_renamed_model(isthmus: RunCommand, git: Git) -> None:
    git("rm", "-q", PROFILE)
    git.move(USER, "lib/model/account.ts")
    for said in ("profile", "user"):
        assert isthmus("changes", "new", said, "is gone", "--ticket", "N/A", cwd=git.folder).code == 0
    one, two = sorted(one for one in (git.folder / place("")).iterdir() if one.name != OLD)
    assert f"`{USER}` → `lib/model/account.ts`\n" in one.read_text()
    assert one.name.endswith("_account_is_gone.md")
    assert f"\n`{PROFILE}`\n" in two.read_text()
    for file in (one, two):
        file.write_text(written(file.read_text()))
    git("add", "-A")
    ran = isthmus("changes", "check", "--staged", cwd=git.folder)
    assert (ran.code, "3 models" in ran.out, "2 changed" not in ran.out) == (0, False, True), ran.all


def test_the_first_entry_brings_the_readme_and_a_project_without_migrations_needs_nothing(
    isthmus: RunCommand, tmp_path: Path
) -> None:
    git = Git(tmp_path / "first")
    git.add("isthmus.toml", "[changes]" + SETTINGS.partition("[changes]")[2])
    git.add(USER, "x")
    ran = isthmus("changes", "new", "user", "the first", "--ticket", "N/A", cwd=git.folder)
    assert ran.code == 0
    assert "isthmus changes new MODEL" in (git.folder / README).read_text()
    (file,) = (git.folder / "mongo-migrations" / "changes").iterdir()
    assert "## PostgreSQL Dependencies\n\nNone\n" in file.read_text()
    file.write_text(written(file.read_text()))
    git.write(README, "our own words")
    git("add", "-A")
    assert isthmus("changes", "check", cwd=git.folder).code == 0
    assert isthmus("changes", "log", cwd=git.folder).code == 0
    assert (git.folder / README).read_text() == "our own words"


def test_log_is_the_newest_first_and_says_what_entries_say(isthmus: RunCommand, git: Git) -> None:
    git.write(place("2026-02-01_user_b.md"), entry().replace("# add email", "# a [link](x), <b>, `code` and *more*"))
    git.write(place("2026-02-01_user_a.md"), entry().replace("PANA-12", "<ticket>"))
    git.write(place("2026-02-01_user_c.md"), entry("a/__init__.py -> `b/__init__.py`"))
    git.write(place("notes.txt"), "x")
    git.write(place("2026-3-1_bad.md"), "x")
    git.write(LOG, "<<<<<<< HEAD")
    assert isthmus("changes", "log", cwd=git.folder).code == 0
    text = (git.folder / LOG).read_text()
    assert text.split("\n")[4:] == [
        "## 2026-02-01",
        "",
        f"- [add email](changes/2026-02-01_user_a.md), \\<ticket\\>: `{USER}`",
        rf"- [a \[link\](x), \<b\>, \`code\` and \*more\*](changes/2026-02-01_user_b.md), PANA-12: `{USER}`",
        "- [add email](changes/2026-02-01_user_c.md), PANA-12: `a/__init__.py` → `b/__init__.py`",
        "",
        "## 2026-01-10",
        "",
        f"- [add email](changes/{OLD}), PANA-12: `{PROFILE}`",
        "",
    ]
    log(git)
    assert (git.folder / LOG).read_text() == text


def test_a_folder_that_cannot_be_written_to_is_an_error(isthmus: RunCommand, git: Git) -> None:
    git("rm", "-rq", "mongo-migrations")
    git.write("mongo-migrations", "a file")
    ran = isthmus("changes", "new", "user", "x", cwd=git.folder)
    assert ran.code == 2
    assert "log-not-written" in ran.err
