"""Which texts become an enum: short words of a fixed list, never free text."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.survey.propose.proposals import line_of, proposed


def rule(folder: Path, field: str, values: list[str]) -> str:
    text, _ = proposed(folder, {"tasks": [{"_id": n, field: value} for n, value in enumerate(values)]})
    return line_of(text, f"{field}:")


def test_few_words_become_an_enum_in_the_order_of_their_number(tmp_path: Path) -> None:
    text, mapping = proposed(
        tmp_path, {"tasks": [{"_id": n, "status": "DONE" if n % 3 else "OPEN"} for n in range(60)]}
    )
    assert mapping.enums == {"tasks_status": ("DONE", "OPEN")}
    assert line_of(text, "status:") == "status: {type: tasks_status!, index: true}"


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("code", ["A", "B"] * 24),  # too few texts
        ("code", [chr(65 + n % 13) for n in range(390)]),  # too many words
        ("code", ["A"] * 80),  # one word is no list
        ("code", ["A"] * 79 + ["B"]),  # one of them only once
        ("city", ["Praha", "Kyjev"] * 40),  # names
        ("note", ["to do", "done it"] * 40),  # sentences
        ("status", ["on hold", "done"] * 40),
        ("code", ["10", "20"] * 40),
        ("code", [" A", "B"] * 40),
        ("code", ["", "B"] * 40),
    ],
)
def test_other_texts_stay_text(field: str, values: list[str], tmp_path: Path) -> None:
    assert "text!" in rule(tmp_path, field, values)


def test_booleans_and_numbers_are_no_enums(tmp_path: Path) -> None:
    _, mapping = proposed(tmp_path, {"c": [{"_id": n, "status": n % 2 == 0, "type": n % 3} for n in range(90)]})
    assert mapping.enums == {}


def test_enum_never_takes_the_name_of_a_table_or_type(tmp_path: Path) -> None:
    states = [{"_id": n, "status": "ON" if n % 2 else "OFF"} for n in range(60)]
    _, mapping = proposed(tmp_path, {"tasks": states, "tasks_status": [{"_id": 1}]})
    assert set(mapping.enums) == {"tasks_status_2"}
