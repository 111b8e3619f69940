"""Tables that were there before the copy: an undamaged target passes, and what is damaged is named.

Damage is plain SQL of the tests' own; the schema is of the kind that an ORM's migrations make.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from bson import Decimal128, ObjectId
from psycopg.conninfo import conninfo_to_dict

from isthmus.errors import TargetError
from isthmus.mapping import parse_mapping
from isthmus.sources import open_source
from isthmus.verify.result import LAYERS, Layer, Verified
from isthmus.verify.run import verify_database
from isthmus.verify.subject import Options
from tests.fix_dumps import write_collection
from tests.fix_postgres import create_database, drop_database
from tests.integration.verify.made import Made, make

READING: tuple[Layer, ...] = ("counts", "samples", "types", "checksum")


def oid(number: int) -> ObjectId:
    return ObjectId(number.to_bytes(12, "big"))


def verified(made: Made, layers: tuple[Layer, ...] = READING, sample: int | None = None) -> Verified:
    source = open_source(str(made.folder))
    try:
        mapping = parse_mapping(made.mapping, file_name="mapping.yaml")
        return verify_database(mapping, source, made.conninfo, options=Options(sample=sample), layers=layers)
    finally:
        source.close()


def named(result: Verified, layer: Layer = "checksum") -> set[tuple[str, str]]:
    return {(one.table, one.path) for one in result.layers[layer].differences}


ONE = """
isthmus: 1
target: {tables: existing}
collections:
  users: {fields: {name: text, age: integer}}
"""


def test_an_extension_that_their_migrations_did_not_make_is_a_note(make_here: Callable[..., Made]) -> None:
    before = "CREATE TABLE users (id uuid PRIMARY KEY, name text, age integer)"
    mapping = ONE.replace("isthmus: 1", "isthmus: 1\nextensions: [vector, no_such]")
    made = make_here(mapping, {"users": [{"_id": oid(1), "name": "n", "age": 1}]}, before=before)
    schema = verified(made, ("schema",)).layers["schema"]
    assert schema.passed
    told = " ".join(note for note in schema.notes if note.startswith("The extension"))
    assert "vector is not there" in told
    assert "no_such is not there" in told


def test_one_table(make_here: Callable[..., Made]) -> None:
    users: list[dict[str, Any]] = [{"_id": oid(n), "name": f"n{n}", "age": n} for n in range(5)]
    before = "CREATE TABLE users (id uuid PRIMARY KEY, name text, age integer)"
    made = make_here(ONE, {"users": users}, before=before)
    result = verified(made)
    assert result.passed, result.differences
    assert result.layers["checksum"].checked == 5
    made.do("UPDATE users SET name = 'other' WHERE age = 3")
    result = verified(made)
    (one,) = result.layers["checksum"].differences
    assert (one.table, one.path, one.expected, one.actual) == ("users", "name", "n3", "other")
    assert one.id == str(made.one("SELECT id FROM users WHERE age = 3"))


TABLES = """
CREATE TYPE role AS ENUM ('ADMIN', 'USER', 'GUEST');
CREATE DOMAIN short AS text CHECK (char_length(value) < 50);
CREATE TABLE orgs (id text PRIMARY KEY, name short NOT NULL, note jsonb);
CREATE TABLE people (
  id uuid PRIMARY KEY, email varchar(40) UNIQUE, role role, roles role[], org text REFERENCES orgs,
  boss uuid REFERENCES people, friends uuid[], salary numeric(12,4), age bigint, born timestamptz(3),
  tags text[], profile json, is_active boolean, weight double precision, photo bytea, day date
);
CREATE TABLE phones (people_id uuid, position integer, number text, PRIMARY KEY (people_id, position));
CREATE TABLE clubs (id uuid PRIMARY KEY, name text, head uuid, owner_person uuid, owner_org text, reviewers jsonb);
CREATE TABLE members (club_id uuid, person_id uuid, CONSTRAINT once UNIQUE (club_id, person_id));
CREATE TABLE settings (name text PRIMARY KEY, value jsonb);
CREATE TABLE log (line text, at bigint);
INSERT INTO orgs VALUES ('abc', 'Known', '{"a": 1}'), ('def', 'Somebody else', NULL);
INSERT INTO people (id, email, age, salary) VALUES
  ('00000000-0000-4000-8000-000000000001', 'kept@x', 1, 1.5), ('00000000-0000-4000-8000-000000000002', 'other@x', 2, 2);
