"""Commands over targets whose tables several collections fill, or that keep no ids.

Oracle: the documents planted; a word planted in sensitive fields, searched in everything that is printed or written.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fix_dumps import MakeDump
from tests.integration.cli.conftest import RunCommand
from tests.integration.copy.carrying import oid

WriteMapping = Callable[[str], Path]

MAPPING = """
isthmus: 1
collections:
  Pets: {from: {Cats: {kind: cat}, Dogs: {kind: dog}}, constants: {kind: text!}, fields: {name: text}}
  Bills: {key: [year, number], fields: {year: integer!, number: integer!}}
  Logs: {key: none, fields: {line: text}}
"""
DUMP = {
    "Cats": [{"_id": oid(1), "name": "a"}, {"_id": 7, "name": "b"}],
    "Dogs": [{"_id": oid(2), "name": "c"}, {"_id": 7, "name": "d"}],
    "Bills": [{"_id": oid(30), "year": 2020, "number": 1}],
    "Logs": [{"_id": oid(40), "line": "x"}],
}


@pytest.fixture
def copied(isthmus: RunCommand, write_mapping: WriteMapping, make_dump: MakeDump, database: str) -> str:
    ran = isthmus("copy", write_mapping(MAPPING), "-s", make_dump(DUMP), "-t", database)
    assert ran.code == 0, ran.all
    return database


def test_lookup_names_the_tables_that_keep_no_ids(isthmus: RunCommand, copied: str) -> None:
    ran = isthmus("ids", "lookup", str(oid(30)), "-t", copied)
    assert "Whether bills holds it cannot be told: the table has no column of ids; its key is year, number." in ran.out
    assert "Whether logs holds it cannot be told: the table has no column of ids; it has no key." in ran.out
    assert ran.code == 1
    (known,) = json.loads(isthmus("ids", "lookup", str(oid(30)), "-c", "Bills", "-t", copied, "--json", "-").out)
    assert known["source_id"] == str(oid(30))
    assert known["tables_without_ids"] == {"bills": ["year", "number"]}
    (back,) = json.loads(isthmus("ids", "lookup", known["id"], "-c", "Bills", "-t", copied, "--json", "-").out)
    assert (back["source_id"], back["tables"]) == (str(oid(30)), [])
    assert "cannot be told" not in isthmus("ids", "lookup", str(oid(1)), "-c", "Cats", "-t", copied).out


def test_lookup_finds_rows_of_a_table_that_several_collections_fill(isthmus: RunCommand, copied: str) -> None:
    known = json.loads(isthmus("ids", "lookup", "7", "-t", copied, "--json", "-").out)
    assert [(one["collection"], one["tables"], one["origin"]) for one in known] == [
        ("Cats", ["pets"], "document"),
        ("Dogs", ["pets"], "document"),
    ]
    (known,) = json.loads(isthmus("ids", "lookup", str(oid(2)), "-c", "Dogs", "-t", copied, "--json", "-").out)
    assert (known["collection"], known["tables"]) == ("Dogs", ["pets"])
    (known,) = json.loads(isthmus("ids", "lookup", str(oid(2)), "-t", copied, "--json", "-").out)
    assert (known["collection"], known["tables"]) == (None, ["pets"]), "nobody can tell which of the two"


def test_export_has_the_ids_of_tables_that_keep_them(isthmus: RunCommand, copied: str) -> None:
    ran = isthmus("ids", "export", "-t", copied)
    rows = sorted((row["collection"], row["source_id"]) for row in csv.DictReader(io.StringIO(ran.out)))
    seven = '{"$numberInt":"7"}'
    assert rows == [("", str(oid(1))), ("", str(oid(2))), ("Cats", seven), ("Dogs", seven)]
    assert "bills has no column of ids, so nothing of it is written." in ran.err
    assert "logs has no column of ids, so nothing of it is written." in ran.err
    assert "4 ids written" in ran.err


def test_status_and_repeated_copy_need_no_hidden_columns(
    isthmus: RunCommand, copied: str, write_mapping: WriteMapping, make_dump: MakeDump
) -> None:
    told = json.loads(isthmus("status", "-t", copied, "--json", "-").out)
    assert told["collections"]["Dogs"]["tables"] == {"pets": 2}
    assert told["balanced"]
    dump = make_dump({**DUMP, "Bills": [*DUMP["Bills"], {"_id": oid(31), "year": 2021, "number": 1}]})
    ran = isthmus("copy", write_mapping(MAPPING), "-s", dump, "-t", copied, "--json", "-")
    assert ran.code in {1, 3}, ran.all


def test_check_counts_tables_and_names_the_collections_that_feed_them(
    isthmus: RunCommand, write_mapping: WriteMapping, make_dump: MakeDump
) -> None:
    mapping = write_mapping(MAPPING)
    ran = isthmus("check", mapping, "-s", make_dump(DUMP), "--json", "-")
    report = json.loads(ran.out)
    assert ran.code == 0, ran.all
    assert {name: one["tables"] for name, one in report["collections"].items()} == {
        "Cats": ["pets"],
        "Dogs": ["pets"],
        "Bills": ["bills"],
        "Logs": ["logs"],
    }
    ran = isthmus("check", write_mapping(MAPPING.replace("Dogs", "Wolves")), "-s", make_dump(DUMP))
    assert ran.code == 3
    assert "The mapping names the collection Wolves" in ran.all
    assert "holds the collection Dogs, which the mapping does not name" in ran.all


WORD = "zqvogel"

SENSITIVE = """
isthmus: 1
collections:
  Kept:
    from: Users
    when: {kind: a}
    fields:
      kind: {drop: known}
      code: {type: text!, unique: true}
      name: {first_of: [nick, real.name], type: varchar(3), sensitive: true}
      last: {path: past, element: -1, of: secret, others: not needed, type: integer, sensitive: true}
      owner: {route: {Kept: kept_id, Others: others_id}, sensitive: true, on_orphan: dead_letter}
  Others:
    from: Users
    fields: {kind: {drop: known}, mail: {type: varchar(3), sensitive: true}}
