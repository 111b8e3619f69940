"""References beyond one id in one column: arrays of ids, values of another unique field, ids routed by what has them.

Oracle: the references planted in the documents. Every case ends with books that balance and no waiting table left.
"""

from __future__ import annotations

import random
from typing import Any

import bson
import pytest

from isthmus.cli.sensitive import Sensitive
from isthmus.mapping import parse_mapping
from tests.integration.copy.carrying import World, balanced, oid


def waiting(world: World) -> list[str]:
    """Return the tables of the state's schema that values wait in."""
    return world.column(
        "SELECT relname FROM pg_class WHERE relnamespace = 'isthmus'::regnamespace AND relkind = 'r'"
        " AND relname ~ '^(pending|pairs)_[0-9a-f]{8}$'"
    )


ARRAYS = """
isthmus: 1
collections:
  Tasks:
    fields:
      n: integer
      people: {{type: "uuid[]", references: Users, on_orphan: {action}}}
      steps: {{child: steps, fields: {{by: {{type: "uuid[]", references: Users, on_orphan: {action}}}}}}}
  Users: {{fields: {{n: integer}}}}
"""


def name_of(world: World, ids: list[Any] | None) -> list[int | None] | None:
    """Return the numbers of users behind ids of an array."""
    known = dict(world.rows("SELECT id, n FROM users"))
    return None if ids is None else [None if one is None else known[one] for one in ids]


USERS = [{"_id": oid(10), "n": 10}, {"_id": oid(11), "n": 11}]
PEOPLE = [
    {"_id": oid(1), "n": 1, "people": [oid(11), oid(10), oid(11)], "steps": [{"by": [oid(10), oid(98)]}]},
    {"_id": oid(2), "n": 2, "people": [oid(99), None, oid(10), oid(98)]},
    {"_id": oid(3), "n": 3, "people": []},
    {"_id": oid(4), "n": 4, "people": [oid(99)]},
    {"_id": oid(5), "n": 5},
]


@pytest.mark.parametrize(
    ("action", "expected", "step"),
    [
        ('"null"', [[11, 10, 11], [None, None, 10, None], [], [None], None], [10, None]),
        ("drop", [[11, 10, 11], [None, 10], [], [], None], [10]),
    ],
)
def test_array_of_references(world: World, action: str, expected: list[Any], step: list[Any]) -> None:
    world.write({"Tasks": PEOPLE, "Users": USERS})
    result = world.copy(ARRAYS.format(action=action))
    balanced(result)
    assert result.exit_code == 0
    assert [name_of(world, ids) for ids in world.column("SELECT people FROM tasks ORDER BY n")] == expected
    assert name_of(world, world.one("SELECT by FROM steps")) == step
    ledger = world.rows("SELECT column_name, old_id_text, row_position, action FROM isthmus.orphan ORDER BY id")
    word = action.strip('"')
    assert sorted(ledger) == sorted(
        [
            ("people", str(oid(99)), [0], word),
            ("people", str(oid(98)), [3], word),
            ("people", str(oid(99)), [0], word),
            ("by", str(oid(98)), [0, 1], word),
        ]
    )
    assert result.balance is not None
    books = result.balance.references["tasks.people"]
    assert (books.values, books.resolved, books.orphans) == (7, 4, 3)
    again = world.copy(ARRAYS.format(action=action))
    assert again.exit_code == 0


def test_array_of_references_with_dead_letter(world: World) -> None:
    world.write({"Tasks": PEOPLE, "Users": USERS})
    result = world.copy(ARRAYS.format(action="dead_letter"))
    balanced(result)
    assert result.exit_code == 1
    assert world.codes() == {str(oid(n)): "orphan" for n in (1, 2, 4)}
    assert world.column("SELECT n FROM tasks ORDER BY n") == [3, 5]


