"""Documents that identities make one thing: joined by it alone, linked to it, left out where people say so.

Oracles: what was planted, joined by hand; the reference, over every row, pair and ledger.
"""

from __future__ import annotations

import bson
import pytest

from isthmus.errors import ConfigError
from isthmus.mapping.things import Things
from tests.integration.copy.carrying import World, balanced, oid
from tests.integration.copy.things import as_the_oracle_says, carry, id_of, named, things_of

PEOPLE = """
isthmus: 1
ids: cuid2
identities:
  people:
    keys: {email: [trim, lower]}
    members:
      "new Users": {keys: {email: email}}
      users: {keys: {email: email}}
    linked:
      profiles: {keys: {email: email}, links: {userId: ["new Users", users]}}
    wins: {"the Image": "new Users", name: users}
collections:
  users:
    rewritten: true
    fields:
      email: {type: text, unique: true}
      name: text
      "the Image": {column: "the Image", type: text}
      city: {type: text, sensitive: true}
      friends: {column: friend_ids, type: "text[]", references: users}
      tags: {child: tags, fields: {word: text}}
  "new Users":
    table: users
    fields:
      email: {type: text, unique: true}
      name: text
      image: {column: "the Image", type: text}
      tags: {child: tags, fields: {word: text}}
  profiles:
    fields:
      userId: {column: user_id, references: users, identity: people, index: true}
      by: {column: by_id, references: users}
      inside: {type: jsonb, rewrite: {"[].who": users}}
      likes: {junction: likes}
junctions:
  likes: {columns: {profile_id: profiles, user_id: users}}
"""

ANN, BEN, EVE = id_of("new Users", oid(11)), id_of("users", oid(2)), id_of("new Users", oid(13))


def plant(world: World) -> Things:
    world.write(
        {
            "users": [
                {
                    "_id": oid(1),
                    "email": "Ann@x",
                    "name": "Ann of users",
                    "image": "u1",
                    "the Image": "old",
                    "zip": 1,
                    "friends": [oid(2), ANN, oid(13)],
                    "tags": [{"word": "a"}],
                },
                {"_id": oid(2), "email": "ben@x", "name": "Ben", "city": "Rome", "friends": [oid(1), oid(11)]},
                {"_id": oid(3), "email": "eve@x", "zip": 3, "tags": [{"word": "e"}]},
                {"_id": oid(4), "email": "gone@x", "name": "left out"},
            ],
            "new Users": [
                {"_id": oid(11), "email": "ann@x", "name": "Ann", "image": "n1", "zip": 2, "tags": [{"word": "b"}]},
                {"_id": oid(12), "email": "carl@x", "image": "n2"},
                {"_id": oid(13), "email": "eve@x", "name": "Eve"},
            ],
            "profiles": [
                {"_id": oid(21), "userId": oid(1), "by": oid(1), "inside": [{"who": oid(1)}, {"who": ANN}]},
                {"_id": oid(22), "userId": str(oid(11)), "likes": [oid(1), oid(2), ANN]},
                {"_id": oid(23), "userId": oid(2), "by": BEN},
                {"_id": oid(24), "by": oid(3)},
                {"_id": oid(25), "userId": oid(12)},
                {"_id": oid(26), "userId": oid(99), "by": "zzzzzzzzzzzzzzzzzzzzzzzz"},
            ],
        }
    )
    return things_of(
        (ANN, {"users": [oid(1)], "new Users": [oid(11)], "profiles": [oid(21), oid(22)]}),
        (BEN, {"users": [oid(2)], "profiles": [oid(23)]}),
        (id_of("new Users", oid(12)), {"new Users": [oid(12)]}),
        (EVE, {"users": [oid(3)], "new Users": [oid(13)], "profiles": [oid(24), oid(26)]}),
        none={"profiles": [oid(25)]},
        dropped={"users": {oid(4): "test account"}},
    )


def test_documents_of_one_thing_become_one_row(world: World) -> None:
    things = plant(world)
    result = carry(world, PEOPLE, things)
    as_the_oracle_says(world, PEOPLE, things, result)
    assert result.balance is not None
    books = result.balance.collections["users"]
    assert (books.read, books.copied, books.merged, books.skipped, books.dead_letters) == (4, 1, 2, 1, 0)
    assert result.balance.skips == {"users": {"test account": 1}} or "test account" in str(result.balance)
    rows = world.rows('SELECT id, email, name, "the Image", city, extras FROM users ORDER BY email COLLATE "C"')
    # the email is that of the document that stays; the name is the one of users, the image the one of new Users
    assert rows == [
        (ANN, "ann@x", "Ann of users", "n1", None, {"zip": 2, "image": "u1"}),
        (BEN, "ben@x", "Ben", None, "Rome", None),
        (id_of("new Users", oid(12)), "carl@x", None, "n2", None, None),
        (EVE, "eve@x", "Eve", None, None, {"zip": 3}),
    ]
    assert world.rows("SELECT position, word FROM tags WHERE users_id = %s ORDER BY 1", ANN) == [(0, "b"), (1, "a")]
    assert not world.column("SELECT attname FROM pg_attribute WHERE attname LIKE '\\_isthmus%'")
    friends = dict(world.rows("SELECT email, friend_ids FROM users WHERE friend_ids IS NOT NULL"))
    assert friends == {"ann@x": [BEN, ANN, EVE], "ben@x": [ANN, ANN]}