"""


def test_sensitive_fields_of_every_entry_of_a_collection_are_hidden(
    isthmus: RunCommand, write_mapping: WriteMapping, make_dump: MakeDump, database: str
) -> None:
    documents = [
        {"_id": oid(1), "kind": "a", "code": "1", "nick": f"{WORD} nick"},
        {"_id": oid(2), "kind": "a", "code": "2", "real": {"name": f"{WORD} name"}},
        {"_id": oid(3), "kind": "a", "code": "3", "past": [{"secret": 1}, {"secret": f"{WORD} past"}]},
        {"_id": oid(4), "kind": "a", "code": "4", "owner": f"{WORD} owner"},
        {"_id": oid(6), "kind": "a", "code": "6", "nick": f"{WORD} both", "real": {"name": f"{WORD} other"}},
        {"_id": oid(7), "kind": "b", "mail": f"{WORD} mail"},
        # fields of the other entry: a document may have come to this one by mistake
        {"_id": oid(8), "kind": "b", "mail": f"{WORD} m", "nick": f"{WORD} n", "past": [{"secret": f"{WORD} p"}]},
    ]
    ran = isthmus(
        "copy", write_mapping(SENSITIVE), "-s", make_dump({"Users": documents}), "-t", database, "--json", "-"
    )
    assert ran.code == 1, ran.all
    letters = isthmus("letters", "export", "-t", database, "--show-sensitive").out
    for document in documents:
        assert all(text in letters for text in [str(document["_id"])]), document
    assert letters.count(WORD) > len(documents)
    out = ran.all
    numbers = [json.loads(line)["id"] for line in letters.splitlines()]
    assert len(numbers) == len(documents)
    for command in (["letters", "list"], ["letters", "export"], ["orphans", "list"], ["status"], ["ids", "export"]):
        out += isthmus(*command, "-t", database).all
    for one in numbers:
        out += isthmus("letters", "show", one, "-t", database, "--json", "-").all
    out += isthmus("orphans", "list", "-t", database, "--json", "-").out
    assert WORD not in out
