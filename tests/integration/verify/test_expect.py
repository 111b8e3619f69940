"""The layer rules and `expect`: every value that is not as expected is named with its row, and no other is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from bson import Decimal128

from isthmus.verify.result import LayerResult
from isthmus.verify.rules import check
from tests.integration.verify.made import Made, found
from tests.integration.verify.shop import oid

PLAIN = """
isthmus: 1
collections:
  events:
    fields:
      contact: {type: text}
      contacts: {type: "text[]"}
      code: {type: varchar(20)}
      seats: {type: integer}
      price: {type: numeric}
      ratio: {type: double}
      ratios: {type: "double[]"}
      day: {type: date}
      from: {column: starts_at, type: timestamptz}
      to: {column: ends_at, type: timestamptz}
      pin: {type: text, sensitive: true}
      stops: {child: stops, fields: {at: timestamptz, left: timestamptz}}
"""
EXPECT = {
    "contact: {type: text": "expect: email",
    'contacts: {type: "text[]"': "expect: email",
    "code: {type: varchar(20)": 'expect: {pattern: "^[A-Z]{2}-[0-9]+$"}',
    "seats: {type: integer": "expect: {min: 1, max: 100}",
    "price: {type: numeric": "expect: {min: 0, max: 99.90}",
    "ratio: {type: double": "expect: {max: 1}",
    'ratios: {type: "double[]"': "expect: {min: 0.5}",
    "day: {type: date": 'expect: {min: "2020-01-01", max: "2020-12-31"}',
    "starts_at, type: timestamptz": 'expect: {min: "2020-01-01T00:00:00Z"}',
    "ends_at, type: timestamptz": "expect: {not_before: starts_at}",
    "sensitive: true": 'expect: {pattern: "^[0-9]{4}$"}',
}


def stated() -> str:
    """The mapping with all that is expected."""
    text = PLAIN.replace("left: timestamptz", "left: {type: timestamptz, expect: {not_before: at}}")
    for rule, expect in EXPECT.items():
        assert text.count(rule) == 1
        text = text.replace(rule, f"{rule}, {expect}")
    return text


def at(hour: int) -> datetime:
    return datetime(2020, 6, 1, hour, tzinfo=UTC)


GOOD: dict[str, Any] = {
    "contact": "o'neil+news@mail.example.org",
    "contacts": ["a@b", "x_y@z-1.example"],
    "code": "AB-1",
    "seats": 100,
    "price": Decimal128("99.900"),
    "ratio": 1.0,
    "ratios": [0.5, 7.0],
    "day": datetime(2020, 12, 31, tzinfo=UTC),
    "from": at(8),
    "to": at(8),
    "pin": "1234",
    "stops": [{"at": at(1), "left": at(1)}, {"at": at(2)}, {"left": at(2)}],
}
EDGES: list[dict[str, Any]] = [
    {},
    {"contacts": [None, "a@b.c"], "ratios": [], "to": at(0)},
    {"seats": 1, "price": Decimal128("0.00"), "day": datetime(2020, 1, 1, tzinfo=UTC)},
    {"contact": "a" * 300 + "@" + "b" * 63 + ".c", "from": datetime(2020, 1, 1, tzinfo=UTC)},
]
BAD: dict[str, tuple[dict[str, Any], str, str, str | None]] = {
    # the document's fields; column, word of the rule, value that is shown
    "no at sign": ({"contact": "nobody"}, "contact", "email", "nobody"),
    "two at signs": ({"contact": "a@b@c.de"}, "contact", "email", "a@b@c.de"),
    "white space": ({"contact": "a@b.de "}, "contact", "email", "a@b.de "),
    "line break at the end": ({"contact": "a@b.de\n"}, "contact", "email", "a@b.de\n"),
    "beyond ASCII": ({"contact": "jörg@x.de"}, "contact", "email", "jörg@x.de"),
    "label that is too long": ({"contact": "a@" + "b" * 64}, "contact", "email", "a@" + "b" * 64),
    "hyphen at the end": ({"contact": "a@b-.de"}, "contact", "email", "a@b-.de"),
    "empty text": ({"contact": ""}, "contact", "email", ""),
    "element": ({"contacts": ["a@b.c", None, "?"]}, "contacts", "email", '{a@b.c,NULL,"?"}'.replace('"', "")),
    "pattern": ({"code": "AB-"}, "code", "pattern", "AB-"),
    "too few": ({"seats": 0}, "seats", "min", "0"),
    "too many": ({"seats": 101}, "seats", "max", "101"),
    "a little too much": ({"price": Decimal128(Decimal("99.9001"))}, "price", "max", "99.9001"),
    "less than nothing": ({"price": Decimal128("-0.01")}, "price", "min", "-0.01"),
    "not a number": ({"ratio": float("nan")}, "ratio", "max", "NaN"),
    "infinity": ({"ratio": float("inf")}, "ratio", "max", "Infinity"),
    "not a number, in an array": ({"ratios": [1.0, float("nan")]}, "ratios", "min", "{1,NaN}"),
    "day before": ({"day": datetime(2019, 12, 31, tzinfo=UTC)}, "day", "min", "2019-12-31"),
    "day after": ({"day": datetime(2021, 1, 1, tzinfo=UTC)}, "day", "max", "2021-01-01"),
    "before its time": ({"from": datetime(2019, 6, 1, tzinfo=UTC)}, "starts_at", "min", "2019-06-01 00:00:00+00"),
    "end before begin": ({"from": at(9), "to": at(8)}, "ends_at", "not_before", "2020-06-01 08:00:00+00"),
    "sensitive": ({"pin": "12345"}, "pin", "pattern", "(hidden)"),
}


def rules_of(made: Made) -> LayerResult:
    with made.subject() as subject:
        return check(subject)


def test_what_is_as_expected_passes(make_here: Callable[..., Made]) -> None:
    documents = [{"_id": oid(n), **one} for n, one in enumerate([GOOD, *EDGES], 1)]
    result = rules_of(make_here(stated(), {"events": documents}))
    assert found(result) == []
    compared = {(one.table, one.column): one.compared for one in result.columns}
    assert (compared["events", "contact"], compared["events", "seats"], compared["stops", "left"]) == (2, 2, 2)
    assert not any("expect" in note for note in result.notes)


def test_what_is_not_is_named_and_nothing_else_is(make_here: Callable[..., Made]) -> None:
    documents = [{"_id": oid(n), **GOOD, **one[0]} for n, one in enumerate(BAD.values(), 1)]
    documents.append({"_id": oid(99), "stops": [{"at": at(3), "left": at(4)}, {"at": at(3), "left": at(2)}]})
    made = make_here(stated(), {"events": documents})
    seen = {(one.table, one.path, one.message.rsplit(": ", 1)[1], one.actual) for one in rules_of(made).differences}
    expected = {("events", column, f"{word}.", value) for _, column, word, value in BAD.values()}
    assert seen == expected | {("stops", "left", "not_before.", "2020-06-01 02:00:00+00")}


def test_each_is_named_with_its_row(make_here: Callable[..., Made]) -> None:
    made = make_here(stated(), {"events": [{"_id": oid(1), **GOOD}, {"_id": oid(2), "contact": "nobody"}]})
    result = rules_of(made)
    (one,) = result.differences
    assert (result.found, result.unexpected) == (1, 1)
    assert one.id == str(made.one("SELECT id FROM events WHERE contact = 'nobody'"))
    assert (one.expected, one.actual) == ("an e-mail address", "nobody")


def test_it_may_be_stated_after_the_copy(make_here: Callable[..., Made]) -> None:
    made = make_here(PLAIN, {"events": [{"_id": oid(1), **GOOD, "contact": "nobody"}]})
    before = rules_of(made)
    assert found(before) == []
    assert any("`expect`" in note for note in before.notes)
    after = rules_of(replace(made, mapping=stated()))
    assert [(one.path, one.actual) for one in after.differences] == [("contact", "nobody")]


def test_pattern_that_is_none_is_no_pass(make_here: Callable[..., Made]) -> None:
    text = PLAIN.replace("contact: {type: text}", 'contact: {type: text, expect: {pattern: "("}}')
    result = rules_of(make_here(text, {"events": [{"_id": oid(1), **GOOD}]}))
    (one,) = result.differences
    assert one.path == "contact"
    assert "regular expression" in one.message


def test_flows_that_expect_different_things(make_here: Callable[..., Made]) -> None:
    text = """
isthmus: 1
collections:
  a: {table: t, fields: {n: {type: integer, expect: {min: 5}}}}
  b: {table: t, fields: {n: {type: integer}}}
"""
    result = rules_of(make_here(text, {"a": [{"_id": oid(1), "n": 9}], "b": [{"_id": oid(2), "n": 1}]}))
    assert found(result) == []
    (check_,) = [one for one in result.columns if one.column == "n"]
    assert (check_.compared, check_.left_out) == (0, 2)
    assert "different `expect`" in check_.why


def test_the_copy_carries_what_is_not_as_expected(make_here: Callable[..., Made]) -> None:
    made = make_here(stated(), {"events": [{"_id": oid(1), "seats": 0}]})
    assert made.one("SELECT seats FROM events") == 0
    assert made.one("SELECT count(*) FROM isthmus.dead_letter") == 0
    assert made.one("SELECT count(*) FROM pg_constraint WHERE contype = 'c' AND conrelid = 'events'::regclass") == 0
