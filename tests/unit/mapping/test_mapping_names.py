"""Names: folding, quoting, the limit of 63 bytes, names of keys and indexes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.mapping.names import fold, name_fault, object_name, quote_identifier, quote_literal

FOLDED = {
    "title": "title",
    "dueDateAt": "due_date_at",
    "ABCThing": "abc_thing",
    "documentIDs": "document_ids",
    "crm_accounts_tasksIDs": "crm_accounts_tasks_ids",
    "IDs": "ids",
    "IDsAreNice": "ids_are_nice",
    "URLs": "urls",
    "Users": "users",
    "IsActive": "is_active",
    "line2Text": "line2_text",
    "HTTPServer2Go": "http_server2_go",
    "2ndLine": "2nd_line",
    "__v": "v",
    "a-b c.d": "a_b_c_d",
    "größeInCm": "größe_in_cm",
    "ключПоля": "ключ_поля",
    "日本語": "日本語",
    "select": "select",
    "$$": "",
    "": "",
}


@pytest.mark.parametrize(("name", "folded"), FOLDED.items())
def test_fold_gives_snake_case(name: str, folded: str) -> None:
    assert fold(name) == folded


@given(st.text())
def test_fold_twice_is_fold_once(name: str) -> None:
    assert fold(fold(name)) == fold(name)


@pytest.mark.parametrize(
    ("name", "quoted"), [("a", '"a"'), ('a"b', '"a""b"'), ("A b", '"A b"'), ("select", '"select"'), ("ü", '"ü"')]
)
def test_quote_identifier_doubles_quotes(name: str, quoted: str) -> None:
    assert quote_identifier(name) == quoted


@pytest.mark.parametrize("name", ["", "a\0b"])
def test_quote_identifier_refuses_what_is_none(name: str) -> None:
    with pytest.raises(ValueError, match="not an identifier"):
        quote_identifier(name)


def test_quote_literal_is_safe_with_backslashes() -> None:
    assert quote_literal("a'b") == "'a''b'"
    assert quote_literal("a\\'b") == "E'a\\\\''b'"


def test_limit_counts_bytes_not_characters() -> None:
    assert name_fault("a" * 63) is None
    assert name_fault("ü" * 31) is None
    assert name_fault("ü" * 32) is not None
    assert name_fault("a" * 64) is not None


def test_object_name_is_cut_with_a_hash_of_the_whole() -> None:
    assert object_name(("tasks", "user_id"), "fkey") == "tasks_user_id_fkey"
    long = object_name(("t" * 40, "c" * 40), "fkey")
    assert len(long.encode()) == 63
    assert long.endswith("_fkey")
    assert long != object_name(("t" * 40, "c" * 41), "fkey")
    assert long == object_name(("t" * 40, "c" * 40), "fkey")


@given(st.lists(st.text(min_size=1, max_size=63), min_size=1, max_size=5), st.text(max_size=5))
def test_object_name_fits_63_bytes(parts: list[str], detail: str) -> None:
    try:
        name = object_name(parts, "idx", detail=detail)
    except UnicodeEncodeError:
        return
    assert len(name.encode()) <= 63
    assert name.endswith("_idx")
