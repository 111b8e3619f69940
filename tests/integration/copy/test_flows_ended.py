"""A copy of shared and split collections that is ended between any two transactions of finish, then goes on.

Oracle: the same copy undisturbed, of which rows, ledgers, books and catalog are equal; and for its rows the Python path
that shares no conversion with the core. That one is told who became a dead letter. An end is an exception out of the
stage: what is committed stays, what is not is undone. Killed processes are for the chaos tests.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.snapshot import Snapshot, differences
from tests.integration.copy.carrying import World, balanced, listening, oid
from tests.integration.copy.test_duplicates import KEY, Ended, cut_small, end_at, left_by
from tests.oracle.copying import compared

MAPPING = """
isthmus: 1
policies: {nul: remove}
collections:
  Pets:
    from: {Cats: {kind: cat}, Dogs: {kind: dog}, Birds: {kind: bird}}
    constants: {kind: text!}
    fields:
      name: text
      tag: {type: text, unique: true}
      home: {column: home_id, references: Homes, on_orphan: dead_letter}
      vet: {column: vet_id, references: Homes, on_orphan: "null"}
      toys: {child: toys, fields: {code: {type: text, unique: true}}}
      homes: {junction: lives_in, own: pet_id}
  Homes:
    from: Places
    when: {kind: home}
    fields:
      kind: {drop: known}
      pet: {column: pet_id, references: Pets, on_orphan: dead_letter}
      pets: {junction: lives_in}
  Bills:
    from: [Places, Papers]
    key: [year, number]
    fields:
      kind: {drop: known}
      year: integer!
      number: integer!
      home: {column: home_id, references: Homes, on_orphan: dead_letter}
junctions: {lives_in: {columns: {pet_id: Pets, home_id: Homes}, on_orphan: drop}}
"""

STAGES = [
    "finish.primary-key-before-commit",
    "finish.unique-index-before-commit",
    "finish.unique-index-after-commit",
    "finish.duplicates-before-commit",
    "finish.duplicates-after-commit",
    "finish.orphans-before-commit",
    "finish.orphans-after-commit",
    "finish.junctions-before-commit",
    "finish.junctions-after-commit",
    "finish.before-hidden-columns",
    "finish.hidden-columns-before-commit",
    "finish.hidden-columns-after-commit",
    "finish.before-complete",
    "complete.before-commit",
]


def documents() -> dict[str, list[dict[str, Any]]]:
    """Shared ids and values within and over collections, chains of orphans between all of them, split documents."""
    made: dict[str, list[dict[str, Any]]] = {"Cats": [], "Dogs": [], "Birds": [], "Places": [], "Papers": []}
    for turn, name in enumerate(("Cats", "Dogs", "Birds")):
        for number in range(14):
            one: Any = number if number % 3 == 0 else oid(100 * (turn if number % 4 else 0) + number)
            made[name].append(
                {
                    "_id": str(one) if number == 5 else one,
                    "name": f"{name}\0{number}",
                    "tag": f"t{(number * 5 + turn * 3) % 30}",
                    "home": oid(1_000 + (number * 3 + turn) % 15),
                    "vet": oid(1_000 + number),
                    "toys": [{"code": f"c{(number * 7 + turn) % 37}"}, {"code": f"d{turn}{number}"}],
                    "homes": [oid(1_000 + number), oid(1_001 + number)],
                }
            )
    for number in range(12):
        pets = {"pets": [oid(100 + number), oid(1)], **({"pet": oid(100 + number)} if number % 4 == 2 else {})}
        made["Places"].append({"_id": oid(1_000 + number), "kind": "home", **pets})
    for number in range(30):
        name = "Papers" if number % 3 else "Places"
        bill = {"year": 2000 + number % 4, "number": number % 6, "home": oid(1_000 + number % 13)}
        made[name].append({"_id": oid(2_000 + number % 25), "kind": "bill", **bill})
    return made


def test_rows_are_those_that_the_oracle_expects(world: World, tmp_path: Path) -> None:
    world.write(documents())
    balanced(world.copy(MAPPING))
    file = tmp_path / "mapping.yaml"
    file.write_text(MAPPING, encoding="utf-8")
    found = compared(file, world.folder, world.conninfo)
    assert not found.differences
    assert all(found.totals.rows[name] for name in ("pets", "toys", "homes", "bills", "lives_in"))


def prepared(world: World, monkeypatch: pytest.MonkeyPatch) -> tuple[Snapshot, list[str]]:
    """Return what an undisturbed copy leaves, and the stages of one that is cut small, which leaves the same."""
    world.write(documents())
    result = world.copy(MAPPING, id_key=KEY)
    balanced(result)
    expected = left_by(world)
    assert {"duplicate-id", "duplicate-key", "orphan"} == {letter.code for letter in world.letters()}
    assert {letter.collection for letter in world.letters()} == set(documents())
    rows = {name: world.one(f"SELECT count(*) FROM {name}") for name in ("pets", "toys", "homes", "bills", "lives_in")}
    assert all(rows.values()), rows
    cut_small(monkeypatch)
    seen: list[str] = []
    with listening(seen.append):
        balanced(world.copy(MAPPING, id_key=KEY, fresh=True))
    assert not (difference := differences(left_by(world), expected)), difference
    assert set(STAGES) <= set(seen)
    return expected, seen


def test_ended_at_one_stage_of_finish_after_another_then_equal(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each session ends at a later stage than the one before it; the three turns together end at every stage."""
    expected, _ = prepared(world, monkeypatch)
    for turn in range(3):
        for number, stage in enumerate(STAGES[turn::3]):
            with listening(end_at(stage, 1)), pytest.raises(Ended):
                world.copy(MAPPING, id_key=KEY, fresh=number == 0)
        balanced(world.copy(MAPPING, id_key=KEY))
        assert not (difference := differences(left_by(world), expected)), f"{turn}: {difference}"


@pytest.mark.soak
@pytest.mark.parametrize("stage", STAGES)
def test_ended_anywhere_in_finish_then_equal(world: World, monkeypatch: pytest.MonkeyPatch, stage: str) -> None:
    expected, seen = prepared(world, monkeypatch)
    often = seen.count(stage)
    for number in sorted({1, 1 + often // 2, often}):
        with listening(end_at(stage, number)), pytest.raises(Ended):
            world.copy(MAPPING, id_key=KEY, fresh=True)
        with listening(end_at(stage, 2)), suppress(Ended):  # fewer than two may be left
            world.copy(MAPPING, id_key=KEY)
        balanced(world.copy(MAPPING, id_key=KEY))
        assert not (difference := differences(left_by(world), expected)), f"{number}: {difference}"
