"""What somebody looks for, as conditions on listings that PostgreSQL can answer by its indexes. Pure."""

from __future__ import annotations

import datetime
import math
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TSVECTOR

from ..days import Days
from ..models import Booking, Listing
from ..taken import is_taken
from . import rules
from .places import EARTH_KM, Place, box_around
from .rows import today_there
from .rules import Kind, Prices, Wanted, earliest_today, latest_today

_LANGUAGES: list[sa.ColumnElement[str]] = [sa.literal_column(f"'{one}'::regconfig") for one in ("english", "spanish")]
Condition = sa.ColumnElement[bool]


def conditions_of(wanted: Wanted, now: datetime.datetime) -> list[Condition]:
    """Return what listings must fulfil, but for their place."""
    found: list[Condition] = []
    if wanted.kinds is not None:
        found.append(Listing.kind.in_([one.key for one in wanted.kinds]))
    if wanted.days is not None:
        found += _free(wanted.days, wanted.kinds or (), now)
    if wanted.text is not None:
        found.append(_words(wanted.text))
    if wanted.prices is not None:
        found += of_prices(wanted.prices)
    return found


def of_prices(prices: Prices) -> list[Condition]:
    """Return which listings cost so much."""
    found: list[Condition] = [Listing.currency == prices.currency]
    if prices.least is not None:
        found.append(Listing.price_per_day >= prices.least)
    if prices.most is not None:
        found.append(Listing.price_per_day <= prices.most)
    return found


def _free(days: Days, kinds: tuple[Kind, ...], now: datetime.datetime) -> list[Condition]:
    """Return which listings can be had on some days: nobody has them, and they are not past or too far ahead there.

    The day it is where the listing is matters only near the edge: elsewhere no row is asked for it.
    """
    in_the_way = sa.exists().where(
        Booking.listing_number == Listing.number, Booking.days.op("&&")(days.range), is_taken()
    )
    found: list[Condition] = [~in_the_way]
    if days.first < latest_today(now):
        found.append(today_there() <= days.first)
    for kind in kinds:
        if (days.first - earliest_today(now)).days > kind.furthest_days:
            near = today_there() >= days.first - datetime.timedelta(days=kind.furthest_days)
            found.append(sa.or_(Listing.kind != kind.key, near))
    return found


def _words(text: str) -> Condition:
    """Return which listings hold what somebody typed, in either language; a text without any word wants nothing.

    What they must not hold is a query by itself, as a word that is none in one of the languages stands in neither; and
    all of it is one query to the index, which then has no listing read that is not wanted.
    """
    wanted, unwanted = rules.words_of(text)
    query = _query(wanted)
    for one in unwanted:
        query = query.op("&&")(sa.func.tsquery_not(_query(one)))
    return sa.or_(sa.func.numnode(query) == 0, sa.type_coerce(Listing.search, TSVECTOR).bool_op("@@")(query))


def _query(text: str) -> sa.ColumnElement[Any]:
    one, other = (sa.func.websearch_to_tsquery(language, text) for language in _LANGUAGES)
    # Not twice the same, which the planner would take for twice as many.
    return sa.case((one == other, one), else_=one.op("||")(other))


def distance_from(place: Place) -> sa.ColumnElement[float]:
    """Return how far a listing is, in kilometres, on a sphere (haversine): exact for near ones, too."""
    half = (sa.func.sin(sa.func.radians(one) / 2) for one in (Listing.lat - place.lat, Listing.lng - place.lng))
    lat, lng = half
    across = sa.literal(math.cos(math.radians(place.lat)), sa.Double) * sa.func.cos(sa.func.radians(Listing.lat))
    return 2 * EARTH_KM * sa.func.asin(sa.func.sqrt(sa.func.least(1.0, lat * lat + across * lng * lng)))


def within(place: Place, km: float) -> list[Condition]:
    """Return a condition that indexes can answer, and that all listings within so many kilometres fulfil."""
    box = box_around(place, km)
    found: list[Condition] = [Listing.lat.between(box.south, box.north)]
    if box.spans:
        found.append(sa.or_(*(Listing.lng.between(west, east) for west, east in box.spans)))
    return found
