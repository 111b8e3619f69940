"""The photos of a listing: links, in the order in which they came, up to a number."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from ...web.errors import conflict, not_found
from ...web.sessions import Signed
from ..models import ListingPhoto
from .bodies import NewPhoto
from .rows import held
from .rules import MOST_PHOTOS
from .views import Photos, PhotoView


async def listed(db: AsyncSession, listing: str) -> Photos:
    """Return the photos of a listing."""
    query = sa.select(ListingPhoto).where(ListingPhoto.listing_id == listing).order_by(ListingPhoto.position)
    return Photos(photos=[PhotoView.model_validate(one) for one in (await db.execute(query)).scalars()])


async def add(db: AsyncSession, asker: Signed, listing: str, body: NewPhoto) -> PhotoView:
    """Add a photo behind the others, or in a place that is free.

    Raises:
        RefusedError: The listing is not there, or somebody else's (404), or has photos enough (409, `too-many`).
    """
    await held(db, listing, asker)  # one at a time
    query = sa.select(ListingPhoto.position).where(ListingPhoto.listing_id == listing)
    there = set((await db.execute(query)).scalars())
    if len(there) >= MOST_PHOTOS:
        raise conflict(f"A listing has {MOST_PHOTOS} photos at most", "too-many")
    behind = max(there, default=-1) + 1
    place = behind if behind < MOST_PHOTOS else min(set(range(MOST_PHOTOS)) - there)
    photo = ListingPhoto(listing_id=listing, url=body.url, caption=body.caption, position=place)
    db.add(photo)
    await db.flush()
    return PhotoView.model_validate(photo)


async def remove(db: AsyncSession, asker: Signed, listing: str, key: str) -> None:
    """Take a photo away.

    Raises:
        RefusedError: The listing is not there, or somebody else's, or it has no such photo (404).
    """
    await held(db, listing, asker)
    gone = sa.delete(ListingPhoto).where(ListingPhoto.listing_id == listing, ListingPhoto.id == key)
    if (await db.execute(gone.returning(ListingPhoto.id))).scalar_one_or_none() is None:
        raise not_found("Photo")
