"""What the clock decides: holds run out, stays are over. Both are written down, and both people are told.

Nothing waits for it: a hold that has run out is in nobody's way before it is written down (`taken.is_taken`, and the
trigger `enter_booking`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from ..models import Booking, BookingStatus, Listing
from ..notifying import tell
from ..resources import Resources
from ..settings import Settings
from ..taken import hold
from .holding import today_there

_log = logging.getLogger("petsitting")
_AT_ONCE = 500
"""Listings that one pass looks at."""


async def run_out(db: AsyncSession, settings: Settings, listing: str) -> int:
    """Write down which holds of a listing have run out, tell both people, and return how many it were.

    The listing must be held (`taken.hold`).
    """
    over = sa.and_(Booking.status == "pending", Booking.hold_until <= sa.func.clock_timestamp())
    return await _become(db, settings, listing, over, "cancelled")


async def complete(db: AsyncSession, settings: Settings, listing: str) -> int:
    """Write down which stays of a listing are over, tell whoever stayed, and return how many it were.

    The listing must be held.
    """
    over = sa.and_(Booking.status == "confirmed", sa.func.upper(Booking.days) <= today_there())
    return await _become(db, settings, listing, over, "completed")


async def sweep(resources: Resources) -> int:
    """Write down all that the clock has decided; each listing is a transaction of its own. Return how many bookings."""
    done = 0
    while keys := await _due(resources):
        changed = 0
        for key in keys:
            async with resources.sessions.begin() as db:
                if await hold(db, key):
                    changed += await run_out(db, resources.settings, key)
                    changed += await complete(db, resources.settings, key)
        done += changed
        if changed == 0 or len(keys) < _AT_ONCE:  # others were faster, or all is done
            break
    return done


@asynccontextmanager
async def swept(resources: Resources) -> AsyncGenerator[None]:
    """Sweep again and again, as long as the block; a database that is away is asked again the next time."""
    every = resources.settings.sweep_seconds
    if every == 0:
        yield
        return
    task = asyncio.create_task(_again_and_again(resources, every))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _again_and_again(resources: Resources, every: float) -> None:
    while True:
        try:
            await sweep(resources)
        except SQLAlchemyError as fault:
            _log.warning("what the clock decided was not written down: %s", type(fault).__name__)
        await asyncio.sleep(every)


async def _due(resources: Resources) -> list[str]:
    """Return listings of which something is due."""
    now = sa.func.clock_timestamp()
    soon = sa.cast(now, sa.Date) + 2  # the index; what is over is judged where the listing is
    query = (
        sa.select(Booking.listing_id)
        .join(Listing, Listing.id == Booking.listing_id)
        .where(
            sa.or_(
                sa.and_(Booking.status == "pending", Booking.hold_until <= now),
                sa.and_(
                    Booking.status == "confirmed",
                    sa.func.upper(Booking.days) <= soon,
                    sa.func.upper(Booking.days) <= today_there(),
                ),
            )
        )
        .distinct()
        .order_by(Booking.listing_id)
        .limit(_AT_ONCE)
    )
    async with resources.sessions.begin() as db:
        return list((await db.execute(query)).scalars())


async def _become(
    db: AsyncSession, settings: Settings, listing: str, over: sa.ColumnElement[bool], status: BookingStatus
) -> int:
    query = sa.select(Booking, Listing.title).join(Listing, Listing.id == Booking.listing_id)
    query = query.where(Booking.listing_id == listing, over).order_by(Booking.id).with_for_update(of=Booking)
    found = (await db.execute(query.execution_options(populate_existing=True))).all()
    for booking, _ in found:
        booking.status, booking.status_by = status, None
    await db.flush()
    for booking, title in found:
        two = [booking.owner_id, booking.sitter_id]
        if status == "completed":
            await tell(db, settings, "completed", booking, title, booking.sitter_id, [booking.owner_id])
        else:
            for person, other in (two, two[::-1]):
                await tell(db, settings, "expired", booking, title, other, [person])
    return len(found)
