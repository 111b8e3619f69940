"""The main service's `delete_user` and people with bookings: refused while one is to come, by the rule that the table
itself states. The script knows nothing of the sidecar, nor of the other tables that are made here.
"""

from __future__ import annotations

import asyncio
import datetime
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from apps.panamia.petsitting.bookings.sweeping import sweep
from apps.panamia.scripts import delete_user
from tests.apps.panamia.conftest import SETTINGS, contents
from tests.apps.panamia.petsitting.beside import main_service
from tests.apps.panamia.petsitting.conftest import HOME, Pets
from tests.apps.panamia.petsitting.sidecar import Sidecar
from tests.apps.panamia.service.conftest import ORIGIN, SECRET, World
from tests.apps.panamia.service.relaying import relay
from tests.apps.running import isthmus

pytestmark = pytest.mark.anyio

ANA = "ana@example.org"
RULE = (
    "✗ Whoever has a booking that is pending or confirmed, as owner or as sitter, is not deleted. Cancel or decline it"
    " first, or wait until the stay is over; then delete."
    " So says bookings_live_parties_check of public.bookings. Nothing was changed.\n"
)
Deletion = Callable[..., Awaitable[tuple[int, str, str]]]


@pytest.fixture
async def main(pets: Pets, mongo_server: str, tmp_path: Path) -> AsyncIterator[World]:
    """The main service over the sidecar's database."""
    prepared = isthmus("switch", "prepare", "profiles", database=pets.owner, home=HOME)
    assert prepared.code == 0, prepared.said
    async with main_service(pets, mongo_server, tmp_path) as world:
        yield world


