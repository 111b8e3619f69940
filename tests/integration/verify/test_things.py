"""Copies whose identities make documents one: verify goes by the same map, and names every departure from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from isthmus.errors import ConfigError
from isthmus.mapping import parse_mapping
from isthmus.mapping.resolutions import parse_resolutions
from isthmus.verify.result import LAYERS, Verified
from tests.fix_postgres import create_database, drop_database
from tests.integration.verify.made import Made, make
from tests.integration.verify.shop import oid
from tests.integration.verify.test_layers import verified

MAPPING = """
isthmus: 1
ids: cuid2
identities:
  people:
    keys: {mail: [trim, lower]}
    members:
      "New Users": {keys: {mail: email}}
      users: {keys: {mail: email}}
    linked:
      profiles: {keys: {mail: email}, links: {userId: ["New Users", users]}}
    wins: {image: "New Users", name: users}
collections:
  users:
    rewritten: true
    fields:
      email: {type: text, unique: true}
      name: text
      image: text
      n: integer
      boss: {column: boss_id, references: users}
      phones: {child: phones, fields: {number: text}}
      likes: {junction: likes}
  "New Users": {table: users, fields: {email: {type: text, unique: true}, name: text, image: text}}
  profiles:
    fields:
      userId: {column: user_id, references: users, identity: people}
      email: text
      seen: {column: seen_ids, type: "text[]", references: users}
      detail: {type: jsonb, rewrite: {to: users}}
junctions: {likes: {columns: {user_id: users, profile_id: profiles}}}
"""
ANSWERS = """
isthmus: 1
identities:
  people:
    - drop: {users: "000000000000000000000005"}
      reason: "test account"
    - different: [{profiles: "000000000000000000000032"}, {users: "000000000000000000000002"}]
      reason: "somebody else's profile"
