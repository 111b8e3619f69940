"""Tables that were there before and were empty: references are compared as fully as in tables of Isthmus's own.

Damage is plain SQL of the tests' own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from isthmus.verify import references
from isthmus.verify.result import ColumnCheck, LayerResult
from tests.fix_postgres import create_database, drop_database
from tests.integration.copy.carrying import oid
from tests.integration.verify.made import Made, found, make

BEFORE = """
CREATE TABLE users (id uuid PRIMARY KEY, name text);
CREATE TABLE orders (id text PRIMARY KEY, name text);
CREATE TABLE "no tes" (id uuid PRIMARY KEY, by uuid, friends uuid[], "order" text, "user" uuid);
CREATE TABLE likes (note uuid, "who?" uuid, PRIMARY KEY (note, "who?"));
"""
MAPPING = """
isthmus: 1
target: {tables: existing}
collections:
  users: {fields: {name: text}}
  orders: {fields: {name: text}}
  notes:
    table: no tes
    fields:
      by: {references: users, on_orphan: "null"}
      friends: {references: users, type: "uuid[]", on_orphan: drop}
      liked: {junction: likes}
      about: {route: {orders: order, users: user}, on_orphan: "null"}
junctions: {likes: {note: notes, who?: users}}
"""
DOCUMENTS: dict[str, list[dict[str, Any]]] = {
    "users": [{"_id": oid(n), "name": f"n{n}"} for n in (1, 2)],
    "orders": [{"_id": oid(n), "name": f"o{n}"} for n in (11, 12)],
    "notes": [
        {"_id": oid(21), "by": oid(1), "friends": [oid(1)], "liked": [oid(1), oid(98)], "about": oid(11)},
        {"_id": oid(22), "by": oid(99), "friends": [oid(97), oid(2)], "liked": [oid(2)], "about": oid(2)},
        {"_id": oid(23), "about": oid(96)},
    ],
}


def looked(made: Made) -> LayerResult:
    with made.subject() as subject:
        return references.check(subject)


def checks(result: LayerResult, part: str) -> dict[str, ColumnCheck]:
    return {f"{one.table}.{one.column}": one for one in result.columns if part in one.column}


@pytest.fixture(scope="module")
def copied(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    conninfo = create_database(postgres)
    folder = tmp_path_factory.mktemp("alone") / "dump" / "shop"
    yield make(conninfo, folder, MAPPING, DOCUMENTS, before=BEFORE)
    drop_database(postgres, conninfo)


def test_orphans_and_routes_are_compared(copied: Made, twin_of: Callable[[Made], Made]) -> None:
    result = looked(twin_of(copied))
    assert result.passed, result.differences
    told = checks(result, "(orphans)")
    assert {name: (one.compared, one.left_out) for name, one in told.items()} == {
        "no tes.by (orphans)": (1, 0),
        "no tes.friends (orphans)": (1, 0),
        "no tes.order|user (orphans)": (1, 0),
        "likes.who? (orphans)": (1, 0),
    }
    (choice,) = checks(result, "(choice)").values()
    assert (choice.compared, choice.left_out, choice.why) == (2, 0, "")


_IN_ARRAY = """
UPDATE "no tes" SET friends = friends || (SELECT o.target_id::uuid FROM isthmus.orphan o
  WHERE o.column_name = 'friends') WHERE cardinality(friends) = 1
"""
_IN_PAIR = """
INSERT INTO likes SELECT o.row_id::uuid, o.target_id::uuid FROM isthmus.orphan o WHERE o.table_name = 'likes'
"""
_IN_COLUMN = 'UPDATE "no tes" SET by = (SELECT id FROM users LIMIT 1) WHERE by IS NULL AND friends IS NOT NULL'
_IN_ROUTE = """
UPDATE "no tes" SET "user" = (SELECT id FROM users LIMIT 1) WHERE "user" IS NULL AND "order" IS NULL
"""


@pytest.mark.parametrize(
    ("damage", "place"),
    [(_IN_COLUMN, "by"), (_IN_ARRAY, "friends"), (_IN_ROUTE, "order|user"), (_IN_PAIR, "who?")],
)
def test_reference_that_the_ledger_took_away_and_that_is_there_is_named(
    copied: Made, twin_of: Callable[[Made], Made], damage: str, place: str
) -> None:
    made = twin_of(copied)
    made.do(damage)
    result = looked(made)
    messages = {(one.path, one.message) for one in result.differences if "ledger says" in one.message}
    assert {path for path, _ in messages} == {place}, result.differences


def test_id_that_the_alternative_before_has_too_is_told(copied: Made, twin_of: Callable[[Made], Made]) -> None:
    made = twin_of(copied)
    made.do("INSERT INTO orders SELECT id::text, name FROM users")
    (choice,) = checks(looked(made), "(choice)").values()
    assert choice.left_out == 1
    assert "1 id in user is also in orders, which goes before" in choice.why


@pytest.mark.parametrize("table", ["users", "orders", '"no tes"'])
def test_where_rows_were_there_before_it_is_said_that_they_may_say_otherwise(
    make_here: Callable[..., Made], table: str
) -> None:
    row = f"INSERT INTO {table} (id) VALUES ('00000000-0000-4000-8000-000000000001')"
    result = looked(make_here(MAPPING, DOCUMENTS, before=f"{BEFORE};{row}"))
    assert found(result) == []
    told = checks(result, "(orphans)")
    (choice,) = checks(result, "(choice)").values()
    assert (told["no tes.by (orphans)"].left_out == 1) is (table != "orders")
    assert "rightly" in told["no tes.order|user (orphans)"].why
    assert (choice.compared, choice.left_out) == (2, 2)
