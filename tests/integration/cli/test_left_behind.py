"""Collections that a mapping leaves behind as a whole: how many documents they have is told."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

from tests.fix_dumps import MakeDump
from tests.integration.cli.conftest import RunCommand
from tests.integration.copy.carrying import oid

MAPPING = """
isthmus: 1
collections:
  a: {fields: {n: integer}}
  a b: {skip: "nobody looks at it"}
  none: {skip: "empty"}
  "*": {skip: "not named"}
"""


def test_documents_that_are_left_behind_are_counted(
    isthmus: RunCommand, write_mapping: Callable[[str], Path], make_dump: MakeDump, database: str
) -> None:
    left = [{"_id": oid(n), "text": "x" * (n * 3_000)} for n in range(7)]
    dump = make_dump({"a": [{"_id": oid(1), "n": 1}], "a b": left, "none": [], "ü": left[:2], "broken": left[:3]})
    packed = dump / "broken.bson"
    (dump / "broken.bson.gz").write_bytes(gzip.compress(packed.read_bytes())[:-40])
    packed.unlink()
    ran = isthmus("copy", write_mapping(MAPPING), "-s", dump, "-t", database, "--json", "copy.json")
    assert ran.code == 0, ran.all
    told = [
        " ".join(line.split())
        for line in ran.out.splitlines()
        if line.endswith(("nobody looks at it", "named", "empty"))
    ]
    assert told == [
        "7 a b: nobody looks at it",
        "not counted broken: not named",
        "0 none: empty",
        "2 ü: not named",
    ]
    assert "Collections left behind, with at least 9 documents, because" in ran.out
    report = json.loads((dump.parents[1] / "work" / "copy.json").read_text())
    assert report["skipped_documents"] == {"a b": 7, "broken": None, "none": 0, "ü": 2}
    assert report["skipped_collections"]["a b"] == "nobody looks at it"
