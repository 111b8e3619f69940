"""Copies into tables that exist, as the commands tell of them: what waits, and what a default decided.

Oracle: DESIGN section 1 for exit codes; the documents planted.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tests.fix_dumps import MakeDump
from tests.integration.cli.conftest import RunCommand
from tests.integration.copy.carrying import oid

TABLES = """
CREATE TABLE places (id uuid PRIMARY KEY, name text UNIQUE);
CREATE TABLE people (id uuid PRIMARY KEY, name text UNIQUE, note text,
  place uuid CONSTRAINT people_in_places REFERENCES places);
"""
MAPPING = """
isthmus: 1
target: {tables: existing}
extras: dead_letter
collections:
  places: {fields: {name: text}}
  people:
    match: [[name]]
    fields: {name: text, note: text, place: {references: places, on_orphan: "null"}}
"""
DUMP = {
    "places": [{"_id": oid(11), "name": "Rome"}],
    "people": [{"_id": oid(1), "name": "Ann", "note": "new"}, {"_id": oid(2), "name": "Bob", "place": oid(11)}],
}


@pytest.fixture
def target(database: str) -> str:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(TABLES)
    return database


def test_what_waits_is_told(
    isthmus: RunCommand, write_mapping: Callable[[str], Path], make_dump: MakeDump, target: str
) -> None:
    mapping, dump = write_mapping(MAPPING), make_dump(DUMP)
    ran = isthmus("copy", mapping, "-s", dump, "-t", target, "--only", "people")
    assert ran.code == 0, ran.all  # it was asked for
    assert "References that wait for collections which this copy did not carry: 1." in ran.out
    assert "people.people_in_places: 1" in ran.out
    ran = isthmus("status", "-t", target)
    assert "1 reference of people.place waiting for rows of places" in ran.out
    ran = isthmus("orphans", "list", "-t", target)
    assert "No orphans." in ran.out
    assert "Waiting for rows of places that a later copy may bring: 1 reference of people.place" in ran.out
    waiting = [{"table": "people", "column": "place", "points_at": "places", "count": 1, "lead_nowhere": False}]
    for command in (("orphans", "list"), ("status",)):
        assert json.loads(isthmus(*command, "-t", target, "--json", "-").out)["waiting"] == waiting
    assert json.loads(isthmus("orphans", "list", "--table", "no", "-t", target, "--json", "-").out)["waiting"] == []
    ran = isthmus("copy", mapping, "-s", dump, "-t", target, "--only", "places")
    assert ran.code == 0, ran.all
    assert "References of earlier copies that had waited and are set now: 1" in ran.out
    assert json.loads(isthmus("status", "-t", target, "--json", "-").out)["waiting"] == []


def test_what_waits_for_a_row_that_no_copy_brought_leads_nowhere(
    isthmus: RunCommand, write_mapping: Callable[[str], Path], make_dump: MakeDump, target: str
) -> None:
    lost = {"_id": oid(3), "name": "Cy", "place": oid(99)}
    mapping, dump = write_mapping(MAPPING), make_dump({**DUMP, "people": [*DUMP["people"], lost]})
    assert isthmus("copy", mapping, "-s", dump, "-t", target, "--only", "people").code == 0
    ran = isthmus("copy", mapping, "-s", dump, "-t", target, "--only", "places")
    assert ran.code == 0, ran.all
    ran = isthmus("orphans", "list", "--waiting", "-t", target)
    assert "Leading to no row of places that any copy brought: 1 reference of people.place" in ran.out
    assert f"→ places {oid(99)}" in ran.out
    (said,) = json.loads(isthmus("orphans", "list", "--waiting", "-t", target, "--json", "-").out)["waiting"]
    (one,) = said.pop("references")
    assert said == {"table": "people", "column": "place", "points_at": "places", "count": 1, "lead_nowhere": True}
    assert (one["position"], one["old_id"]) == ([], str(oid(99)))
    assert one["row_id"] in ran.out
    ran = isthmus("status", "-t", target)
    assert "1 reference of people.place waiting for no row of places that any copy brought" in ran.out


@pytest.mark.parametrize("stated", ["", ", on_conflict: keep_target"])
def test_row_kept_by_a_default_is_told_once_with_exit_1(
    isthmus: RunCommand, write_mapping: Callable[[str], Path], make_dump: MakeDump, target: str, stated: str
) -> None:
    with psycopg.connect(target, autocommit=True) as connection:
        connection.execute("INSERT INTO people VALUES ('00000000-0000-4000-8000-000000000001', 'Ann', 'old')")
    mapping, dump = write_mapping(MAPPING.replace("existing", f"existing{stated}")), make_dump(DUMP)
    ran = isthmus("copy", mapping, "-s", dump, "-t", target)
    assert ran.code == (0 if stated else 1), ran.all
    assert ("on_conflict: keep_target" in ran.out) is not bool(stated)
    assert ("1 row kept by a default" in isthmus("status", "-t", target).out) is not bool(stated)
    report = json.loads(isthmus("status", "-t", target, "--json", "-").out)
    assert report["left_behind"]["conflicts_by_default"] == (0 if stated else 1)
    assert isthmus("copy", mapping, "-s", dump, "-t", target).code == 0  # it is no news any more
    # to state what was the default is the same mapping
    mapping = write_mapping(MAPPING.replace("existing", "existing, on_conflict: keep_target"))
    assert isthmus("copy", mapping, "-s", dump, "-t", target).code == 0


def test_copy_says_that_fields_nobody_named_of_a_kept_row_are_not_kept(
    isthmus: RunCommand, write_mapping: Callable[[str], Path], make_dump: MakeDump, target: str
) -> None:
    with psycopg.connect(target, autocommit=True) as connection:
        connection.execute("INSERT INTO people VALUES ('00000000-0000-4000-8000-000000000001', 'Ann', 'old')")
    stored = MAPPING.replace("existing", "existing, on_conflict: keep_target").replace("dead_letter", "extras", 1)
    mapping = write_mapping(stored)
    people = [{"_id": oid(1), "name": "Ann", "note": "new", "zip": 1}, {"_id": oid(2), "zip": 2}]
    dump = make_dump({**DUMP, "people": people})
    ran = isthmus("copy", mapping, "-s", dump, "-t", target)
    assert ran.code == 0, ran.all
    assert "Those of documents whose row stays as it was are counted here, and not kept." in ran.out
    assert "isthmus conflicts list" in ran.out
    with psycopg.connect(target) as connection:
        assert connection.execute("SELECT document FROM isthmus.extras").fetchall() == [({"zip": 2},)]
    dump = make_dump({**DUMP, "people": [{**people[0], "note": "old"}]})
    ran = isthmus("copy", mapping, "-s", dump, "-t", target, "--fresh")
    assert "the same on both sides" in ran.out
    assert "and not kept" not in ran.out
    assert "isthmus conflicts list" not in ran.out


def test_source_that_changed_is_told_with_what_lets_rows_that_are_there_follow(
    isthmus: RunCommand, write_mapping: Callable[[str], Path], make_dump: MakeDump, target: str
) -> None:
    mapping = write_mapping(MAPPING)
    assert isthmus("copy", mapping, "-s", make_dump(DUMP), "-t", target).code == 0
    dump = make_dump({**DUMP, "people": [{"_id": oid(1), "name": "Ann", "note": "newer"}, DUMP["people"][1]]})
    ran = isthmus("copy", mapping, "-s", dump, "-t", target)
    assert ran.code == 1
    assert "rerun: tracked" in ran.out
    assert "on_conflict: overwrite" in ran.out
    assert "drops what this run made" not in ran.out
    rewritten = MAPPING.replace("existing", "existing, on_conflict: overwrite")
    ran = isthmus("copy", write_mapping(rewritten), "-s", dump, "-t", target, "--fresh")
    assert ran.code == 0, ran.all
    with psycopg.connect(target) as connection:
        assert connection.execute("SELECT note FROM people WHERE name = 'Ann'").fetchall() == [("newer",)]


def test_retry_tells_what_a_default_kept_and_what_it_cannot_try(
    isthmus: RunCommand, write_mapping: Callable[[str], Path], make_dump: MakeDump, target: str
) -> None:
    narrow = MAPPING.replace("place: {references: places", "place: {references: places.name").replace(
        "{fields: {name: text}}", "{fields: {name: {type: text, unique: true}, n: {type: integer, coerce: COERCE}}}"
    )
    with psycopg.connect(target, autocommit=True) as connection:
        connection.execute("ALTER TABLE places ADD n integer, ADD UNIQUE (n); ALTER TABLE people ADD n integer")
        connection.execute("INSERT INTO people VALUES (gen_random_uuid(), 'Ann', 'old')")
    narrow = narrow.replace("note: text", "note: text, n: {type: integer, coerce: COERCE}")
    people = [{"_id": oid(1), "name": "Ann", "note": "new", "n": "1"}]
    dump = make_dump({"places": [{"_id": oid(11), "name": "Rome", "n": 1}], "people": people})
    run = ("-s", dump, "-t", target)
    assert isthmus("copy", write_mapping(narrow.replace("COERCE", "false")), *run, "--only", "people").code == 1
    wide = write_mapping(narrow.replace("COERCE", "true"))
    ran = isthmus("letters", "retry", wide, "-t", target)
    assert ran.code == 1
    assert "not tried: 1 dead letter of people: people.place is looked up" in ran.out
    assert "--only" in ran.out
    assert "copy again" in ran.out
    assert isthmus("copy", write_mapping(narrow.replace("COERCE", "false")), *run, "--fresh").code == 1
    wide = write_mapping(narrow.replace("COERCE", "true"))
    ran = isthmus("letters", "retry", wide, "-t", target)
    assert (ran.code, "none is left" in ran.out, "1 row kept by a default" in ran.out) == (1, True, True), ran.all
    assert "on_conflict: keep_target" in ran.out
    assert isthmus("letters", "retry", wide, "-t", target).code == 0  # it is no news any more
    ran = isthmus("letters", "retry", wide, "-t", target, "--json", "-")
    assert {**json.loads(ran.out), "balance": 0}["conflicts_by_default"] == 0


@pytest.mark.parametrize("default", ["", ", default: none", ", default: none, default_for: [missing, 'null']"])
def test_check_notes_columns_that_take_no_null_where_a_document_may_lack_the_field(
    isthmus: RunCommand, write_mapping: Callable[[str], Path], make_dump: MakeDump, target: str, default: str
) -> None:
    with psycopg.connect(target, autocommit=True) as connection:
        connection.execute("ALTER TABLE people ALTER note SET NOT NULL")
    mapping = write_mapping(MAPPING.replace("note: text", f"note: {{type: text{default}}}"))
    ran = isthmus("check", mapping, "-t", target, "--json", "-")
    assert ran.code == 0, ran.all  # all documents may have it
    found = [one for one in json.loads(ran.out)["findings"] if one["code"] == "not-null-column"]
    if "null" in default:
        assert found == []
        return
    (finding,) = found
    assert (finding["where"]["collection"], finding["where"]["path"]) == ("people", "note")
    assert finding["where"]["table"] == "people.note"
    assert ("without it" in finding["message"]) is not bool(default)
    assert "default_for" in finding["hint"]
    assert ("give the field a `default`" in finding["hint"]) is not bool(default)
    assert "leave it out of the mapping" not in finding["hint"]  # the column has no DEFAULT
    assert "note (not-null-column): collection people, note, table people.note: The column takes no NULL" in ran.err
    with psycopg.connect(target, autocommit=True) as connection:
        connection.execute("ALTER TABLE people ALTER note SET DEFAULT ''")
    assert "leave it out of the mapping" in isthmus("check", mapping, "-t", target).err
    copied = isthmus("copy", mapping, "-s", make_dump(DUMP), "-t", target)
    assert "note (not-null-column): collection people, note, table people.note: The column takes no NULL" in copied.err


def test_names_that_differ_by_case_or_underscores_are_suggested(
    isthmus: RunCommand, write_mapping: Callable[[str], Path], database: str
) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            'CREATE TABLE "User" (id uuid PRIMARY KEY, "createdAt" date, "lastSeen" date);'
            ' CREATE TABLE orders (id uuid PRIMARY KEY, "paidAt" date)'
        )
    mapping = write_mapping("""
        isthmus: 1
        target: {tables: existing}
        extras: dead_letter
        collections:
          users: {table: user, fields: {createdAt: date, lastSeen: date}}
          orders: {fields: {paidAt: date}}
        """)
    ran = isthmus("check", mapping, "-t", database)
    assert ran.code == 4, ran.all
    assert "The target has no table public.user." in ran.err
    assert 'Did you mean "User"? Then say `table: User`.' in ran.err
    assert 'Did you mean "paidAt"? Say so with `column: paidAt`.' in ran.err
    assert "naming: keep" not in ran.err  # one column alone is no habit
    assert "• (table-missing) table user: " in ran.err
    mapping.write_text(mapping.read_text().replace("table: user", "table: User"))
    ran = isthmus("check", mapping, "-t", database)
    assert ran.err.count("2 columns of this table are there under their field's own name: say `naming: keep`") == 2
    mapping.write_text(mapping.read_text() + "naming: keep\n")
    assert isthmus("check", mapping, "-t", database).code == 0


def test_export_has_the_documents_that_are_rows_of_before_and_no_row_that_is_no_document(
    isthmus: RunCommand, write_mapping: Callable[[str], Path], make_dump: MakeDump, target: str
) -> None:
    ann, nobody = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000009"
    with psycopg.connect(target, autocommit=True) as connection:
        connection.execute("INSERT INTO people VALUES (%s, 'Ann', 'new'), (%s, 'nobody', NULL)", (ann, nobody))
    ran = isthmus("copy", write_mapping(MAPPING), "-s", make_dump(DUMP), "-t", target)
    assert ran.code == 0, ran.all
    ran = isthmus("ids", "export", "-t", target)
    exported = {row["source_id"]: row for row in csv.DictReader(io.StringIO(ran.out))}
    assert set(exported) == {str(oid(1)), str(oid(2)), str(oid(11))}
    assert (exported[str(oid(1))]["id"], exported[str(oid(1))]["origin"]) == (ann, "matched")
    assert exported[str(oid(2))]["origin"] == "derived"
    (known,) = json.loads(isthmus("ids", "lookup", str(oid(1)), "-t", target, "--json", "-").out)
    assert (known["id"], known["tables"], known["origin"]) == (ann, ["people"], "matched")
