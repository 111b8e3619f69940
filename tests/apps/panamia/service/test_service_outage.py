"""MongoDB is away under a mixed load, for a minute at full size, and relays are killed meanwhile.

The service is a process with a real socket; relays are others, and die by SIGKILL; so does MongoDB, which comes back on
the same port with the same data. Asked: nothing is lost, nothing is done twice, nothing is parked, the lag returns to
zero, both databases agree, and readiness said at each moment which database was down. Oracle: what people were told
(`outage_people`), compared in the end (`outage_agreement`). Cannot see: elections, and writes that a MongoDB
acknowledged and lost, which majority write concern is there against.
"""

from __future__ import annotations

import asyncio
import functools
import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from tests.apps.panamia.conftest import isthmus
from tests.apps.panamia.service.conftest import Start, World
from tests.apps.panamia.service.outage_agreement import disagreements
from tests.apps.panamia.service.outage_people import People, Someone, carry
from tests.apps.panamia.service.outage_watch import Relay, Seen, open_events, outbox_of, until, watching
from tests.apps.panamia.service.serving import serving
from tests.fix_mongo import WireServer, database_url

pytestmark = pytest.mark.anyio
_UP = {"status": "ok", "postgres": "up", "mongodb": "up"}
_DEGRADED = {"status": "degraded", "postgres": "up", "mongodb": "down"}
_NOTICED_SECONDS = 5.0
"""Within which everybody is answered from MongoDB again."""
_DONE = {
    *("save 200", "save 503", "look 200", "look away", "visit committed", "visit rolled back", "ask 201"),
    *("link 202", "sign in 302", "session 200", "name 200", "begin 201", "move 200", "session ended 401"),
    *("article 201", "invite 201", "accept 200", "publish 200", "list 200", "read 200", "delete 0"),
}
_DONE_WHILE_AWAY = {"save 503", "look away", "visit committed", "link 202", "sign in 302", "article 201", "list 200"}


@dataclass(frozen=True)
class Course:
    """How long it lasts, and how much is done.

    Attributes:
        before: Seconds under load before MongoDB goes away.
        away: For so long.
        behind: Under load when it is back.
        people: Of each of three kinds: settled, waiting, new.
        deleted: How many of the settled are deleted meanwhile.
        moved: How many of them change their address.
        pause: Seconds between what one person does, at most.
        is_calm: Whether the machine has time for it, so that no answer of readiness takes longer than it may.
    """

    before: float
    away: float
    behind: float
    people: tuple[int, int, int]
    deleted: int
    moved: int
    pause: float
    is_calm: bool


SHORT = Course(3.0, 4.0, 5.0, (5, 1, 1), 1, 2, 0.5, is_calm=False)
FULL = Course(20.0, 60.0, 25.0, (16, 8, 8), 4, 8, 1.0, is_calm=True)


@dataclass(frozen=True)
class Times:
    """When MongoDB was gone, began to come back, and was there for everybody; how long what waited took then."""

    down: float
    rising: float
    up: float
    catching_up: float


@pytest.mark.slow
async def test_nothing_is_lost_or_done_twice_while_mongodb_is_away(
    start: Start, own_mongo: WireServer, tmp_path: Path
) -> None:
    await outlive(SHORT, start, own_mongo, tmp_path, seed=1)


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", [2, 3])
async def test_nothing_is_lost_or_done_twice_while_mongodb_is_away_for_a_minute(
    start: Start, own_mongo: WireServer, tmp_path: Path, seed: int, record_property: Callable[[str, object], None]
) -> None:
    for name, value in (await outlive(FULL, start, own_mongo, tmp_path, seed)).items():
        record_property(name, json.dumps(value))


async def outlive(course: Course, start: Start, own_mongo: WireServer, folder: Path, seed: int) -> dict[str, object]:
    """Let people go on while MongoDB and relays go and come, and compare in the end; return what it was like."""
    world: World = await start(MONGODB_URI=database_url(own_mongo.url, "panamia"))
    await world.app.state.resources.mongo.close()  # of the application in this process, which nobody asks
    carry(world)
    relay = Relay(world, folder / "relay.log")
    with serving(world, folder, MAIL_EVERY_SECONDS="1") as served:
        people = People(world, served.url, seed, course.pause, is_calm=course.is_calm)
        relay.start()
        try:
            async with watching(world, served.url) as seen:
                times = await _take(course, people, relay, own_mongo, seen)
        finally:
            relay.stop()
        assert served.process.poll() is None
    _judge(course, people, seen, times)
    status = isthmus("outbox", "status", database=world.postgres, json_file=folder / "status.json")
    assert (status.code, status.result["outcome"], status.result["lag_seconds"]) == (0, "clear", 0), status.said
    audit = isthmus("refs", "audit", "mapping.yaml", "--source", world.mongodb, database=world.postgres)
    assert audit.code == 0, audit.said
    _damage_is_seen(people)
    [(events,)] = world.rows("SELECT count(*) FROM isthmus.outbox")
    return {
        "seed": seed,
        "seconds_away": course.away,
        "people": len(people.all),
        "relays_killed": relay.kills,
        "events": events,
        "most_events_behind": seen.lag_events,
        "most_seconds_behind": round(seen.lag_seconds, 1),
        "seconds_to_catch_up": round(times.catching_up, 1),
        "slowest_without_mongodb_ms": round(people.slowest * 1_000),
        "answers": dict(sorted(people.answers.items())),
        "answers_while_away": dict(sorted(people.answers_away.items())),
    }


