"""Work that a service does beside requests, for as long as it runs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

_log = logging.getLogger("panamia")
_LONGEST_FIRST = 60.0
"""Seconds until the first round at most, so that what is seldom done is done also where services are often new."""
_LAST_SECONDS = 10
"""For what is being done when the service ends."""

Work = Callable[[Callable[[], bool]], Awaitable[object]]
"""One round. It is given what tells whether to stop, and asks where that leaves nothing half done."""


@asynccontextmanager
async def repeated(work: Work, every: float, waits: str) -> AsyncGenerator[None]:
    """Work beside the block, every so often. A round that fails is told once, until one succeeds; the next comes.

    Args:
        work: One round.
        every: Seconds from one round to the next; 0: none.
        waits: What does not get done while rounds fail, for the log.
    """
    if not every:
        yield
        return
    stop = asyncio.Event()
    working = asyncio.create_task(_rounds(work, every, waits, stop))
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait([working], timeout=_LAST_SECONDS)
        working.cancel()
        await asyncio.wait([working])


async def _rounds(work: Work, every: float, waits: str, stop: asyncio.Event) -> None:
    told, pause = False, min(every, _LONGEST_FIRST)
    while not stop.is_set():
        try:
            await asyncio.wait_for(stop.wait(), pause)
        except TimeoutError:
            try:
                await work(stop.is_set)
                told = False
            except Exception as fault:  # noqa: BLE001  the database may be away; the next round asks again
                if not told:
                    _log.warning("%s: %s", waits, type(fault).__name__)
                told = True
        pause = every
