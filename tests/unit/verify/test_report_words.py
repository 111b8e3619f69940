"""What a verification is called, and what of it is told where there is not room for all."""

from __future__ import annotations

import pytest

from isthmus.verify.report.choosing import coverage, first_differences, uncompared
from isthmus.verify.report.words import WORDS, checked_words, tone, value_words, verdict
from isthmus.verify.result import LAYERS, ColumnCheck, LayerResult, Verified
from tests.unit.verify.made import failed, passed


def test_verified_is_said_only_of_all_layers_that_found_nothing() -> None:
    assert verdict(passed()) == "Verified: 7 layers, 12,345 rows compared, nothing differs."
    some = passed("counts", "schema")
    stopped = passed()
    stopped.interrupted = True
    for one in (some, stopped, failed(), Verified()):
        assert "Verified" not in verdict(one), verdict(one)
    assert verdict(some) == "Nothing differs in 2 of 7 layers (counts, schema); the others were not asked."
    assert verdict(failed()) == "Differs: 3 of 7 layers found 39 differences."
    assert verdict(stopped) == "Stopped before its end, so nothing is proven."
    stopped.layers["counts"].differs("a", "", "m")
    assert verdict(stopped) == "Stopped before its end, so nothing is proven; 1 difference so far."


def test_a_layer_that_could_not_look_at_all_makes_no_full_pass() -> None:
    lacking, alone, differing = passed(), passed("schema"), failed()
    for one in (lacking, alone, differing):
        one.layers["schema"].lacking = "whole definitions"
    assert verdict(lacking) == (
        "Nothing differs as far as could be compared: schema could not look at whole definitions."
    )
    assert verdict(alone) == (
        "Nothing differs in 1 of 7 layers (schema) as far as could be compared: schema could not look at whole"
        " definitions; the others were not asked."
    )
    assert verdict(differing) == verdict(failed())
    assert [(one.outcome, one.as_json()["outcome"], tone(one)) for one in (lacking, differing)] == [
        ("partly", "partly", "warn"),
        ("failed", "failed", "bad"),
    ]
    assert lacking.as_json()["layers"]["schema"]["outcome"] == "partly"
    assert lacking.as_json()["layers"]["checksum"]["outcome"] == "passed"
    assert lacking.passed  # nothing differs: exit code 0


def test_tone_of_a_stopped_or_empty_verification_is_never_good() -> None:
    stopped = passed()
    stopped.interrupted = True
    assert [tone(one) for one in (passed(), stopped, Verified(), failed())] == ["good", "warn", "warn", "bad"]


def test_empty_database_is_not_told_as_rows_that_were_compared() -> None:
    empty = passed()
    empty.layers["checksum"].checked = 0
    assert verdict(empty) == "Verified: 6 layers, nothing differs. Nothing to compare: checksum."
    assert checked_words(empty.layers["checksum"]) == "nothing"
    for layer in empty.layers.values():
        layer.checked = 0
    assert verdict(empty) == "Nothing was compared, so nothing is proven."
    assert not empty.passed


@pytest.mark.parametrize(
    ("unit", "words"), [("rows", "1 row"), ("bodies", "1 body"), ("documents and rows", "1 documents and rows")]
)
def test_one_of_a_unit(unit: str, words: str) -> None:
    assert checked_words(LayerResult("counts", unit=unit, checked=1)) == words


def test_every_layer_has_its_words() -> None:
    assert tuple(WORDS) == LAYERS
    # the column of a terminal of 80 columns, beside the others
    assert max(len(one.briefly) for one in WORDS.values()) <= 18


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "nothing"),
        ("", '""'),
        ("nothing", '"nothing"'),
        ("a ", '"a "'),
        ("a  b", '"a  b"'),
        ("a b", "a b"),
        ("\x1b[2J", "\\x1b[2J"),
        ("a\n", "a\\x0a"),
    ],
)
def test_values_that_would_not_be_seen_are_quoted(text: str | None, words: str) -> None:
    assert value_words(text) == words


def test_few_lines_show_every_layer_and_table() -> None:
    chosen = first_differences(failed(), 6)
    assert len(chosen) == 6
    assert {one.layer for one in chosen} == {"counts", "schema", "checksum"}
    assert {one.table for one in chosen if one.layer == "checksum"} > {"users", "orders"}
    assert first_differences(failed(), 1_000) == failed().differences
    assert first_differences(passed(), 5) == []
    assert first_differences(failed(), 0) == []


def test_differences_of_one_table_stay_together_and_in_order() -> None:
    chosen = first_differences(failed(), 12)
    users = [one.expected for one in chosen if (one.layer, one.table) == ("checksum", "users")]
    assert users == [f"Ann {number}" for number in range(len(users))]
    places = [(one.layer, one.table) for one in chosen]
    assert sorted(range(len(places)), key=lambda at: places.index(places[at])) == list(range(len(places)))


def test_what_was_left_out_is_told_by_layer_and_reason() -> None:
    found = uncompared(failed())
    assert [(one.layer, one.places, one.count) for one in found] == [
        ("types", ["users.embedding"], 12_345),
        ("checksum", ["users.embedding"], 12_345),
    ]
    counted = passed()
    for number in (5, 1_700):
        why = f"{number:,} documents were not drawn."
        counted.layers["samples"].columns.append(ColumnCheck(f"t{number}", "", left_out=number, why=why))
    (one,) = uncompared(counted)
    assert (one.places, one.count, one.why) == (["t5", "t1700"], 1_705, "documents were not drawn.")
    orphans = passed()
    for number in (1, 13):
        why = f"{number} pointing at nothing, and NULL."
        orphans.layers["samples"].columns.append(ColumnCheck("t", f"c{number}", accounted=number, why=why))
    (one,) = uncompared(orphans)
    assert (one.places, one.count, one.why) == (["t.c1", "t.c13"], 14, "pointing at nothing, and NULL.")
    silent = passed()
    silent.layers["types"].columns.append(ColumnCheck("a", "", left_out=1))
    assert uncompared(silent)[0].why == "no reason is given"


def test_coverage_joins_what_layers_did_about_a_column() -> None:
    found = coverage(failed())
    assert [(one.table, one.column) for one in found][:3] == [("users", ""), ("users", "name"), ("users", "embedding")]
    assert set(found[1].checks) == {"types", "checksum"}
    assert found[2].why == "types: A vector has no canonical form. checksum: A vector has no canonical form."
    twice = passed()
    for _ in range(2):
        twice.layers["types"].columns.append(ColumnCheck("a", "b", compared=2, left_out=1, why="w"))
    (one,) = coverage(twice)
    assert (one.checks["types"].compared, one.checks["types"].left_out, one.why) == (4, 2, "types: w")
