"""A collection goes there and back while many write it: what was called done is there, what was refused is not.

Oracle: what each writer was told, by the number it wrote last. Cannot see: writers that do not ask the guard.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from isthmus.errors import PolyglotError
from tests.integration.switch.world import PEOPLE, TABLE, World

WITH = ("--table", TABLE)
WRITERS = 4


class Writer:
    """Writes one document again and again with the next number, and deletes and makes it anew now and then.

    Attributes:
        done: The last number that was called done.
        tried: How many writes were tried.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.done = -1
        self.refused = 0
        self.tried = 0

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
                else:
                    self.done = number


@pytest.mark.parametrize("fence", ["--no-fence", "--fence"])
def test_there_and_back_while_many_write(world: World, tmp_path: Path, fence: str) -> None:
    writers = [Writer(f"w{number}") for number in range(WRITERS)]
    runs = world.runs(tmp_path)
    commands = [("run", *WITH, fence), ("back", *WITH)]

    async def work() -> list[Any]:
        stop = asyncio.Event()
        tasks = [asyncio.create_task(one.work(world, stop)) for one in writers]
        ended: list[Any] = []
        for command in commands:
            await further(writers, tasks)
            ended.append(await asyncio.to_thread(runs.run, *command, "--wait-seconds", "60"))
        await further(writers, tasks)
        stop.set()
        await asyncio.gather(*tasks)
        return ended

    async def further(some: list[Writer], tasks: list[asyncio.Task[None]]) -> None:
        wanted = [one.done + 5 for one in some]
        ready: Callable[[], bool] = lambda: all(one.done >= n for one, n in zip(some, wanted, strict=True))  # noqa: E731
        while not ready():
            assert not any(task.done() for task in tasks), "a writer ended by itself"
            await asyncio.sleep(0.02)

    for ended in asyncio.run(work()):
        assert ended.code == 0, ended.text
    found = {one["_id"]: one["n"] for one in world.people.find()}
    assert found == {one.name: one.done for one in writers}
    assert world.do("SELECT home, generation FROM isthmus.switch") == [("mongodb", 2)]
    assert sum(one.refused for one in writers) > 0, "some came while it was frozen"
