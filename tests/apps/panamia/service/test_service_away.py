"""MongoDB goes away under the service, and comes back; PostgreSQL goes away."""

from __future__ import annotations

import asyncio
import time

import pytest
from pymongo.errors import AutoReconnect, ExecutionTimeout, NetworkTimeout, OperationFailure, PyMongoError

from apps.panamia.service import mongo
from tests.apps.panamia.service.conftest import Start, World
from tests.fix_mongo import WireServer, database_url

pytestmark = pytest.mark.anyio


@pytest.fixture
async def own(start: Start, own_mongo: WireServer) -> World:
    """The service on a MongoDB that may be stopped."""
    return await start(MONGODB_URI=database_url(own_mongo.url, "panamia"), MONGODB_TIMEOUT_MS="1000")


async def test_what_needs_no_mongodb_goes_on_while_it_is_away(own: World, own_mongo: WireServer) -> None:
    user, client = own.signed_in("a@example.org", screenname="anna")
    own.write("profiles", {"userId": user, "email": "a@example.org", "name": "Anna", "five_words": "a b c d e"})
    assert (await client.get("/api/profile")).json()["profile"]["name"] == "Anna"
    own_mongo.stop()

    answer = (await client.get("/api/profile")).json()
    assert (answer["profile"], answer["profileUnavailable"]) == (None, True)
    assert answer["user"]["id"] == user
    assert (await client.get("/api/auth/session")).status_code == 200
    assert (await client.get("/api/notifications")).json()["total"] == 0
    ready = await client.get("/ready")
    assert (ready.status_code, ready.json()) == (200, {"status": "degraded", "postgres": "up", "mongodb": "down"})

    own_mongo.start()
    give_up_at = time.monotonic() + 20
    while (answer := (await client.get("/api/profile")).json())["profileUnavailable"]:
        assert time.monotonic() < give_up_at, "it does not recover by itself"
        await asyncio.sleep(0.1)
    assert answer["profile"]["name"] == "Anna"
    assert (await client.get("/ready")).json()["status"] == "ok"


async def test_who_waits_for_mongodb_keeps_nobody_else_waiting(start: Start, own_mongo: WireServer) -> None:
    world = await start(MONGODB_URI=database_url(own_mongo.url, "panamia"), MONGODB_TIMEOUT_MS="20000")
    _, client = world.signed_in("a@example.org")
    assert (await client.get("/api/profile")).json()["profileUnavailable"] is False
    with own_mongo.hanging():
        change = asyncio.create_task(
            client.post("/api/user/request-email-migration", json={"newEmail": "b@example.org"})
        )
        await asyncio.sleep(0.5)
        other = world.client()  # of the same network host
        asked = asyncio.create_task(other.post("/api/auth/signin/email", json={"email": "c@example.org"}))
        await asyncio.wait([change, asked], return_when=asyncio.FIRST_COMPLETED)
        assert asked.done()
        assert not change.done()
    assert asked.result().status_code == 202
    assert (await change).status_code == 202


async def test_nobody_waits_for_a_mongodb_that_was_away_a_moment_ago(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mongo, "_ASKED_AGAIN_AFTER", 3_600.0)
    asked = 0

    async def work(_: object) -> None:
        nonlocal asked
        asked += 1
        raise AutoReconnect

    there = mongo.Mongo("mongodb://127.0.0.1:1/nothing", 1_000)
    for _ in range(3):
        with pytest.raises(mongo.MongoAwayError):
            await there.ask(work)
    assert asked == 1
    await there.close()


async def test_one_asks_for_all_whether_it_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mongo, "_ASKED_AGAIN_AFTER", 0.0)
    there = mongo.Mongo("mongodb://127.0.0.1:1/nothing", 3_600_000)
    asked, back, going = 0, False, asyncio.Event()

    async def work(_: object) -> str:
        nonlocal asked
        asked += 1
        if asked > 1:
            going.set()
            await asyncio.sleep(0.05)
        if not back:
            raise AutoReconnect
        return "an answer"

    with pytest.raises(mongo.MongoAwayError):
        await there.ask(work)
    back = True
    first = asyncio.create_task(there.ask(work))
    await going.wait()
    for _ in range(5):
        with pytest.raises(mongo.MongoAwayError):
            await there.ask(work)
    assert asked == 2
    assert await first == "an answer"
    assert await there.ask(work) == "an answer"
    await there.close()


@pytest.mark.parametrize("fault", [NetworkTimeout(), ExecutionTimeout("slow", 50), OperationFailure("not you", 13)])
async def test_what_befalls_one_request_is_not_told_to_others(fault: PyMongoError) -> None:
    there = mongo.Mongo("mongodb://127.0.0.1:1/nothing", 1_000)

    async def slow(_: object) -> None:
        raise fault

    async def quick(_: object) -> str:
        return "an answer"

    with pytest.raises(mongo.MongoAwayError):
        await there.ask(slow)
    assert await there.ask(quick) == "an answer"
    await there.close()


async def test_without_postgresql_every_answer_says_so(start: Start) -> None:
    world = await start(POSTGRES_URL="host=127.0.0.1 port=1 dbname=nothing user=nobody")
    client = world.client("some session")
    for path in ("/api/profile", "/api/notifications", "/api/auth/session"):
        answer = await client.get(path)
        assert (answer.status_code, answer.json()["code"]) == (503, "postgres-away"), path
        assert answer.headers["retry-after"] == "1"
    ready = await client.get("/ready")
    assert (ready.status_code, ready.json()["postgres"]) == (503, "down")
    assert (await client.get("/health")).json() == {"status": "ok"}
