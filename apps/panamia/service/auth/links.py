"""Sign-in links: made for an address, consumed once."""

from __future__ import annotations

import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from ...models import VerificationToken
from ..people import is_address
from .tokens import LINK_HOURS, hash_of, new_token


async def make_link_token(db: AsyncSession, email: str, secret: str) -> str:
    """Make a token for an address beside those it has, and return it.

    Those stay good: who asks for a link of somebody else does not take away the one that was mailed.

    Args:
        email: Folded.
        secret: AUTH_SECRET.
    """
    token = new_token()
    expires = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=LINK_HOURS)
    db.add(VerificationToken(identifier=email, token=hash_of(token, secret), expires=expires))
    await db.flush()
    return token


async def void_links(db: AsyncSession, email: str) -> None:
    """Let no link that was made for an address work any more."""
    await db.execute(sa.delete(VerificationToken).where(is_address(VerificationToken.identifier, email)))


async def consume(db: AsyncSession, email: str, token: str, secret: str) -> bool:
    """Consume a token: of all who come with it one gets True, if it has not expired."""
    address = is_address(VerificationToken.identifier, email)
    gone = sa.delete(VerificationToken).where(address, VerificationToken.token == hash_of(token, secret))
    expires = (await db.execute(gone.returning(VerificationToken.expires))).scalar_one_or_none()
    return expires is not None and expires > datetime.datetime.now(datetime.UTC)
