"""Dead letters that are retried with a corrected mapping: what fits is carried, the rest stays with fresh causes.

Oracles: the planted documents; the books, drawn anew from the target behind every retry (`retrying`). Cannot see: what
becomes of a retry that is killed, which tests/chaos looks at.
"""

from __future__ import annotations

import random
import string
import threading

import bson
import psycopg
import pytest

from isthmus.errors import ConfigError, TargetError
from isthmus.state.lease import Lease
from tests.integration.copy.carrying import World, balanced, listening, oid
from tests.integration.copy.retrying import as_copied_anew, retry, true_books

PLAIN = """
isthmus: 1
collections:
  Things:
    skip: [{when: {old: true}, why: old}]
    fields: {n: integer, text: text, day: {column: day, type: text!}}
"""
MENDED = """
isthmus: 1
collections:
  Things:
    skip: [{when: {old: true}, why: old}, {when: {bad: true}, why: bad}]
    fields:
      n: {type: integer, coerce: true}
      text: {type: text, policies: {nul: remove}}
      day: {column: day, type: text!, default: today}
"""


def plain(world: World) -> None:
    world.write(
        {
            "Things": [
                {"_id": oid(1), "n": 1, "text": "fits", "day": "a"},
                {"_id": oid(2), "n": "2", "text": "coerced", "day": "a"},
                {"_id": oid(3), "n": 3, "text": "a\0b", "day": "a"},
                {"_id": oid(4), "n": 4, "text": "no day"},
                {"_id": oid(5), "n": "no number", "text": "stays", "day": "a", "more": 1},
                {"_id": oid(6), "n": "no number", "bad": True, "day": "a"},
                {"_id": oid(7), "n": 7, "old": True},
                {"_id": "text", "n": 8, "day": "a"},
                {"_id": oid(9), "n": True, "text": 9, "day": "a"},
            ]
        }
    )
    balanced(world.copy(PLAIN))
    assert len(world.letters()) == 6


def test_what_fits_is_carried_and_the_rest_has_fresh_causes(world: World) -> None:
    plain(world)
    before = {letter.source_id: letter for letter in world.letters()}
    kept = world.rows("SELECT xmin, ctid FROM things WHERE n = 1")
    result = retry(world, MENDED)
    assert (result.outcome, result.exit_code) == ("complete", 1)
    assert (result.tried, result.carried, result.skipped) == ({"Things": 6}, {"Things": 3}, {"Things": 1})
    assert world.rows("SELECT n, text, day FROM things ORDER BY n") == [
        (1, "fits", "a"),
        (2, "coerced", "a"),
        (3, "ab", "a"),
        (4, "no day", "today"),
        (8, None, "a"),
    ]
    assert world.rows("SELECT xmin, ctid FROM things WHERE n = 1") == kept
    after = {letter.source_id: letter for letter in world.letters()}
    assert {one: letter.code for one, letter in after.items()} == {str(oid(5)): "type", str(oid(9)): "type"}
    assert after[str(oid(9))].document == before[str(oid(9))].document
    assert [cause["path"] for cause in before[str(oid(9))].causes] == ["n", "text"]
    assert [cause["path"] for cause in after[str(oid(9))].causes] != []
    assert result.left == [("Things", "convert", "type", 2)]
    assert world.rows("SELECT column_name, kind FROM isthmus.adjustment") == [("text", "nul_removed")]
    assert result.balance is not None
    assert result.balance.skips == {"old": 1, "bad": 1}


def test_second_retry_changes_nothing_and_a_copy_with_either_mapping_compares_only(world: World) -> None:
    plain(world)
    retry(world, MENDED)
    rows = world.rows("SELECT xmin, ctid, id FROM isthmus.dead_letter UNION ALL SELECT xmin, ctid, 0 FROM things")
    run = world.rows("SELECT balance, retries, told_at FROM isthmus.run")
    result = retry(world, MENDED)
    assert (result.tried, result.carried, result.exit_code) == ({"Things": 2}, {}, 1)
    assert rows == world.rows(
        "SELECT xmin, ctid, id FROM isthmus.dead_letter UNION ALL SELECT xmin, ctid, 0 FROM things"
    )
    assert run == world.rows("SELECT balance, retries, told_at FROM isthmus.run")
    for mapping in (PLAIN, MENDED):
        copied = world.copy(mapping)
        assert (copied.repeated, copied.outcome, bool(copied.changes)) == (True, "complete", False)
        assert copied.balance is not None
        assert copied.balance.collections["Things"].dead_letters == 2
    with pytest.raises(ConfigError) as caught:
        world.copy(MENDED.replace("today", "tomorrow"))
    assert caught.value.code == "mapping-changed"


