"""Where a notification leads: a page of the site, or one of a service beside it. Pure.

This service writes paths, sidecars write whole links, and rows that were carried hold any text.
"""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

_SAFE = "%/:?#[]@!$&()*+,;=~"
"""What a link holds as it is (RFC 3986), less the quote that ends a text of HTML."""
_HOST = re.compile(r"(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?", re.ASCII | re.IGNORECASE)
_LONGEST = 2_000


def sound_link(url: str | None) -> str | None:
    """Return a path of the site, or a link of http or https to a host that it names openly; None for all else.

    What a link cannot hold is escaped, so it is one word of ASCII, without quotes and angle brackets.
    """
    if not url or len(url) > _LONGEST:
        return None
    escaped = quote(url, safe=_SAFE, errors="replace")
    if escaped.startswith("/"):
        return escaped if not escaped.startswith("//") else None
    try:
        parts = urlsplit(escaped)
    except ValueError:
        return None
    return escaped if parts.scheme in {"http", "https"} and _HOST.fullmatch(parts.netloc) else None


def whole_link(url: str | None, public_url: str) -> str | None:
    """Return a link as mail has it; None where there is none, or it is not sound.

    Args:
        url: As `sound_link` takes it.
        public_url: Where the site is, for a path.
    """
    link = sound_link(url)
    return f"{public_url}{link}" if link is not None and link.startswith("/") else link
