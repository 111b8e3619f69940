"""Days on which a sitter lets nobody book. They stand among the bookings, so that the same constraint sees them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from ...web.errors import conflict, not_found
from ...web.sessions import Signed
from ..bookings.sweeping import run_out
from ..days import Days, days_in
from ..models import Booking, Listing
from ..settings import Settings
from ..taken import hold, take
from .rows import check_own, today_there
from .rules import MOST_BLOCKS
from .views import Blocks, BlockView

_BLOCKED = Booking.status == sa.literal_column("'blocked'")


async def listed(db: AsyncSession, asker: Signed, listing: str) -> Blocks:
    """Return what is blocked and not over where the listing is.

    Raises:
        RefusedError: The listing is not there, or somebody else's (404).
    """
    await check_own(db, listing, asker)
    query = _to_come(sa.select(Booking), listing).order_by(Booking.days)
    return Blocks(blocks=[_view(one) for one in (await db.execute(query)).scalars()])


async def add(
    db: AsyncSession, settings: Settings, asker: Signed, listing: str, days: Days, note: str | None
) -> BlockView:
    """Block days that nobody has. Holds of the listing that have run out are written down first, and told.

    Raises:
        RefusedError: The listing is not there, or somebody else's (404); the days are over, or absurd (422); or it has
            blocks enough (409, `too-many`).
        TakenError: Somebody has some of them, or they are blocked (409).
    """
    await check_own(db, listing, asker)
    await hold(db, listing)
    if (await db.execute(_to_come(sa.select(sa.func.count(Booking.id)), listing))).scalar_one() >= MOST_BLOCKS:
        raise conflict(f"A listing has {MOST_BLOCKS} blocks at most: put some together", "too-many")
    await run_out(db, settings, listing)
    block = Booking(listing_id=listing, days=days.range, status="blocked", note=note)
    await take(db, block)
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


def _to_come(query: sa.Select[Any], listing: str) -> sa.Select[Any]:
    """Return a query of the blocks of a listing that are not over where it is."""
    query = query.join(Listing, Listing.id == Booking.listing_id)
    return query.where(Booking.listing_id == listing, _BLOCKED, sa.func.upper(Booking.days) > today_there())


def _view(block: Booking) -> BlockView:
    days = days_in(block.days)
    return BlockView(id=block.id, first=days.first, end=days.end, note=block.note)
