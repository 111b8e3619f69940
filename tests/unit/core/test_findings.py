"""What property tests found, shrunk, and kept so that it stays mended; each test is named after what it protects."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tests.generators import bson_writer as bw
from tests.generators import values
from tests.generators.mappings import Plain
from tests.oracle.agreement import Pair

OID = bw.object_id(bytes(12))
Elements = Sequence[tuple[str | bytes, bw.Value]]


def said(fields: Plain, elements: Elements, policies: Plain | None = None, **main: object) -> list[str]:
    """What core and oracle disagree about for one document."""
    mapping: Plain = {"isthmus": 1, "collections": {"Main": {"table": "main", "fields": fields, **main}}}
    mapping["enums"] = {"status": ["ACTIVE"]}
    mapping["policies"] = policies or {}
    return Pair(mapping).disagreements([bw.document([("_id", OID), *elements]).raw])


def said_of_column(type_text: str, found: Iterable[bw.Value], *, coerce: bool = True, **rule: object) -> list[str]:
    """The same for a column `v` and each of these values."""
    column = {"type": type_text, "coerce": coerce, **rule}
    return [sentence for value in found for sentence in said({"v": column}, [("v", value)])]


def test_no_leftover_is_lost_when_two_keys_become_one() -> None:
    found: list[str] = []
    for other in (b"\xfe", "\ufffd".encode()):
        both: Elements = [(b"\xff", bw.int32(1)), (other, bw.int32(2))]
        for elements in (both, [("a", bw.document(both))]):
            found += said({"a.x": "text"}, elements, {"utf8": "replace"})
    assert not found


def test_what_only_a_condition_looks_at_is_not_lost() -> None:
    skip = [{"when": {"x.y": 5}, "why": "w"}]
    found: list[str] = []
    for value in (bw.document([]), bw.document([("y", bw.int32(1))]), bw.document([("z", bw.int32(1))]), bw.int32(1)):
        for extras in ("extras", "dead_letter"):
            found += said({"v": "text"}, [("x", value)], skip=skip, extras=extras)
    assert not found


def test_symbols_go_where_the_table_of_conversions_says() -> None:
    texts = ["ACTIVE", "5", "2021-03-04", "01234567-89ab-cdef-0123-456789abcdef", "true"]
    found: list[str] = []
    for type_text in ("status", "integer", "double", "numeric", "date", "timestamptz", "uuid", "boolean", "text"):
        found += said_of_column(type_text, map(bw.symbol, texts))
    assert not found


def test_digits_of_a_second_are_not_rounded_unasked_at_the_last_instant() -> None:
    last = bw.datetime_ms(106_762_940 * values.DAY - 1)
    found: list[str] = []
    for policy in ("dead_letter", "null", "infinity"):
        for coerce in (False, True):
            found += said_of_column("timestamptz(0)", [last], coerce=coerce, policies={"range": policy})
    assert not found


def test_doubles_as_text_have_the_spelling_of_decimals() -> None:
    assert not said_of_column("text", map(bw.double, [float("nan"), float("inf"), float("-inf"), 1e22, 5.0]))


def test_texts_that_are_numbers_are_the_same_for_every_type() -> None:
    texts = [".5", "5.", "1.e5", "1e5", "+1.50", "-0", "1e400", " 5", "5 ", "1_0", "0x5", "NaN", "inf", "1.5"]
    found: list[str] = []
    for type_text in ("real", "double", "numeric", "numeric(10,2)"):
        found += said_of_column(type_text, map(bw.string, texts))
    assert not found


def test_real_is_rounded_once() -> None:
    found = [
        bw.decimal128(0, 1_000_000_059_604_644_775_390_625_000_000_001, -33),
        bw.string("1.000000059604644775390625000000000001"),
    ]
    assert not said_of_column("real", found)


def test_drops_inside_arrays_are_counted_under_their_whole_path() -> None:
    steps = bw.array([bw.document([("old", bw.int32(1)), ("more", bw.int32(1))])])
    fields = {"old": {"drop": "w"}, "steps": {"child": "steps", "fields": {"old": {"drop": "w"}}}}
    assert not said(fields, [("old", bw.int32(1)), ("steps", steps)])


def test_an_array_inside_an_array_is_replaced_like_any_other_value() -> None:
    nested = bw.array([bw.array([]), bw.string("a")])
    assert not said_of_column("text[]", [nested], values={"a": "b", "*": "x"})
    assert not said_of_column("text[]", [nested], values={"a": "b"})


def test_a_route_takes_what_any_of_its_columns_takes() -> None:
    others = {"Users": {"table": "users"}, "Teams": {"table": "teams"}}
    found: list[str] = []
    for content in (bw.dbref("Teams", OID), bw.dbref("Other", OID), bw.dbref("Teams", bw.array([])), bw.array([OID])):
        for required in (False, True):
            rule = {"route": {"Users": "a", "Teams": "b"}, "required": required}
            main = {"table": "main", "fields": {"v": rule}}
            document = bw.document([("_id", OID), ("v", content)]).raw
            found += Pair({"isthmus": 1, "collections": {"Main": main, **others}}).disagreements([document])
    assert not found


def test_originals_of_replaced_values_are_those_of_the_document() -> None:
    assert not said_of_column("text", [bw.string(" ABC ")], normalise=["trim", "lower"], values={"abc": "x", "*": "y"})
    assert not said_of_column("text", [bw.string(" ABD ")], normalise=["trim", "lower"], values={"abc": "x", "*": "y"})


def test_rules_over_what_is_no_array_find_nothing_where_one_of_them_refuses() -> None:
    element = {"path": "v", "type": "integer", "required": True}
    fields = {"a": {**element, "element": 0, "coerce": True}, "b": {**element, "element": 1}}
    assert not said(fields, [("v", bw.string("no number"))])
