"""A listing's row: who may see it, which day it is there, and held by whoever changes it."""

from __future__ import annotations

import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from ...web.errors import not_found
from ...web.sessions import Signed
from ..models import Booking, Listing, User


def offered() -> sa.ColumnElement[bool]:
    """Return which listings are offered: not those that are withdrawn, or whose sitter is gone or locked."""
    return sa.and_(*has_sitter(), is_here(Listing.sitter_id))


def is_here(sitter: Any) -> sa.ColumnElement[bool]:
    """Return whether a sitter is there, and not locked.

    Args:
        sitter: The column with the key.
    """
    return sa.exists(User.id).where(User.id == sitter, User.locked_at.is_(None))


def has_sitter() -> list[sa.ColumnElement[bool]]:
    """Return what holds for all that is offered, and for little more: what indexes are limited to."""
    return [sa.and_(Listing.available), Listing.sitter_id.is_not(None)]


def today_there() -> sa.ColumnElement[datetime.date]:
    """Return the day it is where a listing is."""
    return sa.cast(sa.func.timezone(Listing.time_zone, sa.func.clock_timestamp()), sa.Date)


async def check_seen(db: AsyncSession, key: str, asker: Signed | None) -> None:
    """Let everybody see what is offered; the rest its sitter, and whoever has booked it.

    Raises:
        RefusedError: It is not there, or not for this person (404).
    """
    may = offered()
    if asker is not None:
        booked = sa.exists(Booking.id).where(Booking.listing_id == Listing.id, Booking.owner_id == asker.id)
        may = sa.or_(may, Listing.sitter_id == asker.id, booked)
    if (await db.execute(sa.select(Listing.id).where(Listing.id == key, may))).scalar_one_or_none() is None:
        raise not_found("Listing")


async def check_own(db: AsyncSession, key: str, asker: Signed) -> None:
    """Let the sitter of a listing go on.

    Raises:
        RefusedError: It is not there, or somebody else's (404).
    """
    own = sa.select(Listing.id).where(Listing.id == key, Listing.sitter_id == asker.id)
    if (await db.execute(own)).scalar_one_or_none() is None:
        raise not_found("Listing")


async def is_booked(db: AsyncSession, key: str) -> bool:
    """Tell whether a listing has bookings or blocked days, also such as are over: then it is not deleted."""
    return bool((await db.execute(sa.select(sa.exists().where(Booking.listing_id == key)))).scalar_one())


async def held(db: AsyncSession, key: str, asker: Signed) -> Listing:
    """Return a listing of who asks, which nobody else changes until the transaction ends.

    Raises:
        RefusedError: It is not there, or somebody else's (404).
    """
    own = sa.select(Listing).where(Listing.id == key, Listing.sitter_id == asker.id)
    found = (await db.execute(own.with_for_update(key_share=True))).scalar_one_or_none()
    if found is None:
        raise not_found("Listing")
    return found
