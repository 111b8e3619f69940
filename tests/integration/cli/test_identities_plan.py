"""`isthmus identities plan` that comes to nothing: its JSON says so, and is not that of an earlier plan."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from tests.fix_dumps import MakeDump
from tests.integration.cli.conftest import RunCommand
from tests.integration.copy.carrying import oid

MAPPING = """
isthmus: 1
identities:
  "o'ne": {keys: {m: [trim]}, members: {a b: {keys: {m: m}}, c: {keys: {m: m}}}}
collections:
  a b: {table: t, fields: {m: text}}
  c: {table: t, fields: {m: text}}
"""


def test_plan_that_is_refused_leaves_no_earlier_result(
    isthmus: RunCommand, write_mapping: Callable[[str], Path], make_dump: MakeDump, database: str, tmp_path: Path
) -> None:
    dump, mapping = (
        make_dump({name: [{"_id": oid(1 + len(name)), "m": "x"}] for name in ("a b", "c")}),
        write_mapping(MAPPING),
    )
    found = tmp_path / "plan.json"
    words = ("identities", "plan", mapping, "-s", dump, "-t", database, "--json", found)
    ran = isthmus(*words)
    assert ran.code == 0, ran.all
    assert json.loads(found.read_text())["identities"]["o'ne"]["things"] == 1
    answers = tmp_path / "answers.yaml"
    answers.write_text("isthmus: 1\nidentities: {nobody: []}\n")
    ran = isthmus(*words, "--resolutions", answers)
    assert ran.code == 2, ran.all
    told = json.loads(found.read_text())
    assert (told["outcome"], told["exit_code"]) == ("failed", 2)
    assert "identities" not in told
