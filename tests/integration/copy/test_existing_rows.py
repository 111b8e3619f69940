"""Copies into tables that hold rows: which row is which document, what happens to it, and what the ledgers say.

Oracle: rows and ledgers read with SQL of the test's own.
"""

from __future__ import annotations

import pytest

from tests.integration.copy.carrying import World, balanced, oid

TABLES = """
CREATE TABLE orgs (id uuid PRIMARY KEY, name text NOT NULL);
CREATE TABLE people (id uuid PRIMARY KEY, email text UNIQUE, name text, note text, org uuid REFERENCES orgs,
  boss uuid REFERENCES people);
CREATE TABLE phones (
  people_id uuid REFERENCES people, position integer, number text, PRIMARY KEY (people_id, position)
);
CREATE TABLE friends (a uuid REFERENCES people, b uuid REFERENCES orgs, PRIMARY KEY (a, b));
CREATE TABLE visits (id uuid PRIMARY KEY, person uuid NOT NULL REFERENCES people, about jsonb);
"""
MAPPING = """
isthmus: 1
target: {{tables: existing, on_conflict: {policy}}}
extras: dead_letter
collections:
  orgs: {{match: [[name]], fields: {{name: text!}}}}
  people:
    match: [[email], [name]]
    fields:
      email: text
      name: text
      org: {{references: orgs, on_orphan: "null"}}
      boss: {{references: people, on_orphan: "null"}}
      phones: {{child: phones, extras: dead_letter, fields: {{number: text}}}}
      friends: {{junction: friends, own: a}}
  visits:
    fields: {{person: {{references: people, required: true}}, about: {{type: jsonb, rewrite: {{who: people}}}}}}
junctions: {{friends: {{a: people, b: orgs}}}}
"""
ROW = "00000000-0000-4000-8000-0000000000"


def mapping(policy: str = "keep_target") -> str:
    return MAPPING.format(policy=policy)


def fill(world: World) -> None:
    world.rows(TABLES)
    world.rows(
        f"""
        INSERT INTO orgs VALUES ('{ROW}01', 'acme');
        INSERT INTO people (id, email, name, note) VALUES ('{ROW}11', 'ann@x', 'Ann of old', 'dear'),
          ('{ROW}12', NULL, 'Bob', NULL), ('{ROW}13', 'twin@x', 'Twin', NULL), ('{ROW}14', NULL, 'Two', NULL),
          ('{ROW}15', NULL, 'Two', NULL);
        INSERT INTO phones VALUES ('{ROW}11', 0, 'old 0'), ('{ROW}11', 1, 'old 1'), ('{ROW}11', 2, 'old 2');
        INSERT INTO friends VALUES ('{ROW}11', '{ROW}01');
        """
    )


PEOPLE = [
    {
        "_id": oid(1),
        "email": "ann@x",
        "name": "Ann",
        "org": oid(101),
        "phones": [{"number": "new 0"}, {"number": "old 1"}],
        "friends": [oid(101), oid(102)],
    },
    {"_id": oid(2), "email": "bob@x", "name": "Bob", "boss": oid(1)},
    {"_id": oid(3), "email": "new@x", "name": "New", "boss": oid(2), "org": oid(101), "friends": [oid(101)]},
]
ORGS = [{"_id": oid(101), "name": "acme"}, {"_id": oid(102), "name": "other"}]
VISITS = [
    {"_id": oid(201), "person": oid(1), "about": {"who": oid(1)}},
    {"_id": oid(202), "person": oid(3), "about": {"who": oid(3)}},
]
DUMP = {"people": PEOPLE, "orgs": ORGS, "visits": VISITS}


