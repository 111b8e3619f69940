"""What a switch says of one document, and how many it takes at once. Oracle: bytes and rows written here by hand."""

from __future__ import annotations

from uuid import uuid4

import bson
import pytest

from isthmus.errors import PolyglotError
from isthmus.polyglot.switch import documents
from isthmus.polyglot.switch.documents import batches, problems_of_rows, row_problems, source_problems
from isthmus.polyglot.switch.place import Place, Table, refuse_other
from isthmus.polyglot.switch.sides import Pair


def test_batches_are_bounded_by_bytes_as_well_as_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "_BATCH_BYTES", 100)
    monkeypatch.setattr(documents, "_BATCH", 3)
    pairs = [Pair(str(size), b"x" * size, "y" * size) for size in (1, 1, 1, 1, 60, 1, 40, 20, 1)]
    sizes = [[pair.id for pair in batch] for batch in batches(pairs)]
    assert sizes == [["1", "1", "1"], ["1", "60"], ["1", "40", "20"], ["1"]]
    assert [*batches([])] == []


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ('{"_id":"a","when":{"$oid":"x"}}', "no document in Isthmus's form"),
        ("[]", "no document in Isthmus's form"),
        ('"a"', "no document in Isthmus's form"),
        ('{"bio":"x"}', "not the _id in it"),
        ('{"_id":"b"}', "not the _id in it"),
        ('{"_id":"a","_isthmus":1}', "Isthmus's own"),
        ('{"_id":"a","deep":{"$x":1}}', "begins with $"),
        (f'{{"_id":"a","text":"{"x" * 16_800_000}"}}', "MongoDB takes"),
    ],
    ids=lambda one: one[:30],
)
def test_rows_that_could_not_go_back_are_named(row: str, words: str) -> None:
    (found,) = row_problems("people", "a", row)
    assert words in found.message
    assert found.where.source_id == "a"


def test_rows_with_ids_of_two_kinds_are_refused_and_good_ones_are_not() -> None:
    text, other = '{"_id":"a"}', '{"_id":{"$oid":"6b03f18017075ee826729163"}}'
    assert problems_of_rows("people", [("a", text), ("b", '{"_id":"b"}')], 5) == []
    with pytest.raises(PolyglotError, match="one kind") as caught:
        problems_of_rows("people", [("a", text), ("6b03f18017075ee826729163", other)], 5)
    assert caught.value.code == "switch-ids"
    assert len(problems_of_rows("people", [("x", text)] * 9, 5)) == 5


def test_documents_whose_texts_are_no_utf_8_are_named() -> None:
    data = bson.encode({"_id": "a", "deep": [{"bio": "xy"}]}).replace(b"xy", b"\xff\xfe")
    (found,) = source_problems("people", "a", data)
    assert "cannot be read" in found.message
    assert [*source_problems("people", "a", bson.encode({"_id": "a", "bio": "ü"}))] == []


HERE, THERE = uuid4(), uuid4()
BEFORE = Place("table people", Table(7, "app.people"), "app", HERE)


@pytest.mark.parametrize(
    ("named", "code"),
    [
        (Place("table other", Table(7, "app.renamed"), "app", HERE), None),
        (Place("table people", Table(8, "app.people"), "app", HERE), "switch-other-table"),
        (Place("mapping m.yaml", None, "app", HERE), "switch-other-table"),
        (Place("table people", Table(7, "app.people"), "app", THERE), "switch-other-source"),
        (Place("table people", Table(7, "app.people"), "app", None), "switch-other-source"),
        (Place("table people", Table(7, "app.people"), "App", HERE), "switch-other-source"),
    ],
)
def test_a_place_is_told_from_another(named: Place, code: str | None) -> None:
    if code is None:
        return refuse_other("people", BEFORE, named, "was switched with")
    with pytest.raises(PolyglotError, match="was switched with") as caught:
        refuse_other("people", BEFORE, named, "was switched with")
    assert caught.value.code == code
    return None


def test_what_is_not_known_is_not_held_against_anything() -> None:
    refuse_other("people", Place("table people"), BEFORE, "was switched with")
    refuse_other("people", Place("table people", None, "app", None), BEFORE, "was switched with")
