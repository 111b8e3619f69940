"""Kills spread over all stages of a copy into deployed tables: in the end rows, ledgers and catalog equal those of an
unkilled one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from apps.generating.sinks import DumpFolder
from apps.nextcrm.generator.build import generate, profile_of
from tests.apps.nextcrm.conftest import MAPPING
from tests.chaos.sessions import Copy, Ended
from tests.chaos.snapshot import Snapshot, differences, snapshot

KILLED = -9
KEY = "c0de" * 16
PLAN = {"batch_bytes": 16_384, "small_bytes": 60_000, "worth_rows": 100}
"""Batches are small, and indexes and keys are set aside as for many rows, so that every stage is there."""


@dataclass(frozen=True)
class Unkilled:
    """A database, and what a copy of it that nothing disturbs comes to."""

    dump: Path
    key: Path
    ended: Ended
    left: Snapshot


@pytest.fixture(scope="module")
def unkilled(make_deployed: Callable[[], str], tmp_path_factory: pytest.TempPathFactory) -> Unkilled:
    """A small busy database, copied once."""
    folder = tmp_path_factory.mktemp("killed")
    generate(profile_of("busy", 1_200), 5, DumpFolder(folder / "nextcrm"))
    (folder / "id.key").write_text(KEY, encoding="ascii")
    target = make_deployed()
    ended = Copy(MAPPING, folder / "nextcrm", target, folder / "id.key", folder, PLAN).run()
    assert ended.code == 1, ended.text
    assert ended.stages["saved.restored-after-commit"] > 100
    return Unkilled(folder / "nextcrm", folder / "id.key", ended, snapshot(target, "public"))


AREAS = ("begin", "copy", "finish", "saved", "deliver", "complete")


def one_of_each_area(stages: list[str]) -> list[str]:
    """Of each part of a copy the stage in its middle."""
    parts = ([stage for stage in stages if stage.startswith(f"{area}.")] for area in AREAS)
    return sorted((part[len(part) // 2] for part in parts), key=stages.index)


def twenty(stages: list[str]) -> list[str]:
    """Stages at even distances, from the first to the last."""
    return [stages[number * (len(stages) - 1) // 19] for number in range(20)]


@pytest.mark.parametrize("choose", [one_of_each_area, pytest.param(twenty, marks=pytest.mark.soak)])
def test_killed_at_instants_of_all_stages_then_equal(
    choose: Callable[[list[str]], list[str]],
    unkilled: Unkilled,
    make_deployed: Callable[[], str],
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    # As they were reached for the first time, so that each session comes further.
    chosen = choose(list(unkilled.ended.stages))
    record_property("killed_at", chosen)
    assert {stage.partition(".")[0] for stage in chosen} == set(AREAS)
    copy = fresh(unkilled, make_deployed(), tmp_path)
    for stage in chosen:
        ended = copy.run(kill=[stage, 1])
        if ended.code != KILLED:  # the sessions before had passed this stage; a copy of its own comes by
            assert_equal(copy, ended, unkilled)
            copy = fresh(unkilled, make_deployed(), tmp_path)
            ended = copy.run(kill=[stage, 1])
        assert ended.code == KILLED, (stage, ended.text)
    assert_equal(copy, copy.run(), unkilled)


def fresh(unkilled: Unkilled, target: str, folder: Path) -> Copy:
    logs = folder / str(len(list(folder.iterdir())))
    logs.mkdir()
    return Copy(MAPPING, unkilled.dump, target, unkilled.key, logs, PLAN)


def assert_equal(copy: Copy, ended: Ended, unkilled: Unkilled) -> None:
    assert ended.code in {0, 1}, ended.text  # 0: the session that was killed last had told the dead letters
    difference = differences(snapshot(copy.target, "public"), unkilled.left)
    assert not difference, difference
