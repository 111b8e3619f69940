"""Digester and Finder: what a server stores equals what went in, and every difference is found where it is.

The server is the judge of the canonical forms: it rounds, cuts and reorders, and what it gives back must be equal to
what it was given. Blind spots: translations, elements and damaged bytes, which
`crates/isthmus-core/tests/checksum.rs` and the fuzz target `checksum` look at.
"""

from __future__ import annotations

import json
import struct
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from psycopg import sql

from isthmus._rust import Digester, Finder, Transcoder
from isthmus.errors import InternalError
from tests.generators.forms import form_cases
from tests.generators.mappings import Case, cases
from tests.oracle.agreement import KEY, NOW_US, Pair
from tests.oracle.effort import say_seed, tries

BUCKETS = 8
HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"

Field = bytes | None


def row(*fields: Field) -> bytes:
    """One row of COPY binary."""
    parts = [struct.pack(">i", -1) if one is None else struct.pack(">i", len(one)) + one for one in fields]
    return struct.pack(">h", len(fields)) + b"".join(parts)


def typed(kind: str, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "array": False, **more}


def side(columns: Sequence[dict[str, Any]], key: Sequence[int] = (0,), **more: Any) -> str:
    """A side of one shared table whose columns are all compared; each is a type, or a whole column."""
    told = [one if "type" in one else {"type": one} for one in columns]
    table = {
        "table": 0,
        "row": True,
        "key": list(key),
        "columns": [{"column": at, **one} for at, one in enumerate(told)],
    }
    return json.dumps({"buckets": BUCKETS, "columns": [len(columns)], "tables": [table], **more})


def digest(of: str, *rows: bytes) -> Digester:
    digester = Digester(of)
    assert digester.read_copy(0, b"".join(rows)) == len(rows)
    return digester


def everything(columns: int) -> str:
    """What a finder is asked for when it is to look everywhere."""
    return json.dumps([[0, column, list(range(BUCKETS))] for column in [None, *range(columns)]])


def find(of: str, columns: int, *data: bytes, limit: int = 1_000) -> Finder:
    finder = Finder(of, everything(columns), limit)
    finder.read_copy(0, b"".join(data))
    return finder


def shortened(text: str | None) -> str | None:
    return text if text is None or len(text) <= 200 else text[:199] + "…"


@dataclass(frozen=True)
class Stored:
    """A type as a plan names it and as SQL does, with texts of values that it takes.

    Attributes:
        raw: The type that takes a value as it is, before the declared one changes it.
    """

    kind: dict[str, Any]
    declared: str
    raw: str
    texts: list[str]


def stored(kind: str, texts: str | list[str], raw: str = "", **marks: int) -> Stored:
    """Of a text the words are the values."""
    name = {"double": "double precision"}.get(kind, kind)
    numbers = ",".join(map(str, marks.values()))
    values = texts.split() if isinstance(texts, str) else texts
    return Stored(typed(kind, **marks), f"{name}({numbers})" if numbers else name, raw or name, values)


