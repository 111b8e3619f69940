"""Documents that were joined are compared by the oracle, all others of their tables by sums, whatever ledgers say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from isthmus.verify.result import LAYERS, Verified
from tests.fix_postgres import create_database, drop_database
from tests.integration.verify.made import Made, make
from tests.integration.verify.shop import oid
from tests.integration.verify.test_layers import verified

MAPPING = """
isthmus: 1
collections:
  people:
    on_duplicate: merge
    fields:
      mail: {type: text, unique: true}
      name: text
      n: integer
      boss: {references: people, column: boss_id, on_orphan: "null"}
      likes: {junction: likes}
      phones: {child: phones, fields: {number: text}}
  notes:
    fields:
      by: {references: people, column: by_id, on_orphan: "null"}
      seen: {references: people, column: seen_ids, type: "uuid[]", on_orphan: drop}
      detail: {type: jsonb, rewrite: {to: people}}
junctions: {likes: {columns: {people_id: people, notes_id: notes}, on_orphan: drop}}
"""
ANN, ANN_AGAIN, BOB, CID = (oid(number) for number in range(1, 5))
PEOPLE = [
    {"_id": ANN, "mail": "ann@x", "name": "Ann", "likes": [oid(50)], "phones": [{"number": "1"}]},
    {"_id": ANN_AGAIN, "mail": "ann@x", "name": "Anne", "n": 7, "likes": [oid(51), oid(99)], "boss": CID},
    {"_id": BOB, "mail": "bob@x", "name": "Bob", "boss": ANN_AGAIN, "phones": [{"number": "2"}, {"number": "3"}]},
    {"_id": CID, "mail": "cid@x", "likes": [oid(50)]},
]
NOTES = [
    {"_id": oid(50), "by": ANN_AGAIN, "seen": [CID, ANN_AGAIN], "detail": {"to": ANN_AGAIN}},
    {"_id": oid(51), "by": BOB, "seen": [oid(98), BOB], "detail": {"to": BOB}},
]


@pytest.fixture(scope="module")
def joined(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    """A copy in which one document was joined into another."""
    conninfo = create_database(postgres)
    folder: Path = tmp_path_factory.mktemp("joined") / "dump" / "shop"
    yield make(conninfo, folder, MAPPING, {"people": PEOPLE, "notes": NOTES})
    drop_database(postgres, conninfo)


@pytest.fixture
def twin(joined: Made, twin_of: Callable[[Made], Made]) -> Made:
    """That copy, for this test to damage."""
    return twin_of(joined)


def places(result: Verified) -> set[tuple[str, str]]:
    return {(one.table, one.path) for one in result.layers["checksum"].differences}


def test_only_what_was_joined_is_left_to_the_oracle(twin: Made) -> None:
    result = verified(twin, LAYERS)
    assert result.passed, result.differences
    layer = result.layers["checksum"]
    left = [note for note in layer.notes if "slower oracle" in note]
    assert [note.split(" were compared")[0] for note in left] == ["1 rows of people", "1 rows of phones"]
    checks = {(one.table, one.column): one for one in layer.columns}
    assert checks["people", ""].compared == 3
    assert checks["people", "mail"].compared == 3
    assert checks["people", "n"].compared == 1
    assert checks["likes", ""].compared == 3
    sampled = {(one.table, one.column): one.compared for one in result.layers["samples"].columns}
    assert sampled["people", "mail"] == 3
    assert sampled["notes", "by_id"] == 2


@pytest.mark.parametrize(
    ("damage", "place"),
    [
        ("UPDATE people SET n = 8 WHERE name = 'Ann'", ("people", "n")),
        ("UPDATE people SET name = 'Anne' WHERE name = 'Ann'", ("people", "name")),
        ("UPDATE people SET name = 'Rob' WHERE name = 'Bob'", ("people", "name")),
        ("UPDATE people SET boss_id = NULL WHERE name = 'Bob'", ("people", "boss_id")),
        ("UPDATE people SET boss_id = id WHERE name = 'Bob'", ("people", "boss_id")),
        ("DELETE FROM people WHERE name IS NULL AND NOT EXISTS (SELECT FROM likes WHERE people_id = id)", None),
        ("UPDATE phones SET number = '9' WHERE number = '1'", ("phones", "number")),
        ("UPDATE phones SET number = '9' WHERE number = '3'", ("phones", "number")),
        ("DELETE FROM isthmus.id_map WHERE origin = 'merged'", ("people", "(joined into)")),
        ("WITH x AS (DELETE FROM isthmus.conflict) DELETE FROM isthmus.id_map", ("people", "(row)")),
        ("DELETE FROM isthmus.conflict", ("people", "(conflict)")),
        (
            (
                "INSERT INTO isthmus.id_map (collection, source_id, id, origin, derived_id) SELECT m.collection,"
                " m.source_id || '\\x00', m.id, 'merged', p.id::text FROM isthmus.id_map m, people p"
                " WHERE m.origin = 'merged' AND p.name = 'Bob'"
            ),
            ("people", "(joined into)"),
        ),
        ("UPDATE notes SET by_id = (SELECT id FROM people WHERE name = 'Bob')", ("notes", "by_id")),
        ("UPDATE notes SET seen_ids = array_append(seen_ids, seen_ids[1])", ("notes", "seen_ids")),
        ("UPDATE notes SET detail = '{}'", ("notes", "detail")),
        ("DELETE FROM likes WHERE people_id = (SELECT id FROM people WHERE name = 'Ann')", ("likes", "(row)")),
        ("DELETE FROM isthmus.orphan WHERE table_name = 'likes'", ("likes", "(row)")),
        ("DELETE FROM isthmus.orphan WHERE table_name = 'notes'", ("notes", "seen_ids")),
        ("UPDATE isthmus.orphan SET row_position = '{1}' WHERE table_name = 'notes'", ("notes", "seen_ids")),
        ("UPDATE isthmus.orphan SET row_position = '{7}' WHERE table_name = 'notes'", ("notes", "seen_ids")),
        ("UPDATE isthmus.orphan SET target_id = 'x' WHERE table_name = 'notes'", ("notes", "seen_ids")),
    ],
)
def test_damage_is_named(damage: str, place: tuple[str, str] | None, twin: Made) -> None:
    twin.do(damage)
    found = places(verified(twin, ("checksum",)))
    assert place is None or place in found, found