@pytest.fixture
def delete(main: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Deletion:
    """What deletes Ana, as an operator would; returns the exit code and what was said."""
    for name in [one for one in os.environ if one.startswith((*SETTINGS, "AUTH_", "PUBLIC_", "NEXTAUTH_"))]:
        monkeypatch.delenv(name)
    told = {"POSTGRES_URL": main.postgres, "MONGODB_URI": main.mongodb, "AUTH_SECRET": SECRET, "PUBLIC_URL": ORIGIN}
    for name, value in told.items():
        monkeypatch.setenv(name, value)

    async def deleted(*words: str) -> tuple[int, str, str]:
        code = await asyncio.to_thread(delete_user.main, [ANA, *(words or ["--yes"])])
        said = capsys.readouterr()
        return code, said.out, said.err

    return deleted


def everything(main: World) -> Any:
    """All that a deletion could change: rows of both schemas, what waits for MongoDB, and its documents."""
    outbox = main.rows("SELECT o::text FROM isthmus.outbox o ORDER BY 1")
    return contents(main.postgres), outbox, main.documents("profiles"), main.documents("articles")


def with_belongings(main: World, pets: Pets) -> str:
    """Make Ana, who has something in both databases; return the id."""
    ana = pets.make_user(ANA, screenname="ana")
    pets.make_session(ana)
    main.write("profiles", {"userId": ana, "email": ANA, "name": "Ana"})
    main.write("articles", {"authorId": ana, "status": "draft", "title": "A draft"})
    return ana


async def test_who_has_a_booking_to_come_stays_whole_and_the_rule_is_told(
    main: World, sidecar: Sidecar, delete: Deletion
) -> None:
    pets = sidecar.pets
    ana = with_belongings(main, pets)
    own, other = pets.make_listing(ana), pets.make_listing()
    for listing, owner in ((own, None), (other, ana)):
        for status in ("pending", "confirmed"):
            booking = pets.book(listing, 3, 6, owner)
            [(sitter, owner_id)] = pets.rows("SELECT sitter_id, owner_id FROM bookings WHERE id = %s", booking)
            if status == "confirmed":
                pets.step(booking, status, sitter)
            before = everything(main)
            for word in ("--dry-run", "--yes"):
                assert await delete(word) == (1, "", RULE), (status, word)
                assert everything(main) == before, (status, word)
            pets.step(booking, "cancelled", owner_id, "No")
    code, out, said = await delete()
    assert (code, "Traceback" in said) == (0, False)
    assert "signed off  listings" in out
    assert "signed off  bookings" in out
    assert pets.rows("SELECT count(*) FROM users WHERE email = %s", ANA) == [(0,)]
    assert relay(main)["parked"] == 0
    assert (main.documents("profiles"), main.documents("articles")) == ([], [])


async def test_what_has_ended_stays_without_the_person_and_listings_are_offered_to_nobody(
    main: World, sidecar: Sidecar, delete: Deletion
) -> None:
    pets = sidecar.pets
    ana, beto = with_belongings(main, pets), pets.make_user(screenname="beto")
    own, others = pets.make_listing(ana, title="Own"), pets.make_listing(beto, title="Other's")
    sat, stayed, declined = pets.book(own, 1, 3, beto), pets.book(others, 1, 3, ana), pets.book(own, 5, 7, beto)
    pets.block(own, 20, 22)
    pets.step(sat, "confirmed", ana)
    pets.step(stayed, "confirmed", beto)
    pets.step(declined, "declined", ana, "No")
    pets.long_ago(sat, 30)
    pets.long_ago(stayed, 30)  # nobody wrote down that it is over
    pets.step(sat, "completed")
    client = sidecar.of(beto)
    review = await client.post(f"/api/bookings/{sat}/review", json={"rating": 5, "text": "Good"})
    assert review.status_code == 201, review.text
    assert (await delete("--dry-run"))[0] == 0
    assert (await delete())[0] == 0

    found = pets.rows("SELECT id, owner_id, sitter_id, status::text, total FROM bookings WHERE status <> 'blocked'")
    assert {row[0]: row[1:4] for row in found} == {
        sat: (beto, None, "completed"),
        stayed: (None, beto, "completed"),
        declined: (beto, None, "declined"),
    }
    mine = (await client.get("/api/bookings")).json()["bookings"]
    assert {(one["id"], one["owner"]["name"], one["sitter"]["name"], one["reviewed"]) for one in mine} == {
        (sat, "beto", "Former Member", True),
        (declined, "beto", "Former Member", False),
        (stayed, "Former Member", "beto", False),
    }
    assert ana not in str(mine)
    nobody = sidecar.client()
    assert [one["title"] for one in (await nobody.get("/api/listings")).json()["listings"]] == ["Other's"]
    assert (await nobody.get(f"/api/listings/{own}")).status_code == 404
    assert (await client.get(f"/api/listings/{own}")).json()["sitter"]["name"] == "Former Member", "who stayed sees it"
    today = pets.today(own)
    days = {"from": str(today + datetime.timedelta(10)), "to": str(today + datetime.timedelta(11))}
    refused = await client.post("/api/bookings", json={"listingId": own, **days})
    assert (refused.status_code, refused.json()["code"]) == (409, "not-offered")


async def test_holds_that_ran_out_are_in_nobodys_way(main: World, sidecar: Sidecar, delete: Deletion) -> None:
    pets = sidecar.pets
    ana, beto = with_belongings(main, pets), pets.make_user()
    listing = pets.make_listing()
    asked, was_asked = pets.book(listing, 3, 6, ana), pets.book(pets.make_listing(ana), 3, 6, beto)
    for one in (asked, was_asked):
        pets.run_out(one)
    assert (await delete("--dry-run"))[0] == 0
    assert (await delete())[0] == 0
    steps = "SELECT booking_id, to_status::text, done_as::text, done_by, why FROM booking_steps"
    assert set(pets.rows(f"{steps} WHERE from_status = 'pending'")) == {
        (one, "cancelled", "clock", None, None) for one in (asked, was_asked)
    }
    days = {name: str(pets.today(listing) + datetime.timedelta(at)) for name, at in (("from", 3), ("to", 6))}
    made = await sidecar.of(beto).post("/api/bookings", json={"listingId": listing, **days})
    assert made.status_code == 201, made.text


async def test_a_booking_at_the_moment_of_the_deletion_is_there_with_both_or_not_at_all(
    main: World, sidecar: Sidecar, delete: Deletion
) -> None:
    pets = sidecar.pets
    for who in ("owner", "sitter"):
        ana, beto = pets.make_user(ANA), pets.make_user()
        sitter, owner = (beto, ana) if who == "owner" else (ana, beto)
        listing = pets.make_listing(sitter)
        client = sidecar.of(owner)
        main.rows("CREATE SEQUENCE deletions")
        main.rows(
            "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS"
            " 'BEGIN IF nextval(''deletions'') > 1 THEN PERFORM pg_sleep(0.6); END IF; RETURN OLD; END'"
        )  # the first one is rehearsed
        main.rows("CREATE TRIGGER slow BEFORE DELETE ON users FOR EACH ROW EXECUTE FUNCTION slow()")
        deleting = asyncio.ensure_future(delete())
        async with asyncio.timeout(60):
            while main.rows("SELECT last_value > 1 FROM deletions") != [(True,)]:
                await asyncio.sleep(0.02)
        days = {name: str(pets.today(listing) + datetime.timedelta(at)) for name, at in (("from", 3), ("to", 6))}
        answer = await client.post("/api/bookings", json={"listingId": listing, **days})
        assert (await deleting)[0] == 0
        assert answer.status_code in {401, 404, 409}, answer.text
        assert pets.rows("SELECT count(*) FROM bookings") == [(0,)]
        for gone in ("TRIGGER slow ON users", "FUNCTION slow", "SEQUENCE deletions"):
            main.rows(f"DROP {gone}")


@pytest.mark.parametrize("status", ["pending", "confirmed"])
async def test_who_sweeps_and_who_deletes_wait_in_no_ring(sidecar: Sidecar, status: str) -> None:
    """Whoever sweeps wants the person, to tell them; whoever deletes wants the booking, and has the person."""
    pets = sidecar.pets
    owner, listing = pets.make_user(), pets.make_listing()
    booking = pets.book(listing, 3, 6, owner)
    if status == "pending":
        pets.run_out(booking)
    else:
        [(sitter,)] = pets.rows("SELECT sitter_id FROM listings")
        pets.step(booking, "confirmed", sitter)
        pets.long_ago(booking, 30)
    async with await psycopg.AsyncConnection.connect(pets.owner) as leaving:
        await leaving.execute("SELECT FROM users WHERE id = %s FOR UPDATE", [owner])
        sweeping = asyncio.ensure_future(sweep(sidecar.app.state.resources))
        waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        async with asyncio.timeout(20):
            while pets.rows(waits) == [(0,)]:
                await asyncio.sleep(0.02)
        await leaving.execute("DELETE FROM users WHERE id = %s", [owner])
        await leaving.commit()
    assert await sweeping == 0, "the deletion has settled it"
    ended = "SELECT done_as::text, to_status::text FROM booking_steps ORDER BY id DESC LIMIT 1"
    assert pets.rows(ended) == [("clock", {"pending": "cancelled", "confirmed": "completed"}[status])]


async def test_any_table_states_its_rule_by_the_comment_of_its_constraint(main: World, delete: Deletion) -> None:
    ana = main.make_user(ANA)
    main.rows('CREATE SCHEMA "Rentals:1"')
    main.rows(
        'CREATE TABLE "Rentals:1"."keys" (id int, holder text, CONSTRAINT held CHECK (id <> 1 OR holder IS NOT NULL),'
        " CONSTRAINT of_holder FOREIGN KEY (holder) REFERENCES public.users ON DELETE SET NULL)"
    )
    main.rows('INSERT INTO "Rentals:1"."keys" VALUES (1, %s)', ana)
    code, _, said = await delete()
    assert (code, said) == (1, "✗ held of Rentals:1.keys does not let them go. Nothing was changed.\n")
    main.rows('COMMENT ON CONSTRAINT held ON "Rentals:1"."keys" IS E\'Give back the\\n\\x1b[31m key "one" first.\'')
    for word in ("--dry-run", "--yes"):
        code, out, said = await delete(word)
        assert (code, out) == (1, "")
        assert said == '✗ Give back the [31m key "one" first. So says held of Rentals:1.keys. Nothing was changed.\n'

    main.rows('TRUNCATE "Rentals:1"."keys"')
    main.rows(
        'CREATE TABLE "Rentals:1".rents (payer text, CONSTRAINT owed FOREIGN KEY (payer) REFERENCES public.users'
        " ON DELETE RESTRICT)"
    )
    main.rows("COMMENT ON CONSTRAINT owed ON \"Rentals:1\".rents IS 'Who owes rent stays.'")
    main.rows('INSERT INTO "Rentals:1".rents VALUES (%s)', ana)
    code, _, said = await delete("--dry-run")
    assert (code, "rents.payer (1). Who owes rent stays. So says owed." in said) == (1, True), said

    main.rows('ALTER TABLE "Rentals:1".rents DROP CONSTRAINT owed')
    main.rows(
        'CREATE FUNCTION "Rentals:1".late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION'
        " USING ERRCODE = 'check_violation', SCHEMA = 'Rentals:1', TABLE = 'keys', CONSTRAINT = 'held'; END $$"
    )
    main.rows(
        "CREATE CONSTRAINT TRIGGER late AFTER DELETE ON public.users DEFERRABLE INITIALLY DEFERRED"
        ' FOR EACH ROW EXECUTE FUNCTION "Rentals:1".late()'
    )
    code, out, said = await delete("--dry-run")  # what is looked at when a transaction ends is looked at here, too
    assert (code, out, "So says held of" in said) == (1, "", True), said
    assert main.rows("SELECT count(*) FROM users WHERE id = %s", ana) == [(1,)]
