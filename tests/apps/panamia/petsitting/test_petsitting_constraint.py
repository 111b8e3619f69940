"""What the database refuses of bookings of itself, whoever writes: each CHECK, key and trigger, by SQLSTATE and name.

Oracle: the server. Blind spot: what the application makes of a refusal.
"""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.apps.panamia.petsitting.world import CHECK, EMPTY, KEY, TAKEN, UPDATE, World, booking

# A booking that begins


def test_a_booking_takes_from_its_listing_what_nobody_says(world: World) -> None:
    columns = "listing_number, sitter_id, price_per_day::text, currency, total::text, status::text, status_as::text"
    more = ", status_by, status_why, round(extract(epoch FROM hold_until - status_at) / 60)"
    number = world.pets.rows("SELECT number FROM listings WHERE id = %s", world.names["listing"])[0][0]
    found = world.taken(booking() + columns + more)
    sitter, owner = world.names["sitter"], world.names["owner"]
    assert found == [(number, sitter, "25.000", "USD", "75.000", "pending", "owner", owner, None, 24 * 60)]
    found = world.taken(
        booking("daterange(%(today)s + 500, %(today)s + 800)", listing_id="%(elsewhere)s") + columns + more
    )
    assert found[0][2:5] == ("12000.000", "JPY", "3600000.000")
    assert found[0][-1] == 30
    found = world.taken(booking(owner_id="", status="'blocked'") + columns + ", status_by, hold_until, owner_id")
    assert found == [(number, sitter, None, None, None, "blocked", "sitter", sitter, None, None)]


def test_a_hold_ends_with_its_first_day(world: World) -> None:
    """Where it is latest in the day, hours are left of it; a hold would last a day."""
    ends = world.taken(
        "INSERT INTO listings (id, kind, sitter_id, title, price_per_day, currency, time_zone)"
        " SELECT 'x00000000000000000000000', 'pet-sitting', %(sitter)s, 'x', 1, 'USD', name FROM time_zones"
        " ORDER BY (clock_timestamp() AT TIME ZONE name)::time DESC LIMIT 1",
        "INSERT INTO bookings (listing_id, owner_id, days) SELECT id, %(owner)s, daterange(today, today + 9)"
        " FROM listings, LATERAL (SELECT (clock_timestamp() AT TIME ZONE time_zone)::date AS today)"
        " WHERE id = 'x00000000000000000000000' RETURNING hold_until - clock_timestamp()",
    )
    assert datetime.timedelta(0) < ends[0][0] < datetime.timedelta(hours=2)


