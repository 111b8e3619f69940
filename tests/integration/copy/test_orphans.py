"""References whose target does not exist: what the mapping says happens to them, and the ledger knows each.

Oracle: the references planted in the documents. Every case ends with books that balance.
"""

from __future__ import annotations

import bson
import pytest

from tests.integration.copy.carrying import World, balanced, oid


def test_null_is_the_default_and_makes_exit_one_and_stated_makes_zero(world: World) -> None:
    world.write(
        {"A": [{"_id": oid(1), "n": 1, "b": oid(10)}, {"_id": oid(2), "n": 2, "b": oid(99)}], "B": [{"_id": oid(10)}]}
    )
    result = world.copy("isthmus: 1\ncollections: {A: {fields: {n: integer, b: {references: B}}}, B: {fields: {}}}\n")
    balanced(result)
    assert result.exit_code == 1
    assert world.orphans() == [("a", "b", str(oid(99)), "null", True)]
    assert world.rows("SELECT n, b IS NULL FROM a ORDER BY n") == [(1, False), (2, True)]
    assert world.one("SELECT row_id FROM isthmus.orphan") == str(world.one("SELECT id FROM a WHERE n = 2"))
    assert world.one("SELECT old_id FROM isthmus.orphan") == bson.encode({"_id": oid(99)})
    stated = (
        'isthmus: 1\ncollections: {A: {fields: {n: integer, b: {references: B, on_orphan: "null"}}}, B: {fields: {}}}\n'
    )
    result = world.copy(stated, fresh=True)
    balanced(result)
    assert result.exit_code == 0
    assert result.balance is not None
    books = result.balance.references["a.b"]
    assert (books.values, books.resolved, books.orphans, books.by_default) == (2, 1, 1, 0)


def test_required_reference_makes_a_dead_letter_by_default(world: World) -> None:
    world.write({"A": [{"_id": oid(1), "b": oid(99)}, {"_id": oid(2), "b": oid(10)}], "B": [{"_id": oid(10)}]})
    result = world.copy(
        "isthmus: 1\ncollections: {A: {fields: {b: {references: B, required: true}}}, B: {fields: {}}}\n"
    )
    balanced(result)
    assert result.exit_code == 1
    (letter,) = world.letters()
    assert (letter.code, letter.path, letter.stage) == ("orphan", "b", "finish")
    assert letter.causes[0]["value"] == str(oid(99))
    assert bson.decode(letter.document) == {"_id": oid(1), "b": oid(99)}
    assert world.orphans() == [("a", "b", str(oid(99)), "dead_letter", True)]
    assert (
        world.one("SELECT is_nullable FROM information_schema.columns WHERE table_name='a' AND column_name='b'") == "NO"
    )


CHAIN = """
isthmus: 1
collections:
  Links:
    fields:
      n: integer
      next: {column: next_id, references: Links, on_orphan: dead_letter}
      kids: {child: link_kids, fields: {x: integer, link: {column: link_id, references: Links, on_orphan: "null"}}}
      near: {junction: link_pairs, own: link_id}
junctions: {link_pairs: {columns: {link_id: Links, near_id: Links}, on_orphan: drop}}
"""


@pytest.mark.parametrize("workers", [1, 4])
def test_chain_of_orphans_falls_to_a_fixpoint_with_children_and_pairs(world: World, workers: int) -> None:
    # 1 → 2 → 3 → 4 → nowhere: all four go; 5 ↔ 6 is a circle and stays; 7 points at itself; children point into both
    links = {1: 2, 2: 3, 3: 4, 4: 99, 5: 6, 6: 5, 7: 7, 8: None}
    world.write(
        {
            "Links": [
                {
                    "_id": oid(n),
                    "n": n,
                    "next": None if to is None else oid(to),
                    "kids": [{"x": n, "link": oid(1)}, {"x": n * 10, "link": oid(5)}],
                    "near": [oid(2), oid(6), oid(n)],
                }
                for n, to in links.items()
            ]
        }
    )
    result = world.copy(CHAIN, workers=workers)
    balanced(result)
    assert world.column("SELECT n FROM links ORDER BY n") == [5, 6, 7, 8]
    assert world.codes() == {str(oid(n)): "orphan" for n in (1, 2, 3, 4)}
    assert world.rows("SELECT x, link_id IS NULL FROM link_kids ORDER BY x") == [
        (5, True),
        (6, True),
        (7, True),
        (8, True),
        (50, False),
        (60, False),
        (70, False),
        (80, False),
    ]
    ledger = world.rows("SELECT table_name, column_name, old_id_text, action, row_position FROM isthmus.orphan")
    assert sorted(row for row in ledger if row[0] == "links") == [
        ("links", "next_id", str(oid(n)), "dead_letter", None) for n in (2, 3, 4, 99)
    ]
    assert (
        sorted(row for row in ledger if row[0] == "link_kids")
        == [("link_kids", "link_id", str(oid(1)), "null", [0])] * 4
    )
    assert (
        sorted(row for row in ledger if row[0] == "link_pairs")
        == [("link_pairs", "near_id", str(oid(2)), "drop", None)] * 4
    )
    assert world.one("SELECT count(*) FROM link_pairs") == 4 + 3  # 6 is named by all four, and by itself once
    assert result.balance is not None
    assert result.balance.references["links.next_id"].refused == 4


