"""Requests drawn from the sidecar's own OpenAPI, sound and unsound ones, sent to it as a process of its own.

Drawn and judged by `drawing`. Most are for rows that there are (`possessions`), asked by nobody, by an owner, and by
the sitter. The pages, which no OpenAPI tells of, get what people could put into their links. Cannot see: whether an
answer is right. Soak tests draw many more.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode

import httpx
import pytest

from tests.apps.panamia.drawing import Drawing
from tests.apps.panamia.petsitting.conftest import Pets
from tests.apps.panamia.petsitting.possessions import STATUSES, Stays, add_parts, book, keys_of, own_everything
from tests.apps.panamia.petsitting.sidecar import Sidecar
from tests.apps.running import SETTINGS
from tests.fix_postgres import free_port

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).parents[4]
DRAWN = 6
"""Requests of each kind to each route."""
OFTEN = 4
"""After how many requests for a step there is a new booking of which it is possible."""
NEEDS = {"confirm": "pending", "decline": "pending", "cancel": "confirmed", "review": "completed"}
DONE = {200, 201, 204, 409}
_OFFERS = {
    "PATCH /api/listings/{key}",
    "DELETE /api/listings/{key}",
    "GET /api/listings/{key}/blocks",
    "POST /api/listings/{key}/blocks",
    "DELETE /api/listings/{key}/blocks/{block}",
    "POST /api/listings/{key}/feed",
    "DELETE /api/listings/{key}/feed",
    "POST /api/listings/{key}/photos",
    "DELETE /api/listings/{key}/photos/{photo}",
}
_ANSWERS = {"POST /api/bookings/{key}/confirm", "POST /api/bookings/{key}/decline"}
_BOOKS = {"POST /api/bookings", "POST /api/bookings/{key}/review"}
_EITHER = {
    "GET /api/bookings",
    "GET /api/bookings/{key}",
    "POST /api/bookings/{key}/cancel",
    "GET /api/listings/mine",
    "POST /api/listings",
}
MISSED = {
    "nobody": _OFFERS | _ANSWERS | _BOOKS | _EITHER,  # 401
    "owner": _OFFERS | _ANSWERS,  # both listings are the sitter's: 404 and, of one's own bookings, 403
    "sitter": _BOOKS,  # nobody books days of one's own: 400; reviews are the owner's: 403
}
"""Which routes do nothing for whom, whatever is drawn."""


@pytest.fixture
def served(pets: Pets, tmp_path: Path) -> Iterator[str]:
    """URL of the sidecar as a process of its own, as the role that is the sidecar's."""
    with _serving(pets, tmp_path / "said") as url:
        yield url


@contextmanager
def _serving(pets: Pets, said: Path) -> Iterator[str]:
    url = f"http://127.0.0.1:{(port := free_port())}"
    environment = {name: value for name, value in os.environ.items() if not name.startswith((*SETTINGS, "MONGODB"))}
    environment |= {"POSTGRES_URL": pets.role, "PORT": str(port), "PUBLIC_URL": url, "MAIN_URL": "http://127.0.0.1:1"}
    environment["SWEEP_SECONDS"] = "0"  # or it is at the listing while a booking is made for the next request
    with said.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "apps.panamia.petsitting"], cwd=ROOT, env=environment, stdout=out, stderr=out
        )
    try:
        give_up_at = time.monotonic() + 120
        while not _answers(url):
            assert process.poll() is None, said.read_text()
            assert time.monotonic() < give_up_at, said.read_text()
            time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(20)
    assert "Traceback" not in said.read_text(), said.read_text()


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/ready").status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.slow
@pytest.mark.parametrize("who", ["nobody", "owner", "sitter"])
async def test_no_request_is_answered_with_a_fault(pets: Pets, served: str, who: str) -> None:
    await asyncio.to_thread(draw, pets, served, who, DRAWN)


@pytest.mark.soak
@pytest.mark.parametrize("who", ["nobody", "owner", "sitter"])
async def test_no_request_of_very_many_is_answered_with_a_fault(pets: Pets, served: str, who: str) -> None:
    await asyncio.to_thread(draw, pets, served, who, 50 * DRAWN)


