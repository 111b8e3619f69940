"""What values became, as the core calls it and as the oracle does: the two can be compared, and on these they agree."""

from __future__ import annotations

import bson
import pytest

from isthmus.verify.became import folded
from isthmus.verify.reference.became import OTHER, Word, number, value
from tests.oracle.agreement import Pair


@pytest.mark.parametrize(
    ("called", "was", "became"),
    [
        ('"Active" → "ACTIVE"', ("text", "Active"), ("text", "ACTIVE")),
        ('"a \\" → \\"b" → "c → d"', ("text", 'a " → "b'), ("text", "c → d")),
        ('"missing" → "null"', ("text", "missing"), ("text", "null")),
        ("missing → now", ("word", "missing"), ("word", "now")),
        ("* → null", ("word", "*"), ("word", "null")),
        ("1.50 → true", ("number", "1.5"), ("truth", "true")),
        ("-0 → 1E+3", ("number", "0"), ("number", "1E+3")),
        ('5 → {"a":1}', ("number", "5"), OTHER),
        ("null → 2024-01-31T00:00:00Z", ("word", "null"), OTHER),
    ],
)
def test_what_the_core_calls_a_change_is_read_back(called: str, was: Word, became: Word) -> None:
    assert folded({called: 3}) == {(was, became): 3}


def test_one_number_is_one_whatever_its_spelling() -> None:
    assert number("1000") == number("1E+3") == number("1000.00") == value(1000) == value(1e3)
    assert number("0.10000000000000000000000000000000001") != number("0.1")
    assert number("NaN") == value(float("nan"))
    assert value(True) != value(1) != value("1")
    assert value("2024-01-31", "date") == OTHER != value("2024-01-31", "text")


def test_defaults_and_values_are_told_by_core_and_oracle_alike() -> None:
    both = Pair(
        {
            "isthmus": 1,
            "enums": {"state": ["ON", "OFF"]},
            "collections": {
                "Main": {
                    "fields": {
                        "s": {
                            "type": "state",
                            "default": "ON",
                            "default_for": ["missing", "null"],
                            "values": {"*": "OFF"},
                        },
                        "n": {"type": "numeric(6,2)", "default": 1.5, "values": {"one": 1, True: 2}},
                        "d": {"type": "date", "default": "2024-01-31", "default_for": ["null", "missing"]},
                        "l": {"type": "text[]", "values": {"a": "b"}, "default": []},
                        "j": {"type": "jsonb", "default": {"literal": {"a": 1}}, "values": {"x": 5, "y": "z"}},
                    }
                }
            },
        }
    )
    documents = [
        {"_id": 1, "s": None, "n": "one", "d": None, "l": ["a", None, "c", "a"], "j": "x"},
        {"_id": 2, "s": "any", "n": True, "j": "y"},
        {"_id": 3, "n": None, "l": None},
    ]
    raw = [bson.encode(one) for one in documents]
    assert both.disagreements(raw) == []
    assert both.core.transcode(b"".join(raw)).became() == {
        "main.s:default": {'null → "ON"': 1, 'missing → "ON"': 1},
        "main.s:value_mapped": {'* → "OFF"': 1},
        "main.n:value_mapped": {'"one" → 1': 1, "true → 2": 1},
        "main.d:default": {"null → 2024-01-31T00:00:00.000Z": 1, "missing → 2024-01-31T00:00:00.000Z": 2},
        "main.l:value_mapped": {'"a" → "b"': 2},
        "main.l:default": {"missing → []": 1},
        "main.j:value_mapped": {'"x" → 5': 1, '"y" → "z"': 1},
        "main.j:default": {'missing → {"a":{"$numberInt":"1"}}': 1},
    }
