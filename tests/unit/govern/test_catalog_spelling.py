"""One spelling for casts of arrays."""

from __future__ import annotations

import pytest

from isthmus.govern.catalog.compare import differences
from isthmus.govern.catalog.model import Catalog, Key
from isthmus.govern.catalog.spelling import one_spelling


def with_text(named: str, text: str) -> Catalog:
    return {Key("constraint", "public", "t", "c"): {named: text}}


@pytest.mark.parametrize(
    ("printed", "plain"),
    [
        (
            "CHECK (((c)::text = ANY ((ARRAY['a'::character varying, 'b, ]'::character varying])::text[])))",
            "CHECK (((c)::text = ANY (ARRAY[('a'::character varying)::text, ('b, ]'::character varying)::text])))",
        ),
        ('((ARRAY[f(1, 2), "o]d"])::s."T y"[])', '(ARRAY[(f(1, 2))::s."T y", ("o]d")::s."T y"])'),
        ("(ARRAY[1, 2])", "(ARRAY[1, 2])"),
        ("'(ARRAY[1'", "'(ARRAY[1'"),
        ("'it''s (ARRAY[1])::text[]'::text", "'it''s (ARRAY[1])::text[]'::text"),
        ("x = 1", "x = 1"),
    ],
)
def test_a_cast_of_an_array_is_an_array_of_casts(printed: str, plain: str) -> None:
    assert one_spelling(printed) == plain
    assert one_spelling(plain) == plain


@pytest.mark.parametrize(("named", "differ"), [("definition", 0), ("default", 0), ("using", 0), ("comment", 1)])
def test_two_spellings_of_one_expression_are_no_difference_and_of_a_text_they_are(named: str, differ: int) -> None:
    was, now, other = map(with_text, [named] * 3, ["(ARRAY['a'])::text[]", "ARRAY[('a')::text]", "ARRAY[('b')::text]"])
    assert len(differences(was, now)) == differ
    assert len(differences(was, other)) == 1
