"""What is staged is judged by the settings that are staged, and where the working tree has others that is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.fix_git import Git
from tests.integration.cli.conftest import RunCommand
from tests.integration.govern.model_repositories import SETTINGS, change, project
from tests.integration.govern.repositories import FIRST, SQL, prisma
from tests.integration.govern.repositories import SETTINGS as OF_SCHEMA

OFF = SETTINGS + 'off = {model-entry = "not today"}\n'


@pytest.fixture
def git(tmp_path: Path) -> Git:
    git = project(tmp_path / "project")
    change(git)
    return git


def test_a_rule_that_only_the_working_tree_switches_off_is_asked(isthmus: RunCommand, git: Git) -> None:
    git.write("isthmus.toml", OFF)
    told = json.loads(isthmus("changes", "check", "--staged", "--json", "-", cwd=git.folder).out)
    assert [one["rule"] for one in told["findings"]] == ["model-entry"]
    assert told["off"] == {}
    assert ["of the working tree says something else than what is staged" in one for one in told["notes"]] == [True]
    git("add", "isthmus.toml")
    told = json.loads(isthmus("changes", "check", "--staged", "--json", "-", cwd=git.folder).out)
    assert (told["findings"], told["off"]) == ([], {"model-entry": "not today"})
    git.write("isthmus.toml", SETTINGS)
    assert isthmus("changes", "check", "--staged", cwd=git.folder).code == 0


def test_migrations_are_judged_by_settings_that_are_staged_too(isthmus: RunCommand, tmp_path: Path) -> None:
    git = prisma(tmp_path)
    git.add(FIRST, SQL + "-- more\n")
    git.write("isthmus.toml", OF_SCHEMA + 'off = {migration-unchanged = "not today"}\n')
    for how in (["--staged"], ["--base", "main"], []):
        ran = isthmus("schema", "check", *how, cwd=tmp_path)
        assert (ran.code, "than what is staged" in " ".join(ran.err.split())) == (5, True), ran.all


@pytest.mark.parametrize(
    "text", [None, "[[", '[changes]\nfolder = "m"\n', "\ufeff"], ids=["gone", "no TOML", "wrong", "empty"]
)
def test_settings_that_the_working_tree_lost_are_read_from_git(text: str | None, isthmus: RunCommand, git: Git) -> None:
    if text is None:
        (git.folder / "isthmus.toml").unlink()
    else:
        git.write("isthmus.toml", text)
    ran = isthmus("changes", "check", "--staged", cwd=git.folder)
    assert (ran.code, "cannot be read in the working tree" in " ".join(ran.err.split())) == (5, True), ran.all


def test_settings_that_git_does_not_hold_do_not_come_before_those_that_it_holds(isthmus: RunCommand, git: Git) -> None:
    git("mv", "isthmus.toml", "pyproject.toml")
    toml = SETTINGS.replace("[[schema]]", "[[tool.isthmus.schema]]").replace("[changes]", "[tool.isthmus.changes]")
    git.add("pyproject.toml", toml)
    git.commit()
    change(git, text="again")
    for path in ("isthmus.toml", "lib/isthmus.toml"):
        git.write(path, OFF)
        ran = isthmus("changes", "check", "--staged", cwd=(git.folder / path).parent)
        assert (ran.code, f"{git.folder / path} is not in git" in ran.err.replace("\n", " ")) == (5, True), ran.all


def test_settings_that_are_not_in_git_yet_hold_and_that_is_told(isthmus: RunCommand, tmp_path: Path) -> None:
    git = Git(tmp_path)
    git.write("isthmus.toml", SETTINGS)
    git.add("lib/model/user.ts", "x\n")
    ran = isthmus("changes", "check", "--staged", cwd=tmp_path)
    assert ran.code == 5
    assert "isthmus.toml is not in git, so only this working tree says" in " ".join(ran.err.split())


def test_settings_are_not_taken_out_of_git(isthmus: RunCommand, git: Git) -> None:
    git("rm", "-q", "--cached", "isthmus.toml")
    ran = isthmus("changes", "check", "--staged", cwd=git.folder)
    assert (ran.code, "no-settings" in ran.err) == (2, True), ran.all


def test_settings_below_are_not_taken_out_for_those_above(isthmus: RunCommand, git: Git) -> None:
    git.add("app/isthmus.toml", SETTINGS)
    git.add("app/lib/model/x.ts", "x")
    git.commit()
    git.write("app/a", "so that the folder stays")
    git("rm", "-q", "app/isthmus.toml")
    for command in ("changes", "schema"):
        ran = isthmus(command, "check", "--staged", cwd=git.folder / "app")
        assert (ran.code, "no-settings" in ran.err) == (2, True), ran.all
    git("checkout", "-q", "HEAD", "--", "app")
    git.move("app/isthmus.toml", "app/pyproject.toml")
    toml = SETTINGS.replace("[[schema]]", "[[tool.isthmus.schema]]").replace("[changes]", "[tool.isthmus.changes]")
    git.add("app/pyproject.toml", toml)
    assert isthmus("changes", "check", "--staged", cwd=git.folder / "app").code == 0


def test_settings_are_no_link(isthmus: RunCommand, git: Git) -> None:
    (git.folder / "isthmus.toml").rename(git.folder.parent / "elsewhere.toml")
    (git.folder / "isthmus.toml").symlink_to("../elsewhere.toml")
    git("add", "-A")
    ran = isthmus("changes", "check", "--staged", cwd=git.folder)
    assert (ran.code, "bad-settings" in ran.err, "link" in ran.err) == (2, True, True), ran.all
