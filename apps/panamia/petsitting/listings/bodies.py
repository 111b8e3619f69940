"""What people send of listings."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StrictBool, StringConstraints

from ...web.bodies import Input
from ...web.inputs import NO_NUL, ONE_LINE
from ..days import Day

Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120), ONE_LINE]
Description = Annotated[str, StringConstraints(strip_whitespace=True, max_length=10_000), NO_NUL]
Price = Annotated[
    str,
    StringConstraints(max_length=20),
    NO_NUL,
    Field(description="a text as `25.00`, with no more digits than the currency has", examples=["25.00"]),
]
CurrencyCode = Annotated[
    str, StringConstraints(pattern=r"^[A-Z]{3}$"), Field(description="of ISO 4217, as `USD`", examples=["USD"])
]
KindKey = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,39}$"), Field(examples=["pet-sitting"])]
TimeZone = Annotated[
    str,
    StringConstraints(min_length=1, max_length=60),
    ONE_LINE,
    Field(description="of the IANA database; the day it is there decides what is past", examples=["America/New_York"]),
]
Latitude = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False, description="degrees")]
Longitude = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False, description="degrees")]
PlaceName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120), ONE_LINE]
PhotoLink = Annotated[
    str,
    StringConstraints(max_length=2_000, pattern=r"^https://[^\s/?#@:]+(:[0-9]{1,5})?([/?#][^\s]*)?$"),
    ONE_LINE,
    Field(examples=["https://example.org/garden.jpg"]),
]
Caption = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), ONE_LINE]
BlockNote = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2_000), NO_NUL]


class Spot(Input):
    """Where it is, as exactly as everybody may know."""

    lat: Annotated[Latitude, Field(strict=True)]
    lng: Annotated[Longitude, Field(strict=True)]
    name: PlaceName | None = None


class NewListing(Input):
    """A listing to be."""

    kind: KindKey
    title: Title
    description: Description = ""
    price_per_day: Price
    currency: CurrencyCode
    time_zone: TimeZone
    place: Spot | None = None
    available: StrictBool = True


class ListingChange(Input):
    """What changes in a listing; what is left out, or is null, stays; but a place that is null is taken away.

    Bookings that were made keep the price at which they were made.
    """

    title: Title | None = None
    description: Description | None = None
    price_per_day: Price | None = None
    currency: CurrencyCode | None = None
    time_zone: TimeZone | None = None
    place: Spot | None = None
    available: StrictBool | None = None


class NewPhoto(Input):
    """A link to a photo."""

    url: PhotoLink
    caption: Caption | None = None


class NewBlock(Input):
    """Days on which nobody can book, from the first one to the one behind the last. The note is the sitter's own."""

    first: Day = Field(alias="from")
    end: Day = Field(alias="to")
    note: BlockNote | None = None
