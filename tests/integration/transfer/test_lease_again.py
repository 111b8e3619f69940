"""A lease that is taken again after its connection was lost: the token is compared, whatever happens on the way."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg
import pytest

from isthmus.errors import TargetError
from isthmus.state.lease import Lease
from isthmus.state.migrate import migrate
from isthmus.state.runs import insert_run


@pytest.fixture
def lease(database: str) -> Iterator[Lease]:
    """Return a lease that holds the only run of a target."""
    lease = Lease(database)
    lease.acquire()
    migrate(lease.connection)
    run = insert_run(
        lease.connection,
        fingerprint="",
        mapping_text="",
        source={},
        source_name="",
        target_schema="public",
        tables={},
        started_at=datetime.now(UTC),
        token=lease.token,
        holder=lease.holder,
        version="0",
    )
    lease.adopt(run)
    yield lease
    lease.release()


def end_session(database: str, lease: Lease) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(%s, 5000)", (lease.connection.info.backend_pid,))


def write(database: str, statement: str, *parameters: object) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(statement.encode(), parameters)


def test_lease_whose_session_was_lost_is_taken_again(database: str, lease: Lease) -> None:
    end_session(database, lease)
    lease.ensure()
    with pytest.raises(TargetError) as caught:
        Lease(database).acquire()
    assert caught.value.code == "lease-held"


def test_server_that_fails_while_the_token_is_looked_up_leaves_no_lease_behind(database: str, lease: Lease) -> None:
    end_session(database, lease)
    write(database, "UPDATE isthmus.run SET lease_token = %s", uuid.uuid4())
    write(database, "ALTER TABLE isthmus.run RENAME TO away")
    with pytest.raises(psycopg.errors.UndefinedTable):
        lease.ensure()
    other = Lease(database)
    other.acquire()
    other.release()
    write(database, "ALTER TABLE isthmus.away RENAME TO run")
    for _ in range(2):
        with pytest.raises(TargetError) as caught:
            lease.ensure()
        assert caught.value.code == "lease-lost"