INSERT INTO settings VALUES ('theirs', '1');
"""
MAPPING = """
isthmus: 1
target: {tables: existing}
enums: {role: [ADMIN, USER]}
collections:
  orgs:
    match: [[name]]
    on_conflict: overwrite
    fields: {name: text!, note: jsonb}
  people:
    match: [[email]]
    fields:
      email: {type: text, unique: true}
      role: role
      roles: role[]
      org: {references: orgs}
      boss: {references: people, on_orphan: "null"}
      friends: {references: people, type: "uuid[]", on_orphan: drop}
      salary: numeric(10,2)
      age: integer
      born: timestamptz(3)
      tags: text[]
      profile: jsonb
      isActive: boolean
      weight: double
      photo: bytea
      day: date
      phones: {child: phones, fields: {number: text}}
  clubs:
    fields:
      name: text
      head: {references: people.email, on_orphan: "null"}
      owner: {route: {people: owner_person, orgs: owner_org}, on_orphan: "null"}
      reviewers: {type: jsonb, rewrite: {"[].user": people}}
      members: {junction: members}
  settings:
    key: name
    fields: {name: text!, value: jsonb}
  log:
    key: none
    extras: dead_letter
    fields: {line: text, at: bigint}
junctions:
  members: {columns: {club_id: clubs, person_id: people}, on_orphan: drop}
