"""Ask MongoDB what the decisions ask for, in both faces of the driver. Nothing here decides.

Everything is read as a majority of the servers has it and written so that a majority has it, so what was answered once
is not taken back by an election.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from inspect import isawaitable
from typing import Any, cast

import pymongo
from bson.errors import BSONError
from pymongo.asynchronous.command_cursor import AsyncCommandCursor
from pymongo.asynchronous.cursor import AsyncCursor
from pymongo.command_cursor import CommandCursor
from pymongo.cursor import Cursor
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.read_preferences import ReadPreference
from pymongo.write_concern import WriteConcern

from isthmus.errors import IsthmusError, PolyglotError
from isthmus.polyglot.ensure.asks import Ask, Asking, Call, Duplicate, Gone, Make, T, Trouble, Wait
from isthmus.polyglot.ensure.server import answer_of, refused

_LEAST_SECONDS = 0.05
_LOCAL = ReadConcern("local")
_CURSORS: tuple[type, ...] = (Cursor, CommandCursor, AsyncCursor, AsyncCommandCursor)


def checked(collection: Any, kind: type, called: str, other: str) -> Any:
    """Return the collection as it is read and written here.

    Raises:
        PolyglotError: It is of another kind (code `ensure-collection`).
    """
    if not isinstance(collection, kind):
        raise PolyglotError(
            f"{called} takes no {type(collection).__name__}.",
            code="ensure-collection",
            hint=f"Give a collection of pymongo, client[database][name]; this may be one for {other}.",
        )
    return collection.with_options(
        read_preference=ReadPreference.PRIMARY,
        read_concern=ReadConcern("majority"),
        write_concern=WriteConcern("majority", j=True),
    )


class _Time:
    """How long all of a call may still take, and what the server said last.

    Args:
        seconds: How long.
    """

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds
        self.last: IsthmusError | None = None

    def left(self) -> float:
        """Return the seconds that are left, never none at all."""
        return max(self._end - time.monotonic(), _LEAST_SECONDS)

    def wait(self, wanted: Wait) -> float:
        """Return how long to wait.

        Raises:
            IsthmusError: The time would be over then, and the server is in trouble.
        """
        if self.last is not None and time.monotonic() + wanted.seconds > self._end:
            raise self.last
        return wanted.seconds

    def answered(self, error: PyMongoError | BSONError, collection: Any) -> Duplicate | Gone | Trouble:
        """Return what an error is as an answer.

        Raises:
            SourceError, PolyglotError: It is none.
        """
        if not isinstance(error, PyMongoError):
            raise refused(f"a document cannot be read, {type(error).__name__}", collection.name) from error
        answer, told = answer_of(error, collection.database.client, collection.name)
        self.last = told if isinstance(answer, Trouble) else None
        return answer


def ask(collection: Any, asking: Asking[T], create: Callable[[], Any] | None, seconds: float) -> T:
    """Run a decision to its end, and return what it comes to.

    Args:
        collection: From `checked`.
        asking: The decision.
        create: The caller's factory.
        seconds: How long all of it may take.
    """
    clock, answer = _Time(seconds), None
    while True:
        try:
            one: Ask = asking.send(answer)
        except StopIteration as end:
            return end.value
        if isinstance(one, Wait):
            time.sleep(clock.wait(one))
            answer = None
        elif isinstance(one, Make):
            answer = cast("Any", create)()
        else:
            answer = _call(collection, one, clock)


def _call(collection: Any, call: Call, clock: _Time) -> Any:
    try:
        with pymongo.timeout(clock.left()):
            found: Any = getattr(_asked(collection, call), call.method)(*call.arguments, **call.options)
            found = found.to_list() if isinstance(found, _CURSORS) else found
    except (PyMongoError, BSONError) as error:
        return clock.answered(error, collection)
    clock.last = None
    return found


def _asked(collection: Any, call: Call) -> Any:
    return collection.with_options(read_concern=_LOCAL) if call.of_server else collection


async def ask_async(collection: Any, asking: Asking[T], create: Callable[[], Any] | None, seconds: float) -> T:
    """Do what `ask` does, on a collection that is awaited, with a factory that may be."""
    clock, answer = _Time(seconds), None
    while True:
        try:
            one: Ask = asking.send(answer)
        except StopIteration as end:
            return end.value
        if isinstance(one, Wait):
            await asyncio.sleep(clock.wait(one))
            answer = None
        elif isinstance(one, Make):
            made = cast("Any", create)()
            answer = await made if isawaitable(made) else made
        else:
            answer = await _call_async(collection, one, clock)


async def _call_async(collection: Any, call: Call, clock: _Time) -> Any:
    try:
        with pymongo.timeout(clock.left()):
            found: Any = getattr(_asked(collection, call), call.method)(*call.arguments, **call.options)
            found = await found if isawaitable(found) else found
            found = await found.to_list() if isinstance(found, _CURSORS) else found
    except (PyMongoError, BSONError) as error:
        return clock.answered(error, collection)
    clock.last = None
    return found
