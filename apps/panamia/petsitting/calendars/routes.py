"""The calendar of a listing: as JSON, and as iCalendar."""

from __future__ import annotations

import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response
from sqlalchemy.dialects.postgresql import Range

from ...web.database import Db
from ...web.errors import not_found
from ...web.inputs import NO_NUL, Key
from ...web.sessions import Asker, Somebody
from ..days import Day
from ..listings.rows import check_own, check_seen
from ..resources import Open
from . import feeds
from .icalendars import icalendar_of
from .months import MOST_MONTHS, add_months
from .reading import calendar_seen, entries_of, place_of
from .views import CalendarView, EntryView, FeedView

router = APIRouter(tags=["calendars"])

_BEHIND = 1
"""Months before this one with which a file begins; it goes as far ahead as anybody has days."""

From = Annotated[
    Day | None, Query(alias="from", description="a day of the first month; default: the one that it is there")
]
Months = Annotated[int, Query(ge=1, le=MOST_MONTHS)]
Token = Annotated[str | None, Query(max_length=100, description="that of the sitter's own link"), NO_NUL]


@router.get("/api/listings/{key}/calendar")
async def as_json(key: Key, somebody: Somebody, db: Db, first: From = None, months: Months = 1) -> CalendarView:
    """Tell which days of a listing are not free. Its sitter is also told whose they are."""
    calendar = await calendar_seen(db, key, somebody, first, months)
    return CalendarView(
        first=calendar.span.first,
        end=calendar.span.end,
        time_zone=calendar.listing.time_zone,
        today=calendar.today,
        entries=[
            EntryView(first=one.days.first, end=one.days.end, sort=one.sort, words=one.words, booking_id=one.booking)
            for one in calendar.entries
        ],
    )


@router.get(
    "/api/listings/{key}/calendar.ics",
    response_class=Response,
    responses={200: {"content": {"text/calendar": {}}, "description": "RFC 5545"}},
)
async def as_file(key: Key, somebody: Somebody, resources: Open, db: Db, token: Token = None) -> Response:
    """Give the calendar of a listing to calendars of people. With the sitter's own link it says whose the days are."""
    if token is not None and not await feeds.opens(db, key, token):
        raise not_found("Listing")
    if token is None:
        await check_seen(db, key, somebody)
    listing, today = await place_of(db, key)
    span = Range(add_months(today, -_BEHIND), None)
    entries = await entries_of(db, key, span, whole=token is not None)
    file = icalendar_of(listing, entries, resources.settings.public_url, datetime.datetime.now(datetime.UTC))
    return Response(file, media_type="text/calendar; charset=utf-8")


@router.post("/api/listings/{key}/feed", status_code=201)
async def renew_feed(key: Key, asker: Asker, resources: Open, db: Db) -> FeedView:
    """Make a link for one's own calendar: the sitter. The one before opens nothing any more."""
    await check_own(db, key, asker)
    token = await feeds.renew(db, key)
    return FeedView(url=f"{resources.settings.public_url}/api/listings/{key}/calendar.ics?token={token}")


@router.delete("/api/listings/{key}/feed", status_code=204)
async def end_feed(key: Key, asker: Asker, db: Db) -> None:
    """Let no such link open anything: the sitter."""
    await check_own(db, key, asker)
    await feeds.end(db, key)
