"""A command that reads a source is stopped: at whatever instant, it says so, ends with 130 and leaves nothing half.

The signals are real, and so is the process; it sends them to itself when it comes to an instant, which is where a
function of its own begins. Oracle: the exit code of DESIGN section 11, the files, the lines of a terminal.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.fix_dumps import MakeDump
from tests.integration.cli.conftest import Ran, RunCommand
from tests.integration.cli.terminals import CTRL_C, at_terminal, shown_lines
from tests.integration.copy.carrying import oid

USERS = [{"_id": oid(n), "email": f"u{n}@example.com"} for n in range(1, 60)]
POSTS = [{"_id": oid(100 + n), "title": f"post {n}", "user": oid(n)} for n in range(1, 60)]
STOPPED = 130

# Arguments: MODULE FUNCTION SIGNAL; then those of isthmus. `swallowed`: something on the way keeps only its words.
PROGRAM = """
import importlib, os, signal, sys, time
module, function, name, swallowed = sys.argv.pop(1), sys.argv.pop(1), sys.argv.pop(1), sys.argv.pop(1)
holder = importlib.import_module(module)
inner = getattr(holder, function)
def outer(*arguments, **words):
    setattr(holder, function, inner)
    try:
        os.kill(os.getpid(), getattr(signal, name))
        time.sleep(0.05)
    except KeyboardInterrupt:
        if swallowed != "swallowed":
            raise
        raise ValueError("SchemaError: KeyboardInterrupt:") from None
    return inner(*arguments, **words)
