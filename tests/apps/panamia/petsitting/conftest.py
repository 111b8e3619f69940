"""Pana MIA's database with the schemas of both, its own and the sidecar's, and the role that the sidecar runs as."""

from __future__ import annotations

import datetime
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import psycopg
import pytest

from tests.apps.panamia.petsitting.sidecar import Sidecar, sidecar_of
from tests.apps.panamia.petsitting.world import World, world_of
from tests.apps.panamia.sidecars import HOME, Database, Template, template
from tests.fix_postgres import drop_database

SIDECAR = HOME / "petsitting"

_LISTING = {
    "kind": "pet-sitting",
    "title": 'Perros "felices" & O\'Gatos 🐕',
    "price_per_day": "25.00",
    "currency": "USD",
    "time_zone": "America/New_York",
}


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Which loop asynchronous tests run on."""
    return "asyncio"


class Pets(Database):
    """A database with all schemas, and what tests do to it."""

    def make_listing(self, sitter: str | None = None, **columns: object) -> str:
        """Make a listing in New York, 25 dollars a day, of a sitter, else of a new one; return the id."""
        values = {"sitter_id": sitter or self.make_user(), **_LISTING, **columns}
        return str(self.insert("listings", values, "id"))

    def book(self, listing: str, first: int, end: int, owner: str | None = None, **columns: object) -> str:
        """Book days of a listing, counted from its own today, for an owner, else for a new one; return the id."""
        values = {"listing_id": listing, "owner_id": owner or self.make_user(), **columns}
        return str(self.insert("bookings", {**values, "days": self.days(listing, first, end)}, "id"))

    def block(self, listing: str, first: int, end: int, **columns: object) -> str:
        """Let the sitter keep days free, counted as in `book`; return the id."""
        values = {"listing_id": listing, "status": "blocked", "days": self.days(listing, first, end), **columns}
        return str(self.insert("bookings", values, "id"))

    def step(self, booking: str, status: str, by: str | None = None, why: str | None = None) -> None:
        """Take a booking a step further."""
        query = "UPDATE bookings SET status = %s, status_by = %s, status_why = %s WHERE id = %s"
        self.rows(query, status, by, why, booking)

    def days(self, listing: str, first: int, end: int) -> str:
        """Return a range of days, counted from a listing's own today: from one up to another, which is not in it."""
        today = self.today(listing)
        return f"[{today + datetime.timedelta(first)},{today + datetime.timedelta(end)})"

    def today(self, listing: str) -> datetime.date:
        """Which day it is where a listing is."""
        query = "SELECT (clock_timestamp() AT TIME ZONE time_zone)::date FROM listings WHERE id = %s"
        return self.rows(query, listing)[0][0]

    def without_rules(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Write what no trigger and no foreign key lets through: what was long ago, and damage."""
        with psycopg.connect(self.owner) as connection:
            connection.execute("SET LOCAL session_replication_role = replica")
            cursor = connection.execute(query.encode(), values or None)
            return cursor.fetchall() if cursor.description is not None else []

    def long_ago(self, booking: str, days: int) -> None:
        """Move the days of a booking so many days into the past; a hold runs out."""
        query = "UPDATE bookings SET days = daterange(lower(days) - %s, upper(days) - %s),"
        query += " hold_until = hold_until - make_interval(days => %s) WHERE id = %s"
        self.without_rules(query, days, days, days, booking)

    def run_out(self, booking: str) -> None:
        """Let the hold of a booking run out."""
        self.rows("UPDATE bookings SET hold_until = clock_timestamp() WHERE id = %s", booking)


@pytest.fixture(scope="session")
def pets_schema(postgres: str) -> Iterator[Template]:
    """A database with all schemas and the sidecar's rights, to be copied."""
    with template(postgres, "petsitting") as found:
        yield found


def pets_made(postgres: str, pets_schema: Template) -> Iterator[Callable[[], Pets]]:
    """Give a function that makes such databases, empty; they are dropped when it goes on."""
    made: list[Pets] = []

    def make() -> Pets:
        found = pets_schema.copy(postgres)
        made.append(Pets(found.owner, found.role))
        return made[-1]

    yield make
    for one in made:
        drop_database(postgres, one.owner)


@pytest.fixture
def make_pets(postgres: str, pets_schema: Template) -> Iterator[Callable[[], Pets]]:
    """Return a function that makes such databases for a test."""
    yield from pets_made(postgres, pets_schema)


@pytest.fixture(scope="module")
def make_module_pets(postgres: str, pets_schema: Template) -> Iterator[Callable[[], Pets]]:
    """As `make_pets`, for all tests of a module."""
    yield from pets_made(postgres, pets_schema)


@pytest.fixture(scope="module")
def world(make_module_pets: Callable[[], Pets]) -> Iterator[World]:
    """One for all tests of a module: each statement is refused, or rolled back."""
    with world_of(make_module_pets()) as found:
        yield found


@pytest.fixture
def pets(make_pets: Callable[[], Pets]) -> Pets:
    """One such database."""
    return make_pets()


@pytest.fixture
async def start(pets: Pets) -> AsyncIterator[Callable[..., Any]]:
    """Return what starts the sidecar over `pets` with further settings: `sidecar = await start(PUBLIC_URL="…")`."""
    running: list[Sidecar] = []

    async def started(**more: str) -> Sidecar:
        sidecar = sidecar_of(pets, **more)
        await sidecar.start()
        running.append(sidecar)
        return sidecar

    yield started
    for sidecar in running:
        await sidecar.end()


@pytest.fixture
async def sidecar(start: Callable[..., Any]) -> Sidecar:
    """The sidecar as most tests want it."""
    return await start()
