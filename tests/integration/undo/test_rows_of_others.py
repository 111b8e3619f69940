"""Rows that others added to tables since the first copy: told from those that stood there before, and listed.

Oracle: what each test itself wrote; every row of every table before and after.
"""

from __future__ import annotations

import psycopg
import pytest

from tests.integration.copy.carrying import oid
from tests.integration.undo.undoing import World

OURS = "00000000-0000-4000-8000-00000000000"
EVE, BARI = f"'{OURS}2'", f"'{OURS}1'"
ROME = "(SELECT id FROM \"Places\" WHERE name = 'Rome')"
BY_HAND = (
    f"INSERT INTO \"Places\" VALUES ({BARI}, 'Bari', NULL);"
    f'INSERT INTO people (id, "full ""name", "Place") VALUES ({EVE}, \'Eve\', {BARI});'
    f"INSERT INTO trips VALUES ({EVE}, 0, {BARI}, 'mine');"
    f"INSERT INTO follows VALUES ({EVE}, {EVE})"
)
FOUND = {("new", "people", f"{OURS}2"), ("new", "Places", f"{OURS}1"), ("new", "follows", f"{OURS}2 ↔ {OURS}2")}


def refused(world: World, *only: str) -> set[tuple[str, str, str]]:
    """Take back, dry and live; return what stands in the way, the same of both."""
    before = world.everything()
    dry, live = world.undo(*only, live=False, code=1), world.undo(*only, code=1)
    assert (dry["outcome"], live["outcome"]) == ("in-the-way", "in-the-way")
    assert (dry["in_the_way"], dry["left"]) == (live["in_the_way"], [])
    assert world.everything() == before
    assert all(one["count"] == len(one["ids"]) for one in live["in_the_way"])
    return {(one["why"], one["table"], row) for one in live["in_the_way"] for row in one["ids"]}


def test_rows_added_since_stand_in_the_way_until_somebody_says_that_they_are_left(carried: World) -> None:
    carried.do(BY_HAND)
    assert refused(carried) == FOUND
    dry = carried.undo(live=False, leave=True)
    assert (dry["outcome"], dry["in_the_way"]) == ("clear", [])
    said = carried.undo(leave=True)
    assert {("new", one["table"], row) for one in said["left"] for row in one["ids"]} == FOUND
    assert said["left"] == dry["left"]
    assert [carried.one(f"SELECT count(*) FROM {name}") for name in ("people", "trips", '"Places"', "follows")] == [
        1
    ] * 4
    assert carried.one("SELECT counts -> 'left' FROM isthmus.undo") == {"people": 1, "Places": 1, "follows": 1}
    assert carried.undo()["outcome"] == "nothing", "what stays is nobody's to take back again"
    carried.copy()
    assert carried.undo()["outcome"] == "done", "it stood there before the copy that is the first one now"
    assert carried.one("SELECT count(*) FROM people") == 1


def test_of_one_collection_only_its_own_tables_are_looked_at(carried: World) -> None:
    carried.do(BY_HAND)
    assert refused(carried, "Places") == {("new", "Places", f"{OURS}1")}
    said = carried.undo("Places", leave=True)
    assert said["outcome"] == "done"
    assert refused(carried, "people") == {one for one in FOUND if one[1] != "Places"}, "the rest is looked at as before"


def test_what_is_told_on_a_terminal(carried: World) -> None:
    carried.do(BY_HAND)
    ran = carried.run("undo", carried.mapping, "-t", carried.conninfo, "--only", "Places")
    assert ran.code == 1
    assert "✗ Places: 1 row that others added since the first copy." in ran.out
    assert "--leave-new-rows" in ran.out
    ran = carried.run("undo", carried.mapping, "-t", carried.conninfo, "--only", "Places", "--leave-new-rows", "--live")
    assert ran.code == 0, ran.all
    assert "• Places: 1 row that others added since the first copy; left where they are." in " ".join(ran.out.split())
    assert f"{OURS}1" in ran.out


