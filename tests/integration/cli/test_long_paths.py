"""Letters of documents that nest too deeply: why they cannot be read comes first, and a path of 100 steps is cut."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from isthmus.cli.long_paths import short_message, short_path
from tests.fix_dumps import MakeDump
from tests.integration.cli.conftest import RunCommand
from tests.integration.copy.carrying import oid

MAPPING = "isthmus: 1\ncollections:\n  Books: {fields: {name: text!, pages: {path: meta.pages, type: integer!}}}\n"


def deep(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {"end": 1}
    for _ in range(levels):
        value = {"level": value}
    return value


def test_letter_of_a_deep_document_names_that_first_and_cuts_the_path(
    isthmus: RunCommand, make_dump: MakeDump, database: str, tmp_path: Path
) -> None:
    dump = make_dump({"Books": [{"_id": oid(1), "name": "a", "meta": deep(120)}]})
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text(MAPPING)
    isthmus("copy", mapping, "-s", dump, "-t", database)
    listed = isthmus("letters", "list", "-t", database).out
    shown = isthmus("letters", "show", "1", "-t", database, "--json", "letter.json").out
    place = "meta.level.level.level.level.level.….level.level.level"
    assert f"nesting  {place}  (convert)" in listed
    assert shown.index(f"• nesting  {place}") < shown.index("• required  meta.pages")
    for text in (listed, shown):
        assert f"cannot be filled from {place}: The document nests deeper than 100 levels (offset " in text
        assert "level.level.level.level.level.level" not in text
        assert ")..\n" not in text
    kept = json.loads(isthmus("letters", "show", "1", "-t", database, "--json", "-").out)
    assert kept["path"].count("level") > 90, "the JSON has all of it"


def test_short_paths_and_other_messages_stay() -> None:
    assert short_path("a.b.c") == "a.b.c"
    assert short_path("x" * 200) == f"{'x' * 40}.….{'x' * 20}"
    assert short_message("Column a.b cannot take 5 from a.b.", "a.b") == "Column a.b cannot take 5 from a.b."
