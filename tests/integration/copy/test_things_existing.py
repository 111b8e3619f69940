"""Identities and tables that exist: things become rows of them, also of rows that were there, copy after copy."""

from __future__ import annotations

import pytest

from tests.integration.copy.carrying import World, balanced, oid
from tests.integration.copy.test_things import ANN, BEN, EVE, PEOPLE, plant
from tests.integration.copy.things import carry, id_of, things_of

EXISTING = PEOPLE.replace(
    "isthmus: 1", "isthmus: 1\ntarget: {tables: existing, rerun: tracked, on_conflict: keep_target}"
)
TABLES = """
CREATE TABLE users (id text PRIMARY KEY, email text UNIQUE, name text, "the Image" text, city text, friend_ids text[],
    extras jsonb);
CREATE TABLE tags (users_id text NOT NULL REFERENCES users ON DELETE CASCADE, position integer, word text, extras jsonb,
    PRIMARY KEY (users_id, position));
CREATE TABLE profiles (id text PRIMARY KEY, user_id text REFERENCES users, by_id text REFERENCES users, inside jsonb,
    extras jsonb);
CREATE TABLE likes (profile_id text REFERENCES profiles, user_id text REFERENCES users,
    PRIMARY KEY (profile_id, user_id));
"""


def test_things_become_rows_of_tables_that_exist(world: World) -> None:
    world.rows(TABLES)
    things = plant(world)
    result = carry(world, EXISTING, things)
    balanced(result)
    rows = world.rows('SELECT id, email, name, "the Image", city, extras FROM users ORDER BY email COLLATE "C"')
    assert rows == [
        (ANN, "ann@x", "Ann of users", "n1", None, {"zip": 2, "image": "u1"}),
        (BEN, "ben@x", "Ben", None, "Rome", None),
        (id_of("new Users", oid(12)), "carl@x", None, "n2", None, None),
        (EVE, "eve@x", "Eve", None, None, {"zip": 3}),
    ]
    linked = dict(world.rows("SELECT p.id, user_id FROM profiles p"))
    of = {number: linked[id_of("profiles", oid(number))] for number in range(21, 27)}
    assert of == {21: ANN, 22: ANN, 23: BEN, 24: EVE, 25: None, 26: EVE}
    assert world.one("SELECT count(*) FROM likes") == 2
    found = world.verify(EXISTING, things=things)
    assert found.passed, found.differences
    found = world.verify(EXISTING, things=things, sample=3)
    assert found.passed, found.differences
    assert "--sample all" in next(
        one.why for one in found.layers["samples"].columns if (one.table, one.column) == ("users", "name")
    )
    again = carry(world, EXISTING, things)
    balanced(again)
    assert world.rows('SELECT id, email, name, "the Image", city, extras FROM users ORDER BY email COLLATE "C"') == rows
    found = world.verify(EXISTING, things=things)
    assert found.passed, found.differences


def test_linked_collections_come_later(world: World) -> None:
    world.rows(TABLES)
    things = plant(world)
    balanced(carry(world, EXISTING, things, only=("users", "new Users")))
    assert world.one("SELECT count(*) FROM users") == 4
    balanced(carry(world, EXISTING, things, only=("profiles",)))
    linked = dict(world.rows("SELECT p.id, user_id FROM profiles p"))
    of = {number: linked[id_of("profiles", oid(number))] for number in range(21, 27)}
    assert of == {21: ANN, 22: ANN, 23: BEN, 24: EVE, 25: None, 26: EVE}
    assert sorted(world.rows("SELECT profile_id, user_id FROM likes")) == sorted(
        [(id_of("profiles", oid(22)), ANN), (id_of("profiles", oid(22)), BEN)]
    )
    found = world.verify(EXISTING, things=things)
    assert found.passed, found.differences


