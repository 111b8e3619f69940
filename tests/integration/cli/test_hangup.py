"""A terminal that is lost (SIGHUP), and a second Ctrl-C: both end a command, and leave no embedded server behind.

Oracle: the exit code of DESIGN section 11, the process table, and a resumed copy.
"""

from __future__ import annotations

import fcntl
import json
import os
import pty
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from isthmus.connect import embedded_files
from tests.chaos.sessions import ROOT, Copy, Session
from tests.fix_copies import FINISHED, World, world
from tests.fix_postgres import free_port
from tests.integration.cli.conftest import COMMAND

__all__ = ["world"]

INTERRUPTED = 130
MAPPING = "isthmus: 1\ncollections: {Things: {fields: {n: integer}}}\n"


def server_of(target: Path) -> int | None:
    """Return the process id of the embedded server that runs in a folder; None when there is none."""
    pid = embedded_files.recorded_pid(target / "data")
    return pid if pid is not None and psutil.pid_exists(pid) else None


@pytest.mark.parametrize("times", [1, 3])  # a shell passes on to its jobs what the system has sent them already
def test_copy_that_loses_its_terminal_ends_after_its_batch_stops_its_server_and_goes_on_later(
    world: World, tmp_path: Path, short_path: Path, times: int
) -> None:
    target = short_path / "pg"
    copy: Copy = world.copy(f"embedded:{target}", tmp_path)
    with copy.begin(pause=("copy.rows-sent", 5)) as session:
        session.wait_until_paused()
        assert server_of(target) is not None
        for _ in range(times):
            session.process.send_signal(signal.SIGHUP)
            time.sleep(0.2)
        assert session.process.poll() is None, "there is a batch in hand"
        session.go_on()
        ended = session.ended()
    assert ended.code == INTERRUPTED, ended.text
    assert "SIGHUP: finishing the batch in hand" in ended.words
    assert "Stopped as asked" in ended.words
    assert server_of(target) is None
    ended = copy.run()
    assert (ended.code, "The books balance" in ended.text) == (FINISHED, True), ended.text
    assert server_of(target) is None


def test_second_ctrl_c_leaves_at_once_and_stops_the_server(world: World, tmp_path: Path, short_path: Path) -> None:
    target = short_path / "pg"
    copy: Copy = world.copy(f"embedded:{target}", tmp_path)
    with copy.begin(pause=("copy.rows-sent", 5)) as session:
        session.wait_until_paused()
        server = server_of(target)
        assert server is not None
        session.process.send_signal(signal.SIGINT)
        time.sleep(0.2)
        session.process.send_signal(signal.SIGINT)
        ended = session.ended(10)
    assert ended.code == INTERRUPTED, "it does not wait for the batch in hand"
    psutil.wait_procs([psutil.Process(server)] if psutil.pid_exists(server) else [], timeout=10)
    assert server_of(target) is None
    assert copy.run().code == FINISHED


def hang_up_while_waiting(folder: Path, before: Callable[[], object] | None = None) -> subprocess.Popen[str]:
    """Start a copy from a server that is not there, with a signal set before; hang up when it waits."""
    (folder / "mapping.yaml").write_text(MAPPING, encoding="utf-8")
    address = f"mongodb://127.0.0.1:{free_port()}/shop?serverSelectionTimeoutMS=300"
    command = [COMMAND, "copy", "mapping.yaml", "-s", address, "-t", "postgresql://h/x", "--retry-seconds", "3"]
    process = subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True, preexec_fn=before)  # noqa: PLW1509
    assert process.stderr is not None
    while "Trying again" not in (line := process.stderr.readline()):
        assert line, process.wait()
    process.send_signal(signal.SIGHUP)
    return process


def test_command_that_waits_ends_at_once_when_its_terminal_is_lost(tmp_path: Path) -> None:
    with hang_up_while_waiting(tmp_path) as process:
        _, said = process.communicate(timeout=60)
    assert process.returncode == INTERRUPTED, said
    assert "SIGHUP: ending now." in said


def test_nohup_is_respected(tmp_path: Path) -> None:
    with hang_up_while_waiting(tmp_path, lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)) as process:
        _, said = process.communicate(timeout=60)
    assert (process.returncode, "source-unreachable" in said, "SIGHUP" in said) == (3, True, False), said


def test_nohup_is_respected_in_the_middle_of_a_copy(world: World, tmp_path: Path, database: str) -> None:
    copy = world.copy(database, tmp_path)
    nohup = ("env", "--ignore-signal=HUP") if os.uname().sysname == "Linux" else ("nohup",)
    with copy.begin(before=nohup, pause=("copy.rows-sent", 5)) as session:
        session.wait_until_paused()
        session.process.send_signal(signal.SIGHUP)
        session.go_on()
        ended = session.ended()
    assert (ended.code, "SIGHUP" in ended.text) == (FINISHED, False), ended.text


def test_copy_whose_terminal_is_closed_writes_to_nowhere_and_ends(
    world: World, tmp_path: Path, short_path: Path
) -> None:
    copy = world.copy(f"embedded:{short_path / 'pg'}", tmp_path)
    flag = tmp_path / "paused"
    plan = json.dumps({**copy.plan, "pause": ["copy.rows-sent", 5, str(flag)]})
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.chaos.runner", plan, *copy.command()],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        text=True,
        cwd=ROOT,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509
    )
    with process:
        os.close(theirs)
        session = Session(process, tmp_path / "none", flag)
        session.wait_until_paused()
        os.close(ours)
        time.sleep(0.2)
        session.go_on()
        assert process.wait(timeout=60) == INTERRUPTED
    assert server_of(short_path / "pg") is None
