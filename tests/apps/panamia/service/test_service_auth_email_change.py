"""Changes of an address: every refusal, what changes with it, and what a crash leaves."""

from __future__ import annotations

import asyncio
import datetime
import hashlib
from pathlib import Path
from typing import Any

import httpx
import pytest
from bson import ObjectId

from apps.panamia.models.ids import new_id
from apps.panamia.service.mail import Letter
from apps.panamia.service.settings import Settings
from tests.apps.panamia.service.conftest import ORIGIN, SECRET, Start, World
from tests.apps.panamia.service.mails import mails_of
from tests.apps.panamia.service.relaying import relay
from tests.apps.panamia.service.sessions_made import column, make_session

pytestmark = pytest.mark.anyio
REQUEST, COMPLETE = "/api/user/request-email-migration", "/api/user/complete-email-migration"
OLD, NEW = "old@example.org", "new@example.org"


async def asked(client: httpx.AsyncClient, email: object) -> tuple[int, str | None]:
    answer = await client.post(REQUEST, json={"newEmail": email})
    return answer.status_code, answer.json().get("code")


async def completed(world: World, token: object) -> tuple[int, dict[str, Any]]:
    answer = await world.client().post(COMPLETE, json={"token": token})
    return answer.status_code, answer.json()


async def token_for(world: World, client: httpx.AsyncClient, email: str = NEW) -> str:
    assert await asked(client, email) == (202, None)
    return mails_of(world, email.strip().lower())[-1].token


async def test_the_address_changes_with_all_that_belongs_to_it(world: World) -> None:
    user, client = world.signed_in(OLD.title())
    other = world.client(world.make_session(user))
    await world.client().post("/api/auth/signin/email", json={"email": OLD})
    old_link = mails_of(world, OLD)[0].link
    profile = ObjectId()
    world.write("profiles", {"_id": profile, "userId": user, "email": "another@example.org", "name": "Ana"})
    token = await token_for(world, client, " New@Example.ORG ")
    kept = world.rows("SELECT migration_token, old_email, new_email FROM email_migrations")
    assert kept == [(hashlib.sha256(f"{token}{SECRET}".encode()).hexdigest(), OLD, NEW)]
    assert len(token) == 32
    assert world.rows("SELECT lower(email) FROM users") == [(OLD,)]

    assert await completed(world, token) == (200, {"email": NEW})
    assert world.rows("SELECT email, email_verified IS NOT NULL FROM users") == [(NEW, True)]
    counts = "SELECT (SELECT count(*) FROM sessions), (SELECT count(*) FROM email_migrations)"
    assert world.rows(counts) == [(0, 0)]
    for browser in (client, other):
        assert (await browser.get("/api/auth/session")).status_code == 401
    assert (await world.client().get(old_link)).headers["location"] == "/signin?error=Verification"
    assert [one.subject for one in mails_of(world, OLD)][-1] == "Your address was changed"
    assert relay(world) == {"applied": 1, "parked": 0}
    (document,) = world.documents("profiles")
    assert (document["_id"], document["email"], document["name"]) == (profile, NEW, "Ana")
    assert (await completed(world, token))[1]["code"] == "token-invalid"


async def test_what_cannot_be_is_refused_with_its_reason(world: World) -> None:
    _, client = world.signed_in(OLD)
    for email in (None, "", "no address", "a@b@c.org", "x" * 300 + "@example.org", "a@example.org\0"):
        assert await asked(client, email) == (400, "email-invalid")
    assert await asked(client, OLD.upper()) == (400, "email-same")
    assert (await world.client().post(REQUEST, json={"newEmail": NEW})).json() == {"error": "Unauthorized"}
    assert world.rows("SELECT count(*) FROM email_migrations") == [(0,)]
    assert not mails_of(world)


