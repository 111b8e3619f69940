"""Rows that are made from what the catalog says: the server takes them, and they are as hard as its tables allow."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from isthmus.connect.postgres import connect
from isthmus.govern.rehearsing.seeding.rows import Manner, Unfilled, fill
from isthmus.govern.rehearsing.seeding.shape import read_shapes

TABLES = """
CREATE DOMAIN email AS text CHECK (VALUE ~* '^[^@]+@[^@]+[.][a-z]+$');
CREATE DOMAIN short_email AS email NOT NULL CHECK (char_length(VALUE) < 40);
CREATE TYPE pair AS (a int, b text);
CREATE TYPE mood AS ENUM ('x', 'y "y');
CREATE TABLE currencies (code char(3) PRIMARY KEY CHECK (code ~ '^[A-Z]{3}$'), m mood[], p pair, n numeric(3, 2),
    n2 numeric(2, 5), n3 numeric(3, -2), r int4range, mr datemultirange, b bit(4), e email NOT NULL, e2 short_email,
    j jsonb CHECK (jsonb_typeof(j) = 'object'), k text CHECK (k IN ('open', 'closed')), "%s ""q" money);
CREATE TABLE "Li st" ("K" text) PARTITION BY LIST ("K");
CREATE TABLE "li st 1" PARTITION OF "Li st" FOR VALUES IN ('q', 'r''s');
CREATE TABLE events (id int, at date NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE events_2030 PARTITION OF events FOR VALUES FROM ('2030-01-01') TO ('2030-02-01');
CREATE TABLE events_other PARTITION OF events DEFAULT;
CREATE TABLE hashed (id int) PARTITION BY HASH (id);
CREATE TABLE hashed_3 PARTITION OF hashed FOR VALUES WITH (modulus 4, remainder 3);
CREATE TABLE rooms (room int, during tstzrange, EXCLUDE USING gist (during WITH &&));
CREATE TABLE rates (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, code char(3) UNIQUE REFERENCES currencies,
    x int CHECK (x > 5 AND x < 7), y int, doubled int GENERATED ALWAYS AS (x * 2) STORED, CHECK (y > x));
CREATE TABLE lines (rate bigint NOT NULL REFERENCES rates, number int NOT NULL, event int, at date,
    PRIMARY KEY (rate, number), FOREIGN KEY (event, at) REFERENCES events);
CREATE TABLE tree (id int PRIMARY KEY, up int NOT NULL REFERENCES tree DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE nothing ();
CREATE TABLE many (a "char", c tsvector, d inet, e macaddr, f interval, g timetz, h pg_lsn, i jsonpath, j regclass,
    k varchar(1) UNIQUE, l name, m bytea, n oid, o bit varying(3), p float8[] NOT NULL, q real, s smallint,
    t uuid UNIQUE, u boolean UNIQUE, v point, w circle, x time, y tsquery, z polygon);
CREATE TABLE hen (id int PRIMARY KEY, egg int NOT NULL);
CREATE TABLE egg (id int PRIMARY KEY, hen int NOT NULL REFERENCES hen);
ALTER TABLE hen ADD FOREIGN KEY (egg) REFERENCES egg;
CREATE FUNCTION never() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not today'; END $$;
CREATE TABLE guarded (a int);
CREATE TRIGGER never BEFORE INSERT ON guarded FOR EACH ROW EXECUTE FUNCTION never();
"""
WITHOUT = {
    "hen": "it needs rows of public.egg, which has none",
    "egg": "it needs rows of public.hen, which has none",
    "guarded": "not today",
}


@pytest.fixture
def connection(database: str) -> Iterator[psycopg.Connection]:
    with connect(database, autocommit=True) as session:
        yield session


def filled(connection: psycopg.Connection, tables: str, manner: Manner) -> list[Unfilled]:
    connection.execute(tables.encode())
    return fill(connection, read_shapes(connection), manner)


@pytest.mark.parametrize("manner", ["harsh", "mild"])
def test_every_table_that_can_take_a_row_gets_some(connection: psycopg.Connection, manner: Manner) -> None:
    left = filled(connection, TABLES, manner)
    assert {one.key.name: one.why for one in left} == WITHOUT
    for table in ("currencies", '"Li st"', "events_2030", "events_other", "hashed", "rooms", "rates", "lines", "many"):
        row = connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()
        assert row is not None
        assert row[0] >= 2, table


def test_harsh_rows_hold_nulls_duplicates_and_wide_values(connection: psycopg.Connection) -> None:
    filled(connection, "CREATE TABLE t (id int UNIQUE, a text, b bigint NOT NULL, at timestamptz, n numeric)", "harsh")
    rows = connection.execute("SELECT a, b, at, n FROM t ORDER BY id").fetchall()
    assert len(rows) == 3
    assert sum(row[0] is None for row in rows) == 1
    whole = [row for row in rows if row[0] is not None]
    assert whole[0] == whole[1]
    assert len(whole[0][0]) > 255
    assert whole[0][0].lower() != whole[0][0]
    assert whole[0][1] > 2**31
    assert whole[0][2].microsecond
    assert whole[0][3] % 1


def test_mild_rows_hold_none_of_these(connection: psycopg.Connection) -> None:
    filled(connection, "CREATE TABLE t (a text, b bigint, c uuid)", "mild")
    rows = connection.execute("SELECT a, b, c FROM t").fetchall()
    assert len(rows) == 2
    for column in zip(*rows, strict=True):
        assert None not in column
        assert len(set(column)) == 2


def test_a_type_that_is_not_known_is_named(connection: psycopg.Connection) -> None:
    left = filled(connection, "CREATE TABLE t (a refcursor NOT NULL, b int)", "harsh")
    assert [one.why for one in left] == ["no value is known for a of the type refcursor"]
