"""What was written since a copy stands in the way of taking it back: it is listed, and nothing is removed.

Oracle: what each test itself wrote; every row of every table before and after.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.undo.undoing import MAPPING, TABLES, World

ANN, BOB, CID = ('(SELECT id FROM people WHERE "full ""name" LIKE \'' + name + "%')" for name in ("Ann", "Bob", "Çid"))
ROME, OSLO = ('(SELECT id FROM "Places" WHERE name = \'' + name + "')" for name in ("Rome", "Oslo"))


def refused(world: World, *only: str) -> set[tuple[str, str, str, int]]:
    """Take back, dry and live; return what stands in the way, the same of both."""
    before = world.everything()
    dry = world.undo(*only, live=False, code=1)
    live = world.undo(*only, code=1)
    assert (dry["outcome"], live["outcome"]) == ("in-the-way", "in-the-way")
    assert dry["in_the_way"] == live["in_the_way"]
    assert live["undo"] is None
    assert world.everything() == before
    found: list[dict[str, Any]] = live["in_the_way"]
    assert all(one["ids"] for one in found)
    return {(one["why"], one["table"], one["detail"], one["count"]) for one in found}


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (f'UPDATE people SET "full ""name" = \'Anna\' WHERE id = {ANN}', {("edited", "people", 1)}),
        (f"UPDATE people SET boss = NULL WHERE id = {ANN}", {("edited", "people", 1)}),
        ("UPDATE people SET \"nicht abgebildet ß\" = 'neu'", {("written-beside", "people", 3)}),
        ('UPDATE people SET "nicht abgebildet ß" = NULL', {("written-beside", "people", 3)}),
        ("ALTER TABLE people ADD COLUMN later text; UPDATE people SET later = 'x'", {("written-beside", "people", 3)}),
        ("ALTER TABLE trips ADD COLUMN later text; UPDATE trips SET later = 'x'", {("written-beside", "people", 2)}),
        ("UPDATE trips SET said = said || '!' WHERE said = 'c'", {("edited", "people", 1)}),
        (f"INSERT INTO trips (people_id, position) VALUES ({BOB}, 0)", {("edited", "people", 1)}),
        ("DELETE FROM trips WHERE said = 'a'", {("edited", "people", 1)}),
        (f'INSERT INTO "Visits" VALUES ({ROME}, {CID})', {("pair-added", "Visits", 1)}),
        ("UPDATE \"Visits\" SET noted = 'x'", {("pair-edited", "Visits", 2)}),
        (f"DELETE FROM follows WHERE follower = {ANN}", {("pair-removed", "follows", 2)}),
        ("UPDATE \"Places\" SET name = 'Roma' WHERE name = 'Rome'", {("edited", "Places", 1)}),
    ],
)
def test_what_was_written_since_is_listed(carried: World, damage: str, found: set[tuple[str, str, int]]) -> None:
    carried.do(damage)
    assert {(why, table, count) for why, table, _, count in refused(carried)} == found


def test_rows_that_were_written_to_and_put_back_are_untouched(carried: World) -> None:
    first = carried.everything()
    carried.do(
        f'UPDATE people SET "full ""name" = \'Anna\', "nicht abgebildet ß" = NULL WHERE id = {ANN};'
        "UPDATE trips SET said = 'x' WHERE said = 'c'; UPDATE \"Visits\" SET noted = 'x';"
        "CREATE TABLE kept AS SELECT * FROM follows; DELETE FROM follows"
    )
    assert {one[0] for one in refused(carried)} == {"edited", "pair-edited", "pair-removed"}
    carried.do(
        'UPDATE people SET "full ""name" = \'Ann\', "nicht abgebildet ß" = \'von hier\''
        ' WHERE "full ""name" = \'Anna\';'
        "UPDATE trips SET said = 'c' WHERE said = 'x'; UPDATE \"Visits\" SET noted = NULL;"
        "INSERT INTO follows SELECT * FROM kept; DROP TABLE kept"
    )
    assert carried.everything() == first
    assert carried.undo()["outcome"] == "done"


def test_ids_are_listed_up_to_a_limit_and_told_on_a_terminal(carried: World) -> None:
    carried.do("UPDATE \"Places\" SET name = name || '!'")
    ids = sorted(str(one) for (one,) in carried.rows('SELECT id FROM "Places"'))
    ran = carried.run("undo", carried.mapping, "-t", carried.conninfo, "--only", "Places", "--limit", "1")
    assert ran.code == 1
    assert "Places: 2 rows written to since the copy, or in child rows." in ran.out
    assert ids[0] in ran.out
    assert ids[1] not in ran.out
    assert "and 1 more; --json FILE lists them (--limit)." in ran.out
    assert "Nothing was removed" in ran.out


@pytest.mark.parametrize(
    "action", ["NO ACTION", "RESTRICT", "CASCADE", "SET NULL", "SET DEFAULT", "NO ACTION DEFERRABLE INITIALLY DEFERRED"]
)
def test_a_row_of_others_that_refers_to_one_that_goes_is_never_lost(carried: World, action: str) -> None:
    carried.do(
        f'CREATE TABLE "Other\'s One"."My Notes" ("Note Id" integer PRIMARY KEY, "Who" uuid REFERENCES people'
        f' ON DELETE {action}); INSERT INTO "Other\'s One"."My Notes" VALUES (1, NULL), (7, {ANN})'
    )
    found = refused(carried)
    assert found == {("referred", "Other's One.My Notes", "My Notes_Who_fkey → people", 1)}
    said = carried.undo(live=False, code=1)
    assert said["in_the_way"][0]["ids"] == ["7"]
    carried.do('UPDATE "Other\'s One"."My Notes" SET "Who" = NULL')
    assert carried.undo()["outcome"] == "done"
    assert carried.one('SELECT count(*) FROM "Other\'s One"."My Notes"') == 2


def test_keys_over_several_columns_and_of_partitioned_tables_are_looked_at(carried: World) -> None:
    carried.do(
        'ALTER TABLE people ADD UNIQUE (id, "full ""name");'
        'CREATE TABLE "Other\'s One".parted (day integer, who uuid, name text, FOREIGN KEY (who, name) REFERENCES'
        ' people (id, "full ""name") ON UPDATE CASCADE ON DELETE CASCADE) PARTITION BY RANGE (day);'
        'CREATE TABLE "Other\'s One".first PARTITION OF "Other\'s One".parted FOR VALUES FROM (0) TO (10);'
        'CREATE TABLE "Other\'s One".second PARTITION OF "Other\'s One".parted FOR VALUES FROM (10) TO (20);'
        f'INSERT INTO "Other\'s One".parted SELECT n, id, "full ""name" FROM people, generate_series(5, 15, 10) n'
        f' WHERE id = {ANN}; INSERT INTO "Other\'s One".parted VALUES (6, {ANN}, NULL)'
    )
    assert refused(carried) == {("referred", "Other's One.parted", "parted_who_name_fkey → people", 2)}
    carried.do('DELETE FROM "Other\'s One".parted WHERE name IS NOT NULL')
    assert carried.undo()["outcome"] == "done"
    assert carried.one('SELECT count(*) FROM "Other\'s One".parted') == 1


def test_rows_of_child_tables_and_pairs_are_referred_to_as_well(carried: World) -> None:
    carried.do(
        "CREATE TABLE of_trip (id integer PRIMARY KEY, who uuid, at integer, FOREIGN KEY (who, at) REFERENCES trips"
        " ON DELETE CASCADE); INSERT INTO of_trip SELECT 1, people_id, position FROM trips WHERE said = 'a';"
        "CREATE TABLE of_visit (id integer PRIMARY KEY, person uuid, place uuid, FOREIGN KEY (person, place)"
        ' REFERENCES "Visits" ON DELETE SET NULL); INSERT INTO of_visit SELECT 2, person, place FROM "Visits" LIMIT 1'
    )
    assert refused(carried, "people") == {
        ("referred", "public.of_trip", "of_trip_who_at_fkey → trips", 1),
        ("referred", "public.of_visit", "of_visit_person_place_fkey → Visits", 1),
    }


def test_a_row_of_others_in_the_same_tables_that_refers_to_one_that_goes_is_listed(carried: World) -> None:
    carried.do(
        'INSERT INTO people (id, "full ""name", "Place", boss) VALUES (\'00000000-0000-4000-8000-000000000002\','
        f" 'Eve', {ROME}, {ANN})"
    )
    assert refused(carried) == {
        ("referred", "public.people", "people_Place_fkey → Places", 1),
        ("referred", "public.people", "people_boss_fkey → people", 1),
        ("new", "people", "", 1),
    }
    assert refused(carried, "Places") == {("referred", "public.people", "people_Place_fkey → Places", 1)}


def test_a_reference_of_an_edited_row_is_not_taken_for_the_copys(carried: World) -> None:
    carried.do(f'UPDATE people SET "full ""name" = \'Anna\' WHERE id = {ANN}')
    found = refused(carried, "Places")
    assert {(why, table) for why, table, _, _ in found} == {("referred", "public.people"), ("referred", "public.trips")}
    # what stands beside what the copy filled does not matter to it
    carried.do(f'UPDATE people SET "full ""name" = \'Ann\', "nicht abgebildet ß" = \'neu\' WHERE id = {ANN}')
    assert carried.undo("Places")["outcome"] == "done"
    assert carried.one(f'SELECT "nicht abgebildet ß" FROM people WHERE id = {ANN}') == "neu"


def test_a_reference_that_must_be_there_keeps_its_row(world: World) -> None:
    was = 'place: {references: Places, on_orphan: "null"}, said'
    assert was in MAPPING
    world.prepare(
        TABLES.replace("integer,\n  place uuid", "integer,\n  place uuid NOT NULL"),
        MAPPING.replace(was, "place: {references: Places, required: true}, said"),
    )
    world.copy()
    assert refused(world, "Places") == {("referred", "public.trips", "trips_place_fkey → Places", 3)}


def test_a_row_whose_id_stands_in_documents_of_mongodb_stays(carried: World) -> None:
    carried.do(
        "INSERT INTO isthmus.rewrite (source, source_name, mapping_fingerprint, scope, run_id, isthmus_version)"
        " VALUES ('{}', 's', 'f', '{}', 1, '0');"
        "INSERT INTO isthmus.rewrite_log (rewrite_id, collection, source_id, site, path, old_value, new_text, state)"
        f" SELECT 1, 'post s', '\\x00', 'a', '[]', '\\x00', id, s FROM people, unnest(ARRAY['done', 'undone']) s"
        f" WHERE id = {ANN} OR (id = {BOB} AND s = 'undone')"
    )
    assert refused(carried) == {("rewritten", "people", "post s", 1)}
    assert carried.undo("Places")["outcome"] == "done"


def test_a_state_of_an_older_isthmus_is_not_changed_by_a_look(carried: World) -> None:
    carried.do(
        "DROP TABLE isthmus.undo, isthmus.pair_state, isthmus.rows_before; ALTER TABLE isthmus.run DROP COLUMN undone;"
        "ALTER TABLE isthmus.row_state DROP COLUMN beside_digest, DROP COLUMN came;"
        "DELETE FROM isthmus.migration WHERE version IN (14, 16)"
    )
    before = carried.everything()
    said = carried.undo(live=False, code=1)
    assert {one["why"] for one in said["in_the_way"]} == {"unknown", "not-ours"}
    assert carried.everything() == before
    assert carried.undo(code=1)["in_the_way"] == said["in_the_way"]
    assert carried.one("SELECT max(version) FROM isthmus.migration WHERE version = 14") == 14
