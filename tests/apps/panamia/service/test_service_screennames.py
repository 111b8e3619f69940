"""Screen names: what one looks like, whose it is, how often it changes, and who of two gets it."""

from __future__ import annotations

import asyncio
import datetime
import json

import httpx
import psycopg
import pytest

from apps.panamia.service.profiles.naming import names_of_others
from apps.panamia.service.profiles.screennames import LONGEST, RESERVED, changes_again_at, why_not
from tests.apps.panamia.service.conftest import Start, World
from tests.apps.panamia.service.profile_homes import Home

pytestmark = pytest.mark.anyio
DAYS_90 = 90 * 24 * 3600


async def _set(client: httpx.AsyncClient, name: object) -> tuple[int, str | None]:
    answer = await client.post("/api/screenname", json={"screenname": name})
    body = answer.json()
    return answer.status_code, body["screenname"] if answer.status_code == 200 else body.get("code")


async def _available(client: httpx.AsyncClient, name: str) -> bool:
    answer = await client.get("/api/screenname/check", params={"name": name})
    assert answer.status_code == 200
    assert (answer.json()["reason"] is None) == answer.json()["available"]
    return answer.json()["available"]


def _age(world: World, user: str, days: float) -> None:
    """Let the last change of a name be so many days ago."""
    world.rows(
        "UPDATE users SET last_screenname_change = now() - make_interval(secs => %s) WHERE id = %s", days * 86_400, user
    )


@pytest.mark.parametrize(
    "name", ["abc", "a-b", "A_9", "9-9", "a" * LONGEST, "a--_b", "panama", "administrator1", "ADM1N"]
)
def test_names_that_somebody_can_have(name: str) -> None:
    assert why_not(name) is None


@pytest.mark.parametrize(
    "name",
    [
        "",
        "ab",
        "a" * (LONGEST + 1),
        "-ab",
        "ab-",
        "_ab",
        "ab_",
        "a b",
        "añb",
        "a.b",
        "abc\n",
        "a\0b",
        "\u0430bc",
        "a'b",
    ],
)
def test_names_that_nobody_can_have(name: str) -> None:
    assert why_not(name) is not None


def test_reserved_names_are_kept_back_in_capitals_or_not() -> None:
    assert len(RESERVED) == 24
    for name in RESERVED:
        for written in (name, name.upper(), name.title()):
            assert why_not(written) is not None, written


def test_first_name_starts_no_clock() -> None:
    assert changes_again_at(None) is None
    at = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    assert changes_again_at(at) == datetime.datetime(2026, 4, 1, tzinfo=datetime.UTC)


async def test_check_needs_nobody_signed_in(world: World) -> None:
    world.make_user("a@example.org", screenname="Taken_Name")
    nobody = world.client()
    assert await _available(nobody, "free-name")
    assert await _available(nobody, "  free-name ")
    for name in ("taken_name", "TAKEN_NAME", " Taken_Name ", "ab", "admin", "x" * 5_000, "a\0b"):
        assert not await _available(nobody, name), name
    for query in ({}, {"name": ""}, {"name": "  "}):
        assert (await nobody.get("/api/screenname/check", params=query)).status_code == 400


async def test_name_is_trimmed_set_and_told(world: World) -> None:
    user, client = world.signed_in("a@example.org")
    assert (await client.get("/api/screenname")).json() == {"screenname": None, "changesAgainAt": None}
    assert await _set(client, "  Ana_M ") == (200, "Ana_M")
    assert world.rows("SELECT screenname, last_screenname_change FROM users WHERE id = %s", user) == [("Ana_M", None)]
    assert (await client.get("/api/profile")).json()["user"]["screenname"] == "Ana_M"
    assert world.rows("SELECT count(*) FROM screenname_history") == [(0,)]


