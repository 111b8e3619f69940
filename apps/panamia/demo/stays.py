"""What the demo's people offer by the day, and who has which days of it. Pure, and seeded: the same each time.

Days are numbers: 0 is the day it is where the listing is. People are numbers, too; `GUEST` is who signs in.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Literal

GUEST = 0
_LONGEST, _FAR = 6, 75

Outcome = Literal["pending", "expired", "confirmed", "declined", "cancelled", "stayed"]


@dataclass(frozen=True)
class Spot:
    """Where something is, and how people pay there.

    Attributes:
        day: What a day costs there, about.
    """

    name: str
    lat: float
    lng: float
    time_zone: str = "America/New_York"
    currency: str = "USD"
    day: int = 40


@dataclass(frozen=True)
class Stay:
    """Days that somebody asks for, and what becomes of it.

    Attributes:
        owner: Who asks.
        first: The first day; one that is over was booked before it.
        end: The day behind the last one.
        why: Of what was declined or cancelled.
        rating: From 1 to 5, of what is over; None: nobody said.
    """

    owner: int
    first: int
    end: int
    outcome: Outcome
    message: str | None = None
    why: str | None = None
    rating: int | None = None
    review: str | None = None


@dataclass(frozen=True)
class Offer:
    """A listing, and its days.

    Attributes:
        sitter: Who offers it.
        blocks: Days on which nobody can book: the first one, the one behind the last, and why.
    """

    kind: str
    sitter: int
    title: str
    description: str
    price: int
    spot: Spot
    photos: tuple[tuple[str, str], ...]
    blocks: tuple[tuple[int, int, str], ...]
    stays: tuple[Stay, ...]


_SPOTS = (
    Spot("Little Havana, Miami", 25.7653, -80.2195),
    Spot("Wynwood, Miami", 25.8010, -80.1990),
    Spot("Coral Gables", 25.7215, -80.2684),
    Spot("Coconut Grove, Miami", 25.7126, -80.2570),
    Spot("Hialeah", 25.8576, -80.2781),
    Spot("Doral", 25.8195, -80.3553),
    Spot("Little Haiti, Miami", 25.8275, -80.1920),
    Spot("Miami Beach", 25.7907, -80.1300),
    Spot("Key Biscayne", 25.6937, -80.1628),
    Spot("Homestead", 25.4687, -80.4776),
    Spot("San Juan", 18.4655, -66.1057, "America/Puerto_Rico"),
    Spot("Coyoacán, Ciudad de México", 19.3467, -99.1617, "America/Mexico_City", "MXN", 350),
    Spot("Chapinero, Bogotá", 4.6486, -74.0628, "America/Bogota", "COP", 60_000),
    Spot("Lavapiés, Madrid", 40.4087, -3.7003, "Europe/Madrid", "EUR", 30),
)
_PETS = ("dogs", "cats", "small dogs", "perros y gatos", "old dogs", "birds", "rabbits", "a very shy cat")
_CARE = ("A home for {}", "{} welcome", "Walks and company for {}", "Casa con patio: {}", "{}: I come to you")
_SPACES = ("Sunny room", "Estudio con balcón", "Garden house", "Cargo bike", "Workshop with tools", "Kayak for two")
_EXTRA = ("quiet street", "near the bus", "muy tranquilo", "with a fan that works", "five minutes from the water")
_VIEWS = ("garden", "balcony", "kitchen", "street", "patio", "window")
_MESSAGES = ("We arrive late on the first day.", "¿Puede ser con medicina por la mañana?", "Two of us, no noise.", None)
_WHYS = ("Our flight was moved", "Se enfermó mi mamá", "The roof is being mended", "We found family to help")
_BLOCKS = ("Family visits", "Pintura", "Away", "Reserved for a friend")
_SAID = (
    (5, "Like at home. We come again."),
    (5, "¡Todo perfecto! Nos mandó fotos cada día."),
    (4, "Very kind; the street is loud in the morning."),
    (4, None),
    (3, "It was fine, smaller than we thought."),
)


def offers(count: int, people: int, seed: int = 1) -> Iterator[Offer]:
    """Give so many listings of both kinds. The first is the guest's own, and the second one the guest has booked.

    Args:
        count: How many; 2 or more.
        people: How many there are, the guest among them; 3 or more.
        seed: Others for another one.
    """
    for number in range(count):
        random = Random(f"{seed} {number}")  # noqa: S311 - no secret
        yield _guests_own(random) if number == 0 else _offer(random, number, people)


def _guests_own(random: Random) -> Offer:
    """Return what the guest offers: somebody waits for an answer."""
    stays = (
        Stay(1, -20, -16, "stayed", rating=5, review="Like at home. We come again."),
        Stay(2, 2, 5, "pending", message="Our dog Canela is eight and sleeps a lot. Would that be all right?"),
        Stay(1, 8, 12, "confirmed"),
        Stay(2, 20, 23, "cancelled", why="Our flight was moved"),
    )
    blocks = ((14, 17, "Family visits"),)
    text = "I work at home, and there is always somebody with them.\nDos paseos al día, y fotos."
    return Offer("pet-sitting", GUEST, "A home for dogs", text, 35, _SPOTS[0], _photos(random, 2), blocks, stays)


def _offer(random: Random, number: int, people: int) -> Offer:
    is_rental = number % 3 == 1
    spot = _SPOTS[0] if number == 1 else random.choice(_SPOTS)
    if is_rental:
        title = f"{random.choice(_SPACES)}, {random.choice(_EXTRA)}"
    else:
        title = random.choice(_CARE).format(random.choice(_PETS))
        title = title[0].upper() + title[1:]
    text = f"In {spot.name}, {random.choice(_EXTRA)}." if random.random() < 0.8 else ""
    price = max(1, round(spot.day * random.uniform(0.5, 2.5)))
    sitter = random.randrange(1, people)
    others = [one for one in range(1, people) if one != sitter]
    stays, blocks = _days(random, others)
    if number == 1:  # one of each that the guest can do something about
        stays = (Stay(GUEST, -9, -5, "stayed"), Stay(GUEST, 1, 3, "confirmed"), Stay(GUEST, 5, 6, "pending"))
    photos = _photos(random, random.choice((0, 0, 1, 3)))
    return Offer("rental" if is_rental else "pet-sitting", sitter, title, text, price, spot, photos, blocks, stays)


def _photos(random: Random, count: int) -> tuple[tuple[str, str], ...]:
    names = random.sample(_VIEWS, count)
    return tuple((f"https://photos.example.org/{random.randrange(10_000)}/{name}.jpg", name) for name in names)


def _days(random: Random, others: list[int]) -> tuple[tuple[Stay, ...], tuple[tuple[int, int, str], ...]]:
    """Return stays and blocks of which none meets another: what is over, then what is to come."""
    stays: list[Stay] = []
    blocks: list[tuple[int, int, str]] = []
    for at in range(random.choice((0, 0, 1, 2, 4))):
        rating, review = random.choice(_SAID) if random.random() < 0.8 else (None, None)
        first = -20 * (at + 1)
        end = first + random.randint(1, _LONGEST)
        stays.append(Stay(random.choice(others), first, end, "stayed", rating=rating, review=review))
    day = random.randint(8, 20)
    while day < _FAR:
        end = day + random.randint(1, _LONGEST)
        if random.random() < 0.2:
            blocks.append((day, end, random.choice(_BLOCKS)))
        else:
            stays.append(_to_come(random, random.choice(others), day, end))
        day = end + random.randint(0, 25)
    return tuple(stays), tuple(blocks)


def _to_come(random: Random, owner: int, first: int, end: int) -> Stay:
    outcomes: tuple[Outcome, ...] = ("confirmed", "confirmed", "pending", "declined", "cancelled", "expired")
    outcome = random.choice(outcomes)
    why = random.choice(_WHYS) if outcome in {"declined", "cancelled"} else None
    return Stay(owner, first, end, outcome, random.choice(_MESSAGES), why)
