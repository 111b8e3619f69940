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


LOOSE = """
CREATE TABLE people (id uuid PRIMARY KEY, name text UNIQUE, place uuid NOT NULL, seen uuid[], town uuid, fair uuid,
  towns uuid[], notes jsonb);
CREATE TABLE places (id uuid PRIMARY KEY, name text UNIQUE);
CREATE TABLE visits (person uuid REFERENCES people, place uuid, PRIMARY KEY (person, place));
CREATE TABLE stays (person uuid REFERENCES people, place uuid REFERENCES places, PRIMARY KEY (person, place));
ALTER TABLE people ADD CONSTRAINT fair_is_a_place FOREIGN KEY (fair) REFERENCES places;
INSERT INTO places VALUES ('00000000-0000-4000-8000-000000000001', 'Rome'),
  ('00000000-0000-4000-8000-000000000002', 'Bari');
"""
LOOSE_MAPPING = """
isthmus: 1
target: {tables: existing}
extras: dead_letter
collections:
  people:
    match: [[name]]
    fields:
      name: text
      place: {references: places, required: true}
      seen: {references: places, type: "uuid[]", on_orphan: "null"}
      town: {references: places.name, on_orphan: "null"}
      fair: {references: places, on_orphan: "null"}
      towns: {references: places.name, type: "uuid[]", on_orphan: drop}
      notes: {type: jsonb, rewrite: {"[].place": places}}
      visits: {junction: visits, own: person}
      stays: {junction: stays, own: person}
  places: {match: [[name]], fields: {name: {type: text, unique: true}}}
junctions: {visits: {person: people, place: places}, stays: {person: people, place: places.name}}
"""
LOOSE_DUMP = {
    "people": [
        {
            "_id": oid(1),
            "name": "Ann",
            "place": oid(11),
            "seen": [oid(12), oid(11), oid(99), None],
            "town": "Oslo",
            "fair": oid(12),
            "towns": ["Oslo", "Rome", None, "Nowhere", "Oslo"],
            "notes": [{"place": oid(11)}, {"place": oid(12), "x": 1}],
            "visits": [oid(11), oid(12)],
            "stays": ["Bari", "Oslo", "Rome"],
        },
        {"_id": oid(2), "name": "Bob", "place": oid(12), "town": "Rome", "stays": ["Oslo", "Oslo"], "towns": []},
        {"_id": oid(3), "name": "Cid", "place": oid(12), "town": "Nowhere", "visits": [oid(99)]},
    ],
    "places": [{"_id": oid(11), "name": "Rome"}, {"_id": oid(12), "name": "Oslo"}],
}
NAMES = "ARRAY(SELECT q.name FROM unnest({}) WITH ORDINALITY AS e(v, n) LEFT JOIN places q ON q.id = e.v ORDER BY e.n)"
LOOSE_ROWS = {
    "people": f"SELECT p.name, a.name, {NAMES.format('seen')}, b.name, c.name, {NAMES.format('towns')},"
    " ARRAY(SELECT q.name FROM jsonb_array_elements(coalesce(notes, '[]')) AS e LEFT JOIN places q"
    " ON q.id::text = e ->> 'place') FROM people p LEFT JOIN places a ON a.id = p.place"
    " LEFT JOIN places b ON b.id = p.town LEFT JOIN places c ON c.id = p.fair ORDER BY 1",
    "visits": "SELECT p.name, q.name FROM visits v JOIN people p ON p.id = v.person LEFT JOIN places q"
    " ON q.id = v.place ORDER BY 1, 2",
    "stays": "SELECT p.name, q.name FROM stays v JOIN people p ON p.id = v.person JOIN places q ON q.id = v.place"
    " ORDER BY 1, 2",
}
LOOSE_WHOLE = {
    "people": [
        ("Ann", "Rome", ["Oslo", "Rome", None, None], "Oslo", "Oslo", ["Oslo", "Rome", None, "Oslo"], ["Rome", "Oslo"]),
        ("Bob", "Oslo", [], "Rome", None, [], []),
        ("Cid", "Oslo", [], None, None, [], []),
    ],
    "visits": [("Ann", "Oslo"), ("Ann", "Rome")],
    "stays": [("Ann", "Bari"), ("Ann", "Oslo"), ("Ann", "Rome"), ("Bob", "Oslo")],
}


def loose(world: World) -> dict[str, list[tuple[object, ...]]]:
    return {name: world.rows(query) for name, query in LOOSE_ROWS.items()}


def test_one_copy_of_all_shapes_gives_the_rows_that_the_next_test_expects(world: World) -> None:
    world.rows(LOOSE)
    world.write(LOOSE_DUMP)
    balanced(world.copy(LOOSE_MAPPING))
    assert loose(world) == LOOSE_WHOLE


