"""The layer references: every reference that points at nothing is named, with its row, and no other is."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from isthmus.verify.references import check
from isthmus.verify.result import LayerResult
from tests.integration.verify.made import Made, found, only
from tests.integration.verify.shop import oid

S = '"Shop ""ü"""'
OFF = "SET session_replication_role = replica;"  # foreign keys look away
NOBODY = "'00000000-0000-4000-8000-000000000000'"


def references_of(made: Made) -> LayerResult:
    with made.subject() as subject:
        return check(subject)


def id_of(made: Made, table: str, where: str) -> str:
    return str(made.one(f"SELECT id FROM {S}.{table} WHERE {where}"))


def test_undamaged(shop_twin: Made) -> None:
    result = references_of(shop_twin)
    assert found(result) == []
    checks = {(one.table, one.column): one for one in result.columns}
    assert (checks["users", "boss_id"].compared, checks["users", "boss_id"].left_out) == (2, 6)
    assert checks["users", "friend_ids"].compared == 2
    assert checks["users", "mate_ids"].compared == 2
    assert checks["orders", "owner_user_id|owner_team_id"].compared == 2
    assert checks["orders", "reviewers.[].user"].accounted == 1
    assert checks["user_likes", "user_id, product_id"].compared == 4
    assert checks["user_likes", "product_id (orphans)"].compared == 1
    assert checks["orders", "user_id (orphans)"].left_out == 1


def row_key(made: Made, table: str, where: str) -> str:
    keys = {
        "order_lines": "concat_ws('/', orders_id, position)",
        "user_likes": "concat_ws('/', user_id, product_id)",
        "line_parts": "concat_ws('/', order_lines_id, order_lines_position, position)",
    }
    return str(made.one(f"SELECT {keys.get(table, 'id::text')} FROM {S}.{table} WHERE {where}"))


