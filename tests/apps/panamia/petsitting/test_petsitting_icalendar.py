"""Calendars as files: read back by the library, and line by line as RFC 5545 has them; and the sitter's own link.

Cannot see: what calendars of people make of them.
"""

from __future__ import annotations

import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import icalendar
import pytest

from tests.apps.panamia.petsitting.sidecar import ORIGIN, Sidecar

pytestmark = pytest.mark.anyio

NASTY = "Canela; vieja, \\n, y coja\nBEGIN:VEVENT\r\nSUMMARY:ha 🐕" + " ñandú" * 30


def events_of(text: str) -> list[Any]:
    """Return the events of a file, in the order of their days."""
    found = icalendar.Calendar.from_ical(text).walk("VEVENT")
    return sorted(found, key=lambda one: one.decoded("dtstart"))


async def file_of(sidecar: Sidecar, path: str) -> str:
    """Return a file as somebody's calendar gets it, who is not signed in."""
    answer = await sidecar.client().get(path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    return answer.text


async def feed_of(sidecar: Sidecar, sitter: str, listing: str) -> str:
    """Return a new link of a sitter."""
    made = await sidecar.of(sitter).post(f"/api/listings/{listing}/feed")
    assert made.status_code == 201, made.text
    url = made.json()["url"]
    assert url.startswith(f"{ORIGIN}/api/listings/{listing}/calendar.ics?token=")
    assert len(parse_qs(urlsplit(url).query)["token"][0]) >= 43  # 256 bits
    return url


async def test_days_end_before_the_one_on_which_somebody_else_comes(sidecar: Sidecar) -> None:
    pets = sidecar.pets
    sitter, owner = pets.make_user(), pets.make_user(screenname="Ana")
    listing = pets.make_listing(sitter)
    asked, sure = pets.book(listing, 2, 5, owner), pets.book(listing, 5, 6, owner)
    pets.step(sure, "confirmed", sitter)
    pets.block(listing, 6, 9, note="Fumigation")
    today = pets.today(listing)
    text = await file_of(sidecar, await feed_of(sidecar, sitter, listing))
    events = events_of(text)
    assert [
        (str(one["summary"]), str(one["status"]), one.decoded("dtstart"), one.decoded("dtend")) for one in events
    ] == [
        (f"{word}: {who}", status, today + datetime.timedelta(first), today + datetime.timedelta(end))
        for word, who, status, first, end in (
            ("Asked for", "Ana", "TENTATIVE", 2, 5),
            ("Booked", "Ana", "CONFIRMED", 5, 6),
            ("Blocked", "Fumigation", "CONFIRMED", 6, 9),
        )
    ]
    assert f"DTEND;VALUE=DATE:{today + datetime.timedelta(5):%Y%m%d}\r\n" in text
    assert [str(one.get("url")) for one in events[:2]] == [f"{ORIGIN}/bookings/{key}" for key in (asked, sure)]
    assert "url" not in events[2]


async def test_everybody_gets_one_event_for_days_that_follow_each_other_and_no_name(sidecar: Sidecar) -> None:
    pets = sidecar.pets
    listing = pets.make_listing()
    pets.book(listing, 2, 5, pets.make_user(screenname="Ana"))
    pets.block(listing, 5, 9, note="Fumigation")
    pets.book(listing, 20, 21)
    text = await file_of(sidecar, f"/api/listings/{listing}/calendar.ics")
    found = [(str(one["summary"]), (one.decoded("dtend") - one.decoded("dtstart")).days) for one in events_of(text)]
    assert found == [("Taken", 7), ("Taken", 1)]
    assert "Ana" not in text
    assert "Fumigation" not in text
    assert "/bookings/" not in text


async def test_what_people_wrote_is_read_back_and_begins_nothing_of_its_own(sidecar: Sidecar) -> None:
    pets = sidecar.pets
    sitter = pets.make_user()
    listing = pets.make_listing(sitter, title='Perros, gatos; y "más" \\ 🐕')
    pets.block(listing, 2, 4, note=NASTY)
    text = await file_of(sidecar, await feed_of(sidecar, sitter, listing))
    (event,) = events_of(text)
    assert str(event["summary"]) == f"Blocked: {NASTY}".replace("\r\n", "\n")
    lines = text.split("\r\n")
    assert lines[-1] == ""
    assert "\n" not in "".join(lines)
    assert max(len(line.encode()) for line in lines) <= 75
    assert [line for line in lines if line.startswith(("BEGIN:", "SUMMARY"))] == [
        "BEGIN:VCALENDAR",
        "BEGIN:VEVENT",
        next(line for line in lines if line.startswith("SUMMARY:Blocked")),
    ]
    whole = text.replace("\r\n ", "")
    assert r"Blocked: Canela\; vieja\, \\n\, y coja\nBEGIN:VEVENT\nSUMMARY:ha" in whole
    for name in ("NAME", "X-WR-CALNAME"):
        assert name + r':Perros\, gatos\; y "más" \\ 🐕' in whole.split("\r\n")


async def test_what_no_file_can_hold_is_left_out_and_what_looks_like_a_break_is_none(
    sidecar: Sidecar,
) -> None:
    pets = sidecar.pets
    sitter = pets.make_user()
    listing = pets.make_listing(sitter, title="A\x07B\x1b\x7fC\x85D \\N \\n")
    pets.block(listing, 2, 4, note="one\ttwo\x0b\x0c\r\x1f three\r\nfour \\N \\, \\\\n")
    lines = (await file_of(sidecar, await feed_of(sidecar, sitter, listing))).replace("\r\n ", "").split("\r\n")
    assert [one for one in lines if one.startswith(("NAME", "X-WR-CALNAME", "SUMMARY"))] == [
        r"NAME:ABCD \\N \\n",
        r"X-WR-CALNAME:ABCD \\N \\n",
        "SUMMARY:Blocked: one\ttwo" + r"\n three\nfour \\N \\\, \\\\n",
    ]


async def test_file_goes_as_far_as_its_kind_is_booked(sidecar: Sidecar) -> None:
    pets = sidecar.pets
    pets.rows("UPDATE listing_kinds SET furthest_days = 3660, longest_days = 3660 WHERE key = 'rental'")
    sitter = pets.make_user()
    listing = pets.make_listing(sitter, kind="rental")
    pets.book(listing, 3659, 7319)
    pets.block(listing, 20_000, 20_001)
    for link in (f"/api/listings/{listing}/calendar.ics", await feed_of(sidecar, sitter, listing)):
        assert len(events_of(await file_of(sidecar, link))) == 2


async def test_events_are_told_apart_and_keep_what_they_are_called(sidecar: Sidecar) -> None:
    pets = sidecar.pets
    sitter, owner = pets.make_user(), pets.make_user()
    listings = [pets.make_listing(sitter) for _ in range(2)]
    for listing in listings:
        for first in (2, 10, 20):
            pets.book(listing, first, first + 3, owner)
            pets.block(listing, first + 3, first + 5)
    links = [await feed_of(sidecar, sitter, one) for one in listings]
    links += [f"/api/listings/{one}/calendar.ics" for one in listings]
    once = [[str(one["uid"]) for one in events_of(await file_of(sidecar, link))] for link in links]
    again = [[str(one["uid"]) for one in events_of(await file_of(sidecar, link))] for link in links]
    assert once == again
    assert [len(one) for one in once] == [6, 6, 3, 3]
    of_sitter, of_all = once[0] + once[1], once[2] + once[3]
    assert len(set(of_sitter)) == len(of_sitter)
    assert len(set(of_all)) == len(of_all)
    assert all(one.endswith("@localhost") for one in of_sitter + of_all)


async def test_file_is_whole_of_a_listing_that_nobody_booked(sidecar: Sidecar) -> None:
    text = await file_of(sidecar, f"/api/listings/{sidecar.pets.make_listing()}/calendar.ics")
    calendar = icalendar.Calendar.from_ical(text)
    assert (str(calendar["version"]), str(calendar["method"])) == ("2.0", "PUBLISH")
    assert events_of(text) == []


async def test_what_is_over_and_what_nobody_answered_is_in_no_file(sidecar: Sidecar) -> None:
    pets = sidecar.pets
    sitter = pets.make_user()
    listing = pets.make_listing(sitter)
    for first, status in ((2, "declined"), (6, "cancelled")):
        pets.step(pets.book(listing, first, first + 2), status, sitter, "No")
    pets.run_out(pets.book(listing, 10, 12))
    for link in (await feed_of(sidecar, sitter, listing), f"/api/listings/{listing}/calendar.ics"):
        assert events_of(await file_of(sidecar, link)) == []


async def test_link_that_was_renewed_or_ended_opens_nothing(sidecar: Sidecar) -> None:
    pets = sidecar.pets
    sitter = pets.make_user()
    listing, other = pets.make_listing(sitter), pets.make_listing(sitter)
    first = await feed_of(sidecar, sitter, listing)
    await file_of(sidecar, first)
    second = await feed_of(sidecar, sitter, listing)
    assert second != first
    assert (await sidecar.client().get(first)).status_code == 404
    await file_of(sidecar, second)
    assert (await sidecar.client().get(second.replace(listing, other))).status_code == 404
    browser = sidecar.of(sitter)
    assert (await browser.delete(f"/api/listings/{listing}/feed")).status_code == 204
    assert (await browser.delete(f"/api/listings/{listing}/feed")).status_code == 204
    assert (await sidecar.client().get(second)).status_code == 404


async def test_wrong_token_opens_nothing_not_even_for_the_sitter(sidecar: Sidecar) -> None:
    pets = sidecar.pets
    sitter = pets.make_user()
    listing = pets.make_listing(sitter)
    await feed_of(sidecar, sitter, listing)
    for token, status in (("", 404), ("x", 404), ("🐕", 404), ("a" * 43, 404), ("%00", 422), ("a" * 101, 422)):
        for browser in (sidecar.client(), sidecar.of(sitter)):
            answer = await browser.get(f"/api/listings/{listing}/calendar.ics?token={token}")
            assert (answer.status_code, "VCALENDAR" in answer.text) == (status, False), token


async def test_link_is_the_sitters_to_make_and_is_kept_by_nobody(sidecar: Sidecar) -> None:
    pets = sidecar.pets
    sitter = pets.make_user()
    listing = pets.make_listing(sitter)
    for method in ("POST", "DELETE"):
        path = f"/api/listings/{listing}/feed"
        assert (await sidecar.client().request(method, path)).status_code == 401
        assert (await sidecar.of(pets.make_user()).request(method, path)).status_code == 404
    link = await feed_of(sidecar, sitter, listing)
    token = parse_qs(urlsplit(link).query)["token"][0]
    ((row,),) = pets.rows("SELECT to_jsonb(calendar_feeds)::text FROM calendar_feeds")
    assert token not in row


async def test_withdrawn_listing_is_opened_by_its_link_alone(sidecar: Sidecar) -> None:
    pets = sidecar.pets
    sitter = pets.make_user()
    listing = pets.make_listing(sitter, available=False)
    assert (await sidecar.client().get(f"/api/listings/{listing}/calendar.ics")).status_code == 404
    await file_of(sidecar, await feed_of(sidecar, sitter, listing))


async def test_calendar_goes_as_far_as_calendars_go(sidecar: Sidecar) -> None:
    listing = sidecar.pets.make_listing()
    browser = sidecar.client()
    for query, status in (
        ("?from=9999-12-01&months=12", 422),
        ("?from=9999-12-31", 422),
        ("?from=9999-01-31&months=11", 200),
        ("?from=0001-01-01", 200),
        ("?from=2028-02-29&months=12", 200),
        ("?months=13", 422),
        ("?months=0", 422),
        ("?from=2027-02-29", 422),
        ("?from=x", 422),
    ):
        for path in (f"/api/listings/{listing}/calendar", f"/listings/{listing}/calendar"):
            answer = await browser.get(path + query)
            assert answer.status_code == status, (path, query, answer.text)


@pytest.mark.parametrize("what", ["deleted", "locked"])
async def test_link_of_a_sitter_who_may_not_come_opens_nothing(sidecar: Sidecar, what: str) -> None:
    pets = sidecar.pets
    sitter = pets.make_user()
    link = await feed_of(sidecar, sitter, pets.make_listing(sitter))
    await file_of(sidecar, link)
    ended = "DELETE FROM users" if what == "deleted" else "UPDATE users SET locked_at = now()"
    pets.rows(f"{ended} WHERE id = %s", sitter)
    assert (await sidecar.client().get(link)).status_code == 404
