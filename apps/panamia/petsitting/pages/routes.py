"""The pages: what is free, one's own bookings, one of them. What they do, they do by the routes of the API."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from ...web.cursors import cursor_of
from ...web.database import Db
from ...web.errors import RefusedError
from ...web.inputs import NO_NUL, Key
from ..bookings import reading
from ..bookings.views import BookingDetail
from ..listings import known
from ..listings.routes import find
from ..resources import Open
from ..sessions import Somebody
from .rendering import file, page, refused

router = APIRouter(include_in_schema=False)
Words = Annotated[str, Query(max_length=200), NO_NUL]
_AT_ONCE = 20


@dataclass(frozen=True)
class _Step:
    path: str
    word: str
    why: bool = False
    review: bool = False


@router.get("/pages/style.css")
async def style() -> Response:
    """Send how pages look."""
    return file("style.css")


@router.get("/pages/send.js")
async def script() -> Response:
    """Send what their forms do."""
    return file("send.js")


@router.get("/")
async def home(
    request: Request,
    somebody: Somebody,
    resources: Open,
    db: Db,
    kind: Words = "",
    first: Annotated[Words, Query(alias="from")] = "",
    end: Annotated[Words, Query(alias="to")] = "",
    q: Words = "",
    cursor: Words = "",
) -> Response:
    """Show what is offered, and free on the days that are asked for."""
    listings, after, error = [], None, None
    try:
        if bool(first) != bool(end):
            raise RefusedError(422, "Say both days, or none", "wrong-days")
        found = await find(db, kind or None, _day(first), _day(end), q=q or None, cursor=cursor or None, limit=_AT_ONCE)
        listings, after = found.listings, found.next
    except RefusedError as fault:
        error = fault.error
    asked = {"kind": kind, "first": first, "end": end, "q": q}
    more = urlencode({**{name: value for name, value in request.query_params.items() if value}, "cursor": after})
    kinds = await known.kinds_shown(db)
    return page(
        "home.html",
        asker=somebody,
        main_url=resources.settings.main_url,
        kinds=kinds,
        titles={one.key: one.title for one in kinds},
        asked=asked,
        listings=listings,
        more=more if after is not None else None,
        refused=error,
    )


@router.get("/bookings")
async def bookings(somebody: Somebody, resources: Open, db: Db, cursor: Words = "") -> Response:
    """Show somebody's own bookings; nobody is sent to sign in."""
    main_url = resources.settings.main_url
    if somebody is None:
        return RedirectResponse(f"{main_url}/signin", 303)
    try:
        after = cursor_of(cursor or None)
    except RefusedError as fault:
        return refused(fault, somebody, main_url)
    found = await reading.own(db, somebody.id, side=None, status=None, listing=None, after=after, limit=_AT_ONCE)
    return page("bookings.html", asker=somebody, main_url=main_url, bookings=found.bookings, more=found.next)


@router.get("/bookings/{key}")
async def booking(key: Key, somebody: Somebody, resources: Open, db: Db) -> Response:
    """Show a booking to one of its two people, with what they can do next."""
    main_url = resources.settings.main_url
    if somebody is None:
        return RedirectResponse(f"{main_url}/signin", 303)
    try:
        found = await reading.one(db, somebody.id, key)
    except RefusedError as fault:
        return refused(fault, somebody, main_url)
    steps = _steps(found, is_sitter=found.sitter.id == somebody.id)
    count = (found.end - found.first).days
    return page("booking.html", asker=somebody, main_url=main_url, booking=found, count=count, steps=steps)


def _steps(booking: BookingDetail, *, is_sitter: bool) -> list[_Step]:
    """Return what somebody can try next; whether it may be, the API says."""
    cancel = _Step("cancel", "Cancel", why=True)
    if booking.status == "pending":
        return [_Step("confirm", "Confirm"), _Step("decline", "Decline", why=True)] if is_sitter else [cancel]
    if booking.status == "confirmed":
        return [cancel]
    if booking.status == "completed" and not is_sitter and not booking.reviewed:
        return [_Step("review", "Review", review=True)]
    return []


def _day(text: str) -> datetime.date | None:
    """Return the day that a form names; None where it names none.

    Raises:
        RefusedError: It is none (422).
    """
    try:
        return datetime.date.fromisoformat(text) if text else None
    except ValueError:
        raise RefusedError(422, "A day is one as 2027-01-31", "wrong-days") from None
