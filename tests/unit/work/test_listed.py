"""A list of names is cut where it is said, and tells what is left."""

from __future__ import annotations

import pytest

from isthmus.work.listed import listed


@pytest.mark.parametrize(
    ("names", "beyond", "told"),
    [
        ([], 0, ""),
        (["a"], 0, "a"),
        (["a", "b"], 0, "a, b"),
        (["a", "b", "c"], 0, "a, b and 1 more"),
        (["a"] * 1_236, 0, "a, a and 1,234 more"),
        (["a", "b"], 5, "a, b and 5 more"),
        (["a", "b", "c"], 5, "a, b and 6 more"),
    ],
)
def test_names_beyond_the_first_are_counted(names: list[str], beyond: int, told: str) -> None:
    assert listed(names, 2, beyond=beyond) == told
