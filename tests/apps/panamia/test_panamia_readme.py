"""The first commands of `apps/panamia/README.md` work as they stand; every test that its tables name is there, and
every hazard and promise has its row.

Cannot see: whether a test shows what its row says; the commands of a running server.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from apps.panamia.phase import (
    _parser as parser,  # pyright: ignore[reportPrivateUsage]  it is what the command line is held against
)
from tests.apps.panamia.conftest import SETTINGS

ROOT = Path(__file__).parents[3]
HINTS = """
isthmus status || exit 1
isthmus letters list --limit 1 || exit 1
isthmus conflicts list --limit 1 || exit 1
"""
"""Commands that output names, without an address: it is that of the block."""
PLACES = ("tests/apps/panamia", "tests/integration", "tests/unit")


def rows() -> list[str]:
    text = (ROOT / "apps" / "panamia" / "README.md").read_text(encoding="utf-8")
    part = text[text.index("## Hazards of the real scripts") :]
    return [line for line in part.splitlines() if re.match(r"\| [HP]\d", line)]


def test_each_named_test_is_there() -> None:
    sources = [path.read_text(encoding="utf-8") for place in PLACES for path in (ROOT / place).rglob("test_*.py")]
    there = {name for source in sources for name in re.findall(r"def (test_\w+)\(", source)}
    named = {name for row in rows() for name in re.findall(r"`(test_\w+)`", row)}
    assert len(named) > 30
    assert named - there == set()


def test_each_row_names_a_test() -> None:
    assert [row for row in rows() if not re.search(r"`test_\w+`", row)] == []


def test_commands_of_phases_are_those_that_there_are() -> None:
    """As far as words go; what they do on a server is for `test_panamia_retired.py` and its like."""
    pages = [*(ROOT / "docs").rglob("*.md"), *(ROOT / "apps" / "panamia").rglob("*.md")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in pages)
    found = {
        *re.findall(r"^\$? *python -m apps\.panamia\.phase ([^#\n]+)", text, re.MULTILINE),
        *re.findall(
            r"`(?:python -m apps\.panamia\.phase )?((?:run|verify|items|acknowledge|undo|retire) [\dN][^`]*)`", text
        ),
    }
    assert len(found) > 10
    for words in found - {"retire 3 of DATABASE"}:  # what is typed to confirm it
        said = shlex.split(re.sub(r"\bN\b|\$phase\b", "3", words).replace("…", "x"))
        try:
            parser().parse_args(said)
        except SystemExit:
            pytest.fail(f"{words} is no command of phase.py")


def test_each_hazard_and_promise_has_a_row_that_says_something() -> None:
    told = {one for row in rows() for one in re.findall(r"[HP]\d+", row.split("|")[1])}
    assert told == {f"H{number}" for number in range(1, 33)} | {f"P{number}" for number in range(1, 13)}
    assert [row for row in rows() if not row.rstrip("| ").rpartition(" | ")[2].strip()] == []


@pytest.mark.slow
def test_the_first_commands_work_as_they_stand() -> None:
    block = page("run 1", "```sh\n")
    assert block.count("build/panamia") == 5
    environment = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environment["PATH"]])
    with tempfile.TemporaryDirectory() as folder:  # pytest's are too deep for a socket
        Path(folder).chmod(0o755)  # where root runs this, the server is another user
        script = block.replace("$PWD/build/", f"{folder}/").replace("build/", f"{folder}/")
        shell = ["bash", "-uc", script + HINTS]
        ran = subprocess.run(shell, cwd=ROOT, env=environment, capture_output=True, check=False, timeout=280, text=True)
    said = ran.stdout + ran.stderr
    assert ran.returncode == 0, said
    assert "All phases are done." in ran.stdout, said
    assert "error" not in ran.stderr, said
    hint = f"isthmus letters list --target embedded:{folder}/panamia.postgres"
    assert hint in ran.stdout, "it leads to where the variable does"
    # as the page says it of the same people
    assert told(page("$ python -m apps.panamia.generate", "```console\n")) == told(ran.stderr)


def told(text: str) -> list[str]:
    """Return what a generator has told, but for the places that it names."""
    found = re.search(r"([\d,]+ documents of .* planted)\nthe truth: .*\n(\d+ answers to conflicts): ", text)
    assert found, text
    return list(found.groups())


def page(words: str, fence: str) -> str:
    """Return the block of the page in which some words stand."""
    text = (ROOT / "apps" / "panamia" / "README.md").read_text(encoding="utf-8")
    start = text.rindex(fence, 0, text.index(words)) + len(fence)
    return text[start : text.index("```", start)]
