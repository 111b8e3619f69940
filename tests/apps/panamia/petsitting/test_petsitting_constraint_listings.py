"""What the database refuses of listings and what hangs on them of itself, whoever writes, by SQLSTATE and name.

Oracle: the server. Blind spot: what the application makes of a refusal.
"""

from __future__ import annotations

import pytest

from tests.apps.panamia.petsitting.world import CHECK, EMPTY, KEY, UNIQUE, UPDATE, World, booking

OTHERS = {
    "UPDATE listings SET price_per_day = 25.001 WHERE id = %(listing)s": (CHECK, "listings_digits_check"),
    "UPDATE listings SET price_per_day = 0.5 WHERE id = %(elsewhere)s": (CHECK, "listings_digits_check"),
    "UPDATE listings SET currency = 'JPY', price_per_day = 25.5 WHERE id = %(listing)s": (
        CHECK,
        "listings_digits_check",
    ),
    "UPDATE listings SET price_per_day = 0 WHERE id = %(listing)s": (CHECK, "listings_price_per_day_check"),
    "UPDATE listings SET price_per_day = -1 WHERE id = %(listing)s": (CHECK, "listings_price_per_day_check"),
    "UPDATE listings SET price_per_day = 'NaN' WHERE id = %(listing)s": (CHECK, "listings_price_per_day_check"),
    "UPDATE listings SET price_per_day = 1000000000 WHERE id = %(listing)s": ("22003", None),
    "UPDATE listings SET price_per_day = NULL WHERE id = %(listing)s": (EMPTY, None),
    "UPDATE listings SET currency = 'XXX' WHERE id = %(listing)s": (KEY, "listings_currency_fkey"),
    "UPDATE listings SET currency = 'usd' WHERE id = %(listing)s": (KEY, "listings_currency_fkey"),
    "UPDATE listings SET time_zone = 'America/Nowhere' WHERE id = %(elsewhere)s": (KEY, "listings_time_zone_fkey"),
    "UPDATE listings SET time_zone = 'america/new_york' WHERE id = %(elsewhere)s": (KEY, "listings_time_zone_fkey"),
    "UPDATE listings SET time_zone = 'UTC+5' WHERE id = %(elsewhere)s": (KEY, "listings_time_zone_fkey"),
    "UPDATE listings SET time_zone = 'UTC' WHERE id = %(listing)s": (CHECK, "listings_booked_check"),
    "UPDATE listings SET kind = 'rental' WHERE id = %(listing)s": (CHECK, "listings_kept_check"),
    "UPDATE listings SET id = new_cuid2() WHERE id = %(listing)s": (CHECK, "listings_kept_check"),
    "UPDATE listings SET number = DEFAULT WHERE id = %(listing)s": (CHECK, "listings_kept_check"),
    "UPDATE listings SET sitter_id = %(other)s WHERE id = %(listing)s": (CHECK, "listings_kept_check"),
    "UPDATE listings SET sitter_id = %(other)s WHERE id = %(orphan)s": (CHECK, "listings_kept_check"),
    "UPDATE listings SET sitter_id = NULL WHERE id = %(listing)s": (CHECK, "bookings_live_parties_check"),
    "UPDATE listings SET title = E' \\t' WHERE id = %(listing)s": (CHECK, "listings_title_check"),
    "UPDATE listings SET title = repeat('ñ', 121) WHERE id = %(listing)s": (CHECK, "listings_title_check"),
    "UPDATE listings SET description = repeat('ñ', 10001) WHERE id = %(listing)s": (
        CHECK,
        "listings_description_check",
    ),
    "UPDATE listings SET place_name = '' WHERE id = %(listing)s": (CHECK, "listings_place_name_check"),
    "UPDATE listings SET lat = NULL WHERE id = %(listing)s": (CHECK, "listings_place_check"),
    "UPDATE listings SET lng = NULL WHERE id = %(listing)s": (CHECK, "listings_place_check"),
    "UPDATE listings SET lat = 90.0001 WHERE id = %(listing)s": (CHECK, "listings_place_check"),
    "UPDATE listings SET lng = -180.0001 WHERE id = %(listing)s": (CHECK, "listings_place_check"),
    "UPDATE listings SET lat = 'NaN', lng = 'NaN' WHERE id = %(listing)s": (CHECK, "listings_place_check"),
    "UPDATE listings SET lat = 'infinity' WHERE id = %(listing)s": (CHECK, "listings_place_check"),
    "INSERT INTO listings (kind, title, price_per_day, currency, time_zone) VALUES ('rental', 'x', 1, 'USD', 'UTC')": (
        CHECK,
        "listings_sitter_check",
    ),
    "INSERT INTO listings (kind, title, price_per_day, currency, time_zone, sitter_id)"
    " VALUES ('no', 'x', 1, 'USD', 'UTC', %(sitter)s)": (KEY, "listings_kind_fkey"),
    "INSERT INTO listings (kind, title, price_per_day, currency, time_zone, sitter_id)"
    " VALUES ('rental', 'x', 1, 'USD', 'UTC', 'z00000000000000000000000')": (KEY, "listings_sitter_id_fkey"),
    "INSERT INTO listings (number, kind, title, price_per_day, currency, time_zone)"
    " VALUES (1, 'rental', 'x', 1, 'USD', 'UTC')": ("428C9", None),
    "INSERT INTO listings (id, kind, title, price_per_day, currency, time_zone, sitter_id)"
    " VALUES ('abc', 'rental', 'x', 1, 'USD', 'UTC', %(sitter)s)": (CHECK, "listings_id_check"),
    "DELETE FROM listings WHERE id = %(listing)s": (KEY, "bookings_listing_id_listing_number_fkey"),
    "INSERT INTO listing_photos (listing_id, url, position) VALUES (%(listing)s, 'http://x.org/1', 0)": (
        CHECK,
        "listing_photos_url_check",
    ),
    "INSERT INTO listing_photos (listing_id, url, position) VALUES (%(listing)s, 'https://x.org/ 1', 0)": (
        CHECK,
        "listing_photos_url_check",
    ),
    "INSERT INTO listing_photos (listing_id, url, position) VALUES (%(listing)s, 'https://x.org/1', 20)": (
        CHECK,
        "listing_photos_position_check",
    ),
    "INSERT INTO listing_photos (listing_id, url, position, caption) VALUES (%(listing)s, 'https://x.org/1', 0, '')": (
        CHECK,
        "listing_photos_caption_check",
    ),
    "INSERT INTO listing_photos (listing_id, url, position)"
    " VALUES (%(listing)s, 'https://x.org/1', 0), (%(listing)s, 'https://x.org/2', 0)": (
        UNIQUE,
        "listing_photos_listing_id_position_key",
    ),
    "INSERT INTO listing_photos (listing_id, url, position)"
    " VALUES ('z00000000000000000000000', 'https://x.org/1', 0)": (KEY, "listing_photos_listing_id_fkey"),
    "INSERT INTO listing_reviews (booking_id, listing_id, author_id, rating)"
    " VALUES (%(confirmed)s, %(listing)s, %(owner)s, 5)": (
        KEY,
        "listing_reviews_booking_id_listing_id_booking_status_fkey",
    ),
    "INSERT INTO listing_reviews (booking_id, listing_id, author_id, rating)"
    " VALUES (%(completed)s, %(elsewhere)s, %(owner)s, 5)": (
        KEY,
        "listing_reviews_booking_id_listing_id_booking_status_fkey",
    ),
    "INSERT INTO listing_reviews (booking_id, listing_id, author_id, rating)"
    " VALUES (%(completed)s, %(listing)s, %(sitter)s, 5)": (KEY, "listing_reviews_booking_id_author_id_fkey"),
    "INSERT INTO listing_reviews (booking_id, listing_id, rating) VALUES (%(completed)s, %(listing)s, 5)": (
        CHECK,
        "listing_reviews_author_check",
    ),
    "INSERT INTO listing_reviews (booking_id, listing_id, author_id, rating)"
    " VALUES (%(reviewed)s, %(listing)s, %(owner)s, 5)": (UNIQUE, "listing_reviews_booking_id_key"),
    "INSERT INTO listing_reviews (booking_id, listing_id, author_id, rating)"
    " VALUES (%(completed)s, %(listing)s, %(owner)s, 6)": (CHECK, "listing_reviews_rating_check"),
    "INSERT INTO listing_reviews (booking_id, listing_id, author_id, rating)"
    " VALUES (%(completed)s, %(listing)s, %(owner)s, 0)": (CHECK, "listing_reviews_rating_check"),
    "INSERT INTO listing_reviews (booking_id, listing_id, author_id, rating, text)"
    " VALUES (%(completed)s, %(listing)s, %(owner)s, 5, ' ')": (CHECK, "listing_reviews_text_check"),
    "INSERT INTO calendar_feeds (listing_id, token_hash) VALUES (%(listing)s, 'a token itself')": (
        CHECK,
        "calendar_feeds_token_hash_check",
    ),
    "INSERT INTO calendar_feeds (listing_id, token_hash)"
    " VALUES ('z00000000000000000000000', repeat('0123456789abcdef', 4))": (KEY, "calendar_feeds_listing_id_fkey"),
    "INSERT INTO calendar_feeds (listing_id, token_hash) SELECT id, repeat('0123456789abcdef', 4) FROM listings": (
        UNIQUE,
        "calendar_feeds_token_hash_key",
    ),
    "WITH told AS (INSERT INTO notifications (id, type, actor, target, context)"
    " SELECT new_cuid2(), 'Invite', %(owner)s, %(sitter)s, 'booking' RETURNING id)"
    " INSERT INTO booking_notifications SELECT id, 'z0' FROM told": (KEY, "booking_notifications_booking_id_fkey"),
    "INSERT INTO booking_notifications VALUES ('z00000000000000000000000', %(pending)s)": (
        KEY,
        "booking_notifications_notification_id_fkey",
    ),
    "UPDATE listing_kinds SET hold_minutes = 0": (CHECK, "listing_kinds_hold_minutes_check"),
    "UPDATE listing_kinds SET longest_days = 3661": (CHECK, "listing_kinds_longest_days_check"),
    "UPDATE listing_kinds SET furthest_days = 0": (CHECK, "listing_kinds_furthest_days_check"),
    "UPDATE listing_kinds SET key = 'Pet Sitting' WHERE key = 'rental'": (CHECK, "listing_kinds_key_check"),
    "DELETE FROM listing_kinds WHERE key = 'rental'": (KEY, "listings_kind_fkey"),
    "UPDATE currencies SET digits = 4": (CHECK, "currencies_digits_check"),
    "INSERT INTO currencies VALUES ('usd', 2)": (CHECK, "currencies_code_check"),
    "DELETE FROM currencies WHERE code = 'USD'": (KEY, "listings_currency_fkey"),
    "DELETE FROM time_zones": (KEY, "listings_time_zone_fkey"),
}


