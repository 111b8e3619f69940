"""Generated mappings and documents all the way through a real server: DDL, COPY, SELECT, and the oracle's comparison.

What only this shows: that the server takes the core's bytes, that its jsonb parser reads the core's JSON as the oracle
expects, that the DDL's types are those the plan converts to, and that the tests' own decoder is not the only judge.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from hypothesis import given
from psycopg import sql

from isthmus._rust import Transcoder
from isthmus.mapping import ddl, parse_mapping, tables
from isthmus.mapping.plan import compile_plans
from isthmus.verify.reference.compare import Comparison, Difference
from tests.generators import bson_writer as bw
from tests.generators import grid
from tests.generators.mappings import ENUM, TYPES, Case, Plain, cases
from tests.oracle.agreement import KEY, NOW_US, Pair, yaml_text
from tests.oracle.effort import say_seed, tries

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"

Connection = psycopg.Connection[Any]


@pytest.fixture
def connection(database: str) -> Iterator[Connection]:
    with psycopg.connect(database, autocommit=True) as opened:
        yield opened


def carry(connection: Connection, mapping: Plain, documents: list[bytes]) -> list[Difference]:
    """Make the tables anew, load the core's bytes, and compare what the server then holds; documents have own ids."""
    parsed = parse_mapping(yaml_text(mapping))
    schema = tables.build_schema(parsed)
    connection.execute("DROP SCHEMA public CASCADE")
    for statement in ddl.create_all(schema):
        connection.execute(statement.encode())
    plan = json.loads(compile_plans(parsed)["Main"])
    row = connection.execute("SELECT coalesce(max(oid::bigint), 0) FROM pg_type WHERE typname = 'status'").fetchone()
    assert row is not None
    (shape,) = plan["shapes"]
    kinds = [column["type"] for table in shape["tables"] for column in table["columns"]]
    oids = {kind["name"]: row[0] for kind in kinds if kind["kind"] == "enum"}
    batch = Transcoder(json.dumps(plan), KEY, NOW_US, enum_oids=oids).transcode(b"".join(documents))
    for number, table in enumerate(shape["tables"]):
        columns = sql.SQL(", ").join(sql.Identifier(column["name"]) for column in table["columns"])
        statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(sql.Identifier(table["name"]), columns)
        with connection.cursor().copy(statement) as copy:
            copy.write(HEADER + bytes(batch.copy_data(number)) + TRAILER)
    with connection.transaction():
        comparison = Comparison(Pair(mapping).oracle, connection)
        return list(comparison.differences(("Main", document) for document in documents))


def with_own_ids(mapping: Plain, documents: list[bytes]) -> list[bytes]:
    """Of documents with one id the first; a key that occurs twice is for finish to judge, not for this test."""
    oracle, seen, kept = Pair(mapping).oracle, set[str | None](), list[bytes]()
    for document in documents:
        identifier = oracle.expected("Main", document).id
        if identifier is None or identifier not in seen:
            kept.append(document)
        seen.add(identifier)
    return kept


@pytest.mark.slow
def test_generated_documents_are_stored_as_the_oracle_says(connection: Connection) -> None:
    @tries(40)
    @given(cases())
    def law(case: Case) -> None:
        say_seed()
        assert not carry(connection, case.mapping, with_own_ids(case.mapping, case.documents))

    law()


def numbered(value: bw.Value, number: int) -> bytes:
    return bw.document([("_id", bw.object_id(number.to_bytes(12, "big"))), ("v", value)]).raw


@pytest.mark.parametrize("type_text", sorted(set(TYPES)))
def test_every_border_value_is_stored_as_the_oracle_says(connection: Connection, type_text: str) -> None:
    policies = {"nul": "remove", "utf8": "replace", "nan": "null", "range": "infinity"}
    mapping: Plain = {
        "isthmus": 1,
        "enums": {"status": ENUM},
        "policies": policies,
        "collections": {
            "Main": {"table": "main", "fields": {"v": {"type": type_text, "coerce": True}}},
        },
    }
    documents = [numbered(value, number) for number, value in enumerate(grid.border_values())]
    assert not carry(connection, mapping, documents)


def test_every_border_value_is_stored_in_extras_as_the_oracle_says(connection: Connection) -> None:
    mapping: Plain = {
        "isthmus": 1,
        "policies": {"nul": "remove", "utf8": "replace"},
        "collections": {"Main": {"table": "main", "fields": {"w": "text"}}},
    }
    documents = [numbered(value, number) for number, value in enumerate(grid.border_values())]
    assert not carry(connection, mapping, documents)
