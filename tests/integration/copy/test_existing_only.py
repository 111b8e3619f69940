"""`--only`: some collections now, the others later; references between them wait and are never lost.

Oracle: rows read with SQL of the test's own, and those of a copy of everything at once.
"""

from __future__ import annotations

import pytest

from isthmus.errors import ConfigError
from tests.integration.copy.carrying import World, balanced, oid

TABLES = """
CREATE TABLE people (id uuid PRIMARY KEY, name text UNIQUE, place uuid);
CREATE TABLE places (id uuid PRIMARY KEY, name text UNIQUE, keeper uuid REFERENCES people);
CREATE TABLE trips (people_id uuid REFERENCES people, position integer, place uuid, PRIMARY KEY (people_id, position));
CREATE TABLE visits (person uuid REFERENCES people, place uuid, PRIMARY KEY (person, place));
ALTER TABLE people ADD FOREIGN KEY (place) REFERENCES places;
ALTER TABLE trips ADD FOREIGN KEY (place) REFERENCES places;
ALTER TABLE visits ADD FOREIGN KEY (place) REFERENCES places;
"""
MAPPING = """
isthmus: 1
target: {tables: existing}
extras: dead_letter
collections:
  people:
    match: [[name]]
    fields:
      name: text
      place: {references: places, on_orphan: "null"}
      trips: {child: trips, extras: dead_letter, fields: {place: {references: places, on_orphan: "null"}}}
      visits: {junction: visits, own: person}
  places:
    match: [[name]]
    fields:
      name: text
      keeper: {references: people, on_orphan: "null"}
      visitors: {junction: visits, own: place}
junctions: {visits: {person: people, place: places}}
"""
THERE = """
INSERT INTO places VALUES ('00000000-0000-4000-8000-000000000001', 'Rome', NULL);
INSERT INTO people VALUES ('00000000-0000-4000-8000-000000000002', 'Ann', NULL);
"""
DUMP = {
    "people": [
        {"_id": oid(1), "name": "Ann", "place": oid(11), "visits": [oid(12)]},
        {"_id": oid(2), "name": "Bob", "place": oid(12), "trips": [{"place": oid(11)}, {"place": oid(13)}]},
        {"_id": oid(3), "name": "Cid", "place": oid(99), "visits": [oid(11), oid(12)]},
    ],
    "places": [
        {"_id": oid(11), "name": "Rome", "keeper": oid(2), "visitors": [oid(2), oid(3)]},
        {"_id": oid(12), "name": "Oslo", "keeper": oid(1)},
        {"_id": oid(13), "name": "Bonn", "keeper": oid(98)},
    ],
}
ROWS = {
    "people": "SELECT p.name, q.name FROM people p LEFT JOIN places q ON q.id = p.place ORDER BY 1",
    "places": "SELECT p.name, q.name FROM places p LEFT JOIN people q ON q.id = p.keeper ORDER BY 1",
    "trips": "SELECT p.name, position, q.name FROM trips t JOIN people p ON p.id = people_id"
    " LEFT JOIN places q ON q.id = t.place ORDER BY 1, 2",
    "visits": "SELECT p.name, q.name FROM visits JOIN people p ON p.id = person JOIN places q ON q.id = visits.place"
    " ORDER BY 1, 2",
}
WHOLE = {
    "people": [("Ann", None), ("Bob", "Oslo"), ("Cid", None)],  # Ann was there, and is kept
    "places": [("Bonn", None), ("Oslo", "Ann"), ("Rome", None)],
    "trips": [("Bob", 0, "Rome"), ("Bob", 1, "Bonn")],
    "visits": [("Ann", "Oslo"), ("Bob", "Rome"), ("Cid", "Oslo"), ("Cid", "Rome")],
}


def rows(world: World) -> dict[str, list[tuple[object, ...]]]:
    return {name: world.rows(query) for name, query in ROWS.items()}


def prepare(world: World) -> None:
    world.rows(TABLES + THERE)
    world.write(DUMP)


def test_everything_at_once_gives_the_rows_that_the_other_tests_expect(world: World) -> None:
    prepare(world)
    balanced(world.copy(MAPPING))
    assert rows(world) == WHOLE


@pytest.mark.parametrize("order", [("people", "places"), ("places", "people")])
def test_collections_one_after_the_other_come_to_the_same_rows(world: World, order: tuple[str, str]) -> None:
    prepare(world)
    first = world.copy(MAPPING, only=(order[0],))
    balanced(first)
    assert first.balance is not None
    assert set(first.balance.collections) == {order[0]}
    pending = sum(books.pending for books in first.balance.references.values())
    assert pending == (8 if order[0] == "people" else 5)
    assert world.orphans() == []
    second = world.copy(MAPPING, only=(order[1],))
    balanced(second)
    assert rows(world) == WHOLE
    left = world.rows("SELECT table_name, column_name FROM isthmus.pending_reference ORDER BY 1")
    assert left == [("people", "place"), ("places", "keeper")]  # they lead nowhere
    assert world.copy(MAPPING, only=(order[1],)).repeated
    whole = world.copy(MAPPING)
    balanced(whole)
    assert not whole.repeated
    assert rows(world) == WHOLE
    assert world.one("SELECT count(*) FROM isthmus.pending_reference") == 0  # of everything at once they are orphans
    assert len(world.orphans()) == 2


def test_reference_that_must_be_there_refuses_its_document_until_it_is(world: World) -> None:
    world.rows(TABLES + "ALTER TABLE people ALTER COLUMN place SET NOT NULL")
    world.write(DUMP)
    mapping = MAPPING.replace(
        'place: {references: places, on_orphan: "null"}', "place: {references: places, required: true}", 1
    )
    balanced(world.copy(mapping, only=("people",)))
    assert set(world.codes().values()) == {"reference-pending"}
    balanced(world.copy(mapping, only=("places",)))
    balanced(world.copy(mapping, only=("people",)))
    assert world.column("SELECT name FROM people ORDER BY 1") == ["Ann", "Bob"]


def test_only_is_refused_where_it_cannot_work(world: World) -> None:
    prepare(world)
    with pytest.raises(ConfigError) as caught:
        world.copy(MAPPING, only=("place",))
    assert (caught.value.code, "places" in str(caught.value.hint)) == ("no-such-entry", True)
    with pytest.raises(ConfigError) as caught:
        world.copy("isthmus: 1\ncollections: {people: {fields: {}}, places: {fields: {}}}\n", only=("people",))
    assert caught.value.code == "only-existing"
    assert not world.has_state()