def test_retry_of_a_code_leaves_the_other_letters_alone(world: World) -> None:
    plain(world)
    result = retry(world, MENDED, code="nul")
    assert (result.tried, result.carried) == ({"Things": 1}, {"Things": 1})
    assert len(world.letters()) == 5
    assert retry(world, MENDED, collection="Nothing").tried == {}


REFERRING = """
isthmus: 1
collections:
  Teams: {fields: {name: text!, n: {type: integer, coerce: COERCE}}}
  People:
    fields:
      name: {type: text, unique: true}
      n: {type: integer, coerce: COERCE}
      team: {column: team_id, references: Teams, required: true, on_orphan: dead_letter}
      friend: {column: friend_id, references: People, on_orphan: "null"}
      mate: {column: mate_id, references: People, on_orphan: dead_letter}
      seen: {type: jsonb, rewrite: {"[].who": People}}
      steps: {child: steps, fields: {at: integer, by: {column: by_id, references: People, on_orphan: "null"}}}
      likes: {junction: likes}
      fans: {junction: fans}
  Posts: {fields: {n: {type: integer, coerce: COERCE}, fans: {junction: fans}}}
junctions:
  likes: {columns: {person_id: People, post_id: Posts}, on_orphan: drop}
  fans: {columns: {person_id: People, post_id: Posts}, on_orphan: drop}
"""
STRICT, LOOSE = REFERRING.replace("COERCE", "false"), REFERRING.replace("COERCE", "true")


def person(number: int, team: int = 1, **more: object) -> dict[str, object]:
    return {"_id": oid(number), "name": f"p{number}", "n": number, "team": oid(team), **more}


def test_references_undone_for_a_letter_are_set_again_everywhere(world: World) -> None:
    late = person(50, n="50", friend=oid(10), likes=[oid(90), oid(91)], fans=[oid(90), oid(91), oid(77)])
    world.write(
        {
            "Teams": [{"_id": oid(1), "name": "one"}],
            "People": [
                person(10, friend=oid(50), seen=[{"who": oid(50)}, {"who": oid(10)}, {"who": oid(98)}]),
                person(11, friend=oid(99), steps=[{"at": 1, "by": oid(50)}, {"at": 2, "by": oid(99)}]),
                late,
            ],
            "Posts": [
                {"_id": oid(90), "n": 1, "fans": [oid(50), oid(10)]},
                {"_id": oid(91), "n": "2", "fans": [oid(50)]},
            ],
        }
    )
    balanced(world.copy(STRICT))
    assert world.codes() == {str(oid(50)): "type", str(oid(91)): "type"}
    assert len(world.orphans()) == 7
    result = retry(world, LOOSE)
    assert (result.exit_code, result.left, result.carried) == (0, [], {"People": 1, "Posts": 1})
    assert world.one("SELECT count(*) FROM people WHERE friend_id IS NOT NULL") == 2
    ids = dict(world.rows("SELECT n, id::text FROM people"))
    assert world.rows("SELECT p.n, f.n FROM people p JOIN people f ON f.id = p.friend_id ORDER BY 1") == [
        (10, 50),
        (50, 10),
    ]
    assert world.rows("SELECT at, by_id::text FROM steps ORDER BY at") == [(1, ids[50]), (2, None)]
    pairs = (
        "SELECT p.n, o.n FROM {} x JOIN people p ON p.id = x.person_id JOIN posts o ON o.id = x.post_id ORDER BY 1, 2"
    )
    assert world.rows(pairs.format("likes")) == [(50, 1), (50, 2)]
    assert world.rows(pairs.format("fans")) == [(10, 1), (50, 1), (50, 2)]
    assert sorted(world.orphans()) == [
        ("fans", "post_id", str(oid(77)), "drop", False),
        ("people", "friend_id", str(oid(99)), "null", False),
        ("people", "seen.[].who", str(oid(98)), "kept", False),
        ("steps", "by_id", str(oid(99)), "null", False),
    ]
    assert result.balance is not None
    assert result.balance.merged_pairs["fans"] == 2
    assert result.restored == {"people.friend_id": 1, "people.seen.[].who": 1, "steps.by_id": 1, "fans.person_id": 2}
    as_copied_anew(world, LOOSE)


