"""A copy of the sample ends with exactly the books that its generator worked out: rows, pairs, references, letters.

The oracle is `truth.json`, set arithmetic that knows nothing of isthmus. Blind spot: the values of plain columns.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import bson
import psycopg
import pytest
from psycopg import sql

from isthmus import demo
from isthmus.mapping import load_mapping
from isthmus.mapping.model import ColumnField
from isthmus.sources import open_source
from isthmus.transfer.run import copy_database

MAPPING = load_mapping(demo.MAPPING)
TRUTH: dict[str, Any] = json.loads(demo.TRUTH.read_text())


@pytest.fixture
def copied(database: str) -> Iterator[psycopg.Connection]:
    copy_database(MAPPING, open_source(str(demo.DUMP)), database, mapping_text=demo.MAPPING.read_text())
    with psycopg.connect(database, autocommit=True) as connection:
        yield connection


def count(connection: psycopg.Connection, table: str, column: str | None = None) -> int:
    """Count the rows of a table, or those where a column is not null."""
    counted = sql.SQL("*") if column is None else sql.Identifier(column)
    row = connection.execute(sql.SQL("SELECT count({}) FROM {}").format(counted, sql.Identifier(table))).fetchone()
    assert row is not None
    return row[0]


def test_copy_of_the_sample_ends_with_the_books_of_its_generator(copied: psycopg.Connection) -> None:
    expected = TRUTH["expected"]
    for name, books in expected["collections"].items():
        assert count(copied, MAPPING.collections[name].table) == books["rows"], name
    for table, rows in expected["children"].items():
        assert count(copied, table) == rows, table
    for table, books in expected["junctions"].items():
        assert count(copied, table) == books["pairs"], table
    for place, books in expected["references"].items():
        name, path = place.split(".")
        rule = next(
            one for one in MAPPING.collections[name].fields if isinstance(one, ColumnField) and one.path == (path,)
        )
        assert count(copied, MAPPING.collections[name].table, rule.column) == books["resolved"], place

    letters: dict[str, list[tuple[str, str]]] = {}
    for name, source_id, code in copied.execute("SELECT collection, source_id, code FROM isthmus.dead_letter"):
        letters.setdefault(name, []).append((str(bson.decode(bytes(source_id))["_id"]), code))
    for name, books in expected["collections"].items():
        found = letters.get(name, [])
        assert len(found) == books["dead_letters"], name
        planted = {
            (one["id"], one["code"])
            for one in TRUTH["planted"]
            if one["collection"] == name and one["fate"] == "dead_letter"
        }
        assert planted <= set(found)
        # What was not planted followed from what was: a required reference to a dead letter.
        assert {code for _, code in set(found) - planted} <= {"orphan"}
