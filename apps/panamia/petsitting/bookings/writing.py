"""Bookings made, taken a step further, and reviewed; the other one is told in the same transaction."""

from __future__ import annotations

import datetime
import math

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from ...web.database import one_at_a_time
from ...web.errors import RefusedError
from ...web.sessions import Signed
from ..days import Days, days_of
from ..models import Booking, ListingReview
from ..notifying import BookingEvent, tell
from ..refusals import TakenError
from ..settings import Settings
from ..taken import hold, take, taken
from .bodies import NewBooking, NewReview
from .holding import BookableListing, hold_booking, read_listing
from .rules import MOST_AN_HOUR, MOST_PENDING, STEPS, Step, check_request, check_review, check_step
from .sweeping import run_out

_HOUR = datetime.timedelta(hours=1)
_EVENTS: dict[Step, BookingEvent] = {"confirm": "confirmed", "decline": "declined", "cancel": "cancelled"}


async def book(db: AsyncSession, settings: Settings, asker: Signed, wanted: NewBooking) -> Booking:
    """Ask for days of a listing, which are kept until its sitter answers or the hold runs out.

    Raises:
        RefusedError: It cannot be (`rules.check_request`); there is no such listing (404); or whoever asks waits for
            too many answers already (429, code `too-many-holds`), or has booked too often of late (429, `too-often`).
        PriceChangedError: A day costs otherwise than was expected.
        TakenError: Somebody has some of the days.
    """
    days = days_of(wanted.first, wanted.end)
    await _check(db, asker, wanted, days)
    conflicts = await taken(db, wanted.listing_id, days)
    if conflicts:  # whoever loses anyway does not wait for others, nor lets them wait
        raise TakenError(conflicts)
    await one_at_a_time(db, f"petsitting {asker.id}")
    await _check_limits(db, asker.id)
    await hold(db, wanted.listing_id, asker.id)
    listing = await _check(db, asker, wanted, days)
    await run_out(db, settings, listing.id)
    booking = Booking(listing_id=listing.id, owner_id=asker.id, days=days.range, note=wanted.message)
    await take(db, booking)
    await tell(db, settings, "requested", booking, listing.title, asker.id, [listing.offer.sitter_id], wanted.message)
    return booking


async def step(db: AsyncSession, settings: Settings, asker: Signed, key: str, wanted: Step, why: str | None) -> Booking:
    """Confirm, decline or cancel a booking.

    Raises:
        RefusedError: It is not there for this person (404), or may not be (`rules.check_step`).
    """
    held = await hold_booking(db, key, asker.id)
    check_step(wanted, held.side, held.standing)
    booking = held.booking
    booking.status, booking.status_by, booking.status_why = STEPS[wanted], asker.id, why
    await db.flush()
    await tell(db, settings, _EVENTS[wanted], booking, held.title, asker.id, [held.other], why)
    return booking


async def review(db: AsyncSession, settings: Settings, asker: Signed, key: str, said: NewReview) -> ListingReview:
    """Say how a stay was: its owner, once.

    Raises:
        RefusedError: It is not there for this person (404), may not be (`rules.check_review`), or there is one already
            (409, code `reviewed`; from the database).
    """
    held = await hold_booking(db, key, asker.id)
    check_review(held.side, held.standing)
    booking = held.booking
    if booking.status == "confirmed":  # the clock has decided, and nobody wrote it down yet
        booking.status, booking.status_by = "completed", None
        await db.flush()
        await tell(db, settings, "completed", booking, held.title, None, [booking.owner_id, booking.sitter_id])
    found = ListingReview(
        booking_id=booking.id, listing_id=booking.listing_id, author_id=asker.id, rating=said.rating, text=said.text
    )
    db.add(found)
    await db.flush()
    await tell(db, settings, "reviewed", booking, held.title, asker.id, [held.other], said.text)
    return found


async def _check(db: AsyncSession, asker: Signed, wanted: NewBooking, days: Days) -> BookableListing:
    """Return the listing that is wanted, if it may be booked so."""
    listing = await read_listing(db, wanted.listing_id)
    check_request(listing.offer, asker.id, days, wanted.expected_price_per_day, wanted.currency)
    return listing


async def _check_limits(db: AsyncSession, owner: str) -> None:
    """Let somebody book who does not do so too often; no other booking of theirs is made meanwhile."""
    waits = sa.select(sa.func.count(Booking.id)).where(
        Booking.owner_id == owner, Booking.status == "pending", Booking.hold_until > sa.func.clock_timestamp()
    )
    if (await db.execute(waits)).scalar_one() >= MOST_PENDING:
        words = f"{MOST_PENDING} of your bookings wait for an answer: wait for some, or cancel some"
        raise RefusedError(429, words, "too-many-holds")
    free_in = sa.extract("epoch", Booking.created_at + _HOUR - sa.func.now())
    latest = sa.select(free_in).where(Booking.owner_id == owner)
    latest = latest.order_by(Booking.created_at.desc(), Booking.id.desc()).offset(MOST_AN_HOUR - 1).limit(1)
    seconds = math.ceil((await db.execute(latest)).scalar_one_or_none() or 0)
    if seconds > 0:
        words = f"One person books {MOST_AN_HOUR} times an hour at most: try again in {math.ceil(seconds / 60)} minutes"
        raise RefusedError(429, words, "too-often", {"Retry-After": str(seconds)})
