"""A sitter's listings and everybody's bookings of them, and all requests for them.

Each private text holds a mark of its kind, by which it is known in an answer to somebody else.
"""

from __future__ import annotations

import datetime
import hashlib
import itertools
import re
import secrets
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from tests.apps.panamia.conftest import contents
from tests.apps.panamia.petsitting.conftest import Pets
from tests.apps.panamia.service.asked_of import Body, Request

MESSAGE, NOTE, HIDDEN, NAME = "what two people wrote", "the sitter's note", "a withdrawn listing", "who booked"
STATUSES = ("pending", "confirmed", "cancelled", "declined", "completed")
_PLACE = re.compile(r"\{(\w+)[^}]*\}")


@dataclass
class Stays:
    """What there is.

    Attributes:
        sitter: Who has the listings; an id of users, as the next two.
        owner: Who has the bookings.
        neighbour: Who has others of the same listings, ended ones.
        offered: Everybody sees this listing.
        withdrawn: Only its sitter sees this one, and who has booked it.
        bookings: Of the owner, by status; and `of withdrawn`.
        others: Of the neighbour.
        photos: Of each listing; so are `blocks` and `feeds`, the tokens of calendars.
        marks: Kind → the text by which it is known.
    """

    pets: Pets
    sitter: str
    owner: str
    neighbour: str
    offered: str
    withdrawn: str
    bookings: dict[str, str] = field(default_factory=dict[str, str])
    others: list[str] = field(default_factory=list[str])
    photos: dict[str, str] = field(default_factory=dict[str, str])
    blocks: dict[str, str] = field(default_factory=dict[str, str])
    feeds: dict[str, str] = field(default_factory=dict[str, str])
    marks: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def listings(self) -> tuple[str, str]:
        """Both listings."""
        return self.offered, self.withdrawn

    @property
    def hashes(self) -> list[str]:
        """What the database holds of the tokens."""
        return [hashlib.sha256(one.encode()).hexdigest() for one in self.feeds.values()]

    def day(self, at: int) -> str:
        """A day, counted from today where the listings are."""
        return str(self.pets.today(self.offered) + datetime.timedelta(at))

    def days(self, at: int) -> Body:
        """Two days, as a body names them."""
        return {"from": self.day(at), "to": self.day(at + 2)}


def own_everything(pets: Pets, name: str = "") -> Stays:
    """Make a sitter, an owner and a neighbour, and all that they can have."""
    marks = {kind: f"mark{secrets.token_hex(8)}" for kind in (MESSAGE, NOTE, HIDDEN, NAME)}
    sitter = pets.make_user(f"sitter{name}.private@example.org", screenname=f"Sitter{name}")
    owner = pets.make_user(f"owner{name}.private@example.org", screenname=marks[NAME])
    neighbour = pets.make_user(f"neighbour{name}.private@example.org", screenname=f"Neighbour{name}")
    offered = pets.make_listing(sitter, title="Offered", lat=25.77, lng=-80.19)
    withdrawn = pets.make_listing(sitter, title=f"{marks[HIDDEN]} title", description=marks[HIDDEN])
    stays = Stays(pets, sitter, owner, neighbour, offered, withdrawn, marks=marks)
    for listing in stays.listings:
        add_parts(stays, listing)
        ended = pets.book(listing, 20, 22, neighbour, note="The neighbour's own words")
        pets.step(ended, "confirmed", sitter)
        pets.long_ago(ended, 90)
        pets.step(ended, "completed")
        words = marks[HIDDEN] if listing == withdrawn else "They were kind"
        pets.rows(
            "INSERT INTO listing_reviews (booking_id, listing_id, author_id, rating, text) VALUES (%s, %s, %s, 5, %s)",
            *(ended, listing, neighbour, words),
        )
        stays.others.append(ended)
    for status in STATUSES:
        stays.bookings[status] = book(stays, status)
    stays.bookings["of withdrawn"] = book(stays, "confirmed", withdrawn)
    pets.rows("UPDATE listings SET available = false WHERE id = %s", withdrawn)
    return stays


def add_parts(stays: Stays, listing: str) -> None:
    """Give a listing a photo, blocked days and a link of its calendar, in place of those before."""
    pets, caption = stays.pets, stays.marks[HIDDEN] if listing == stays.withdrawn else "The garden"
    for table in ("listing_photos", "calendar_feeds"):
        pets.rows(f"DELETE FROM {table} WHERE listing_id = %s", listing)
    pets.rows("DELETE FROM bookings WHERE listing_id = %s AND status = 'blocked'", listing)
    [(stays.photos[listing],)] = pets.rows(
        "INSERT INTO listing_photos (listing_id, url, caption, position) VALUES (%s, 'https://x.example/1', %s, 0)"
        " RETURNING id",
        *(listing, caption),
    )
    stays.blocks[listing] = pets.block(listing, 50, 52, note=stays.marks[NOTE])
    token = stays.feeds[listing] = secrets.token_urlsafe(32)
    hashed = hashlib.sha256(token.encode()).hexdigest()
    pets.rows("INSERT INTO calendar_feeds (listing_id, token_hash) VALUES (%s, %s)", listing, hashed)