DAMAGES = {
    # what is done, the reference that is named, and the rows: table and condition
    "column": (f"UPDATE {S}.users SET boss_id = {NOBODY} WHERE name = 'User 1'", "users.boss_id", "name = 'User 1'"),
    "key that is no id": (
        f"UPDATE {S}.teams SET country = 'xx' WHERE name = 'red'",
        "teams.country",
        "name = 'red'",
    ),
    "array": (
        f"UPDATE {S}.users SET friend_ids[1] = {NOBODY} WHERE name = 'User 3'",
        "users.friend_ids",
        "name = 'User 3'",
    ),
    "route": (
        f"UPDATE {S}.orders SET owner_team_id = {NOBODY} WHERE number = 2",
        "orders.owner_team_id",
        "number = 2",
    ),
    "jsonb": (
        f"UPDATE {S}.orders SET reviewers = jsonb_set(reviewers, '{{0,user}}', '\"nobody\"') WHERE number = 3",
        "orders.reviewers.[].user",
        "number = 3",
    ),
    "wrong type inside jsonb": (
        f"UPDATE {S}.orders SET reviewers = jsonb_set(reviewers, '{{0,user}}', '7') WHERE number = 3",
        "orders.reviewers.[].user",
        "number = 3",
    ),
    "parent of a child": (
        f"UPDATE {S}.line_parts SET order_lines_position = 7 WHERE name = 'z'",
        "line_parts.order_lines_id, order_lines_position",
        "name = 'z'",
    ),
    "pair": (
        (
            f"UPDATE {S}.user_likes SET product_id = {NOBODY} WHERE user_id ="
            f" (SELECT id FROM {S}.users WHERE name = 'User 6')"
        ),
        "user_likes.product_id",
        f"product_id = {NOBODY}",
    ),
    "other end of a pair": (
        (
            f"UPDATE {S}.user_likes SET user_id = {NOBODY} WHERE user_id ="
            f" (SELECT id FROM {S}.users WHERE name = 'User 6')"
        ),
        "user_likes.user_id",
        f"user_id = {NOBODY}",
    ),
    "child's column": (
        f"UPDATE {S}.order_lines SET by_id = {NOBODY} WHERE sku = 'a'",
        "order_lines.by_id",
        "sku = 'a'",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_dangling_reference_is_named(shop_twin: Made, damage: str) -> None:
    statement, name, where = DAMAGES[damage]
    shop_twin.do(OFF + statement)
    table, _, path = name.partition(".")
    one = only(references_of(shop_twin))
    assert (one.layer, one.table, one.path) == ("references", table, path)
    assert one.id == row_key(shop_twin, table, where)


def test_missing_target_names_everything_that_points_at_it(shop_twin: Made) -> None:
    user = id_of(shop_twin, "users", "name = 'User 1'")
    # without its foreign keys, as a restore may leave a table
    shop_twin.do(OFF + f"DELETE FROM {S}.users WHERE id = '{user}'")
    places = {(one.table, one.path) for one in references_of(shop_twin).differences}
    assert places >= {
        ("users", "boss_id"),
        ("users", "friend_ids"),
        ("users", "mate_ids"),
        ("orders", "reviewers.[].user"),
        ("order_lines", "by_id"),
    }


def test_missing_foreign_key_does_not_matter(shop_twin: Made) -> None:
    shop_twin.do(
        f"ALTER TABLE {S}.users DROP CONSTRAINT users_boss_id_fkey",
        f"UPDATE {S}.users SET boss_id = {NOBODY} WHERE name = 'User 1'",
    )
    assert found(references_of(shop_twin)) == [("users", "boss_id", id_of(shop_twin, "users", "name = 'User 1'"))]


def test_reference_taken_away_is_missed(shop_twin: Made) -> None:
    shop_twin.do(f"UPDATE {S}.users SET boss_id = NULL WHERE name = 'User 1'")
    one = only(references_of(shop_twin))
    assert (one.table, one.path, one.expected, one.actual) == ("users", "boss_id", "2 references", "1 references")


def test_two_columns_of_a_route(shop_twin: Made) -> None:
    shop_twin.do(
        f"UPDATE {S}.orders SET owner_team_id = (SELECT id FROM {S}.teams WHERE name = 'red') WHERE number = 1"
    )
    one = only(references_of(shop_twin))
    assert (one.table, one.path) == ("orders", "owner_user_id|owner_team_id")
    assert one.id == id_of(shop_twin, "orders", "number = 1")


def test_later_alternative_of_a_route_is_told(shop_twin: Made) -> None:
    user = id_of(shop_twin, "users", "name = 'User 3'")
    shop_twin.do(
        f"INSERT INTO {S}.teams (id, name) VALUES ('{user}', 'twin')",
        f"UPDATE {S}.orders SET owner_team_id = owner_user_id, owner_user_id = NULL WHERE number = 1",
    )
    result = references_of(shop_twin)
    assert result.passed  # a DBRef may have said so
    assert any("1 id in owner_team_id is also in users" in one.why for one in result.columns)


def test_required_route(make_here: Callable[..., Made]) -> None:
    made = make_here(
        """
        isthmus: 1
        collections:
          a: {fields: {n: integer}}
          b: {fields: {n: integer}}
          c: {fields: {n: integer, to: {route: {a: a_id, b: b_id}, required: true}}}
        """,
        {
            "a": [{"_id": oid(1)}],
            "b": [{"_id": oid(2)}],
            "c": [{"_id": 1, "n": 1, "to": oid(1)}, {"_id": 2, "n": 2, "to": oid(2)}],
        },
    )
    assert references_of(made).passed
    made.do("UPDATE c SET a_id = NULL WHERE n = 1")
    messages = {one.message for one in references_of(made).differences}
    assert "No column of a required route is set." in messages


def test_pair_twice(shop_twin: Made) -> None:
    shop_twin.do(
        f"ALTER TABLE {S}.user_likes DROP CONSTRAINT user_likes_pkey",
        f"INSERT INTO {S}.user_likes SELECT * FROM {S}.user_likes LIMIT 1",
    )
    one = only(references_of(shop_twin))
    assert (one.table, one.path, one.actual) == ("user_likes", "user_id, product_id", "2 rows")
    assert one.id
    assert "/" in one.id


def test_pair_twice_behind_a_broken_index(shop_twin: Made) -> None:
    # rows that the index of the key does not know
    shop_twin.do(
        "UPDATE pg_index SET indisready = false, indisvalid = false WHERE indexrelid ="
        " (SELECT oid FROM pg_class WHERE relname = 'user_likes_pkey')",
        f"INSERT INTO {S}.user_likes SELECT * FROM {S}.user_likes LIMIT 1",
        "UPDATE pg_index SET indisready = true, indisvalid = true WHERE indexrelid ="
        " (SELECT oid FROM pg_class WHERE relname = 'user_likes_pkey')",
    )
    assert only(references_of(shop_twin)).path == "user_id, product_id"


LEDGER_DAMAGES = {
    "null filled": (
        f"UPDATE {S}.users SET boss_id = id WHERE name = 'User 2'",
        ("users", "boss_id"),
    ),
    "null of a child filled": (
        f"UPDATE {S}.order_lines SET by_id = (SELECT id FROM {S}.users LIMIT 1) WHERE sku = 'b'",
        ("order_lines", "by_id"),
    ),
    "null of a looked-up reference filled": (
        f"UPDATE {S}.orders SET team_id = (SELECT id FROM {S}.teams LIMIT 1) WHERE number = 2",
        ("orders", "team_id"),
    ),
    "null of a route filled": (
        f"UPDATE {S}.orders SET owner_user_id = (SELECT id FROM {S}.users LIMIT 1) WHERE number = 3",
        ("orders", "owner_user_id|owner_team_id"),
    ),
    "null element filled": (
        f"UPDATE {S}.users SET mate_ids[2] = id WHERE name = 'User 3'",
        ("users", "mate_ids"),
    ),
    "row gone": (f"DELETE FROM {S}.teams WHERE name = 'blue'", ("teams", "country")),
    "id inside jsonb gone": (
        f"UPDATE {S}.orders SET reviewers = reviewers - 1 WHERE number = 3",
        ("orders", "reviewers.[].user"),
    ),
    "ledger row gone": (
        "DELETE FROM isthmus.orphan WHERE action = 'kept'",
        ("orders", "reviewers.[].user"),
    ),
}


@pytest.mark.parametrize("damage", LEDGER_DAMAGES)
def test_ledger_and_rows_disagree(shop_twin: Made, damage: str) -> None:
    statement, place = LEDGER_DAMAGES[damage]
    shop_twin.do(OFF + statement)
    differences = references_of(shop_twin).differences
    assert place in {(one.table, one.path) for one in differences}
    assert any("ledger" in one.message or damage == "ledger row gone" for one in differences)


def test_left_out_pair_and_element_that_came_back(shop_twin: Made) -> None:
    target = shop_twin.one("SELECT target_id FROM isthmus.orphan WHERE column_name = 'product_id'")
    element = shop_twin.one("SELECT target_id FROM isthmus.orphan WHERE column_name = 'friend_ids'")
    shop_twin.do(
        OFF + f"INSERT INTO {S}.user_likes SELECT id, '{target}' FROM {S}.users WHERE name = 'User 4'",
        f"UPDATE {S}.users SET friend_ids = friend_ids || '{element}'::uuid WHERE name = 'User 3'",
    )
    messages = [(one.table, one.path) for one in references_of(shop_twin).differences if "ledger" in one.message]
    assert sorted(messages) == [("user_likes", "product_id"), ("users", "friend_ids")]


def test_column_that_is_gone(shop_twin: Made) -> None:
    shop_twin.do(f"ALTER TABLE {S}.users DROP COLUMN boss_id")
    result = references_of(shop_twin)
    assert {(one.table, one.path) for one in result.differences} == {("users", "boss_id")}
    assert "cannot be looked at" in result.differences[0].message


def test_many_are_counted_and_the_first_are_named(shop_twin: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("isthmus.verify.looking.MOST_LISTED", 3)
    shop_twin.do(OFF + f"UPDATE {S}.users SET boss_id = {NOBODY}")
    result = references_of(shop_twin)
    assert len(result.differences) < 8 <= result.found


def test_sensitive_values_are_hidden(make_here: Callable[..., Made]) -> None:
    made = make_here(
        """
        isthmus: 1
        collections:
          a: {fields: {n: integer}}
          b: {fields: {to: {references: a, sensitive: true}}}
        """,
        {"a": [{"_id": oid(1)}], "b": [{"_id": oid(2), "to": oid(1)}]},
    )
    made.do(OFF + f'UPDATE b SET "to" = {NOBODY}')
    assert only(references_of(made)).actual == "(hidden)"


MERGED = """
isthmus: 1
collections:
  people:
    key: email
    on_duplicate: merge
    fields:
      _id: {column: id}
      email: {type: text!, normalise: lower}
      boss: {column: boss_id, references: people.email, on_orphan: "null"}
      friends: {column: friends, type: "uuid[]", references: teams, on_orphan: "null"}
      notes: {type: jsonb, rewrite: {"[].by": teams}}
      posts: {child: posts, fields: {by: {column: by_id, references: teams, on_orphan: "null"}}}
      teams: {junction: memberships}
  teams: {fields: {n: integer}}
junctions:
  memberships: {columns: {person_id: people, team_id: teams}, on_orphan: drop}
"""


def test_joined_documents_pass(make_here: Callable[..., Made]) -> None:
    def person(n: int, email: str, to: int) -> dict[str, object]:
        return {
            "_id": oid(n),
            "email": email,
            "friends": [oid(to), oid(900 + n)],
            "notes": [{"by": oid(to)}, {"by": oid(910 + n)}],
            "posts": [{"by": oid(920 + n)}, {"by": oid(to)}],
            "teams": [oid(to), oid(930 + n)],
        }

    people = [person(1, "a@x", 50), person(2, "A@X", 51), person(3, "b@x", 50), {"_id": oid(4), "email": "B@x"}]
    people[0].pop("friends")
    people[0].pop("notes")
    people[1] |= {"boss": "nobody"}
    people[2] |= {"boss": "a@x"}
    made = make_here(MERGED, {"people": people, "teams": [{"_id": oid(50)}, {"_id": oid(51)}]})
    assert made.one("SELECT count(*) FROM people") == 2
    assert found(references_of(made)) == []


EXISTING = """
isthmus: 1
target: {tables: existing, schema: app}
collections:
  users: {match: [[email]], fields: {email: text!, boss: {column: boss_id, references: users, on_orphan: "null"}}}
  posts: {fields: {title: text, author: {column: author_id, references: users, on_orphan: "null"}}}
"""
TABLES = """
CREATE SCHEMA app;
CREATE TABLE app.users (id uuid PRIMARY KEY, email text, boss_id uuid);
CREATE TABLE app.posts (id uuid PRIMARY KEY, title text, author_id uuid REFERENCES app.users, extras jsonb);
INSERT INTO app.users VALUES (gen_random_uuid(), 'there', gen_random_uuid()),
  (gen_random_uuid(), 'both', gen_random_uuid());
"""


def test_rows_that_were_there_before_are_told_apart(make_here: Callable[..., Made]) -> None:
    made = make_here(
        EXISTING,
        {
            "users": [
                {"_id": oid(1), "email": "new"},
                {"_id": oid(2), "email": "both"},
                {"_id": 3, "boss": oid(1), "email": "z"},
            ],
            "posts": [{"_id": oid(11), "title": "t", "author": oid(2)}, {"_id": oid(12), "author": oid(99)}],
        },
        before=TABLES,
    )
    result = references_of(made)
    assert found(result) == []
    boss = next(one for one in result.columns if (one.table, one.column) == ("users", "boss_id"))
    assert "2 point at nothing" in boss.why
    made.do(f"UPDATE app.users SET boss_id = {NOBODY} WHERE email IN ('new', 'z')")
    result = references_of(made)
    assert {one.id for one in result.differences} == {
        str(one) for (one,) in made.rows("SELECT id FROM app.users WHERE email IN ('new', 'z')")
    }


def test_references_that_wait(make_here: Callable[..., Made]) -> None:
    made = make_here(
        EXISTING,
        {"users": [{"_id": oid(1), "email": "new"}], "posts": [{"_id": oid(11), "title": "t", "author": oid(1)}]},
        before=TABLES,
        only=("posts",),
    )
    assert made.one("SELECT count(*) FROM isthmus.pending_reference") == 1
    result = references_of(made)
    assert found(result) == []
    assert any(one.column == "author_id (waiting)" and one.accounted == 1 for one in result.columns)
    made.do("UPDATE app.posts SET author_id = (SELECT id FROM app.users LIMIT 1)")
    one = only(references_of(made))
    assert (one.table, one.path, one.id) == ("posts", "author_id", str(made.one("SELECT id FROM app.posts")))
