"""The pages of a listing: its calendar for everybody; for its sitter a page to make it, and one to change it."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from ...web.cursors import cursor_of
from ...web.database import Db
from ...web.inputs import Key
from ...web.sessions import Asker, Somebody
from ..calendars import feeds
from ..calendars.pages import page_of
from ..calendars.reading import calendar_seen, place_of
from ..calendars.routes import From, Months
from ..listings import blocks, known, own, reviews
from ..listings.rows import check_own, is_booked
from ..listings.rules import MOST_PHOTOS
from ..listings.showing import shown_one
from ..resources import Open
from .rendering import PageRoute, page
from .routes import AT_ONCE, Words

router = APIRouter(include_in_schema=False, route_class=PageRoute)
_MONTHS, _REVIEWS = 3, 5
_NONE_YET = {
    "title": "",
    "description": "",
    "price_per_day": "",
    "currency": "USD",
    "time_zone": "",
    "place": None,
    "available": True,
}
"""A listing that nobody has made."""


@router.get("/listings")
async def listings(asker: Asker, resources: Open, db: Db, cursor: Words = "") -> Response:
    """Show somebody's own listings."""
    found = await own.listed(db, asker, cursor_of(cursor or None), AT_ONCE)
    titles = {one.key: one.title for one in await known.kinds_shown(db)}
    main_url = resources.settings.main_url
    return page("listings.html", asker, main_url, listings=found.listings, titles=titles, more=found.next)


@router.get("/listings/new")
async def new(asker: Asker, resources: Open, db: Db) -> Response:
    """Let somebody offer something."""
    return page(
        "new.html",
        asker,
        resources.settings.main_url,
        listing=_NONE_YET,
        kinds=await known.kinds_shown(db),
        currencies=await known.currencies_shown(db),
        time_zones=await known.time_zones(db),
    )


@router.get("/listings/{key}/edit")
async def edit(key: Key, asker: Asker, resources: Open, db: Db) -> Response:
    """Let the sitter of a listing change it, its photos, blocked days, and the link of the own calendar."""
    await check_own(db, key, asker)
    listing = await shown_one(db, key, asker)
    _, today = await place_of(db, key)
    return page(
        "edit.html",
        asker,
        resources.settings.main_url,
        listing=listing,
        today=today,
        currencies=await known.currencies_shown(db),
        time_zones=await known.time_zones(db),
        blocks=(await blocks.listed(db, asker, key)).blocks,
        feed_at=await feeds.made_at(db, key),
        is_booked=await is_booked(db, key),
        most_photos=MOST_PHOTOS,
    )


@router.get("/listings/{key}/calendar")
async def calendar(
    key: Key, somebody: Somebody, resources: Open, db: Db, first: From = None, months: Months = _MONTHS
) -> Response:
    """Show the calendar of a listing to a person."""
    found = await calendar_seen(db, key, somebody, first, months)
    listing = await shown_one(db, key, somebody)
    said = (await reviews.listed(db, key, None, _REVIEWS)).reviews
    kind = await known.kind_shown(db, listing.kind)
    return page_of(found, months, listing, kind, said, somebody, resources.settings.main_url)
