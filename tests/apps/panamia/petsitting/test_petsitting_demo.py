"""`make petsitting`: both services run, what is printed works, and nothing is left of it; what its people offer.

Cannot see: how the pages look.
"""

from __future__ import annotations

import datetime
import re
import socket
import subprocess
import sys
from itertools import pairwise

import httpx
import pytest

from apps.panamia.demo.offering import count_people, offer_all
from apps.panamia.demo.stays import GUEST, offers
from apps.panamia.petsitting.settings import read_settings
from tests.apps.panamia.demos import ROOT, demo, until_it_listens
from tests.apps.panamia.petsitting.conftest import Pets
from tests.fix_mongo import needs_wire_server
from tests.fix_postgres import free_port

MODULE = "apps.panamia.demo.petsitting"
LISTINGS = 12


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_one_link_signs_in_at_both_and_nothing_is_left_behind() -> None:
    needs_wire_server()
    port, sitting_port = free_port(), free_port()
    with demo(MODULE, "--port", port, "--sitting-port", sitting_port, "--listings", LISTINGS) as text:
        (link,) = re.findall(r"http://\S*/api/auth/callback/email\S*", text)
        main, sitting = f"http://localhost:{port}", f"http://localhost:{sitting_port}"
        with httpx.Client(base_url=main) as browser:
            until_it_listens(browser)
            assert browser.get(f"{sitting}/bookings").headers["location"] == f"{main}/signin"
            assert browser.get(link).headers["location"] == "/"
            _answer_somebody(browser, main, sitting, text)
            _be_told_what_is_taken(browser, sitting, text)
            _look_for_more(browser, sitting, text)
    for one in (port, sitting_port):
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", one)) != 0


def _answer_somebody(browser: httpx.Client, main: str, sitting: str, text: str) -> None:
    (key,) = re.findall(rf"{sitting}/bookings/([a-z0-9]+)", text)
    assert "Confirm" in browser.get(f"{sitting}/bookings/{key}").text
    told = browser.get(f"{main}/api/notifications", params={"context": "booking"}).json()
    assert f"{sitting}/bookings/{key}" in {one["objectUrl"] for one in told["notifications"]}
    answer = browser.post(f"{sitting}/api/bookings/{key}/confirm", headers={"origin": sitting})
    assert answer.json()["status"] == "confirmed", answer.text


def _be_told_what_is_taken(browser: httpx.Client, sitting: str, text: str) -> None:
    (key,) = re.findall(rf"{sitting}/listings/([a-z0-9]+)/calendar", text)
    page = browser.get(f"{sitting}/listings/{key}/calendar")
    assert 'data-path="/api/bookings"' in page.text
    (today,) = re.findall(r'<td class="[a-z]+" aria-current="date" title="([-0-9]+)', page.text)
    end = datetime.date.fromisoformat(today) + datetime.timedelta(30)
    wish = {"listingId": key, "from": today, "to": str(end)}
    refused = browser.post(f"{sitting}/api/bookings", json=wish, headers={"origin": sitting})
    assert (refused.status_code, refused.json()["code"]) == (409, "taken"), refused.text


def _look_for_more(browser: httpx.Client, sitting: str, text: str) -> None:
    (path,) = re.findall(rf"{sitting}(/api/listings\?\S+)", text)
    assert browser.get(sitting + path).status_code == 200
    everything = browser.get(f"{sitting}/api/listings", params={"limit": 50}).json()["listings"]
    assert len(everything) == LISTINGS
    assert {one["kind"] for one in everything} == {"pet-sitting", "rental"}
    assert any(one["photos"] for one in everything)
    assert any(one["rating"]["count"] for one in everything)


def test_port_that_somebody_has_is_told_before_anything_starts() -> None:
    with socket.create_server(("127.0.0.1", 0)) as somebody:
        taken = somebody.getsockname()[1]
        ran = subprocess.run(
            [sys.executable, "-m", MODULE, "--port", str(free_port()), "--sitting-port", str(taken)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    assert (ran.returncode, ran.stdout) == (2, "")
    assert f"port {taken}" in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize("seed", range(20))
def test_no_two_have_a_day_of_what_the_demo_makes(seed: int) -> None:
    """So that nothing of it is refused; those who ended do not count, but are kept apart all the same."""
    made = list(offers(40, 60, seed))
    assert [one.sitter for one in made].count(GUEST) == 1
    assert {one.kind for one in made} == {"pet-sitting", "rental"}
    assert {stay.outcome for one in made for stay in one.stays} == {
        "pending", "expired", "confirmed", "declined", "cancelled", "stayed",
    }  # fmt: skip
    for one in made:
        days = sorted([(stay.first, stay.end) for stay in one.stays] + [(first, end) for first, end, _ in one.blocks])
        assert all(first < end for first, end in days)
        assert all(before[1] <= behind[0] for before, behind in pairwise(days))
        assert all((stay.end <= 0) == (stay.outcome == "stayed") for stay in one.stays)
        assert all((stay.why is not None) == (stay.outcome in {"declined", "cancelled"}) for stay in one.stays)
        assert one.sitter not in {stay.owner for stay in one.stays}
    assert list(offers(40, 60, seed)) == made


@pytest.mark.anyio
async def test_what_the_demo_makes_goes_in_with_the_rights_of_the_sidecar(pets: Pets) -> None:
    guest = pets.make_user(screenname="Guest")
    for at in range(9):
        pets.make_user(screenname=f"Somebody-{at}")
    settings = read_settings({"POSTGRES_URL": pets.role})
    people = await count_people(pets.role, guest)
    assert people == 10
    made = await offer_all(settings, pets.owner, guest, list(offers(LISTINGS, people)))
    assert pets.rows("SELECT count(*) FROM listings") == [(made.count,)] == [(LISTINGS,)]
    asked = "SELECT status::text, sitter_id, lower(days) > now() FROM bookings WHERE id = %s"
    assert pets.rows(asked, made.asked) == [("pending", guest, True)]
    booked = "SELECT DISTINCT status::text FROM bookings WHERE listing_id = %s AND owner_id = %s ORDER BY 1"
    assert pets.rows(booked, made.listing, guest) == [("completed",), ("confirmed",), ("pending",)]
    later = "SELECT count(*) FROM booking_steps AS one JOIN booking_steps AS next USING (booking_id)"
    assert pets.rows(f"{later} WHERE one.id < next.id AND one.done_at > next.done_at") == [(0,)]
    assert pets.rows("SELECT FROM bookings WHERE status = 'completed' AND upper(days) > now()") == []
    assert pets.rows("SELECT FROM bookings WHERE hold_until <= now()") == []
    assert pets.rows("SELECT count(*) FROM notification_mails") == [(0,)]
    assert pets.rows("SELECT count(*) > 5 FROM notifications WHERE target = %s", guest) == [(True,)]
