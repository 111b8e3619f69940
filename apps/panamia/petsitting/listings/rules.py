"""What a listing may be, what may be looked for, and who may see it. Pure."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from ...web.errors import RefusedError, conflict
from ..days import Days, days_of
from .places import Around, Place

MOST_LISTINGS = 100
"""Of one person, also those that are withdrawn."""
MOST_PHOTOS = 20
"""Of a listing."""
MOST_BLOCKS = 200
"""Of a listing, of those that are not over."""
_AROUND_KM = 50.0
"""Where nobody says how far."""
_PRICE = re.compile(r"([0-9]{1,9})(?:\.([0-9]{1,3}))?", re.ASCII)
_PART = re.compile(r'-*"[^"]*"?|[^\s"]+|"')
_EAST, _WEST = datetime.timedelta(hours=14), datetime.timedelta(hours=-12)
"""How far clocks of places are before and behind UTC."""

Sort = Literal["nearest", "price", "newest"]


@dataclass(frozen=True)
class Kind:
    """What a kind of listing allows.

    Attributes:
        longest_days: Of one booking.
        furthest_days: From today to the first one.
    """

    key: str
    longest_days: int
    furthest_days: int


@dataclass(frozen=True)
class Prices:
    """Prices of one currency, ends and all; None: no end."""

    currency: str
    least: Decimal | None
    most: Decimal | None


@dataclass(frozen=True)
class Wanted:
    """Which listings somebody looks for, and in which order; None: whichever.

    Attributes:
        kinds: Those that are looked at.
        text: As people type it into a search.
    """

    kinds: tuple[Kind, ...] | None
    days: Days | None
    around: Around | None
    text: str | None
    prices: Prices | None
    sort: Sort


def unfit(error: str, code: str) -> RefusedError:
    """It is of the right form, and cannot be."""
    return RefusedError(422, error, code)


def price_of(text: str, digits: int) -> Decimal:
    """Return a price, exactly as it is written.

    Args:
        text: As `25.00`.
        digits: Behind the point, at most, that its currency has.

    Raises:
        RefusedError: It is none, is nothing, or has more digits (422, code `wrong-price`).
    """
    found = _PRICE.fullmatch(text)
    if found is None:
        raise unfit("A price is a text as 25.00, of less than a thousand million", "wrong-price")
    if len(found[2] or "") > digits:
        raise unfit(f"A price in this currency has {digits} digits behind the point at most", "wrong-price")
    return Decimal(text)


def price_to_ask(text: str, digits: int) -> Decimal:
    """Return what somebody asks for a day: as `price_of`, and more than nothing."""
    price = price_of(text, digits)
    if not price:
        raise unfit("A price is more than nothing", "wrong-price")
    return price


def price_text(price: Decimal, digits: int) -> str:
    """Return an amount as it is told: with all digits of its currency, never rounded."""
    return f"{price:.{digits}f}" if price == round(price, digits) else str(price)


def check_wanted_days(days: Days, now: datetime.datetime, kinds: Iterable[Kind]) -> tuple[Kind, ...]:
    """Return the kinds of which these days can be had somewhere on the earth.

    Args:
        days: The days.
        now: This instant.
        kinds: Those that are looked at: one at least.

    Raises:
        RefusedError: They have begun everywhere (422, `past`), or no kind allows so many (`too-long`), or so far ahead
            (`too-far`).
    """
    if days.first < earliest_today(now):
        raise unfit("These days have begun", "past")
    long = [one for one in kinds if days.count <= one.longest_days]
    if not long:
        raise unfit("These are more days than can be had at once", "too-long")
    fit = [one for one in long if (days.first - latest_today(now)).days <= one.furthest_days]
    if not fit:
        raise unfit("These days are too far ahead", "too-far")
    return tuple(fit)


def earliest_today(now: datetime.datetime) -> datetime.date:
    """Return the day it is where the clock is the farthest behind."""
    return (now.astimezone(datetime.UTC) + _WEST).date()


def latest_today(now: datetime.datetime) -> datetime.date:
    """Return the day it is where the clock is the farthest ahead."""
    return (now.astimezone(datetime.UTC) + _EAST).date()


def wanted_days(first: datetime.date | None, end: datetime.date | None) -> Days | None:
    """Return the days that somebody looks for; None for none.

    Raises:
        RefusedError: Only one of the two is said, or there are none between them (422, `wrong-days`).
    """
    if first is None and end is None:
        return None
    if first is None or end is None:
        raise unfit("`from` and `to` are said together", "wrong-days")
    return days_of(first, end)


def around(lat: float | None, lng: float | None, km: float | None) -> Around | None:
    """Return where somebody looks; None for everywhere.

    Raises:
        RefusedError: Only a part of a place is said (422, `wrong-place`).
    """
    if lat is None and lng is None and km is None:
        return None
    if lat is None or lng is None:
        raise unfit("`lat` and `lng` are said together, and `radiusKm` only with them", "wrong-place")
    return Around(Place(lat, lng), _AROUND_KM if km is None else km)


def prices_of(currency: str | None, least: str | None, most: str | None, digits: int | None) -> Prices | None:
    """Return which prices somebody looks for; None for all.

    Args:
        currency: Without one no prices can be said.
        least: As it is written; so is `most`.
        digits: Of the currency; None: nobody knows it.

    Raises:
        RefusedError: They cannot be (422, `wrong-currency`, `wrong-price`).
    """
    if currency is None:
        if least is not None or most is not None:
            raise unfit("`minPrice` and `maxPrice` need `currency`", "wrong-currency")
        return None
    if digits is None:
        raise unknown_currency()
    low = None if least is None else price_of(least, digits)
    high = None if most is None else price_of(most, digits)
    if low is not None and high is not None and high < low:
        raise unfit("`maxPrice` is less than `minPrice`", "wrong-price")
    return Prices(currency, low, high)


def booked() -> RefusedError:
    """Somebody booked it, or days of it are blocked."""
    return conflict("A listing that has bookings or blocked days stays; withdraw it instead", "booked")


def words_of(text: str) -> tuple[str, list[str]]:
    """Return what is wanted of a text that was typed into a search, and each word that is not: `-cat`, `-"a cat"`."""
    parts = _PART.findall(text)
    unwanted = [one.lstrip("-") for one in parts if one.startswith("-")]
    return " ".join(one for one in parts if not one.startswith("-")), [one for one in unwanted if one]


def unknown_currency() -> RefusedError:
    """Nobody knows the currency."""
    return unfit("This currency is not known here: look at /api/currencies", "wrong-currency")


def unknown_kind() -> RefusedError:
    """There is no such kind of listing."""
    return unfit("This kind of listing is not known here: look at /api/kinds", "wrong-kind")


def unknown_time_zone() -> RefusedError:
    """Nobody knows the time zone."""
    return unfit("A time zone is one of the IANA database, as America/New_York", "wrong-time-zone")


def sorted_by(sort: Sort | None, where: Around | None, currency: str | None) -> Sort:
    """Return the order: the nearest first where a place is said, else the newest, unless another one is asked for.

    Raises:
        RefusedError: It is asked for without what it goes by (422, `wrong-place`, `wrong-currency`).
    """
    if sort == "nearest" and where is None:
        raise unfit("`sort=nearest` needs `lat` and `lng`", "wrong-place")
    if sort == "price" and currency is None:
        raise unfit("`sort=price` needs `currency`: prices of two currencies cannot be compared", "wrong-currency")
    return sort or ("newest" if where is None else "nearest")
