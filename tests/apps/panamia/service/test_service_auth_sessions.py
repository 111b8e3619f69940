"""Sessions: what they tell, how long they last, where they are good, and who may write with one."""

from __future__ import annotations

import datetime
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from apps.panamia.service.auth.network import host_of
from apps.panamia.service.settings import read_settings
from isthmus.errors import ConfigError
from tests.apps.panamia.service.conftest import ADMIN, ORIGIN, Start, World
from tests.apps.panamia.service.mails import mails_of

pytestmark = pytest.mark.anyio
FLAGS = ("panaVerified", "legalAgeVerified", "isMentoringModerator", "isEventOrganizer", "isContentModerator")
ROOT = Path(__file__).parents[4]
SIGN_OUT = "/api/auth/signout"


def at(world: World, origin: str) -> httpx.AsyncClient:
    """Return a browser that is at an origin, with a jar of its own."""
    transport = httpx.ASGITransport(world.app, raise_app_exceptions=False)
    client = httpx.AsyncClient(transport=transport, base_url=origin, headers={"origin": origin})
    world.clients.append(client)
    return client


async def shown(client: httpx.AsyncClient) -> dict[str, Any]:
    """Return the user of a session."""
    answer = await client.get("/api/auth/session")
    assert answer.status_code == 200, answer.text
    return answer.json()["user"]


# What it tells


async def test_a_session_tells_who_somebody_is_and_hides_name_and_image(world: World) -> None:
    columns = {"name": "Ana", "image": "x", "screenname": "ana", "role": "editor", "email_verified": None}
    user, client = world.signed_in("Ana@Example.org", **columns)
    assert await shown(client) == {
        "id": user,
        "email": "ana@example.org",
        "emailVerified": None,
        "name": "",
        "image": "",
        "screenname": "ana",
        "role": "editor",
        "isAdmin": False,
        **dict.fromkeys(FLAGS, False),
    }


async def test_the_flags_are_those_of_the_profile_that_holds_the_user(world: World) -> None:
    user, client = world.signed_in("a@example.org")
    world.write("profiles", {"email": "a@example.org", "roles": {"contentModerator": True}})  # not claimed
    found = await shown(client)
    assert not any(found[flag] for flag in FLAGS)
    verification = {"panaVerified": True, "legalAgeVerified": "yes"}
    world.write("profiles", {"userId": user, "verification": verification, "roles": {"eventOrganizer": True}})
    found = await shown(client)
    assert [flag for flag in FLAGS if found[flag]] == ["panaVerified", "isEventOrganizer"]


async def test_without_mongodb_flags_are_false_and_the_session_is_served(start: Start) -> None:
    world = await start(MONGODB_URI="mongodb://127.0.0.1:9/panamia", MONGODB_TIMEOUT_MS="200")
    user, client = world.signed_in("a@example.org")
    found = await shown(client)
    assert found["id"] == user
    assert not any(found[flag] for flag in FLAGS)


async def test_a_sign_in_claims_the_profile_of_the_address_and_none_without_mongodb(start: Start) -> None:
    world = await start()
    world.write("profiles", {"email": "A@Example.org", "name": "Ana"})
    away = await start(MONGODB_URI="mongodb://127.0.0.1:9/panamia", MONGODB_TIMEOUT_MS="200")
    for service, claimed in ((away, False), (world, True)):
        await service.client().post("/api/auth/signin/email", json={"email": "a@example.org"})
        browser = service.client()
        assert (await browser.get(mails_of(service)[-1].link)).headers["location"] == "/"
        user = (await shown(browser))["id"]
        (profile,) = world.documents("profiles")
        assert profile.get("userId") == (user if claimed else None)


async def test_an_address_that_nobody_has_proven_makes_no_admin(world: World) -> None:
    user, client = world.signed_in(ADMIN, email_verified=None)
    assert (await shown(client))["isAdmin"] is False
    world.rows("UPDATE users SET email_verified = now() WHERE id = %s", user)
    assert (await shown(client))["isAdmin"] is True


# How long it lasts


