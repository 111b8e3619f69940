"""Both services on host names of their own, and a browser with a real cookie jar: one sign-in is good for both.

Transports without sockets stand for the network: each host name leads to its application. Cannot see: what browsers do
besides keeping cookies by their domains.
"""

from __future__ import annotations

import email
import email.policy
import re
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from apps.panamia.service.app import create_app as create_main
from apps.panamia.service.settings import read_settings as read_main
from tests.apps.panamia.petsitting.conftest import Pets
from tests.apps.panamia.petsitting.sidecar import Sidecar, sidecar_of
from tests.fix_mongo import database_url

pytestmark = pytest.mark.anyio

MAIN, SITTING, ELSEWHERE = "http://www.panamia.test", "http://sitting.panamia.test", "http://panamia-test.example"
COOKIE = "authjs.session-token"
NEW = {
    "kind": "pet-sitting",
    "title": "Perros",
    "pricePerDay": "25",
    "currency": "USD",
    "timeZone": "America/New_York",
}


class Hosts:
    """Both services.

    Attributes:
        pets: Their database.
        main: The main service; None while it is down.
    """

    def __init__(self, pets: Pets, sidecar: Sidecar, main: FastAPI, mail: Path) -> None:
        self.pets, self.sidecar, self.mail = pets, sidecar, mail
        self.main: FastAPI | None = main

    def browser(self) -> httpx.AsyncClient:
        """Return a browser with an empty cookie jar, before which both hosts are."""
        mounts: dict[str, httpx.AsyncBaseTransport | None] = {
            f"all://{httpx.URL(url).host}": httpx.ASGITransport(self.sidecar.app, raise_app_exceptions=False)
            for url in (SITTING, ELSEWHERE)
        }
        if self.main is not None:
            mounts[f"all://{httpx.URL(MAIN).host}"] = httpx.ASGITransport(self.main, raise_app_exceptions=False)
        browser = httpx.AsyncClient(mounts=mounts)
        self.sidecar.clients.append(browser)
        return browser

    async def sign_in(self, browser: httpx.AsyncClient, address: str) -> None:
        """Ask for a link, and follow it, as people do."""
        asked = await browser.post(f"{MAIN}/api/auth/signin/email", json={"email": address}, headers={"origin": MAIN})
        assert asked.status_code == 202, asked.text
        newest = max(self.mail.glob("*.eml"), key=lambda one: one.stat().st_mtime_ns)
        letter = email.message_from_bytes(newest.read_bytes(), policy=email.policy.default)
        (link,) = re.findall(r"https?://\S+", letter.get_content())
        assert link.startswith(MAIN)
        answer = await browser.get(link)
        assert answer.status_code == 302, answer.text


@pytest.fixture
async def hosts(pets: Pets, mongo_server: str, tmp_path: Path) -> AsyncIterator[Hosts]:
    """Both services, sharing the cookie of a session."""
    async with _both(pets, mongo_server, tmp_path, ".panamia.test") as both:
        yield both


@asynccontextmanager
async def _both(pets: Pets, mongo: str, folder: Path, domain: str | None) -> AsyncIterator[Hosts]:
    environment = {
        "POSTGRES_URL": pets.owner,
        "MONGODB_URI": database_url(mongo, f"hosts-{secrets.token_hex(4)}"),
        "AUTH_SECRET": "a secret of the tests' own",
        "PUBLIC_URL": MAIN,
        "MAIL": f"file:{folder / 'mail'}",
        "MAIL_EVERY_SECONDS": "0",
        **({"SESSION_COOKIE_DOMAIN": domain} if domain is not None else {}),
    }
    main = create_main(read_main(environment))
    sidecar = sidecar_of(pets, PUBLIC_URL=SITTING, MAIN_URL=MAIN)
    await sidecar.start()
    try:
        async with main.router.lifespan_context(main):
            yield Hosts(pets, sidecar, main, folder / "mail")
    finally:
        await sidecar.end()


async def _make(browser: httpx.AsyncClient, url: str = SITTING) -> httpx.Response:
    return await browser.post(f"{url}/api/listings", json=NEW, headers={"origin": SITTING})


