"""A COMMIT whose client is gone and that the server gets late, or never: the step begins again only when that is over.

Oracle: the database of an undisturbed copy. The load has its own tests of this in test_connection_cut.py; there the
checkpoint tells what arrived, in finish only the end of the lost session does.
"""

from __future__ import annotations

import time

import pytest

from tests.chaos.compare import compare
from tests.chaos.proxy import Proxy
from tests.chaos.sessions import Copy, Ended
from tests.chaos.test_connection_cut import copy_through
from tests.fix_copies import Unkilled

STAGES = [
    ("finish.primary-key-before-commit", 2),
    ("finish.duplicates-before-commit", 1),
    ("finish.unique-index-before-commit", 2),
    ("finish.orphans-before-commit", 5),
    ("finish.junctions-before-commit", 1),
    ("finish.left-out-index-before-commit", 1),
    ("finish.foreign-key-before-commit", 3),
]
OTHERS = [
    ("begin.before-commit", 1),
    ("copy.partition-before-commit", 2),
    ("copy.complete-before-commit", 1),
    ("finish.duplicates-before-commit", 4),
    ("finish.long-keys-before-commit", 1),
    ("finish.index-before-commit", 2),
    ("finish.validation-before-commit", 3),
    ("complete.before-commit", 1),
]
NEVER = [STAGES[1], *(pytest.param(*STAGES[number], marks=pytest.mark.soak) for number in (0, 3))]
EVERY = [*STAGES, *(pytest.param(*other, marks=pytest.mark.soak) for other in OTHERS)]


def copy_with_late_commit(copy: Copy, stage: str, number: int, let_go_after: float | None) -> Ended:
    """Withhold the COMMIT after an instant; let it through after some seconds, or never; wait for the copy to end."""
    with (
        Proxy(copy.target) as proxy,
        copy_through(proxy, copy).begin("--workers", "1", pause=(stage, number)) as session,
    ):
        session.wait_until_paused()
        proxy.cut_next("late-commit")
        session.go_on()
        if let_go_after is not None:
            time.sleep(let_go_after)
            assert session.process.poll() is None, session.process.communicate()[0]
            proxy.let_go()
        ended = session.ended()
        assert proxy.cuts == 1
    return ended


@pytest.mark.parametrize(("stage", "number"), EVERY)
def test_commit_of_a_step_that_goes_through_late(stage: str, number: int, copy: Copy, unkilled: Unkilled) -> None:
    compare(copy, copy_with_late_commit(copy, stage, number, let_go_after=1.2), unkilled)


@pytest.mark.parametrize(("stage", "number"), NEVER)
def test_commit_of_a_step_that_never_goes_through_while_the_server_waits_for_its_client(
    stage: str, number: int, copy: Copy, unkilled: Unkilled
) -> None:
    compare(copy, copy_with_late_commit(copy, stage, number, let_go_after=None), unkilled)
