"""Values as a difference shows them are what PostgreSQL prints; the server is the judge.

Blind spots: jsonb, which is shown in its canonical form; decimals exactly between two numbers of a width, of which the
server takes more digits.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from isthmus.verify.reference.forms import read_form, sql_form
from isthmus.verify.reference.printed import printed
from isthmus.verify.reference.values import Type

RANDOM = random.Random(7)


def floats(width: str) -> list[str]:
    size, pack = (8, ">d") if width == "double" else (4, ">f")
    some = [struct.unpack(pack, RANDOM.randbytes(size))[0] for _ in range(300)]
    # whole numbers about where the server begins to write an exponent
    exponents = range(-8, 2 * size - 6)
    some += [float(f"{digits}e{exponent}") for digits in ("1", "1.25", "123456") for exponent in exponents]
    # the smallest powers of two have the fewest digits that are safe, and the server rounds them as it likes
    return [repr(one) for one in some if abs(one) > 1e-30] + ["0", "-0", "NaN", "Infinity", "-Infinity", "1.5", "0.1"]


GIVEN = {
    "double": ("double precision", floats("double")),
    "real": ("real", [one for one in floats("real") if "e" not in one or abs(float(one)) < 3e38]),
    "date": ("date", ["2026-01-31", "2024-02-29", "0044-03-15 BC", "0001-01-01", "4713-01-01 BC", "12000-12-31",
                      "infinity", "-infinity"]),
    "timestamp": ("timestamp", ["2026-01-31 23:59:59.5", "0001-12-31 23:59:59.999999 BC", "1969-12-31 00:00:00.000001",
                                "infinity"]),
    "timestamptz": ("timestamptz", ["2026-01-31 12:00:00+02", "290000-01-01 00:00:00+00", "-infinity"]),
    "bytea": ("bytea", ["\\x", "\\x00ff"]),
    "text": ("text", ["", " a ", "NULL"]),
    "integer": ("integer", ["-5", "0"]),
    "numeric": ("numeric", ["1.50", "NaN", "-0.001"]),
    "uuid": ("uuid", ["0197f1b4-32ab-8cde-8123-456789000003"]),
}  # fmt: skip


@pytest.fixture
def connection(database: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection


@pytest.mark.parametrize("kind", GIVEN)
def test_value_is_shown_as_the_server_prints_it(connection: psycopg.Connection[Any], kind: str) -> None:
    name, texts = GIVEN[kind]
    query = f"SELECT {sql_form('v', Type(kind))}, v::text FROM unnest(%s::{name}[]) AS v"
    for fetched, wanted in connection.execute(query.encode(), (texts,)):
        assert printed(read_form(fetched, Type(kind)), Type(kind)) == wanted


def test_every_day_of_eight_hundred_years_and_years_far_away(connection: psycopg.Connection[Any]) -> None:
    days = [*range(-146_097, 146_097), *(RANDOM.randrange(-2_440_000, 2_000_000_000) for _ in range(2_000))]
    query = "SELECT d, (date '1970-01-01' + d)::text FROM unnest(%s::integer[]) AS d WHERE d < 2145031948"
    for day, wanted in connection.execute(query, (days,)):
        assert printed(str(day), Type("date")) == wanted


def test_no_value_and_arrays() -> None:
    assert printed(None, Type("double")) == "NULL"
    assert printed(["3ff8000000000000", None], Type("double", array=True)) == "{1.5,NULL}"
    assert printed(["[0:1]", "0", None], Type("date", array=True)) == "{[0:1],1970-01-01,NULL}"
