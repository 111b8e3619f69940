"""What people send of bookings."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from ...web.bodies import Input
from ...web.inputs import NO_NUL, KeyText
from ..days import Day
from ..listings.bodies import CurrencyCode, Price

Message = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2_000), NO_NUL]
Why = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1_000), NO_NUL]
ReviewText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=5_000), NO_NUL]


class NewBooking(Input):
    """Days of a listing that somebody wants, from the first one to the one behind the last, which stays free."""

    listing_id: KeyText
    first: Day = Field(alias="from")
    end: Day = Field(alias="to")
    message: Message | None = None
    expected_price_per_day: Price | None = Field(
        None, description="what whoever books was shown; another price by now refuses the booking, and is told"
    )
    currency: CurrencyCode | None = Field(None, description="that of the price which was shown")


class Because(Input):
    """Why somebody says no."""

    why: Why


class NewReview(Input):
    """What somebody says of a stay."""

    rating: int = Field(ge=1, le=5, strict=True)
    text: ReviewText | None = None
