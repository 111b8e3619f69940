"""Crowds who want the same days, with nothing between them and the database: no application, no checks beforehand.

Oracle: SQL of the tests' own, which lays days side by side. Blind spot: a ring of waiting that no round came upon; so
rounds are many in the full size, and differ by a seed that is printed.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
from psycopg import IsolationLevel

from tests.apps.panamia.petsitting.conftest import HOME, Pets
from tests.apps.running import isthmus
from tests.fix_postgres import create_database, start_server

pytestmark = pytest.mark.anyio

TWICE = """
SELECT listing_id, day::date, count(*) FROM bookings, generate_series(lower(days), upper(days) - 1, '1 day') AS day
WHERE status IN ('pending', 'confirmed', 'blocked') GROUP BY 1, 2 HAVING count(*) > 1
"""
DEADLOCK, TAKEN, BUSY, AGAIN = "40P01", "23P01", "55P03", "40001"
DAYS = 24
"""How many days the crowd wants; a booking takes up to five."""


@dataclass
class Round:
    """What a crowd did.

    Attributes:
        listings: Which they want.
        people: Who they are; the sitter is the first.
        said: How many attempts ended how: by SQLSTATE and constraint, or as what they did.
    """

    listings: Sequence[str]
    people: Sequence[str]
    said: Counter[str] = field(default_factory=Counter[str])


Act = Callable[[psycopg.AsyncConnection, Round, random.Random], Awaitable[str]]


def _days(chance: random.Random) -> tuple[int, int]:
    first = chance.randrange(1, DAYS)
    return first, first + chance.randrange(1, 6)


_BOOK = """
INSERT INTO bookings (listing_id, owner_id, days, hold_until)
SELECT %s, %s, daterange(current_date + %s, current_date + %s), clock_timestamp() + make_interval(secs => %s)
RETURNING id
"""
_BLOCK = """
INSERT INTO bookings (listing_id, status, days) SELECT %s, 'blocked', daterange(current_date + %s, current_date + %s)
RETURNING id
"""
_STEP = "UPDATE bookings SET status = %s, status_by = %s, status_why = %s WHERE id = %s"
_SWEEP = """
UPDATE bookings SET status = 'cancelled', status_by = NULL WHERE id IN (
    SELECT id FROM bookings WHERE status = 'pending' AND hold_until <= clock_timestamp()
    ORDER BY id LIMIT 20 FOR UPDATE SKIP LOCKED
)
"""


async def book(connection: psycopg.AsyncConnection, scene: Round, chance: random.Random) -> str:
    """Book; then confirm, cancel, or let the hold run out."""
    listing, owner, sitter = chance.choice(scene.listings), chance.choice(scene.people[1:]), scene.people[0]
    hold = chance.choice([0.0, 0.005, 0.05, 600.0, 600.0])
    async with connection.transaction():
        made = await (await connection.execute(_BOOK, [listing, owner, *_days(chance), hold])).fetchall()
    booking = made[0][0]
    await asyncio.sleep(chance.random() / 50)
    then = chance.choice(["confirm", "confirm held", "cancel", "decline", "nothing"])
    if then.startswith("confirm"):
        async with connection.transaction():
            if then == "confirm held":
                await connection.execute("SELECT hold_listing(%s, %s)", [listing, owner])
            await connection.execute(_STEP, ["confirmed", sitter, None, booking])
        await asyncio.sleep(chance.random() / 50)
        then = chance.choice(["confirmed", "cancel"])
    if then == "cancel":
        async with connection.transaction():
            await connection.execute(_STEP, ["cancelled", owner, "ill", booking])
    elif then == "decline":
        async with connection.transaction():
            await connection.execute(_STEP, ["declined", sitter, "no", booking])
    return f"booked, {then}"


async def block(connection: psycopg.AsyncConnection, scene: Round, chance: random.Random) -> str:
    """Keep days free, and then not any more."""
    async with connection.transaction():
        made = await connection.execute(_BLOCK, [chance.choice(scene.listings), *_days(chance)])
        booking = (await made.fetchall())[0][0]
    await asyncio.sleep(chance.random() / 50)
    async with connection.transaction():
        await connection.execute("DELETE FROM bookings WHERE id = %s", [booking])
    return "blocked"


async def sweep(connection: psycopg.AsyncConnection, scene: Round, chance: random.Random) -> str:
    """End holds that have run out; say whether there were any."""
    ended = 0
    for _ in range(5):
        async with connection.transaction():
            ended += (await connection.execute(_SWEEP)).rowcount
        await asyncio.sleep(chance.random() / 50)
    return "swept" if ended else "nothing to sweep"


async def reprice(connection: psycopg.AsyncConnection, scene: Round, chance: random.Random) -> str:
    """Change what a listing costs, meanwhile."""
    async with connection.transaction():
        query = "UPDATE listings SET price_per_day = %s WHERE id = %s"
        await connection.execute(query, [chance.randrange(1, 100), chance.choice(scene.listings)])
    return "another price"


async def _tried(
    connection: psycopg.AsyncConnection, act: Act, scene: Round, chance: random.Random, start: asyncio.Event
) -> None:
    await start.wait()
    try:
        scene.said[await act(connection, scene, chance)] += 1
    except psycopg.Error as fault:
        scene.said[" ".join(filter(None, [fault.sqlstate, fault.diag.constraint_name]))] += 1


async def crowded(
    conninfo: str, scenes: Sequence[Round], acts: Sequence[Act], seed: int, isolation: IsolationLevel | None = None
) -> None:
    """Let everybody act at once, scene after scene, each on a connection of their own; look at the days behind each."""
    async with AsyncExitStack() as stack:
        connections = [
            await stack.enter_async_context(await psycopg.AsyncConnection.connect(conninfo, autocommit=True))
            for _ in acts
        ]
        for one in connections:
            await one.set_isolation_level(isolation)
        for number, scene in enumerate(scenes):
            start = asyncio.Event()
            every = [
                asyncio.create_task(_tried(connection, act, scene, random.Random(f"{seed} {number} {place}"), start))
                for place, (connection, act) in enumerate(zip(connections, acts, strict=True))
            ]
            start.set()
            await asyncio.gather(*every)
            twice = await (await connections[0].execute(TWICE)).fetchall()
            assert twice == [], (seed, number)


def crowd_of(count: int) -> list[Act]:
    """So many who act: most book, some block, a few sweep and change prices."""
    others: list[Act] = [block, block, block, sweep, reprice]
    return [others[place % 5] if place % 4 == 3 else book for place in range(count)]


def scene_of(pets: Pets) -> Round:
    """Two listings of one sitter, and five people who want them."""
    people = [pets.make_user() for _ in range(6)]
    return Round([pets.make_listing(people[0], time_zone="UTC") for _ in range(2)], people)


def free_days_are_free(pets: Pets, scene: Round) -> None:
    """Whoever comes behind a crowd gets each day that nobody has, also where a hold has run out and was not ended."""
    for listing in scene.listings:
        query = (
            "SELECT days::text FROM bookings WHERE listing_id = %s AND status IN ('pending', 'confirmed', 'blocked')"
        )
        held = f"{query} AND (status <> 'pending' OR hold_until > clock_timestamp())"
        wanted = f"""
            SELECT day::date - current_date FROM generate_series(current_date, current_date + {DAYS}, '1 day') AS day
            WHERE NOT EXISTS (SELECT FROM ({held}) AS held WHERE held.days::daterange @> day::date)"""
        for (day,) in pets.rows(wanted, listing):
            pets.book(listing, day, day + 1, scene.people[1])
    assert pets.rows(TWICE) == []


OFTEN = {"another price", "blocked", "booked, nothing", "swept"}
"""What a crowd of any size does under `read committed`."""
RARER = {"booked, cancel", "booked, confirmed", "booked, decline"}
ISOLATIONS = [None, IsolationLevel.REPEATABLE_READ, IsolationLevel.SERIALIZABLE]


@pytest.mark.parametrize("isolation", ISOLATIONS, ids=["read committed", "repeatable read", "serializable"])
async def test_a_crowd_never_gets_one_day_twice_and_nobody_waits_in_a_ring(
    pets: Pets, isolation: IsolationLevel | None
) -> None:
    seed = random.randrange(10**6)
    scenes = [scene_of(pets) for _ in range(2)]
    await crowded(pets.owner, scenes, crowd_of(40), seed, isolation)
    judge(scenes, isolation, seed, OFTEN if isolation is None else set())  # the others are refused too much
    free_days_are_free(pets, scenes[-1])


def judge(scenes: Sequence[Round], isolation: IsolationLevel | None, seed: int, done: set[str]) -> None:
    """Look at how attempts ended: each way is one that is meant, what was to be done was, nobody waited in a ring."""
    said = sum((one.said for one in scenes), Counter[str]())
    meant = {f"{TAKEN} bookings_days_excl", "23514 bookings_hold_check", "23514 bookings_transition_check", BUSY}
    meant.add("23514 bookings_step_check")  # cancelled by the clock already
    if isolation is not None:
        meant.add(AGAIN)
    states = {name for name in said if name[:1].isdigit()}
    assert DEADLOCK not in states, (seed, said)
    assert states <= meant, (seed, said)
    assert said[f"{TAKEN} bookings_days_excl"] + said[AGAIN] > 0, (seed, said)
    assert sum(count for name, count in said.items() if name.startswith("booked")) > 0, (seed, said)
    assert done <= set(said), (seed, said)


async def test_the_constraint_alone_holds_without_its_triggers(pets: Pets) -> None:
    """Whoever has switched them off may wait in a ring, and one of them is then refused; no day is given twice."""
    scene = scene_of(pets)
    pets.rows("ALTER TABLE bookings DISABLE TRIGGER USER")
    query = """
        INSERT INTO bookings (listing_id, listing_number, sitter_id, owner_id, days, status, price_per_day, currency,
            status_at, status_as)
        SELECT id, number, sitter_id, %s, daterange(current_date + %s, current_date + %s), 'confirmed', 1, 'USD', now(),
            'sitter' FROM listings WHERE id = %s"""

    async def put(connection: psycopg.AsyncConnection, scene: Round, chance: random.Random) -> str:
        async with connection.transaction():
            values = [chance.choice(scene.people[1:]), *_days(chance), chance.choice(scene.listings)]
            await connection.execute(query.encode(), values)
        return "booked"

    await crowded(pets.owner, [scene], [put] * 40, random.randrange(10**6))
    assert scene.said["booked"] > 0
    assert set(scene.said) <= {"booked", f"{TAKEN} bookings_days_excl", DEADLOCK}


async def test_people_who_are_deleted_meanwhile_wait_in_no_ring(pets: Pets) -> None:
    """Each step holds its people first, as the application does; whoever has something to come is not deleted.

    One goes at a time: two who have booked each other's, and are deleted in one moment, may wait for each other.
    """
    one_at_a_time = asyncio.Lock()

    async def step(connection: psycopg.AsyncConnection, scene: Round, chance: random.Random) -> str:
        """Book something of each other's, and cancel it."""
        place = chance.randrange(len(scene.listings))
        listing, sitter = scene.listings[place], scene.people[place]
        owner = chance.choice([one for one in scene.people if one != sitter])
        async with connection.transaction():
            made = await (await connection.execute(_BOOK, [listing, owner, *_days(chance), 600])).fetchall()
        await asyncio.sleep(chance.random() / 50)
        async with connection.transaction():
            await connection.execute("SELECT hold_listing(%s, %s)", [listing, owner])
            await connection.execute(_STEP, ["cancelled", owner, "ill", made[0][0]])
        return "booked, cancelled"

    async def leave(connection: psycopg.AsyncConnection, scene: Round, chance: random.Random) -> str:
        """Try to go until it is possible."""
        person = chance.choice(scene.people)
        for _ in range(50):
            with suppress(psycopg.errors.CheckViolation):
                async with one_at_a_time, connection.transaction():
                    await connection.execute("DELETE FROM users WHERE id = %s", [person])
                return "left"
            await asyncio.sleep(chance.random() / 20)
        return "stayed"

    seed = random.randrange(10**6)
    for number in range(3):
        people = [pets.make_user() for _ in range(8)]
        scene = Round([pets.make_listing(one, time_zone="UTC") for one in people], people)
        await crowded(pets.owner, [scene], [step] * 30 + [leave] * 10, seed + number)
        assert DEADLOCK not in scene.said, (seed, scene.said)
        assert scene.said["left"] > 0, (seed, scene.said)
        gone = {
            "23503 bookings_owner_id_fkey",  # whom it deleted was there when it began
            "23514 bookings_live_parties_check",
            "23503 bookings_listing_id_sitter_id_fkey",
            f"{TAKEN} bookings_days_excl",
            "23514 bookings_party_check",
            "23503 bookings_status_by_fkey",
        }
        assert {one for one in scene.said if one[:1].isdigit()} <= gone, (seed, scene.said)


