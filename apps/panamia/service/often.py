"""How often something was done of late: counted in PostgreSQL, so one count holds for all processes.

Any hour is looked at, not the hour of a clock. What is refused is not counted, nor is what fails behind it, for the
count is of the request's transaction. Two requests at one moment wait for each other's row, so none slips through.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

_COUNT = sa.text("""
INSERT INTO link_requests AS there (subject, requested_at, expires)
VALUES (:subject, ARRAY[now()], now() + make_interval(hours => :hours))
ON CONFLICT (subject) DO UPDATE
SET requested_at = ARRAY(
        SELECT one FROM unnest(there.requested_at) AS one
        WHERE one > now() - make_interval(hours => :hours) ORDER BY one
    ) || now(),
    expires = excluded.expires
WHERE :most > (
    SELECT count(*) FROM unnest(there.requested_at) AS one WHERE one > now() - make_interval(hours => :hours)
)
RETURNING subject
""")
_FREE_AGAIN = sa.text("""
SELECT CAST(ceil(extract(epoch FROM one + make_interval(hours => :hours) - now())) AS integer)
FROM link_requests, unnest(requested_at) AS one
WHERE subject = :subject
ORDER BY one DESC OFFSET :most - 1 LIMIT 1
""")


@dataclass(frozen=True)
class Often:
    """How often something may be done.

    Attributes:
        subject: What is counted; a text that names nobody.
        most: So often at most
        hours: in so many hours.
    """

    subject: str
    most: int
    hours: int = 1


async def count(db: AsyncSession, limits: Iterable[Often]) -> int | None:
    """Count something once for each limit, in their order, as long as all of them allow it.

    Returns:
        None where it may be; else seconds until it may, and the transaction is to be rolled back: limits before the
        one that is reached were counted in it.
    """
    for one in limits:
        values = {"subject": one.subject, "most": one.most, "hours": one.hours}
        if (await db.execute(_COUNT, values)).first() is None:
            seconds = (await db.execute(_FREE_AGAIN, values)).scalar_one_or_none() or 1
            return max(1, seconds)
    return None