def test_a_row_keeps_the_id_of_its_thing_whatever_becomes_of_the_source(world: World) -> None:
    world.rows(TABLES)
    things = plant(world)
    balanced(carry(world, EXISTING, things))
    world.write({"new Users": [{"_id": oid(12), "email": "carl@x", "image": "n2"}]})
    # Ann's document in `new Users` is gone: what is left of her is still the row that she is
    world.write(
        {
            "users": [
                {"_id": oid(1), "email": "Ann@x", "name": "Ann again"},
                {"_id": oid(2), "email": "ben@x", "name": "Ben", "city": "Rome", "friends": [oid(1)]},
            ]
        }
    )
    balanced(carry(world, EXISTING, things))
    assert world.rows("SELECT id, name FROM users WHERE email = 'Ann@x' OR id = %s", ANN) == [(ANN, "Ann again")]
    assert world.one("SELECT friend_ids FROM users WHERE email = 'ben@x'") == [ANN]
    linked = dict(world.rows("SELECT p.id, user_id FROM profiles p"))
    assert linked[id_of("profiles", oid(21))] == ANN
    found = world.verify(EXISTING, things=things)
    assert found.passed, found.differences


@pytest.mark.parametrize(
    ("damage", "place"),
    [
        ("UPDATE users SET name = 'Ann' WHERE name = 'Ann of users'", ("users", "name")),
        ("UPDATE users SET \"the Image\" = 'u1' WHERE name = 'Ann of users'", ("users", "the Image")),
        ("UPDATE users SET friend_ids = friend_ids[1:2] WHERE name = 'Ann of users'", ("users", "friend_ids")),
        ("UPDATE users SET extras = extras - 'image' WHERE name = 'Ann of users'", ("users", "extras")),
        ("UPDATE tags SET word = 'b' WHERE word = 'a'", ("tags", "word")),
        ("DELETE FROM tags WHERE word = 'a'", ("tags", "(row)")),
        ("UPDATE profiles SET user_id = by_id WHERE user_id IS NULL OR by_id IS NULL", ("profiles", "user_id")),
        ("UPDATE profiles SET user_id = (SELECT id FROM users WHERE name = 'Ben')", ("profiles", "user_id")),
        (f"INSERT INTO users (id, email) VALUES ('{id_of('users', oid(4))}', 'gone@x')", ("users", "(row)")),
        (f"INSERT INTO users (id, email) VALUES ('{id_of('users', oid(1))}', 'Ann@x')", ("users", "(row)")),
    ],
)
def test_damage_is_named(damage: str, place: tuple[str, str], world: World) -> None:
    world.rows(TABLES)
    things = plant(world)
    balanced(carry(world, EXISTING, things))
    world.rows(damage)
    found = world.verify(EXISTING, things=things)
    places = {(one.table, one.path) for layer in found.layers.values() for one in layer.differences}
    assert place in places, places
    if place[1] != "(row)":
        assert place in {(one.table, one.path) for one in found.layers["checksum"].differences}
        sampled = {(one.table, one.path) for one in found.layers["samples"].differences}
        assert place in sampled, sampled


def test_things_part_when_people_say_so(world: World) -> None:
    world.rows(TABLES)
    things = plant(world)
    balanced(carry(world, EXISTING, things))
    own = id_of("users", oid(1))
    apart = things_of(
        (ANN, {"new Users": [oid(11)], "profiles": [oid(21), oid(22)]}),
        (own, {"users": [oid(1)]}),
        (BEN, {"users": [oid(2)], "profiles": [oid(23)]}),
        (id_of("new Users", oid(12)), {"new Users": [oid(12)]}),
        (EVE, {"users": [oid(3)], "new Users": [oid(13)], "profiles": [oid(24), oid(26)]}),
        none={"profiles": [oid(25)]},
        dropped={"users": {oid(4): "test account"}},
        digest="other answers",
    )
    balanced(carry(world, EXISTING, apart))
    assert world.rows("SELECT id, name FROM users WHERE id = ANY(%s) ORDER BY 2", [ANN, own]) == [
        (ANN, "Ann"),
        (own, "Ann of users"),
    ]
    assert world.one("SELECT friend_ids FROM users WHERE email = 'ben@x'") == [own, ANN]
    found = world.verify(EXISTING, things=apart)
    assert found.passed, found.differences