"""
ANN, BOB, CID, TEST = oid(1), oid(2), oid(3), oid(5)
COLLECTIONS: dict[str, list[dict[str, object]]] = {
    "users": [
        {"_id": ANN, "email": " Ann@x", "name": "Ann", "image": "old", "n": 7, "phones": [{"number": "1"}]},
        {"_id": BOB, "email": "bob@x", "name": "Bob", "boss": ANN, "likes": [oid(0x30)], "phones": [{"number": "2"}]},
        {"_id": CID, "email": "cid@x", "boss": oid(0x11), "phones": [{"number": "3"}]},
        {"_id": TEST, "email": "test@x"},
    ],
    "New Users": [
        {"_id": oid(0x11), "email": "ann@x", "name": "A.", "image": "new"},
        {"_id": oid(0x12), "email": "dan@x", "name": "Dan"},
    ],
    "profiles": [
        {"_id": oid(0x30), "email": "ann@x", "seen": [ANN, oid(0x11), BOB], "detail": {"to": ANN}},
        {"_id": oid(0x31), "userId": str(oid(0x12)), "email": "DAN@x"},
        {"_id": oid(0x32), "userId": BOB, "email": "nobody@x"},
    ],
}


def answers(text: str = ANSWERS) -> object:
    return parse_resolutions(text, parse_mapping(MAPPING, file_name="mapping.yaml"))


@pytest.fixture(scope="module")
def people(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    """A copy in which two documents became one, and one belongs to nobody."""
    conninfo = create_database(postgres)
    folder: Path = tmp_path_factory.mktemp("people") / "dump" / "shop"
    yield make(conninfo, folder, MAPPING, COLLECTIONS, resolutions=answers())
    drop_database(postgres, conninfo)


@pytest.fixture
def twin(people: Made, twin_of: Callable[[Made], Made]) -> Made:
    """That copy, for this test to damage."""
    return twin_of(people)


def places(result: Verified) -> set[tuple[str, str]]:
    return {(one.table, one.path) for layer in result.layers.values() for one in layer.differences}


def test_a_copy_by_identities_passes_all_layers(twin: Made) -> None:
    assert twin.rows("SELECT name, image, n FROM users ORDER BY email") == [
        ("Ann", "new", 7),
        ("Bob", None, None),
        (None, None, None),
        ("Dan", None, None),
    ]
    assert twin.rows("SELECT user_id IS NULL, email FROM profiles ORDER BY email") == [
        (False, "DAN@x"),
        (False, "ann@x"),
        (True, "nobody@x"),
    ]
    result = verified(twin, LAYERS)
    assert result.passed, result.differences
    assert all(layer.checked for name, layer in result.layers.items() if name != "existing"), result
    left = [note for note in result.layers["checksum"].notes if "slower oracle" in note]
    assert [note.split(" were compared")[0] for note in left] == ["1 rows of users", "1 rows of phones"]


@pytest.mark.parametrize(
    ("damage", "place"),
    [
        ("UPDATE users SET image = 'old' WHERE name = 'Ann'", ("users", "image")),
        ("UPDATE users SET name = 'A.' WHERE name = 'Ann'", ("users", "name")),
        ("UPDATE users SET n = NULL WHERE name = 'Ann'", ("users", "n")),
        ("UPDATE users SET email = ' Ann@x' WHERE name = 'Ann'", ("users", "email")),
        ("UPDATE users SET name = 'Rob' WHERE name = 'Bob'", ("users", "name")),
        ("UPDATE profiles SET user_id = (SELECT id FROM users WHERE name = 'Bob')", ("profiles", "user_id")),
        (
            "UPDATE profiles SET user_id = (SELECT id FROM users WHERE name = 'Bob') WHERE user_id IS NULL",
            ("profiles", "user_id"),
        ),
        ("UPDATE profiles SET user_id = NULL WHERE email = 'DAN@x'", ("profiles", "user_id")),
        ("UPDATE profiles SET seen_ids = seen_ids[1:2] WHERE email = 'ann@x'", ("profiles", "seen_ids")),
        ("UPDATE profiles SET detail = '{}' WHERE email = 'ann@x'", ("profiles", "detail")),
        ("UPDATE users SET boss_id = NULL WHERE email = 'cid@x'", ("users", "boss_id")),
        ("INSERT INTO users (id, email) VALUES ('zzzzzzzzzzzzzzzzzzzzzzzz', 'test@x')", ("users", "(row)")),
        ("DELETE FROM isthmus.id_map WHERE origin = 'merged'", ("users", "(joined into)")),
        ("DELETE FROM isthmus.conflict", ("users", "(conflict)")),
        ("DELETE FROM isthmus.conflict WHERE row_id = source_row_id", ("users", "(conflict)")),
        (
            "WITH x AS (DELETE FROM isthmus.conflict) DELETE FROM isthmus.id_map WHERE origin = 'merged'",
            ("users", "(joined into)"),
        ),
        (
            # as if the map had not been obeyed
            (
                "WITH x AS (DELETE FROM isthmus.conflict), y AS (DELETE FROM isthmus.id_map WHERE origin = 'merged'"
                " RETURNING derived_id) INSERT INTO users (id, name) SELECT derived_id, 'Ann' FROM y"
            ),
            ("users", "(joined into)"),
        ),
    ],
)
def test_damage_is_named(damage: str, place: tuple[str, str], twin: Made) -> None:
    twin.do(damage)
    found = places(verified(twin, LAYERS))
    assert place in found, found


def test_a_dropped_document_that_was_carried_is_named(twin: Made) -> None:
    twin.do(
        "UPDATE isthmus.identity_member SET why = 'dropped', reason = 'x' WHERE canonical_id IN"
        " (SELECT id FROM users WHERE name = 'Bob')"
    )
    with pytest.raises(ConfigError) as refused:
        verified(twin, LAYERS)
    assert refused.value.code in {"other-answers", "mapping-changed"}
