"""Sign-in links by hand, and people deleted from both databases."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest
from bson import ObjectId

from apps.panamia.scripts import create_signin_link, delete_user, get_signin_link
from apps.panamia.scripts.deleting.fates import co_authors_without, is_lonely, review_without
from tests.apps.panamia.conftest import SETTINGS, contents
from tests.apps.panamia.service.conftest import ORIGIN, SECRET, World
from tests.apps.panamia.service.mails import mails_of
from tests.apps.panamia.service.relaying import relay

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).parents[4]
SEED = ROOT / "apps" / "panamia" / "migrations" / "seed.sql"
ANA, BETO = "u00000000000000000000001", "u00000000000000000000002"
MAIL = """Ana"María's <mail>@Example.org"""
"""Of Ana, who has something in every table of seed.sql."""


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of whoever runs the tests."""
    for name in [one for one in os.environ if one.startswith((*SETTINGS, "AUTH_", "PUBLIC_", "NEXTAUTH_"))]:
        monkeypatch.delenv(name)


def environment(world: World) -> dict[str, str]:
    """What the scripts are told of a world."""
    return {
        "POSTGRES_URL": world.postgres,
        "MONGODB_URI": world.mongodb,
        "AUTH_SECRET": SECRET,
        "PUBLIC_URL": ORIGIN,
        "MONGODB_TIMEOUT_MS": "5000",
    }


class Script:
    """Runs scripts as a person would, with what was typed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._patch, self._capsys = monkeypatch, capsys

    async def __call__(self, world: World, script: Any, *words: str, typed: str = "") -> tuple[int, str, str]:
        """Return the exit code, standard output and standard error."""
        for name, value in environment(world).items():
            self._patch.setenv(name, value)
        self._patch.setattr("sys.stdin", io.StringIO(typed))
        self._capsys.readouterr()
        try:
            code = await asyncio.to_thread(script.main, words)
        except SystemExit as end:
            code = int(str(end.code))
        said = self._capsys.readouterr()
        return code, said.out, said.err


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Script:
    """What runs scripts."""
    return Script(monkeypatch, capsys)


# Links


async def test_a_link_made_by_hand_signs_in_and_takes_the_place_of_others(world: World, script: Script) -> None:
    user = world.make_user("Ana@Example.org")
    await world.client().post("/api/auth/signin/email", json={"email": "ana@example.org"})
    code, link, said = await script(world, create_signin_link, " ANA@example.org ")
    assert code == 0
    assert "ana@example.org" in said
    assert "Nobody" not in said
    assert link.startswith(f"{ORIGIN}/api/auth/callback/email?token=")
    assert world.rows("SELECT count(*), max(expires) - now() > interval '23 hours' FROM verification_tokens") == [
        (1, True)
    ]
    browser = world.client()
    assert (await browser.get(link.strip())).headers["location"] == "/"
    assert (await browser.get("/api/auth/session")).json()["user"]["id"] == user
    other = await world.client().get(mails_of(world)[0].link)
    assert other.headers["location"] == "/signin?error=Verification"


