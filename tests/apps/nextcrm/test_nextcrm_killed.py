"""Kills spread over all stages of a copy: in the end rows, ledgers and catalog equal those of an unkilled one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from apps.nextcrm.generator.build import generate, profile_of
from apps.nextcrm.generator.sinks import DumpFolder
from tests.apps.nextcrm.conftest import MAPPING
from tests.chaos.sessions import Copy, Ended
from tests.chaos.snapshot import Snapshot, differences, snapshot
from tests.fix_postgres import create_database, drop_database

KILLED = -9
KEY = "c0de" * 16


@dataclass(frozen=True)
class Unkilled:
    """A database, and what a copy of it that nothing disturbs comes to."""

    dump: Path
    key: Path
    ended: Ended
    left: Snapshot


@pytest.fixture(scope="module")
def unkilled(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Unkilled]:
    """A small busy database, copied once."""
    folder = tmp_path_factory.mktemp("killed")
    generate(profile_of("busy", 1_200), 5, DumpFolder(folder / "nextcrm"))
    (folder / "id.key").write_text(KEY, encoding="ascii")
    target = create_database(postgres)
    ended = Copy(MAPPING, folder / "nextcrm", target, folder / "id.key", folder).run()
    assert ended.code == 1, ended.text
    yield Unkilled(folder / "nextcrm", folder / "id.key", ended, snapshot(target, "public"))
    drop_database(postgres, target)


@pytest.mark.parametrize("instants", [5, pytest.param(20, marks=pytest.mark.soak)])
def test_killed_at_instants_of_all_stages_then_equal(
    instants: int, unkilled: Unkilled, make_database: Callable[[], str], tmp_path: Path
) -> None:
    stages = list(unkilled.ended.stages)  # as they were reached for the first time, so that each session comes further
    chosen = [stages[number * (len(stages) - 1) // (instants - 1)] for number in range(instants)]
    copy = fresh(unkilled, make_database(), tmp_path)
    for stage in chosen:
        ended = copy.run(kill=[stage, 1])
        if ended.code != KILLED:  # the sessions before had passed this stage; a copy of its own comes by
            assert_equal(copy, ended, unkilled)
            copy = fresh(unkilled, make_database(), tmp_path)
            ended = copy.run(kill=[stage, 1])
        assert ended.code == KILLED, (stage, ended.text)
    assert_equal(copy, copy.run(), unkilled)


def fresh(unkilled: Unkilled, target: str, folder: Path) -> Copy:
    logs = folder / str(len(list(folder.iterdir())))
    logs.mkdir()
    return Copy(MAPPING, unkilled.dump, target, unkilled.key, logs)


def assert_equal(copy: Copy, ended: Ended, unkilled: Unkilled) -> None:
    assert ended.code in {0, 1}, ended.text  # 0: the session that was killed last had told the dead letters
    difference = differences(snapshot(copy.target, "public"), unkilled.left)
    assert not difference, difference