def book(stays: Stays, status: str, listing: str | None = None) -> str:
    """Make a booking of the owner that stands so, on days of its own; return the id. One of before makes room."""
    pets, words, at = stays.pets, stays.marks[MESSAGE], 2 + 3 * STATUSES.index(status)
    place = listing or stays.offered
    live = "SELECT id FROM bookings WHERE listing_id = %s AND owner_id = %s AND status IN ('pending', 'confirmed')"
    for (key,) in pets.rows(f"{live} AND days && %s", place, stays.owner, pets.days(place, at, at + 2)):
        pets.step(key, "cancelled", stays.owner, words)
    booking = pets.book(place, at, at + 2, stays.owner, note=words)
    if status in {"confirmed", "completed"}:
        pets.step(booking, "confirmed", stays.sitter)
    if status == "completed":
        pets.long_ago(booking, 40)
        pets.step(booking, "completed")
    elif status in {"cancelled", "declined"}:
        pets.step(booking, status, stays.sitter, words)
    return booking


def held(pets: Pets) -> Counter[str]:
    """Every row of every table, as a text that changes when it does."""
    return Counter(f"{table}: {row}" for table, rows in contents(pets.owner).items() for row in rows.elements())


def bodies_of(stays: Stays) -> dict[str, list[Body]]:
    """Return what is sent to each route that takes a body."""
    listing: Body = {
        "kind": "pet-sitting",
        "title": "Another",
        "pricePerDay": "1",
        "currency": "USD",
        "timeZone": "America/New_York",
    }
    because: list[Body] = [{"why": "Somebody wants it so"}]
    return {
        "POST /api/listings": [listing],
        "PATCH /api/listings/{key}": [{"title": "Another", "pricePerDay": "1", "available": True}],
        "POST /api/listings/{key}/photos": [{"url": "https://x.example/2"}],
        "POST /api/listings/{key}/blocks": [stays.days(60)],
        "POST /api/bookings": [{"listingId": key, **stays.days(70)} for key in stays.listings],
        "POST /api/bookings/{key}/decline": because,
        "POST /api/bookings/{key}/cancel": because,
        "POST /api/bookings/{key}/review": [{"rating": 1, "text": "Bad"}],
    }


def requests_of(routes: Iterable[str], stays: Stays) -> Iterator[Request]:
    """Give every request: each route with each key that fits, each query and each body."""
    bodies = bodies_of(stays)
    for route in routes:
        method, _, path = route.partition(" ")
        places = list[str](_PLACE.findall(path))
        for keys in itertools.product(*(keys_of(stays, path, name) for name in places)):
            given = dict(zip(places, keys, strict=True))
            found = _PLACE.sub(lambda place: given[place[1]], path)  # noqa: B023  called at once
            for query in _queries(stays, path) if method == "GET" else ("",):
                for body in bodies.get(route, [None]):
                    yield Request(route, found + query, body)


def keys_of(stays: Stays, path: str, name: str) -> list[str]:
    """Return what fits a place of a path; blocked days are no booking, and a booking is no block."""
    there = [*stays.bookings.values(), *stays.others]
    match name:
        case "key" if "/listings/" in path:
            return list(stays.listings)
        case "key" if "/bookings/" in path:
            return [*there, *stays.blocks.values()]
        case "photo":
            return list(stays.photos.values())
        case "block":
            return [*stays.blocks.values(), *there]
        case _:
            raise AssertionError(f"{path}: say whose {name} is asked for")


def _queries(stays: Stays, path: str) -> list[str]:
    """Return the queries of a route that reads; the first one is none."""
    match path:
        case "/api/listings":
            return ["", f"?q={stays.marks[HIDDEN]}", "?lat=25.77&lng=-80.19", f"?from={stays.day(2)}&to={stays.day(4)}"]
        case "/":
            return ["", f"?q={stays.marks[HIDDEN]}"]
        case "/api/bookings":
            return ["", "?as=owner", "?as=sitter", *(f"?listing={key}" for key in stays.listings)]
        case _ if path.endswith("/calendar"):
            return ["", "?months=12", f"?from={stays.day(-60)}&months=12"]
        case _ if path.endswith("/calendar.ics"):
            return ["", "?token=none", *(f"?token={one}" for one in stays.hashes)]
        case _:
            return [""]
