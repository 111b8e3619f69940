"""The pages: what they show to whom, that what people wrote is text there, and that their forms say what the API takes.

A small reader of HTML stands for the browser, and sends a form as `send.js` does. Cannot see: how they look, and the
script itself.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import pytest

import apps.panamia.petsitting.pages as pages_package
from apps.panamia.web.pages.files import SHARED
from tests.apps.panamia.petsitting.conftest import Pets
from tests.apps.panamia.petsitting.sidecar import Sidecar

pytestmark = pytest.mark.anyio
FOLDER = Path(pages_package.__file__).parent
NASTY = "<script>alert(1)</script> & \"quotes\" 'more' </p> {{ 7*7 }} 🐕"
SIGN_IN = "http://localhost:3000/signin"
KINDS = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}


@dataclass
class Form:
    """A form: where it goes, and its fields as they stand there."""

    attributes: dict[str, str | None]
    fields: dict[str, dict[str, str | None]] = field(default_factory=dict[str, dict[str, str | None]])

    @property
    def path(self) -> str:
        return self.attributes["data-path"] or ""


class Page(HTMLParser):
    """What a browser makes of a page: tags, texts, links, forms."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__(convert_charrefs=True)
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.forms: list[Form] = []
        self._open: dict[str, str | None] | None = None
        self.feed(answer.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.tags.append((tag, attributes))
        if tag == "form":
            self.forms.append(Form(attributes))
        elif tag in {"input", "select", "textarea"} and self.forms and attributes.get("name"):
            self.forms[-1].fields[attributes["name"] or ""] = attributes
            self._open = None if tag == "input" else attributes
        elif tag == "option" and self._open is not None and ("selected" in attributes or "value" not in self._open):
            self._open["value"] = attributes.get("value")

    def handle_endtag(self, tag: str) -> None:
        if tag in {"select", "textarea"}:
            self._open = None

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
        if self._open is not None and self._open.get("value") is None:  # of a textarea, or of an option without a value
            self._open["value"] = data

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    @property
    def links(self) -> list[str]:
        return [attributes["href"] or "" for tag, attributes in self.tags if tag == "a"]

    def form(self, path: str) -> Form:
        (found,) = [one for one in self.forms if one.path.endswith(path)]
        return found


async def read(browser: httpx.AsyncClient, path: str, status: int = 200) -> Page:
    """Open a page; none holds a script or a style of its own, nor asks elsewhere."""
    answer = await browser.get(path)
    assert answer.status_code == status, answer.text
    page = Page(answer)
    scripts = [attributes for tag, attributes in page.tags if tag == "script"]
    assert scripts == [{"src": "/pages/send.js", "defer": None}]
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on") or name == "style"]
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self';")
    assert "unsafe" not in policy
    assert "//" not in policy
    assert answer.headers["cache-control"] == "no-store"
    return page


async def send(browser: httpx.AsyncClient, form: Form, **filled: Any) -> httpx.Response:
    """Send a form as its script does: by its method, what it holds and what is filled in.

    What is empty is left out, but with `data-empty`; `place__lat` is the field place.lat, and a place without any null.
    """
    given = {name.replace("__", "."): value for name, value in filled.items()}
    assert set(given) <= set(form.fields), form.fields
    body: dict[str, Any] = {}
    for full, one in form.fields.items():
        value = given.get(full, _value(one))
        name, _, part = full.partition(".")
        if part:
            body.setdefault(name, None)
        if value == "" and "data-empty" not in one:
            continue
        if "data-number" in one:
            value = int(value) if value.isdigit() else float(value)
        body[name] = {**(body[name] or {}), part: value} if part else value
    method = form.attributes.get("data-method") or "POST"
    return await browser.request(method, form.path, json=None if method == "DELETE" else body)


def _value(one: dict[str, str | None]) -> Any:
    return "checked" in one if one.get("type") == "checkbox" else one.get("value") or ""


def day(pets: Pets, listing: str, at: int) -> str:
    return str(pets.today(listing) + datetime.timedelta(at))


async def test_nobody_is_sent_to_sign_in(sidecar: Sidecar) -> None:
    pets = sidecar.pets
    booking = pets.book(pets.make_listing(), 2, 5)
    for path in ("/bookings", f"/bookings/{booking}", "/bookings/nosuch"):
        for browser in (sidecar.client(), sidecar.client(pets.make_session(pets.make_user(), hours=-1))):
            answer = await browser.get(path)
            assert (answer.status_code, answer.headers["location"]) == (303, SIGN_IN)
    page = await read(sidecar.client(), "/")
    assert SIGN_IN in page.links
    assert "/bookings" not in page.links


async def test_what_is_not_there_or_not_for_them_is_a_page_of_404(sidecar: Sidecar) -> None:
    pets = sidecar.pets
    sitter = pets.make_user()
    booking = pets.book(pets.make_listing(sitter), 2, 5)
    block = pets.block(pets.make_listing(sitter), 2, 5)
    hidden = pets.make_listing(available=False)
    stranger = sidecar.of(pets.make_user())
    for browser, path, says in (
        (stranger, f"/bookings/{booking}", "Booking not found"),
        (stranger, "/bookings/nosuch", "Booking not found"),
        (sidecar.of(sitter), f"/bookings/{block}", "Booking not found"),
        (stranger, f"/listings/{hidden}/calendar", "Listing not found"),
        (sidecar.client(), f"/listings/{hidden}/calendar", "Listing not found"),
        (sidecar.client(), "/listings/nosuch/calendar", "Listing not found"),
    ):
        page = await read(browser, path, 404)
        assert says in page.text
        assert (SIGN_IN in page.links) == (browser is not stranger and "cookie" not in _cookies(browser))


def _cookies(browser: httpx.AsyncClient) -> str:
    return "cookie" if browser.cookies else ""


async def test_home_shows_what_is_offered_and_free_on_the_days_that_are_asked_for(sidecar: Sidecar) -> None:
    pets = sidecar.pets
    browser = sidecar.client()
    page = await read(browser, "/")
    assert "Nothing like this is free." in page.text
    free = pets.make_listing(title="Casa libre", place_name="Calle <Ocho>", lat=1, lng=1)
    busy = pets.make_listing(title="Ocupada", kind="rental")
    pets.make_listing(title="Retirada", available=False)
    pets.book(busy, 3, 5)
    page = await read(browser, "/")
    assert [one for one in page.links if one.startswith("/listings/")] == [
        f"/listings/{busy}/calendar",
        f"/listings/{free}/calendar",
    ]
    assert "25.00 USD a day" in page.text
    assert "Pet sitting · Calle <Ocho>" in page.text
    for query, found in (
        (f"from={day(pets, free, 4)}&to={day(pets, free, 6)}", [free]),
        (f"from={day(pets, free, 5)}&to={day(pets, free, 6)}&kind=rental", [busy]),
        ("q=libre", [free]),
        ("kind=rental&from=&to=&q=", [busy]),
        ("q=nothing+of+this", []),
    ):
        page = await read(browser, f"/?{query}")
        links = [one for one in page.links if one.startswith("/listings/")]
        assert links == [f"/listings/{one}/calendar" for one in found], query


async def test_home_says_under_the_form_what_cannot_be_and_keeps_what_was_typed(sidecar: Sidecar) -> None:
    pets = sidecar.pets
    listing = pets.make_listing()
    browser = sidecar.client()
    for query, said in (
        ("from=2027-02-30&to=2027-03-01", "A day is one as 2027-01-31"),
        (f"from={day(pets, listing, 3)}", "Say both days, or none"),
        (f"from={day(pets, listing, 3)}&to={day(pets, listing, 3)}", "must be behind the first"),
        (f"from={day(pets, listing, -9)}&to={day(pets, listing, 3)}", "have begun"),
        ("kind=castle", "kind of listing is not known"),
        ("cursor=rubbish", "ursor"),
    ):
        page = await read(browser, f"/?{query}&q=%3Cb%3E", 400 if query.startswith("cursor") else 422)
        (note,) = [attributes for _, attributes in page.tags if attributes.get("role") == "alert"]
        assert note
        assert said in page.text, query
        assert page.forms[0].fields["q"]["value"] == "<b>"
        assert not [one for one in page.links if one.startswith("/listings/")]


async def test_home_goes_on_behind_its_end_with_the_same_question(sidecar: Sidecar) -> None:
    pets = sidecar.pets
    sitter = pets.make_user()
    made = {pets.make_listing(sitter, title=f"Perros & gatos {at}") for at in range(25)}
    pets.make_listing(sitter, title="Otra cosa")
    browser = sidecar.client()
    page = await read(browser, "/?q=%22perros%22&kind=pet-sitting&from=")
    first = [one.split("/")[2] for one in page.links if one.startswith("/listings/")]
    (more,) = [one for one in page.links if "cursor=" in one]
    page = await read(browser, more)
    second = [one.split("/")[2] for one in page.links if one.startswith("/listings/")]
    assert (len(first), len(second)) == (20, 5)
    assert {*first, *second} == made
    assert not [one for one in page.links if "cursor=" in one]


async def test_all_that_people_wrote_is_text_on_every_page(sidecar: Sidecar) -> None:
    pets = sidecar.pets
    sitter, owner = pets.make_user(screenname="S<b>&"), pets.make_user(screenname="O<i>&")
    title = NASTY + "x" * (120 - len(NASTY))
    listing = pets.make_listing(sitter, title=title, description=NASTY, place_name=NASTY, lat=1, lng=1)
    pets.rows(
        "INSERT INTO listing_photos (listing_id, url, caption, position) VALUES (%s, %s, %s, 0)",
        listing,
        "https://example.org/\"'><script>",
        NASTY,
    )
    booking = pets.book(listing, 2, 5, owner, note=NASTY)
    pets.block(listing, 6, 7, note=NASTY)
    stay = pets.book(listing, 10, 12, owner)
    pets.step(stay, "confirmed", sitter)
    pets.long_ago(stay, 60)
    said = await sidecar.of(owner).post(f"/api/bookings/{stay}/review", json={"rating": 2, "text": NASTY})
    assert said.status_code == 201, said.text
    declined = pets.book(listing, 20, 22, owner)
    pets.step(declined, "declined", sitter, NASTY)
    for browser, path, times in (
        (sidecar.client(), "/", 2),
        (sidecar.client(), f"/listings/{listing}/calendar", 6),
        (sidecar.of(sitter), f"/listings/{listing}/calendar", 7),
        (sidecar.of(owner), "/bookings", 3),
        (sidecar.of(owner), f"/bookings/{booking}", 3),
        (sidecar.of(sitter), f"/bookings/{declined}", 4),
    ):
        page = await read(browser, path)
        assert page.text.count(" ".join(NASTY.split())) == times, path
        assert "{{ 7*7 }}" in page.text
        assert not {"b", "i"} & {tag for tag, _ in page.tags}


async def test_sitter_sees_whose_days_they_are_and_nobody_else_does(sidecar: Sidecar) -> None:
    pets = sidecar.pets
    sitter, owner = pets.make_user(screenname="Sit"), pets.make_user(screenname="Own")
    listing = pets.make_listing(sitter)
    booking = pets.book(listing, 2, 5, owner)
    pets.block(listing, 5, 6, note="Pintura")
    path = f"/listings/{listing}/calendar"
    page = await read(sidecar.of(sitter), path)
    assert "Own" in page.text
    assert "Pintura" in page.text
    assert f"/bookings/{booking}" in page.links
    for browser in (sidecar.client(), sidecar.of(owner), sidecar.of(pets.make_user())):
        page = await read(browser, path)
        assert "Own" not in page.text
        assert "Pintura" not in page.text
        assert not [one for one in page.links if one.startswith("/bookings/")]
        sorts = {(attributes.get("title") or "")[12:] for tag, attributes in page.tags if tag == "td" and attributes}
        assert sorts <= {"free", "over", "taken"}
        (today,) = [attributes for tag, attributes in page.tags if attributes.get("aria-current") == "date"]
        assert (today["title"] or "").startswith(f"{pets.today(listing)}: free")
        taken = [attributes for tag, attributes in page.tags if tag == "td" and attributes.get("class") == "taken"]
        assert len(taken) == 4


async def test_calendar_leads_to_earlier_and_later_months_without_a_gap(sidecar: Sidecar) -> None:
    listing = sidecar.pets.make_listing()
    browser = sidecar.client()
    path = f"/listings/{listing}/calendar"
    page = await read(browser, f"{path}?from=2027-12-15&months=2")
    assert "December 2027" in page.text
    assert "January 2028" in page.text
    moves = [one for one in page.links if one.startswith("?from=")]
    assert moves == ["?from=2027-10-01&months=2", "?from=2028-02-01&months=2"]
    page = await read(browser, path + moves[1])
    assert "29 free" in page.text  # of a leap year
    assert [one for one in page.links if one.startswith("?from=")] == [
        "?from=2027-12-01&months=2",
        "?from=2028-04-01&months=2",
    ]
    first = await read(browser, f"{path}?from=0001-01-01")
    assert len([one for one in first.links if one.startswith("?from=")]) == 1


async def test_days_are_booked_by_the_form_of_the_calendar(sidecar: Sidecar) -> None:
    pets = sidecar.pets
    sitter, owner = pets.make_user(), pets.make_user()
    listing = pets.make_listing(sitter)
    path = f"/listings/{listing}/calendar"
    browser = sidecar.of(owner)
    form = (await read(browser, path)).form("/api/bookings")
    assert form.attributes["data-then"] == "/bookings/{id}"
    assert form.fields["from"]["min"] == str(pets.today(listing))
    filled = {"from": day(pets, listing, 2), "to": day(pets, listing, 4)}
    made = await send(browser, form, **filled, message="¿Sí?")
    assert made.status_code == 201, made.text
    page = await read(browser, f"/bookings/{made.json()['id']}")
    assert "waits for an answer" in page.text
    assert "50.00 USD (25.00 a day)" in page.text
    assert "¿Sí?" in page.text
    again = await send(browser, form, **filled)
    assert (again.status_code, again.json()["conflicts"]) == (409, [filled])
    # for nobody, for the sitter, and of what is withdrawn there is none
    assert SIGN_IN in (await read(sidecar.client(), path)).links
    assert [one.path for one in (await read(sidecar.of(sitter), path)).forms] == [f"/api/listings/{listing}/blocks"]
    pets.rows("UPDATE listings SET available = false WHERE id = %s", listing)
    page = await read(browser, path)  # who has booked it may still see it
    assert page.forms == []
    assert "not offered at the moment" in page.text


async def test_days_are_blocked_by_the_form_of_the_sitter(sidecar: Sidecar) -> None:
    pets = sidecar.pets
    sitter = pets.make_user()
    listing = pets.make_listing(sitter)
    browser = sidecar.of(sitter)
    form = (await read(browser, f"/listings/{listing}/calendar")).form("/blocks")
    filled = {"from": day(pets, listing, 2), "to": day(pets, listing, 4)}
    made = await send(browser, form, **filled, note="Pintura")
    assert made.status_code == 201, made.text
    assert "Pintura" in (await read(browser, f"/listings/{listing}/calendar")).text


async def test_each_step_of_a_booking_has_its_form_for_whom_it_is_open_to(sidecar: Sidecar) -> None:
    pets = sidecar.pets
    sitter, owner = pets.make_user(), pets.make_user()
    listing = pets.make_listing(sitter)
    sitting, owning = sidecar.of(sitter), sidecar.of(owner)

    async def steps(booking: str) -> tuple[list[str], list[str]]:
        pages = [await read(one, f"/bookings/{booking}") for one in (sitting, owning)]
        of_sitter, of_owner = ([form.path.rpartition("/")[2] for form in page.forms] for page in pages)
        return of_sitter, of_owner

    async def take(browser: httpx.AsyncClient, booking: str, step: str, **filled: str) -> None:
        form = (await read(browser, f"/bookings/{booking}")).form(f"/{step}")
        answer = await send(browser, form, **filled)
        assert answer.is_success, answer.text

    first, second, third = (pets.book(listing, at, at + 2, owner) for at in (2, 6, 10))
    assert await steps(first) == (["confirm", "decline"], ["cancel"])
    await take(sitting, first, "confirm")
    assert await steps(first) == (["cancel"], ["cancel"])
    await take(owning, first, "cancel", why="We stay")
    await take(sitting, second, "decline", why="Full")
    for ended in (first, second):
        assert await steps(ended) == ([], [])
    page = await read(sitting, f"/bookings/{first}")
    assert "cancelled: We stay" in page.text
    await take(sitting, third, "confirm")
    pets.long_ago(third, 60)
    pets.step(third, "completed")
    assert await steps(third) == ([], ["review"])
    form = (await read(owning, f"/bookings/{third}")).form("/review")
    refused = await send(owning, form, rating="6")
    assert (refused.status_code, refused.json()["fields"][0]["field"]) == (422, "rating")
    await take(owning, third, "review", rating="4", text="Bien")
    assert await steps(third) == ([], [])
    page = await read(sidecar.client(), f"/listings/{listing}/calendar")
    assert "4 of 5 Bien" in page.text


async def test_hold_that_ran_out_is_called_so(sidecar: Sidecar) -> None:
    pets = sidecar.pets
    owner = pets.make_user()
    booking = pets.book(pets.make_listing(), 2, 5, owner)
    pets.run_out(booking)
    pets.step(booking, "cancelled")
    for path in ("/bookings", f"/bookings/{booking}"):
        assert "nobody answered in time" in (await read(sidecar.of(owner), path)).text


async def test_own_bookings_are_those_of_both_sides_and_of_nobody_else(sidecar: Sidecar) -> None:
    pets = sidecar.pets
    somebody, other = pets.make_user(screenname="Yo"), pets.make_user(screenname="Otra")
    assert "There are none yet." in (await read(sidecar.of(somebody), "/bookings")).text
    mine = pets.make_listing(somebody)
    asked = pets.book(mine, 2, 5, other)
    made = pets.book(pets.make_listing(other), 2, 5, somebody)
    pets.book(pets.make_listing(other), 2, 5)
    pets.block(mine, 8, 9)
    page = await read(sidecar.of(somebody), "/bookings")
    assert [one for one in page.links if one.startswith("/bookings/")] == [f"/bookings/{made}", f"/bookings/{asked}"]
    assert page.text.count("waits for your answer") == 1
    assert "owner: Otra" in page.text
    assert "sitter: Otra" in page.text
    assert "There is no" not in page.text
    await read(sidecar.of(somebody), "/bookings?cursor=rubbish", 400)


async def test_own_bookings_go_on_behind_the_end_of_a_page(sidecar: Sidecar) -> None:
    pets = sidecar.pets
    owner = pets.make_user()
    listing = pets.make_listing()
    made = [pets.book(listing, at, at + 1, owner) for at in range(1, 24)]
    browser = sidecar.of(owner)
    page = await read(browser, "/bookings")
    first = [one for one in page.links if one.startswith("/bookings/")]
    (more,) = [one for one in page.links if "cursor=" in one]
    second = [one for one in (await read(browser, more)).links if one.startswith("/bookings/")]
    assert first + second == [f"/bookings/{one}" for one in reversed(made)]


async def test_what_pages_load_is_there_and_nothing_stands_in_them(sidecar: Sidecar) -> None:
    browser = sidecar.client()
    own = {f"/pages/{name}": FOLDER / name for name in ("style.css", "send.js")}
    for path, file in (own | SHARED).items():
        answer = await browser.get(path)
        assert answer.content == file.read_bytes()
        assert answer.headers["content-type"].startswith(KINDS[file.suffix])
        assert "unsafe" not in answer.headers["content-security-policy"]
    for file in [*FOLDER.glob("*.html"), SHARED["/docs"]]:
        text = file.read_text("utf-8")
        assert not re.search(r"<script>|<style>|\son\w+=|\sstyle=|\|\s*safe|autoescape", text), file


async def test_a_listing_is_offered_changed_and_deleted_by_its_pages(sidecar: Sidecar) -> None:
    pets = sidecar.pets
    sitter, browser = sidecar.signed_in(screenname="Ana")
    assert "There are none yet." in (await read(browser, "/listings")).text
    form = (await read(browser, "/listings/new")).form("/api/listings")
    assert form.attributes["data-then"] == "/listings/{id}/edit"
    assert (form.fields["currency"]["value"], form.fields["kind"]["value"]) == ("USD", "pet-sitting")
    filled = {"title": NASTY[:100], "pricePerDay": "25.5", "timeZone": "America/New_York", "kind": "rental"}
    refused = await send(browser, form, **filled, place__name="Wynwood")
    assert [one["field"] for one in refused.json()["fields"]] == ["place.lat", "place.lng"]
    made = await send(browser, form, **filled)
    assert made.status_code == 201, made.text
    assert (made.json()["place"], made.json()["available"], made.json()["kind"]) == (None, True, "rental")
    key = made.json()["id"]
    path = f"/listings/{key}/edit"
    page = await read(browser, path)
    form = page.forms[0]
    assert (form.path, form.attributes["data-method"]) == (f"/api/listings/{key}", "PATCH")
    assert (form.fields["title"]["value"], form.fields["pricePerDay"]["value"]) == (NASTY[:100], "25.50")
    same = await send(browser, form)
    assert same.status_code == 200, same.text
    assert {**same.json(), "updatedAt": ""} == {**made.json(), "updatedAt": ""}, "what nobody changed stays"
    changed = await send(browser, form, description="Con jardín", place__lat="25.8", place__lng="-80", available=False)
    assert changed.status_code == 200, changed.text
    form = (await read(browser, path)).forms[0]
    assert form.fields["description"]["value"] == "Con jardín"
    assert "checked" not in form.fields["available"]
    emptied = (await send(browser, form, description="", place__lat="", place__lng="")).json()
    assert (emptied["description"], emptied["place"], emptied["available"]) == ("", None, False)
    page = await read(browser, "/listings")
    assert "not offered" in page.text
    assert path in page.links
    assert path in (await read(browser, f"/listings/{key}/calendar")).links
    gone = [one for one in (await read(browser, path)).forms if one.attributes.get("data-then") == "/listings"]
    assert (await send(browser, gone[0])).status_code == 204
    await read(browser, path, 404)
    assert pets.rows("SELECT FROM listings WHERE sitter_id = %s", sitter) == []


async def test_parts_of_a_listing_are_added_and_taken_away_by_its_page(sidecar: Sidecar) -> None:
    pets = sidecar.pets
    sitter, browser = sidecar.signed_in()
    listing = pets.make_listing(sitter)
    path = f"/listings/{listing}/edit"
    page = await read(browser, path)
    for form, filled in (
        (page.form("/blocks"), {"from": day(pets, listing, 2), "to": day(pets, listing, 4), "note": "Pintura"}),
        (page.form("/photos"), {"url": "https://photos.example.org/1.jpg", "caption": "El patio"}),
    ):
        assert (await send(browser, form, **filled)).status_code == 201
    link = await send(browser, page.form("/feed"))
    assert page.form("/feed").attributes["data-show"] == "url"
    assert (await sidecar.client().get(link.json()["url"])).status_code == 200
    page = await read(browser, path)
    assert "Pintura" in page.text
    assert "https://photos.example.org/1.jpg" in page.links
    assert "There is a link since" in page.text
    assert not [one for one in page.forms if one.attributes.get("data-then") == "/listings"], "it stays"
    ends = [one for one in page.forms if one.attributes.get("data-method") == "DELETE"]
    assert [one.path.split("/")[4] for one in ends] == ["blocks", "photos", "feed"]
    for form in ends:
        assert (await send(browser, form)).status_code == 204
    assert (await sidecar.client().get(link.json()["url"])).status_code == 404
    page = await read(browser, path)
    assert "Pintura" not in page.text
    assert [one for one in page.forms if one.attributes.get("data-then") == "/listings"]


async def test_own_listings_go_on_behind_the_end_of_a_page(sidecar: Sidecar) -> None:
    sitter, browser = sidecar.signed_in()
    made = [sidecar.pets.make_listing(sitter) for _ in range(23)]
    found: list[str] = []
    path: str | None = "/listings"
    while path is not None:
        page = await read(browser, path)
        found += [one.split("/")[2] for one in page.links if one.endswith("/edit")]
        path = next((one for one in page.links if "cursor=" in one), None)
    assert found == made[::-1]
    await read(browser, "/listings?cursor=rubbish", 400)


async def test_what_would_be_refused_is_not_offered(sidecar: Sidecar) -> None:
    pets = sidecar.pets
    sitter, owner = pets.make_user(), pets.make_user()
    listing = pets.make_listing(sitter)
    begun, late = pets.book(listing, 0, 3, owner), pets.book(listing, 5, 8, owner)
    pets.step(begun, "confirmed", sitter)
    pets.run_out(late)
    assert (await read(sidecar.of(sitter), f"/bookings/{begun}")).forms == []
    assert [one.path.rpartition("/")[2] for one in (await read(sidecar.of(owner), f"/bookings/{begun}")).forms] == [
        "cancel"
    ]
    for who in (sitter, owner):
        page = await read(sidecar.of(who), f"/bookings/{late}")
        assert page.forms == []
        assert "nobody answered in time" in page.text
        assert "the days are kept" not in page.text
        assert "nobody answered in time" in (await read(sidecar.of(who), "/bookings")).text


async def test_a_form_to_book_says_the_price_that_was_seen(sidecar: Sidecar) -> None:
    pets = sidecar.pets
    listing = pets.make_listing()
    browser = sidecar.of(pets.make_user())
    form = (await read(browser, f"/listings/{listing}/calendar")).form("/api/bookings")
    pets.rows("UPDATE listings SET price_per_day = 30, currency = 'EUR' WHERE id = %s", listing)
    filled = {"from": day(pets, listing, 2), "to": day(pets, listing, 4)}
    refused = await send(browser, form, **filled)
    told = refused.json()
    assert (refused.status_code, told["pricePerDay"], told["currency"]) == (409, "30.00", "EUR")
    filled |= {"expectedPricePerDay": told["pricePerDay"], "currency": told["currency"]}
    assert (await send(browser, form, **filled)).status_code == 201


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("/listings/X!/calendar", 422, "key: "),
        ("/listings/{listing}/calendar?from=1924905600", 422, "from: a day is a text as 2027-01-31"),
        ("/listings/{listing}/calendar?months=99", 422, "months: "),
        ("/listings/{listing}/calendar?from=9999-12-01&months=12", 422, "No calendar goes so far"),
        (f"/?q={'x' * 201}", 422, "q: "),
        ("/?q=a%00", 422, "q: holds a NUL"),
        ("/bookings/X!", 422, "key: "),
        ("/bookings?cursor=rubbish", 400, "The cursor is none that was given"),
        ("/listings/nosuch/edit", 404, "Listing not found"),
    ],
)
async def test_a_page_that_cannot_be_says_so_as_a_page(sidecar: Sidecar, path: str, status: int, says: str) -> None:
    listing = sidecar.pets.make_listing()
    _, browser = sidecar.signed_in()
    page = await read(browser, path.format(listing=listing), status)
    assert says in page.text
    assert SIGN_IN not in page.links


async def test_a_page_of_a_database_that_is_away_is_a_page(start: Callable[..., Any]) -> None:
    sidecar = await start(POSTGRES_URL="postgresql://nobody@127.0.0.1:1/none")
    page = await read(sidecar.client(), "/", 503)
    assert "PostgreSQL does not answer" in page.text
