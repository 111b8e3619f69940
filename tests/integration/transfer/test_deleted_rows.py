"""Rows that finish deleted and that another session's old snapshot can still see: an index takes them in."""

from __future__ import annotations

import time

import psycopg
import pytest

from tests.chaos.sessions import Copy
from tests.fix_copies import FINISHED, Unkilled, assert_equal

pytestmark = pytest.mark.slow  # every test runs whole sessions of the command


def test_index_refused_for_a_row_that_only_an_old_snapshot_sees_is_built_when_it_is_gone(
    copy: Copy, unkilled: Unkilled
) -> None:
    with copy.begin(pause=("copy.complete", 1)) as session:
        session.wait_until_paused()
        with psycopg.connect(copy.target) as reader:
            reader.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            reader.execute("SELECT count(*) FROM isthmus.run")
            session.go_on()
            time.sleep(2.0)
            assert session.process.poll() is None, session.ended().text
        ended = session.ended()
    assert ended.code == FINISHED, ended.text
    assert_equal(copy.target, unkilled)


def test_old_snapshot_that_stays_ends_the_session_resumable(copy: Copy, unkilled: Unkilled) -> None:
    with copy.begin("--retry-seconds", "1", pause=("copy.complete", 1)) as session:
        session.wait_until_paused()
        with psycopg.connect(copy.target) as reader:
            reader.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            reader.execute("SELECT count(*) FROM isthmus.run")
            session.go_on()
            ended = session.ended()
    assert ended.code == 4, ended.text
    assert "deleted-row-visible" in ended.words
    assert "can still see it" in ended.words
    ended = copy.run()
    assert ended.code == FINISHED, ended.text
    assert_equal(copy.target, unkilled)
