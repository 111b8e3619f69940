"""References whose column holds the id of what they point at as text (`type: text`, `text[]`).

Oracle: the references planted in the documents, found by the text of the ids; books and rows of retries as in
`retrying`; every layer of verify.
"""

from __future__ import annotations

from typing import Any

import pytest

from isthmus.errors import MappingError
from isthmus.verify.result import LAYERS, Verified
from tests.integration.copy.carrying import World, balanced, listening, oid
from tests.integration.copy.retrying import retry
from tests.integration.verify.made import Made
from tests.integration.verify.test_layers import named, verified

MAPPING = """
isthmus: 1
naming: keep
collections:
  Todo ü's:
    fields:
      n: integer
      who: {column: "W ho", references: Üser, type: text, on_orphan: ACTION, index: true}
      'seen by': {references: Üser, type: "text[]", on_orphan: ELEMENTS, index: true}
      steps:
        child: steps
        fields:
          by: {references: Üser, type: text, on_orphan: "null"}
          all: {references: Üser, type: "text[]", on_orphan: drop}
  Üser: {fields: {n: {type: integer, coerce: COERCE}, boss: {references: Üser, type: text!, on_orphan: dead_letter}}}
"""
NULL = MAPPING.replace("ACTION", '"null"').replace("ELEMENTS", "drop").replace("COERCE", "false")
REFUSE = MAPPING.replace("ACTION", "dead_letter").replace("ELEMENTS", "dead_letter").replace("COERCE", "false")
COLLECTION = "Todo ü's"
TODO = f'"{COLLECTION}"'
USERS: list[dict[str, Any]] = [
    {"_id": oid(10), "n": 10, "boss": oid(10)},
    {"_id": oid(11), "n": 11, "boss": str(oid(10))},
    {"_id": "e'leven", "n": 12, "boss": oid(11)},
]
TODOS: list[dict[str, Any]] = [
    {
        "_id": oid(1),
        "n": 1,
        "who": oid(10),
        "seen by": [oid(11), "e'leven", oid(11)],
        "steps": [{"by": oid(10), "all": [oid(98), oid(10)]}, {"by": oid(98)}],
    },
    {"_id": oid(2), "n": 2, "who": str(oid(11)), "seen by": [oid(99), None, oid(10)]},
    {"_id": oid(3), "n": 3, "who": "e'leven", "seen by": []},
    {"_id": oid(4), "n": 4, "who": oid(99), "seen by": [oid(99)]},
    {"_id": oid(5), "n": 5},
]


class _EndedError(Exception):
    """What ends a copy on the way."""


def carried(world: World, mapping: str, users: list[dict[str, Any]] | None = None) -> None:
    world.write({COLLECTION: TODOS, "Üser": users or USERS})
    result = world.copy(mapping)
    balanced(result)


def by_number(world: World) -> list[tuple[Any, ...]]:
    """Return the to-dos with the numbers of users in place of the ids' texts."""
    known: dict[Any, Any] = dict(world.rows('SELECT id::text, n FROM "Üser"'))
    return [
        (n, who and known[who], seen if seen is None else [one and known[one] for one in seen])
        for n, who, seen in world.rows(f'SELECT n, "W ho", "seen by" FROM {TODO} ORDER BY n')
    ]


def all_layers(world: World, mapping: str) -> Verified:
    return verified(Made(world.conninfo, world.folder, mapping), LAYERS)


def test_columns_hold_the_text_of_the_ids_without_a_foreign_key(world: World) -> None:
    carried(world, NULL)
    assert by_number(world) == [(1, 10, [11, 12, 11]), (2, 11, [None, 10]), (3, 12, []), (4, None, []), (5, None, None)]
    steps = world.rows('SELECT u.n, "all" FROM steps LEFT JOIN "Üser" u ON u.id::text = by ORDER BY position')
    assert [(steps[0][0], len(steps[0][1])), steps[1]] == [(10, 1), (None, None)]
    types = world.rows(
        "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
        " WHERE attname IN ('W ho', 'seen by', 'boss')"
        " AND attrelid IN (SELECT oid FROM pg_class WHERE relkind = 'r') ORDER BY 1"
    )
    assert types == [("W ho", "text"), ("boss", "text"), ("seen by", "text[]")]
    keys = world.column(
        "SELECT conname FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace"
    )
    assert keys == [f"steps_{COLLECTION}_id_fkey"]
    assert sorted(world.orphans()) == sorted(
        [
            (COLLECTION, "W ho", str(oid(99)), "null", False),
            *[(COLLECTION, "seen by", str(oid(99)), "drop", False)] * 2,
            ("steps", "all", str(oid(98)), "drop", False),
            ("steps", "by", str(oid(98)), "null", False),
        ]
    )
    result = all_layers(world, NULL)
    assert result.passed, result.differences
    assert world.copy(NULL).exit_code == 0


