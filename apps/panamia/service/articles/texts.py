"""What follows from the text of an article: its address, its beginning, how long it takes to read. Pure."""

from __future__ import annotations

import datetime
import math

from .. import slugs

LONGEST_SLUG = 100
_EXCERPT = 300
_WORDS_A_MINUTE = 200
_PAGES = frozenset({"by-slug", "drafts", "edit", "feed", "mine", "new", "search"})


def slug_of(title: str) -> str:
    """Return the address that a title asks for; none is the address of a page about articles."""
    return slugs.slug_of(title, longest=LONGEST_SLUG, otherwise="article", reserved=_PAGES)


def numbered(slug: str, number: int) -> str:
    """Return an address with a number behind it."""
    return slugs.numbered(slug, number, longest=LONGEST_SLUG)


def excerpt_of(content: str) -> str:
    """Return what stands in lists where the author wrote nothing for them: the first 300 characters."""
    return content[:_EXCERPT].strip()


def minutes_of(content: str) -> int:
    """Return how long it takes to read: 200 words a minute, a minute at least."""
    return max(1, math.ceil(len(content.split()) / _WORDS_A_MINUTE))


def moment_of(at: datetime.datetime) -> str:
    """Return an instant as it stands inside jsonb, carried or written here: UTC, milliseconds, `Z`."""
    return f"{at.astimezone(datetime.UTC):%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"
