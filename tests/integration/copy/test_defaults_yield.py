"""Documents that are one row: what a default filled gives way to what another document says, and is no conflict.

Oracles: what was planted, joined by hand; the reference, over every row and ledger.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import bson
import pytest

from tests.integration.copy.carrying import World, balanced, oid
from tests.integration.copy.retrying import retry
from tests.integration.copy.things import as_the_oracle_says, carry, id_of, things_of
from tests.oracle.copying import compared

MADE = datetime(2020, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
OTHER = MADE + timedelta(days=1)

PEOPLE = """
isthmus: 1
ids: cuid2
identities:
  people:
    keys: {email: [trim, lower]}
    members:
      "new Users": {keys: {email: email}}
      users: {keys: {email: email}}
    wins: {"the Kind": "new Users"}
collections:
  users:
    fields:
      email: text
      kind: {column: "the Kind", type: text!, default: plain, default_for: [missing, "null"]}
      role: {type: text!, default: user}
      made: {column: "made 'At", type: timestamptz!, default: id_time}
      seen: {type: timestamptz!, default: now}
      marks: {type: jsonb!, default: []}
  "new Users":
    table: users
    fields:
      email: text
      kind: {column: "the Kind", type: text!, default: new}
      role: {type: text!, default: guest}
      made: {column: "made 'At", type: timestamptz!, default: id_time}
      seen: {type: timestamptz!, default: now}
      marks: {type: jsonb!, default: []}
"""
USERS = """
isthmus: 1
ids: cuid2
collections:
  people:
    on_duplicate: merge
    fields:
      mail: {type: text!, unique: true}
      code: {type: text, unique: true, default: "the 'one\\"", default_for: ["null"]}
      kind: {column: "kind Of", type: text!, default: plain}
      n: {type: integer, coerce: COERCE}
  notes:
    fields:
      mail: {column: mail_id, references: people.mail}
      code: {type: text, references: people.code}
"""


def as_copied(world: World, mapping: str) -> None:
    """Assert that rows and ledgers are what the reference makes of the documents."""
    path = world.folder.parent / "mapping.yaml"
    path.write_text(mapping, encoding="utf-8")
    assert compared(path, world.folder, world.conninfo).differences == []


def test_of_one_thing_what_any_document_says_comes_first(world: World) -> None:
    world.write(
        {
            "users": [
                {"_id": oid(1), "email": "a@x", "kind": "said", "role": "admin", "made": MADE, "seen": MADE},
                {"_id": oid(2), "email": "b@x", "kind": None},
                {"_id": oid(3), "email": "c@x", "kind": "plain", "role": "user", "made": MADE, "marks": [1]},
            ],
            "new Users": [
                {"_id": oid(11), "email": "a@x"},
                {"_id": oid(12), "email": "b@x", "made": OTHER},
                {"_id": oid(13), "email": "c@x", "kind": "other", "role": "guest", "made": OTHER},
            ],
        }
    )
    groups = [(id_of("new Users", oid(10 + n)), {"new Users": [oid(10 + n)], "users": [oid(n)]}) for n in (1, 2, 3)]
    things = things_of(*groups)
    result = carry(world, PEOPLE, things)
    as_the_oracle_says(world, PEOPLE, things, result)
    rows = world.rows('SELECT email, "the Kind", role, "made \'At", marks FROM users ORDER BY email')
    assert rows == [
        ("a@x", "said", "admin", MADE, []),  # though the column is the other collection's
        ("b@x", "new", "guest", OTHER, []),  # of defaults the first one, and that of the collection which wins
        ("c@x", "other", "guest", OTHER, [1]),
    ]
    ledger = world.rows("SELECT differing, document FROM isthmus.conflict")
    said = {bson.decode(document)["_id"]: set(differing) for differing, document in ledger}
    assert said == {oid(3): {"the Kind", "role", "made 'At"}}, "equal to a default, but said"
    assert not world.column("SELECT attname FROM pg_attribute WHERE attname LIKE '\\_isthmus%'")


@pytest.mark.parametrize("lower", ["says", "lacks"])
def test_documents_that_share_a_key_join_by_what_they_say(lower: str, world: World) -> None:
    says, lacks = (oid(1), oid(2)) if lower == "says" else (oid(2), oid(1))
    world.write(
        {
            "people": [
                {"_id": says, "mail": "a@x", "code": "A", "kind": "plain", "n": 1},
                {"_id": lacks, "mail": "a@x", "code": None},
                {"_id": oid(3), "mail": "b@x", "code": "A", "kind": "other"},
            ],
            "notes": [{"_id": oid(4), "mail": "a@x", "code": "the 'one\""}, {"_id": oid(5), "code": "A"}],
        }
    )
    text = USERS.replace("COERCE", "false")
    balanced(world.copy(text))
    assert world.rows('SELECT code, "kind Of", n FROM people') == [("A", "plain", 1)]
    listed = world.rows("SELECT differing FROM isthmus.conflict")
    names = [set(one) for (one,) in listed]
    assert sorted(names, key=len)[-1] == {"mail", "kind Of"}
    assert all("code" not in one for one in names)
    assert world.column("SELECT code FROM notes ORDER BY id") == ["A", "A"]
    as_copied(world, text)


def test_a_letter_that_joins_a_row_leaves_what_is_there(world: World) -> None:
    world.write(
        {
            "people": [
                {"_id": oid(1), "mail": "a@x"},
                {"_id": oid(2), "mail": "a@x", "kind": "said", "n": "7"},
                {"_id": oid(3), "mail": "b@x", "kind": "said", "n": 8},
                {"_id": oid(4), "mail": "b@x", "n": "9"},
            ],
            "notes": [],
        }
    )
    balanced(world.copy(USERS.replace("COERCE", "false")))
    loose = USERS.replace("COERCE", "true")
    retry(world, loose)
    assert not world.codes()
    assert world.rows('SELECT mail, "kind Of", n FROM people ORDER BY 1') == [("a@x", "plain", 7), ("b@x", "said", 8)]
    said = {tuple(sorted(one)) for (one,) in world.rows("SELECT differing FROM isthmus.conflict")}
    assert said == {("kind Of",), ("n",)}, "what nobody knows to be a default is told"


def test_an_orphan_inside_json_is_of_the_row_that_took_it_over(world: World) -> None:
    text = """
isthmus: 1
collections:
  people:
    on_duplicate: merge
    fields:
      mail: {type: text, unique: true}
      seen: {column: "seen By", type: jsonb!, default: [], rewrite: {"[].who": people}}
"""
    world.write(
        {
            "people": [
                {"_id": oid(1), "mail": "a@x"},
                {"_id": oid(2), "mail": "a@x", "seen": [{"who": oid(1)}, {"who": oid(8)}]},
                {"_id": oid(3), "mail": "b@x"},
                {"_id": oid(4), "mail": "b@x"},
                {"_id": oid(5), "mail": "b@x", "seen": [{"who": oid(9)}]},
            ],
        }
    )
    world.copy(text)
    kept = {str(own): seen for own, seen in world.rows('SELECT id, "seen By" FROM people')}
    orphans = world.rows("SELECT row_id, target_id, action FROM isthmus.orphan")
    assert len(kept) == len(orphans) == 2
    for row, target, action in orphans:
        assert {"who": target} in kept[row]
        assert action == "kept"
    assert all("seen By" not in one for (one,) in world.rows("SELECT differing FROM isthmus.conflict"))
    as_copied(world, text)
