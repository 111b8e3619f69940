"""What became of a NextCRM database, item by item, against the truth its generator wrote; SQL of the test's own.

Rows are found by labels that the generator put into text columns, so nothing here asks Isthmus which id became which.
Blind spot: plain values of fields in which nothing was planted; `isthmus verify` in `test_nextcrm_verified.py` sees
those.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

import bson
import psycopg
from bson import CodecOptions, DatetimeConversion, Decimal128, Timestamp, json_util
from ruamel.yaml import YAML

from apps.nextcrm.generator.models import FIELDS
from apps.nextcrm.generator.relations import JUNCTIONS
from tests.apps.nextcrm.conftest import MAPPING, Carried, run
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
    identifier = target.ids(outcome["collection"])[outcome["label"]]
    assert row_of(target, item)[outcome["column"]] == as_held(item, outcome, identifier)


def has_references(target: Target, item: Item, outcome: Item) -> None:
    ids = target.ids(outcome["collection"])
    assert row_of(target, item)[outcome["column"]] == [
        as_held(item, outcome, ids[label]) for label in outcome["labels"]
    ]


AS_TEXT = {("TodoList", "user"), ("Documents", "connected_documents")}
"""Columns in which the application keeps ids as text."""


def as_held(item: Item, outcome: Item, identifier: object) -> object:
    return str(identifier) if (item["collection"], outcome["column"]) in AS_TEXT else identifier


def is_orphan(target: Target, item: Item, outcome: Item) -> None:
    table = outcome["table"] or item["collection"]
    place = (item["collection"], table, outcome["column"], outcome["old"], outcome["action"])
    rows = {one[5] for one in target.orphans if one[:5] == place}
    own = target.ids(item["collection"]).get(item["label"])
    assert (str(own) in rows) if own else rows  # of a dead letter there is no row
    assert (own is None) == (outcome["action"] == "dead_letter")
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
    assert item["label"] not in ids
    assert (item["collection"], key_of(item)) not in target.letters
    assert target.joined[item["collection"], key_of(item)] == str(ids[outcome["label"]])  # both ids are told


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


def wrong_items(truth: dict[str, Any], target: Target) -> list[str]:
    """What did not become what the truth says, a line each."""
    wrong: list[str] = []
    for item in truth["planted"]:
        for outcome in item["outcomes"]:
            try:
                JUDGES[outcome["kind"]](target, item, outcome)
            except (AssertionError, KeyError) as fault:
                place = f"{item['collection']}/{item['name']} {item['id']}"
                wrong.append(f"{place}: wanted {outcome}; {str(fault).splitlines()[0] if str(fault) else fault!r}")
    return wrong


def test_everything_planted_became_what_the_truth_says(carried: Carried, target: Target) -> None:
    wrong = wrong_items(carried.truth, target)
    assert not wrong, "\n".join(wrong)


def test_the_books_are_those_of_the_truth(carried: Carried, target: Target) -> None:
    truth = carried.truth
    assert carried.copied.code == 1, carried.copied.said  # something is a dead letter, and the exit code says so
    assert carried.copied.report is not None
    books = carried.copied.report["collections"]
    for name, read in truth["read"].items():
        letters, merged = truth["letters"][name], truth["merged"][name]
        assert (books[name]["read"], books[name]["dead_letters"]) == (read, letters), name
        assert target.count(name) == read - letters - merged + truth["renamed"].get(name, 0), name
    assert Counter(name for name, _ in target.letters) == {n: c for n, c in truth["letters"].items() if c}


def test_the_real_run_is_carried_or_named(as_run: Carried) -> None:
    assert as_run.copied.report is not None
    books = as_run.copied.report["collections"].values()
    assert sum(one["read"] for one in books) == 9_288
    assert sum(one["copied"] + one["dead_letters"] for one in books) == 9_288
    assert as_run.truth["read"]["tasksComments"] == books_of(as_run, "tasksComments")["copied"] == 38
    told = Counter(item["name"] for item in as_run.truth["planted"] if item["collection"] == "tasksComments")
    assert told == {"of-task": 25, "of-crm-task": 13}  # where each belongs is compared above


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
    assert Counter(one[:5] for one in target.orphans) - Counter(one[:5] for one in comments) == planted
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


def test_every_entry_of_every_array_is_a_pair_or_in_the_ledger(carried: Carried, target: Target) -> None:
    """Counted from the dump, without the truth: the generator may not know what it wrote."""
    lost = 0
    for one in JUNCTIONS:
        rows = {name: rows_of_documents(carried, target, name) for name in (one.left, one.right)}
        named: list[tuple[Any, Any]] = []
        nowhere: Counter[tuple[str, str]] = Counter()
        sides = (
            (one.left, one.left_field, one.right, one.right_column),
            (one.right, one.right_field, one.left, one.left_column),
        )
        for own, field, other, column in sides:
            if field is None:
                continue
            for document in documents(carried, own):
                row, held = rows[own].get(str(document["_id"])), document.get(field) or []
                for entry in (held if isinstance(held, list) else [held]) if row else ():
                    found = rows[other].get(str(entry))
                    if found is None:
                        nowhere[own, column] += 1
                    else:
                        named.append((row, found) if own == one.left else (found, row))
        assert set(named) == target.pairs(one.name, (one.left_column, one.right_column)), one.name
        listed = Counter((source, column) for source, table, column, *_ in target.orphans if table == one.name)
        assert listed == nowhere, one.name
        lost += nowhere.total()
    assert lost > 0


def documents(carried: Carried, collection: str) -> list[dict[str, Any]]:
    return bson.decode_all((carried.dump / f"{collection}.bson").read_bytes(), DATES)


def rows_of_documents(carried: Carried, target: Target, collection: str) -> dict[str, Any]:
    """The row of each document that has one, by its id as text; documents that are one row have one label."""
    ids, label = target.ids(collection), target.labels[collection]
    return {str(one["_id"]): ids[one[label]] for one in documents(carried, collection) if one.get(label) in ids}


def test_no_reference_became_null_in_silence(carried: Carried, target: Target) -> None:
    """Every reference of every document that was carried has an id in its column, or is in the ledger."""
    apart = {(item["collection"], key_of(item)) for item in carried.truth["planted"] if is_apart(item)}
    for collection, words in FIELDS.items():
        held: Counter[str] = Counter()
        kinds = dict(word.removesuffix("!").split(":") for word in words.split())
        for document in documents(carried, collection):
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
    both = sum(item["name"] == "own-beside" for item in carried.truth["planted"])
    assert comments == target.count("tasksComments") + both


ROUTED = {("tasksComments", "task"), ("tasksComments", "assigned_crm_account_task")}
KEPT_ARRAYS = {("Boards", "sharedWith"), ("Documents", "connected_documents")}


def is_apart(item: Item) -> bool:
    """Whether a planted document has no row of its own."""
    return any(one["kind"] in {"letter", "merged"} for one in item["outcomes"])


def amount(value: Any, kind: str) -> int:
    """How many references a field holds; of a list in a field for one id the first is taken."""
    if value is None or value == []:
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


def test_an_id_of_either_side_leads_to_the_other(busy: Carried) -> None:
    """Of documents with ids of all kinds, and of one that was joined into another's row."""
    wanted = {"Users/email-twice", "crm_Accounts/own-id", "Employees/id-number", "Tasks/created-text"}
    found: set[str] = set()
    with psycopg.connect(busy.database) as connection:
        target = Target(connection, busy.truth["labels"])
        for item in busy.truth["planted"]:
            name = f"{item['collection']}/{item['name']}"
            if name not in wanted:
                continue
            label = next((one["label"] for one in item["outcomes"] if one["kind"] == "merged"), item["label"])
            old, new = id_as_typed(item["id"]), str(target.ids(item["collection"])[label])
            for given in (old, new):
                ran = run("ids", "lookup", given, "-c", item["collection"], "--json", "-", database=busy.database)
                assert ran.code == 0, (name, ran.said)
                told = {(id_as_typed(one["source_id"]), one["id"]) for one in json.loads(ran.out)}
                assert (old, new) in told, (name, told)
            found.add(name)
    assert found == wanted


