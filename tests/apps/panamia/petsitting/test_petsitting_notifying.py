"""What people are told of bookings: each event, to whom, in the booking's transaction, into an inbox that is not read.

Cannot see: how the main service shows and mails it; its own tests do.
"""

from __future__ import annotations

import asyncio
import datetime
from typing import Any

import psycopg
import pytest

from apps.panamia.models.ids import new_id
from apps.panamia.petsitting.bookings.bodies import NewBooking
from apps.panamia.petsitting.bookings.sweeping import sweep
from apps.panamia.petsitting.bookings.writing import book
from apps.panamia.petsitting.models import Booking
from apps.panamia.petsitting.notifying import tell
from apps.panamia.petsitting.sweep import main as sweep_once
from apps.panamia.web.sessions import Signed
from tests.apps.panamia.petsitting.conftest import Pets
from tests.apps.panamia.petsitting.sidecar import ORIGIN, Sidecar

pytestmark = pytest.mark.anyio
TITLE = 'Perros "felices" & O\'Gatos 🐕'


def told(pets: Pets) -> list[tuple[Any, ...]]:
    """What was told: the sort, by whom, to whom, the words; in any order of one transaction."""
    return sorted(pets.rows("SELECT type::text, actor, target, message FROM notifications"), key=str)


async def ask(sidecar: Sidecar, owner: str, listing: str, first: int = 2, end: int = 5, **more: object) -> Any:
    """Ask for days as an owner does."""
    today = sidecar.pets.today(listing)
    days = {"from": str(today + datetime.timedelta(first)), "to": str(today + datetime.timedelta(end))}
    return await sidecar.of(owner).post("/api/bookings", json={"listingId": listing, **days, **more})


async def do(sidecar: Sidecar, person: str, booking: str, step: str, **body: object) -> None:
    """Take a step of a booking."""
    answer = await sidecar.of(person).post(f"/api/bookings/{booking}/{step}", json=body or None)
    assert answer.is_success, answer.text


async def test_each_step_is_told_to_the_other_one_alone(sidecar: Sidecar) -> None:
    pets = sidecar.pets
    sitter, owner = pets.make_user(screenname="Sit"), pets.make_user(screenname="Own")
    listing = pets.make_listing(sitter)
    expected: list[tuple[str, str, str, str | None]] = []
    for first, steps in (
        (2, [("confirm", sitter, {}), ("cancel", owner, {"why": "We stay"})]),
        (6, [("decline", sitter, {"why": "Full"})]),
        (10, [("confirm", sitter, {}), ("cancel", sitter, {"why": "Ill"})]),
        (14, [("cancel", owner, {"why": "No"})]),
        (18, [("cancel", sitter, {"why": "Roof"})]),
    ):
        key = (await ask(sidecar, owner, listing, first, first + 3)).json()["id"]
        expected.append(("Invite", owner, sitter, None))
        for step, person, body in steps:
            await do(sidecar, person, key, step, **body)
            sort = {"confirm": "Accept", "decline": "Reject", "cancel": "Delete"}[step]
            expected.append((sort, person, sitter if person == owner else owner, body.get("why")))
    assert told(pets) == sorted(expected, key=str)
    assert pets.rows("SELECT FROM notifications WHERE actor = target") == []


async def test_notification_says_all_that_the_inbox_shows_and_is_owed_as_mail(sidecar: Sidecar) -> None:
    pets = sidecar.pets
    sitter, owner = pets.make_user(), pets.make_user(screenname="Ana", name="Ana of the provider")
    listing = pets.make_listing(sitter)
    key = (await ask(sidecar, owner, listing, message="¿Sí?\nGracias")).json()["id"]
    columns = "context::text, actor_screenname, actor_name, object_type::text, object_title, object_url, message, read"
    query = f"SELECT {columns}, email_preference_key, expires_at FROM notifications WHERE target = %s"
    url = f"{ORIGIN}/bookings/{key}"
    assert pets.rows(query, sitter) == [
        ("booking", "Ana", "Ana", "booking", TITLE, url, "¿Sí?\nGracias", False, "bookings", None)
    ]
    of_booking = "SELECT target, booking_id FROM notifications JOIN notification_mails ON notification_id = id"
    assert pets.rows(f"{of_booking} JOIN booking_notifications USING (notification_id)") == [(sitter, key)]


