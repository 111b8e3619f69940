"""What goes on beside the service in an outage: relays that are killed, and what can be seen from outside."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psycopg

from isthmus.polyglot.outbox.status import Status, read_status
from tests.apps.panamia.conftest import HOME, SETTINGS
from tests.apps.panamia.service.conftest import World
from tests.apps.panamia.service.outage_people import BRIEFLY
from tests.oracle.copying import COMMAND, url

_SECONDS = 240


class Relay:
    """`isthmus outbox run` as a process of its own, of which several live one after the other.

    Attributes:
        log: What they say.
        kills: How many were killed.
    """

    def __init__(self, world: World, log: Path) -> None:
        self.world, self.log, self.kills = world, log, 0
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start one."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
        environment |= {"DATABASE_URL": url(self.world.postgres), "MONGODB_URI": self.world.mongodb}
        with self.log.open("ab") as said:
            command = [COMMAND, "outbox", "run"]
            self._process = subprocess.Popen(command, cwd=HOME, env=environment, stdout=said, stderr=said)

    def kill(self) -> None:
        """End it as a crash would."""
        assert self._end(signal.SIGKILL) == -signal.SIGKILL, self.log.read_text("utf-8")
        self.kills += 1

    def stop(self) -> None:
        """End it as an operator does. Safe to repeat."""
        ended = {0, 130}  # 130: it had only begun to start
        assert self._process is None or self._end(signal.SIGTERM) in ended, self.log.read_text("utf-8")

    def _end(self, how: signal.Signals) -> int:
        process, self._process = self._process, None
        assert process is not None
        process.send_signal(how)
        return process.wait(30)


@dataclass
class Seen:
    """What was seen: readiness, each with the moment at which it was asked for, and the most that was ever behind."""

    ready: list[tuple[float, dict[str, str]]] = field(default_factory=list[tuple[float, dict[str, str]]])
    lag_events: int = 0
    lag_seconds: float = 0.0
    parked: int = 0

    def between(self, begin: float, end: float) -> list[dict[str, str]]:
        """What readiness said to those who asked in a time."""
        return [said for at, said in self.ready if begin <= at <= end]


@asynccontextmanager
async def watching(world: World, service_url: str) -> AsyncIterator[Seen]:
    """Look every now and then as long as the block lasts."""
    seen = Seen()
    task = asyncio.create_task(_watch(world, service_url, seen))
    try:
        yield seen
    finally:
        if not task.done():
            task.cancel()
        await asyncio.wait([task])
    if not task.cancelled():
        task.result()


async def _watch(world: World, service_url: str, seen: Seen) -> None:
    async with httpx.AsyncClient(base_url=service_url, timeout=60, limits=BRIEFLY) as client:
        while True:
            at = time.monotonic()
            seen.ready.append((at, (await client.get("/ready")).json()))
            assert (await client.get("/health")).json() == {"status": "ok"}
            status = await asyncio.to_thread(outbox_of, world)
            seen.lag_events = max(seen.lag_events, status.lag_events)
            seen.lag_seconds = max(seen.lag_seconds, status.lag_seconds)
            seen.parked = max(seen.parked, status.parked)
            await asyncio.sleep(0.2)


def outbox_of(world: World) -> Status:
    """Return how the outbox stands."""
    with psycopg.connect(world.postgres, autocommit=True) as connection:
        return read_status(connection)


def open_events(world: World) -> set[int]:
    """Return the numbers of the events that are not applied."""
    return {number for (number,) in world.rows("SELECT id FROM isthmus.outbox WHERE applied_at IS NULL")}


async def until(true: Callable[[], bool]) -> float:
    """Wait until something is so, and return when that was."""
    give_up_at = time.monotonic() + _SECONDS
    while not await asyncio.to_thread(true):
        assert time.monotonic() < give_up_at, "it never is"
        await asyncio.sleep(0.02)
    return time.monotonic()
