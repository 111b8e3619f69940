"""What the database refuses, and how the sidecar tells it: each constraint that a request can meet has its status, code
and words, and each code stands in the README.

The constraints are those of the database itself and of what its triggers raise; one that stands in no list here fails
the test, so that nobody adds a constraint without saying what people are told. Each that is told is met, by SQL past
the checks of the application. Cannot see: that no request meets one of the others, which `test_petsitting_fuzzed.py`
looks for.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from psycopg.errors import IntegrityError

import apps.panamia.petsitting as package
from apps.panamia.petsitting.refusals import OF_CONSTRAINTS
from tests.apps.panamia.petsitting.conftest import Pets

HOME = Path(package.__file__).parent
TABLES = ("listings", "listing_photos", "calendar_feeds", "bookings", "booking_steps", "listing_reviews")
NOBODY = "z" * 24

MET_BEFORE = {
    "bookings_days_excl": "taken.take: 409 taken, with the days",
    "listing_photos_listing_id_position_key": "photos.add holds the listing",
}
"""What requests can meet at one moment, and is seen to where it happens."""
SHAPES = re.compile(
    r"_(id|title|description|place|place_name|url|caption|position|note|rating|text|hold_until|price|token_hash)_check$"
    r"|_(pkey|number_key|id_number_key|id_sitter_id_key|id_owner_id_key|id_listing_id_status_key|token_hash_key)$"
)
"""What the models of bodies let nobody send, and keys that the database draws."""
NEVER_WRITTEN = {
    "bookings_status_as_check",
    "bookings_status_by_check",
    "bookings_status_why_check",
    "bookings_longest_hold_check",
    "bookings_agreed_price_check",
    "bookings_agreed_check",
    "bookings_step_check",
    "bookings_party_check",
    "bookings_kept_check",
    "listings_kept_check",
    "listings_sitter_check",
    "listing_reviews_author_check",
}
"""The application leaves these columns to the database, or never writes so."""
HELD = {
    "bookings_listing_id_sitter_id_fkey",
    "bookings_currency_fkey",
    "bookings_status_by_fkey",
    "booking_steps_booking_id_fkey",
    "booking_steps_done_by_fkey",
    "calendar_feeds_listing_id_fkey",
    "listing_photos_listing_id_fkey",
    "listing_reviews_author_id_fkey",
    "listing_reviews_booking_id_author_id_fkey",
    "listing_reviews_booking_id_listing_id_booking_status_fkey",
}
"""What these point at was looked at in the same transaction, and stays there until its end."""


def constraints_of(pets: Pets) -> set[str]:
    """Every name in which the database can refuse a row of the sidecar's tables."""
    there = pets.rows("SELECT conname FROM pg_constraint WHERE conrelid::regclass::text = ANY (%s)", list(TABLES))
    bodies = pets.rows("SELECT prosrc FROM pg_proc WHERE prosrc ~ 'refuse_row|CONSTRAINT ='")
    raised = {one for (body,) in bodies for one in re.findall(r"'((?:listing|booking)\w*_(?:check|fkey))'", body)}
    return {one for (one,) in there if not one.endswith("_not_null")} | raised


def test_each_constraint_is_told_or_cannot_be_met(pets: Pets) -> None:
    there = constraints_of(pets)
    named = {*OF_CONSTRAINTS, *MET_BEFORE, *NEVER_WRITTEN, *HELD}
    assert there - named - {one for one in there if SHAPES.search(one)} == set(), "say what people are told of these"
    assert named - there == set(), "these are none any more"
    assert sum(map(len, (OF_CONSTRAINTS, MET_BEFORE, NEVER_WRITTEN, HELD))) == len(named), "in one list each"


_BOOK = "INSERT INTO bookings (listing_id, owner_id, days) VALUES ('{listing}', '{owner}', '{days}')"
_STEP = "UPDATE bookings SET status = '{status}', status_by = '{by}', status_why = {why} WHERE id = '{booking}'"


class _Scene:
    """A listing, a booking of it, and who they are; each of its methods makes a statement that is refused."""

    def __init__(self, pets: Pets) -> None:
        self.pets, self.sitter, self.owner = pets, pets.make_user(), pets.make_user()
        self.listing = pets.make_listing(self.sitter)

    def listing_with(self, column: str, value: str) -> str:
        return f"UPDATE listings SET {column} = '{value}' WHERE id = '{self.listing}'"

    def new_listing_of_nobody(self) -> str:
        return (
            "INSERT INTO listings (kind, sitter_id, title, price_per_day, currency, time_zone)"
            f" VALUES ('rental', '{NOBODY}', 'x', 1, 'USD', 'UTC')"
        )

    def new_listing_of(self, kind: str) -> str:
        return self.new_listing_of_nobody().replace(NOBODY, self.sitter).replace("rental", kind)

    def booked(self, days: str, listing: str | None = None, owner: str | None = None) -> str:
        return _BOOK.format(listing=listing or self.listing, owner=owner or self.owner, days=days)

    def between(self, first: int, end: int) -> str:
        return self.pets.days(self.listing, first, end)

    def made(self, first: int, end: int, status: str | None = None) -> str:
        booking = self.pets.book(self.listing, first, end, self.owner)
        if status is not None:
            self.pets.step(booking, status, self.sitter)
        return booking

    def step(self, booking: str, status: str, by: str | None, why: str | None = None) -> str:
        found = _STEP.format(status=status, by=by, why="NULL" if why is None else f"'{why}'", booking=booking)
        return found.replace("'None'", "NULL")

    def withdrawn(self) -> str:
        self.pets.rows("UPDATE listings SET available = false WHERE id = %s", self.listing)
        return self.booked(self.between(1, 2))

    def without_sitter(self) -> str:
        self.pets.rows("DELETE FROM users WHERE id = %s", self.sitter)
        return self.booked(self.between(1, 2))

    def zone_of_booked(self) -> str:
        self.made(1, 3)
        return self.listing_with("time_zone", "Asia/Tokyo")

    def confirmed_too_late(self) -> str:
        booking = self.made(1, 3)
        self.pets.run_out(booking)
        return self.step(booking, "confirmed", self.sitter)

    def begun(self) -> str:
        return self.step(self.made(0, 3, "confirmed"), "cancelled", self.sitter, "x")

    def ended(self) -> str:
        booking = self.made(0, 3, "confirmed")
        self.pets.long_ago(booking, 30)
        return self.step(booking, "cancelled", self.owner, "x")

    def reviewed_twice(self) -> str:
        booking = self.made(0, 3, "confirmed")
        self.pets.long_ago(booking, 30)
        self.pets.step(booking, "completed")
        said = (
            "INSERT INTO listing_reviews (booking_id, listing_id, author_id, rating)"
            f" VALUES ('{booking}', '{self.listing}', '{self.owner}', 5)"
        )
        self.pets.rows(said)
        return said


