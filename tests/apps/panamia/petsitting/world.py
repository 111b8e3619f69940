"""A listing with a booking of each status, and the statements that the database refuses or takes."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

if TYPE_CHECKING:
    from tests.apps.panamia.petsitting.conftest import Pets

CHECK, TAKEN, KEY, UNIQUE, EMPTY = "23514", "23P01", "23503", "23505", "23502"

UPDATE = "UPDATE bookings SET status = %(to)s, status_by = %(by)s, status_why = %(why)s WHERE id = %(booking)s"
"""A step of a booking, as everybody writes it."""


@dataclass(frozen=True)
class World:
    """A listing with a booking of each status, and its people.

    Attributes:
        pets: The database.
        connection: Of its owner; nothing that is done there stays.
        names: What statements call things.
    """

    pets: Pets
    connection: psycopg.Connection
    names: dict[str, Any]

    def refused(self, *queries: str, **more: object) -> tuple[str | None, str | None]:
        """SQLSTATE and constraint by which the last of some statements is refused; they change nothing."""
        with self.connection.transaction(force_rollback=True):
            for one in queries[:-1]:
                self.connection.execute(one.encode())
            with pytest.raises(psycopg.Error) as refused, self.connection.transaction():
                self.connection.execute(queries[-1].encode(), {**self.names, **more})
        state = refused.value.sqlstate
        return KEY if state == "23001" else state, refused.value.diag.constraint_name  # RESTRICT, since PostgreSQL 18

    def taken(self, *queries: str, **more: object) -> list[tuple[Any, ...]]:
        """What the last of some statements returns, or how many rows it wrote; then all is rolled back."""
        with self.connection.transaction(force_rollback=True):
            for one in queries[:-1]:
                self.connection.execute(one.encode(), {**self.names, **more})
            cursor = self.connection.execute(queries[-1].encode(), {**self.names, **more})
            return cursor.fetchall() if cursor.description else [(cursor.rowcount,)]


@contextmanager
def world_of(pets: Pets) -> Generator[World]:
    """Make what there is in a database that is empty."""
    sitter, owner, other = (pets.make_user() for _ in range(3))
    listing = pets.make_listing(sitter, lat=25.76, lng=-80.19)
    names: dict[str, Any] = {"sitter": sitter, "owner": owner, "other": other, "listing": listing}
    names["today"] = pets.today(listing)
    names["pending"] = pets.book(listing, 1, 3, owner)
    names["confirmed"] = pets.book(listing, 3, 5, owner)
    pets.step(names["confirmed"], "confirmed", sitter)
    names["blocked"] = pets.block(listing, 5, 7)
    names["declined"] = pets.book(listing, 20, 21, owner)
    pets.step(names["declined"], "declined", sitter, "no")
    names["cancelled"] = pets.book(listing, 20, 21, owner)
    pets.step(names["cancelled"], "cancelled", owner, "ill")
    names["ran_out"] = pets.book(listing, 22, 23, owner)
    pets.run_out(names["ran_out"])
    names["ended"] = pets.book(listing, 24, 25, owner)
    pets.step(names["ended"], "confirmed", sitter)
    pets.long_ago(names["ended"], 100)
    names["begun"] = pets.book(pets.make_listing(sitter), 40, 45, owner)
    pets.step(names["begun"], "confirmed", sitter)
    pets.long_ago(names["begun"], 44)  # its last day is today
    names["completed"] = pets.book(listing, 24, 25, owner)
    pets.step(names["completed"], "confirmed", sitter)
    pets.long_ago(names["completed"], 200)
    pets.step(names["completed"], "completed")
    names["elsewhere"] = pets.make_listing(other, kind="rental", currency="JPY", price_per_day=12000)
    names["withdrawn"] = pets.make_listing(sitter, available=False)
    names["orphan"] = pets.make_listing(sitter)
    pets.rows("UPDATE listings SET sitter_id = NULL WHERE id = %s", names["orphan"])
    names["reviewed"] = pets.book(listing, 26, 27, owner)
    pets.step(names["reviewed"], "confirmed", sitter)
    pets.long_ago(names["reviewed"], 300)
    pets.step(names["reviewed"], "completed")
    query = "INSERT INTO listing_reviews (booking_id, listing_id, author_id, rating) VALUES (%s, %s, %s, 5)"
    pets.rows(query, names["reviewed"], listing, owner)
    with psycopg.connect(pets.owner) as connection:
        yield World(pets, connection, names)
        connection.rollback()


def booking(days: str = "daterange(%(today)s + 30, %(today)s + 33)", **columns: str) -> str:
    """Return an INSERT of a booking; columns are given as SQL."""
    values = {"listing_id": "%(listing)s", "owner_id": "%(owner)s", "days": days, **columns}
    values = {name: value for name, value in values.items() if value}
    return f"INSERT INTO bookings ({', '.join(values)}) VALUES ({', '.join(values.values())}) RETURNING "