SHOP = """
isthmus: 1
target: {tables: existing, rerun: tracked, on_conflict: keep_target}
collections:
  goods:
    match: [[name]]
    fields: {name: text!, lines: {child: lines, fields: {said: text}}, near: {junction: near, own: one}}
junctions: {near: {one: goods, other: goods}}
"""
SHOP_TABLES = """
CREATE TABLE goods (id uuid PRIMARY KEY, name text UNIQUE, stock integer DEFAULT 0);
CREATE TABLE lines (goods_id uuid REFERENCES goods, position integer, said text, PRIMARY KEY (goods_id, position));
CREATE TABLE near (one uuid REFERENCES goods, other uuid REFERENCES goods, PRIMARY KEY (one, other));
"""
GOODS = [
    {"_id": oid(1), "name": "new", "lines": [{"said": "x"}], "near": [oid(2)]},
    {"_id": oid(2), "name": "same", "lines": [{"said": "y"}]},
]
THERE = (
    f"INSERT INTO goods VALUES ('{OURS}2', 'same', 7), ('{OURS}8', 'theirs', 8), ('{OURS}9', 'nobody', 9),"
    f" ('{OURS}6', 'free', 6);"
    f"INSERT INTO lines VALUES ('{OURS}2', 0, 'y'), ('{OURS}8', 0, 'z');"
    f"INSERT INTO near VALUES ('{OURS}8', '{OURS}9'), ('{OURS}2', '{OURS}9')"
)


UNSEEN = (
    f"UPDATE goods SET stock = 70 WHERE id::text LIKE '{OURS}%'; DELETE FROM near WHERE one = '{OURS}8';"
    "DELETE FROM lines WHERE said = 'z'"
)
ADDED = (
    f"INSERT INTO goods VALUES ('{OURS}3', 'later', 0), ('{OURS}4', 'with a line', 0);"
    f"INSERT INTO lines VALUES ('{OURS}4', 0, 'theirs'), ('{OURS}8', 1, 'more'), ('{OURS}2', 1, 'more');"
    f"INSERT INTO near VALUES ('{OURS}2', '{OURS}8'), ('{OURS}4', '{OURS}3');"
    f"UPDATE goods SET id = '{OURS}7' WHERE name = 'free'"  # a key that somebody changed is another row
)


@pytest.mark.parametrize(
    ("written", "found"),
    [
        (UNSEEN, set[tuple[str, str, str]]()),
        (
            ADDED,
            {
                *(("new", "goods", f"{OURS}{n}") for n in (3, 4, 7)),
                *(("new", "lines", f"{OURS}{n} {{1}}") for n in (2, 8)),
                ("new", "near", f"{OURS}2 ↔ {OURS}8"),
                ("new", "near", f"{OURS}4 ↔ {OURS}3"),
            },
        ),
    ],
    ids=["what-was-there-changed", "added"],
)
def test_rows_that_stood_there_before_the_first_copy_are_told_apart(
    world: World, written: str, found: set[tuple[str, str, str]]
) -> None:
    world.prepare(SHOP_TABLES + THERE, SHOP, {"goods": GOODS})
    world.copy()
    world.copy()  # which notes nothing anew
    world.do(written)
    if found:
        assert refused(world) == found
    said = world.undo(leave=bool(found))
    assert (said["outcome"], said["removed"], said["stayed"]) == (
        "done",
        {"goods": 1, "lines": 1, "near": 1},
        {"goods": 1},
    )
    assert world.one("SELECT count(*) FROM isthmus.rows_before") == 0


def test_where_no_version_noted_what_stood_there_every_row_of_others_is_listed(world: World) -> None:
    world.prepare(SHOP_TABLES + THERE, SHOP, {"goods": GOODS})
    world.copy()
    world.do("DROP TABLE isthmus.rows_before; DELETE FROM isthmus.migration WHERE version = 16")
    before = world.everything()
    found = {("not-ours", "goods", f"{OURS}{n}") for n in (6, 8, 9)}
    found |= {("not-ours", "near", f"{OURS}{n} ↔ {OURS}9") for n in (2, 8)}
    said = world.undo(live=False, code=1)
    assert {(one["why"], one["table"], row) for one in said["in_the_way"] for row in one["ids"]} == found
    assert world.everything() == before, "a look writes nothing, also where the state is older"
    world.copy()
    assert world.one("SELECT count(*) FROM isthmus.rows_before") == 0, "too late: nobody knows any more"
    assert refused(world) == found
    assert world.undo(leave=True)["outcome"] == "done"
    world.copy()
    world.do(f"INSERT INTO goods VALUES ('{OURS}3', 'later', 0)")
    assert refused(world) == {("new", "goods", f"{OURS}3")}