@pytest.mark.parametrize("query", OTHERS)
def test_a_row_is_refused(world: World, query: str) -> None:
    assert world.refused(query) == OTHERS[query]


@pytest.mark.parametrize(
    "query",
    [
        (
            "INSERT INTO listing_reviews (booking_id, listing_id, author_id, rating, text)"
            " VALUES (%(completed)s, %(listing)s, %(owner)s, 1, 'ñ')"
        ),
        "UPDATE listings SET price_per_day = 25.500, currency = 'EUR', available = false WHERE id = %(listing)s",
        "UPDATE listings SET lat = 90, lng = 180 WHERE id = %(listing)s",
        "UPDATE listings SET lat = -90, lng = -180 WHERE id = %(listing)s",
        "UPDATE listings SET lat = NULL, lng = NULL WHERE id = %(listing)s",
        "UPDATE listings SET time_zone = 'America/Argentina/Buenos_Aires' WHERE id = %(elsewhere)s",
        "UPDATE listings SET time_zone = time_zone, title = 'y' WHERE id = %(listing)s",
        "DELETE FROM listings WHERE id = %(withdrawn)s",
    ],
)
def test_a_row_is_taken(world: World, query: str) -> None:
    assert world.taken(query) == [(1,)]


ZONES = ("Pacific/Kiritimati", "Etc/GMT+12")
"""The first and the last in which a day is over: one date lies between them, or two."""


