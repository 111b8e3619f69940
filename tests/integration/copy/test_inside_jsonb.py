"""Ids and keys inside jsonb: what is no id stays as it is and is counted, keys are written under other names.

Oracles: what was planted, by hand; the reference, over every row and ledger; `isthmus verify`, also after damage.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.copy.carrying import World, balanced, oid
from tests.oracle.copying import compared

KEPT = """
isthmus: 1
ids: cuid2
collections:
  users: {rewritten: true, fields: {name: text}}
  profiles:
    fields:
      "it's": {column: "it's", type: jsonb, rewrite: {"by 'whom'": {to: users, others: keep}, "all[]": users}}
"""
RENAMED = """
isthmus: 1
collections:
  users: {fields: {name: text}}
  profiles:
    fields:
      places:
        type: jsonb
        rename: {"[].street 'one'": line1, "[].by": "who \\"it\\" is", "[].zip": code, "[].zipcode": code}
        rewrite: {"[].by": users}
"""
MAIL = "o'Hara@x"


def as_copied(world: World, mapping: str) -> None:
    """Assert that rows and ledgers are what the reference makes of the documents, and that every layer says so."""
    path = world.folder.parent / "mapping.yaml"
    path.write_text(mapping, encoding="utf-8")
    assert compared(path, world.folder, world.conninfo).differences == []
    found = world.verify(mapping)
    assert found.passed, found.differences


def plant_kept(world: World) -> None:
    values = [oid(1), str(oid(1)).upper(), str(oid(9)), MAIL, 7, [oid(1)], None, "zzzzzzzzzzzzzzzzzzzzzzzz"]
    documents: list[dict[str, Any]] = [
        {"_id": oid(20 + number), "it's": {"by 'whom'": value}} for number, value in enumerate(values)
    ]
    documents[0]["it's"]["all"] = [oid(1), "no user"]
    world.write({"users": [{"_id": oid(1), "name": "Ann"}], "profiles": documents})


def test_what_is_no_id_stays_beside_what_is(world: World) -> None:
    plant_kept(world)
    result = world.copy(KEPT)
    assert result.balance is not None
    ann = world.one("SELECT id FROM users")
    values = world.column("SELECT p.\"it's\" -> 'by ''whom''' FROM profiles p")
    assert len([one for one in values if one == ann]) == 2
    for one in (MAIL, 7, [str(oid(1))], None, "zzzzzzzzzzzzzzzzzzzzzzzz"):
        assert one in values
    assert str(oid(9)) not in values, "it has the form of an id"
    # who has the form of an id and is nobody is told; what has not is none
    orphans = {(row[1], row[2]) for row in world.rows("SELECT table_name, column_name, target_id FROM isthmus.orphan")}
    assert {column for column, _ in orphans} == {"it's.by 'whom'", "it's.all.[]"}
    assert len(orphans) == 3
    books = result.balance.references["profiles.it's.by 'whom'"]
    assert (books.values, books.resolved) == (4, 2)
    assert result.balance.adjusted["profiles.it's:not_an_id"] == 3
    as_copied(world, KEPT)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("jsonb_set(\"it's\", '{by ''whom''}', '\"else@x\"')", "checksum"),
        ("jsonb_set(\"it's\", '{by ''whom''}', '\"yyyyyyyyyyyyyyyyyyyyyyyy\"')", "references"),
    ],
)
def test_damage_to_either_is_named(change: str, told: str, world: World) -> None:
    plant_kept(world)
    world.copy(KEPT)
    where = "\"it's\" ->> 'by ''whom''' = %s"
    world.rows(f'UPDATE profiles SET "it\'s" = {change} WHERE {where}', MAIL)
    found = world.verify(KEPT)
    assert told in {one.layer for one in found.differences}


def test_keys_are_written_under_other_names_and_ids_found_there(world: World) -> None:
    world.write(
        {
            "users": [{"_id": oid(1), "name": "Ann"}],
            "profiles": [
                {
                    "_id": oid(2),
                    "places": [{"street 'one'": "Calle 8", "by": oid(1), "zip": 5, "k": 1}, {"zipcode": 6}],
                },
                {"_id": oid(3), "places": {"street 'one'": "no list"}},
                {"_id": oid(4), "places": [{"by": oid(99)}]},
                {"_id": oid(5), "places": [{"zip": 1}, {"zip": 1, "zipcode": 1}]},
                {"_id": oid(6), "places": [{"line1": "new", "street 'one'": "old"}]},
            ],
        }
    )
    result = world.copy(RENAMED)
    assert result.balance is not None
    ann = world.one("SELECT id::text FROM users")
    held = world.column("SELECT places FROM profiles")
    assert [{"line1": "Calle 8", 'who "it" is': ann, "code": 5, "k": 1}, {"code": 6}] in held
    assert {"street 'one'": "no list"} in held
    assert len(held) == 3
    assert world.codes() == {str(oid(5)): "key-taken", str(oid(6)): "key-taken"}
    paths = {letter.path for letter in world.letters()}
    assert paths == {"places.1.zipcode", "places.0.street 'one'"}
    name = 'profiles.places.[].who "it" is'
    assert (result.balance.references[name].values, result.balance.references[name].resolved) == (2, 1)
    assert world.column("SELECT column_name FROM isthmus.orphan") == ['places.[].who "it" is']
    as_copied(world, RENAMED)
    world.rows('UPDATE profiles SET places = \'[{"line1": "Calle 9"}]\' WHERE places @> \'[{"k": 1}]\'')
    assert not world.verify(RENAMED).passed


def test_a_copy_of_neither_says_nothing_of_them(world: World) -> None:
    world.write({"users": [], "profiles": [{"_id": oid(2)}, {"_id": oid(3), "places": None}]})
    balanced(world.copy(RENAMED))
    assert world.column("SELECT places FROM profiles") == [None, None]
    as_copied(world, RENAMED)
