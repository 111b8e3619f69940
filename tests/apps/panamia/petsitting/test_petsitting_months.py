"""Months of calendars, against the standard library's own calendar and against days counted one by one."""

from __future__ import annotations

import calendar
import datetime

import pytest

from apps.panamia.petsitting.calendars.months import MOST_MONTHS, Day, Entry, add_months, months_of, span_of
from apps.panamia.petsitting.days import Days

D = datetime.date


@pytest.mark.parametrize(
    ("first", "months", "found"),
    [
        (D(2026, 12, 31), 1, D(2027, 1, 1)),
        (D(2027, 1, 1), -1, D(2026, 12, 1)),
        (D(2028, 1, 31), 1, D(2028, 2, 1)),
        (D(2028, 2, 29), 12, D(2029, 2, 1)),
        (D(2027, 6, 15), 0, D(2027, 6, 1)),
        (D(2027, 1, 1), -25, D(2024, 12, 1)),
        (D(2027, 11, 2), 26, D(2030, 1, 1)),
        (D(9999, 11, 30), 1, D(9999, 12, 1)),
        (D(1, 2, 1), -1, D(1, 1, 1)),
    ],
)
def test_month_that_is_so_many_months_away(first: D, months: int, found: D) -> None:
    assert add_months(first, months) == found


@pytest.mark.parametrize(("first", "months"), [(D(9999, 12, 1), 1), (D(9999, 1, 1), 12), (D(1, 1, 31), -1)])
def test_month_behind_the_last_one_is_refused(first: D, months: int) -> None:
    with pytest.raises(OverflowError):
        add_months(first, months)


@pytest.mark.parametrize("months", range(1, MOST_MONTHS + 1))
@pytest.mark.parametrize("first", [D(2026, 11, 23), D(2027, 12, 31), D(2028, 2, 29), D(2028, 1, 1)])
def test_span_begins_with_its_month_and_ends_where_the_next_one_begins(first: D, months: int) -> None:
    span = span_of(first, months)
    assert (span.first, span.end.day) == (first.replace(day=1), 1)
    assert sum(_length(month) for month in _months(first, months)) == span.count


def _months(first: D, count: int) -> list[tuple[int, int]]:
    """Years and months, counted one by one."""
    year, month = first.year, first.month
    found: list[tuple[int, int]] = []
    for _ in range(count):
        found.append((year, month))
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    return found


def _length(month: tuple[int, int]) -> int:
    return calendar.monthrange(*month)[1]


@pytest.mark.parametrize("first", [D(2026, 11, 1), D(2027, 2, 1), D(2028, 2, 1), D(2021, 2, 1), D(2028, 12, 31)])
def test_weeks_are_those_of_the_standard_library(first: D) -> None:
    months = months_of(span_of(first, MOST_MONTHS), D(2000, 1, 1), [])
    assert [(one.first.year, one.first.month) for one in months] == _months(first, MOST_MONTHS)
    for one in months:
        weeks = [[day.date.day if day is not None else 0 for day in week] for week in one.weeks]
        assert weeks == calendar.Calendar(firstweekday=0).monthdayscalendar(one.first.year, one.first.month)
        assert one.title == f"{one.first:%B %Y}"


def _days(first: D, months: int, today: D, entries: list[Entry]) -> dict[D, Day]:
    found = [
        day
        for month in months_of(span_of(first, months), today, entries)
        for week in month.weeks
        for day in week
        if day is not None
    ]
    assert len({day.date for day in found}) == len(found)
    return {day.date: day for day in found}


def test_every_day_is_what_its_entry_says_and_the_last_one_is_free() -> None:
    today = D(2027, 12, 30)
    entries = [
        Entry(Days(D(2027, 12, 28), D(2028, 1, 2)), "confirmed", "Ana", "b1"),  # over the end of the year, and of today
        Entry(Days(D(2028, 1, 2), D(2028, 1, 3)), "blocked"),
        Entry(Days(D(2028, 2, 28), D(2028, 3, 1)), "pending", "Luz", "b2"),  # over a day that few years have
    ]
    days = _days(D(2027, 12, 5), 4, today, entries)
    assert (len(days), min(days), max(days)) == (31 + 31 + 29 + 31, D(2027, 12, 1), D(2028, 3, 31))
    assert {one for one, day in days.items() if day.sort == "confirmed"} == {
        D(2027, 12, 28) + datetime.timedelta(at) for at in range(5)
    }
    assert [one for one, day in days.items() if day.sort == "blocked"] == [D(2028, 1, 2)]
    assert [one for one, day in days.items() if day.sort == "pending"] == [D(2028, 2, 28), D(2028, 2, 29)]
    assert (days[D(2028, 1, 1)].words, days[D(2028, 1, 2)].words, days[D(2028, 1, 3)].words) == ("Ana", None, None)
    assert (days[D(2028, 1, 3)].sort, days[D(2028, 3, 1)].sort) == ("free", "free")
    assert {one for one, day in days.items() if day.sort == "past"} == {D(2027, 12, day) for day in range(1, 28)}


def test_entry_that_reaches_out_of_the_span_is_shown_as_far_as_it_goes() -> None:
    days = _days(D(2027, 2, 1), 1, D(2027, 2, 1), [Entry(Days(D(2027, 1, 30), D(2027, 3, 5)), "taken")])
    assert {day.sort for day in days.values()} == {"taken"}
    assert len(days) == 28


def test_today_is_free_and_yesterday_is_over() -> None:
    days = _days(D(2027, 1, 1), 1, D(2027, 1, 15), [])
    assert (days[D(2027, 1, 14)].sort, days[D(2027, 1, 15)].sort) == ("past", "free")
