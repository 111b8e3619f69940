"""Tables that several flows fill, and source collections that several entries read.

Oracle: the documents planted, counted by hand. Whether values arrive whole is for others; here it is which document
stays, where it goes, and what is left when the columns that only the copy needs are gone.
"""

from __future__ import annotations

import random
import string
from typing import Any

import bson
import pytest

from tests.integration.copy.carrying import World, balanced, listening, oid

KEY = bytes(range(32))


def number(value: int) -> str:
    """Return an int32 `_id` as the ledger shows it."""
    return f'{{"$numberInt":"{value}"}}'


def columns(world: World, table: str) -> list[str]:
    return world.column(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"
        " ORDER BY attnum",
        table,
    )


def constraints(world: World, table: str) -> dict[str, str]:
    return dict(
        world.rows(
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = %s::regclass"
            " AND contype <> 'n' ORDER BY 1",
            table,
        )
    )


ANIMALS = """
isthmus: 1
collections:
  Animals:
    from: {Cats: {kind: cat}, Dogs: {kind: dog}}
    constants: {kind: text!}
    fields:
      name: text
      tag: {type: text, unique: true}
      toys: {child: toys, fields: {n: integer, code: {type: text, unique: true}}}
"""


def test_several_collections_fill_one_table_with_constants(world: World) -> None:
    world.write(
        {
            "Cats": [{"_id": 5, "name": "a", "toys": [{"n": 1}]}, {"_id": oid(1), "name": "b"}],
            "Dogs": [{"_id": 5, "name": "c", "toys": [{"n": 2}, {"n": 3}]}, {"_id": oid(2), "name": "d"}],
        }
    )
    result = world.copy(ANIMALS)
    balanced(result)
    assert world.rows("SELECT name, kind FROM animals ORDER BY 1") == [
        ("a", "cat"),
        ("b", "cat"),
        ("c", "dog"),
        ("d", "dog"),
    ]
    assert world.one("SELECT count(DISTINCT id) FROM animals") == 4, "5 of two collections are two ids"
    assert world.rows("SELECT name, t.n FROM animals a JOIN toys t ON t.animals_id = a.id ORDER BY 2") == [
        ("a", 1),
        ("c", 2),
        ("c", 3),
    ]
    assert columns(world, "animals") == ["id", "kind", "name", "tag", "extras"]
    assert columns(world, "toys") == ["animals_id", "position", "n", "code", "extras"]
    assert result.balance is not None
    assert {name: books.tables for name, books in result.balance.collections.items()} == {
        "Cats": {"animals": 2, "toys": 1},
        "Dogs": {"animals": 2, "toys": 2},
    }


@pytest.mark.parametrize("reversed_", [False, True])
def test_one_object_id_in_two_collections_keeps_that_of_the_first(world: World, reversed_: bool) -> None:
    names = ["Dogs", "Cats"] if reversed_ else ["Cats", "Dogs"]
    mapping = ANIMALS.replace(
        "{Cats: {kind: cat}, Dogs: {kind: dog}}", f"{{{names[0]}: {{kind: x}}, {names[1]}: {{kind: y}}}}"
    )
    both = [oid(n) for n in range(20)]
    world.write(
        {
            name: [{"_id": one, "name": f"{name} {n}", "toys": [{"n": n}]} for n, one in enumerate(both)]
            for name in names
        }
    )
    result = world.copy(mapping)
    balanced(result)
    assert sorted(world.column("SELECT name FROM animals")) == sorted(f"{names[0]} {n}" for n in range(20))
    assert world.one("SELECT count(*) FROM toys") == 20
    letters = world.letters()
    assert [(letter.collection, letter.code) for letter in letters] == [(names[1], "duplicate-id")] * 20
    assert f"of the collection {names[0]}; that one is kept" in letters[0].message
    assert result.balance is not None
    first, second = (result.balance.collections[name] for name in names)
    assert (first.copied, first.tables) == (20, {"animals": 20, "toys": 20})
    assert (second.copied, second.dead_letters, second.tables) == (0, 20, {"animals": 0, "toys": 0})


