"""Days on which a sitter lets nobody book. They stand among the bookings, so that the same constraint sees them."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from ...web.errors import not_found
from ..days import Days, days_in
from ..models import Booking, Listing
from ..refusals import TakenError, constraint_of
from ..sessions import Signed
from ..taken import hold, taken
from .rows import check_own
from .views import Blocks, BlockView

_BLOCKED = Booking.status == sa.literal_column("'blocked'")


async def listed(db: AsyncSession, asker: Signed, listing: str) -> Blocks:
    """Return what is blocked and not over where the listing is.

    Raises:
        RefusedError: The listing is not there, or somebody else's (404).
    """
    await check_own(db, listing, asker)
    today = sa.cast(sa.func.timezone(Listing.time_zone, sa.func.now()), sa.Date)
    query = sa.select(Booking).join(Listing, Listing.id == Booking.listing_id)
    query = query.where(Booking.listing_id == listing, _BLOCKED, sa.func.upper(Booking.days) > today)
    return Blocks(blocks=[_view(one) for one in (await db.execute(query.order_by(Booking.days))).scalars()])


async def add(db: AsyncSession, asker: Signed, listing: str, days: Days, note: str | None) -> BlockView:
    """Block days that nobody has.

    Raises:
        RefusedError: The listing is not there, or somebody else's (404); the days are over, or absurd (422).
        TakenError: Somebody has some of them, or they are blocked (409).
    """
    await hold(db, listing)
    await check_own(db, listing, asker)
    conflicts = await taken(db, listing, days)
    if conflicts:
        raise TakenError(conflicts)
    block = Booking(listing_id=listing, days=days.range, status="blocked", note=note)
    try:
        async with db.begin_nested():
            db.add(block)
            await db.flush()
    except IntegrityError as fault:
        if constraint_of(fault) != "bookings_days_excl":
            raise
        raise TakenError(await taken(db, listing, days)) from None
    return _view(block)


async def remove(db: AsyncSession, asker: Signed, listing: str, key: str) -> None:
    """Let people book blocked days again.

    Raises:
        RefusedError: The listing is not there, or somebody else's, or has no such block (404).
    """
    await check_own(db, listing, asker)
    gone = sa.delete(Booking).where(Booking.id == key, Booking.listing_id == listing, _BLOCKED)
    if (await db.execute(gone.returning(Booking.id))).scalar_one_or_none() is None:
        raise not_found("Block")


def _view(block: Booking) -> BlockView:
    days = days_in(block.days)
    return BlockView(id=block.id, first=days.first, end=days.end, note=block.note)
