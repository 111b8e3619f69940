"""SIGKILL at every named instant of a retry of dead letters; after going on, the target equals that of an unkilled one.

Oracle: a retry that nothing disturbed, on a copy of the same database. Cannot see: what is wrong in that one as well;
tests/integration/copy/test_retry_letters.py looks there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.chaos.retries import Retry, clone
from tests.chaos.sessions import Ended
from tests.chaos.snapshot import Snapshot, differences, snapshot
from tests.chaos.stage_names import documented
from tests.fix_copies import FINISHED, SCHEMA, World
from tests.fix_postgres import create_database, drop_database
from tests.generators.troubled import MAPPING

pytestmark = pytest.mark.slow  # every test runs whole sessions of the command

KILLED = -9
STAGES = [stage for stage in documented() if stage.startswith("retry.")]
CORRECTED = (
    MAPPING.replace("age: smallint", "age: {type: smallint, coerce: true}")
    .replace(
        "email: {type: text, unique: true}", "email: {type: text, unique: true, policies: {nul: remove, utf8: replace}}"
    )
    .replace(
        "state: {type: project_state, default: OPEN}",
        "state: {type: project_state, default: OPEN, values: {NONE: OPEN}}",
    )
    .replace(
        "      title: text!\n      note", "      title: {type: text, required: true, default: untitled}\n      note"
    )
)


@dataclass(frozen=True)
class Copied:
    """A copy that is complete, with letters, and what an undisturbed retry of them comes to."""

    target: str
    mapping: Path
    ended: Ended
    left: Snapshot


def retry_of(world: World, mapping: Path, target: str, folder: Path) -> Retry:
    return Retry(mapping, world.dump, target, world.key, folder, plan={"letters": 40})


@pytest.fixture(scope="session")
def copied(world: World, postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copied]:
    """Return a complete copy of the troubled database; its target is cloned, never written to."""
    folder = tmp_path_factory.mktemp("copied")
    target = create_database(postgres)
    try:
        first = world.copy(target, folder).run()
        assert first.code == FINISHED, first.text
        mapping = folder / "corrected.yaml"
        mapping.write_text(CORRECTED, encoding="utf-8")
        other = clone(postgres, target)
        ended = retry_of(world, mapping, other, tmp_path_factory.mktemp("retried")).run()
        assert ended.code == FINISHED, ended.text
        left = snapshot(other, SCHEMA)
        drop_database(postgres, other)
        yield Copied(target, mapping, ended, left)
    finally:
        drop_database(postgres, target)


@pytest.fixture
def make_retry(world: World, copied: Copied, postgres: str, tmp_path: Path) -> Iterator[Callable[[], Retry]]:
    """Return a function that makes a retry of letters of a fresh clone, dropped after the test."""
    made: list[str] = []

    def make() -> Retry:
        made.append(clone(postgres, copied.target))
        folder = tmp_path / str(len(made))
        folder.mkdir()
        return retry_of(world, copied.mapping, made[-1], folder)

    yield make
    for target in made:
        drop_database(postgres, target)


def finish(retry: Retry, copied: Copied) -> None:
    """Let a retry go on to its end; assert that it leaves and says what an undisturbed one does."""
    ended = retry.run()
    assert ended.code == FINISHED, ended.text
    difference = differences(snapshot(retry.target, SCHEMA), copied.left)
    assert not difference, difference


def test_undisturbed_retry_reaches_exactly_the_stages_of_the_page(copied: Copied) -> None:
    assert set(copied.ended.stages) == set(STAGES)
    assert copied.ended.stages["retry.before-commit"] > 5
    assert "set again" in copied.ended.text


@pytest.mark.parametrize("number", [1, pytest.param(2, marks=pytest.mark.soak)])
def test_retry_killed_at_every_stage_in_turn_then_equal(
    number: int, make_retry: Callable[[], Retry], copied: Copied
) -> None:
    """One session after another on the same target, each killed one stage later than the one before."""
    retry = make_retry()
    for stage in STAGES:
        often = copied.ended.stages[stage]
        # what is restored behind a kill is not restored again
        at = 1 if stage == "retry.restore-after-commit" else min(number, often)
        ended = retry.run(kill=[stage, at])
        assert ended.code == KILLED, (stage, ended.text)
    finish(retry, copied)


@pytest.mark.soak
@pytest.mark.parametrize("stage", STAGES)
def test_retry_killed_at_stage_twice_then_equal(stage: str, make_retry: Callable[[], Retry], copied: Copied) -> None:
    often = copied.ended.stages[stage]
    for number in range(1, often + 1):
        retry = make_retry()
        ended = retry.run(kill=[stage, number])
        assert ended.code == KILLED, ended.text
        ended = retry.run(kill=[stage, 1])
        assert ended.code in {KILLED, FINISHED}, ended.text
        finish(retry, copied)


@pytest.mark.soak
@pytest.mark.parametrize("part", range(8))
def test_retry_killed_before_any_statement_then_equal(
    part: int, make_retry: Callable[[], Retry], copied: Copied
) -> None:
    number = 5 + part
    while True:
        retry = make_retry()
        ended = retry.run(statement=number)
        if ended.code == FINISHED:
            return
        assert ended.code == KILLED, ended.text
        finish(retry, copied)
        number += 8 * 7