def id_as_typed(value: Any) -> str:
    """An `_id` as people give it to a command: hex digits, a text as it is, else Extended JSON."""
    if isinstance(value, dict) and "$oid" in value:
        return value["$oid"]
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def test_every_value_that_changed_is_counted_and_what_cannot_be_turned_back_is_listed(
    carried: Carried, target: Target
) -> None:
    assert carried.copied.report is not None
    counted: Counter[str] = Counter()
    for place, amount in carried.copied.report["balance"]["adjusted"].items():
        name, kind = place.split(":")
        counted[name] += amount if kind in {"default", "coerced", "value_mapped"} else 0
    wanted: Counter[str] = Counter()
    listed: set[tuple[str, bytes, str]] = set()
    for item in carried.truth["planted"]:
        for one in item["outcomes"]:
            if one["kind"] == "value" and one["column"] == item["path"] and item["collection"] != "tasksComments":
                held = json_util.loads(json.dumps(item["value"]))
                amount = changes(held, one["value"])
                wanted[f"{item['collection']}.{item['path']}"] += amount
                if amount and isinstance(held, Timestamp):
                    listed.add((item["collection"], key_of(item), item["path"]))
    assert +counted == +wanted
    assert len(+wanted) > 10
    assert listed
    assert listed <= {one[:3] for one in target.adjustments}


