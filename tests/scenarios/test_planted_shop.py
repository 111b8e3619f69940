"""A shop with planted faults, carried by the command: the books, the ledgers and every row must be as planted.

The comparison's accounts come from the truth the generator wrote, not from isthmus's own ledgers.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest

from isthmus.verify.reference import Reference, bson, load
from isthmus.verify.reference.compare import GivenAccounts, digest_of
from tests.generators.shop import write_shop
from tests.oracle.copying import compared, copy, documents_of
from tests.oracle.ledgers import run_facts

Truth = dict[str, Any]


def derived(reference: Reference, collection: str, id_hex: str) -> str:
    value = bson.read_document(bytes.fromhex(id_hex))[0][1]
    return reference.ids.derive(collection, value, "uuid")


def accounts_from(truth: Truth, reference: Reference, source: Path) -> GivenAccounts:
    accounts = GivenAccounts()
    late = {(collection, identifier) for collection, identifier in truth["finish_letters"]}
    for collection, document in documents_of(source, list(reference.rules.collections)):
        identifier = bson.value_at(bson.read_document(document), ("_id",))
        assert identifier is not None
        id_document = bytes([identifier.type]) + b"_id\0" + identifier.raw + b"\0"
        written = (len(id_document) + 4).to_bytes(4, "little") + id_document
        if (collection, written.hex()) in late:
            accounts.dead_documents.add((collection, digest_of(document)))
    for table, identifier, positions, column in truth["nulls"]:
        key = "/".join([derived(reference, "Orders", identifier), *map(str, positions)])
        accounts.nulls.add((table, key, column))
    for coupon, order in truth["pairs"]:
        pair = (derived(reference, "Coupons", coupon), derived(reference, "Orders", order))
        accounts.pairs.add(("coupons_to_orders", *pair))
    return accounts


@pytest.mark.parametrize("seed", [1, 2])
def test_a_planted_shop_arrives_as_planted(seed: int, tmp_path: Path, database: str) -> None:
    source, mapping, truth = write_shop(tmp_path, seed=seed, orders=1_000)
    copied = copy(mapping, source, database)
    assert copied.code == 1, copied.said
    assert copied.report is not None
    for collection, read in truth["read"].items():
        books = copied.report["collections"][collection]
        letters = {code: len(found) for code, found in truth["letters"].get(collection, {}).items()}
        skipped = truth["skipped"].get(collection, 0)
        assert books["read"] == read
        assert books["skipped"] == skipped
        assert books["dead_letters"] == sum(letters.values())
        assert books["copied"] == read - skipped - sum(letters.values())
    with psycopg.connect(database) as connection:
        facts = run_facts(connection)
        query = "SELECT collection, code, encode(source_id, 'hex') FROM isthmus.dead_letter"
        found = {(collection, code, identifier) for collection, code, identifier in connection.execute(query)}
    assert found == {
        (collection, code, identifier)
        for collection, codes in truth["letters"].items()
        for code, identifiers in codes.items()
        for identifier in identifiers
    }
    reference = Reference(load(mapping), facts.key, facts.now_us)
    accounts = accounts_from(truth, reference, source)
    assert not compared(mapping, source, database, accounts).differences
    assert not compared(mapping, source, database).differences
    # Without accounts the comparison names exactly what was planted.
    unexcused = compared(mapping, source, database, GivenAccounts()).differences
    assert {(one.table, one.id, one.path) for one in unexcused if one.what == "different"} == accounts.nulls
    missing = {(one.table, *one.id.split("/")) for one in unexcused if one.what == "missing" and "/" in one.id}
    assert missing == accounts.pairs
    assert sum(one.what == "missing" and one.table == "users" for one in unexcused) == len(truth["finish_letters"])
    assert len(unexcused) == len(accounts.nulls) + len(accounts.pairs) + len(truth["finish_letters"])


def test_every_planted_orphan_is_in_the_ledger(tmp_path: Path, database: str) -> None:
    source, mapping, truth = write_shop(tmp_path, seed=3, orders=500)
    assert copy(mapping, source, database).code == 1
    with psycopg.connect(database) as connection:
        reference = Reference(load(mapping), run_facts(connection).key, run_facts(connection).now_us)
        query = "SELECT table_name, column_name, row_id, row_position, action FROM isthmus.orphan"
        rows = connection.execute(query).fetchall()
    nulls = sorted(
        (table, column, row, list(position or [])) for table, column, row, position, action in rows if action == "null"
    )
    assert nulls == sorted(
        (table, column, derived(reference, "Orders", identifier), positions)
        for table, identifier, positions, column in truth["nulls"]
    )
    assert sum(action == "drop" for *_, action in rows) == len(truth["pairs"])
