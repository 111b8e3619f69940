"""A switch that is killed at each of its steps: run again it goes on, and the new store holds what the old one did.

Oracle: the documents that a test wrote, read past all stores. Cannot see: a death of MongoDB that loses what it had
acknowledged, which majority write concern is there against.
"""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

from tests.integration.switch.world import TABLE, World

STAGES = (
    *("switch.begun", "switch.announced", "switch.frozen", "switch.drained", "switch.fenced", "switch.copied"),
    *("switch.verified", "switch.flip-before-commit", "switch.flip-after-commit"),
)
WITH = ("--table", TABLE)


def people(number: int) -> dict[str, Any]:
    """Return documents by id."""
    return {f"p{one:03}": {"name": f"person {one}", "nick": f"n{one}", "tags": [one]} for one in range(number)}


def fill(world: World, number: int) -> dict[str, Any]:
    """Put documents into MongoDB."""
    found = people(number)
    world.people.insert_many([{"_id": name, **one} for name, one in found.items()])
    return found


def in_table(world: World) -> dict[str, Any]:
    return {name: {key: one[key] for key in one if key != "_id"} for name, one in world.rows().items()}


def in_mongo(world: World) -> dict[str, Any]:
    return {one.pop("_id"): one for one in world.people.find({}, {"_isthmus": 0})}


QUICK = (
    "switch.copy-after-commit",
    "switch.frozen",
    "switch.copied",
    "switch.flip-before-commit",
    "switch.flip-after-commit",
)
"""Those that every run of the tests has."""


@pytest.mark.parametrize(
    "stage",
    [
        stage if stage in QUICK else pytest.param(stage, marks=pytest.mark.soak)
        for stage in (*STAGES, "switch.copy-before-commit", "switch.copy-after-commit")
    ],
)
def test_run_killed_at_a_stage_goes_on(world: World, tmp_path: Path, stage: str) -> None:
    wanted = fill(world, 30)
    runs = world.runs(tmp_path)
    killed = runs.run("run", *WITH, kill=[stage, 1])
    assert killed.code == -signal.SIGKILL, killed.text
    flipped = stage == "switch.flip-after-commit"
    assert world.do("SELECT home FROM isthmus.switch") == [("postgres" if flipped else "mongodb",)]
    if stage in {"switch.begun", "switch.copy-before-commit", "switch.copy-after-commit"}:  # nobody was turned away yet
        world.people.insert_one({"_id": "more"})
        wanted["more"] = {}
    again = runs.run("run", *WITH)
    assert again.code == 0, again.text
    assert ("Going on" in again.text) == (not flipped)
    assert in_table(world) == wanted
    assert world.do("SELECT home, frozen_at IS NULL, generation FROM isthmus.switch") == [("postgres", True, 1)]
    assert [row[0] for row in world.do("SELECT step FROM isthmus.switch_move")] == ["flipped"]


@pytest.mark.parametrize(
    "stage",
    [
        stage if stage == "switch.written" else pytest.param(stage, marks=pytest.mark.soak)
        for stage in (*STAGES, "switch.written")
    ],
)
def test_back_killed_at_a_stage_goes_on(world: World, tmp_path: Path, stage: str) -> None:
    wanted = fill(world, 1_200)
    runs = world.runs(tmp_path)
    assert runs.run("run", *WITH).code == 0
    quoted = TABLE.replace('"', '""')
    world.do(
        f'UPDATE "{quoted}" SET document = document || \'{{"name": "new"}}\', revision = gen_random_uuid()'
        " WHERE id LIKE '%5'"
    )
    world.do(f"DELETE FROM \"{quoted}\" WHERE id LIKE '%7'")
    wanted = {
        name: {**one, "name": "new"} if name.endswith("5") else one
        for name, one in wanted.items()
        if not name.endswith("7")
    }
    killed = runs.run("back", *WITH, kill=[stage, 2 if stage == "switch.written" else 1])
    assert killed.code == -signal.SIGKILL, killed.text
    again = runs.run("back", *WITH)
    assert again.code == 0, again.text
    assert in_mongo(world) == wanted
    assert world.do("SELECT home, frozen_at IS NULL, generation FROM isthmus.switch") == [("mongodb", True, 2)]


def test_killed_cancelled_written_and_run_again(world: World, tmp_path: Path) -> None:
    wanted = fill(world, 5)
    runs = world.runs(tmp_path)
    for stage in ("switch.copy-after-commit", "switch.announced", "switch.verified"):
        assert runs.run("run", *WITH, kill=[stage, 1]).code == -signal.SIGKILL
        assert runs.run("cancel").code == 0
        world.people.insert_one({"_id": stage, "n": 1})
        wanted[stage] = {"n": 1}
    assert runs.run("run", *WITH).code == 0
    assert in_table(world) == wanted
    steps = [row[0] for row in world.do("SELECT step FROM isthmus.switch_move ORDER BY id")]
    assert steps == ["cancelled", "cancelled", "cancelled", "flipped"]
