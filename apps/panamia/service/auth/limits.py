"""How often mail with a link may be asked for: for one mailbox, and from one network host."""

from __future__ import annotations

import hashlib
import hmac

from sqlalchemy.ext.asyncio import AsyncSession

from ...web.errors import RefusedError
from ..often import Often, count
from ..settings import Settings
from .mailbox import mailbox_of


async def count_request(db: AsyncSession, settings: Settings, email: str, host: str) -> None:
    """Count one mail to an address that a network host asks for.

    Args:
        db: The transaction.
        settings: How many may be.
        email: In any spelling: those of one mailbox have one count.
        host: As `network.host_of` has it.

    Raises:
        RefusedError: 429, code `too-often`: one of the two has had its mails of this hour. Which one is not told.
    """
    secret = settings.auth_secret.get_secret_value()
    limits = (  # always in this order, so that two requests cannot wait for each other for ever
        Often(_subject(f"host {host}", secret), settings.links_per_hour_and_host),
        Often(subject_of(email, secret), settings.links_per_hour),
    )
    seconds = await count(db, limits)
    if seconds is not None:
        again = {"Retry-After": str(seconds)}
        raise RefusedError(429, "Too many links were asked for; try again later", "too-often", again)


def subject_of(email: str, secret: str) -> str:
    """Return what stands in the table for an address: nobody can read from it whose it is. Pure."""
    return _subject(f"address {mailbox_of(email)}", secret)


def _subject(name: str, secret: str) -> str:
    return hmac.new(secret.encode(), name.encode(), hashlib.sha256).hexdigest()
