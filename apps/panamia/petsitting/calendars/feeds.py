"""The link by which a sitter's own calendar reads a listing, with names. Whoever has it reads, so it can be renewed."""

from __future__ import annotations

import datetime
import hashlib
import secrets

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from ..models import CalendarFeed, Listing, User

_BYTES = 32


async def renew(db: AsyncSession, listing: str) -> str:
    """Make a new token of a listing, and return it; the one before opens nothing any more."""
    token = secrets.token_urlsafe(_BYTES)
    made = insert(CalendarFeed).values(listing_id=listing, token_hash=_hash(token))
    made = made.on_conflict_do_update(index_elements=["listing_id"], set_={"token_hash": made.excluded.token_hash})
    await db.execute(made)
    return token


async def made_at(db: AsyncSession, listing: str) -> datetime.datetime | None:
    """Return when the token of a listing was made; None where there is none."""
    query = sa.select(CalendarFeed.updated_at).where(CalendarFeed.listing_id == listing)
    return (await db.execute(query)).scalar_one_or_none()


async def end(db: AsyncSession, listing: str) -> None:
    """Let no token of a listing open anything; where there is none, that is fine."""
    await db.execute(sa.delete(CalendarFeed).where(CalendarFeed.listing_id == listing))


async def opens(db: AsyncSession, listing: str, token: str) -> bool:
    """Tell whether a token is that of a listing; that of a sitter who is gone or locked opens nothing."""
    query = sa.select(CalendarFeed.listing_id).join(Listing, Listing.id == CalendarFeed.listing_id)
    query = query.join(User, User.id == Listing.sitter_id).where(User.locked_at.is_(None))
    query = query.where(CalendarFeed.listing_id == listing, CalendarFeed.token_hash == _hash(token))
    return (await db.execute(query)).scalar_one_or_none() is not None


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()
