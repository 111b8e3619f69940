"""Ctrl-C and SIGTERM: the batch in hand is finished, the run stays resumable, exit 130; a second one leaves at once."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time

import psutil
import psycopg
import pytest
from psycopg import sql

from tests.chaos.sessions import Copy, Session
from tests.fix_copies import FINISHED, SCHEMA, Unkilled, assert_equal

pytestmark = pytest.mark.slow  # every test runs whole sessions of the command

INTERRUPTED = 130


def finish_and_compare(copy: Copy, unkilled: Unkilled) -> None:
    ended = copy.run()
    assert ended.code == FINISHED, ended.text
    assert_equal(copy.target, unkilled)


def interrupt(session: Session, number: int) -> None:
    session.wait_until_paused()
    session.process.send_signal(number)
    time.sleep(0.2)


@pytest.mark.parametrize(
    ("number", "stage", "occurrence"),
    [
        (signal.SIGINT, "copy.rows-sent", 5),
        (signal.SIGTERM, "copy.between-tables", 12),
        (signal.SIGINT, "finish.unique-index-before-commit", 2),
        (signal.SIGTERM, "finish.orphans-before-commit", 4),
        (signal.SIGTERM, "complete.before-commit", 1),
    ],
)
def test_signal_ends_after_the_batch_in_hand_and_says_how_to_go_on(
    number: signal.Signals, stage: str, occurrence: int, copy: Copy, unkilled: Unkilled
) -> None:
    with copy.begin(pause=(stage, occurrence)) as session:
        interrupt(session, number)
        session.go_on()
        ended = session.ended(seconds=20)
    if stage == "complete.before-commit" and ended.code == FINISHED:
        assert_equal(copy.target, unkilled)  # what was in hand was the last thing to do
        return
    assert ended.code == INTERRUPTED, ended.text
    assert f"{number.name}: finishing the batch in hand" in ended.words
    assert "same command" in ended.words.split("in hand", 1)[1]
    finish_and_compare(copy, unkilled)


def test_batch_in_hand_is_committed_before_the_session_ends(copy: Copy) -> None:
    with copy.begin("--workers", "1", pause=("copy.rows-sent", 5)) as session:
        interrupt(session, signal.SIGINT)
        session.go_on()
        assert session.ended().code == INTERRUPTED
    with psycopg.connect(copy.target) as connection:
        row = connection.execute("SELECT count(*) FROM isthmus.batch").fetchone()
    assert row == (5,)


def test_second_signal_leaves_at_once_and_loses_nothing_committed(copy: Copy, unkilled: Unkilled) -> None:
    with copy.begin(pause=("copy.before-commit", 6)) as session:
        interrupt(session, signal.SIGINT)
        session.process.send_signal(signal.SIGTERM)
        ended = session.ended(seconds=5)
    assert ended.code == INTERRUPTED, ended.text
    finish_and_compare(copy, unkilled)


def test_signal_cancels_a_long_statement_of_finish(copy: Copy, unkilled: Unkilled) -> None:
    with copy.begin(pause=("copy.complete", 1)) as session:
        session.wait_until_paused()
        with psycopg.connect(copy.target) as blocker:
            blocker.execute(sql.SQL("LOCK TABLE {} IN SHARE MODE").format(sql.Identifier(SCHEMA, "order")))
            session.go_on()
            time.sleep(1.0)
            assert session.process.poll() is None
            session.process.send_signal(signal.SIGTERM)
            ended = session.ended(seconds=10)
    assert ended.code == INTERRUPTED, ended.text
    finish_and_compare(copy, unkilled)


def test_signal_cancels_a_long_pass_over_orphans(copy: Copy, unkilled: Unkilled) -> None:
    """Orphans are settled one reference after the other, not side by side with the other steps."""
    with copy.begin(pause=("finish.orphans-before-commit", 2)) as session:
        session.wait_until_paused()
        with psycopg.connect(copy.target) as blocker:
            blocker.execute(sql.SQL("LOCK TABLE {} IN SHARE MODE").format(sql.Identifier(SCHEMA, "tasks")))
            session.go_on()
            time.sleep(1.0)
            assert session.process.poll() is None
            session.process.send_signal(signal.SIGINT)
            ended = session.ended(seconds=10)
    assert ended.code == INTERRUPTED, ended.text
    finish_and_compare(copy, unkilled)


def test_sigterm_as_process_1_of_a_container_finishes_the_batch(copy: Copy, unkilled: Unkilled) -> None:
    namespace = ("unshare", "--pid", "--fork", "--kill-child")
    if shutil.which("unshare") is None:
        pytest.skip("there is no unshare here to make a process namespace")
    tried = subprocess.run([*namespace, "true"], capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        pytest.skip(f"a process namespace may not be made here: {tried.stderr.strip()}")
    with copy.begin(before=namespace, pause=("copy.rows-sent", 5)) as session:
        session.wait_until_paused()
        (isthmus,) = psutil.Process(session.process.pid).children()
        isthmus.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        session.go_on()
        ended = session.ended(seconds=20)
    assert ended.code == INTERRUPTED, ended.text
    finish_and_compare(copy, unkilled)
