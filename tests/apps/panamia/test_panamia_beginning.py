"""Signals before a command of `phase.py` has begun anything, and behind that: what is said of it is true.

Oracle: where the command stands, which the test holds up: at a server that never answers, at a lock. Cannot see: the
moments in which Python itself starts.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import psycopg
import pytest

from apps.panamia.moving.beginning import begin, nothing_begun
from tests.apps.panamia.conftest import HOME, SETTINGS, Moved
from tests.oracle.copying import url

NOTHING = "{}: ending now. Nothing was begun.\n"


def phase(*words: str, **settings: str) -> subprocess.Popen[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
    return subprocess.Popen(
        [sys.executable, "-m", "apps.panamia.phase", *words],
        cwd=HOME.parents[1],
        env={**clean, **settings},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_who_is_stopped_before_anything_is_begun_says_so(number: signal.Signals) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(60)
        process = phase("run", "1", DATABASE_URL=f"postgresql://127.0.0.1:{silent.getsockname()[1]}/x")
        there, _ = silent.accept()
        with there:
            assert there.recv(1)  # it waits for the answer by now
            time.sleep(0.2)
            process.send_signal(number)
            out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (130, "", NOTHING.format(number.name))


def test_who_is_stopped_while_it_is_loaded_says_so(tmp_path: Path) -> None:
    (tmp_path / "psycopg.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")
    process = phase("status", PYTHONPATH=os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, "", NOTHING.format("SIGINT"))


def test_who_is_stopped_behind_the_beginning_does_not_say_that_nothing_was_begun(twin: Moved) -> None:
    database = twin.database
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("DELETE FROM isthmus.acknowledgement")
        connection.execute("DELETE FROM panamia_move.acknowledgement")
    with psycopg.connect(database) as connection, psycopg.connect(database, autocommit=True) as other:
        connection.execute("LOCK TABLE isthmus.acknowledgement IN EXCLUSIVE MODE")  # reading goes on
        process = phase("acknowledge", "1", "--all", "--reason", "x", DATABASE_URL=url(database))
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        until = time.monotonic() + 60
        while other.execute(waiting).fetchall() == [(0,)]:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < until
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        assert (process.returncode, out) == (130, "")
        assert err.startswith("SIGINT: ending now. What was committed is kept"), err
        assert other.execute("SELECT count(*) FROM isthmus.acknowledgement").fetchall() == [(0,)]


def test_signals_are_as_they_were_afterwards_and_are_left_alone_elsewhere() -> None:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(one) for one in numbers]
    with nothing_begun():
        assert [signal.getsignal(one) for one in numbers] != before
        begin()
        assert [signal.getsignal(one) for one in numbers] == before
        begin()
    assert [signal.getsignal(one) for one in numbers] == before
    found: list[object] = []

    def elsewhere() -> None:
        with nothing_begun():
            found.extend(signal.getsignal(one) for one in numbers)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert found == before
    ignored = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with nothing_begun():
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN, "nohup"
    finally:
        signal.signal(signal.SIGHUP, ignored)
