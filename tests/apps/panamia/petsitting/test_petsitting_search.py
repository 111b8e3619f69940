"""What is found, against a plain model that looks at every listing and every booking.

The model reckons distances by the law of cosines of vectors, and words by their plain forms; how words are cut to their
stems is PostgreSQL's affair, of which a few examples are asked.
"""

from __future__ import annotations

import datetime
import math
import random
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from typing import Any

import httpx
import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy import event

from apps.panamia.petsitting.listings import search
from apps.panamia.petsitting.listings.places import EARTH_KM
from tests.apps.panamia.petsitting.conftest import Pets
from tests.apps.panamia.petsitting.sidecar import Sidecar

pytestmark = pytest.mark.anyio

DAY = datetime.timedelta(1)
WORDS = ("garden", "dog", "calm", "casa", "gato")
SPOTS = ((25.76, -80.19), (10.0, 179.95), (10.0, -179.95), (89.99, 0.0), (-90.0, 5.0), (0.0, 0.0))


@dataclass
class Offer:
    """A listing, as the model knows it; `taken` are half-open pairs of days."""

    id: str
    at: datetime.datetime
    kind: str
    price: Decimal
    currency: str
    spot: tuple[float, float] | None
    words: frozenset[str]
    is_offered: bool
    taken: list[tuple[datetime.date, datetime.date]] = field(default_factory=list[tuple[datetime.date, datetime.date]])


