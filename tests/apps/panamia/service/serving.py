"""The service as a process of its own, over the databases of a world, reached by a real socket."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.apps.panamia.conftest import SETTINGS
from tests.apps.panamia.service.conftest import ADMIN, SECRET, World
from tests.fix_postgres import free_port

ROOT = Path(__file__).parents[4]


@dataclass
class Served:
    """A service that runs.

    Attributes:
        url: Where; also its own origin.
        log: What it said.
        process: Itself.
    """

    url: str
    log: Path
    process: subprocess.Popen[bytes]


@contextmanager
def serving(world: World, folder: Path, **more: str) -> Iterator[Served]:
    """Run the service, with further settings; at its end it has said nothing of a fault, of a link or of a request."""
    port = free_port()
    url, log = f"http://127.0.0.1:{port}", folder / "service.log"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
    environment |= {
        "POSTGRES_URL": world.postgres,
        "POSTGRES_DIRECT_URL": world.postgres,
        "MONGODB_URI": world.mongodb,
        "PORT": str(port),
        "PUBLIC_URL": url,
        "AUTH_SECRET": SECRET,
        "ADMIN_EMAILS": ADMIN,
        "MAIL": f"file:{world.mail}",
        "LINKS_PER_HOUR": "1000000",
        "LINKS_PER_HOUR_AND_HOST": "1000000",
        **more,
    }
    with log.open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "apps.panamia.service"], cwd=ROOT, env=environment, stdout=said, stderr=said
        )
    served = Served(url, log, process)
    try:
        give_up_at = time.monotonic() + 120
        while not _answers(url):
            assert process.poll() is None, log.read_text("utf-8")
            assert time.monotonic() < give_up_at, log.read_text("utf-8")
            time.sleep(0.1)
        yield served
    finally:
        process.terminate()
        process.wait(20)
    said_in_all = log.read_text("utf-8")
    for wrong in ("Traceback", "token=", " HTTP/1."):
        assert wrong not in said_in_all, said_in_all


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/ready").status_code == 200
    except httpx.TransportError:
        return False