def test_every_shape_of_reference_waits_and_comes(world: World) -> None:
    world.rows(LOOSE)
    world.write(LOOSE_DUMP)
    result = world.copy(LOOSE_MAPPING, only=("people",))
    balanced(result)
    assert result.balance is not None
    assert {name: (books.resolved, books.pending) for name, books in result.balance.references.items()} == {
        "people.place": (0, 3),
        "people.seen": (0, 3),
        "people.town": (1, 2),
        "people.fair": (0, 1),
        "people.towns": (1, 3),
        "people.notes.[].place": (0, 2),
        "visits.place": (0, 3),
        "stays.place": (2, 2),
    }
    assert (world.codes(), world.orphans()) == ({}, [])
    # nothing is lost where the table lets it stand: three ids of the source, each in every place of its own
    ids = {str(value) for (value,) in world.rows("SELECT place FROM people UNION SELECT unnest(seen) FROM people")}
    assert len(ids - {"None"}) == 3
    assert {str(value) for value in world.column("SELECT place FROM visits")} == ids - {"None"}
    assert world.rows("SELECT name, town IS NULL, fair IS NULL FROM people ORDER BY 1") == [
        ("Ann", True, True),
        ("Bob", False, True),
        ("Cid", True, True),
    ]
    assert world.one(f"SELECT {NAMES.format('towns')} FROM people WHERE name = 'Ann'") == [
        None,
        "Rome",
        None,
        None,
        None,
    ]
    assert world.rows(LOOSE_ROWS["stays"]) == [("Ann", "Bari"), ("Ann", "Rome")]
    # the second brings what is there; what leads nowhere goes on waiting
    balanced(world.copy(LOOSE_MAPPING, only=("places",)))
    assert world.rows("SELECT DISTINCT table_name, column_name FROM isthmus.pending_reference ORDER BY 1, 2") == [
        ("people", "seen"),
        ("people", "town"),
        ("people", "towns"),
        ("visits", "place"),
    ]
    assert world.rows(LOOSE_ROWS["visits"]) == [("Ann", "Oslo"), ("Ann", "Rome"), ("Cid", None)]
    # and one of everything says of that what it is
    whole = world.copy(LOOSE_MAPPING)
    balanced(whole)
    assert loose(world) == LOOSE_WHOLE
    assert world.one("SELECT count(*) FROM isthmus.pending_reference") == 0
    assert sorted(orphan[:2] for orphan in world.orphans()) == [
        ("people", "seen"),
        ("people", "town"),
        ("people", "towns"),
        ("visits", "place"),
    ]
    assert whole.balance is not None
    assert whole.balance.met_rows == {"people": {"same": 3}, "places": {"same": 2}}


def test_look_up_for_a_column_that_takes_no_null_refuses_its_document_until_it_is_there(world: World) -> None:
    world.rows(LOOSE + "ALTER TABLE people ALTER COLUMN town SET NOT NULL")
    world.write(LOOSE_DUMP)
    mapping = LOOSE_MAPPING.replace(
        'town: {references: places.name, on_orphan: "null"}', "town: {references: places.name, required: true}"
    )
    balanced(world.copy(mapping, only=("people",)))
    assert world.codes() == {str(oid(1)): "reference-pending", str(oid(3)): "reference-pending"}
    balanced(world.copy(mapping, only=("places",)))
    balanced(world.copy(mapping, only=("people",)))
    assert world.rows("SELECT p.name, q.name FROM people p JOIN places q ON q.id = p.town ORDER BY 1") == [
        ("Ann", "Oslo"),
        ("Bob", "Rome"),
    ]


ROUTES = """
CREATE TABLE people (id uuid PRIMARY KEY, name text UNIQUE);
CREATE TABLE firms (id uuid PRIMARY KEY, name text UNIQUE);
CREATE TABLE deals (id uuid PRIMARY KEY, firm uuid REFERENCES firms, person uuid REFERENCES people);
"""
ROUTES_MAPPING = """
isthmus: 1
target: {tables: existing}
extras: dead_letter
collections:
  people: {fields: {name: text}}
  firms: {fields: {name: text}}
  deals: {fields: {owner: {route: {firms: firm, people: person}, on_orphan: "null"}}}
"""
ROUTES_DUMP = {
    "people": [{"_id": oid(1), "name": "Ann"}, {"_id": oid(2), "name": "Bob"}],
    "firms": [{"_id": oid(2), "name": "Acme"}, {"_id": oid(3), "name": "Bolt"}],
    "deals": [{"_id": oid(10 + number), "owner": oid(number)} for number in (1, 2, 3, 4)],
}
OWNERS = "SELECT f.name, p.name FROM deals LEFT JOIN firms f ON f.id = firm LEFT JOIN people p ON p.id = person"
DECIDED = {(None, "Ann"), ("Acme", None), ("Bolt", None), (None, None)}


