"""Every route of the sidecar asked by everybody: nobody, people whose session is over or who are locked, strangers, and
the two people of a booking.

The routes are those of the application itself; one that stands in no list here fails the test, so that nobody adds a
route without saying whose it is. Each request is for what is there (`possessions`): whoever has no part in it changes
no row, and no answer holds a mark of it. Oracle: the lists and the table below, from the design. The application runs
as the role that is the sidecar's.
"""

from __future__ import annotations

import datetime

import httpx
import pytest
from fastapi import FastAPI

from tests.apps.panamia.petsitting.conftest import Pets
from tests.apps.panamia.petsitting.possessions import (
    HIDDEN,
    MESSAGE,
    NAME,
    STATUSES,
    Stays,
    add_parts,
    bodies_of,
    book,
    held,
    own_everything,
    requests_of,
)
from tests.apps.panamia.petsitting.sidecar import Sidecar
from tests.apps.panamia.routes_of import routes_of
from tests.apps.panamia.service.asked_of import Request

pytestmark = pytest.mark.anyio

EVERYBODY = {
    "GET /health",
    "GET /ready",
    "GET /",
    "GET /pages/style.css",
    "GET /pages/send.js",
    "GET /pages/base.css",
    "GET /pages/docs.js",
    "GET /docs",
    "GET /api/kinds",
    "GET /api/currencies",
    "GET /api/listings",
}
OF_OFFERED = {
    "GET /api/listings/{key}",
    "GET /api/listings/{key}/photos",
    "GET /api/listings/{key}/reviews",
    "GET /api/listings/{key}/calendar",
    "GET /api/listings/{key}/calendar.ics",
    "GET /listings/{key}/calendar",
}
"""Everybody's where the listing is offered; else its sitter's, and theirs who have booked it."""
PEOPLE = {"POST /api/listings", "GET /api/listings/mine", "POST /api/bookings", "GET /api/bookings"}
SITTERS = {
    "PATCH /api/listings/{key}",
    "DELETE /api/listings/{key}",
    "POST /api/listings/{key}/photos",
    "DELETE /api/listings/{key}/photos/{photo}",
    "GET /api/listings/{key}/blocks",
    "POST /api/listings/{key}/blocks",
    "DELETE /api/listings/{key}/blocks/{block}",
    "POST /api/listings/{key}/feed",
    "DELETE /api/listings/{key}/feed",
}
PAGES_OF_SITTERS = {"GET /listings/{key}/edit"}
OF_BOOKINGS = {
    "GET /api/bookings/{key}",
    "POST /api/bookings/{key}/confirm",
    "POST /api/bookings/{key}/decline",
    "POST /api/bookings/{key}/cancel",
    "POST /api/bookings/{key}/review",
}
"""Theirs who are its owner and its sitter."""
PAGES = {"GET /bookings", "GET /bookings/{key}", "GET /listings", "GET /listings/new"}
"""Nobody is sent to sign in."""

_TABLE = """
    action  | pending      | confirmed    | cancelled | declined | completed
    confirm | sitter       |              |           |          |
    decline | sitter       |              |           |          |
    cancel  | owner sitter | owner sitter |           |          |
    review  |              |              |           |          | owner
"""
_ROWS = [[cell.strip() for cell in line.split("|")] for line in _TABLE.strip().splitlines()[1:]]
MAY = {(row[0], status): set(cell.split()) for row in _ROWS for status, cell in zip(STATUSES, row[1:], strict=True)}
OF_ONE_SIDE = {("confirm", "owner"), ("decline", "owner"), ("review", "sitter")}
"""Whatever the status, this side never does it."""


@pytest.fixture
def stays(pets: Pets) -> Stays:
    return own_everything(pets)


def named(app: FastAPI) -> list[str]:
    """Method and path of every route, also of the pages, deletions last."""
    return sorted(routes_of(app), key=lambda one: (one.startswith("DELETE"), one))


def holds_none_of(answer: httpx.Response, one: Request, stays: Stays, *known: str) -> None:
    """Look whether an answer tells what is not for whoever asked; tokens and addresses are for nobody."""
    assert answer.status_code < 500, f"{one}: {answer.text}"
    assert "set-cookie" not in answer.headers, str(one)
    told, sent = f"{answer.headers} {answer.text}", str(one)
    for kind, mark in stays.marks.items():
        assert kind in known or mark in sent or mark not in told, f"{one}: told {kind}"
    for secret in (*stays.feeds.values(), *stays.hashes, ".private@example.org"):
        assert secret in sent or secret not in told, f"{one}: an address or a token is told"


