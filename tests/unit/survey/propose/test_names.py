"""Names: folded, cut and told apart, whatever MongoDB holds."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from isthmus.mapping.names import name_fault
from isthmus.survey.propose.names import free_name, singular
from tests.unit.survey.propose.proposals import proposed


@given(st.lists(st.text(max_size=90), max_size=12))
def test_names_are_good_and_each_there_once(wishes: list[str]) -> None:
    taken: set[str] = set()
    for wish in wishes:
        name = free_name(wish, taken, fallback="field")
        assert name_fault(name) is None
        assert name not in taken
        taken.add(name)


def test_long_names_are_cut_and_stay_apart() -> None:
    first = free_name("x" * 80 + "a", set(), fallback="f")
    second = free_name("x" * 80 + "b", set(), fallback="f")
    assert first != second
    assert len(first.encode()) <= 63


def test_singular_of_tables() -> None:
    words = ["customers", "companies", "boxes", "address", "status", "news", "series", "people"]
    assert [singular(word) for word in words] == [
        "customer", "company", "box", "address", "status", "new", "sery", "people",
    ]  # fmt: skip


def test_columns_that_isthmus_needs_are_left_to_it(tmp_path: Path) -> None:
    document: dict[str, object] = {
        "_id": 1,
        "id": 1,
        "extras": 2,
        "xmin": 3,
        "a": 4,
        "A": 5,
        "": 6,
        "$x": 7,
        "a.b": 8,
        "q" * 70: 9,
    }
    document["_isthmus"] = {"v": 1}  # its own mark, which is no part of the document
    text, mapping = proposed(tmp_path, {"c": [{**document, "kids": [{"position": 1, "c_id": 2}]}]})
    columns = {getattr(rule, "column", "") for rule in mapping.collections["c"].fields}
    assert {"id_2", "extras_2", "xmin_2", "a", "a_2", "field", "x", "a_b"} <= columns, text
    assert "_isthmus" not in text


def test_collections_that_fold_into_one_name_get_tables_of_their_own(tmp_path: Path) -> None:
    _, mapping = proposed(tmp_path, {"a.b": [{"_id": 1}], "a_b": [{"_id": 1}], "aB": [{"_id": 1}], "???": [{"_id": 1}]})
    assert {entry.table for entry in mapping.collections.values()} == {"a_b", "a_b_2", "a_b_3", "documents"}
