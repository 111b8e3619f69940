"""No value of a field that looks secret is in a survey, whatever shape it has; what it is like remains."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from bson import Decimal128, Int64

from isthmus.survey.conceal import conceal
from isthmus.survey.report.html import page
from isthmus.survey.report.terminal import summary
from isthmus.survey.sensitive_names import is_sensitive
from tests.unit.survey.surveys import survey_of
from tests.unit.survey.test_report import printed

SECRET = [
    {
        "_id": n,
        "password": f"hunter{n % 2}",
        "pin": 73019 + n,
        "apiKey": ["sk-aaa-live", "sk-bbb-live"][: 1 + n % 2],
        "card": {
            "number": Int64(4111111111111111 + n),
            "limit": Decimal128("98765.43"),
            "opened": datetime(2019, 3, 14, tzinfo=UTC),
        },
        "secretRatio": 0.123456 + n,
        "tokens": {f"lynx{k}-{n % 3}-a.b": {"at": "zebra"} for k in range(20)},
        "plain": ["red", "green"][n % 2],
    }
    for n in range(30)
]
VALUES = [
    "hunter",
    "73019",
    "73048",
    "sk-aaa",
    "sk-bbb",
    "411111111111",
    "98765",
    "1552",
    "2019-03-14",
    "123456",
    "zebra",
    "lynx",
]


def test_no_output_holds_a_secret_value(tmp_path: Path) -> None:
    survey = survey_of(tmp_path, {"users": SECRET})
    outputs = {
        "json": json.dumps(survey.as_json()),
        "page": page(survey),
        "terminal": printed(summary(survey), 140),
    }
    for name, text in outputs.items():
        found = [value for value in VALUES if value in text]
        assert not found, f"{name} holds {found}"
        assert "green" in text, "values that are not secret are there"


def test_what_remains_of_a_secret_field_says_how_its_values_are_made(tmp_path: Path) -> None:
    root = survey_of(tmp_path, {"users": SECRET}).collections["users"].profile.root
    password, pin, number = root.fields["password"], root.fields["pin"], root.fields["card"].fields["number"]
    assert password.texts is not None
    assert (password.texts.length, password.distinct, password.values, password.sketch) == ((7, 7), 2, None, ())
    assert pin.integers is not None
    assert pin.integers.range == (-(2**31), 2**31 - 1)
    assert number.integers is not None
    assert number.integers.range == (-(2**63), 2**63 - 1)
    dates = root.fields["card"].fields["opened"].dates
    assert dates is not None
    low, high = dates.range
    opened = 1_552_521_600_000
    assert low < opened < high, "widened, so that neither end is the value"


def test_examples_of_orphans_of_a_secret_field_are_hidden(tmp_path: Path) -> None:
    keys = [{"_id": n, "token": f"t-{n:04}"} for n in range(60)]
    uses = [{"_id": n, "sessionToken": f"t-{n:04}"} for n in range(57)] + [{"_id": 99, "sessionToken": "t-lost"}]
    survey = survey_of(
        tmp_path,
        {"keys": keys, "uses": uses},
        indexes={"keys": [{"v": 2, "key": {"token": 1}, "name": "token_1", "unique": True}]},
    )
    found = [one for one in survey.references if one.path == ("sessionToken",)]
    assert [(one.orphans, one.examples) for one in found] == [(1, ())]


def test_concealing_twice_changes_nothing(tmp_path: Path) -> None:
    survey = survey_of(tmp_path, {"users": SECRET})
    assert conceal(survey) == survey


def test_paths_of_odd_keys_inside_of_a_secret_end_at_it(tmp_path: Path) -> None:
    survey = survey_of(tmp_path, {"users": [{"_id": 1, "tokens": {"a.tiger": 1}, "note": {"a.b": 1}}]})
    paths = {path for path, _ in survey.collections["users"].profile.odd_keys["dot"]}
    assert paths == {"tokens.(hidden)", r"note.a\.b"}
    assert is_sensitive(("tokens",))


def test_conditions_of_indexes_and_validators_hold_no_secret(tmp_path: Path) -> None:
    index = {
        "v": 2,
        "key": {"plain": 1},
        "name": "i",
        "partialFilterExpression": {"$and": [{"password": {"$gt": "hunter0"}}, {"plain": "red"}]},
    }
    validator = {"apiKey": {"$in": ["sk-aaa-live"]}, "plain": {"$ne": "blue"}}
    survey = survey_of(
        tmp_path, {"users": SECRET}, indexes={"users": [index]}, options={"users": {"validator": validator}}
    )
    text = json.dumps(survey.as_json())
    assert [value for value in VALUES if value in text] == []
    assert '"plain": "red"' in text
    assert '{"$ne": "blue"}' in text
    assert '{"$gt": "(hidden)"}' in text
