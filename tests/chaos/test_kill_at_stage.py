"""SIGKILL at every named instant of a copy; after going on, the target equals that of an unkilled copy.

Every stage is hit once, several on one target, one session after another. In the soak tests every stage is hit at least
twice: where the session after the kill comes by again, there; else on another target with another number of workers.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.chaos.compare import compare, finish_and_compare
from tests.chaos.sessions import Copy
from tests.chaos.stage_names import documented
from tests.fix_copies import Unkilled

KILLED = -9
FRESH = [stage for stage in documented() if stage.startswith("fresh.")]
OF_OTHER_COMMANDS = ("fresh.", "retry.", "deliver.", "saved.", "rewrite.", "identities.", "undo.", "outbox.", "switch.")
OTHERS = [stage for stage in documented() if not stage.startswith(OF_OTHER_COMMANDS)]
TURNS = 12

MakeCopy = Callable[[], Copy]
Record = Callable[[str, object], None]


def test_undisturbed_copy_reaches_exactly_the_stages_of_the_page(unkilled: Unkilled) -> None:
    assert set(unkilled.ended.stages) == set(OTHERS)


@pytest.mark.parametrize("turn", range(TURNS))
def test_killed_at_one_stage_after_another_then_equal(turn: int, make_copy: MakeCopy, unkilled: Unkilled) -> None:
    """Each session is killed at a later stage than the one before it; all turns together hit every stage."""
    copy = make_copy()
    *stages, last = OTHERS[turn::TURNS]
    for stage in stages:
        ended = copy.run(kill=[stage, 1])
        assert ended.code == KILLED, (stage, ended.text)
    ended = copy.run(kill=[last, 1 + (unkilled.ended.stages[last] - 1) // 3])
    assert ended.code == KILLED, (last, ended.text)
    finish_and_compare(copy, unkilled)


@pytest.mark.soak
@pytest.mark.parametrize("stage", OTHERS)
def test_killed_at_stage_twice_then_equal(stage: str, make_copy: MakeCopy, unkilled: Unkilled) -> None:
    often = unkilled.ended.stages[stage]
    copy = make_copy()
    ended = copy.run(kill=[stage, 1 + often // 3])
    assert ended.code == KILLED, ended.text
    ended = copy.run(kill=[stage, 2 if often > 1 else 1])
    if ended.code == KILLED:
        finish_and_compare(copy, unkilled)
    else:
        compare(copy, ended, unkilled)
        kill_on_another_target(stage, max(1, often - 1), make_copy(), unkilled)


def kill_on_another_target(stage: str, number: int, copy: Copy, unkilled: Unkilled) -> None:
    """Kill one worker instead of two."""
    ended = copy.run("--workers", "1", kill=[stage, number])
    assert ended.code == KILLED, ended.text
    finish_and_compare(copy, unkilled)


@pytest.mark.parametrize("stage", FRESH)
@pytest.mark.parametrize("earlier", [("copy.before-commit", 5), None], ids=["killed", "complete"])
def test_killed_while_starting_over_then_equal(
    stage: str, earlier: tuple[str, int] | None, make_copy: MakeCopy, unkilled: Unkilled
) -> None:
    """Going on without and with `--fresh`, each behind a killed and behind a complete run; soak tests combine all."""
    options = () if (stage == FRESH[0]) == (earlier is None) else ("--fresh",)
    kill_while_starting_over(stage, earlier, make_copy(), unkilled, *options)


def kill_while_starting_over(
    stage: str, earlier: tuple[str, int] | None, copy: Copy, unkilled: Unkilled, *options: str
) -> None:
    """Kill `--fresh` behind an earlier run that was itself killed, or complete; go on with these options."""
    first = copy.run(kill=list(earlier)) if earlier else copy.run()
    assert first.code == (KILLED if earlier else unkilled.ended.code), first.text
    ended = copy.run("--fresh", kill=[stage, 1])
    assert ended.code == KILLED, ended.text
    compare(copy, copy.run(*options), unkilled, earlier=() if options else [first])


@pytest.mark.soak
@pytest.mark.parametrize("stage", OTHERS)
def test_killed_at_every_occurrence_of_a_stage_then_equal(
    stage: str, make_copy: MakeCopy, unkilled: Unkilled, record_property: Record
) -> None:
    """At every occurrence, and where the next session comes by again, there too; at least twice in all."""
    hits: list[int] = []
    again: list[int] = []
    record_property("stage", stage)
    try:
        for number in range(1, unkilled.ended.stages[stage] + 1):
            copy = make_copy()
            ended = copy.run(kill=[stage, number])
            assert ended.code == KILLED, ended.text
            hits.append(number)
            ended = copy.run(kill=[stage, 1])
            if ended.code == KILLED:
                again.append(number)
                ended = copy.run()
            compare(copy, ended, unkilled)
        if len(hits) + len(again) < 2:
            kill_on_another_target(stage, 1, make_copy(), unkilled)
            hits.append(1)
        assert len(hits) + len(again) >= 2
    finally:
        record_property("times_hit", len(hits) + len(again))
        record_property("hits", hits)
        record_property("hit_again_after", again)


EARLIER = [("begin.after-commit", 1), ("copy.before-commit", 5), ("finish.orphans-before-commit", 3), None]


@pytest.mark.soak
@pytest.mark.parametrize("stage", FRESH)
def test_killed_while_starting_over_behind_any_run_then_equal(
    stage: str, make_copy: MakeCopy, unkilled: Unkilled, record_property: Record
) -> None:
    times = 0
    record_property("stage", stage)
    try:
        for earlier in EARLIER:
            for options in ((), ("--fresh",)):
                kill_while_starting_over(stage, earlier, make_copy(), unkilled, *options)
                times += 1
    finally:
        record_property("times_hit", times)
