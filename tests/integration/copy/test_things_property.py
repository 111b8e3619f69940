"""Many people of several collections, in things of all shapes: rows, ledgers and books are as the oracle says.

Oracles: the reference; `verify` in all its layers; the same copy again, which changes nothing.
"""

from __future__ import annotations

import pytest

from isthmus.mapping.things import Things
from tests.generators.things import TABLES, People, mapping
from tests.integration.copy.carrying import World, balanced
from tests.integration.copy.things import as_the_oracle_says, carry, id_of, things_of

SEEDS = [
    6,
    14,
    *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2, 3, 12)),
    *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(20, 60)),
]


def made(world: World, seed: int, *, clashes: bool) -> Things:
    people = People(seed, id_of, clashes=clashes)
    world.write(people.collections)
    return things_of(*people.groups, none=people.none, dropped=people.dropped)


@pytest.mark.parametrize("seed", SEEDS)
def test_tables_that_the_mapping_makes(seed: int, world: World) -> None:
    things = made(world, seed, clashes=seed % 2 == 0)
    result = carry(world, mapping(), things)
    as_the_oracle_says(world, mapping(), things, result)
    found = world.verify(mapping(), things=things)
    assert found.passed, found.differences


@pytest.mark.parametrize("seed", SEEDS)
def test_tables_that_exist(seed: int, world: World) -> None:
    world.rows(TABLES)
    things = made(world, seed, clashes=seed % 2 == 0)
    balanced(carry(world, mapping(existing=True), things))
    found = world.verify(mapping(existing=True), things=things)
    assert found.passed, found.differences
    before = world.rows("SELECT * FROM people ORDER BY id")
    balanced(carry(world, mapping(existing=True), things))
    assert world.rows("SELECT * FROM people ORDER BY id") == before
    found = world.verify(mapping(existing=True), things=things)
    assert found.passed, found.differences
