"""Documents that are one thing (`on_duplicate: merge`): joined into the lowest `_id`, and nothing of them lost.

Oracles: what was planted, joined by hand; the reference, over every row, pair and ledger.
"""

from __future__ import annotations

import textwrap

import bson

from isthmus.transfer.result import Result
from tests.integration.copy.carrying import World, balanced, oid
from tests.oracle.copying import compared

PEOPLE = """
isthmus: 1
collections:
  people:
    on_duplicate: merge
    fields:
      mail: {type: text!, unique: true, normalise: [trim, lower]}
      name: text
      city: {type: text, sensitive: true}
      boss: {column: boss_id, references: people, on_orphan: "null"}
      tags: {child: tags, fields: {word: text, parts: {child: parts, fields: {n: integer}}}}
      groups: {junction: members}
  groups: {fields: {name: text}}
  notes:
    fields:
      n: integer
      by: {column: by_id, references: people, on_orphan: "null"}
      seen: {type: "uuid[]", references: people, on_orphan: "null"}
      inside: {type: jsonb, rewrite: {"[].who": people}}
      mail: {column: mail_id, references: people.mail, on_orphan: "null"}
junctions:
  members: {columns: {person_id: people, group_id: groups}, on_orphan: drop}
"""


def as_the_oracle_says(world: World, mapping: str, result: Result) -> None:
    """Assert that every row, and who was joined into whom, is as the reference says."""
    balanced(result)
    assert result.balance is not None
    path = world.folder.parent / "mapping.yaml"
    path.write_text(textwrap.dedent(mapping), "utf-8")
    found = compared(path, world.folder, world.conninfo)
    assert not found.differences
    merged = {name: books.merged for name, books in result.balance.collections.items()}
    assert merged == {name: found.totals.merged[name] for name in merged}


def plant(world: World) -> None:
    world.write(
        {
            "people": [
                {"_id": oid(3), "mail": " A@x", "name": "third", "city": "Rome", "zip": 3, "tags": [{"word": "c"}]},
                {
                    "_id": oid(1),
                    "mail": "a@X ",
                    "zip": 1,
                    "tags": [{"word": "a", "parts": [{"n": 1}]}],
                    "groups": [oid(50)],
                },
                {
                    "_id": oid(2),
                    "mail": "a@x",
                    "name": "second",
                    "boss": oid(3),
                    "more": True,
                    "tags": [{"word": "b"}, {"word": "b2", "parts": [{"n": 2}, {"n": 3}]}],
                    "groups": [oid(50), oid(51)],
                },
                {"_id": oid(4), "mail": "b@x", "name": "alone", "boss": oid(2)},
            ],
            "groups": [{"_id": oid(50), "name": "g"}, {"_id": oid(51), "name": "h"}],
            "notes": [
                {"_id": oid(10), "n": 1, "by": oid(2), "seen": [oid(3), oid(4), oid(2)], "mail": "A@x "},
                {"_id": oid(11), "n": 2, "by": oid(1), "inside": [{"who": oid(3)}, {"who": oid(4)}, {"who": oid(99)}]},
            ],
        }
    )


def test_documents_with_one_value_become_one_row(world: World) -> None:
    plant(world)
    result = world.copy(PEOPLE)
    as_the_oracle_says(world, PEOPLE, result)
    assert result.balance is not None
    books = result.balance.collections["people"]
    assert (books.read, books.copied, books.merged, books.dead_letters) == (4, 2, 2, 0)
    rows = world.rows("SELECT mail, name, city, extras FROM people ORDER BY mail")
    assert rows == [("a@x", "second", "Rome", {"zip": 1, "more": True}), ("b@x", "alone", None, None)]
    one = world.one("SELECT id FROM people WHERE mail = 'a@x'")
    other = world.one("SELECT id FROM people WHERE mail = 'b@x'")
    assert world.one("SELECT boss_id FROM people WHERE mail = 'a@x'") == one  # 2's boss was 3, and both are 1
    assert world.one("SELECT boss_id FROM people WHERE mail = 'b@x'") == one
    assert world.rows("SELECT position, word FROM tags ORDER BY 1") == [(0, "a"), (1, "b"), (2, "b2"), (3, "c")]
    assert world.rows("SELECT tags_position, position, n FROM parts ORDER BY 1, 2") == [(0, 0, 1), (2, 0, 2), (2, 1, 3)]
    assert world.rows("SELECT g.name FROM members JOIN groups g ON g.id = group_id ORDER BY 1") == [("g",), ("h",)]
    assert world.rows("SELECT by_id, seen, mail_id FROM notes WHERE n = 1") == [(one, [one, other, one], one)]
    inside = world.one("SELECT inside FROM notes WHERE n = 2")
    assert [entry["who"] for entry in inside[:2]] == [str(one), str(other)]


