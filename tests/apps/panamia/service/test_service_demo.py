"""`make panamia`: what it prints works, and nothing is left of it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.apps.panamia.conftest import SETTINGS
from tests.apps.panamia.demos import ROOT, demo, until_it_listens
from tests.apps.panamia.service.conftest import SECRET
from tests.fix_mongo import needs_wire_server
from tests.fix_postgres import free_port


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_link_signs_in_and_nothing_is_left_behind() -> None:
    needs_wire_server()
    port = free_port()
    with demo("apps.panamia.demo", "--port", port) as text:
        (link,) = re.findall(r"http://\S*/api/auth/callback/email\S*", text)
        with httpx.Client(base_url=f"http://localhost:{port}") as client:
            until_it_listens(client)
            assert client.get(link).headers["location"] == "/"
            page = client.get("/api/profile").json()
            assert page["profile"]["userId"] == page["user"]["id"]
            assert client.get("/api/notifications").json()["total"] > 0
            assert client.get(link).headers["location"].startswith("/signin?error="), "it works once"
            assert "Pana MIA" in client.get("/").text
            assert "/openapi.json" in client.get("/docs").text
            assert client.get("/openapi.json").json()["paths"]
        _ask_whether_they_agree(text)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_servers_alone_are_where_their_file_says_and_gone_with_it(tmp_path: Path) -> None:
    needs_wire_server()
    file = tmp_path / "addresses"
    with demo("apps.panamia.demo.servers", file, until="Both run"):
        asked = 'isthmus psql -- -Atc "SELECT count(*) FROM users"; isthmus outbox status'
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        there = subprocess.run(
            ["sh", "-c", f". '{file}'; {asked}"],
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        assert there.stdout.split("\n")[:2] == ["0", "All is applied."], there.stdout + there.stderr
        again = _start_servers(file)
        assert (again.returncode, "remove the file" in again.stderr) == (2, True), again.stderr
    assert not file.exists()
    nowhere = _start_servers(tmp_path / "none" / "addresses")
    assert (nowhere.returncode, f"mkdir {tmp_path / 'none'}" in nowhere.stderr) == (2, True), nowhere.stderr


def _start_servers(file: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "apps.panamia.demo.servers", str(file)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)


def _ask_whether_they_agree(text: str) -> None:
    """Run what is printed, line by line, in a shell; without the environment, which not everybody has at that place."""
    lines = [line.strip() for line in text.partition("another terminal")[2].splitlines()[1:] if line.strip()]
    assert lines[0] == ". .venv/bin/activate"
    assert lines[-1] == "isthmus outbox status"
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    codes = "\n".join(f"{line} || echo exit $?" for line in lines[1:])
    ran = subprocess.run(
        ["sh", "-c", codes], cwd=ROOT, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stdout.count("exit 1"), "exit 2" in ran.stdout) == (0, 1, False), (
        ran.stdout + ran.stderr
    )
    assert "lead nowhere" in " ".join(ran.stdout.split())
    assert "All is applied." in ran.stdout


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_service_starts_embedded_servers_itself_and_takes_them_with_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    needs_wire_server()
    for name in [one for one in os.environ if one.startswith(SETTINGS)]:
        monkeypatch.delenv(name)
    port = free_port()
    told = {"USE_MEMORY_POSTGRES": "true", "USE_MEMORY_MONGODB": "true", "AUTH_SECRET": SECRET, "PORT": str(port)}
    told |= {"PUBLIC_URL": f"http://localhost:{port}", "MAIL": f"file:{tmp_path}"}
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    by_signal = -signal.SIGTERM  # uvicorn hands it on, once all is closed
    with demo("apps.panamia.service", until="Uvicorn running", ends=by_signal):
        ready = httpx.get(f"{told['PUBLIC_URL']}/ready")
        assert (ready.status_code, ready.json()["status"]) == (200, "ok"), ready.text
        assert httpx.get(f"{told['PUBLIC_URL']}/api/articles").json()["articles"] == []
