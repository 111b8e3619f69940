"""Defaults in a mapping become Extended JSON of a BSON type that the column takes exactly."""

from __future__ import annotations

from typing import Any

import pytest

from isthmus.mapping.reading.literals import LiteralFault, any_value, column_literal, parse_instant
from isthmus.mapping.reading.nodes import Node, read_nodes
from isthmus.mapping.types import parse_type


def node(text: str) -> Node:
    read = read_nodes(text.encode(), "m.yaml", [])
    assert read is not None
    return read


@pytest.mark.parametrize(
    ("column", "written", "literal"),
    [
        ("text", "abc", "abc"),
        ("text", "'5'", "5"),
        ("text", "2024-01-01", "2024-01-01"),
        ("integer", "7", 7),
        ("integer", "0x10", 16),
        ("bigint", "9223372036854775807", {"$numberLong": "9223372036854775807"}),
        ("double", "1", {"$numberDouble": "1.0"}),
        ("double", ".nan", {"$numberDouble": "NaN"}),
        ("double", "-.inf", {"$numberDouble": "-Infinity"}),
        ("real", "0.1", {"$numberDouble": "0.10000000149011612"}),
        ("numeric", "0.10", {"$numberDecimal": "0.10"}),
        ("numeric", "-0.0", {"$numberDecimal": "0.0"}),
        ("numeric(4,2)", "99.99", {"$numberDecimal": "99.99"}),
        ("boolean", "true", True),
        ("date", "'1969-12-31'", {"$date": {"$numberLong": "-86400000"}}),
        ("timestamptz", "2024-01-01T01:00:00.5+01:00", {"$date": {"$numberLong": "1704067200500"}}),
        (
            "uuid",
            "0123ABCD-0000-0000-0000-000000000001",
            {"$binary": {"base64": "ASOrzQAAAAAAAAAAAAAAAQ==", "subType": "04"}},
        ),
        ("bytea", r"'\xdead'", {"$binary": {"base64": "3q0=", "subType": "00"}}),
        ("jsonb", "{a: [1, null, 1.5, x]}", {"a": [1, None, {"$numberDouble": "1.5"}, "x"]}),
        ("s", "x", "x"),
        ("text[]", "[a, b]", ["a", "b"]),
        ("integer[]", "[]", []),
    ],
)
def test_literal_that_fits_becomes_extended_json(column: str, written: str, literal: Any) -> None:
    assert column_literal(node(written), parse_type(column, ["s"]), ("x",)) == literal


@pytest.mark.parametrize(
    ("column", "written"),
    [
        ("text", "5"),
        ("text", "true"),
        ("text", "{a: 1}"),
        ("integer", "1.5"),
        ("integer", "true"),
        ("integer", "2147483648"),
        ("double", "'1'"),
        ("double", "1e400"),
        ("real", "1e39"),
        ("numeric(4,2)", "100"),
        ("numeric(4,2)", "0.001"),
        ("numeric", "1" * 35),
        ("numeric(4,2)", ".inf"),
        ("boolean", "yes"),
        ("date", "2024-13-01"),
        ("timestamp", "5"),
        ("timestamp", "2024-01-01T00:00:00.000001"),
        ("timestamp(0)", "2024-01-01T00:00:00.5"),
        ("uuid", "abc"),
        ("bytea", "abc"),
        ("bytea", r"'\xabc'"),
        ("s", "y"),
        ("text[]", "[a, 5]"),
        ("jsonb", "{a: 18446744073709551616}"),
    ],
)
def test_literal_that_does_not_fit_is_refused(column: str, written: str) -> None:
    with pytest.raises(LiteralFault):
        column_literal(node(written), parse_type(column, ["s"]), ("x",))


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("{$numberLong: 5}", {"$numberLong": "5"}),
        ("{$numberDecimal: 1.50}", {"$numberDecimal": "1.50"}),
        ("{$date: {$numberLong: '-5'}}", {"$date": {"$numberLong": "-5"}}),
        ("{$binary: {base64: AA==, subType: 4}}", {"$binary": {"base64": "AA==", "subType": "04"}}),
    ],
)
def test_extended_json_in_yaml_is_understood(written: str, value: Any) -> None:
    assert any_value(node(written)) == value


@pytest.mark.parametrize(
    "written",
    [
        "{$oid: xyz}",
        "{$date: soon}",
        "{$numberInt: 2147483648}",
        "{$binary: {base64: '*', subType: 0}}",
        "{$oid: x, y: 1}",
    ],
)
def test_malformed_extended_json_is_refused(written: str) -> None:
    with pytest.raises(LiteralFault):
        any_value(node(written))


def test_instants_finer_than_bson_holds_are_refused() -> None:
    assert parse_instant("1970-01-01T00:00:00.001Z") == 1
    assert parse_instant("1970-01-01T00:00:00.0001Z") is None