def test_an_orphan_in_a_required_column_is_a_dead_letter(world: World) -> None:
    carried(world, REFUSE, [*USERS, {"_id": oid(13), "n": 13, "boss": oid(97)}])
    assert world.codes() == {str(oid(n)): "orphan" for n in (2, 4, 13)}
    assert by_number(world) == [(1, 10, [11, 12, 11]), (3, 12, []), (5, None, None)]
    result = all_layers(world, REFUSE)
    assert result.passed, result.differences


def test_a_dead_letter_that_is_carried_later_is_found_again(world: World) -> None:
    carried(world, NULL, [*USERS, {"_id": oid(99), "n": "99", "boss": oid(10)}])
    assert world.codes() == {str(oid(99)): "type"}
    result = retry(world, NULL.replace("coerce: false", "coerce: true"))
    assert (result.left, result.unrestored) == ([], {f"{COLLECTION}.seen by": 2} if result.unrestored else {})
    rows = by_number(world)
    assert rows[3][1] == 99
    assert rows[0] == (1, 10, [11, 12, 11])


def test_what_points_at_a_joined_user_points_at_the_one_that_stays(world: World) -> None:
    merging = NULL.replace("Üser: {fields: {n: {", "Üser: {on_duplicate: merge, fields: {n: {unique: true, ")
    twin = {"_id": oid(21), "n": 11, "boss": oid(21)}
    world.write(
        {
            COLLECTION: [
                {"_id": oid(1), "n": 1, "who": oid(21), "seen by": [oid(21), oid(10), None, oid(99)]},
                {"_id": oid(2), "n": 2, "who": oid(11), "seen by": [oid(11)]},
            ],
            "Üser": [*USERS, twin],
        }
    )
    balanced(world.copy(merging))
    assert by_number(world) == [(1, 11, [11, 10, None]), (2, 11, [11])]
    assert world.one('SELECT count(*) FROM "Üser" u JOIN "Üser" b ON b.id::text = u.boss') == 3
    result = all_layers(world, merging)
    assert result.passed, result.differences


def test_a_letter_that_points_at_a_joined_user(world: World) -> None:
    text = NULL.replace("Üser: {fields: {n: {", "Üser: {on_duplicate: merge, fields: {n: {unique: true, ")
    world.write(
        {
            COLLECTION: [{"_id": oid(1), "n": "1", "who": oid(21), "seen by": [oid(21), oid(10)]}],
            "Üser": [*USERS, {"_id": oid(21), "n": 11, "boss": oid(10)}],
        }
    )
    balanced(world.copy(text))
    retry(world, text.replace("n: integer", "n: {type: integer, coerce: true}"))
    assert by_number(world) == [(1, 11, [11, 10])]


DAMAGE = {
    "another user": (f'UPDATE {TODO} SET "W ho" = (SELECT id::text FROM "Üser" WHERE n = 11) WHERE n = 1', "W ho"),
    "nobody": (f'UPDATE {TODO} SET "W ho" = gen_random_uuid()::text WHERE n = 1', "W ho"),
    "no id": (f"UPDATE {TODO} SET \"W ho\" = 'it''s Ann' WHERE n = 1", "W ho"),
    "other case": (f'UPDATE {TODO} SET "W ho" = upper("W ho") WHERE n = 1', "W ho"),
    "null": (f'UPDATE {TODO} SET "W ho" = NULL WHERE n = 1', "W ho"),
    "element": (f"UPDATE {TODO} SET \"seen by\"[2] = 'nobody' WHERE n = 1", "seen by"),
    "element less": (f'UPDATE {TODO} SET "seen by" = "seen by"[2:] WHERE n = 1', "seen by"),
}
NO_REFERENCE = {"another user"}
"""What the layer references does not see: the others lead nowhere, or are fewer than the books say."""


