"""References of joined documents that lose what they point at before the joining, and behind it.

Before, another document's value takes the place; behind, the place stays empty and both ledgers tell, for what left may
come back by a retry. Oracles: what was planted; the reference; `verify` in all its layers.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.copy.carrying import World, balanced, oid
from tests.integration.copy.test_left_out_elements import is_proven

MAPPING = """
isthmus: 1
%(target)s
collections:
  People:
    on_duplicate: merge
    fields:
      mail: {type: text, unique: true}
      boss: {column: "Boss id", references: Others, on_orphan: "null"}
      code: {column: code_id, references: Others.code, on_orphan: "null"}
      %(any)s
  Others:
    fields:
      code: {type: text, unique: true}
      owner: {column: owner_id, references: People, unique: true, on_orphan: "null"}
"""
ROUTE = 'any: {route: {Others: any_other_id, People: any_person_id}, on_orphan: "null"}'
EXISTING = """
CREATE TABLE people (id uuid PRIMARY KEY, mail text UNIQUE, "Boss id" uuid, code_id uuid, any_other_id uuid,
    any_person_id uuid, extras jsonb);
CREATE TABLE others (id uuid PRIMARY KEY, code text UNIQUE, owner_id uuid UNIQUE REFERENCES people, extras jsonb);
"""

GONE, LATE, THERE = 90, 12, 11
"""Not there; leaves behind the joining; stays."""


def person(number: int, points_at: int | None) -> dict[str, Any]:
    document: dict[str, Any] = {"_id": oid(number), "mail": "a@x"}
    if points_at is not None:
        document |= {"boss": oid(points_at), "code": f"no. {points_at}", "any": oid(points_at)}
    return document


@pytest.mark.parametrize(
    ("pointing_at", "finally_at"),
    [
        ((None, LATE, THERE), None),
        ((LATE, THERE, None), None),
        ((GONE, THERE, None), THERE),
        ((GONE, LATE, THERE), None),
        ((GONE, THERE, LATE), THERE),
        ((LATE, GONE, THERE), None),
        ((THERE, LATE, GONE), THERE),
        ((LATE, LATE, LATE), None),
        ((None, GONE, GONE), None),
    ],
)
def test_value_that_is_lost_behind_the_joining_leaves_its_place_empty(
    world: World, pointing_at: tuple[int | None, ...], finally_at: int | None
) -> None:
    mapping = MAPPING % {"target": "", "any": ROUTE}
    copied(world, mapping, pointing_at)
    there = world.one("SELECT id FROM others") if finally_at else None
    assert world.rows('SELECT "Boss id", code_id, any_other_id, any_person_id FROM people') == [(*[there] * 3, None)]
    is_proven(world, mapping)


def test_of_tables_that_nobody_need_know(world: World) -> None:
    mapping = (MAPPING % {"target": "", "any": "any: text"}).replace("references: Others.code", "type: text")
    mapping = mapping.replace('code_id, type: text, on_orphan: "null"', "code_id, type: text")
    copied(world, mapping, (None, LATE, THERE))
    assert world.rows('SELECT "Boss id", code_id FROM people') == [(None, f"no. {LATE}")]
    is_proven(world, mapping)


def test_of_tables_that_exist(world: World) -> None:
    world.rows(EXISTING)
    mapping = MAPPING % {"target": "target: {tables: existing}", "any": ROUTE}
    copied(world, mapping, (LATE, THERE, None))
    assert world.rows('SELECT "Boss id", code_id, any_other_id, any_person_id FROM people') == [(None,) * 4]
    is_proven(world, mapping, existing=True)


def copied(world: World, mapping: str, pointing_at: tuple[int | None, ...]) -> None:
    people = [person(number, one) for number, one in enumerate(pointing_at, start=1)]
    others = [{"_id": oid(one), "code": f"no. {one}", "owner": oid(number)} for number, one in ((1, THERE), (2, LATE))]
    world.write({"People": people, "Others": others})
    balanced(world.copy(mapping))
    assert world.column("SELECT source_id_text FROM isthmus.dead_letter") == [str(oid(LATE))]
