"""What follows from the text of an article: its address, its beginning, how long it takes to read. Pure."""

from __future__ import annotations

import datetime
import math
import re
import unicodedata

LONGEST_SLUG = 100
_EXCERPT = 300
_WORDS_A_MINUTE = 200
_NAMELESS = "article"


def slug_of(title: str) -> str:
    """Return the address that a title asks for: letters without accents, digits, hyphens; 100 characters at most."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode("ascii").lower()
    return re.sub("[^a-z0-9]+", "-", plain).strip("-")[:LONGEST_SLUG].rstrip("-") or _NAMELESS


def numbered(slug: str, number: int) -> str:
    """Return an address with a number behind it, which costs it letters where it would be too long."""
    suffix = f"-{number}"
    return slug[: LONGEST_SLUG - len(suffix)].rstrip("-") + suffix


def excerpt_of(content: str) -> str:
    """Return what stands in lists where the author wrote nothing for them: the first 300 characters."""
    return content[:_EXCERPT].strip()


def minutes_of(content: str) -> int:
    """Return how long it takes to read: 200 words a minute, a minute at least."""
    return max(1, math.ceil(len(content.split()) / _WORDS_A_MINUTE))


def moment_of(at: datetime.datetime) -> str:
    """Return an instant as it stands inside jsonb, carried or written here: UTC, milliseconds, `Z`."""
    return f"{at.astimezone(datetime.UTC):%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"