class OfStays(Drawing):
    """Requests drawn for one who asks; three of four are for what there is, and are made to be possible."""

    def __init__(self, stays: Stays, headers: dict[str, str]) -> None:
        super().__init__(headers)
        self.stays = stays

    def renew(self, operation: Any) -> None:
        stays, pets = self.stays, self.stays.pets
        if operation.method.upper() == "GET":
            return
        pets.rows(
            "UPDATE listings SET available = true, price_per_day = 25, currency = 'USD', time_zone = 'America/New_York'"
            " WHERE id = %s",
            stays.offered,
        )
        for listing in stays.listings:
            add_parts(stays, listing)
        for status in STATUSES if operation.path.startswith("/api/bookings/{") else ():
            stays.bookings[status] = book(stays, status)

    def aim(self, case: Any, path: str, turn: int) -> None:
        stays = self.stays
        names = list[str](case.path_parameters or {})
        there_is = list(itertools.product(*(keys_of(stays, path, name) for name in names)))
        if names:
            case.path_parameters.update(zip(names, there_is[turn % len(there_is)], strict=True))
        at = 100 + 3 * (turn % 60)
        there = {
            **stays.days(at),
            "listingId": stays.offered,
            "listing": stays.offered,
            "kind": "pet-sitting",
            "currency": "USD",
            "timeZone": "America/New_York",
            "pricePerDay": "25.00",
            "minPrice": "1",
            "maxPrice": "30",
            "expectedPricePerDay": "25.00",
            "token": stays.feeds[stays.offered],
        }
        step = path.rpartition("/")[2]
        if step in NEEDS and turn % OFTEN == 0:
            case.path_parameters["key"] = stays.bookings[NEEDS[step]] = book(stays, NEEDS[step])
            there["rating"] = 4
        elif path == "/api/bookings" and turn % (2 * OFTEN) == 0:
            age(stays)
        for part in (case.query, case.body):
            if isinstance(part, dict):
                given = cast("dict[str, Any]", part)
                given.update({name: value for name, value in there.items() if name in given})
                if path.endswith("/calendar"):
                    given.pop("from", None)


def draw(pets: Pets, url: str, who: str, drawn: int) -> None:
    """Send requests to every route, sound ones and unsound ones; tell of every fault."""
    stays, headers = own_everything(pets), {"origin": url}
    asker = {"nobody": None, "owner": stays.owner, "sitter": stays.sitter}[who]
    if asker is not None:
        headers["cookie"] = f"authjs.session-token={pets.make_session(asker)}"
    drawing = OfStays(stays, headers)
    drawing.of_all(url, drawn)
    assert len(drawing.answers) > 20
    assert not drawing.faults, "\n\n".join(drawing.faults)
    assert {route for route, statuses in drawing.answers.items() if not statuses & DONE} == MISSED[who]
    if who == "owner":
        assert 429 not in drawing.answers["POST /api/bookings"]
        assert 201 in drawing.answers["POST /api/bookings/{key}/review"]


def age(stays: Stays) -> None:
    """Let all that the owner has asked for be of long ago, or one who books so much is refused nearly all of it."""
    stays.pets.without_rules(
        "UPDATE bookings SET created_at = created_at - interval '9 days', hold_until = hold_until - interval '8 days'"
        " WHERE owner_id = %s AND status = 'pending'",
        stays.owner,
    )


VALUES = (
    *("", " ", "x", "-1", "0", "1e9", "null", "a\0b", "ñ" * 201, "'; --", '"><script>', "%", "\\", "🐕", "\u202e"),
    *("0001-01-01", "9999-12-31", "2026-02-30", "99999999999-01-01", "99999999999999999999", "9" * 5_000, "nan"),
    *("never.a", "x1.a", "0.a", "9223372036854775807.a", "-9223372036854775808.a", "n0000000000000000.a", "p1.a"),
)
PAGES = {
    "/": ("kind", "from", "to", "q", "cursor"),
    "/bookings": ("cursor",),
    "/listings": ("cursor",),
    "/listings/new": (),
    "/listings/{listing}/edit": (),
    "/bookings/{booking}": (),
    "/listings/{listing}/calendar": ("from", "months"),
}


async def test_no_link_to_a_page_is_answered_with_a_fault(sidecar: Sidecar) -> None:
    stays = own_everything(sidecar.pets)
    clients = [sidecar.client(), sidecar.of(stays.owner), sidecar.of(stays.sitter)]
    for path, names in PAGES.items():
        found = path.format(booking=stays.bookings["pending"], listing=stays.offered)
        queries = ["", *(urlencode({name: value}) for name in names for value in VALUES)]
        for query, client in itertools.product(queries, clients):
            answer = await client.get(f"{found}?{query}")
            assert answer.status_code < 500, (found, query, answer.text)
            assert "<script>" not in answer.text
    for path, behind in (("/bookings/", ""), ("/listings/", "/calendar"), ("/listings/", "/edit")):
        for value in VALUES:
            key = urlencode({"": value})[1:]
            assert (await clients[1].get(f"{path}{key}{behind}")).status_code < 500, (path, value)