@pytest.mark.parametrize(
    ("days", "status", "there", "here", "is_let"),
    [
        ("today, today + 1", "pending", *ZONES, False),
        ("today + 300, today + 301", "confirmed", *ZONES, False),
        ("today - 1, today", "confirmed", *ZONES, False),  # over there, and not here
        ("today - 3, today - 2", "confirmed", *ZONES, True),
        ("today - 1, today", "confirmed", *ZONES[::-1], True),
        ("today, today + 1", "confirmed", *ZONES[::-1], False),
        ("today + 3, today + 4", "cancelled", *ZONES, True),
        ("today + 3, today + 4", "blocked", *ZONES, True),
    ],
)
def test_what_is_booked_keeps_its_time_zone(
    world: World, days: str, status: str, there: str, here: str, is_let: bool
) -> None:
    key, sitter, owner = "x00000000000000000000000", world.names["sitter"], world.names["owner"]
    listing = (
        "INSERT INTO listings (id, kind, sitter_id, title, price_per_day, currency, time_zone)"
        f" VALUES ('{key}', 'rental', '{sitter}', 'x', 1, 'USD', '{there}')"
    )
    rest = {
        "pending": f"'{owner}', now() + interval '1 hour', 1, 'USD', 'owner'",
        "confirmed": f"'{owner}', NULL, 1, 'USD', 'sitter'",
        "cancelled": f"'{owner}', NULL, 1, 'USD', 'clock'",
        "blocked": "NULL, NULL, NULL, NULL, 'sitter'",
    }[status]
    put = (
        "INSERT INTO bookings (listing_id, listing_number, sitter_id, days, status, status_at, owner_id, hold_until,"
        f" price_per_day, currency, status_as) SELECT id, number, sitter_id, daterange({days}), '{status}', now(),"
        f" {rest} FROM listings, LATERAL (SELECT (clock_timestamp() AT TIME ZONE time_zone)::date AS today)"
        f" WHERE id = '{key}'"
    )
    change = f"UPDATE listings SET time_zone = '{here}' WHERE id = '{key}'"
    replica, origin = (f"SET LOCAL session_replication_role = {one}" for one in ("replica", "origin"))
    if is_let:
        assert world.taken(listing, replica, put, origin, change) == [(1,)]
    else:
        assert world.refused(listing, replica, put, origin, change) == (CHECK, "listings_booked_check")


