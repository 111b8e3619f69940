"""A calendar as iCalendar (RFC 5545) has it. Pure.

Days are dates without a clock: VALUE=DATE, and DTEND is the day behind the last one, as RFC 5545 3.6.1 has it.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from icalendar import Calendar as Document
from icalendar import Event, vText

from ..models import Listing
from .months import Entry

_WORDS = {"taken": "Taken", "pending": "Asked for", "confirmed": "Booked", "blocked": "Blocked"}
_PRODUCT = "-//Pana MIA//Pet sitting//EN"
_REFRESH = datetime.timedelta(hours=1)
_BREAK, _CONTROL, _SIGN = re.compile(r"\r\n?"), re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]"), re.compile(r"[\\;,]")


class _Text(vText):
    """What people wrote, escaped as RFC 5545 3.3.11 has it; vText itself takes a typed `\\N` for a break."""

    def to_ical(self) -> bytes:
        """Return it as it stands in a file, without control characters, which no file holds."""
        sound = _CONTROL.sub("", _BREAK.sub("\n", self))
        return _SIGN.sub(r"\\\g<0>", sound).replace("\n", r"\n").encode()


def icalendar_of(listing: Listing, entries: Iterable[Entry], public_url: str, stamp: datetime.datetime) -> bytes:
    """Return days of a listing as a file that calendars of people read.

    Args:
        listing: Whose they are.
        entries: Those that are not free.
        public_url: Where this service is.
        stamp: When it was asked.
    """
    document: Any = Document()  # whose types are known in part
    document.add("prodid", _PRODUCT)
    document.add("version", "2.0")
    document.add("method", "PUBLISH")
    for name in ("name", "x-wr-calname"):
        document.add(name, _Text(listing.title))
    document.add("refresh-interval", _REFRESH, parameters={"VALUE": "DURATION"})
    host = urlsplit(public_url).hostname or "localhost"
    for entry in entries:
        document.add_component(_event(entry, listing.id, public_url, host, stamp))
    written: bytes = document.to_ical()
    return written


def _event(entry: Entry, listing: str, public_url: str, host: str, stamp: datetime.datetime) -> Any:
    event: Any = Event()
    event.add("uid", f"{entry.booking or f'{listing}-{entry.days.first:%Y%m%d}'}@{host}")
    event.add("dtstamp", stamp)
    event.add("dtstart", entry.days.first)
    event.add("dtend", entry.days.end)
    word = _WORDS.get(entry.sort, entry.sort)
    event.add("summary", _Text(f"{word}: {entry.words}" if entry.words else word))
    event.add("status", "TENTATIVE" if entry.sort == "pending" else "CONFIRMED")
    event.add("transp", "OPAQUE")
    if entry.booking is not None:
        event.add("url", f"{public_url}/bookings/{entry.booking}")
    return event
