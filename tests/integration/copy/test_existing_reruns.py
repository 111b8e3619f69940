"""Tracked copies one after the other: what an earlier one decided or told is not told as something else, nor again.

Oracle: rows and ledgers read with SQL of the test's own.
"""

from __future__ import annotations

import pytest

from isthmus.transfer.result import Result
from tests.integration.copy.carrying import World, balanced, oid

MAPPING = """
isthmus: 1
target: {tables: existing, on_conflict: keep_target, rerun: tracked}
extras: dead_letter
collections:
  people: {match: [[email]], fields: {email: text, name: text}}
"""
CONFLICTS = "SELECT run_id, action FROM isthmus.conflict ORDER BY id"


def prepare(world: World) -> None:
    world.rows("CREATE TABLE people (id uuid PRIMARY KEY, email text UNIQUE, name text)")
    world.rows("INSERT INTO people VALUES (gen_random_uuid(), 'a@x', 'theirs')")


def write(world: World, names: dict[str, str]) -> None:
    people = [{"_id": oid(ord(one)), "email": f"{one}@x", "name": name} for one, name in names.items()]
    world.write({"people": people})


def met(result: Result) -> dict[str, int]:
    balanced(result)
    assert result.balance is not None
    return result.balance.met_rows.get("people", {})


def test_row_that_the_policy_kept_is_told_as_that_until_something_changes(world: World) -> None:
    prepare(world)
    write(world, {"a": "ours", "b": "Bob"})
    assert met(world.copy(MAPPING)) == {"kept": 1}
    for _ in range(2):
        result = world.copy(MAPPING)
        assert met(result) == {"kept-before": 1, "same": 1}
        assert result.balance is not None
        assert result.balance.collections["people"].kept == 2
        assert result.exit_code == 0
    world.rows("UPDATE people SET name = 'Rob' WHERE email = 'b@x'")
    assert met(world.copy(MAPPING)) == {"kept-before": 1, "edited": 1}
    write(world, {"a": "newer", "b": "Bob"})
    assert met(world.copy(MAPPING)) == {"kept": 1, "edited": 1}
    assert world.column("SELECT name FROM people ORDER BY email") == ["theirs", "Rob"]
    assert world.rows(CONFLICTS) == [(1, "kept"), (5, "kept")]


def test_row_that_was_kept_and_says_the_same_now_follows_its_document(world: World) -> None:
    prepare(world)
    write(world, {"a": "ours"})
    assert met(world.copy(MAPPING)) == {"kept": 1}
    world.rows("UPDATE people SET name = 'ours'")
    assert met(world.copy(MAPPING)) == {"same": 1}
    write(world, {"a": "newer"})
    assert met(world.copy(MAPPING)) == {"updated": 1}


@pytest.mark.parametrize("policy", ["overwrite", "dead_letter"])
def test_row_that_was_kept_takes_another_policy_when_the_mapping_says_one(world: World, policy: str) -> None:
    prepare(world)
    write(world, {"a": "ours"})
    kept = MAPPING.replace("keep_target", policy)
    assert kept != MAPPING
    assert met(world.copy(MAPPING)) == {"kept": 1}
    result = world.copy(kept)
    if policy == "overwrite":
        assert met(result) == {"overwritten": 1}
        assert world.column("SELECT name FROM people") == ["ours"]
    else:
        assert len(world.letters()) == 1


def test_row_whose_document_is_gone_is_entered_once_until_it_had_come_back(world: World) -> None:
    prepare(world)
    both, alone = {"b": "Bob", "c": "Cid"}, {"c": "Cid"}
    write(world, both)
    met(world.copy(MAPPING))
    write(world, alone)
    for verdict in ("gone", "gone-before", "gone-before"):  # it is still so
        assert met(world.copy(MAPPING)) == {"same": 1, verdict: 1}
    assert world.rows(CONFLICTS) == [(2, "gone-from-source")]
    write(world, both)
    assert met(world.copy(MAPPING)) == {"same": 2}
    write(world, alone)
    for verdict in ("gone", "gone-before"):
        assert met(world.copy(MAPPING)) == {"same": 1, verdict: 1}
    assert world.rows(CONFLICTS) == [(2, "gone-from-source"), (6, "gone-from-source")]


def test_row_whose_document_is_gone_is_entered_anew_when_the_run_that_told_is_forgotten(world: World) -> None:
    prepare(world)
    write(world, {"b": "Bob", "c": "Cid"})
    met(world.copy(MAPPING))
    write(world, {"c": "Cid"})
    met(world.copy(MAPPING))
    assert met(world.copy(MAPPING, fresh=True)) == {"same": 1, "gone": 1}
    assert world.rows(CONFLICTS) == [(3, "gone-from-source")]
