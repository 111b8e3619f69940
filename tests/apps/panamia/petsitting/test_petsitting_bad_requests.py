"""Requests for bookings that cannot be, over HTTP: each has its status, its code and its words, and changes nothing.

Oracle: the words, written here once more; and every row of every table, before and behind.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from apps.panamia.petsitting import taken as taking
from apps.panamia.petsitting.bookings import writing
from apps.panamia.petsitting.days import Days
from tests.apps.panamia.petsitting.conftest import Pets
from tests.apps.panamia.petsitting.possessions import held
from tests.apps.panamia.petsitting.sidecar import Sidecar

pytestmark = pytest.mark.anyio
NOBODYS = "z" * 24
EVER, END, LAST = (datetime.date(*day) for day in ((2, 1, 1), (9999, 12, 31), (9999, 12, 30)))
REVERSED = "The last day must be behind the first: it is the one that is free again"


@dataclass
class Scene:
    """A listing at 25 dollars a day, its sitter, who has booked it, and a stranger.

    Attributes:
        browsers: Of `sitter`, `owner`, `stranger`, and of the stranger with an `expired` session.
        today: Where the listing is.
        bookings: Status → id; `expired` is one whose hold has run out, which nobody wrote down.
    """

    pets: Pets
    browsers: dict[str, httpx.AsyncClient]
    listing: str
    today: datetime.date
    bookings: dict[str, str] = field(default_factory=dict[str, str])

    def day(self, at: object) -> str:
        """A day, counted from today, or as it is."""
        return str(self.today + datetime.timedelta(at) if isinstance(at, int) else at)

    async def is_refused(self, who: str, path: str, body: object, told: tuple[int, str | None, str]) -> httpx.Response:
        """Send something that is refused with this status, code and words, and see that nothing changed."""
        before = held(self.pets)
        answer = await self.browsers[who].post(path, json=body or None)
        said = answer.json()
        assert (answer.status_code, said.get("code"), said["error"]) == told
        assert held(self.pets) == before
        return answer


@pytest.fixture
def scene(sidecar: Sidecar) -> Scene:
    pets = sidecar.pets
    people = {name: pets.make_user(screenname=name) for name in ("sitter", "owner", "stranger")}
    browsers = {name: sidecar.of(user) for name, user in people.items()}
    browsers["expired"] = sidecar.client(pets.make_session(people["stranger"], hours=-1))
    listing = pets.make_listing(people["sitter"])
    found = Scene(pets, browsers, listing, pets.today(listing))
    for at, status in enumerate(("pending", "confirmed", "declined", "cancelled", "completed", "expired")):
        found.bookings[status] = booking = pets.book(listing, 10 + 3 * at, 12 + 3 * at, people["owner"])
        if status == "expired":
            pets.run_out(booking)
        elif status == "completed":
            pets.step(booking, "confirmed", people["sitter"])
            pets.long_ago(booking, 60)
            pets.step(booking, "completed")
        elif status == "cancelled":
            pets.step(booking, status, people["owner"], "Another plan")
        elif status != "pending":
            pets.step(booking, status, people["sitter"], "No room" if status == "declined" else None)
    return found


@pytest.mark.parametrize(
    ("who", "first", "end", "more", "told"),
    [
        pytest.param("stranger", 11, 14, {}, (409, "taken", "These days are taken"), id="overlap"),
        pytest.param("stranger", 5, 3, {}, (422, "wrong-days", REVERSED), id="reversed"),
        pytest.param("stranger", 5, 5, {}, (422, "wrong-days", REVERSED), id="empty"),
        pytest.param(
            "stranger", EVER, END, {}, (422, "past", "It is {today} there: the first day has passed"), id="all"
        ),
        pytest.param("stranger", 1, END, {}, (422, "too-long", "At most 90 days are booked at once"), id="for-ever"),
        pytest.param(
            "stranger", LAST, END, {}, (422, "too-far", "Days are booked at most 365 days ahead"), id="the-last"
        ),
        pytest.param("stranger", -1, 3, {}, (422, "past", "It is {today} there: the first day has passed"), id="past"),
        pytest.param("stranger", 1, 3, {"listingId": NOBODYS}, (404, None, "Listing not found"), id="no-such-listing"),
        pytest.param(
            "sitter", 1, 3, {}, (400, "own-listing", "Nobody books with themselves: block the days instead"), id="own"
        ),
        pytest.param(
            "stranger",
            1,
            3,
            {"currency": "EUR"},
            (422, "wrong-currency", "The price of this listing is in USD"),
            id="currency",
        ),
        pytest.param("expired", 1, 3, {}, (401, None, "Unauthorized"), id="expired-session"),
    ],
)
async def test_days_that_cannot_be_had_are_refused_in_words(
    scene: Scene, who: str, first: object, end: object, more: dict[str, str], told: tuple[int, str | None, str]
) -> None:
    body = {"listingId": scene.listing, "from": scene.day(first), "to": scene.day(end), **more}
    status, code, words = told
    await scene.is_refused(who, "/api/bookings", body, (status, code, words.format(today=scene.today)))


@pytest.mark.parametrize(
    ("who", "booking", "step", "body", "told"),
    [
        ("sitter", "expired", "confirm", {}, (409, "hold-expired", "Nobody answered in time: the days are free again")),
        ("sitter", "declined", "confirm", {}, (409, "transition", "A booking that is declined cannot be confirmed")),
        (
            "sitter",
            "confirmed",
            "decline",
            {"why": "No"},
            (409, "transition", "A booking that is confirmed cannot be declined"),
        ),
        (
            "owner",
            "completed",
            "cancel",
            {"why": "No"},
            (409, "transition", "A booking that is completed cannot be cancelled"),
        ),
        (
            "owner",
            "cancelled",
            "cancel",
            {"why": "No"},
            (409, "transition", "A booking that is cancelled cannot be cancelled"),
        ),
        ("owner", "confirmed", "review", {"rating": 5}, (409, "not-completed", "Say how it was when it is over")),
        ("sitter", "completed", "review", {"rating": 5}, (403, None, "Only whoever booked says how it was")),
        ("owner", "pending", "confirm", {}, (403, None, "Only whoever offers the listing answers")),
        ("stranger", "pending", "confirm", {}, (404, None, "Booking not found")),
        ("stranger", "pending", "cancel", {"why": "No"}, (404, None, "Booking not found")),
        ("stranger", "none", "cancel", {"why": "No"}, (404, None, "Booking not found")),
        ("expired", "pending", "cancel", {"why": "No"}, (401, None, "Unauthorized")),
    ],
)
async def test_a_step_that_cannot_be_is_refused_in_words(
    scene: Scene, who: str, booking: str, step: str, body: dict[str, object], told: tuple[int, str | None, str]
) -> None:
    key = scene.bookings.get(booking, NOBODYS)
    await scene.is_refused(who, f"/api/bookings/{key}/{step}", body, told)


async def test_the_constraint_alone_tells_which_days_are_taken(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the application's own looks switched off until the database has said no."""
    looks: list[Days] = []
    look = taking.taken

    async def blind(db: AsyncSession, listing: str, days: Days) -> list[Days]:
        looks.append(days)
        return [] if len(looks) < 3 else await look(db, listing, days)

    monkeypatch.setattr(taking, "taken", blind)
    monkeypatch.setattr(writing, "taken", blind)
    body = {"listingId": scene.listing, "from": scene.day(11), "to": scene.day(14)}
    refused = await scene.is_refused("stranger", "/api/bookings", body, (409, "taken", "These days are taken"))
    assert len(looks) == 3, "before the listing is held, behind that, and behind the constraint"
    assert refused.json()["conflicts"] == [
        {"from": scene.day(11), "to": scene.day(12)},
        {"from": scene.day(13), "to": scene.day(14)},
    ]
