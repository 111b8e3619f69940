"""Documents that are one thing and keep their `_id` as id: joined, pointed at, and left together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from isthmus.verify.result import LAYERS, Verified
from tests.integration.verify.made import Made
from tests.integration.verify.test_layers import verified

MAPPING = """
isthmus: 1
ids: keep
target: {tables: TABLES}
identities:
  people:
    keys: {mail: [trim, lower]}
    members:
      "New Users": {keys: {mail: email}}
      users: {keys: {mail: email}}
collections:
  users:
    fields:
      _id: {column: id, type: KIND}
      email: text
      nick: {type: text, unique: true}
      phones: {child: phones, fields: {number: text}}
  "New Users": {table: users, fields: {_id: {column: id, type: KIND}, email: text, nick: text}}
  posts:
    fields:
      _id: {column: id, type: KIND}
      by: {column: by_id, references: users, on_orphan: "null"}
      seen: {column: seen_ids, type: "KIND[]", references: users}
"""
BEFORE = """
CREATE TABLE users (id KIND PRIMARY KEY, email text, nick text UNIQUE, extras jsonb);
CREATE TABLE phones (users_id KIND, position integer, number text, extras jsonb, PRIMARY KEY (users_id, position));
CREATE TABLE posts (id KIND PRIMARY KEY, by_id KIND REFERENCES users, seen_ids KIND[], extras jsonb);
"""


def people(id_of: Callable[[int], Any], nick: str) -> dict[str, list[dict[str, Any]]]:
    """Ann stands in both collections; her row goes where her nickname is Bob's, too."""
    return {
        "users": [
            {"_id": id_of(5), "email": " Ann@x", "nick": nick, "phones": [{"number": "1"}]},
            {"_id": id_of(2), "email": "bob@x", "nick": "bob"},
        ],
        "New Users": [{"_id": id_of(9), "email": "ann@x"}, {"_id": id_of(4), "email": "dan@x", "nick": "dan"}],
        "posts": [
            {"_id": id_of(21), "by": id_of(5), "seen": [id_of(5), id_of(2), id_of(9)]},
            {"_id": id_of(22), "by": id_of(9)},
            {"_id": id_of(23), "by": id_of(2)},
        ],
    }


def made_of(make_here: Callable[..., Made], tables: str, kind: str, nick: str) -> Made:
    mapping = MAPPING.replace("TABLES", tables).replace("KIND", kind)
    before = BEFORE.replace("KIND", kind) if tables == "existing" else ""
    return make_here(mapping, people(int if kind == "bigint" else "ü {}".format, nick), before=before)


def places(result: Verified) -> set[tuple[str, str]]:
    return {(one.table, one.path) for layer in result.layers.values() for one in layer.differences}


@pytest.mark.parametrize("kind", ["text", "bigint"])
@pytest.mark.parametrize("tables", ["create", "existing"])
def test_one_row_of_two_documents_is_what_both_give(make_here: Callable[..., Made], tables: str, kind: str) -> None:
    made = made_of(make_here, tables, kind, "ann")
    assert made.rows("SELECT email, nick FROM users ORDER BY nick") == [
        ("ann@x", "ann"),
        ("bob@x", "bob"),
        ("dan@x", "dan"),
    ]
    for sample in (None, 1):
        assert places(verified(made, LAYERS, sample=sample)) == set()
    made.do("UPDATE users SET nick = 'Ann' WHERE nick = 'ann'", "DELETE FROM phones")
    assert {("users", "nick"), ("phones", "(row)")} <= places(verified(made, LAYERS))


@pytest.mark.parametrize("tables", ["create", "existing"])
def test_what_pointed_at_a_row_that_left_as_a_whole_points_at_nothing(
    make_here: Callable[..., Made], tables: str
) -> None:
    made = made_of(make_here, tables, "text", "bob")
    assert made.rows("SELECT by_id FROM posts ORDER BY id") == [(None,), (None,), ("ü 2",)]
    assert made.rows("SELECT code FROM isthmus.dead_letter ORDER BY 1") == [("duplicate-key",), ("joined-left",)]
    assert places(verified(made, LAYERS)) == set()
