"""Bookings by HTTP: asked for, answered, called off, over, reviewed; and what is refused, with which words."""

from __future__ import annotations

import asyncio
import datetime
import re

import pytest

from apps.panamia.petsitting.bookings.rules import MOST_AN_HOUR, MOST_PENDING
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
        "/api/bookings", json=wish(sidecar, listing, 2, 5, message="¿Sí?", expectedPricePerDay="25.00", currency="USD")
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


async def test_who_comes_too_late_learns_no_more_of_stays_than_the_calendar_shows(sidecar: Sidecar) -> None:
    """Those that follow each other are one, and of none is told where it begins or ends outside of what was wanted."""
    pets = sidecar.pets
    listing = pets.make_listing()
    for first, end in ((3, 5), (5, 8), (10, 12)):
        pets.book(listing, first, end)
    browser = sidecar.of(pets.make_user())
    for wanted, told in (((1, 20), [(3, 8), (10, 12)]), ((4, 11), [(4, 8), (10, 11)]), ((6, 7), [(6, 7)])):
        late = await browser.post("/api/bookings", json=wish(sidecar, listing, *wanted))
        assert (late.status_code, late.json()["code"]) == (409, "taken")
        assert late.json()["conflicts"] == [
            {"from": day(sidecar, listing, first), "to": day(sidecar, listing, end)} for first, end in told
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
        (1, 3, {"expectedPricePerDay": "24.99"}, 409, "price-changed"),
        (1, 3, {"expectedPricePerDay": "25.001"}, 422, "wrong-price"),
        (1, 3, {"message": "a\0b"}, 422, "invalid"),
        (1, 3, {"surprise": 1}, 422, "invalid"),
        (1, 3, {"from": 1924905600}, 422, "invalid"),
        (1, 3, {"from": "1924905600"}, 422, "invalid"),
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
    assert sorted(told) == sorted((what, None, one) for what in ("Undo", "Update") for one in (owner, sitter))
    said = await sidecar.of(owner).post(f"/api/bookings/{stay}/review", json={"rating": 5, "text": "Ñandú"})
    assert said.status_code == 201, said.text
    again = await sidecar.of(owner).post(f"/api/bookings/{stay}/review", json={"rating": 1})
    assert (again.status_code, again.json()["code"]) == (409, "reviewed")


async def test_a_stay_that_its_review_completes_is_told_as_the_clock_tells_it(sidecar: Sidecar) -> None:
    pets = sidecar.pets
    sitter, owner = pets.make_user(), pets.make_user()
    booking = pets.book(pets.make_listing(sitter), 1, 3, owner)
    pets.step(booking, "confirmed", sitter)
    pets.long_ago(booking, 30)
    said = await sidecar.of(owner).post(f"/api/bookings/{booking}/review", json={"rating": 5})
    assert said.status_code == 201, said.text
    told = pets.rows("SELECT type::text, actor, target FROM notifications ORDER BY type, target")
    assert sorted(told, key=str) == sorted(
        [("Create", owner, sitter), ("Update", None, owner), ("Update", None, sitter)], key=str
    )
    assert await sweep(sidecar.app.state.resources) == 0
    assert pets.rows("SELECT count(*) FROM notifications") == [(3,)]


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


async def test_who_books_is_told_the_price_that_changed_meanwhile(sidecar: Sidecar) -> None:
    pets = sidecar.pets
    sitter, owner = pets.make_user(), pets.make_user()
    listing = pets.make_listing(sitter)
    await sidecar.of(sitter).patch(f"/api/listings/{listing}", json={"pricePerDay": "30"})
    wanted = wish(sidecar, listing, 1, 3, expectedPricePerDay="25.00", currency="USD")
    refused = await sidecar.of(owner).post("/api/bookings", json=wanted)
    assert (refused.status_code, refused.json()) == (
        409,
        {
            "error": "The price has changed: a day is 30.00 USD",
            "code": "price-changed",
            "pricePerDay": "30.00",
            "currency": "USD",
        },
    )
    made = await sidecar.of(owner).post("/api/bookings", json=wanted | {"expectedPricePerDay": "30"})
    assert (made.status_code, made.json()["total"]) == (201, "60.00")


@pytest.mark.parametrize(("price", "currency", "told"), [("3000", "JPY", "3000"), ("25", "EUR", "25.00")])
async def test_who_books_is_told_the_currency_that_changed_meanwhile(
    sidecar: Sidecar, price: str, currency: str, told: str
) -> None:
    pets = sidecar.pets
    sitter, asking = pets.make_user(), sidecar.of(pets.make_user())
    listing = pets.make_listing(sitter)
    change = {"pricePerDay": price, "currency": currency}
    assert (await sidecar.of(sitter).patch(f"/api/listings/{listing}", json=change)).status_code == 200
    wanted = wish(sidecar, listing, 1, 3, expectedPricePerDay="25.00", currency="USD")
    refused = await asking.post("/api/bookings", json=wanted)
    assert (refused.status_code, refused.json()) == (
        409,
        {
            "error": f"The price has changed: a day is {told} {currency}",
            "code": "price-changed",
            "pricePerDay": told,
            "currency": currency,
        },
    )
    agreed = wanted | {"expectedPricePerDay": refused.json()["pricePerDay"], "currency": refused.json()["currency"]}
    made = await asking.post("/api/bookings", json=agreed)
    assert (made.status_code, made.json()["pricePerDay"], made.json()["currency"]) == (201, told, currency)
    change = {"pricePerDay": "7.125", "currency": "KWD"}
    assert (await sidecar.of(sitter).patch(f"/api/listings/{listing}", json=change)).status_code == 200
    for one in (asking, sidecar.of(sitter)):
        kept = (await one.get(f"/api/bookings/{made.json()['id']}")).json()
        assert [kept[name] for name in ("pricePerDay", "currency", "total")] == [told, currency, made.json()["total"]]


async def test_each_of_the_two_is_told_which_one_it_is_and_what_comes_next(sidecar: Sidecar) -> None:
    pets = sidecar.pets
    sitter, owner = pets.make_user(), pets.make_user()
    listing = pets.make_listing(sitter)
    asking, answering = sidecar.of(owner), sidecar.of(sitter)

    async def told(booking: str) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for one in (asking, answering):
            alone = (await one.get(f"/api/bookings/{booking}")).json()
            (among,) = [each for each in (await one.get("/api/bookings")).json()["bookings"] if each["id"] == booking]
            assert (among["yours"], among["nextSteps"]) == (alone["yours"], alone["nextSteps"])
            found[alone["yours"]] = alone["nextSteps"]
        return found

    booking, other = pets.book(listing, 2, 5, owner), pets.book(listing, 8, 9, owner)
    assert await told(booking) == {"owner": ["cancel"], "sitter": ["confirm", "decline", "cancel"]}
    pets.step(booking, "confirmed", sitter)
    assert await told(booking) == {"owner": ["cancel"], "sitter": ["cancel"]}
    pets.long_ago(booking, 3)
    assert await told(booking) == {"owner": ["cancel"], "sitter": []}
    pets.long_ago(booking, 30)
    assert await told(booking) == {"owner": ["review"], "sitter": []}
    assert (await asking.post(f"/api/bookings/{booking}/review", json={"rating": 4})).status_code == 201
    assert await told(booking) == {"owner": [], "sitter": []}
    pets.run_out(other)
    assert await told(other) == {"owner": [], "sitter": []}
    assert (await asking.get("/api/bookings?status=blocked")).status_code == 422  # days that are blocked are no booking
    for one, yours in ((asking, False), (answering, True), (sidecar.client(), False)):
        assert (await one.get(f"/api/listings/{listing}")).json()["yours"] is yours
        assert [each["yours"] for each in (await one.get("/api/listings")).json()["listings"]] == [yours]


async def test_a_sitter_does_not_cancel_what_has_begun_and_the_owner_does(sidecar: Sidecar) -> None:
    pets = sidecar.pets
    sitter, owner = pets.make_user(), pets.make_user()
    booking = pets.book(pets.make_listing(sitter), 0, 3, owner)
    pets.step(booking, "confirmed", sitter)
    path, why = f"/api/bookings/{booking}/cancel", {"why": "No room"}
    refused = await sidecar.of(sitter).post(path, json=why)
    assert (refused.status_code, refused.json()["code"]) == (409, "begun"), refused.text
    gone = await sidecar.of(owner).post(path, json=why)
    assert (gone.status_code, gone.json()["status"]) == (200, "cancelled"), gone.text


async def test_one_person_books_no_more_than_so_often_in_an_hour(sidecar: Sidecar) -> None:
    pets = sidecar.pets
    owner, other = pets.make_user(), pets.make_user()
    listing = pets.make_listing()
    for at in range(1, MOST_AN_HOUR + 1):
        pets.step(pets.book(listing, at, at + 1, owner), "cancelled", owner, "no")
    wanted = wish(sidecar, listing, 1, 2)
    refused = await sidecar.of(owner).post("/api/bookings", json=wanted)
    assert (refused.status_code, refused.json()["code"]) == (429, "too-often"), refused.text
    assert "minutes" in refused.json()["error"]
    assert 3_500 < int(refused.headers["retry-after"]) <= 3_600
    assert (await sidecar.of(other).post("/api/bookings", json=wanted)).status_code == 201
    later = wish(sidecar, listing, 3, 4)
    pets.without_rules(
        "UPDATE bookings SET created_at = now() - interval '61 minutes' WHERE id ="
        " (SELECT id FROM bookings WHERE owner_id = %s LIMIT 1)",
        owner,
    )
    assert (await sidecar.of(owner).post("/api/bookings", json=later)).status_code == 201


async def test_one_person_waits_for_no_more_than_so_many_answers(sidecar: Sidecar) -> None:
    pets = sidecar.pets
    owner = pets.make_user()
    listing = pets.make_listing()
    held = [pets.book(listing, at, at + 1, owner) for at in range(1, MOST_PENDING + 1)]
    wanted = wish(sidecar, listing, 50, 51)
    refused = await sidecar.of(owner).post("/api/bookings", json=wanted)
    assert (refused.status_code, refused.json()["code"]) == (429, "too-many-holds"), refused.text
    pets.run_out(held[0])
    assert (await sidecar.of(owner).post("/api/bookings", json=wanted)).status_code == 201


async def test_a_rental_goes_the_whole_way_in_words_of_its_own(sidecar: Sidecar) -> None:
    """From the listing to the review and the calendar: the same core, and nothing on it says pet or stay."""
    pets = sidecar.pets
    landlord, renter = pets.make_user(screenname="Lola"), pets.make_user(screenname="Rita")
    offering, renting = sidecar.of(landlord), sidecar.of(renter)
    new = {
        "kind": "rental",
        "title": "Kayak for two",
        "pricePerDay": "40",
        "currency": "USD",
        "timeZone": "America/New_York",
    }
    listing = (await offering.post("/api/listings", json=new)).json()["id"]
    booking = (await renting.post("/api/bookings", json=wish(sidecar, listing, 1, 4))).json()
    words = {name: booking["listing"][name] for name in ("kind", "providerWord", "customerWord")}
    assert words == {"kind": "rental", "providerWord": "landlord", "customerWord": "renter"}
    held = datetime.datetime.fromisoformat(booking["holdUntil"]) - datetime.datetime.fromisoformat(booking["createdAt"])
    assert held < datetime.timedelta(minutes=31)
    key = booking["id"]
    assert (await offering.post(f"/api/bookings/{key}/confirm")).json()["status"] == "confirmed"
    entries = (await offering.get(f"/api/listings/{listing}/calendar?months=2")).json()["entries"]
    assert [(one["sort"], one["words"]) for one in entries] == [("confirmed", "Rita")]
    pets.long_ago(key, 10)
    assert await sweep(sidecar.app.state.resources) == 1
    said = await renting.post(f"/api/bookings/{key}/review", json={"rating": 5, "text": "Dry all the way"})
    assert said.status_code == 201, said.text
    pages = [
        (await one.get(path)).text
        for one, path in (
            (renting, f"/bookings/{key}"),
            (offering, "/bookings"),
            (renting, f"/listings/{listing}/calendar"),
        )
    ]
    assert "<dt>Renter</dt><dd>Rita (you)</dd>" in pages[0]
    assert "<dt>Landlord</dt><dd>Lola</dd>" in pages[0]
    assert "renter: Rita" in pages[1]
    assert "What renters say" in pages[2]
    assert "Dry all the way" in pages[2]
    for one in pages:
        assert not re.search(r"\b(pet|sitter|owner|stay)", one, re.IGNORECASE), one
    told = pets.rows("SELECT DISTINCT type::text FROM notifications ORDER BY 1")
    assert [one for (one,) in told] == ["Accept", "Create", "Invite", "Update"]
