"""What the sidecar tells people, as the main service shows and mails it: one inbox, one count, mail by preference."""

from __future__ import annotations

import datetime
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from apps.panamia.petsitting.bookings.sweeping import sweep
from apps.panamia.service.notifications.sending import Counts, send_due
from tests.apps.panamia.petsitting.beside import main_service
from tests.apps.panamia.petsitting.conftest import Pets
from tests.apps.panamia.petsitting.sidecar import ORIGIN as SITTING
from tests.apps.panamia.petsitting.sidecar import Sidecar
from tests.apps.panamia.service.conftest import World
from tests.apps.panamia.service.mails import mails_of

pytestmark = pytest.mark.anyio
URL = "/api/notifications"


@pytest.fixture
async def main(pets: Pets, mongo_server: str, tmp_path: Path) -> AsyncIterator[World]:
    """The main service over the sidecar's database."""
    async with main_service(pets, mongo_server, tmp_path) as world:
        yield world


async def sent(main: World) -> Counts:
    """Send what mail is due, as the main service does."""
    return await send_due(main.app.state.resources.sessions, main.app.state.resources.mail, main.settings.public_url)


class Two:
    """An owner and a sitter, signed in at both services by one session each."""

    def __init__(self, sidecar: Sidecar, main: World) -> None:
        pets = sidecar.pets
        self.sidecar = sidecar
        self.owner = pets.make_user("ana@example.org", screenname="Ana")
        self.sitter = pets.make_user("beto@example.org", screenname="Beto")
        self.listing = pets.make_listing(self.sitter, title='Cats & <b>"dogs"</b>')
        tokens = [pets.make_session(one) for one in (self.owner, self.sitter)]
        self.booking, self.answering = (sidecar.client(one) for one in tokens)
        self.owners, self.sitters = (main.client(one) for one in tokens)

    async def book(self, first: int, **more: object) -> str:
        """Ask for two days; return the id of the booking."""
        today = self.sidecar.pets.today(self.listing)
        days = {"from": str(today + datetime.timedelta(first)), "to": str(today + datetime.timedelta(first + 2))}
        made = await self.booking.post("/api/bookings", json={"listingId": self.listing, **days, **more})
        assert made.status_code == 201, made.text
        return made.json()["id"]


@pytest.fixture
def two(sidecar: Sidecar, main: World) -> Two:
    return Two(sidecar, main)


