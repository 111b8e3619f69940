"""Sound documents of forms that anybody fills in, of what is counted, and of pages of links. Pure."""

from __future__ import annotations

from collections.abc import Callable

from apps.panamia.generator.people import USER
from apps.panamia.generator.planting import Document
from apps.panamia.generator.schema import ACTIONS, INTAKE_OWN, INTAKE_TEXTS
from apps.panamia.generator.values import CITIES, DAY, NOW, WORDS, at, email, name, paragraph, slug, text, url
from apps.panamia.generator.world import Make, World

_ACTIONS = tuple(ACTIONS.items())


def _base(world: World, collection: str, number: int) -> Document:
    return {"_id": world.ids.of(collection, number)}


def _times(world: World, collection: str, number: int) -> Document:
    created = world.ids.created(collection, number)
    return {"createdAt": at(created), "updatedAt": at(min(NOW, created + number % 3 * DAY)), "__v": 0}


def signups(world: World) -> Make:
    """Wishes to get the newsletter: of people, and of others."""

    def make(number: int) -> Document:
        return _base(world, "signups", number) | {
            "email": email(number * 3 + 1),
            "name": name(number * 3 + 1),
            "signupType": ("newsletter", "event", "")[number % 3],
            "acknowledged": number % 4 == 0,
        } | _times(world, "signups", number)  # fmt: skip

    return make


def newsletters(world: World) -> Make:
    """The list that came before; nobody writes it any more."""

    def make(number: int) -> Document:
        return _base(world, "newsletters", number) | {
            "email": email(number * 5),
            "name": name(number * 5),
            "membershipType": ("free", "basic")[number % 2],
            "igUsername": f"@{slug(number)}",
            "otherURL": url("other", number),
        }

    return make


def contacts(world: World) -> Make:
    """What people wrote through the form; many write more than once."""

    def make(number: int) -> Document:
        return _base(world, "contactus", number) | {
            "name": name(number // 2),
            "email": email(number // 2 * 7),
            "message": paragraph(number),
            "acknowledged": number % 3 == 0,
        } | _times(world, "contactus", number)  # fmt: skip

    return make


def brevo(world: World) -> Make:
    """Who is known to the sender of mails, under which number there."""

    def make(number: int) -> Document:
        who = {"email": email(number * 4), "brevo_id": number * 3 + 1}
        return _base(world, "brevocontacts", number) | who | _times(world, "brevocontacts", number)

    return make


def interactions(world: World) -> Make:
    """What people did, and its points; the code's spelling of `affiliate` never got through."""
    draw = world.drawer(world.chance("interactions"), USER)

    def make(number: int) -> Document:
        action, points = _ACTIONS[number % 5 if number % 3 else 0]
        document = _base(world, "interactions", number) | {"email": email(draw()), "action": action, "points": points}
        if number % 20 == 0:
            document["affilate"] = f"CP{number:010}"
        return document | _times(world, "interactions", number)

    return make


def intake(collection: str) -> Callable[[World], Make]:
    """One of the six forms; optional answers are missing where nobody gave them."""
    texts, lists = INTAKE_OWN[collection]
    form = collection.removesuffix("intakes")

    def of(world: World) -> Make:
        def make(number: int) -> Document:
            bits = world.mix(number, 9)
            document = _base(world, collection, number) | {"email": email(number * 6), "complete": bits & 1 == 1}
            document |= {
                word: text(f"{form} {word}", number) for place, word in enumerate(INTAKE_TEXTS) if bits >> place & 1
            }
            document |= {word: text(f"{form} {word}", number) for place, word in enumerate(texts) if bits >> place & 1}
            for place, word in enumerate((*lists, "tags")):
                document[word] = [WORDS[(number + step) % 17] for step in range((bits >> place) & 3)]
            return document

        return make

    return of


def events(world: World) -> Make:
    """What takes place, at whose."""

    def make(number: int) -> Document:
        created = world.ids.created("events", number)
        starts = created + 20 * DAY
        return _base(world, "events", number) | {
            "primary_profile": str(world.profile(world.with_profile(number * 11))),
            "name": text("fiesta", number),
            "event_link": url("e", number),
            "start": at(starts),
            "end": at(starts + 7200),
            "details": paragraph(number),
            "address": {"street1": f"{number} Calle 8", "city": CITIES[number % 7], "lat": "25.765", "lng": "-80.219"},
            "images": {"primary": f"events/{number}.jpg"},
            "linked_profiles": [
                str(world.profile(world.with_profile(number * 11 + step))) for step in range(number % 3)
            ],
        } | _times(world, "events", number)  # fmt: skip

    return make


def links(world: World) -> Make:
    """A page of links."""

    def make(number: int) -> Document:
        colour = {"type": ("button", "text")[number % 2], "color": f"#{number * 7919 % 0xFFFFFF:06x}"}
        return _base(world, "links", number) | {"label": text("enlace", number), "url": url("l", number)} | colour

    return make


def podcasts(world: World) -> Make:
    """A page of podcasts; their order is a text."""

    def make(number: int) -> Document:
        return _base(world, "podcasts", number) | {
            "label": text("pódcast", number),
            "url": url("p", number),
            "category": WORDS[number % 3],
            "order": str(number),
        }

    return make