REFUSED: dict[str, tuple[int, str | None, Callable[[_Scene], str]]] = {
    "listings_kind_fkey": (422, "wrong-kind", lambda one: one.new_listing_of("castle")),
    "listings_currency_fkey": (422, "wrong-currency", lambda one: one.listing_with("currency", "XXX")),
    "listings_time_zone_fkey": (422, "wrong-time-zone", lambda one: one.listing_with("time_zone", "Mars/North")),
    "listings_sitter_id_fkey": (401, None, _Scene.new_listing_of_nobody),
    "listings_digits_check": (422, "wrong-price", lambda one: one.listing_with("price_per_day", "1.001")),
    "listings_price_per_day_check": (422, "wrong-price", lambda one: one.listing_with("price_per_day", "0")),
    "listings_booked_check": (409, "booked", _Scene.zone_of_booked),
    "bookings_listing_id_listing_number_fkey": (404, None, lambda one: one.booked("[2030-01-01,2030-01-02)", NOBODY)),
    "bookings_owner_id_fkey": (401, None, lambda one: one.booked(one.between(1, 2), owner=NOBODY)),
    "bookings_parties_check": (400, "own-listing", lambda one: one.booked(one.between(1, 2), owner=one.sitter)),
    "bookings_days_check": (422, "wrong-days", lambda one: one.booked("empty")),
    "bookings_past_check": (422, "past", lambda one: one.booked(one.between(-1, 2))),
    "bookings_longest_check": (422, "too-long", lambda one: one.booked(one.between(1, 92))),
    "bookings_furthest_check": (422, "too-far", lambda one: one.booked(one.between(366, 367))),
    "bookings_offered_check": (409, "not-offered", _Scene.withdrawn),
    "bookings_live_parties_check": (409, "not-offered", _Scene.without_sitter),
    "bookings_transition_check": (
        409,
        "transition",
        lambda one: one.step(one.made(1, 2, "confirmed"), "declined", one.sitter, "x"),
    ),
    "bookings_hold_check": (409, "hold-expired", _Scene.confirmed_too_late),
    "bookings_begun_check": (409, "begun", _Scene.begun),
    "bookings_ended_check": (409, "transition", _Scene.ended),
    "bookings_completed_check": (
        409,
        "not-completed",
        lambda one: one.step(one.made(1, 2, "confirmed"), "completed", None),
    ),
    "listing_reviews_booking_id_key": (409, "reviewed", _Scene.reviewed_twice),
}
"""Constraint → the status and the code that are told of it, and a statement that meets it."""


@pytest.mark.parametrize("name", OF_CONSTRAINTS)
def test_what_the_database_refuses_is_told_by_its_constraint(pets: Pets, name: str) -> None:
    status, code, statement = REFUSED[name]
    told = OF_CONSTRAINTS[name]
    assert (told.status, told.code) == (status, code)
    assert len(told.error) > 8
    met = statement(_Scene(pets))
    with psycopg.connect(pets.owner) as connection, pytest.raises(IntegrityError) as fault:
        connection.execute(met.encode())
    assert fault.value.diag.constraint_name == name


_MAKERS = {"RefusedError": 2, "PriceChangedError": None, "bad": 1, "conflict": 1, "unfit": 1}
"""What refuses → which of its arguments is the code."""


def codes_of(folder: Path) -> set[str]:
    """Every code that the source text of a folder refuses with."""
    found: set[str] = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                at = 2 if name == "__init__" else _MAKERS.get(name)
                if at is not None and len(node.args) > at:
                    code = node.args[at]
                    if isinstance(code, ast.Constant) and isinstance(code.value, str):
                        found.add(code.value)
    return found


def test_each_code_stands_in_the_readme() -> None:
    codes = codes_of(HOME)
    assert {"taken", "price-changed", "begun", "too-often", "wrong-kind", "own-listing"} <= codes
    table = re.findall(r"^\| `([a-z-]+)` \| ([0-9, ]+) \|", (HOME / "README.md").read_text("utf-8"), re.MULTILINE)
    told = {code for code, _ in table}
    common = {
        "invalid",
        "cursor",
        "origin",
        "conflict",
        "busy",
        "too-slow",
        "overloaded",
        "postgres-away",
        "postgres-unsure",
    }
    assert told == codes | common
    for one in OF_CONSTRAINTS.values():
        assert one.code is None or str(one.status) in dict(table)[one.code], one.code
