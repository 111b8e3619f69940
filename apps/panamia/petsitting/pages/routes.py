"""The pages: what is free, one's own bookings, one of them. What they do, they do by the routes of the API."""

from __future__ import annotations

import datetime
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from ...web.cursors import cursor_of
from ...web.database import Db
from ...web.errors import RefusedError
from ...web.inputs import NO_NUL, Key
from ...web.pages.files import SHARED, sent
from ...web.sessions import Asker, Somebody
from ..bookings import reading
from ..bookings.rules import NextStep
from ..bookings.views import BookingDetail
from ..days import as_written
from ..listings import known
from ..listings.routes import find
from ..resources import Open
from .rendering import FOLDER, PageRoute, page

router = APIRouter(include_in_schema=False, route_class=PageRoute)
Words = Annotated[str, Query(max_length=200), NO_NUL]
AT_ONCE = 20


@dataclass(frozen=True)
class _Form:
    path: NextStep
    word: str
    why: bool = False
    review: bool = False


_FORMS = (
    _Form("confirm", "Confirm"),
    _Form("decline", "Decline", why=True),
    _Form("cancel", "Cancel", why=True),
    _Form("review", "Review", review=True),
)


def _sending(path: Path) -> Callable[[], Awaitable[Response]]:
    async def send() -> Response:
        return sent(path)

    return send


for _path, _file in (SHARED | {f"/pages/{name}": FOLDER / name for name in ("style.css", "send.js")}).items():
    router.add_api_route(_path, _sending(_file), methods=["GET"])


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
    listings, after, error, status = [], None, None, 200
    try:
        if bool(first) != bool(end):
            raise RefusedError(422, "Say both days, or none", "wrong-days")
        found = await find(
            somebody, db, kind or None, _day(first), _day(end), q=q or None, cursor=cursor or None, limit=AT_ONCE
        )
        listings, after = found.listings, found.next
    except RefusedError as fault:
        error, status = fault.error, fault.status
    asked = {"kind": kind, "first": first, "end": end, "q": q}
    more = urlencode({**{name: value for name, value in request.query_params.items() if value}, "cursor": after})
    kinds = await known.kinds_shown(db)
    return page(
        "home.html",
        somebody,
        resources.settings.main_url,
        status,
        kinds=kinds,
        titles={one.key: one.title for one in kinds},
        asked=asked,
        listings=listings,
        more=more if after is not None else None,
        refused=error,
    )


@router.get("/bookings")
async def bookings(asker: Asker, resources: Open, db: Db, cursor: Words = "") -> Response:
    """Show somebody's own bookings."""
    after = cursor_of(cursor or None)
    found = await reading.own(db, asker.id, side=None, status=None, listing=None, after=after, limit=AT_ONCE)
    return page("bookings.html", asker, resources.settings.main_url, bookings=found.bookings, more=found.next)


@router.get("/bookings/{key}")
async def booking(key: Key, asker: Asker, resources: Open, db: Db) -> Response:
    """Show a booking to one of its two people, with what they can do next."""
    found = await reading.one(db, asker.id, key)
    count = (found.end - found.first).days
    main_url = resources.settings.main_url
    return page("booking.html", asker, main_url, booking=found, count=count, steps=_forms(found))


def _forms(booking: BookingDetail) -> list[_Form]:
    """Return the forms of what somebody can do next; whoever can decline does not cancel."""
    open_now = set(booking.next_steps)
    if "decline" in open_now:
        open_now.discard("cancel")
    return [one for one in _FORMS if one.path in open_now]


def _day(text: str) -> datetime.date | None:
    """Return the day that a form names; None where it names none.

    Raises:
        RefusedError: It is none (422).
    """
    try:
        return datetime.date.fromisoformat(str(as_written(text))) if text else None
    except ValueError:
        raise RefusedError(422, "A day is one as 2027-01-31", "wrong-days") from None