@pytest.mark.parametrize("child", [False, True], ids=["root table", "child table"])
@pytest.mark.parametrize("ids", ["uuid", "keep"])
def test_of_one_unique_value_in_two_collections_the_lowest_id_stays(world: World, child: bool, ids: str) -> None:
    mapping = ANIMALS.replace("isthmus: 1", f"isthmus: 1\nids: {ids}")
    if ids == "keep":
        mapping = mapping.replace("fields:\n      name", "fields:\n      _id: integer\n      name")

    def one(number: int, name: str, value: str) -> dict[str, Any]:
        return {"_id": number, "name": name, **({"toys": [{"code": value}]} if child else {"tag": value})}

    world.write(
        {
            "Cats": [
                one(2, "later", "x"),
                one(7, "first collection" if ids == "uuid" else "cat", "y" if ids == "uuid" else "z"),
            ],
            "Dogs": [one(1, "lower", "x"), one(7 if ids == "uuid" else 8, "second collection", "y")],
        }
    )
    result = world.copy(mapping)
    balanced(result)
    if ids == "uuid":
        assert sorted(world.column("SELECT name FROM animals")) == ["first collection", "lower"]
        assert [(one.collection, one.source_id) for one in world.letters()] == [
            ("Cats", number(2)),
            ("Dogs", number(7)),
        ]
        assert f"the document {number(1)} of Dogs, which is kept" in world.letters("Cats")[0].message
    else:
        assert sorted(world.column("SELECT name FROM animals")) == ["cat", "lower", "second collection"]
    assert {one.code for one in world.letters()} == {"duplicate-key"}
    assert world.one("SELECT count(*) FROM toys") == (world.one("SELECT count(*) FROM animals") if child else 0)


WHEN = """
isthmus: 1
collections:
  Cars: {from: Things, when: {kind: car}, fields: {kind: {drop: known}, wheels: integer}}
  Boats: {from: Things, when: {kind: boat}, fields: {kind: {drop: known}, sails: {type: integer, unique: true}}}
"""


def test_documents_of_one_collection_go_to_the_table_whose_condition_holds(world: World) -> None:
    world.write(
        {
            "Things": [
                {"_id": 1, "kind": "car", "wheels": 4},
                {"_id": 2, "kind": "boat", "sails": 2},
                {"_id": 3, "kind": "kite"},
                {"_id": 4, "kind": "boat", "sails": 2},
                {"_id": 5, "kind": "car", "wheels": "four"},
            ]
        }
    )
    result = world.copy(WHEN)
    balanced(result)
    assert world.column("SELECT wheels FROM cars") == [4]
    assert world.column("SELECT sails FROM boats") == [2]
    assert world.codes() == {number(3): "no-entry", number(4): "duplicate-key", number(5): "type"}
    assert result.balance is not None
    books = result.balance.collections["Things"]
    assert (books.read, books.copied, books.dead_letters) == (5, 2, 3)
    assert books.tables == {"cars": 1, "boats": 1}
    assert books.letters == {"no-entry": 1, "duplicate-key": 1, "type": 1}
    again = world.copy(WHEN)
    assert again.repeated
    assert not again.changes


def test_documents_of_one_collection_share_a_table(world: World) -> None:
    mapping = """
    isthmus: 1
    collections:
      Old: {from: Users, when: {v: 1}, table: users, constants: {shape: {type: text, value: old}},
        fields: {v: {drop: known}, mail: {column: email, type: text, unique: true}}}
      New: {from: Users, table: users, constants: {shape: {type: text, value: new}},
        fields: {v: {drop: known}, contact.email: {column: email, type: text, unique: true}, nick: text}}
    """
    world.write(
        {
            "Users": [
                {"_id": oid(3), "v": 1, "mail": "a"},
                {"_id": oid(2), "v": 2, "contact": {"email": "a"}, "nick": "n"},
                {"_id": str(oid(3)), "v": 2, "contact": {"email": "b"}},
                {"_id": oid(4), "v": 1, "mail": "c"},
            ]
        }
    )
    result = world.copy(mapping)
    balanced(result)
    # the text form of an ObjectId is the lower `_id`; of the same address the lower ObjectId
    assert world.rows("SELECT shape, email, nick FROM users ORDER BY email") == [
        ("new", "a", "n"),
        ("new", "b", None),
        ("old", "c", None),
    ]
    assert [(one.source_id, one.code, one.path) for one in world.letters()] == [(str(oid(3)), "duplicate-id", "_id")]


LINKED = """
isthmus: 1
collections:
  Animals:
    from: [Cats, Dogs]
    fields:
      name: text
      friends: {junction: friends, own: animal_id}
      home: {column: home_id, references: Homes, on_orphan: dead_letter}
      vet: {column: vet_id, references: Homes, on_orphan: "null"}
      notes: {type: jsonb, rewrite: {"[].home": Homes}}
  Homes: {fields: {name: text, pet: {column: pet_id, references: Animals}}}
junctions: {friends: {columns: {animal_id: Animals, home_id: Homes}, on_orphan: drop}}
"""


