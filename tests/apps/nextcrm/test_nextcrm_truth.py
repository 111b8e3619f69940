"""What became of a NextCRM database, item by item, against the truth its generator wrote; SQL of the test's own.

Rows are found by labels that the generator put into text columns, so nothing here asks Isthmus which id became which.
Blind spot: plain values of fields in which nothing was planted; `isthmus verify` in `test_nextcrm_verified.py` sees
those.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import bson
from bson import CodecOptions, DatetimeConversion, json_util

from apps.nextcrm.generator.models import FIELDS
from tests.apps.nextcrm.conftest import Carried
from tests.apps.nextcrm.target import Target

Item = dict[str, Any]
DATES: CodecOptions[dict[str, Any]] = CodecOptions(datetime_conversion=DatetimeConversion.DATETIME_AUTO)
"""Some dates are planted that Python cannot hold."""


def key_of(item: Item) -> bytes:
    """`{"_id": value}` of a planted document, as the ledgers keep it."""
    return bson.encode({"_id": json_util.loads(json.dumps(item["id"]))})


def row_of(target: Target, item: Item) -> dict[str, Any]:
    return target.row(item["collection"], item["label"])


def has_value(target: Target, item: Item, outcome: Item) -> None:
    assert row_of(target, item)[outcome["column"]] == outcome["value"]


def has_reference(target: Target, item: Item, outcome: Item) -> None:
    assert row_of(target, item)[outcome["column"]] == target.ids(outcome["collection"])[outcome["label"]]


def has_references(target: Target, item: Item, outcome: Item) -> None:
    ids = target.ids(outcome["collection"])
    assert row_of(target, item)[outcome["column"]] == [ids[label] for label in outcome["labels"]]


def is_orphan(target: Target, item: Item, outcome: Item) -> None:
    table = outcome["table"] or item["collection"]
    assert (item["collection"], table, outcome["column"], outcome["old"], outcome["action"]) in target.orphans
    if outcome["action"] == "null":
        assert row_of(target, item)[outcome["column"]] is None


def is_letter(target: Target, item: Item, outcome: Item) -> None:
    code, original = target.letters[item["collection"], key_of(item)]
    assert code == outcome["code"]
    assert item["label"] not in target.ids(item["collection"])
    held = bson.decode(original, DATES).get(item["path"])
    assert json.loads(json_util.dumps(held, json_options=json_util.CANONICAL_JSON_OPTIONS)) == item["value"]


def is_kept_aside(target: Target, item: Item, outcome: Item) -> None:
    kept = row_of(target, item)["extras"][outcome["key"]]
    assert json_util.loads(json.dumps(kept)) == json_util.loads(json.dumps(outcome["value"]))


def is_joined(target: Target, item: Item, outcome: Item) -> None:
    ids = target.ids(item["collection"])
    assert outcome["label"] in ids
    assert item["label"] not in ids
    assert (item["collection"], key_of(item)) not in target.letters


JUDGES: dict[str, Callable[[Target, Item, Item], None]] = {
    "value": has_value,
    "json": has_value,
    "reference": has_reference,
    "references": has_references,
    "orphan": is_orphan,
    "letter": is_letter,
    "extras": is_kept_aside,
    "merged": is_joined,
}


def test_everything_planted_became_what_the_truth_says(carried: Carried, target: Target) -> None:
    wrong: list[str] = []
    for item in carried.truth["planted"]:
        for outcome in item["outcomes"]:
            try:
                JUDGES[outcome["kind"]](target, item, outcome)
            except (AssertionError, KeyError) as fault:
                place = f"{item['collection']}/{item['name']} {item['id']}"
                wrong.append(f"{place}: wanted {outcome}; {str(fault).splitlines()[0] if str(fault) else fault!r}")
    assert not wrong, "\n".join(wrong)


def test_the_books_are_those_of_the_truth(carried: Carried, target: Target) -> None:
    truth = carried.truth
    assert carried.copied.code == 1, carried.copied.said  # something is a dead letter, and the exit code says so
    assert carried.copied.report is not None
    books = carried.copied.report["collections"]
    for name, read in truth["read"].items():
        letters, merged = truth["letters"][name], truth["merged"][name]
        assert (books[name]["read"], books[name]["dead_letters"]) == (read, letters), name
        assert target.count(name) == read - letters - merged, name
    assert Counter(name for name, _ in target.letters) == {n: c for n, c in truth["letters"].items() if c}


def test_the_real_run_is_carried_or_named(as_run: Carried) -> None:
    assert as_run.copied.report is not None
    books = as_run.copied.report["collections"].values()
    assert sum(one["read"] for one in books) == 9_288
    assert sum(one["copied"] + one["dead_letters"] for one in books) == 9_288
    assert as_run.truth["read"]["tasksComments"] == books_of(as_run, "tasksComments")["copied"] == 38


def books_of(carried: Carried, collection: str) -> dict[str, Any]:
    assert carried.copied.report is not None
    return carried.copied.report["collections"][collection]


def test_the_ledger_of_orphans_holds_what_was_planted_and_nothing_else(carried: Carried, target: Target) -> None:
    planted: Counter[tuple[str, ...]] = Counter()
    for item in carried.truth["planted"]:
        for one in item["outcomes"]:
            if one["kind"] == "orphan":
                table = one["table"] or item["collection"]
                planted[item["collection"], table, one["column"], one["old"], one["action"]] += 1
    # A comment whose task is nowhere is planted as a letter; the ledger calls its column by both it may go to.
    comments = [one for one in target.orphans if "|" in one[2]]
    lost = [one for one in carried.truth["planted"] if one["name"] == "task-gone"]
    assert Counter(target.orphans) - Counter(comments) == planted
    assert len(comments) == len(lost)


def test_every_pair_of_both_sides_is_there_and_no_other(carried: Carried, target: Target) -> None:
    one_sided = 0
    for name, told in carried.truth["junctions"].items():
        pairs = target.pairs(name, tuple(told["columns"]))
        left, right = (target.ids(collection) for collection in told["collections"])
        assert len(pairs) == told["pairs"], name
        assert pairs == {(left[a], right[b]) for a, b in told["listed"]}, name
        one_sided += told["only_left"] + told["only_right"]
    assert one_sided > 0


def test_no_reference_became_null_in_silence(carried: Carried, target: Target) -> None:
    """Every reference of every document that was carried has an id in its column, or is in the ledger."""
    apart = {(item["collection"], key_of(item)) for item in carried.truth["planted"] if is_apart(item)}
    junctions = {column for told in carried.truth["junctions"].values() for column in told["columns"]}
    assert junctions
    for collection, words in FIELDS.items():
        held: Counter[str] = Counter()
        kinds = dict(word.removesuffix("!").split(":") for word in words.split())
        for document in bson.decode_all((carried.dump / f"{collection}.bson").read_bytes(), DATES):
            if (collection, bson.encode({"_id": document["_id"]})) not in apart:
                held.update({name: amount(document.get(name), kind) for name, kind in kinds.items()})
        for name, kind in kinds.items():
            if kind.startswith(("id>", "hex>")) and (collection, name) not in ROUTED:
                nulled = sum(one[:3] == (collection, collection, name) for one in target.orphans if one[4] == "null")
                assert target.not_null(collection, name) + nulled == held[name], (collection, name)
            elif (collection, name) in KEPT_ARRAYS:
                dropped = sum(one[:3] == (collection, collection, name) for one in target.orphans)
                assert target.elements(collection, name) + dropped == held[name], (collection, name)
    comments = target.not_null("tasksComments", "task") + target.not_null("tasksComments", "assigned_crm_account_task")
    assert comments == target.count("tasksComments")


ROUTED = {("tasksComments", "task"), ("tasksComments", "assigned_crm_account_task")}
KEPT_ARRAYS = {("Boards", "sharedWith"), ("Documents", "connected_documents")}


def is_apart(item: Item) -> bool:
    """Whether a planted document has no row of its own."""
    return any(one["kind"] in {"letter", "merged"} for one in item["outcomes"])


def amount(value: Any, kind: str) -> int:
    """How many references a field holds; of a list in a field for one id the first is taken."""
    if value is None:
        return 0
    return len(value) if kind.startswith(("ids>", "hexes>")) else 1


def test_fields_nobody_named_are_kept_and_nothing_else_is(carried: Carried, target: Target) -> None:
    planted = Counter(
        item["collection"]
        for item in carried.truth["planted"]
        if any(one["kind"] == "extras" for one in item["outcomes"])
    )
    for collection in FIELDS:
        assert target.not_null(collection, "extras") == planted[collection], collection