BEGINNINGS = {
    "days that are taken": (booking("daterange(%(today)s + 2, %(today)s + 3)"), TAKEN, "days_excl"),
    "days that are confirmed": (booking("daterange(%(today)s, %(today)s + 60)"), TAKEN, "days_excl"),
    "days that are blocked": (booking("daterange(%(today)s + 6, %(today)s + 8)"), TAKEN, "days_excl"),
    "a block over bookings": (
        booking("daterange(%(today)s + 2, %(today)s + 3)", owner_id="", status="'blocked'"),
        TAKEN,
        "days_excl",
    ),
    "no day": (booking("'empty'"), CHECK, "days_check"),
    "no days at all": (booking("NULL"), EMPTY, None),
    "no first day": (booking("daterange(NULL, %(today)s + 3)"), CHECK, "days_check"),
    "no last day": (booking("daterange(%(today)s + 30, NULL)"), CHECK, "days_check"),
    "a first day that never was": (booking("daterange('-infinity', %(today)s + 3)"), CHECK, "days_check"),
    "a last day that never comes": (booking("daterange(%(today)s + 30, 'infinity', '[]')"), CHECK, "days_check"),
    "an absurd year": (
        booking("daterange('2199-12-31', '2200-01-02')", owner_id="", status="'blocked'"),
        CHECK,
        "days_check",
    ),
    "a block of eleven years": (
        booking("daterange(%(today)s + 30, %(today)s + 30 + 3661)", owner_id="", status="'blocked'"),
        CHECK,
        "days_check",
    ),
    "yesterday": (booking("daterange(%(today)s - 1, %(today)s + 1)"), CHECK, "past_check"),
    "a block that is over": (
        booking("daterange(%(today)s - 3, %(today)s)", owner_id="", status="'blocked'"),
        CHECK,
        "past_check",
    ),
    "too long": (booking("daterange(%(today)s + 30, %(today)s + 121)"), CHECK, "longest_check"),
    "too far": (booking("daterange(%(today)s + 366, %(today)s + 367)"), CHECK, "furthest_check"),
    "the sitter's own": (booking(owner_id="%(sitter)s"), CHECK, "parties_check"),
    "nobody's": (booking(owner_id=""), CHECK, "live_parties_check"),
    "of a listing without a sitter": (booking(listing_id="%(orphan)s"), CHECK, "live_parties_check"),
    "a stranger as its sitter": (booking(sitter_id="%(other)s"), KEY, "listing_id_sitter_id_fkey"),
    "another listing's number": (
        booking(listing_number="(SELECT number FROM listings WHERE id = %(elsewhere)s)"),
        KEY,
        "listing_id_listing_number_fkey",
    ),
    "of no listing": (booking(listing_id="'z00000000000000000000000'"), KEY, "listing_id_listing_number_fkey"),
    "of null": (booking(listing_id="NULL"), KEY, "listing_id_listing_number_fkey"),
    "somebody who is not there": (booking(owner_id="'z00000000000000000000000'"), KEY, "owner_id_fkey"),
    "a listing that is withdrawn": (booking(listing_id="%(withdrawn)s"), CHECK, "offered_check"),
    "another price": (booking(price_per_day="24.99"), CHECK, "agreed_price_check"),
    "another currency": (booking(currency="'EUR'"), CHECK, "agreed_price_check"),
    "a price of a block": (booking(owner_id="", status="'blocked'", price_per_day="25"), CHECK, "price_check"),
    "somebody who books a block": (booking(status="'blocked'"), CHECK, "price_check"),
    "a hold of a block": (booking(owner_id="", status="'blocked'", hold_until="now()"), CHECK, "hold_until_check"),
    "a hold that lasts for ever": (booking(hold_until="'infinity'"), CHECK, "longest_hold_check"),
    "a hold that lasts too long": (booking(hold_until="now() + interval '25 hours'"), CHECK, "longest_hold_check"),
    "a reason for nothing": (booking(status_why="'so'"), CHECK, "status_why_check"),
    "a note without a word": (booking(note="E' \\n'"), CHECK, "note_check"),
    "a note that is too long": (booking(note="repeat('ñ', 2001)"), CHECK, "note_check"),
    "a key of another form": (booking(id="'65f0c1a2b3c4d5e6f7a8b9c0'"), CHECK, "id_check"),
    "confirmed at once": (booking(status="'confirmed'"), CHECK, "transition_check"),
    "cancelled at once": (booking(status="'cancelled'", status_why="'x'"), CHECK, "transition_check"),
    "declined at once": (booking(status="'declined'", status_why="'x'"), CHECK, "transition_check"),
    "completed at once": (booking(status="'completed'"), CHECK, "transition_check"),
}


@pytest.mark.parametrize("name", BEGINNINGS)
def test_a_booking_does_not_begin_as(world: World, name: str) -> None:
    query, state, constraint = BEGINNINGS[name]
    assert world.refused(query + "id") == (state, constraint and f"bookings_{constraint}")


@pytest.mark.parametrize(
    "query",
    [
        booking("daterange(%(today)s, %(today)s + 1)"),
        booking("daterange(%(today)s + 7, %(today)s + 20)"),
        booking("daterange(%(today)s + 30, %(today)s + 120)"),
        booking("daterange(%(today)s + 365, %(today)s + 366)"),
        booking("daterange(%(today)s + 20, %(today)s + 22)"),  # others' that were declined and cancelled
        booking("daterange(%(today)s + 22, %(today)s + 23)"),  # a hold that has run out
        booking("daterange(%(today)s - 3, %(today)s + 1)", owner_id="", status="'blocked'"),
        booking("daterange(%(today)s + 30, %(today)s + 30 + 3660)", owner_id="", status="'blocked'"),
        booking("daterange(%(today)s + 30, %(today)s + 33)", owner_id="", status="'blocked'", listing_id="%(orphan)s"),
        booking("daterange(%(today)s + 30, %(today)s + 33)", price_per_day="25.000", currency="'USD'"),
        booking(hold_until="now() + interval '1 minute'"),
        booking("daterange(%(today)s + 1, %(today)s + 5)", listing_id="%(elsewhere)s"),
    ],
)
def test_a_booking_begins(world: World, query: str) -> None:
    if "orphan" in query:  # a block has nobody's name, but somebody has made it
        assert world.taken(query + "status_by") == [(None,)]
    else:
        assert len(world.taken(query + "id")) == 1


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12", "UTC"])
def test_which_day_it_is_the_listing_says(world: World, zone: str) -> None:
    """There are two or three dates on Earth at any moment; 26 hours lie between the first two zones."""
    listing = (
        (
            "INSERT INTO listings (id, kind, sitter_id, title, price_per_day, currency, time_zone)"
            " VALUES ('x00000000000000000000000', 'rental', %(sitter)s, 'x', 1, 'USD', %(zone)s)"
        )
        .replace("%(zone)s", f"'{zone}'")
        .replace("%(sitter)s", f"'{world.names['sitter']}'")
    )
    days = (
        "INSERT INTO bookings (listing_id, owner_id, days)"
        " SELECT 'x00000000000000000000000', %(owner)s, daterange(today + %(first)s, today + %(first)s + 1)"
        " FROM (SELECT (clock_timestamp() AT TIME ZONE %(zone)s)::date) AS there (today)"
    )
    assert world.taken(listing, days, first=0, zone=zone) == [(1,)]
    assert world.refused(listing, days, first=-1, zone=zone) == (CHECK, "bookings_past_check")