def test_references_of_and_to_a_shared_table_and_orphans_of_one_of_its_flows(world: World) -> None:
    world.write(
        {
            "Cats": [
                {"_id": oid(1), "name": "whole", "home": oid(100), "friends": [oid(100), oid(101)]},
                {"_id": oid(2), "name": "vet gone", "vet": oid(900), "friends": [oid(900), oid(101)]},
            ],
            "Dogs": [
                {"_id": oid(11), "name": "home gone", "home": oid(901), "friends": [oid(100)]},
                {"_id": oid(12), "name": "stays", "home": oid(101), "vet": oid(902), "notes": [{"home": oid(903)}]},
                {"_id": oid(13), "name": "loop", "home": oid(102)},
            ],
            "Homes": [
                {"_id": oid(100), "name": "h0", "pet": oid(1)},
                {"_id": oid(101), "name": "h1", "pet": oid(12)},
                {"_id": oid(102), "name": "h2", "pet": oid(11)},
            ],
        }
    )
    result = world.copy(LINKED)
    balanced(result)
    assert world.column("SELECT name FROM animals ORDER BY 1") == ["loop", "stays", "vet gone", "whole"]
    assert [(one.collection, one.source_id, one.code) for one in world.letters()] == [("Dogs", str(oid(11)), "orphan")]
    assert world.rows("SELECT h.name, a.name FROM homes h LEFT JOIN animals a ON a.id = h.pet_id ORDER BY 1") == [
        ("h0", "whole"),
        ("h1", "stays"),
        ("h2", None),
    ]
    assert world.rows(
        "SELECT a.name, h.name FROM friends f JOIN animals a ON a.id = f.animal_id JOIN homes h ON h.id = f.home_id"
        " ORDER BY 1, 2"
    ) == [("vet gone", "h1"), ("whole", "h0"), ("whole", "h1")]
    ledger = world.rows(
        "SELECT source_collection, column_name, old_id_text, action FROM isthmus.orphan ORDER BY 1, 2, 3"
    )
    assert ledger == [
        ("Cats", "home_id", str(oid(900)), "drop"),
        ("Cats", "vet_id", str(oid(900)), "null"),
        ("Dogs", "home_id", str(oid(901)), "dead_letter"),
        ("Dogs", "notes.[].home", str(oid(903)), "kept"),
        ("Dogs", "vet_id", str(oid(902)), "null"),
        ("Homes", "pet_id", str(oid(11)), "null"),
    ]
    assert result.balance is not None
    assert result.balance.references["animals.home_id"].refused == 1
    assert result.balance.references["animals.vet_id"].orphans == 2
    assert result.balance.junctions == {"friends": 3}


def test_keys_too_long_for_an_index_leave_from_each_flow(world: World) -> None:
    noise = "".join(random.Random(1).choices(string.ascii_letters + string.digits, k=6_000))
    world.write(
        {
            "Cats": [{"_id": 1, "name": "long", "tag": "c" + noise}, {"_id": 2, "name": "a", "tag": "x"}],
            "Dogs": [{"_id": 3, "name": "long", "tag": "d" + noise}, {"_id": 4, "name": "b", "tag": "y"}],
        }
    )
    balanced(world.copy(ANIMALS))
    assert world.column("SELECT name FROM animals ORDER BY 1") == ["a", "b"]
    assert [(one.collection, one.code, one.path) for one in world.letters()] == [
        ("Cats", "key-too-long", "tag"),
        ("Dogs", "key-too-long", "tag"),
    ]


def test_fresh_drops_a_shared_table_and_tells_of_rows_written_since(world: World) -> None:
    world.write({"Cats": [{"_id": 1}], "Dogs": [{"_id": 2}]})
    balanced(world.copy(ANIMALS))
    balanced(world.copy(ANIMALS, fresh=True))
    (note,) = [note for note in world.notes if "dropped" in note]
    assert "animals 2," in note, "its rows are those of both collections, so nothing was written since"
    assert "the run left" not in note


KEYED = """
isthmus: 1
collections:
  Accounts: {key: KEY, fields: {ID number: integer!, region: text!, owner: {column: owner_id, references: Owners}}}
  Owners: {fields: {}}
"""


