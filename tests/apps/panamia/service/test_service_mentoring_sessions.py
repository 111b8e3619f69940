"""Mentoring sessions from the request to the notes, who is told, and whose carried ones are."""

from __future__ import annotations

import datetime
from typing import Any

import httpx
import psycopg
import pytest

from tests.apps.panamia.service.articles_made import about, told
from tests.apps.panamia.service.conftest import ADMIN, Start, World
from tests.apps.panamia.service.profile_homes import Home
from tests.apps.panamia.service.sessions_made import ACTIONS, STATUSES, TOPIC, column, expected, make_session
from tests.fix_mongo import WireServer, database_url

pytestmark = pytest.mark.anyio
URL = "/api/mentoring/sessions"


def ahead(**how: float) -> str:
    """A time from now on, with a zone."""
    zone = datetime.timezone(datetime.timedelta(hours=-5))
    return (datetime.datetime.now(zone) + datetime.timedelta(**how)).isoformat()


def wanted(**more: object) -> dict[str, Any]:
    return {"scheduledAt": ahead(days=3), "topic": TOPIC, "sessionType": "artistic", **more}


@pytest.mark.parametrize("home", ["mongodb", "postgres"])
async def test_a_session_from_the_request_to_the_notes(world: World, home: str) -> None:
    mentor, mentors = world.signed_in("Mentor@Example.org", screenname="Mentora", email_verified="2026-01-01")
    mentee, mentees = world.signed_in("mentee@example.org", screenname="Béto")
    await Home(world, home).put("mentor@example.org", userId=mentor, name="M", mentoring={"enabled": True})
    asked = await mentees.post(URL, json=wanted(screenname="MENTORA", duration=15))
    assert asked.status_code == 201
    session = asked.json()
    key = session["id"]
    assert (session["status"], session["duration"], session["topic"], session["you"]) == (
        "pending",
        15,
        TOPIC,
        "mentee",
    )
    assert session["mentor"] == {"id": mentor, "screenname": "Mentora", "name": "Mentora"}
    assert "@" not in asked.text
    assert told(world) == about(key, "Invite", "mentoring", mentee, mentor)
    stored = column(world, key, "mentor_user_id", "mentor_email", "mentee_user_id", "mentee_email")
    assert stored == (mentor, "mentor@example.org", mentee, "mentee@example.org")
    assert len(column(world, key, "session_id")) == 16

    assert (await mentors.post(f"{URL}/{key}/accept")).json()["status"] == "scheduled"
    assert told(world) == about(key, "Accept", "mentoring", mentor, mentee)
    assert (await mentees.put(f"{URL}/{key}/notes", json={"notes": "a\nb"})).json()["notes"] == "a\nb"
    done = (await mentors.post(f"{URL}/{key}/complete", json={})).json()
    assert (done["status"], done["notes"], done["completedAt"] is not None) == ("completed", "a\nb", True)
    assert (await mentors.put(f"{URL}/{key}/notes", json={"notes": ""})).json()["notes"] == ""
    assert told(world) == []
    assert (await mentees.get(f"{URL}/{key}")).json() == {**(await mentors.get(f"{URL}/{key}")).json(), "you": "mentee"}


async def test_refusals_and_cancellations_are_told_with_their_reason(world: World) -> None:
    mentor, mentors = world.signed_in("mentor@example.org")
    mentee, mentees = world.signed_in("mentee@example.org")
    key = make_session(world, mentor, mentee)
    declined = (await mentors.post(f"{URL}/{key}/decline", json={"reason": " No puedo. "})).json()
    assert (declined["status"], declined["declineReason"]) == ("declined", "No puedo.")
    assert column(world, key, "declined_by") == "mentor@example.org"
    assert told(world) == about(key, "Reject", "mentoring", mentor, mentee, message="No puedo.")
    for client, actor, other, side in ((mentors, mentor, mentee, "mentor"), (mentees, mentee, mentor, "mentee")):
        for status in ("pending", "scheduled"):
            key = make_session(world, mentor, mentee, status)
            cancelled = (await client.post(f"{URL}/{key}/cancel", json={"reason": "Lluvia"})).json()
            assert (cancelled["status"], cancelled["cancelledBy"], cancelled["cancelReason"]) == (
                "cancelled",
                side,
                "Lluvia",
            )
            assert column(world, key, "cancelled_by") == f"{side}@example.org"
            assert told(world) == about(key, "Delete", "mentoring", actor, other, message="Lluvia")


