"""What is planted in profiles, besides whose they are."""

from __future__ import annotations

from bson import Int64, ObjectId

from apps.generating.outcomes import Outcome, instant
from apps.panamia.generator.cases import FULL
from apps.panamia.generator.planting import Case, Do, Document, Member, Spot, put
from apps.panamia.generator.schema import FIRST_CATEGORIES, SECOND_CATEGORIES
from apps.panamia.generator.values import EARLY, HOSTILE, LONG, NUL, TODAY
from apps.panamia.generator.verbs import (
    aside,
    becomes,
    becomes_json,
    carried,
    refused,
    required,
    without,
    without_times,
)

_UNLINKED = (*FULL[:2], Member("profile", "profiles"))


def _mentoring_only(_spot: Spot, document: Document) -> list[Outcome]:
    """What the mentoring route writes, where it finds no profile."""
    kept = {word: document[word] for word in ("_id", "email")}
    document.clear()
    document |= {**kept, "mentoring": {"enabled": True, "bio": "…", "hourlyRate": 0}, "updatedAt": TODAY}
    return []


def _same_slug(spot: Spot, document: Document) -> list[Outcome]:
    document["slug"] = spot.slug()
    return []


def _verifier(spot: Spot, document: Document) -> list[Outcome]:
    put(document, "verification.verifiedBy", str(spot.id("users")))
    return []


def _profile(
    name: str, what: str, do: Do, members: tuple[Member, ...] = FULL, rate: float = 1, most: int | None = None
) -> Case:
    return Case(f"profiles/{name}", what, members, changes={"profile": do}, per_thousand=rate, most=most)


def _flags(words: tuple[str, ...]) -> Do:
    chosen = {word: place % 2 == 0 for place, word in enumerate(words)}
    return becomes_json("categories", chosen)


def _place(path: str, value: object, column: str, stored: object) -> Do:
    return becomes(f"primary_address.{path}", value, column, stored)


_ALL_OF_A_PLACE: Document = {
    "name": HOSTILE,
    "street1": "Calle 8 'nº' 1",
    "street2": "",
    "city": "Opa-locka",
    "state": None,
    "zipcode": 33_054,
    "hours": "Mon–Fri\n9–5",
    "lat": "25.9",
    "lng": -80.25,
    "google_place_id": "ChIJ-ñ",
}
_NEW_NAMES = {
    "street1": "line1",
    "street2": "line2",
    "city": "locality",
    "state": "region",
    "zipcode": "postalCode",
    "google_place_id": "googlePlaceId",
}
"""What PostgreSQL's side of the application calls the fields of a place, where it has another name for them."""
_ALL_RENAMED = {_NEW_NAMES.get(word, word): value for word, value in _ALL_OF_A_PLACE.items()}
_NOT_RENAMED = {"street": {"street1": "inside"}, "Street1": "a capital", "address": [{"city": "deeper"}]}
"""Names alike, and the same ones where no place is."""