async def test_every_route_is_somebody_s(sidecar: Sidecar) -> None:
    lists = [EVERYBODY, OF_OFFERED, PEOPLE, SITTERS, OF_BOOKINGS, PAGES, PAGES_OF_SITTERS]
    assert named(sidecar.app) == sorted(
        {one for each in lists for one in each}, key=lambda one: (one[:6] == "DELETE", one)
    )
    assert sum(map(len, lists)) == len(named(sidecar.app)), "in one list each"


async def test_whoever_is_not_signed_in_reads_what_is_everybody_s_and_writes_nothing(
    sidecar: Sidecar, stays: Stays
) -> None:
    """Also people who were: the sitter and the owner themselves, whose session is over, and somebody who is locked."""
    pets = sidecar.pets
    tokens = [None, "no such session", *(pets.make_session(one, hours=-1) for one in (stays.sitter, stays.owner))]
    locked = pets.make_user("locked.private@example.org", locked_at=datetime.datetime.now(datetime.UTC))
    pets.book(stays.offered, 80, 82, locked)
    clients = [sidecar.client(one) for one in (*tokens, pets.make_session(locked))]
    before = held(pets)
    for one in requests_of(named(sidecar.app), stays):
        for client in clients:
            answer = await one.by(client)
            holds_none_of(answer, one, stays)
            if one.route in EVERYBODY:
                assert answer.status_code == 200, (str(one), answer.text)
            elif one.route in OF_OFFERED:
                open_to_all = stays.offered in one.path and "token=" not in one.path
                assert answer.status_code == (200 if open_to_all else 404), (str(one), answer.text)
            elif one.route in PAGES | PAGES_OF_SITTERS:
                assert (answer.status_code, answer.headers["location"]) == (303, "http://localhost:3000/signin")
            else:
                assert (answer.status_code, answer.json()) == (401, {"error": "Unauthorized"}), str(one)
    assert held(pets) == before


@pytest.mark.parametrize("who", ["stranger", "another sitter", "neighbour"])
async def test_nothing_of_somebody_is_another_one_s_to_read_or_write(sidecar: Sidecar, stays: Stays, who: str) -> None:
    """The neighbour has booked the same listings, and so sees them; and sees nothing else."""
    pets = sidecar.pets
    asker, own = stays.neighbour if who == "neighbour" else pets.make_user(screenname="Else"), None
    if who == "another sitter":
        own = own_everything(pets, " of others")
        asker = own.sitter
    client, known = sidecar.of(asker), [HIDDEN] if who == "neighbour" else []
    before = held(pets)
    for one in requests_of(named(sidecar.app), stays):
        answer = await one.by(client)
        mine = who == "neighbour" and any(key in one.path for key in stays.others)
        holds_none_of(answer, one, stays, *known)
        if one.route in OF_OFFERED:
            seen = (stays.offered in one.path or who == "neighbour") and "token=" not in one.path
            assert answer.status_code == (200 if seen else 404), (str(one), answer.text)
        elif "{" in one.route and not (mine and one.route in OF_BOOKINGS | PAGES):
            assert answer.status_code == 404, (str(one), answer.text)
        elif mine:
            assert answer.status_code in {200, 403, 409}, (str(one), answer.text)
    after = held(pets)
    assert before - after == {}, "changed or gone"
    new = {row for row in after - before if not row.startswith(("booking_steps: ", "booking_notifications: "))}
    assert {row.partition(":")[0] for row in new} <= {"listings", "bookings", "notifications", "notification_mails"}
    assert all(asker in row for row in new if not row.startswith("notification_mails")), "in nobody else's name"
    if own is not None:
        await _by_way_of_one_s_own(client, own, stays)
        assert after - held(pets) == {}


async def _by_way_of_one_s_own(client: httpx.AsyncClient, own: Stays, stays: Stays) -> None:
    """Name what is somebody else's behind a listing of one's own."""
    for mine in own.listings:
        for theirs in (*stays.photos.values(), *stays.blocks.values(), *stays.bookings.values()):
            for part in ("photos", "blocks"):
                answer = await client.delete(f"/api/listings/{mine}/{part}/{theirs}")
                assert answer.status_code == 404, (part, answer.text)
        for token in stays.feeds.values():
            assert (await client.get(f"/api/listings/{mine}/calendar.ics", params={"token": token})).status_code == 404


