"""A copy that joins documents by identities, ended at every stage of that, goes on and leaves what it would have left.

Oracle: the same copy undisturbed, of which rows, ledgers, books and catalog are equal.
"""

from __future__ import annotations

from contextlib import suppress

import pytest

from isthmus.transfer.joining import merging
from tests.chaos.snapshot import differences, snapshot
from tests.generators.things import TABLES, People, mapping
from tests.integration.copy.carrying import World, balanced, listening
from tests.integration.copy.test_duplicates import Ended, end_at
from tests.integration.copy.things import carry, id_of, things_of

STAGES = [
    f"finish.{name}-{instant}-commit"
    for name in ("groups", "moves", "merge", "joined", "duplicates")
    for instant in ("before", "after")
    if (name, instant) != ("merge", "after")
]


@pytest.mark.parametrize(
    "stage",
    [
        "finish.merge-after-commit",
        *(pytest.param(stage, marks=pytest.mark.slow) for stage in STAGES),
        pytest.param("finish.before-hidden-columns", marks=pytest.mark.slow),
    ],
)
def test_ended_while_things_are_joined_then_equal(stage: str, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    people = People(6, id_of)
    world.write(people.collections)
    things = things_of(*people.groups, none=people.none, dropped=people.dropped)
    balanced(carry(world, mapping(), things))
    expected = snapshot(world.conninfo, "public")
    assert any(expected["ledger: conflict"])
    monkeypatch.setattr(merging, "_STEP_DOCUMENTS", 2)
    seen: list[str] = []
    with listening(seen.append):
        balanced(carry(world, mapping(), things, fresh=True))
    assert not (difference := differences(snapshot(world.conninfo, "public"), expected)), difference
    often = seen.count(stage)
    assert often
    for number in sorted({1, 1 + often // 2, often} & set(range(1, often + 1))):
        with listening(end_at(stage, number)), pytest.raises(Ended):
            carry(world, mapping(), things, fresh=True)
        with listening(end_at(stage, 2)), suppress(Ended):  # fewer than two may be left
            carry(world, mapping(), things)
        balanced(carry(world, mapping(), things))
        assert not (difference := differences(snapshot(world.conninfo, "public"), expected)), (
            f"{stage} {number}: {difference}"
        )


@pytest.mark.parametrize(
    "stage", ["deliver.before-commit", pytest.param("finish.merge-after-commit", marks=pytest.mark.slow)]
)
def test_ended_in_tables_that_exist_then_equal(stage: str, world: World) -> None:
    people = People(3, id_of)
    world.write(people.collections)
    things = things_of(*people.groups, none=people.none, dropped=people.dropped)
    world.rows(TABLES)
    balanced(carry(world, mapping(existing=True), things))
    names = ("people", "tags", "parts", "profiles", "members")
    expected = {name: sorted(map(str, world.rows(f"SELECT * FROM {name}"))) for name in names}
    for number in (1, 2):
        world.rows("DROP SCHEMA isthmus CASCADE; DROP SCHEMA IF EXISTS isthmus_stage CASCADE")
        world.rows("TRUNCATE people, groups CASCADE; TRUNCATE profiles CASCADE")
        with listening(end_at(stage, number)), suppress(Ended):
            carry(world, mapping(existing=True), things)
        balanced(carry(world, mapping(existing=True), things))
        assert {name: sorted(map(str, world.rows(f"SELECT * FROM {name}"))) for name in names} == expected
