"""A collection goes there and back while many write it: what was called done is there, what was refused is not.

Also where the command is killed at each of its steps, and where MongoDB is away meanwhile.

Oracle: what each writer was told, by the number it wrote last. Cannot see: writers that do not ask the guard; a death
of MongoDB that loses what it had acknowledged.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pymongo.errors import PyMongoError

from isthmus.errors import PolyglotError
from tests.fix_mongo import WireServer, database_url
from tests.integration.switch.test_switch_killed import STAGES
from tests.integration.switch.world import PEOPLE, TABLE, World

pytestmark = pytest.mark.anyio
WITH = ("--table", TABLE, "--wait-seconds", "60")
WRITERS = 4
Further = Callable[[], Awaitable[None]]


class Writer:
    """Writes one document again and again with the next number, and deletes and makes it anew now and then.

    Attributes:
        done: The last number that was called done.
        tried: How many writes were tried.
        unsure: The numbers tried since of which nobody knows whether they were written; None: it was deleted, perhaps.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.done = -1
        self.refused = 0
        self.tried = 0
        self.unsure: set[int | None] = set()

    async def work(self, world: World, stop: asyncio.Event) -> None:
        async with world.switch() as switch:
            while not stop.is_set():
                number = self.tried
                self.tried += 1
                try:
                    async with switch.writing(PEOPLE) as store:
                        if number % 7 == 6:
                            await store.delete(self.name)
                        await store.put({"_id": self.name, "n": number})
                except PolyglotError as fault:
                    if fault.code != "switch-frozen":
                        raise
                    self.refused += 1
                    await asyncio.sleep(0.01)
                except PyMongoError:
                    self.unsure |= {number, None} if number % 7 == 6 else {number}
                    await asyncio.sleep(0.05)
                else:
                    self.done = number
                    self.unsure.clear()


@asynccontextmanager
async def writing(world: World, writers: list[Writer]) -> AsyncGenerator[Further]:
    """Let writers write as long as the block lasts; gives what waits until each has come some writes further."""
    stop = asyncio.Event()
    tasks = [asyncio.create_task(one.work(world, stop)) for one in writers]

    async def further() -> None:
        wanted = [one.done + 5 for one in writers]
        while not all(one.done >= number for one, number in zip(writers, wanted, strict=True)):
            assert not any(task.done() for task in tasks), "a writer ended by itself"
            await asyncio.sleep(0.02)

    try:
        yield further
    finally:
        stop.set()
        await asyncio.gather(*tasks)


def people() -> list[Writer]:
    return [Writer(f"w{number}") for number in range(WRITERS)]


def in_mongo(world: World) -> dict[str, int]:
    return {one["_id"]: one["n"] for one in world.people.find()}


def in_table(world: World) -> dict[str, int]:
    return {name: one["n"] for name, one in world.rows().items()}


@pytest.mark.parametrize("fence", ["--no-fence", "--fence"])
async def test_there_and_back_while_many_write(world: World, tmp_path: Path, fence: str) -> None:
    writers, runs = people(), world.runs(tmp_path)
    async with writing(world, writers) as further:
        for command in (("run", *WITH, fence), ("back", *WITH)):
            await further()
            ended = await asyncio.to_thread(runs.run, *command)
            assert ended.code == 0, ended.text
        await further()
    assert in_mongo(world) == {one.name: one.done for one in writers}
    assert world.do("SELECT home, generation FROM isthmus.switch") == [("mongodb", 2)]
    assert sum(one.refused for one in writers) > 0, "some came while it was frozen"


QUICK = {("run", "switch.fenced"), ("back", "switch.flip-before-commit")}
"""Those that every run of the tests has."""


@pytest.mark.parametrize(
    ("verb", "stage"),
    [
        pair if pair in QUICK else pytest.param(*pair, marks=pytest.mark.soak)
        for pair in [(verb, stage) for verb in ("run", "back") for stage in STAGES]
    ],
)
async def test_killed_at_a_stage_while_many_write(world: World, tmp_path: Path, verb: str, stage: str) -> None:
    writers, runs = people(), world.runs(tmp_path)
    async with writing(world, writers) as further:
        await further()
        if verb == "back":
            assert (await asyncio.to_thread(runs.run, "run", *WITH)).code == 0
            await further()
        killed = await asyncio.to_thread(runs.run, verb, *WITH, kill=[stage, 1])
        assert killed.code == -signal.SIGKILL, killed.text
        again = await asyncio.to_thread(runs.run, verb, *WITH)
        assert again.code == 0, again.text
        await further()
    found = in_table(world) if verb == "run" else in_mongo(world)
    assert found == {one.name: one.done for one in writers}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seconds", [1, pytest.param(60, marks=pytest.mark.soak)])
async def test_mongodb_is_away_while_many_write_and_a_switch_is_at_work(
    world: World, own_mongo: WireServer, tmp_path: Path, seconds: int
) -> None:
    writers = people()
    with own_mongo.client() as client:
        there = World(world.conninfo, database_url(own_mongo.url, "app"), client["app"])
        runs = there.runs(tmp_path)
        async with writing(there, writers) as further:
            await further()
            with runs.begin("run", *WITH, pause=("switch.copy-after-commit", 1)) as session:
                await asyncio.to_thread(session.wait_until_paused)
                await further()
                await asyncio.to_thread(own_mongo.stop)  # behind a kill it may have lost what it had acknowledged
                session.go_on()
                ended = await asyncio.to_thread(session.ended)
            assert ended.code == 3, ended.text
            assert there.do("SELECT home, frozen_at IS NULL FROM isthmus.switch") == [("mongodb", True)]
            await asyncio.sleep(seconds)
            assert any(one.unsure for one in writers), "they were told"
            await asyncio.to_thread(own_mongo.start)
            await further()
            ended = await asyncio.to_thread(runs.run, "run", *WITH)
            assert ended.code == 0, ended.text
            await further()
        assert in_table(there) == {one.name: one.done for one in writers}
        assert there.do("SELECT home, generation FROM isthmus.switch") == [("postgres", 1)]
