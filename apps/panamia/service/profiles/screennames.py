"""The rules of screen names: what one looks like, which are kept back, how often one changes. Pure."""

from __future__ import annotations

import datetime
import re

SHORTEST, LONGEST = 3, 24
RESERVED = frozenset(
    {
        "admin",
        "administrator",
        "pana",
        "panamia",
        "support",
        "help",
        "system",
        "moderator",
        "mod",
        "staff",
        "official",
        "anonymous",
        "deleted",
        "former",
        "member",
        "user",
        "root",
        "api",
        "www",
        "mail",
        "email",
        "test",
        "null",
        "undefined",
    }
)
BETWEEN_CHANGES = datetime.timedelta(days=90)
_SHAPE = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_-]*[a-zA-Z0-9]")


def why_not(name: str) -> str | None:
    """Return why nobody can have a name, trimmed; None for one that somebody can."""
    if not SHORTEST <= len(name) <= LONGEST:
        return f"A screen name has {SHORTEST} to {LONGEST} characters"
    if _SHAPE.fullmatch(name) is None:
        return "A screen name has letters, digits, _ and -, and begins and ends with a letter or a digit"
    if name.lower() in RESERVED:
        return "This screen name is kept back"
    return None


def changes_again_at(changed_at: datetime.datetime | None) -> datetime.datetime | None:
    """Return from when on a name may change; None where it may since ever, for the first one starts no clock."""
    if changed_at is None:
        return None
    try:
        return changed_at + BETWEEN_CHANGES
    except OverflowError:  # carried: the end of days
        return changed_at
