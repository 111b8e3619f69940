"""Forms of rules that choose, replace or put together values, each answer written by hand from the rules."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, ClassVar

import pytest

from isthmus.verify.reference import Expected, Json, Reference
from tests.generators import bson_writer as bw

OID = bw.object_id(bytes(range(12)))
TRUE, FALSE, NULL = bw.boolean(true=True), bw.boolean(true=False), bw.null()
Elements = Sequence[tuple[Any, bw.Value]]


def run(fields: dict[str, Any], elements: Elements, **main: Any) -> Expected:
    mapping = {
        "enums": {"state": ["OPEN", "SHUT"]},
        "collections": {"Main": {"table": "main", "fields": fields, **main}, "Users": {}},
    }
    reference = Reference(mapping, bytes(32), 0)
    result = reference.expected("Main", bw.document([("_id", OID), *elements]).raw)
    if result.rows:
        assert set(result.rows["main"][0]) == set(reference.shapes["main"].columns)
    return result


def row(result: Expected, *, extras: bool = False) -> dict[str, Any]:
    """The root row without its id; without extras unless asked for, which then must be NULL."""
    assert result.rejected is None
    found = {name: value for name, value in result.rows["main"][0].items() if name != "id"}
    if not extras:
        assert found.pop("extras") is None
    return found


class TestFirstOf:
    RULE: ClassVar[dict[str, Any]] = {"phone": {"first_of": ["mobile", "home.phone", ["a.b"]], "type": "text"}}

    @pytest.mark.parametrize(
        ("elements", "taken"),
        [
            ([("mobile", bw.string("1")), ("home", bw.document([("phone", NULL)]))], "1"),
            ([("mobile", NULL), ("home", bw.document([("phone", bw.string("2"))]))], "2"),
            ([("mobile", bw.undefined()), ("a.b", bw.string("3"))], "3"),
            ([("home", bw.string("not a document")), ("a.b", bw.string("3"))], "3"),
        ],
    )
    def test_the_first_value_that_is_neither_missing_nor_null(self, elements: Elements, taken: str) -> None:
        assert row(run(self.RULE, elements), extras=True)["phone"] == taken

    @pytest.mark.parametrize(("elements", "content"), [([], "x"), ([("home", bw.document([("phone", NULL)]))], None)])
    def test_none_is_null_if_one_of_them_is_else_missing(self, elements: Elements, content: str | None) -> None:
        rule = {"phone": {**self.RULE["phone"], "default": "x"}}
        assert row(run(rule, elements))["phone"] == content

    @pytest.mark.parametrize(
        ("later", "left"),
        [
            (bw.int32(5), None),
            (bw.int64(5), {"home": {"phone": {"$numberLong": "5"}}}),
            (bw.double(5.0), {"home": {"phone": Decimal("5.0")}}),
            (NULL, None),
        ],
    )
    def test_later_values_are_used_up_only_if_they_are_the_same_bytes(self, later: bw.Value, left: Any) -> None:
        rule = {"phone": {**self.RULE["phone"], "type": "integer"}}
        result = run(rule, [("mobile", bw.int32(5)), ("home", bw.document([("phone", later)]))])
        assert row(result, extras=True) == {"phone": 5, "extras": None if left is None else Json(left)}
        assert result.journal.extras == ({} if left is None else {"home.phone": 1})

    def test_what_is_left_over_can_be_refused(self) -> None:
        result = run(self.RULE, [("mobile", bw.string("1")), ("a.b", bw.string("2"))], extras="dead_letter")
        assert result.rejected == [("unknown-field", "a\\.b")]

    def test_causes_name_the_path_that_was_taken_or_the_first(self) -> None:
        rule = {"phone": {**self.RULE["phone"], "required": True}}
        assert run(rule, [("a.b", bw.int32(1))]).rejected == [("type", "a\\.b")]
        assert run(rule, [("a.b", NULL)]).rejected == [("required", "mobile")]


def phones(*values: bw.Value) -> Elements:
    return [("phones", bw.array(list(values)))]


class TestElement:
    @pytest.mark.parametrize(
        ("number", "content"), [(0, "a"), (1, "b"), (-1, "b"), (-2, "a"), (2, "missing"), (-3, "missing")]
    )
    def test_counts_from_either_end(self, number: int, content: str) -> None:
        rule = {"x": {"path": "phones", "element": number, "type": "text", "default": "missing"}}
        assert row(run(rule, phones(bw.string("a"), bw.string("b"))), extras=True)["x"] == content

    @pytest.mark.parametrize(
        ("elements", "content"),
        [
            (phones(bw.document([("number", bw.string("1"))])), "1"),
            (phones(bw.document([("number", NULL)])), None),
            (phones(bw.document([])), "missing"),
            (phones(NULL), "missing"),
            (phones(bw.array([bw.document([("number", bw.string("1"))])])), "missing"),
            (phones(), "missing"),
            ([("phones", NULL)], None),
            ([], "missing"),
        ],
    )
    def test_path_inside_the_element(self, elements: Elements, content: str | None) -> None:
        rule = {"path": "phones", "element": 0, "of": "number", "column": "x", "type": "text", "default": "missing"}
        assert row(run({"x": rule}, elements), extras=True)["x"] == content

    @pytest.mark.parametrize(
        ("numbers", "values", "left"),
        [
            ((0,), ["a"], False),
            ((0, 1), ["a", "b"], False),
            ((0, -1), ["a", "b"], False),
            ((0,), ["a", "b"], True),
            ((0, -1), ["a", "b", "c"], True),
            ((0,), [], False),
            ((1,), ["a"], True),
        ],
    )
    def test_the_whole_array_is_left_over_unless_all_of_it_is_taken(
        self, numbers: tuple[int, ...], values: list[str], *, left: bool
    ) -> None:
        fields = {
            f"x{n}": {"path": "phones", "element": number, "column": f"x{n}", "type": "text"}
            for n, number in enumerate(numbers)
        }
        result = run(fields, phones(*map(bw.string, values)))
        assert row(result, extras=True)["extras"] == (Json({"phones": values}) if left else None)
        assert result.journal.extras == ({"phones": 1} if left else {})
        for rule in fields.values():
            rule["others"] = "old numbers"
        result = run(fields, phones(*map(bw.string, values)))
        assert row(result, extras=True)["extras"] is None
        assert result.journal.dropped == ({"phones": 1} if left else {})

    def test_an_element_of_which_a_part_is_taken_is_not_taken_whole(self) -> None:
        rule = {"path": "phones", "element": 0, "of": "number", "column": "x", "type": "text"}
        result = run({"x": rule}, phones(bw.document([("number", bw.string("1"))])))
        assert row(result, extras=True) == {"x": "1", "extras": Json({"phones": [{"number": "1"}]})}

    def test_one_value_is_an_array_only_if_asked_for(self) -> None:
        rule = {"path": "phones", "element": -1, "column": "x", "type": "text"}
        other = {"path": "phones", "element": 1, "column": "y", "type": "text"}
        single = [("phones", bw.string("a"))]
        assert run({"x": rule}, single, extras="dead_letter").rejected == [("not-an-array", "phones")]
        result = run({"x": {**rule, "coerce": True}, "y": {**other, "coerce": True}}, single)
        assert row(result) == {"x": "a", "y": None}
        assert result.adjustments == {"main.x:single_as_array": 1}
        alone = run({"y": {**other, "coerce": True}}, single)
        assert row(alone, extras=True) == {"y": None, "extras": Json({"phones": "a"})}

    def test_causes_name_the_position(self) -> None:
        inside = {"path": "phones", "element": -1, "of": "a.b", "column": "x", "type": "text", "required": True}
        found = bw.document([("a", bw.document([("b", bw.int32(1))]))])
        assert run({"x": inside}, phones(NULL, found)).rejected == [("type", "phones.1.a.b")]
        assert run({"x": inside}, phones(NULL)).rejected == [("required", "phones")]


class TestValues:
    @pytest.mark.parametrize(
        ("value", "content", "mapped"),
        [
            (bw.string("Inactive"), False, 1),
            (bw.symbol("Inactive"), False, 1),
            (bw.int32(1), True, 1),
            (bw.int64(1), True, 1),
            (bw.double(1.0), True, 1),
            (bw.decimal128(0, 10, -1), True, 1),
            (TRUE, True, 0),
            (FALSE, None, 1),
            (bw.string("unknown"), None, 1),
            (NULL, None, 0),
        ],
    )
    def test_listed_values_are_replaced(self, value: bw.Value, content: Any, mapped: int) -> None:
        rule = {"type": "boolean", "values": {"Inactive": False, 1: True, False: None, "unknown": None}}
        result = run({"x": rule}, [("x", value)])
        assert row(result)["x"] is content
        assert result.adjustments["main.x:value_mapped"] == mapped

    def test_texts_are_not_numbers(self) -> None:
        rule = {"x": {"type": "boolean", "values": {1: True}}}
        assert run(rule, [("x", bw.string("1"))]).rejected == [("type", "x")]

    def test_the_star_takes_all_others_but_null_and_missing(self) -> None:
        rule = {"x": {"type": "state", "default": "OPEN", "values": {"o": "OPEN", "*": "SHUT"}}}
        assert row(run(rule, [("x", bw.document([]))]))["x"] == "SHUT"
        assert row(run(rule, [("x", bw.string(b"\xff"))]))["x"] == "SHUT"
        assert row(run(rule, [("x", NULL)]))["x"] is None
        assert row(run(rule, []))["x"] == "OPEN"

    def test_a_value_that_becomes_null_is_not_filled_by_a_default(self) -> None:
        rule = {"type": "text", "default": "d", "default_for": ["missing", "null"], "values": {"-": None}}
        assert row(run({"x": rule}, [("x", bw.string("-"))]))["x"] is None
        assert run({"x": {**rule, "required": True}}, [("x", bw.string("-"))]).rejected == [("required", "x")]

    def test_each_element_of_an_array(self) -> None:
        rule = {"x": {"type": "state[]", "values": {"o": "OPEN", "": None}}}
        result = run(rule, [("x", bw.array([bw.string("o"), bw.string("SHUT"), bw.string(""), NULL, bw.string("o")]))])
        assert row(result)["x"] == ["OPEN", "SHUT", None, None, "OPEN"]
        assert result.adjustments == {"main.x:value_mapped": 3}

    @pytest.mark.parametrize(
        ("values", "listed"),
        [({"a": "x", "b": "y"}, 0), ({"a": "x", "b": "x"}, 1), ({"*": "x"}, 1), ({"a": "x", "*": "x"}, 0)],
    )
    def test_listed_only_where_the_original_cannot_be_told(self, values: dict[str, str], listed: int) -> None:
        result = run({"x": {"type": "text", "values": values}}, [("x", bw.string("a"))])
        assert row(result)["x"] == "x"
        assert len(result.journal.listed) == listed

    def test_in_jsonb(self) -> None:
        rule = {"x": {"type": "jsonb", "values": {"none": {"a": [1]}}}}
        assert row(run(rule, [("x", bw.string("none"))]))["x"] == Json({"a": [Decimal(1)]})


class TestNormalise:
    @pytest.mark.parametrize(
        ("how", "text", "content"),
        [
            ("trim", " \t\n a b \u00a0\u0085\u2003\u3000", "a b"),
            ("trim", "\u200ba\ufeff", "\u200ba\ufeff"),
            ("trim", "\x1ca\x1f", "\x1ca\x1f"),
            ("trim", "\u180ea\u2060", "\u180ea\u2060"),
            ("trim", "   ", ""),
            ("lower", "ÀÉ \u0391\u03a3", "àé \u03b1\u03c2"),
            ("lower", "\u0391\u03a3\u0391 \u03a3", "\u03b1\u03c3\u03b1 \u03c3"),
            ("lower", "İI", "i\u0307i"),
            ("lower", "ßẞ", "ßß"),
            ("lower", " A ", " a "),
            (["trim", "lower"], " A\u00a0", "a"),
            (["lower", "trim"], " A\u00a0", "a"),
        ],
    )
    def test_texts(self, how: Any, text: str, content: str) -> None:
        result = run({"x": {"type": "text", "normalise": how}}, [("x", bw.string(text))])
        assert row(result)["x"] == content
        assert result.adjustments == ({"main.x:normalised": 1} if text != content else {})
        assert len(result.journal.listed) == (text != content)

    def test_before_values_and_before_the_length_is_looked_at(self) -> None:
        rule = {"type": "varchar(2)", "normalise": ["trim", "lower"], "values": {"no": "-"}}
        assert row(run({"x": rule}, [("x", bw.symbol(" NO "))]))["x"] == "-"
        assert row(run({"x": rule}, [("x", bw.string(" AB "))]))["x"] == "ab"
        assert run({"x": rule}, [("x", bw.string(" ABC "))]).rejected == [("too-long", "x")]

    def test_what_policies_take_out_is_out_before(self) -> None:
        rule = {"type": "text", "normalise": "trim", "policies": {"nul": "remove", "utf8": "replace"}}
        result = run({"x": rule}, [("x", bw.string(b"a\xff \0"))])
        assert row(result)["x"] == "a\ufffd"
        assert result.adjustments == {"main.x:utf8_replaced": 1, "main.x:nul_removed": 1, "main.x:normalised": 1}
        strict = {"type": "text", "normalise": "trim", "values": {"*": "x"}}
        assert run({"x": strict}, [("x", bw.string("a\0"))]).rejected == [("nul", "x")]

    def test_elements_of_arrays_and_no_other_types(self) -> None:
        rule = {"type": "text[]", "normalise": "lower", "coerce": True}
        result = run({"x": rule}, [("x", bw.array([bw.string("A"), NULL, bw.double(1e22), bw.string("b")]))])
        assert row(result)["x"] == ["a", None, "1e+22", "b"]
        assert result.adjustments == {"main.x:normalised": 1, "main.x:coerced": 1}


class TestFlags:
    LABELS: ClassVar[dict[str, str]] = {"isAdmin": "admin", "rights.write": "writer", "isGuest": "guest"}

    @pytest.mark.parametrize(
        ("elements", "content"),
        [
            ([("isAdmin", TRUE), ("isGuest", TRUE), ("rights", bw.document([("write", FALSE)]))], ["admin", "guest"]),
            ([("isAdmin", FALSE)], []),
            ([("isGuest", NULL)], []),
            ([("isGuest", bw.undefined())], []),
            ([("rights", bw.document([]))], None),
            ([], None),
        ],
    )
    def test_into_an_array(self, elements: Elements, content: list[str] | None) -> None:
        rule: dict[str, Any] = {"type": "text[]", "flags": self.LABELS}
        assert row(run({"userRoles": rule}, elements)) == {"user_roles": content}
        expected = ["none"] if content is None else content
        assert row(run({"userRoles": {**rule, "default": ["none"]}}, elements))["user_roles"] == expected

    @pytest.mark.parametrize(
        ("elements", "content", "left"),
        [
            ([("isGuest", TRUE), ("rights", bw.document([("write", TRUE)]))], "writer", {"isGuest": True}),
            (
                [("isAdmin", TRUE), ("isGuest", TRUE), ("rights", bw.document([("write", TRUE)]))],
                "admin",
                {"isGuest": True, "rights": {"write": True}},
            ),
            ([("isAdmin", FALSE), ("isGuest", TRUE)], "guest", None),
            ([("isAdmin", FALSE)], "nobody", None),
            ([], "nobody", None),
        ],
    )
    def test_into_one_label(self, elements: Elements, content: str, left: Any) -> None:
        rule = {"type": "text", "default": "nobody", "flags": self.LABELS}
        found = row(run({"role": rule}, elements), extras=True)
        assert found == {"role": content, "extras": None if left is None else Json(left)}

    def test_a_second_label_can_be_refused(self) -> None:
        result = run(
            {"x": {"type": "text", "flags": self.LABELS}}, [("isAdmin", TRUE), ("isGuest", TRUE)], extras="dead_letter"
        )
        assert result.rejected == [("unknown-field", "isGuest")]

    def test_only_booleans_unless_asked_for(self) -> None:
        elements = [("isAdmin", bw.int32(1)), ("isGuest", bw.string("true"))]
        rule: dict[str, Any] = {"type": "text[]", "flags": self.LABELS, "required": True}
        assert run({"x": rule}, elements).rejected == [("type", "isAdmin"), ("type", "isGuest")]
        result = run({"x": {**rule, "coerce": True}}, elements)
        assert row(result) == {"x": ["admin", "guest"]}
        assert result.adjustments == {"main.x:coerced": 2}
        assert run({"x": {**rule, "coerce": True}}, [("isAdmin", bw.int32(2))]).rejected == [("type", "isAdmin")]
        assert run({"x": rule}, []).rejected == [("required", "isAdmin")]


class TestToFlags:
    RULE: ClassVar[dict[str, Any]] = {
        "path": "roles",
        "to_flags": {"admin": "is_admin", "Big Guest": {}, "x": {"column": "y", "default": True}},
    }

    @pytest.mark.parametrize(
        ("elements", "content", "left"),
        [
            ([("roles", bw.array([bw.string("x"), bw.symbol("admin"), bw.string("x")]))], (True, False, True), None),
            ([("roles", bw.array([]))], (False, False, False), None),
            ([], (None, None, True), None),
            ([("roles", NULL)], (None, None, None), None),
            (
                [("roles", bw.array([bw.string("Big Guest"), bw.string("big guest")]))],
                (False, True, False),
                {"roles": ["Big Guest", "big guest"]},
            ),
            ([("roles", bw.array([NULL, bw.string("admin")]))], (True, False, False), {"roles": [None, "admin"]}),
            ([("roles", bw.string("other"))], (False, False, False), {"roles": "other"}),
        ],
    )
    def test_labels(self, elements: Elements, content: tuple[Any, ...], left: Any) -> None:
        found = row(run({"r": self.RULE}, elements), extras=True)
        names = ("is_admin", "big_guest", "y")
        assert found == {**dict(zip(names, content, strict=True)), "extras": None if left is None else Json(left)}

    def test_a_single_text_is_an_array_of_one(self) -> None:
        result = run({"r": self.RULE}, [("roles", bw.string("x"))])
        assert row(result) == {"is_admin": False, "big_guest": False, "y": True}
        assert result.adjustments == {"main.is_admin:single_as_array": 1}

    def test_refusals(self) -> None:
        assert run({"r": self.RULE}, [("roles", bw.int32(1))]).rejected == [("not-an-array", "roles")]
        needed = {"path": "roles", "to_flags": {"a": {"required": True}, "b": {"required": True}}}
        assert run({"r": needed}, []).rejected == [("required", "roles"), ("required", "roles")]
        found = run({"r": self.RULE}, [("roles", bw.array([NULL]))], extras="dead_letter")
        assert found.rejected == [("unknown-field", "roles")]


class TestArraysOfReferences:
    RULE: ClassVar[dict[str, Any]] = {"users": {"type": "uuid[]", "references": "Users"}}

    def test_elements_are_references_and_null_stays(self) -> None:
        values = [
            OID,
            NULL,
            bw.int32(5),
            bw.dbref("Users", OID),
            bw.dbref("Users", NULL),
            bw.string(bytes(range(12)).hex()),
        ]
        result = run(self.RULE, [("users", bw.array(values))])
        found = row(result)["users"]
        assert found == [result.id, None, found[2], result.id, found[4], result.id]
        assert found[4] not in (None, found[2], result.id)
        assert result.references == {"main.users": 5}
        assert [(entry[0], entry[2], entry[3]) for entry in result.journal.id_map] == [
            ("Users", found[2], "reference"),
            ("Users", found[4], "reference"),
        ]

    def test_what_is_no_array(self) -> None:
        assert run(self.RULE, [("users", OID)]).rejected == [("type", "users")]
        assert run(self.RULE, [("users", bw.array([OID, bw.array([])]))]).rejected == [("type", "users.1")]
        result = run({"users": {**self.RULE["users"], "coerce": True}}, [("users", OID)])
        assert row(result) == {"users": [result.id]}
        assert result.adjustments == {"main.users:coerced": 1}
