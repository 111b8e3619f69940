"""The remedies of causes that also come from a table that exists say what can be done there.

Oracle: DESIGN, where a table that exists has rules of its own that the mapping does not state.
"""

from __future__ import annotations

import pytest

from isthmus.cli.letter_codes import remedy_of


@pytest.mark.parametrize(
    ("code", "of_the_mapping", "of_the_table"),
    [("required", "`default`", "NULL"), ("too-long", "`text`", "longer")],
)
def test_remedy_speaks_of_the_mapping_and_of_a_table_that_exists(
    code: str, of_the_mapping: str, of_the_table: str
) -> None:
    remedy = remedy_of(code)
    assert of_the_mapping in remedy
    own = remedy.partition("table that exists")[2]
    assert of_the_table in own
