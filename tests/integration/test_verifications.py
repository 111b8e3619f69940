"""Verifications are kept in the target and read again; what stands in the way is told and is no error."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from isthmus.state.lease import LOCK
from isthmus.state.migrate import applied_versions, migrate, state_migrations
from isthmus.state.verifications import keep, latest
from isthmus.verify.result import MOST_LISTED, Verified
from tests.unit.verify.made import failed, passed

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
RUN = """
    INSERT INTO isthmus.run (mapping_fingerprint, mapping_text, source, source_name, target_schema, tables, started_at,
                             stage, lease_token, lease_holder, lease_at, isthmus_version)
    VALUES ('f', '', '{}', 's', 'public', '{}', now(), 'complete', gen_random_uuid(), 'h', now(), '1') RETURNING id
"""
Connection = psycopg.Connection[Any]


def prepared(conninfo: str, *, migrations: int | None = None) -> tuple[Connection, int]:
    """Connect, make the state as of some migration, and open a run."""
    connection = psycopg.connect(conninfo, autocommit=True)
    migrate(connection, state_migrations()[:migrations])
    row = connection.execute(RUN).fetchone()
    assert row is not None
    return connection, int(row[0])


def kept(connection: Connection, run: int, verified: Verified, at: datetime = AT) -> str | None:
    outcome = "passed" if verified.passed else "failed"
    return keep(connection, run, verified.as_json(), at, verified.seconds, outcome, "1.2.3")


def count(connection: Connection) -> int:
    row = connection.execute("SELECT count(*) FROM isthmus.verification").fetchone()
    assert row is not None
    return int(row[0])


def test_newest_verification_comes_first(database: str) -> None:
    connection, run = prepared(database)
    with connection:
        assert latest(connection, run) is None
        assert kept(connection, run, failed()) is None
        assert kept(connection, run, passed(), AT + timedelta(hours=1)) is None
        newest = latest(connection, run)
        assert latest(connection, run + 1) is None
        connection.execute("DELETE FROM isthmus.verification WHERE outcome = 'passed'")
        oldest = latest(connection, run)
    assert newest is not None
    assert oldest is not None
    assert (newest.outcome, oldest.outcome) == ("passed", "failed")
    assert (newest.run, newest.started_at, newest.version, newest.found) == (run, AT + timedelta(hours=1), "1.2.3", 0)
    assert oldest.found == 39
    assert [one["expected"] for one in oldest.differences[:2]] == ["31", "UNIQUE (email)"]
    assert list(oldest.summary()["layers"]["checksum"].values()) == ["failed", 12_345, "rows", 37]


def test_stopped_verification_hides_no_earlier_one_unless_it_found_something(database: str) -> None:
    connection, run = prepared(database)
    with connection:
        for verified, shown in ((passed("counts"), None), (passed(), "passed"), (passed(), "passed"), (failed(), None)):
            verified.interrupted = shown is None
            outcome = shown or "interrupted"
            assert keep(connection, run, verified.as_json(), AT, 1.0, outcome, "1") is None
            found = latest(connection, run)
            assert found is not None
            assert (found.outcome, found.id) == (outcome, count(connection))
        assert keep(connection, run, passed().as_json(), AT, 1.0, "interrupted", "1") is None
        found = latest(connection, run)
    assert found is not None
    assert (found.id, found.found) == (4, 39)


def test_many_long_and_odd_differences_are_bounded(database: str) -> None:
    connection, run = prepared(database)
    verified = passed()
    for layer in verified.layers.values():
        for _ in range(MOST_LISTED + 1):
            layer.differs("t\x00", "\ud800", "m" * 10_000, id="1", expected="x" * 100_000)
    with connection:
        assert kept(connection, run, verified) is None
        found = latest(connection, run)
    assert found is not None
    assert found.found == 7 * (MOST_LISTED + 1)
    assert {one["layer"] for one in found.differences} == set(verified.layers)
    assert len(str(found.differences)) < 2_000_000
    assert (found.differences[0]["table"], found.differences[0]["path"]) == ("t\u2400", "?")


def test_state_of_an_older_version_is_brought_up_to_date(database: str) -> None:
    connection, run = prepared(database, migrations=7)
    with connection:
        assert latest(connection, run) is None
        assert kept(connection, run, passed()) is None
        assert latest(connection, run) is not None
        assert set(applied_versions(connection)) == {one.version for one in state_migrations()}
        assert connection.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").fetchone() == (0,)


def test_older_state_that_another_isthmus_writes_to_is_left_alone(database: str) -> None:
    connection, run = prepared(database, migrations=7)
    with connection, psycopg.connect(database, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s, %s)", LOCK)
        assert kept(connection, run, passed()) == "Another isthmus is writing to this target"
        assert max(applied_versions(connection)) == 7


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("SET SESSION default_transaction_read_only = on", "the target takes no writes"),
        ("DELETE FROM isthmus.run", "run 1 is no longer in the target"),
        (
            "CREATE ROLE onlooker; GRANT USAGE ON SCHEMA isthmus TO onlooker; SET ROLE onlooker",
            "the role may not write to isthmus.verification",
        ),
    ],
    ids=["read-only", "run gone", "no right"],
)
def test_what_stands_in_the_way_is_told(database: str, statement: str, why: str) -> None:
    connection, run = prepared(database)
    with connection:
        connection.execute(statement.encode())
        try:
            assert kept(connection, run, passed()) == why
        finally:
            connection.execute("RESET ALL")
            connection.execute("RESET ROLE")
            connection.execute("DROP OWNED BY onlooker" if "ROLE" in statement else "SELECT 1")
            connection.execute("DROP ROLE IF EXISTS onlooker")


def test_verifications_go_with_their_run(database: str) -> None:
    connection, run = prepared(database)
    with connection:
        kept(connection, run, passed())
        connection.execute("DELETE FROM isthmus.run")
        assert count(connection) == 0
