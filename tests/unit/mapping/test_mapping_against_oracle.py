"""Two readers of the language, one suite: the oracle of `verify` reads the same file and must see the same tables.

What both understand wrongly is not seen here; the forms are held against the design in `test_mapping_forms`.
"""

from __future__ import annotations

import io
from typing import Any, cast

from hypothesis import HealthCheck, given, settings
from ruamel.yaml import YAML

from isthmus.mapping import parse_mapping
from isthmus.mapping.names import fold
from isthmus.mapping.tables import build_schema
from isthmus.mapping.types import ColumnType
from isthmus.verify.reference import reading
from tests.generators.mappings import Case, cases


def plain_type(column_type: ColumnType) -> tuple[Any, ...]:
    return (
        column_type.kind,
        column_type.length,
        column_type.precision,
        column_type.scale,
        column_type.array,
    )


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(cases())
def test_both_readers_see_the_same_tables(case: Case) -> None:
    yaml = cast("Any", YAML(typ="safe", pure=True))
    text = io.StringIO()
    yaml.dump(case.mapping, text)
    tables = build_schema(parse_mapping(text.getvalue())).tables
    shapes = reading.read(yaml.load(text.getvalue())).shapes
    assert set(tables) == set(shapes)
    for name, table in tables.items():
        shape = shapes[name]
        mine = {column.name: plain_type(column.type) for column in table.columns}
        other = {
            column: (type_.kind, type_.length, type_.precision, type_.scale, type_.array)
            for column, type_ in shape.columns.items()
        }
        assert list(mine.items()) == list(other.items()), name
        assert table.primary_key == shape.key


def test_both_readers_fold_names_alike() -> None:
    for name in (
        "dueDateAt",
        "ABCThing",
        "documentIDs",
        "IDsAreNice",
        "URLs2Go",
        "XAs2",
        "ключПоля",
        "日本ABか",
        "__v",
        "a-b",
    ):
        assert fold(name) == reading.fold(name), name
