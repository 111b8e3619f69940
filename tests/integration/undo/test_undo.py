"""`isthmus undo`: what it removes, what it forgets, and that a later copy comes to the same rows.

Oracle: every row of every table, read as text before and after.
"""

from __future__ import annotations

import pytest

from tests.integration.undo.undoing import World


def test_everything_goes_and_a_later_copy_is_the_first_one_again(world: World) -> None:
    world.prepare()
    before = world.everything()
    world.copy()
    first = world.everything()
    world.verify()
    said = world.undo(live=False)
    assert (said["mode"], said["outcome"], said["in_the_way"]) == ("dry-run", "clear", [])
    assert said["removed"] == {}
    assert said["would_remove"] == {"people": 3, "trips": 3, "Visits": 2, "follows": 3, "Places": 2}
    assert world.everything() == first, "a dry run writes nothing"
    said = world.undo()
    assert (said["mode"], said["outcome"], said["undo"]) == ("live", "done", 1)
    assert said["runs"][0]["forgotten"]
    after = world.everything(state=False)
    assert after == {name: rows for name, rows in before.items() if not name.startswith("isthmus.")}
    state = world.everything()
    for name in ("row_state", "pair_state", "rows_before", "extras", "pending_reference", "kept_value", "conflict"):
        assert state[f"isthmus.{name}"] == [], name
    assert world.undo()["outcome"] == "nothing"
    assert world.undo(live=False)["outcome"] == "nothing"
    for command in ("status", "letters list", "orphans list"):
        ran = world.run(*command.split(), "-t", world.conninfo)
        assert (ran.code, "no run of Isthmus any more: all was taken back" in ran.err) == (4, True), ran.all
    world.copy()
    assert world.everything() == first
    world.verify()


@pytest.mark.parametrize("order", [("people", "Places"), ("Places", "people")])
def test_the_second_of_two_copies_goes_and_the_first_is_as_it_was(world: World, order: tuple[str, str]) -> None:
    world.prepare()
    world.copy(order[0])
    alone = world.everything()
    world.copy(order[1])
    both = world.everything()
    said = world.undo(order[1])
    assert said["outcome"] == "done"
    assert [run["forgotten"] for run in said["runs"]] == [True]
    assert said["waiting"]
    assert differing(world.everything(), alone) == {}
    world.verify()
    world.copy(order[0])  # a re-run finds nothing that somebody edited
    assert differing(world.everything(), alone) == {}
    world.copy(order[1])
    assert differing(world.everything(), both) == {}
    world.verify()


@pytest.mark.parametrize("taken", ["people", "Places"])
def test_one_collection_of_a_copy_of_everything_goes_and_comes_again(world: World, taken: str) -> None:
    world.prepare()
    world.copy()
    whole = world.everything()
    said = world.undo(taken)
    assert [(run["forgotten"]) for run in said["runs"]] == [False]
    assert world.one("SELECT count(*) FROM people") == (0 if taken == "people" else 3)
    ran = world.run("verify", world.mapping, "-s", world.dump, "-t", world.conninfo)
    assert (ran.code, "partly-undone" in ran.err) == (4, True), ran.all
    ran = world.run("status", "-t", world.conninfo)
    assert ran.code == 0
    assert f"taken back from it: {taken}" in ran.out
    ran = world.run("letters", "retry", world.mapping, "-t", world.conninfo)
    assert (ran.code, "partly-undone" in ran.err) == (4, True), ran.all
    world.copy(taken)
    world.verify()
    world.copy()
    assert differing(world.everything(), whole) == {}
    world.verify()


def differing(one: dict[str, list[str]], other: dict[str, list[str]]) -> dict[str, tuple[list[str], list[str]]]:
    """Return the tables that differ, with what each side has alone."""
    return {
        name: (sorted(set(one[name]) - set(other[name])), sorted(set(other[name]) - set(one[name])))
        for name in one
        if one[name] != other[name]
    }
