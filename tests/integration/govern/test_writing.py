"""What `schema new` cannot write is refused in words, and leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from isthmus.errors import ConfigError
from isthmus.govern.settings import find_project
from isthmus.govern.writing.new import write_new
from tests.fix_git import Git

Spoil = Callable[[Git], object]


def new(git: Git, **said: str) -> list[str]:
    project = find_project(git.folder)
    return [file.name for file in write_new(project, project.settings.schemas[0], "add x", **said)]


def files(git: Git) -> set[str]:
    return {file.name for file in (git.folder / "db").rglob("*")} if (git.folder / "db").is_dir() else set()


@pytest.fixture(params=["flat", "folders"])
def git(tmp_path: Path, request: pytest.FixtureRequest) -> Git:
    made = Git(tmp_path / "project")
    made.write("isthmus.toml", f'[schema]\nfolder = "db"\nlayout = "{request.param}"\n')
    return made


@pytest.mark.parametrize("purpose", ["fine\nDROP TABLE users;", "a\rb", "a\u2028b", "a\x00b"])
def test_a_purpose_of_several_lines_would_be_sql(git: Git, purpose: str) -> None:
    with pytest.raises(ConfigError) as caught:
        new(git, purpose=purpose)
    assert (caught.value.code, files(git)) == ("bad-purpose", set())


@pytest.mark.parametrize("ticket", ["later", "N/A\nDROP TABLE users;", "N/A\n", ""])
def test_a_ticket_that_no_check_would_take(git: Git, ticket: str) -> None:
    with pytest.raises(ConfigError) as caught:
        new(git, ticket=ticket)
    assert (caught.value.code, files(git)) == ("bad-ticket", set())


@pytest.mark.parametrize("text", [b"\xff\xfe", b"[]", b"{", b'{"entries": {}}', b'{"entries": [1]}', b""])
def test_a_journal_that_is_none(git: Git, text: bytes) -> None:
    git.write("db/meta/_journal.json", text)
    before = files(git)
    with pytest.raises(ConfigError) as caught:
        new(git)
    assert (caught.value.code, files(git)) == ("bad-journal", before)


def test_a_journal_that_cannot_be_written_leaves_no_migration(git: Git) -> None:
    git.write("db/meta/_journal.json", '{"entries": []}')
    (git.folder / "db/meta/_journal.json.partial").mkdir()
    before = files(git)
    with pytest.raises(ConfigError) as caught:
        new(git)
    assert (caught.value.code, files(git)) == ("migration-not-written", before)
    assert (git.folder / "db/meta/_journal.json").read_text() == '{"entries": []}'


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda git: git.write("db", "a file"), "bad-settings"),
        (lambda git: (git.folder / "db").symlink_to(git.folder.parent), "bad-settings"),
        (lambda git: (git.folder / "db").symlink_to("nowhere"), "bad-settings"),
    ],
)
def test_a_folder_that_is_none(git: Git, spoil: Spoil, code: str) -> None:
    spoil(git)
    with pytest.raises(ConfigError) as caught:
        new(git)
    assert caught.value.code == code
