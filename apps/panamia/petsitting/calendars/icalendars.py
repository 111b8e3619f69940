"""A calendar as iCalendar (RFC 5545) has it. Pure.

Days are dates without a clock: VALUE=DATE, and DTEND is the day behind the last one, as RFC 5545 3.6.1 has it.
"""

from __future__ import annotations

import datetime
from typing import Any
from urllib.parse import urlsplit

from icalendar import Calendar as Document
from icalendar import Event, vText

from .months import Entry
from .reading import Calendar

_WORDS = {"taken": "Taken", "pending": "Asked for", "confirmed": "Booked", "blocked": "Blocked"}
_PRODUCT = "-//Pana MIA//Pet sitting//EN"
_REFRESH = datetime.timedelta(hours=1)


def icalendar_of(calendar: Calendar, public_url: str, stamp: datetime.datetime) -> bytes:
    """Return a calendar as a file that calendars of people read.

    Args:
        calendar: What stands in it.
        public_url: Where this service is.
        stamp: When it was asked.
    """
    document: Any = Document()  # whose types are known in part
    document.add("prodid", _PRODUCT)
    document.add("version", "2.0")
    document.add("method", "PUBLISH")
    document.add("name", calendar.listing.title)
    document.add("x-wr-calname", calendar.listing.title)
    document.add("refresh-interval", _REFRESH, parameters={"VALUE": "DURATION"})
    host = urlsplit(public_url).hostname or "localhost"
    for entry in calendar.entries:
        document.add_component(_event(entry, calendar.listing.id, public_url, host, stamp))
    written: bytes = document.to_ical()
    return written


def _event(entry: Entry, listing: str, public_url: str, host: str, stamp: datetime.datetime) -> Any:
    event: Any = Event()
    event.add("uid", f"{entry.booking or f'{listing}-{entry.days.first:%Y%m%d}'}@{host}")
    event.add("dtstamp", stamp)
    event.add("dtstart", entry.days.first)
    event.add("dtend", entry.days.end)
    word = _WORDS.get(entry.sort, entry.sort)
    event.add("summary", vText(f"{word}: {entry.words}" if entry.words else word))
    event.add("status", "TENTATIVE" if entry.sort == "pending" else "CONFIRMED")
    event.add("transp", "OPAQUE")
    if entry.booking is not None:
        event.add("url", f"{public_url}/bookings/{entry.booking}")
    return event