def test_writers_of_a_listing_wait_for_each_other_and_those_of_another_do_not(pets: Pets) -> None:
    sitter, owner = pets.make_user(), pets.make_user()
    one, other = (pets.make_listing(sitter, time_zone="UTC") for _ in range(2))
    with psycopg.connect(pets.owner) as first, psycopg.connect(pets.owner) as second:
        first.execute(_BOOK, [one, owner, 1, 2, 60])
        second.execute("SET lock_timeout = '200ms'")
        second.commit()
        with pytest.raises(psycopg.errors.LockNotAvailable), second.transaction():
            second.execute(_BOOK, [one, owner, 5, 6, 60])  # other days: the constraint alone would not wait
        second.execute(_BOOK, [other, owner, 1, 2, 60])
        first.commit()
        second.execute(_BOOK, [one, owner, 5, 6, 60])


def test_people_are_held_before_their_listing(pets: Pets) -> None:
    """Or whoever is deleted, and whoever books, would each have what the other one waits for."""
    sitter = pets.make_user()
    listing = pets.make_listing(sitter)
    with psycopg.connect(pets.owner) as leaving, psycopg.connect(pets.owner) as booking:
        leaving.execute("SELECT FROM users WHERE id = %s FOR UPDATE", [sitter])
        booking.execute("SET lock_timeout = '200ms'")
        booking.commit()
        with pytest.raises(psycopg.errors.LockNotAvailable) as waited, booking.transaction():
            booking.execute("SELECT hold_listing(%s)", [listing])
        assert "public.users" in (waited.value.diag.context or "")
        leaving.execute("DELETE FROM users WHERE id = %s", [sitter])  # the listing is nobody's to wait for