async def test_links_that_cannot_be_made_end_with_one_and_a_reason(
    world: World, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.make_user("locked@example.org", locked_at="2026-01-01")
    for words, reason in {("locked@example.org",): "locked", ("nothing",): "no e-mail", (): "required"}.items():
        code, out, said = await script(world, create_signin_link, *words)
        assert (code, out) == (1, "")
        assert reason in said
    code, _, said = await script(world, create_signin_link, "new@example.org")
    assert code == 0
    assert "becomes a user" in said
    gone = World("host=127.0.0.1 port=9", world.mongodb, world.settings, world.app, world.mail)
    code, _, said = await script(gone, create_signin_link, "new@example.org")
    assert (code, said) == (1, "✗ PostgreSQL does not answer.\n")
    monkeypatch.setenv("USE_MEMORY_POSTGRES", "true")
    assert (await script(world, create_signin_link, "new@example.org"))[0] == 1


async def test_links_are_listed_and_none_that_works_ends_with_one(world: World, script: Script) -> None:
    code, out, said = await script(world, get_signin_link, "a@example.org")
    assert (code, out) == (1, "")
    assert "no links" in said
    await script(world, create_signin_link, "a@example.org")
    code, out, _ = await script(world, get_signin_link, "A@example.org")
    assert code == 0
    assert out.startswith("works until ")
    assert "token" not in out
    world.rows("UPDATE verification_tokens SET expires = now() - interval '1 minute'")
    code, out, said = await script(world, get_signin_link, "a@example.org")
    assert code == 1
    assert out.startswith("expired ")
    assert "only links that have expired" in said


async def test_whose_further_address_it_is_is_told_and_nobody_is_signed_in_by_it(world: World, script: Script) -> None:
    ana = world.make_user("ana@example.org", alternate_emails=[" Other@Example.org", "third@example.org"])
    code, link, said = await script(world, create_signin_link, "other@example.org")
    assert code == 0
    assert "It is a further address of ana@example.org" in said
    browser = world.client()
    await browser.get(link.strip())
    shown = (await browser.get("/api/auth/session")).json()["user"]
    assert shown["email"] == "other@example.org"
    assert shown["id"] != ana
    assert "further" not in (await script(world, create_signin_link, "other@example.org"))[2]


async def test_scripts_ask_for_no_setting_that_they_do_not_need(
    world: World, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    await script(world, create_signin_link, "a@example.org")
    for name in environment(world):
        monkeypatch.delenv(name)
    monkeypatch.setitem(globals(), "environment", lambda _: {"POSTGRES_URL": world.postgres})
    monkeypatch.setenv("PUBLIC_URL", "https://pana.example.org")
    assert (await script(world, get_signin_link, "a@example.org"))[0] == 0
    code, out, said = await script(world, create_signin_link, "a@example.org")
    assert (code, out) == (1, "")
    assert "AUTH_SECRET" in said


# People


def test_what_becomes_of_articles_of_several() -> None:
    pending, accepted = {"userId": "a", "status": "pending"}, {"userId": "a", "status": "accepted", "x": 1}
    other = {"userId": "b", "status": "accepted"}
    assert co_authors_without([pending, accepted, other, 7], ["a"]) == [{**accepted, "userId": None}, other, 7]
    assert co_authors_without(None, ["a"]) == []
    assert review_without({"userId": "a", "status": "pending"}, ["a"]) is None
    assert review_without({"userId": "a"}, ["a"]) is None
    assert review_without({"userId": "a", "status": "approved"}, ["a"]) == {"userId": None, "status": "approved"}
    assert is_lonely("draft", [pending])
    assert not is_lonely("draft", [accepted])
    assert not is_lonely("published", [])
    assert not is_lonely(None, None)


def seeded(world: World) -> None:
    """Fill all tables."""
    with psycopg.connect(world.postgres) as connection:
        connection.execute(SEED.read_bytes())


async def test_a_dry_run_lists_everything_and_changes_nothing(world: World, script: Script) -> None:
    seeded(world)
    world.write("profiles", {"userId": ANA, "email": "x@example.org"})
    before = contents(world.postgres)
    code, out, said = await script(world, delete_user, MAIL.upper(), "--dry-run")
    assert code == 0
    assert "Nothing was changed" in said
    assert contents(world.postgres) == before
    assert world.rows("SELECT count(*) FROM isthmus.outbox") == [(0,)]
    for place in ("users", "sessions", "accounts", "MongoDB profiles", "profiles", "screenname_history"):
        assert f"removed     {place} " in out
    assert "what was published stays, by a Former Member" in out


async def test_a_person_goes_with_all_that_is_theirs_and_others_keep_what_is_not(world: World, script: Script) -> None:
    seeded(world)
    review = json.dumps({"userId": ANA})
    world.rows("UPDATE articles SET reviewed_by = %s::jsonb WHERE author_id = %s", review, BETO)
    mine, other, free, taken = (ObjectId() for _ in range(4))
    world.write(
        "profiles",
        {"_id": mine, "userId": ANA, "email": "elsewhere@example.org"},
        {"_id": other, "userId": BETO, "email": "beto@example.org", "linked_profiles": [str(mine), str(free)]},
        {"_id": free, "email": f" {MAIL}\n"},
        {"_id": taken, "userId": "u0000000000000000000000z", "email": MAIL.upper()},
    )
    before = world.rows("SELECT updated_at FROM articles WHERE slug = 'calle-ocho'")
    code, out, said = await script(world, delete_user, MAIL, typed=f" {MAIL.upper()}\n")
    assert code == 0, said
    assert world.rows("SELECT count(*) FROM users WHERE id = %s", ANA) == [(0,)]
    left = str(contents(world.postgres))
    assert ANA not in left
    assert BETO in left
    published = "SELECT author_id, title, status FROM articles WHERE slug = 'calle-ocho'"
    assert world.rows(published) == [(None, 'Calle "Ocho" – 8️⃣', "published")]
    assert world.rows("SELECT updated_at FROM articles WHERE slug = 'calle-ocho'") == before
    assert world.rows("SELECT reviewed_by FROM articles WHERE slug = 're-calle-ocho'") == [(None,)]
    assert relay(world)["parked"] == 0
    documents = {one["_id"]: one for one in world.documents("profiles")}
    assert documents.keys() == {other, taken}
    assert documents[other]["linked_profiles"] == []
    assert "kept        MongoDB profiles" in out
    assert "another member's" in out

    code, out, said = await script(world, delete_user, MAIL, "--yes")
    assert code == 0
    assert "Nothing is left" in said


async def test_further_addresses_are_named_and_what_they_have_stays(world: World, script: Script) -> None:
    """Nobody has proven them: what is known by one may be somebody else's."""
    world.make_user(
        "ana@example.org", alternate_emails=[" Other@Example.org", "other@example.org", "third@example.org"]
    )
    world.make_user("third@example.org")
    world.rows("INSERT INTO interactions (id, email) VALUES (%s, 'other@example.org')", "i" + "0" * 22 + "1")
    code, out, _ = await script(world, delete_user, "ana@example.org", "--yes")
    assert code == 0
    assert [line.split()[2] for line in out.splitlines() if "say it again with it" in line] == [
        "'other@example.org'",
        "'third@example.org'",
    ]
    assert world.rows("SELECT email FROM users") == [("third@example.org",)]
    assert world.rows("SELECT count(*) FROM interactions") == [(1,)]
    code, out, _ = await script(world, delete_user, "other@example.org", "--yes")
    assert code == 0
    assert world.rows("SELECT count(*) FROM interactions") == [(0,)]


async def test_without_the_address_typed_nothing_goes(world: World, script: Script) -> None:
    world.make_user("a@example.org")
    for typed in ("", "yes\n", "b@example.org\n"):
        code, _, said = await script(world, delete_user, "a@example.org", typed=typed)
        assert code == 1
        assert "Nothing was changed" in said
    assert world.rows("SELECT count(*) FROM users") == [(1,)]


async def test_a_deleted_person_is_signed_out_and_drafts_go_unless_others_wrote_them(
    world: World, script: Script
) -> None:
    user, browser = world.signed_in("a@example.org")
    other = world.make_user("b@example.org")
    insert = "INSERT INTO articles (id, slug, title, content, article_type, author_id, status, co_authors)"
    insert += " VALUES (%s, %s, 't', 'c', 'business_update', %s, %s, %s::jsonb)"

    def listed(person: str, answer: str) -> str:
        return json.dumps([{"userId": person, "status": answer}])

    rows = {
        "mine": (user, "draft", listed(other, "pending")),
        "ours": (user, "pending_review", listed(other, "accepted")),
        "out": (user, "published", "[]"),
        "gone": (user, "removed", "[]"),
        "theirs": (other, "draft", listed(user, "pending")),
        "together": (other, "draft", listed(user, "accepted")),
    }
    for number, (slug, values) in enumerate(rows.items()):
        world.rows(insert, f"r{number:023}", slug, *values)
    assert (await script(world, delete_user, "A@example.org", "--yes"))[0] == 0
    assert (await browser.get("/api/auth/session")).status_code == 401
    found = {
        slug: (author, written)
        for slug, author, written in world.rows("SELECT slug, author_id, co_authors FROM articles")
    }
    assert found == {
        "ours": (None, [{"userId": other, "status": "accepted"}]),
        "out": (None, []),
        "gone": (None, []),
        "theirs": (other, []),
        "together": (other, [{"userId": None, "status": "accepted"}]),
    }


async def test_old_ids_in_documents_that_were_not_rewritten_are_found(world: World, script: Script) -> None:
    user = world.make_user("a@example.org")
    signed, app, other = ObjectId(), ObjectId(), ObjectId()
    world.write("nextauth_users", {"_id": signed, "email": "A@Example.org"})
    world.write("users", {"_id": app, "email": "a@example.org"}, {"_id": other, "email": "aa@example.org"})
    world.write("nextauth_accounts", {"userId": signed}, {"userId": str(app)}, {"userId": other})
    told = {"actor": user, "actorName": "Ana", "actorScreenname": "ana", "target": "x", "message": "hello"}
    world.write("notifications", {"actor": other, "target": app}, {"actor": app, "target": user}, told, {"actor": "x"})
    world.write("articles", {"authorId": app, "status": "published"}, {"authorId": app, "status": "draft"})
    world.write("mentorSessions", {"mentorUserId": app, "menteeUserId": other, "mentorEmail": "a@example.org"})
    world.write("contactus", {"email": "A@example.org"})
    code, out, _ = await script(world, delete_user, "a@example.org", "--yes")
    assert code == 0
    assert relay(world)["parked"] == 0
    assert world.documents("nextauth_users") == []
    assert [one["_id"] for one in world.documents("users")] == [other]
    assert [one["userId"] for one in world.documents("nextauth_accounts")] == [other]
    left = [{name for name in one if name[0] != "_"} for one in world.documents("notifications")]
    assert left == [{"target", "message"}, {"actor"}]
    assert "signed off  MongoDB notifications" in out
    assert [(one["status"], "authorId" in one) for one in world.documents("articles")] == [("published", False)]
    (session,) = world.documents("mentorSessions")
    assert ("mentorUserId" in session, session["menteeUserId"]) == (False, other)
    assert len(world.documents("contactus")) == 1
    assert "kept        MongoDB contactus" in out


async def test_tables_of_other_applications_say_themselves_what_becomes_of_their_rows(
    world: World, script: Script
) -> None:
    user = world.make_user("a@example.org")
    world.rows('CREATE SCHEMA "Sitting:1"')
    make = 'CREATE TABLE "Sitting:1"."{}" ("Owner:id" text REFERENCES public.users ON DELETE {})'
    for name, action in {'list"ings': "CASCADE", "reviews": "SET NULL", "bookings": "RESTRICT"}.items():
        table = name.replace('"', '""')
        world.rows(make.format(table, action))
        world.rows(f'INSERT INTO "Sitting:1"."{table}" VALUES (%s)', user)
    code, _, said = await script(world, delete_user, "a@example.org", "--yes")
    assert code == 1
    assert "bookings" in said
    assert world.rows("SELECT count(*) FROM users") == [(1,)]
    world.rows('DELETE FROM "Sitting:1".bookings')
    code, out, _ = await script(world, delete_user, "a@example.org", "--yes")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines() if "Sitting:1" in line] == ["removed", "signed"]


async def test_without_mongodb_or_its_tables_nothing_goes(world: World, script: Script) -> None:
    world.make_user("a@example.org")
    away = World(world.postgres, "mongodb://127.0.0.1:9/x", world.settings, world.app, world.mail)
    code, _, said = await script(away, delete_user, "a@example.org", "--yes")
    assert (code, said) == (1, "✗ MongoDB does not answer\n")
    world.rows("DROP TABLE isthmus.switch CASCADE")
    code, _, said = await script(world, delete_user, "a@example.org", "--yes")
    assert code == 1
    assert "isthmus switch prepare" in said
    assert world.rows("SELECT count(*) FROM users") == [(1,)]


async def test_killed_while_it_deletes_nothing_is_half(world: World) -> None:
    user = world.make_user("a@example.org")
    world.make_session(user)
    world.write("profiles", {"userId": user, "email": "a@example.org"})
    world.rows(
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(1); RETURN OLD; END'"
    )
    world.rows("CREATE TRIGGER slow BEFORE DELETE ON users FOR EACH ROW EXECUTE FUNCTION slow()")
    told = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)} | environment(world)
    command = [sys.executable, "-m", "apps.panamia.scripts.delete_user", "a@example.org", "--yes"]
    sleeping = "SELECT xact_start FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
    before = contents(world.postgres)
    process = subprocess.Popen(command, cwd=ROOT, env=told, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        seen: set[tuple[object, ...]] = set()
        while len(seen) < 2:  # first it is rehearsed, then done
            seen.update(world.rows(sleeping))
            assert process.poll() is None
            await asyncio.sleep(0.05)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    give_up_at = time.monotonic() + 20
    while world.rows(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'DELETE%'"
    ) != [(0,)]:
        assert time.monotonic() < give_up_at
        await asyncio.sleep(0.1)
    assert contents(world.postgres) == before
    assert relay(world) == {"applied": 0, "parked": 0}
    assert len(world.documents("profiles")) == 1
