"""Elements of arrays that several passes leave out: the ledger names each by its place in the document.

What an earlier pass left out is not in the array any more when a document that leaves later makes another one an
orphan. Oracles: what was planted; the reference, over every row; `verify` in all its layers.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.copy.carrying import World, balanced, oid
from tests.oracle.copying import compared

LEAVING = """
isthmus: 1
collections:
  People:
    table: 'old "ü" people'
    fields:
      friends: {column: "Friends ü", type: "uuid[]", references: Others, on_orphan: drop}
      tags: {child: tags, fields: {by: {type: "uuid[]", references: Others, on_orphan: drop}}}
  Others:
    fields:
      chief: {column: chief_id, references: Others, on_orphan: dead_letter}
"""
"""Others leave for a chief who is not there, after the arrays were gone through once."""

ONE = """
isthmus: 1
collections:
  People:
    table: 'old "ü" people'
    on_duplicate: merge
    fields:
      mail: {type: text, unique: true}
      friends: {column: "Friends ü", type: "uuid[]", references: Others, on_orphan: drop}
      tags: {child: tags, fields: {by: {type: "uuid[]", references: Others, on_orphan: drop}}}
  Others:
    fields:
      owner: {column: owner_id, references: People, unique: true, on_orphan: "null"}
"""
"""Of two others that one person owns, who was two, the second leaves when the two have been joined."""

EXISTING = """
CREATE TABLE "old ""ü"" people" (id uuid PRIMARY KEY, mail text UNIQUE, "Friends ü" uuid[], extras jsonb);
CREATE TABLE tags ("old ""ü"" people_id" uuid REFERENCES "old ""ü"" people" ON DELETE CASCADE, position integer,
    by uuid[], extras jsonb, PRIMARY KEY ("old ""ü"" people_id", position));
CREATE TABLE others (id uuid PRIMARY KEY, owner_id uuid UNIQUE REFERENCES "old ""ü"" people",
    chief_id uuid REFERENCES others, extras jsonb);
"""

GONE, LATE, THERE, CHIEFLESS = oid(90), oid(12), oid(11), oid(13)


def places(world: World) -> list[tuple[str, list[int], str]]:
    """Column, place and old id of each entry, sorted."""
    return sorted(world.rows("SELECT column_name, row_position, old_id_text FROM isthmus.orphan WHERE action = 'drop'"))


def is_proven(world: World, mapping: str, *, existing: bool = False) -> None:
    """Assert that the oracle and every layer of `verify` find what they should."""
    path = world.folder.parent / "mapping.yaml"
    path.write_text(mapping, "utf-8")
    if not existing:
        assert not compared(path, world.folder, world.conninfo).differences
    found = world.verify(mapping)
    assert found.passed, found.differences


def as_existing(world: World, mapping: str) -> str:
    world.rows(EXISTING)
    return mapping.replace("isthmus: 1", "isthmus: 1\ntarget: {tables: existing}")


@pytest.mark.parametrize("existing", [False, True])
def test_elements_left_out_by_two_passes_have_their_places(world: World, existing: bool) -> None:
    mapping = as_existing(world, LEAVING) if existing else LEAVING
    friends = [GONE, THERE, GONE, LATE, None, LATE, GONE]
    world.write(
        {
            "People": [{"_id": oid(1), "friends": friends, "tags": [{"by": [LATE]}, {"by": [GONE, LATE, THERE]}]}],
            "Others": [{"_id": THERE}, {"_id": LATE, "chief": GONE}],
        }
    )
    balanced(world.copy(mapping))
    lost: list[tuple[str, list[int], str]] = [
        ("Friends ü", [number], str(one)) for number, one in enumerate(friends) if one in (GONE, LATE)
    ]
    assert places(world) == [*lost, ("by", [0, 0], str(LATE)), ("by", [1, 0], str(GONE)), ("by", [1, 1], str(LATE))]
    assert world.column("""SELECT cardinality("Friends ü") FROM "old ""ü"" people" """) == [2]
    is_proven(world, mapping, existing=existing)


def test_three_passes(world: World) -> None:
    friends = [LATE, GONE, CHIEFLESS, THERE, CHIEFLESS]
    others: list[dict[str, Any]] = [
        {"_id": THERE},
        {"_id": LATE, "chief": CHIEFLESS},
        {"_id": CHIEFLESS, "chief": GONE},
    ]
    world.write({"People": [{"_id": oid(1), "friends": friends}], "Others": others})
    balanced(world.copy(LEAVING))
    lost = [("Friends ü", [number], str(one)) for number, one in enumerate(friends) if one != THERE]
    assert places(world) == lost
    is_proven(world, LEAVING)


@pytest.mark.parametrize("existing", [False, True])
def test_elements_of_joined_documents_left_out_before_and_behind_the_joining(world: World, existing: bool) -> None:
    mapping = as_existing(world, ONE) if existing else ONE
    world.write(
        {
            "People": [
                {"_id": oid(1), "mail": "a@x", "tags": [{"by": [GONE]}, {"by": [THERE, GONE]}]},
                {"_id": oid(2), "mail": "a@x", "friends": [GONE, LATE], "tags": [{"by": [GONE, GONE, LATE, THERE]}]},
            ],
            "Others": [{"_id": THERE, "owner": oid(1)}, {"_id": LATE, "owner": oid(2)}],
        }
    )
    balanced(world.copy(mapping))
    assert [one[0] for one in world.rows("SELECT source_id_text FROM isthmus.dead_letter")] == [str(LATE)]
    assert [(column, place[-1], old) for column, place, old in places(world) if old == str(LATE)] == [
        ("Friends ü", 1, str(LATE)),
        ("by", 2, str(LATE)),
    ]
    is_proven(world, mapping, existing=existing)
