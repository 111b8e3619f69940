"""The cookie of a session, named as Auth.js does, and for which domains browsers take one. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address

SECURE, PLAIN = "__Secure-authjs.session-token", "authjs.session-token"
_LONGEST = 255


def token_of(cookies: Mapping[str, str], *, is_secure: bool) -> str | None:
    """Return the session that a request names; None where it names none that could be.

    Where people come by https only the first name counts: pages without it can set the other one for the same host.
    """
    token = cookies.get(SECURE) or (None if is_secure else cookies.get(PLAIN))
    return None if not token or len(token) > _LONGEST or "\0" in token else token


def may_set_cookie(host: str, domain: str) -> bool:
    """Return whether browsers let a host set a cookie for a domain, with or without a dot in front.

    They do for the host itself and for domains above it, but for none below which anybody can have a name: `org`,
    `co.uk`, `github.io`. Of those the list of publicsuffix.org is asked that the package brought along.
    """
    domain = domain.strip().lower().removeprefix(".")
    if _is_address(host) or "." not in domain or not f".{host}".endswith(f".{domain}"):
        return False
    from publicsuffixlist import PublicSuffixList  # only here: it reads the whole list

    return PublicSuffixList().privatesuffix(domain) is not None


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
