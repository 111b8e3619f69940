"""The cookie of a session, named and set as Auth.js does. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import Response

from ..settings import Settings

SECURE, PLAIN = "__Secure-authjs.session-token", "authjs.session-token"


def token_of(cookies: Mapping[str, str]) -> str | None:
    """Return the session that a request names; None where it names none."""
    return cookies.get(SECURE) or cookies.get(PLAIN) or None


def set_cookie(response: Response, settings: Settings, token: str, seconds: int) -> None:
    """Let the browser keep a session for so many seconds."""
    response.set_cookie(
        SECURE if settings.is_secure else PLAIN,
        token,
        max_age=seconds,
        path="/",
        domain=settings.session_cookie_domain,
        secure=settings.is_secure,
        httponly=True,
        samesite="lax",
    )


def forget_cookie(response: Response, settings: Settings) -> None:
    """Let the browser forget its session, whichever name it has."""
    for name in (SECURE, PLAIN):
        response.delete_cookie(
            name,
            path="/",
            domain=settings.session_cookie_domain,
            secure=settings.is_secure,
            httponly=True,
            samesite="lax",
        )
