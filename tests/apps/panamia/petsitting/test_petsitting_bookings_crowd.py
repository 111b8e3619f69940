"""Many who want the same days at one moment, over HTTP: never two have a day, and losers are told which ones are taken.

Oracles: SQL that counts live rows a day, without the constraint's operators; and the server's own count of deadlocks,
for whoever was undone by one is run again, and nobody is told.
"""

from __future__ import annotations

import asyncio
import datetime
import random
import time
from collections import Counter
from collections.abc import Callable

import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from apps.panamia.petsitting.bookings.sweeping import sweep
from apps.panamia.web.resources import opened
from tests.apps.panamia.petsitting.conftest import Pets
from tests.apps.panamia.petsitting.sidecar import Sidecar

pytestmark = pytest.mark.anyio

_TWICE = """
SELECT listing_id, day, count(*) FROM bookings, generate_series(lower(days), upper(days) - 1, interval '1 day') AS day
WHERE status IN ('pending', 'confirmed', 'blocked') GROUP BY 1, 2 HAVING count(*) > 1
"""
_RUN_OUT = """
DO $$ BEGIN
    PERFORM hold_listing('{listing}');
    UPDATE bookings SET hold_until = clock_timestamp()
    WHERE id = (SELECT id FROM bookings WHERE listing_id = '{listing}' AND status = 'pending' ORDER BY days LIMIT 1);
END $$
"""
_DAYS = 14
"""Days that all of them want some of."""
_HAPPENS = {"booked", "taken", "confirmed", "cancelled", "swept"}
_MAY_HAPPEN = {*_HAPPENS, "blocked", "hold-expired", "transition"}


@pytest.mark.parametrize(
    ("attempts", "rounds"), [(40, 2), pytest.param(200, 20, marks=pytest.mark.soak)], ids=["short", "soak"]
)
async def test_a_crowd_never_gets_a_day_twice(
    sidecar: Sidecar, attempts: int, rounds: int, record_property: Callable[[str, object], None]
) -> None:
    pets, rng = sidecar.pets, random.Random(9)
    seen: Counter[str] = Counter()
    waits: list[float] = []
    sitter = pets.make_user()
    people, answering = [sidecar.of(pets.make_user()) for _ in range(attempts)], sidecar.of(sitter)
    for _ in range(rounds):
        listing = pets.make_listing(sitter)
        today = pets.today(listing)
        jobs = [
            _live(
                one,
                listing,
                today + datetime.timedelta(rng.randrange(1, _DAYS)),
                rng.randint(1, 5),
                rng.random(),
                answering,
            )
            for one in people
        ]
        jobs += [
            _block(answering, listing, today + datetime.timedelta(rng.randrange(1, _DAYS)), rng.random())
            for _ in range(attempts // 20)
        ]
        for result in await asyncio.gather(_run_out(sidecar, listing, attempts // 10), *jobs):
            seen.update(code for code, _ in result)
            waits.extend(seconds for code, seconds in result if code in {"booked", "taken"})
        assert pets.rows(_TWICE) == []
    await sidecar.app.state.resources.engine.dispose()
    assert _deadlocks(pets) == 0
    assert set(seen) <= _MAY_HAPPEN, seen
    assert set(seen) >= _HAPPENS, seen
    record_property("attempts", attempts * rounds)
    record_property("outcomes", dict(seen))
    record_property("p95_seconds", round(sorted(waits)[int(len(waits) * 0.95)], 3))


async def test_a_deadlock_of_a_crowd_would_be_counted(sidecar: Sidecar) -> None:
    pets = sidecar.pets
    engine = sidecar.app.state.resources.engine
    both = asyncio.Barrier(2)

    async def lock(*keys: int) -> None:
        async with engine.begin() as connection:
            for key in keys:
                await connection.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))
                if key == keys[0]:
                    await both.wait()

    found = await asyncio.gather(lock(1, 2), lock(2, 1), return_exceptions=True)
    assert len([one for one in found if isinstance(one, OperationalError)]) == 1, found
    await engine.dispose()
    assert _deadlocks(pets) == 1


def _deadlocks(pets: Pets) -> int:
    """Return how many there were in a database that nobody uses any more: a connection counts when it ends."""
    others = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    while pets.rows(others):
        time.sleep(0.05)
    return int(pets.rows("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")[0][0])


Result = list[tuple[str, float]]
"""What came of it: what was done, or the code of a refusal; and how long it took, where that is asked."""


async def _live(
    client: httpx.AsyncClient, listing: str, first: datetime.date, count: int, mood: float, sitter: httpx.AsyncClient
) -> Result:
    """Ask for days; who gets them keeps them, is confirmed, or cancels and asks once more."""
    days = {"from": str(first), "to": str(first + datetime.timedelta(count))}
    found: Result = []
    for _ in range(2):
        started = time.perf_counter()
        answer = await _send(client, "/api/bookings", {"listingId": listing, **days})
        body = answer.json()
        if answer.status_code == 409:
            assert body["code"] == "taken", body
            assert body["conflicts"], body
            assert all(one["from"] < days["to"] and days["from"] < one["to"] for one in body["conflicts"]), body
            return [*found, ("taken", time.perf_counter() - started)]
        assert answer.status_code == 201, body
        found.append(("booked", time.perf_counter() - started))
        path = f"/api/bookings/{body['id']}"
        if mood < 0.3:
            break
        if mood < 0.6:
            return [*found, _told(await _send(sitter, f"{path}/confirm"), "confirmed")]
        found.append(_told(await _send(client, f"{path}/cancel", {"why": "another plan"}), "cancelled"))
    return found


async def _run_out(sidecar: Sidecar, listing: str, times: int) -> Result:
    """Let holds of the listing run out one after the other, and write so many down as another process does.

    Whoever books ends them as well, and may be faster; so there is always one more, of days that nobody else wants.
    """
    pets, ended, day = sidecar.pets, 0, 2 * _DAYS
    async with opened(sidecar.settings) as resources:
        while ended < times:
            await asyncio.sleep(0.05)
            await asyncio.to_thread(pets.book, listing, day, day := day + 1)
            await asyncio.to_thread(pets.rows, _RUN_OUT.format(listing=listing))
            ended += await sweep(resources)
    return [("swept", 0.0)] * ended


async def _block(sitter: httpx.AsyncClient, listing: str, first: datetime.date, after: float) -> Result:
    await asyncio.sleep(after)
    body = {"from": str(first), "to": str(first + datetime.timedelta(1))}
    answer = await _send(sitter, f"/api/listings/{listing}/blocks", body)
    if answer.status_code == 201:
        gone = await sitter.delete(f"/api/listings/{listing}/blocks/{answer.json()['id']}")
        assert gone.status_code == 204, gone.text
    return [_told(answer, "blocked")]


async def _send(client: httpx.AsyncClient, path: str, body: dict[str, str] | None = None) -> httpx.Response:
    """Send a request, and send it again as long as the answer says that there is too much to do."""
    while True:
        answer = await client.post(path, json=body)
        if answer.status_code != 503 or answer.json()["code"] not in {"overloaded", "busy"}:
            return answer
        await asyncio.sleep(float(answer.headers["retry-after"]))


def _told(answer: httpx.Response, done: str) -> tuple[str, float]:
    return (done if answer.is_success else str(answer.json().get("code")), 0.0)
