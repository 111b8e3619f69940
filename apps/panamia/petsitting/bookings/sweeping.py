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
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from ...web.faults import meaning_of
from ..listings.rows import today_there
from ..models import Booking, BookingStatus, Listing
from ..notifying import BookingEvent, tell
from ..resources import Resources
from ..settings import Settings
from ..taken import hold

_log = logging.getLogger("petsitting")
_AT_ONCE = 500
"""Listings that one pass looks at."""
_PENDING: sa.ColumnElement[BookingStatus] = sa.literal_column("'pending'")
_CONFIRMED: sa.ColumnElement[BookingStatus] = sa.literal_column("'confirmed'")
"""As the indexes have them."""
_EVENTS: dict[BookingStatus, BookingEvent] = {"cancelled": "expired", "completed": "completed"}
"""What people are told of what a booking becomes by itself."""


async def run_out(db: AsyncSession, settings: Settings, listing: str) -> int:
    """Write down which holds of a listing have run out, tell both people, and return how many it were.

    The listing must be held (`taken.hold`).
    """
    over = sa.and_(Booking.status == "pending", Booking.hold_until <= sa.func.clock_timestamp())
    return await _become(db, settings, listing, over, "cancelled")


async def complete(db: AsyncSession, settings: Settings, listing: str) -> int:
    """Write down which stays of a listing are over, tell both people, and return how many it were.

    The listing must be held.
    """
    over = sa.and_(Booking.status == "confirmed", sa.func.upper(Booking.days) <= today_there())
    return await _become(db, settings, listing, over, "completed")


async def sweep(resources: Resources) -> int:
    """Write down all that the clock has decided; each listing is a transaction of its own. Return how many bookings.

    Raises:
        DBAPIError: What stood against the first listing that could not be written; the others are done, unless the
            database is away.
    """
    done = 0
    first: DBAPIError | None = None
    while keys := await _due(resources):
        changed = 0
        for key in keys:
            try:
                changed += await _settle(resources, key)
            except DBAPIError as fault:
                if meaning_of(fault) == "away":
                    raise
                first = first or fault
        done += changed
        if changed == 0 or len(keys) < _AT_ONCE:  # others were faster, or all is done
            break
    if first is not None:
        raise first
    return done


async def _settle(resources: Resources, listing: str) -> int:
    async with resources.sessions.begin() as db:
        if not await hold(db, listing):
            return 0
        ended = await run_out(db, resources.settings, listing)
        return ended + await complete(db, resources.settings, listing)


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
    """Return listings of which something is due.

    By `now()`, which is one instant for a whole statement: an index cannot be asked for a clock that goes on.
    """
    now = sa.func.now()
    held = sa.select(Booking.listing_id).where(Booking.status == _PENDING, Booking.hold_until <= now)
    stays = sa.select(Booking.listing_id).join(Listing, Listing.id == Booking.listing_id)
    end = sa.func.upper(Booking.days)
    soon = sa.cast(now, sa.Date) + 2  # what is over is judged where the listing is
    stays = stays.where(Booking.status == _CONFIRMED, end <= soon, end <= today_there())
    due = held.union(stays).subquery()
    query = sa.select(due.c.listing_id).order_by(due.c.listing_id).limit(_AT_ONCE)
    async with resources.sessions.begin() as db:
        return list((await db.execute(query)).scalars())


async def _become(
    db: AsyncSession, settings: Settings, listing: str, over: sa.ColumnElement[bool], status: BookingStatus
) -> int:
    due = sa.select(Booking, Listing.title).join(Listing, Listing.id == Booking.listing_id)
    due = due.where(Booking.listing_id == listing, over)
    owners = {one for one in (await db.execute(due.with_only_columns(Booking.owner_id))).scalars() if one is not None}
    for owner in sorted(owners):  # before their bookings, as whoever deletes them does
        await hold(db, listing, owner)
    theirs = sa.or_(Booking.owner_id.in_(owners), Booking.owner_id.is_(None))
    query = due.where(theirs).order_by(Booking.id).with_for_update(of=Booking)
    found = (await db.execute(query.execution_options(populate_existing=True))).all()
    for booking, _ in found:
        booking.status, booking.status_by = status, None
    await db.flush()
    for booking, title in found:
        await tell(db, settings, _EVENTS[status], booking, title, None, [booking.owner_id, booking.sitter_id])
    return len(found)