async def test_what_is_no_name_is_refused(world: World) -> None:
    _, client = world.signed_in("a@example.org")
    for name in ("ab", "admin", "a b", "-ab"):
        assert await _set(client, name) == (400, "screenname-invalid")
    for odd in (None, 3, "a\0b", "\ud800bc", "x" * 201):
        text = json.dumps({"screenname": odd})
        answer = await client.post("/api/screenname", content=text, headers={"content-type": "application/json"})
        assert answer.status_code == 422, odd
    nobody = world.client()
    for answer in (await nobody.get("/api/screenname"), await nobody.post("/api/screenname", json={"screenname": "x"})):
        assert (answer.status_code, answer.json()) == (401, {"error": "Unauthorized"})


async def test_name_changes_every_90_days_at_most(world: World) -> None:
    user, client = world.signed_in("a@example.org")
    assert await _set(client, "first") == (200, "first")
    assert await _set(client, "second") == (200, "second")  # the first one started no clock
    answer = await client.post("/api/screenname", json={"screenname": "third"})
    assert (answer.status_code, answer.json()["code"]) == (429, "screenname-too-soon")
    assert DAYS_90 - 60 < int(answer.headers["retry-after"]) <= DAYS_90
    at = (datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=90)).date().isoformat()
    assert at in answer.json()["error"]
    _age(world, user, 89.99)
    assert (await _set(client, "third"))[0] == 429
    _age(world, user, 90.001)
    assert await _set(client, "third") == (200, "third")
    assert (await _set(client, "fourth"))[0] == 429
    kept = world.rows("SELECT screenname, redirect_to, user_id FROM screenname_history ORDER BY created_at")
    assert kept == [("first", "third", user), ("second", "third", user)]


async def test_capitals_change_at_any_time_and_leave_no_trace(world: World) -> None:
    user, client = world.signed_in("a@example.org", screenname="ana_m")
    assert await _set(client, "Ana_M") == (200, "Ana_M")
    assert await _set(client, "Ana_M") == (200, "Ana_M")
    assert world.rows("SELECT last_screenname_change FROM users WHERE id = %s", user) == [(None,)]
    assert await _set(client, "other") == (200, "other")
    assert await _set(client, "OTHER") == (200, "OTHER")
    assert world.rows("SELECT screenname FROM screenname_history") == [("Ana_M",)]


async def test_former_names_are_nobody_elses(world: World) -> None:
    user, client = world.signed_in("a@example.org", screenname="First-Name")
    _, other = world.signed_in("b@example.org")
    assert await _set(client, "second") == (200, "second")
    for name in ("first-name", "FIRST-NAME", "Second"):
        assert not await _available(other, name)
        assert await _set(other, name) == (409, "screenname-taken")
        assert await _available(client, name)
    assert world.rows("SELECT screenname FROM users WHERE email = 'b@example.org'") == [(None,)]
    _age(world, user, 91)
    assert await _set(client, "first-name") == (200, "first-name")  # reclaimed
    _age(world, user, 91)
    assert await _set(client, "second") == (200, "second")  # and given up once more
    kept = world.rows("SELECT screenname, redirect_to FROM screenname_history ORDER BY screenname")
    assert kept == [("First-Name", "second"), ("second", "second")]


async def test_of_those_who_want_one_name_at_once_one_gets_it(world: World) -> None:
    people = [world.signed_in(f"{number}@example.org")[1] for number in range(5)]
    names = ["wanted", "WANTED", "Wanted", "wanteD", "wanted"]
    answers = await asyncio.gather(*(_set(one, name) for one, name in zip(people, names, strict=True)))
    assert sorted(code for code, _ in answers) == [200, 409, 409, 409, 409]
    assert world.rows("SELECT count(*) FROM users WHERE lower(screenname) = 'wanted'") == [(1,)]


async def test_two_changes_of_one_person_at_once_are_one(world: World) -> None:
    user, client = world.signed_in("a@example.org", screenname="first")
    second = world.client(world.make_session(user))
    answers = await asyncio.gather(_set(client, "one-name"), _set(second, "other-name"))
    assert sorted(code for code, _ in answers) == [200, 429]
    assert world.rows("SELECT screenname FROM screenname_history") == [("first",)]


