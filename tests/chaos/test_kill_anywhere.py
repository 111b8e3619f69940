"""SIGKILL before any statement and at random instants, also several times in a row; then equal to an unkilled copy.

Statements are finer than stages: whatever is sent to the server, something can end the process just before it.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from tests.chaos.sessions import Copy
from tests.fix_copies import FINISHED, Unkilled, assert_equal

KILLED = -9
BEGIN_STATEMENTS = 40  # what a copy sends before its first batch, more or less
ALL_STATEMENTS = 1_300  # and until it is complete


def finish_and_compare(copy: Copy, unkilled: Unkilled) -> None:
    ended = copy.run()
    assert ended.code == FINISHED or "is complete and the source is unchanged" in ended.words, ended.text
    assert_equal(copy.target, unkilled)


@pytest.mark.parametrize("seed", range(4))
def test_killed_before_statements_in_a_row_then_equal(seed: int, copy: Copy, unkilled: Unkilled) -> None:
    """The first kill is early, before there is a run or a first batch; each further session gets further."""
    rng = random.Random(seed)
    for limit in (BEGIN_STATEMENTS, ALL_STATEMENTS // 2, ALL_STATEMENTS):
        ended = copy.run(statement=rng.randint(1, limit))
        assert ended.code in {KILLED, FINISHED, 0}, ended.text
    finish_and_compare(copy, unkilled)


@pytest.mark.soak
@pytest.mark.parametrize("number", [*range(1, BEGIN_STATEMENTS + 1), *range(BEGIN_STATEMENTS + 1, ALL_STATEMENTS, 11)])
def test_killed_before_each_statement_then_equal(number: int, copy: Copy, unkilled: Unkilled) -> None:
    ended = copy.run("--workers", "1", statement=number)
    assert ended.code in {KILLED, FINISHED}, ended.text
    finish_and_compare(copy, unkilled)


def kill_at_random(seed: int, copy: Copy, unkilled: Unkilled, record_property: Callable[[str, Any], None]) -> None:
    rng = random.Random(seed)
    delays = [round(rng.uniform(0.02, 0.9), 3) for _ in range(rng.randint(1, 3))]
    for delay in delays:
        ended = copy.run("--workers", str(rng.randint(1, 3)), after=delay)
        assert ended.code in {KILLED, FINISHED, 0}, ended.text
    record_property("seconds_until_kill", delays)
    finish_and_compare(copy, unkilled)


@pytest.mark.parametrize("seed", range(3))
def test_killed_at_random_instants_then_equal(
    seed: int, copy: Copy, unkilled: Unkilled, record_property: Callable[[str, Any], None]
) -> None:
    kill_at_random(seed, copy, unkilled, record_property)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 130))
def test_killed_at_thirty_random_instants_then_equal(
    seed: int, copy: Copy, unkilled: Unkilled, record_property: Callable[[str, Any], None]
) -> None:
    kill_at_random(seed, copy, unkilled, record_property)