def test_matched_rows_are_kept_and_everything_points_at_them(world: World) -> None:
    fill(world)
    world.write(DUMP)
    result = world.copy(mapping())
    balanced(result)
    assert result.balance is not None
    books = result.balance.collections
    assert (books["people"].kept, books["people"].copied) == (2, 1)
    assert (books["orgs"].kept, books["orgs"].copied) == (1, 1)
    assert world.rows(
        "SELECT email, name, note, org FROM people WHERE id::text LIKE %s ORDER BY id LIMIT 2", f"{ROW}1%"
    ) == [
        ("ann@x", "Ann of old", "dear", None),
        (None, "Bob", None, None),
    ]
    new = world.one("SELECT id::text FROM people WHERE email = 'new@x'")
    assert world.rows("SELECT boss::text, org::text FROM people WHERE email = 'new@x'") == [(f"{ROW}12", f"{ROW}01")]
    assert world.rows("SELECT number FROM phones ORDER BY people_id, position") == [("old 0",), ("old 1",), ("old 2",)]
    other = world.one("SELECT id::text FROM orgs WHERE name = 'other'")
    assert sorted(world.rows("SELECT a::text, b::text FROM friends")) == sorted(
        [(f"{ROW}11", f"{ROW}01"), (f"{ROW}11", other), (new, f"{ROW}01")]
    )
    assert sorted(world.column("SELECT person::text FROM visits")) == sorted([f"{ROW}11", new])
    assert sorted(world.column("SELECT about ->> 'who' FROM visits")) == sorted([f"{ROW}11", new])
    ids = world.rows("SELECT collection, id FROM isthmus.id_map WHERE origin = 'matched' ORDER BY 1, 2")
    assert ids == [("orgs", f"{ROW}01"), ("people", f"{ROW}11"), ("people", f"{ROW}12")]
    conflicts = world.rows("SELECT row_id, action, differing FROM isthmus.conflict ORDER BY 1")
    assert [(row, action) for row, action, _ in conflicts] == [(f"{ROW}11", "kept"), (f"{ROW}12", "kept")]
    assert conflicts[0][2]["name"] == {"target": "Ann of old", "source": "Ann"}
    assert conflicts[0][2]["phones"] == {"rows": "differ"}
    assert "email" not in conflicts[0][2]


def test_overwrite_puts_the_sources_values_and_children_in_place(world: World) -> None:
    fill(world)
    world.write(DUMP)
    result = world.copy(mapping("overwrite"))
    balanced(result)
    assert result.balance is not None
    assert result.balance.collections["people"].copied == 3
    assert result.balance.met_rows["people"] == {"overwritten": 2}
    assert world.rows("SELECT email, name, note, org::text FROM people WHERE id = %s", f"{ROW}11") == [
        ("ann@x", "Ann", "dear", f"{ROW}01")
    ]
    assert world.rows("SELECT boss::text FROM people WHERE id = %s", f"{ROW}12") == [(f"{ROW}11",)]
    assert world.rows("SELECT position, number FROM phones ORDER BY 1") == [(0, "new 0"), (1, "old 1")]
    assert world.one("SELECT count(*) FROM friends") == 3
    assert world.column("SELECT action FROM isthmus.conflict ORDER BY row_id") == ["overwritten", "overwritten"]


def test_dead_letter_refuses_what_differs_and_its_references_still_find_the_row(world: World) -> None:
    fill(world)
    world.write({**DUMP, "people": [*PEOPLE[:2], {**PEOPLE[2], "boss": oid(1)}]})
    result = world.copy(mapping("dead_letter"))
    balanced(result)
    assert world.codes() == {str(oid(1)): "target-has-row", str(oid(2)): "target-has-row", str(oid(201)): "orphan"}
    assert "name, org, phones" in world.letters("people")[0].message


@pytest.mark.parametrize("policy", ["keep_target", "overwrite", "dead_letter"])
def test_what_matches_twice_is_refused_in_either_direction(world: World, policy: str) -> None:
    fill(world)
    people = [
        {"_id": oid(1), "email": "a@x", "name": "Two"},  # two rows have the name
        {"_id": oid(2), "email": "twin@x", "name": "x"},  # by its email,
        {"_id": oid(3), "email": "y@x", "name": "Twin"},  # and this one by its name: the same row
        {"_id": oid(4), "email": "z@x", "name": "Four", "boss": oid(2)},
    ]
    world.write({"people": people, "orgs": [], "visits": []})
    result = world.copy(mapping(policy))
    balanced(result)
    assert world.codes() == {str(oid(1)): "match-ambiguous", str(oid(2)): "match-taken", str(oid(3)): "match-taken"}
    assert world.rows("SELECT name, boss FROM people WHERE email = 'z@x'") == [("Four", None)]
    assert world.one("SELECT count(*) FROM people") == 6


def test_unique_value_of_another_row_is_no_match_unless_said_so(world: World) -> None:
    fill(world)
    world.write({"people": [PEOPLE[0]], "orgs": ORGS, "visits": [VISITS[0]]})
    result = world.copy(mapping().replace("match: [[email], [name]]", "match: [[name]]"))
    balanced(result)
    assert world.codes() == {str(oid(1)): "target-has-value", str(oid(201)): "orphan"}
    assert "match: [[email]]" in world.letters("people")[0].message


def test_second_copy_of_the_whole_keeps_what_the_first_one_delivered(world: World) -> None:
    fill(world)
    world.write(DUMP)
    balanced(world.copy(mapping()))
    before = world.rows("SELECT * FROM people ORDER BY id")
    result = world.copy(mapping(), fresh=True)
    balanced(result)
    assert result.balance is not None
    assert {name: books.kept for name, books in result.balance.collections.items()} == {
        "orgs": 2,
        "people": 3,
        "visits": 2,
    }
    assert world.rows("SELECT * FROM people ORDER BY id") == before
    assert world.one("SELECT count(*) FROM friends") == 3


