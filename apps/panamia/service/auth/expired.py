"""What has expired goes, a little with each request for a link, so that nobody has to run a clean-up."""

from __future__ import annotations

import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from ...models import Base, EmailMigration, LinkRequest, OAuthVerification, Session, VerificationToken

_MOST = 100
"""Rows of a table at once."""

EXPIRING: tuple[tuple[type[Base], InstrumentedAttribute[str], InstrumentedAttribute[datetime.datetime]], ...] = (
    (LinkRequest, LinkRequest.subject, LinkRequest.expires),
    (Session, Session.session_token, Session.expires),
    (VerificationToken, VerificationToken.token, VerificationToken.expires),
    (OAuthVerification, OAuthVerification.id, OAuthVerification.expires_at),
    (EmailMigration, EmailMigration.id, EmailMigration.expires_at),
)
"""What expires: its table, a key of it, and when."""


async def forget_expired(db: AsyncSession) -> None:
    """Delete rows that expired over a day ago; those that another request holds are left to the next one."""
    long_ago = sa.func.now() - sa.text("interval '1 day'")
    for model, key, when in EXPIRING:
        some = sa.select(key).where(when < long_ago).order_by(when).limit(_MOST).with_for_update(skip_locked=True)
        gone = sa.delete(model).where(key.in_(some))
        await db.execute(gone, execution_options={"synchronize_session": False})