async def test_nobody_learns_by_the_answer_who_has_an_address_or_wants_it(world: World) -> None:
    """Whatever the address, the answer, the one behind it and what waits are the same; the mail alone tells."""
    world.make_user("Taken@Example.org")
    world.make_user("locked@example.org", locked_at="2026-01-01")
    _, somebody = world.signed_in("somebody@example.org")
    await token_for(world, somebody, "wanted@example.org")
    world.write("profiles", {"email": "Profile@Example.org"})
    told: set[str] = set()
    for number, email in enumerate(["free", "taken", "locked", "wanted", "profile"]):
        user, client = world.signed_in(f"{number}@example.org")
        world.write("profiles", {"userId": user, "email": f"{number}@example.org"})
        first = await client.post(REQUEST, json={"newEmail": f"{email}@example.org"})
        again = await client.post(REQUEST, json={"newEmail": "another@example.org"})
        waits = world.rows("SELECT length(migration_token) FROM email_migrations WHERE user_id = %s", user)
        headers = {name: value for name, value in first.headers.items() if name != "date"}
        told.add(f"{first.status_code} {first.json()} {headers} {again.status_code} {again.json()} {waits}")
        assert first.status_code == 202
        mail = mails_of(world, f"{email}@example.org")[-1]
        if email in {"free", "wanted"}:
            assert (await completed(world, mail.token))[0] == 200
        else:
            assert mail.link == f"{ORIGIN}/signin"
            assert "token" not in mail.text
    assert len(told) == 1, told


async def test_without_mongodb_an_address_in_use_is_no_quicker_to_be_told(start: Start) -> None:
    world = await start(MONGODB_URI="mongodb://127.0.0.1:9/panamia", MONGODB_TIMEOUT_MS="200")
    world.make_user("taken@example.org")
    _, client = world.signed_in(OLD)
    for email in ("taken@example.org", "free@example.org"):
        assert await asked(client, email) == (503, "mongodb-away")


async def test_mail_to_an_address_is_limited_whether_anybody_has_it(start: Start) -> None:
    world = await start(LINKS_PER_HOUR="2")
    world.make_user("taken@example.org")
    for email in ("taken@example.org", "free@example.org"):
        clients = [world.signed_in(f"{one}{email}")[1] for one in "abc"]
        assert [(await asked(one, email))[0] for one in clients] == [202, 202, 429]
    assert len(mails_of(world)) == 4


async def test_one_change_waits_at_a_time_for_a_user(world: World) -> None:
    _, client = world.signed_in(OLD)
    await token_for(world, client)
    assert await asked(client, "third@example.org") == (400, "change-pending")
    world.rows("UPDATE email_migrations SET expires_at = now()")
    assert await asked(client, "third@example.org") == (202, None)


async def test_of_many_who_ask_at_once_one_waits_and_of_many_who_want_one_address_one_gets_it(world: World) -> None:
    clients = [world.signed_in(f"{one}@example.org")[1] for one in "abcd"]
    answers = await asyncio.gather(*(asked(clients[0], f"{one}@example.net") for one in range(4)))
    assert sorted({code or "" for _, code in answers}) == ["", "change-pending"]
    assert world.rows("SELECT count(*) FROM email_migrations") == [(1,)]
    tokens = [await token_for(world, one) for one in clients[1:]]
    ended = await asyncio.gather(*(completed(world, one) for one in tokens))
    assert sorted(status for status, _ in ended) == [200, 400, 400]
    assert {body["code"] for status, body in ended if status == 400} == {"email-in-use"}
    assert world.rows("SELECT count(*) FROM users WHERE email = %s", NEW) == [(1,)]


async def test_links_without_a_good_token_are_refused(world: World) -> None:
    _, client = world.signed_in(OLD)
    token = await token_for(world, client)
    for wrong in (None, ""):
        assert (await completed(world, wrong))[1]["code"] == "token-missing"
    assert (await completed(world, "y" * 32))[1]["code"] == "token-invalid"
    world.rows("UPDATE email_migrations SET expires_at = now() - interval '1 second'")
    status, body = await completed(world, token)
    assert (status, body["code"]) == (400, "token-expired")
    assert world.rows("SELECT count(*) FROM email_migrations") == [(0,)]
    assert world.rows("SELECT email FROM users") == [(OLD,)]


async def test_an_address_that_somebody_took_meanwhile_is_refused_and_nothing_changes(world: World) -> None:
    user, client = world.signed_in(OLD)
    token = await token_for(world, client)
    world.make_user("NEW@example.org")
    status, body = await completed(world, token)
    assert (status, body["code"]) == (400, "email-in-use")
    assert world.rows("SELECT email FROM users WHERE id = %s", user) == [(OLD,)]
    assert (await client.get("/api/auth/session")).status_code == 200
    assert world.rows("SELECT count(*) FROM isthmus.outbox") == [(0,)]


async def test_a_change_of_an_address_that_is_no_more_is_refused(world: World) -> None:
    user, client = world.signed_in(OLD)
    token = await token_for(world, client)
    world.rows("UPDATE users SET email = 'moved@example.org' WHERE id = %s", user)
    assert (await completed(world, token))[1]["code"] == "token-invalid"
    world.rows("UPDATE users SET email = %s, locked_at = now() WHERE id = %s", OLD, user)
    assert (await completed(world, token))[0] == 403


