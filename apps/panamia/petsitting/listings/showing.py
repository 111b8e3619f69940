"""Listings as people get them: with their sitters, photos and ratings, in few statements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from ...web.errors import not_found
from ...web.people import person
from ...web.sessions import Signed
from ..models import Currency, Listing, ListingPhoto, ListingReview, User
from .rules import price_text
from .views import ListingView, PhotoView, RatingView, SpotView

_REVIEWS = (
    sa.select(sa.func.count().label("count"), sa.func.avg(ListingReview.rating).label("average"))
    .where(ListingReview.listing_id == Listing.id)
    .lateral("reviews")
)
_SHOWN = (
    sa.select(Listing, User.screenname, Currency.digits, _REVIEWS.c.count, _REVIEWS.c.average)
    .join(Currency, Currency.code == Listing.currency)
    .join(_REVIEWS, sa.true())
    .outerjoin(User, User.id == Listing.sitter_id)
)


async def shown(db: AsyncSession, keys: Sequence[str], asker: Signed | None) -> list[ListingView]:
    """Return listings as they are shown to somebody, in the order of their keys; what is gone is left out."""
    if not keys:
        return []
    photos = await _photos(db, keys)
    found = {
        listing.id: _view(listing, asker, screenname, digits, count, average, photos[listing.id])
        for listing, screenname, digits, count, average in await db.execute(_SHOWN.where(Listing.id.in_(keys)))
    }
    return [found[key] for key in keys if key in found]


async def shown_one(db: AsyncSession, key: str, asker: Signed | None) -> ListingView:
    """Return a listing as it is shown to somebody.

    Raises:
        RefusedError: It is not there, or no longer (404).
    """
    found = await shown(db, [key], asker)
    if not found:
        raise not_found("Listing")
    return found[0]


def _view(
    listing: Listing,
    asker: Signed | None,
    screenname: str | None,
    digits: int,
    count: int,
    average: Decimal | None,
    photos: list[PhotoView],
) -> ListingView:
    place = None
    if listing.lat is not None and listing.lng is not None:
        place = SpotView(lat=listing.lat, lng=listing.lng, name=listing.place_name)
    return ListingView(
        id=listing.id,
        kind=listing.kind,
        title=listing.title,
        description=listing.description,
        price_per_day=price_text(listing.price_per_day, digits),
        currency=listing.currency,
        time_zone=listing.time_zone,
        available=listing.available,
        place=place,
        sitter=person(listing.sitter_id, screenname),
        yours=asker is not None and asker.id == listing.sitter_id,
        photos=photos,
        rating=rating(count, average),
        created_at=listing.created_at,
        updated_at=listing.updated_at,
    )


def rating(count: int, average: Decimal | None) -> RatingView:
    """Return what people said who stayed: one digit behind the point."""
    return RatingView(average=None if average is None else f"{average:.1f}", count=count)


async def _photos(db: AsyncSession, keys: Sequence[str]) -> dict[str, list[PhotoView]]:
    found: defaultdict[str, list[PhotoView]] = defaultdict(list)
    photo = ListingPhoto
    query = sa.select(photo.listing_id, photo.id, photo.url, photo.caption).where(photo.listing_id.in_(keys))
    for listing, key, url, caption in await db.execute(query.order_by(photo.listing_id, photo.position)):
        found[listing].append(PhotoView(id=key, url=url, caption=caption))
    return found
