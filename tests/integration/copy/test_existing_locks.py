"""Tables that somebody else writes to while a copy wants to deliver: it waits for a while, and says for whom.

Oracle: what this test's own session holds, and rows read with SQL of the test's own.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from isthmus.errors import TargetError
from isthmus.transfer.existing import setting_aside
from tests.integration.copy.carrying import World, balanced, listening, oid
from tests.integration.copy.retrying import retry

TABLES = """
CREATE TABLE places (id uuid PRIMARY KEY, name text);
CREATE TABLE people (id uuid PRIMARY KEY, name text);
"""
MAPPING = """
isthmus: 1
target: {tables: existing}
collections:
  places: {fields: {name: text}}
  people: {fields: {name: text}}
"""
VALUE = "told-to-nobody"


@pytest.fixture
def world(world: World) -> World:
    world.rows(TABLES)
    world.write({"places": [{"_id": oid(1), "name": "Rome"}], "people": [{"_id": oid(2), "name": "Ann"}]})
    return world


@contextmanager
def writer(world: World) -> Iterator[psycopg.Connection]:
    """Leave a row written and its transaction open."""
    with psycopg.connect(world.conninfo, application_name="nightly import") as connection:
        connection.execute(f"INSERT INTO people VALUES (gen_random_uuid(), '{VALUE}')")
        yield connection


@pytest.mark.parametrize("patience", [0.5, 2.0])
def test_delivery_that_waits_too_long_ends_and_says_for_whom(world: World, patience: float) -> None:
    with writer(world) as connection:
        began = time.monotonic()
        with pytest.raises(TargetError) as caught:
            world.copy(MAPPING, retry_seconds=patience)
        assert time.monotonic() - began < 10 * patience
        assert sum("Trying again for up to" in note for note in world.notes) == 1
        words = f"{caught.value} {caught.value.hint}"
        assert (caught.value.code, caught.value.exit_code) == ("tables-in-use", 4)
        for told in ("people", str(connection.info.backend_pid), "nightly import", "idle in transaction"):
            assert told in str(caught.value)
            assert any(told in note for note in world.notes)
        assert "places" not in str(caught.value)
        assert "run the same command again" in words
        assert VALUE not in words + "".join(world.notes)
    result = world.copy(MAPPING)
    balanced(result)
    assert result.resumed
    assert world.column("SELECT name FROM people ORDER BY 1") == ["Ann", VALUE]


def test_delivery_goes_on_when_the_others_are_done(world: World) -> None:
    with writer(world) as connection:
        threading.Timer(1.5, connection.commit).start()
        tries: list[str] = []
        with listening(tries.append):
            balanced(world.copy(MAPPING, retry_seconds=30))
    assert world.one("SELECT count(*) FROM people") == 2
    assert tries.count("deliver.after-commit") == 1


def test_delivery_waits_for_other_locks_as_before_once_it_has_the_tables(world: World) -> None:
    seen: list[str] = []

    def look(stage: str) -> None:
        if stage == "deliver.locked":
            seen.extend(world.column("SELECT count(*)::text FROM pg_locks WHERE mode = 'ShareRowExclusiveLock'"))

    world.rows(
        "CREATE FUNCTION show() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN NEW.name := current_setting('lock_timeout'); RETURN NEW; END $$;"
        " CREATE TRIGGER show BEFORE INSERT ON people FOR EACH ROW EXECUTE FUNCTION show()"
    )
    with listening(look):
        balanced(world.copy(MAPPING))
    assert world.column("SELECT name FROM people") == ["0"]
    assert int(seen[0]) >= 2


def test_prepared_transaction_without_a_process_is_named(world: World) -> None:
    if world.one("SELECT current_setting('max_prepared_transactions')::integer") == 0:
        pytest.skip("this server allows no prepared transactions")
    with psycopg.connect(world.conninfo, autocommit=True) as connection:
        connection.execute("BEGIN; INSERT INTO people VALUES (gen_random_uuid(), 'x'); PREPARE TRANSACTION 'left'")
        try:
            with pytest.raises(TargetError, match="prepared transaction"):
                world.copy(MAPPING, retry_seconds=0.5)
        finally:
            connection.execute("ROLLBACK PREPARED 'left'")


def test_indexes_that_a_reader_keeps_from_being_dropped_stay_and_he_is_named(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setting_aside, "WORTH_ROWS", 1)
    world.rows("CREATE INDEX people_name ON people (name)")
    with psycopg.connect(world.conninfo, application_name="report") as connection:
        connection.execute("SELECT count(*) FROM people")
        balanced(world.copy(MAPPING, retry_seconds=0.5))
    (note,) = [note for note in world.notes if "Indexes and keys stay" in note]
    assert "people by process" in note
    assert "report" in note
    assert world.one("SELECT to_regclass('people_name') IS NOT NULL")
    assert world.column("SELECT name FROM people") == ["Ann"]
    assert world.one("SELECT count(*) FROM isthmus.saved_ddl") == 0


@contextmanager
def locked(world: World, table: str) -> Iterator[psycopg.Connection]:
    """Hold a table as an open migration does."""
    with psycopg.connect(world.conninfo, application_name="open migration") as connection:
        connection.execute(f"LOCK TABLE {table}".encode())
        yield connection


def test_copy_that_cannot_begin_for_a_lock_says_for_whom_it_waits(world: World) -> None:
    began = time.monotonic()
    with locked(world, "people"), pytest.raises(TargetError, match=r"people by process .*open migration") as caught:
        world.copy(MAPPING, retry_seconds=1)
    assert (caught.value.code, caught.value.exit_code) == ("tables-in-use", 4)
    assert time.monotonic() - began < 15
    assert sum("Trying again for up to 1 s" in note for note in world.notes) == 1
    balanced(world.copy(MAPPING))


OWN = MAPPING.replace("target: {tables: existing}\n", "")


def test_starting_over_waits_for_a_reader_for_a_while_and_drops_nothing_before(world: World) -> None:
    world.rows("DROP TABLE people, places")
    balanced(world.copy(OWN))
    with psycopg.connect(world.conninfo, application_name="report") as connection:
        connection.execute("SELECT count(*) FROM people")
        with pytest.raises(TargetError, match=r"people by process .*report") as caught:
            world.copy(OWN, fresh=True, retry_seconds=1)
        assert caught.value.code == "tables-in-use"
        stop = threading.Event()
        threading.Timer(1, stop.set).start()
        threading.Timer(3, connection.rollback).start()
        result = world.copy(OWN, fresh=True, retry_seconds=30, stop=stop)
        assert (result.outcome, result.run, result.dropped) == ("interrupted", None, None)
    assert world.column("SELECT name FROM people") == ["Ann"]
    balanced(world.copy(OWN, fresh=True))


def test_retry_of_letters_that_waits_too_long_ends_and_goes_on_later(world: World) -> None:
    strict = MAPPING.replace("people: {fields: {name: text}}", "people: {fields: {name: {type: text, coerce: COERCE}}}")
    world.write({"places": [{"_id": oid(1), "name": "Rome"}], "people": [{"_id": oid(2), "name": 5}]})
    balanced(world.copy(strict.replace("COERCE", "false")))
    began = time.monotonic()
    with locked(world, "people"), pytest.raises(TargetError, match=r"people by process .*open migration"):
        retry(world, strict.replace("COERCE", "true"), seconds=1)
    assert time.monotonic() - began < 15
    result = retry(world, strict.replace("COERCE", "true"))
    assert (result.carried, result.left) == ({"people": 1}, [])
