"""MongoDB as the service sees it: there, or away. While it is away, or hangs, nobody waits for it for long."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pymongo
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
    WriteConcernError,
)

from ..web.errors import answer
from .places import FullError, Places
from .sent_writes import SentWrites, sent_writes

_log = logging.getLogger("panamia")
_SLOW = (ExecutionTimeout, NetworkTimeout, WaitQueueTimeoutError, TimeoutError)
"""Of one request: others may well be answered."""
_MISSES = 3
"""So many questions in a row without an answer in time are not slow ones: it hangs, for everybody."""
_NOT_LET_IN = {13, 18, 8000}
"""Unauthorized, AuthenticationFailed, and what Atlas says instead."""
_ASKED_AGAIN_AFTER = 1.0
"""Seconds after a failure in which nobody asks."""
_BEHIND_THE_DRIVER = 0.5
"""Seconds behind the deadline that the driver keeps; it keeps none while TLS is agreed on, or a name looked up."""

T = TypeVar("T")
Database = AsyncDatabase[dict[str, Any]]


class MongoAwayError(Exception):
    """MongoDB does not answer."""

    def __init__(self, words: str = "MongoDB does not answer") -> None:
        super().__init__(words)


class MongoUnsureError(MongoAwayError):
    """MongoDB was told to write, and has not said that it did: it may have, or may yet."""

    def __init__(self) -> None:
        super().__init__(
            "MongoDB did not answer, so it is not known whether this was saved; look first, then save again"
        )


def add_handlers(app: FastAPI) -> None:
    """Let the application say that MongoDB is away."""

    @app.exception_handler(MongoAwayError)
    async def _away(_: Request, fault: MongoAwayError) -> JSONResponse:
        return answer(503, str(fault), "mongodb-away", headers={"Retry-After": "1"})

    @app.exception_handler(MongoUnsureError)
    async def _unsure(_: Request, fault: MongoUnsureError) -> JSONResponse:
        return answer(503, str(fault), "mongodb-unsure")  # no program is to try again by itself


class Mongo:
    """The service's MongoDB.

    Args:
        uri: Its address, with a database.
        timeout_ms: How long it may take to answer, and to be found.
        answer_ms: How long an answer of a server that is there may take; None: as long.
        most_waiting: How many may wait for answers at one moment; None: any number.
    """

    def __init__(
        self, uri: str, timeout_ms: int, *, answer_ms: int | None = None, most_waiting: int | None = None
    ) -> None:
        self.client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
            uri,
            serverSelectionTimeoutMS=timeout_ms,
            connectTimeoutMS=timeout_ms,
            tz_aware=True,
            datetime_conversion="DATETIME_AUTO",  # a date that Python has not fails no request
            appname="panamia",
            event_listeners=[SentWrites()],
        )
        self.database: Database = self.client.get_default_database()
        self._seconds = timeout_ms / 1_000
        self._answer_seconds = self._seconds if answer_ms is None else answer_ms / 1_000
        self._places = None if most_waiting is None else Places(most_waiting)
        self._away = False
        self._quiet_until = 0.0
        self._misses = 0
        self._answered_at = 0.0

    async def ask(self, work: Callable[[Database], Awaitable[T]]) -> T:
        """Do something with the database, in one time for all of it.

        Whoever asks holds a connection to PostgreSQL meanwhile, which others wait for: so only some may ask at once.

        Raises:
            MongoAwayError: As `ask_apart`; or others wait for it already, as many as may.
            MongoUnsureError: As `ask_apart`.
        """
        self._refuse_while_quiet()
        if self._places is None:
            return await self.ask_apart(work)
        try:
            async with self._places.taken():
                return await self.ask_apart(work)
        except FullError as fault:
            raise MongoAwayError from fault

    async def ask_apart(self, work: Callable[[Database], Awaitable[T]], seconds: float | None = None) -> T:
        """Do something with the database beside requests, holding nothing that they need.

        While it is away nobody asks for a second, then one for all, and the others go on being told that it is away.

        Args:
            work: What is done.
            seconds: How long all of it may take; None: as long as an answer may.

        Raises:
            MongoAwayError: It does not answer, does not in time, does not let the service in, or did not a moment ago.
            MongoUnsureError: The same, and a write had been sent: it may have been done, or may yet be.
        """
        self._refuse_while_quiet()
        began = time.monotonic()
        if self._away:
            self._quiet_until = began + self._seconds + _ASKED_AGAIN_AFTER
        with sent_writes() as sent:
            try:
                found = await _in_time(work(self.database), self._answer_seconds if seconds is None else seconds)
            except (ConnectionFailure, ExecutionTimeout, TimeoutError) as fault:
                self._unanswered(fault, began)
                raise (MongoUnsureError() if sent else MongoAwayError()) from fault
            except WriteConcernError as fault:
                self._answered()
                raise MongoUnsureError from fault
            except OperationFailure as fault:
                self._answered()
                if fault.code not in _NOT_LET_IN:
                    raise
                _log.error("MongoDB does not let the service in: error %s", fault.code)
                raise MongoAwayError from fault
            except Exception:
                self._answered()
                raise
        self._answered()
        return found

    async def ping(self) -> None:
        """Ask whether it is there.

        Raises:
            MongoAwayError: It is not.
        """
        await self.ask_apart(lambda database: database.command("ping"))

    async def close(self) -> None:
        """Let its connections go. It is told so, if it listens."""
        with pymongo.timeout(self._seconds):
            await self.client.close()

    def _refuse_while_quiet(self) -> None:
        if time.monotonic() < self._quiet_until:
            raise MongoAwayError

    def _answered(self) -> None:
        self._away, self._quiet_until, self._misses = False, 0.0, 0
        self._answered_at = time.monotonic()

    def _unanswered(self, fault: Exception, began: float) -> None:
        """Note a question without an answer; one that was asked before the last answer says nothing of now."""
        if self._answered_at < began:
            self._misses += 1
        if self._away or self._misses >= _MISSES or not isinstance(fault, _SLOW):
            self._away, self._quiet_until = True, time.monotonic() + _ASKED_AGAIN_AFTER


async def _in_time(work: Awaitable[T], seconds: float) -> T:
    async with asyncio.timeout(seconds + _BEHIND_THE_DRIVER):
        with pymongo.timeout(seconds):
            return await work
