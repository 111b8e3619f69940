"""Bookings by HTTP: asked for, answered, called off, over, reviewed; and what is refused, with which words."""

from __future__ import annotations

import asyncio
import datetime

import pytest

from apps.panamia.petsitting.bookings.sweeping import sweep
from tests.apps.panamia.petsitting.sidecar import Sidecar

pytestmark = pytest.mark.anyio


def day(sidecar: Sidecar, listing: str, at: int) -> str:
    """A day, counted from a listing's own today."""
    return str(sidecar.pets.today(listing) + datetime.timedelta(at))


def wish(sidecar: Sidecar, listing: str, first: int, end: int, **more: object) -> dict[str, object]:
    """What somebody sends who wants days."""
    return {"listingId": listing, "from": day(sidecar, listing, first), "to": day(sidecar, listing, end), **more}


async def test_days_are_asked_for_confirmed_and_cancelled_with_every_step_kept(sidecar: Sidecar) -> None:
    pets = sidecar.pets
    sitter, owner = pets.make_user(screenname="Sitter"), pets.make_user(screenname="Owner")
    listing = pets.make_listing(sitter)
    asking, answering = sidecar.of(owner), sidecar.of(sitter)
    asked = await asking.post(
        "/api/bookings", json=wish(sidecar, listing, 2, 5, message="¿Sí?", expectedTotal="75.00", currency="USD")
    )
    assert asked.status_code == 201, asked.text
    booking = asked.json()
    assert (booking["status"], booking["total"], booking["pricePerDay"], booking["currency"]) == (
        "pending",
        "75.00",
        "25.00",
        "USD",
    )
    confirmed = await answering.post(f"/api/bookings/{booking['id']}/confirm")
    assert confirmed.json()["status"] == "confirmed", confirmed.text
    gone = await asking.post(f"/api/bookings/{booking['id']}/cancel", json={"why": "We stay at home"})
    assert [(one["toStatus"], one["doneAs"], one["why"]) for one in gone.json()["steps"]] == [
        ("pending", "owner", None),
        ("confirmed", "sitter", None),
        ("cancelled", "owner", "We stay at home"),
    ]
    told = pets.rows("SELECT type::text, actor, target, message FROM notifications ORDER BY created_at, id")
    assert told == [
        ("Invite", owner, sitter, "¿Sí?"),
        ("Accept", sitter, owner, None),
        ("Delete", owner, sitter, "We stay at home"),
    ]


async def test_who_comes_too_late_is_told_which_days_are_taken(sidecar: Sidecar) -> None:
    pets = sidecar.pets
    listing = pets.make_listing()
    pets.book(listing, 3, 5)
    pets.block(listing, 8, 9)
    late = await sidecar.of(pets.make_user()).post("/api/bookings", json=wish(sidecar, listing, 1, 20))
    assert late.status_code == 409
    assert late.json()["code"] == "taken"
    assert late.json()["conflicts"] == [
        {"from": day(sidecar, listing, 3), "to": day(sidecar, listing, 5)},
        {"from": day(sidecar, listing, 8), "to": day(sidecar, listing, 9)},
    ]


async def test_of_many_who_want_a_day_one_gets_it(sidecar: Sidecar) -> None:
    pets = sidecar.pets
    listing = pets.make_listing()
    browsers = [sidecar.of(pets.make_user()) for _ in range(12)]
    answers = await asyncio.gather(
        *(one.post("/api/bookings", json=wish(sidecar, listing, 1 + at % 3, 5)) for at, one in enumerate(browsers))
    )
    assert sorted(one.status_code for one in answers) == [201] + [409] * 11
    assert all(one.json()["conflicts"] for one in answers if one.status_code == 409)


