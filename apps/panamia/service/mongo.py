"""MongoDB as the service sees it: there, or away. While it is away nobody waits for it."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import AutoReconnect, ConnectionFailure, ExecutionTimeout, NetworkTimeout, WaitQueueTimeoutError

_AWAY = (AutoReconnect, ConnectionFailure, ExecutionTimeout, NetworkTimeout, WaitQueueTimeoutError)
_ASKED_AGAIN_AFTER = 1.0
"""Seconds after a failure in which nobody asks."""

T = TypeVar("T")
Database = AsyncDatabase[dict[str, Any]]


class MongoAwayError(Exception):
    """MongoDB does not answer."""

    def __init__(self) -> None:
        super().__init__("MongoDB does not answer")


class Mongo:
    """The service's MongoDB.

    Args:
        uri: Its address, with a database.
        timeout_ms: How long it may take to answer.
    """

    def __init__(self, uri: str, timeout_ms: int) -> None:
        self.client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
            uri,
            serverSelectionTimeoutMS=timeout_ms,
            connectTimeoutMS=timeout_ms,
            socketTimeoutMS=timeout_ms,
            tz_aware=True,
            appname="panamia",
        )
        self.database: Database = self.client.get_default_database()
        self._quiet_until = 0.0

    async def ask(self, work: Callable[[Database], Awaitable[T]]) -> T:
        """Do something with the database.

        Raises:
            MongoAwayError: It does not answer, or did not a moment ago.
        """
        if time.monotonic() < self._quiet_until:
            raise MongoAwayError
        try:
            return await work(self.database)
        except _AWAY as fault:
            self._quiet_until = time.monotonic() + _ASKED_AGAIN_AFTER
            raise MongoAwayError from fault

    async def ping(self) -> None:
        """Ask whether it is there.

        Raises:
            MongoAwayError: It is not.
        """
        await self.ask(lambda database: database.command("ping"))

    async def close(self) -> None:
        """Let its connections go."""
        await self.client.close()
