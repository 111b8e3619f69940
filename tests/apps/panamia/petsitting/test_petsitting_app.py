"""The frame of the sidecar: its settings, its process, who has a session, and PostgreSQL through a pooler or away."""

from __future__ import annotations

import asyncio
import datetime
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from psycopg.conninfo import make_conninfo

from apps.panamia.petsitting.settings import Settings, read_settings
from isthmus.errors import ConfigError
from tests.apps.panamia.petsitting.conftest import Pets
from tests.apps.panamia.petsitting.sidecar import ORIGIN, Sidecar, sidecar_of
from tests.apps.panamia.service import test_service_pooled
from tests.apps.running import SETTINGS
from tests.fix_postgres import free_port

pytestmark = pytest.mark.anyio
pooler = test_service_pooled.pooler

ROOT = Path(__file__).parents[4]
WHERE = {"POSTGRES_URL": "host=nowhere"}


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({}, "POSTGRES_URL names no database"),
        ({**WHERE, "PUBLIC_URL": "sitting.example.org"}, "PUBLIC_URL"),
        ({**WHERE, "MAIN_URL": "ftp://x"}, "MAIN_URL"),
        ({**WHERE, "PUBLIC_URL": "https://sitting.example.org"}, "both be https"),
        ({**WHERE, "ALLOWED_ORIGINS": "https://a.example, nonsense"}, "ALLOWED_ORIGINS"),
        ({**WHERE, "PORT": "70000"}, "PORT"),
        ({**WHERE, "POOL_SIZE": "0"}, "POOL_SIZE"),
        ({**WHERE, "BODY_BYTES": "1"}, "BODY_BYTES"),
        ({**WHERE, "STATEMENT_SECONDS": "nan"}, "STATEMENT_SECONDS"),
        ({**WHERE, "POSTGRES_URL_FILE": "/nowhere"}, "POSTGRES_URL_FILE"),
    ],
)
def test_setting_that_cannot_be_is_told(environment: dict[str, str], told: str) -> None:
    with pytest.raises(ConfigError) as fault:
        read_settings(environment)
    assert told in str(fault.value)


def test_settings_are_read(tmp_path: Path) -> None:
    file = tmp_path / "address"
    file.write_text("postgresql://pets:secret@db.example.org/pana\n")
    settings = read_settings(
        {
            "POSTGRES_URL_FILE": str(file),
            "PUBLIC_URL": "HTTPS://Sitting.example.org:443/",
            "MAIN_URL": "https://www.example.org",
            "ALLOWED_ORIGINS": " https://a.example , https://b.example:8443",
            "MONGODB_URI": "",
            "PORT": "",
        }
    )
    assert settings.postgres_url is not None
    assert settings.postgres_url.get_secret_value().endswith("/pana")
    assert settings.origins == {"https://sitting.example.org", "https://a.example", "https://b.example:8443"}
    assert (settings.is_secure, settings.port) == (True, 3001)
    assert "secret" not in repr(settings)


def test_main_url_alone_may_not_write() -> None:
    assert read_settings(WHERE).origins == {"http://localhost:3001"}


def _run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
    return subprocess.run(
        [sys.executable, "-m", "apps.panamia.petsitting", *words],
        cwd=ROOT,
        env=clean | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_help_lists_every_setting() -> None:
    ran = _run("--help")
    assert ran.returncode == 0
    assert all(f"  {name.upper()} " in ran.stdout for name in Settings.model_fields)


def test_process_without_a_database_says_so_and_ends() -> None:
    ran = _run()
    assert ran.returncode == 2
    assert ran.stderr.startswith("✗ ")
    assert "POSTGRES_URL" in ran.stderr
    assert "Traceback" not in ran.stderr


async def test_process_of_its_own_answers_without_mongodb_or_the_main_service(pets: Pets, tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {name: value for name, value in os.environ.items() if not name.startswith((*SETTINGS, "MONGODB"))}
    environment |= {"POSTGRES_URL": pets.role, "PORT": str(port), "PUBLIC_URL": url, "MAIN_URL": "http://127.0.0.1:1"}
    with (tmp_path / "said").open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "apps.panamia.petsitting"], cwd=ROOT, env=environment, stdout=said, stderr=said
        )
    try:
        async with httpx.AsyncClient(base_url=url) as client:
            for _ in range(600):
                try:
                    if (await client.get("/ready")).status_code == 200:
                        break
                except httpx.TransportError:
                    assert process.poll() is None, (tmp_path / "said").read_text()
                await asyncio.sleep(0.1)
            pets.make_listing()
            assert len((await client.get("/api/listings")).json()["listings"]) == 1
    finally:
        process.terminate()
        process.wait(20)
    assert "Traceback" not in (tmp_path / "said").read_text()


async def test_sessions_that_do_not_count_open_nothing(sidecar: Sidecar) -> None:
    pets = sidecar.pets
    user = pets.make_user()
    good = pets.make_session(user)
    assert (await sidecar.client(good).get("/api/listings/mine")).status_code == 200
    locked = pets.make_session(pets.make_user(locked_at="2026-01-01"))
    over = pets.make_session(user, hours=-0.001)
    for token in (locked, over, "no such session", "", "x" * 256, "a%00b"):
        answer = await sidecar.client(token).get("/api/listings/mine")
        assert (answer.status_code, answer.json()) == (401, {"error": "Unauthorized"}), token
    other_name = sidecar.client()
    other_name.cookies.set("session-token", good)
    assert (await other_name.get("/api/listings/mine")).status_code == 401
    pets.rows("UPDATE users SET locked_at = now() WHERE id = %s", user)
    assert (await sidecar.client(good).get("/api/listings/mine")).status_code == 401


