"""MongoDB hangs under the service: it accepts connections, and answers nothing, or not in time.

Nothing here looks at a clock of its own: what is asserted is who was answered what, and who before whom. The profile is
read and written past the proxy that hangs.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from itertools import islice
from typing import Any

import httpx
import pytest
from pymongo.errors import NetworkTimeout, WTimeoutError

from apps.panamia.service import mongo
from tests.apps.panamia.service.conftest import Start, World
from tests.apps.panamia.service.hanging import Hanging, Way, hanging_before
from tests.fix_mongo import WireServer, database_url

pytestmark = pytest.mark.anyio
LONG = "60000"
"""Milliseconds, longer than any of these tests: what is answered meanwhile has not waited for it."""


@dataclass
class Ana:
    """Somebody with a profile in a MongoDB that hangs when it is told to.

    Attributes:
        world: The service.
        client: Signed in.
        proxy: What hangs.
    """

    world: World
    client: httpx.AsyncClient
    proxy: Hanging

    def profile(self) -> dict[str, Any]:
        """The document."""
        return self.world.documents("profiles")[0]


Come = Callable[..., Awaitable[Ana]]


@pytest.fixture
async def proxy(own_mongo: WireServer) -> AsyncIterator[Hanging]:
    """What hangs; it is there until the service has ended."""
    async with hanging_before(own_mongo.url) as proxy:
        yield proxy


@pytest.fixture
async def come(proxy: Hanging, start: Start, own_mongo: WireServer) -> AsyncIterator[Come]:
    """Return what starts the service with further settings: `ana = await come(POOL_SIZE="4")`."""

    async def came(**more: str) -> Ana:
        world = await start(MONGODB_URI=database_url(proxy.url, "panamia"), **more)
        world.mongodb = database_url(own_mongo.url, "panamia")
        user, client = world.signed_in("ana@example.org", screenname="ana")
        document = {"userId": user, "email": "ana@example.org", "name": "Ana", "five_words": "a b c d e"}
        world.write("profiles", document)
        assert (await client.patch("/api/profile", json={"details": "begun"})).status_code == 200
        return Ana(world, client, proxy)

    yield came
    proxy.go_on()


async def test_notifications_and_signing_out_go_on_while_mongodb_hangs(come: Come) -> None:
    ana = await come(POOL_SIZE="4", MONGODB_TIMEOUT_MS=LONG)
    _, other = ana.world.signed_in("bea@example.org")
    ana.proxy.hang()

    asked = [asyncio.create_task(ana.client.get("/api/profile")) for _ in range(12)]
    at_once = [(await one).json() for one in islice(asyncio.as_completed(asked), 10)]
    assert [one["profileUnavailable"] for one in at_once] == [True] * 10
    saved = await ana.client.patch("/api/profile", json={"details": "other"})
    assert (saved.status_code, saved.json()["code"]) == (503, "mongodb-away")
    assert (await ana.client.get("/api/notifications")).json()["total"] == 0
    assert (await other.post("/api/auth/signout")).status_code == 204
    waiting = [one for one in asked if not one.done()]
    assert len(waiting) == 2

    ana.proxy.go_on()
    assert [(await one).json()["profile"]["name"] for one in waiting] == ["Ana", "Ana"]
    again = await asyncio.gather(*(ana.client.get("/api/profile") for _ in range(12)))
    assert [one.json()["profileUnavailable"] for one in again] == [False] * 12


async def test_all_that_is_asked_at_once_has_one_time_together(come: Come) -> None:
    ana = await come()
    there = mongo.Mongo(database_url(ana.proxy.url, "panamia"), 60_000, answer_ms=1_000)
    await there.ping()
    ana.proxy.delay_seconds = 0.6

    async def two(database: mongo.Database) -> None:
        for _ in range(2):
            await database.command("ping")

    with pytest.raises(mongo.MongoAwayError):
        await there.ask(two)
    await there.close()


async def test_the_service_ends_while_mongodb_hangs(come: Come) -> None:
    ana = await come()
    seldom = ana.proxy.url.replace("heartbeatFrequencyMS=500", "heartbeatFrequencyMS=3600000")  # else that ends it, too
    there = mongo.Mongo(database_url(seldom, "panamia"), 300)
    await there.ping()
    ana.proxy.hang()
    async with asyncio.timeout(60):
        await there.close()


async def test_what_the_driver_has_no_time_for_ends_too() -> None:
    there = mongo.Mongo("mongodb://127.0.0.1:1/nothing", 100)
    with pytest.raises(mongo.MongoAwayError):
        async with asyncio.timeout(60):
            await there.ask(lambda _: asyncio.sleep(3_600))
    await there.close()


@pytest.mark.parametrize(("way", "details"), [("there", "begun"), ("back", "saved")])
async def test_a_save_without_an_answer_is_told_as_not_known_and_sent_once(come: Come, way: Way, details: str) -> None:
    ana = await come(MONGODB_TIMEOUT_MS="1000")
    ana.proxy.stop_at("findAndModify", way)
    answer = await ana.client.patch("/api/profile", json={"details": "saved"})
    assert (answer.status_code, answer.json()["code"]) == (503, "mongodb-unsure")
    assert "look first" in answer.json()["error"]
    assert "retry-after" not in answer.headers
    assert ana.proxy.seen == 1
    assert ana.profile()["details"] == details


async def test_a_beginning_without_an_answer_is_told_as_not_known(come: Come) -> None:
    ana = await come(MONGODB_TIMEOUT_MS="1000")
    _, bea = ana.world.signed_in("bea@example.org")
    ana.proxy.stop_at("insert", "back")
    new = {"email": "bea@example.org", "name": "Bea", "website": "https://bea.example.org"}
    answer = await bea.post("/api/profile", json=new)
    assert (answer.status_code, answer.json()["code"]) == (503, "mongodb-unsure")
    assert ana.proxy.seen == 1
    assert [one["name"] for one in ana.world.documents("profiles")] == ["Ana", "Bea"]
    ana.proxy.go_on()
    assert (await bea.get("/api/profile")).json()["profile"]["name"] == "Bea"


async def test_a_save_whose_hold_on_profiles_was_lost_meanwhile_is_told_as_not_known(come: Come) -> None:
    ana = await come()
    ana.proxy.stop_at("findAndModify", "back")
    asked = asyncio.create_task(ana.client.patch("/api/profile", json={"details": "saved"}))
    while ana.profile()["details"] != "saved":
        assert not asked.done(), asked.result().text
        await asyncio.sleep(0.02)
    ana.world.rows(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND state = 'idle in transaction'"
    )
    ana.proxy.go_on()
    answer = await asked
    assert (answer.status_code, answer.json()["code"]) == (503, "switch-lost")
    assert "look first" in answer.json()["error"]
    assert "retry-after" not in answer.headers


async def test_a_save_that_was_not_sent_is_told_as_away(come: Come) -> None:
    ana = await come(MONGODB_TIMEOUT_MS="1000")
    ana.proxy.stop_at("find", "back")
    answer = await ana.client.patch("/api/profile", json={"details": "saved"})
    assert (answer.status_code, answer.json()["code"]) == (503, "mongodb-away")
    ana.proxy.go_on()
    assert ana.profile()["details"] == "begun"


async def test_a_profile_whose_claim_has_no_answer_is_shown_as_not_to_be_had(come: Come) -> None:
    ana = await come(MONGODB_TIMEOUT_MS="1000")
    ana.world.write("profiles", {"email": "bea@example.org", "name": "Bea", "five_words": "a b c d e"})
    _, bea = ana.world.signed_in("bea@example.org")
    ana.proxy.stop_at("update", "back")
    answer = await bea.get("/api/profile")
    assert (answer.status_code, answer.json()["profileUnavailable"]) == (200, True)
    ana.proxy.go_on()
    assert (await bea.get("/api/profile")).json()["profile"]["name"] == "Bea"


async def test_a_write_that_not_enough_servers_have_is_told_as_not_known() -> None:
    there = mongo.Mongo("mongodb://127.0.0.1:1/nothing", 1_000)

    async def written(_: object) -> None:
        raise WTimeoutError("waiting for replication timed out", 64)

    with pytest.raises(mongo.MongoUnsureError):
        await there.ask(written)
    await there.close()


async def test_nobody_waits_once_some_in_a_row_had_no_answer(come: Come, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mongo, "_ASKED_AGAIN_AFTER", 3_600.0)
    ana = await come(MONGODB_TIMEOUT_MS="300")
    ana.proxy.hang()
    for _ in range(3):
        assert (await ana.client.get("/api/profile")).json()["profileUnavailable"] is True
    ana.proxy.go_on()
    assert (await ana.client.get("/api/profile")).json()["profileUnavailable"] is True


async def test_it_recovers_by_itself(come: Come) -> None:
    ana = await come(MONGODB_TIMEOUT_MS="300")
    ana.proxy.hang()
    for _ in range(5):
        assert (await ana.client.get("/api/profile")).json()["profileUnavailable"] is True
    ana.proxy.go_on()
    async with asyncio.timeout(60):
        while (await ana.client.get("/api/profile")).json()["profileUnavailable"]:
            await asyncio.sleep(0.1)
    assert (await ana.client.get("/ready")).json()["status"] == "ok"


async def test_slow_ones_in_a_row_are_no_outage_where_others_are_answered() -> None:
    there = mongo.Mongo("mongodb://127.0.0.1:1/nothing", 1_000)
    asked, on = asyncio.Event(), asyncio.Event()

    async def slow(_: object) -> None:
        raise NetworkTimeout

    async def slow_of_before(_: object) -> None:
        asked.set()
        await on.wait()
        raise NetworkTimeout

    async def quick(_: object) -> str:
        return "an answer"

    async def miss(work: Callable[[Any], Awaitable[None]], times: int) -> None:
        for _ in range(times):
            with pytest.raises(mongo.MongoAwayError):
                await there.ask(work)

    older = asyncio.create_task(miss(slow_of_before, 1))
    await asked.wait()
    await miss(slow, 2)
    assert await there.ask(quick) == "an answer"
    on.set()
    await older
    await miss(slow, 2)
    assert await there.ask(quick) == "an answer"
    await miss(slow, 3)
    with pytest.raises(mongo.MongoAwayError):
        await there.ask(quick)
    await there.close()


async def test_who_gives_up_asking_changes_nothing_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mongo, "_ASKED_AGAIN_AFTER", 0.0)
    there = mongo.Mongo("mongodb://127.0.0.1:1/nothing", 3_600_000)
    asked = asyncio.Event()

    async def never(_: object) -> None:
        asked.set()
        await asyncio.sleep(3_600)

    async def quick(_: object) -> str:
        return "an answer"

    async def slow(_: object) -> None:
        raise NetworkTimeout

    for _ in range(3):
        with pytest.raises(mongo.MongoAwayError):
            await there.ask(slow)
    first = asyncio.create_task(there.ask(never))
    await asked.wait()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    with pytest.raises(mongo.MongoAwayError):
        await there.ask(quick)
    await there.close()


async def test_readiness_says_that_mongodb_is_down_while_it_hangs(come: Come) -> None:
    ana = await come(MONGODB_TIMEOUT_MS="300")
    ana.proxy.hang()
    for _ in range(5):
        ready = await ana.client.get("/ready")
        assert (ready.status_code, ready.json()) == (200, {"status": "degraded", "postgres": "up", "mongodb": "down"})


async def test_readiness_tells_of_mongodb_however_many_wait_for_it(come: Come) -> None:
    ana = await come(POOL_SIZE="2", MONGODB_TIMEOUT_MS=LONG)
    ana.proxy.stop_at("find", "back")
    asked = [asyncio.create_task(ana.client.get("/api/profile")) for _ in range(2)]
    told, waiting = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
    assert [one.result().json()["profileUnavailable"] for one in told] == [True]
    assert (await ana.client.get("/ready")).json() == {"status": "ok", "postgres": "up", "mongodb": "up"}
    ana.proxy.go_on()
    assert [(await one).json()["profileUnavailable"] for one in waiting] == [False]
