"""What every answer tells a browser: not to guess, not to keep, and not to tell others where a link came from."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ALL = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",  # a sign-in link holds a token
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-site",
}
_HTTPS = "max-age=31536000"


class Headers:
    """Adds them; nothing is kept where the route does not say otherwise.

    Args:
        app: What answers.
        is_secure: Whether people come by https, and shall keep doing so.
    """

    def __init__(self, app: ASGIApp, *, is_secure: bool) -> None:
        self.app, self.is_secure = app, is_secure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and add to the answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def adding(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(_ALL)
                headers.setdefault("Cache-Control", "no-store")
                if self.is_secure:
                    headers["Strict-Transport-Security"] = _HTTPS
            await send(message)

        await self.app(scope, receive, adding)
