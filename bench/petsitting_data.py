"""What the sidecar of Pana MIA is measured on: people, listings and bookings, drawn by number; and what they ask.

A fifth of all listings lie in three cities, the rest in two hundred, and a few nowhere; each listing has ten bookings,
over a year back and half a year ahead, of which the third that is to come and was not cancelled takes days.
"""

from __future__ import annotations

import datetime
import json
import random
from urllib.parse import urlencode

import psycopg

WORDS = (
    *("calm", "garden", "quiet", "big", "sunny", "small", "dog", "cat", "walk", "night", "home", "casa", "jardín"),
    *("perro", "gato", "paseo", "noche", "tranquilo", "grande", "house"),
)
_CURRENCIES = ("USD", "EUR", "MXN")
_MIAMI = (25.76, -80.19)
_PEOPLE_OF = 2
"""Listings for each person."""

_SQL = """
SET LOCAL session_replication_role = replica;
SELECT setseed(0.5);
INSERT INTO users (id, email, screenname)
    SELECT 'u' || lpad(n::text, 23, '0'), 'person' || n || '@example.org', 'person-' || n
    FROM generate_series(0, {people} - 1) AS n;
INSERT INTO sessions (session_token, user_id, expires)
    SELECT 'session-' || n, 'u' || lpad(n::text, 23, '0'), now() + interval '29 days 12 hours'
    FROM generate_series(0, {people} - 1) AS n;
CREATE TEMPORARY TABLE words ON COMMIT DROP AS
    SELECT n, ('{{{words}}}'::text[])[1 + n % {word_count}] || CASE
        WHEN n >= {word_count} THEN chr(97 + n % 23) || chr(97 + n / 23 % 23) || chr(97 + n / 7 % 19) ELSE ''
    END AS word
    FROM generate_series(0, 1999) AS n;
CREATE TEMPORARY TABLE texts ON COMMIT DROP AS
    SELECT drawn.n, string_agg(word, ' ') FILTER (WHERE place <= 5) AS title, string_agg(word, ' ') AS description
    FROM (
        SELECT n, place, floor(2000 * power(random(), 3))::int AS pick
        FROM generate_series(0, {listings} - 1) AS n, generate_series(1, 60) AS place
    ) AS drawn JOIN words ON words.n = drawn.pick
    GROUP BY drawn.n;
CREATE TEMPORARY TABLE cities ON COMMIT DROP AS
    SELECT n AS city, CASE WHEN n = 0 THEN {lat} ELSE -50 + 115 * ((n * 7919) % 1000) / 1000.0 END AS lat,
        CASE WHEN n = 0 THEN {lng} ELSE -180 + 360 * ((n * 104729) % 1000) / 1000.0 END AS lng
    FROM generate_series(0, 199) AS n;
INSERT INTO listings (
    id, kind, sitter_id, title, description, price_per_day, currency, time_zone, lat, lng, available, created_at
)
    SELECT 'l' || lpad(n::text, 23, '0'), CASE WHEN n % 10 = 0 THEN 'rental' ELSE 'pet-sitting' END,
        'u' || lpad((n % {people})::text, 23, '0'), title, description, 10 + (n * 7919::bigint) % 20000 / 100.0,
        (ARRAY['USD', 'USD', 'USD', 'EUR', 'MXN'])[1 + n % 5], 'America/New_York',
        CASE WHEN n % 25 < 24 THEN lat + north END,
        CASE WHEN n % 25 < 24 THEN greatest(-180, least(180, lng + east)) END,
        n % 20 <> 7, now() - (n * 104729::bigint) % {listings} * interval '5 minutes'
    FROM (
        SELECT texts.*, floor(200 * power(random(), 3))::int AS city, (random() + random() - 1) * 0.6 AS north,
            (random() + random() - 1) * 0.6 AS east
        FROM texts
    ) AS drawn JOIN cities USING (city);
INSERT INTO bookings (
    id, listing_id, listing_number, sitter_id, owner_id, days, status, hold_until, price_per_day, currency, status_at,
    status_as, status_why
)
    SELECT 'k' || lpad((number * 10 + turn)::text, 23, '0'), id, number, sitter_id,
        CASE WHEN status <> 'blocked' THEN 'u' || lpad(((drawn + (drawn = sitter)::int) % {people})::text, 23, '0') END,
        daterange(first, first + 1 + ((number * 7 + turn * 3) % 9)::int), status::booking_status,
        CASE WHEN status = 'pending' THEN now() + interval '20 hours' * (CASE number % 3 WHEN 0 THEN -1 ELSE 1 END) END,
        CASE WHEN status <> 'blocked' THEN price_per_day END, CASE WHEN status <> 'blocked' THEN currency END, now(),
        (CASE status WHEN 'pending' THEN 'owner' WHEN 'completed' THEN 'clock' ELSE 'sitter' END)::booking_side,
        CASE WHEN status = 'cancelled' THEN 'so it was' END
    FROM (
        SELECT listings.*, turn, first, drawn, sitter, CASE
            WHEN first + 9 < current_date THEN CASE WHEN turn % 4 = 0 THEN 'cancelled' ELSE 'completed' END
            ELSE ('{{pending,cancelled,blocked,confirmed,confirmed,confirmed}}'::text[])[1 + (number + turn) % 6]
        END AS status
        FROM listings, generate_series(0, 9) AS turn, LATERAL (
            SELECT current_date - 360 + turn * 60 + (number % 45)::int AS first,
                (number * 31 + turn) % {people} AS drawn, right(sitter_id, 23)::bigint AS sitter
        ) AS each_turn
    ) AS each_one;
INSERT INTO listing_photos (listing_id, url, position)
    SELECT id, 'https://example.org/' || id || '/' || place || '.jpg', place
    FROM listings, generate_series(0, 2) AS place;
INSERT INTO listing_reviews (booking_id, listing_id, author_id, rating, text)
    SELECT id, listing_id, owner_id, 3 + listing_number % 3, 'They were well all the time.'
    FROM bookings WHERE status = 'completed' AND listing_number % 2 = 0;
"""