async def test_an_owner_reads_and_writes_nothing_of_the_sitter_s(sidecar: Sidecar, stays: Stays) -> None:
    pets, client = sidecar.pets, sidecar.of(stays.owner)
    before = held(pets)
    for one in requests_of([one for one in named(sidecar.app) if one not in PEOPLE | OF_BOOKINGS], stays):
        answer = await one.by(client)
        holds_none_of(answer, one, stays, HIDDEN, MESSAGE, NAME)
        if one.route in SITTERS | PAGES_OF_SITTERS:
            assert answer.status_code == 404, (str(one), answer.text)
        if one.route in PAGES and "{" in one.route:
            mine = any(key in one.path for key in stays.bookings.values())
            assert answer.status_code == (200 if mine else 404), (str(one), answer.text)
    assert held(pets) == before


async def test_the_sitter_reads_all_of_it_and_is_refused_none_of_it(sidecar: Sidecar, stays: Stays) -> None:
    """What the tests before this one send is sound, then: only whose it is stands against it."""
    client, done, told = sidecar.of(stays.sitter), set[str](), set[str]()
    for one in requests_of([one for one in named(sidecar.app) if one not in OF_BOOKINGS], stays):
        answer = await one.by(client)
        holds_none_of(answer, one, stays, *stays.marks)
        told |= {kind for kind, mark in stays.marks.items() if mark in answer.text}
        if answer.status_code in {200, 201, 204}:
            done.add(one.route)
        if one.route.endswith("/blocks/{block}"):  # a booking is no block
            assert answer.status_code in {204, 404}
    for listing in stays.listings:
        add_parts(stays, listing)
        file = await sidecar.client().get(
            f"/api/listings/{listing}/calendar.ics", params={"token": stays.feeds[listing]}
        )
        assert stays.marks[NAME] in file.text, "whoever has the link reads who booked"
    assert told == stays.marks.keys()
    missed = {*EVERYBODY, *OF_OFFERED, *PEOPLE, *SITTERS, *PAGES, *PAGES_OF_SITTERS} - done
    assert missed == {"POST /api/bookings", "DELETE /api/listings/{key}"}, "one's own, and one that has bookings"
    new = (await client.post("/api/listings", json=bodies_of(stays)["POST /api/listings"][0])).json()["id"]
    assert (await client.delete(f"/api/listings/{new}")).status_code == 204


@pytest.mark.parametrize("status", STATUSES)
async def test_each_of_the_two_takes_the_steps_of_the_table_and_no_other(
    sidecar: Sidecar, stays: Stays, status: str
) -> None:
    pets, sides = sidecar.pets, {"owner": stays.owner, "sitter": stays.sitter}
    clients = {side: sidecar.of(user) for side, user in sides.items()}
    bodies = {"confirm": None, "decline": {"why": "x"}, "cancel": {"why": "x"}, "review": {"rating": 3}}
    for (action, at), who in MAY.items():
        for side in sides if at == status else ():
            key = book(stays, status)
            before = held(pets)
            answer = await clients[side].post(f"/api/bookings/{key}/{action}", json=bodies[action])
            if side in who:
                assert answer.status_code == (201 if action == "review" else 200), (action, side, answer.text)
                assert held(pets) != before
                continue
            refused = 403 if (action, side) in OF_ONE_SIDE else 409
            assert answer.status_code == refused, (action, side, answer.text)
            assert held(pets) == before, (action, side)


async def test_a_step_that_says_no_reason_or_another_one_s_name_is_none(sidecar: Sidecar, stays: Stays) -> None:
    pets, client = sidecar.pets, sidecar.of(stays.sitter)
    before = held(pets)
    for body in ({}, {"why": ""}, {"why": "  "}, {"why": None}, {"why": "x", "statusBy": stays.owner}, [], None):
        answer = await client.post(f"/api/bookings/{stays.bookings['pending']}/cancel", json=body)
        assert answer.status_code == 422, (body, answer.text)
    assert held(pets) == before


async def test_what_a_locked_sitter_offers_nobody_sees_or_books(sidecar: Sidecar, stays: Stays) -> None:
    pets = sidecar.pets
    _, client = sidecar.signed_in()
    pets.rows("UPDATE users SET locked_at = now() WHERE id = %s", stays.sitter)
    before = held(pets)
    for one in requests_of([*sorted(OF_OFFERED), "GET /api/listings", "POST /api/bookings"], stays):
        answer = await one.by(client)
        holds_none_of(answer, one, stays)
        if one.route == "GET /api/listings":
            assert answer.json()["listings"] == [], str(one)
        elif one.route == "POST /api/bookings":
            assert (answer.status_code, answer.json()["code"]) == (409, "not-offered"), str(one)
        else:
            assert answer.status_code == 404, str(one)
    assert held(pets) == before
