"""What people send of their profiles: each field has its bounds, and those that are not theirs to set are no fields."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from ...web.bodies import Input
from ...web.inputs import NO_NUL, ONE_LINE
from .leniently import is_safe_link
from .words import CATEGORIES, COUNTIES, PRONOUNS


def _safe(text: str) -> str:
    if not is_safe_link(text):
        raise ValueError("is a link to something else than the web")
    return text


def _one_of(words: dict[str, tuple[str, ...]]) -> StringConstraints:
    return StringConstraints(pattern=f"^({'|'.join(words)})$")


Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200), ONE_LINE]
Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=5_000), NO_NUL]
Link = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500), ONE_LINE, AfterValidator(_safe)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=200), ONE_LINE]
Website = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=5, max_length=500), ONE_LINE, AfterValidator(_safe)
]
Category = Annotated[str, _one_of(CATEGORIES)]
County = Annotated[str, _one_of(COUNTIES)]
Pronoun = Annotated[str, _one_of(PRONOUNS)]
Time = Annotated[str, StringConstraints(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$")]
Zone = Annotated[str, StringConstraints(max_length=64, pattern="^[A-Za-z0-9_+/-]+$")]


class SaveSocials(Input):
    """Where else somebody is to be found."""

    website: Link | None = None
    instagram: Link | None = None
    facebook: Link | None = None
    tiktok: Link | None = None
    twitter: Link | None = None
    spotify: Link | None = None


class SaveAddress(Input):
    """A place."""

    name: Line | None = None
    line1: Line | None = None
    line2: Line | None = None
    locality: Line | None = None
    region: Line | None = None
    postal_code: Line | None = None
    lat: Annotated[float, Field(ge=-90, le=90)] | None = None
    lng: Annotated[float, Field(ge=-180, le=180)] | None = None
    google_place_id: Line | None = None
    hours: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500), NO_NUL] | None = None


class SaveImages(Input):
    """Pictures that were uploaded."""

    primary: Link | None = None
    primary_cdn: Link | None = None
    gallery1: Link | None = None
    gallery1_cdn: Link | None = None
    gallery2: Link | None = None
    gallery2_cdn: Link | None = None
    gallery3: Link | None = None
    gallery3_cdn: Link | None = None


class SaveDiscount(Input):
    """What members get."""

    code: Line | None = None
    percentage: Line | None = None
    details: Text | None = None


class SaveMentoring(Input):
    """What somebody offers as a mentor."""

    enabled: bool | None = None
    expertise: Annotated[list[Line], Field(max_length=20)] | None = None
    languages: Annotated[list[Line], Field(max_length=20)] | None = None
    bio: Text | None = None
    video_intro_url: Link | None = None
    goals: Text | None = None
    hourly_rate: Annotated[float, Field(ge=0, le=100_000, allow_inf_nan=False)] | None = None


class SaveSlot(Input):
    """Hours of a day of the week."""

    day: Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    start_time: Time
    end_time: Time

    @model_validator(mode="after")
    def _in_order(self) -> SaveSlot:
        if self.end_time <= self.start_time:
            raise ValueError("ends before it begins")
        return self


class SaveAvailability(Input):
    """When somebody has time."""

    timezone: Zone | None = None
    schedule: Annotated[list[SaveSlot], Field(max_length=70)] | None = None


class SaveProfile(Input):
    """What changes of a profile: a field that is not named stays, one that is null is emptied; lists are whole."""

    name: Name | None = None
    five_words: Line | None = None
    details: Text | None = None
    background: Text | None = None
    tags: Line | None = None
    hearaboutus: Line | None = None
    locally_based: Line | None = None
    phone_number: Line | None = None
    whatsapp_community: bool | None = None
    pronouns: Annotated[list[Pronoun], Field(max_length=10)] | None = None
    pronouns_other: Line | None = None
    categories: Annotated[list[Category], Field(max_length=40)] | None = None
    counties: Annotated[list[County], Field(max_length=10)] | None = None
    socials: SaveSocials | None = None
    address: SaveAddress | None = None
    locations: Annotated[list[SaveAddress], Field(max_length=20)] | None = None
    images: SaveImages | None = None
    gentedepana: SaveDiscount | None = None
    mentoring: SaveMentoring | None = None
    availability: SaveAvailability | None = None


class NewProfile(Input):
    """A profile that begins with what is needed at least; an admin looks at it before it is shown."""

    email: Annotated[str, StringConstraints(max_length=1_000)]
    name: Name
    website: Website
    five_words: Line | None = None
