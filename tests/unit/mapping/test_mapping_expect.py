"""Good `expect` rules: what is read, and that they change nothing a copy does."""

from __future__ import annotations

import pytest

from isthmus.mapping import parse_mapping
from isthmus.mapping.model import ColumnField
from isthmus.mapping.plan import compile_plans
from isthmus.mapping.rules import Expect

HEAD = "isthmus: 1\ncollections:\n  A:\n    fields:\n      b: timestamptz\n      a: "


def expect_of(rule: str) -> Expect | None:
    found = parse_mapping(HEAD + rule).collections["A"].fields[1]
    assert isinstance(found, ColumnField)
    return found.expect


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("{type: text, expect: email}", Expect(form="email")),
        ('{type: "varchar(9)[]", expect: {form: email, pattern: "x$"}}', Expect(form="email", pattern="x$")),
        ("{type: smallint, expect: {min: -1, max: 0}}", Expect(min=-1, max=0)),
        ("{type: double, expect: {min: 1}}", Expect(min={"$numberDouble": "1.0"})),
        ('{type: "numeric(5,2)[]", expect: {max: 1.50}}', Expect(max={"$numberDecimal": "1.50"})),
        (
            '{type: date, expect: {min: "1970-01-02", not_after: b}}',
            Expect(min={"$date": {"$numberLong": "86400000"}}, not_after="b"),
        ),
        ("{type: timestamp, expect: {not_before: b}}", Expect(not_before="b")),
        ("{type: text}", None),
    ],
)
def test_forms(rule: str, expected: Expect | None) -> None:
    assert expect_of(rule) == expected


def test_the_mapping_is_the_same_with_it_and_without() -> None:
    plain = parse_mapping(HEAD + "{type: date}")
    stated = parse_mapping(HEAD + "{type: date, expect: {not_before: b}}")
    assert stated.fingerprint == plain.fingerprint
    assert compile_plans(stated) == compile_plans(plain)
