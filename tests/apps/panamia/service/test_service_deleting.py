"""People deleted while they do something, or behind a switch: nothing of theirs is left behind in either database."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest
from bson import ObjectId
from psycopg.conninfo import make_conninfo
from pymongo import MongoClient
from pymongo.errors import AutoReconnect

from apps.panamia.models.ids import new_id
from apps.panamia.scripts.deleting.documents import Documents
from apps.panamia.service.profiles.documents import DocumentProfiles
from apps.panamia.service.profiles.rows import RowProfiles
from tests.apps.panamia.conftest import isthmus
from tests.apps.panamia.service.conftest import World
from tests.apps.panamia.service.deleted import Deletion, deletion
from tests.apps.panamia.service.profile_homes import Home
from tests.apps.panamia.service.relaying import relay

pytestmark = pytest.mark.anyio
EMAIL = "ana@example.org"
NEW = {"email": EMAIL, "name": "Ana", "website": "ana.example"}


@pytest.fixture
def delete(world: World, monkeypatch: pytest.MonkeyPatch) -> Deletion:
    """What deletes somebody, as an operator would, and returns the exit code."""
    return deletion(world, monkeypatch, EMAIL)


async def until(world: World, query: str) -> None:
    """Wait until a query answers yes."""
    async with asyncio.timeout(30):
        while world.rows(query) != [(True,)]:
            await asyncio.sleep(0.02)


def left(world: World) -> tuple[int, int, int]:
    """Users, rows and documents of profiles, once the outbox is applied."""
    assert relay(world)["parked"] == 0
    ((users, rows),) = world.rows("SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM profiles)")
    return users, rows, len(world.documents("profiles"))


def asked(client: Any, what: str) -> Awaitable[Any]:
    """Claim the profile that has the address, or begin one."""
    return client.get("/api/profile") if what == "claim" else client.post("/api/profile", json=NEW)


@pytest.mark.parametrize("what", ["claim", "begin"])
@pytest.mark.parametrize("home", ["mongodb", "postgres"])
async def test_who_claims_or_begins_a_profile_first_loses_it_to_the_deletion(
    world: World, delete: Deletion, monkeypatch: pytest.MonkeyPatch, home: str, what: str
) -> None:
    there = Home(world, home)
    user = world.make_user(EMAIL, email_verified="2026-01-01")
    client = world.client(world.make_session(user, hours=1))
    if what == "claim":
        await there.put(EMAIL, name="Ana", five_words="a b c d e")
    entered, go = asyncio.Event(), asyncio.Event()
    kind: Any = DocumentProfiles if home == "mongodb" else RowProfiles
    claim = kind.claim

    async def paused(self: Any, user_id: str, email: str) -> Any:
        entered.set()
        await go.wait()
        return await claim(self, user_id, email)

    monkeypatch.setattr(kind, "claim", paused)
    asking = asyncio.ensure_future(asked(client, what))
    await asyncio.wait_for(entered.wait(), 20)
    deleting = asyncio.ensure_future(delete())
    await until(
        world,
        "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
    )
    go.set()
    answer = await asking
    assert answer.status_code == (200 if what == "claim" else 201), answer.text
    assert answer.json()["profile"]["name"] == "Ana"
    assert await deleting == 0
    assert left(world) == (0, 0, 0)


@pytest.mark.parametrize("hours", [24 * 30, 1])
@pytest.mark.parametrize("what", ["claim", "begin"])
@pytest.mark.parametrize("home", ["mongodb", "postgres"])
async def test_who_comes_while_the_deletion_is_under_way_gets_no_profile_that_stays(
    world: World, delete: Deletion, home: str, what: str, hours: int
) -> None:
    """With a session of an hour the request prolongs it, so that the two wait for each other."""
    there = Home(world, home)
    user = world.make_user(EMAIL, email_verified="2026-01-01")
    client = world.client(world.make_session(user, hours=hours))
    if what == "claim":
        await there.put(EMAIL, name="Ana", five_words="a b c d e")
    world.rows("CREATE SEQUENCE deletions")
    world.rows(
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN IF nextval(''deletions'') > 1 THEN PERFORM pg_sleep(0.6); END IF; RETURN OLD; END'"
    )  # the first one is rehearsed
    world.rows("CREATE TRIGGER slow BEFORE DELETE ON users FOR EACH ROW EXECUTE FUNCTION slow()")
    deleting = asyncio.ensure_future(delete())
    await until(world, "SELECT last_value > 1 FROM deletions")
    answer = await asked(client, what)
    assert await deleting == 0
    assert answer.status_code in ({200, 201, 401} if hours == 1 else {200, 401}), answer.text
    if hours > 1:
        assert answer.status_code == 401 or answer.json()["profile"] is None
    assert left(world) == (0, 0, 0)
    assert (await client.get("/api/profile")).status_code == 401


@pytest.mark.parametrize("user", [True, False])
async def test_sessions_of_the_address_are_cancelled_like_those_of_the_id(
    world: World, delete: Deletion, user: bool
) -> None:
    if user:
        world.make_user(EMAIL)
    other = world.make_user("other@example.org")
    insert = "INSERT INTO mentor_sessions (id, session_id, mentor_email, mentee_email, mentor_user_id, mentee_user_id,"
    insert += " topic, scheduled_at, status) VALUES (%s, %s, %s, %s, %s, %s, 'topic', now(), %s)"
    rows = {
        "mentor": (EMAIL, "x@example.org", None, None, "scheduled"),
        "mentee": ("x@example.org", EMAIL.upper(), other, None, "pending"),
        "over": (EMAIL, "x@example.org", None, None, "completed"),
        "another's": (EMAIL, "x@example.org", other, None, "pending"),
        "nobody's": ("y@example.org", "x@example.org", None, None, "pending"),
    }
    for name, values in rows.items():
        world.rows(insert, new_id(), name, *values)
    documents = {name: ObjectId() for name in rows}
    world.write(
        "mentorSessions",
        *(
            {"_id": documents[name], "mentorEmail": mentor, "menteeEmail": mentee, "status": status}
            | ({"mentorUserId": mentor_id} if mentor_id else {})
            for name, (mentor, mentee, mentor_id, _, status) in rows.items()
        ),
    )
    assert await delete() == 0
    found = world.rows("SELECT session_id, status, cancel_reason IS NOT NULL FROM mentor_sessions")
    assert {name: status for name, status, _ in found} == {
        "mentor": "cancelled",
        "mentee": "cancelled",
        "over": "completed",
        "another's": "pending",
        "nobody's": "pending",
    }
    assert {name for name, _, reason in found if reason} == {"mentor", "mentee"}
    assert relay(world)["parked"] == 0
    statuses = {one["_id"]: one["status"] for one in world.documents("mentorSessions")}
    assert {name: statuses[key] for name, key in documents.items()} == {name: status for name, status, _ in found}


async def test_a_deletion_that_is_done_says_so_whatever_fails_behind_it(
    world: World, delete: Deletion, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    world.make_user(EMAIL)
    look, turns = Documents.look, 0

    async def failing(self: Documents, report: Any) -> None:
        nonlocal turns
        turns += 1
        if turns == 3:  # behind the rehearsal and the deletion
            raise AutoReconnect("a secret")
        await look(self, report)

    monkeypatch.setattr(Documents, "look", failing)
    assert await delete() == 1
    said = capsys.readouterr()
    assert "removed     users" in said.out
    assert f"{EMAIL} is deleted" in said.err
    assert "was not looked for" in said.err
    assert "secret" not in said.err
    assert world.rows("SELECT count(*) FROM users") == [(0,)]


async def test_a_deletion_that_was_undone_for_others_is_done_again(world: World, delete: Deletion) -> None:
    world.make_user(EMAIL)
    world.rows("CREATE SEQUENCE turns")
    world.rows(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF nextval(''turns'') IN (1, 3, 4) THEN"
        " RAISE EXCEPTION USING ERRCODE = ''40P01''; END IF; RETURN OLD; END'"
    )
    world.rows("CREATE TRIGGER refuse BEFORE DELETE ON users FOR EACH ROW EXECUTE FUNCTION refuse()")
    assert await delete() == 0
    assert world.rows("SELECT count(*) FROM users") == [(0,)]


# Behind a switch


OLD = "waiting@example.org"


def carried(world: World, *, switched: bool) -> dict[str, ObjectId]:
    """Carry a profile that waits for somebody, and another one's that is linked with it; let them live elsewhere."""
    documents = {"ana": ObjectId(), "beto": ObjectId()}
    world.write(
        "profiles",
        {"_id": documents["ana"], "email": OLD, "name": "Ana"},
        {
            "_id": documents["beto"],
            "email": "beto@example.org",
            "name": "B",
            "linked_profiles": [str(documents["ana"])],
        },
    )
    command = ["switch", "run"] if switched else ["copy"]
    words = ["profiles", "--mapping", "mapping.yaml"] if switched else ["mapping.yaml", "--only", "profiles"]
    ran = isthmus(*command, *words, "--source", world.mongodb, database=world.postgres)
    assert ran.code == 0, ran.said
    return documents


