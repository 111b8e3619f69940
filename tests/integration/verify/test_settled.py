"""Dead letters of every reason that loading and finish have: true ones are believed, forged ones are not."""

from __future__ import annotations

import json
import random
import string
from collections.abc import Callable
from typing import Any

import pytest
from bson import decode

from isthmus.verify.result import ColumnCheck
from tests.integration.verify.made import Made
from tests.integration.verify.shop import oid
from tests.integration.verify.test_layers import verified

_WIDE = [f"c{number:03}" for number in range(600)]
MAPPING = f"""
isthmus: 1
collections:
  people:
    fields:
      mail: {{type: text, unique: true}}
      at: {{type: timestamptz, unique: true}}
      boss: {{column: boss_id, references: people, required: false, on_orphan: dead_letter}}
      team: {{column: team_id, references: teams.slug, on_orphan: dead_letter}}
      about: {{route: {{people: about_person_id, teams: about_team_id}}, on_orphan: dead_letter}}
      likes: {{junction: person_likes}}
      marks: {{child: marks, fields: {{mark: {{type: text, unique: true}}}}}}
  teams: {{fields: {{slug: {{type: text!, unique: true}}, lead: {{references: people, on_orphan: "null"}}}}}}
  things: {{from: [Old, New], table: things, fields: {{n: integer}}}}
  owners:
    on_duplicate: merge
    fields: {{mail: {{type: text!, unique: true}}, home: {{column: home_id, references: homes, required: true}}}}
  homes:
    fields: {{door: text, owner: {{column: owner_id, references: owners, unique: true, required: true}}}}
  wide: {{fields: {{n: integer, {", ".join(f"{name}: text" for name in _WIDE)}}}}}
junctions:
  person_likes: {{columns: {{person_id: people, team_id: teams}}, on_orphan: dead_letter}}
"""


def _documents() -> dict[str, list[dict[str, Any]]]:
    long = "".join(random.Random(1).choices(string.ascii_letters, k=9_000))
    people: list[dict[str, Any]] = [
        {"_id": oid(1), "mail": "a", "marks": [{"mark": "m"}], "team": "red", "boss": oid(1)},
        {"_id": oid(2), "mail": "a"},
        {"_id": oid(3), "mail": long},
        {"_id": oid(4), "mail": "d", "boss": oid(900)},
        {"_id": oid(5), "mail": "e", "boss": oid(4)},
        {"_id": oid(6), "mail": "f", "team": "none"},
        {"_id": oid(7), "mail": "g", "about": oid(901)},
        {"_id": oid(8), "mail": "h", "likes": [oid(50), oid(902)]},
        {"_id": oid(9), "mail": "i", "marks": [{"mark": "x"}, {"mark": "x"}]},
        {"_id": oid(10), "mail": "j", "marks": [{"mark": "m"}]},
        {"_id": str(oid(1)), "mail": "hex text of the first"},
        # who is kept for a value may leave later
        {"_id": oid(11), "mail": "k", "boss": oid(903)},
        {"_id": oid(12), "mail": "k"},
    ]
    return {
        "people": people,
        "teams": [{"_id": oid(50), "slug": "red", "lead": oid(904)}],
        "Old": [{"_id": oid(1), "n": 1}],
        "New": [{"_id": oid(1), "n": 2}, {"_id": oid(2), "n": 3}],
        "owners": [
            {"_id": oid(1), "mail": "a", "home": oid(20)},
            {"_id": oid(2), "mail": "a", "home": oid(21)},
            {"_id": oid(3), "mail": "c", "home": oid(21)},
        ],
        "homes": [
            {"_id": oid(19), "owner": oid(2)},
            {"_id": oid(20), "owner": oid(1)},
            {"_id": oid(21), "owner": oid(3), "door": "red"},
        ],
        "wide": [
            {"_id": oid(1), "n": 1, "c000": "short"},
            {"_id": oid(2), "n": 2, **dict.fromkeys(_WIDE, long[:2_500])},
        ],
    }


