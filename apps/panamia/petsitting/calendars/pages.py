"""A listing with its calendar as a page, whose words are there for who does not see colours."""

from __future__ import annotations

import calendar
import datetime

from starlette.responses import Response

from ...web.sessions import Signed
from ..listings.views import KindView, ListingView, ReviewView
from ..pages.rendering import page
from .months import Sort, add_months, months_of
from .reading import Calendar

WORDS: dict[Sort, str] = {
    "free": "free",
    "past": "over",
    "taken": "taken",
    "pending": "asked for",
    "confirmed": "booked",
    "blocked": "blocked",
}
_EVERYBODY: tuple[Sort, ...] = ("free", "taken")
_SITTER: tuple[Sort, ...] = ("free", "pending", "confirmed", "blocked")


def page_of(
    found: Calendar,
    months: int,
    listing: ListingView,
    kind: KindView,
    reviews: list[ReviewView],
    asker: Signed | None,
    main_url: str,
) -> Response:
    """Return the page.

    Args:
        found: What stands in the months.
        months: How many they are.
        listing: Whose they are.
        kind: Of the listing.
        reviews: The latest ones.
        asker: Who looks; the sitter also sees who has the days, and others can ask for some.
        main_url: Where the main service is.
    """
    span = found.span
    return page(
        "calendar.html",
        asker,
        main_url,
        listing=listing,
        kind=kind,
        reviews=reviews,
        time_zone=listing.time_zone,
        today=found.today,
        months=months_of(span, found.today, found.entries),
        count=months,
        earlier=_other(span.first, -months),
        later=_other(span.first, months),
        weekdays=list(calendar.day_name),
        words=WORDS,
        sorts=_SITTER if listing.yours else _EVERYBODY,
        entries=found.entries if listing.yours else [],
    )


def _other(first: datetime.date, months: int) -> datetime.date | None:
    try:
        return add_months(first, months)
    except OverflowError:
        return None
