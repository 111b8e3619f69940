"""Phases that are killed at instants of all their stages and run again: in the end rows, ledgers and catalog equal
those of unkilled ones.

Oracle: the same phases, that nothing disturbed. Cannot see: a fault that both have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from apps.panamia.generate import main as generate
from apps.panamia.moving.phases import PHASES, Phase
from tests.apps.panamia.conftest import MAPPING, isthmus
from tests.apps.twins import twin_of
from tests.chaos.sessions import Copy, Ended
from tests.chaos.snapshot import Snapshot, differences, snapshot
from tests.fix_postgres import create_database, drop_database

KILLED = -9
KEY = "c0de" * 16
PEOPLE = 200
PLAN = {"batch_bytes": 16_384, "small_bytes": 60_000, "worth_rows": 100}
"""Batches are small, and indexes and keys are set aside as for many rows, so that every stage is there."""
BEHIND = "complete.after-commit"
"""Who comes after this instant begins a second run."""
COPIES = [phase for phase in PHASES if phase.kind == "copy"]


@dataclass(frozen=True)
class Unkilled:
    """A phase that nothing disturbed.

    Attributes:
        before: Conninfo of a database as the phases before it left it.
        ended: How it ended.
        left: What stood in the target then.
    """

    before: str
    ended: Ended
    left: Snapshot


@dataclass(frozen=True)
class Small:
    """A generated database."""

    dump: Path
    answers: Path
    key: Path

    def copy(self, phase: Phase, target: str, folder: Path) -> Copy:
        """The copy of a phase into a target; its logs go into a folder of their own."""
        logs = folder / f"{phase.number} {len(list(folder.iterdir()))}"
        logs.mkdir()
        copy = Copy(MAPPING, self.dump, target, self.key, logs, PLAN)
        only = [part for entry in phase.entries for part in ("--only", entry)]
        copy.options = (*copy.options, *only, "--resolutions", str(self.answers))
        return copy


@pytest.fixture(scope="module")
def make_twin(postgres: str) -> Iterator[Callable[[str], str]]:
    """Return a function that makes a database which is like another."""
    made: list[str] = []

    def make(database: str) -> str:
        made.append(twin_of(postgres, database))
        return made[-1]

    yield make
    for database in made:
        drop_database(postgres, database)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Small:
    """A database of few people."""
    folder = tmp_path_factory.mktemp("small")
    assert generate([str(folder / "dump"), "--people", str(PEOPLE)]) == 0
    (folder / "id.key").write_text(KEY, encoding="ascii")
    return Small(folder / "dump", folder / "dump.resolutions.yaml", folder / "id.key")


@pytest.fixture(scope="module")
def unkilled(
    small: Small, postgres: str, make_twin: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[Phase], Unkilled]]:
    """Return a function that says what a phase comes to; those before it are run once, in their order."""
    target = create_database(postgres)
    deployed = isthmus("schema", "deploy", database=target)
    assert deployed.code == 0, deployed.said
    folder = tmp_path_factory.mktemp("unkilled")
    known: dict[int, Unkilled] = {}

    def find(phase: Phase) -> Unkilled:
        for one in COPIES:
            if one.number <= phase.number and one.number not in known:
                before = make_twin(target)
                ended = small.copy(one, target, folder).run()
                assert ended.code == 1, ended.text  # of the planted dead letters
                known[one.number] = Unkilled(before, ended, left_in(target))
        return known[phase.number]

    yield find
    drop_database(postgres, target)


def one_of_each_area(stages: list[str]) -> list[str]:
    """Of each part of a copy the stage in its middle, in the order in which they are reached."""
    areas = dict.fromkeys(stage.partition(".")[0] for stage in stages)
    parts = ([stage for stage in stages if stage.startswith(f"{area}.")] for area in areas)
    return sorted((part[len(part) // 2] for part in parts), key=stages.index)


def twenty(stages: list[str]) -> list[str]:
    """Stages at even distances, from the first to the last."""
    return [stages[number * (len(stages) - 1) // 19] for number in range(20)]


CASES = [
    *[(one_of_each_area, phase) for phase in COPIES if phase.name in {"identity", "profiles"}],
    *[pytest.param(twenty, phase, marks=pytest.mark.soak) for phase in COPIES],
]


@pytest.mark.parametrize(
    ("choose", "phase"), CASES, ids=lambda part: part.name if isinstance(part, Phase) else part.__name__
)
def test_a_phase_that_is_killed_at_instants_of_all_stages_comes_to_the_same(
    choose: Callable[[list[str]], list[str]],
    phase: Phase,
    small: Small,
    unkilled: Callable[[Phase], Unkilled],
    make_twin: Callable[[str], str],
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    wanted = unkilled(phase)
    # As they were reached for the first time, so that each session comes further.
    chosen = choose([stage for stage in wanted.ended.stages if stage != BEHIND])
    record_property("killed_at", chosen)
    copy = small.copy(phase, make_twin(wanted.before), tmp_path)
    for stage in chosen:
        ended = copy.run(kill=[stage, 1])
        if ended.code != KILLED:  # the sessions before had passed this stage; a copy of its own comes by
            assert_equal(copy, ended, wanted)
            copy = small.copy(phase, make_twin(wanted.before), tmp_path)
            ended = copy.run(kill=[stage, 1])
        assert ended.code == KILLED, (stage, ended.text)
    assert_equal(copy, copy.run(), wanted)


def left_in(target: str) -> Snapshot:
    """Everything in a target, but the ids that the server draws for entries of lists."""
    found = snapshot(target, "public")
    entries = found["rows: user_list_members"]
    found["rows: user_list_members"] = sorted("(<drawn>," + row.partition(",")[2] for row in entries)
    return found


def assert_equal(copy: Copy, ended: Ended, wanted: Unkilled) -> None:
    assert ended.code in {0, 1}, ended.text  # 0: the session that was killed last had told the dead letters
    difference = differences(left_in(copy.target), wanted.left)
    assert not difference, difference