async def test_a_session_in_use_is_prolonged_once_a_day_with_its_cookie(start: Start) -> None:
    world = await start(SESSION_DAYS="10")
    user = world.make_user("a@example.org")
    fresh, old = world.make_session(user, hours=9.5 * 24), world.make_session(user, hours=8.9 * 24)
    assert "set-cookie" not in (await world.client(fresh).get("/api/auth/session")).headers
    answer = await world.client(old).get("/api/auth/session")
    assert f"authjs.session-token={old}; HttpOnly; Max-Age=864000; Path=/; SameSite=lax" in answer.headers["set-cookie"]
    left = datetime.datetime.fromisoformat(answer.json()["expires"]) - datetime.datetime.now(datetime.UTC)
    assert datetime.timedelta(days=9, hours=23) < left <= datetime.timedelta(days=10)
    kept = "SELECT expires > now() + interval '9 days 23 hours' FROM sessions WHERE session_token = %s"
    assert world.rows(kept, old) == [(True,)]


async def test_sign_out_ends_one_session_and_never_fails(world: World) -> None:
    user, client = world.signed_in("a@example.org")
    other = world.make_session(user)
    answer = await client.post(SIGN_OUT)
    assert answer.status_code == 204
    assert 'authjs.session-token=""' in answer.headers["set-cookie"]
    assert world.rows("SELECT session_token FROM sessions") == [(other,)]
    for nobody in (world.client(), world.client("unknown"), world.client("x" * 5_000), world.client("a%00")):
        assert (await nobody.post(SIGN_OUT)).status_code == 204


# Where it is good


async def signed_in_at(world: World, client: httpx.AsyncClient) -> httpx.Response:
    """Sign in with a link, in a browser."""
    await client.post("/api/auth/signin/email", json={"email": "a@example.org"})
    return await client.get(mails_of(world)[-1].link)


async def test_the_domain_shares_a_session_with_its_other_hosts(start: Start) -> None:
    shared = {"PUBLIC_URL": "https://pana.example.org", "AUTH_SECRET": "x" * 32}
    world = await start(**shared, SESSION_COOKIE_DOMAIN=".example.org", ALLOWED_ORIGINS="https://sitting.example.org")
    browser = at(world, "https://pana.example.org")
    answer = await signed_in_at(world, browser)
    (cookie,) = [one for one in answer.headers.get_list("set-cookie") if "Max-Age=2592000" in one]
    assert cookie.startswith("__Secure-authjs.session-token=")
    for part in ("Domain=.example.org", "HttpOnly", "Path=/", "SameSite=lax", "Secure"):
        assert part in cookie
    for host, status in {"sitting.example.org": 200, "example.com": 401, "example.org.evil.com": 401}.items():
        assert (await browser.get(f"https://{host}/api/auth/session")).status_code == status
    assert (await browser.get("http://pana.example.org/api/auth/session")).status_code == 401  # never unencrypted
    left = await browser.post(f"https://sitting.example.org{SIGN_OUT}")
    assert left.status_code == 204
    assert (await browser.get("/api/auth/session")).status_code == 401


async def test_without_the_domain_a_session_stays_at_its_host(start: Start) -> None:
    world = await start(PUBLIC_URL="https://pana.example.org", AUTH_SECRET="x" * 32)
    browser = at(world, "https://pana.example.org")
    await signed_in_at(world, browser)
    assert (await browser.get("/api/auth/session")).status_code == 200
    assert (await browser.get("https://sitting.example.org/api/auth/session")).status_code == 401


async def test_where_people_come_by_https_the_plain_cookie_is_none(start: Start) -> None:
    world = await start(PUBLIC_URL="https://pana.example.org", AUTH_SECRET="x" * 32)
    token = world.make_session(world.make_user("a@example.org"))
    for name, status in {"authjs.session-token": 401, "__Secure-authjs.session-token": 200}.items():
        client = at(world, "https://pana.example.org")
        client.cookies.set(name, token)
        assert (await client.get("/api/auth/session")).status_code == status


@pytest.mark.parametrize(
    ("domain", "url"),
    [(".example.com", "https://pana.example.org"), ("org", "https://pana.example.org"), ("ample.org", "https://example.org"),
     ("a.pana.example.org", "https://pana.example.org"), ("localhost", "http://localhost:3000"),
     (".co.uk", "https://pana.example.co.uk"), ("github.io", "https://pana.github.io"), ("kobe.jp", "https://a.b.kobe.jp"),
     ("0.0.1", "http://127.0.0.1:3000")],
)  # fmt: skip
def test_a_domain_for_which_browsers_take_no_cookie_is_refused(domain: str, url: str) -> None:
    told = {"POSTGRES_URL": "x", "MONGODB_URI": "x", "AUTH_SECRET": "x" * 32, "PUBLIC_URL": url}
    with pytest.raises(ConfigError, match="SESSION_COOKIE_DOMAIN"):
        read_settings({**told, "SESSION_COOKIE_DOMAIN": domain})


