"""Rows that were there before a copy, rows that others have deleted, and documents that share a row.

Oracle: what each test itself wrote; every row of every table before and after.
"""

from __future__ import annotations

import pytest

from tests.integration.copy.carrying import oid
from tests.integration.undo.undoing import World

ID = "00000000-0000-4000-8000-00000000000"
SHOP = """
isthmus: 1
target: {tables: existing, rerun: tracked, on_conflict: keep_target}
collections:
  goods: {match: [[name]], fields: {name: text!, price: integer, lines: {child: lines, fields: {said: text}}}}
"""
SHOP_TABLES = """
CREATE TABLE goods (id uuid PRIMARY KEY, name text UNIQUE, price integer, stock integer DEFAULT 0);
CREATE TABLE lines (goods_id uuid REFERENCES goods ON DELETE CASCADE, position integer, said text,
  PRIMARY KEY (goods_id, position));
"""
GOODS = [
    {"_id": oid(1), "name": "new", "price": 1, "lines": [{"said": "x"}]},
    {"_id": oid(2), "name": "same", "price": 2, "beside": True},
    {"_id": oid(3), "name": "other", "price": 3},
]
THERE = f"INSERT INTO goods VALUES ('{ID}2', 'same', 2, 7), ('{ID}3', 'other', 30, 8), ('{ID}9', 'nobody', 9, 9);"


def test_rows_that_a_copy_found_and_left_stay(world: World) -> None:
    world.prepare(SHOP_TABLES + THERE, SHOP, {"goods": GOODS})
    before = world.everything()
    world.copy()
    first = world.everything()
    assert world.rows("SELECT came, count(*) FROM isthmus.row_state GROUP BY 1 ORDER BY 1") == [
        ("brought", 1),
        ("met", 2),
    ]
    world.do("UPDATE goods SET stock = 6 WHERE name = 'same'")  # somebody's own row
    said = world.undo()
    assert (said["removed"], said["stayed"]) == ({"goods": 1, "lines": 1}, {"goods": 2})
    world.do("UPDATE goods SET stock = 7 WHERE name = 'same'")
    assert world.everything(state=False) == before
    assert world.one("SELECT count(*) FROM isthmus.row_state") == 0
    assert world.one("SELECT count(*) FROM isthmus.extras") == 0
    assert world.undo()["outcome"] == "nothing"
    world.copy()
    assert world.everything() == first
    world.verify()


def test_a_row_that_a_copy_wrote_to_is_refused_for_what_stood_there_is_not_known(world: World) -> None:
    world.prepare(SHOP_TABLES + THERE, SHOP.replace("keep_target", "overwrite"), {"goods": GOODS})
    world.copy()
    said = world.undo(code=1)
    assert [(one["why"], one["ids"]) for one in said["in_the_way"]] == [("changed-by-copy", [f"{ID}3"])]
    assert world.one("SELECT count(*) FROM goods") == 4


def test_a_row_that_was_found_equal_and_updated_by_a_later_copy_is_refused(world: World) -> None:
    world.prepare(SHOP_TABLES + THERE, SHOP, {"goods": GOODS})
    world.copy()
    world.write({"goods": [GOODS[0], {**GOODS[1], "price": 22}, GOODS[2]]})
    world.copy()
    assert world.one("SELECT price FROM goods WHERE name = 'same'") == 22
    said = world.undo(code=1)
    assert [(one["why"], one["ids"]) for one in said["in_the_way"]] == [("changed-by-copy", [f"{ID}2"])]


def test_a_row_that_a_later_copy_updated_is_still_the_copys(world: World) -> None:
    world.prepare(SHOP_TABLES, SHOP, {"goods": GOODS})
    world.copy()
    world.write({"goods": [{**GOODS[0], "price": 11, "lines": []}, GOODS[1]]})
    world.copy()
    world.do("UPDATE goods SET stock = 5 WHERE name = 'same'")
    world.write({"goods": [{**GOODS[0], "price": 12}, {**GOODS[1], "price": 21}]})
    world.copy()  # what somebody wrote beside is still theirs behind it
    said = world.undo(code=1)
    assert [(one["why"], one["count"]) for one in said["in_the_way"]] == [("written-beside", 1)]
    world.do("UPDATE goods SET stock = 0")
    said = world.undo()
    assert said["removed"] == {"goods": 3, "lines": 1}
    assert [run["forgotten"] for run in said["runs"]] == [True, True, True]