async def test_of_many_who_complete_at_once_one_does(world: World) -> None:
    user, client = world.signed_in(OLD)
    world.write("profiles", {"userId": user, "email": OLD})
    token = await token_for(world, client)
    answers = await asyncio.gather(*(completed(world, token) for _ in range(5)))
    assert sorted(status for status, _ in answers) == [200, 400, 400, 400, 400]
    assert relay(world) == {"applied": 1, "parked": 0}


async def test_the_address_of_another_profile_is_in_use_for_who_has_one(world: World) -> None:
    user, client = world.signed_in(OLD)
    world.write("profiles", {"email": "New@Example.org", "name": "nobody's"})
    token = await token_for(world, client)  # without a profile it may be claimed
    world.write("profiles", {"userId": user, "email": OLD})
    assert (await completed(world, token))[1]["code"] == "email-in-use"
    world.rows("DELETE FROM email_migrations")
    assert await asked(client, NEW) == (202, None)
    assert mails_of(world, NEW)[-1].subject == "Your address is known at Pana MIA"
    assert world.rows("SELECT email FROM users") == [(OLD,)]


@pytest.mark.parametrize("home", ["mongodb", "postgres"])
@pytest.mark.parametrize("is_proven", [True, False])
async def test_a_profile_that_waits_for_the_old_address_goes_along(world: World, home: str, is_proven: bool) -> None:
    """Nobody would look for it behind the change. Of somebody who never proved the old address it is not."""
    proven = {} if is_proven else {"email_verified": None}
    user, client = world.signed_in(OLD, **proven)
    if home == "postgres":
        world.rows("UPDATE isthmus.switch SET home = 'postgres' WHERE collection = 'profiles'")
        world.rows("INSERT INTO profiles (id, email, name) VALUES (%s, %s, 'Ana')", "p" + "0" * 22 + "1", OLD)
    else:
        world.write("profiles", {"email": OLD.upper(), "name": "Ana"})
    assert (await completed(world, await token_for(world, client)))[0] == 200
    relay(world)
    if home == "postgres":
        found = world.rows("SELECT user_id, lower(email) FROM profiles")
    else:
        found = [(one.get("userId"), one["email"].lower()) for one in world.documents("profiles")]
    assert found == [(user, NEW) if is_proven else (None, OLD)]


async def test_a_profile_that_waits_for_the_old_address_keeps_the_new_one_from_being_anothers(world: World) -> None:
    user, client = world.signed_in(OLD, email_verified=datetime.datetime.now(datetime.UTC))
    world.write("profiles", {"email": OLD, "name": "Ana"}, {"email": NEW, "name": "another"})
    token = await token_for(world, client)
    assert (await completed(world, token))[1]["code"] == "email-in-use"
    assert world.rows("SELECT email FROM users WHERE id = %s", user) == [(OLD,)]
    assert [one["email"] for one in world.documents("profiles")] == [OLD, NEW]


async def test_the_old_address_is_told_whom_to_write_to(start: Start) -> None:
    for contact, told in {"help@example.org": "write to help@example.org", "": "tell the people of Pana MIA"}.items():
        world = await start(MAIL_REPLY_TO=contact)
        _, client = world.signed_in(f"{len(contact)}{OLD}")
        assert (await completed(world, await token_for(world, client, f"{len(contact)}{NEW}")))[0] == 200
        mail = mails_of(world, f"{len(contact)}{OLD}")[-1]
        assert f"If this was not you, {told} at once." in mail.text
        assert mail.reply_to == (contact or None)


async def test_who_has_no_profile_claims_the_one_of_the_new_address_at_the_next_sign_in(world: World) -> None:
    user, client = world.signed_in(OLD)
    world.write("profiles", {"email": NEW, "name": "Ana"})
    assert (await completed(world, await token_for(world, client)))[0] == 200
    await world.client().post("/api/auth/signin/email", json={"email": NEW})
    await world.client().get(mails_of(world, NEW)[-1].link)
    assert [one["userId"] for one in world.documents("profiles")] == [user]


async def test_without_mongodb_nothing_changes_and_the_link_stays_good(start: Start) -> None:
    world = await start()
    user, client = world.signed_in(OLD)
    token = await token_for(world, client)
    away = await start(MONGODB_URI="mongodb://127.0.0.1:9/panamia", MONGODB_TIMEOUT_MS="200")
    answer = await away.client().post(COMPLETE, json={"token": token})
    assert (answer.status_code, answer.json()["code"]) == (503, "mongodb-away")
    assert world.rows("SELECT email FROM users WHERE id = %s", user) == [(OLD,)]
    assert (await completed(world, token))[0] == 200


