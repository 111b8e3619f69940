"""Days that somebody takes: from one day on, to another one that is free again. Pure.

They are half-open, as a `daterange` is: who leaves on a day and who comes on it do not meet.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from pydantic import BeforeValidator, Field
from sqlalchemy.dialects.postgresql import Range

from ..web.bodies import Output
from ..web.errors import RefusedError

_WRITTEN = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


def as_written(value: object) -> object:
    """Let a day pass that is written as one; seconds since 1970 and the like are none, though they can be read so.

    Raises:
        ValueError: It is none.
    """
    if not isinstance(value, datetime.date) and not (isinstance(value, str) and _WRITTEN.fullmatch(value)):
        raise ValueError("a day is a text as 2027-01-31")
    return value


Day = Annotated[datetime.date, BeforeValidator(as_written)]
"""A day as people send it."""


@dataclass(frozen=True, order=True)
class Days:
    """One day or more.

    Attributes:
        first: The first day.
        end: The day behind the last one.
    """

    first: datetime.date
    end: datetime.date

    @property
    def count(self) -> int:
        """How many they are."""
        return (self.end - self.first).days

    @property
    def range(self) -> Range[datetime.date]:
        """The same for PostgreSQL."""
        return Range(self.first, self.end, bounds="[)")


class DaysView(Output):
    """Days as they are told: from the first one to the one behind the last, which is free."""

    first: datetime.date = Field(serialization_alias="from", description="the first day")
    end: datetime.date = Field(serialization_alias="to", description="the day behind the last one")


def days_of(first: datetime.date, end: datetime.date) -> Days:
    """Return the days that somebody names.

    Raises:
        RefusedError: There are none between the two (422, code `wrong-days`).
    """
    if end <= first:
        raise RefusedError(422, "The last day must be behind the first: it is the one that is free again", "wrong-days")
    return Days(first, end)


def days_in(found: Range[datetime.date]) -> Days:
    """Return the days of a range that PostgreSQL gave: it has both ends, and is not empty."""
    if found.lower is None or found.upper is None:
        raise ValueError("a range without an end")
    return Days(found.lower, found.upper)


def views_of(days: Iterable[Days]) -> list[DaysView]:
    """Return days as they are told, in their order."""
    return [DaysView(first=one.first, end=one.end) for one in sorted(days)]


def merged(days: Iterable[Days]) -> list[Days]:
    """Return days in their order, with those as one that overlap or follow each other."""
    found: list[Days] = []
    for one in sorted(days):
        if found and one.first <= found[-1].end:
            found[-1] = Days(found[-1].first, max(found[-1].end, one.end))
        else:
            found.append(one)
    return found
