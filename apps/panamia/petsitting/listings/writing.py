"""Listings made, changed and deleted by their sitters."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from ...web.database import one_at_a_time
from ...web.errors import conflict
from ...web.sessions import Signed
from ..models import Listing
from .bodies import ListingChange, NewListing, Spot
from .known import check_time_zone, digits_of, kinds
from .rows import held
from .rules import MOST_LISTINGS, booked, price_text, price_to_ask


async def create(db: AsyncSession, asker: Signed, body: NewListing) -> str:
    """Make a listing, and return its key.

    Raises:
        RefusedError: Kind, price, currency or time zone cannot be (422), or who asks has listings enough (409,
            `too-many`).
    """
    await kinds(db, body.kind)
    await check_time_zone(db, body.time_zone)
    await one_at_a_time(db, f"petsitting {asker.id}")
    if await _count(db, asker.id) >= MOST_LISTINGS:
        raise conflict(f"One person has {MOST_LISTINGS} listings at most: change one, or delete one", "too-many")
    listing = Listing(
        kind=body.kind,
        sitter_id=asker.id,
        title=body.title,
        description=body.description,
        price_per_day=price_to_ask(body.price_per_day, await digits_of(db, body.currency)),
        currency=body.currency,
        time_zone=body.time_zone,
        available=body.available,
    )
    _put(listing, body.place)
    db.add(listing)
    await db.flush()
    return listing.id


async def change(db: AsyncSession, asker: Signed, key: str, body: ListingChange) -> None:
    """Change a listing of who asks.

    Raises:
        RefusedError: It is not there, or somebody else's (404), or what it shall be cannot be (422).
    """
    listing = await held(db, key, asker)
    if body.price_per_day is not None or body.currency is not None:
        digits = await digits_of(db, body.currency or listing.currency)
        price = body.price_per_day
        if price is None:  # it stays, and may have more digits than the new currency
            price = price_text(listing.price_per_day, digits)
        listing.price_per_day = price_to_ask(price, digits)
        listing.currency = body.currency or listing.currency
    if body.time_zone is not None:
        await check_time_zone(db, body.time_zone)
        listing.time_zone = body.time_zone
    if body.title is not None:
        listing.title = body.title
    if body.description is not None:
        listing.description = body.description
    if body.available is not None:
        listing.available = body.available
    if "place" in body.model_fields_set:
        _put(listing, body.place)
    await db.flush()


async def remove(db: AsyncSession, asker: Signed, key: str) -> None:
    """Delete a listing of who asks, with its photos: one that nobody ever booked.

    Raises:
        RefusedError: It is not there, or somebody else's (404), or has bookings or blocked days (409, code `booked`).
    """
    await held(db, key, asker)
    try:
        await db.execute(sa.delete(Listing).where(Listing.id == key), execution_options={"synchronize_session": False})
    except IntegrityError:
        raise booked() from None


async def _count(db: AsyncSession, sitter: str) -> int:
    return (await db.execute(sa.select(sa.func.count(Listing.id)).where(Listing.sitter_id == sitter))).scalar_one()


def _put(listing: Listing, place: Spot | None) -> None:
    listing.lat = place.lat if place is not None else None
    listing.lng = place.lng if place is not None else None
    listing.place_name = place.name if place is not None else None