@pytest.mark.parametrize(
    ("domain", "url"),
    [(".Example.co.uk", "https://pana.example.co.uk"), ("example.org", "https://example.org"),
     ("b.a.kobe.jp", "https://pana.b.a.kobe.jp"), ("pana.test", "http://a.pana.test:3000")],
)  # fmt: skip
def test_a_domain_of_ones_own_is_taken(domain: str, url: str) -> None:
    told = {"POSTGRES_URL": "x", "MONGODB_URI": "x", "AUTH_SECRET": "x" * 32, "PUBLIC_URL": url}
    assert read_settings({**told, "SESSION_COOKIE_DOMAIN": domain}).session_cookie_domain == domain


def test_a_proxy_that_is_no_address_is_refused() -> None:
    with pytest.raises(ConfigError, match="TRUSTED_PROXIES"):
        read_settings({"POSTGRES_URL": "x", "MONGODB_URI": "x", "TRUSTED_PROXIES": "127.0.0.1, nginx"})


# How others read it


async def test_what_the_how_to_has_others_ask_says_who_is_signed_in(world: World) -> None:
    """Whoever reads the tables beside the service knows somebody exactly where the service does."""
    (query,) = re.findall(r"```sql\n(.*?)```", (ROOT / "docs/how-to/sign-in.md").read_text("utf-8"), re.DOTALL)
    ana = world.make_user(" Ana@Example.org", screenname="ana")
    locked = world.make_user("locked@example.org", locked_at="2026-01-01")
    asked = {
        world.make_session(ana): (ana, "ana@example.org", "ana"),
        world.make_session(ana, hours=-0.01): None,
        world.make_session(locked): None,
        "unknown": None,
        "": None,
    }
    for token, who in asked.items():
        found = world.rows(query.replace("$1", "%s"), token)
        assert [one[:3] for one in found] == ([who] if who else []), token
        assert (await world.client(token or None).get("/api/auth/session")).status_code == (200 if who else 401)


# Who may write


WRITES = (
    ({"origin": ORIGIN}, 204),
    ({"origin": "HTTP://LocalHost:3000"}, 204),
    ({"origin": "https://sitting.example.org:443"}, 204),
    ({"origin": "https://evil.example"}, 403),
    ({"origin": "null"}, 403),
    ({"origin": ""}, 403),
    ({"origin": "http://localhost:3000.evil.example"}, 403),
    ({"origin": "http://localhost:3000@evil.example"}, 403),
    ({"origin": "http://localhost"}, 403),
    ({"origin": "https://localhost:3000"}, 403),
    ({"origin": "http://[:3000"}, 403),
    ({"referer": f"{ORIGIN}/page?x"}, 204),
    ({"referer": "https://evil.example/http://localhost:3000"}, 403),
    ({"origin": "https://evil.example", "referer": ORIGIN}, 403),
    ({"origin": "", "referer": ORIGIN}, 403),
    ({}, 403),
)
"""Headers of a write with a session → what is answered."""


async def test_only_pages_of_ours_write_with_a_session(start: Start) -> None:
    world = await start(ALLOWED_ORIGINS="https://Sitting.example.org/")
    user = world.make_user("a@example.org")
    for headers, status in WRITES:
        token = world.make_session(user)
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(world.app),
            base_url=ORIGIN,
            cookies={"authjs.session-token": token},
            headers=headers,
        )
        async with client:
            assert (await client.post(SIGN_OUT)).status_code == status, headers
        there = world.rows("SELECT count(*) FROM sessions WHERE session_token = %s", token)
        assert there == [(0 if status == 204 else 1,)], headers


async def test_two_origins_are_not_one_that_is_ours(world: World) -> None:
    headers = [("origin", ORIGIN), ("origin", "https://evil.example")]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(world.app), base_url=ORIGIN) as client:
        assert (await client.post(SIGN_OUT, headers=headers)).status_code == 403
        assert (await client.post(SIGN_OUT)).status_code == 204  # a program without a session


