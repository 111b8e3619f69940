"""`isthmus conflicts list`, and what other commands say of documents that were joined.

Oracle: the documents planted; a word planted in a sensitive field, searched in everything that is printed or written.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import psycopg
from bson import Int64

from isthmus.cli.target import shown_target
from tests.fix_dumps import MakeDump
from tests.integration.cli.conftest import RunCommand
from tests.integration.copy.carrying import oid

MAPPING = """
isthmus: 1
collections:
  people:
    on_duplicate: merge
    fields:
      mail: {type: text!, unique: true}
      name: text
      pin: {type: text, sensitive: true}
"""
PEOPLE = [
    {"_id": oid(1), "mail": "a", "name": "first", "pin": "1-secret"},
    {"_id": oid(2), "mail": "a", "name": "second", "pin": "2-secret"},
    {"_id": oid(3), "mail": "b"},
    {"_id": oid(4), "mail": "b", "name": "fills what the other lacks"},
]


def test_joined_documents_are_listed(
    isthmus: RunCommand, write_mapping: Callable[[str], Path], make_dump: MakeDump, database: str
) -> None:
    ran = isthmus("copy", write_mapping(MAPPING), "-s", make_dump({"people": PEOPLE}), "-t", database)
    assert ran.code == 0, ran.all
    assert "merged" in ran.out
    ran = isthmus("status", "-t", database, "--json", "-")
    books = json.loads(ran.out)["collections"]["people"]
    assert books["merged"] > 0
    assert books["read"] == books["copied"] + books["merged"]
    assert "merged" in isthmus("status", "-t", database).out
    ran = isthmus("conflicts", "list", "-t", database)
    assert (ran.code, ran.out.count("merged (merge)")) == (0, 1)
    assert "name, pin" in ran.out
    assert f"isthmus conflicts list --target {shown_target(database)} --json -" in ran.err.replace("'", "")
    report = json.loads(isthmus("conflicts", "list", "-t", database, "--json", "-").out)
    (one,) = report["conflicts"]
    assert one["differing"]["name"] == {"target": "first", "source": "second"}
    assert one["document"]["name"] == "second"
    assert "secret" not in json.dumps(report) + ran.all
    shown = json.loads(isthmus("conflicts", "list", "-t", database, "--json", "-", "--show-sensitive").out)
    assert shown["conflicts"][0]["document"]["pin"] == "2-secret"
    assert json.loads(isthmus("conflicts", "list", "-t", database, "--table", "no", "--json", "-").out)["total"] == 0
    known = json.loads(isthmus("ids", "lookup", str(oid(2)), "-t", database, "--json", "-").out)
    assert (one["row_id"], "merged") in {(found["id"], found["origin"]) for found in known}


NUMBERED = """
isthmus: 1
collections:
  people:
    on_duplicate: merge
    fields: {mail: {type: text!, unique: true}}
"""


def looked_up(isthmus: RunCommand, database: str, text: str) -> dict[str, tuple[str, list[str], str]]:
    """Return what is known of an id: source id → (id, tables, origin)."""
    ran = isthmus("ids", "lookup", text, "-t", database, "--json", "-")
    assert ran.code == 0, ran.all
    found = json.loads(ran.out)
    known = {one["source_id"]: (one["id"], one["tables"], one["origin"]) for one in found}
    assert len(known) == len(found), "an entry each, and none of an id that no row has"
    return known


def test_joined_documents_are_exported_and_looked_up_both_ways(
    isthmus: RunCommand, write_mapping: Callable[[str], Path], make_dump: MakeDump, database: str
) -> None:
    people: list[dict[str, object]] = [
        {"_id": oid(1), "mail": "a"},
        {"_id": oid(2), "mail": "a"},
        {"_id": oid(3), "mail": "a"},
        {"_id": 5, "mail": "b"},
        {"_id": Int64(7), "mail": "b"},
    ]
    ran = isthmus("copy", write_mapping(NUMBERED), "-s", make_dump({"people": people}), "-t", database)
    assert ran.code == 0, ran.all
    with psycopg.connect(database) as connection:
        rows = {str(mail): str(own) for mail, own in connection.execute("SELECT mail, id FROM people").fetchall()}
    five, seven = '{"$numberInt":"5"}', '{"$numberLong":"7"}'
    ran = isthmus("ids", "export", "-t", database)
    exported = [tuple(row.values()) for row in csv.DictReader(io.StringIO(ran.out))]
    assert sorted(exported) == sorted(
        [
            ("people", str(oid(1)), rows["a"], "derived"),
            ("people", str(oid(2)), rows["a"], "merged"),
            ("people", str(oid(3)), rows["a"], "merged"),
            ("people", five, rows["b"], "document"),
            ("people", seven, rows["b"], "merged"),
        ]
    )
    assert "5 ids written" in ran.err
    all_of_a = {
        str(oid(1)): (rows["a"], ["people"], "derived"),
        str(oid(2)): (rows["a"], ["people"], "merged"),
        str(oid(3)): (rows["a"], ["people"], "merged"),
    }
    assert looked_up(isthmus, database, rows["a"]) == all_of_a
    of_seven = {seven: (rows["b"], ["people"], "merged")}
    assert looked_up(isthmus, database, rows["b"]) == {five: (rows["b"], ["people"], "document"), **of_seven}
    assert looked_up(isthmus, database, str(oid(2))) == {str(oid(2)): all_of_a[str(oid(2))]}
    assert looked_up(isthmus, database, "7") == of_seven
    with psycopg.connect(database) as connection:
        would_be = dict(
            connection.execute("SELECT derived_id, id FROM isthmus.id_map WHERE origin = 'merged'").fetchall()
        )
    for own, row in would_be.items():
        assert {found[0] for found in looked_up(isthmus, database, own).values()} == {row}