def test_a_hold_that_has_run_out_keeps_no_time_zone(world: World) -> None:
    key = "x00000000000000000000000"
    listing = (
        "INSERT INTO listings (id, kind, sitter_id, title, price_per_day, currency, time_zone)"
        f" VALUES ('{key}', 'rental', %(sitter)s, 'x', 1, 'USD', 'UTC')"
    )
    out = f"UPDATE bookings SET hold_until = clock_timestamp() WHERE listing_id = '{key}'"
    change = f"UPDATE listings SET time_zone = 'Asia/Tokyo' WHERE id = '{key}'"
    assert world.taken(listing, booking(listing_id=f"'{key}'") + "id", out, change) == [(1,)]


def test_photos_change_places_in_one_statement(world: World) -> None:
    made = (
        "INSERT INTO listing_photos (listing_id, url, position)"
        " SELECT %(listing)s, 'https://x.org/1', place FROM generate_series(0, 19) AS place"
    )
    assert world.taken(made, "UPDATE listing_photos SET position = 19 - position") == [(20,)]


def test_price_of_a_booking_stays_when_that_of_the_listing_changes(world: World) -> None:
    found = world.taken(
        "UPDATE listings SET price_per_day = 99, currency = 'EUR' WHERE id = %(listing)s",
        UPDATE,
        "SELECT status::text, price_per_day::text, currency, total::text FROM bookings WHERE id = %(pending)s",
        to="confirmed",
        by=world.names["sitter"],
        why=None,
        booking=world.names["pending"],
    )
    assert found == [("confirmed", "25.000", "USD", "50.000")]