@pytest.mark.parametrize(
    ("key", "primary"),
    [("number", "PRIMARY KEY (number)"), ("[region, number]", "PRIMARY KEY (region, number)"), ("none", None)],
)
@pytest.mark.parametrize("kept", [False, True], ids=["without _id", "with _id"])
def test_another_key_takes_the_place_of_the_id(world: World, key: str, primary: str | None, kept: bool) -> None:
    mapping = KEYED.replace("KEY", key).replace("ID number", "_id: {column: uid}, number" if kept else "number")
    world.write(
        {
            "Accounts": [
                {"_id": oid(9), "number": 1, "region": "n", "owner": oid(1)},
                {"_id": oid(8), "number": 2, "region": "n", "owner": oid(2)},
                {"_id": oid(7), "number": 1, "region": "s"},
                {"_id": oid(6), "number": 1, "region": "s"},
                {"_id": oid(5), "number": 5, "region": "t"},
                {"_id": str(oid(5)), "number": 6, "region": "t"},
            ],
            "Owners": [{"_id": oid(1)}],
        }
    )
    result = world.copy(mapping)
    balanced(result)
    expected = ["number", "region", "owner_id", "extras"]
    assert columns(world, "accounts") == (["uid", *expected] if kept else expected)
    found = constraints(world, "accounts")
    assert found.get("accounts_pkey") == primary
    assert len(found) == (1 if primary is None else 2), found
    unique = world.column(
        "SELECT indexdef FROM pg_indexes WHERE tablename = 'accounts' AND indexname <> 'accounts_pkey'"
    )
    assert [text.rpartition(" ")[2] for text in unique] == (["(uid)"] if kept else [])
    assert world.codes()[str(oid(5))] == "duplicate-id"
    rows = world.rows("SELECT number, region, owner_id IS NULL FROM accounts ORDER BY 1, 2")
    if key == "number":
        assert rows == [(1, "s", True), (2, "n", True), (6, "t", True)]
    elif key == "none":
        assert rows == [(1, "n", False), (1, "s", True), (1, "s", True), (2, "n", True), (6, "t", True)]
    else:
        assert rows == [(1, "n", False), (1, "s", True), (2, "n", True), (6, "t", True)]
    duplicates = {source_id for source_id, code in world.codes().items() if code == "duplicate-key"}
    assert duplicates == {"number": {str(oid(9)), str(oid(7))}, "none": set()}.get(key, {str(oid(7))})
    assert bson.decode(world.letters()[0].document)["number"] == 5


def test_reference_with_the_scheme_of_another_entry_does_not_hide_the_id_of_the_document(world: World) -> None:
    mapping = """
    isthmus: 1
    collections:
      Refs: {fields: {big: {column: big_id, references: Big, on_orphan: "null"}}}
      Big: {from: Things, when: {size: big}, fields: {size: text}}
      Small: {from: Things, ids: cuid2, fields: {size: text, mail: {type: text, unique: true}}}
    """
    world.write(
        {
            "Refs": [{"_id": oid(1), "big": 5}, {"_id": oid(2), "big": 6}],
            "Things": [
                {"_id": 5, "size": "small", "mail": "x"},
                {"_id": 4, "size": "small", "mail": "x"},
                {"_id": 6, "size": "big"},
            ],
        }
    )
    result = world.copy(mapping, workers=1)
    balanced(result)
    assert world.codes("Things") == {number(5): "duplicate-key"}
    assert world.one("SELECT count(big_id) FROM refs") == 1
    assert world.rows("SELECT count(*) FROM small JOIN isthmus.id_map USING (id) WHERE origin = 'document'") == [(1,)]


@pytest.mark.parametrize(
    ("tampering", "sentences"),
    [
        (
            "DELETE FROM animals WHERE name = 'b'",
            {
                "animals: 3 rows expected, 2 are in the table.",
                "animals: 3 documents of Cats, Dogs copied, 2 are in the table.",
            },
        ),
        (
            "DELETE FROM cars; INSERT INTO boats (id) VALUES (gen_random_uuid())",
            {"cars: 1 rows expected, 0 are in the table.", "boats: 1 rows expected, 2 are in the table."},
        ),
    ],
)
def test_rows_that_somebody_changed_in_shared_or_split_tables_do_not_balance(
    world: World, tampering: str, sentences: set[str]
) -> None:
    world.write(
        {
            "Cats": [{"_id": 1, "name": "a"}, {"_id": 2, "name": "b"}],
            "Dogs": [{"_id": 1, "name": "c"}],
            "Things": [{"_id": 1, "kind": "car"}, {"_id": 2, "kind": "boat"}],
        }
    )

    def tamper(stage: str) -> None:
        if stage == "finish.before-complete":
            world.rows(tampering)

    with listening(tamper):
        result = world.copy(ANIMALS + WHEN.partition("collections:\n")[2])
    assert result.balance is not None
    assert set(result.balance.differences) == sentences
    assert result.exit_code == 1


def test_key_that_no_index_entry_can_hold_leaves_from_a_table_without_ids(world: World) -> None:
    noise = "".join(random.Random(2).choices(string.ascii_letters + string.digits, k=6_000))
    mapping = "isthmus: 1\ncollections: {Accounts: {key: [region, n], fields: {region: text!, n: integer!}}}\n"
    documents = [{"_id": oid(number), "region": noise, "n": number} for number in range(3)]
    world.write(
        {"Accounts": [*documents, {"_id": oid(3), "region": "short", "n": 1}, {"_id": oid(4), "region": "s", "n": 1}]}
    )
    balanced(world.copy(mapping))
    assert world.column("SELECT region FROM accounts ORDER BY 1") == ["s", "short"]
    letters = [(one.code, one.path) for one in world.letters()]
    assert letters == [("key-too-long", "region, n")] * 3
