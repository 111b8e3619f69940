"""The layer samples on documents that must have no rows: left behind by a rule, or dead letters."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from bson import encode

from isthmus._rust import IdCodec
from tests.integration.verify.made import Made
from tests.integration.verify.shop import oid
from tests.integration.verify.test_layers import verified

MAPPING = """
isthmus: 1
collections:
  Old: {from: [Old, New], table: things, skip: [{when: {gone: true}, why: was deleted}], fields: {n: integer}}
"""


@pytest.fixture
def skipping(make_here: Callable[..., Made]) -> Made:
    """A copy with documents that are left behind, one that cannot be carried, and an `_id` of both collections."""
    old = [
        {"_id": oid(1), "n": 1},
        {"_id": oid(2), "gone": True},
        {"_id": oid(3), "n": "x"},
        {"_id": oid(4), "gone": True},
    ]
    return make_here(MAPPING, {"Old": old, "New": [{"_id": oid(4), "n": 4}]})


def test_undamaged(skipping: Made) -> None:
    result = verified(skipping)
    assert result.passed, result.differences


@pytest.mark.parametrize(("number", "why"), [(2, "left behind by a rule"), (3, None)])
def test_row_of_a_document_that_must_have_none(skipping: Made, number: int, why: str | None) -> None:
    key = bytes(skipping.one("SELECT key FROM isthmus.id_key"))
    row = IdCodec(key).derive("Old", encode({"_id": oid(number)}), "uuid")
    skipping.do(f"INSERT INTO things (id, n) VALUES ('{row}', 7)")
    result = verified(skipping, ("samples", "checksum"))
    assert [(one.path, one.id) for one in result.layers["checksum"].differences] == [("(row)", row)]
    # a dead letter is not drawn as a document; its row is an extra one for the checksum
    found = [(one.path, one.id, one.message) for one in result.layers["samples"].differences]
    assert [(path, row_id) for path, row_id, _ in found] == ([("(row)", row)] if why else [])
    assert all(why is not None and why in message for _, _, message in found)