async def test_bodies_over_the_limit_are_refused_however_they_come(start: Start) -> None:
    world = await start(BODY_BYTES="1024")

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b" " * 100

    client = world.client(**{"content-type": "application/json"})
    for content in (b" " * 1_025, pieces()):
        answer = await client.post("/api/auth/signin/email", content=content)
        assert (answer.status_code, answer.json()["error"]) == (413, "A request holds 1,024 bytes at most")
    for length in ("9" * 5_000, "²"):
        headers = [(b"content-length", length.encode("latin-1"))]
        answer = await client.post("/api/auth/signin/email", content=b"{}", headers=headers)
        assert answer.status_code in {413, 422}


# Where it comes from


@pytest.mark.parametrize(
    ("peer", "forwarded", "trusted", "host"),
    [
        ("192.0.2.1", [], [], "192.0.2.1"),
        ("192.0.2.1", ["198.51.100.1"], [], "192.0.2.1"),
        ("10.0.0.1", ["198.51.100.1"], ["10.0.0.1"], "198.51.100.1"),
        ("10.0.0.1", ["1.1.1.1, 198.51.100.1"], ["10.0.0.1"], "198.51.100.1"),  # what it wrote itself is not believed
        ("10.0.0.1", ["1.1.1.1, 198.51.100.1, 10.0.0.2"], ["10.0.0.0/8"], "198.51.100.1"),
        ("10.0.0.1", ["1.1.1.1", "198.51.100.1"], ["10.0.0.1"], "198.51.100.1"),
        ("10.0.0.1", ["198.51.100.1:4711"], ["10.0.0.1"], "198.51.100.1"),
        ("10.0.0.1", ["unknown"], ["10.0.0.1"], "10.0.0.1"),
        ("10.0.0.1", ["", ","], ["10.0.0.1"], "10.0.0.1"),
        ("2001:db8:1:2:3::4", [], [], "2001:db8:1:2::/64"),
        ("10.0.0.1", ["[2001:db8:1:2:9::1]:80"], ["10.0.0.1"], "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", [], [], "192.0.2.1"),
        ("::ffff:10.0.0.1", ["198.51.100.1"], ["10.0.0.1"], "198.51.100.1"),
        ("fe80::1%eth0", [], [], "fe80::/64"),
        (None, ["198.51.100.1"], ["10.0.0.1"], "local"),
        ("testclient", [], [], "local"),
    ],
)
def test_a_request_comes_from_the_host_before_the_trusted_proxies(
    peer: str | None, forwarded: list[str], trusted: list[str], host: str
) -> None:
    told = {"POSTGRES_URL": "x", "MONGODB_URI": "x", "TRUSTED_PROXIES": ",".join(trusted)}
    assert host_of(peer, forwarded, read_settings(told).proxy_networks) == host


async def test_pages_of_an_allowed_origin_write_and_read_the_answer(start: Start) -> None:
    """What a browser asks before it sends, and what it looks at behind it."""
    there = "https://sitting.example.org"
    world = await start(ALLOWED_ORIGINS=there)
    user = world.make_user("a@example.org")
    client = world.client(world.make_session(user), origin=there)
    asked = {"access-control-request-method": "POST", "access-control-request-headers": "content-type"}
    before = await client.options("/api/auth/signout", headers=asked)
    assert before.status_code == 200
    assert before.headers["access-control-allow-origin"] == there
    assert before.headers["access-control-allow-credentials"] == "true"
    answer = await client.post("/api/auth/signout")
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (204, there)
    other = await world.client(origin="https://elsewhere.example.org").options("/api/auth/signout", headers=asked)
    assert "access-control-allow-origin" not in other.headers


def test_a_login_shell_s_mailbox_and_what_else_stands_around_are_no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {"POSTGRES_URL": "x", "MONGODB_URI": "x", "MAIL": "/var/mail/root"}
    monkeypatch.setenv("ADMIN_EMAILS", "somebody@example.org")
    monkeypatch.setenv("MAIL", "smtp://somewhere.example.org")
    settings = read_settings(told)
    assert settings.mail.get_secret_value() == "console"
    assert settings.admin_emails == ()
