"""The sidecar's schema under governance: its own history beside that of the main service, up, down and up again with
bookings in it, what its role may do, and what becomes of people who are deleted.

Oracles: the server, and the commands of `isthmus schema` themselves.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

from apps.panamia.petsitting.models import Base
from isthmus.govern.catalog.compare import differences
from isthmus.govern.catalog.read import read_catalog
from isthmus.govern.migrations.script import Script, read_scripts
from isthmus.govern.settings import find_project
from tests.apps.panamia.petsitting.conftest import HOME, SIDECAR, Pets
from tests.apps.panamia.petsitting.possessions import held
from tests.apps.running import isthmus
from tests.fix_git import Git
from tests.oracle.copying import url

run = partial(isthmus, home=HOME)
SETTINGS = find_project(HOME).settings
MAIN, OWN = (read_scripts(HOME / one.folder, one) for one in SETTINGS.schemas)
NAMES = {
    one.title: [script.name.text for script in scripts]
    for one, scripts in zip(SETTINGS.schemas, (MAIN, OWN), strict=True)
}
OF_TABLES = [one for one in OWN if "CREATE TABLE" in one.sql]
SEEDS = [HOME / one.folder / "seed.sql" for one in SETTINGS.schemas]
ANA, BETO = "u00000000000000000000001", "u00000000000000000000002"
"""Of seed.sql: she has a booking of his that is confirmed, and he one of hers that is pending."""


def given(*words: str, database: str, code: int = 0) -> dict[str, Any]:
    """Run a command with `--json -`."""
    ran = run(*words, "--json", "-", database=database)
    assert ran.code == code, ran.out + ran.said
    return json.loads(ran.out)


@pytest.fixture(scope="module")
def empty(make_module_pets: Callable[[], Pets]) -> Pets:
    """A database without rows, for tests that leave it so."""
    return make_module_pets()


@pytest.fixture(scope="module")
def full(make_module_pets: Callable[[], Pets]) -> Pets:
    """One with the rows of both seed files, for tests that leave them as they are."""
    pets = make_module_pets()
    with psycopg.connect(pets.owner) as connection:
        for one in SEEDS:
            connection.execute(one.read_bytes())
    return pets


@pytest.fixture(scope="module")
def many(make_module_pets: Callable[[], Pets]) -> Pets:
    """One in which each test makes people and listings of its own."""
    return make_module_pets()


# Two histories in one database


def test_the_main_schema_comes_first_and_each_has_its_own_history(empty: Pets, database: str) -> None:
    assert list(NAMES) == ["panamia", "petsitting"]
    refused = given("schema", "deploy", "petsitting", database=database, code=4)  # nothing of the main one is there
    assert refused["code"] == "migration-failed"
    assert "does not exist" in refused["error"]
    assert given("schema", "deploy", "panamia", database=database)["applied"].keys() == {"panamia"}
    with psycopg.connect(database) as connection:
        tables = connection.execute("SELECT to_regclass('listings'), to_regclass('users') IS NOT NULL").fetchone()
    assert tables == (None, True)
    applied = given("schema", "deploy", "petsitting", database=database)["applied"]
    assert {title: [one["name"] for one in ones] for title, ones in applied.items()} == {
        "petsitting": NAMES["petsitting"]
    }
    assert given("schema", "deploy", database=database)["applied"] == {"panamia": [], "petsitting": []}
    with psycopg.connect(database) as connection:
        history = "SELECT schema_title, name FROM isthmus.schema_history ORDER BY name"
        found = connection.execute(history.encode()).fetchall()
        extensions = connection.execute("SELECT extname::text FROM pg_extension").fetchall()
    assert extensions == [("plpgsql",)]  # nothing that a server may not have
    assert found == sorted(((title, name) for title, names in NAMES.items() for name in names), key=lambda one: one[1])
    with psycopg.connect(database) as connection, psycopg.connect(empty.owner) as at_once:
        but = ("isthmus",)
        differing = differences(read_catalog(connection, but=but), read_catalog(at_once, but=but))
    assert [one.sentence for one in differing if one.property != "grants"] == []  # which are those of role.sql


def test_models_migrations_and_database_say_the_same_and_drift_is_told(pets: Pets, postgres: str) -> None:
    asks = ("schema", "drift", "--scratch", url(postgres))
    told = given(*asks, database=pets.owner)
    pairs = {title: found["pairs"] for title, found in told["schemas"].items()}
    assert {title: {len(found) for found in ones.values()} for title, ones in pairs.items()} == {
        "panamia": {0},
        "petsitting": {0},
    }
    assert pairs["petsitting"].keys() == {"models-migrations", "migrations-database", "models-database"}
    pets.rows("ALTER TABLE bookings DROP CONSTRAINT bookings_days_excl")
    pets.rows("DROP TRIGGER change_booking ON bookings")
    told = given(*asks, database=pets.owner, code=1)
    assert not any(told["schemas"]["panamia"]["pairs"].values())
    said = " ".join(one["message"] for one in told["schemas"]["petsitting"]["pairs"]["models-database"])
    assert "bookings_days_excl" in said
    assert "change_booking" in said


def test_the_models_name_of_the_main_service_what_the_role_may_read() -> None:
    text = (SIDECAR / "role.sql").read_text(encoding="utf-8")
    for table in ("users", "sessions"):
        columns = ", ".join(Base.metadata.tables[table].c.keys())
        assert f"GRANT SELECT ({columns}) ON public.{table} TO petsitting;" in text


def test_every_migration_restores_in_a_rehearsal_and_the_record_is_fresh(postgres: str, database: str) -> None:
    told = given("schema", "rehearse", "--check", "--scratch", url(postgres), database=database)
    tried = told["schemas"]["petsitting"]
    assert {one["name"]: one["outcome"] for one in tried} == dict.fromkeys(NAMES["petsitting"], "restores")
    assert not any(one["findings"] for one in tried), tried
    seeds = [one["message"] for one in told["seed_unused"]]
    assert all("does not exist" in one for one in seeds), seeds  # of the newest table alone
    assert len(seeds) <= 1


def test_no_rule_stands_against_the_migrations(tmp_path: Path, database: str) -> None:
    git = Git(tmp_path / "a project")
    home = git.folder / "apps" / "panamia"
    for one in SETTINGS.schemas:
        shutil.copytree(HOME / one.folder, home / one.folder)
    shutil.copy(HOME / "isthmus.toml", home)
    git("add", "--all")
    ran = isthmus("schema", "check", database=database, home=home)
    assert ran.code == 0, ran.out + ran.said
    wrong = home / "petsitting" / "migrations" / NAMES["petsitting"][1] / "migration.sql"
    wrong.write_text(wrong.read_text().replace("public.users.id", "public.people.id"), encoding="utf-8")
    git("add", "--all")
    ran = isthmus("schema", "check", database=database, home=home)
    assert ran.code == 5
    assert "public.people.id" in ran.out + ran.said


# Down and up again, with bookings


def test_all_are_rolled_back_one_by_one_and_applied_again_without_rows(empty: Pets) -> None:
    with psycopg.connect(empty.owner) as connection:
        before = read_catalog(connection)
        for one in reversed(OWN):
            connection.execute((one.rollback or "").encode())
        assert differences(read_catalog(connection), before)
        for one in OWN:
            connection.execute(one.sql.encode())
        lost = [found.sentence for found in differences(read_catalog(connection), before) if found.property != "grants"]
        assert lost == []
        connection.rollback()


@pytest.mark.parametrize("script", OF_TABLES, ids=lambda one: one.name.text)
def test_no_rollback_drops_rows(full: Pets, script: Script) -> None:
    before = held(full)
    with (
        psycopg.connect(full.owner) as connection,
        pytest.raises(psycopg.errors.RaiseException, match="holds rows") as no,
    ):
        connection.execute((script.rollback or "").encode())
    assert "then roll back" in (no.value.diag.message_hint or "")
    assert held(full) == before


@pytest.mark.parametrize("table", ["listing_kinds", "currencies"])
def test_no_rollback_drops_kinds_and_currencies_that_were_written_since(empty: Pets, table: str) -> None:
    written = {
        "listing_kinds": "UPDATE listing_kinds SET hold_minutes = 60 WHERE key = 'rental'",
        "currencies": "INSERT INTO currencies (code, digits) VALUES ('XTS', 2)",
    }
    with psycopg.connect(empty.owner) as connection:
        for one in reversed(OWN[1:]):
            connection.execute((one.rollback or "").encode())
        connection.execute(written[table].encode())
        with pytest.raises(psycopg.errors.RaiseException, match=f"{table} holds rows that were written since"):
            connection.execute((OWN[0].rollback or "").encode())


@pytest.mark.parametrize(
    "script", [*(one for one in MAIN if "Ticket: #9" in one.sql), *OWN[2:]], ids=lambda one: one.name.text
)
def test_down_and_up_again_leaves_all_bookings_as_they_are(full: Pets, script: Script) -> None:
    """With all that came later of the same schema; only what these made themselves is emptied before."""
    every = """
        SELECT string_agg(b::text, chr(10) ORDER BY id), (SELECT string_agg(s::text, chr(10) ORDER BY id)
            FROM booking_steps AS s), (SELECT string_agg(l::text, chr(10) ORDER BY id) FROM listings AS l)
        FROM bookings AS b"""
    later = next(ones[ones.index(script) :] for ones in (MAIN, OWN) if script in ones)
    with psycopg.connect(full.owner) as connection:
        catalog, rows = read_catalog(connection), connection.execute(every.encode()).fetchone()
        if script in MAIN:
            connection.execute(b"DELETE FROM notifications WHERE context = 'booking'")
        for one in reversed(later):
            if one in OF_TABLES:
                table = one.name.text.split("_", 1)[1].replace("reviews", "listing_reviews", 1)
                connection.execute(f"DELETE FROM {table}".encode())
            connection.execute((one.rollback or "").encode())
        assert differences(read_catalog(connection), catalog)
        assert connection.execute(every.encode()).fetchone() == rows
        for one in later:
            connection.execute(one.sql.encode())
        assert [one for one in differences(read_catalog(connection), catalog) if one.property != "grants"] == []
        assert connection.execute(every.encode()).fetchone() == rows
        assert rows is not None
        assert rows[0].count("(j0000") == 7
        connection.rollback()


def test_no_rollback_gives_an_actor_to_what_has_none(full: Pets) -> None:
    (script,) = [one for one in MAIN if one.name.text.endswith("_notifications_without_actor")]
    with psycopg.connect(full.owner) as connection:
        connection.execute(b"UPDATE notifications SET actor = NULL WHERE context = 'booking'")
        with pytest.raises(psycopg.errors.RaiseException, match="holds rows without an actor") as no:
            connection.execute((script.rollback or "").encode())
    assert "then roll back" in (no.value.diag.message_hint or "")


# Who is deleted


def people_of(pets: Pets) -> tuple[str, str, str]:
    """A sitter, an owner, and their listing."""
    sitter, owner = pets.make_user(), pets.make_user()
    return sitter, owner, pets.make_listing(sitter)


@pytest.mark.parametrize("status", ["pending", "confirmed"])
@pytest.mark.parametrize("who", [0, 1], ids=["sitter", "owner"])
def test_nobody_is_deleted_who_has_a_booking_to_come(many: Pets, status: str, who: int) -> None:
    sitter, owner, listing = people = people_of(many)
    booking = many.book(listing, 3, 5, owner)
    if status == "confirmed":
        many.step(booking, "confirmed", sitter)
    with pytest.raises(psycopg.errors.CheckViolation) as refused:
        many.rows("DELETE FROM users WHERE id = %s", people[who])
    assert refused.value.diag.constraint_name == "bookings_live_parties_check"
    said = many.rows(
        "SELECT obj_description(oid, 'pg_constraint') FROM pg_constraint WHERE conname = %s",
        refused.value.diag.constraint_name,
    )
    assert "is not deleted. Cancel or decline it first" in said[0][0]
    assert many.rows("SELECT owner_id, sitter_id, status::text FROM bookings WHERE id = %s", booking) == [
        (owner, sitter, status)
    ]
    many.step(booking, "cancelled", sitter, "away")
    many.rows("DELETE FROM users WHERE id = %s", people[who])


@pytest.mark.parametrize("ended", ["cancelled", "declined", "completed", "ran out", "over"])
@pytest.mark.parametrize("who", [0, 1], ids=["sitter", "owner"])
def test_what_has_ended_stays_without_a_name(many: Pets, ended: str, who: int) -> None:
    sitter, owner, listing = people = people_of(many)
    booking = many.book(listing, 3, 5, owner)
    many.block(listing, 8, 9)
    if ended == "ran out":
        many.run_out(booking)
    elif ended in {"completed", "over"}:
        many.step(booking, "confirmed", sitter)
        many.long_ago(booking, 30)
        if ended == "completed":
            many.step(booking, "completed")
            query = "INSERT INTO listing_reviews (booking_id, listing_id, author_id, rating) VALUES (%s, %s, %s, 5)"
            many.rows(query, booking, listing, owner)
    else:
        many.step(booking, ended, sitter, "away")
    many.rows("DELETE FROM users WHERE id = %s", people[who])
    status = {"ran out": "cancelled", "over": "completed"}.get(ended, ended)
    left = (owner, None) if who == 0 else (None, sitter)
    found = many.rows(
        "SELECT owner_id, sitter_id, status::text, total::text, status_by FROM bookings WHERE id = %s", booking
    )
    by = sitter if ended in {"cancelled", "declined"} and who == 1 else None
    assert found == [(*left, status, "50.000", by)]
    done = many.rows(
        "SELECT to_status::text, done_as::text, done_by FROM booking_steps WHERE booking_id = %s ORDER BY id", booking
    )
    assert done[-1][:2] == (status, "clock" if by is None and ended not in {"cancelled", "declined"} else "sitter")
    assert people[who] not in {one[2] for one in done}
    assert many.rows("SELECT sitter_id FROM listings WHERE id = %s", listing) == [(left[1],)]
    if ended == "completed":
        assert many.rows("SELECT author_id, rating FROM listing_reviews WHERE listing_id = %s", listing) == [
            (left[0], 5)
        ]
    if who == 0:  # what is nobody's is offered to nobody
        with pytest.raises(psycopg.errors.CheckViolation) as refused:
            many.book(listing, 20, 21)
        assert refused.value.diag.constraint_name == "bookings_live_parties_check"


def test_a_deletion_takes_nothing_of_the_others(full: Pets) -> None:
    def step(booking: str, status: str, by: str) -> None:
        query = "UPDATE bookings SET status = %s, status_by = %s, status_why = 'so' WHERE id = %s"
        connection.execute(query.encode(), [status, by, booking])

    with psycopg.connect(full.owner) as connection:
        step("j00000000000000000000001", "cancelled", ANA)
        with pytest.raises(psycopg.errors.CheckViolation), connection.transaction():
            connection.execute(b"DELETE FROM users WHERE id = %s", [ANA])  # who has asked for his house
        step("j00000000000000000000004", "declined", BETO)
        connection.execute(b"UPDATE notifications SET actor_screenname = 'ana', actor_name = 'Ana'")
        connection.execute(b"DELETE FROM users WHERE id = %s", [ANA])
        left = "(SELECT count(*) FROM bookings), (SELECT count(*) FROM listings)"
        assert connection.execute(f"SELECT {left}".encode()).fetchone() == (7, 4)
        told = "SELECT id, actor, actor_screenname, actor_name, target FROM notifications JOIN booking_notifications"
        assert connection.execute(f"{told} ON notification_id = id".encode()).fetchall() == [
            ("n00000000000000000000092", None, None, None, BETO)  # what she did; what was told her is gone
        ]
        connection.rollback()


# What the role may do


ALLOWED = [
    "SELECT id, screenname, locked_at FROM users",
    "SELECT session_token, user_id, expires FROM sessions",
    (
        "INSERT INTO notifications (id, type, actor, target, context)"
        " VALUES ('z' || repeat('0', 23), 'Invite', '{0}', '{1}', 'booking')"
    ),
    (
        "INSERT INTO listings (kind, sitter_id, title, price_per_day, currency, time_zone)"
        " VALUES ('rental', '{0}', 'x', 1, 'USD', 'UTC') RETURNING *"
    ),
    "UPDATE listings SET title = 'y' RETURNING *",
    "INSERT INTO bookings (listing_id, owner_id, days) VALUES ('{2}', '{1}', '{3}') RETURNING *",
    "UPDATE bookings SET status = 'confirmed', status_by = '{0}' WHERE owner_id = '{1}' RETURNING *",
    "DELETE FROM bookings WHERE status = 'blocked'",
    "SELECT id FROM bookings FOR UPDATE",
    "SELECT hold_listing('{2}', '{1}')",
    "SELECT * FROM booking_steps, listing_kinds, currencies, time_zones, listing_reviews, booking_notifications",
]
FORBIDDEN = [
    "SELECT email FROM users",
    "SELECT name FROM users",
    "SELECT hashed_password FROM users",
    "SELECT * FROM users",
    "SELECT FROM users FOR KEY SHARE",
    "UPDATE users SET name = 'x'",
    "DELETE FROM users",
    "INSERT INTO users (id, email) VALUES (new_cuid2(), 'x@example.org')",
    "INSERT INTO sessions VALUES ('x', '{0}', now())",
    "UPDATE sessions SET expires = 'infinity'",
    "DELETE FROM sessions",
    "SELECT token FROM verification_tokens",
    "SELECT access_token FROM accounts",
    "SELECT id FROM notifications",
    "UPDATE notifications SET read = true",
    "DELETE FROM notifications",
    (
        "INSERT INTO notifications (id, type, actor, target, context, read)"
        " SELECT new_cuid2(), 'Invite', '{0}', '{1}', 'booking', true"
    ),
    "SELECT notification_id FROM notification_mails",
    "SELECT id FROM profiles",
    "UPDATE bookings SET price_per_day = 1",
    "UPDATE bookings SET hold_until = now()",
    "INSERT INTO booking_steps (booking_id, done_at, to_status, done_as) VALUES ('z', now(), 'pending', 'owner')",
    "UPDATE booking_steps SET why = 'x'",
    "DELETE FROM booking_steps",
    "UPDATE listings SET sitter_id = NULL",
    "UPDATE listings SET kind = 'rental'",
    "UPDATE listing_kinds SET hold_minutes = 1",
    "UPDATE currencies SET digits = 3",
    "INSERT INTO time_zones VALUES ('Moon/Tycho')",
    "INSERT INTO bookings (listing_id, owner_id, days, created_at) VALUES ('{2}', '{1}', '{3}', 'epoch')",
    "INSERT INTO bookings (listing_id, owner_id, days, price_per_day) VALUES ('{2}', '{1}', '{3}', 1)",
    "UPDATE bookings SET days = '{3}'",
    "UPDATE bookings SET owner_id = NULL",
    "UPDATE bookings SET hold_until = now()",
    "UPDATE bookings SET note = 'y'",
    "UPDATE bookings SET status_at = now()",
    "INSERT INTO booking_steps (booking_id, done_at, to_status, done_as) VALUES ('{2}', now(), 'pending', 'owner')",
    "UPDATE booking_steps SET why = 'y'",
    "DELETE FROM booking_steps",
    "UPDATE listing_photos SET url = 'https://example.org/'",
    "UPDATE listing_reviews SET rating = 5",
    "DELETE FROM listing_reviews",
    "DELETE FROM booking_notifications",
    "SELECT FROM isthmus.schema_history",
    "ALTER TABLE bookings DISABLE TRIGGER ALL",
    "SET session_replication_role = replica",
    "TRUNCATE bookings CASCADE",
    "DROP TABLE bookings",
    "CREATE TABLE mine (id int)",
]


def test_the_role_may_do_what_the_sidecar_does_and_nothing_more(many: Pets) -> None:
    sitter, owner, listing = people_of(many)
    words = sitter, owner, listing, many.days(listing, 3, 4)
    with psycopg.connect(many.role) as connection:
        for one in ALLOWED:
            connection.execute(one.format(*words).encode())
        connection.rollback()
        for one in FORBIDDEN:
            with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
                connection.execute(one.format(*words).encode())


def test_what_acts_as_its_owner_is_put_on_no_table_of_others(many: Pets) -> None:
    """Whoever may execute what a trigger does can put it on a temporary table, and let it write what never was."""
    own = (
        "SELECT oid::regprocedure::text, prosecdef, proconfig FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
    )
    functions = many.rows(own)
    assert {one for one, _, pinned in functions if pinned != ["search_path=pg_catalog, pg_temp"]} == set()
    acting = {one for one, as_owner, _ in functions if as_owner}
    assert acting == {"enter_booking()", "change_booking()", "write_booking_step()", "hold_listing(text,text)"}
    may = "SELECT has_function_privilege(%s, 'EXECUTE')"
    assert {one for one in acting if many.rows_as_role(may, one) == [(True,)]} == {"hold_listing(text,text)"}
    with psycopg.connect(many.role) as connection:
        connection.execute(b"CREATE TEMP TABLE mine (LIKE bookings)")
        for one in acting - {"hold_listing(text,text)"}:
            made = f"CREATE TRIGGER forged AFTER INSERT ON mine FOR EACH ROW EXECUTE FUNCTION public.{one}"
            with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
                connection.execute(made.encode())