"""


def documents() -> dict[str, list[dict[str, Any]]]:
    born = datetime(2001, 2, 3, 4, 5, 6, 789000, tzinfo=UTC)
    people: list[dict[str, Any]] = [
        {
            "_id": oid(n),
            "email": f"p{n}@x",
            "role": "USER",
            "roles": ["ADMIN", "USER"],
            "org": oid(101),
            "boss": oid(n - 1) if n > 1 else oid(999),
            "friends": [oid(2), oid(998), oid(4)],
            "salary": Decimal128(f"{n}.50"),
            "age": n,
            "born": born,
            "tags": ["a", "b"],
            "profile": {"b": 1, "a": [1, 2]},
            "isActive": True,
            "weight": 0.1 + n,
            "photo": b"\x00\x01",
            "day": born.replace(hour=0, minute=0, second=0, microsecond=0),
            "phones": [{"number": "1"}, {"number": "2", "kind": "new"}],
            "shoe": n,
        }
        for n in range(1, 6)
    ]
    people[3]["email"] = "kept@x"
    return {
        "orgs": [{"_id": oid(101), "name": "Known", "note": {"b": 2}}, {"_id": oid(102), "name": "New"}],
        "people": people,
        "clubs": [
            {
                "_id": oid(201),
                "name": "one",
                "head": "kept@x",
                "owner": oid(101),
                "members": [oid(1), oid(4), oid(997)],
                "reviewers": [{"user": oid(4)}, {"user": oid(1)}],
            },
            {"_id": oid(202), "name": "two", "head": "p2@x", "owner": oid(2)},
            {"_id": oid(203), "name": "three", "head": "nobody@x", "owner": oid(996)},
        ],
        "settings": [{"_id": oid(301), "name": "mine", "value": {"x": 1}}, {"_id": oid(302), "name": "b", "value": 2}],
        "log": [{"_id": oid(401 + n), "line": "same", "at": 7} for n in range(3)],
    }


@pytest.fixture(scope="session")
def copied_office(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    conninfo = create_database(postgres)
    folder = tmp_path_factory.mktemp("office") / "dump" / "office"
    yield make(conninfo, folder, MAPPING, documents(), before=TABLES)
    drop_database(postgres, conninfo)


@pytest.fixture
def office(copied_office: Made, twin_of: Callable[[Made], Made]) -> Made:
    return twin_of(copied_office)


def test_undamaged(office: Made) -> None:
    result = verified(office, LAYERS)
    assert result.passed, result.differences
    checks = {(one.table, one.column): one for one in result.layers["checksum"].columns}
    assert checks["people", ""].compared == 5
    assert checks["people", "boss"].accounted == 2  # an orphan, and the row that was kept
    assert checks["people", ""].left_out == 1
    assert "somebody else" in checks["people", ""].why
    assert checks["phones", ""].accounted == 2
    assert office.one("SELECT outcome FROM isthmus.verification") == "passed"


KEPT = "id = '00000000-0000-4000-8000-000000000001'"
# what is done; table and path that the checksum must name
CHANGES: dict[str, tuple[str, str, str]] = {
    "text": ("UPDATE people SET email = 'P2@x' WHERE email = 'p2@x'", "people", "email"),
    "trailing blank": ("UPDATE clubs SET name = 'one ' WHERE name = 'one'", "clubs", "name"),
    "domain": ("UPDATE orgs SET name = 'Newer' WHERE name = 'New'", "orgs", "name"),
    "overwritten row": ("UPDATE orgs SET note = '{\"a\": 1}' WHERE name = 'Known'", "orgs", "note"),
    "enum": ("UPDATE people SET role = 'GUEST' WHERE age = 2", "people", "role"),
    "enum array": ("UPDATE people SET roles = '{USER,ADMIN}' WHERE age = 2", "people", "roles"),
    "reference to text id": ("UPDATE people SET org = 'def' WHERE age = 2", "people", "org"),
    "reference elsewhere": ("UPDATE people SET boss = id WHERE age = 2", "people", "boss"),
    "reference nulled": ("UPDATE people SET boss = NULL WHERE age = 2", "people", "boss"),
    "value for an orphan": ("UPDATE people SET boss = id WHERE age = 1 AND org <> ''", "people", "boss"),
    "array of references": ("UPDATE people SET friends = friends[1:1] WHERE age = 2", "people", "friends"),
    "orphan is back in array": (
        "UPDATE people SET friends = friends || gen_random_uuid() WHERE age = 2",
        "people",
        "friends",
    ),
    "numeric": ("UPDATE people SET salary = salary + 0.0001 WHERE age = 2", "people", "salary"),
    "integer": ("UPDATE people SET age = 20 WHERE age = 2", "people", "age"),
    "timestamp": ("UPDATE people SET born = born + interval '1 ms' WHERE age = 2", "people", "born"),
    "array reordered": ("UPDATE people SET tags = '{b,a}' WHERE age = 2", "people", "tags"),
    "json": ("UPDATE people SET profile = '{\"b\": 1}' WHERE age = 2", "people", "profile"),
    "boolean": ("UPDATE people SET is_active = false WHERE age = 2", "people", "is_active"),
    "double": ("UPDATE people SET weight = weight + 1e-15 WHERE age = 2", "people", "weight"),
    "bytes": ("UPDATE people SET photo = '\\x0000' WHERE age = 2", "people", "photo"),
    "date": ("UPDATE people SET day = day + 1 WHERE age = 2", "people", "day"),
    "kept value changed since": (f"UPDATE people SET role = 'GUEST' WHERE {KEPT}", "people", "role"),
    "kept age": (f"UPDATE people SET tags = '{{x}}' WHERE {KEPT}", "people", "tags"),
    "kept number": (f"UPDATE people SET salary = 7 WHERE {KEPT}", "people", "salary"),
    "kept reference": (
        f"UPDATE people SET boss = '00000000-0000-4000-8000-000000000002' WHERE {KEPT}",
        "people",
        "boss",
    ),
    "kept array of references": (f"UPDATE people SET friends = '{{}}' WHERE {KEPT}", "people", "friends"),
    "child row of a kept row": (
        "INSERT INTO phones VALUES ('00000000-0000-4000-8000-000000000001', 2, 'x')",
        "phones",
        "(row)",
    ),
    "child value": (
        "UPDATE phones SET number = '3' WHERE position = 1 AND people_id IN (SELECT id FROM people WHERE age = 2)",
        "phones",
        "number",
    ),
    "child row gone": (
        "DELETE FROM phones WHERE position = 1 AND people_id IN (SELECT id FROM people WHERE age = 2)",
        "phones",
        "(row)",
    ),
    "child row more": ("INSERT INTO phones SELECT id, 2, 'x' FROM people WHERE age = 2", "phones", "(row)"),
    "row gone": ("DELETE FROM clubs WHERE name = 'two'", "clubs", "(row)"),
    "row known by its key gone": ("DELETE FROM settings WHERE name = 'mine'", "settings", "(row)"),
    "value in a row known by its key": ("UPDATE settings SET value = '3' WHERE name = 'b'", "settings", "value"),
    "row without key gone": ("DELETE FROM log WHERE ctid = (SELECT min(ctid) FROM log)", "log", "(row)"),
    "row without key more": ("INSERT INTO log VALUES ('same', 7)", "log", "(row)"),
    "pair gone": ("DELETE FROM members WHERE person_id = '00000000-0000-4000-8000-000000000001'", "members", "(row)"),
    "pair more": (
        "INSERT INTO members SELECT c.id, p.id FROM clubs c, people p WHERE name = 'two' AND age = 2",
        "members",
        "(row)",
    ),
    "pair of a matched row more": (
        "INSERT INTO members SELECT c.id, p.id FROM clubs c, people p WHERE c.name = 'two' AND p.email = 'kept@x'",
        "members",
        "(row)",
    ),
    "row with the id of a document that is none": (
        "INSERT INTO people (id) SELECT target_id::uuid FROM isthmus.orphan WHERE column_name = 'boss'",
        "people",
        "(row)",
    ),
    "pair twice": (
        "ALTER TABLE members DROP CONSTRAINT once; INSERT INTO members SELECT * FROM members LIMIT 1",
        "members",
        "(row)",
    ),
    "look-up elsewhere": ("UPDATE clubs SET head = NULL WHERE name = 'two'", "clubs", "head"),
    "look-up to a matched row": ("UPDATE clubs SET head = gen_random_uuid() WHERE name = 'one'", "clubs", "head"),
    "route elsewhere": ("UPDATE clubs SET owner_org = 'def' WHERE name = 'one'", "clubs", "owner_org"),
    "second end of a route": ("UPDATE clubs SET owner_org = 'def' WHERE name = 'two'", "clubs", "owner_org"),
    "id inside jsonb": (
        "UPDATE clubs SET reviewers = jsonb_set(reviewers, '{0,user}', '\"x\"') WHERE name = 'one'",
        "clubs",
        "reviewers",
    ),
    "extras beside the table": (
        "UPDATE isthmus.extras SET document = '{\"shoe\": 9}' WHERE document = '{\"shoe\": 2}'",
        "people",
        "(extras)",
    ),
    "extras gone": ("DELETE FROM isthmus.extras WHERE table_name = 'phones'", "phones", "(extras)"),
    "ledger of orphans emptied": ("DELETE FROM isthmus.orphan WHERE column_name = 'boss'", "people", "boss"),
    "ledger of kept values emptied": ("DELETE FROM isthmus.kept_value", "people", "role"),
    "known id forgotten": ("DELETE FROM isthmus.id_map WHERE id = 'abc'", "people", "org"),
}


ALSO: dict[str, set[tuple[str, str]]] = {
    "row with the id of a document that is none": {("people", "boss")},
    "known id forgotten": {("orgs", "(row)"), ("clubs", "owner_org")},
    "ledger of kept values emptied": {
        ("people", name)
        for name in ("roles", "org", "boss", "friends", "salary", "age", "born", "tags", "profile", "is_active")
    }
    | {("people", name) for name in ("weight", "photo", "day", "(extras)")}
    | {("phones", "(row)"), ("phones", "(extras)")},
}
"""What else must be named then."""


@pytest.mark.parametrize("name", CHANGES)
def test_damage_is_named(office: Made, name: str) -> None:
    statement, table, path = CHANGES[name]
    office.do(statement)
    result = verified(office, ("checksum",))
    assert not result.passed
    assert named(result) == {(table, path), *ALSO.get(name, set())}, result.differences


OLDER = (
    "DROP TABLE isthmus.kept_value",
    "DELETE FROM isthmus.migration WHERE version >= 9",
    "DELETE FROM isthmus.tally WHERE kind LIKE 'kept-values%'",
)
"""Makes of a target what a version left that noted nothing of what it kept."""


def test_a_target_of_an_older_version_passes_and_what_it_did_not_note_is_left_out(office: Made) -> None:
    office.do(*OLDER)
    result = verified(office, LAYERS)
    assert result.passed, result.differences
    checks = {(one.table, one.column): one for one in result.layers["checksum"].columns}
    assert (checks["people", "age"].accounted, checks["people", "age"].left_out) == (1, 0)
    assert (checks["phones", ""].accounted, checks["phones", ""].left_out) == (0, 2)
    assert "did not note" in checks["phones", ""].why


@pytest.mark.parametrize(
    ("column", "value"), [("salary", "7"), ("age", "7"), ("tags", "'{x}'"), ("role", "'GUEST'"), ("weight", "7")]
)
def test_what_the_ledger_of_an_older_version_shows_whole_is_still_held_against_it(
    office: Made, column: str, value: str
) -> None:
    office.do(*OLDER, f"UPDATE people SET {column} = {value} WHERE {KEPT}")
    assert named(verified(office, ("checksum",))) == {("people", column)}


def test_what_was_kept_is_accounted_for_and_not_compared(office: Made) -> None:
    result = verified(office, LAYERS)
    for layer in ("samples", "types", "checksum"):
        checks = {(one.table, one.column): one for one in result.layers[layer].columns}
        assert checks["people", "age"].accounted == 1, layer
    assert {one.compared for one in result.layers["types"].columns if (one.table, one.column) == ("people", "age")} == {
        4
    }


FORGED_WAIT = (
    "INSERT INTO isthmus.pending_reference (run_id, table_schema, table_name, column_name, row_id, row_position,"
    " target_table, target_id) SELECT 1, 'public', 'people', 'boss', id::text, '{}', 'people', id::text FROM people"
    " WHERE age = 2"
)


@pytest.mark.parametrize(
    ("ledger", "layer", "path"),
    [
        ("DELETE FROM isthmus.conflict WHERE action = 'kept'", "counts", "(conflicts)"),
        ("DELETE FROM isthmus.kept_value WHERE column_name = 'age'", "counts", "(kept values)"),
        ("DELETE FROM isthmus.orphan WHERE column_name = 'boss'", "references", "boss"),
        (FORGED_WAIT, "references", "boss"),
    ],
)
def test_a_ledger_that_does_not_have_what_the_run_counted_is_named(
    office: Made, ledger: str, layer: Layer, path: str
) -> None:
    office.do(ledger)
    assert path in {place for _, place in named(verified(office, (layer,)), layer)}


def test_rows_of_others_are_counted_and_no_difference(office: Made) -> None:
    office.do("INSERT INTO people (id, email) VALUES (gen_random_uuid(), 'new@x')")
    office.do("INSERT INTO settings VALUES ('also theirs', '2')")
    office.do("UPDATE people SET age = 3 WHERE email = 'other@x'")
    result = verified(office, LAYERS)
    assert result.passed, result.differences
    checks = {(one.table, one.column): one for one in result.layers["checksum"].columns}
    assert (checks["people", ""].left_out, checks["settings", ""].left_out) == (2, 2)


@pytest.mark.parametrize(
    ("layer", "statement", "table", "path"),
    [
        ("counts", "DELETE FROM clubs WHERE name = 'two'", "clubs", "(rows)"),
        (
            "counts",
            "DELETE FROM members WHERE person_id <> '00000000-0000-4000-8000-000000000001'",
            "members",
            "(rows)",
        ),
        ("samples", "UPDATE people SET salary = 3 WHERE age = 3", "people", "salary"),
        ("samples", "UPDATE people SET roles = NULL WHERE age = 3", "people", "roles"),
        ("samples", "UPDATE settings SET value = '5' WHERE name = 'b'", "settings", "value"),
        ("samples", "DELETE FROM log WHERE ctid = (SELECT min(ctid) FROM log)", "log", "(row)"),
        ("samples", "UPDATE phones SET number = '9' WHERE position = 1", "phones", "number"),
        ("types", "UPDATE people SET day = NULL WHERE age = 3", "people", "day"),
        ("types", "UPDATE clubs SET name = 'three ' WHERE name = 'three'", "clubs", "name"),
        ("types", "UPDATE people SET org = NULL WHERE age = 3", "people", "org"),
    ],
)
def test_every_layer_that_reads_the_source_finds_damage(
    office: Made, layer: Layer, statement: str, table: str, path: str
) -> None:
    office.do(statement)
    result = verified(office, (layer,))
    assert (table, path) in named(result, layer), result.differences


@pytest.mark.parametrize("sample", [1, 100])
def test_a_sample_of_an_undamaged_target_passes(office: Made, sample: int) -> None:
    result = verified(office, LAYERS, sample=sample)
    assert result.passed, result.differences


@pytest.mark.parametrize("layer", ["counts", "samples", "types", "checksum"])
def test_a_column_or_table_that_is_gone_is_a_difference(office: Made, layer: Layer) -> None:
    office.do("ALTER TABLE people DROP COLUMN age", "DROP TABLE phones")
    result = verified(office, (layer,))
    assert {("people", "(table)"), ("phones", "(table)")} <= named(result, layer)


def test_a_value_that_its_type_does_not_take_is_a_difference(office: Made) -> None:
    office.do("ALTER TABLE people ALTER COLUMN day TYPE text USING 'no day'")
    for layer in READING:
        assert not verified(office, (layer,)).passed or layer == "counts"


def test_a_changed_source_is_named(office: Made, tmp_path: Path) -> None:
    folder = tmp_path / "dump" / "office"
    for name, some in documents().items():
        write_collection(folder, name, some)
    changed = documents()["clubs"]
    changed[0]["name"] = "changed"
    write_collection(folder, "clubs", changed)
    result = verified(replace(office, folder=folder))
    assert ("clubs", "(source)") in named(result, "counts")
    assert ("clubs", "name") in named(result)


def test_a_trigger_that_changes_rows_is_told(make_here: Callable[..., Made]) -> None:
    before = "CREATE TABLE users (id uuid PRIMARY KEY, name text, age integer);"
    before += "CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.name := upper(NEW.name);"
    before += " RETURN NEW; END $$; CREATE TRIGGER shout BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION shout()"
    result = verified(make_here(ONE, {"users": [{"_id": oid(1), "name": "a", "age": 1}]}, before=before))
    assert named(result) == {("users", "name")}
    assert any("has triggers (shout)" in note for note in result.layers["checksum"].notes)


# What is done to a reference whose id the plain oracle can follow; in which column it must name it.
FOLLOWED: dict[str, tuple[str, str, str]] = {
    "elsewhere": ("UPDATE people SET boss = id WHERE age = 2", "people", "boss"),
    "to a matched row, nulled": (
        "UPDATE people SET boss = NULL WHERE boss = '00000000-0000-4000-8000-000000000001'",
        "people",
        "boss",
    ),
    "of a kept row": (CHANGES["kept reference"][0], "people", "boss"),
    "an orphan's place filled": ("UPDATE people SET boss = id WHERE email = 'p1@x'", "people", "boss"),
    "fewer in an array": (CHANGES["array of references"][0], "people", "friends"),
    "array of a kept row": (CHANGES["kept array of references"][0], "people", "friends"),
    "matched row in an array": (
        "UPDATE people SET friends = array_replace(friends, '00000000-0000-4000-8000-000000000001', id) WHERE age = 2",
        "people",
        "friends",
    ),
    "route": (
        "UPDATE clubs SET owner_person = (SELECT id FROM people WHERE age = 3) WHERE name = 'two'",
        "clubs",
        "owner_person",
    ),
    "inside jsonb": (
        "UPDATE clubs SET reviewers = jsonb_set(reviewers, '{0,user}', reviewers -> 1 -> 'user') WHERE name = 'one'",
        "clubs",
        "reviewers",
    ),
}


@pytest.mark.parametrize("sample", [None, 100])
def test_samples_say_which_references_they_do_not_follow(office: Made, sample: int | None) -> None:
    result = verified(office, ("samples",), sample)
    assert result.passed, result.differences
    left = {(one.table, one.column): one.why for one in result.layers["samples"].columns if one.column and one.left_out}
    assert left == {
        ("people", "org"): "Ids have another type there than in the mapping: checksum compares it.",
        ("clubs", "head"): (
            "It is looked up by another field than the id, which rows of others may hold, too: checksum compares it."
        ),
        ("clubs", "owner_org"): "Ids have another type there than in the mapping: checksum compares it.",
    }
    compared = {(one.table, one.column): one.compared for one in result.layers["samples"].columns if one.compared}
    followed = [("people", "boss"), ("people", "friends"), ("clubs", "owner_person"), ("clubs", "reviewers")]
    assert [compared[place] for place in followed] == [4, 5, 1, 1]


@pytest.mark.parametrize("damage", FOLLOWED)
def test_samples_name_references_that_are_others(office: Made, damage: str) -> None:
    statement, table, path = FOLLOWED[damage]
    office.do(statement)
    assert named(verified(office, ("samples",), 100), "samples") == {(table, path)}


def test_samples_follow_references_to_rows_that_no_document_gives(make_here: Callable[..., Made]) -> None:
    """Documents that earlier copies brought and that are gone from the source are pointed at all the same."""
    before = "CREATE TABLE towns (id uuid PRIMARY KEY, name text);"
    before += "CREATE TABLE people (id uuid PRIMARY KEY, town uuid, towns uuid[], name text)"
    mapping = """
    isthmus: 1
    target: {tables: existing, rerun: tracked}
    collections:
      towns: {fields: {name: text}}
      people: {fields: {name: text, town: {references: towns}, towns: {type: "uuid[]", references: towns}}}
    """
    towns: list[dict[str, Any]] = [{"_id": oid(n), "name": f"t{n}"} for n in range(1, 4)]
    people: list[dict[str, Any]] = [
        {"_id": oid(10 + n), "name": "x", "town": oid(n), "towns": [oid(1), oid(n)]} for n in range(1, 4)
    ]
    made = make_here(mapping, {"towns": towns, "people": people}, before=before)
    assert verified(made, LAYERS).passed
    write_collection(made.folder, "towns", towns[1:])
    made.copy()
    result = verified(made, LAYERS)
    assert result.passed, result.differences
    made.do("UPDATE people SET town = gen_random_uuid(), towns = towns[2:] WHERE town = towns[1]")
    assert named(verified(made, ("samples",)), "samples") == {("people", "town"), ("people", "towns")}


def test_dead_letters_that_a_table_refused_are_said_to_be_left_out(make_here: Callable[..., Made]) -> None:
    before = "CREATE TABLE users (id uuid PRIMARY KEY, name text, age integer CHECK (age < 3))"
    users: list[dict[str, Any]] = [{"_id": oid(n), "name": f"n{n}", "age": n} for n in range(5)]
    result = verified(make_here(ONE, {"users": users}, before=before))
    assert result.passed, result.differences
    (letters,) = [one for one in result.layers["samples"].columns if one.column == "(dead letters)" and one.left_out]
    assert (letters.table, letters.left_out) == ("users", 2)
    assert "their reasons are not looked at" in letters.why


TRACKED = """
isthmus: 1
target: {tables: existing, rerun: tracked}
collections:
  users:
    fields:
      name: text
      age: integer
      seen: {type: timestamptz, default: now}
      cars: {child: cars, fields: {kind: text}}