def test_what_somebody_wrote_meanwhile_is_not_overwritten(world: World) -> None:
    world.write(
        {
            "Teams": [{"_id": oid(1), "name": "one"}],
            "People": [*(person(n, friend=oid(50)) for n in (10, 11, 12)), person(50, n="50")],
            "Posts": [{"_id": oid(90), "n": 1, "fans": [oid(50)]}, {"_id": oid(91), "n": 2, "fans": [oid(50)]}],
        }
    )
    balanced(world.copy(STRICT))
    world.rows("UPDATE people SET friend_id = (SELECT id FROM people WHERE n = 12) WHERE n = 10")
    world.rows("DELETE FROM people WHERE n = 11")
    world.rows("DELETE FROM posts WHERE n = 1")
    with pytest.raises(AssertionError):  # what others wrote is in the tables and in no books
        true_books(world, STRICT)
    with pytest.raises(AssertionError):
        retry(world, LOOSE)
    assert world.rows("SELECT p.n, f.n FROM people p JOIN people f ON f.id = p.friend_id ORDER BY 1") == [
        (10, 12),
        (12, 50),
    ]
    assert world.one("SELECT count(*) FROM fans") == 1
    assert world.one("SELECT count(*) FROM isthmus.orphan") == 3
    stored = world.one("SELECT balance FROM isthmus.run")
    assert stored["differences"] == []
    assert stored["references"]["people.friend_id"]["actions"] == {"null": 2}
    assert stored["collections"]["People"]["dead_letters"] == 0


