"""What a profile is: one shape for all that is shown of it, read from documents of every age. Pure.

The shape is PostgreSQL's side's: an address has `line1` and `locality`, whatever the document calls them. Reading
never fails: what means nothing is as if it were missing. Nothing of what is not shown is lost, for a save changes
single fields of what is stored (`saving`).
"""

from __future__ import annotations

from typing import Annotated, Any, cast

from pydantic import AliasChoices, Field

from isthmus.polyglot.references import References
from isthmus.polyglot.stores import Stored

from ...models import Base
from ...web.bodies import Output
from ..addresses import fold
from . import words
from .leniently import OBJECT, OBJECTS, OR_NONE, Coordinate, Flag, Link, Moment, Number, Text, Texts
from .plain import plain

PgRef = References(Base.metadata)
UserId = Annotated[str, PgRef["users.id"]]


def _either(*names: str) -> Any:
    return Field(default=None, validation_alias=AliasChoices(*names))


class Socials(Output):
    """Where else somebody is to be found: addresses, or names there."""

    website: Link = None
    instagram: Link = None
    facebook: Link = None
    tiktok: Link = None
    twitter: Link = None
    spotify: Link = None


class Address(Output):
    """A place."""

    name: Text = None
    line1: Text = _either("line1", "street1")
    line2: Text = _either("line2", "street2")
    locality: Text = _either("locality", "city")
    region: Text = _either("region", "state")
    postal_code: Text = _either("postal_code", "postalCode", "zipcode")
    lat: Coordinate = None
    lng: Coordinate = None
    google_place_id: Text = None
    hours: Text = None


class Point(Output):
    """Where it is on the map, in degrees."""

    lat: float
    lng: float


class Images(Output):
    """Pictures: what they are called in the store of pictures, and where they are fetched from."""

    primary: Link = None
    primary_cdn: Link = _either("primary_cdn", "primaryCDN")
    gallery1: Link = None
    gallery1_cdn: Link = _either("gallery1_cdn", "gallery1CDN")
    gallery2: Link = None
    gallery2_cdn: Link = _either("gallery2_cdn", "gallery2CDN")
    gallery3: Link = None
    gallery3_cdn: Link = _either("gallery3_cdn", "gallery3CDN")


class Mentoring(Output):
    """What somebody offers as a mentor."""

    enabled: Flag = False
    expertise: Texts = Field(default_factory=list)
    languages: Texts = Field(default_factory=list)
    bio: Text = None
    video_intro_url: Link = None
    goals: Text = None
    hourly_rate: Number = None


class Slot(Output):
    """Hours of a day of the week."""

    day: Text = None
    start_time: Text = None
    end_time: Text = None


class Availability(Output):
    """When somebody has time."""

    timezone: Text = None
    schedule: Annotated[list[Slot], OBJECTS] = Field(default_factory=list[Slot])


class Discount(Output):
    """What members get."""

    code: Text = None
    percentage: Text = None
    details: Text = None


class Verification(Output):
    """What somebody has looked at; by whom stays inside."""

    pana_verified: Flag = False
    legal_age_verified: Flag = False
    verified_on: Moment = None


class Roles(Output):
    """What somebody may do."""

    mentoring_moderator: Flag = False
    event_organizer: Flag = False
    content_moderator: Flag = False


class Status(Output):
    """How far the profile is. The secret of its link and the notes about it stay inside."""

    submitted: Moment = None
    approved: Moment = None
    declined: Moment = None
    published: Moment = None


class Profile(Output):
    """All of a profile that its owner sees."""

    id: str
    user_id: Annotated[UserId | None, OR_NONE] = None
    email: Text = None
    name: Text = None
    slug: Text = None
    active: Flag = False
    status: Annotated[Status, OBJECT] = Field(default_factory=Status)
    five_words: Text = None
    details: Text = None
    background: Text = None
    tags: Text = None
    hearaboutus: Text = None
    locally_based: Text = None
    affiliate: Text = None
    phone_number: Text = None
    whatsapp_community: Flag = False
    pronouns: list[str] = Field(default_factory=list)
    pronouns_other: Text = None
    categories: list[str] = Field(default_factory=list)
    counties: list[str] = Field(default_factory=list)
    socials: Annotated[Socials, OBJECT] = Field(default_factory=Socials)
    address: Annotated[Address, OBJECT] = Field(default_factory=Address)
    point: Point | None = None
    locations: Annotated[list[Address], OBJECTS] = Field(default_factory=list[Address])
    images: Annotated[Images, OBJECT] = Field(default_factory=Images)
    gentedepana: Annotated[Discount, OBJECT] = Field(default_factory=Discount)
    mentoring: Annotated[Mentoring, OBJECT] = Field(default_factory=Mentoring)
    availability: Annotated[Availability, OBJECT] = Field(default_factory=Availability)
    verification: Annotated[Verification, OBJECT] = Field(default_factory=Verification)
    roles: Annotated[Roles, OBJECT] = Field(default_factory=Roles)
    created_at: Moment = None
    updated_at: Moment = None


