"""A command that is stopped while Python loads it ends with 130 and no traceback, at whatever instant after its first.

The process is real, and tells of each module that it has loaded (`PYTHONPROFILEIMPORTTIME`): a signal is sent at the
first of the command line's own, and a while behind it. What it would read is a pipe into which nobody writes, so it has
not ended by itself. Cannot see: what Python does before the first line of the command.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.integration.cli.conftest import COMMAND

STOPPED = 130
AFTER_SECONDS = (0.0, 0.01, 0.03, 0.06, 0.1, 0.2)


@contextmanager
def loading(folder: Path, before: list[str] | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """Start a command, wait until it loads what it is made of, and end it."""
    mapping = folder / "mapping.yaml"
    os.mkfifo(mapping)
    process = subprocess.Popen(
        [*(before or []), str(COMMAND), "check", str(mapping)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPROFILEIMPORTTIME": "1"},
    )
    try:
        assert process.stderr is not None
        for line in process.stderr:
            if line.rstrip().endswith((b"| isthmus.cli", b"click.types", b"typer.models")):
                break
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("after", AFTER_SECONDS)
def test_stopped_while_loading(number: signal.Signals, after: float, tmp_path: Path) -> None:
    with loading(tmp_path) as process:
        time.sleep(after)
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    told = [line for line in err.decode().splitlines() if not line.startswith("import time:")]
    assert (process.returncode, out) == (STOPPED, b""), told
    assert "Traceback" not in err.decode(), told
    assert any(line.startswith(f"{number.name}: ending now.") for line in told), told


def test_what_is_ignored_stays_ignored(tmp_path: Path) -> None:
    with loading(tmp_path, ["nohup"]) as process:
        process.send_signal(signal.SIGHUP)
        time.sleep(0.5)
        assert process.poll() is None