def test_rows_before_the_first_copy_of_many(world: World) -> None:
    world.prepare(
        "CREATE TABLE goods (id text PRIMARY KEY, name text); INSERT INTO goods SELECT 'Ü \"' || n, n FROM"
        " generate_series(1, 25001) n",
        "isthmus: 1\ntarget: {tables: existing, rerun: tracked}\nids: cuid2\n"
        "collections: {goods: {fields: {name: text!}}}\n",
        {"goods": [{"_id": oid(1), "name": "a"}]},
    )
    world.copy()
    assert world.rows("SELECT part, cardinality(digests) FROM isthmus.rows_before ORDER BY 1") == [
        (0, 10_000),
        (1, 10_000),
        (2, 5_001),
    ]
    assert world.undo(live=False)["in_the_way"] == []
    world.do("INSERT INTO goods SELECT 'later ' || n FROM generate_series(1, 150) n")
    ran = world.undo(live=False, code=1)
    assert [(one["why"], one["count"], len(one["ids"])) for one in ran["in_the_way"]] == [("new", 150, 100)]


def test_keys_that_are_secret_are_not_shown(world: World) -> None:
    world.prepare(
        "CREATE TABLE sessions (token text PRIMARY KEY, who text)",
        "isthmus: 1\ntarget: {tables: existing, rerun: tracked}\ncollections:\n"
        "  sessions: {key: [token], fields: {token: {type: text, required: true, sensitive: true}, who: text}}\n",
        {"sessions": [{"_id": oid(1), "token": "t-1", "who": "a"}]},
    )
    world.copy()
    world.do("INSERT INTO sessions VALUES ('t-2', 'b')")
    for flags in ((), ("--json", "-")):
        ran = world.run("undo", world.mapping, "-t", world.conninfo, *flags)
        assert ran.code == 1
        assert "t-2" not in ran.all
        assert "hidden" in ran.out
    assert "t-1" not in str(world.rows("SELECT * FROM isthmus.rows_before"))


def test_rows_added_between_two_copies_of_a_table_are_listed(world: World) -> None:
    """The application writes users while other entries follow; a later document may be one of them."""
    world.prepare(SHOP_TABLES, SHOP, {"goods": [{**GOODS[0], "near": []}]})
    world.copy()
    world.do(f"INSERT INTO goods VALUES ('{OURS}2', 'same', 7), ('{OURS}3', 'later', 7)")
    world.write({"goods": GOODS})
    world.copy()
    assert refused(world) == {("new", "goods", f"{OURS}3")}
    assert world.undo(leave=True)["removed"]["goods"] == 1
    assert world.rows("SELECT name FROM goods ORDER BY 1") == [("later",), ("same",)]


def test_what_is_not_committed_yet_is_not_seen_and_then_is(world: World) -> None:
    world.prepare(SHOP_TABLES, SHOP, {"goods": GOODS})
    world.copy()
    with psycopg.connect(world.conninfo) as writer:
        writer.execute(f"INSERT INTO goods VALUES ('{OURS}3', 'later', 0)")
        assert world.undo(live=False)["outcome"] == "clear", "not committed yet"
        writer.commit()
    assert refused(world) == {("new", "goods", f"{OURS}3")}


def test_a_row_added_since_that_refers_to_a_row_that_would_go_cannot_be_left(carried: World) -> None:
    ann = '(SELECT id FROM people WHERE "full ""name" = \'Ann\')'
    carried.do(
        f'INSERT INTO people (id, "full ""name", boss) VALUES ({EVE}, \'Eve\', {ann});'
        f"INSERT INTO \"Places\" VALUES ({BARI}, 'Bari', NULL)"
    )
    before = carried.everything()
    for live in (False, True):
        said = carried.undo(live=live, leave=True, code=1)
        assert said["in_the_way"] == [
            {
                "why": "referred",
                "table": "public.people",
                "detail": "people_boss_fkey → people",
                "count": 1,
                "ids": [f"{OURS}2"],
            }
        ]
        assert {("new", one["table"], row) for one in said["left"] for row in one["ids"]} == {
            ("new", "people", f"{OURS}2"),
            ("new", "Places", f"{OURS}1"),
        }
    assert carried.everything() == before
    ran = carried.run("undo", carried.mapping, "-t", carried.conninfo, "--leave-new-rows")
    told = " ".join(ran.out.split())
    assert "✗ public.people (people_boss_fkey → people): 1 row referring to rows that would go." in told
    assert "They cannot stay when these rows go, whatever --leave-new-rows says." in told
    assert "; would be left where they are." in told
    carried.do(f"UPDATE people SET boss = NULL WHERE id = {EVE}")
    assert carried.undo(leave=True)["outcome"] == "done"
    assert carried.rows('SELECT "full ""name" FROM people') == [("Eve",)]