def _judge(course: Course, people: People, seen: Seen, times: Times) -> None:
    """Compare what there is with what has to be."""
    found = disagreements(people)
    assert not found, "\n".join(found)
    assert {one["mongodb"] for one in seen.between(times.down, times.rising - 2.0)} <= {"down"}
    if course.is_calm:
        assert all(one == _UP for one in seen.between(0, times.down - 1.0))
        assert all(one == _DEGRADED for one in seen.between(times.down, times.rising - 2.0))
        assert all(one == _UP for one in seen.between(times.up, math.inf))
    assert seen.parked == 0
    assert seen.lag_events > 0
    assert seen.lag_seconds > course.away - 1.0


def _damage_is_seen(people: People) -> None:
    """Do what an outage could have done: a visit twice, a notification lost, a profile twice. The oracle says so."""
    one = next(one for one in people.all if not one.leaving)
    with MongoClient[dict[str, Any]](people.world.mongodb) as client:
        profiles = client.get_default_database()["profiles"]
        profiles.update_one({"userId": one.id}, {"$inc": {"visits": 1}})
        profiles.insert_one({"email": "twice@example.org"})
    stay = [other.id for other in people.all if not other.leaving]
    people.world.rows(
        "DELETE FROM notifications WHERE id = ("
        "SELECT id FROM notifications WHERE actor = ANY(%s) AND target = ANY(%s) LIMIT 1)",
        *(stay, stay),
    )
    visit, profile, notification = sorted(
        disagreements(people), key=lambda words: ("told" in words, "profiles" in words)
    )
    assert f"person {one.number} has" in visit
    assert f"{len(stay) + 1} profiles of {len(stay)} people" in profile
    assert "told 0 times, not 1" in notification


async def _take(course: Course, people: People, relay: Relay, own_mongo: WireServer, seen: Seen) -> Times:
    """Let it all happen. Nothing goes on before what is asked of it was done, however slow the machine is."""
    kinds = (people.settled, people.waiting, people.new)
    settled, waiting, new = ([make() for _ in range(n)] for make, n in zip(kinds, course.people, strict=True))
    leaving, moving = settled[: course.deleted], settled[course.deleted :][: course.moved]
    tasks = [asyncio.create_task(people.live(one)) for one in settled]
    coming = [one for pair in zip(waiting, new, strict=True) for one in pair]

    def come(some: Sequence[Someone], within: float) -> None:
        """Let people come one behind the other."""
        for number, one in enumerate(some):
            tasks.append(asyncio.create_task(people.live(one, begins_after=number / len(some) * within)))

    def change(those: int) -> None:
        """Begin deletions and changes of address, of every other person."""
        tasks.extend(asyncio.create_task(people.delete(one)) for one in leaving[those::2])
        for one in moving[those::2]:
            one.errands.append(functools.partial(people.move, one))

    async def done(true: Callable[[], bool]) -> None:
        await until(lambda: bool(people.faults) or true())

    come(coming[: len(coming) // 2], course.before)
    await asyncio.sleep(course.before / 2)
    relay.kill()  # what is decided from now on waits
    change(0)
    await asyncio.sleep(course.before / 2)
    begun = {"save 200", "look 200", "visit committed", "article 201"}
    await done(lambda: any(said == _UP for _, said in seen.ready) and begun <= people.answers.keys())
    people.away = True
    own_mongo.kill()
    down = time.monotonic()
    come(coming[len(coming) // 2 :], course.away)
    for share, step in ((0.2, relay.start), (0.1, lambda: change(1)), (0.4, relay.kill), (0.1, relay.start)):
        await asyncio.sleep(share * course.away)
        step()
    await asyncio.sleep(down + course.away - time.monotonic())
    await done(lambda: _DEGRADED in seen.between(down, math.inf) and people.answers_away.keys() >= _DONE_WHILE_AWAY)
    rising, behind = time.monotonic(), open_events(people.world)  # before it is back: a relay may be quick
    assert behind
    await asyncio.to_thread(own_mongo.start)
    back = time.monotonic()
    await until(lambda: len(behind & open_events(people.world)) < len(behind))
    relay.kill()  # while it catches up
    relay.start()
    catching_up = asyncio.create_task(until(lambda: not behind & open_events(people.world)))
    await asyncio.sleep(back + _NOTICED_SECONDS - time.monotonic())
    people.away, up = False, time.monotonic()
    await asyncio.sleep(course.behind - _NOTICED_SECONDS)
    caught_up = await catching_up
    await done(lambda: _UP in seen.between(up, math.inf) and people.answers.keys() >= _DONE)
    people.stopped = True
    await asyncio.gather(*tasks)
    await until(
        lambda: outbox_of(people.world).outcome == "clear" and not people.world.rows("SELECT FROM notification_mails")
    )
    return Times(down, rising, up, caught_up - back)
