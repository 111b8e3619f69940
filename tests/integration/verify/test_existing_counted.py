"""Joined documents in tables that were there before: how many rows there are is counted of all others.

Also how long each layer is said to have taken. Damage is plain SQL of the tests' own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from isthmus.verify.report.choosing import uncompared
from tests.fix_postgres import create_database, drop_database
from tests.integration.copy.carrying import oid
from tests.integration.verify.made import Made, make
from tests.integration.verify.test_layers import verified

BEFORE = 'CREATE TABLE "Übers" (id uuid PRIMARY KEY, mail text UNIQUE, "a b" text)'
MAPPING = """
isthmus: 1
target: {tables: existing}
collections:
  Übers:
    table: Übers
    on_duplicate: merge
    fields: {mail: {type: text, unique: true}, a b: {column: a b, type: text}}
"""
USERS: list[dict[str, Any]] = [{"_id": oid(n), "mail": f"{n}@x", "a b": "x"} for n in range(1, 6)]
USERS += [{"_id": oid(n), "mail": "same@x", "a b": "y"} for n in range(6, 10)]


@pytest.fixture(scope="module")
def joined(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    conninfo = create_database(postgres)
    folder = tmp_path_factory.mktemp("joined") / "dump" / "shop"
    yield make(conninfo, folder, MAPPING, {"Übers": USERS}, before=BEFORE)
    drop_database(postgres, conninfo)


def test_rows_that_are_missing_beside_joined_ones_are_counted(joined: Made, twin_of: Callable[[Made], Made]) -> None:
    made = twin_of(joined)
    assert made.one('SELECT count(*) FROM "Übers"') == 6
    made.do("""DELETE FROM "Übers" WHERE mail IN ('1@x', '2@x', '3@x')""")  # fewer than there are joined documents
    counts = verified(made, ("counts",)).layers["counts"]
    (one,) = counts.differences
    assert (one.table, one.path, counts.found) == ("Übers", "(rows)", 3)
    assert int(one.expected or 0) - int(one.actual or 0) == 3


def test_joined_rows_are_left_out_with_their_reason(joined: Made, twin_of: Callable[[Made], Made]) -> None:
    result = verified(twin_of(joined), ("counts", "checksum"))
    assert result.passed, result.differences
    told = {one.layer: one for one in uncompared(result)}
    assert all("joined with others" in one.why for one in told.values()), told
    assert told["counts"].count == 4
    assert "Übers.a b" in told["checksum"].places
    (row,) = (one for one in result.layers["counts"].columns if one.left_out)
    assert (row.table, row.column, row.compared, row.left_out) == ("Übers", "", 5, 4)


def test_comparing_every_row_is_the_time_of_the_checksum(joined: Made, twin_of: Callable[[Made], Made]) -> None:
    made = twin_of(joined)
    layers = verified(made, ("counts", "checksum")).layers
    assert layers["checksum"].seconds > layers["counts"].seconds >= 0  # a hundred statements, and a few
    assert verified(made, ("counts",)).layers["counts"].seconds > 0
