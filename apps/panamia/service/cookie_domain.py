"""For which domains a browser takes a cookie of a host. Pure."""

from __future__ import annotations

from ipaddress import ip_address


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
