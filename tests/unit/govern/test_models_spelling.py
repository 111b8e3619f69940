"""One spelling for casts of arrays."""

from __future__ import annotations

import pytest

from isthmus.govern.models.spelling import one_spelling


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
        ("x = 1", "x = 1"),
    ],
)
def test_a_cast_of_an_array_is_an_array_of_casts(printed: str, plain: str) -> None:
    assert one_spelling(printed) == plain
    assert one_spelling(plain) == plain
