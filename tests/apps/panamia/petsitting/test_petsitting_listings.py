"""Listings over HTTP: made, shown, changed, deleted; their photos, blocked days and reviews; and what is refused.

Oracle: the rows, read past the sidecar, which runs as its own role.
"""

from __future__ import annotations

import asyncio
import datetime
import json
from typing import Any

import httpx
import pytest

from apps.panamia.petsitting.listings import blocks, writing
from tests.apps.panamia.petsitting.sidecar import Sidecar

pytestmark = pytest.mark.anyio

NEW: dict[str, Any] = {
    "kind": "pet-sitting",
    "title": 'Perros "felices" & O\'Gatos 🐕',
    "description": "Un jardín\ncon <b>sombra</b>",
    "pricePerDay": "25.50",
    "currency": "USD",
    "timeZone": "America/New_York",
    "place": {"lat": 25.7617, "lng": -80.1918, "name": "Little Havana"},
}
NOWHERE = "z" * 24
DAY = datetime.timedelta(1)


async def made(client: httpx.AsyncClient, **other: Any) -> dict[str, Any]:
    """Make a listing; return its view."""
    answer = await client.post("/api/listings", json={**NEW, **other})
    assert answer.status_code == 201, answer.text
    return answer.json()


def refused(answer: httpx.Response) -> tuple[int, str | None]:
    """Status and code of a refusal, which has the one shape."""
    body = answer.json()
    assert isinstance(body["error"], str), body
    return answer.status_code, body.get("code")


async def test_listing_that_is_made_is_shown_to_everybody(sidecar: Sidecar) -> None:
    user, client = sidecar.signed_in(screenname="Ana")
    one = await made(client)
    assert {name: one[name] for name in NEW} == NEW
    assert one["sitter"] == {"id": user, "screenname": "Ana", "name": "Ana"}
    assert (one["available"], one["photos"], one["rating"]) == (True, [], {"average": None, "count": 0})
    assert (await sidecar.client().get(f"/api/listings/{one['id']}")).json() == {**one, "yours": False}
    assert one["yours"] is True
    rows = sidecar.pets.rows("SELECT sitter_id, price_per_day::text, lat, lng FROM listings")
    assert rows == [(user, "25.500", 25.7617, -80.1918)]


async def test_prices_are_exact(sidecar: Sidecar) -> None:
    _, client = sidecar.signed_in()
    for price, currency, told in [
        ("25", "USD", "25.00"),
        ("0.01", "USD", "0.01"),
        ("1.005", "KWD", "1.005"),
        ("1000", "JPY", "1000"),
        ("999999999.99", "EUR", "999999999.99"),
        ("33.33", "MXN", "33.33"),
        ("007.10", "USD", "7.10"),
    ]:
        assert (await made(client, pricePerDay=price, currency=currency))["pricePerDay"] == told


WRONG: dict[str, dict[str, list[Any]]] = {
    "pricePerDay": {
        "wrong-price": [
            *("0", "0.00", "25.001", "25.000", "-1", "1e3", " 25", "25,00", "", "NaN", "Infinity", "٢٥"),
            *("1" * 10, ".5", "5.", "+5", "1_000"),
        ],
        "invalid": [25, 25.5, None, ["25"], "1" * 21, "2\0"],
    },
    "currency": {"wrong-currency": ["XXX", "ABC"], "invalid": ["usd", "US", "USDD", "", 840, None, "USD\n"]},
    "kind": {"wrong-kind": ["boats", "pet-sittin"], "invalid": ["", "Pet sitting", "pet-sitting\0", None]},
    "timeZone": {
        "wrong-time-zone": ["Mars/Olympus", "EST", "+05", "america/new_york", "UTC+5", "'; --"],
        "invalid": ["", "A\0", "A" * 61],
    },
    "title": {"invalid": ["", "  ", "a\nb", "a\0", "x" * 121, "\ud800", None]},
    "description": {"invalid": ["x" * 10_001, "\0", None]},
    "place": {
        "invalid": [{"lat": lat, "lng": lng} for lat, lng in ((91, 0), (0, 181), ("x", 0), (None, 0))]
        + [{"lat": 1}, {"lat": 1, "lng": 2, "name": " "}, {"lat": 1, "lng": 2, "x": 3}, 5],
    },
    "sitterId": {"invalid": [NOWHERE]},
    "number": {"invalid": [1]},
    "available": {"invalid": ["perhaps", None]},
}