def apart(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Kilometres between two places, by their vectors."""
    (ax, ay, az), (bx, by, bz) = _vector(one), _vector(other)
    return EARTH_KM * 2 * math.asin(min(1.0, math.dist((ax, ay, az), (bx, by, bz)) / 2))


def _vector(spot: tuple[float, float]) -> tuple[float, float, float]:
    lat, lng = map(math.radians, spot)
    return math.cos(lat) * math.cos(lng), math.cos(lat) * math.sin(lng), math.sin(lat)


def made(pets: Pets, draw: random.Random, count: int) -> list[Offer]:
    """Write listings and bookings, and return what the model knows of them."""
    today = datetime.datetime.now(datetime.UTC).date()
    sitters = [pets.make_user(), pets.make_user(), pets.make_user(locked_at=datetime.datetime.now(datetime.UTC))]
    owner = pets.make_user()
    offers = [_offer(pets, draw, number, sitters) for number in range(count)]
    for one in offers:
        at = today + 3 * DAY
        for _ in range(draw.randint(0, 4)):
            at += draw.randint(0, 3) * DAY
            end = at + draw.randint(1, 4) * DAY
            status = draw.choice(["pending", "confirmed", "blocked", "cancelled", "declined", "run out"])
            _book(pets, one.id, owner, at, end, status)
            if status in {"pending", "confirmed", "blocked"}:
                one.taken.append((at, end))
            at = end
    return offers


def _offer(pets: Pets, draw: random.Random, number: int, sitters: list[str]) -> Offer:
    spot = None
    if draw.random() < 0.9:
        lat, lng = draw.choice(SPOTS)
        spot = (max(-90.0, min(90.0, lat + draw.gauss(0, 0.3))), (lng + draw.gauss(0, 0.3) + 180) % 360 - 180)
    words = frozenset(draw.sample(WORDS, 2))
    currency = draw.choice(["USD", "USD", "EUR"])
    # some of the same instant and price, so that keys decide
    at = datetime.datetime.now(datetime.UTC) - datetime.timedelta(minutes=number // 3)
    price = Decimal(draw.randint(5, 12))
    sitter, available = draw.choice(sitters), draw.random() < 0.9
    kind = draw.choice(["pet-sitting", "pet-sitting", "rental"])
    key = pets.make_listing(
        sitter,
        kind=kind,
        title=" ".join(sorted(words)),
        price_per_day=price,
        currency=currency,
        lat=spot and spot[0],
        lng=spot and spot[1],
        available=available,
        created_at=at,
        time_zone="UTC",
    )
    return Offer(key, at, kind, price, currency, spot, words, available and sitter != sitters[2])


def _book(pets: Pets, key: str, owner: str, first: datetime.date, end: datetime.date, status: str) -> None:
    """Write a booking past the rules, as it may have come to stand there."""
    pets.without_rules(
        "INSERT INTO bookings (listing_id, listing_number, sitter_id, owner_id, days, status, hold_until,"
        " price_per_day, currency, status_at, status_as, status_why)"
        " SELECT id, number, sitter_id, %s, daterange(%s, %s), new.status, now() + %s::interval,"
        " CASE WHEN new.status <> 'blocked' THEN price_per_day END,"
        " CASE WHEN new.status <> 'blocked' THEN currency END, now(),"
        " (CASE WHEN new.status = 'pending' THEN 'owner' ELSE 'sitter' END)::booking_side,"
        " CASE WHEN new.status IN ('cancelled', 'declined') THEN 'so' END"
        " FROM listings, (SELECT %s::booking_status) AS new (status) WHERE id = %s",
        None if status == "blocked" else owner,
        first,
        end,
        {"pending": "1 hour", "run out": "-1 hour"}.get(status),
        "pending" if status == "run out" else status,
        key,
    )


def expected(offers: list[Offer], asked: dict[str, Any]) -> list[str]:
    """Which listings a search must find, in which order."""
    found = [one for one in offers if one.is_offered and _fits(one, asked)]
    sort = asked.get("sort") or ("nearest" if "lat" in asked else "newest")
    if sort == "price":
        return [one.id for one in sorted(found, key=lambda one: (one.price, one.id))]
    if sort == "nearest":
        here = (asked["lat"], asked["lng"])
        return [one.id for one in sorted(found, key=lambda one: apart(one.spot or here, here))]
    return [one.id for one in sorted(found, key=lambda one: (one.at, one.id), reverse=True)]


def _fits(one: Offer, asked: dict[str, Any]) -> bool:
    if "kind" in asked and one.kind != asked["kind"]:
        return False
    if "currency" in asked and one.currency != asked["currency"]:
        return False
    if not Decimal(asked.get("minPrice", "0")) <= one.price <= Decimal(asked.get("maxPrice", "1000")):
        return False
    if any((word[1:] in one.words) if word.startswith("-") else word not in one.words for word in _typed(asked)):
        return False
    if "lat" in asked:
        here = (asked["lat"], asked["lng"])
        if one.spot is None or apart(one.spot, here) > asked.get("radiusKm", 50):
            return False
    return "from" not in asked or not any(first < asked["to"] and asked["from"] < end for first, end in one.taken)


def _typed(asked: dict[str, Any]) -> list[str]:
    return asked.get("q", "").split()


def wishes(draw: random.Random) -> dict[str, Any]:
    """Draw what somebody looks for."""
    asked: dict[str, Any] = {}
    if draw.random() < 0.4:
        asked["kind"] = draw.choice(["pet-sitting", "rental"])
    if draw.random() < 0.4:
        one, other = draw.sample(WORDS, 2)
        asked["q"] = draw.choice([one, one, f"{one} -{other}", f"-{one}", f"{one} {other}"])
    if draw.random() < 0.5:
        asked["currency"] = draw.choice(["USD", "EUR"])
        if draw.random() < 0.6:
            low = draw.randint(5, 12)
            asked |= {"minPrice": str(low), "maxPrice": f"{low + draw.randint(0, 4)}.00"}
    if draw.random() < 0.6:
        lat, lng = draw.choice(SPOTS)
        asked |= {"lat": lat, "lng": lng, "radiusKm": draw.choice([5, 30.5, 100, 200])}
    if draw.random() < 0.6:
        first = datetime.datetime.now(datetime.UTC).date() + draw.randint(2, 14) * DAY
        asked |= {"from": first, "to": first + draw.randint(1, 5) * DAY}
    orders = ["newest", *(["price"] if "currency" in asked else []), *(["nearest"] if "lat" in asked else [])]
    if draw.random() < 0.7:
        asked["sort"] = draw.choice(orders)
    return asked


async def pages(client: httpx.AsyncClient, asked: dict[str, Any], limit: int) -> list[dict[str, Any]]:
    """Read all pages of a search."""
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        answer = await client.get("/api/listings", params={**asked, "limit": str(limit), **cursor})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert len(page["listings"]) <= limit
        found += page["listings"]
        if page["next"] is None:
            return found
        assert len(page["listings"]) == limit
        cursor = {"cursor": page["next"]}


async def test_search_finds_what_a_plain_model_finds(sidecar: Sidecar, monkeypatch: pytest.MonkeyPatch) -> None:
    draw = random.Random(20261123)
    offers = made(sidecar.pets, draw, 70)
    client = sidecar.client()
    lengths: list[int] = []
    for _ in range(60):
        asked = wishes(draw)
        monkeypatch.setattr(search, "SLICE", draw.choice([1, 6, 1_000]))
        monkeypatch.setattr(search, "MOST_WALKED", draw.choice([3, 15, 20_000]))
        found = await pages(client, asked, draw.choice([3, 7, 50]))
        keys = [one["id"] for one in found]
        wanted = expected(offers, asked)
        if "lat" in asked:
            spots = {one.id: apart(one.spot, (asked["lat"], asked["lng"])) for one in offers if one.spot is not None}
            assert [one["distanceKm"] for one in found] == pytest.approx([spots[key] for key in keys], abs=0.001)
            if asked.get("sort", "nearest") == "nearest":  # what is as far away comes in any order
                assert all(spots[one] <= spots[other] + 1e-6 for one, other in pairwise(keys)), asked
                wanted, keys = sorted(wanted), sorted(keys)
        else:
            assert all(one["distanceKm"] is None for one in found)
        assert keys == wanted, asked
        lengths.append(len(keys))
    assert sum(one > 3 for one in lengths) > 15, lengths


async def test_a_page_takes_few_statements_however_what_fits_stands(
    sidecar: Sidecar, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many as a page shows stand in the first slice, and the one more that it looks for comes last."""
    monkeypatch.setattr(search, "SLICE", 20)
    for title in ("zebra", *["horse"] * 79, *["zebra"] * 20):
        sidecar.pets.make_listing(title=title)
    engine = sidecar.app.state.resources.engine
    said: list[str] = []
    event.listen(engine.sync_engine, "before_cursor_execute", lambda *told: said.append(told[2]))
    page = (await sidecar.client().get("/api/listings", params={"q": "zebra", "limit": "20"})).json()
    assert (len(page["listings"]), page["next"] is None) == (20, False)
    assert len(said) < 16, said
    async with engine.connect() as connection:
        assert (await connection.execute(sa.text("SHOW enable_seqscan"))).scalar_one() == "on"


async def test_pages_stay_whole_while_listings_are_added_and_withdrawn(sidecar: Sidecar) -> None:
    pets = sidecar.pets
    here = {"lat": 25.0, "lng": -80.0}
    client = sidecar.client()
    for asked, order in (
        ({}, "created_at DESC, id DESC"),
        ({"sort": "price", "currency": "USD"}, "price_per_day, id"),
        (here, "lat, id"),
    ):
        pets.rows("DELETE FROM listings")
        before = [pets.make_listing(price_per_day=10 + number, lat=25 + number / 100, lng=-80) for number in range(9)]
        there = [key for (key,) in pets.rows(f"SELECT id FROM listings ORDER BY {order}")]
        seen: list[str] = []
        cursor: dict[str, str] = {}
        for turn in range(3):
            page = (await client.get("/api/listings", params={**asked, "limit": "3", **cursor})).json()
            seen += [one["id"] for one in page["listings"]]
            cursor = {"cursor": page["next"] or ""}
            pets.make_listing(price_per_day=1, lat=25.0, lng=-80)  # before what was read
            if turn == 0:
                pets.rows("UPDATE listings SET available = false WHERE id = %s", seen[-1])  # where the page ended
        assert seen == there
        assert set(seen) == set(before)


async def test_listings_at_one_place_are_paged_by_their_keys(sidecar: Sidecar) -> None:
    keys = sorted(sidecar.pets.make_listing(lat=25.7617, lng=-80.1918) for _ in range(7))
    for lat in (25.7617, 25.0):
        found = await pages(sidecar.client(), {"lat": lat, "lng": -80.1918, "radiusKm": 100}, 2)
        assert [one["id"] for one in found] == keys
        assert all(one["id"] < other["id"] for one, other in pairwise(found))


async def test_edge_of_the_circle_is_in_it(sidecar: Sidecar) -> None:
    key = sidecar.pets.make_listing(lat=0, lng=1)
    client = sidecar.client()
    far = EARTH_KM * math.radians(1)
    for km, there in ((far + 1e-6, 1), (far - 1e-6, 0)):
        page = (await client.get("/api/listings", params={"lat": 0, "lng": 0, "radiusKm": repr(km)})).json()
        assert [one["id"] for one in page["listings"]] == [key] * there


@pytest.mark.parametrize(
    ("title", "description", "found", "not_found"),
    [
        ("Calm gardens for dogs", "", ["garden dog", "GARDENS", '"calm garden"', "cat or dog", "dog -cat"], ["cat"]),
        ("Paseos tranquilos", "Casa con jardín para perros", ["paseo", "perro", "jardín", "tranquilo casa"], ["gato"]),
        ("Perros", "", ["perro", "perros", "-gato"], ["-perro", "perro gato", '"perro perro"']),
        ("Cat and garden", "", ["garden -dogs", '-"cat garden"'], ["garden -cats", "-cats", '-"cat and garden"']),
    ],
)
async def test_words_are_found_in_both_languages(
    sidecar: Sidecar, title: str, description: str, found: list[str], not_found: list[str]
) -> None:
    sidecar.pets.make_listing(title=title, description=description)
    for text, count in [(text, 1) for text in found] + [(text, 0) for text in not_found]:
        page = (await sidecar.client().get("/api/listings", params={"q": text})).json()
        assert len(page["listings"]) == count, text


ODD = [
    *(
        "'",
        '"',
        '"""',
        "\\",
        "&|!()<->:*",
        "a:b & c | !d <-> e",
        "or or or",
        "-",
        "--",
        "- - -x",
        "((((",
        "' OR 1=1; --",
    ),
    *("%", "%00x", "🐕" * 200, "x" * 200, "\u202e", "\x01\x7f", "a" * 199 + '"', "the", "de la", "¿?", "   "),
]


async def test_odd_words_are_no_fault(sidecar: Sidecar) -> None:
    sidecar.pets.make_listing()
    client = sidecar.client()
    for text in ODD:
        answer = await client.get("/api/listings", params={"q": text})
        assert answer.status_code == 200, text
    # nothing is looked for that has no words
    assert len((await client.get("/api/listings", params={"q": " ?! "})).json()["listings"]) == 1
    for wrong in ("x" * 201, "a\0"):
        assert (await client.get("/api/listings", params={"q": wrong})).status_code == 422
    assert (await client.get("/api/listings?q=%ff%fe%ed%a0%80")).status_code == 200


REFUSED: list[tuple[dict[str, Any], int, str]] = [
    ({"from": "2030-01-01"}, 422, "wrong-days"),
    ({"to": "2030-01-01"}, 422, "wrong-days"),
    ({"from": "2030-01-02", "to": "2030-01-02"}, 422, "wrong-days"),
    ({"from": "2001-01-01", "to": "2001-01-02"}, 422, "past"),
    ({"from": "9999-12-30", "to": "9999-12-31"}, 422, "too-far"),
    ({"from": "2030-13-01", "to": "2030-01-02"}, 422, "invalid"),
    ({"lat": "1"}, 422, "wrong-place"),
    ({"radiusKm": "1"}, 422, "wrong-place"),
    ({"lat": "91", "lng": "0"}, 422, "invalid"),
    ({"lat": "nan", "lng": "0"}, 422, "invalid"),
    ({"lat": "0", "lng": "inf"}, 422, "invalid"),
    ({"lat": "0", "lng": "0", "radiusKm": "200.1"}, 422, "invalid"),
    ({"lat": "0", "lng": "0", "radiusKm": "0"}, 422, "invalid"),
    ({"lat": "0", "lng": "0", "radiusKm": "nan"}, 422, "invalid"),
    ({"sort": "nearest"}, 422, "wrong-place"),
    ({"sort": "price"}, 422, "wrong-currency"),
    ({"sort": "best"}, 422, "invalid"),
    ({"minPrice": "1"}, 422, "wrong-currency"),
    ({"currency": "XXX"}, 422, "wrong-currency"),
    ({"currency": "USD", "minPrice": "1.001"}, 422, "wrong-price"),
    ({"currency": "USD", "minPrice": "3", "maxPrice": "2"}, 422, "wrong-price"),
    ({"currency": "USD", "maxPrice": "-1"}, 422, "wrong-price"),
    ({"kind": "boats"}, 422, "wrong-kind"),
    ({"kind": "\0"}, 422, "invalid"),
    ({"limit": "0"}, 422, "invalid"),
    ({"limit": "51"}, 422, "invalid"),
    ({"limit": "1e9"}, 422, "invalid"),
    ({"cursor": "rubbish"}, 400, "cursor"),
    ({"cursor": "0.x", "lat": "0", "lng": "0"}, 400, "cursor"),
    ({"cursor": "x" * 101}, 422, "invalid"),
]


async def test_search_that_cannot_be_meant_is_refused(sidecar: Sidecar) -> None:
    client = sidecar.client()
    for asked, status, code in REFUSED:
        answer = await client.get("/api/listings", params=asked)
        assert (answer.status_code, answer.json().get("code")) == (status, code), asked


async def test_days_are_judged_where_the_listing_is(sidecar: Sidecar) -> None:
    """Of a day that is over in the east and not in the west only listings in the west are found; so ahead."""
    east = sidecar.pets.make_listing(time_zone="Pacific/Kiritimati")
    west = sidecar.pets.make_listing(time_zone="Pacific/Pago_Pago")
    client = sidecar.client()
    today_west = sidecar.pets.today(west)
    assert sidecar.pets.today(east) > today_west
    for first, found in (
        (today_west, {west}),
        (today_west + 2 * DAY, {east, west}),
        (today_west + 365 * DAY, {east, west}),
        (sidecar.pets.today(east) + 365 * DAY, {east}),
    ):
        asked = {"kind": "pet-sitting", "from": str(first), "to": str(first + DAY)}
        answer = (await client.get("/api/listings", params=asked)).json()
        assert {one["id"] for one in answer["listings"]} == found, first
        for key in (east, west):
            booked = {"listing_id": key, "owner_id": sidecar.pets.make_user(), "days": f"[{first},{first + DAY})"}
            with psycopg.connect(sidecar.pets.owner) as connection:
                query = (
                    "INSERT INTO bookings (listing_id, owner_id, days) VALUES (%(listing_id)s, %(owner_id)s, %(days)s)"
                )
                if key in found:
                    connection.execute(query, booked)
                    connection.rollback()
                else:
                    with pytest.raises(psycopg.errors.CheckViolation):
                        connection.execute(query, booked)