@pytest.mark.parametrize(
    ("order", "then"),
    [
        # a person is not chosen as long as a firm may have the id
        (("deals", "people", "firms"), [{(None, None)}, {(None, None)}, DECIDED]),
        (("deals", "firms", "people"), [{(None, None)}, {("Acme", None), ("Bolt", None), (None, None)}, DECIDED]),
        (("firms", "deals", "people"), [set(), {("Acme", None), ("Bolt", None), (None, None)}, DECIDED]),
        (("people", "deals", "firms"), [set(), {(None, None)}, DECIDED]),
        (("people", "firms", "deals"), [set(), set(), DECIDED]),
    ],
)
def test_route_is_decided_when_all_that_go_before_are_known(
    world: World, order: tuple[str, ...], then: list[set[tuple[object, ...]]]
) -> None:
    world.rows(ROUTES)
    world.write(ROUTES_DUMP)
    for name, expected in zip(order, then, strict=True):
        balanced(world.copy(ROUTES_MAPPING, only=(name,)))
        assert set(world.rows(OWNERS)) == expected
    assert world.column("SELECT column_name FROM isthmus.pending_reference ORDER BY 1") == ["firm", "person"]
    balanced(world.copy(ROUTES_MAPPING))
    assert set(world.rows(OWNERS)) == DECIDED
    assert [orphan[:2] for orphan in world.orphans()] == [("deals", "firm|person")]
    assert world.one("SELECT count(*) FROM isthmus.pending_reference") == 0


def changed(**fields: object) -> dict[str, list[dict[str, object]]]:
    """Return the people of the dump, with other values for the second."""
    ann, bob, cid = DUMP["people"]
    return {"people": [ann, {**bob, **fields}, cid]}


BOB = "(SELECT id FROM people WHERE name = 'Bob')"


def test_document_that_changes_takes_what_waits_for_it_along(world: World) -> None:
    prepare(world)
    tracked = MAPPING.replace("tables: existing", "tables: existing, on_conflict: keep_target, rerun: tracked")
    world.copy(tracked, only=("people",))
    world.write(changed(place=oid(13), trips=[{"place": oid(12)}], visits=[oid(13)]))
    result = world.copy(tracked, only=("people",))
    balanced(result)
    assert result.balance is not None
    assert result.balance.met_rows["people"] == {"kept-before": 1, "same": 1, "updated": 1}
    waiting = (
        f"SELECT column_name, row_position FROM isthmus.pending_reference WHERE row_id = {BOB}::text ORDER BY 1, 2"
    )
    assert world.rows(waiting) == [("place", []), ("place", []), ("place", [0])]  # its own, its pair's, its trip's
    balanced(world.copy(tracked, only=("places",)))
    assert world.rows(f"SELECT q.name FROM people p JOIN places q ON q.id = p.place WHERE p.id = {BOB}") == [("Bonn",)]
    assert world.rows(ROWS["trips"]) == [("Bob", 0, "Oslo")]
    assert ("Bob", "Bonn") in world.rows(ROWS["visits"])
    # a change of something else is still an update, and a copy of the same writes nothing
    world.write(changed(place=oid(13), trips=[], visits=[oid(13)]))
    again = world.copy(tracked)
    assert again.balance is not None
    assert again.balance.met_rows["people"]["updated"] == 1
    before = world.rows("SELECT id::text, xmin::text FROM people ORDER BY 1")
    last = world.copy(tracked)
    assert last.balance is not None
    assert set(last.balance.met_rows["people"]) <= {"same", "kept-before"}
    assert world.rows("SELECT id::text, xmin::text FROM people ORDER BY 1") == before


def test_rows_of_collections_that_are_not_carried_are_not_gone(world: World) -> None:
    prepare(world)
    tracked = MAPPING.replace("tables: existing", "tables: existing, rerun: tracked")
    world.copy(tracked, only=("people",))
    result = world.copy(tracked, only=("places",))
    assert result.balance is not None
    assert "gone" not in result.balance.met_rows.get("people", {})
    assert world.column("SELECT action FROM isthmus.conflict WHERE action = 'gone-from-source'") == []


def test_somebodys_own_value_stays_and_nothing_waits_for_it_any_more(world: World) -> None:
    prepare(world)
    world.copy(MAPPING, only=("people",))
    world.rows("UPDATE people SET place = '00000000-0000-4000-8000-000000000001' WHERE name = 'Bob'")
    balanced(world.copy(MAPPING, only=("places",)))
    assert world.rows("SELECT q.name FROM people p JOIN places q ON q.id = p.place WHERE p.name = 'Bob'") == [("Rome",)]
    assert world.one("SELECT count(*) FROM isthmus.pending_reference WHERE target_table = 'places'") == 1  # Cid's