async def test_listing_that_cannot_be_is_refused(sidecar: Sidecar) -> None:
    _, client = sidecar.signed_in()
    for name, codes in WRONG.items():
        for code, values in codes.items():
            for value in values:
                body = json.dumps({**NEW, name: value})  # httpx itself sends no halves of letters
                answer = await client.post("/api/listings", content=body, headers={"content-type": "application/json"})
                assert refused(answer) == (422, code), (name, value)
    assert refused(await client.post("/api/listings", json={**NEW, "pricePerDay": "0.1", "currency": "JPY"}))[0] == 422
    assert (
        refused(await client.post("/api/listings", json={**NEW, "pricePerDay": "1.0001", "currency": "KWD"}))[0] == 422
    )
    assert sidecar.pets.rows("SELECT FROM listings") == []


async def test_place_that_is_no_number_is_refused(sidecar: Sidecar) -> None:
    _, client = sidecar.signed_in()
    one = await made(client)
    path = f"/api/listings/{one['id']}"
    for text in ('{"lat": NaN, "lng": 0}', '{"lat": 0, "lng": 1e999}', '{"lat": -Infinity, "lng": 0}'):
        body = f'{{"place": {text}}}'
        answer = await client.patch(path, content=body, headers={"content-type": "application/json"})
        assert answer.status_code == 422, text
    assert (await client.get(path)).json() == one


async def test_change_leaves_what_is_not_named(sidecar: Sidecar) -> None:
    _, client = sidecar.signed_in()
    one = await made(client)
    path = f"/api/listings/{one['id']}"
    changed = (await client.patch(path, json={"title": "Other", "pricePerDay": "30"})).json()
    assert changed["updatedAt"] > one["updatedAt"]
    assert changed == {**one, "title": "Other", "pricePerDay": "30.00", "updatedAt": changed["updatedAt"]}
    assert (await client.patch(path, json={})).json() == changed
    assert (await client.patch(path, json={"title": None, "available": None})).json() == changed
    assert (await client.patch(path, json={"place": None})).json()["place"] is None
    assert (await client.patch(path, json={"place": {"lat": -90, "lng": 180}})).json()["place"]["lng"] == 180


async def test_change_of_the_currency_looks_at_the_price_again(sidecar: Sidecar) -> None:
    _, client = sidecar.signed_in()
    path = f"/api/listings/{(await made(client))['id']}"
    assert refused(await client.patch(path, json={"currency": "JPY"})) == (422, "wrong-price")
    assert refused(await client.patch(path, json={"currency": "XXX"})) == (422, "wrong-currency")
    assert (await client.patch(path, json={"currency": "JPY", "pricePerDay": "2550"})).json()["pricePerDay"] == "2550"
    assert refused(await client.patch(path, json={"pricePerDay": "2550.5"})) == (422, "wrong-price")
    assert (await client.patch(path, json={"currency": "KWD"})).json()["pricePerDay"] == "2550.000"


async def test_withdrawn_listing_is_seen_by_its_sitter_and_who_booked_it(sidecar: Sidecar) -> None:
    _, client = sidecar.signed_in()
    one = await made(client)
    path = f"/api/listings/{one['id']}"
    owner = sidecar.pets.make_user()
    sidecar.pets.book(one["id"], 3, 5, owner)
    assert (await client.patch(path, json={"available": False})).status_code == 200
    for browser in (client, sidecar.of(owner)):
        assert (await browser.get(path)).json()["available"] is False
    _, stranger = sidecar.signed_in()
    for browser in (stranger, sidecar.client()):
        for of_it in ("", "/photos", "/reviews"):
            assert refused(await browser.get(path + of_it)) == (404, None), of_it


