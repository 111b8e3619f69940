"""Listings as they are booked, and bookings held until the transaction ends, in an order that keeps nobody in a ring.

People first, then the listing, then its bookings: `hold_listing` of the database takes the first two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from ...web.errors import not_found
from ..listings.rows import offered, today_there
from ..models import Booking, Currency, Listing, ListingKind
from ..taken import hold
from .rules import Offer, Side, Standing


@dataclass(frozen=True)
class BookableListing:
    """A listing as it is booked."""

    id: str
    title: str
    offer: Offer


@dataclass(frozen=True)
class HeldBooking:
    """A booking that nobody else changes at the moment.

    Attributes:
        booking: Its row.
        title: Of its listing.
        side: What whoever asks is in it.
        standing: How it stands now.
    """

    booking: Booking
    title: str
    side: Side
    standing: Standing

    @property
    def other(self) -> str | None:
        """The id of the other one of the two; None where that one is gone."""
        return self.booking.sitter_id if self.side == "owner" else self.booking.owner_id


def standings() -> tuple[sa.ColumnElement[Any], ...]:
    """Return what makes a `Standing`, of a query of bookings and their listings."""
    ran_out = sa.and_(Booking.status == "pending", Booking.hold_until <= sa.func.clock_timestamp())
    today = today_there()
    return (
        Booking.status.expression,
        sa.func.coalesce(ran_out, sa.false()),
        sa.func.lower(Booking.days) <= today,
        sa.func.upper(Booking.days) <= today,
    )


async def read_listing(db: AsyncSession, key: str) -> BookableListing:
    """Return a listing as it stands.

    Raises:
        RefusedError: There is none (404).
    """
    query = sa.select(Listing, ListingKind, Currency.digits, today_there(), offered())
    query = query.join(ListingKind, ListingKind.key == Listing.kind).join(Currency, Currency.code == Listing.currency)
    found = (await db.execute(query.where(Listing.id == key).execution_options(populate_existing=True))).one_or_none()
    if found is None:
        raise not_found("Listing")
    listing, kind, digits, today, is_offered = found
    offer = Offer(
        listing.sitter_id,
        bool(is_offered),
        listing.price_per_day,
        listing.currency,
        digits,
        today,
        kind.longest_days,
        kind.furthest_days,
    )
    return BookableListing(listing.id, listing.title, offer)


async def hold_booking(db: AsyncSession, key: str, asker: str) -> HeldBooking:
    """Hold a booking for one of its two people, and its listing before it.

    Raises:
        RefusedError: It is not there, or not for this person to know of (404).
    """
    where = (
        Booking.id == key,
        Booking.status != "blocked",
        sa.or_(Booking.owner_id == asker, Booking.sitter_id == asker),
    )
    found = (await db.execute(sa.select(Booking.listing_id, Booking.owner_id).where(*where))).one_or_none()
    if found is None:
        raise not_found("Booking")
    await hold(db, found.listing_id, found.owner_id)
    query = sa.select(Booking, Listing.title, *standings())
    query = query.join(Listing, Listing.id == Booking.listing_id).where(*where).with_for_update(of=Booking)
    held = (await db.execute(query.execution_options(populate_existing=True))).one_or_none()
    if held is None:
        raise not_found("Booking")
    booking, title, *standing = cast("tuple[Any, ...]", held)
    return HeldBooking(booking, title, side_of(booking, asker), Standing(*standing))


def side_of(booking: Booking, asker: str) -> Side:
    """Return what one of the two people of a booking is in it."""
    return "owner" if booking.owner_id == asker else "sitter"