def test_row_that_somebody_deleted_is_in_nobodys_way(world: World) -> None:
    prepare(world)
    world.copy(MAPPING, only=("people",))
    world.rows("DELETE FROM people WHERE name = 'Cid'")
    balanced(world.copy(MAPPING, only=("places",)))
    assert [row for row in world.rows(ROWS["visits"]) if row[0] == "Cid"] == []


def test_document_refused_between_leaves_its_row_with_what_waits(world: World) -> None:
    prepare(world)
    world.copy(MAPPING, only=("people",))
    world.write({"people": [*DUMP["people"], {"_id": oid(4), "name": "Bob"}][2:]})  # another Bob, and the first is gone
    world.copy(MAPPING, only=("people",), fresh=True)
    balanced(world.copy(MAPPING, only=("places",)))
    assert world.rows(ROWS["people"])[1] == ("Bob", "Oslo")


def test_what_the_table_refuses_goes_on_waiting_and_is_told(world: World) -> None:
    prepare(world)
    world.rows("ALTER TABLE people ADD CHECK (place IS NULL OR name <> 'Bob')")
    world.copy(MAPPING, only=("people",))
    result = world.copy(MAPPING, only=("places",))
    balanced(result)
    assert result.balance is not None
    assert (result.balance.refused_waiting, result.exit_code) == ({"people.place": 1}, 1)
    assert world.rows(ROWS["people"])[1] == ("Bob", None)
    world.rows("ALTER TABLE people DROP CONSTRAINT people_check")
    balanced(world.copy(MAPPING, only=("people",)))
    assert world.rows(ROWS["people"])[1] == ("Bob", "Oslo")


KEYED = """
CREATE TABLE tokens (code text PRIMARY KEY, mail text, holder text);
CREATE TABLE people (id text PRIMARY KEY, name text UNIQUE, token text REFERENCES tokens, spare text, all_of text[]);
CREATE TABLE grants (person text REFERENCES people, token text REFERENCES tokens, PRIMARY KEY (person, token));
ALTER TABLE tokens ADD FOREIGN KEY (holder) REFERENCES people;
INSERT INTO tokens VALUES ('t1', 'a@x', NULL), ('old', 'b@x', NULL);
"""
KEYED_MAPPING = """
isthmus: 1
ids: cuid2
target: {tables: existing}
extras: dead_letter
collections:
  tokens:
    key: code
    match: [[mail]]
    fields: {code: text!, mail: text, holder: {references: people, on_orphan: "null"}}
  people:
    fields:
      name: text
      token: {references: tokens, on_orphan: "null"}
      spare: {references: tokens.code, on_orphan: "null"}
      all: {column: all_of, references: tokens, type: "text[]", on_orphan: "null"}
      grants: {junction: grants, own: person}
junctions: {grants: {person: people, token: tokens}}
"""
KEYED_DUMP = {
    "tokens": [  # the first is there, the second is there with another key
        {"_id": oid(1), "code": "t1", "mail": "a@x", "holder": oid(11)},
        {"_id": oid(2), "code": "t2", "mail": "b@x", "holder": oid(12)},
        {"_id": oid(3), "code": "t3", "mail": "c@x", "holder": oid(12)},
    ],
    "people": [
        {
            "_id": oid(10 + n),
            "name": f"p{n}",
            "token": oid(n),
            "spare": f"t{n}",
            "all": [oid(3), oid(n)],
            "grants": [oid(n)],
        }
        for n in (1, 2, 3)
    ],
}


@pytest.mark.parametrize(
    "order",
    [
        [("people",), ("tokens",)],
        [("tokens",), ("people",), ()],  # of a key that is another one there only the document tells, which is gone by
    ],
)
def test_references_to_rows_without_id_wait_and_come(world: World, order: list[tuple[str, ...]]) -> None:
    found: list[dict[str, list[tuple[object, ...]]]] = []
    for copies in ([()], order):
        world.rows(
            "DROP SCHEMA IF EXISTS isthmus CASCADE; DROP TABLE IF EXISTS tokens, people, grants CASCADE;" + KEYED
        )
        world.write(KEYED_DUMP)
        for only in copies:
            balanced(world.copy(KEYED_MAPPING, only=only, id_key=b"k" * 32))
        found.append(
            {name: world.rows(f"SELECT * FROM {name} ORDER BY 1, 2") for name in ("tokens", "people", "grants")}
        )
    assert found[0] == found[1]
    assert ("old", "old", ["t3", "old"]) in [row[2:] for row in found[0]["people"]]
    assert world.one("SELECT count(*) FROM isthmus.pending_reference") == 0
