"""The cookie of a session, set and taken back as Auth.js does."""

from __future__ import annotations

from fastapi import Response

from ...web.cookies import PLAIN, SECURE
from ..settings import Settings


def set_cookie(response: Response, settings: Settings, token: str) -> None:
    """Let the browser keep a session for as long as one lasts."""
    name = SECURE if settings.is_secure else PLAIN
    if settings.session_cookie_domain is not None:
        _delete(response, settings, name, None)  # from before there was a domain: both would be sent
    response.set_cookie(
        name,
        token,
        max_age=settings.session_days * 86_400,
        path="/",
        domain=settings.session_cookie_domain,
        secure=settings.is_secure,
        httponly=True,
        samesite="lax",
    )


def forget_cookie(response: Response, settings: Settings) -> None:
    """Let the browser forget its session, whichever name and domain it has."""
    for name in (SECURE, PLAIN):
        for domain in dict.fromkeys((settings.session_cookie_domain, None)):
            _delete(response, settings, name, domain)


def _delete(response: Response, settings: Settings, name: str, domain: str | None) -> None:
    secure = settings.is_secure or name == SECURE
    response.delete_cookie(name, path="/", domain=domain, secure=secure, httponly=True, samesite="lax")
