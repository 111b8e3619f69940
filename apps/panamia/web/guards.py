"""What every request passes before a route sees it: who may write from where, and how large it may be."""

from __future__ import annotations

from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .errors import answer
from .origins import origin_of

_READING = {"GET", "HEAD", "OPTIONS"}
_DIGITS = 18
"""Of a length that is no joke."""


class OriginCheck:
    """Refuse writes that a page of another origin sends: the cookie of a session travels with them.

    A write names its origin in `Origin`, or in `Referer` where a browser leaves that out. One that names none is
    refused if it carries a cookie; without one it has no session to misuse.
    """

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        self.app, self.origins = app, origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 403."""
        if scope["type"] == "http" and scope["method"] not in _READING and not self._may(Headers(scope=scope)):
            await answer(403, "Writes from this origin are refused", "origin")(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _may(self, headers: Headers) -> bool:
        named = headers.getlist("origin") or headers.getlist("referer")
        if not named:
            return "cookie" not in headers
        try:
            return all(origin_of(one) in self.origins for one in named)
        except ValueError:
            return False


class _TooLargeError(HTTPException):
    """Of HTTP's kind, for whoever reads a body hides errors of other kinds."""

    def __init__(self, limit: int) -> None:
        super().__init__(413, f"A request holds {limit:,} bytes at most", {"Connection": "close"})


class BodyLimit:
    """Refuse bodies over a size, also those that do not say how large they are."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self.app, self.limit = app, limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 413."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        said = Headers(scope=scope).get("content-length", "")
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self.limit:
                raise _TooLargeError(self.limit)
            return message

        if said.isascii() and said.isdigit() and (len(said) > _DIGITS or int(said) > self.limit):
            fault = _TooLargeError(self.limit)
            await answer(fault.status_code, fault.detail, headers=fault.headers)(scope, receive, send)
            return
        await self.app(scope, counted, send)