async def test_a_profile_in_postgresql_is_changed_in_the_same_transaction(world: World) -> None:
    user, client = world.signed_in(OLD)
    world.rows("UPDATE isthmus.switch SET home = 'postgres' WHERE collection = 'profiles'")
    world.rows(
        "INSERT INTO profiles (id, user_id, email, name) VALUES (%s, %s, %s, 'Ana')", "p" + "0" * 22 + "1", user, OLD
    )
    token = await token_for(world, client)
    assert (await completed(world, token))[0] == 200
    assert world.rows("SELECT email, name FROM profiles") == [(NEW, "Ana")]
    assert world.rows("SELECT count(*) FROM isthmus.outbox") == [(0,)]


@pytest.mark.parametrize("is_proven", [True, False])
async def test_sessions_of_mentoring_that_knew_the_old_address_alone_stay_the_persons(
    world: World, is_proven: bool
) -> None:
    """Of somebody who never proved the old address they are not theirs to keep."""
    proven = {} if is_proven else {"email_verified": None}
    user, client = world.signed_in(OLD, **proven)
    insert = "INSERT INTO mentor_sessions (id, mentor_email, mentee_email, session_id, scheduled_at, topic)"
    insert += " VALUES (%s, %s, %s, %s, now(), 't')"
    for number, (mentor, mentee) in enumerate([(OLD.upper(), "b@example.org"), ("b@example.org", OLD)]):
        world.rows(insert, new_id(), mentor, mentee, str(number))
    assert (await completed(world, await token_for(world, client)))[0] == 200
    found = world.rows("SELECT mentor_user_id, mentee_user_id FROM mentor_sessions ORDER BY session_id")
    assert found == ([(user, None), (None, user)] if is_proven else [(None, None)] * 2)


@pytest.mark.parametrize("is_proven", [True, False])
async def test_ones_own_sessions_of_mentoring_have_the_new_address_everywhere(world: World, is_proven: bool) -> None:
    proven = {} if is_proven else {"email_verified": None}
    user, client = world.signed_in(OLD, **proven)
    long_ago, other = "Long.Ago@example.org", "b@example.org"
    asked_of = make_session(world, user, None, "declined", mentor_email=long_ago, mentee_email=other)
    world.rows("UPDATE mentor_sessions SET declined_by = %s WHERE id = %s", f" {long_ago.upper()}", asked_of)
    asked_by = make_session(world, None, user, "cancelled", mentor_email=other, mentee_email=OLD, cancelled_by=other)
    strange = make_session(world, None, None, mentor_email=long_ago, mentee_email=other)
    assert (await completed(world, await token_for(world, client)))[0] == 200
    names = ("mentor_email", "mentee_email", "cancelled_by", "declined_by")
    assert column(world, asked_of, *names) == (NEW, other, None, NEW)
    assert column(world, asked_by, *names) == (other, NEW, other, None)
    assert column(world, strange, *names) == (long_ago, other, None, None)


async def test_where_no_mail_can_be_sent_nothing_waits(start: Start, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    world = await start(MAIL=f"file:{tmp_path / 'file' / 'no folder'}")
    _, client = world.signed_in(OLD)
    assert await asked(client, NEW) == (202, None)
    assert world.rows("SELECT count(*) FROM email_migrations") == [(0,)]


class Breaking:
    """A sender of somebody's own that raises what no sender should."""

    def __init__(self, settings: Settings) -> None: ...

    async def send(self, letter: Letter) -> None:
        raise KeyError(letter.text)


async def test_a_sender_of_ones_own_that_breaks_leaves_nothing_waiting_and_tells_nothing(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    world = await start(MAIL=f"{Breaking.__module__}:Breaking")
    _, client = world.signed_in(OLD)
    assert await asked(client, NEW) == (202, None)
    assert world.rows("SELECT count(*) FROM email_migrations") == [(0,)]
    assert "a mail that confirms an address was not sent: KeyError" in caplog.text
    assert "token" not in caplog.text


async def test_an_old_address_that_no_mail_can_go_to_stands_in_nobodys_way(world: World) -> None:
    _, client = world.signed_in("Ana\"María's <mail>@Example.org")
    assert await completed(world, await token_for(world, client)) == (200, {"email": NEW})