STORED = [
    stored("boolean", "t f"),
    stored("smallint", "0 -32768 32767"),
    stored("integer", "0 -2147483648 2147483647"),
    stored("bigint", "0 -9223372036854775808 9223372036854775807"),
    stored("real", "0 -0 1 0.1 1e6 999999 1234567 1e-4 1e-5 3.4e38 1e-45 NaN -Infinity"),
    stored(
        "double",
        "0 -0 0.1 1e14 1e15 123456789012345 1234567890123456 1e-4 1.25e-5 5e-324 1.7976931348623157e308 1e22 -1.5e300 "
        "NaN Infinity",
    ),
    stored(
        "numeric",
        "0 0.00 -1.50 10000 1e20 1e-20 123456789.000001230 99999999.9999 NaN -Infinity 1e400 1e-400 "
        f"{'9' * 50}.{'1' * 30}",
    ),
    stored(
        "numeric",
        "0 1 1.5 -0.0005 -0.00049 0.0005 9999.9995 999.99949 1234.5678 1e-9 99999.9995 NaN 10000 9999.9996 0.9999999",
        precision=9,
        scale=3,
    ),
    stored("numeric", "0.5 -0.5 1.5 2.5 0.49999 9999.5 99999.4 12345.6", precision=6, scale=0),
    stored("text", ["", " ", "a  ", "é\n\"\\'{},", "x" * 500, "é" * 300, "NULL", "\U0001f600"]),
    stored("varchar", ["", "ab", "abc", "ab   ", "   ", "äöü    ", "      "], "text", length=3),
    stored("date", ["2000-01-01", "0044-03-15 BC", "294277-01-01", "infinity", "-infinity"]),
    stored(
        "timestamp",
        [
            "2000-01-01",
            "1999-12-31 23:59:59.995",
            "2021-03-04 05:06:07.085",
            "0001-01-01 00:00:00.004999",
            "4713-01-01 00:00:00.125 BC",
            "294276-12-31 23:59:59.99",
            "infinity",
            "-infinity",
        ],
        precision=2,
    ),
    stored(
        "timestamptz",
        ["2021-03-04 05:06:07.089+02", "1969-12-31 23:59:59.999999+00", "0044-03-15 12:00:00+00 BC", "infinity"],
    ),
    stored("timestamptz", ["2021-03-04 23:59:59.5+00", "1999-12-31 23:59:58.5+00"], precision=0),
    stored("uuid", "00000000-0000-0000-0000-000000000000 A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"),
    stored("bytea", ["\\x", "\\x00ff5c", "\\x" + "ab" * 300]),
]

JSON = [
    '{"bb": 1, "a": {"d": [], "c": {}}, "ab": 2, "": 0}',
    '{"a": 1, "b": 2, "a": 3, "\\u0061": 4}',
    "[1.0, 1.00, 1e0, 1.5e1, 1E+2, 1e-3, 10e-3, -0, -0.0, 0e5, -0.00e-1, 12345678901234567890.5]",
    "[1e62, 1e63, 1e64, 1e300, -1e300, 1.20e-300, 1e-61, 1e-62, 1e-63, 0e-70]",
    '["\\u00e9\\/\\ud83d\\ude00\\t\\u0009\\u001f\\u007f\\"\\\\", "é", "\\b\\f\\n\\r"]',
    " true ",
    "null",
    '""',
    "12.340",
    '{"\\"": 1, "aa": 2, "é": 3, "zz": 4, "b": 5}',
    "[" * 300 + "]" * 300,
]


DIFFERENT = (
    '1 1.0 1.00 -1 true "1" [1] [[1]] {"1":1} {"1":1.0} null [] {} [null] [1,2] [2,1] {"a":1,"b":2} {"a":2,"b":1} '
    '1e300 1e301 1e-300 1.0e-300 "1e300"'
)
"""Texts of JSON values of which no two are the same."""


