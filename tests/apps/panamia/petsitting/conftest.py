"""Pana MIA's database with the schemas of both, its own and the sidecar's, and the role that the sidecar runs as."""

from __future__ import annotations

import datetime
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from apps.panamia.models.ids import new_id
from tests.apps.panamia.petsitting.sidecar import Sidecar, sidecar_of
from tests.apps.running import isthmus
from tests.apps.twins import twin_of
from tests.fix_postgres import create_database, drop_database

HOME = Path(__file__).parents[4] / "apps" / "panamia"
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


@dataclass(frozen=True)
class Pets:
    """A database with both schemas, and what tests do to it.

    Attributes:
        owner: Conninfo of who made the tables, who may do everything.
        role: Conninfo of a login that may do what `role.sql` lets the sidecar do.
    """

    owner: str
    role: str

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Ask as the owner, in a transaction of its own that is committed."""
        return _rows(self.owner, query, values)

    def rows_as_role(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Ask as the sidecar."""
        return _rows(self.role, query, values)

    def make_user(self, email: str | None = None, **columns: object) -> str:
        """Make a user, and return the id."""
        key = new_id()
        self._insert("users", {"id": key, "email": email or f"{key}@example.org", **columns})
        return key

    def make_session(self, user: str, *, hours: float = 24 * 30) -> str:
        """Make a session of a user that ends in so many hours, and return its token."""
        token = secrets.token_hex(16)
        expires = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=hours)
        self._insert("sessions", {"session_token": token, "user_id": user, "expires": expires})
        return token

    def make_listing(self, sitter: str | None = None, **columns: object) -> str:
        """Make a listing in New York, 25 dollars a day, of a sitter, else of a new one; return the id."""
        values = {"sitter_id": sitter or self.make_user(), **_LISTING, **columns}
        return str(self._insert("listings", values, "id"))

    def book(self, listing: str, first: int, end: int, owner: str | None = None, **columns: object) -> str:
        """Book days of a listing, counted from its own today, for an owner, else for a new one; return the id."""
        values = {"listing_id": listing, "owner_id": owner or self.make_user(), **columns}
        return str(self._insert("bookings", {**values, "days": self.days(listing, first, end)}, "id"))

    def block(self, listing: str, first: int, end: int, **columns: object) -> str:
        """Let the sitter keep days free, counted as in `book`; return the id."""
        values = {"listing_id": listing, "status": "blocked", "days": self.days(listing, first, end), **columns}
        return str(self._insert("bookings", values, "id"))

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

    def _insert(self, table: str, values: dict[str, object], returning: str | None = None) -> object:
        names = sql.SQL(", ").join(map(sql.Identifier, values))
        marks = sql.SQL(", ").join(sql.Placeholder() * len(values))
        query = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(sql.Identifier(table), names, marks)
        if returning is not None:
            query += sql.SQL(" RETURNING {}").format(sql.Identifier(returning))
        with psycopg.connect(self.owner) as connection:
            cursor = connection.execute(query, list(values.values()))
            return cursor.fetchall()[0][0] if returning is not None else None


def _rows(conninfo: str, query: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
    with psycopg.connect(conninfo) as connection:
        cursor = connection.execute(query.encode(), values or None)
        return cursor.fetchall() if cursor.description is not None else []


@pytest.fixture(scope="session")
def pets_schema(postgres: str) -> Iterator[tuple[str, dict[str, str]]]:
    """A database with both schemas and the sidecar's rights, to be copied; and what the sidecar logs in with."""
    database = create_database(postgres)
    deployed = isthmus("schema", "deploy", database=database, home=HOME)
    assert deployed.code == 0, deployed.said
    login, password = f"pet service {secrets.token_hex(4)} \"ü'", secrets.token_hex(16)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute((SIDECAR / "role.sql").read_bytes())
        made = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {} IN ROLE petsitting")
        connection.execute(made.format(sql.Identifier(login), sql.Literal(password)))
        row = connection.execute("SELECT current_setting('port')").fetchone()
    assert row is not None
    yield database, {"user": login, "password": password, "host": "127.0.0.1", "port": row[0]}
    drop_database(postgres, database)
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(login)))


def pets_made(postgres: str, pets_schema: tuple[str, dict[str, str]]) -> Iterator[Callable[[], Pets]]:
    """Give a function that makes such databases, empty; they are dropped when it goes on."""
    made: list[str] = []

    def make() -> Pets:
        database, login = pets_schema
        made.append(twin_of(postgres, database))
        return Pets(made[-1], make_conninfo(dbname=str(conninfo_to_dict(made[-1])["dbname"]), **login))

    yield make
    for database in made:
        drop_database(postgres, database)


@pytest.fixture
def make_pets(postgres: str, pets_schema: tuple[str, dict[str, str]]) -> Iterator[Callable[[], Pets]]:
    """Return a function that makes such databases for a test."""
    yield from pets_made(postgres, pets_schema)


@pytest.fixture(scope="module")
def make_module_pets(postgres: str, pets_schema: tuple[str, dict[str, str]]) -> Iterator[Callable[[], Pets]]:
    """As `make_pets`, for all tests of a module."""
    yield from pets_made(postgres, pets_schema)


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