BY_FIELD = """
isthmus: 1
collections:
  customers:
    fields:
      name: text
      main: {{column: main_id, references: accounts.account_id, on_orphan: {action}}}
      spare: {{type: "uuid[]", references: accounts.account_id, on_orphan: {array}}}
      notes:
        child: notes
        fields: {{account: {{column: account_id, references: accounts.account_id, on_orphan: "null"}}}}
      kept: {{column: kept_account, type: integer, references: accounts.account_id, on_orphan: "null"}}
  accounts: {{fields: {{account_id: {{type: integer, unique: true}}}}}}
"""
ACCOUNTS = [{"_id": oid(20 + n), "account_id": 100 + n} for n in range(4)]
CUSTOMERS = [
    {"_id": oid(1), "name": "a", "main": 101, "spare": [103, 100.0], "notes": [{"account": 102}, {}], "kept": 100},
    {"_id": oid(2), "name": "b", "main": bson.Int64(100), "spare": [999, None, 101], "notes": [], "kept": 777},
    {"_id": oid(3), "name": "c", "spare": []},
    {"_id": oid(4), "name": "d", "main": 555, "notes": [{"account": 444}]},
]


def accounts(world: World, value: Any) -> Any:
    """Return the account numbers behind ids."""
    known = dict(world.rows("SELECT id, account_id FROM accounts"))
    return [None if one is None else known[one] for one in value] if isinstance(value, list) else known.get(value)


def test_references_by_another_unique_field(world: World) -> None:
    world.write({"customers": CUSTOMERS, "accounts": ACCOUNTS})
    mapping = BY_FIELD.format(action='"null"', array="drop")
    result = world.copy(mapping)
    balanced(result)
    assert result.exit_code == 0
    rows = world.rows("SELECT main_id, spare, kept_account FROM customers ORDER BY name")
    assert [accounts(world, row[0]) for row in rows] == [101, 100, None, None]
    assert [None if row[1] is None else accounts(world, row[1]) for row in rows] == [[103, 100], [None, 101], [], None]
    assert [row[2] for row in rows] == [100, None, None, None]
    notes = world.column("SELECT account_id FROM notes ORDER BY position, account_id")
    assert sorted(accounts(world, one) or 0 for one in notes) == [0, 0, 102]
    ledger = world.rows("SELECT column_name, old_id_text, row_position, action FROM isthmus.orphan ORDER BY 1")
    assert sorted(ledger) == sorted(
        [
            ("account_id", "444", [0], "null"),
            ("kept_account", "777", None, "null"),
            ("main_id", "555", None, "null"),
            ("spare", "999", [0], "drop"),
        ]
    )
    assert waiting(world) == []
    keys = world.column(
        "SELECT conname FROM pg_constraint WHERE contype = 'f' AND convalidated"
        " AND connamespace = 'public'::regnamespace ORDER BY 1"
    )
    assert keys == [
        "customers_kept_account_fkey",
        "customers_main_id_fkey",
        "notes_account_id_fkey",
        "notes_customers_id_fkey",
    ]
    assert world.copy(mapping).exit_code == 0


def test_reference_by_field_with_dead_letter_takes_its_rows_along(world: World) -> None:
    world.write({"customers": CUSTOMERS, "accounts": ACCOUNTS})
    result = world.copy(BY_FIELD.format(action="dead_letter", array="dead_letter"))
    balanced(result)
    assert world.codes() == {str(oid(2)): "orphan", str(oid(4)): "orphan"}
    assert world.column("SELECT name FROM customers ORDER BY 1") == ["a", "c"]
    assert world.one("SELECT count(*) FROM notes") == 2
    assert waiting(world) == []


