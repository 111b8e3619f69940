"""`isthmus conflicts list`, and what other commands say of documents that were joined.

Oracle: the documents planted; a word planted in a sensitive field, searched in everything that is printed or written.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

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