async def test_what_ends_by_itself_is_told_to_both_by_nobody(sidecar: Sidecar) -> None:
    pets = sidecar.pets
    sitter, owner = pets.make_user(), pets.make_user()
    listing = pets.make_listing(sitter)
    pets.run_out(pets.book(listing, 1, 3, owner))
    stay = pets.book(listing, 5, 8, owner)
    pets.step(stay, "confirmed", sitter)
    pets.long_ago(stay, 30)
    await asyncio.gather(*(sweep(sidecar.app.state.resources) for _ in range(4)))  # several processes may
    assert told(pets) == sorted(
        ((sort, None, person, None) for sort in ("Undo", "Update") for person in (owner, sitter)), key=str
    )
    assert pets.rows("SELECT FROM notifications WHERE expires_at BETWEEN now() + '89 d' AND now() + '91 d'") == [()] * 4
    await do(sidecar, owner, stay, "review", rating=4, text="Bien")
    assert [one for one in told(pets) if one[0] == "Create"] == [("Create", owner, sitter, "Bien")]


async def test_hold_that_has_run_out_is_told_by_whoever_books_next(sidecar: Sidecar) -> None:
    pets = sidecar.pets
    sitter, first, second = pets.make_user(), pets.make_user(), pets.make_user()
    listing = pets.make_listing(sitter)
    late = pets.book(listing, 2, 5, first)
    pets.run_out(late)
    answer = await ask(sidecar, second, listing)
    assert answer.status_code == 201, answer.text
    assert [(sort, by, to) for sort, by, to, _ in told(pets)] == sorted(
        [("Undo", None, first), ("Undo", None, sitter), ("Invite", second, sitter)], key=str
    )
    assert pets.rows("SELECT status::text FROM bookings WHERE id = %s", late) == [("cancelled",)]


async def test_a_listing_that_cannot_be_written_is_in_no_others_way(
    sidecar: Sidecar, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pets = sidecar.pets
    holds = [pets.book(pets.make_listing(), 1, 3) for _ in range(3)]
    for one in holds:
        pets.run_out(one)
    broken = min(holds, key=lambda one: pets.rows("SELECT listing_id FROM bookings WHERE id = %s", one))
    pets.rows(
        "CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN IF NEW.booking_id = '{broken}' THEN RAISE 'broken'; END IF; RETURN NEW; END $$"
    )
    pets.rows("CREATE TRIGGER broken BEFORE INSERT ON booking_notifications FOR EACH ROW EXECUTE FUNCTION broken()")
    for name, value in {"POSTGRES_URL": pets.role, "SWEEP_SECONDS": "0"}.items():
        monkeypatch.setenv(name, value)
    pending = "SELECT id FROM bookings WHERE status = 'pending'"
    assert await asyncio.to_thread(sweep_once) == 4
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "✗ Not all that the clock decided was written down: broken. Say it again.\n")
    assert pets.rows(pending) == [(broken,)]
    pets.rows("DROP TRIGGER broken ON booking_notifications")
    assert await asyncio.to_thread(sweep_once) == 0
    assert capsys.readouterr().out == "bookings that the clock ended: 1\n"
    assert pets.rows(pending) == []
    monkeypatch.setenv("POSTGRES_URL", "postgresql://nobody@127.0.0.1:1/none")
    assert await asyncio.to_thread(sweep_once) == 4
    assert "Traceback" not in capsys.readouterr().err


async def test_whoever_is_locked_or_gone_is_told_nothing(sidecar: Sidecar) -> None:
    pets = sidecar.pets
    sitter, owner = pets.make_user(), pets.make_user()
    listing = pets.make_listing(sitter)
    key = (await ask(sidecar, owner, listing)).json()["id"]
    stay = pets.book(listing, 10, 12, owner)
    pets.step(stay, "confirmed", sitter)
    pets.long_ago(stay, 30)
    pets.rows("DELETE FROM notifications")
    pets.rows("UPDATE users SET locked_at = now() WHERE id = %s", owner)
    await do(sidecar, sitter, key, "decline", why="No")
    assert await sweep(sidecar.app.state.resources) == 1
    assert told(pets) == [("Update", None, sitter, None)]
    pets.rows("DELETE FROM users WHERE id = %s", sitter)
    pets.rows("UPDATE users SET locked_at = NULL WHERE id = %s", owner)
    await do(sidecar, owner, stay, "review", rating=5)
    assert told(pets) == []