def fill(conninfo: str, listings: int) -> None:
    """Write rows into empty tables, ten bookings for each listing, and let the server look at them."""
    values = {
        "listings": listings,
        "people": listings // _PEOPLE_OF,
        "words": ",".join(WORDS),
        "word_count": len(WORDS),
        "lat": _MIAMI[0],
        "lng": _MIAMI[1],
    }
    with psycopg.connect(conninfo) as connection:
        for statement in _SQL.format(**values).strip().split(";\n"):
            connection.execute(statement.encode())
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute("VACUUM (ANALYZE)")


Request = tuple[str, str, str | None, str | None]
"""Method, path, token of a session, body."""


def searches(draw: random.Random, count: int) -> dict[str, list[Request]]:
    """Draw what people look for, of each kind; the last one is everything in any combination."""
    makers = {
        "newest": dict[str, str],
        "free days": lambda: _days(draw),
        "days near": lambda: {**_days(draw), **_place(draw)},
        "days, price, cheapest": lambda: {**_days(draw), **_price(draw), "sort": "price"},
        "words": lambda: _words(draw),
        "days, place, price, words": lambda: {**_days(draw), **_place(draw), **_price(draw), **_words(draw)},
        "any combination": lambda: _any(draw),
    }
    return {name: [_get(make()) for _ in range(count)] for name, make in makers.items()}


def bookings(draw: random.Random, count: int, listings: int) -> list[Request]:
    """Draw bookings of a few days, each by another person; some will meet days that are taken."""
    found: list[Request] = []
    people = listings // _PEOPLE_OF
    for _ in range(count):
        number, days = draw.randrange(listings), _days(draw, longest=5)
        body = {"listingId": f"l{number:023}", "from": days["from"], "to": days["to"]}
        found.append(
            ("POST", "/api/bookings", f"session-{(number + 1 + draw.randrange(people - 1)) % people}", json.dumps(body))
        )
    return found


def _get(asked: dict[str, str]) -> Request:
    return "GET", f"/api/listings?{urlencode(asked)}", None, None


def _days(draw: random.Random, longest: int = 14) -> dict[str, str]:
    first = datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(draw.randint(2, 150))
    return {"from": str(first), "to": str(first + datetime.timedelta(draw.randint(1, longest)))}


def _place(draw: random.Random) -> dict[str, str]:
    number = draw.randrange(200)
    lat, lng = _MIAMI
    if draw.random() < 0.6:
        lat, lng = -50 + 115 * ((number * 7919) % 1000) / 1000, -180 + 360 * ((number * 104729) % 1000) / 1000
    lat, lng = lat + draw.gauss(0, 0.2), max(-180, min(180, lng + draw.gauss(0, 0.2)))
    return {"lat": f"{lat:.5f}", "lng": f"{lng:.5f}", "radiusKm": str(draw.choice([5, 25, 50, 200]))}


def _price(draw: random.Random) -> dict[str, str]:
    low = draw.randint(10, 150)
    return {"currency": draw.choice(_CURRENCIES), "minPrice": str(low), "maxPrice": f"{low + draw.randint(5, 60)}.50"}


def _words(draw: random.Random) -> dict[str, str]:
    one, other = draw.sample(WORDS, 2)
    return {"q": draw.choice([one, f"{one} {other}", f'"{one} {other}"', f"{one} -{other}", f"{one} or {other}xyz"])}


def _any(draw: random.Random) -> dict[str, str]:
    asked: dict[str, str] = {}
    for part in (_days, _place, _price, _words):
        if draw.random() < 0.6:
            asked |= part(draw)
    if draw.random() < 0.4:
        asked["kind"] = draw.choice(["pet-sitting", "rental"])
    orders = ["newest"] + ["price"] * ("currency" in asked) + ["nearest"] * ("lat" in asked)
    return {**asked, "sort": draw.choice(orders), "limit": str(draw.choice([20, 20, 50]))}
