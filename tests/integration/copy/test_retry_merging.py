"""Dead letters that are one thing with a document in the target (`on_duplicate: merge`), and references to such.

Oracle: what was planted, joined by hand; the books, drawn anew from the target behind every retry (`retrying`).
"""

from __future__ import annotations

import bson
import pytest

from tests.integration.copy.carrying import World, balanced, listening, oid
from tests.integration.copy.retrying import retry

PEOPLE = """
isthmus: 1
collections:
  people:
    on_duplicate: merge
    fields:
      mail: {type: text!, unique: true, normalise: [trim, lower]}
      n: {type: integer, coerce: COERCE}
      name: text
      city: {type: text, sensitive: true}
      boss: {column: boss_id, references: people, on_orphan: "null"}
      mate: {column: mate_id, references: people, on_orphan: dead_letter}
      tags: {child: tags, fields: {word: text, parts: {child: parts, fields: {n: integer}}}}
      groups: {junction: members}
  groups: {fields: {name: text}}
  notes:
    fields:
      n: {type: integer, coerce: COERCE}
      by: {column: by_id, references: people, required: true, on_orphan: dead_letter}
      seen: {type: "uuid[]", references: people, on_orphan: "null"}
      inside: {type: jsonb, rewrite: {"[].who": people}}
      mail: {column: mail_id, references: people.mail, on_orphan: "null"}
      about: {route: {people: person_id, groups: group_id}}
      fans: {junction: fans}
junctions:
  members: {columns: {person_id: people, group_id: groups}, on_orphan: drop}
  fans: {columns: {person_id: people.mail, note_id: notes}, on_orphan: drop}
"""
STRICT, LOOSE = PEOPLE.replace("COERCE", "false"), PEOPLE.replace("COERCE", "true")
GROUPS = [{"_id": oid(50), "name": "g"}, {"_id": oid(51), "name": "h"}]


def row_of(world: World, mail: str) -> object:
    return world.one("SELECT id FROM people WHERE mail = %s", mail)