def test_what_a_joined_document_says_otherwise_is_kept(world: World) -> None:
    plant(world)
    balanced(world.copy(PEOPLE))
    ledger = world.rows("SELECT differing, action, document FROM isthmus.conflict ORDER BY source_row_id")
    by_id = {bson.decode(row[2])["_id"]: row[0] for row in ledger}
    assert set(by_id) == {oid(3)}  # 2 fills what 1 lacks, and says nothing else
    assert by_id[oid(3)]["name"] == {"target": "second", "source": "third"}
    assert "city" not in by_id[oid(3)]
    assert set(by_id[oid(3)]) == {"name", "extras"}
    assert {row[1] for row in ledger} == {"merged"}
    derived = world.rows("SELECT origin, id FROM isthmus.id_map ORDER BY 1")
    one = str(world.one("SELECT id FROM people WHERE mail = 'a@x'"))
    assert derived == [("merged", one), ("merged", one)]


def test_a_second_copy_changes_nothing(world: World) -> None:
    plant(world)
    world.copy(PEOPLE)
    again = world.copy(PEOPLE)
    assert again.outcome == "complete"
    assert again.repeated
    assert not again.changes


def test_who_was_joined_leaves_with_the_one_that_stays(world: World) -> None:
    mapping = """
        isthmus: 1
        collections:
          people:
            on_duplicate: merge
            fields: {mail: {type: text!, unique: true}, home: {column: home_id, references: homes, required: true}}
          homes: {fields: {owner: {column: owner_id, references: people, unique: true, required: true}}}
        """
    world.write(
        {
            "people": [
                {"_id": oid(1), "mail": "a", "home": oid(20)},
                {"_id": oid(2), "mail": "a", "home": oid(21)},
                {"_id": oid(3), "mail": "c", "home": oid(21)},
            ],
            # joined, 1 and 2 both own a home, and one home goes: 21, which 3 needs; 20 stays with 1
            "homes": [{"_id": oid(20), "owner": oid(1)}, {"_id": oid(21), "owner": oid(2)}],
        }
    )
    result = world.copy(mapping)
    as_the_oracle_says(world, mapping, result)
    assert world.codes() == {str(oid(21)): "duplicate-key", str(oid(3)): "orphan"}
    assert world.column("SELECT mail FROM people") == ["a"]
    world.write(
        {
            "homes": [
                {"_id": oid(19), "owner": oid(2)},
                {"_id": oid(20), "owner": oid(1)},
                {"_id": oid(21), "owner": oid(3)},
            ]
        }
    )
    result = world.copy(mapping, fresh=True)
    as_the_oracle_says(world, mapping, result)
    # 19 (of 2, who is 1 now) goes before 20, which 1 needs: 1 leaves, and 2 with it, and 19 after them
    assert world.codes() == {
        str(oid(20)): "duplicate-key",
        str(oid(1)): "orphan",
        str(oid(2)): "joined-left",
        str(oid(19)): "orphan",
    }
    assert result.balance is not None
    assert result.balance.collections["people"].merged == 0
    assert world.one("SELECT count(*) FROM isthmus.conflict") == 0
    assert world.one("SELECT count(*) FROM isthmus.id_map WHERE origin = 'merged'") == 0


CHAIN = """
isthmus: 1
collections:
  people:
    on_duplicate: merge
    fields:
      a: {type: integer, unique: true}
      b: {type: integer, unique: true}
      c: {type: integer, unique: true}
      n: integer
"""


def test_what_is_filled_in_joins_further_documents(world: World) -> None:
    documents = [{"a": 1}, {"a": 1, "b": 2}, {"b": 2, "c": 3}, {"c": 3}, {"a": 4, "b": 2}, {"a": 5}]
    world.write({"people": [{"_id": oid(n), "n": n, **one} for n, one in enumerate(documents, start=1)]})
    result = world.copy(CHAIN)
    as_the_oracle_says(world, CHAIN, result)
    assert result.balance is not None
    assert result.balance.collections["people"].merged == 4
    assert world.rows("SELECT a, b, c, n FROM people ORDER BY n") == [(1, 2, 3, 1), (5, None, None, 6)]
    assert world.one("SELECT count(DISTINCT id) FROM isthmus.id_map WHERE origin = 'merged'") == 1
    kept = {bson.decode(one)["n"] for one in world.column("SELECT document FROM isthmus.conflict")}
    assert kept == {2, 3, 4, 5}  # each has another n
    differing = world.one("SELECT differing FROM isthmus.conflict WHERE differing ? 'a'")
    assert differing["a"] == {"target": "1", "source": "4"}


def test_many_are_joined_into_one(world: World) -> None:
    world.write({"people": [{"_id": oid(n + 1), "a": 7, "n": n} for n in range(12_000)]})
    result = world.copy(CHAIN)
    balanced(result)
    assert world.rows("SELECT a, n FROM people") == [(7, 0)]
    assert world.one("SELECT count(*) FROM isthmus.conflict") == 11_999