async def test_who_signs_in_at_one_host_is_known_at_the_other(hosts: Hosts) -> None:
    browser = hosts.browser()
    assert (await _make(browser)).status_code == 401
    await hosts.sign_in(browser, "Ana@Example.org")
    made = await _make(browser)
    assert made.status_code == 201, made.text
    mine = (await browser.get(f"{MAIN}/api/auth/session")).json()["user"]
    assert made.json()["sitter"]["id"] == mine["id"]
    # another browser, and a host of another domain, know nothing of it
    assert (await _make(hosts.browser())).status_code == 401
    assert (await _make(browser, ELSEWHERE)).status_code == 401


async def test_cookie_without_the_shared_domain_does_not_reach_the_other_host(
    pets: Pets, mongo_server: str, tmp_path: Path
) -> None:
    async with _both(pets, mongo_server, tmp_path, None) as hosts:
        browser = hosts.browser()
        await hosts.sign_in(browser, "ana@example.org")
        assert (await browser.get(f"{MAIN}/api/auth/session")).status_code == 200
        assert (await _make(browser)).status_code == 401


async def test_sign_out_at_one_host_ends_it_at_the_other(hosts: Hosts) -> None:
    browser = hosts.browser()
    await hosts.sign_in(browser, "ana@example.org")
    stolen = {COOKIE: browser.cookies[COOKIE]}
    assert (await browser.post(f"{MAIN}/api/auth/signout", headers={"origin": MAIN})).status_code == 204
    assert (await _make(browser)).status_code == 401
    thief = hosts.browser()
    thief.cookies.update(stolen)
    assert (await _make(thief)).status_code == 401


async def test_session_is_only_read(hosts: Hosts) -> None:
    """It is old enough to be prolonged, which the main service does and the sidecar does not."""
    browser = hosts.browser()
    await hosts.sign_in(browser, "ana@example.org")
    hosts.pets.rows("UPDATE sessions SET expires = expires - interval '10 days'")
    everything = "SELECT u::text, s::text FROM users u JOIN sessions s ON s.user_id = u.id"
    before = hosts.pets.rows(everything)
    made = await _make(browser)
    assert made.status_code == 201
    assert "set-cookie" not in made.headers
    assert hosts.pets.rows(everything) == before
    assert "set-cookie" in (await browser.get(f"{MAIN}/api/auth/session")).headers
    assert hosts.pets.rows(everything) != before


async def test_sidecar_goes_on_while_the_main_service_is_down(pets: Pets, mongo_server: str, tmp_path: Path) -> None:
    sidecar = sidecar_of(pets, PUBLIC_URL=SITTING, MAIN_URL=MAIN)
    await sidecar.start()
    try:
        async with _both(pets, mongo_server, tmp_path, ".panamia.test") as hosts:
            signed = hosts.browser()
            await hosts.sign_in(signed, "ana@example.org")
            token = signed.cookies[COOKIE]
        alone = Hosts(pets, sidecar, hosts.sidecar.app, tmp_path)
        alone.main = None
        browser = alone.browser()
        browser.cookies.set(COOKIE, token, domain=".panamia.test", path="/")
        assert (await _make(browser)).status_code == 201
        assert (await browser.get(f"{SITTING}/ready")).json() == {"status": "ok", "postgres": "up"}
        assert len((await browser.get(f"{SITTING}/api/listings")).json()["listings"]) == 1
    finally:
        await sidecar.end()


async def test_pages_of_other_hosts_write_nothing(hosts: Hosts) -> None:
    browser = hosts.browser()
    await hosts.sign_in(browser, "ana@example.org")
    for origin in (MAIN, ELSEWHERE, "null", "https://sitting.panamia.test", "http://sitting.panamia.test:8080"):
        answer = await browser.post(f"{SITTING}/api/listings", json=NEW, headers={"origin": origin})
        assert (answer.status_code, answer.json()["code"]) == (403, "origin"), origin
    assert (await browser.post(f"{SITTING}/api/listings", json=NEW)).status_code == 403  # names no origin
    assert hosts.pets.rows("SELECT FROM listings") == []
