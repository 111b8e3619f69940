"""Days as months have them. Pure."""

from __future__ import annotations

import calendar
import datetime
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from ..days import Days

MOST_MONTHS = 12
_WEEK = 7

Sort = Literal["free", "past", "taken", "pending", "confirmed", "blocked"]
"""What a day is: `taken` is all that everybody is told of the last three."""


@dataclass(frozen=True)
class Entry:
    """Days that somebody has.

    Attributes:
        sort: What everybody, or the sitter, is told of them.
        words: Who has them, or the sitter's own note; None for everybody else.
        booking: Its id; None of blocked days, and for everybody else.
    """

    days: Days
    sort: Sort
    words: str | None = None
    booking: str | None = None


@dataclass(frozen=True)
class Day:
    """A day of a page."""

    date: datetime.date
    sort: Sort
    words: str | None


@dataclass(frozen=True)
class Month:
    """A month of a page: its weeks from Monday on; None where the week belongs to another month."""

    first: datetime.date
    weeks: tuple[tuple[Day | None, ...], ...]

    @property
    def title(self) -> str:
        """As `March 2027`."""
        return f"{calendar.month_name[self.first.month]} {self.first.year}"


def span_of(first: datetime.date, months: int) -> Days:
    """Return the days of so many months, of which the first one holds `first`."""
    begin = first.replace(day=1)
    return Days(begin, add_months(begin, months))


def add_months(first: datetime.date, months: int) -> datetime.date:
    """Return the first day of the month that is so many months from the one of a day.

    Raises:
        OverflowError: No calendar goes so far.
    """
    place = first.year * 12 + first.month - 1 + months
    if not datetime.MINYEAR * 12 <= place < (datetime.MAXYEAR + 1) * 12:
        raise OverflowError("no calendar goes so far")
    return datetime.date(place // 12, place % 12 + 1, 1)


def months_of(span: Days, today: datetime.date, entries: Iterable[Entry]) -> list[Month]:
    """Return the months of a span with what each of their days is."""
    known = {date: entry for entry in entries for date in _dates(entry.days)}
    found: list[Month] = []
    first = span.first
    while first < span.end:
        end = add_months(first, 1)
        days = [_day(date, today, known.get(date)) for date in _dates(Days(first, end))]
        padded = [None] * first.weekday() + days
        padded += [None] * (-len(padded) % _WEEK)
        weeks = tuple(tuple(padded[at : at + _WEEK]) for at in range(0, len(padded), _WEEK))
        found.append(Month(first, weeks))
        first = end
    return found


def _day(date: datetime.date, today: datetime.date, entry: Entry | None) -> Day:
    if entry is not None:
        return Day(date, entry.sort, entry.words)
    return Day(date, "past" if date < today else "free", None)


def _dates(days: Days) -> Iterator[datetime.date]:
    return (days.first + datetime.timedelta(days=at) for at in range(days.count))
