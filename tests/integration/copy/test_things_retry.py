"""Dead letters that are one thing with a row of the target: joined into it by a retry, and by nothing else than that.

Oracle: `verify`, which goes by the mappings of the run and of its retry, one after the other.
"""

from __future__ import annotations

from tests.integration.copy.carrying import World, balanced, oid
from tests.integration.copy.retrying import retry

PEOPLE = """
isthmus: 1
ids: cuid2
identities:
  people:
    keys: {mail: [trim, lower]}
    members:
      "new Users": {keys: {mail: email}}
      users: {keys: {mail: email}}
    linked:
      profiles: {keys: {mail: email}}
collections:
  users:
    fields:
      email: {type: text, unique: true}
      name: text
      n: integer
      tags: {child: tags, fields: {word: text}}
  "new Users":
    table: users
    fields:
      email: {type: text, unique: true}
      name: text
      size: {type: text}
      tags: {child: tags, fields: {word: text}}
  profiles:
    fields:
      userId: {column: user_id, references: users, identity: people}
      email: text
"""
LINKED = "    linked:\n      profiles: {keys: {mail: email}}\n"
FIXED = PEOPLE.replace("size: {type: text}", "size: {type: text, coerce: true}")


def plant(world: World) -> None:
    world.write(
        {
            "users": [
                {"_id": oid(1), "email": "ann@x", "n": 1, "tags": [{"word": "a"}]},
                {"_id": oid(2), "email": "ben@x", "name": "Ben"},
                {"_id": oid(3), "email": "cid@x", "name": "Cid", "n": "no number"},
            ],
            "new Users": [
                {"_id": oid(11), "email": "ann@x", "name": "Ann", "size": 5, "zip": 1, "tags": [{"word": "b"}]},
                {"_id": oid(12), "email": "Ben@x", "name": "Benjamin", "size": 6},
                {"_id": oid(13), "email": "cid@x", "size": 7},
                {"_id": oid(14), "email": "dan@x", "size": 8},
            ],
            "profiles": [{"_id": oid(20 + number), "email": mail} for number, mail in enumerate(MAILS)],
        }
    )


ROWS = [
    ("ann@x", "Ann", "5", 1, {"zip": 1}),
    ("ben@x", "Ben", "6", None, None),
    ("cid@x", None, "7", None, None),
    ("dan@x", None, "8", None, None),
]
"""People behind the first retry, which carries all of `new Users`."""
MAILS = ("ann@x", "ben@x", "cid@x", "dan@x", "nobody@x")


def test_letters_are_joined_into_the_rows_of_their_things(world: World) -> None:
    plant(world)
    balanced(world.copy(PEOPLE))
    assert len(world.codes("new Users")) == 4
    # the id of each thing is that of a document which is not there yet, so its links lead nowhere for now
    assert world.one("SELECT count(user_id) FROM profiles") == 0
    found = world.verify(PEOPLE)
    assert found.passed, found.differences
    result = retry(world, FIXED)
    assert result.outcome == "complete"
    assert world.codes() == {str(oid(3)): "type"}
    assert world.rows("SELECT email, name, size, n, extras FROM users ORDER BY email") == ROWS
    assert world.rows("SELECT t.position, word FROM tags t ORDER BY 1") == [(0, "a"), (1, "b")]
    linked = world.rows("SELECT p.email, u.email FROM profiles p LEFT JOIN users u ON u.id = user_id ORDER BY 1")
    assert linked == [*((mail, mail) for mail in MAILS[:4]), ("nobody@x", None)]
    assert world.one("SELECT count(*) FROM isthmus.conflict WHERE action = 'merged'") == 1  # Ben's name, and his mail
    found = world.verify(FIXED)
    assert found.passed, found.differences
    last = FIXED.replace("n: integer", "n: {type: integer, values: {no number: null}}")
    retry(world, last)
    assert not world.codes()
    assert world.rows("SELECT name, size FROM users WHERE email = 'cid@x'") == [("Cid", "7")]
    found = world.verify(last)
    assert found.passed, found.differences


def test_letters_are_joined_into_things_whose_ids_are_kept(world: World) -> None:
    plant(world)
    kept = PEOPLE.replace("ids: cuid2", "ids: keep").replace(", identity: people", "").replace(LINKED, "")
    fixed = kept.replace("size: {type: text}", "size: {type: text, coerce: true}")
    balanced(world.copy(kept))
    assert len(world.codes("new Users")) == 4
    retry(world, fixed)
    assert world.codes() == {str(oid(3)): "type"}
    assert world.rows("SELECT email, name, size, n, extras FROM users ORDER BY email") == ROWS
    found = world.verify(fixed)
    assert found.passed, found.differences


def test_letters_whose_values_win_are_left_to_a_copy(world: World) -> None:
    plant(world)
    wins = '\n    wins: {size: "new Users"}\ncollections:'
    balanced(world.copy(PEOPLE.replace("\ncollections:", wins, 1)))
    result = retry(world, FIXED.replace("\ncollections:", wins, 1))
    assert len(world.codes("new Users")) == 4
    assert any("copy again with --fresh" in why for some in result.why_untried.values() for why in some), (
        result.why_untried
    )
