"""Which days of a listing somebody has: what is booked or asked for, and what its sitter keeps free."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from ..web.faults import constraint_of
from .days import Days, days_in, merged
from .models import LIVE, Booking
from .refusals import TakenError

_CONSTRAINT = "bookings_days_excl"


def is_taken() -> sa.ColumnElement[bool]:
    """Return which bookings are in the way of others: not those whose hold has run out."""
    return sa.and_(
        Booking.status.in_([sa.literal_column(f"'{one}'") for one in LIVE]),  # as the indexes have it
        sa.or_(Booking.hold_until.is_(None), Booking.hold_until > sa.func.now()),
    )


async def taken(db: AsyncSession, listing: str, days: Days) -> list[Days]:
    """Return which of some days of a listing are taken, in their order.

    Strangers are told: so nothing of where a stay begins or ends that the calendar does not show everybody.
    """
    both = Booking.days.op("*")(days.range)
    query = sa.select(both).where(Booking.listing_id == listing, is_taken(), Booking.days.op("&&")(days.range))
    return merged(days_in(one) for one in (await db.execute(query)).scalars())


async def hold(db: AsyncSession, listing: str, person: str | None = None) -> bool:
    """Let all others wait who write bookings of a listing, until the transaction ends; False where it is not there.

    Args:
        person: Who asks, and stays there until then; locked before the listing, as the database does it.
    """
    return bool((await db.execute(sa.select(sa.func.hold_listing(listing, person)))).scalar_one())


async def take(db: AsyncSession, booking: Booking) -> None:
    """Enter a new booking, or days that are blocked; its listing must be held.

    Raises:
        TakenError: Somebody has some of the days, and which. The transaction can go on.
    """
    days = days_in(booking.days)
    conflicts = await taken(db, booking.listing_id, days)
    if conflicts:
        raise TakenError(conflicts)
    try:
        async with db.begin_nested():
            db.add(booking)
            await db.flush()
    except IntegrityError as fault:
        if constraint_of(fault) != _CONSTRAINT:
            raise
        raise TakenError(await taken(db, booking.listing_id, days)) from None