def test_linked_documents_lead_to_the_thing_they_belong_to(world: World) -> None:
    things = plant(world)
    balanced(carry(world, PEOPLE, things))
    linked = dict(world.rows("SELECT p.id, user_id FROM profiles p"))
    of = {number: linked[id_of("profiles", oid(number))] for number in range(21, 27)}
    assert of == {21: ANN, 22: ANN, 23: BEN, 24: EVE, 25: None, 26: EVE}
    listed = world.rows("SELECT source_id, column_name, kind, original FROM isthmus.adjustment ORDER BY source_id")
    assert [(bytes(one[0]), *one[1:3]) for one in listed] == [
        (named(oid(25)), "user_id", "linked"),
        (named(oid(26)), "user_id", "linked"),
    ]
    assert str(oid(12)) in listed[0][3]
    assert str(oid(99)) in listed[1][3]
    # what belongs to none is no orphan; an id of no row, in whatever form, is one
    assert [row[1:3] for row in world.orphans()] == [("by_id", "zzzzzzzzzzzzzzzzzzzzzzzz")]
    assert world.one("SELECT count(*) FROM likes") == 2


def test_what_loses_is_kept(world: World) -> None:
    things = plant(world)
    balanced(carry(world, PEOPLE, things))
    ledger = world.rows("SELECT row_id, differing, document FROM isthmus.conflict")
    said = {bson.decode(document)["_id"]: (row_id, differing) for row_id, differing, document in ledger}
    assert set(said) == {oid(1), oid(11)}
    assert all(row_id == ANN for row_id, _ in said.values())
    assert {name: one["source"] for name, one in said[oid(1)][1].items() if name != "extras"} == {
        "email": "Ann@x",
        "the Image": "old",
    }
    assert {name: (one["source"], one["target"]) for name, one in said[oid(11)][1].items()} == {
        "name": ("Ann", "Ann of users")
    }


def test_other_keys_do_not_join(world: World) -> None:
    things = plant(world)
    world.write(
        {
            "new Users": [
                {"_id": oid(11), "email": "ben@x", "image": "n1", "tags": [{"word": "b"}]},
                {"_id": oid(12), "email": "carl@x"},
                {"_id": oid(13), "email": "eve@x", "name": "Eve"},
            ]
        }
    )
    result = carry(world, PEOPLE, things)
    as_the_oracle_says(world, PEOPLE, things, result)
    # Ben has the lower _id, so Ann's row leaves for the mail that is not hers, and her other document with it
    assert world.codes() == {str(oid(11)): "duplicate-key", str(oid(1)): "joined-left"}
    assert world.column("SELECT email FROM users ORDER BY 1") == ["ben@x", "carl@x", "eve@x"]
    assert world.column("SELECT word FROM tags") == ["e"]
    assert world.rows("SELECT friend_ids FROM users WHERE email = 'ben@x'") == [([None, None],)]
    assert not world.rows("SELECT FROM isthmus.conflict WHERE row_id = %s", ANN)
    assert world.rows("SELECT count(*), count(user_id) FROM profiles") == [(6, 3)]


def test_a_member_that_nobody_knows_is_a_letter(world: World) -> None:
    things = plant(world)
    known = {name: dict(documents) for name, documents in things.of.items()}
    del known["new Users"][named(oid(12))]
    things = Things(known, things.dropped, things.digest)
    result = carry(world, PEOPLE, things)
    as_the_oracle_says(world, PEOPLE, things, result)
    assert world.codes() == {str(oid(12)): "thing-unknown"}


def test_a_second_copy_changes_nothing_and_other_answers_are_refused(world: World) -> None:
    things = plant(world)
    balanced(carry(world, PEOPLE, things))
    before = world.rows("SELECT * FROM users ORDER BY 1")
    again = carry(world, PEOPLE, things)
    assert again.repeated
    assert world.rows("SELECT * FROM users ORDER BY 1") == before
    for other in (
        Things(things.of, things.dropped, "other answers"),
        Things(things.of, {}, things.digest),
    ):
        with pytest.raises(ConfigError) as refused:
            carry(world, PEOPLE, other)
        assert refused.value.code == "mapping-changed"
