"""What people get of bookings."""

from __future__ import annotations

import datetime

from pydantic import Field

from ...web.bodies import Output
from ...web.people import Person
from ..days import DaysView
from ..listings.views import Money
from ..models import BookingSide
from .rules import NextStep, Side, Status


class BookedListing(Output):
    """Which listing is booked, and what its kind calls the two."""

    id: str
    kind: str
    title: str
    provider_word: str = Field(description="what the sitter of this kind is called")
    customer_word: str = Field(description="and the owner")


class BookingView(DaysView):
    """A booking, as its two people see it."""

    id: str
    listing: BookedListing
    yours: Side = Field(description="which of the two who asks is")
    status: Status
    next_steps: list[NextStep] = Field(description="what who asks can do now; none of a hold that has run out")
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
    from_status: Status | None
    to_status: Status
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
