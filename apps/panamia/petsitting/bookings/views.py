"""What people get of bookings."""

from __future__ import annotations

import datetime

from pydantic import Field

from ...service.people import Person
from ...web.bodies import Output
from ..days import DaysView
from ..listings.views import Money
from ..models import BookingSide, BookingStatus


class BookedListing(Output):
    """Which listing is booked."""

    id: str
    kind: str
    title: str


class BookingView(DaysView):
    """A booking, as its two people see it."""

    id: str
    listing: BookedListing
    status: BookingStatus
    hold_until: datetime.datetime | None = Field(description="until when the days are kept; only while pending")
    price_per_day: Money
    currency: str
    total: Money
    message: str | None = Field(description="what its owner wrote with the request")
    owner: Person
    sitter: Person
    status_at: datetime.datetime
    status_as: BookingSide = Field(description="who brought the status about: one of the two, or the clock")
    status_why: str | None
    reviewed: bool
    created_at: datetime.datetime
    updated_at: datetime.datetime


class StepView(Output):
    """A step that a booking took; `done_as` is the clock where a hold ran out or the days were over."""

    at: datetime.datetime
    from_status: BookingStatus | None
    to_status: BookingStatus
    done_as: BookingSide
    done_by: Person | None
    why: str | None


class BookingDetail(BookingView):
    """A booking with all its steps, the first one first."""

    steps: list[StepView]


class BookingPage(Output):
    """Some bookings; `next` is the cursor of those behind them."""

    bookings: list[BookingView]
    next: str | None


class ReviewMade(Output):
    """A review, as it was taken down."""

    id: str
    rating: int
    text: str | None
    created_at: datetime.datetime