async def test_what_is_no_request_is_refused(world: World) -> None:
    mentor = world.make_user("mentor@example.org", screenname="Mentora")
    _, mentees = world.signed_in("mentee@example.org")
    await Home(world, "mongodb").put("mentor@example.org", userId=mentor, mentoring={"enabled": True})
    good = wanted(userId=mentor)
    wrong: list[dict[str, object]] = [
        {"duration": 14},
        {"duration": 121},
        {"duration": 2**70},
        {"duration": 15.5},
        {"topic": "1234"},
        {"topic": " 1234 "},
        {"topic": "x" * 201},
        {"topic": "12345\0"},
        {"sessionType": "party"},
        {"sessionType": None},
        {"scheduledAt": ahead(seconds=-1)},
        {"scheduledAt": ahead(days=800)},
        {"scheduledAt": "2030-01-01T00:00:00"},
        {"scheduledAt": 1893456000},
        {"scheduledAt": "1893456000"},
        {"scheduledAt": "9999-12-31T23:59:59-14:00"},
        {"scheduledAt": "0001-01-01T00:00:00+14:00"},
        {"screenname": "Mentora"},
        {"userId": None},
        {"mentorEmail": "mentor@example.org"},
        {"status": "scheduled"},
    ]
    for one in wrong:
        answer = await mentees.post(URL, json={**good, **one})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid"), one
    assert world.rows("SELECT count(*) FROM mentor_sessions") == [(0,)]
    assert told(world) == []
    assert (await mentees.post(URL, json={**good, "topic": "x" * 200, "duration": 120})).status_code == 201


async def test_reasons_and_notes_are_bounded(world: World) -> None:
    mentor, mentors = world.signed_in("mentor@example.org")
    key = make_session(world, mentor, None)
    for path in ("decline", "cancel"):
        for body in ({}, {"reason": ""}, {"reason": " "}, {"reason": "x" * 501}, {"reason": "a\0"}):
            assert (await mentors.post(f"{URL}/{key}/{path}", json=body)).status_code == 422
    agreed = make_session(world, mentor, None, "scheduled")
    for notes in ("x" * 5_001, "a\0", None):
        assert (await mentors.put(f"{URL}/{agreed}/notes", json={"notes": notes})).status_code == 422
    assert (await mentors.put(f"{URL}/{agreed}/notes", json={"notes": "x" * 5_000})).status_code == 200


async def test_who_is_asked_is_a_mentor_and_somebody_else(world: World) -> None:
    me, client = world.signed_in("me@example.org", screenname="Me")
    home = Home(world, "mongodb")
    await home.put("me@example.org", userId=me, mentoring={"enabled": True})
    own = await client.post(URL, json=wanted(userId=me))
    assert (own.status_code, own.json()["code"]) == (400, "own-session")
    for number, mentoring in enumerate(({}, {"enabled": False}, {"enabled": "yes"}, None, "x")):
        user = world.make_user(f"p{number}@example.org")
        await home.put(f"p{number}@example.org", userId=user, mentoring=mentoring)
        answer = await client.post(URL, json=wanted(userId=user))
        assert (answer.status_code, answer.json()["code"]) == (400, "no-mentor"), mentoring
    unclaimed = world.make_user("u@example.org")
    await home.put("u@example.org", userId=None, mentoring={"enabled": True})
    assert (await client.post(URL, json=wanted(userId=unclaimed))).json()["code"] == "no-mentor"
    locked = world.make_user("l@example.org", locked_at="2026-01-01T00:00:00Z")
    await home.put("l@example.org", userId=locked, mentoring={"enabled": True})
    for nobody in (locked, "nobody"):
        assert (await client.post(URL, json=wanted(userId=nobody))).status_code == 404
    assert (world.rows("SELECT count(*) FROM mentor_sessions"), told(world)) == ([(0,)], [])


