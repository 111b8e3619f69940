"""Hooks that git itself runs: a bad commit is refused, a good one is not, and other hooks still run."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from isthmus.errors import ConfigError
from isthmus.govern.hooks import HOOKS, install, remove
from isthmus.govern.repository.git import Repository
from tests.fix_git import Git
from tests.integration.cli.conftest import COMMAND
from tests.integration.govern.repositories import SQL, THIRD, place, prisma

COMMANDS = ["schema check --staged"]


def commit(git: Git, *words: str) -> subprocess.CompletedProcess[str]:
    """Run git with its hooks; isthmus is not on the path, as in a program with windows."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    found = [Path(shutil.which(name) or "/bin/sh").parent for name in ("git", "sh", "cat")]
    environment |= {
        "PATH": os.pathsep.join(map(str, dict.fromkeys(found))),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_EDITOR": "true",
    }
    name = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    return subprocess.run(
        ["git", *name, *words], cwd=git.folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture
def git(tmp_path: Path) -> Git:
    made = prisma(tmp_path / "project")
    install(Repository(made.folder), COMMANDS, str(COMMAND))
    return made


def test_git_refuses_a_bad_commit_and_takes_a_good_one(git: Git) -> None:
    git.add(THIRD, SQL.replace("Yes", "Maybe"))
    ran = commit(git, "commit", "-m", "x")
    assert ran.returncode != 0
    assert "is none of Yes, No, Partial" in ran.stdout + ran.stderr
    git.add(THIRD, SQL)
    assert commit(git, "commit", "-m", "x").returncode == 0


def test_git_refuses_a_merge_that_brings_an_older_migration_in(git: Git) -> None:
    git("checkout", "-q", "-b", "feature")
    git.add(place("20260103000000_feature"), SQL)
    git.commit()
    git("checkout", "-q", "main")
    git.add(place("20260104000000_main"), SQL)
    git.commit()
    ran = commit(git, "merge", "-m", "merge", "feature")
    assert ran.returncode != 0
    assert "It comes before 20260104000000_main" in ran.stdout + ran.stderr


def test_a_part_of_what_is_staged_is_what_is_looked_at(git: Git) -> None:
    git.add(THIRD, SQL.replace("Yes", "Maybe"))
    git.add("other.txt", "x")
    assert commit(git, "commit", "-m", "x", "--", "other.txt").returncode == 0
    assert commit(git, "commit", "-m", "x").returncode != 0


def test_hooks_that_are_there_still_run(tmp_path: Path) -> None:
    git = prisma(tmp_path / "project")
    file = git.folder / ".git" / "hooks" / "pre-commit"
    file.write_text("#!/bin/sh\necho mine > ran\nexit 3\n")
    file.chmod(0o644)
    first, second = install(Repository(git.folder), COMMANDS, str(COMMAND))
    assert (first.done, second.done) == ("added", "written")
    git.add(THIRD, SQL)
    assert commit(git, "commit", "-m", "x").returncode != 0
    assert (git.folder / "ran").read_text() == "mine\n"


def test_it_is_safe_to_repeat_and_to_take_out(git: Git) -> None:
    repository = Repository(git.folder)
    assert {one.done for one in install(repository, COMMANDS, str(COMMAND))} == {"unchanged"}
    assert {one.done for one in install(repository, ["schema check"], str(COMMAND))} == {"renewed"}
    assert [one.file.name for one in remove(repository)] == list(HOOKS)
    assert not any((git.folder / ".git" / "hooks" / name).exists() for name in HOOKS)
    assert remove(repository) == []
    git.add(THIRD, "nothing")
    assert commit(git, "commit", "-m", "x").returncode == 0


def test_a_hook_in_another_language_is_left_alone(tmp_path: Path) -> None:
    git = prisma(tmp_path / "project")
    file = git.folder / ".git" / "hooks" / "pre-merge-commit"
    file.write_text("#!/usr/bin/env python3\n")
    with pytest.raises(ConfigError) as caught:
        install(Repository(git.folder), COMMANDS, str(COMMAND))
    assert caught.value.code == "hook-in-the-way"
    assert not (git.folder / ".git" / "hooks" / "pre-commit").exists()


def test_hooks_in_another_folder_and_in_a_worktree(tmp_path: Path) -> None:
    git = prisma(tmp_path / "project")
    git("config", "core.hooksPath", "own/hooks")
    (done, _) = install(Repository(git.folder), COMMANDS, str(COMMAND))
    assert done.file == git.folder / "own" / "hooks" / "pre-commit"
    git("config", "--unset", "core.hooksPath")
    git("worktree", "add", "-q", "../beside")
    install(Repository(tmp_path / "beside"), COMMANDS, str(COMMAND))
    assert (git.folder / ".git" / "hooks" / "pre-commit").exists()
