"""Every surveyed value fits the column that is proposed for it, or the field is JSON."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from bson import Binary, Code, Decimal128, Int64, ObjectId, Regex, Timestamp
from bson.datetime_ms import DatetimeMS

from isthmus.survey.propose import propose, write_mapping
from tests.unit.survey.propose.proposals import line_of, notes_above, proposed
from tests.unit.survey.surveys import survey_of

UUID = Binary(b"\1" * 16, 4)
LISTED = "isthmus.adjustment lists the originals"
DAY = datetime(2024, 1, 1, tzinfo=UTC)


def rule(folder: Path, values: list[Any], field: str = "f") -> tuple[str, list[str]]:
    text, _ = proposed(folder, {"c": [{"_id": n, field: value} for n, value in enumerate(values)]})
    return line_of(text, f"{field}:").removeprefix(f"{field}: "), notes_above(text, f"{field}:")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["a", "b"], "text!"),
        ([1, 2], "integer!"),
        ([1, Int64(2)], "bigint!"),
        ([Int64(2**40)], "bigint!"),
        ([1, 2.0], "bigint!"),
        ([1.5, 2], "double!"),
        ([1.5, Int64(2**53 + 2)], "numeric!"),
        ([Decimal128("1.10"), 2], "numeric!"),
        ([Decimal128("NaN")], "numeric!"),
        ([float("nan"), 1.5], "double!"),
        ([True, False], "boolean!"),
        ([DAY], "timestamptz!"),
        ([UUID], "uuid!"),
        ([Binary(b"ab", 0)], "bytea!"),
        ([Binary(b"ab", 5)], "jsonb!"),
        ([Binary(b"\1" * 16, 3)], "jsonb!"),
        ([Binary(b"abc", 4)], "jsonb!"),
        ([ObjectId(), ObjectId()], "text!"),
        ([ObjectId(), "x"], "text!"),
        (["a", 1], "jsonb!"),
        ([True, "yes"], "jsonb!"),
        ([DAY, "2024-01-01"], "jsonb!"),
        ([Regex("^a"), Regex("b")], "jsonb!"),
        ([Timestamp(1, 1)], "jsonb!"),
        ([Code("f()")], "jsonb!"),
        ([["a"], ["b", None]], "text[]!"),
        ([[1], []], "integer[]!"),
        ([["a", 1]], "jsonb!"),
        ([[["a"]]], "jsonb!"),
        ([[], []], "jsonb!"),
        ([["a"], "a"], "jsonb!"),
        ([None, None], "jsonb"),
        (["a", None], "text"),
        ([{"a": 1}, "a"], "jsonb!"),
    ],
)
def test_type_takes_every_value(values: list[Any], expected: str, tmp_path: Path) -> None:
    assert rule(tmp_path, values)[0] == expected


def test_field_that_is_missing_somewhere_is_not_required(tmp_path: Path) -> None:
    text, _ = proposed(tmp_path, {"c": [{"_id": 1, "f": "a"}, {"_id": 2}]})
    assert line_of(text, "f:") == "f: text"


def test_nothing_is_required_of_a_sample(tmp_path: Path) -> None:
    survey = survey_of(tmp_path, {"c": [{"_id": n, "f": "a"} for n in range(60)]})
    sampled = replace(survey, sample=60, collections={"c": replace(survey.collections["c"], sampled=True)})
    text = write_mapping(propose(sampled))
    assert line_of(text, "f:") == "f: text"
    assert any("sample" in note for note in notes_above(text, "c:"))


def test_few_dates_out_of_range_become_infinity_and_many_stay_json(tmp_path: Path) -> None:
    far: Any = DatetimeMS(2**62)
    shown, notes = rule(tmp_path / "few", [DAY] * 99 + [far])
    assert shown == "{type: timestamptz!, policies: {range: infinity}}"
    assert "# check: 1 of 100 (1 %) dates lie beyond" in notes[0]
    assert rule(tmp_path / "many", [DAY, far])[0] == "jsonb!"


def test_text_with_nul_is_said_to_lose_it(tmp_path: Path) -> None:
    text, mapping = proposed(tmp_path, {"c": [{"_id": 1, "f": "a\0b"}, {"_id": 2, "f": "c"}]})
    assert mapping.policies.nul == "remove"
    assert any("1 of 2 (50 %) texts hold NUL" in note for note in notes_above(text, "f:"))


def test_text_that_looks_like_something_else_stays_text_with_a_note(tmp_path: Path) -> None:
    shown, notes = rule(tmp_path, ["2024-01-01", "2024-01-02"])
    assert (shown, "timestamptz with coerce" in notes[0]) == ("text!", True)


def test_sensitive_field_is_called_so_and_nothing_of_its_values_is_told(tmp_path: Path) -> None:
    text, _ = proposed(tmp_path, {"c": [{"_id": n, "apiKey": f"20240{n}"} for n in range(100, 200)]})
    assert line_of(text, "apiKey:") == "apiKey: {type: text!, sensitive: true}"
    assert notes_above(text, "apiKey:") == []


def test_json_that_holds_a_secret_is_sensitive_as_a_whole(tmp_path: Path) -> None:
    text, _ = proposed(tmp_path, {"c": [{"_id": 1, "f": [{"token": "x"}, 5]}]})
    assert line_of(text, "f:") == "f: {type: jsonb!, sensitive: true}"


def test_numbers_with_leading_zeros_are_not_told_to_become_numbers(tmp_path: Path) -> None:
    shown, notes = rule(tmp_path / "zeros", ["01234", "56789"])
    assert (shown, notes) == ("text!", ["# numbers, 1 of them with leading zeros, which only a text keeps"])
    shown, notes = rule(tmp_path / "plain", ["1234", "56789"])
    assert notes == ["# check: all 2 values are numbers written as text; numeric with coerce: true takes them"]


@pytest.mark.parametrize(
    ("values", "note"),
    [
        ([{"a": 1}, "a"], "# check: values of several types, which only JSON takes as they are: object 1, string 1"),
        ([["a", 1]], "# check: elements of several types, which only JSON takes as they are: int 1, string 1"),
        ([[{"a": 1}, 5]], "# check: elements of several types, which only JSON takes as they are: int 1, object 1"),
        ([[["a"], 5]], "# check: elements of several types, which only JSON takes as they are: array 1, int 1"),
        ([["a"], "a"], "# check: values of several types, which only JSON takes as they are: array 1, string 1"),
    ],
)
def test_values_of_several_types_are_to_be_looked_at(values: list[Any], note: str, tmp_path: Path) -> None:
    assert rule(tmp_path, values) == ("jsonb!", [note])


def test_what_json_cannot_hold_is_said_of_json_too(tmp_path: Path) -> None:
    _, notes = rule(tmp_path, [["a\0", 1, float("nan")]])
    assert notes[:2] == [
        f"# check: 1 text inside holds NUL, which is removed; {LISTED}",
        f"# check: 1 NaN or infinite numbers inside become null, which is all JSON has; {LISTED}",
    ]