def test_circle_through_a_dead_letter_takes_all_of_it(world: World) -> None:
    # 1 → 2 → 3 → 1 and 3 is refused while loading: nobody of the circle can stay
    documents = [{"_id": oid(n), "n": n, "next": oid(n % 3 + 1)} for n in (1, 2)]
    world.write({"Links": [*documents, {"_id": oid(3), "n": "no number", "next": oid(1)}]})
    result = world.copy(CHAIN)
    balanced(result)
    assert world.codes() == {str(oid(1)): "orphan", str(oid(2)): "orphan", str(oid(3)): "type"}
    assert world.one("SELECT count(*) FROM links") == 0


def test_duplicate_that_leaves_makes_orphans_of_what_refers_to_it(world: World) -> None:
    mapping = """
    isthmus: 1
    collections:
      Users: {fields: {email: {type: text, unique: true}}}
      Posts: {fields: {n: integer, user: {references: Users, required: true}}}
      Likes: {fields: {n: integer, post: {references: Posts, on_orphan: "null"}}}
    """
    world.write(
        {
            "Users": [{"_id": oid(1), "email": "x"}, {"_id": oid(2), "email": "x"}],
            "Posts": [{"_id": oid(11), "n": 1, "user": oid(1)}, {"_id": oid(12), "n": 2, "user": oid(2)}],
            "Likes": [{"_id": oid(21), "n": 1, "post": oid(11)}, {"_id": oid(22), "n": 2, "post": oid(12)}],
        }
    )
    result = world.copy(mapping)
    balanced(result)
    assert world.codes() == {str(oid(2)): "duplicate-key", str(oid(12)): "orphan"}
    assert world.rows("SELECT n, post IS NULL FROM likes ORDER BY n") == [(1, False), (2, True)]


JSONB = """
isthmus: 1
collections:
  Docs:
    fields:
      n: integer
      people: {type: jsonb, rewrite: {"[].user.id": Users, "owner": Users}}
  Users: {fields: {}}
"""


def test_ids_inside_jsonb_are_rewritten_and_orphans_there_are_kept_and_listed(world: World) -> None:
    world.write(
        {
            "Docs": [
                {"_id": oid(1), "n": 1, "people": [{"user": {"id": oid(10)}, "x": 1}, {"user": {"id": oid(98)}}, {}]},
                {"_id": oid(2), "n": 2, "people": {"owner": oid(10)}},
                {"_id": oid(3), "n": 3, "people": {"owner": None}},
                {"_id": oid(4), "n": 4, "people": [{"user": {"id": str(oid(10))}}]},
            ],
            "Users": [{"_id": oid(10)}],
        }
    )
    result = world.copy(JSONB)
    balanced(result)
    user = str(world.one("SELECT id FROM users"))
    assert world.one("SELECT people->0->'user'->>'id' FROM docs WHERE n = 1") == user
    assert world.one("SELECT people->0->>'x' FROM docs WHERE n = 1") == "1"
    assert world.one("SELECT people->>'owner' FROM docs WHERE n = 2") == user
    assert world.one("SELECT people FROM docs WHERE n = 3") == {"owner": None}
    assert world.one("SELECT people->0->'user'->>'id' FROM docs WHERE n = 4") == user
    ((table, column, old, action, _),) = world.orphans()
    assert (table, old, action) == ("docs", str(oid(98)), "kept")
    assert column.startswith("people.")
    assert result.balance is not None
    books = result.balance.references["docs.people.[].user.id"]
    assert (books.values, books.resolved, books.orphans) == (3, 2, 1)


BOTH = """
isthmus: 1
collections:
  Docs: {fields: {n: integer, tasks: {junction: docs_to_tasks}}}
  Tasks: {fields: {n: integer, docs: {junction: docs_to_tasks}}}
junctions: {docs_to_tasks: {doc_id: Docs, task_id: Tasks}}
"""