@pytest.mark.parametrize("batch", [1, 3, 1000])
def test_letters_that_need_each_other_are_carried_in_several_passes_and_circles(
    world: World, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("isthmus.transfer.letters.passes.BATCH_LETTERS", batch)
    chain = [person(n, n=str(n), mate=oid(n + 1), team=2) for n in range(10, 20)]
    ring = [person(n, n=str(n), mate=oid(30 + (n - 29) % 4)) for n in range(30, 34)]
    world.write(
        {
            "Teams": [{"_id": oid(1), "name": "one"}, {"_id": oid(2), "name": "two", "n": "2"}],
            "People": [
                *chain,
                person(20, n="20", team=2),
                *ring,
                person(40, n="40", mate=oid(30)),  # hangs on the ring
                person(50, n="50", mate=oid(51)),  # a circle, broken by one that lacks a team
                person(51, n="51", mate=oid(50), team=99),
                person(60, n="60", mate=oid(60)),
                person(61, n=61, mate=oid(50)),
            ],
            "Posts": [],
        }
    )
    balanced(world.copy(STRICT))
    assert world.one("SELECT count(*) FROM people") == 0
    result = retry(world, LOOSE)
    assert world.column("SELECT n FROM people ORDER BY n") == [*range(10, 21), *range(30, 34), 40, 60]
    left = {letter.source_id: letter for letter in world.letters()}
    assert {one: letter.code for one, letter in left.items()} == dict.fromkeys(
        [str(oid(n)) for n in (50, 51, 61)], "orphan"
    )
    assert [cause["path"] for cause in left[str(oid(51))].causes] == ["team", "mate"]
    assert result.exit_code == 1
    ledger = world.rows(
        "SELECT column_name, old_id_text FROM isthmus.orphan WHERE action = 'dead_letter' ORDER BY 1, 2"
    )
    assert ledger == [
        ("mate_id", str(oid(50))),
        ("mate_id", str(oid(50))),
        ("mate_id", str(oid(51))),
        ("team_id", str(oid(99))),
    ]
    world.write({"Teams": [{"_id": oid(1), "name": "one"}]})
    world.rows(
        "INSERT INTO teams (id, name) SELECT target_id::uuid, 'made' FROM isthmus.orphan WHERE column_name = 'team_id'"
    )
    with pytest.raises(AssertionError):  # a row that is in no books
        retry(world, LOOSE)
    assert world.letters() == []
    assert world.one("SELECT count(*) FROM people WHERE n >= 50") == 4


FORMS = """
isthmus: 1
collections:
  Cats:
    table: animals
    fields: {name: {type: text, unique: true}, age: {type: integer, coerce: COERCE}, kind: {type: text, default: cat}}
  Dogs:
    table: animals
    fields: {name: {type: text, unique: true}, age: {type: integer, coerce: COERCE}, kind: {type: text, default: dog}}
  Keys: {key: code, fields: {_id: {column: id}, code: text!, n: {type: integer, coerce: COERCE}}}
  Notes:
    fields:
      n: {type: integer, coerce: COERCE}
      about: {route: {Cats: cat_id, Posts: post_id}}
      pets: {column: pet_ids, references: Cats, type: "uuid[]", on_orphan: "null"}
      named: {column: named_id, references: Cats.name}
      code: {column: code, references: Keys.code}
  Posts: {fields: {n: {type: integer, coerce: COERCE}, cats: {junction: cats_posts}}}
junctions:
  cats_posts: {cat_id: Cats.name, post_id: Posts}
"""


def test_references_of_every_form_are_carried_and_set_again(world: World) -> None:
    world.write(
        {
            "Cats": [{"_id": oid(1), "name": "tom", "age": "3"}, {"_id": oid(2), "name": "kit", "age": 1}],
            "Dogs": [{"_id": oid(5), "name": "rex", "age": "7"}],
            "Keys": [{"_id": oid(20), "code": "k", "n": "1"}, {"_id": oid(21), "code": "l", "n": 1}],
            "Notes": [
                {
                    "_id": oid(30),
                    "n": 1,
                    "about": oid(1),
                    "pets": [oid(2), oid(1), oid(99)],
                    "named": "tom",
                    "code": "l",
                },
                {"_id": oid(31), "n": "2", "about": oid(40), "pets": [oid(1)], "named": "kit", "code": "k"},
                {"_id": oid(33), "n": "4", "about": 7, "named": "kit", "code": "no key"},
                {"_id": oid(32), "n": "3", "about": oid(99), "pets": [oid(98), oid(2)], "named": "nobody"},
            ],
            "Posts": [
                {"_id": oid(40), "n": "1", "cats": ["tom", "kit", "nobody"]},
                {"_id": oid(41), "n": 2, "cats": ["tom", "kit"]},
            ],
        }
    )
    begun, corrected = FORMS.replace("COERCE", "false"), FORMS.replace("COERCE", "true")
    balanced(world.copy(begun))
    assert len(world.letters()) == 7
    result = retry(world, corrected)
    assert (result.left, result.untried, result.unrestored) == ([], {}, {})
    assert result.restored == {
        "notes.cat_id|post_id": 1,
        "notes.pet_ids": 1,
        "notes.named_id": 1,
        "cats_posts.cat_id": 1,
    }
    as_copied_anew(world, corrected)


def test_letters_of_tables_that_keep_no_ids_are_tried_as_far_as_they_can_be_told_apart(world: World) -> None:
    mapping = """
        isthmus: 1
        collections:
          Keyed: {key: code, fields: {code: text!, n: {type: integer, coerce: COERCE}}}
          Bare: {key: none, fields: {n: {type: integer, coerce: COERCE}}}
          Pointing: {fields: {n: {type: integer, coerce: COERCE}, keyed: {column: keyed, references: Keyed}}}
    """
    world.write(
        {
            "Keyed": [
                *({"_id": oid(n), "code": f"c{n % 3}", "n": str(n)} for n in range(70, 75)),
                {"_id": oid(75), "code": "c1", "n": 75},
            ],
            "Bare": [{"_id": oid(1), "n": "1"}],
            "Pointing": [{"_id": oid(80), "n": "1", "keyed": oid(75)}],
        }
    )
    balanced(world.copy(mapping.replace("COERCE", "false")))
    result = retry(world, mapping.replace("COERCE", "true"))
    assert (result.carried, result.untried) == ({"Keyed": 2}, {"Bare": 1, "Pointing": 1})
    assert world.column("SELECT n FROM keyed ORDER BY 1") == [71, 72, 75]
    assert {letter.code for letter in world.letters("Keyed")} == {"duplicate-key"}
    assert {letter.code for letter in world.letters("Bare")} == {"type"}


def test_circle_over_two_collections_arrives_together(world: World) -> None:
    mapping = """
        isthmus: 1
        collections:
          A: {fields: {n: {type: integer, coerce: COERCE}, b: {references: B, required: true}}}
          B: {fields: {n: {type: integer, coerce: COERCE}, a: {references: A, required: true}}}
    """
    world.write({"A": [{"_id": oid(1), "n": "1", "b": oid(2)}], "B": [{"_id": oid(2), "n": 2, "a": oid(1)}]})
    balanced(world.copy(mapping.replace("COERCE", "false")))
    result = retry(world, mapping.replace("COERCE", "true"))
    assert (result.exit_code, result.carried) == (0, {"A": 1, "B": 1})


@pytest.mark.parametrize("batch", [1, 1000])
def test_duplicates_are_tried_against_what_is_there(world: World, batch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("isthmus.transfer.letters.passes.BATCH_LETTERS", batch)
    mapping = """
        isthmus: 1
        collections:
          Things:
            fields:
              key: {type: text, unique: true, policies: {nul: POLICY}}
              n: integer
              parts: {child: parts, fields: {mark: {type: text, unique: true}}}
    """
    world.write(
        {
            "Things": [
                {"_id": oid(1), "key": "a", "n": 1, "parts": [{"mark": "m"}]},
                {"_id": oid(2), "key": "a", "n": 2},
                {"_id": oid(1), "key": "b", "n": 3},
                {"_id": oid(4), "key": "c\0", "n": 4},
                {"_id": oid(5), "key": "c\0", "n": 5},
                {"_id": oid(6), "key": "a\0", "n": 6},
                {"_id": oid(7), "key": "d\0", "n": 7, "parts": [{"mark": "x"}, {"mark": "x"}]},
                {"_id": oid(8), "key": "e\0", "n": 8, "parts": [{"mark": "m"}]},
                {"_id": oid(9), "key": "f\0", "n": 9, "parts": [{"mark": "x"}, {"mark": "y"}]},
                {"_id": oid(9), "key": "g\0", "n": 10},
            ]
        }
    )
    balanced(world.copy(mapping.replace("POLICY", "dead_letter"), workers=1))
    assert world.column("SELECT n FROM things") == [1]
    result = retry(world, mapping.replace("POLICY", "remove"))
    assert world.column("SELECT n FROM things ORDER BY n") == [1, 4, 9]
    codes = {int(bson.decode(letter.document)["n"]): letter for letter in world.letters()}
    assert {n: letter.code for n, letter in codes.items()} == {
        2: "duplicate-key",
        3: "duplicate-id",
        5: "duplicate-key",
        6: "duplicate-key",
        7: "duplicate-key",
        8: "duplicate-key",
        10: "duplicate-id",
    }
    assert f"also held by the document {oid(1)}" in codes[8].message
    assert f"also held by the document {oid(4)}" in codes[5].message
    assert "itself holds one mark more than once" in codes[7].message
    assert codes[7].path == "parts.[].mark"
    assert result.left == [("Things", "finish", "duplicate-id", 2), ("Things", "finish", "duplicate-key", 5)]
    world.rows("DELETE FROM things WHERE n = 1")
    with pytest.raises(AssertionError):  # a row of the books is gone
        retry(world, mapping.replace("POLICY", "remove"))
    # of letters that hold one value the one with the lowest number arrives: 6 was refused before 2
    assert world.column("SELECT n FROM things ORDER BY n") == [3, 4, 6, 8, 9]


def test_what_the_server_refuses_is_found_one_by_one_and_its_neighbours_arrive(world: World) -> None:
    mapping = """
        isthmus: 1
        collections:
          Things: {ids: keep, fields: {key: {type: text, unique: true}, n: {type: integer, coerce: COERCE}}}
    """
    long = "".join(random.Random(1).choices(string.ascii_letters, k=9_000))
    world.write(
        {
            "Things": [
                {"_id": f"t{n}", "key": {20: long[:4_000], 21: long}.get(n, f"k{n}"), "n": str(n)} for n in range(40)
            ]
        }
    )
    balanced(world.copy(mapping.replace("COERCE", "false")))
    world.rows("ALTER TABLE things ADD CHECK (n <> 7)")
    result = retry(world, mapping.replace("COERCE", "true"))
    assert result.carried == {"Things": 37}
    letters = {letter.source_id: letter for letter in world.letters()}
    assert {one: (letter.stage, letter.code) for one, letter in letters.items()} == {
        "t7": ("load", "target-refused"),
        "t20": ("finish", "key-too-long"),
        "t21": ("finish", "key-too-long"),
    }
    assert "check constraint" in letters["t7"].message
    assert [letters[one].path for one in ("t20", "t21")] == ["key", ""]  # of the longest the server names no index
    world.rows("ALTER TABLE things DROP CONSTRAINT things_n_check")
    assert retry(world, mapping.replace("COERCE", "true")).carried == {"Things": 1}


def test_references_of_a_carried_letter_follow_the_mapping_of_the_retry(world: World) -> None:
    mapping = """
        isthmus: 1
        collections:
          A: {fields: {n: {type: integer, coerce: COERCE}, b: {references: B ORPHAN}}}
          B: {fields: {}}
    """
    world.write({"A": [{"_id": oid(1), "n": "1", "b": oid(9)}], "B": [{"_id": oid(5)}]})
    balanced(world.copy(mapping.replace("COERCE", "false").replace("ORPHAN", ", on_orphan: dead_letter")))
    loose = mapping.replace("COERCE", "true")
    assert retry(world, loose.replace("ORPHAN", ", on_orphan: dead_letter")).left == [("A", "finish", "orphan", 1)]
    result = retry(world, loose.replace("ORPHAN", ""))
    assert (result.left, result.by_default, result.exit_code) == ([], 1, 1)
    assert world.orphans() == [("a", "b", str(oid(9)), "null", True)]
    assert retry(world, loose.replace("ORPHAN", "")).exit_code == 0, "told before"
    assert [one["carried"] for one in world.one("SELECT retries FROM isthmus.run")] == [{}, {"A": 1}]


OTHER_SHAPES = {
    "type": ("n: integer", "n: bigint", "has the type integer; this mapping wants bigint"),
    "required": ("day: {column: day, type: text!}", "day: {column: day, type: text}", "wants it nullable"),
    "column": ("n: integer, ", "", "column n is not in this mapping"),
    "table": ("  Things:\n", "  Things:\n    table: others\n", "table things is not in this mapping"),
    "ids": ("  Things:\n", "  Things:\n    ids: cuid2\n", "ids of Things are made as uuid"),
    "index": ("n: integer", "n: {type: integer, unique: true}", "is new in this mapping"),
    "schema": ("isthmus: 1", "isthmus: 1\ntarget: {schema: elsewhere}", "are in the schema public"),
}


@pytest.mark.parametrize("case", OTHER_SHAPES)
def test_mapping_that_wants_other_tables_is_refused_with_what_differs(world: World, case: str) -> None:
    plain(world)
    before, after, words = OTHER_SHAPES[case]
    assert before in PLAIN
    state = world.rows("SELECT xmin, lease_token FROM isthmus.run")
    with pytest.raises(ConfigError) as caught:
        retry(world, PLAIN.replace(before, after))
    assert caught.value.code == "other-shape"
    assert any(words in problem.message for problem in caught.value.problems), caught.value.problems
    assert "--fresh" in str(caught.value.hint)
    assert state == world.rows("SELECT xmin, lease_token FROM isthmus.run")


def test_run_that_is_not_complete_is_refused(world: World) -> None:
    def stop(stage: str) -> None:
        if stage == "finish.before-complete":
            raise KeyboardInterrupt

    world.write({"Things": [{"_id": oid(1), "n": "x", "day": "a"}, {"_id": oid(2), "n": 2, "day": "a"}]})
    with pytest.raises(TargetError) as caught:
        retry(world, MENDED)
    assert caught.value.code == "no-run"
    with listening(stop), pytest.raises(KeyboardInterrupt):
        world.copy(PLAIN)
    with pytest.raises(TargetError) as caught:
        retry(world, MENDED)
    assert caught.value.code == "run-unfinished"
    balanced(world.copy(PLAIN))
    retry(world, MENDED)


def test_second_isthmus_is_refused(world: World) -> None:
    plain(world)
    lease = Lease(world.conninfo)
    lease.acquire()
    try:
        with pytest.raises(TargetError) as caught:
            retry(world, MENDED)
        assert caught.value.code == "lease-held"
    finally:
        lease.release()
    assert len(world.letters()) == 6


def test_stop_ends_behind_the_batch_in_hand_and_the_next_call_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("isthmus.transfer.letters.passes.BATCH_LETTERS", 2)
    plain(world)
    stop = threading.Event()

    def listen(stage: str) -> None:
        if stage == "retry.before-commit":
            stop.set()

    with listening(listen):
        result = retry(world, MENDED, stop=stop)
    assert (result.outcome, result.exit_code, sum(result.carried.values())) == ("interrupted", 130, 2)
    result = retry(world, MENDED)
    assert (result.outcome, result.carried, result.skipped) == ("complete", {"Things": 1}, {"Things": 1})


def test_lost_connection_is_waited_for_and_nothing_arrives_twice(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("isthmus.transfer.letters.passes.BATCH_LETTERS", 2)
    plain(world)
    cut: list[str] = []

    def listen(stage: str) -> None:
        if stage in {"retry.before-commit", "retry.after-commit"} and len(cut) < 3:
            cut.append(stage)
            with psycopg.connect(world.conninfo, autocommit=True) as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'isthmus%'"
                    " AND datname = current_database()"
                )

    with listening(listen):
        result = retry(world, MENDED)
    assert len(cut) == 3
    assert (result.carried, result.skipped, result.exit_code) == ({"Things": 3}, {"Things": 1}, 1)
    assert world.notes


def test_what_a_retry_left_that_died_before_it_could_tell_is_news_to_the_next_command(world: World) -> None:
    def die(stage: str) -> None:
        if stage == "retry.after-restore":
            raise KeyboardInterrupt

    plain(world)
    assert world.copy(PLAIN).exit_code == 0, "told before"
    with listening(die), pytest.raises(KeyboardInterrupt):
        retry(world, MENDED)
    assert [one["ended_at"] for one in world.one("SELECT retries FROM isthmus.run")] == [None]
    told = world.copy(MENDED)
    assert (told.repeated, told.told, told.exit_code) == (True, False, 1)
    assert world.copy(PLAIN).exit_code == 0
    assert retry(world, MENDED).carried == {}
    assert [one["ended_at"] is None for one in world.one("SELECT retries FROM isthmus.run")] == [False]


def test_run_without_letters_is_left_as_it_is(world: World) -> None:
    world.write({"Things": [{"_id": oid(1), "n": 1, "day": "a"}]})
    balanced(world.copy(PLAIN))
    result = retry(world, MENDED)
    assert (result.exit_code, result.tried) == (0, {})
    assert world.one("SELECT retries FROM isthmus.run") == []


def test_letter_without_a_whole_document_stays_as_it_is(world: World) -> None:
    good = bson.encode({"_id": oid(1), "n": 1, "day": "a"})
    broken = bson.encode({"_id": oid(2), "n": 2, "day": "a"}).replace(b"\x02day", b"\x42day")
    world.write({"Things": [good, broken]})
    balanced(world.copy(PLAIN))
    world.rows("UPDATE isthmus.dead_letter SET document = '' WHERE false")
    result = retry(world, MENDED)
    assert [(code, count) for _, _, code, count in result.left] == [("bson-type", 1)]
    world.rows("UPDATE isthmus.dead_letter SET document = ''")
    assert retry(world, MENDED).left == result.left
