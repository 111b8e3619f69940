"""`copy --log`: what is in the file whatever ends the copy, and what it may be added to.

Oracle: the ledger of dead letters in the target. Cannot see: what a file system does after a loss of power.
"""

from __future__ import annotations

import fcntl
import json
import os
import stat
import subprocess
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.chaos.sessions import Copy
from tests.fix_dumps import MakeDump
from tests.integration.cli.conftest import COMMAND, Ran, RunCommand
from tests.integration.copy.carrying import oid

MAPPING = """\
isthmus: 1
collections:
  Users: {fields: {name: text!, secret: {type: integer, sensitive: true}}}
  Posts: {fields: {title: text, "us er": {column: user_id, references: Users, required: true, on_orphan: dead_letter}}}
"""
SECRET = "hunter2"  # noqa: S105  it is looked for


def words(number: int) -> dict[str, Any]:
    """A user; every tenth one has no name, every eleventh a secret that is no number."""
    user: dict[str, Any] = {"_id": oid(number), "name": f'Zoë "{number}"\n', "secret": number}
    if number % 10 == 0:
        del user["name"]
    elif number % 11 == 0:
        user["secret"] = SECRET
    return user


@pytest.fixture
def dump(make_dump: MakeDump) -> Path:
    posts = [{"_id": oid(1000 + n), "title": "p", "us er": oid(n if n % 7 else 5000 + n)} for n in range(1, 60)]
    return make_dump({"Users": [words(number) for number in range(1, 100)], "Posts": posts})


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    path = tmp_path / "mapping.yaml"
    path.write_text(MAPPING, encoding="utf-8")
    return path


CopyTo = Callable[..., Ran]


@pytest.fixture
def copy(isthmus: RunCommand, dump: Path, mapping: Path, database: str) -> CopyTo:
    """Return a function that copies with more options; `target` takes another one."""

    def run(*more: object, target: str = database, env: dict[str, str] | None = None) -> Ran:
        return isthmus("copy", mapping, "--source", dump, "--target", target, *more, env=env)

    return run


def lines_of(path: Path) -> list[dict[str, Any]]:
    """Every line of a log; each is whole."""
    text = path.read_text(encoding="utf-8")
    assert text.endswith("\n")
    return [json.loads(line) for line in text.splitlines()]


def events(path: Path, event: str) -> list[dict[str, Any]]:
    return [line for line in lines_of(path) if line.get("event") == event]


def ledger(database: str) -> dict[int, tuple[str, str, str, str]]:
    with psycopg.connect(database) as connection:
        rows = connection.execute("SELECT id, collection, source_id_text, code, stage FROM isthmus.dead_letter")
        return {number: (collection, source_id, code, stage) for number, collection, source_id, code, stage in rows}


def logged(path: Path) -> dict[int, tuple[str, str, str, str]]:
    """Every dead letter of a log; none is there twice."""
    found = events(path, "dead-letter")
    assert len({one["letter"] for one in found}) == len(found)
    return {one["letter"]: (one["collection"], one["source_id"], one["code"], one["stage"]) for one in found}


