"""Hooks that git itself runs: a bad commit is refused, a good one is not, and other hooks still run."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from isthmus.errors import ConfigError
from isthmus.govern.hooks import HOOKS, install, remove
from isthmus.govern.repository.git import Repository
from tests.fix_git import Git
from tests.integration.cli.conftest import COMMAND, run_command
from tests.integration.govern import model_repositories as models
from tests.integration.govern.repositories import FIRST, SETTINGS, SQL, THIRD, place, prisma

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


# What the settings name is what is asked.


def installed(git: Git) -> str:
    ran = run_command(git.folder, "hooks", "install")
    assert ran.code == 0, ran.all
    return (git.folder / ".git" / "hooks" / "pre-commit").read_text()


def test_each_is_asked_where_the_settings_have_it(tmp_path: Path) -> None:
    git = prisma(tmp_path / "project")
    schema, changes = '" schema check --staged || ', '" changes check --staged || '
    text = installed(git)
    assert (schema in text, changes in text) == (True, False)
    git.write("isthmus.toml", models.SETTINGS)
    text = installed(git)
    assert (schema in text, changes in text) == (True, True)
    git.write("isthmus.toml", "[changes]" + models.SETTINGS.partition("[changes]")[2])
    text = installed(git)
    assert (schema in text, changes in text) == (False, True)
    git.write("isthmus.toml", "")
    ran = run_command(git.folder, "hooks", "install")
    assert (ran.code, "bad-settings" in ran.err) == (2, True)
    (git.folder / "isthmus.toml").unlink()
    ran = run_command(git.folder, "hooks", "install", "--remove")
    assert (ran.code, ran.out.count("isthmus was taken out")) == (0, 2)
    assert "No hook asks isthmus." in run_command(git.folder, "hooks", "install", "--remove").out


def test_nothing_to_ask_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        install(Repository(prisma(tmp_path).folder), [], str(COMMAND))
    assert caught.value.code == "nothing-to-ask"
    assert not (tmp_path / ".git" / "hooks" / "pre-commit").exists()


def test_a_project_with_models_alone_is_guarded(tmp_path: Path) -> None:
    git = models.project(tmp_path / "project")
    git.add("isthmus.toml", "[changes]" + models.SETTINGS.partition("[changes]")[2])
    git.commit()
    install(Repository(git.folder), ["changes check --staged"], str(COMMAND))
    models.change(git)
    ran = commit(git, "commit", "-a", "-m", "x")
    assert ran.returncode != 0
    assert "no new entry has it as its model" in ran.stdout + ran.stderr
    models.note(git, "2026-02-01_user_x.md", models.entry())
    assert commit(git, "commit", "-m", "x").returncode == 0


def test_both_checks_say_what_they_find(tmp_path: Path) -> None:
    git = models.project(tmp_path / "project")
    install(Repository(git.folder), ["schema check --staged", "changes check --staged"], str(COMMAND))
    models.change(git)
    git.add(f"prisma/migrations/{models.MIGRATION}/migration.sql", SQL)
    ran = commit(git, "commit", "-m", "x")
    said = ran.stdout + ran.stderr
    assert ran.returncode != 0
    assert "(migration-unchanged)" in said
    assert "(model-entry)" in said


# A merge is asked for once, however its hooks call each other.


@pytest.mark.parametrize(
    "calling",
    [
        "",
        '#!/bin/sh\nexec "$(git rev-parse --git-dir)/hooks/pre-commit"\n',
        '#!/bin/sh\n"$(git rev-parse --git-dir)/hooks/pre-commit" "$@"\n',
    ],
    ids=["apart", "exec", "called"],
)
def test_a_merge_of_a_branch_that_changed_a_model_is_asked_for_once(calling: str, tmp_path: Path) -> None:
    git = models.project(tmp_path / "project")
    counting = tmp_path / "counting isthmus"
    counting.write_text(f'#!/bin/sh\necho "$*" >> "{tmp_path}/asked"\nexec "{COMMAND}" "$@"\n')
    counting.chmod(0o755)
    if calling:
        hook = git.folder / ".git" / "hooks" / "pre-merge-commit"
        hook.write_text(calling)
        hook.chmod(0o755)
    install(Repository(git.folder), ["changes check --staged"], str(counting))
    git("checkout", "-q", "-b", "feature")
    models.change(git)
    models.note(git, "2026-02-01_user_x.md", models.entry())
    git.commit()
    git("checkout", "-q", "main")
    git("commit", "-q", "--no-verify", "--allow-empty", "-m", "x")
    assert commit(git, "merge", "-m", "merge", "feature").returncode == 0
    assert (tmp_path / "asked").read_text() == "changes check --staged\n"


# Folders of other tools.

H = (
    '#!/bin/sh\nname=$(basename "$0")\nhook=$(dirname "$(dirname "$0")")/$name\n'
    '[ ! -f "$hook" ] || sh -e "$hook" "$@"\n'
)


def husky(git: Git) -> None:
    """Lay its files out as husky 9 does: a generated folder, from which hooks of people are run."""
    git.write(".husky/_/.gitignore", "*")
    git.write(".husky/_/h", H)
    for name in HOOKS:
        git.write(f".husky/_/{name}", '#!/usr/bin/env sh\n. "$(dirname "$0")/h"\n').chmod(0o755)
    git.add(".husky/pre-commit", "echo husky > ran\n")
    git("config", "core.hooksPath", ".husky/_")


def test_with_husky_the_block_stands_where_it_lasts(tmp_path: Path) -> None:
    git = prisma(tmp_path / "project")
    husky(git)
    link = git.folder / "tools" / "isthmus"
    link.parent.mkdir()
    link.symlink_to(COMMAND)
    before = (git.folder / ".husky" / "_" / "pre-commit").read_text()
    first, second = install(Repository(git.folder), COMMANDS, str(link))
    assert [one.file for one in (first, second)] == [git.folder / ".husky" / name for name in HOOKS]
    text = first.file.read_text()
    assert str(git.folder) not in text
    assert "|| echo tools/isthmus)" in text
    assert (git.folder / ".husky" / "_" / "pre-commit").read_text() == before
    git.add(THIRD, SQL.replace("Yes", "Maybe"))
    ran = commit(git, "commit", "-m", "x")
    assert ran.returncode != 0
    assert "is none of Yes, No, Partial" in ran.stdout + ran.stderr
    git.add(THIRD, SQL)
    assert commit(git, "commit", "-m", "x").returncode == 0
    assert (git.folder / "ran").read_text() == "husky\n"
    assert [one.done for one in install(Repository(git.folder), COMMANDS, str(link))] == ["unchanged"] * 2
    remove(Repository(git.folder))
    assert first.file.read_text() == "echo husky > ran\n"
    assert not second.file.exists()


def test_a_hook_that_is_committed_names_no_path_of_one_machine(tmp_path: Path) -> None:
    git = prisma(tmp_path / "project")
    git("config", "core.hooksPath", ".githooks")
    (first, _) = install(Repository(git.folder), COMMANDS, str(COMMAND))
    assert "|| echo isthmus)" in first.file.read_text()


def test_a_folder_of_hooks_that_is_none_and_a_hook_that_is_a_folder_are_errors(tmp_path: Path) -> None:
    git = prisma(tmp_path / "project")
    (git.folder / ".git" / "hooks" / "pre-merge-commit").mkdir()
    for code in ("hook-in-the-way", "hook-not-written"):
        with pytest.raises(ConfigError) as caught:
            install(Repository(git.folder), COMMANDS, str(COMMAND))
        assert caught.value.code == code
        git("config", "core.hooksPath", "isthmus.toml")
    assert not (git.folder / ".git" / "hooks" / "pre-commit").exists()


def test_a_hook_that_is_a_link_to_what_is_committed_names_none_either(tmp_path: Path) -> None:
    git = prisma(tmp_path / "project")
    git.add("tools/hook.sh", "#!/bin/sh\n")
    (git.folder / ".git" / "hooks" / "pre-commit").symlink_to("../../tools/hook.sh")
    first, second = install(Repository(git.folder), COMMANDS, str(COMMAND))
    assert first.file.is_symlink()
    assert "|| echo isthmus)" in (git.folder / "tools" / "hook.sh").read_text()
    assert str(COMMAND) in second.file.read_text()


def test_a_folder_that_git_passes_over_is_left_alone(tmp_path: Path) -> None:
    git = prisma(tmp_path / "project")
    git.write(".gitignore", "/made/\n")
    git("config", "core.hooksPath", "made/hooks")
    with pytest.raises(ConfigError) as caught:
        install(Repository(git.folder), COMMANDS, str(COMMAND))
    assert caught.value.code == "hooks-of-a-tool"
    assert "isthmus schema check --staged" in str(caught.value.hint)
    assert not (git.folder / "made").exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("#!/usr/bin/env bash\n# File generated by pre-commit: https://pre-commit.com\n", ".pre-commit-config.yaml"),
        ('#!/bin/sh\ncall_lefthook()\n{\n  lefthook "$@"\n}\ncall_lefthook run "pre-commit" "$@"\n', "lefthook.yml"),
    ],
    ids=["pre-commit", "lefthook"],
)
def test_a_hook_that_a_tool_writes_anew_is_left_alone_and_what_to_add_is_said(
    text: str, words: str, tmp_path: Path
) -> None:
    git = prisma(tmp_path / "project")
    file = git.folder / ".git" / "hooks" / "pre-commit"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        install(Repository(git.folder), ["schema check --staged", "changes check --staged"], str(COMMAND))
    assert caught.value.code == "hooks-of-a-tool"
    hint = str(caught.value.hint)
    assert words in hint
    for one in ("isthmus-schema-check", "isthmus-changes-check", "isthmus changes check --staged"):
        assert one in hint
    assert file.read_text() == text
    assert not file.with_name("pre-merge-commit").exists()


@pytest.mark.parametrize("text", ["", "echo mine > ran\n"], ids=["empty", "without a first line"])
def test_a_hook_without_a_first_line_is_a_shell_script(text: str, tmp_path: Path) -> None:
    git = prisma(tmp_path / "project")
    file = git.folder / ".git" / "hooks" / "pre-commit"
    file.write_text(text)
    install(Repository(git.folder), COMMANDS, str(COMMAND))
    git.add(THIRD, SQL.replace("Yes", "Maybe"))
    assert commit(git, "commit", "-m", "x").returncode != 0
    git.add(THIRD, SQL)
    assert commit(git, "commit", "-m", "x").returncode == 0
    assert (git.folder / "ran").exists() == bool(text)
    remove(Repository(git.folder))
    assert file.exists() == bool(text)
    assert not text or file.read_text() == text


# Worktrees, submodules, projects below the top.


def test_a_commit_in_a_worktree_and_in_a_submodule_is_asked_for(tmp_path: Path) -> None:
    git = prisma(tmp_path / "project")
    git("worktree", "add", "-q", "../beside")
    whole = Git(tmp_path / "whole")
    whole("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(git.folder), "part")
    for folder in (tmp_path / "beside", whole.folder / "part"):
        here = Git(folder)
        install(Repository.around(folder), COMMANDS, str(COMMAND))
        here.add(THIRD, SQL.replace("Yes", "Maybe"))
        ran = commit(here, "commit", "-m", "x")
        assert ran.returncode != 0
        assert "is none of Yes, No, Partial" in ran.stdout + ran.stderr
    assert (tmp_path / "whole" / ".git" / "modules" / "part" / "hooks" / "pre-commit").exists()


def test_projects_below_the_top_are_asked_each_for_itself(tmp_path: Path) -> None:
    git = Git(tmp_path / "whole")
    for name in ("apps/a b", "apps/web"):
        git.add(f"{name}/isthmus.toml", SETTINGS)
        git.add(f"{name}/{FIRST}", SQL)
    git.commit()
    git("worktree", "add", "-q", "../beside")
    for name in ("apps/a b", "apps/web", "apps/a b"):
        assert run_command(git.folder / name, "hooks", "install").code == 0
    for folder, name, words in (
        (git.folder, "apps/a b", ["-a"]),
        (git.folder, "apps/web", ["--", f"apps/web/{FIRST}"]),
        (tmp_path / "beside", "apps/web", []),
    ):
        here = Git(folder)
        here.add(f"{name}/{FIRST}", SQL + "-- more\n")
        ran = commit(here, "commit", "-m", "x", *words)
        assert ran.returncode != 0
        assert f"{name}/{FIRST}" in ran.stdout + ran.stderr
        here("checkout", "-q", "HEAD", "--", ".")
    assert "isthmus was taken out" in run_command(git.folder, "hooks", "install", "--remove").out
    assert not (git.folder / ".git" / "hooks" / "pre-commit").exists()


# What is offered to the pre-commit framework.


def test_hooks_of_the_framework_are_commands_that_refuse(tmp_path: Path) -> None:
    offered = YAML(typ="safe").load(Path(".pre-commit-hooks.yaml"))
    assert [one["id"] for one in offered] == ["isthmus-schema-check", "isthmus-changes-check"]
    git = models.project(tmp_path / "project")
    models.change(git)
    git.add(f"prisma/migrations/{models.MIGRATION}/migration.sql", SQL)
    for one in offered:
        assert one["pass_filenames"] is False
        assert one["always_run"] is True
        assert one["stages"] == list(HOOKS)
        program, *words = one["entry"].split()
        assert program == "isthmus"
        assert run_command(git.folder, *words).code == 5
