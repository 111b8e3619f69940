"""What becomes of a request when others write between two of its statements, or the clock goes on.

A hook of the engine does it at one statement after the other, in a transaction of another connection. Cannot see: what
happens while a statement runs; the crowds do.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from apps.panamia.petsitting.bookings.sweeping import sweep
from tests.apps.panamia.petsitting.sidecar import Sidecar

pytestmark = pytest.mark.anyio

READS = (
    "/api/listings/{listing}",
    "/api/listings/{listing}/calendar",
    "/api/listings/{listing}/calendar.ics",
    "/api/listings/{listing}/calendar.ics?token={token}",
    "/api/listings/{listing}/photos",
    "/api/listings/{listing}/blocks",
    "/api/listings/{listing}/reviews",
    "/listings/{listing}/calendar",
    "/listings/{listing}/edit",
    "/api/listings",
    "/api/listings/mine",
    "/",
    "/listings",
)


@contextmanager
def before_statements(sidecar: Sidecar, done: Callable[[str], None]) -> Generator[None]:
    """Call something with each statement of requests before it is sent."""

    def sent(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        done(statement)

    engine = sidecar.app.state.resources.engine.sync_engine
    event.listen(engine, "before_cursor_execute", sent)
    yield
    event.remove(engine, "before_cursor_execute", sent)


@pytest.mark.parametrize("path", READS)
async def test_listing_that_is_deleted_while_it_is_read_is_shown_or_not_found(sidecar: Sidecar, path: str) -> None:
    pets = sidecar.pets
    sitter = pets.make_user()
    browser = sidecar.of(sitter)
    statuses: list[int] = []
    while True:
        listing = pets.make_listing(sitter)
        pets.insert("listing_photos", {"listing_id": listing, "url": "https://example.org/x", "position": 0})
        made = await browser.post(f"/api/listings/{listing}/feed")
        asked = path.format(listing=listing, token=made.json()["url"].rpartition("=")[2])
        left = len(statuses)

        def delete(_: str, listing: str = listing) -> None:
            nonlocal left
            if left == 0:
                pets.rows("DELETE FROM listings WHERE id = %s", listing)
            left -= 1

        with before_statements(sidecar, delete):
            answer = await browser.get(asked)
        assert answer.status_code in {200, 404}, (len(statuses), answer.text)
        if left >= 0:
            break
        statuses.append(answer.status_code)
    assert len(statuses) > 2
    assert answer.status_code == 200
    assert ("{listing}" in path) == (404 in statuses)


async def test_hold_that_expires_while_it_is_confirmed_is_not_confirmed(sidecar: Sidecar) -> None:
    """Behind the check of the application, which still had some time: the constraint refuses, and all is as it was."""
    pets = sidecar.pets
    sitter, owner = pets.make_user(), pets.make_user()
    listing = pets.make_listing(sitter)
    answering, asking = sidecar.of(sitter), sidecar.of(pets.make_user())
    for seconds in (1, 5, 25):  # until the check, on however slow a machine
        booking = pets.book(listing, 1, 3, owner)
        hold = "UPDATE bookings SET hold_until = clock_timestamp() + make_interval(secs => %s) WHERE id = %s"
        pets.rows(hold, seconds, booking)
        written: list[str] = []

        def wait(statement: str, booking: str = booking, written: list[str] = written) -> None:
            if statement.startswith("UPDATE bookings"):
                written.append(statement)
                while pets.rows("SELECT FROM bookings WHERE id = %s AND hold_until > clock_timestamp()", booking):
                    time.sleep(0.05)

        with before_statements(sidecar, wait):
            late = await answering.post(f"/api/bookings/{booking}/confirm")
        assert (late.status_code, late.json()["code"]) == (409, "hold-expired"), late.text
        if written:
            break
        await sweep(sidecar.app.state.resources)
    assert len(written) == 1
    assert pets.rows("SELECT status::text, status_by FROM bookings WHERE id = %s", booking) == [("pending", owner)]
    steps = "SELECT to_status::text FROM booking_steps WHERE booking_id = %s"
    assert pets.rows(steps, booking) == [("pending",)]
    told = "SELECT FROM booking_notifications WHERE booking_id = %s"
    assert pets.rows(told, booking) == []
    days = [str(pets.today(listing) + datetime.timedelta(at)) for at in (1, 3)]
    again = await asking.post("/api/bookings", json={"listingId": listing, "from": days[0], "to": days[1]})
    assert again.status_code == 201, again.text
    assert pets.rows(steps + " ORDER BY id", booking) == [("pending",), ("cancelled",)]