async def test_the_copy_in_mongodb_goes_with_a_profile_that_lives_in_postgresql(
    world: World, delete: Deletion, capsys: pytest.CaptureFixture[str]
) -> None:
    """Claimed and renamed since, so that only ids tell whose the copy is; the fence stands, and no event may pass."""
    documents = carried(world, switched=True)
    user = world.make_user(EMAIL)
    world.rows("UPDATE profiles SET user_id = %s, email = %s WHERE email = %s", user, EMAIL, OLD)
    copies = world.documents("profiles")
    told = "removed     MongoDB profiles       1  the old copy: profiles live in PostgreSQL"
    assert await delete(EMAIL, "--dry-run") == 0
    assert told in (said := capsys.readouterr().out), said
    assert world.documents("profiles") == copies
    assert world.rows("SELECT count(*) FROM users") == [(1,)]

    assert await delete() == 0
    said = capsys.readouterr()
    assert told in said.out
    assert "kept        MongoDB profiles       1  old copies of other members' name it; nobody reads them" in said.out
    assert "were written meanwhile" not in said.err
    assert relay(world) == {"applied": 0, "parked": 0}
    assert [one["_id"] for one in world.documents("profiles")] == [documents["beto"]]
    assert world.rows("SELECT email FROM profiles") == [("beto@example.org",)]
    back = isthmus(
        "switch", "back", "profiles", "--mapping", "mapping.yaml", "--source", world.mongodb, database=world.postgres
    )
    assert back.code == 1
    assert "switch-back-written" in back.said
    assert [one["_id"] for one in world.documents("profiles")] == [documents["beto"]]