@pytest.mark.parametrize("what", ["deleted", "locked"])
async def test_listing_without_its_sitter_is_offered_to_nobody(sidecar: Sidecar, what: str) -> None:
    user, client = sidecar.signed_in()
    one = await made(client)
    sidecar.pets.rows(
        "DELETE FROM users WHERE id = %s" if what == "deleted" else "UPDATE users SET locked_at = now() WHERE id = %s",
        user,
    )
    assert refused(await sidecar.client().get(f"/api/listings/{one['id']}")) == (404, None)
    assert (await sidecar.client().get("/api/listings")).json() == {"listings": [], "next": None}
    assert (await client.get("/api/listings/mine")).status_code == 401


WRITES = [
    ("PATCH", "", {"title": "Mine"}),
    ("DELETE", "", None),
    ("POST", "/photos", {"url": "https://example.org/x.jpg"}),
    ("DELETE", f"/photos/{NOWHERE}", None),
    ("POST", "/blocks", {"from": "2030-01-01", "to": "2030-01-02"}),
    ("DELETE", f"/blocks/{NOWHERE}", None),
    ("GET", "/blocks", None),
]


async def test_listing_of_somebody_else_is_not_there_to_be_changed(sidecar: Sidecar) -> None:
    _, client = sidecar.signed_in()
    one = await made(client)
    before = sidecar.pets.rows("SELECT l::text FROM listings l")
    _, stranger = sidecar.signed_in()
    for method, path, body in WRITES:
        for key, browser in ((one["id"], stranger), (NOWHERE, client)):
            answer = await browser.request(method, f"/api/listings/{key}{path}", json=body)
            assert refused(answer) == (404, None), (method, path)
        nobody = await sidecar.client().request(method, f"/api/listings/{one['id']}{path}", json=body)
        assert (nobody.status_code, nobody.json()) == (401, {"error": "Unauthorized"})
    assert sidecar.pets.rows("SELECT l::text FROM listings l") == before


async def test_listing_is_deleted_unless_it_was_booked(sidecar: Sidecar) -> None:
    _, client = sidecar.signed_in()
    one, other, third = [await made(client) for _ in range(3)]
    assert (
        await client.post(f"/api/listings/{one['id']}/photos", json={"url": "https://example.org/x"})
    ).status_code == 201
    assert (await client.delete(f"/api/listings/{one['id']}")).status_code == 204
    sidecar.pets.book(other["id"], 3, 5)
    sidecar.pets.block(third["id"], 3, 5)
    for key in (other["id"], third["id"]):
        assert refused(await client.delete(f"/api/listings/{key}")) == (409, "booked")
    assert sidecar.pets.rows("SELECT count(*) FROM listings") == [(2,)]
    assert sidecar.pets.rows("SELECT count(*) FROM listing_photos") == [(0,)]


