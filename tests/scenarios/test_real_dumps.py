"""Real mongodump folders, copied by the command and compared row by row with the oracle.

The folders are not part of the repository: `ISTHMUS_REAL_DUMPS`, or `../shared/data/dump` beside the checkout.
"""

from __future__ import annotations

import os
from pathlib import Path

import psycopg
import pytest
from bson import decode_all
from psycopg import sql

from tests.oracle.copying import Copied, compared, copy

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
DUMPS = Path(os.environ.get("ISTHMUS_REAL_DUMPS") or ROOT.parent / "shared" / "data" / "dump")

pytestmark = pytest.mark.skipif(not DUMPS.is_dir(), reason="the real dumps are not here; set ISTHMUS_REAL_DUMPS")

COUNTS = {
    "sample_training": {"zips": 29_470},
    "sample_analytics": {"accounts": 1_746, "customers": 500},
    "sample_mflix": {"users": 185, "theaters": 1_564, "sessions": 1},
}


# Account 627788 is there twice: one of the two is joined into the other.
MERGED = {("sample_analytics", "accounts"): 1}


def carry(name: str, database: str) -> Copied:
    return copy(HERE / f"{name}.yaml", DUMPS / name, database)


@pytest.mark.parametrize("name", sorted(COUNTS))
def test_every_document_arrives_and_every_row_is_as_the_oracle_says(name: str, database: str) -> None:
    copied = carry(name, database)
    assert copied.code == 0, copied.said
    assert copied.report is not None
    assert copied.report["outcome"] == "complete"
    for collection, count in COUNTS[name].items():
        books = copied.report["collections"][collection]
        merged = MERGED.get((name, collection), 0)
        assert (books["read"], books["copied"], books["merged"]) == (count, count - merged, merged)
        assert books["dead_letters"] == 0
        assert books["tables"] == {collection: count - merged}
    found = compared(HERE / f"{name}.yaml", DUMPS / name, database)
    assert not found.differences
    assert found.totals.documents == COUNTS[name]
    assert not found.totals.rejected
    assert found.totals.merged == {collection: MERGED.get((name, collection), 0) for collection in COUNTS[name]}


def test_accounts_become_a_junction(database: str) -> None:
    assert carry("sample_analytics", database).code == 0
    with psycopg.connect(database) as connection:
        pairs = connection.execute(
            "SELECT c.email, c.username, a.account_id FROM customers_accounts j"
            " JOIN customers c ON c.id = j.customer_id JOIN accounts a ON a.id = j.account_id"
        ).fetchall()
    customers = decode_all((DUMPS / "sample_analytics" / "customers.bson").read_bytes())
    planted = [(one["email"], one["username"], number) for one in customers for number in set(one["accounts"])]
    assert sorted(pairs) == sorted(planted)
    assert sum(number == 627788 for _, _, number in pairs) > 0


@pytest.mark.parametrize("name", sorted(COUNTS))
def test_the_mapping_names_every_field(name: str, database: str) -> None:
    assert carry(name, database).code == 0
    with psycopg.connect(database) as connection:
        for table in COUNTS[name]:
            query = sql.SQL("SELECT count(*) FROM {} WHERE extras IS NOT NULL").format(sql.Identifier(table))
            assert connection.execute(query).fetchone() == (0,)


@pytest.mark.parametrize("name", sorted(COUNTS))
def test_a_second_copy_changes_nothing(name: str, database: str) -> None:
    assert carry(name, database).code == 0
    again = carry(name, database)
    assert again.code == 0, again.said
    assert not compared(HERE / f"{name}.yaml", DUMPS / name, database).differences


CHANGES = {
    "UPDATE zips SET population = population + 1 WHERE id = (SELECT min(id::text)::uuid FROM zips)": (
        "different",
        "population",
    ),
    "UPDATE zips SET latitude = latitude + 1e-12 WHERE id = (SELECT max(id::text)::uuid FROM zips)": (
        "different",
        "latitude",
    ),
    "DELETE FROM zips WHERE id = (SELECT max(id::text)::uuid FROM zips)": ("missing", "(row)"),
    "INSERT INTO zips SELECT gen_random_uuid(), city, zip, latitude, longitude, population, state FROM zips LIMIT 1": (
        "extra",
        "(row)",
    ),
    "UPDATE zips SET extras = '{}' WHERE id = (SELECT max(id::text)::uuid FROM zips)": ("different", "extras"),
}


@pytest.mark.parametrize(
    "statement", [pytest.param(one, marks=() if "1e-12" in one else pytest.mark.soak) for one in CHANGES]
)
def test_the_comparison_sees_one_changed_row_of_thirty_thousand(database: str, statement: str) -> None:
    mapping, source = HERE / "sample_training.yaml", DUMPS / "sample_training"
    assert carry("sample_training", database).code == 0
    with psycopg.connect(database) as connection:
        assert connection.execute(statement.encode()).rowcount == 1
    found = compared(mapping, source, database).differences
    assert [(one.what, one.path) for one in found] == [CHANGES[statement]]
