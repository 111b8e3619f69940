"""Connections that are cut at the worst message: at COMMIT, before and after it arrives, and inside COPY data."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable

import psycopg
import pytest

from tests.chaos.compare import compare
from tests.chaos.measured import Measured, spread
from tests.chaos.proxy import Cut, Proxy
from tests.chaos.sessions import Copy, Session
from tests.fix_copies import Unkilled


def copy_through(proxy: Proxy, copy: Copy) -> Copy:
    return dataclasses.replace(copy, target=proxy.conninfo(copy.target))


def copy_and_compare(cut: Cut, number: int, copy: Copy, unkilled: Unkilled) -> None:
    """Copy through a proxy that cuts once; the same session has to come to the end."""
    with Proxy(copy.target, cut, number) as proxy:
        ended = copy_through(proxy, copy).run()
        assert proxy.cuts == 1, f"no message to cut at: {proxy.commits} commits, {proxy.copies} messages of COPY data"
    compare(copy, ended, unkilled)


def some(shares: range, *now: int) -> list[object]:
    """Return shares as parameters; all but some are left to the soak tests."""
    return [share if share in now else pytest.param(share, marks=pytest.mark.soak) for share in shares]


@pytest.mark.parametrize("share", some(range(6), 0, 4))
def test_commit_whose_reply_is_lost_is_not_sent_twice(
    share: int, copy: Copy, measured: Measured, unkilled: Unkilled
) -> None:
    copy_and_compare("after-commit", spread(share, 6, measured.commits), copy, unkilled)


@pytest.mark.parametrize("share", some(range(5), 2))
def test_commit_that_never_arrives_is_sent_again(
    share: int, copy: Copy, measured: Measured, unkilled: Unkilled
) -> None:
    copy_and_compare("before-commit", spread(share, 5, measured.commits), copy, unkilled)


@pytest.mark.parametrize("share", some(range(4), 1))
def test_connection_cut_inside_copy_data_loses_and_doubles_nothing(
    share: int, copy: Copy, measured: Measured, unkilled: Unkilled
) -> None:
    copy_and_compare("within-copy", spread(share, 4, measured.copies), copy, unkilled)


@pytest.mark.parametrize("cut", ["after-commit", "before-commit"])
@pytest.mark.parametrize("number", range(2, 6))
def test_commit_lost_while_a_run_begins(cut: Cut, number: int, copy: Copy, unkilled: Unkilled) -> None:
    copy_and_compare(cut, number, copy, unkilled)


def asked(target: str, query: str) -> int:
    with psycopg.connect(target, autocommit=True) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return int(row[0])


def wait_for(session: Session, what: str, happened: Callable[[], bool]) -> None:
    ends_at = time.monotonic() + 30
    while not happened():
        assert session.process.poll() is None, f"ended before {what}: {session.process.communicate()[0]}"
        assert time.monotonic() < ends_at, f"waited in vain for {what}"
        time.sleep(0.02)


HOLDERS = "SELECT coalesce(max(pid), 0) FROM pg_locks WHERE locktype = 'advisory' AND granted"


@pytest.mark.parametrize(("stage", "number"), [("copy.before-commit", 6), ("finish.index-before-commit", 2)])
def test_server_that_has_not_noticed_the_loss_is_waited_for(
    stage: str, number: int, copy: Copy, unkilled: Unkilled
) -> None:
    """For a while the server still holds the lease for a session nobody can use: it is ours, not another isthmus's."""
    with Proxy(copy.target) as proxy, copy_through(proxy, copy).begin(pause=(stage, number)) as session:
        session.wait_until_paused()
        holder, before = asked(copy.target, HOLDERS), proxy.connections
        assert holder
        proxy.hold_all()
        session.go_on()
        wait_for(session, "several tries to take the lease", lambda: proxy.connections >= before + 4)
        assert asked(copy.target, HOLDERS) == holder
        proxy.let_go()
        ended = session.ended()
    compare(copy, ended, unkilled)


WAITS_FOR_CHECKPOINT = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE wait_event_type = 'Lock' AND datname = current_database() AND query LIKE '%UPDATE isthmus.partition%'"
)


@pytest.mark.parametrize("number", [1, 2, 12])
def test_commit_that_goes_through_only_after_the_checkpoint_was_read(
    number: int, copy: Copy, unkilled: Unkilled
) -> None:
    """The checkpoint says that nothing arrived, so the batch is sent again; then the first COMMIT goes through.

    The second transaction waits for the first at the checkpoint, finds it moved, and the batch is there once.
    """
    with (
        Proxy(copy.target) as proxy,
        copy_through(proxy, copy).begin("--workers", "1", pause=("copy.before-commit", number)) as session,
    ):
        session.wait_until_paused()
        proxy.cut_next("late-commit")
        session.go_on()
        wait_for(session, "the batch to be sent again", lambda: asked(copy.target, WAITS_FOR_CHECKPOINT) == 1)
        proxy.let_go()
        ended = session.ended()
        assert proxy.cuts == 1
    compare(copy, ended, unkilled)
    sent, whole, known = (ended.stages[f"copy.{name}"] for name in ("rows-sent", "before-commit", "after-commit"))
    assert (sent, known) == (whole + 1, whole - 1)  # one batch was sent twice; nobody was told of its commit


@pytest.mark.soak
@pytest.mark.parametrize("share", range(62))
def test_commit_is_lost_at_about_every_second_place(
    share: int,
    copy: Copy,
    measured: Measured,
    unkilled: Unkilled,
    record_property: Callable[[str, object], None],
) -> None:
    number = spread(share, 62, measured.commits)
    record_property("lost_commit", number)
    record_property("commits", measured.commits)
    copy_and_compare("after-commit", number, copy, unkilled)
