"""Mappings that are asked for again by their text: read once, and told apart by every byte."""

from __future__ import annotations

import pytest

from isthmus.errors import MappingError
from isthmus.mapping import file, parse_mapping


def text_of(column: str) -> str:
    return f"isthmus: 1\ncollections: {{A: {{fields: {{a: {{column: {column}, type: text}}}}}}}}\n"


def test_the_same_text_is_read_once_however_it_is_given() -> None:
    first = parse_mapping(text_of("kept"), file_name="one.yaml")
    assert parse_mapping(text_of("kept"), file_name="the run's mapping") is first
    assert parse_mapping(text_of("kept").encode()) is first
    other = parse_mapping(text_of("kept") + "\n")
    assert (other is first, other == first) == (False, True)


def test_a_few_are_kept_together() -> None:
    file._kept.clear()  # pyright: ignore[reportPrivateUsage]
    names = [f"few{number}" for number in range(file._MOST_KEPT)]  # pyright: ignore[reportPrivateUsage]
    read = [parse_mapping(text_of(name)) for name in names]
    assert all(parse_mapping(text_of(name)) is one for name, one in zip(names, read, strict=True))


def test_not_many_are_kept_and_none_is_taken_for_another() -> None:
    names = [f"c{number}" for number in range(30)]
    read = [parse_mapping(text_of(name)) for name in names]
    assert [one.collections["A"].fields[-1].column for one in read] == names  # pyright: ignore[reportAttributeAccessIssue]
    again = [parse_mapping(text_of(name)) for name in names]
    assert again == read
    assert sum(one is before for one, before in zip(again, read, strict=True)) < 10


def test_every_refusal_names_the_file_it_is_about() -> None:
    wrong = text_of("kept").replace("text", "txet")
    for name in ("one.yaml", "two.yaml"):
        with pytest.raises(MappingError) as refused:
            parse_mapping(wrong, file_name=name)
        assert {problem.where.file for problem in refused.value.problems} == {name}
