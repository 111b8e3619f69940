"""MongoDB as the service sees it: there, or away. While it is away nobody waits for it."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import (
    ConnectionFailure,
    ExecutionTimeout,
    NetworkTimeout,
    OperationFailure,
    WaitQueueTimeoutError,
)

from ..web.errors import answer

_log = logging.getLogger("panamia")
_SLOW = (ExecutionTimeout, NetworkTimeout, WaitQueueTimeoutError)
"""Of one request: others may well be answered."""
_NOT_LET_IN = {13, 18, 8000}
"""Unauthorized, AuthenticationFailed, and what Atlas says instead."""
_ASKED_AGAIN_AFTER = 1.0
"""Seconds after a failure in which nobody asks."""

T = TypeVar("T")
Database = AsyncDatabase[dict[str, Any]]


class MongoAwayError(Exception):
    """MongoDB does not answer."""

    def __init__(self) -> None:
        super().__init__("MongoDB does not answer")


def add_handlers(app: FastAPI) -> None:
    """Let the application say that MongoDB is away."""

    @app.exception_handler(MongoAwayError)
    async def _away(_: Request, fault: MongoAwayError) -> JSONResponse:
        return answer(503, str(fault), "mongodb-away", headers={"Retry-After": "1"})


class Mongo:
    """The service's MongoDB.

    Args:
        uri: Its address, with a database.
        timeout_ms: How long it may take to answer.
        answer_ms: How long one answer of a server that is there may take; None: as long.
    """

    def __init__(self, uri: str, timeout_ms: int, *, answer_ms: int | None = None) -> None:
        self.client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
            uri,
            serverSelectionTimeoutMS=timeout_ms,
            connectTimeoutMS=timeout_ms,
            socketTimeoutMS=timeout_ms if answer_ms is None else answer_ms,
            tz_aware=True,
            datetime_conversion="DATETIME_AUTO",  # a date that Python has not fails no request
            appname="panamia",
        )
        self.database: Database = self.client.get_default_database()
        self._seconds = timeout_ms / 1_000
        self._away = False
        self._quiet_until = 0.0

    async def ask(self, work: Callable[[Database], Awaitable[T]]) -> T:
        """Do something with the database.

        While it is away nobody asks for a second, then one for all, and the others go on being told that it is away.

        Raises:
            MongoAwayError: It does not answer, does not in time, does not let the service in, or did not a moment ago.
        """
        now = time.monotonic()
        if now < self._quiet_until:
            raise MongoAwayError
        if self._away:
            self._quiet_until = now + self._seconds + _ASKED_AGAIN_AFTER
        was_away, away = self._away, False
        try:
            return await work(self.database)
        except (ConnectionFailure, ExecutionTimeout) as fault:
            away = was_away or not isinstance(fault, _SLOW)
            raise MongoAwayError from fault
        except OperationFailure as fault:
            if fault.code not in _NOT_LET_IN:
                raise
            _log.error("MongoDB does not let the service in: error %s", fault.code)
            raise MongoAwayError from fault
        finally:
            self._away = away
            self._quiet_until = time.monotonic() + _ASKED_AGAIN_AFTER if away else 0.0

    async def ping(self) -> None:
        """Ask whether it is there.

        Raises:
            MongoAwayError: It is not.
        """
        await self.ask(lambda database: database.command("ping"))

    async def close(self) -> None:
        """Let its connections go."""
        await self.client.close()
