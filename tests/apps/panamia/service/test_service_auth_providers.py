"""Sign-ins with providers: the policy, accounts, and the mail that asks first."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from typing import Any

import pytest
from fastapi import BackgroundTasks, Request

from apps.panamia.models.ids import new_id
from apps.panamia.service.auth.policy import policy_of
from apps.panamia.service.auth.providers import Said, answer_to_provider
from apps.panamia.service.resources import Resources
from apps.panamia.service.settings import Policy
from tests.apps.panamia.service.conftest import SECRET, Start, World
from tests.apps.panamia.service.mails import mails_of

pytestmark = pytest.mark.anyio
T, V, D = "trusted", "verification-required", "disabled"
COMPLETE = "/api/auth/complete-oauth-verification"
SENT = "/signin?verificationSent=true"


@pytest.mark.parametrize(
    ("provider", "instance", "settings", "policy"),
    [
        ("email", None, {"email": D}, T),
        (None, None, {}, D),
        ("", None, {"": T}, D),
        ("google", None, {}, V),
        ("google", None, {"google": T}, T),
        ("Google", None, {"google": D}, D),
        ("azure-ad", None, {"azure_ad": T}, T),
        ("mastodon", "mastodon.social", {"mastodon_social": T, "mastodon": D}, T),
        ("mastodon", "https://Mastodon.Social/", {"mastodon_social": T}, T),
        ("mastodon", "mastodon.social", {"mastodon": D}, D),
        ("mastodon", "fosstodon.org", {"mastodon_social": T, "mastodon": D}, D),
        ("mastodon", "mastodon.social.evil.example", {"mastodon_social": T}, V),
        ("mastodon", "https://[", {"mastodon_social": T}, V),
        ("mastodon", None, {"mastodon_social": T}, V),
    ],
)
def test_the_policy_is_that_of_the_settings(
    provider: str | None, instance: str | None, settings: Mapping[str, Policy], policy: Policy
) -> None:
    assert policy_of(provider, settings, instance) == policy


def from_a_browser(host: str = "127.0.0.1", cookie: str = "") -> Request:
    """A request on its way back from a provider."""
    headers = [(b"cookie", cookie.encode())] if cookie else []
    return Request({"type": "http", "method": "GET", "path": "/", "headers": headers, "client": (host, 4711)})


async def by(world: World, said: Said, request: Request | None = None) -> tuple[str, str | None]:
    """Let a provider have said something; return where the browser is sent, and its session."""
    resources: Resources = world.app.state.resources
    later = BackgroundTasks()
    answer = await answer_to_provider(resources, request or from_a_browser(), said, later)
    await later()
    cookie = answer.headers.get("set-cookie", "")
    return answer.headers["location"], cookie.partition("=")[2].partition(";")[0] or None


def google(email: str | None, account: str = "1", **more: Any) -> Said:
    return Said("google", account, email, **more)


async def completed(world: World, token: object) -> tuple[int, dict[str, Any]]:
    answer = await world.client().post(COMPLETE, json={"token": token})
    return answer.status_code, answer.json()


async def test_a_trusted_provider_signs_in_and_links_the_account(start: Start) -> None:
    world = await start(OAUTH_GOOGLE=" Trusted ")
    said = google(" New@Example.org", name="Ana\0\nMaría", image="https://x.org/1", given={"access_token": "s", "x": 1})
    where, session = await by(world, said)
    assert where == "/"
    shown = (await world.client(session).get("/api/auth/session")).json()["user"]
    assert (shown["email"], shown["name"], shown["image"]) == ("new@example.org", "", "")
    assert world.rows("SELECT name, email_verified IS NOT NULL FROM users") == [("Ana  María", True)]
    assert world.rows("SELECT provider, provider_account_id, access_token FROM accounts") == [("google", "1", "s")]


async def test_a_linked_account_signs_its_user_in_whatever_address_it_tells(start: Start) -> None:
    world = await start(OAUTH_GOOGLE="trusted")
    await by(world, google("a@example.org"))
    world.make_user("b@example.org")
    _, session = await by(world, google("b@example.org"))
    assert (await world.client(session).get("/api/auth/session")).json()["user"]["email"] == "a@example.org"
    asking = await start()  # by default a mail asks, but only the first time
    assert (await by(asking, google("a@example.org")))[0] == "/"
    assert world.rows("SELECT count(*) FROM accounts") == [(1,)]


async def test_a_trusted_provider_proves_the_address_that_is_the_users_and_no_other(start: Start) -> None:
    """A6b: who was carried with an account and no proof has to be able to claim."""
    world = await start(OAUTH_GOOGLE="trusted")
    await by(world, google("a@example.org"))
    world.write("profiles", {"email": "a@example.org", "name": "Ana"})
    world.rows("UPDATE users SET email_verified = NULL")
    is_proven = "SELECT email_verified IS NOT NULL FROM users"
    await by(world, google("b@example.org"))
    assert world.rows(is_proven) == [(False,)]
    assert "userId" not in world.documents("profiles")[0]
    await by(await start(), google("a@example.org"))  # whose word is not enough there
    assert world.rows(is_proven) == [(False,)]
    await by(world, google("A@example.org"))
    assert world.rows(is_proven) == [(True,)]
    assert "userId" in world.documents("profiles")[0]


async def test_what_cannot_sign_in_is_told_to_the_sign_in_page(start: Start) -> None:
    world = await start(OAUTH_GOOGLE="trusted", OAUTH_GITHUB="disabled")
    world.make_user("locked@example.org", locked_at="2026-01-01")
    for said, fault in (
        (google(None), "EmailRequired"),
        (google("no address"), "EmailRequired"),
        (Said("github", "1", "a@example.org"), "ProviderDisabled"),
        (google("locked@example.org"), "AccessDenied"),
        (google("a@example.org", account="a\0"), "AccessDenied"),
        (google("a@example.org", account=""), "AccessDenied"),
    ):
        assert await by(world, said) == (f"/signin?error={fault}", None)
    assert world.rows("SELECT (SELECT count(*) FROM accounts), (SELECT count(*) FROM sessions)") == [(0, 0)]


async def test_a_mail_asks_first_and_the_answer_links_and_signs_in(world: World) -> None:
    assert await by(world, google("a@example.org", name="Ana")) == (SENT, None)
    assert world.rows("SELECT count(*) FROM users") == [(0,)]
    (mail,) = mails_of(world)
    assert mail.link.startswith("http://localhost:3000/confirm-sign-in?token=")
    assert len(mail.token) == 32
    kept = world.rows("SELECT verification_token, email, oauth_profile->>'name' FROM oauth_verifications")
    assert kept == [(hashlib.sha256(f"{mail.token}{SECRET}".encode()).hexdigest(), "a@example.org", "Ana")]
    browser = world.client()
    answer = await browser.post(COMPLETE, json={"token": mail.token})
    assert (answer.status_code, answer.json()) == (200, {"email": "a@example.org"})
    assert (await browser.get("/api/auth/session")).json()["user"]["email"] == "a@example.org"
    assert world.rows("SELECT u.name FROM users u JOIN accounts ON user_id = u.id") == [("Ana",)]
    assert world.rows("SELECT count(*) FROM oauth_verifications") == [(0,)]
    assert (await by(world, google("a@example.org")))[0] == "/"  # nobody is asked again


async def test_the_page_of_the_link_is_there(world: World) -> None:
    for path in ("/confirm-sign-in", "/confirm-address", "/pages/confirm.js"):
        assert (await world.client().get(path)).status_code == 200


async def test_while_one_waits_no_other_is_made(world: World) -> None:
    answers = await asyncio.gather(*(by(world, google("a@example.org")) for _ in range(5)))
    assert answers == [(SENT, None)] * 5
    assert len(mails_of(world)) == 1
    world.rows("UPDATE oauth_verifications SET expires_at = now()")
    await by(world, google("a@example.org"))
    assert len(mails_of(world)) == 2
    assert world.rows("SELECT count(*) FROM oauth_verifications") == [(1,)]


async def test_where_no_mail_can_be_sent_nothing_waits(start: Start, tmp_path: Any) -> None:
    (tmp_path / "file").touch()
    world = await start(MAIL=f"file:{tmp_path / 'file' / 'no folder'}")
    assert await by(world, google("a@example.org")) == ("/signin?error=VerificationFailed", None)
    assert world.rows("SELECT count(*) FROM oauth_verifications") == [(0,)]


async def test_mails_of_verification_are_limited_like_links(start: Start) -> None:
    world = await start(LINKS_PER_HOUR="1")
    assert (await by(world, google("a@example.org", "1")))[0] == SENT
    assert (await by(world, google("a@example.org", "2")))[0] == "/signin?error=VerificationFailed"
    assert len(mails_of(world)) == 1


async def test_a_host_may_set_off_so_many_mails_of_verification(start: Start) -> None:
    world = await start(LINKS_PER_HOUR_AND_HOST="2")
    told = [(await by(world, google(f"{one}@example.org", one)))[0] for one in "abc"]
    assert told == [SENT, SENT, "/signin?error=VerificationFailed"]
    elsewhere = from_a_browser("192.0.2.7")
    assert (await by(world, google("c@example.org", "c"), elsewhere))[0] == SENT
    assert len(mails_of(world)) == 3


async def test_a_sign_in_takes_the_place_of_the_session_that_the_browser_had(start: Start) -> None:
    world = await start(OAUTH_GITHUB="trusted")
    before, browser = world.signed_in("before@example.org")
    await by(world, google("a@example.org"))
    answer = await browser.post(COMPLETE, json={"token": mails_of(world)[0].token})
    assert answer.status_code == 200
    assert world.rows("SELECT u.email FROM sessions JOIN users u ON u.id = user_id") == [("a@example.org",)]
    request = from_a_browser(cookie=f"authjs.session-token={world.make_session(before)}")
    await by(world, Said("github", "1", "b@example.org"), request)
    found = world.rows("SELECT u.email FROM sessions JOIN users u ON u.id = user_id ORDER BY 1")
    assert found == [("a@example.org",), ("b@example.org",)]


async def test_of_many_answers_one_counts(world: World) -> None:
    await by(world, google("a@example.org"))
    token = mails_of(world)[0].token
    answers = await asyncio.gather(*(completed(world, token) for _ in range(6)))
    assert sorted(status for status, _ in answers) == [200, *[400] * 5]
    assert {body["code"] for status, body in answers if status == 400} == {"token-invalid"}
    assert world.rows("SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM sessions)") == [(1, 1)]


async def test_answers_without_a_good_token_are_refused(world: World) -> None:
    await by(world, google("a@example.org"))
    token = mails_of(world)[0].token
    for wrong in (None, ""):
        assert (await completed(world, wrong))[1]["code"] == "token-missing"
    assert (await completed(world, "x" * 32))[1]["code"] == "token-invalid"
    world.rows("UPDATE oauth_verifications SET expires_at = now() - interval '1 second'")
    status, body = await completed(world, token)
    assert (status, body["code"]) == (400, "token-expired")
    assert world.rows("SELECT count(*) FROM oauth_verifications") == [(0,)]
    assert (await completed(world, token))[1]["code"] == "token-invalid"
    assert world.rows("SELECT count(*) FROM users") == [(0,)]


async def test_an_account_of_another_or_a_locked_user_is_refused_and_nothing_changes(world: World) -> None:
    await by(world, google("a@example.org"))
    token = mails_of(world)[0].token
    user = world.make_user("a@example.org", locked_at="2026-01-01")
    assert (await completed(world, token))[0] == 403
    world.rows("UPDATE users SET locked_at = NULL WHERE id = %s", user)
    other = world.make_user("b@example.org")
    link = "INSERT INTO accounts (id, user_id, type, provider, provider_account_id)"
    link += " VALUES (%s, %s, 'oauth', 'google', '1')"
    world.rows(link, new_id(), other)
    status, body = await completed(world, token)
    assert (status, body["code"]) == (409, "account-linked")
    counts = "SELECT (SELECT count(*) FROM sessions), (SELECT count(*) FROM oauth_verifications)"
    assert world.rows(counts) == [(0, 1)]