# Steps

LEGAL = {
    ("pending", "confirmed", "sitter", None),
    ("pending", "declined", "sitter", "why"),
    ("pending", "cancelled", "sitter", "why"),
    ("pending", "cancelled", "owner", "why"),
    ("confirmed", "cancelled", "sitter", "why"),
    ("confirmed", "cancelled", "owner", "why"),
    ("ran_out", "cancelled", "sitter", "why"),
    ("ran_out", "cancelled", "owner", "why"),
    ("ran_out", "declined", "sitter", "why"),
    ("ran_out", "cancelled", None, None),
    ("begun", "cancelled", "owner", "why"),
    ("ended", "completed", None, None),
}
"""From, to, by and why. What is given besides of a `completed`, and of a reason where the clock acts, is dropped."""

_FROM = ("pending", "confirmed", "ran_out", "begun", "ended", "completed", "cancelled", "declined", "blocked")
_TO = ("pending", "confirmed", "cancelled", "declined", "completed", "blocked")


def _is_legal(before: str, to: str, by: str | None, why: str | None) -> bool:
    if to == "completed":
        by, why = None, None  # the clock does it, whoever asks
    elif to == "confirmed" or by is None:
        why = None
    return (before, to, by, why) in LEGAL


@pytest.mark.parametrize("before", _FROM)
@pytest.mark.parametrize("to", _TO)
def test_only_the_steps_that_there_are_are_taken_and_by_whom_they_are_open_to(
    world: World, before: str, to: str
) -> None:
    status = {"ran_out": "pending", "begun": "confirmed", "ended": "confirmed"}.get(before, before)
    if status == to:
        return  # no step
    for by in ("owner", "sitter", "other", None):
        for why in ("why", None):
            names = {"to": to, "by": by and world.names[by], "why": why, "booking": world.names[before]}
            if _is_legal(before, to, by, why):
                assert world.taken(UPDATE, **names) == [(1,)], (by, why)
            else:
                state, constraint = world.refused(UPDATE, **names)
                assert state == CHECK, (by, why, state)
                assert constraint is not None


@pytest.mark.parametrize(
    ("before", "to", "by", "why", "constraint"),
    [
        ("pending", "completed", None, None, "transition_check"),
        ("confirmed", "declined", "sitter", "x", "transition_check"),
        ("confirmed", "pending", "owner", None, "transition_check"),
        ("completed", "cancelled", "sitter", "x", "transition_check"),
        ("cancelled", "pending", "owner", None, "transition_check"),
        ("declined", "confirmed", "sitter", None, "transition_check"),
        ("blocked", "cancelled", "sitter", "x", "transition_check"),
        ("pending", "blocked", "sitter", None, "transition_check"),
        ("ran_out", "confirmed", "sitter", None, "hold_check"),
        ("confirmed", "completed", None, None, "completed_check"),
        ("begun", "cancelled", "sitter", "x", "begun_check"),
        ("begun", "completed", None, None, "completed_check"),
        ("ended", "cancelled", "owner", "x", "ended_check"),
        ("ended", "cancelled", "sitter", "x", "ended_check"),
        ("pending", "cancelled", None, None, "party_check"),
        ("confirmed", "cancelled", None, None, "party_check"),
        ("pending", "cancelled", "other", "x", "party_check"),
        ("pending", "confirmed", "owner", None, "status_as_check"),
        ("pending", "declined", "owner", "x", "status_as_check"),
        ("ran_out", "declined", None, None, "status_as_check"),
        ("pending", "cancelled", "owner", None, "status_why_check"),
        ("pending", "declined", "sitter", " \n", "status_why_check"),
        ("confirmed", "cancelled", "owner", "ñ" * 1001, "status_why_check"),
    ],
)
def test_a_step_is_refused_by_name(
    world: World, before: str, to: str, by: str | None, why: str | None, constraint: str
) -> None:
    names = {"to": to, "by": by and world.names[by], "why": why, "booking": world.names[before]}
    assert world.refused(UPDATE, **names) == (CHECK, f"bookings_{constraint}")