async def test_while_mongodb_is_away_sessions_are_answered_and_not_asked_for(
    start: Start, own_mongo: WireServer
) -> None:
    world = await start(MONGODB_URI=database_url(own_mongo.url, "panamia"), MONGODB_TIMEOUT_MS="1000")
    mentor, mentors = world.signed_in("mentor@example.org")
    mentee, mentees = world.signed_in("mentee@example.org")
    await Home(world, "mongodb").put("mentor@example.org", userId=mentor, mentoring={"enabled": True})
    key = make_session(world, mentor, mentee)
    own_mongo.stop()
    answer = await mentees.post(URL, json=wanted(userId=mentor))
    assert (answer.status_code, answer.json()["code"]) == (503, "mongodb-away")
    assert (await mentors.post(f"{URL}/{key}/accept")).status_code == 200
    assert len((await mentees.get(URL)).json()["sessions"]) == 1
    assert told(world) == about(key, "Accept", "mentoring", mentor, mentee)


async def _act(client: httpx.AsyncClient, action: str, key: str) -> httpx.Response:
    if action == "note":
        return await client.put(f"{URL}/{key}/notes", json={"notes": "n"})
    body = {"accept": None, "complete": {}}.get(action, {"reason": "r"})
    return await client.post(f"{URL}/{key}/{action}", json=body)


async def test_each_action_in_each_state_by_each_person(world: World) -> None:
    people = {name: world.signed_in(f"{name}@example.org") for name in ("mentor", "mentee", "stranger")}
    people["admin"] = world.signed_in(ADMIN)
    make_session(world, people["mentor"][0], people["mentee"][0])
    key = world.rows("SELECT id FROM mentor_sessions")[0][0]
    wrong: list[object] = []
    with psycopg.connect(world.postgres, autocommit=True) as direct:
        direct.execute("CREATE TABLE kept AS SELECT * FROM mentor_sessions")
        for action in ACTIONS:
            for status in STATUSES:
                direct.execute("UPDATE kept SET status = %s", (status,))
                for who, (_, client) in people.items():
                    direct.execute("DELETE FROM mentor_sessions")
                    direct.execute("INSERT INTO mentor_sessions SELECT * FROM kept")
                    refused = expected(action, status, who)
                    answer = await _act(client, action, key)
                    seen = answer.status_code if answer.status_code >= 400 else None
                    same = direct.execute("SELECT count(*) FROM (TABLE mentor_sessions INTERSECT TABLE kept) AS s")
                    kept = same.fetchone() == (1,)
                    if seen != refused or kept != (refused is not None):
                        wrong.append((action, status, who, refused, answer.status_code, kept))
                    if who not in {"mentor", "mentee"}:
                        assert answer.json() == {"error": "Session not found"}
    assert wrong == []
    both_told = {(actor, target) for _, _, actor, target, _, _ in told(world)}
    mentor, mentee = people["mentor"][0], people["mentee"][0]
    assert both_told == {(mentor, mentee), (mentee, mentor)}


async def test_nobody_else_reads_or_lists_a_session(world: World) -> None:
    mentor, mentors = world.signed_in("mentor@example.org")
    key = make_session(world, mentor, None, notes="secret")
    for email in ("other@example.org", "mentee@example.org", ADMIN):
        proven = None if email.startswith("mentee") else "2026-01-01"  # who has the address has not proven it
        _, client = world.signed_in(email, email_verified=proven)
        for answer in (await client.get(f"{URL}/{key}"), await client.get(URL)):
            assert answer.json() in ({"error": "Session not found"}, {"sessions": [], "next": None})
    assert (await world.client().get(URL)).status_code == 401
    assert (await mentors.get(f"{URL}/{key}")).json()["notes"] == "secret"


