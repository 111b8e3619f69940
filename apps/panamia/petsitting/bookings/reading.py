"""Bookings as their two people get them. Days that a sitter has blocked are not among them."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from ...web.cursors import Cursor
from ...web.errors import not_found
from ...web.people import FORMER, Person, shown
from ..days import days_in
from ..listings.rules import price_text
from ..models import Booking, BookingStep, Currency, Listing, ListingKind, ListingReview
from .holding import side_of, standings
from .rules import Side, Standing, Status, next_steps
from .views import BookedListing, BookingDetail, BookingPage, BookingView, StepView

MOST = 50
_STANDING = sa.select(Booking.id, *standings()).join(Listing, Listing.id == Booking.listing_id)
_BOOKED = sa.select(Listing.id, Listing.kind, Listing.title, ListingKind.provider_word, ListingKind.customer_word).join(
    ListingKind, ListingKind.key == Listing.kind
)


def _mine(asker: str, side: Side | None = None) -> sa.ColumnElement[bool]:
    own, other = Booking.owner_id == asker, Booking.sitter_id == asker
    who = {"owner": own, "sitter": other, None: sa.or_(own, other)}[side]
    return sa.and_(who, Booking.status != "blocked")


async def own(
    db: AsyncSession,
    asker: str,
    *,
    side: Side | None,
    status: Status | None,
    listing: str | None,
    after: Cursor | None,
    limit: int,
) -> BookingPage:
    """Return one's own bookings, the latest made first."""
    query = sa.select(Booking).where(_mine(asker, side))
    if status is not None:
        query = query.where(Booking.status == status)
    if listing is not None:
        query = query.where(Booking.listing_id == listing)
    if after is not None:
        query = query.where(after.before(Booking.created_at, Booking.id))
    query = query.order_by(Booking.created_at.desc(), Booking.id.desc()).limit(limit + 1)
    found = list((await db.execute(query)).scalars())
    page = found[:limit]
    last = str(Cursor(page[-1].created_at, page[-1].id)) if len(found) > limit else None
    return BookingPage(bookings=await views(db, asker, page), next=last)


async def one(db: AsyncSession, asker: str, key: str) -> BookingDetail:
    """Return a booking of one's own, with its steps.

    Raises:
        RefusedError: It is not there, or not for this person to know of (404).
    """
    booking = (await db.execute(sa.select(Booking).where(Booking.id == key, _mine(asker)))).scalar_one_or_none()
    if booking is None:
        raise not_found("Booking")
    return await detail(db, asker, booking)


async def detail(db: AsyncSession, asker: str, booking: Booking) -> BookingDetail:
    """Return a booking with its steps, as one of its two people gets it."""
    query = sa.select(BookingStep).where(BookingStep.booking_id == booking.id).order_by(BookingStep.id)
    steps = list((await db.execute(query)).scalars())
    people = await shown(db, [step.done_by for step in steps])
    view = (await views(db, asker, [booking]))[0]
    return BookingDetail(
        **{name: getattr(view, name) for name in BookingView.model_fields}, steps=[_step(one, people) for one in steps]
    )


async def views(db: AsyncSession, asker: str, bookings: Sequence[Booking]) -> list[BookingView]:
    """Return bookings of somebody as they are shown, in their order."""
    if not bookings:
        return []
    standing = {key: Standing(*row) for key, *row in await db.execute(_STANDING.where(_among(bookings)))}
    listings = {
        row.id: BookedListing.model_validate(row, from_attributes=True)
        for row in await db.execute(_BOOKED.where(Listing.id.in_({one.listing_id for one in bookings})))
    }
    currencies = sa.select(Currency.code, Currency.digits).where(Currency.code.in_({one.currency for one in bookings}))
    digits = {row.code: row.digits for row in await db.execute(currencies)}
    reviewed = sa.select(ListingReview.booking_id).where(ListingReview.booking_id.in_([one.id for one in bookings]))
    done = set((await db.execute(reviewed)).scalars())
    people = await shown(db, [person for one in bookings for person in (one.owner_id, one.sitter_id)])
    return [
        _view(one, listings[one.listing_id], side_of(one, asker), standing[one.id], digits, people, one.id in done)
        for one in bookings
    ]


def _among(bookings: Sequence[Booking]) -> sa.ColumnElement[bool]:
    return Booking.id.in_([one.id for one in bookings])


def _view(
    booking: Booking,
    listing: BookedListing,
    side: Side,
    standing: Standing,
    digits: dict[str, int],
    people: dict[str, Person],
    reviewed: bool,
) -> BookingView:
    if (
        booking.status == "blocked"
        or booking.price_per_day is None
        or booking.total is None
        or booking.currency is None
    ):
        raise ValueError("days that are blocked are no booking")
    days = days_in(booking.days)
    return BookingView(
        id=booking.id,
        listing=listing,
        first=days.first,
        end=days.end,
        yours=side,
        status=booking.status,
        next_steps=next_steps(side, standing, reviewed=reviewed),
        hold_until=booking.hold_until,
        price_per_day=price_text(booking.price_per_day, digits[booking.currency]),
        currency=booking.currency,
        total=price_text(booking.total, digits[booking.currency]),
        message=booking.note,
        owner=people.get(booking.owner_id or "", FORMER),
        sitter=people.get(booking.sitter_id or "", FORMER),
        status_at=booking.status_at,
        status_as=booking.status_as,
        status_why=booking.status_why,
        reviewed=reviewed,
        created_at=booking.created_at,
        updated_at=booking.updated_at,
    )


def _step(step: BookingStep, people: dict[str, Person]) -> StepView:
    if step.from_status == "blocked" or step.to_status == "blocked":
        raise ValueError("days that are blocked take no step")
    return StepView(
        at=step.done_at,
        from_status=step.from_status,
        to_status=step.to_status,
        done_as=step.done_as,
        done_by=None if step.done_as == "clock" else people.get(step.done_by or "", FORMER),
        why=step.why,
    )