CHANGES = {
    "listing_id = %(elsewhere)s": (CHECK, "agreed_check"),
    "listing_number = listing_number + 1": (CHECK, "agreed_check"),
    "sitter_id = %(other)s": (CHECK, "agreed_check"),
    "owner_id = %(other)s": (CHECK, "agreed_check"),
    "days = daterange(lower(days), upper(days) + 100)": (CHECK, "agreed_check"),
    "price_per_day = price_per_day - 1": (CHECK, "agreed_check"),
    "currency = 'EUR'": (CHECK, "agreed_check"),
    "id = new_cuid2()": (CHECK, "agreed_check"),
    "owner_id = NULL": (CHECK, "live_parties_check"),
    "sitter_id = NULL": (CHECK, "live_parties_check"),
    "hold_until = NULL": (CHECK, "hold_until_check"),
    "hold_until = hold_until + interval '1 second'": (CHECK, "longest_hold_check"),
    "status_at = now()": (CHECK, "step_check"),
    "status_as = 'clock'": (CHECK, "step_check"),
    "status_by = %(sitter)s": (CHECK, "step_check"),
    "status_by = NULL": (CHECK, "step_check"),
    "status_why = 'x'": (CHECK, "step_check"),
    "note = ''": (CHECK, "note_check"),
    "total = 1": ("428C9", None),
}
"""What is written into a pending booking, and why not."""


@pytest.mark.parametrize("change", CHANGES)
def test_what_was_agreed_stays(world: World, change: str) -> None:
    state, constraint = CHANGES[change]
    refused = world.refused(f"UPDATE bookings SET {change} WHERE id = %(pending)s")
    assert refused == (state, constraint and f"bookings_{constraint}")


def test_a_note_is_edited_and_a_hold_cut_short(world: World) -> None:
    query = "UPDATE bookings SET note = 'ñ', hold_until = now() + interval '1 second' WHERE id = %(pending)s"
    assert world.taken(query) == [(1,)]


@pytest.mark.parametrize("name", ["pending", "confirmed", "cancelled", "declined", "completed", "ran_out"])
def test_only_a_block_is_deleted(world: World, name: str) -> None:
    refused = world.refused("DELETE FROM bookings WHERE id = %(booking)s", booking=world.names[name])
    assert refused == (CHECK, "bookings_kept_check")
    assert world.taken("DELETE FROM bookings WHERE id = %(blocked)s") == [(1,)]


def test_every_step_is_written_down(world: World) -> None:
    query = "SELECT from_status::text, to_status::text, done_as::text, done_by, why FROM booking_steps"
    names = world.names

    def steps(name: str) -> list[tuple[Any, ...]]:
        return world.pets.rows(f"{query} WHERE booking_id = %s ORDER BY id", names[name])

    begun = (None, "pending", "owner", names["owner"], None)
    confirmed = ("pending", "confirmed", "sitter", names["sitter"], None)
    assert steps("pending") == [begun]
    assert steps("declined") == [begun, ("pending", "declined", "sitter", names["sitter"], "no")]
    assert steps("cancelled") == [begun, ("pending", "cancelled", "owner", names["owner"], "ill")]
    assert steps("completed") == [begun, confirmed, ("confirmed", "completed", "clock", None, None)]
    assert steps("blocked") == []
    latest = "SELECT max(done_at) FROM booking_steps WHERE booking_id = b.id"
    assert world.pets.rows(f"SELECT count(*) FROM bookings AS b WHERE status_at <> ({latest})") == [(0,)]


# The constraints alone, where triggers are switched off


