"""A request whose transaction was undone so that others could go on is run again, before anybody is told."""

from __future__ import annotations

import asyncio
import random
from collections.abc import MutableMapping
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_KEY = "panamia.again"
_TIMES = 2
"""Behind the first one. Then whoever asked is told that others are in the way."""
_PAUSE = 0.05
"""Seconds at most, longer each time, so that two do not meet again."""


class _Wish:
    """Whether a request is to be run again."""

    said = False


def ask_again(scope: MutableMapping[str, Any]) -> None:
    """Let a request be run again: nothing of it is done, in no database."""
    wish = scope.get(_KEY)
    if isinstance(wish, _Wish):
        wish.said = True


class Again:
    """Run requests again that ask for it, with the same body; their answer until then is thrown away."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, as often as it takes."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        body: list[Message] = []
        for turn in range(_TIMES):
            if not await self._passed(scope, receive, send, body):
                return
            await asyncio.sleep(random.uniform(0, _PAUSE * (turn + 1)))  # noqa: S311  no secret
        await self.app(dict(scope), _replaying(body, receive), send)

    async def _passed(self, scope: Scope, receive: Receive, send: Send, body: list[Message]) -> bool:
        """Pass the request on, and return whether to do it again: then nothing was sent."""
        wish = _Wish()
        thrown_away = False

        async def held(message: Message) -> None:
            nonlocal thrown_away
            if message["type"] == "http.response.start":
                thrown_away = wish.said
            if not thrown_away:
                await send(message)

        await self.app({**scope, _KEY: wish}, _replaying(body, receive), held)
        return thrown_away


def _replaying(body: list[Message], receive: Receive) -> Receive:
    """Return what gives the parts of a body again that came before, then those that come."""
    place = 0

    async def received() -> Message:
        nonlocal place
        if place == len(body):
            message = await receive()
            if message["type"] != "http.request":
                return message
            body.append(message)
        place += 1
        return body[place - 1]

    return received