"""
TRACKED_TABLES = (
    "CREATE TABLE users (id uuid PRIMARY KEY, name text, age integer, seen timestamptz);"
    " CREATE TABLE cars (users_id uuid, position integer, kind text, PRIMARY KEY (users_id, position))"
)


def test_rows_edited_or_deleted_between_copies_are_accounted_for_and_no_more_of_them(
    make_here: Callable[..., Made],
) -> None:
    users = [{"_id": oid(n), "name": f"n{n}", "age": n, "cars": [{"kind": "a"}, {"kind": "b"}]} for n in range(6)]
    made = make_here(TRACKED, {"users": users}, before=TRACKED_TABLES)
    assert verified(made).passed
    made.do("UPDATE users SET name = 'edited' WHERE age = 1")
    assert named(verified(made)) == {("users", "name")}
    made.do("DELETE FROM cars WHERE users_id = (SELECT id FROM users WHERE age = 2)")
    made.do("DELETE FROM users WHERE age = 2")
    made.copy()
    result = verified(made)
    assert result.passed, result.differences
    checks = {(one.table, one.column): one for one in result.layers["checksum"].columns}
    assert (checks["users", "name"].accounted, checks["users", ""].accounted, checks["cars", ""].accounted) == (1, 1, 2)
    made.do("UPDATE users SET name = 'edited again' WHERE age = 1")
    assert named(verified(made)) == {("users", "name")}
    made.do("UPDATE users SET name = 'n1' WHERE age = 1", "UPDATE users SET name = 'edited' WHERE age = 3")
    assert {one.id for one in verified(made).layers["checksum"].differences} == {
        str(made.one("SELECT id FROM users WHERE age = 3"))
    }
    made.do("UPDATE users SET name = 'edited' WHERE age = 1")
    made.do("UPDATE users SET name = 'damaged' WHERE age = 3")
    result = verified(made)
    assert {one.id for one in result.layers["checksum"].differences} >= {
        str(made.one("SELECT id FROM users WHERE age = 3"))
    }
    made.do("UPDATE users SET name = 'n3' WHERE age = 3", "DELETE FROM users WHERE age = 4")
    assert ("users", "(row)") in named(verified(made))


def test_a_copy_of_some_collections(make_here: Callable[..., Made]) -> None:
    collections: dict[str, list[dict[str, Any]]] = {
        "people": [{"_id": oid(n), "name": f"n{n}", "town": oid(10 + n)} for n in range(3)],
        "towns": [{"_id": oid(10 + n), "name": f"t{n}"} for n in range(2)],
    }
    mapping = """
    isthmus: 1
    target: {tables: existing}
    collections:
      people: {fields: {name: text, town: {references: towns, on_orphan: "null"}}}
      towns: {fields: {name: text}}
    """
    before = "CREATE TABLE towns (id uuid PRIMARY KEY, name text);"
    before += " CREATE TABLE people (id uuid PRIMARY KEY, name text, town uuid REFERENCES towns)"
    made = make_here(mapping, collections, before=before, only=("people",))
    result = verified(made, LAYERS)
    assert result.passed, result.differences
    checks = {(one.table, one.column): one for one in result.layers["checksum"].columns}
    assert checks["people", "town"].accounted == 3
    assert checks["towns", ""].compared == 0
    assert "not carried" in checks["towns", ""].why
    made.do("DELETE FROM isthmus.pending_reference WHERE id = (SELECT min(id) FROM isthmus.pending_reference)")
    assert named(verified(made)) == {("people", "town")}


def test_sensitive_values_and_keys_are_not_shown(make_here: Callable[..., Made]) -> None:
    mapping = """
    isthmus: 1
    target: {tables: existing}
    collections:
      tokens:
        key: token
        fields: {token: {type: text!, sensitive: true}, secret: {type: text, sensitive: true}, n: integer}
      notes: {key: none, extras: dead_letter, fields: {line: {type: text, sensitive: true}}}
    """
    before = "CREATE TABLE tokens (token text PRIMARY KEY, secret text, n integer); CREATE TABLE notes (line text)"
    tokens = [{"_id": oid(n), "token": f"HIDE{n}", "secret": f"HIDE s{n}", "n": n} for n in range(4)]
    collections = {"tokens": tokens, "notes": [{"_id": oid(9), "line": "HIDE line"}]}
    made = make_here(mapping, collections, before=before)
    assert verified(made, LAYERS).passed
    made.do(
        "UPDATE tokens SET secret = 'HIDE other' WHERE n = 1",
        "UPDATE tokens SET n = 7 WHERE n = 2",
        "DELETE FROM tokens WHERE n = 3",
        "UPDATE notes SET line = 'HIDE changed'",
    )
    result = verified(made, LAYERS)
    assert named(result) == {("tokens", "secret"), ("tokens", "n"), ("tokens", "(row)"), ("notes", "(row)")}
    existing = [result.layers[layer].differences for layer in ("counts", "types", "checksum")]
    assert "HIDE" not in str(existing)


def test_a_server_that_takes_no_temporary_tables_is_refused(office: Made) -> None:
    name = str(conninfo_to_dict(office.conninfo)["dbname"]).replace('"', '""')
    office.do(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    with pytest.raises(TargetError) as refused:
        verified(office, ("checksum",))
    assert refused.value.code == "no-temporary-tables"
