"""Sign-in links: made for an address, consumed once."""

from __future__ import annotations

import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from ...models import User, VerificationToken
from .tokens import LINK_HOURS, hash_of, new_token


async def make_link_token(db: AsyncSession, email: str, secret: str) -> str:
    """Make a token for an address in place of those it has, and return it.

    Args:
        email: Trimmed, in lower case.
        secret: AUTH_SECRET.
    """
    token = new_token()
    expires = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=LINK_HOURS)
    await db.execute(sa.delete(VerificationToken).where(sa.func.lower(VerificationToken.identifier) == email))
    db.add(VerificationToken(identifier=email, token=hash_of(token, secret), expires=expires))
    await db.flush()
    return token


async def consume(db: AsyncSession, email: str, token: str, secret: str) -> bool:
    """Consume a token: of all who come with it one gets True, if it has not expired."""
    found = await db.execute(
        sa.delete(VerificationToken)
        .where(sa.func.lower(VerificationToken.identifier) == email, VerificationToken.token == hash_of(token, secret))
        .returning(VerificationToken.expires)
    )
    expires = found.scalar_one_or_none()
    return expires is not None and expires > datetime.datetime.now(datetime.UTC)


async def user_of(db: AsyncSession, email: str) -> User | None:
    """Return who has an address, in whatever case it is stored; None for nobody."""
    return (await db.execute(sa.select(User).where(sa.func.lower(User.email) == email))).scalar_one_or_none()