def test_log_has_every_dead_letter_with_its_causes_and_no_secret(copy: CopyTo, database: str, tmp_path: Path) -> None:
    log = tmp_path / "log ü.jsonl"
    ran = copy("--log", log)
    assert ran.code == 1, ran.all
    assert logged(log) == ledger(database)
    assert {stage for *_, stage in logged(log).values()} == {"convert", "finish"}
    first, session, *_, end = lines_of(log)
    assert (first["isthmus_log"], session["event"], end["event"]) == (1, "session", "end")
    assert [one["stage"] for one in events(log, "stage")][-1] == "complete"
    letters = len(ledger(database))
    assert (end["outcome"], end["exit_code"], end["dead_letters"], end["balanced"]) == ("complete", 1, letters, True)
    assert end["orphans"] == {"posts.user_id": {"dead_letter": Counter(c for c, *_ in logged(log).values())["Posts"]}}
    missing = next(one for one in events(log, "dead-letter") if one["code"] == "required")
    assert missing["causes"][0]["column"] == "users.name"
    assert "Users.bson" in missing["location"]
    assert SECRET not in log.read_text(encoding="utf-8")
    hidden = next(one for one in events(log, "dead-letter") if one["code"] == "type")
    assert hidden["causes"][0]["message"].startswith("Column users.secret cannot take (hidden) from secret: ")
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_second_copy_adds_its_session_and_no_letter_twice(copy: CopyTo, database: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert copy("--log", log).code == 1
    assert copy(env={"ISTHMUS_LOG": str(log)}).code == 0
    assert logged(log) == ledger(database)
    assert len([line for line in lines_of(log) if "isthmus_log" in line]) == 1
    assert [one["exit_code"] for one in events(log, "end")] == [1, 0]
    before = len(logged(log))
    assert copy("--log", log, "--fresh").code == 1
    assert len(logged(log)) == 2 * before  # of another run, with other numbers


def test_two_targets_may_share_a_log_one_after_the_other(
    copy: CopyTo, make_database: Callable[[], str], tmp_path: Path
) -> None:
    log = tmp_path / "log"
    targets = make_database(), make_database()
    for target in (*targets, targets[0]):
        copy("--log", log, target=target)
    assert len(events(log, "dead-letter")) == sum(len(ledger(target)) for target in targets)


STAGES = ("copy.before-commit", "copy.after-commit", "finish.orphans-after-commit", "complete.after-commit")


def test_a_killed_copy_cuts_nothing_and_the_next_adds_what_is_missing(
    dump: Path, mapping: Path, database: str, tmp_path: Path
) -> None:
    log, key = tmp_path / "log", tmp_path / "id.key"
    key.write_text("c0de" * 16, encoding="ascii")
    plan = {"batch_bytes": 1_000, "small_bytes": 60_000}
    killed = Copy(mapping, dump, database, key, tmp_path, plan, ("--workers", "2", "--log", str(log)))
    for stage in STAGES:
        assert killed.run(kill=[stage, 2 if stage.startswith("copy.") else 1]).code == -9, stage
        lines_of(log)
        assert set(logged(log)) <= set(ledger(database))
    log.write_bytes(log.read_bytes() + b'{"at": "2026-11-22T')  # as a process leaves it that dies within a line
    ended = killed.run()
    assert ended.code in {0, 1}, ended.text
    assert logged(log) == ledger(database)
    assert len([line for line in lines_of(log) if "isthmus_log" in line]) == 1
    assert len(events(log, "session")) == len(STAGES) + 1
    assert len(events(log, "end")) == 1


def test_an_error_is_in_the_log_with_its_stack(copy: CopyTo, tmp_path: Path) -> None:
    log = tmp_path / "log"
    target = "postgresql://ann:pa55word@127.0.0.1:9/x"
    ran = copy("--log", log, "--retry-seconds", "0", target=target)
    assert ran.code == 4, ran.all
    (error,) = events(log, "error")
    assert (error["error"], error["code"], error["exit_code"]) == ("TargetError", "unreachable", 4)
    assert all(" in " in call for call in error["stack"])
    assert len(error["stack"]) > 2
    assert (events(log, "end")[0]["outcome"], events(log, "end")[0]["exit_code"]) == ("failed", 4)
    assert "pa55word" not in log.read_text(encoding="utf-8")


def test_a_refused_mapping_is_in_the_log_with_every_finding(copy: CopyTo, mapping: Path, tmp_path: Path) -> None:
    mapping.write_text(MAPPING.replace("references: Users", "references: Nobody").replace("type: integer", "type: in"))
    ran = copy("--log", tmp_path / "log")
    assert ran.code == 2, ran.all
    (error,) = events(tmp_path / "log", "error")
    assert len(error["findings"]) >= 2


def refused(ran: Ran, code: str, file: Path, held: bytes | None) -> None:
    """Refused with exit 2 before anything was done; the file is as it was."""
    assert ran.code == 2, ran.all
    assert code in ran.err, ran.err
    assert (file.read_bytes() if file.is_file() else None) == held


@pytest.mark.parametrize("text", [b"isthmus: 1\n", b"x", b'{"event": "end"}\n', b"\x00\xff" * 300_000])
def test_a_file_that_is_no_log_is_not_added_to(copy: CopyTo, database: str, tmp_path: Path, text: bytes) -> None:
    file = tmp_path / "notes"
    file.write_bytes(text)
    refused(copy("--log", file), "not-a-log", file, text)
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT to_regclass('isthmus.run')").fetchone() == (None,)


def test_a_log_that_cannot_be_written_is_refused_before_the_work(copy: CopyTo, tmp_path: Path) -> None:
    refused(copy("--log", tmp_path), "it is a folder", tmp_path, None)
    nowhere = tmp_path / "no folder" / "log"
    refused(copy("--log", nowhere), "does not exist", nowhere, None)
    both = tmp_path / "both"
    for more in (("--log", both, "--json", both), ("--json", both, "--log", both)):
        refused(copy(*more), "cannot hold both the JSON and the log", both, None)
    refused(copy("--log", "/proc/log"), "takes no file", Path("/proc/log"), None)


def test_a_log_that_another_copy_writes_is_refused(copy: CopyTo, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        refused(copy("--log", log), "log-in-use", log, b"")


def test_a_full_disk_stops_no_copy_and_is_told_at_its_end(copy: CopyTo, database: str, tmp_path: Path) -> None:
    ran = copy("--log", "/dev/full", "--json", tmp_path / "copy.json")
    assert ran.code == 2, ran.all
    assert "(log-cut): The log /dev/full is not whole: no space left on device." in ran.err
    assert json.loads((tmp_path / "copy.json").read_text())["outcome"] == "complete"
    assert ledger(database)


def test_a_log_that_was_cut_has_whole_lines_and_is_completed_by_the_same_command(
    copy: CopyTo, dump: Path, mapping: Path, database: str, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    limited = 'ulimit -f 4 && exec "$@"'  # files of 4 KiB at most
    words = [COMMAND, "copy", mapping, "--source", dump, "--target", database, "--log", log]
    ran = subprocess.run(["bash", "-c", limited, "-", *words], cwd=tmp_path, capture_output=True, check=False)
    assert ran.returncode == 2, ran.stderr
    assert b"is not whole: file too large." in ran.stderr
    assert len(logged(log)) < len(ledger(database))
    assert copy("--log", log).code in {0, 1}
    assert logged(log) == ledger(database)


def test_a_pipe_takes_the_lines_as_they_come(copy: CopyTo, tmp_path: Path) -> None:
    pipe, read = tmp_path / "pipe", list[str]()
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.extend(pipe.read_text(encoding="utf-8").splitlines()))
    reader.start()
    assert copy("--log", pipe).code == 1
    reader.join(20)
    told = Counter(json.loads(line).get("event") for line in read)
    assert (told["session"], told["run"], told["end"]) == (1, 1, 1)
    assert told["dead-letter"] > 10
