"""How many may wait for something at one moment. Whoever comes beyond them is told so, and does not queue up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

_MOMENT = 0.25
"""Seconds in which a place becomes free wherever answers come; one who waits so long in vain waits for all."""


class FullError(Exception):
    """All places are taken, and none becomes free."""


class Places:
    """Places of those who wait.

    Args:
        number: How many there are; one at least.
    """

    def __init__(self, number: int) -> None:
        self._free = asyncio.Semaphore(max(number, 1))
        self._stands_still = False

    @asynccontextmanager
    async def taken(self) -> AsyncGenerator[None]:
        """Take a place for as long as the block lasts.

        Raises:
            FullError: None was free for a moment. From then on it is raised at once, until one is left.
        """
        if self._stands_still and self._free.locked():
            raise FullError
        try:
            async with asyncio.timeout(_MOMENT):
                await self._free.acquire()
        except TimeoutError:
            self._stands_still = True
            raise FullError from None
        try:
            yield
        finally:
            self._stands_still = False
            self._free.release()
