"""The listings of one person, page by page."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from ...web.cursors import Cursor
from ...web.sessions import Signed
from ..models import Listing
from .showing import shown
from .views import OwnListings


async def listed(db: AsyncSession, asker: Signed, after: Cursor | None, limit: int) -> OwnListings:
    """Return the listings of who asks, the newest first, also those that are withdrawn."""
    query = sa.select(Listing.id, Listing.created_at).where(Listing.sitter_id == asker.id)
    if after is not None:
        query = query.where(after.before(Listing.created_at, Listing.id))
    query = query.order_by(Listing.created_at.desc(), Listing.id.desc()).limit(limit + 1)
    found = (await db.execute(query)).all()
    last = Cursor(found[limit - 1][1], found[limit - 1][0]) if len(found) > limit else None
    views = await shown(db, [key for key, _ in found[:limit]], asker)
    return OwnListings(listings=views, next=str(last) if last else None)
