"""Types as text, and the table of conversions; that the core follows it is for its own tests to show."""

from __future__ import annotations

import pytest

from isthmus.mapping.types import (
    BSON_TYPES,
    CONVERSIONS,
    KINDS,
    ColumnType,
    TypeFault,
    conversion,
    markdown,
    parse_type,
)


@pytest.mark.parametrize(
    ("text", "printed", "sql"),
    [
        ("text", "text", "text"),
        (" TEXT[] ", "text[]", "text[]"),
        ("varchar(40)", "varchar(40)", "varchar(40)"),
        ("character varying(3)[]", "varchar(3)[]", "varchar(3)[]"),
        ("numeric(10, 2)", "numeric(10,2)", "numeric(10,2)"),
        ("numeric(5)", "numeric(5,0)", "numeric(5,0)"),
        ("numeric", "numeric", "numeric"),
        ("double precision", "double", "double precision"),
        ("int8", "bigint", "bigint"),
        ("timestamp(3)", "timestamp(3)", "timestamp(3)"),
        ("timestamp(0) with time zone", "timestamptz(0)", "timestamptz(0)"),
        ("state", "state", '"s""x"."state"'),
        ("state[]", "state[]", '"s""x"."state"[]'),
        ("My State", "My State", '"s""x"."My State"'),
    ],
)
def test_type_is_read_printed_and_written(text: str, printed: str, sql: str) -> None:
    parsed = parse_type(text, ["state", "My State"])
    assert str(parsed) == printed
    assert parsed.sql('s"x') == sql
    assert parse_type(str(parsed), ["state", "My State"]) == parsed


@pytest.mark.parametrize(
    "text", ["", "()", "text(3)", "integer(4)", "numeric(1,2,3)", "numeric(x)", "varchar(-1)", "text[][]", "enum", "[]"]
)
def test_type_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(TypeFault):
        parse_type(text, [])


def test_every_pair_has_an_outcome() -> None:
    for kind in KINDS:
        assert set(CONVERSIONS[kind]) <= set(BSON_TYPES)
        for bson_type in BSON_TYPES:
            assert conversion(bson_type, ColumnType(kind)).outcome in ("exact", "coerced", "refused")


@pytest.mark.parametrize(
    ("bson_type", "column", "outcome"),
    [
        ("null", "uuid", "exact"),
        ("int64", "integer", "exact"),
        ("string", "integer", "coerced"),
        ("document", "text", "refused"),
        ("document", "jsonb", "exact"),
        ("array", "text[]", "exact"),
        ("string", "text[]", "coerced"),
        ("document", "text[]", "refused"),
        ("int32", "boolean", "coerced"),
        ("objectId", "uuid", "refused"),
    ],
)
def test_outcomes_of_the_contract(bson_type: str, column: str, outcome: str) -> None:
    assert conversion(bson_type, parse_type(column, [])).outcome == outcome


def test_unknown_bson_type_is_an_error() -> None:
    with pytest.raises(KeyError):
        conversion("int", ColumnType("text"))


def test_markdown_names_every_kind_and_bson_type() -> None:
    page = markdown()
    for kind in KINDS:
        assert f"### {kind}\n" in page
    for bson_type in BSON_TYPES:
        assert f"| {bson_type} |" in page
