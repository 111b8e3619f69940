"""Faults planted in the core turn the layer samples red, and nothing else can: the checksum shares them.

The copy and the verification run with the same fault (`tests.faulty_core`); the oracle of samples knows nothing of it.
Faults of a conversion are planted in the rows that a copy gets, type by type; samples must name row and column of each.
Then the checksum is red too, for it goes through the core as it is.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from psycopg import sql

from tests.damage.case import Named
from tests.damage.source import THINGS
from tests.damage.target import Ended, Target, create_database, drop_database

Change = tuple[list[str | int], Any]

_SHAPE: list[str | int] = ["shapes", 0]
_THINGS = 'Things "ü" %'
_BY_ORACLE = {"accounts", "people"}
"""Tables of which the checksum leaves rows to the oracle, which shares no fault: joined ones, orphans in arrays."""


@dataclass(frozen=True)
class Fault:
    """One fault.

    Attributes:
        name: What the core does wrong.
        collection: Whose documents.
        changes: Of the collection's plan.
        must: Table, and column or `(row)`, that samples must name.
        alone: Whether it changes what other faults are about.
    """

    name: str
    collection: str
    changes: Sequence[Change]
    must: tuple[tuple[str, str], ...]
    alone: bool = False


def _field(name: str, key: str = "path") -> list[str | int]:
    return [*_SHAPE, "fields", name, key]


def _column(table: str, column: str, *keys: str) -> list[str | int]:
    return [*_SHAPE, "tables", table, "columns", column, *keys]


FAULTS = [
    Fault(
        "steps of normalise left out", "people", [(_column("people", "mail", "normalise"), [])], (("people", "mail"),)
    ),
    Fault("value of another field", _THINGS, [(_field("vc"), ["text"])], ((THINGS, "vc"),)),
    Fault(
        "two columns swapped",
        _THINGS,
        [(_field("ts"), {"of": _field("tz")}), (_field("tz"), {"of": _field("ts")})],
        ((THINGS, "ts"), (THINGS, "tz")),
    ),
    Fault(
        "number rounded to fewer digits",
        _THINGS,
        [(_column(THINGS, "n2", "type", "scale"), 0), (_column(THINGS, "n2", "coerce"), True)],
        ((THINGS, "n2"),),
    ),
    Fault(
        "instant rounded to seconds",
        _THINGS,
        [(_column(THINGS, "tz3", "type", "precision"), 0), (_column(THINGS, "tz3", "coerce"), True)],
        ((THINGS, "tz3"),),
    ),
    Fault(
        "default off by one",
        "people",
        [(_column("people", "since", "default"), {"kind": "literal", "value": 1998})],
        (("people", "since"),),
    ),
    Fault(
        "default left out",
        "Orders.2024",
        [(_column("order_lines", "count", "default"), None)],
        (("order_lines", "count"),),
    ),
    Fault(
        "constant of another source",
        "Orders.2024",
        [(_column("orders", "year", "default"), {"kind": "literal", "value": 2023})],
        (("orders", "year"),),
    ),
    Fault(
        "value replaced by another one",
        "Orders 2023",
        [(_column("orders", "size", "values"), [{"from": "s", "to": "large"}])],
        (("orders", "size"),),
    ),
    Fault("element off by one", "people", [(_field("phones", "element"), 1)], (("people", "phone"),)),
    Fault(
        "labels of flags swapped",
        "people",
        [
            ([*_SHAPE, "fields", 10, "flags", 0, "path"], ["isSupplier"]),
            ([*_SHAPE, "fields", 10, "flags", 1, "path"], ["isCustomer"]),
        ],
        (("people", "kinds"),),
        alone=True,
    ),
    Fault(
        "ids inside jsonb left as they are",
        "people",
        [(_column("people", "reviewers", "rewrite"), [])],
        (("people", "reviewers"),),
    ),
    Fault(
        "field that nobody named left out",
        _THINGS,
        [(_field("vc", "path"), ["vc"]), (_field("pin"), ["unnamed %", "deep", "pin"])],
        ((THINGS, "pin"), (THINGS, "extras")),
        alone=True,
    ),
    Fault(
        "reference of another field", "people", [(_field("mates"), ["likes"])], (("people", "mate_ids"),), alone=True
    ),
    Fault("array of no field", _THINGS, [(_field("ia"), ["nowhere"])], ((THINGS, "ia"), (THINGS, "extras"))),
    Fault(
        "routed reference of no field",
        "people",
        [(_field("about"), ["nowhere"])],
        (("people", "about_person_id"), ("people", "about_team_id")),
        alone=True,
    ),
    Fault(
        "document carried that no entry takes",
        "papers",
        [(["shapes", 1, "when"], [])],
        (("notes", "(row)"),),
        alone=True,
    ),
    Fault(
        "pairs of another field", "people", [(_field("likes"), ["friends"])], (("person_likes", "(row)"),), alone=True
    ),
    Fault("skipped document carried", "people", [([*_SHAPE, "skip"], [])], (("people", "(row)"),), alone=True),
    Fault(
        "document skipped that has a row",
        "log",
        [([*_SHAPE, "skip"], [{"all": [{"path": ["line"], "op": "eq", "values": ["line 1"]}], "why": "a fault"}])],
        (("log", "(row)"),),
        alone=True,
    ),
    Fault(
        "document refused that has a row",
        _THINGS,
        [(_column(THINGS, "vc", "type", "length"), 5)],
        ((_THINGS, "(dead letters)"),),
        alone=True,
    ),
    Fault(
        "value of a table that keeps no id of another field",
        "countries",
        [(_field("name"), ["code"])],
        (("countries", "name"),),
    ),
    Fault("value of a table without key lost", "log", [(_field("level"), ["nowhere"])], (("log", "(row)"),)),
    Fault(
        "value of a table with joined documents of another field",
        "accounts",
        [(_field("title"), ["nowhere"])],
        (("accounts", "title"),),
    ),
]
TOGETHER = [fault for fault in FAULTS if not fault.alone]


def look(faults: Sequence[Fault], verified: Target, server: str) -> list[str]:
    """Copy and verify with faults; return what is not as it must be."""
    planted = json.dumps([[fault.collection, fault.changes] for fault in faults])
    target = Target(create_database(server), verified.dump, verified.mapping)
    try:
        copied = target.copy(faults=planted)
        assert copied.code == 1, copied.errors
        assert copied.report is not None
        assert copied.report["outcome"] == "complete", copied.errors
        return judged(faults, target.verify(faults=planted))
    finally:
        drop_database(server, target.conninfo)


def _rows(target: Target, query: str) -> list[tuple[str, str]]:
    with psycopg.connect(target.conninfo) as connection:
        connection.execute(sql.SQL("SET search_path = {}").format(sql.Identifier(target.schema)))
        return connection.execute(query.encode()).fetchall()


def judged(faults: Sequence[Fault], ended: Ended) -> list[str]:
    """Return which faults samples does not show, and what the checksum says against the target."""
    report = ended.report or {}
    wrong = [] if ended.code == 1 else [f"exit code {ended.code}: {ended.errors[:300]}"]
    named = {Named(one["layer"], one["table"], one["id"], one["path"]) for one in report.get("differences", [])}
    shown = {(one.table, one.path) for one in named if one.layer == "samples"}
    wrong += [f"samples does not show: {fault.name}" for fault in faults if not shown.issuperset(fault.must)]
    return wrong + [
        f"the checksum shows {tuple(one)}"
        for one in named
        if one.layer == "checksum"
        and not (one.table in _BY_ORACLE and (one._replace(layer="samples") in named or one.path == "(conflict)"))
    ]


def test_faults_planted_in_the_core_turn_samples_red(verified: Target, postgres: str) -> None:
    wrong = look(TOGETHER, verified, postgres)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    "fault",
    [pytest.param(one, id=one.name, marks=pytest.mark.slow if one.alone else pytest.mark.soak) for one in FAULTS],
)
def test_fault_planted_in_the_core_turns_samples_red(fault: Fault, verified: Target, postgres: str) -> None:
    wrong = look([fault], verified, postgres)
    assert not wrong, "\n".join(wrong)


TEXT = 'te "xt" %s'
# what the core makes of a value in the row of this label: label, column, how it becomes another one
CONVERSIONS: list[tuple[str, str, list[str | int]]] = [
    ("first", "si", ["add", 1]),
    ("first", "i", ["add", -1]),
    ("first", "bi", ["add", 1]),  # beyond what a double can tell
    ("second", "bi", ["bytes swapped"]),
    ("first", "re", ["last bit"]),
    ("first", "do", ["last bit"]),
    ("special", "do", ["null"]),  # a NaN
    ("first", "nu", ["digit", 10]),
    ("second", "nu", ["sign"]),
    ("third", "nu", ["weight"]),
    ("high", "nu", ["scale", 1]),  # one more zero
    ("special", "nu", ["null"]),  # a NaN
    ("first", "n2", ["digit", 100]),
    ("second", "n2", ["sign"]),
    ("first", "bo", ["last bit"]),
    ("first", "da", ["add", 1]),
    ("second", "da", ["add", -1]),
    ("first", "ts", ["add", 1]),
    ("second", "ts", ["add", 3_600_000_000]),
    ("first", "tz", ["add", -1]),
    ("second", "tz", ["add", -7_200_000_000]),
    ("first", "tz3", ["add", 1000]),
    ("first", "u", ["last bit"]),
    ("second", "u", ["bit", 3]),
    ("first", "by", ["bit", 0]),
    ("empty", "by", ["null"]),
    ("first", TEXT, ["text", "é", "e"]),
    ("second", TEXT, ["text", "é", "e\u0301"]),
    ("third", TEXT, ["text", "S", "s"]),
    ("high", TEXT, ["text", " ", "  "]),
    ("empty", TEXT, ["null"]),
    ("missing", TEXT, ["value", ""]),
    ("first", "vc", ["text", "v", "w"]),
    ("first", "j", ["text", "2.5", "2.4"]),
    ("second", "j", ["text", "1.00", "1.0"]),
    ("third", "j", ["text", "null", "false"]),
    ("high", "j", ["text", '"x"', '"X"']),
    ("empty", "j", ["null"]),
    ("special", "j", ["text", "0", "-1"]),
    ("low", "j", ["text", '"a"', '"A"']),
    ("first", "ta", ["order"]),
    ("second", "ta", ["shorter"]),
    ("empty", "ta", ["null"]),
    ("first", "ua", ["order"]),
    ("second", "ua", ["last bit"]),
    ("first", "ia", ["order"]),
    ("second", "ia", ["shorter"]),
    ("third", "ia", ["last bit"]),
    ("first", "na", ["order"]),
    ("second", "na", ["last bit"]),
    ("first", "das", ["last bit"]),
    ("second", "das", ["order"]),
    ("first", "en", ["value", "OK"]),
    ("first", "ea", ["shorter"]),
    ("first", "pin", ["text", "pin", "pim"]),
    ("first", "secret", ["text", "code", "c0de"]),
    ("first", "extras", ["text", "deep", "deeq"]),
    ("second", "extras", ["text", "5", "6"]),
]


def test_faults_of_conversions_turn_samples_red(verified: Target, postgres: str) -> None:
    things = [
        {"table": THINGS, "where": ["label", label], "column": column, "change": change}
        for label, column, change in CONVERSIONS
    ]
    others = [
        {"table": "people", "where": ["name", "ann"], "column": "boss_id", "change": ["of", "id"]},
        {"table": "people", "where": ["name", "gus"], "column": "reviewers", "change": ["null"]},
        {"table": "people", "where": ["name", "gus"], "column": "friend_ids", "change": ["order"]},
        {"table": "people", "where": ["name", "hal"], "column": "since", "change": ["null"]},
        {"table": "order_lines", "where": ["sku", "a"], "column": "when", "change": ["add", 1]},
        {"table": "order_lines", "where": ["sku", "c"], "column": "position", "change": ["add", 1]},
        {"table": "products", "where": ["title", "milk"], "column": "id", "change": ["last bit"]},
    ]
    target = Target(create_database(postgres), verified.dump, verified.mapping)
    try:
        copied = target.copy(faults=json.dumps([*things, *others]))
        assert copied.report is not None, copied.said
        assert copied.report["outcome"] == "complete", copied.said
        ids = dict(_rows(target, f'SELECT label, id::text FROM "{THINGS.replace(chr(34), chr(34) * 2)}"'))
        people = dict(_rows(target, "SELECT name, id::text FROM people"))
        orders = dict(_rows(target, "SELECT sku, orders_id::text FROM order_lines"))
        ((_, wrong),) = _rows(target, "SELECT title, id::text FROM products WHERE title = 'milk'")
        must = {(THINGS, ids[label], column) for label, column, _ in CONVERSIONS} | {
            ("people", people["ann"], "boss_id"),
            ("people", people["gus"], "reviewers"),
            ("people", people["gus"], "friend_ids"),
            ("people", people["hal"], "since"),
            ("order_lines", f"{orders['a']}/0", "when"),
            ("order_lines", f"{orders['c']}/2", "(row)"),
            ("order_lines", f"{orders['c']}/3", "(row)"),
            ("products", wrong[:-1] + f"{int(wrong[-1], 16) ^ 1:x}", "(row)"),
        }
        ended = target.verify()
        assert (ended.code, ended.report is not None) == (1, True), ended.said
        assert ended.report is not None
        shown = {(one["layer"], one["table"], one["id"], one["path"]) for one in ended.report["differences"]}
        assert {place[1:] for place in shown if place[0] == "samples"} == must
        assert ("checksum", "products", wrong, "(row)") in shown  # samples says nothing of rows without a document
    finally:
        drop_database(postgres, target.conninfo)


def test_core_without_faults_is_as_it_is(verified: Target) -> None:
    ended = verified.verify(faults="[]")
    assert ended.code == 0, ended.said
    assert ended.report is not None
    assert not ended.report["differences"]
