"""What every request passes before a route sees it: who may write from where, and how large it may be."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .errors import answer
from .settings import Settings, origin_of

_READING = {"GET", "HEAD", "OPTIONS"}


class OriginCheck:
    """Refuse writes that a page of another origin sends: the cookie of a session travels with them.

    A write names its origin in `Origin`, or in `Referer` where a browser leaves that out. One that names none is
    refused if it carries a cookie; without one it has no session to misuse.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app, self.origins = app, settings.origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 403."""
        if scope["type"] == "http" and scope["method"] not in _READING and not self._may(Headers(scope=scope)):
            await answer(403, "Writes from this origin are refused", "origin")(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _may(self, headers: Headers) -> bool:
        named = headers.get("origin") or headers.get("referer")
        if named is None:
            return "cookie" not in headers
        try:
            return origin_of(named) in self.origins
        except ValueError:
            return False


class _TooLargeError(Exception):
    pass


class BodyLimit:
    """Refuse bodies over a size, also those that do not say how large they are."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app, self.limit = app, settings.body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 413."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        said = Headers(scope=scope).get("content-length", "0")
        seen, begun = 0, False

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self.limit:
                raise _TooLargeError
            return message

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            if said.isdigit() and int(said) > self.limit:
                raise _TooLargeError
            await self.app(scope, counted, noted)
        except _TooLargeError:
            if begun:
                raise
            refusal = answer(413, f"A request holds {self.limit:,} bytes at most", headers={"Connection": "close"})
            await refusal(scope, receive, send)