def test_both_sides_of_a_junction_are_one_union(world: World) -> None:
    # docs 1…3 name tasks; tasks 11…13 name docs back: some pairs from both sides, some from one, some to nobody
    world.write(
        {
            "Docs": [
                {"_id": oid(1), "n": 1, "tasks": [oid(11), oid(12), oid(11)]},
                {"_id": oid(2), "n": 2, "tasks": [oid(99)]},
                {"_id": oid(3), "n": 3, "tasks": None},
            ],
            "Tasks": [
                {"_id": oid(11), "n": 11, "docs": [oid(1), oid(3)]},
                {"_id": oid(12), "n": 12},
                {"_id": oid(13), "n": 13, "docs": [oid(98), oid(1)]},
            ],
        }
    )
    result = world.copy(BOTH)
    balanced(result)
    pairs = world.rows(
        "SELECT d.n, t.n FROM docs_to_tasks JOIN docs d ON d.id = doc_id JOIN tasks t ON t.id = task_id ORDER BY 1, 2"
    )
    assert pairs == [(1, 11), (1, 12), (1, 13), (3, 11)]
    assert result.balance is not None
    assert result.balance.junctions == {"docs_to_tasks": 4}
    assert result.balance.merged_pairs == {"docs_to_tasks": 1}
    assert {(column, old, action) for _, column, old, action, _ in world.orphans()} == {
        ("task_id", str(oid(99)), "drop"),
        ("doc_id", str(oid(98)), "drop"),
    }
    assert result.exit_code == 1
    waiting = "SELECT tablename FROM pg_tables WHERE schemaname = 'isthmus' AND tablename LIKE 'pairs%'"
    assert world.column(waiting) == []


def test_stated_drop_of_pairs_makes_exit_zero_and_dead_letter_refuses_the_holder(world: World) -> None:
    world.write(
        {
            "Docs": [{"_id": oid(1), "n": 1, "tasks": [oid(99), oid(11)]}],
            "Tasks": [{"_id": oid(11), "n": 11, "docs": [oid(1)]}],
        }
    )
    stated = BOTH.replace(
        "{doc_id: Docs, task_id: Tasks}", "{columns: {doc_id: Docs, task_id: Tasks}, on_orphan: drop}"
    )
    result = world.copy(stated)
    balanced(result)
    assert result.exit_code == 0
    refused = stated.replace("on_orphan: drop", "on_orphan: dead_letter")
    result = world.copy(refused, fresh=True)
    balanced(result)
    # the document that holds the orphan goes; then the task's pair to it is an orphan too, and the task goes
    assert world.codes() == {str(oid(1)): "orphan", str(oid(11)): "orphan"}
    assert {letter.path for letter in world.letters()} == {"tasks", "docs"}
    assert world.one("SELECT count(*) FROM docs_to_tasks") == 0


def test_junction_within_one_collection_keeps_its_direction(world: World) -> None:
    mapping = """
    isthmus: 1
    collections:
      P:
        fields:
          n: integer
          follows: {junction: follows, own: follower}
          followers: {junction: follows, own: followed}
    junctions: {follows: {follower: P, followed: P}}
    """
    world.write(
        {
            "P": [
                {"_id": oid(1), "n": 1, "follows": [oid(2), oid(3)]},
                {"_id": oid(2), "n": 2, "followers": [oid(1), oid(3)]},
                {"_id": oid(3), "n": 3, "follows": [oid(3)]},
            ]
        }
    )
    result = world.copy(mapping)
    balanced(result)
    pairs = world.rows(
        "SELECT a.n, b.n FROM follows JOIN p a ON a.id = follower JOIN p b ON b.id = followed ORDER BY 1, 2"
    )
    assert pairs == [(1, 2), (1, 3), (3, 2), (3, 3)]
    assert result.balance is not None
    assert result.balance.merged_pairs == {"follows": 1}
    assert result.exit_code == 0


def test_every_shape_of_a_reference_resolves_or_is_refused(world: World) -> None:
    world.write(
        {
            "A": [
                {"_id": 1, "b": oid(10)},
                {"_id": 2, "b": str(oid(10)).upper()},
                {"_id": 3, "b": bson.DBRef("B", oid(10))},
                {"_id": 4, "b": bson.DBRef("C", oid(10))},
                {"_id": 5, "b": [oid(10)]},
                {"_id": 6, "b": None},
                {"_id": 7},
                {"_id": 8, "b": "text id"},
                {"_id": 9, "b": "no such text"},
            ],
            "B": [{"_id": oid(10)}, {"_id": "text id"}],
        }
    )
    result = world.copy(
        'isthmus: 1\ncollections: {A: {fields: {b: {references: B, on_orphan: "null"}}}, B: {fields: {}}}\n'
    )
    balanced(result)
    assert world.codes() == {'{"$numberInt":"4"}': "wrong-collection", '{"$numberInt":"5"}': "type"}
    assert world.orphans() == [("a", "b", "no such text", "null", False)]
    assert world.one("SELECT count(b) FROM a") == 4