async def test_the_copy_in_postgresql_goes_with_a_profile_that_lives_in_mongodb(
    world: World, delete: Deletion, capsys: pytest.CaptureFixture[str]
) -> None:
    documents = carried(world, switched=False)
    user = world.make_user(EMAIL)
    with MongoClient[dict[str, Any]](world.mongodb) as client:
        now = {"$set": {"userId": user, "email": EMAIL}}
        client.get_default_database()["profiles"].update_one({"_id": documents["ana"]}, now)
    assert await delete() == 0
    assert "removed     profiles               1  a copy: profiles live in MongoDB" in (
        said := capsys.readouterr().out
    ), said
    assert left(world) == (0, 1, 1)
    assert world.rows("SELECT email FROM profiles") == [("beto@example.org",)]
    switched = isthmus(
        "switch", "run", "profiles", "--mapping", "mapping.yaml", "--source", world.mongodb, database=world.postgres
    )
    assert world.rows("SELECT email FROM profiles") == [("beto@example.org",)], switched.said


async def test_another_one_s_profile_stays_whatever_an_old_copy_says(world: World, delete: Deletion) -> None:
    """The copy in MongoDB has the address of who goes; the profile was given to another member since."""
    carried(world, switched=True)
    world.make_user(OLD)
    other = world.make_user("other@example.org")
    world.rows("UPDATE profiles SET user_id = %s, email = 'other@example.org' WHERE email = %s", other, OLD)
    assert await delete(OLD) == 0
    assert world.rows("SELECT user_id FROM profiles WHERE email = 'other@example.org'") == [(other,)]
    assert [one["email"] for one in world.documents("profiles")] == ["beto@example.org"]


async def test_a_copy_that_comes_late_goes_too(
    world: World, delete: Deletion, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where no fence could be raised, a program that does not ask where profiles live may write one."""
    Home(world, "postgres")
    user = world.make_user(EMAIL)
    delete_old = Documents.delete_old

    async def then_written(self: Documents) -> int:
        gone = await delete_old(self)
        if not world.documents("profiles"):
            world.write("profiles", {"userId": user, "email": EMAIL})
            monkeypatch.setattr(Documents, "delete_old", delete_old)
        return gone

    world.write("profiles", {"userId": user, "email": EMAIL})
    monkeypatch.setattr(Documents, "delete_old", then_written)
    assert await delete() == 0
    assert "1 more documents" in capsys.readouterr().err
    assert world.documents("profiles") == []


async def test_where_the_old_copy_cannot_be_deleted_nothing_is(
    world: World, delete: Deletion, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Home(world, "postgres")
    user = world.make_user(EMAIL)
    world.write("profiles", {"userId": user, "email": EMAIL})

    async def failing(_: Documents) -> int:
        raise AutoReconnect("a secret")

    with monkeypatch.context() as patch:
        patch.setattr(Documents, "delete_old", failing)
        assert await delete() == 1
    said = capsys.readouterr().err
    assert "did not delete the old copy" in said
    assert "secret" not in said
    assert world.rows("SELECT count(*) FROM users") == [(1,)]
    assert await delete() == 0
    assert left(world) == (0, 0, 0)


async def test_a_role_that_may_not_ask_which_is_which_is_refused(
    world: World, delete: Deletion, capsys: pytest.CaptureFixture[str]
) -> None:
    world.make_user(EMAIL)
    world.write("profiles", {"email": EMAIL})
    name, owner = f"leaver_{new_id()}", world.postgres
    world.rows(f'CREATE ROLE "{name}" LOGIN')
    try:
        world.rows(f'GRANT ALL ON ALL TABLES IN SCHEMA public TO "{name}"')
        world.rows(f'GRANT USAGE ON SCHEMA isthmus TO "{name}"')
        world.rows(f'GRANT SELECT, UPDATE ON isthmus.switch, isthmus.switch_move TO "{name}"')
        world.postgres = make_conninfo(owner, user=name)
        assert await delete() == 1
        said = capsys.readouterr().err
        assert "GRANT SELECT ON isthmus.id_key, isthmus.id_map" in said
    finally:
        world.postgres = owner
        world.rows(f'DROP OWNED BY "{name}"')
        world.rows(f'DROP ROLE "{name}"')
    assert world.rows("SELECT count(*) FROM users") == [(1,)]
