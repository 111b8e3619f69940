"""Values that are given and values of columns that were there: the same text, found by the column's index."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import sql

from isthmus.connect.real_columns import read_there

UUID = "0f8fad5b-d9cb-469f-a165-70867728950e"


@pytest.mark.parametrize(
    ("kind", "held", "other"),
    [
        ("uuid", UUID, "no uuid"),
        ("text", UUID, "Ünïcode '%"),
        ("varchar(40)", UUID, ""),
        ("bigint", "12", "012"),
        ("numeric", "1.50", "1.5"),
    ],
)
def test_a_given_value_is_found_by_its_text(database: str, kind: str, held: str, other: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute(sql.SQL('CREATE TABLE "T" (id {} PRIMARY KEY)').format(sql.SQL(kind)))  # pyright: ignore[reportArgumentType]
        connection.execute('INSERT INTO "T" VALUES (%s)', (held,))
        there = read_there(connection, "public", ["T"]).columns["T"]["id"]
        same = there.is_text(sql.SQL("x.id"), sql.SQL("g.value"))
        query = sql.SQL('SELECT EXISTS (SELECT FROM "T" x WHERE {}) FROM (VALUES (%s), (%s), (NULL)) g(value)')
        found = connection.execute(query.format(same), (held, other)).fetchall()
        assert found == [(True,), (False,), (False,)]
        connection.execute("SET enable_seqscan = off")
        plan = connection.execute(sql.SQL("EXPLAIN ") + query.format(same), (held, other)).fetchall()
        is_usual = kind in {"uuid", "text", "varchar(40)"}
        assert any("Index Cond" in line for (line,) in plan) == is_usual