async def test_nobody_is_told_twice_or_of_what_they_did_themselves(sidecar: Sidecar) -> None:
    pets = sidecar.pets
    sitter, owner = pets.make_user(), pets.make_user()
    key = pets.book(pets.make_listing(sitter), 2, 5, owner)
    resources = sidecar.app.state.resources
    async with resources.sessions.begin() as db:
        booking = await db.get_one(Booking, key)
        targets = [owner, sitter, None, sitter, new_id()]
        await tell(db, resources.settings, "cancelled", booking, TITLE, owner, targets, "No")
        for gone in (None, new_id()):
            await tell(db, resources.settings, "expired", booking, TITLE, gone, [owner])
    assert told(pets) == [("Delete", owner, sitter, "No"), *[("Undo", None, owner, None)] * 2]


async def test_what_is_rolled_back_was_told_to_nobody(sidecar: Sidecar) -> None:
    pets = sidecar.pets
    sitter, owner = pets.make_user(), pets.make_user()
    listing = pets.make_listing(sitter)
    today = pets.today(listing)
    resources = sidecar.app.state.resources
    wanted = NewBooking.model_validate({"listingId": listing, "from": today, "to": today + datetime.timedelta(2)})
    async with resources.sessions() as db:
        await book(db, resources.settings, Signed(owner, None), wanted)
        await db.rollback()
    everything = ("bookings", "booking_steps", "notifications", "notification_mails", "booking_notifications")
    assert [pets.rows(f"SELECT count(*) FROM {one}") for one in everything] == [[(0,)]] * 5


async def test_booking_that_cannot_be_told_is_not_made(sidecar: Sidecar) -> None:
    pets = sidecar.pets
    listing = pets.make_listing()
    key = pets.book(listing, 10, 12, pets.make_user())
    owner, sitter = pets.make_user(), pets.rows("SELECT sitter_id FROM listings")[0][0]
    pets.rows("ALTER TABLE notification_mails ADD CONSTRAINT full_check CHECK (false)")
    assert (await ask(sidecar, owner, listing)).status_code == 500
    refused = await sidecar.of(sitter).post(f"/api/bookings/{key}/confirm")
    assert refused.status_code == 500
    assert pets.rows("SELECT id, status::text FROM bookings") == [(key, "pending")]
    assert pets.rows("SELECT count(*) FROM notifications") == [(0,)]


async def test_refused_booking_and_refused_step_tell_nobody(sidecar: Sidecar) -> None:
    pets = sidecar.pets
    sitter, owner, late = pets.make_user(), pets.make_user(), pets.make_user()
    listing = pets.make_listing(sitter)
    key = (await ask(sidecar, owner, listing)).json()["id"]
    assert (await ask(sidecar, late, listing)).status_code == 409
    assert (await ask(sidecar, sitter, listing, 10, 12)).status_code == 400
    stranger = sidecar.of(late)
    for step in ("confirm", "decline", "cancel"):
        body = None if step == "confirm" else {"why": "x"}
        assert (await stranger.post(f"/api/bookings/{key}/{step}", json=body)).status_code == 404
    assert (await sidecar.of(owner).post(f"/api/bookings/{key}/confirm")).status_code == 403
    assert told(pets) == [("Invite", owner, sitter, None)]


async def test_inbox_is_added_to_and_never_read(sidecar: Sidecar) -> None:
    """By the rights of the role alone."""
    pets = sidecar.pets
    sitter = pets.make_user()
    assert (await ask(sidecar, pets.make_user(), pets.make_listing(sitter))).status_code == 201
    for statement in (
        "SELECT id FROM notifications",
        "SELECT count(*) FROM notification_mails",
        "UPDATE notifications SET read = true",
        "UPDATE notification_mails SET tries = 9",
        "DELETE FROM notifications",
        "DELETE FROM notification_mails",
        "UPDATE users SET locked_at = now()",
        "UPDATE sessions SET expires = now()",
        "SELECT email_verified FROM users",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            pets.rows_as_role(statement)
    assert len(told(pets)) == 1