def test_rows_that_others_deleted_stay_deleted_behind_a_later_copy(world: World) -> None:
    world.prepare(SHOP_TABLES, SHOP, {"goods": GOODS})
    world.copy()
    world.do("DELETE FROM goods WHERE name = 'new'")
    said = world.undo()
    assert (said["removed"], said["deleted"]) == ({"goods": 2}, {"goods": 1})
    assert world.one("SELECT count(*) FROM isthmus.row_state") == 1
    assert world.undo()["outcome"] == "nothing"
    world.copy()
    assert world.rows("SELECT name FROM goods ORDER BY 1") == [("other",), ("same",)]
    world.verify()


def test_rows_of_an_older_isthmus_are_refused(world: World) -> None:
    world.prepare(SHOP_TABLES, SHOP, {"goods": GOODS})
    world.copy()
    world.do("UPDATE isthmus.row_state SET came = NULL, beside_digest = NULL")
    world.copy()  # which cannot tell it any more
    said = world.undo(code=1)
    assert [(one["why"], one["count"]) for one in said["in_the_way"]] == [("unknown", 3)]


def test_rows_that_are_forgotten_with_fresh_are_still_known(world: World) -> None:
    world.prepare(SHOP_TABLES, SHOP, {"goods": GOODS})
    before = world.everything()
    world.copy()
    world.copy(more=("--fresh",))
    assert world.undo()["removed"] == {"goods": 3, "lines": 1}
    assert world.everything(state=False) == before


TWO = """
isthmus: 1
target: {tables: existing, rerun: tracked}
collections:
  goods:
    from: [goods, wares]
    on_duplicate: merge
    fields: {name: {type: text, unique: true}, price: integer, color: text}
  orders: {fields: {item: {references: goods, on_orphan: "null"}}}
"""
TWO_TABLES = """
CREATE TABLE goods (id uuid PRIMARY KEY, name text UNIQUE, price integer, color text);
CREATE TABLE orders (id uuid PRIMARY KEY, item uuid REFERENCES goods);
"""


def test_a_row_that_documents_of_another_collection_are_in_is_refused(world: World) -> None:
    world.prepare(
        TWO_TABLES,
        TWO,
        {
            "goods": [{"_id": oid(1), "name": "a", "price": 1}, {"_id": oid(2), "name": "b"}],
            "wares": [{"_id": oid(3), "name": "a", "color": "red"}, {"_id": oid(4), "name": "c"}],
            "orders": [{"_id": oid(5), "item": oid(3)}, {"_id": oid(6), "item": oid(4)}],
        },
    )
    before = world.everything()
    world.copy()
    first = world.everything()
    for one, other in (("goods", "wares"), ("wares", "goods")):
        ran = world.run("undo", world.mapping, "-t", world.conninfo, "--only", one)
        if one == "goods":  # the entry: both of its collections, and nothing else
            assert ran.code == 0, ran.all
            continue
        said = world.undo(one, code=1)
        assert [(x["why"], x["table"], x["detail"], x["count"]) for x in said["in_the_way"]] == [
            ("shared", "goods", other, 1)
        ]
    said = world.undo("goods")
    assert (said["collections"], said["removed"], said["waiting"]) == (
        ["goods", "wares"],
        {"goods": 3},
        {"orders.item": 2},
    )
    world.copy("goods")
    world.copy()
    assert world.everything() == first
    assert world.undo()["outcome"] == "done"
    assert world.everything(state=False) == before


def test_collections_of_one_table_go_one_by_one(world: World) -> None:
    world.prepare(
        TWO_TABLES,
        TWO.replace("    on_duplicate: merge\n", ""),
        {
            "goods": [{"_id": oid(1), "name": "a"}],
            "wares": [{"_id": oid(4), "name": "c"}],
            "orders": [{"_id": oid(5), "item": oid(1)}, {"_id": oid(6), "item": oid(4)}],
        },
    )
    world.copy()
    first = world.everything()
    said = world.undo("wares")
    assert (said["removed"], said["waiting"]) == ({"goods": 1}, {"orders.item": 1})
    assert world.rows("SELECT name FROM goods") == [("a",)]
    world.copy("wares")
    assert world.everything()["public.orders"] == first["public.orders"]
    assert world.everything()["public.goods"] == first["public.goods"]


