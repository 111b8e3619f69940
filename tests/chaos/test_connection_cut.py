"""Connections that are cut at the worst message: at COMMIT, before and after it arrives, and inside COPY data."""

from __future__ import annotations

import dataclasses
import random
import threading
from collections.abc import Callable

import pytest

from tests.chaos.proxy import Cut, Proxy
from tests.chaos.sessions import Copy
from tests.fix_copies import FINISHED, Unkilled, assert_equal

COMMITS = 90  # about as many as a copy of the troubled database makes
COPIES = 140  # messages of COPY data


def copy_through(proxy: Proxy, copy: Copy) -> Copy:
    return dataclasses.replace(copy, target=proxy.conninfo(copy.target))


def copy_and_compare(cut: Cut, number: int, copy: Copy, unkilled: Unkilled) -> None:
    with Proxy(copy.target, cut, number) as proxy:
        through = copy_through(proxy, copy)
        ended = through.run()
        assert proxy.cuts == 1, f"no message to cut at: {proxy.commits} commits"
        assert "internal error" not in ended.text
        if ended.code == 4 and not ended.stages["begin.after-commit"]:
            ended = through.run()  # before there is a run a session just stops
    assert ended.code == FINISHED, ended.text
    assert_equal(copy.target, unkilled)


def some(seed: int, most: int, count: int) -> list[int]:
    """Return numbers spread over 1 to `most`, one from each of `count` equal shares."""
    rng = random.Random(seed)
    return [1 + most * share // count + rng.randrange(max(1, most // count)) for share in range(count)]


@pytest.mark.parametrize("number", some(1, 80, 6))
def test_commit_whose_reply_is_lost_is_not_sent_twice(number: int, copy: Copy, unkilled: Unkilled) -> None:
    copy_and_compare("after-commit", number, copy, unkilled)


@pytest.mark.parametrize("number", some(2, 80, 4))
def test_commit_that_never_arrives_is_sent_again(number: int, copy: Copy, unkilled: Unkilled) -> None:
    copy_and_compare("before-commit", number, copy, unkilled)


@pytest.mark.parametrize("number", some(3, 140, 3))
def test_connection_cut_inside_copy_data_loses_and_doubles_nothing(number: int, copy: Copy, unkilled: Unkilled) -> None:
    copy_and_compare("within-copy", number, copy, unkilled)


@pytest.mark.parametrize(("stage", "number"), [("copy.before-commit", 6), ("finish.index-before-commit", 2)])
def test_server_that_has_not_noticed_the_loss_is_waited_for(
    stage: str, number: int, copy: Copy, unkilled: Unkilled
) -> None:
    """For a while the server still holds the lease for a session nobody can use: it is ours, not another isthmus's."""
    with Proxy(copy.target) as proxy:
        through = copy_through(proxy, copy)
        with through.begin(pause=(stage, number)) as session:
            session.wait_until_paused()
            proxy.cut_all(server_side=False)
            late = threading.Timer(1.5, proxy.cut_all)
            late.start()
            session.go_on()
            ended = session.ended()
            late.join()
    assert ended.code in {FINISHED, 4}, ended.text
    if ended.code == 4:  # the late cut may meet the end of the session
        ended = copy.run()
    assert ended.code in {FINISHED, 0}, ended.text
    assert_equal(copy.target, unkilled)


@pytest.mark.soak
@pytest.mark.parametrize("number", range(1, 100, 2))
def test_commit_is_lost_at_every_second_place(
    number: int, copy: Copy, unkilled: Unkilled, record_property: Callable[[str, object], None]
) -> None:
    record_property("commit", number)
    with Proxy(copy.target, "after-commit", number) as proxy:
        through = copy_through(proxy, copy)
        ended = through.run()
        if ended.code == 4 and not ended.stages["begin.after-commit"]:
            ended = through.run()
    assert ended.code == FINISHED, ended.text
    assert_equal(copy.target, unkilled)
