"""Pairs of tables that exist and refuse some: which document it costs, and what becomes of the other pairs.

Oracle: rows and ledgers read with SQL of the test's own.
"""

from __future__ import annotations

import pytest

from tests.integration.copy.carrying import World, balanced, oid

TABLES = """
CREATE TABLE people (id uuid PRIMARY KEY, name text);
CREATE TABLE places (id uuid PRIMARY KEY, name text);
CREATE TABLE visits (person uuid REFERENCES people, place uuid REFERENCES places, PRIMARY KEY (person, place));
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (SELECT name FROM people WHERE id = NEW.person) || '-' || (SELECT name FROM places WHERE id = NEW.place)
    IN ('p3-q1', 'p2-q2') THEN RAISE EXCEPTION 'no visits there' USING ERRCODE = 'check_violation'; END IF;
  RETURN NEW; END $$;
"""
MAPPING = """
isthmus: 1
target: {tables: existing}
extras: dead_letter
collections:
  people: {fields: {name: text, visits: {junction: visits, own: person}}}
  places: {fields: {name: text, visitors: {junction: visits, own: place}}}
junctions: {visits: {person: people, place: places}}
"""
ROWS = (
    "SELECT p.name, q.name FROM visits JOIN people p ON p.id = person JOIN places q ON q.id = visits.place"
    " ORDER BY 1, 2"
)


def test_document_that_its_table_refuses_takes_its_pairs_along(world: World) -> None:
    world.rows(TABLES + "ALTER TABLE people ADD CHECK (length(name) < 40 OR id IS NULL OR now() IS NULL)")
    people = [{"_id": oid(n), "name": f"p{n}" * (30 if n == 2 else 1), "visits": [oid(11), oid(12)]} for n in (1, 2)]
    places = [{"_id": oid(n), "name": f"q{n}", "visitors": [oid(1), oid(2)]} for n in (11, 12)]
    world.write({"people": people, "places": places})
    balanced(world.copy(MAPPING))
    assert world.codes() == {str(oid(2)): "target-refused"}
    assert world.rows(ROWS) == [("p1", "q11"), ("p1", "q12")]
    assert len(world.orphans()) == 2


@pytest.mark.parametrize(
    ("people_name", "places_name", "lost", "left"),
    [
        # p3 names q1, and q2 names p2: each document goes with its other pairs; what the other side names is an orphan
        (True, True, {oid(3): "target-refused", oid(12): "target-refused"}, [("p1", "q1"), ("p2", "q1")]),
        (True, False, {oid(3): "target-refused"}, [("p1", "q1"), ("p1", "q2"), ("p2", "q1")]),
        (False, True, {oid(12): "target-refused"}, [("p2", "q1")]),
    ],
)
def test_refused_pair_costs_the_document_that_holds_it(
    world: World, people_name: bool, places_name: bool, lost: dict[object, str], left: list[tuple[str, str]]
) -> None:
    world.rows(TABLES + "CREATE TRIGGER t BEFORE INSERT ON visits FOR EACH ROW EXECUTE FUNCTION refuse()")
    visits = {1: [oid(11), oid(12)], 2: [oid(11)], 3: [oid(11), oid(12)]} if people_name else {}
    visitors = {11: [oid(2)], 12: [oid(2), oid(1)]} if places_name else {}
    world.write(
        {
            "people": [{"_id": oid(n), "name": f"p{n}", "visits": visits.get(n, [])} for n in (1, 2, 3)],
            "places": [{"_id": oid(n + 10), "name": f"q{n}", "visitors": visitors.get(n + 10, [])} for n in (1, 2)],
        }
    )
    balanced(world.copy(MAPPING))
    assert world.codes() == {str(number): code for number, code in lost.items()}
    assert all("no visits there" in letter.message for letter in world.letters())
    assert world.rows(ROWS) == left


def test_refused_pair_that_was_looked_up_costs_its_document(world: World) -> None:
    world.rows(TABLES + "CREATE TRIGGER t BEFORE INSERT ON visits FOR EACH ROW EXECUTE FUNCTION refuse()")
    world.write(
        {
            "people": [{"_id": oid(n), "name": f"p{n}", "visits": ["q1", "q2", "q2"]} for n in (1, 2, 3)],
            "places": [{"_id": oid(n + 10), "name": f"q{n}"} for n in (1, 2)],
        }
    )
    mapping = MAPPING.replace("place: places}", "place: places.name}").replace(
        "{fields: {name: text, visitors: {junction: visits, own: place}}}",
        "{fields: {name: {type: text, unique: true}}}",
    )
    balanced(world.copy(mapping))
    assert world.codes() == {str(oid(2)): "target-refused", str(oid(3)): "target-refused"}
    assert world.rows(ROWS) == [("p1", "q1"), ("p1", "q2")]
    left = world.column("SELECT tablename FROM pg_tables WHERE schemaname = 'isthmus' AND tablename LIKE 'p%'")
    assert sorted(left) == ["pair_state", "partition", "pending_reference"]


def test_pair_that_somebody_deleted_stays_deleted_and_verify_knows_when(world: World) -> None:
    world.rows(TABLES)
    mapping = MAPPING.replace("{tables: existing}", "{tables: existing, rerun: tracked}")
    people = [{"_id": oid(n), "name": f"p{n}", "visits": [oid(11), oid(12)]} for n in (1, 2)]
    world.write({"people": people, "places": [{"_id": oid(n), "name": f"q{n}"} for n in (11, 12)]})
    balanced(world.copy(mapping))
    assert verified(world, mapping) == {}
    world.rows(
        "DELETE FROM visits v USING people p, places q"
        " WHERE (p.id, q.id) = (v.person, v.place) AND p.name || q.name = 'p1q11'"
    )
    assert set(verified(world, mapping)) == {"counts", "checksum"}, "no copy has seen that it was deleted"
    for _ in range(2):
        balanced(world.copy(mapping))
        assert world.rows(ROWS) == [("p1", "q12"), ("p2", "q11"), ("p2", "q12")]
        assert verified(world, mapping) == {}
    world.rows("DELETE FROM visits USING people p WHERE p.id = person AND p.name = 'p2'")
    found = verified(world, mapping)
    assert found["checksum"] == 2, "only those that were gone when the copy looked are known"
    balanced(world.copy(mapping))
    assert world.rows(ROWS) == [("p1", "q12")]
    assert verified(world, mapping) == {}


def verified(world: World, mapping: str) -> dict[str, int]:
    """The differences of each layer that has some, of every document."""
    return {name: layer.found for name, layer in world.verify(mapping).layers.items() if layer.found}