setattr(holder, function, outer)
from isthmus.cli.main import main
main()
"""
READING = [
    ("isthmus.sources", "open_source"),
    ("isthmus.survey.run", "scan"),
    ("isthmus.survey.run", "find_references"),
    ("isthmus.survey.run", "conceal"),
]
PROPOSING = [
    ("isthmus.survey.unique", "count_values"),
    ("isthmus.survey.propose", "propose"),
    ("isthmus.survey.propose", "write_mapping"),
    ("isthmus.mapping", "parse_mapping"),
]


def stopped_at(instant: tuple[str, str], number: str, folder: Path, *arguments: object, swallowed: bool = False) -> Ran:
    words = [*instant, number, "swallowed" if swallowed else "passed", *map(str, arguments)]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *words],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "PYTHONWARNINGS": "error"},
    )
    return Ran(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def dump(make_dump: MakeDump) -> Path:
    return make_dump({"users": USERS, "posts": POSTS})


@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM"])
@pytest.mark.parametrize("instant", [*READING, *PROPOSING], ids="-".join)
def test_map_that_is_stopped_says_that_nothing_was_written(
    dump: Path, tmp_path: Path, instant: tuple[str, str], number: str
) -> None:
    ran = stopped_at(instant, number, tmp_path, "map", dump, "-o", "mapping.yaml")
    assert (ran.code, ran.out) == (STOPPED, ""), ran.all
    assert ran.err.startswith(f"{number}: "), ran.err
    assert ran.err.endswith("Stopped; nothing was written.\n"), ran.err
    assert "error" not in ran.err
    assert not list(tmp_path.glob("mapping.yaml*"))


def test_map_is_stopped_with_an_update_or_a_survey_as_well(isthmus: RunCommand, dump: Path, tmp_path: Path) -> None:
    mapping, survey = tmp_path / "mapping.yaml", tmp_path / "survey.json"
    mapping.write_text("isthmus: 1\ncollections: {users: {fields: {email: text}}}\n")
    kept = mapping.read_text()
    assert isthmus("survey", dump, "--json", survey).code == 0
    updated = stopped_at(READING[1], "SIGINT", tmp_path, "map", dump, "-o", mapping, "--update")
    told = stopped_at(PROPOSING[1], "SIGTERM", tmp_path, "map", "--survey", survey, "-o", "other.yaml")
    for ran in (updated, told):
        assert (ran.code, ran.err.endswith("Stopped; nothing was written.\n")) == (STOPPED, True), ran.all
    assert mapping.read_text() == kept
    assert not (tmp_path / "other.yaml").exists()


def test_signal_of_which_only_the_words_are_left_is_no_internal_error(dump: Path, tmp_path: Path) -> None:
    ran = stopped_at(PROPOSING[1], "SIGINT", tmp_path, "map", dump, "-o", "mapping.yaml", swallowed=True)
    assert (ran.code, "internal error" in ran.err) == (STOPPED, False), ran.all
    assert "Stopped; nothing was written." in ran.err


@pytest.mark.parametrize("instant", READING, ids="-".join)
def test_survey_that_is_stopped_leaves_no_result_of_an_earlier_one(
    isthmus: RunCommand, dump: Path, tmp_path: Path, instant: tuple[str, str]
) -> None:
    file, page = tmp_path / "survey.json", tmp_path / "survey.html"
    files = ("--json", file, "--html", page)
    assert isthmus("survey", dump, *files).code == 0
    ran = stopped_at(instant, "SIGINT", tmp_path, "survey", dump, *files)
    assert (ran.code, ran.out) == (STOPPED, ""), ran.all
    assert ran.err.splitlines()[-1].startswith("Stopped before the end: there is no survey"), ran.err
    left = json.loads(file.read_text())
    assert (left["outcome"], left["exit_code"], "collections" in left) == ("interrupted", STOPPED, False)
    assert "<h1>Not surveyed: It was stopped before its end.</h1>" in page.read_text()
    mapped = isthmus("map", "--survey", file)
    assert (mapped.code, "the survey was stopped before its end" in mapped.err) == (2, True), mapped.all


def test_verify_that_is_stopped_before_it_began_leaves_no_result_of_an_earlier_one(dump: Path, tmp_path: Path) -> None:
    (tmp_path / "mapping.yaml").write_text("isthmus: 1\ncollections: {users: {fields: {email: text}}}\n")
    for name in ("report.json", "report.html"):
        (tmp_path / name).write_text("passed")
    arguments = ("-s", dump, "-t", "postgresql://h/x", "--json", "report.json", "--html", "report.html")
    ran = stopped_at(READING[0], "SIGINT", tmp_path, "verify", "mapping.yaml", *arguments)
    assert ran.code == STOPPED, ran.all
    report = json.loads((tmp_path / "report.json").read_text())
    assert (report["outcome"], report["exit_code"]) == ("interrupted", STOPPED)
    assert "Not verified: It was stopped before its end." in (tmp_path / "report.html").read_text()


def test_survey_that_is_refused_leaves_no_result_of_an_earlier_one(
    isthmus: RunCommand, dump: Path, tmp_path: Path
) -> None:
    file, page = tmp_path / "survey.json", tmp_path / "survey.html"
    files = ("--json", file, "--html", page)
    assert isthmus("survey", dump, *files).code == 0
    assert isthmus("survey", dump, "--only", "user", *files).code == 2
    left: dict[str, Any] = json.loads(file.read_text())
    assert (left["outcome"], left["code"]) == ("failed", "unknown-collection")
    text = page.read_text()
    assert re.search(r"<h1>Not surveyed: .*has no collection user\.</h1>", text)
    assert "Did you mean users?" in text
    mapped = isthmus("map", "--survey", file)
    assert mapped.code == 2
    assert "the survey was refused (unknown-collection)." in mapped.err
    assert "has no collection user." in mapped.err


# Reading takes its time, so that there are bars when it is stopped.
SLOW = """
import time
from isthmus.sources import reading
inner = reading._Reading._read
def slowly(*arguments):
    time.sleep(3)
    inner(*arguments)
reading._Reading._read = slowly
from isthmus.cli.main import main
main()
"""


@pytest.mark.parametrize("times", [1, 2])
def test_terminal_is_left_without_bars_and_with_its_cursor(dump: Path, tmp_path: Path, times: int) -> None:
    (tmp_path / "survey.json").write_text("earlier")
    keys = [(lambda said: "Reading every document" in said, CTRL_C), (lambda said: "stopping" in said, CTRL_C)]
    command = (sys.executable, "-c", SLOW, "survey", dump, "--json", "survey.json")
    code, written = at_terminal(command, tmp_path, keys[:times])
    assert code == STOPPED, written
    lines = [line for line in shown_lines(written) if line]
    assert "stopping; again to leave at once" in "\n".join(lines)
    assert not [line for line in lines if "Reading every" in line or "━" in line or "all " in line], lines
    assert written.rfind("\x1b[?25h") > written.rfind("\x1b[?25l")
    assert json.loads((tmp_path / "survey.json").read_text())["outcome"] == "interrupted"