def test_target_that_leaves_makes_an_orphan_of_what_waits(world: World) -> None:
    world.write(
        {
            "customers": [{"_id": oid(1), "main": 7}, {"_id": oid(2), "main": 8}],
            "accounts": [
                {"_id": oid(20), "account_id": 7, "bank": oid(99)},
                {"_id": oid(21), "account_id": 8, "bank": oid(30)},
            ],
            "banks": [{"_id": oid(30)}],
        }
    )
    result = world.copy(
        """
        isthmus: 1
        collections:
          customers: {fields: {main: {column: main_id, references: accounts.account_id, required: true}}}
          accounts:
            fields:
              account_id: {type: integer, unique: true}
              bank: {column: bank_id, references: banks, required: true}
          banks: {fields: {}}
        """
    )
    balanced(result)
    assert world.codes() == {str(oid(1)): "orphan", str(oid(20)): "orphan"}
    assert world.one("SELECT a.account_id FROM customers c JOIN accounts a ON a.id = c.main_id") == 8
    nullable = (
        "SELECT is_nullable FROM information_schema.columns WHERE table_name = 'customers' AND column_name = 'main_id'"
    )
    assert world.one(nullable) == "NO"


def test_unique_value_that_waits_is_settled_after_its_look_up(world: World) -> None:
    world.write(
        {
            "profiles": [{"_id": oid(n), "mail": mail} for n, mail in ((3, " A@x "), (1, "a@X"), (2, "b@x"))],
            "users": [{"_id": oid(10), "mail": "a@x"}, {"_id": oid(11), "mail": "B@x"}],
        }
    )
    result = world.copy(
        """
        isthmus: 1
        collections:
          profiles: {fields: {mail: {column: user_id, references: users.mail, unique: true, required: true}}}
          users: {fields: {mail: {type: text!, unique: true, normalise: [trim, lower]}}}
        """
    )
    balanced(result)
    assert world.codes() == {str(oid(3)): "duplicate-key"}
    assert world.one("SELECT count(*) FROM profiles JOIN users ON users.id = user_id") == 2


JUNCTION = """
isthmus: 1
collections:
  customers: {fields: {name: text, accounts: {junction: customers_accounts}}}
  accounts: {fields: {account_id: {type: integer, unique: true}}}
junctions:
  customers_accounts:
    columns: {customer_id: customers, account_id: accounts.account_id}
    on_orphan: drop
"""


def test_junction_by_another_field(world: World) -> None:
    world.write(
        {
            "customers": [
                {"_id": oid(1), "name": "a", "accounts": [101, 100, 101, 999]},
                {"_id": oid(2), "name": "b", "accounts": [bson.Int64(101), None]},
                {"_id": oid(3), "name": "c"},
            ],
            "accounts": ACCOUNTS,
        }
    )
    result = world.copy(JUNCTION)
    balanced(result)
    assert result.exit_code == 0
    pairs = world.rows(
        "SELECT c.name, a.account_id FROM customers_accounts j JOIN customers c ON c.id = j.customer_id"
        " JOIN accounts a ON a.id = j.account_id ORDER BY 1, 2"
    )
    assert pairs == [("a", 100), ("a", 101), ("b", 101)]
    assert world.orphans() == [("customers_accounts", "account_id", "999", "drop", False)]
    assert waiting(world) == []


def test_a_looked_up_pair_too_long_for_the_key_of_its_junction_costs_its_document(world: World) -> None:
    """Each of the two ids is a key of its own table; what the pair's other side is shows only when it is looked up."""
    one, two = (random.Random(seed).randbytes(1000).hex() for seed in (1, 2))
    documents = [
        {"_id": one, "name": "long", "accounts": [7], "friend": None},
        {"_id": "short", "name": "short", "accounts": [7, 8], "friend": one},
    ]
    world.write({"customers": documents, "accounts": [{"_id": two, "account_id": 7}, {"_id": "8", "account_id": 8}]})
    mapping = JUNCTION.replace("collections:", "ids: keep\ncollections:").replace(
        "name: text,", "name: text, friend: {references: customers, on_orphan: 'null'},"
    )
    result = world.copy(mapping)
    balanced(result)
    (letter,) = world.letters()
    assert (letter.code, letter.path, letter.stage) == ("key-too-long", "accounts", "finish")
    assert world.rows("SELECT name, friend FROM customers") == [("short", None)]
    assert set(world.rows("SELECT customer_id, account_id FROM customers_accounts")) == {("short", "8"), ("short", two)}


