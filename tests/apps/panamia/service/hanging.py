"""A TCP proxy before MongoDB that can stop carrying: what hangs is on the way to the server, or on the way back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Literal
from urllib.parse import urlsplit

Way = Literal["there", "back"]


class Hanging:
    """Forwards connections to a server until it is told to carry nothing. It accepts in any case.

    Args:
        url: Of the server, with one host, a port, and options.

    Attributes:
        delay_seconds: How long each answer takes.
        seen: How often the command came that connections stop at.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        parts = urlsplit(url)
        self._host, self._behind = parts.hostname or "", parts.port
        self._gate_open = asyncio.Event()
        self._stop: tuple[bytes, Way] | None = None
        self._free = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: list[asyncio.StreamWriter] = []
        self.port, self.delay_seconds, self.seen = 0, 0.0, 0
        self.go_on()

    @property
    def url(self) -> str:
        """URL of the same server, through here; none of the addresses that it tells of itself is gone to."""
        through = self._url.replace(f"{self._host}:{self._behind}", f"127.0.0.1:{self.port}")
        return f"{through}&directConnection=true"

    def hang(self) -> None:
        """Carry nothing more, either way."""
        self._gate_open.clear()

    def stop_at(self, command: str, way: Way) -> None:
        """Let each connection hang that brings a command: `there`, it does not arrive; `back`, its answer does not."""
        self._stop = (command.encode() + b"\0", way)
        self.seen = 0
        self._free.clear()

    def go_on(self) -> None:
        """Carry on, with what has come meanwhile."""
        self._stop, self.delay_seconds = None, 0.0
        self._gate_open.set()
        self._free.set()

    async def serve(self) -> asyncio.Server:
        """Listen on a port of its own."""
        server = await asyncio.start_server(self._taken, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def close(self) -> None:
        """End what is carried."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in self._writers:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _taken(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, to = await asyncio.open_connection(self._host, self._behind)
        self._writers += [writer, to]
        stopped: set[Way] = set()

        async def ask(data: bytes) -> None:
            if self._stop is not None and self._stop[0] in data:
                self.seen += 1
                stopped.add(self._stop[1])
            await self._gate("there", stopped)

        async def answer(_: bytes) -> None:
            await asyncio.sleep(self.delay_seconds)
            await self._gate("back", stopped)

        for work in (_carry(reader, to, ask), _carry(there, writer, answer)):
            task = asyncio.create_task(work)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _gate(self, way: Way, stopped: set[Way]) -> None:
        await self._gate_open.wait()
        if way in stopped:
            await self._free.wait()


async def _carry(
    source: asyncio.StreamReader, goal: asyncio.StreamWriter, before: Callable[[bytes], Awaitable[None]]
) -> None:
    with suppress(ConnectionError):
        while data := await source.read(65_536):
            await before(data)
            goal.write(data)
            await goal.drain()
    goal.close()


@asynccontextmanager
async def hanging_before(url: str) -> AsyncGenerator[Hanging]:
    """Give a proxy before a server, which carries everything at first."""
    proxy = Hanging(url)
    server = await proxy.serve()
    try:
        yield proxy
    finally:
        proxy.go_on()
        server.close()
        await proxy.close()
