"""The cookie of a session, named and set as Auth.js does. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import Response

from ..settings import Settings

SECURE, PLAIN = "__Secure-authjs.session-token", "authjs.session-token"
_LONGEST = 255


def token_of(cookies: Mapping[str, str], settings: Settings) -> str | None:
    """Return the session that a request names; None where it names none that could be.

    Where people come by https only the first name counts: pages without it can set the other one for the same host.
    """
    token = cookies.get(SECURE) or (None if settings.is_secure else cookies.get(PLAIN))
    return None if not token or len(token) > _LONGEST or "\0" in token else token


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