ROUTE = """
isthmus: 1
collections:
  comments:
    fields:
      n: integer
      task: {{route: {{Tasks: task_id, AccountTasks: account_task_id}}{more}}}
  Tasks: {{fields: {{n: integer}}}}
  AccountTasks: {{fields: {{n: integer}}}}
"""
COMMENTS = [
    {"_id": oid(1), "n": 1, "task": oid(10)},
    {"_id": oid(2), "n": 2, "task": oid(20)},
    {"_id": oid(3), "n": 3, "task": oid(99)},
    {"_id": oid(4), "n": 4, "task": None},
    {"_id": oid(5), "n": 5, "task": str(oid(30))},
    {"_id": oid(6), "n": 6, "task": 7},
]
TASKS = {
    "Tasks": [{"_id": oid(10), "n": 10}, {"_id": oid(30), "n": 30}],
    "AccountTasks": [{"_id": oid(20), "n": 20}, {"_id": oid(30), "n": 31}, {"_id": 7, "n": 7}],
}


def test_route_finds_the_first_entry_that_has_the_id(world: World) -> None:
    world.write({"comments": COMMENTS, **TASKS})
    result = world.copy(ROUTE.format(more=""))
    balanced(result)
    assert result.exit_code == 1  # the orphan's action is a default
    rows = world.rows(
        "SELECT c.n, t.n, a.n FROM comments c LEFT JOIN tasks t ON t.id = task_id"
        " LEFT JOIN account_tasks a ON a.id = account_task_id ORDER BY 1"
    )
    assert rows == [(1, 10, None), (2, None, 20), (3, None, None), (4, None, None), (5, 30, None), (6, None, 7)]
    assert world.orphans() == [("comments", "task_id|account_task_id", str(oid(99)), "null", True)]
    assert result.balance is not None
    books = result.balance.references["comments.task_id|account_task_id"]
    assert (books.values, books.resolved, books.orphans) == (5, 4, 1)


def test_required_route(world: World) -> None:
    world.write({"comments": COMMENTS, **TASKS})
    result = world.copy(ROUTE.format(more=", required: true"))
    balanced(result)
    assert world.codes() == {str(oid(4)): "required", str(oid(3)): "orphan"}
    assert "Tasks or AccountTasks" in next(one.message for one in world.letters() if one.code == "orphan")
    assert world.column("SELECT n FROM comments ORDER BY 1") == [1, 2, 5, 6]


SENSITIVE = """
isthmus: 1
collections:
  notes:
    fields:
      by: {column: by_id, references: people.mail, on_orphan: "null"}
      to: {column: to_id, references: people.mail, on_orphan: dead_letter}
      seen: {junction: seen}
  people: {fields: {mail: {type: text, unique: true, sensitive: true}}}
junctions:
  seen: {columns: {note_id: notes, person_id: people.mail}, on_orphan: drop}
"""


def test_what_is_compared_with_a_sensitive_field_is_sensitive(world: World) -> None:
    world.write(
        {
            "notes": [{"_id": oid(1), "by": "secret@x", "seen": ["other@x", 5]}, {"_id": oid(2), "to": "third@x"}],
            "people": [{"_id": oid(10), "mail": "a@x"}],
        }
    )
    mapping = parse_mapping(SENSITIVE)
    hidden = Sensitive(mapping)
    assert {("notes", "by_id"), ("notes", "to_id"), ("seen", "person_id")} <= hidden.columns
    assert set(hidden.paths("notes")) == {("by",), ("to",), ("seen",)}
    result = world.copy(SENSITIVE)
    balanced(result)
    told = [str(one) for letter in world.letters() for one in (letter.message, letter.causes)]
    assert {letter.code for letter in world.letters()} == {"orphan", "type"}
    assert not any(word in text for text in told for word in ("secret", "other", "third", "5"))