def test_a_row_that_stays_live_never_waits_for_the_listing(pets: Pets) -> None:
    sitter, owner = pets.make_user(), pets.make_user()
    listing = pets.make_listing(sitter)
    pending = pets.book(listing, 1, 2, owner)
    with psycopg.connect(pets.owner) as holding, psycopg.connect(pets.owner) as writing:
        holding.execute("SELECT hold_listing(%s, %s)", [listing, owner])
        writing.execute("SET statement_timeout = '20s'")
        writing.commit()
        with pytest.raises(psycopg.errors.LockNotAvailable) as refused, writing.transaction():
            writing.execute(_STEP, ["confirmed", sitter, None, pending])
        assert "hold_listing" in (refused.value.diag.message_hint or "")
        writing.execute(_STEP, ["cancelled", owner, "ill", pending])  # what ends is in nobody's way
        writing.commit()
        holding.commit()


def test_who_books_days_of_a_hold_that_is_being_ended_gets_them(pets: Pets) -> None:
    """Two end the same hold: the sweeper, who is not through yet, and the booking, which waits for it."""
    listing = pets.make_listing()
    pending = pets.book(listing, 1, 3)
    pets.run_out(pending)
    with psycopg.connect(pets.owner) as sweeping, ThreadPoolExecutor(1) as pool:
        sweeping.execute(_SWEEP)
        booked = pool.submit(pets.book, listing, 2, 4)
        sweeping.execute("SELECT pg_sleep(0.2)")
        assert not booked.done()
        sweeping.commit()
        assert booked.result(30)
    ended = "SELECT done_as::text FROM booking_steps WHERE to_status = 'cancelled' AND booking_id = %s"
    assert pets.rows(ended, pending) == [("clock",)]


@pytest.fixture
def wide_pets(short_path: Path) -> Iterator[Pets]:
    """A database on a server of its own, which takes 300 connections."""
    server = start_server(short_path, max_connections="320")
    database = create_database(server.conninfo)
    deployed = isthmus("schema", "deploy", database=database, home=HOME)
    assert deployed.code == 0, deployed.said
    yield Pets(database, database)
    server.close()


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("isolation", ISOLATIONS, ids=["read committed", "repeatable read", "serializable"])
async def test_two_hundred_at_once_twenty_rounds(wide_pets: Pets, isolation: IsolationLevel | None) -> None:
    seed = random.randrange(10**6)
    scenes = [scene_of(wide_pets) for _ in range(20)]
    await crowded(wide_pets.owner, scenes, crowd_of(200), seed, isolation)
    confirmed = {"booked, confirmed"} if isolation is IsolationLevel.SERIALIZABLE else set[str]()  # next to never
    judge(scenes, isolation, seed, (OFTEN | RARER) - confirmed)
    for scene in scenes:
        free_days_are_free(wide_pets, scene)