KEYED = """
isthmus: 1
target: {tables: existing, rerun: tracked}
collections:
  codes: {key: [code], fields: {code: text!, word: text}}
  uses: {fields: {code: {references: codes.code, on_orphan: "null"}}}
"""
KEYED_TABLES = """
CREATE TABLE codes (code text PRIMARY KEY, word text, own integer);
CREATE TABLE uses (id uuid PRIMARY KEY, code text REFERENCES codes ON DELETE SET NULL);
"""


@pytest.mark.parametrize("taken", [("codes",), ("uses",), ()])
def test_tables_that_keep_no_ids_are_taken_back_by_their_key(world: World, taken: tuple[str, ...]) -> None:
    world.prepare(
        KEYED_TABLES,
        KEYED,
        {
            "codes": [{"_id": oid(1), "code": "a", "word": "Aa"}, {"_id": oid(2), "code": "b\"'", "word": "Bb"}],
            "uses": [{"_id": oid(3), "code": "a"}, {"_id": oid(4), "code": "b\"'"}, {"_id": oid(5), "code": "a"}],
        },
    )
    world.copy()
    first = world.everything()
    said = world.undo(*taken)
    assert said["outcome"] == "done"
    assert world.one("SELECT count(*) FROM codes") == (2 if taken == ("uses",) else 0)
    assert world.one("SELECT count(code) FROM uses") == 0
    world.copy(*taken)
    assert world.everything()["public.codes"] == first["public.codes"]
    assert world.everything()["public.uses"] == first["public.uses"]
    world.verify()


PEOPLE = """
isthmus: 1
target: {tables: existing, rerun: tracked}
ids: cuid2
identities:
  people:
    keys: {mail: [trim, lower]}
    members: {users: {keys: {mail: mail}}, auth: {keys: {mail: mail}}}
    linked: {profiles: {keys: {mail: mail}, links: {user: [auth, users]}}}
    wins: {image: auth}
collections:
  users: {table: users, fields: {mail: text!, name: text}}
  auth: {table: users, fields: {mail: text!, image: text}}
  profiles: {fields: {user: {column: user_id, references: users, identity: people}, mail: text!}}
"""
PEOPLE_TABLES = """
CREATE TABLE users (id text PRIMARY KEY, mail text UNIQUE, name text, image text, at timestamptz DEFAULT now());
CREATE TABLE profiles (id text PRIMARY KEY, user_id text REFERENCES users ON DELETE CASCADE, mail text);
"""


def test_things_go_as_a_whole_and_keep_their_ids(world: World) -> None:
    world.prepare(
        PEOPLE_TABLES,
        PEOPLE,
        {
            "users": [{"_id": oid(1), "mail": "Ann@x", "name": "Ann"}, {"_id": oid(2), "mail": "bob@x", "name": "Bob"}],
            "auth": [{"_id": oid(11), "mail": "ann@x", "image": "i"}, {"_id": oid(12), "mail": "cid@x", "image": "j"}],
            "profiles": [{"_id": oid(21), "user": oid(11), "mail": "ann@x"}, {"_id": oid(22), "mail": "cid@x"}],
        },
    )
    world.copy("users", "auth")
    world.do("UPDATE users SET at = '2026-01-01 00:00:00+00'; UPDATE isthmus.row_state SET beside_digest = NULL")
    world.copy("users", "auth")  # notes what stands there now
    alone = world.everything()
    world.copy("profiles")
    both = world.everything()
    said = world.undo("users", code=1)
    assert {one["why"] for one in said["in_the_way"]} == {"shared"}
    said = world.undo("profiles")
    assert said["removed"] == {"profiles": 2}
    assert world.everything() == alone
    world.verify()
    world.copy("profiles")
    assert world.everything() == both
    said = world.undo("users", "auth")
    assert (said["removed"], said["waiting"]) == ({"users": 3}, {"profiles.user_id": 2})
    assert world.rows("SELECT user_id FROM profiles") == [(None,), (None,)]
    assert world.everything()["isthmus.identity_member"] == both["isthmus.identity_member"]
    world.copy("users", "auth")
    world.verify()
    now = "SELECT id, mail, name, image FROM users ORDER BY 1"
    world.do("UPDATE users SET at = '2026-01-01 00:00:00+00'")
    assert world.everything()["public.users"] == both["public.users"], now
    assert world.everything()["public.profiles"] == both["public.profiles"]
    assert world.everything()["isthmus.id_map"] == both["isthmus.id_map"]
