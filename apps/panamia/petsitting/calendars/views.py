"""What programs get of calendars."""

from __future__ import annotations

import datetime

from pydantic import Field

from ...web.bodies import Output
from ..days import DaysView
from .months import Sort


class EntryView(DaysView):
    """Days that cannot be booked; everybody is told `taken`, the sitter which sort they are and whose."""

    sort: Sort
    words: str | None = Field(description="who has them, or the sitter's own note; null for everybody else")
    booking_id: str | None


class CalendarView(DaysView):
    """Which days of a listing are not free, in the months that were asked for."""

    time_zone: str
    today: datetime.date = Field(description="the day it is where the listing is")
    entries: list[EntryView]


class FeedView(Output):
    """A link for the sitter's own calendar; whoever has it reads who booked."""

    url: str
