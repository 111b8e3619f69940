"""Bad mappings: each gets a problem with the right code, line and suggestion, and never a traceback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.errors import MappingError, Problem
from isthmus.mapping import load_mapping, parse_mapping

BROKEN = Path(__file__).parent / "broken_mappings.txt"


def cases() -> Iterator[Any]:
    """Text, code, line and a part of the message or hint of each broken mapping in the file."""
    for number, block in enumerate(BROKEN.read_text(encoding="utf-8").split("\n=== ")[1:], start=1):
        head, _, text = block.partition("\n")
        code, line, part = (word.strip() for word in head.split("|"))
        yield pytest.param(text, code, int(line), part, id=f"{number}-{code}")


def problems_of(text: str | bytes) -> tuple[Problem, ...]:
    """The problems of a text that must be refused."""
    with pytest.raises(MappingError) as caught:
        parse_mapping(text, file_name="m.yaml")
    assert caught.value.problems
    return caught.value.problems


@pytest.mark.parametrize(("text", "code", "line", "part"), list(cases()))
def test_broken_mapping_is_refused_with_code_line_and_suggestion(text: str, code: str, line: int, part: str) -> None:
    problems = problems_of(f"isthmus: 1\n{text}\n")
    found = [p for p in problems if p.code == code and p.where.line == line]
    assert found, [str(p) for p in problems]
    assert any(part in str(p) for p in found), [str(p) for p in problems]
    assert len(problems) <= 2, [str(p) for p in problems]
    for problem in problems:
        assert problem.where.file == "m.yaml"
        assert problem.message.endswith("."), problem.message
        assert problem.hint is None or problem.hint.endswith((".", "?", "}", "]")), problem.hint


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty-file"),
        ("# nothing\n", "empty-file"),
        ("---\n", "empty-file"),
        ("- a\n", "wrong-root"),
        ("just text\n", "wrong-root"),
        ("collections: {A: {}}\n", "no-version"),
        ("isthmus: 2\ncollections: {A: {}}\n", "unknown-version"),
        ("isthmus: '1'\ncollections: {A: {}}\n", "unknown-version"),
        ("isthmus: true\n", "unknown-version"),
        ("isthmus: [1]\n", "unknown-version"),
        ("isthmus: 1\n", "missing-key"),
        (b"isthmus: 1\ncollections: {\xff: {}}\n", "not-utf8"),
        ("isthmus: 1\n".encode("utf-16"), "not-utf8"),
        ("[" * 5000, "yaml-depth"),
        ("isthmus: 1\x07\n", "yaml-syntax"),
        ("{isthmus: 1", "yaml-syntax"),
        ("isthmus: 1\n" + "a: " * 2, "yaml-syntax"),
    ],
)
def test_file_that_is_no_mapping_is_refused(text: str | bytes, code: str) -> None:
    assert [problem.code for problem in problems_of(text)] == [code]


def test_line_of_a_byte_that_is_not_utf8_is_named() -> None:
    assert problems_of(b"isthmus: 1\n# \xe1\x45\xcc\n")[0].where.line == 2


def test_alias_bomb_is_refused_quickly() -> None:
    bomb = "isthmus: 1\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12))
    assert [problem.code for problem in problems_of(bomb)] == ["alias-bomb"]


def test_all_problems_are_reported_at_once_in_the_order_of_the_file() -> None:
    text = """\
isthmus: 1
idz: uuid
collections:
  Tasks:
    fields:
      title: txt
      user: {references: Userz}
      done: {type: boolean, default: maybe}
    indexes: [[titel]]
  Users: {tabel: x}
"""
    problems = problems_of(text)
    assert [(p.code, p.where.line) for p in problems] == [
        ("unknown-key", 2),
        ("unknown-type", 6),
        ("unknown-collection", 7),
        ("bad-default", 8),
        ("unknown-key", 10),
    ]


def test_places_name_the_path_inside_the_mapping() -> None:
    problems = problems_of("isthmus: 1\ncollections:\n  A:\n    fields:\n      a.b: {type: txt}\n")
    assert problems[0].where.path == 'collections.A.fields."a.b".type'


def test_missing_file_and_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(MappingError) as caught:
            load_mapping(path)
        assert caught.value.exit_code == 2
        assert str(path) in str(caught.value)


def test_too_many_columns_are_refused() -> None:
    fields = "".join(f"      f{n}: text\n" for n in range(1600))
    assert [p.code for p in problems_of(f"isthmus: 1\ncollections:\n  A:\n    fields:\n{fields}")] == [
        "too-many-columns"
    ]


def test_sensitive_id_of_an_array_element_is_an_ordinary_field() -> None:
    child = "{child: c, fields: {_id: {type: text, sensitive: true}, copy: {path: other, type: text}}}"
    assert parse_mapping(f"isthmus: 1\ncollections: {{A: {{fields: {{c: {child}}}}}}}\n", file_name="m.yaml")


def test_derived_child_key_beyond_63_bytes_is_refused() -> None:
    name = "t" * 61
    text = (
        f"isthmus: 1\ncollections:\n  A:\n    table: {name}\n    fields:\n      c: {{child: c, fields: {{x: text}}}}\n"
    )
    assert [p.code for p in problems_of(text)] == ["bad-name"]


WORDS = [
    "isthmus",
    "collections",
    "A",
    "fields",
    "junction",
    "child",
    "references",
    "null",
    "~",
    "1",
    "text",
    "[]",
    "*",
]


@settings(max_examples=200, deadline=None)
@given(
    st.recursive(
        st.sampled_from(WORDS),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3).map(lambda items: "[" + ", ".join(items) + "]"),
            st.lists(
                st.tuples(st.sampled_from([*WORDS[:7], "table", "type", "default", "indexes", "skip"]), inner),
                max_size=4,
            ).map(lambda pairs: "{" + ", ".join(f"{key}: {value}" for key, value in pairs) + "}"),
        ),
        max_leaves=12,
    )
)
def test_any_shape_ends_in_a_mapping_or_in_problems(value: str) -> None:
    """Never another exception; what the shapes mean is not looked at here."""
    for text in (
        value,
        f"isthmus: 1\ncollections: {value}",
        f"isthmus: 1\ncollections: {{A: {value}}}",
        f"isthmus: 1\ncollections: {{A: {{fields: {{a: {value}}}}}}}",
        f"isthmus: 1\njunctions: {value}",
    ):
        with suppress(MappingError):
            parse_mapping(text)


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.text(max_size=60), st.binary(max_size=60)))
def test_any_text_ends_in_a_mapping_or_in_problems(text: str | bytes) -> None:
    with pytest.raises(MappingError):
        parse_mapping(text)
