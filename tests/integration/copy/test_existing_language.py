"""The rest of the mapping language in tables that exist: several sources of a table, look-ups, arrays, routes.

Oracle: rows read with SQL of the test's own.
"""

from __future__ import annotations

import pytest

from isthmus.errors import IsthmusError
from tests.integration.copy.carrying import World, balanced, oid

TABLES = """
CREATE TABLE accounts (id uuid PRIMARY KEY, number integer NOT NULL UNIQUE, kind text NOT NULL);
CREATE TABLE customers (id uuid PRIMARY KEY, code text NOT NULL UNIQUE, friends uuid[], main uuid REFERENCES accounts,
  notes jsonb, likes uuid, dislikes uuid);
CREATE TABLE holders (customer_id uuid REFERENCES customers, account_id uuid REFERENCES accounts,
  PRIMARY KEY (customer_id, account_id));
"""
MAPPING = """
isthmus: 1
target: {tables: existing}
extras: dead_letter
collections:
  accounts:
    table: accounts
    from: {current: {kind: current}, savings: {kind: savings}}
    constants: {kind: "text!"}
    match: [[number]]
    fields: {number: integer!}
  customers:
    match: [[code]]
    fields:
      code: {type: text!, unique: true}
      friends: {references: customers, type: "uuid[]", on_orphan: "null"}
      main: {references: accounts.number, on_orphan: "null"}
      accounts: {junction: holders, own: customer_id}
      notes: {type: jsonb, rewrite: {"[].about.who": customers, "[].by": customers}}
      taste: {route: {accounts: likes, customers: dislikes}}
junctions: {holders: {customer_id: customers, account_id: accounts.number}}
"""
OLD = "00000000-0000-4000-8000-0000000000"


def unique_number(mapping: str) -> str:
    return mapping.replace("{number: integer!}", "{number: {type: integer!, unique: true}}")


@pytest.mark.parametrize("kind", ["uuid[]", "text[]"])
def test_everything_that_refers_finds_its_row_before_and_after_the_copy(world: World, kind: str) -> None:
    tables = TABLES.replace("uuid[]", kind)
    world.rows(
        f"{tables} INSERT INTO accounts VALUES ('{OLD}01', 10, 'current'), ('{OLD}02', 99, 'other');"
        f"INSERT INTO customers (id, code) VALUES ('{OLD}11', 'ann')"
    )
    notes = [{"about": {"who": oid(1)}, "by": oid(2)}, {"other": "thing"}, 5]
    world.write(
        {
            "current": [{"_id": oid(201), "number": 10}, {"_id": oid(202), "number": 11}],
            "savings": [{"_id": oid(203), "number": 20}],
            "customers": [
                {"_id": oid(1), "code": "ann", "main": 99, "accounts": [10]},
                {
                    "_id": oid(2),
                    "code": "bob",
                    "friends": [oid(1), oid(2), oid(77)],
                    "main": 99,
                    "accounts": [10, 20, 99, 12345],
                    "notes": notes,
                    "taste": oid(201),
                },
                {"_id": oid(3), "code": "cid", "main": 11, "taste": oid(1)},
            ],
        }
    )
    result = world.copy(unique_number(MAPPING))
    balanced(result)
    assert world.codes() == {}
    assert result.balance is not None
    assert {name: (b.copied, b.kept) for name, b in result.balance.collections.items()} == {
        "current": (1, 1),
        "savings": (1, 0),
        "customers": (2, 1),
    }
    assert world.rows("SELECT number, kind FROM accounts ORDER BY 1") == [
        (10, "current"),
        (11, "current"),
        (20, "savings"),
        (99, "other"),
    ]
    bob = world.one("SELECT id::text FROM customers WHERE code = 'bob'")
    assert world.rows(
        "SELECT friends::text[], main::text, likes::text, dislikes FROM customers WHERE code = 'bob'"
    ) == [([f"{OLD}11", bob, None], f"{OLD}02", f"{OLD}01", None)]
    assert world.one("SELECT notes FROM customers WHERE code = 'bob'") == [
        {"about": {"who": f"{OLD}11"}, "by": bob},
        {"other": "thing"},
        5,
    ]
    assert world.rows(
        "SELECT a.number, dislikes::text FROM customers c JOIN accounts a ON a.id = c.main WHERE code = 'cid'"
    ) == [(11, f"{OLD}11")]
    assert world.rows(
        "SELECT code, number FROM holders JOIN customers c ON c.id = customer_id JOIN accounts a ON a.id = account_id"
        " ORDER BY 1, 2"
    ) == [("ann", 10), ("bob", 10), ("bob", 20), ("bob", 99)]


def test_value_that_a_document_and_the_row_it_is_both_have_is_looked_up_once(world: World) -> None:
    world.rows(f"{TABLES} INSERT INTO accounts VALUES ('{OLD}01', 10, 'current'), ('{OLD}02', 99, 'other')")
    world.write(
        {
            "current": [{"_id": oid(201), "number": 10}],
            "savings": [],
            "customers": [{"_id": oid(1), "code": "ann", "main": 10, "accounts": [10, 99]}],
        }
    )
    result = world.copy(unique_number(MAPPING))
    balanced(result)
    assert result.balance is not None
    assert result.balance.references["customers.main"].resolved == 1
    assert world.column("SELECT main::text FROM customers") == [f"{OLD}01"]
    assert sorted(world.column("SELECT account_id::text FROM holders")) == [f"{OLD}01", f"{OLD}02"]


def test_a_route_needs_columns_that_take_null(world: World) -> None:
    world.rows(f"{TABLES} ALTER TABLE customers ALTER COLUMN likes SET NOT NULL")
    world.write({"current": [], "savings": [], "customers": [{"_id": oid(1), "code": "ann"}]})
    with pytest.raises(IsthmusError) as caught:
        world.copy(unique_number(MAPPING))
    hints = {problem.code: problem.hint for problem in caught.value.problems}
    assert 'ALTER COLUMN "likes" DROP NOT NULL' in (hints["not-null-route"] or "")
    assert not world.has_state()


def test_rows_of_nothing_but_an_id_are_known_again(world: World) -> None:
    world.rows("CREATE TABLE pictures (id uuid PRIMARY KEY)")
    mapping = "isthmus: 1\ntarget: {tables: existing}\nextras: dead_letter\ncollections: {pictures: {}}\n"
    world.write({"pictures": [{"_id": oid(1)}, {"_id": oid(2)}]})
    world.copy(mapping)
    result = world.copy(mapping, fresh=True)
    assert result.balance is not None
    assert result.balance.collections["pictures"].kept == 2
    assert world.one("SELECT count(*) FROM pictures") == 2
