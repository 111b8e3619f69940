"""Files that results go to and that cannot be written: the result is told all the same, and what is lost is named.

A limit on the size of files stands for a disk that is full; the system refuses the write as it would there. Oracle: the
exit code of DESIGN section 11, the files.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.fix_dumps import MakeDump
from tests.integration.cli.conftest import COMMAND, Ran, RunCommand
from tests.integration.copy.carrying import oid

USERS: list[dict[str, Any]] = [{"_id": oid(n), "email": f"u{n}@example.com", "name": f"U{n}"} for n in range(1, 20)]
MAPPING = "isthmus: 1\ncollections: {users: {fields: {email: text}}}\n"


@pytest.fixture
def dump(make_dump: MakeDump) -> Path:
    return make_dump({"users": USERS})


@pytest.fixture
def unwritable(tmp_path: Path) -> Path:
    """A folder that takes no file."""
    folder = tmp_path / "closed"
    folder.mkdir()
    folder.chmod(0o500)
    if os.access(folder, os.W_OK):
        pytest.skip("a user whom no rights bind runs the tests")
    return folder


def without_room(folder: Path, *arguments: object, room: int = 64) -> Ran:
    """Run the command where no file takes more than some bytes."""
    done = subprocess.run(
        [COMMAND, *map(str, arguments)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY)),
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def lost(ran: Ran, *names: str) -> None:
    """Hold what a command said against what it lost."""
    assert "internal error" not in ran.err, ran.all
    for name in names:
        assert f"error (output-lost): {name} could not be written: file too large." in ran.err, ran.all
    assert ran.err.count("output-lost") == len(names)
    assert "Run the command again with a file elsewhere, on a disk that has room." in ran.err


def test_survey_whose_files_are_lost_is_told_and_exits_2(dump: Path, tmp_path: Path) -> None:
    ran = without_room(tmp_path, "survey", dump, "--json", "survey.json", "--html", "page.html")
    lost(ran, "survey.json", "page.html")
    assert ran.code == 2
    assert "1 collection, 19 documents" in ran.out
    assert "The page is in" not in ran.err
    assert "--survey" not in ran.err
    assert not list(tmp_path.glob("survey.json*")) + list(tmp_path.glob("page.html*"))


def test_lost_file_leaves_a_higher_exit_code_and_the_file_of_an_earlier_command(dump: Path, tmp_path: Path) -> None:
    data = dump / "users.bson"
    data.write_bytes(data.read_bytes()[:-5])
    (tmp_path / "survey.json").write_text("earlier")
    ran = without_room(tmp_path, "survey", dump, "--json", "survey.json")
    assert ran.code == 3
    assert "survey.json could not be written: file too large. What is in it is of an earlier command." in ran.err
    assert (tmp_path / "survey.json").read_text() == "earlier"
    assert not (tmp_path / "survey.json.partial").exists()


def test_map_that_cannot_write_its_mapping_says_so_and_keeps_the_old_one(dump: Path, tmp_path: Path) -> None:
    ran = without_room(tmp_path, "map", dump, "-o", "mapping.yaml")
    lost(ran, "mapping.yaml")
    assert (ran.code, "mapped" in ran.err) == (2, False), ran.all
    assert not list(tmp_path.glob("mapping.yaml*"))
    (tmp_path / "mapping.yaml").write_text(MAPPING)
    ran = without_room(tmp_path, "map", dump, "-o", "mapping.yaml", "--update")
    assert (ran.code, "added" in ran.err) == (2, False), ran.all
    assert "(output-lost): mapping.yaml could not be written: file too large." in ran.err
    assert (tmp_path / "mapping.yaml").read_text() == MAPPING
    assert not (tmp_path / "mapping.yaml.partial").exists()


def test_copy_and_verify_whose_files_are_lost_tell_their_verdict(dump: Path, tmp_path: Path, database: str) -> None:
    (tmp_path / "mapping.yaml").write_text(MAPPING)
    between = ("mapping.yaml", "-s", dump, "-t", database)
    copied = without_room(tmp_path, "copy", *between, "--json", "copy.json")
    lost(copied, "copy.json")
    assert (copied.code, "The books balance" in copied.all) == (2, True), copied.all
    ran = without_room(tmp_path, "verify", *between, "--json", "report.json", "--html", "page.html")
    lost(ran, "report.json", "page.html")
    assert (ran.code, "Verified" in ran.out) == (2, True), ran.all


@pytest.mark.parametrize("option", ["--json", "--html"])
def test_folder_that_takes_no_file_is_refused_before_the_work(
    isthmus: RunCommand, dump: Path, unwritable: Path, option: str
) -> None:
    ran = isthmus("survey", dump, option, unwritable / "file")
    assert (ran.code, ran.out) == (2, "")
    assert f"{unwritable / 'file'} cannot be written: the folder {unwritable} takes no file" in ran.err


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="there is no /proc, a folder that takes files from nobody")
def test_folder_of_the_system_is_refused_before_the_work(isthmus: RunCommand, dump: Path) -> None:
    for arguments in (("map", dump, "-o"), ("survey", dump, "--json"), ("survey", dump, "--html")):
        ran = isthmus(*arguments, "/proc/isthmus")
        assert ran.code == 2, ran.all
        assert "/proc/isthmus cannot be written: the folder /proc takes no file" in ran.err
        assert ".partial" not in ran.err


def test_pipe_is_written_to_and_stays_a_pipe(isthmus: RunCommand, dump: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()), daemon=True)
    reader.start()
    assert isthmus("survey", dump, "--json", pipe).code == 0
    reader.join(timeout=60)
    assert json.loads(read[0])["outcome"] == "complete"
    assert pipe.is_fifo()


def test_link_stays_and_what_it_leads_to_is_written(isthmus: RunCommand, dump: Path, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    for name in ("mapping.yaml", "survey.json"):
        (tmp_path / name).symlink_to(Path("there") / name)
    (tmp_path / "there" / "mapping.yaml").write_text(MAPPING)
    assert isthmus("map", dump, "-o", tmp_path / "mapping.yaml", "--update").code == 0
    assert isthmus("survey", dump, "--json", tmp_path / "survey.json").code == 0
    assert (tmp_path / "mapping.yaml").is_symlink()
    assert (tmp_path / "survey.json").is_symlink()
    assert "name: " in (tmp_path / "there" / "mapping.yaml").read_text()
    assert json.loads((tmp_path / "there" / "survey.json").read_text())["outcome"] == "complete"
    assert sorted(one.name for one in (tmp_path / "there").iterdir()) == ["mapping.yaml", "survey.json"]


@pytest.mark.parametrize("command", ["survey", "verify"])
def test_one_file_for_json_and_page_is_refused(isthmus: RunCommand, dump: Path, tmp_path: Path, command: str) -> None:
    (tmp_path / "mapping.yaml").write_text(MAPPING)
    file, same = tmp_path / "out", tmp_path / "link"
    file.write_text("earlier")
    same.symlink_to(file)
    between = (dump,) if command == "survey" else (tmp_path / "mapping.yaml", "-s", dump, "-t", "postgresql://h/x")
    for files in (("--json", file, "--html", same), ("--html", file, "--json", f"{tmp_path}/./out")):
        ran = isthmus(command, *between, *files)
        assert (ran.code, "cannot hold both the JSON and the page" in ran.err) == (2, True), ran.all
    assert file.read_text() == "earlier"
