"""The calendar of a listing as it stands: everybody sees which days are taken, its sitter also by whom."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.ext.asyncio import AsyncSession

from ...web.errors import not_found
from ...web.people import GONE
from ...web.sessions import Signed
from ..days import Days, days_in, merged
from ..listings.rows import check_seen, today_there
from ..listings.rules import unfit
from ..models import Booking, Listing, User
from ..taken import is_taken
from .months import Entry, Sort, span_of


@dataclass(frozen=True)
class Calendar:
    """A listing and some of its days.

    Attributes:
        listing: Its row.
        today: The day it is there.
        span: The days that were asked for.
        entries: Those of them that are not free.
    """

    listing: Listing
    today: datetime.date
    span: Days
    entries: list[Entry]


async def place_of(db: AsyncSession, key: str) -> tuple[Listing, datetime.date]:
    """Return a listing, and the day it is there.

    Raises:
        RefusedError: It is not there, or no longer (404).
    """
    found = (await db.execute(sa.select(Listing, today_there()).where(Listing.id == key))).one_or_none()
    if found is None:
        raise not_found("Listing")
    return found[0], found[1]


async def calendar_seen(
    db: AsyncSession, key: str, asker: Signed | None, first: datetime.date | None, months: int
) -> Calendar:
    """Return so many months of a listing as somebody may see them.

    Args:
        db: The transaction.
        key: The listing.
        asker: Who looks; its sitter sees who has the days.
        first: A day of the first month; None: the one that it is there.
        months: How many.

    Raises:
        RefusedError: The listing is not there, or not for this person (404); or no calendar goes so far (422).
    """
    await check_seen(db, key, asker)
    listing, today = await place_of(db, key)
    try:
        span = span_of(first or today, months)
    except OverflowError:
        raise unfit("No calendar goes so far", "wrong-days") from None
    whole = asker is not None and asker.id == listing.sitter_id
    return Calendar(listing, today, span, await entries_of(db, listing.id, span.range, whole=whole))


async def entries_of(db: AsyncSession, listing: str, span: Range[datetime.date], *, whole: bool) -> list[Entry]:
    """Return those of some days of a listing that are not free.

    Args:
        db: The transaction.
        listing: The listing.
        span: The days; without an end: all that are to come.
        whole: Whether it says who has them, which is for its sitter alone.
    """
    query = sa.select(Booking, User.screenname).outerjoin(User, User.id == Booking.owner_id)
    query = query.where(Booking.listing_id == listing, Booking.days.op("&&")(span), is_taken()).order_by(Booking.days)
    found = (await db.execute(query)).all()
    if whole:
        return [_entry(booking, name) for booking, name in found]
    return [Entry(one, "taken") for one in merged(days_in(booking.days) for booking, _ in found)]


def _entry(booking: Booking, screenname: str | None) -> Entry:
    days = days_in(booking.days)
    sort: Sort = "blocked"
    if booking.status in {"pending", "confirmed"}:
        sort = "pending" if booking.status == "pending" else "confirmed"
        return Entry(days, sort, screenname or GONE, booking.id)
    return Entry(days, sort, booking.note)