PRISMA = """
CREATE TABLE "User" (id text PRIMARY KEY, email text UNIQUE, "bossId" text REFERENCES "User");
CREATE TABLE "Phone" (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), "userId" text NOT NULL REFERENCES "User",
  position integer NOT NULL, number text, UNIQUE ("userId", position));
CREATE TABLE "_UserToUser" ("A" text REFERENCES "User", "B" text REFERENCES "User", UNIQUE ("A", "B"));
INSERT INTO "User" VALUES ('clx0row0ann', 'ann@x', NULL);
INSERT INTO "Phone" ("userId", position, number) VALUES ('clx0row0ann', 0, 'old');
"""
PRISMA_MAPPING = """
isthmus: 1
target: {{tables: existing, on_conflict: {policy}}}
naming: keep
ids: {ids}
extras: dead_letter
collections:
  users:
    table: User
    match: [[email]]
    fields:
      email: text
      boss: {{column: bossId, references: users, on_orphan: "null"}}
      phones: {{child: Phone, own: userId, extras: dead_letter, fields: {{number: text}}}}
      knows: {{junction: _UserToUser, own: A}}
junctions:
  _UserToUser: {{A: users, B: users}}
"""


@pytest.mark.parametrize("ids", ["uuid", "cuid2"])
@pytest.mark.parametrize("policy", ["keep_target", "overwrite"])
def test_rows_with_ids_of_any_form_are_matched_and_pointed_at(world: World, ids: str, policy: str) -> None:
    world.rows(PRISMA)
    world.write(
        {
            "users": [
                {"_id": oid(1), "email": "ann@x", "phones": [{"number": "0"}, {"number": "1"}], "knows": [oid(2)]},
                {
                    "_id": oid(2),
                    "email": "bob@x",
                    "boss": oid(1),
                    "phones": [{"number": "2"}],
                    "knows": [oid(1), oid(2)],
                },
            ]
        }
    )
    result = world.copy(PRISMA_MAPPING.format(ids=ids, policy=policy))
    balanced(result)
    bob = world.one('SELECT id FROM "User" WHERE email = %s', "bob@x")
    assert world.one('SELECT "bossId" FROM "User" WHERE id = %s', bob) == "clx0row0ann"
    anns = [("old",)] if policy == "keep_target" else [("0",), ("1",)]
    assert world.rows('SELECT number FROM "Phone" WHERE "userId" = %s ORDER BY position', "clx0row0ann") == anns
    assert world.column('SELECT number FROM "Phone" WHERE "userId" = %s', bob) == ["2"]
    assert sorted(world.rows('SELECT * FROM "_UserToUser"')) == sorted(
        [("clx0row0ann", bob), (bob, "clx0row0ann"), (bob, bob)]
    )


def test_tracked_children_decide_together_with_their_row(world: World) -> None:
    world.rows(PRISMA.split("INSERT", maxsplit=1)[0])
    mapping = PRISMA_MAPPING.format(ids="uuid", policy="keep_target, rerun: tracked")
    users = [{"_id": oid(n), "email": f"{n}@x", "phones": [{"number": f"{n}"}]} for n in range(1, 5)]
    world.write({"users": users})
    balanced(world.copy(mapping))
    world.rows(
        "UPDATE \"Phone\" SET number = 'edited'"
        " WHERE \"userId\" IN (SELECT id FROM \"User\" WHERE email IN ('1@x', '2@x'))"
    )
    users[1] = {"_id": oid(2), "email": "2@x", "phones": [{"number": "new"}]}
    users[2] = {"_id": oid(3), "email": "3@x", "phones": [{"number": "new"}, {"number": "more"}]}
    world.write({"users": users})
    result = world.copy(mapping)
    balanced(result)
    assert result.run == 2
    assert result.balance is not None
    assert result.balance.met_rows == {"users": {"edited": 1, "kept": 1, "updated": 1, "same": 1}}
    assert world.rows('SELECT email, number FROM "Phone" JOIN "User" u ON u.id = "userId" ORDER BY 1, position') == [
        ("1@x", "edited"),
        ("2@x", "edited"),
        ("3@x", "new"),
        ("3@x", "more"),
        ("4@x", "4"),
    ]
    assert world.rows("SELECT action, differing FROM isthmus.conflict") == [("kept", {"Phone": {"rows": "differ"}})]