PROFILES: tuple[Case, ...] = (
    _profile("email-missing", "no e-mail at all", required("email"), _UNLINKED[2:], most=1),
    _profile("name-missing", "no name", without("name", column="name")),
    _profile("five-words-missing", "no five words", without("five_words")),
    _profile(
        "mentoring-only",
        "made by the mentoring route: an e-mail and nothing else",
        Do("mentoring", _mentoring_only),
        _UNLINKED,
    ),
    _profile(
        "slug-twice", "the slug of another profile", Do("slug", _same_slug, "dead_letter", "duplicate-key"), rate=2
    ),
    _profile("slug-missing", "no slug", without("slug", column="slug")),
    _profile("slug-null", "null as the slug", becomes("slug", None, "slug", None)),
    _profile("active-missing", "nothing about being active", without("active", column="active", stored=False)),
    _profile("active-null", "null in place of a flag", becomes("active", None, "active", False)),
    _profile(
        "whatsapp-null", "null in place of a flag", becomes("whatsapp_community", None, "whatsapp_community", False)
    ),
    _profile("status-missing", "no status", without("status", column="status")),
    _profile(
        "status-declined",
        "declined, with notes and the secret of the link",
        carried("status", {"declined": TODAY, "access": "s3cret-link", "notes": HOSTILE}),
    ),
    _profile(
        "administrative",
        "free notes of the administrators",
        carried("administrative", {"flags": ["vip", None], "seen": Int64(3)}),
    ),
    _profile(
        "pronouns-several",
        "several pronouns",
        becomes(
            "pronouns",
            {"sheher": True, "hehim": False, "theythem": True, "other": True, "other_desc": "elle"},
            "pronouns",
            ["she/her", "they/them", "other"],
        ),
    ),
    _profile(
        "pronouns-none",
        "no pronoun of the list",
        becomes("pronouns", {"sheher": False, "none": True}, "pronouns", ["none"]),
    ),
    _profile("pronouns-text", "pronouns as a text", carried("pronouns", "she/her")),
    _profile("pronouns-missing", "no pronouns", without("pronouns", column="pronouns", stored=[])),
    _profile("counties-missing", "no counties", without("counties", column="counties")),
    _profile("counties-unknown", "a county of nobody's form", becomes_json("counties", {"monroe": True})),
    _profile("categories-first", "categories of the first form", _flags(FIRST_CATEGORIES)),
    _profile("categories-second", "categories of the second form, one with a capital", _flags(SECOND_CATEGORIES)),
    _profile("categories-both", "categories of both forms", _flags((*FIRST_CATEGORIES, *SECOND_CATEGORIES))),
    _profile("categories-unknown", "a category of neither form", becomes_json("categories", {"Brujería 🔮": True})),
    _profile("lat-number", "a latitude that is a number", _place("lat", 25.761_681, "address_lat", 25.761_681)),
    _profile("lat-unreadable", "a latitude that is no number", refused("primary_address.lat", "25° 45' N", "type")),
    _profile("lat-comma", "a latitude with a comma", refused("primary_address.lat", "25,7617", "type")),
    _profile("lat-empty", "an empty latitude", _place("lat", "", "address_lat", None)),
    _profile("lng-text", "a longitude as text", _place("lng", "-80.1917880", "address_lng", -80.191_788)),
    _profile("lng-spaces", "a longitude with spaces around it", refused("primary_address.lng", " -80.19 ", "type")),
    _profile("address-null", "null in place of the address", carried("primary_address", None)),
    _profile("address-text", "a text in place of the address", carried("primary_address", "Calle 8, Miami")),
    _profile("geo-empty", "a point without coordinates", becomes_json("geo", {"type": "Point", "coordinates": []})),
    _profile("locations-null", "null in place of the list", carried("locations", None)),
    _profile(
        "locations-object",
        "one object in place of the list",
        carried("locations", {"name": "only one", "lat": "25.7", "lng": "x"}),
    ),
    _profile(
        "locations-mixed",
        "locations with numbers, texts and keys of nobody's",
        carried("locations", [{"lat": 25.7, "lng": "-80.2", "floor": 3}, {}, {"name": HOSTILE}]),
    ),
    _profile(
        "locations-whole",
        "a place with every field, one with some, and names alike where no place is",
        becomes_json(
            "locations",
            [_ALL_OF_A_PLACE, {"city": "Doral"} | _NOT_RENAMED, {}],
            [_ALL_RENAMED, {"locality": "Doral"} | _NOT_RENAMED, {}],
        ),
        rate=2,
    ),
    _profile(
        "images-gallery-only",
        "pictures of the gallery, and no first one",
        carried(
            "images", {"gallery2": "g/2.jpg", "gallery3": "g/3.jpg", "gallery3CDN": "https://cdn.example.org/3.jpg"}
        ),
    ),
    _profile("images-missing", "no pictures", without("images")),
    _profile(
        "mentoring-part",
        "part of the mentoring, a rate as text",
        carried("mentoring", {"enabled": True, "expertise": None, "hourlyRate": "35"}),
    ),
    _profile(
        "mentoring-unknown-key",
        "mentoring with keys that nobody declared",
        carried("mentoring", {"enabled": True, "level": 3, "pets.allowed": None, "": "empty key"}),
    ),
    _profile(
        "availability-odd",
        "a schedule with a day and times of nobody's",
        carried(
            "availability",
            {
                "timezone": None,
                "schedule": [{"_id": ObjectId("64b0000000000000000000aa"), "day": "funday", "startTime": "25:99"}],
            },
        ),
    ),
    _profile(
        "channel",
        "the channel that the real scripts dropped",
        becomes("pusherChannelId", "private-ñ-1", "pusher_channel_id", "private-ñ-1"),
    ),
    _profile("verified-by-id", "verified by the id of a user", Do("verification.verifiedBy", _verifier)),
    _profile(
        "verified-by-nobody",
        "verified by somebody who is not there",
        carried("verification.verifiedBy", "gone@example.org"),
    ),
    _profile("roles-missing", "no roles", without("roles", column="roles")),
    _profile(
        "roles-unknown", "a role that nobody declared", carried("roles", {"mentoringModerator": True, "dj": True})
    ),
    _profile(
        "gentedepana",
        "a discount, as texts",
        carried("gentedepana", {"code": "PANA'; --", "percentage": "10 %", "details": ""}),
    ),
    _profile(
        "phone-number",
        "a phone number that is a number",
        becomes("phone_number", Int64(13_055_550_100), "phone_number", "13055550100"),
    ),
    _profile("tags-list", "a list in place of a text", carried("tags", ["música", "arte"])),
    _profile("details-hostile", "a text of quotes, directions and four-byte letters", carried("details", HOSTILE)),
    _profile("details-long", "a text longer than a batch", carried("details", LONG), most=20),
    _profile("details-nul", "a NUL inside a text", refused("details", NUL, "nul")),
    _profile("times-missing", "no timestamps", without_times()),
    _profile("created-early", "made before 1970", becomes("createdAt", EARLY, "created_at", instant(EARLY))),
    _profile(
        "unknown-keys",
        "fields that nobody declared",
        aside(tiktokLive=True, migratedFrom={"airtable": "rec9"}, oldSlug=None),
    ),
)
