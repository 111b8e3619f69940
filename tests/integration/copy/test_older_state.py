"""Targets whose state another version left: older ones are brought up to date, newer and altered ones are refused.

Oracle: the state that this version makes from nothing, and the rows of the target. Cannot see: what a version that was
never released may have left.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from isthmus.errors import TargetError
from isthmus.state import last_transaction, migrate
from isthmus.state.migrate import Migration, check_state, state_migrations
from tests.integration.cli.conftest import run_command
from tests.integration.copy.carrying import World, balanced, listening, oid

MAPPING = """
    isthmus: 1
    collections:
      Users: {ids: uuid, fields: {name: text}}
      Things: {fields: {n: integer, user: {column: user_id, references: Users}}}
"""
THINGS = [
    {"_id": oid(1), "n": "no number"},
    {"_id": "text", "n": 2},
    *({"_id": oid(n), "n": n, "user": oid(99)} for n in range(3, 8)),
]


@pytest.fixture
def copy_as_before(world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that copies with the state of the first version, to the end or until it dies at a stage."""

    def copy(dies_at: str | None = None) -> None:
        def die(stage: str) -> None:
            if stage == dies_at:
                raise KeyboardInterrupt

        world.write({"Users": [{"_id": oid(50), "name": "one"}], "Things": THINGS})
        with monkeypatch.context() as patch:
            first = state_migrations()[:1]
            patch.setattr(migrate, "state_migrations", lambda: first)
            if dies_at is None:
                balanced(world.copy(MAPPING))
            else:
                with listening(die), pytest.raises(KeyboardInterrupt):
                    world.copy(MAPPING, workers=1)
        assert versions(world) == [1]

    return copy


def versions(world: World) -> list[int]:
    return world.column("SELECT version FROM isthmus.migration ORDER BY 1")


def catalog(world: World) -> list[object]:
    columns = world.rows(
        "SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns"
        " WHERE table_schema = 'isthmus' ORDER BY table_name, column_name"
    )
    indexes = world.rows("SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'isthmus' ORDER BY 1")
    return [*columns, *indexes]


@pytest.mark.parametrize("dies_at", [None, "copy.after-commit", "finish.primary-key-after-commit"])
def test_state_of_the_first_version_is_brought_up_to_date_and_its_run_goes_on(
    world: World, copy_as_before: Callable[..., None], dies_at: str | None
) -> None:
    copy_as_before(dies_at)
    started = world.rows("SELECT id, started_at FROM isthmus.run")
    result = world.copy(MAPPING)
    balanced(result)
    assert (result.repeated, result.resumed) == (dies_at is None, True)
    assert versions(world) == [one.version for one in state_migrations()]
    assert world.rows("SELECT id, started_at FROM isthmus.run") == started
    assert world.one("SELECT count(*) FROM things") == 6
    assert world.codes() == {str(oid(1)): "type"}
    upgraded = catalog(world)
    world.rows("DROP SCHEMA isthmus CASCADE")
    with psycopg.connect(world.conninfo, autocommit=True) as connection:
        assert migrate.migrate(connection) == state_migrations()
        assert migrate.migrate(connection) == []
    assert catalog(world) == upgraded


def test_commands_that_only_look_read_the_state_of_the_first_version(
    world: World, copy_as_before: Callable[..., None], tmp_path: Path
) -> None:
    copy_as_before()
    target = ("--target", world.conninfo)
    for command, words in (
        (("status",), "complete"),
        (("letters", "list"), "things.n"),
        (("letters", "show", "1"), "no number"),
        (("letters", "export"), str(oid(1))),
        (("orphans", "list"), str(oid(99))),
        (("ids", "lookup", "text"), "Things"),
        (("ids", "export"), "text"),
    ):
        ran = run_command(tmp_path, *command, *target)
        assert ran.code == 0, (command, ran.all)
        assert words in ran.all, (command, ran.all)
    assert versions(world) == [1]


@pytest.mark.parametrize("dies_at", [None, "copy.after-commit"])
@pytest.mark.parametrize(
    "statement",
    ["SELECT lease_token FROM isthmus.run FOR SHARE", "SELECT count(*) FROM isthmus.run"],
    ids=["of an isthmus", "of a reader"],
)
def test_transaction_that_keeps_the_state_from_being_brought_up_to_date_is_told(
    world: World,
    copy_as_before: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    statement: str,
    dies_at: str | None,
) -> None:
    copy_as_before(dies_at)
    monkeypatch.setattr(last_transaction, "LONGEST_SECONDS", 1)
    with psycopg.connect(world.conninfo) as held:
        held.execute(statement.encode())
        # a copy that waits without end must not hang the test: the transaction is ended from outside then
        held.execute("SET LOCAL idle_in_transaction_session_timeout = '15s'")
        began = time.monotonic()
        with pytest.raises(TargetError, match="is still open") as caught:
            world.copy(MAPPING)
        assert time.monotonic() - began < 10
        assert caught.value.code == "lease-held"
        assert "pg_terminate_backend" in str(caught.value.hint)
        if dies_at and "FOR SHARE" in statement:
            assert "the isthmus that wrote to run 1" in caught.value.message
        held.rollback()
    assert versions(world) == [1]
    balanced(world.copy(MAPPING))
    assert versions(world) == [one.version for one in state_migrations()]


@pytest.mark.parametrize("fresh", [False, True], ids=["again", "fresh"])
@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("INSERT INTO isthmus.migration (version, name, checksum) VALUES (9999, 'later', 'x')", "state-newer"),
        ("UPDATE isthmus.migration SET checksum = 'x' WHERE version = 1", "state-differs"),
    ],
)
def test_state_this_version_does_not_know_is_refused_before_anything_is_touched(
    world: World, change: str, code: str, fresh: bool
) -> None:
    world.write({"Users": [], "Things": THINGS})
    balanced(world.copy(MAPPING))
    world.rows(change)
    before = world.rows("SELECT r.xmin, r.* FROM isthmus.run r")
    with pytest.raises(TargetError) as caught:
        world.copy(MAPPING, fresh=fresh)
    assert (caught.value.code, caught.value.exit_code) == (code, 4)
    assert world.rows("SELECT r.xmin, r.* FROM isthmus.run r") == before
    assert world.one("SELECT count(*) FROM things") == 6


def test_process_that_died_between_two_migrations_goes_on_with_the_next(world: World) -> None:
    with psycopg.connect(world.conninfo, autocommit=True) as connection:
        assert check_state(connection) == {}
        assert migrate.migrate(connection, state_migrations()[:1]) == state_migrations()[:1]
        broken = Migration(2, "broken", "CREATE TABLE isthmus.half (); SELECT 1 / 0", "x")
        with pytest.raises(psycopg.errors.DivisionByZero):
            migrate.migrate(connection, [*state_migrations()[:1], broken])
        assert list(check_state(connection)) == [1]
        assert world.one("SELECT to_regclass('isthmus.half')") is None, "a migration is done whole or not at all"
        assert migrate.migrate(connection) == state_migrations()[1:]