def test_values_filled_in_by_now_are_given_to_new_rows_only(world: World) -> None:
    world.rows("CREATE TABLE a (id uuid PRIMARY KEY, n integer, seen timestamptz NOT NULL)")
    mapping = """
        isthmus: 1
        target: {tables: existing, rerun: tracked, on_conflict: overwrite}
        extras: dead_letter
        collections: {A: {table: a, fields: {n: integer, seen: {type: timestamptz, default: now}}}}
        """
    world.write({"A": [{"_id": oid(1), "n": 1}, {"_id": oid(2), "n": 2}]})
    balanced(world.copy(mapping))
    before = world.rows("SELECT n, seen FROM a ORDER BY n")
    world.write({"A": [{"_id": oid(1), "n": 1}, {"_id": oid(2), "n": 5}]})
    result = world.copy(mapping)
    balanced(result)
    assert result.balance is not None
    assert result.balance.met_rows == {"A": {"same": 1, "updated": 1}}
    assert world.rows("SELECT n, seen FROM a ORDER BY n") == [before[0], (5, before[1][1])]


def test_changes_that_the_table_refuses_are_found_one_by_one(world: World) -> None:
    fill(world)
    world.rows(
        "CREATE TABLE calls (people_id uuid, position integer, FOREIGN KEY (people_id, position) REFERENCES phones);"
        f"INSERT INTO calls VALUES ('{ROW}11', 2); INSERT INTO people (id, email) SELECT gen_random_uuid(), n || '@x'"
        " FROM generate_series(1, 30) AS n; ALTER TABLE people ADD CHECK (note IS NULL OR name <> 'Ann');"
        "ALTER TABLE people ADD CHECK (note IS NOT NULL OR name NOT LIKE 'bad%')"
    )
    bad = {7, 8, 20}
    people = [{"_id": oid(n), "email": f"{n}@x", "name": f"{'bad' if n in bad else 'n'}{n}"} for n in range(1, 31)]
    people += [{"_id": oid(40), "email": "ann@x", "name": "Other", "phones": [{"number": "only"}]}]
    world.write({"people": people, "orgs": [], "visits": [{"_id": oid(99), "person": oid(8)}]})
    result = world.copy(mapping("overwrite"))
    balanced(result)
    assert world.codes("people") == dict.fromkeys([str(oid(n)) for n in (7, 8, 20, 40)], "target-refused")
    assert world.codes("visits") == {str(oid(99)): "orphan"}
    assert world.one("SELECT count(*) FROM people WHERE name LIKE 'n%'") == 27
    assert world.column("SELECT number FROM phones ORDER BY position") == ["old 0", "old 1", "old 2"]
    assert any("calls point at public.phones" in note for note in world.notes)


def test_numbers_inside_jsonb_that_are_ids_lead_to_the_matched_row(world: World) -> None:
    world.rows("CREATE TABLE people (id integer PRIMARY KEY, email text UNIQUE)")
    world.rows("CREATE TABLE visits (id uuid PRIMARY KEY, about jsonb)")
    world.rows("INSERT INTO people VALUES (1, 'a@x')")
    about = {"who": [{"id": 5}, {"id": 6}, {"id": "5"}, {"id": 7.5}, {"other": 5}], "n": 5}
    world.write({"people": [{"_id": 5, "email": "a@x"}, {"_id": 6, "email": "b@x"}]})
    world.write({"visits": [{"_id": oid(1), "about": about}]})
    balanced(
        world.copy("""
        isthmus: 1
        target: {tables: existing, on_conflict: keep_target}
        extras: dead_letter
        collections:
          people: {ids: keep, match: [[email]], fields: {_id: {column: id, type: integer}, email: text}}
          visits: {fields: {about: {type: jsonb, rewrite: {"who.[].id": people}}}}
        """)
    )
    who = world.one("SELECT about -> 'who' FROM visits")
    assert who[0] == {"id": 1}
    assert who[1] == {"id": 6}
    assert who[4] == {"other": 5}
    assert world.one("SELECT about -> 'n' FROM visits") == 5


def test_what_only_looks_like_the_id_of_a_row_that_moved_stays_inside_jsonb(world: World) -> None:
    world.rows("CREATE TABLE people (id text PRIMARY KEY, mail text UNIQUE)")
    world.rows("CREATE TABLE notes (id text PRIMARY KEY, inside jsonb)")
    world.rows("INSERT INTO people VALUES ('there', 'a')")
    inside = [{"who": "2"}, {"who": 2}, {"who": "2", "n": 2}]
    world.write({"people": [{"_id": "2", "mail": "a"}], "notes": [{"_id": "n", "inside": inside}]})
    balanced(
        world.copy(
            """
            isthmus: 1
            ids: keep
            target: {tables: existing, on_conflict: keep_target}
            collections:
              people: {match: [[mail]], fields: {_id: text, mail: text}}
              notes: {fields: {_id: text, inside: {type: jsonb, rewrite: {"[].who": people}}}}
            """
        )
    )
    assert world.one("SELECT inside FROM notes") == [{"who": "there"}, {"who": 2}, {"who": "there", "n": 2}]
