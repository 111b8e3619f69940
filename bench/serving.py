"""A service of Pana MIA, and who asks it, as processes of their own, for what is measured over HTTP."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench import mongo
from bench.process import run

_ROOT = Path(__file__).parents[1]


@contextmanager
def serving(module: str, settings: Mapping[str, str], log: Path) -> Generator[int]:
    """Run a service as an operator does; give its port. What it says is in a file.

    Raises:
        SystemExit: It does not start; with what it said.
    """
    port = mongo.free_port()
    environment = os.environ | settings | {"PORT": str(port), "PUBLIC_URL": f"http://127.0.0.1:{port}"}
    with (
        log.open("wb") as said,
        subprocess.Popen(
            [sys.executable, "-m", module], cwd=_ROOT, env=environment, stdout=said, stderr=said
        ) as process,
    ):
        try:
            _wait_for(port, process, log)
            yield port
        finally:
            process.terminate()


def load(module: str, *words: object) -> dict[str, Any]:
    """Let a process of its own send requests; return what it told of them.

    Raises:
        SystemExit: An answer was not what it had to be; with what it said.
    """
    measured = run([sys.executable, "-m", module, *map(str, words)])
    if measured.code:
        raise SystemExit(f"{module} {' '.join(map(str, words))} ended with {measured.code}:\n{measured.output}")
    told: dict[str, Any] = json.loads(measured.output)
    return told


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    give_up_at = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=5).close()
            return
        except (urllib.error.URLError, OSError):
            if process.poll() is not None or time.monotonic() > give_up_at:
                raise SystemExit(f"the service does not start:\n{log.read_text('utf-8')}") from None
            time.sleep(0.1)
