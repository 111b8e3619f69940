"""A demo as somebody runs it, up to what it says to try; and what is left of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[3]
_SECONDS, _LISTENING_SECONDS = 480, 30


@contextmanager
def demo(module: str, *words: object, until: str = "Three things", ends: int = 0) -> Iterator[str]:
    """Run a demo; give what it says once `until` is among it. Behind the block it has ended well and left nothing.

    `ends` is the code with which it ends when it is told to.
    """
    with tempfile.TemporaryDirectory(prefix="isthmus-") as name:
        folder = Path(name)
        folder.chmod(0o711)  # the user of an embedded server reaches it, also where root runs the tests
        said, temporary = folder / "said", folder / "t"
        temporary.mkdir(mode=0o711)
        with said.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", module, *map(str, words)],
                cwd=ROOT,
                env={**os.environ, "TMPDIR": str(temporary)},
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        try:
            yield _what_it_says(process, said, until)
        finally:
            process.send_signal(signal.SIGTERM)
            code = process.wait(60)
        assert code == ends, said.read_text("utf-8")
        assert not list(temporary.iterdir())


def until_it_listens(client: httpx.Client) -> None:
    """Wait for a service."""
    give_up_at = time.monotonic() + _LISTENING_SECONDS
    while True:
        try:
            client.get("/health")
        except httpx.TransportError:
            assert time.monotonic() < give_up_at
            time.sleep(0.1)
        else:
            return


def _what_it_says(process: subprocess.Popen[bytes], said: Path, until: str) -> str:
    give_up_at = time.monotonic() + _SECONDS
    while until not in (text := said.read_text("utf-8")):
        assert process.poll() is None, text
        assert time.monotonic() < give_up_at, text
        time.sleep(0.2)
    return text
