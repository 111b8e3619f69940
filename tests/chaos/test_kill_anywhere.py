"""SIGKILL before any statement and at random instants, also several times in a row; then equal to an unkilled copy.

Statements are finer than stages: whatever is sent to the server, something can end the process just before it.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable

import pytest

from tests.chaos.compare import compare, finish_and_compare
from tests.chaos.measured import Measured, spread
from tests.chaos.sessions import Copy, Ended
from tests.fix_copies import Unkilled

KILLED = -9
BEGIN_STATEMENTS = 40  # what a copy sends before its first batch, more or less
LATER = 115  # how many of the statements after those are tried

Record = Callable[[str, object], None]


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.soak) for seed in (2, 3))])
def test_killed_before_statements_in_a_row_then_equal(
    seed: int, copy: Copy, measured: Measured, unkilled: Unkilled
) -> None:
    """The first kill is early, before there is a run or a first batch; each further session gets further."""
    rng = random.Random(seed)
    for limit in (BEGIN_STATEMENTS, measured.statements // 2):
        ended = copy.run(statement=rng.randint(1, limit))
        assert ended.code == KILLED, ended.text
    ended = copy.run(statement=rng.randint(1, measured.statements))  # there may be fewer left
    compare(copy, ended if ended.code != KILLED else copy.run(), unkilled)


@pytest.mark.soak
@pytest.mark.parametrize("place", range(BEGIN_STATEMENTS + LATER))
def test_killed_before_each_statement_then_equal(
    place: int, copy: Copy, measured: Measured, unkilled: Unkilled, record_property: Record
) -> None:
    """Each of the first statements, and others spread evenly over the rest."""
    number = place + 1
    if place >= BEGIN_STATEMENTS:
        number = BEGIN_STATEMENTS + spread(place - BEGIN_STATEMENTS, LATER, measured.statements - BEGIN_STATEMENTS)
    record_property("statement", number)
    record_property("statements", measured.statements)
    ended = copy.run("--workers", "1", statement=number)
    record_property("killed_after", ended.last)
    assert ended.code == KILLED, ended.text
    finish_and_compare(copy, unkilled)


def kill_at_random(seed: int, make_copy: Callable[[], Copy], unkilled: Unkilled, record_property: Record) -> None:
    """Kill up to three sessions in a row and compare; all over again until at least one kill came before the end."""
    rng = random.Random(seed)
    latest = unkilled.ended.seconds
    kills: list[dict[str, object]] = []
    for _ in range(20):
        copy, sessions = make_copy(), list[Ended]()
        for _ in range(rng.randint(1, 3)):
            seconds = round(rng.uniform(0.02, latest), 3)
            ended = copy.run("--workers", str(rng.randint(1, 3)), after=seconds)
            sessions.append(ended)
            if ended.code != KILLED:
                latest = seconds if not kills else latest  # later instants come too late
                break
            kills.append({"seconds": seconds, "stage": ended.last})
        if sessions[-1].code == KILLED:  # maybe between its last words and its end
            sessions.append(copy.run())
        compare(copy, sessions[-1], unkilled, earlier=sessions[:-1])
        if kills:
            break
    record_property("kills", json.dumps(kills))
    assert kills, "no session lived long enough to be killed"


@pytest.mark.parametrize("seed", [0, 1, pytest.param(2, marks=pytest.mark.soak)])
def test_killed_at_random_instants_then_equal(
    seed: int, make_copy: Callable[[], Copy], unkilled: Unkilled, record_property: Record
) -> None:
    kill_at_random(seed, make_copy, unkilled, record_property)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 130))
def test_killed_at_thirty_random_instants_then_equal(
    seed: int, make_copy: Callable[[], Copy], unkilled: Unkilled, record_property: Record
) -> None:
    kill_at_random(seed, make_copy, unkilled, record_property)
