"""What people get of listings."""

from __future__ import annotations

import datetime
from typing import Annotated

from pydantic import Field

from ...web.bodies import Output
from ...web.people import Person
from ..days import DaysView

Money = Annotated[str, Field(description="an amount, exactly, as `25.00`", examples=["25.00"])]


class KindView(Output):
    """A kind of listing, and what holds for it."""

    key: str
    title: str
    provider_word: str = Field(description="what its two sides are called: who offers")
    customer_word: str = Field(description="and who books")
    hold_minutes: int = Field(description="how long a booking waits for an answer")
    longest_days: int = Field(description="the most days of one booking")
    furthest_days: int = Field(description="how far ahead one may begin")


class CurrencyView(Output):
    """A currency, and how many digits its amounts have behind the point."""

    code: str
    digits: int


class SpotView(Output):
    """Where it is."""

    lat: float
    lng: float
    name: str | None


class PhotoView(Output):
    """A photo, which stands elsewhere."""

    id: str
    url: str
    caption: str | None


class RatingView(Output):
    """What people said who stayed: from 1 to 5 on average, and how many they are."""

    average: str | None
    count: int


class ListingView(Output):
    """A listing."""

    id: str
    kind: str
    title: str
    description: str
    price_per_day: Money
    currency: str
    time_zone: str
    available: bool
    place: SpotView | None
    sitter: Person
    yours: bool = Field(description="whether who asks offers it")
    photos: list[PhotoView]
    rating: RatingView
    created_at: datetime.datetime
    updated_at: datetime.datetime


class FoundView(ListingView):
    """A listing that was found; `distanceKm` where a place was said."""

    distance_km: float | None


class ListingPage(Output):
    """Some listings; `next` is the cursor of those behind them."""

    listings: list[FoundView]
    next: str | None


class OwnListings(Output):
    """Some of the listings of who asks, the newest first, also those that are withdrawn."""

    listings: list[ListingView]
    next: str | None


class Photos(Output):
    """The photos of a listing, in their order."""

    photos: list[PhotoView]


class BlockView(DaysView):
    """Days on which nobody can book."""

    id: str
    note: str | None


class Blocks(Output):
    """What the sitter has blocked and is not over, in its order."""

    blocks: list[BlockView]


class ReviewView(Output):
    """What somebody said who stayed."""

    id: str
    rating: int
    text: str | None
    author: Person
    created_at: datetime.datetime


class Reviews(Output):
    """Some reviews, the newest first; `next` is the cursor of those behind them."""

    reviews: list[ReviewView]
    rating: RatingView
    next: str | None