async def test_name_that_is_given_up_this_moment_is_not_taken_by_another(world: World) -> None:
    """Whoever waits for the name gets past the unique index when it is given up, and finds it in the history then."""
    user = world.make_user("a@example.org", screenname="given-up")
    _, other = world.signed_in("b@example.org")
    with psycopg.connect(world.postgres) as owner:
        owner.execute("UPDATE users SET screenname = 'new-name' WHERE id = %s", (user,))
        owner.execute(
            "INSERT INTO screenname_history (id, screenname, user_id) VALUES ('zzzzzzzzzzzzzzzzzzzzzzzz', %s, %s)",
            ("given-up", user),
        )
        waiting = asyncio.create_task(_set(other, "Given-Up"))
        await asyncio.sleep(0.3)
        assert not waiting.done()
        owner.commit()
        assert await waiting == (409, "screenname-taken")


@pytest.mark.parametrize("of", ["mongodb", "postgres"])
async def test_name_that_leads_to_the_page_of_another_is_not_to_be_had(world: World, of: str) -> None:
    home = Home(world, of)
    maria, client = world.signed_in("maria@example.org")
    await home.put("maria@example.org", name="Maria", slug="maria-lopez", active=True, userId=maria)
    await home.put("old@example.org", name="Old", slug="Old-Slug", active=False)
    user, other = world.signed_in("x@example.org", screenname="before")
    for name in ("maria-lopez", "Maria-Lopez", "Old-Slug"):
        for somebody in (other, world.client()):
            assert not await _available(somebody, name), name
        assert await _set(other, name) == (409, "screenname-taken"), name
    assert world.rows("SELECT screenname, last_screenname_change FROM users WHERE id = %s", user) == [("before", None)]
    assert world.rows("SELECT count(*) FROM screenname_history") == [(0,)]
    assert await _available(client, "Maria-Lopez")
    assert await _set(client, "Maria-Lopez") == (200, "Maria-Lopez")


async def test_name_that_was_carried_with_the_slug_of_another_is_still_written_in_other_capitals(world: World) -> None:
    await Home(world, "mongodb").put("maria@example.org", name="Maria", slug="maria", active=True)
    _, client = world.signed_in("x@example.org", screenname="maria")
    assert await _available(client, "Maria")
    assert await _set(client, "Maria") == (200, "Maria")


async def test_name_and_slug_that_are_given_at_one_moment_differ(world: World) -> None:
    home = Home(world, "postgres")
    await home.put("maria@example.org", name="Maria")
    _, other = world.signed_in("x@example.org")
    with psycopg.connect(world.postgres) as beginning:
        beginning.execute("SELECT pg_advisory_xact_lock(hashtextextended('panamia.profiles.slug', 0))")
        beginning.execute("UPDATE profiles SET slug = 'maria'")
        asked = asyncio.create_task(_set(other, "Maria"))
        await asyncio.sleep(0.3)
        beginning.commit()
    assert await asked == (409, "screenname-taken")


async def test_without_mongodb_nobody_knows_whose_a_name_is(start: Start) -> None:
    world: World = await start(MONGODB_URI="mongodb://127.0.0.1:9/panamia", MONGODB_TIMEOUT_MS="200")
    world.make_user("a@example.org", screenname="taken")
    user, client = world.signed_in("x@example.org", screenname="mine")
    for away in (
        await client.get("/api/screenname/check", params={"name": "free"}),
        await client.post("/api/screenname", json={"screenname": "free"}),
    ):
        assert (away.status_code, away.json()["code"]) == (503, "mongodb-away")
    assert world.rows("SELECT screenname FROM users WHERE id = %s", user) == [("mine",)]
    assert not await _available(client, "taken")
    assert await _set(client, "taken") == (409, "screenname-taken")
    assert await _set(client, "MINE") == (200, "MINE")


async def test_names_near_a_slug_are_those_with_a_number(world: World) -> None:
    mine = world.make_user("a@example.org", screenname="ana-3")
    for number, name in enumerate(["ANA", "ana-2", "ana-maria", "anabel", "ana-2-x", "ana_9", "Ana-10"]):
        world.make_user(f"{number}@example.org", screenname=name)
    async with world.app.state.resources.sessions() as db:
        assert await names_of_others(db, "ana", mine) == {"ana", "ana-2", "ana-10"}
