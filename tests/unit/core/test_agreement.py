"""The core and the reference oracle, run over the same mappings and documents, must say the same.

Border values meet every column type in a grid; whole documents and mappings are generated. How to try harder, or again:
`tests/oracle/effort.py`.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis.strategies import SearchStrategy

from tests.generators import bson_writer as bw
from tests.generators import grid
from tests.generators.form_values import UNTRIMMED
from tests.generators.forms import ACCOUNTS, KEPT, form_cases
from tests.generators.mappings import ENUM, TYPES, Case, Plain, cases
from tests.oracle.agreement import Pair
from tests.oracle.effort import say_seed, search, tries

LOOSE = {"nul": "remove", "utf8": "replace", "nan": "null"}
VALUES = grid.border_values()
DOCUMENTS = [grid.document(value) for value in VALUES]
IDS = [grid.id_document(value) for value in VALUES]


def mapping(
    fields: Plain, *, users: str = "uuid", junctions: Plain | None = None, policies: Plain | None = None, **main: object
) -> Plain:
    """A mapping of one collection with these fields, and `Users` to refer to."""
    collections = {"Main": {"table": "main", "fields": fields, **main}, "Users": {"table": "users", "ids": users}}
    return {
        "isthmus": 1,
        "enums": {"status": ENUM},
        "collections": collections,
        "junctions": junctions or {},
        "policies": policies or {},
    }


def agree(case: Plain, documents: list[bytes]) -> None:
    """One batch for each document, so that a disagreement names its document."""
    pair = Pair(case)
    found = [(document, said) for document in documents if (said := pair.disagreements([document]))]
    assert not found, f"{len(found)} of {len(documents)} documents, first: {found[0]}"


@tries(120)
@given(cases())
def test_generated_documents_under_generated_mappings(case: Case) -> None:
    say_seed()
    pair = Pair(case.mapping)
    assert not pair.disagreements(case.documents)


@tries(50)
@given(form_cases())
def test_generated_documents_under_every_form_of_the_language(case: Case) -> None:
    say_seed()
    pair = Pair(case.mapping)
    assert not pair.disagreements(case.documents)


@pytest.mark.soak
@pytest.mark.parametrize("at", range(1, 9))
@pytest.mark.parametrize("strategy", [cases(), form_cases()], ids=["plain", "forms"])
def test_generated_documents_of_other_seeds(strategy: SearchStrategy[Case], at: int) -> None:
    def law(case: Case) -> None:
        assert not Pair(case.mapping).disagreements(case.documents)

    search(law, strategy, count=800, at=at)


@pytest.mark.parametrize("range_policy", ["dead_letter", "null", "infinity"])
@pytest.mark.parametrize("coerce", [False, True], ids=["exact", "coerce"])
@pytest.mark.parametrize("type_text", sorted(set(TYPES)))
def test_every_border_value_in_a_column(type_text: str, range_policy: str, *, coerce: bool) -> None:
    policies = {} if range_policy == "dead_letter" else {**LOOSE, "range": range_policy}
    column = {"column": "v", "type": type_text, "coerce": coerce, "policies": policies}
    agree(mapping({"v": column}), DOCUMENTS)


TEXTS = [grid.document(bw.string(text)) for text in UNTRIMMED]
REPLACED: dict[Any, Any] = {
    "abc": None,
    "ACTIVE": "é",
    "active": "é",
    "": "x",
    5: "ACTIVE",
    -1: None,
    0.5: "x",
    True: "PENDING",
}


@pytest.mark.parametrize("policies", [{}, LOOSE], ids=["strict", "loose"])
@pytest.mark.parametrize("how", ["trim", "lower", ["trim", "lower"]], ids=str)
@pytest.mark.parametrize("type_text", ["text", "varchar(5)", "status", "text[]"])
def test_every_border_value_normalised(type_text: str, how: object, policies: Plain) -> None:
    agree(mapping({"v": {"type": type_text, "normalise": how}}, policies=policies), [*TEXTS, *DOCUMENTS[::6]])


@pytest.mark.parametrize("star", [False, True], ids=["listed", "others"])
@pytest.mark.parametrize("type_text", ["text", "varchar(7)", "status", "text[]", "jsonb"])
def test_every_border_value_replaced(type_text: str, *, star: bool) -> None:
    known = REPLACED if "status" not in type_text else dict.fromkeys(REPLACED, ENUM[0])
    values = {**known, "*": None} if star else known
    agree(mapping({"v": {"type": type_text, "values": values, "coerce": True}}), DOCUMENTS)


@pytest.mark.parametrize("extras", ["extras", "dead_letter"])
def test_every_border_value_against_another_in_first_of(extras: str) -> None:
    two = [bw.document([("_id", bw.int32(1)), ("v", one), ("w", other)]).raw for one, other in pairwise(VALUES)]
    same = [bw.document([("_id", bw.int32(1)), ("v", one), ("w", one)]).raw for one in VALUES]
    rule = {"first_of": ["v", "w", "x.y"], "type": "jsonb", "policies": LOOSE}
    agree(mapping({"v": rule}, extras=extras), [*two, *same])


@pytest.mark.parametrize("coerce", [False, True], ids=["exact", "coerce"])
@pytest.mark.parametrize("others", [{}, {"others": "not wanted"}], ids=["kept", "dropped"])
def test_every_border_value_as_an_element(others: Plain, *, coerce: bool) -> None:
    arrays = [bw.array([VALUES[at], VALUES[at - 1]]) for at in range(0, len(VALUES), 2)]
    fields: Plain = {
        "a": {"path": "v", "element": 0, "type": "text", "coerce": coerce, **others},
        "b": {"path": "v", "element": -1, "of": "userId", "type": "jsonb", "coerce": coerce, **others},
    }
    agree(mapping(fields, policies=LOOSE), [*map(grid.document, arrays), *DOCUMENTS])


@pytest.mark.parametrize("coerce", [False, True], ids=["exact", "coerce"])
@pytest.mark.parametrize("type_text", ["text", "text[]"])
def test_every_border_value_as_a_flag(type_text: str, *, coerce: bool) -> None:
    flags = {"v": "a", "w": "b"}
    second = [bw.prepended("w", bw.boolean(true=True), document) for document in DOCUMENTS[::2]]
    agree(mapping({"x": {"type": type_text, "flags": flags, "coerce": coerce}}), [*DOCUMENTS, *second])


@pytest.mark.parametrize("policies", [{}, LOOSE], ids=["strict", "loose"])
@pytest.mark.parametrize("required", [False, True], ids=["any", "required"])
def test_every_border_value_as_a_member_of_an_object(policies: Plain, *, required: bool) -> None:
    rule = {"type": "jsonb", "object": {"a": "v", "b": "w", "c": ["x", "y"]}, "required": required}
    second = [bw.prepended("w", VALUES[at - 1], document) for at, document in enumerate(DOCUMENTS)]
    agree(mapping({"o": rule}, policies=policies), [*DOCUMENTS, *second, *IDS[:1]])


@pytest.mark.parametrize("condition", [{"before": "now"}, {"not_before": "now"}, {"before": "2021-03-04T05:06:07Z"}])
@pytest.mark.parametrize("word", ["skip", "when"])
def test_every_border_value_compared_with_an_instant(condition: Plain, word: str) -> None:
    said = {"v": condition}
    main: Plain = {"skip": [{"when": said, "why": "late"}]} if word == "skip" else {"when": said}
    agree(mapping({"v": "jsonb"}, policies=LOOSE, **main), DOCUMENTS)


def test_every_border_value_as_labels() -> None:
    agree(mapping({"v": {"to_flags": {"abc": "a", "ACTIVE": {"column": "b", "default": True}, "5": "c"}}}), DOCUMENTS)


@pytest.mark.parametrize("kept", [False, True], ids=["looked-up", "kept"])
@pytest.mark.parametrize("field", list(KEPT))
def test_every_border_value_as_a_reference_by_another_field(field: str, *, kept: bool) -> None:
    rule: Plain = {"references": f"Accounts.{field}", "column": "v"}
    several: Plain = {**rule, "type": f"{KEPT[field]}[]" if kept else "uuid[]", "coerce": True}
    one = {**rule, "type": KEPT[field]} if kept else rule
    first = mapping({"v": one})
    for case in (first, mapping({"v": several}), mapping({"v": {"junction": "j"}})):
        case["collections"]["Accounts"] = ACCOUNTS
        if "junction" in case["collections"]["Main"]["fields"]["v"]:
            case["junctions"] = {"j": {"m": "Main", "a": f"Accounts.{field}"}}
        agree(case, DOCUMENTS if case is first else DOCUMENTS[::3])


@pytest.mark.parametrize("users", ["uuid", "cuid2", "keep"])
def test_every_border_value_in_an_array_of_references_and_as_a_route(users: str) -> None:
    held = "uuid[]" if users == "uuid" else "text[]"
    agree(mapping({"v": {"references": "Users", "type": held}}, users=users), DOCUMENTS)
    routed = mapping({"v": {"route": {"Users": "a", "Others": "b"}}}, users=users)
    routed["collections"]["Others"] = {"table": "others", "ids": users}
    agree(routed, DOCUMENTS)


@pytest.mark.parametrize("policies", [{}, LOOSE], ids=["strict", "loose"])
@pytest.mark.parametrize("extras", ["extras", "dead_letter"])
@pytest.mark.parametrize("path", ["x", "v.a", "v.userId.x"])
def test_every_border_value_left_over(path: str, extras: str, policies: Plain) -> None:
    agree(mapping({path: {"column": "x", "type": "text"}}, extras=extras, policies=policies), DOCUMENTS)


@pytest.mark.parametrize("users", ["uuid", "cuid2", "keep"])
def test_every_border_value_as_a_reference(users: str) -> None:
    agree(mapping({"v": {"column": "v", "references": "Users"}}, users=users), DOCUMENTS)
    agree(mapping({"v": {"column": "v", "references": "Users", "required": True}}, users=users), DOCUMENTS)
    agree(mapping({"v": {"junction": "j"}}, users=users, junctions={"j": {"m": "Main", "u": "Users"}}), DOCUMENTS)


@pytest.mark.parametrize("users", ["uuid", "cuid2", "keep"])
@pytest.mark.parametrize("path", ["userId", "[].userId", "[]", "items[].userId", "a"])
def test_every_border_value_in_rewritten_jsonb(path: str, users: str) -> None:
    agree(mapping({"v": {"column": "v", "type": "jsonb", "rewrite": {path: "Users"}}}, users=users), DOCUMENTS)


@pytest.mark.parametrize("users", ["uuid", "cuid2"])
@pytest.mark.parametrize("path", ["userId", "[].userId", "[]", "items[].userId", "a"])
def test_every_border_value_that_may_be_no_id(path: str, users: str) -> None:
    rule = {"column": "v", "type": "jsonb", "rewrite": {path: {"to": "Users", "others": "keep"}}}
    agree(mapping({"v": rule}, users=users), DOCUMENTS)


@pytest.mark.parametrize("path", ["userId", "[].userId", "items[].userId", "a"])
def test_every_border_value_under_renamed_keys(path: str) -> None:
    keys = {"a": "b", "b": "a", "userId": 'the "user"', "[].userId": "a", "items": "all", "items[].userId": "by"}
    agree(mapping({"v": {"column": "v", "type": "jsonb", "rename": keys, "rewrite": {path: "Users"}}}), DOCUMENTS)


@pytest.mark.parametrize("extras", ["extras", "dead_letter"])
def test_every_border_value_as_an_array_of_documents(extras: str) -> None:
    agree(mapping({"v": {"child": "c", "extras": extras, "fields": {"a": "text", "x.y": "jsonb"}}}), DOCUMENTS)


@pytest.mark.parametrize(
    ("ids", "type_text"),
    [
        ("uuid", None),
        ("cuid2", None),
        *(
            ("keep", text)
            for text in (
                None,
                "varchar(5)",
                "smallint",
                "bigint",
                "numeric",
                "numeric(10,2)",
                "uuid",
                "bytea",
                "date",
                "timestamptz",
            )
        ),
    ],
)
def test_every_border_value_as_an_id(ids: str, type_text: str | None) -> None:
    fields: Plain = {"x": {"type": "timestamptz", "default": "id_time"}}
    if type_text is not None:
        fields["_id"] = type_text
    agree(mapping(fields, ids=ids), IDS)


@pytest.mark.parametrize(
    "wanted", [5, "abc", True, None, 0.5, {"$oid": "0123456789abcdef01234567"}, {"$numberDecimal": "1.50"}]
)
@pytest.mark.parametrize("negated", [False, True], ids=["is", "not"])
def test_every_border_value_in_a_condition(wanted: object, *, negated: bool) -> None:
    test = {"not": [wanted]} if negated else [wanted]
    agree(mapping({"x": "text"}, skip=[{"when": {"v": test}, "why": "asked for"}]), DOCUMENTS)


@pytest.mark.parametrize("state", ["missing", "null", "present"])
def test_every_border_value_in_a_condition_of_state(state: str) -> None:
    agree(mapping({"x": "text"}, skip=[{"when": {"v": {state: True}}, "why": "asked for"}]), DOCUMENTS)