class PublicMentoring(Mentoring):
    """What somebody offers as a mentor, and when."""

    availability: Availability


class PublicDiscount(Output):
    """What members get, without the code for it."""

    percentage: Text = None
    details: Text = None


class PublicProfile(Output):
    """What everybody sees of an active profile: neither how to reach its owner past it, nor what is said of them."""

    slug: str | None
    screenname: str | None = None
    name: str | None
    five_words: str | None
    details: str | None
    background: str | None
    tags: str | None
    locally_based: str | None
    pronouns: list[str]
    pronouns_other: str | None
    categories: list[str]
    counties: list[str]
    socials: Socials
    address: Address
    point: Point | None
    locations: list[Address]
    images: Images
    gentedepana: PublicDiscount
    mentoring: PublicMentoring | None
    pana_verified: bool


class Card(Output):
    """What a list shows of a profile."""

    slug: str
    name: str | None
    five_words: str | None
    locality: str | None
    categories: list[str]
    counties: list[str]
    image: str | None
    is_mentor: bool
    pana_verified: bool


def read_profile(stored: Stored) -> Profile:
    """Read a profile as a store gives it."""
    return profile_of(stored.document)


def profile_of(document: dict[str, Any]) -> Profile:
    """Read a document, in whichever form it is."""
    document = {name: plain(value) for name, value in document.items()}
    held = document.get("pronouns")
    pronouns: dict[str, Any] = cast("dict[str, Any]", held) if isinstance(held, dict) else {}
    found: dict[str, Any] = {
        **document,
        "id": str(document["_id"]),
        "email": _email(document.get("email")),
        "pronouns": words.ticked(words.PRONOUNS, pronouns),
        "pronouns_other": pronouns.get("other_desc"),
        "categories": words.ticked(words.CATEGORIES, document.get("categories")),
        "counties": words.ticked(words.COUNTIES, document.get("counties")),
        "address": document.get("primary_address"),
        "point": None,
    }
    profile = Profile.model_validate(found)
    profile.point = _point(profile.address, document.get("geo"))
    return profile


def public_of(profile: Profile, screenname: str | None) -> PublicProfile:
    """Return what everybody sees of a profile."""
    mentoring = None
    if profile.mentoring.enabled:
        mentoring = PublicMentoring(**dict(profile.mentoring), availability=profile.availability)
    same: dict[str, Any] = {
        name: getattr(profile, name) for name in PublicProfile.model_fields.keys() & Profile.model_fields.keys()
    }
    discount = PublicDiscount(percentage=profile.gentedepana.percentage, details=profile.gentedepana.details)
    told: dict[str, Any] = {
        "mentoring": mentoring,
        "gentedepana": discount,
        "pana_verified": profile.verification.pana_verified,
    }
    return PublicProfile.model_validate({**same, **told, "screenname": screenname})


def card_of(profile: Profile) -> Card:
    """Return what a list shows of a profile that has a slug."""
    return Card(
        slug=profile.slug or "",
        name=profile.name,
        five_words=profile.five_words,
        locality=profile.address.locality,
        categories=profile.categories,
        counties=profile.counties,
        image=profile.images.primary_cdn,
        is_mentor=profile.mentoring.enabled,
        pana_verified=profile.verification.pana_verified,
    )


def _email(value: object) -> object:
    return fold(value) if isinstance(value, str) else value


def _point(address: Address, geo: object) -> Point | None:
    """Return where a profile is: as its address says, else as the point that was looked up for it."""
    if address.lat is not None and address.lng is not None:
        return Point(lat=address.lat, lng=address.lng)
    held = cast("dict[str, Any]", geo).get("coordinates") if isinstance(geo, dict) else None
    pair = cast("list[object]", held) if isinstance(held, list) else []
    found = Address.model_validate(dict(zip(("lng", "lat"), pair, strict=False)))
    return None if found.lat is None or found.lng is None else Point(lat=found.lat, lng=found.lng)
