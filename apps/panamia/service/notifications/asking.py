"""How often somebody may ask others for something: whoever is asked is told, and may get mail, so it has an end."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from sqlalchemy.ext.asyncio import AsyncSession

from ...web.errors import RefusedError
from ..often import Often, count
from .events import Event

QUESTIONS: frozenset[Event] = frozenset({"coauthor-invited", "review-requested", "mentoring-requested"})
"""Events that somebody can bring about with anybody, as often as they like."""
MOST_A_DAY = 50
"""Questions of one person, in any 24 hours."""
MOST_TO_ONE_A_DAY = 5
"""Those of them to the same person."""
_HOURS = 24


async def count_questions(db: AsyncSession, actor: str, targets: Iterable[str]) -> None:
    """Count what somebody asks others.

    Args:
        db: The transaction of the question; behind what else it locks.
        actor: Who asks, an id of users.
        targets: Who is asked, ids of users.

    Raises:
        RefusedError: 429, code `too-often`: it was enough for a day, whether it was taken back or not. Roll back.
    """
    for target in sorted(targets):
        limits = (
            Often(_subject(f"asks {actor}"), MOST_A_DAY, _HOURS),
            Often(_subject(f"asks {actor} {target}"), MOST_TO_ONE_A_DAY, _HOURS),
        )
        seconds = await count(db, limits)
        if seconds is not None:
            again = {"Retry-After": str(seconds)}
            raise RefusedError(429, "You asked for enough today; try again later", "too-often", again)


def _subject(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()