async def test_over_https_only_the_secure_cookie_counts(start: Callable[..., Any]) -> None:
    sidecar: Sidecar = await start(PUBLIC_URL="https://sitting.panamia.test", MAIN_URL="https://www.panamia.test")
    token = sidecar.pets.make_session(sidecar.pets.make_user())
    for name, status in (("__Secure-authjs.session-token", 200), ("authjs.session-token", 401)):
        answer = await sidecar.client().get("/api/listings/mine", headers={"cookie": f"{name}={token}"})
        assert answer.status_code == status, name
    assert answer.headers["strict-transport-security"]


async def test_session_is_never_written(sidecar: Sidecar) -> None:
    """The role may not, and nothing tries: neither a row nor a cookie changes."""
    token = sidecar.pets.make_session(sidecar.pets.make_user(), hours=1)
    everything = "SELECT s::text, u::text FROM sessions s JOIN users u ON u.id = s.user_id"
    before = sidecar.pets.rows(everything)
    answer = await sidecar.client(token).get("/api/listings/mine")
    assert "set-cookie" not in answer.headers
    assert sidecar.pets.rows(everything) == before


async def test_bodies_and_origins_are_guarded(sidecar: Sidecar) -> None:
    _, client = sidecar.signed_in()
    large = await client.post("/api/listings", content=b"x" * 70_000, headers={"content-type": "application/json"})
    assert large.status_code == 413
    for origin in ("http://localhost:3000", "http://evil.example", "null"):
        answer = await client.post("/api/listings", json={}, headers={"origin": origin})
        assert (answer.status_code, answer.json()["code"]) == (403, "origin")
    assert (await client.get("/api/kinds", headers={"origin": "http://evil.example"})).headers.get(
        "access-control-allow-origin"
    ) is None


async def test_allowed_origins_may_read_and_write(start: Callable[..., Any]) -> None:
    sidecar: Sidecar = await start(ALLOWED_ORIGINS="http://www.panamia.test")
    _, client = sidecar.signed_in()
    answer = await client.post("/api/listings", json={}, headers={"origin": "http://www.panamia.test"})
    assert answer.status_code == 422
    assert answer.headers["access-control-allow-origin"] == "http://www.panamia.test"
    assert answer.headers["access-control-allow-credentials"] == "true"


async def test_postgres_that_is_away_is_told(pets: Pets) -> None:
    sidecar = sidecar_of(pets, postgres=f"host=127.0.0.1 port={free_port()} user=x dbname=x")
    await sidecar.start()
    try:
        client = sidecar.client()
        assert (await client.get("/health")).json() == {"status": "ok"}
        ready = await client.get("/ready")
        assert (ready.status_code, ready.json()) == (503, {"status": "down", "postgres": "down"})
        answer = await client.get("/api/listings")
        assert (answer.status_code, answer.json()["code"]) == (503, "postgres-away")
    finally:
        await sidecar.end()


async def test_openapi_is_its_own(sidecar: Sidecar) -> None:
    document = (await sidecar.client().get("/openapi.json")).json()
    assert document["info"]["title"] == "Pet sitting"
    for path, methods in document["paths"].items():
        for method, one in methods.items():
            assert one["summary"], (method, path)
    taken = document["paths"]["/api/listings/{key}/blocks"]["post"]["responses"]["409"]["content"]
    name = taken["application/json"]["schema"]["$ref"].rpartition("/")[2]
    assert "conflicts" in document["components"]["schemas"][name]["properties"]


async def test_many_requests_share_few_connections_behind_a_pooler(pets: Pets, pooler: int) -> None:
    """PgBouncer in transaction mode; as the tables' owner, for it knows no other user."""
    sidecar = sidecar_of(pets, postgres=make_conninfo(pets.owner, host="127.0.0.1", port=pooler))
    await sidecar.start()
    try:
        _, client = sidecar.signed_in()
        new = {
            "kind": "rental",
            "title": "Casa",
            "pricePerDay": "10",
            "currency": "EUR",
            "timeZone": "Europe/Madrid",
            "place": {"lat": 40.4, "lng": -3.7},
        }
        made = await asyncio.gather(*(client.post("/api/listings", json=new) for _ in range(12)))
        assert [one.status_code for one in made] == [201] * 12
        key = made[0].json()["id"]
        first = pets.today(key) + datetime.timedelta(5)
        days = {"from": str(first), "to": str(first + datetime.timedelta(2))}
        asked = {"lat": 40.4, "lng": -3.7, "q": "casa", "currency": "EUR", **days}
        found = await asyncio.gather(*(client.get("/api/listings", params=asked) for _ in range(12)))
        assert [len(one.json()["listings"]) for one in found] == [12] * 12
        blocked = await asyncio.gather(*(client.post(f"/api/listings/{key}/blocks", json=days) for _ in range(6)))
        assert sorted(one.status_code for one in blocked) == [201, *[409] * 5]
    finally:
        await sidecar.end()


def test_origin_of_the_tests_is_the_default() -> None:
    assert read_settings(WHERE).public_url == ORIGIN
