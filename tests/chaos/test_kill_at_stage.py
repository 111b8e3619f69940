"""SIGKILL at every named instant of a copy; after going on, the target equals that of an unkilled copy.

Every stage is hit at least twice: in one session after another on the same target where the second session comes by
again, else on another target with another number of workers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.chaos.sessions import Copy, Ended
from tests.chaos.stage_names import documented
from tests.fix_copies import FINISHED, Unkilled, assert_equal

KILLED = -9
FRESH = [stage for stage in documented() if stage.startswith("fresh.")]
OTHERS = [stage for stage in documented() if stage not in FRESH]


def finish_and_compare(copy: Copy, unkilled: Unkilled) -> None:
    compare(copy, copy.run(), unkilled)


def compare(copy: Copy, ended: Ended, unkilled: Unkilled) -> None:
    """Assert that a session ended the run, or found it complete, and left what an unkilled copy leaves."""
    assert ended.code == FINISHED or "is complete and the source is unchanged" in ended.words, ended.text
    assert_equal(copy.target, unkilled)


def test_undisturbed_copy_reaches_exactly_the_stages_of_the_page(unkilled: Unkilled) -> None:
    assert set(unkilled.ended.stages) == set(OTHERS)


@pytest.mark.parametrize("stage", OTHERS)
def test_killed_at_stage_twice_then_equal(
    stage: str, make_copy: Callable[[], Copy], unkilled: Unkilled, record_property: Callable[[str, Any], None]
) -> None:
    often = unkilled.ended.stages[stage]
    hits: list[int] = []
    copy = make_copy()
    first = 1 + often // 3
    ended = copy.run(kill=[stage, first])
    assert ended.code == KILLED, ended.text
    hits.append(first)
    ended = copy.run(kill=[stage, 2 if often > 1 else 1])
    if ended.code == KILLED:
        hits.append(ended.stages[stage])
        finish_and_compare(copy, unkilled)
    else:
        compare(copy, ended, unkilled)
        copy = make_copy()
        last = max(1, often - 1)
        assert copy.run("--workers", "1", kill=[stage, last]).code == KILLED
        hits.append(last)
        finish_and_compare(copy, unkilled)
    record_property("stage", stage)
    record_property("hits", hits)
    assert len(hits) >= 2


@pytest.mark.parametrize("stage", FRESH)
def test_killed_while_starting_over_then_equal(
    stage: str, make_copy: Callable[[], Copy], unkilled: Unkilled, record_property: Callable[[str, Any], None]
) -> None:
    copy = make_copy()
    assert copy.run(kill=["copy.before-commit", 5]).code == KILLED
    assert copy.run("--fresh", kill=[stage, 1]).code == KILLED
    finish_and_compare(copy, unkilled)
    copy = make_copy()
    assert copy.run().code == FINISHED
    assert copy.run("--fresh", kill=[stage, 1]).code == KILLED
    ended = copy.run("--fresh")
    assert ended.code == FINISHED, ended.text
    assert_equal(copy.target, unkilled)
    record_property("stage", stage)
    record_property("hits", [1, 1])


@pytest.mark.soak
@pytest.mark.parametrize("stage", OTHERS)
def test_killed_at_every_occurrence_of_a_stage_then_equal(
    stage: str, make_copy: Callable[[], Copy], unkilled: Unkilled, record_property: Callable[[str, Any], None]
) -> None:
    often = unkilled.ended.stages[stage]
    for number in range(1, often + 1):
        copy = make_copy()
        assert copy.run(kill=[stage, number]).code == KILLED
        finish_and_compare(copy, unkilled)
    record_property("stage", stage)
    record_property("hits", often)
