"""Bookings, from the request to the review."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from ...web.cursors import cursor_of
from ...web.database import Db
from ...web.inputs import Key, KeyText, up_to
from ...web.sessions import Asker, Signed
from ..resources import Open, Resources
from . import reading, writing
from .bodies import Because, NewBooking, NewReview
from .reading import MOST
from .rules import Side, Status, Step
from .views import BookingDetail, BookingPage, ReviewMade

router = APIRouter(prefix="/api/bookings", tags=["bookings"])


@router.post("", status_code=201)
async def book(body: NewBooking, asker: Asker, resources: Open, db: Db) -> BookingDetail:
    """Ask for days of a listing.

    The days are kept until the sitter answers, or until `holdUntil`. Days that somebody has are refused with 409
    `taken`, which names them.
    """
    return await reading.detail(db, asker.id, await writing.book(db, resources.settings, asker, body))


@router.get("")
async def own(
    asker: Asker,
    db: Db,
    side: Annotated[Side | None, Query(alias="as", description="what somebody is in them; default: either")] = None,
    status: Annotated[Status | None, Query()] = None,
    listing: Annotated[KeyText | None, Query(description="of this listing alone")] = None,
    cursor: Annotated[str | None, Query(max_length=100, description="`next` of the page before")] = None,
    limit: Annotated[int, up_to(MOST, "bookings")] = MOST,
) -> BookingPage:
    """List one's own bookings, the latest made first."""
    return await reading.own(
        db, asker.id, side=side, status=status, listing=listing, after=cursor_of(cursor), limit=min(limit, MOST)
    )


@router.get("/{key}")
async def read(key: Key, asker: Asker, db: Db) -> BookingDetail:
    """Read a booking and its steps: its two people."""
    return await reading.one(db, asker.id, key)


@router.post("/{key}/confirm")
async def confirm(key: Key, asker: Asker, resources: Open, db: Db) -> BookingDetail:
    """Say yes: the sitter, before the hold runs out."""
    return await _step(db, resources, asker, key, "confirm", None)


@router.post("/{key}/decline")
async def decline(key: Key, body: Because, asker: Asker, resources: Open, db: Db) -> BookingDetail:
    """Say no, and why: the sitter."""
    return await _step(db, resources, asker, key, "decline", body.why)


@router.post("/{key}/cancel")
async def cancel(key: Key, body: Because, asker: Asker, resources: Open, db: Db) -> BookingDetail:
    """Call it off, and say why: whoever booked until the days are over, whoever offers it until they begin."""
    return await _step(db, resources, asker, key, "cancel", body.why)


@router.post("/{key}/review", status_code=201)
async def review(key: Key, body: NewReview, asker: Asker, resources: Open, db: Db) -> ReviewMade:
    """Say how a stay was: its owner, once, when it is over."""
    return ReviewMade.model_validate(await writing.review(db, resources.settings, asker, key, body))


async def _step(db: Db, resources: Resources, asker: Signed, key: str, step: Step, why: str | None) -> BookingDetail:
    return await reading.detail(db, asker.id, await writing.step(db, resources.settings, asker, key, step, why))
