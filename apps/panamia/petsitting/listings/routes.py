"""Listings: found, shown, made, changed and deleted; and what is known of kinds and currencies."""

from __future__ import annotations

import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import StringConstraints

from ...web.cursors import cursor_of
from ...web.database import Db
from ...web.inputs import NO_NUL, Key
from ...web.sessions import Asker, Somebody
from ..days import Day
from . import known, own, rules, writing
from .bodies import CurrencyCode, KindKey, Latitude, ListingChange, Longitude, NewListing, Price
from .cursors import LONGEST, end_of
from .places import FARTHEST_KM
from .rows import check_seen
from .rules import Sort, Wanted
from .search import search
from .showing import shown_one
from .views import CurrencyView, KindView, ListingPage, ListingView, OwnListings

router = APIRouter(prefix="/api", tags=["listings"])

CursorText = Annotated[str | None, Query(max_length=LONGEST, description="`next` of the page before")]
Limit = Annotated[int, Query(ge=1, le=50, description="how many at most")]
Words = Annotated[str, StringConstraints(max_length=200), NO_NUL]


@router.get("/kinds")
async def kinds(db: Db) -> list[KindView]:
    """List the kinds of listings, and what holds for each."""
    return await known.kinds_shown(db)


@router.get("/currencies")
async def currencies(db: Db) -> list[CurrencyView]:
    """List the currencies that prices can be in."""
    return await known.currencies_shown(db)


@router.get("/listings")
async def find(
    somebody: Somebody,
    db: Db,
    kind: Annotated[KindKey | None, Query()] = None,
    first: Annotated[Day | None, Query(alias="from", description="the first day")] = None,
    end: Annotated[Day | None, Query(alias="to", description="the day behind the last one")] = None,
    lat: Annotated[Latitude | None, Query()] = None,
    lng: Annotated[Longitude | None, Query()] = None,
    radius_km: Annotated[float | None, Query(alias="radiusKm", gt=0, le=FARTHEST_KM, allow_inf_nan=False)] = None,
    q: Annotated[Words | None, Query(description='words as in web searches: `"in quotes"`, `or`, `-not`')] = None,
    min_price: Annotated[Price | None, Query(alias="minPrice")] = None,
    max_price: Annotated[Price | None, Query(alias="maxPrice")] = None,
    currency: Annotated[CurrencyCode | None, Query()] = None,
    sort: Annotated[Sort | None, Query(description="`nearest` where a place is said, else `newest`")] = None,
    cursor: CursorText = None,
    limit: Limit = 20,
) -> ListingPage:
    """Find what is offered.

    With days only what is free on all of them; without a radius what is within 50 km of the place; with a currency only
    what is paid in it.
    """
    now = datetime.datetime.now(datetime.UTC)
    days = rules.wanted_days(first, end)
    around = rules.around(lat, lng, radius_km)
    order = rules.sorted_by(sort, around, currency)
    after = end_of(cursor, order)
    there = await known.kinds(db, kind) if kind is not None or days is not None else None
    if days is not None and there is not None:
        there = rules.check_wanted_days(days, now, there)
    digits = await known.digits_of(db, currency) if currency is not None else None
    prices = rules.prices_of(currency, min_price, max_price, digits)
    return await search(db, Wanted(there, days, around, q or None, prices, order), after, limit, now, somebody)


@router.post("/listings", status_code=201)
async def create(body: NewListing, asker: Asker, db: Db) -> ListingView:
    """Make a listing, of which who asks is the sitter."""
    return await shown_one(db, await writing.create(db, asker, body), asker)


@router.get("/listings/mine")
async def mine(asker: Asker, db: Db, cursor: CursorText = None, limit: Limit = 20) -> OwnListings:
    """List the listings of who asks, the newest first, also those that are withdrawn."""
    return await own.listed(db, asker, cursor_of(cursor), limit)


@router.get("/listings/{key}")
async def read(key: Key, somebody: Somebody, db: Db) -> ListingView:
    """Show a listing: one that is offered to everybody, others to their sitter and to whoever has booked them."""
    await check_seen(db, key, somebody)
    return await shown_one(db, key, somebody)


@router.patch("/listings/{key}")
async def change(key: Key, body: ListingChange, asker: Asker, db: Db) -> ListingView:
    """Change a listing: its sitter. Bookings that were made keep their price."""
    await writing.change(db, asker, key, body)
    return await shown_one(db, key, asker)


@router.delete("/listings/{key}", status_code=204)
async def remove(key: Key, asker: Asker, db: Db) -> None:
    """Delete a listing that nobody ever booked: its sitter. Others are withdrawn: `{"available": false}`."""
    await writing.remove(db, asker, key)
