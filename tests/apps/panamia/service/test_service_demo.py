"""`make panamia`: what it prints works, and nothing is left of it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.fix_mongo import needs_wire_server
from tests.fix_postgres import free_port

ROOT = Path(__file__).parents[4]
SECONDS = 240


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the user of an embedded server reaches, also where root runs the tests."""
    with tempfile.TemporaryDirectory(prefix="isthmus-") as name:
        Path(name).chmod(0o711)
        yield Path(name)


@pytest.mark.slow
def test_the_link_signs_in_and_nothing_is_left_behind(folder: Path) -> None:
    needs_wire_server()
    port = free_port()
    said = folder / "said"
    temporary = folder / "t"
    temporary.mkdir(mode=0o711)
    command = [sys.executable, "-m", "apps.panamia.demo", "--port", str(port)]
    with said.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, "TMPDIR": str(temporary)}, stdout=out, stderr=subprocess.STDOUT
        )
    try:
        give_up_at = time.monotonic() + SECONDS
        while "Three things" not in (text := said.read_text("utf-8")):
            assert process.poll() is None, text
            assert time.monotonic() < give_up_at, text
            time.sleep(0.2)
        (link,) = re.findall(r"http://\S*/api/auth/callback/email\S*", text)
        with httpx.Client(base_url=f"http://localhost:{port}") as client:
            _until_it_listens(client)
            assert client.get(link).headers["location"] == "/"
            page = client.get("/api/profile").json()
            assert page["profile"]["userId"] == page["user"]["id"]
            assert client.get("/api/notifications").json()["total"] > 0
            assert client.get(link).headers["location"].startswith("/signin?error="), "it works once"
            assert "Pana MIA" in client.get("/").text
    finally:
        process.send_signal(signal.SIGTERM)
        code = process.wait(60)
    assert code == 0, said.read_text("utf-8")
    assert not list(temporary.iterdir())


def _until_it_listens(client: httpx.Client) -> None:
    give_up_at = time.monotonic() + 30
    while True:
        try:
            client.get("/health")
        except httpx.TransportError:
            assert time.monotonic() < give_up_at
            time.sleep(0.1)
        else:
            return