@pytest.mark.parametrize(
    ("first", "end", "more", "status", "code"),
    [
        (5, 5, {}, 422, "wrong-days"),
        (5, 3, {}, 422, "wrong-days"),
        (-1, 3, {}, 422, "past"),
        (1, 92, {}, 422, "too-long"),
        (366, 367, {}, 422, "too-far"),
        (1, 3, {"currency": "EUR"}, 422, "wrong-currency"),
        (1, 3, {"expectedTotal": "49.99"}, 409, "price-changed"),
        (1, 3, {"expectedTotal": "50.001"}, 422, "wrong-price"),
        (1, 3, {"message": "a\0b"}, 422, "invalid"),
        (1, 3, {"surprise": 1}, 422, "invalid"),
    ],
)
async def test_a_request_that_cannot_be_is_refused_in_words(
    sidecar: Sidecar, first: int, end: int, more: dict[str, object], status: int, code: str
) -> None:
    listing = sidecar.pets.make_listing()
    refused = await sidecar.of(sidecar.pets.make_user()).post(
        "/api/bookings", json=wish(sidecar, listing, first, end, **more)
    )
    assert (refused.status_code, refused.json()["code"]) == (status, code), refused.text
    assert sidecar.pets.rows("SELECT count(*) FROM bookings") == [(0,)]


async def test_what_the_clock_ends_is_written_down_and_told(sidecar: Sidecar) -> None:
    pets = sidecar.pets
    sitter, owner = pets.make_user(screenname="Sitter"), pets.make_user(screenname="Owner")
    listing = pets.make_listing(sitter)
    held, stay = pets.book(listing, 1, 3, owner), pets.book(listing, 5, 8, owner)
    pets.step(stay, "confirmed", sitter)
    pets.run_out(held)
    pets.long_ago(stay, 30)
    late = await sidecar.of(sitter).post(f"/api/bookings/{held}/confirm")
    assert (late.status_code, late.json()["code"]) == (409, "hold-expired")
    assert await sweep(sidecar.app.state.resources) == 2
    assert await sweep(sidecar.app.state.resources) == 0
    assert dict(pets.rows("SELECT id, status::text FROM bookings")) == {held: "cancelled", stay: "completed"}
    told = pets.rows("SELECT type::text, actor, target FROM notifications ORDER BY type, target")
    assert sorted(told) == sorted([("Undo", sitter, owner), ("Undo", owner, sitter), ("Update", sitter, owner)])
    said = await sidecar.of(owner).post(f"/api/bookings/{stay}/review", json={"rating": 5, "text": "Ñandú"})
    assert said.status_code == 201, said.text
    again = await sidecar.of(owner).post(f"/api/bookings/{stay}/review", json={"rating": 1})
    assert (again.status_code, again.json()["code"]) == (409, "reviewed")


async def test_a_calendar_tells_everybody_the_days_and_the_sitter_who_has_them(sidecar: Sidecar) -> None:
    pets = sidecar.pets
    sitter, owner = pets.make_user(screenname="Sitter"), pets.make_user(screenname="Owner<b>")
    listing = pets.make_listing(sitter)
    pets.book(listing, 1, 3, owner)
    pets.block(listing, 3, 4, note="Fumigation")
    path = f"/api/listings/{listing}/calendar?months=2"
    everybody = (await sidecar.client().get(path)).json()["entries"]
    assert everybody == [
        {
            "from": day(sidecar, listing, 1),
            "to": day(sidecar, listing, 4),
            "sort": "taken",
            "words": None,
            "bookingId": None,
        }
    ]
    own = (await sidecar.of(sitter).get(path)).json()["entries"]
    assert [(one["sort"], one["words"]) for one in own] == [("pending", "Owner<b>"), ("blocked", "Fumigation")]
    page = await sidecar.of(sitter).get(f"/listings/{listing}/calendar")
    assert "Owner&lt;b&gt;" in page.text
    assert "<b>" not in page.text
    link = (await sidecar.of(sitter).post(f"/api/listings/{listing}/feed")).json()["url"]
    file = await sidecar.client().get(link)
    assert "SUMMARY:Asked for: Owner<b>" in file.text
    plain = await sidecar.client().get(f"/api/listings/{listing}/calendar.ics")
    assert plain.text.count("SUMMARY:Taken") == 1
    assert "Owner" not in plain.text