def changes(held: Any, stored: Any) -> int:
    """How many values of a field are not in its column as they were; whole numbers are, whatever their type."""
    if isinstance(held, list) and isinstance(stored, list):
        return sum(changes(*both) for both in zip(held, stored, strict=True))
    if held == [] and stored is None:  # the list that stood for a single id for a day
        return 0
    if isinstance(held, Decimal128):
        held = held.to_decimal()
    if isinstance(held, datetime):
        held = held.replace(tzinfo=None).isoformat()
    return int(held != stored or isinstance(held, bool) != isinstance(stored, bool))


def test_of_every_value_replaced_or_filled_in_it_is_counted_what_it_was_and_what_it_became(carried: Carried) -> None:
    assert carried.copied.report is not None
    wanted: dict[str, Counter[str]] = {}
    replaced = replaced_columns()
    for item in carried.truth["planted"]:
        for one in item["outcomes"]:
            if one["kind"] != "value" or one["column"] != item["path"] or item["collection"] == "tasksComments":
                continue
            place, held, stored = f"{item['collection']}.{item['path']}", item["value"], one["value"]
            if not changes(json_util.loads(json.dumps(held)), stored):
                continue
            if held is None:
                state = "null" if item["path"] in document_of(carried, item) else "missing"
                filled = "id_time" if is_instant(stored) else json.dumps(stored)
                wanted.setdefault(f"{place}:default", Counter())[f"{state} → {filled}"] += 1
            elif place in replaced:
                wanted.setdefault(f"{place}:value_mapped", Counter())[f"{json.dumps(held)} → {json.dumps(stored)}"] += 1
    assert carried.copied.report["balance"]["became"] == wanted
    told = {place: set(pairs) for place, pairs in wanted.items()}
    assert {'"Active" → true', '"Inactive" → false'} <= told["crm_Contacts.status:value_mapped"]
    assert {"missing → true", "null → true"} <= told["crm_Contacts.status:default"]
    assert {"missing → id_time", "null → id_time"} <= told["crm_Opportunities.createdAt:default"]


def replaced_columns() -> set[str]:
    """The columns whose values the mapping replaces."""
    entries = YAML(typ="safe").load(MAPPING.read_text(encoding="utf-8"))["collections"]
    return {
        f"{name}.{field}"
        for name, entry in entries.items()
        for field, rule in entry.get("fields", {}).items()
        if isinstance(rule, dict) and "values" in rule
    }


def document_of(carried: Carried, item: Item) -> dict[str, Any]:
    """The planted document, as the dump has it."""
    key = bson.decode(key_of(item))["_id"]
    return next(one for one in documents(carried, item["collection"]) if one["_id"] == key)


def is_instant(stored: Any) -> bool:
    """Whether what was filled in is a time, which then is that of the document's id."""
    return isinstance(stored, str) and stored[:4].isdigit()
