"""Sign-in links: asked for, limited, consumed once."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from apps.panamia.service.auth.mailbox import mailbox_of
from tests.apps.panamia.service.conftest import SECRET, Start, World
from tests.apps.panamia.service.mails import mails_of
from tests.apps.panamia.service.serving import serving
from tests.apps.panamia.service.test_service_auth_providers import by, google

pytestmark = pytest.mark.anyio
SENT = (202, {"status": "sent"})
COMPLETING = ("/api/user/complete-email-migration", "/api/auth/complete-oauth-verification")


async def asked(world: World, email: str, **headers: str) -> tuple[int, object]:
    answer = await world.client(**headers).post("/api/auth/signin/email", json={"email": email})
    return answer.status_code, answer.json()


async def link_for(world: World, email: str) -> str:
    assert await asked(world, email) == SENT
    return mails_of(world, email.strip().lower())[-1].link


async def test_a_link_signs_in_and_makes_the_user_of_a_new_address(world: World) -> None:
    link = await link_for(world, "  New.Person@Example.ORG ")
    browser = world.client()
    answer = await browser.get(link)
    assert (answer.status_code, answer.headers["location"]) == (302, "/")
    assert (answer.headers["cache-control"], answer.headers["referrer-policy"]) == ("no-store", "no-referrer")
    shown = (await browser.get("/api/auth/session")).json()["user"]
    assert shown["email"] == "new.person@example.org"
    assert shown["emailVerified"] is not None
    assert world.rows("SELECT email, role FROM users") == [("new.person@example.org", "user")]


async def test_who_has_the_address_is_signed_in_however_it_is_stored(world: World) -> None:
    user = world.make_user("Ana.Ñ@Example.org")
    browser = world.client()
    await browser.get(await link_for(world, "ana.ñ@example.org"))
    assert (await browser.get("/api/auth/session")).json()["user"]["id"] == user
    assert world.rows("SELECT email_verified IS NOT NULL FROM users") == [(True,)]


async def test_a_sign_in_takes_the_place_of_the_session_that_the_browser_had(world: World) -> None:
    _, browser = world.signed_in("b@example.org")
    await browser.get(await link_for(world, "a@example.org"))
    assert world.rows("SELECT u.email FROM sessions JOIN users u ON u.id = user_id") == [("a@example.org",)]


async def test_only_the_hash_of_a_link_is_kept(world: World) -> None:
    link = await link_for(world, "a@example.org")
    token = mails_of(world)[0].token
    stored = world.rows("SELECT identifier, token FROM verification_tokens")
    assert stored == [("a@example.org", hashlib.sha256(f"{token}{SECRET}".encode()).hexdigest())]
    assert len(token) == 64
    assert link.startswith("http://localhost:3000/api/auth/callback/email?token=")


async def test_the_answer_is_the_same_whether_anybody_has_the_address(world: World) -> None:
    world.make_user("there@example.org")
    world.make_user("locked@example.org", locked_at="2026-01-01")
    for email in ("there@example.org", "nobody@example.org", "locked@example.org"):
        assert await asked(world, email) == SENT
    assert sorted(one.to for one in mails_of(world)) == ["nobody@example.org", "there@example.org"]


NO_ADDRESSES = (
    *("", "a", "a@", "@b.org", "a@b@c.org", "a b@c.org", "a,b@c.org", "a@c.org,d@e.org", "<a@c.org>", '"a"@c.org'),
    *("a@c.org\nBcc: x@y.org", "a@c.org\0", "a\u202e@c.org", "a..b@c.org", "a@c.", "x" * 250 + "@c.org", 7, None),
)


async def test_what_mail_cannot_go_to_is_refused(world: World) -> None:
    for email in NO_ADDRESSES:
        answer = await world.client().post("/api/auth/signin/email", json={"email": email})
        assert answer.status_code == 422, email
    assert not mails_of(world)


async def test_half_a_character_is_refused(world: World) -> None:
    body = b'{"email": "\\ud800@example.org"}'
    answer = await world.client(**{"content-type": "application/json"}).post("/api/auth/signin/email", content=body)
    assert answer.status_code == 422


async def test_a_link_works_once(world: World) -> None:
    link = await link_for(world, "a@example.org")
    await world.client().get(link)
    again = await world.client().get(link)
    assert again.headers["location"] == "/signin?error=Verification"
    assert "set-cookie" not in again.headers
    assert world.rows("SELECT count(*) FROM sessions") == [(1,)]


async def test_of_many_who_come_at_once_one_is_signed_in(world: World) -> None:
    link = await link_for(world, "a@example.org")
    answers = await asyncio.gather(*(world.client().get(link) for _ in range(8)))
    assert sorted(one.headers["location"] for one in answers) == ["/", *["/signin?error=Verification"] * 7]
    assert world.rows("SELECT count(*) FROM sessions") == [(1,)]


async def test_first_sign_ins_by_several_links_at_once_make_one_user(world: World) -> None:
    links = [await link_for(world, "a@example.org") for _ in range(4)]
    answers = await asyncio.gather(*(world.client().get(link) for link in links))
    assert [one.headers["location"] for one in answers] == ["/"] * 4
    assert world.rows("SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM sessions)") == [(1, 4)]


async def test_a_link_that_has_expired_signs_nobody_in(world: World) -> None:
    link = await link_for(world, "a@example.org")
    world.rows("UPDATE verification_tokens SET expires = now() - interval '1 second'")
    assert (await world.client().get(link)).headers["location"] == "/signin?error=Verification"
    assert world.rows("SELECT count(*) FROM sessions") == [(0,)]


async def test_a_link_is_good_for_its_own_address_alone(world: World) -> None:
    link = await link_for(world, "a@example.org")
    other = link.replace(quote("a@example.org"), quote("b@example.org"))
    assert other != link
    assert (await world.client().get(other)).headers["location"] == "/signin?error=Verification"
    assert (await world.client().get(link)).headers["location"] == "/"


async def test_a_broken_link_leads_to_the_sign_in_page(world: World) -> None:
    for query in (
        "",
        "?token=x",
        "?email=a@example.org",
        "?email=a%00@example.org&token=%00",
        "?email=%ff@x&token=%ff",
    ):
        answer = await world.client().get(f"/api/auth/callback/email{query}")
        assert (answer.status_code, answer.headers["location"]) == (302, "/signin?error=Verification")


async def test_who_only_looks_at_a_link_does_not_consume_it(world: World) -> None:
    link = await link_for(world, "a@example.org")
    assert (await world.client().head(link)).status_code == 200
    for name, value in {"Sec-Purpose": "prefetch;prerender", "X-Moz": "prefetch", "Purpose": "prefetch"}.items():
        assert (await world.client(**{name: value}).get(link)).status_code == 503
    assert (await world.client().get(link)).headers["location"] == "/"


async def test_a_locked_user_is_not_signed_in(world: World) -> None:
    user = world.make_user("a@example.org")
    link = await link_for(world, "a@example.org")
    world.rows("UPDATE users SET locked_at = now() WHERE id = %s", user)
    answer = await world.client().get(link)
    assert answer.headers["location"] == "/signin?error=AccessDenied"
    assert world.rows("SELECT (SELECT count(*) FROM sessions), (SELECT count(*) FROM verification_tokens)") == [(0, 0)]


async def test_a_user_who_is_locked_later_is_nobody(world: World) -> None:
    user, browser = world.signed_in("a@example.org")
    world.rows("UPDATE users SET locked_at = now() WHERE id = %s", user)
    assert (await browser.get("/api/auth/session")).status_code == 401


async def test_who_asks_for_a_link_of_another_does_not_take_it_away(world: World) -> None:
    first = await link_for(world, "a@example.org")
    await link_for(world, "a@example.org")
    assert (await world.client().get(first)).headers["location"] == "/"


# Limits


async def test_an_address_gets_so_many_links_in_an_hour_wherever_they_are_asked_for(start: Start) -> None:
    world = await start(LINKS_PER_HOUR="2", TRUSTED_PROXIES="127.0.0.1")
    for number in range(2):
        assert await asked(world, "a@example.org", **{"x-forwarded-for": f"192.0.2.{number}"}) == SENT
    answer = await world.client(**{"x-forwarded-for": "192.0.2.9"}).post(
        "/api/auth/signin/email", json={"email": "A@example.org"}
    )
    assert (answer.status_code, answer.json()["code"]) == (429, "too-often")
    assert 3590 <= int(answer.headers["retry-after"]) <= 3600
    assert await asked(world, "b@example.org") == SENT
    assert len(mails_of(world)) == 3


async def test_any_hour_counts_and_an_hour_later_it_goes_on(start: Start) -> None:
    world = await start(LINKS_PER_HOUR="2")
    assert [(await asked(world, "a@example.org"))[0] for _ in range(3)] == [202, 202, 429]
    world.rows("UPDATE link_requests SET requested_at[1] = now() - interval '59 minutes'")
    answer = await world.client().post("/api/auth/signin/email", json={"email": "a@example.org"})
    assert 50 <= int(answer.headers["retry-after"]) <= 60
    world.rows("UPDATE link_requests SET requested_at[1] = now() - interval '61 minutes'")
    assert [(await asked(world, "a@example.org"))[0] for _ in range(2)] == [202, 429]


async def test_what_is_refused_is_not_counted(start: Start) -> None:
    world = await start(LINKS_PER_HOUR="1", LINKS_PER_HOUR_AND_HOST="3")
    assert [(await asked(world, "a@example.org"))[0] for _ in range(4)] == [202, 429, 429, 429]
    assert [(await asked(world, f"{one}@example.org"))[0] for one in "bcd"] == [202, 202, 429]


async def test_limits_hold_over_processes_and_at_one_moment(start: Start) -> None:
    one, other = await start(LINKS_PER_HOUR="3"), await start(LINKS_PER_HOUR="3")
    answers = await asyncio.gather(*(asked(world, "a@example.org") for _ in range(5) for world in (one, other)))
    assert sorted(status for status, _ in answers) == [202] * 3 + [429] * 7
    assert len(mails_of(one)) == 3


SPELLINGS = (
    *("Victim@Bücher.example", "victim@xn--bcher-kva.example", "VICTIM@BÜCHER.EXAMPLE", "victim@\uff42ücher.example"),
    *("victim+1@bücher.example", "victim+news+2@bücher.example", "\uff56ictim@bu\u0308cher.example"),
)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_all_spellings_of_an_address_are_one_mailbox(spelling: str) -> None:
    assert mailbox_of(spelling) == "victim@xn--bcher-kva.example"


@pytest.mark.parametrize(
    ("email", "mailbox"),
    [
        ("a.n.a+x@GoogleMail.com", "ana@gmail.com"),
        ("a.n.a@example.org", "a.n.a@example.org"),
        ("+@example.org", "+@example.org"),
        ("...@gmail.com", "...@gmail.com"),
        ("O'Neil@example.org", "o'neil@example.org"),
        ("no address", "no address"),
        ("a@b@c.org", "a@b@c.org"),
    ],
)
def test_other_mailboxes_stay_others(email: str, mailbox: str) -> None:
    assert mailbox_of(email) == mailbox


async def test_a_mailbox_has_one_limit_however_its_address_is_spelt(start: Start) -> None:
    world = await start(LINKS_PER_HOUR="2")
    assert [(await asked(world, one))[0] for one in SPELLINGS] == [202, 202, *[429] * 5]
    assert len(mails_of(world)) == 2
    assert await asked(world, "other@bücher.example") == SENT


async def test_the_table_of_limits_names_nobody(world: World) -> None:
    await asked(world, "a@example.org")
    kept = str(world.rows("SELECT l::text FROM link_requests l"))
    assert "example.org" not in kept
    assert "127.0.0.1" not in kept


async def test_a_proxy_is_believed_only_where_it_is_trusted(start: Start) -> None:
    trusting = await start(LINKS_PER_HOUR_AND_HOST="1", TRUSTED_PROXIES="10.0.0.0/8, 127.0.0.1")
    other = await start(LINKS_PER_HOUR_AND_HOST="1", TRUSTED_PROXIES="10.0.0.1")
    for number in range(3):
        headers = {"x-forwarded-for": f"203.0.113.9, 192.0.2.{number}"}
        assert await asked(trusting, f"{number}@example.org", **headers) == SENT
        status, _ = await asked(other, f"{number}@example.net", **headers)
        assert status == (429 if number else 202)


async def test_no_secret_stands_in_the_log(start: Start, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.WARNING, logger="httpx")  # the browser's own
    world = await start()
    link = await link_for(world, "a@example.org")
    browser = world.client()
    await browser.get(link)
    session = browser.cookies["authjs.session-token"]
    (tmp_path / "file").touch()
    mute = await start(MAIL=f"file:{tmp_path / 'file' / 'no folder'}")
    assert await asked(mute, "b@example.org") == SENT
    assert "a sign-in link was not sent: NotADirectoryError" in caplog.text
    assert (await browser.post("/api/user/request-email-migration", json={"newEmail": "c@example.org"})).is_success
    await by(world, google("d@example.org"))
    tokens = [mails_of(world, f"{one}@example.org")[0].token for one in "acd"]
    for token, path in zip(tokens[1:], COMPLETING, strict=True):
        assert (await world.client().post(path, json={"token": token})).status_code == 200
    said = "\n".join(one.getMessage() for one in caplog.records if not one.name.startswith("pymongo"))
    for secret in (*tokens, session, SECRET, "b@example.org"):
        assert secret not in said


async def test_no_token_stands_in_what_the_process_says(world: World, tmp_path: Path) -> None:
    with serving(world, tmp_path) as served:
        async with httpx.AsyncClient(base_url=served.url) as browser:
            wanted = await browser.post("/api/auth/signin/email", json={"email": "a@example.org"})
            assert (wanted.status_code, wanted.json()) == SENT
            answer = await browser.get("/api/auth/callback/email?token=of-mine&email=a@example.org")
            assert answer.headers["location"].startswith("/signin?error=")
    said = served.log.read_text("utf-8")
    assert "Uvicorn running" in said
    assert "of-mine" not in said


async def test_what_expired_long_ago_goes_by_itself(world: World) -> None:
    user = world.make_user("a@example.org")
    world.make_session(user, hours=-25)
    world.make_session(user, hours=-1)
    world.rows("INSERT INTO verification_tokens VALUES ('a@example.org', 'x', now() - interval '2 days')")
    world.rows("INSERT INTO link_requests VALUES ('x', '{}', now() - interval '2 days')")
    await asked(world, "b@example.org")
    assert world.rows("SELECT count(*) FROM sessions") == [(1,)]
    assert world.rows("SELECT identifier FROM verification_tokens") == [("b@example.org",)]
    assert world.rows("SELECT count(*) FROM link_requests WHERE subject = 'x'") == [(0,)]