async def listed(client: Any, **query: str) -> list[dict[str, Any]]:
    answer = await client.get(URL, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()["notifications"]


async def test_a_booking_is_in_the_inbox_and_its_mail_goes_out_once(main: World, two: Two) -> None:
    key = await two.book(3, message="¿Sí?")
    (told,) = await listed(two.sitters)
    assert told["displayMessage"] == 'Ana asks for days of “Cats & <b>"dogs"</b>”'
    assert told["objectUrl"] == f"{SITTING}/bookings/{key}"
    assert (told["type"], told["context"], told["objectType"], told["message"]) == (
        "Invite",
        "booking",
        "booking",
        "¿Sí?",
    )
    assert await listed(two.sitters, context="booking", unreadOnly="true") == [told]
    assert (await two.sitters.get(f"{URL}/unread-count")).json() == {"count": 1}
    assert await listed(two.owners) == [], "nobody is told of their own deed"

    assert (await sent(main), await sent(main)) == (Counts(sent=1), Counts())
    (letter,) = mails_of(main)
    assert (letter.to, letter.subject) == ("beto@example.org", told["displayMessage"])
    lines = letter.text.splitlines()
    assert f"{SITTING}/bookings/{key}" in lines
    assert "> ¿Sí?" in lines
    assert "You get mail about bookings, of what you offer and of what you book." in letter.text

    assert (await two.sitters.post(f"{URL}/{told['id']}/read")).status_code == 200
    assert (await two.sitters.get(f"{URL}/unread-count")).json() == {"count": 0}


async def test_whoever_says_no_is_told_and_gets_no_mail(main: World, two: Two) -> None:
    said = await two.sitters.patch(f"{URL}/preferences", json={"bookings": False})
    assert said.json()["bookings"] is False
    key = await two.book(3)
    assert await sent(main) == Counts(dropped=1)
    assert len(await listed(two.sitters)) == 1
    assert (await two.answering.post(f"/api/bookings/{key}/confirm")).status_code == 200
    assert await sent(main) == Counts(sent=1), "to the owner, who said nothing"
    assert [one.to for one in mails_of(main)] == ["ana@example.org"]


async def test_each_step_has_its_sentence_and_its_mail(main: World, two: Two) -> None:
    pets, why = two.sidecar.pets, {"why": "Rain.\nAnd wind."}
    for first, steps in ((2, ["confirm", "cancel"]), (5, ["decline"])):
        key = await two.book(first)
        for step in steps:
            answer = await two.answering.post(f"/api/bookings/{key}/{step}", json=None if step == "confirm" else why)
            assert answer.status_code == 200, answer.text
    pets.run_out(await two.book(8))
    over = await two.book(11)
    pets.step(over, "confirmed", two.sitter)
    pets.long_ago(over, 40)
    await sweep(two.sidecar.app.state.resources)
    review = await two.booking.post(f"/api/bookings/{over}/review", json={"rating": 5})
    assert review.status_code == 201, review.text

    title = '“Cats & <b>"dogs"</b>”'
    owners = {one["displayMessage"]: one["message"] for one in await listed(two.owners)}
    assert owners == {
        f"Beto confirmed the booking of {title}": None,
        f"Beto cancelled the booking of {title}": why["why"],
        f"Beto declined the booking of {title}": why["why"],
        f"The booking of {title} ran out before it was confirmed": None,
        f"The days of {title} are over": None,
    }
    sitters = {one["displayMessage"] for one in await listed(two.sitters)}
    assert sitters == {
        f"Ana asks for days of {title}",
        f"The booking of {title} ran out before it was confirmed",
        f"The days of {title} are over",
        f"Ana reviewed {title}",
    }
    assert (await sent(main)).sent == 5 + 4 + 3
    assert {one.subject for one in mails_of(main)} == {*owners, *sitters}
    assert all(f"\n{SITTING}/bookings/" in one.text for one in mails_of(main))


async def test_who_is_deleted_leaves_what_was_told_without_a_name(main: World, two: Two) -> None:
    """And its mail: whoever was about to come has to know."""
    key, title = await two.book(3), '“Cats & <b>"dogs"</b>”'
    no = {"why": "I leave"}
    assert (await two.answering.post(f"/api/bookings/{key}/cancel", json=no)).status_code == 200
    two.sidecar.pets.rows("DELETE FROM users WHERE id = %s", two.sitter)
    (told,) = await listed(two.owners)
    assert (told["actor"], told["actorScreenname"], told["actorName"]) == (None, None, None)
    assert (told["displayMessage"], told["message"]) == (f"Former Member cancelled the booking of {title}", no["why"])
    assert (await two.owners.get(f"{URL}/unread-count")).json() == {"count": 1}
    assert await sent(main) == Counts(sent=1)
    (letter,) = mails_of(main)
    assert (letter.to, letter.subject) == ("ana@example.org", told["displayMessage"])
    assert "Beto" not in letter.text


async def test_mail_of_what_the_clock_did_counts_for_nobody(main: World, two: Two) -> None:
    """One person sets off ten mails a day at most; it is not one person who does this."""
    for first in range(2, 26, 2):
        two.sidecar.pets.run_out(two.sidecar.pets.book(two.listing, first, first + 2, two.owner))
    await sweep(two.sidecar.app.state.resources)
    assert await sent(main) == Counts(sent=2 * 12)


async def test_a_booking_that_is_refused_tells_nobody(main: World, two: Two) -> None:
    await two.book(3)
    today = two.sidecar.pets.today(two.listing)
    days = {"from": str(today + datetime.timedelta(4)), "to": str(today + datetime.timedelta(9))}
    assert (await two.booking.post("/api/bookings", json={"listingId": two.listing, **days})).status_code == 409
    assert len(await listed(two.sitters)) == 1
    assert await sent(main) == Counts(sent=1)


async def test_other_links_are_none(main: World, two: Two) -> None:
    """What a row holds that no service wrote, or that was carried."""
    await two.book(3)
    for url in ("javascript:alert(1)", "//evil.example/", "https://me@evil.example/"):
        two.sidecar.pets.rows("UPDATE notifications SET object_url = %s", url)
        assert [one["objectUrl"] for one in await listed(two.sitters)] == [None], url
