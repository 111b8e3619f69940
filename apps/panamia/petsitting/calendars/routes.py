"""The calendar of a listing: as JSON, as a page, and as iCalendar."""

from __future__ import annotations

import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response

from ...web.database import Db
from ...web.errors import RefusedError, not_found
from ...web.inputs import NO_NUL, Key
from ..listings import reviews
from ..listings.rows import check_own, check_seen
from ..listings.showing import shown
from ..pages.rendering import refused
from ..resources import Open
from ..sessions import Asker, Signed, Somebody
from . import feeds, pages
from .icalendars import icalendar_of
from .months import MOST_MONTHS, add_months, span_of
from .reading import Calendar, calendar_of, place_of
from .views import CalendarView, EntryView, FeedView

router = APIRouter(tags=["calendars"])

_PAGE_MONTHS, _PAGE_REVIEWS = 3, 5
_FILE_MONTHS, _BEHIND = 25, 1
"""A file begins with the month before this one, and goes as far ahead as anything can be booked."""

From = Annotated[
    datetime.date | None, Query(alias="from", description="a day of the first month; default: the one that it is there")
]
Months = Annotated[int, Query(ge=1, le=MOST_MONTHS)]
Token = Annotated[str | None, Query(max_length=100, description="that of the sitter's own link"), NO_NUL]


@router.get("/api/listings/{key}/calendar")
async def as_json(key: Key, somebody: Somebody, db: Db, first: From = None, months: Months = 1) -> CalendarView:
    """Tell which days of a listing are not free. Its sitter is also told whose they are."""
    calendar = await _calendar(db, key, somebody, first, months)
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


@router.get("/listings/{key}/calendar", include_in_schema=False)
async def as_page(
    key: Key, somebody: Somebody, resources: Open, db: Db, first: From = None, months: Months = _PAGE_MONTHS
) -> Response:
    """Show the calendar of a listing to a person."""
    main_url = resources.settings.main_url
    try:
        calendar = await _calendar(db, key, somebody, first, months)
    except RefusedError as fault:
        return refused(fault, somebody, main_url)
    (listing,) = await shown(db, [key])
    said = await reviews.listed(db, key, None, _PAGE_REVIEWS)
    return pages.page_of(calendar, months, listing, said.reviews, somebody, main_url)


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
    span = span_of(add_months(today, -_BEHIND), _FILE_MONTHS + _BEHIND)
    calendar = await calendar_of(db, listing, today, span, whole=token is not None)
    file = icalendar_of(calendar, resources.settings.public_url, datetime.datetime.now(datetime.UTC))
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


async def _calendar(db: Db, key: str, somebody: Signed | None, first: datetime.date | None, months: int) -> Calendar:
    await check_seen(db, key, somebody)
    listing, today = await place_of(db, key)
    try:
        span = span_of(first or today, months)
    except OverflowError:
        raise RefusedError(422, "No calendar goes so far", "wrong-days") from None
    return await calendar_of(db, listing, today, span, whole=somebody is not None and somebody.id == listing.sitter_id)
