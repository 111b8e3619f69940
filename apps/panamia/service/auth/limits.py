"""How often mail with a link may be asked for: counted in PostgreSQL, so one count holds for all processes.

Any hour is looked at, not the hour of a clock. What is refused is not counted, nor is what fails behind it, for the
count is of the request's transaction. Two requests at one moment wait for each other's row, so none slips through.
"""

from __future__ import annotations

import hashlib
import hmac

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from ..errors import RefusedError
from ..settings import Settings

_COUNT = sa.text("""
INSERT INTO link_requests AS there (subject, requested_at, expires)
VALUES (:subject, ARRAY[now()], now() + interval '1 hour')
ON CONFLICT (subject) DO UPDATE
SET requested_at = ARRAY(
        SELECT one FROM unnest(there.requested_at) AS one WHERE one > now() - interval '1 hour' ORDER BY one
    ) || now(),
    expires = excluded.expires
WHERE :most > (SELECT count(*) FROM unnest(there.requested_at) AS one WHERE one > now() - interval '1 hour')
RETURNING subject
""")
_FREE_AGAIN = sa.text("""
SELECT CAST(ceil(extract(epoch FROM one + interval '1 hour' - now())) AS integer)
FROM link_requests, unnest(requested_at) AS one
WHERE subject = :subject
ORDER BY one DESC OFFSET :most - 1 LIMIT 1
""")


async def count_request(db: AsyncSession, settings: Settings, email: str, host: str | None = None) -> None:
    """Count one mail to an address that a network host asks for.

    Args:
        email: Folded.
        host: As `network.host_of` has it; None where it is not known who asks.

    Raises:
        RefusedError: 429, code `too-often`: one of the two has had its mails of this hour. Which one is not told.
    """
    secret = settings.auth_secret.get_secret_value()
    limits = [] if host is None else [(f"host {host}", settings.links_per_hour_and_host)]
    limits.append((f"address {email}", settings.links_per_hour))
    for name, most in limits:  # always in this order, so that two requests cannot wait for each other for ever
        values = {"subject": subject_of(name, secret), "most": most}
        if (await db.execute(_COUNT, values)).first() is None:
            seconds = (await db.execute(_FREE_AGAIN, values)).scalar_one_or_none() or 1
            again = {"Retry-After": str(max(1, seconds))}
            raise RefusedError(429, "Too many links were asked for; try again later", "too-often", again)


def subject_of(name: str, secret: str) -> str:
    """Return what stands in the table for an address: nobody can read from it whose it is. Pure."""
    return hmac.new(secret.encode(), name.encode(), hashlib.sha256).hexdigest()
