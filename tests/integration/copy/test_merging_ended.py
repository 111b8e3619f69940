"""A copy that joins documents, ended at every stage of that, goes on and leaves what an undisturbed one leaves.

Oracle: the same copy undisturbed, of which rows, ledgers, books and catalog are equal; and for its rows the reference.
An end is an exception out of the stage: what is committed stays, what is not is undone.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from isthmus.transfer.joining import merging
from tests.chaos.snapshot import differences, snapshot
from tests.generators.joined import Joined, mapping
from tests.integration.copy.carrying import World, balanced, listening
from tests.integration.copy.test_duplicates import KEY, Ended, end_at
from tests.oracle.copying import compared

UNIQUES = ("{columns: [first, last], unique: true}", "{columns: [boss_id, state], unique: true}")
STAGES = [
    f"finish.{name}-{instant}-commit"
    for name in ("groups", "moves", "merge", "joined")
    for instant in ("before", "after")
]


@pytest.mark.parametrize("stage", STAGES)
def test_ended_while_documents_are_joined_then_equal(
    stage: str, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = mapping(uniques=UNIQUES, shared=True)
    world.write(Joined(11, ways="any", shared=True).documents())
    balanced(world.copy(text, id_key=KEY))
    expected = snapshot(world.conninfo, "public")
    (tmp_path / "mapping.yaml").write_text(text, encoding="utf-8")
    assert any(expected["ledger: conflict"])
    found = compared(tmp_path / "mapping.yaml", world.folder, world.conninfo)
    assert not found.differences
    assert found.totals.merged.total() > 8
    monkeypatch.setattr(merging, "_STEP_DOCUMENTS", 2)
    seen: list[str] = []
    with listening(seen.append):
        balanced(world.copy(text, id_key=KEY, fresh=True))
    assert not (difference := differences(snapshot(world.conninfo, "public"), expected)), difference
    often = seen.count(stage)
    assert often
    for number in sorted({1, 2, 1 + often // 2, often} & set(range(1, often + 1))):
        with listening(end_at(stage, number)), pytest.raises(Ended):
            world.copy(text, id_key=KEY, fresh=True)
        with listening(end_at(stage, 2)), suppress(Ended):  # fewer than two may be left
            world.copy(text, id_key=KEY)
        balanced(world.copy(text, id_key=KEY))
        assert not (difference := differences(snapshot(world.conninfo, "public"), expected)), (
            f"{stage} {number}: {difference}"
        )
        assert not world.one("SELECT to_regclass('isthmus.joining') IS NOT NULL")


def test_a_copy_that_starts_over_forgets_a_decision(world: World) -> None:
    text = mapping(uniques=UNIQUES, shared=True)
    world.write(Joined(11, ways="any", shared=True).documents())
    with listening(end_at("finish.groups-after-commit", 1)), pytest.raises(Ended):
        world.copy(text, id_key=KEY)
    world.write(Joined(12, ways="any", shared=True).documents())
    balanced(world.copy(text, id_key=KEY, fresh=True))