@pytest.mark.parametrize("batch", [1, 2, 1000])
def test_letters_are_joined_into_the_row_that_has_their_value(
    world: World, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("isthmus.transfer.letters.passes.BATCH_LETTERS", batch)
    world.write(
        {
            "people": [
                {
                    "_id": oid(5),
                    "mail": "a@x",
                    "n": 1,
                    "zip": 1,
                    "tags": [{"word": "a", "parts": [{"n": 1}]}],
                    "groups": [oid(50)],
                },
                {
                    "_id": oid(3),
                    "mail": " A@x",
                    "n": "2",
                    "name": "third",
                    "city": "Rome",
                    "zip": 3,
                    "boss": oid(5),
                    "mate": oid(3),
                    "tags": [{"word": "c"}, {"word": "d", "parts": [{"n": 2}, {"n": 3}]}],
                    "groups": [oid(50), oid(51)],
                },
                {"_id": oid(2), "mail": "A@x ", "n": "4", "name": "second", "boss": oid(4), "tags": [{"word": "e"}]},
                {"_id": oid(4), "mail": "b@x", "n": 4, "boss": oid(3)},
                {"_id": oid(7), "mail": "c@x", "n": "7", "name": "seven"},  # two letters, one mail
                {"_id": oid(8), "mail": "C@x", "n": "8", "name": "eight"},
            ],
            "groups": GROUPS,
            "notes": [
                {
                    "_id": oid(10),
                    "n": 1,
                    "by": oid(3),
                    "seen": [oid(3), oid(4), oid(2)],
                    "mail": "A@x ",
                    "inside": [{"who": oid(3)}, {"who": oid(4)}, {"who": oid(99)}],
                    "about": oid(2),
                    "fans": ["a@x", "c@x"],
                },
                {"_id": oid(11), "n": 2, "by": oid(5), "seen": [oid(3), oid(5)], "inside": [{"who": oid(3)}]},
            ],
        }
    )
    balanced(world.copy(STRICT))
    assert len(world.letters("people")) == 4
    assert world.codes("notes") == {str(oid(10)): "orphan"}
    result = retry(world, LOOSE)
    assert (result.left, result.unrestored) == ([], {})
    assert result.balance is not None
    books = result.balance.collections["people"]
    assert (books.read, books.copied, books.merged, books.dead_letters) == (6, 3, 3, 0)
    one, four, seven = (row_of(world, mail) for mail in ("a@x", "b@x", "c@x"))
    rows = world.rows("SELECT mail, n, name, city, boss_id, mate_id FROM people ORDER BY mail")
    assert rows[1] == ("b@x", 4, None, None, one, None)
    assert rows[0][:4] == ("a@x", 1, rows[0][2], "Rome")
    assert rows[0][2] in {"second", "third"}
    assert rows[0][4] in {one, four}
    assert rows[0][5] == one  # 3's mate was 3, which is 5 now
    assert rows[2][1:3] == (7, "seven")
    assert world.one("SELECT extras FROM people WHERE mail = 'a@x'") == {"zip": 1}
    words = world.rows("SELECT position, word FROM tags ORDER BY 1")
    assert [position for position, _ in words] == [0, 1, 2, 3]
    assert words[0][1] == "a"
    assert "".join(word for _, word in words) in {"acde", "aecd"}
    assert world.rows("SELECT w.word, p.n FROM parts p JOIN tags w ON w.position = p.tags_position ORDER BY 2") == [
        ("a", 1),
        ("d", 2),
        ("d", 3),
    ]
    assert world.rows("SELECT g.name FROM members JOIN groups g ON g.id = group_id ORDER BY 1") == [("g",), ("h",)]
    assert world.rows("SELECT by_id, seen, mail_id, person_id FROM notes WHERE n = 1") == [
        (one, [one, four, one], one, one)
    ]
    inside = world.one("SELECT inside FROM notes WHERE n = 1")
    assert [entry["who"] for entry in inside[:2]] == [str(one), str(four)]
    assert world.rows("SELECT seen FROM notes WHERE n = 2") == [([one, one],)]
    assert world.one("SELECT inside FROM notes WHERE n = 2") == [{"who": str(one)}]
    assert sorted(world.column("SELECT person_id::text FROM fans")) == sorted([str(one), str(seven)])
    assert sorted(world.rows("SELECT id, origin FROM isthmus.id_map")) == sorted(
        [(str(one), "merged"), (str(one), "merged"), (str(seven), "merged")]
    )
    ledger = world.rows("SELECT row_id, differing, action, document FROM isthmus.conflict")
    told = {bson.decode(row[3])["_id"]: row for row in ledger}
    assert {row[2] for row in ledger} == {"merged"}
    assert told[oid(3)][0] == str(one)
    assert told[oid(3)][1]["n"] == {"target": "1", "source": "2"}
    assert {"n", "extras"} <= set(told[oid(3)][1])
    again = retry(world, LOOSE)
    assert (again.tried, again.exit_code) == ({}, 0)
    assert world.copy(LOOSE).repeated


def test_reference_to_a_document_that_was_joined_before_leads_to_the_one_that_stays(world: World) -> None:
    world.write(
        {
            "people": [{"_id": oid(1), "mail": "a@x", "n": 1}, {"_id": oid(2), "mail": "a@x", "n": 2}],
            "groups": GROUPS,
            "notes": [
                {
                    "_id": oid(10),
                    "n": "1",
                    "by": oid(2),
                    "seen": [oid(2), oid(99), oid(1)],
                    "inside": [{"who": oid(2)}],
                    "about": oid(2),
                }
            ],
        }
    )
    balanced(world.copy(STRICT))
    result = retry(world, LOOSE)
    assert (result.left, result.carried) == ([], {"notes": 1})
    one = row_of(world, "a@x")
    assert world.rows("SELECT by_id, seen, person_id, group_id FROM notes") == [(one, [one, None, one], one, None)]
    assert world.one("SELECT inside FROM notes") == [{"who": str(one)}]
    assert world.column("SELECT old_id_text FROM isthmus.orphan") == [str(oid(99))]


def test_what_cannot_be_joined_stays_a_letter(world: World) -> None:
    mapping = """
        isthmus: 1
        collections:
          people:
            on_duplicate: merge
            fields:
              mail: {type: text, unique: true}
              phone: {type: text, unique: true}
              n: {type: integer, coerce: COERCE}
              cars: {child: cars, fields: {plate: {type: text, unique: true}}}
        """
    world.write(
        {
            "people": [
                {"_id": oid(1), "mail": "a", "n": 1, "cars": [{"plate": "p"}]},
                {"_id": oid(2), "phone": "1", "n": 2},
                {"_id": oid(3), "mail": "a", "phone": "1", "n": "3"},  # would be two of them
                {"_id": oid(4), "mail": "a", "n": "4", "cars": [{"plate": "p"}]},  # the plate is taken
                {"_id": oid(5), "mail": "a", "n": "5", "cars": [{"plate": "q"}]},
                {"_id": oid(6), "mail": "a", "n": 6},
                {"_id": oid(6), "mail": "z", "n": "7"},  # the _id of one that was joined
            ]
        }
    )
    balanced(world.copy(mapping.replace("COERCE", "false"), workers=1))
    result = retry(world, mapping.replace("COERCE", "true"))
    assert result.carried == {"people": 1}
    codes = sorted((int(bson.decode(one.document)["n"]), one.code) for one in world.letters())
    assert codes == [(3, "duplicate-key"), (4, "duplicate-key"), (7, "duplicate-id")]
    assert world.rows("SELECT mail, phone, n FROM people ORDER BY n") == [("a", None, 1), (None, "1", 2)]
    assert world.rows("SELECT position, plate FROM cars ORDER BY 1") == [(0, "p"), (1, "q")]


def test_join_that_is_undone_at_its_commit_is_done_once(world: World) -> None:
    world.write(
        {
            "people": [{"_id": oid(1), "mail": "a@x", "n": 1}, {"_id": oid(2), "mail": "a@x", "n": "2", "name": "x"}],
            "groups": GROUPS,
            "notes": [],
        }
    )
    balanced(world.copy(STRICT))
    died: list[str] = []

    def die(stage: str) -> None:
        if stage.startswith("retry.") and stage not in died:
            died.append(stage)
            raise KeyboardInterrupt

    for _ in range(20):
        try:
            with listening(die):
                result = retry(world, LOOSE)
            break
        except KeyboardInterrupt:
            pass
    assert {"retry.before-commit", "retry.after-commit"} <= set(died)
    result = retry(world, LOOSE)
    assert result.balance is not None
    assert (result.balance.collections["people"].merged, result.left) == (1, [])
    assert world.rows("SELECT mail, n, name FROM people") == [("a@x", 1, "x")]


def test_elements_of_a_joined_document_are_set_again_only_in_the_array_that_is_its_own(world: World) -> None:
    world.write(
        {
            "people": [
                {"_id": oid(1), "mail": "a", "n": 1},
                {"_id": oid(2), "mail": "a", "n": 1, "seen": [oid(9), oid(1)]},
                {"_id": oid(3), "mail": "b", "n": 3, "seen": [oid(99), oid(3)]},
                {"_id": oid(4), "mail": "b", "n": 3, "seen": [oid(9), oid(3)]},
                {"_id": oid(9), "mail": "c", "n": "9"},
            ],
            "groups": GROUPS,
            "notes": [],
        }
    )
    begun, corrected = (
        text.replace(
            "      name: text\n",
            '      name: text\n      seen: {type: "uuid[]", references: people, on_orphan: "null"}\n',
            1,
        )
        for text in (STRICT, LOOSE)
    )
    balanced(world.copy(begun))
    result = retry(world, corrected)
    assert (result.restored, result.unrestored) == ({"people.seen": 1}, {"people.seen": 1})
    a, b, c = (row_of(world, mail) for mail in "abc")
    assert world.rows("SELECT seen FROM people ORDER BY mail") == [([c, a],), ([None, b],), (None,)]


INSIDE = """
isthmus: 1
ids: keep
collections:
  people:
    on_duplicate: merge
    fields:
      _id: KIND
      mail: {type: text, unique: true}
      n: {type: integer, coerce: COERCE}
  notes: {fields: {_id: integer, inside: {type: jsonb, rewrite: {"[].who": people}}}}
"""


@pytest.mark.parametrize(
    ("kind", "ids"),
    [
        ("text", ("a", "b", "c")),
        ("text", ("1", "2", "3")),
        ("bigint", (1, 2, 3)),
    ],
)
def test_ids_inside_jsonb_lead_to_the_row_that_a_letter_is_joined_into(
    world: World, kind: str, ids: tuple[object, object, object]
) -> None:
    lost, kept, other = ids
    text = INSIDE.replace("KIND", kind)
    inside = [{"who": lost, "said": lost}, {"who": other}, lost, {"who": lost}, {"who": other}]
    world.write(
        {
            "people": [
                {"_id": lost, "mail": "m", "n": "1"},
                {"_id": kept, "mail": "m", "n": 2},
                {"_id": other, "mail": "o", "n": "3"},
            ],
            "notes": [{"_id": 1, "inside": inside}],
        }
    )
    balanced(world.copy(text.replace("COERCE", "false")))
    result = retry(world, text.replace("COERCE", "true"))
    assert (result.left, result.unrestored, world.orphans()) == ([], {}, [])
    there = world.one("SELECT inside FROM notes")
    assert there == [{**one, "who": kept} if one in (inside[0], inside[3]) else one for one in inside]  # pyright: ignore[reportGeneralTypeIssues]