@pytest.mark.parametrize(
    ("columns", "state", "constraint"),
    [
        ({}, None, None),
        ({"days": "daterange(%(today)s + 2, %(today)s + 3)"}, TAKEN, "days_excl"),
        ({"days": "'empty'"}, CHECK, "days_check"),
        ({"days": "daterange(NULL, %(today)s + 3)"}, CHECK, "days_check"),
        ({"days": "daterange(%(today)s, NULL)"}, CHECK, "days_check"),
        ({"days": "daterange('-infinity', %(today)s)"}, CHECK, "days_check"),
        ({"days": "daterange(%(today)s, 'infinity')"}, CHECK, "days_check"),
        ({"days": "daterange('1999-12-31', '2000-01-02')"}, CHECK, "days_check"),
        ({"days": "daterange('2001-01-01', '2001-01-01'::date + 3661)"}, CHECK, "days_check"),
        ({"owner_id": "NULL"}, CHECK, "live_parties_check"),
        ({"sitter_id": "NULL"}, CHECK, "live_parties_check"),
        ({"owner_id": "%(sitter)s"}, CHECK, "parties_check"),
        ({"price_per_day": "NULL"}, CHECK, "price_check"),
        ({"price_per_day": "0"}, CHECK, "price_check"),
        ({"price_per_day": "'NaN'"}, CHECK, "price_check"),
        ({"currency": "NULL"}, CHECK, "price_check"),
        ({"hold_until": "NULL"}, CHECK, "hold_until_check"),
        ({"status": "'confirmed'", "status_as": "'sitter'"}, CHECK, "hold_until_check"),
        ({"status_as": "'clock'", "status_by": "NULL"}, CHECK, "status_as_check"),
        ({"status": "'completed'", "hold_until": "NULL"}, CHECK, "status_as_check"),
        ({"status": "'cancelled'", "hold_until": "NULL", "status_as": "'clock'"}, CHECK, "status_by_check"),
        ({"status": "'cancelled'", "hold_until": "NULL"}, CHECK, "status_why_check"),
        ({"status_at": "NULL"}, EMPTY, None),
        ({"listing_number": "NULL"}, EMPTY, None),
        ({"listing_number": "0"}, KEY, "listing_id_listing_number_fkey"),
        ({"sitter_id": "%(other)s"}, KEY, "listing_id_sitter_id_fkey"),
        ({"currency": "'XXX'"}, KEY, "currency_fkey"),
        ({"status_by": "'z00000000000000000000000'"}, KEY, "status_by_fkey"),
    ],
)
def test_the_constraints_alone_hold(
    world: World, columns: dict[str, str], state: str | None, constraint: str | None
) -> None:
    values = {
        "listing_id": "%(listing)s",
        "listing_number": "(SELECT number FROM listings WHERE id = %(listing)s)",
        "sitter_id": "%(sitter)s",
        "owner_id": "%(owner)s",
        "days": "daterange(%(today)s + 30, %(today)s + 33)",
        "status": "'pending'",
        "hold_until": "now()",
        "price_per_day": "1",
        "currency": "'EUR'",
        "status_at": "now()",
        "status_as": "'owner'",
        "status_by": "%(owner)s",
        **columns,
    }
    query = f"INSERT INTO bookings ({', '.join(values)}) VALUES ({', '.join(values.values())})"
    alone = "ALTER TABLE bookings DISABLE TRIGGER USER"
    if state is None:
        assert world.taken(alone, query) == [(1,)]
    else:
        assert world.refused(alone, query) == (state, constraint and f"bookings_{constraint}")


POINTED_AT = {
    "listings_number_key",
    "listings_id_number_key",
    "listings_id_sitter_id_key",
    "bookings_id_owner_id_key",
    "bookings_id_listing_id_status_key",
}
"""Keys that are unique without being said to be, for an id or an identity is."""
ALIKE = {
    "listing_photos_id_check",
    "listing_reviews_id_check",
    "booking_steps_booking_id_fkey",  # written by a trigger alone
    "booking_steps_done_by_fkey",
    "listing_reviews_author_id_fkey",  # the one to the booking's owner comes first
}
"""Constraints that no row meets, or that are as those of other tables."""


def test_every_constraint_is_met_by_a_test_here(world: World) -> None:
    """But primary keys, and unique keys that are there to be pointed at."""
    query = """
        SELECT conname::text FROM pg_constraint WHERE contype IN ('c', 'f', 'u', 'x') AND conrelid::regclass::text IN
            ('bookings', 'booking_steps', 'listings', 'listing_kinds', 'currencies', 'listing_photos',
             'listing_reviews', 'calendar_feeds', 'booking_notifications')"""
    files = sorted(Path(__file__).parent.glob("test_petsitting_constraint*.py"))
    text = "".join(one.read_text(encoding="utf-8").split("POINTED_AT =")[0] for one in files)
    names = {name for (name,) in world.pets.rows(query)}
    unmet = {one for one in names if f'"{one}"' not in text and f'"{one.removeprefix("bookings_")}"' not in text}
    assert unmet == POINTED_AT | ALIKE
