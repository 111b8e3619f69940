"""What a run says of a source or a mapping that is not its own."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from isthmus.state.runs import Run

DUMP: dict[str, Any] = {"kind": "dump", "database": "shop", "collections": ["empty", "events", "users"]}
TEXT = """\
isthmus: 1
# people
collections:
  Users:
    fields: {name: text}
"""
RUN = Run(
    1, "", TEXT, DUMP, "dump", "public", {}, datetime(2026, 1, 1, tzinfo=UTC), "complete", None, None, "host", "1"
)


@pytest.mark.parametrize(
    ("identity", "told"),
    [
        (DUMP, None),
        ({**DUMP, "database": "other"}, "its database was shop, now other"),
        (
            {**DUMP, "collections": ["a", "b", "events", "users", "z"]},
            (
                "it has the collections a, b and z, which the run did not know; it lacks the collection empty, which"
                " the run had"
            ),
        ),
        ({"kind": "live", "database": "shop"}, "its kind was a dump, now a running server"),
        (
            {"kind": "json", "collections": DUMP["collections"]},
            "its database was shop, now none; its kind was a dump, now exported JSON",
        ),
        ({**DUMP, "collections": ["users", "events", "empty"]}, "it lists its collections in another way"),
    ],
)
def test_other_source_is_told_in_words(identity: dict[str, Any], told: str | None) -> None:
    assert RUN.differs_from(identity) == told


def test_of_many_collections_some_are_named() -> None:
    told = RUN.differs_from({**DUMP, "collections": [*DUMP["collections"], *(f"c{n}" for n in range(40))]})
    assert told is not None
    assert told.startswith("it has the collections c0, c1, ")
    assert "c9 and 30 more" in told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (TEXT.replace("text", "integer"), "line 5: it was `fields: {name: text}`, now `fields: {name: integer}`."),
        ("# a word\n\n" + TEXT.replace("text", "integer"), "line 7: it was `fields: {name: text}`,"),
        (TEXT + "    ids: keep\n", "line 6: nothing was there, now `ids: keep`."),
        (TEXT.replace("    fields: {name: text}\n", ""), "behind its end: line 5 was `fields: {name: text}`."),
        ("# only a word\n" + TEXT, "Its text is the same; this version of Isthmus reads it differently."),
    ],
)
def test_first_line_that_differs_is_told_and_comments_are_passed_over(text: str, told: str) -> None:
    assert told in replace(RUN).differs_in_mapping(text)