@pytest.fixture
def refused(make_here: Callable[..., Made]) -> Made:
    """A copy in which the server and finish refused documents for every reason they have."""
    made = make_here(MAPPING, _documents())
    codes = made.rows("SELECT DISTINCT stage || ': ' || code FROM isthmus.dead_letter ORDER BY 1")
    assert [code for (code,) in codes] == [
        "finish: duplicate-id",
        "finish: duplicate-key",
        "finish: joined-left",
        "finish: key-too-long",
        "finish: orphan",
        "load: target-refused",
    ]
    return made


def _checks(result: Any) -> list[ColumnCheck]:
    return [one for one in result.layers["samples"].columns if one.column == "(dead letters)"]


def test_true_reasons_are_believed(refused: Made) -> None:
    result = verified(refused)
    assert result.passed, result.differences
    checks = _checks(result)
    assert sum(one.compared + one.left_out for one in checks) == refused.one(
        "SELECT count(*) FROM isthmus.dead_letter WHERE stage <> 'convert'"
    )
    # of a home the key is a reference to who was joined when it was looked at, and left later
    assert {one.table: one.left_out for one in checks if one.left_out} == {"homes": 1}
    assert "may have led elsewhere" in next(one.why for one in checks if one.left_out)


def test_more_letters_than_are_drawn_are_not_looked_at(refused: Made) -> None:
    result = verified(refused, sample=1)
    assert result.passed, result.differences
    assert {one.compared + one.left_out for one in _checks(result)} == {1}


@pytest.mark.parametrize(
    ("code", "column"),
    [
        ("duplicate-id", "people.id"),
        ("duplicate-key", "people.mail"),
        ("duplicate-key", "people.at"),
        ("duplicate-key", "marks.mark"),
        ("duplicate-key", ""),
        ("key-too-long", "people.mail"),
        ("orphan", "people.boss_id"),
        ("orphan", "people.team_id"),
        ("orphan", "people.about_person_id|about_team_id"),
        ("orphan", "person_likes.person_id"),
        ("orphan", "person_likes.team_id"),
        ("orphan", ""),
        ("joined-left", ""),
    ],
)
def test_reason_that_does_not_hold_is_named(refused: Made, code: str, column: str) -> None:
    causes = json.dumps([{"code": code, "column": column}])
    refused.do(f"UPDATE isthmus.dead_letter SET code = '{code}', causes = '{causes}' WHERE collection = 'New'")
    result = verified(refused, ("counts", "samples"))
    # the document of New has no values but its number, and its id is that of a row
    expected = [] if code == "duplicate-id" else [("samples", "New", str(oid(1)), "(dead letters)")]
    assert [(one.layer, one.table, one.id, one.path) for one in result.differences] == expected


def test_document_that_the_server_takes_is_named(refused: Made) -> None:
    refused.do("UPDATE isthmus.dead_letter SET stage = 'load', code = 'target-refused' WHERE collection = 'New'")
    result = verified(refused, ("counts", "samples"))
    (found,) = result.differences
    assert (found.layer, found.table, found.id) == ("samples", "New", str(oid(1)))
    assert found.message.endswith("is a dead letter (target-refused), but PostgreSQL takes its rows.")
    document = refused.one("SELECT document FROM isthmus.dead_letter WHERE collection = 'New'")
    assert decode(bytes(document))["n"] == 2


def test_letter_that_can_be_converted_is_named_wherever_it_stands(refused: Made) -> None:
    refused.do("UPDATE isthmus.dead_letter SET stage = 'convert', code = 'type' WHERE collection = 'New'")
    result = verified(refused, ("counts",))
    (found,) = result.differences
    assert (found.table, found.id, found.path) == ("New", str(oid(1)), "(dead letters)")
    assert "could not be converted, but it can" in found.message