async def test_own_listings_are_paged_with_those_that_are_withdrawn(sidecar: Sidecar) -> None:
    _, client = sidecar.signed_in()
    keys = [(await made(client, available=number % 2 == 0))["id"] for number in range(5)]
    await made(sidecar.signed_in()[1])
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await client.get("/api/listings/mine", params={"limit": "2", **cursor})).json()
        seen += [one["id"] for one in page["listings"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert seen == keys[::-1]


async def test_photos_are_kept_in_their_order_up_to_a_number(sidecar: Sidecar) -> None:
    _, client = sidecar.signed_in()
    path = f"/api/listings/{(await made(client))['id']}/photos"
    for number in range(20):
        answer = await client.post(path, json={"url": f"https://example.org/{number}.jpg", "caption": f"N° {number}"})
        assert answer.status_code == 201
    assert refused(await client.post(path, json={"url": "https://example.org/x"})) == (409, "too-many")
    photos = (await client.get(path)).json()["photos"]
    assert [one["caption"] for one in photos] == [f"N° {number}" for number in range(20)]
    assert (await client.delete(f"{path}/{photos[3]['id']}")).status_code == 204
    assert refused(await client.delete(f"{path}/{photos[3]['id']}")) == (404, None)
    assert (await client.post(path, json={"url": "https://example.org/new?a=b#c"})).json()["caption"] is None
    assert len((await sidecar.client().get(path)).json()["photos"]) == 20


async def test_photos_added_at_once_are_not_more(sidecar: Sidecar) -> None:
    _, client = sidecar.signed_in()
    path = f"/api/listings/{(await made(client))['id']}/photos"
    asked = (client.post(path, json={"url": f"https://example.org/{number}"}) for number in range(26))
    codes = [answer.status_code for answer in await asyncio.gather(*asked)]
    assert sorted(codes) == [201] * 20 + [409] * 6
    assert sidecar.pets.rows("SELECT count(*), count(DISTINCT position) FROM listing_photos") == [(20, 20)]


LINKS: list[Any] = [
    "http://example.org/x",
    "javascript:alert(1)",
    "https://",
    "https:///x",
    "//example.org/x",
    "data:,x",
    "https://a b",
    "https://user:secret@example.org/x",
    "https://example.org/\nx",
    "x",
    "",
    None,
    f"https://example.org/{'x' * 2_000}",
]


async def test_photo_that_is_no_safe_link_is_refused(sidecar: Sidecar) -> None:
    _, client = sidecar.signed_in()
    path = f"/api/listings/{(await made(client))['id']}/photos"
    for url in LINKS:
        assert refused(await client.post(path, json={"url": url})) == (422, "invalid"), url


def of(listing: str, sidecar: Sidecar, first: int, end: int) -> dict[str, str]:
    """Days as they are sent, counted from a listing's own today."""
    today = sidecar.pets.today(listing)
    return {"from": str(today + first * DAY), "to": str(today + end * DAY)}


async def test_blocked_days_are_listed_and_freed(sidecar: Sidecar) -> None:
    _, client = sidecar.signed_in()
    key = (await made(client))["id"]
    path = f"/api/listings/{key}/blocks"
    later = (await client.post(path, json={**of(key, sidecar, 7, 9), "note": " «Playa» "})).json()
    first = (await client.post(path, json=of(key, sidecar, 2, 7))).json()  # they touch, and do not meet
    assert later == {"id": later["id"], "note": "«Playa»", **of(key, sidecar, 7, 9)}
    assert (await client.get(path)).json() == {"blocks": [first, later]}
    assert (await client.delete(f"{path}/{first['id']}")).status_code == 204
    assert refused(await client.delete(f"{path}/{first['id']}")) == (404, None)
    assert (await client.get(path)).json() == {"blocks": [later]}


async def test_block_over_taken_days_is_refused_with_the_days(sidecar: Sidecar) -> None:
    _, client = sidecar.signed_in()
    key = (await made(client))["id"]
    path = f"/api/listings/{key}/blocks"
    sidecar.pets.book(key, 5, 7)
    sidecar.pets.block(key, 1, 3)
    over = sidecar.pets.book(key, 8, 9)
    answer = await client.post(path, json=of(key, sidecar, 2, 9))
    assert refused(answer) == (409, "taken")
    assert answer.json()["conflicts"] == [of(key, sidecar, *days) for days in ((2, 3), (5, 7), (8, 9))]
    sidecar.pets.run_out(over)
    assert (await client.post(path, json=of(key, sidecar, 7, 9))).status_code == 201
    assert sidecar.pets.rows("SELECT status::text FROM bookings WHERE id = %s", over) == [("cancelled",)]


async def test_booking_is_not_deleted_as_a_block(sidecar: Sidecar) -> None:
    _, client = sidecar.signed_in()
    key = (await made(client))["id"]
    booking = sidecar.pets.book(key, 5, 7)
    assert refused(await client.delete(f"/api/listings/{key}/blocks/{booking}")) == (404, None)
    other = sidecar.pets.block(sidecar.pets.make_listing(), 1, 2)
    assert refused(await client.delete(f"/api/listings/{key}/blocks/{other}")) == (404, None)
    assert sidecar.pets.rows("SELECT count(*) FROM bookings") == [(2,)]


async def test_blocks_made_at_once_never_meet(sidecar: Sidecar) -> None:
    _, client = sidecar.signed_in()
    key = (await made(client))["id"]
    asked = (client.post(f"/api/listings/{key}/blocks", json=of(key, sidecar, n, n + 3)) for n in range(10))
    codes = sorted(answer.status_code for answer in await asyncio.gather(*asked))
    assert set(codes) == {201, 409}
    assert sidecar.pets.rows("SELECT FROM bookings a JOIN bookings b ON a.id < b.id AND a.days && b.days") == []


async def test_days_that_cannot_be_are_refused(sidecar: Sidecar) -> None:
    _, client = sidecar.signed_in()
    path = f"/api/listings/{(await made(client))['id']}/blocks"
    wrong: list[tuple[Any, Any, str]] = [
        ("2030-01-02", "2030-01-02", "wrong-days"),
        ("2030-01-03", "2030-01-02", "wrong-days"),
        ("2001-01-01", "2001-01-05", "past"),
        ("2030-01-01", "9999-12-31", "wrong-days"),
        ("0001-01-01", "2030-01-01", "wrong-days"),
        ("2030-02-30", "2030-03-01", "invalid"),
        ("2030-01-01T10:00:00Z", "2030-03-01", "invalid"),
        ("infinity", "2030-03-01", "invalid"),
        (None, "2030-03-01", "invalid"),
        (1e300, "2030-03-01", "invalid"),
    ]
    for first, end, code in wrong:
        answer = await client.post(path, json={"from": first, "to": end})
        assert refused(answer) == (422, code), (first, end)
    assert sidecar.pets.rows("SELECT FROM bookings") == []


async def test_block_of_which_a_part_is_over_is_listed_until_its_end(sidecar: Sidecar) -> None:
    _, client = sidecar.signed_in()
    key = (await made(client, timeZone="Pacific/Kiritimati"))["id"]
    path = f"/api/listings/{key}/blocks"
    assert (await client.post(path, json=of(key, sidecar, -2, 1))).status_code == 201
    assert refused(await client.post(path, json=of(key, sidecar, -5, -2))) == (422, "past")
    assert len((await client.get(path)).json()["blocks"]) == 1
    sidecar.pets.without_rules("UPDATE bookings SET days = daterange(lower(days) - 1, upper(days) - 1)")
    assert (await client.get(path)).json() == {"blocks": []}


async def test_reviews_are_paged_and_rated(sidecar: Sidecar) -> None:
    pets = sidecar.pets
    key = pets.make_listing()
    for number in range(3):
        owner = pets.make_user(screenname=f"guest-{number}")
        booking = pets.book(key, 1, 2, owner)
        pets.step(booking, "confirmed", pets.rows("SELECT sitter_id FROM listings")[0][0])
        pets.long_ago(booking, 30 + 3 * number)
        pets.step(booking, "completed")
        pets.rows(
            "INSERT INTO listing_reviews (booking_id, listing_id, author_id, rating, text) VALUES (%s, %s, %s, %s, %s)",
            booking, key, owner, 5 - number // 2, None if number == 0 else "¡Muy <i>bien</i>!",
        )  # fmt: skip
    pets.rows("DELETE FROM users WHERE screenname = 'guest-0'")
    client = sidecar.client()
    path = f"/api/listings/{key}/reviews"
    page = (await client.get(path, params={"limit": "2"})).json()
    assert [one["author"]["name"] for one in page["reviews"]] == ["guest-2", "guest-1"]
    assert [one["rating"] for one in page["reviews"]] == [4, 5]
    assert page["rating"] == {"average": "4.7", "count": 3}
    rest = (await client.get(path, params={"cursor": page["next"]})).json()
    assert [(one["author"]["name"], one["text"]) for one in rest["reviews"]] == [("Former Member", None)]
    assert rest["next"] is None
    assert (await client.get(f"/api/listings/{key}")).json()["rating"] == {"average": "4.7", "count": 3}
    assert refused(await client.get(path, params={"cursor": "x"})) == (400, "cursor")


async def test_kinds_and_currencies_are_told(sidecar: Sidecar) -> None:
    kinds = {one["key"]: one for one in (await sidecar.client().get("/api/kinds")).json()}
    assert (kinds["pet-sitting"]["providerWord"], kinds["rental"]["customerWord"]) == ("sitter", "renter")
    assert kinds["rental"]["holdMinutes"] == 30
    digits = {one["code"]: one["digits"] for one in (await sidecar.client().get("/api/currencies")).json()}
    assert (digits["USD"], digits["JPY"], digits["KWD"]) == (2, 0, 3)


async def test_one_person_has_so_many_listings_also_of_those_made_at_once(
    sidecar: Sidecar, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert writing.MOST_LISTINGS == 100
    monkeypatch.setattr(writing, "MOST_LISTINGS", 3)
    _, client = sidecar.signed_in()
    one = await made(client, available=False)
    answers = await asyncio.gather(*(client.post("/api/listings", json=NEW) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [201] * 2 + [409] * 3
    assert refused(await client.post("/api/listings", json=NEW)) == (409, "too-many")
    assert (await sidecar.signed_in()[1].post("/api/listings", json=NEW)).status_code == 201
    assert (await client.delete(f"/api/listings/{one['id']}")).status_code == 204
    assert (await client.post("/api/listings", json=NEW)).status_code == 201


async def test_a_listing_has_so_many_blocks_to_come(sidecar: Sidecar, monkeypatch: pytest.MonkeyPatch) -> None:
    assert blocks.MOST_BLOCKS == 200
    monkeypatch.setattr(blocks, "MOST_BLOCKS", 2)
    _, client = sidecar.signed_in()
    key = (await made(client))["id"]
    path = f"/api/listings/{key}/blocks"
    over = sidecar.pets.block(key, 1, 2)
    sidecar.pets.block(key, 3, 4)
    assert refused(await client.post(path, json=of(key, sidecar, 5, 6))) == (409, "too-many")
    sidecar.pets.without_rules(
        "UPDATE bookings SET days = daterange(lower(days) - 9, upper(days) - 9) WHERE id = %s", over
    )
    assert (await client.post(path, json=of(key, sidecar, 5, 6))).status_code == 201


async def test_whose_hold_ran_out_is_told_when_the_days_are_blocked(sidecar: Sidecar) -> None:
    pets = sidecar.pets
    sitter, client = sidecar.signed_in()
    owner = pets.make_user()
    key = (await made(client))["id"]
    booking = pets.book(key, 5, 7, owner)
    pets.run_out(booking)
    assert (await client.post(f"/api/listings/{key}/blocks", json=of(key, sidecar, 5, 7))).status_code == 201
    assert pets.rows("SELECT status::text, status_as::text FROM bookings WHERE id = %s", booking) == [
        ("cancelled", "clock")
    ]
    assert sorted(pets.rows("SELECT type::text, target FROM notifications")) == sorted(
        [("Undo", owner), ("Undo", sitter)]
    )


async def test_values_of_another_type_are_not_taken_for_what_they_might_mean(sidecar: Sidecar) -> None:
    _, client = sidecar.signed_in()
    spot = {"lat": 1, "lng": 2}
    for wrong in (
        {"available": "yes"},
        {"available": 1},
        {"place": spot | {"lat": "1"}},
        {"place": spot | {"lng": True}},
        {"pricePerDay": 25},
        {"title": 7},
    ):
        assert refused(await client.post("/api/listings", json=NEW | wrong)) == (422, "invalid"), wrong
    assert (await client.post("/api/listings", json=NEW | {"place": spot})).status_code == 201


async def test_time_zone_of_a_listing_stays_while_days_of_it_are_booked(sidecar: Sidecar) -> None:
    _, client = sidecar.signed_in()
    one = await made(client)
    booking = sidecar.pets.book(one["id"], 3, 5)
    path = f"/api/listings/{one['id']}"
    answer = await client.patch(path, json={"timeZone": "Asia/Tokyo", "title": "Another"})
    assert refused(answer) == (409, "booked")
    assert "time zone" in answer.json()["error"]
    assert (await client.get(path)).json()["title"] == one["title"], "all of it or nothing"
    sidecar.pets.run_out(booking)
    assert (await client.patch(path, json={"timeZone": "Asia/Tokyo"})).status_code == 200
