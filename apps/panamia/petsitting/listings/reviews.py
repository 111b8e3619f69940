"""What people said of a listing who stayed, page by page."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from ...web.cursors import Cursor
from ...web.people import person
from ..models import ListingReview, User
from .showing import rating
from .views import Reviews, ReviewView


async def listed(db: AsyncSession, listing: str, after: Cursor | None, limit: int) -> Reviews:
    """Return reviews of a listing, the newest first, and what all of them say together."""
    review = ListingReview
    query = sa.select(review, User.screenname).outerjoin(User, User.id == review.author_id)
    query = query.where(review.listing_id == listing)
    if after is not None:
        query = query.where(after.before(review.created_at, review.id))
    query = query.order_by(review.created_at.desc(), review.id.desc()).limit(limit + 1)
    found = (await db.execute(query)).all()
    together = sa.select(sa.func.count(), sa.func.avg(review.rating)).where(review.listing_id == listing)
    count, average = (await db.execute(together)).one()
    views = [
        ReviewView(
            id=one.id,
            rating=one.rating,
            text=one.text,
            author=person(one.author_id, screenname),
            created_at=one.created_at,
        )
        for one, screenname in found[:limit]
    ]
    last = Cursor(views[-1].created_at, views[-1].id) if len(found) > limit else None
    return Reviews(reviews=views, rating=rating(count, average), next=str(last) if last else None)