async def test_carried_sessions_belong_to_whoever_has_proven_the_address(world: World) -> None:
    mentor, mentors = world.signed_in("Mentor@Example.ORG", email_verified="2026-01-01")
    mentee, mentees = world.signed_in("mentee@example.org", email_verified="2026-01-01")
    key = make_session(world, None, None, session_type=None)
    half = make_session(world, mentor, None)
    another_s = make_session(world, world.make_user("x@example.org"), None, mentee_email="y@example.org")
    assert {one["id"] for one in (await mentors.get(URL)).json()["sessions"]} == {key, half}
    assert {one["id"] for one in (await mentees.get(URL, params={"side": "mentee"})).json()["sessions"]} == {key, half}
    assert (await mentees.get(URL, params={"side": "mentor"})).json()["sessions"] == []
    assert (await mentors.get(f"{URL}/{another_s}")).status_code == 404
    shown = (await mentors.get(f"{URL}/{key}")).json()
    assert (shown["sessionType"], shown["mentee"]["id"], shown["you"]) == (None, mentee, "mentor")
    assert (await mentees.post(f"{URL}/{key}/accept")).status_code == 403
    assert (await mentors.post(f"{URL}/{key}/accept")).status_code == 200
    assert told(world) == about(key, "Accept", "mentoring", mentor, mentee)
    assert (await mentees.post(f"{URL}/{key}/cancel", json={"reason": "r"})).json()["cancelledBy"] == "mentee"
    assert told(world) == about(key, "Delete", "mentoring", mentee, mentor, message="r")


async def test_a_session_outlives_a_person(world: World) -> None:
    mentor, mentors = world.signed_in("mentor@example.org")
    mentee = world.make_user("mentee@example.org", screenname="Béto")
    key = make_session(world, mentor, mentee, cancelled_by="gone@example.org")
    world.rows("DELETE FROM users WHERE id = %s", mentee)
    shown = (await mentors.get(f"{URL}/{key}")).json()
    assert shown["mentee"] == {"id": None, "screenname": None, "name": "Former Member"}
    assert shown["cancelledBy"] is None
    assert (await mentors.post(f"{URL}/{key}/accept")).status_code == 200
    assert told(world) == []
    _, unproven = world.signed_in("mentee@example.org", email_verified=None)
    assert (await unproven.get(f"{URL}/{key}")).status_code == 404


async def test_whoever_changes_their_address_keeps_their_sessions(world: World) -> None:
    mentor, mentors = world.signed_in("new@example.org")
    key = make_session(world, mentor, None)
    _, finder = world.signed_in("mentor@example.org", email_verified="2026-01-01")  # who has the old one today
    assert (await finder.get(f"{URL}/{key}")).status_code == 404
    assert (await mentors.post(f"{URL}/{key}/cancel", json={"reason": "r"})).json()["cancelledBy"] == "mentor"


async def test_pages_of_sessions_neither_repeat_nor_leave_out(world: World) -> None:
    me, client = world.signed_in("me@example.org")
    same = [make_session(world, me, None, scheduled_at="2030-05-05") for _ in range(3)]
    early = make_session(world, None, me, "completed", scheduled_at="1931-05-05")
    late = make_session(world, me, me, scheduled_at="2031-05-05")
    order = [late, *sorted(same, reverse=True), early]
    for limit in (1, 2, 4, 5, 1_000):
        found: list[str] = []
        cursor: str | None = None
        for _ in range(10):
            params = {"limit": limit, **({"cursor": cursor} if cursor else {})}
            page = (await client.get(URL, params=params)).json()
            found += [one["id"] for one in page["sessions"]]
            assert len(page["sessions"]) <= limit
            cursor = page["next"]
            if cursor is None:
                break
        assert found == order
    done = (await client.get(URL, params={"status": "completed"})).json()["sessions"]
    assert [one["id"] for one in done] == [early]
    for wrong, code in (
        ({"cursor": "x"}, 400),
        ({"cursor": "never.a"}, 400),
        ({"limit": 0}, 422),
        ({"side": "x"}, 422),
    ):
        assert (await client.get(URL, params=wrong)).status_code == code


async def test_fifty_are_given_at_most(world: World) -> None:
    me, client = world.signed_in("me@example.org")
    world.rows(
        "INSERT INTO mentor_sessions (id, mentor_email, mentee_email, mentor_user_id, session_id, scheduled_at, topic)"
        " SELECT 'm' || lpad(n::text, 23, '0') || '', 'a', 'b', %s, n::text, now(), 'x'"
        " FROM generate_series(100, 151) AS n",
        me,
    )
    for params in ({}, {"limit": 51}):
        page = (await client.get(URL, params=params)).json()
        assert len(page["sessions"]) == 50
        rest = (await client.get(URL, params={"cursor": page["next"]})).json()
        assert (len(rest["sessions"]), rest["next"]) == (2, None)
