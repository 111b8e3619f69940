"""At most one isthmus writes to a target: a second one is refused, and one that lost its lease cannot commit."""

from __future__ import annotations

import signal
import time

import psycopg
import pytest

from isthmus.errors import TargetError
from isthmus.state import lease
from isthmus.state.lease import Lease
from tests.chaos.sessions import Copy
from tests.fix_copies import FINISHED, Unkilled, assert_equal
from tests.fix_postgres import until_free

pytestmark = pytest.mark.slow  # every test runs whole sessions of the command


def end_backends(target: str, name: str) -> int:
    """Terminate the server processes of a database whose application name begins with `name`."""
    with psycopg.connect(target, autocommit=True) as connection:
        rows = connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name LIKE %s",
            (f"{name}%",),
        ).fetchall()
    time.sleep(0.2)
    return len(rows)


LEASE = "isthmus % pid "  # the connection that holds the lease says who it is; workers are just `isthmus`


@pytest.mark.parametrize(("stage", "number"), [("begin.before-commit", 1), ("copy.before-commit", 5)])
def test_second_isthmus_is_refused_and_told_who_is_at_work(
    stage: str, number: int, copy: Copy, unkilled: Unkilled
) -> None:
    with copy.begin(pause=(stage, number)) as first:
        first.wait_until_paused()
        second = copy.run()
        assert second.code == 4, second.text
        assert "lease-held" in second.words
        assert f"pid {first.process.pid}" in second.words
        first.go_on()
        ended = first.ended()
    assert ended.code == FINISHED, ended.text
    assert_equal(copy.target, unkilled)


def test_lease_whose_holder_goes_before_it_is_named_is_had(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = Lease(database), Lease(database)
    first.acquire()
    named = lease.statement

    def gone_meanwhile(*words: str) -> object:
        first.release()
        until_free(database)
        return named(*words)

    monkeypatch.setattr(lease, "statement", gone_meanwhile)
    second.acquire()
    with pytest.raises(TargetError, match="is not held"):
        _ = first.connection
    assert second.connection.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").fetchall() == [(1,)]
    second.release()


def test_second_isthmus_goes_on_after_the_first_was_killed(copy: Copy, unkilled: Unkilled) -> None:
    with copy.begin(pause=("copy.rows-sent", 5)) as first:
        first.wait_until_paused()
        first.process.send_signal(signal.SIGKILL)
        first.ended()
    ended = copy.run()
    assert ended.code == FINISHED, ended.text
    assert_equal(copy.target, unkilled)


@pytest.mark.parametrize(("stage", "number"), [("copy.after-commit", 7), ("finish.primary-key-after-commit", 4)])
def test_isthmus_that_lost_its_lease_while_it_slept_cannot_commit(
    stage: str, number: int, copy: Copy, unkilled: Unkilled
) -> None:
    with copy.begin("--workers", "1", pause=(stage, number)) as zombie:
        zombie.wait_until_paused()
        zombie.process.send_signal(signal.SIGSTOP)
        assert end_backends(copy.target, LEASE) == 1
        second = copy.run()
        assert second.code == FINISHED, second.text
        assert_equal(copy.target, unkilled)
        zombie.process.send_signal(signal.SIGCONT)
        zombie.go_on()
        ended = zombie.ended()
    assert ended.code == 4, ended.text
    assert "lease-lost" in ended.words
    assert_equal(copy.target, unkilled)


def test_open_transaction_of_a_sleeping_isthmus_is_named_and_never_doubled(copy: Copy, unkilled: Unkilled) -> None:
    with copy.begin("--workers", "1", pause=("copy.before-commit", 6)) as zombie:
        zombie.wait_until_paused()
        zombie.process.send_signal(signal.SIGSTOP)
        end_backends(copy.target, LEASE)
        second = copy.run(lease_seconds=1)
        assert second.code == 4, second.text
        assert "lease-held" in second.words
        assert "is still open" in second.words
        end_backends(copy.target, "isthmus")
        second = copy.run()
        assert second.code == FINISHED, second.text
        zombie.process.send_signal(signal.SIGCONT)
        zombie.go_on()
        ended = zombie.ended()
    assert ended.code == 4, ended.text
    assert "lease-lost" in ended.words
    assert_equal(copy.target, unkilled)


def wait_for_lease(target: str) -> None:
    """Wait until a session that was begun holds the lease, and is at what comes behind it."""
    give_up_at = time.monotonic() + 60
    with psycopg.connect(target, autocommit=True) as connection:
        query = (
            "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
            " WHERE l.locktype = 'advisory' AND l.granted AND a.application_name LIKE %s"
        )
        while connection.execute(query, (LEASE + "%",)).fetchall() == [(0,)]:
            assert time.monotonic() < give_up_at
            time.sleep(0.05)
    time.sleep(0.5)  # it has the lease; now it waits for the open batch


def test_batch_of_a_fenced_isthmus_that_still_commits_is_seen_by_the_next(copy: Copy, unkilled: Unkilled) -> None:
    """The second waits for the open batch of the first and starts from the checkpoint that this batch leaves."""
    with copy.begin("--workers", "1", pause=("copy.before-commit", 6)) as first:
        first.wait_until_paused()
        end_backends(copy.target, LEASE)
        with copy.begin(lease_seconds=20) as second:
            wait_for_lease(copy.target)
            first.go_on()
            assert first.ended().code == 4
            ended = second.ended()
    assert ended.code == FINISHED, ended.text
    assert_equal(copy.target, unkilled)
