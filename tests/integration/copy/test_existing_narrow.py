"""Columns of existing tables that ask more of a value than the mapping does: told before, and refused by the field.

Oracle: the documents planted, rows and ledgers read with SQL of the test's own.
"""

from __future__ import annotations

import pytest

from tests.integration.copy.carrying import World, balanced, oid

TABLES = """
CREATE DOMAIN short AS varchar(3);
CREATE TABLE people (id uuid PRIMARY KEY, name text NOT NULL, rank text NOT NULL, word varchar(3) NOT NULL, nick short);
CREATE TABLE phones (people_id uuid REFERENCES people, position integer, number varchar(4) NOT NULL,
  PRIMARY KEY (people_id, position));
"""
MAPPING = """
isthmus: 1
target: {tables: existing}
extras: dead_letter
collections:
  people:
    fields:
      full.name: {column: name, type: text}
      rank: {type: text, default: low}
      word: {type: varchar(10), default: none, default_for: [missing, null]}
      nick: {type: text, normalise: [trim]}
      phones: {child: phones, extras: dead_letter, fields: {n: {column: number, type: text}}}
"""


def person(number: int, **changed: object) -> dict[str, object]:
    return {"_id": oid(number), "full": {"name": "Ann"}, "rank": "high", "word": "abc", **changed}


def test_values_that_the_columns_cannot_take_are_refused_by_their_field(world: World) -> None:
    world.rows(TABLES)
    word = MAPPING.replace("default: none, default_for: [missing, null]", "default: no")
    world.write(
        {
            "people": [
                person(1, phones=[{"n": "1234"}], nick=" äöü  "),
                {key: value for key, value in person(2).items() if key != "full"},
                person(3, full={"name": None}),
                person(4, rank=None),
                person(5, word="abcd"),
                person(6, nick="äöüß"),
                person(7, phones=[{"n": "1"}, {}]),
                person(8, phones=[{"n": "1"}, {"n": "12345"}]),
                {key: value for key, value in person(9).items() if key != "rank"},
            ]
        }
    )
    balanced(world.copy(word))
    assert {letter.source_id: (letter.code, letter.path) for letter in world.letters()} == {
        str(oid(2)): ("required", "full.name"),
        str(oid(3)): ("required", "full.name"),
        str(oid(4)): ("required", "rank"),
        str(oid(5)): ("too-long", "word"),
        str(oid(6)): ("too-long", "nick"),
        str(oid(7)): ("required", "phones.1.n"),
        str(oid(8)): ("too-long", "phones.1.n"),
    }
    assert world.rows("SELECT rank, nick FROM people ORDER BY 1") == [("high", "äöü"), ("low", None)]
    assert any("takes no NULL" in note and "full.name" in note for note in world.notes)


def test_default_that_is_too_long_for_the_column_refuses_only_the_documents_that_get_it(world: World) -> None:
    world.rows(TABLES)
    world.write({"people": [person(1), person(2, word=None)]})
    balanced(world.copy(MAPPING))
    assert world.codes() == {str(oid(2)): "target-refused"}


@pytest.mark.parametrize("only", [(), ("people",)])
def test_reference_that_is_looked_up_must_be_there_for_a_column_that_takes_no_null(
    world: World, only: tuple[str, ...]
) -> None:
    world.rows(
        "CREATE TABLE places (id uuid PRIMARY KEY, name text UNIQUE);"
        " CREATE TABLE people (id uuid PRIMARY KEY, place uuid NOT NULL REFERENCES places)"
    )
    place = str(world.one("INSERT INTO places VALUES (gen_random_uuid(), 'Rome') RETURNING id"))
    people = [{"_id": oid(2), "place": "Rome"}, {"_id": oid(3)}, {"_id": oid(4), "place": None}]
    world.write({"places": [{"_id": oid(1), "name": "Rome"}], "people": people})
    balanced(
        world.copy(
            """
            isthmus: 1
            target: {tables: existing, on_conflict: keep_target}
            extras: dead_letter
            collections:
              places: {match: [[name]], fields: {name: {type: text, unique: true}}}
              people: {fields: {place: {references: places.name, on_orphan: dead_letter}}}
            """,
            only=only,
        )
    )
    assert {letter.source_id: (letter.code, letter.path) for letter in world.letters()} == {
        str(oid(3)): ("required", "place"),
        str(oid(4)): ("required", "place"),
    }
    assert [str(one) for one in world.column("SELECT place FROM people")] == [place]


def test_flag_whose_label_is_too_long_refuses_only_the_documents_that_have_it(world: World) -> None:
    world.rows("CREATE TABLE people (id uuid PRIMARY KEY, name varchar(4), flag varchar(2))")
    world.write({"people": [{"_id": oid(1), "a": True}, {"_id": oid(2), "b": True}, {"_id": oid(3), "name": "abcde"}]})
    balanced(
        world.copy(
            """
            isthmus: 1
            target: {tables: existing}
            extras: dead_letter
            collections:
              people: {fields: {name: text, flag: {flags: {a: A, b: Long}, type: text}}}
            """
        )
    )
    assert world.codes() == {str(oid(2)): "target-refused", str(oid(3)): "too-long"}
    assert world.rows("SELECT flag FROM people") == [("A",)]


def test_columns_of_what_is_not_carried_are_not_spoken_of(world: World) -> None:
    world.rows("CREATE TABLE people (id uuid PRIMARY KEY, name text NOT NULL)")
    world.rows("CREATE TABLE places (id uuid PRIMARY KEY, name text NOT NULL)")
    world.write({"people": [{"_id": oid(1), "name": "a"}], "places": [{"_id": oid(2), "name": "b"}]})
    mapping = """
        isthmus: 1
        target: {tables: existing}
        collections: {people: {fields: {name: text}}, places: {fields: {name: text}}}
        """
    balanced(world.copy(mapping, only=("people",)))
    noted = [note for note in world.notes if "takes no NULL" in note]
    assert ["people.name" in note for note in noted] == [True]