def test_damage_is_named(world: World) -> None:
    carried(world, NULL)
    for name, (statement, column) in DAMAGE.items():
        world.rows(f"CREATE TABLE kept AS SELECT * FROM {TODO}")
        world.rows(statement)
        result = all_layers(world, NULL)
        expected = {(COLLECTION, column)}
        assert named(result, "checksum") == expected == named(result, "samples"), name
        assert named(result, "references") == (set() if name in NO_REFERENCE else expected), name
        world.rows(
            f'UPDATE {TODO} t SET "W ho" = k."W ho", "seen by" = k."seen by" FROM kept k WHERE k.id = t.id;'
            " DROP TABLE kept"
        )
    world.rows(f'ALTER TABLE {TODO} ALTER COLUMN "W ho" TYPE uuid USING "W ho"::uuid')
    assert named(all_layers(world, NULL), "schema")


@pytest.mark.parametrize("stage", ["finish.orphans-before-commit", "finish.orphans-after-commit", "begin.after-commit"])
def test_a_copy_that_ended_on_the_way_goes_on(world: World, stage: str) -> None:
    world.write({COLLECTION: TODOS, "Üser": USERS})

    def end(reached: str) -> None:
        if reached == stage:
            raise _EndedError

    with listening(end), pytest.raises(_EndedError):
        world.copy(NULL)
    balanced(world.copy(NULL))
    assert [row[1] for row in by_number(world)] == [10, 11, 12, None, None]


THERE = """
CREATE TABLE "Üser" (id TEXTUAL PRIMARY KEY, n integer, boss text NOT NULL);
CREATE TABLE "Todo ü's" (id uuid PRIMARY KEY, n integer, "W ho" text, "seen by" text[]);
CREATE TABLE steps ("Todo ü's_id" uuid REFERENCES "Todo ü's", position integer, by text, "all" text[],
  PRIMARY KEY ("Todo ü's_id", position));
"""


@pytest.mark.parametrize("kind", ["uuid", "text"])
def test_tables_that_exist_take_them(world: World, kind: str) -> None:
    existing = NULL.replace("naming: keep", "naming: keep\ntarget: {tables: existing}")
    world.rows(THERE.replace("TEXTUAL", kind))
    carried(world, existing)
    assert by_number(world) == [(1, 10, [11, 12, 11]), (2, 11, [None, 10]), (3, 12, []), (4, None, []), (5, None, None)]
    result = all_layers(world, existing)
    assert result.passed, result.differences
    world.rows(f"UPDATE {TODO} SET \"W ho\" = 'it''s Ann' WHERE n = 1")
    assert named(all_layers(world, existing), "references") == {(COLLECTION, "W ho")}


def test_matched_rows_that_exist_are_what_they_point_at(world: World) -> None:
    existing = NULL.replace("naming: keep", "naming: keep\ntarget: {tables: existing}").replace(
        "Üser: {fields", "Üser: {match: [[n]], fields"
    )
    world.rows(THERE.replace("TEXTUAL", "uuid"))
    own = "11111111-2222-4333-8444-555555555555"
    world.rows('INSERT INTO "Üser" VALUES (%s, 11, %s)', own, own)
    carried(world, existing)
    assert world.one(f'SELECT "W ho" FROM {TODO} WHERE n = 2') == own
    assert world.one(f'SELECT "seen by"[1] FROM {TODO} WHERE n = 1') == own
    result = all_layers(world, existing)
    assert result.passed, result.differences


def test_columns_that_hold_no_text_are_refused(world: World) -> None:
    existing = NULL.replace("naming: keep", "naming: keep\ntarget: {tables: existing}")
    world.rows(THERE.replace("TEXTUAL", "uuid").replace('"W ho" text', '"W ho" integer'))
    world.write({COLLECTION: TODOS, "Üser": USERS})
    with pytest.raises(MappingError) as caught:
        world.copy(existing)
    assert [problem.code for problem in caught.value.problems] == ["column-type"]
    assert "W ho is integer" in caught.value.problems[0].message
