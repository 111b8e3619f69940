"""Every command that the READMEs, the tutorial and the how-to pages show works as shown.

Cannot see: commands in fences that are not marked `console` (those need a server or a checkout of the reader's own).
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.console_blocks import Command, commands_of, ended_behind, missing_lines, run

ROOT = Path(__file__).parents[2]
IGNORED = shutil.ignore_patterns("__pycache__")
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs" / "tutorial").glob("*.md")),
    *sorted((ROOT / "docs" / "how-to").glob("*.md")),
    *sorted((ROOT / "apps").glob("*/README.md")),
]


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder with a short path: PostgreSQL's socket names may not be longer than about 100 bytes.

    Others may pass through it: when the tests run as root, the embedded server runs as another user.
    """
    made = Path(tempfile.mkdtemp(prefix="isthmus-"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.mark.slow  # each page starts PostgreSQL and copies
@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_of_page_work_as_shown(page: Path, folder: Path) -> None:
    text = page.read_text(encoding="utf-8")
    if "python -m apps." in text:  # its reader stands in a checkout
        shutil.copytree(ROOT / "apps", folder / "apps", ignore=IGNORED)
    if "python -m pytest" in text:
        shutil.copytree(ROOT / "tests", folder / "tests", ignore=IGNORED)
        shutil.copy(ROOT / "pyproject.toml", folder)
    with ended_behind() as group:
        for command in commands_of(text):
            ran = run(command, folder, group)
            place = f"{page.relative_to(ROOT)}:{command.line}"
            assert ran.returncode == command.exit_code, (
                f"{place}: `{command.text}` returned {ran.returncode}, the page says {command.exit_code}\n{ran.stdout}"
            )
            if command.compare:
                missing = missing_lines(command.output, ran.stdout)
                assert not missing, (
                    f"{place}: `{command.text}` did not print\n" + "\n".join(missing) + f"\nbut\n{ran.stdout}"
                )


def test_commands_of_reads_exit_codes_continuations_and_output() -> None:
    page = "text\n```console compare\n$ one \\\n>   two  # exit 3\nshown\n$ three\n```\n```sh\n$ not this\n```\n"
    assert commands_of(page) == [
        Command("one \\\n  two", 3, exit_code=3, compare=True, output=["shown"]),
        Command("three", 6, compare=True),
    ]


def test_commands_of_writes_the_files_of_a_page_in_their_place(folder: Path) -> None:
    page = "```console\n$ cat a/b.py  # exit 1\n```\n" + '```python title="a/b.py"\n"""$HOME \'"""\n\n\\\n```\n'
    page += '```console compare\n$ cat a/b.py\n"""$HOME \'"""\n```\n'
    assert [one.line for one in commands_of(page)] == [2, 5, 10]
    for command in commands_of(page):
        ran = run(command, folder)
        assert (ran.returncode, missing_lines(command.output, ran.stdout)) == (command.exit_code, [])
    assert (folder / "a" / "b.py").read_text() == '"""$HOME \'"""\n\n\\\n'


def test_run_keeps_folder_and_environment_between_commands(folder: Path) -> None:
    for text in ("mkdir inner && cd inner", "export WORD='two words'"):
        assert run(Command(text, 1), folder).returncode == 0
    ran = run(Command('echo "$WORD"; pwd; false', 1), folder)
    assert ran.stdout.splitlines() == ["two words", str((folder / "inner").resolve())]
    assert ran.returncode == 1


def test_what_a_page_leaves_running_is_ended(folder: Path) -> None:
    left = """sh -c 'trap "echo ended >>said; exit" TERM; echo runs >said; sleep 60 & wait'"""
    with ended_behind() as group:
        assert run(Command(f"({left} >log 2>&1 &)", 1), folder, group).returncode == 0
        _wait_for(folder / "said", "runs\n")
    _wait_for(folder / "said", "runs\nended\n")


def _wait_for(file: Path, text: str) -> None:
    give_up_at = time.monotonic() + 20
    while not (file.exists() and file.read_text("utf-8") == text):
        assert time.monotonic() < give_up_at, list(file.parent.iterdir())
        time.sleep(0.05)


def test_missing_lines_of_changed_output_names_them() -> None:
    printed = "read   30\ncopied 29 in 1.2 s\n"
    assert missing_lines(["read 30", "copied 29 in …"], printed) == []
    assert missing_lines(["copied 29 in …", "read 30"], printed) == ["read 30"]
