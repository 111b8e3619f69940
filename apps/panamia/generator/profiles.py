"""Sound profiles: what people tell of themselves and their business, through forms of two vintages. Pure."""

from __future__ import annotations

from typing import Any

from bson import ObjectId

from apps.panamia.generator.planting import Document
from apps.panamia.generator.schema import DAYS, FIRST_CATEGORIES, SECOND_CATEGORIES
from apps.panamia.generator.values import (
    CITIES,
    DAY,
    INTERESTS,
    NOW,
    WORDS,
    at,
    name,
    nanoid,
    paragraph,
    slug,
    text,
    token,
    url,
)
from apps.panamia.generator.world import World

UNLINKED = object()
"""In place of what `userId` holds: no such field."""


def make_profile(world: World, number: int, person: int, email: str | None, link: Any) -> Document:
    """Make a profile; `link` is what `userId` holds."""
    created = world.ids.created("profiles", number)
    bits = world.mix(number, 3)
    approved = at(min(NOW, created + 2 * DAY))
    document: Document = {
        "_id": world.profile(number),
        "userId": link,
        "email": email,
        "name": name(person) if bits & 1 else f"{name(person)} · {WORDS[number % 17]} {number}",
        "slug": slug(number),
        "active": bits % 11 != 0,
        "status": _status(number, bits, created),
        "administrative": {},
        "locally_based": ("yes", "no", "moving")[number % 3],
        "details": paragraph(number),
        "background": text("historia", number),
        "tags": f"{WORDS[number % 17]}, {WORDS[number // 3 % 17]}",
        "hearaboutus": ("friend", "instagram", "")[number % 3],
        "five_words": " ".join(WORDS[(number + step * 5) % 17] for step in range(5)),
        "socials": {"website": url("site", number), "instagram": f"@{slug(number)}"},
        "phone_number": f"(305) 555-{number % 10_000:04}",
        "whatsapp_community": bits & 2 == 2,
        "pronouns": _pronouns(number),
        "counties": {"palm_beach": bits & 4 == 4, "broward": bits & 8 == 8, "miami_dade": True},
        "categories": _categories(number, bits),
        "primary_address": address(number, bits),
        "images": _images(number),
        "linked_profiles": [],
        "verification": {"panaVerified": bits & 48 == 0, "legalAgeVerified": bits & 64 == 64},
        "roles": {"mentoringModerator": False, "eventOrganizer": bits % 97 == 0, "contentModerator": False},
        "createdAt": at(created),
        "updatedAt": at(min(NOW, created + bits % (200 * DAY))),
        "__v": bits % 5,
    }
    if link is UNLINKED:
        del document["userId"]
    if email is None:
        del document["email"]
    if bits & 48 == 0:
        document["verification"] |= {"verifiedOn": approved, "verifiedBy": "admin@example.org"}
    _sometimes(world, document, number, bits)
    return document


def _sometimes(world: World, document: Document, number: int, bits: int) -> None:
    """What not everybody fills in."""
    lng, lat = -80.1 - number % 400 / 1000, 25.7 + number % 900 / 1000
    if number % 3 == 1:
        called = slug(number)
        document["socials"] |= {"facebook": called, "tiktok": f"@{called}", "twitter": "", "spotify": url("s", number)}
    if number % 4 == 0:
        document["geo"] = {"type": "Point", "coordinates": [lng, lat]}
    if number % 6 == 0:
        document["locations"] = [address(number + step, bits >> step) for step in range(1 + number % 12 // 6)]
    if number % 8 == 0:
        document["gentedepana"] = {
            "code": f"PANA{number % 100}",
            "percentage": "10",
            "details": text("descuento", number),
        }
    if number % 9 == 0:
        document["affiliate"] = f"CP{bits:010X}"[:12]
    if number % 10 == 0:
        document["linked_profiles"] = [str(world.profile(world.with_profile(number + 17)))]
    if number % 5 == 0:
        document["mentoring"] = {
            "enabled": bits & 128 == 128,
            "expertise": [INTERESTS[(number + step) % 9] for step in range(number % 3)],
            "languages": ["español", "English", "kreyòl"][: 1 + number % 3],
            "bio": paragraph(number + 1),
            "goals": text("metas", number),
            "hourlyRate": float(number % 90),
        }
        if number % 2:
            document["mentoring"]["videoIntroUrl"] = url("video", number)
        document["availability"] = {
            "timezone": "America/New_York",
            "schedule": [
                {"_id": ObjectId(document["_id"].binary[:11] + bytes([place])), "day": DAYS[(number + place) % 7]}
                | {"startTime": "09:00", "endTime": "17:30"}
                for place in range(number % 4)
            ],
        }
        document["pusherChannelId"] = nanoid(number, 20)


def address(number: int, bits: int) -> Document:
    """An address; latitude and longitude are texts, as the form sends them."""
    found: Document = {
        "street1": f"{number % 9000 + 100} SW {bits % 200} St",
        "city": CITIES[number % 7],
        "state": "FL",
        "zipcode": f"33{bits % 1000:03}",
        "lat": f"{25.7 + number % 900 / 1000:.6f}",
        "lng": f"{-80.1 - number % 400 / 1000:.6f}",
    }
    if number % 3 == 0:
        found |= {"name": text("local", number), "street2": f"#{bits % 90}", "hours": "Mon–Fri 9–5\nSat closed"}
    if number % 2 == 0:
        found["google_place_id"] = f"ChIJ{token(number, 5)[:20]}"
    return found


def _status(number: int, bits: int, created: int) -> Document:
    found: Document = {"submitted": at(created), "access": nanoid(number, 24)}
    if bits % 29 == 0:
        return found | {"declined": at(min(NOW, created + DAY)), "notes": text("aviso", number)}
    if bits % 7:
        found |= {"approved": at(min(NOW, created + DAY)), "published": at(min(NOW, created + 2 * DAY))}
    return found


def _pronouns(number: int) -> Document:
    chosen = number % 6
    found: Document = {word: chosen == place for place, word in enumerate(("sheher", "hehim", "theythem", "none"))}
    found |= {"other": chosen == 4, "other_desc": "elle" if chosen == 4 else ""}
    return found


def _categories(number: int, bits: int) -> dict[str, bool]:
    """Every third profile is of the first vintage of the form, every ninth has been through both."""
    words = FIRST_CATEGORIES if number % 3 == 0 else SECOND_CATEGORIES
    found = {word: bool(bits >> place & 1) for place, word in enumerate(words)}
    if number % 9 == 3:
        found |= {word: bool(bits >> place + 5 & 1) for place, word in enumerate(SECOND_CATEGORIES)}
    return found


def _images(number: int) -> Document:
    found: Document = {}
    if number % 5:
        found["primary"] = f"images/{number}/primary.jpg"
        found["primaryCDN"] = f"https://panamia.b-cdn.net/{number}/primary.jpg"
    for place in range(1, number % 4 + 1 if number % 5 != 1 else 0):
        if place <= 3:
            found[f"gallery{place}"] = f"images/{number}/{place}.jpg"
            found[f"gallery{place}CDN"] = f"https://panamia.b-cdn.net/{number}/{place}.jpg"
    return found