@pytest.fixture
def connection(database: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("SET timezone TO 'UTC'")
        connection.execute("SET extra_float_digits TO 1")
        yield connection


def copied(connection: psycopg.Connection[Any], query: str) -> list[bytes]:
    """What a COPY of a query sends, message by message, with header and trailer."""
    command = sql.SQL("COPY ({}) TO STDOUT (FORMAT binary)").format(sql.SQL(query))  # pyright: ignore[reportArgumentType]
    with connection.cursor() as cursor, cursor.copy(command) as copy:
        return [bytes(message) for message in copy]


def execute(connection: psycopg.Connection[Any], query: str, *values: Any) -> list[tuple[Any, ...]]:
    cursor = connection.execute(query, values or None)  # pyright: ignore[reportArgumentType, reportCallIssue]
    return cursor.fetchall() if cursor.description is not None else []


def in_pieces(digester: Digester | Finder, messages: Sequence[bytes]) -> int:
    """Give messages in pieces of three."""
    return sum(digester.read_copy(0, b"".join(messages[at : at + 3])) for at in range(0, len(messages), 3))


@pytest.mark.parametrize("of", STORED, ids=lambda of: of.declared)
def test_values_that_the_server_stored_are_equal_to_what_it_was_given(
    connection: psycopg.Connection[Any], of: Stored
) -> None:
    execute(connection, f"CREATE TABLE given (id integer, v {of.raw}, a {of.raw}[])")
    execute(connection, f"CREATE TABLE stored (id integer, v {of.declared}, a {of.declared}[])")
    for number, text in enumerate([*of.texts, None]):
        array = [text, None, text] if number % 3 else [] if text else None
        execute(connection, f"INSERT INTO given VALUES (%s, %s::{of.raw}, %s::{of.raw}[])", number, text, array)
    # Dimensions and bounds that no copy writes.
    for number, bounds in ((-1, "ARRAY[2, 2]"), (-2, "ARRAY[2], ARRAY[0]")):
        odd = f"INSERT INTO given VALUES (%s, NULL, array_fill((%s)::{of.raw}, {bounds}))"
        execute(connection, odd, number, of.texts[0])
    execute(connection, "INSERT INTO stored SELECT * FROM given")
    columns = [typed("integer"), of.kind, {**of.kind, "array": True}]
    expected, actual = Digester(side(columns)), Digester(side(columns))
    given, kept = (
        copied(connection, "SELECT * FROM given"),
        copied(connection, "SELECT * FROM stored ORDER BY id DESC"),
    )
    assert in_pieces(expected, given) == in_pieces(actual, kept) == len(of.texts) + 3
    assert expected.compare(actual) == []
    counts = execute(connection, "SELECT count(id), count(v), count(a) FROM given")
    assert expected.cells() == actual.cells() == [list(counts[0])]
    # What the server shows is what the finder shows, of both sides.
    printed = "SELECT id, CASE WHEN v IS NOT NULL THEN format('%s', v) END, a::text FROM stored"
    texts = {number: (v, a) for number, v, a in execute(connection, printed)}
    other = find(side(columns), 3, *(row(struct.pack(">i", number), None, None) for number in texts))
    shown: dict[int, list[str | None]] = {number: [None, None] for number in texts}
    for messages in (given, kept):
        for _, column, key, one, two, word in find(side(columns), 3, *messages).compare(other):
            assert (word, two) == ("different", None)
            assert column in {1, 2}
            assert key[0] is not None
            shown[int(key[0])][column - 1] = one
        for number, (v, a) in texts.items():
            assert shown[number] == [shortened(v), shortened(a)]


def test_jsonb_that_the_server_stored_is_equal_to_what_it_was_given(connection: psycopg.Connection[Any]) -> None:
    execute(connection, "CREATE TABLE stored (id integer, v jsonb)")
    given: list[bytes] = []
    for number, text in enumerate(JSON):
        execute(connection, "INSERT INTO stored VALUES (%s, %s::jsonb)", number, text)
        given.append(row(struct.pack(">i", number), b"\x01" + text.encode()))
    columns = [typed("integer"), typed("jsonb")]
    kept = copied(connection, "SELECT * FROM stored")
    expected, actual = Digester(side(columns)), Digester(side(columns))
    assert in_pieces(expected, given) == in_pieces(actual, kept) == len(JSON)
    assert expected.compare(actual) == []
    shown = find(side(columns), 2, *given).compare(
        find(side(columns), 2, *(row(struct.pack(">i", at), None) for at in range(len(JSON))))
    )
    wanted = dict(execute(connection, "SELECT id, v::text FROM stored"))
    assert len(shown) == len(JSON)
    for _, _, key, text, _, _ in shown:
        assert key[0] is not None
        printed = wanted[int(key[0])]
        # Numbers of more than 64 characters are shown with an exponent.
        assert text == shortened(printed) or "1e64, " in str(text)


def test_jsonb_that_differs_by_one_digit_scale_key_or_place_is_different() -> None:
    columns = [typed("integer"), typed("jsonb")]
    forms = DIFFERENT.split()
    digests = [digest(side(columns), row(bytes(4), b"\x01" + text.encode())) for text in forms]
    for at, one in enumerate(digests):
        for to, other in enumerate(digests):
            assert bool(one.compare(other)) == (at != to), (forms[at], forms[to])


def any_cases(max_documents: int) -> SearchStrategy[Case]:
    """Mappings of every form."""
    return st.one_of(cases(max_documents=max_documents), form_cases(max_documents=max_documents))


def written(kind: dict[str, Any]) -> str:
    """A type of a plan in SQL."""
    name = {"double": "double precision", "enum": f'"{kind.get("name")}"'}.get(kind["kind"], kind["kind"])
    marks = [kind["length"]] if kind.get("length") else [kind.get("precision"), kind.get("scale")]
    numbers = ",".join(str(mark) for mark in marks if mark is not None)
    return f"{name}{f'({numbers})' if numbers else ''}{'[]' if kind['array'] else ''}"


def plan_side(plan: str) -> str:
    """A side whose shared tables are those of a plan, each with its first column as its key."""
    tables = [table for shape in json.loads(plan)["shapes"] for table in shape["tables"]]
    told = [
        {
            "table": number,
            "row": True,
            "key": [0],
            "owner": None,
            "columns": [{"column": at, "type": column["type"]} for at, column in enumerate(table["columns"])],
        }
        for number, table in enumerate(tables)
    ]
    return json.dumps({"buckets": BUCKETS, "columns": [len(table["columns"]) for table in tables], "tables": told})


def law_of_batches(connection: psycopg.Connection[Any], case: Case) -> None:
    """A batch that went into a server and came out again is the same."""
    pair = Pair(case.mapping)
    kinds = [column["type"] for table in pair.tables for column in table.columns]
    enums = {kind["name"]: kind["values"] for kind in kinds if kind["kind"] == "enum"}
    execute(connection, "DROP SCHEMA IF EXISTS tried CASCADE")
    execute(connection, "CREATE SCHEMA tried")
    execute(connection, "SET search_path TO tried")
    oids: dict[str, int] = {}
    for name, values in enums.items():
        labels = sql.SQL(", ").join(sql.Literal(value) for value in values)
        connection.execute(sql.SQL("CREATE TYPE {} AS ENUM ({})").format(sql.Identifier(name), labels))
        oids[name] = execute(connection, "SELECT oid FROM pg_type WHERE typname = %s", name)[0][0]
    batch = Transcoder(pair.plan, KEY, NOW_US, enum_oids=oids).transcode(b"".join(case.documents))
    expected = Digester(plan_side(pair.plan))
    actual = expected.fresh()
    expected.read_batch(batch)
    for table in pair.tables:
        columns = ", ".join(f"c{at} {written(column['type'])}" for at, column in enumerate(table.columns))
        execute(connection, f"CREATE TABLE t{table.number} ({columns})")
        command = f"COPY t{table.number} FROM STDIN (FORMAT binary)"
        with connection.cursor() as cursor, cursor.copy(command) as copy:  # pyright: ignore[reportArgumentType, reportCallIssue]
            copy.write(HEADER + bytes(batch.copy_data(table.number)) + TRAILER)
        actual.read_copy(table.number, b"".join(copied(connection, f"SELECT * FROM t{table.number}")))
    assert expected.rows() == actual.rows() == [batch.rows(table.number) for table in pair.tables]
    assert expected.compare(actual) == []


def test_batches_that_went_through_a_server_are_equal(connection: psycopg.Connection[Any]) -> None:
    @tries(60)
    @given(any_cases(6))
    def law(case: Case) -> None:
        say_seed()
        law_of_batches(connection, case)

    law()


VALUES = [
    (typed("integer"), st.integers(-5, 5).map(lambda number: struct.pack(">i", number))),
    (typed("text"), st.text(max_size=4).map(str.encode)),
    (typed("bytea"), st.binary(max_size=4)),
]


@st.composite
def tables(draw: st.DrawFn) -> list[list[Field]]:
    """Rows under keys of their own."""
    count = draw(st.integers(1, 30))
    ids = [struct.pack(">i", number) for number in range(count)]
    return [[one, *(draw(st.none() | values) for _, values in VALUES)] for one in ids]


@tries(150)
@given(tables(), st.randoms(use_true_random=False))
def test_of_random_damage_exactly_the_rows_and_columns_are_named(rows: list[list[Field]], random: Any) -> None:
    say_seed()
    columns = [typed("integer"), *(kind for kind, _ in VALUES)]
    of = side(columns)
    damaged = [list(one) for one in rows]
    wanted: set[tuple[str, int | None, str]] = set()
    for number in random.sample(range(len(rows)), random.randint(0, min(4, len(rows)))):
        what = random.choice(["missing", "extra", "different"])
        if what == "different":
            column = random.randint(1, len(VALUES))
            old = damaged[number][column]
            new = (
                None
                if old is not None and random.random() < 0.3
                else b"damaged"
                if column > 1
                else struct.pack(">i", 77)
            )
            damaged[number][column] = new
            wanted.add((str(number), column, what))
        elif what == "missing":
            damaged[number] = []
            wanted.add((str(number), None, what))
        else:
            new = 1_000 + number
            damaged.append([struct.pack(">i", new), *damaged[number][1:]])
            wanted.add((str(new), None, what))
    random.shuffle(damaged)
    data = [row(*one) for one in damaged if one]
    expected, actual = digest(of, *(row(*one) for one in rows)), digest(of, *data)
    differences = expected.compare(actual)
    asked = [
        [table, column, [at for at in range(BUCKETS) if mask[at // 8] >> at % 8 & 1]]
        for table, column, mask in differences
    ]
    one = Finder(of, json.dumps(asked), 1_000)
    two, three = one.fresh(), Finder(of, json.dumps(asked), 1_000)
    one.read_copy(0, b"".join(row(*one) for one in rows))
    two.read_copy(0, b"".join(data[::2]))
    three.read_copy(0, HEADER + b"".join(data[1::2]) + TRAILER)
    two.merge(three)
    found = one.compare(two)
    assert {(key[0], column, word) for _, column, key, _, _, word in found} == wanted
    assert len(found) == len(wanted)
    assert found == sorted(found, key=lambda entry: (entry[0], entry[2], -1 if entry[1] is None else entry[1]))


def test_threads_that_fill_their_own_make_one_sum() -> None:
    of = side([typed("integer"), typed("text")])
    rows = [row(struct.pack(">i", number), str(number).encode()) for number in range(20_000)]
    whole = digest(of, *rows)
    parts = [whole.fresh() for _ in range(4)]
    threads = [
        threading.Thread(target=part.read_copy, args=(0, b"".join(rows[at::4]))) for at, part in enumerate(parts)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    total = parts[0]
    for part in parts[1:]:
        total.merge(part)
        assert part.rows() == [0]
    assert total.rows() == [20_000]
    assert whole.compare(total) == []


def test_rows_that_are_none_are_an_internal_error_with_their_place() -> None:
    digester = Digester(side([typed("integer"), typed("jsonb")]))
    with pytest.raises(InternalError) as caught:
        digester.read_copy(0, row(bytes(4), b"\x01{}") + row(bytes(4), b"\x01{"))
    assert caught.value.code == "copy-rows"
    assert caught.value.context == {"row": 1, "column": 1}
    for wrong in (row(bytes(4)), row(bytes(4), None)[:-1], TRAILER + row(bytes(4), None)):
        with pytest.raises(InternalError):
            digester.read_copy(0, wrong)
    with pytest.raises(InternalError, match="no table 1"):
        digester.read_copy(1, b"")
    assert digester.read_copy(0, b"") == digester.read_copy(0, HEADER + TRAILER) == 0


@pytest.mark.parametrize("wrong", ["", "[]", "{}", '{"buckets": 1, "columns": [], "tables": [], "more": 1}'])
def test_sides_that_cannot_be_read_are_value_errors(wrong: str) -> None:
    with pytest.raises(ValueError, match="side"):
        Digester(wrong)
    with pytest.raises(ValueError, match="side"):
        Finder(wrong, "[]", 1)


def test_what_belongs_to_other_sides_is_not_put_together() -> None:
    one, other = Digester(side([typed("integer")])), Digester(side([typed("integer"), typed("text")]))
    with pytest.raises(ValueError, match="different"):
        one.merge(other)
    with pytest.raises(ValueError, match="different"):
        one.compare(other)
    with pytest.raises(ValueError, match="not there"):
        Finder(side([typed("integer")]), "[[0, 1, []]]", 1)
