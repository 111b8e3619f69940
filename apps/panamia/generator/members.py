"""Sound users and users of the sign-in; what they hold follows from the number alone, so it can be told again. Pure."""

from __future__ import annotations

from datetime import datetime

from apps.panamia.generator.planting import Document
from apps.panamia.generator.schema import ACCOUNT_TYPES, PREFERENCES
from apps.panamia.generator.values import DAY, NOW, at, name, slug, url
from apps.panamia.generator.world import World


def screenname(number: int) -> str | None:
    """What a user is called in public; every fourth never chose."""
    return None if number % 4 == 2 else f"{slug(number).title()}_x"


def preferences(world: World, number: int) -> dict[str, bool]:
    """Which notifications a user wants: most want all."""
    bits = world.mix(number, 1)
    if bits & 3:
        return dict.fromkeys(PREFERENCES, True)
    return {word: bool(bits >> place & 1) for place, word in enumerate(PREFERENCES, start=2)}


def following(world: World, number: int) -> list[int]:
    """The people whose profiles a user follows, each once; none, one or two for most."""
    bits = world.mix(number, 2)
    count = (0, 0, 0, 1, 1, 2, 2, 5)[bits & 7]
    found = dict.fromkeys(world.with_profile((bits >> 3) + step * 31) for step in range(count))
    return list(found)


def verified(world: World, number: int) -> datetime | None:
    """When a user of the sign-in has proven the e-mail; every fifth has not."""
    return None if number % 5 == 4 else at(min(NOW, world.ids.created("nextauth_users", number) + DAY))


def image(number: int) -> str | None:
    """The picture that a provider gave; every third none."""
    return None if number % 3 == 1 else url("avatar", number)


def make_user(world: World, number: int, person: int, email: str | None) -> Document:
    """Make a user; the number is the document's, the person the one who is meant."""
    created = world.ids.created("users", number)
    bits = world.mix(number)
    document: Document = {
        "_id": world.user(number),
        "email": email,
        "name": name(person),
        "accountType": ACCOUNT_TYPES[0] if bits & 3 else ACCOUNT_TYPES[bits >> 2 & 3],
        "status": {
            "role": "admin" if number == 0 else "user",
            "locked": at(created + DAY) if bits % 211 == 0 else None,
        },
        "affiliate": {
            "activated": bits % 9 == 0,
            "code": f"CP{bits:010X}"[:12],
            "accepted_tos": at(created + 60) if bits % 9 == 0 else None,
            "tier": bits % 9 // 4,
            "points": bits % 500,
        },
        "alternate_emails": [f"alt.{number}@example.org"] if bits % 13 == 0 else [],
        "following": [str(world.profile(one)) for one in following(world, number)],
        "notificationPreferences": preferences(world, number),
        "createdAt": at(created),
        "updatedAt": at(min(NOW, created + bits % (90 * DAY))),
        "__v": bits % 3,
    }
    if email is None:
        del document["email"]
    called = screenname(number)
    if called is not None:
        document["screenname"] = called
    if bits & 16:
        document["zip_code"] = f"33{bits % 1000:03}"
    return document


def make_auth(world: World, number: int, person: int, email: str | None) -> Document:
    """Make a user of the sign-in."""
    document: Document = {"_id": world.auth(number), "email": email, "emailVerified": verified(world, number)}
    if email is None:
        del document["email"]
    if number % 7:
        document["name"] = name(person)
    picture = image(number)
    if picture is not None:
        document["image"] = picture
    return document
