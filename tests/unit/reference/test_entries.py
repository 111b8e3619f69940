"""Entries, the collections they read, keys, and references that depend on both; answers written by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import pytest

from isthmus.verify.reference import Expected, Reference, Type
from tests.generators import bson_writer as bw

OID = bw.object_id(bytes(range(12)))
USER = bw.object_id(bytes([7]) * 12)
Elements = Sequence[tuple[Any, bw.Value]]


def reader(collections: dict[str, Any], **more: Any) -> Reference:
    return Reference({"collections": collections, **more}, bytes(32), 0)


def run(reference: Reference, collection: str, elements: Elements, identifier: bw.Value = OID) -> Expected:
    return reference.expected(collection, bw.document([("_id", identifier), *elements]).raw)


class TestFrom:
    def test_several_collections_in_one_table_with_constants(self) -> None:
        entry = {
            "from": {"Cats": {"kind": "cat"}, "Dogs": {"kind": "dog"}},
            "constants": {"kind": "text!", "legs": {"type": "integer", "value": 4}},
            "fields": {"name": "text"},
            "extras": "dead_letter",
        }
        reference = reader({"pets": entry})
        assert list(reference.rules.collections) == ["Cats", "Dogs"]
        assert list(reference.shapes["pets"].columns) == ["id", "_isthmus_source", "kind", "legs", "name"]
        assert list(reference.shapes["pets"].final) == ["id", "kind", "legs", "name"]
        for number, (collection, kind) in enumerate([("Cats", "cat"), ("Dogs", "dog")]):
            result = run(reference, collection, [("name", bw.string("Tom"))])
            row = {"id": result.id, "_isthmus_source": number, "kind": kind, "legs": 4, "name": "Tom"}
            assert result.rows == {"pets": [row]}
            assert result.adjustments == {}

    def test_ids_are_hashed_with_the_name_of_the_collection(self) -> None:
        reference = reader({"pets": {"from": ["Cats", "Dogs"]}, "Cows": {}})
        cat, dog = (run(reference, name, [], bw.int32(5)) for name in ("Cats", "Dogs"))
        assert cat.id != dog.id
        assert [result.journal.id_map[0][0] for result in (cat, dog)] == ["Cats", "Dogs"]
        assert run(reference, "Cats", [], USER).id == run(reference, "Dogs", [], USER).id

    @pytest.mark.parametrize(
        ("sources", "said", "hashed"),
        [
            ("Cats", "pets", "Cats"),
            (["Cats", "Dogs"], "pets", "pets"),
            (["Cats", "Dogs"], "Dogs", "Dogs"),
            (None, "pets", "pets"),
        ],
    )
    def test_what_references_are_hashed_with(self, sources: Any, said: str, hashed: str) -> None:
        pets = {} if sources is None else {"from": sources}
        reference = reader({"Main": {"fields": {"pet": {"references": said}}}, "pets": pets})
        result = run(reference, "Main", [("pet", bw.int32(5))])
        assert result.journal.id_map[0][0] == hashed
        assert result.rows["main"][0]["pet"] == reference.ids.derive(hashed, bw_value(bw.int32(5)), "uuid")
        assert reference.shapes["main"].references["pet"].entry == "pets"

    def test_several_entries_in_one_table_have_the_union_of_their_columns(self) -> None:
        children = {"child": "parts", "own": "thing_id", "fields": {"n": "integer"}}
        reference = reader(
            {
                "A": {"table": "things", "fields": {"x": "text", "parts": children}},
                "B": {"table": "things", "fields": {"y": "text", "parts": children}},
            }
        )
        assert list(reference.shapes["things"].columns) == ["id", "_isthmus_source", "x", "y", "extras"]
        assert list(reference.shapes["parts"].columns) == ["thing_id", "position", "_isthmus_source", "n", "extras"]
        result = run(reference, "B", [("y", bw.string("b")), ("parts", bw.array([bw.document([("n", bw.int32(1))])]))])
        assert result.rows["things"] == [{"id": result.id, "_isthmus_source": 1, "y": "b", "extras": None}]
        assert result.rows["parts"][0]["_isthmus_source"] == 1


def bw_value(value: bw.Value) -> Any:
    from isthmus.verify.reference import bson

    return bson.read_document(bw.document([("v", value)]).raw)[0][1]


class TestWhen:
    COLLECTIONS: ClassVar[dict[str, Any]] = {
        "Admins": {"from": "Users", "when": {"role": ["admin", "root"], "gone": {"missing": True}}, "table": "admins"},
        "Guests": {"from": "Users", "when": {"role": "guest"}, "skip": [{"when": {"old": True}, "why": "old"}]},
    }

    @pytest.mark.parametrize(
        ("elements", "entry"),
        [
            ([("role", bw.string("root"))], "Admins"),
            ([("role", bw.string("guest"))], "Guests"),
            ([("role", bw.string("root")), ("gone", bw.null())], None),
            ([], None),
        ],
    )
    def test_the_first_entry_whose_conditions_hold(self, elements: Elements, entry: str | None) -> None:
        result = run(reader(self.COLLECTIONS), "Users", elements)
        assert (result.flow.entry if result.flow else None) == entry
        assert result.rejected == (None if entry else [("no-entry", "")])

    def test_an_entry_without_conditions_takes_the_rest(self) -> None:
        reference = reader({**self.COLLECTIONS, "Users": {}})
        assert list(run(reference, "Users", []).rows) == ["users"]

    def test_skips_are_those_of_the_entry(self) -> None:
        old = ("old", bw.boolean(true=True))
        assert run(reader(self.COLLECTIONS), "Users", [("role", bw.string("guest")), old]).skipped == "old"
        assert run(reader(self.COLLECTIONS), "Users", [("role", bw.string("root")), old]).skipped is None

    def test_what_no_entry_takes_is_not_looked_at_further(self) -> None:
        document = bw.document([("_id", bw.undefined())]).raw
        assert reader(self.COLLECTIONS).expected("Users", document).rejected == [("no-entry", "")]


class TestKey:
    @pytest.mark.parametrize(
        ("key", "columns"), [("code", ("code",)), (["kind", "code"], ("kind", "code")), ("none", ())]
    )
    def test_without_a_rule_for_the_id_it_is_hidden(self, key: Any, columns: tuple[str, ...]) -> None:
        entry = {"key": key, "constants": {"kind": {"type": "text!", "value": "k"}}, "fields": {"code": "text!"}}
        reference = reader({"A": entry})
        shape = reference.shapes["a"]
        assert (shape.key, shape.owner, list(shape.final)) == (columns, None, ["kind", "code", "extras"])
        result = run(reference, "A", [("code", bw.string("x"))])
        assert result.rows["a"][0]["_isthmus_id"] == result.id

    def test_with_a_rule_for_the_id_it_is_a_column(self) -> None:
        shape = reader({"A": {"key": "code", "fields": {"code": "text!", "_id": {"column": "old"}}}}).shapes["a"]
        assert (shape.key, shape.owner, list(shape.final)) == (("code",), "old", ["old", "code", "extras"])

    def test_references_to_its_id_wait_for_the_key(self) -> None:
        reference = reader(
            {
                "Main": {"fields": {"a": {"references": "A"}, "as": {"type": "bigint[]", "references": "A"}}},
                "A": {"key": "code", "fields": {"code": "bigint!"}},
            }
        )
        assert reference.shapes["main"].columns["a"] == Type("bigint")
        result = run(reference, "Main", [("a", USER), ("as", bw.array([USER, bw.null()]))])
        user = run(reference, "A", [("code", bw.int32(1))], USER)
        assert result.rows["main"] == [{"id": result.id, "extras": None}]
        assert result.pending == {
            "main.a": [{"root_id": result.id, "value": user.id}],
            "main.as": [
                {"root_id": result.id, "element": 0, "value": user.id},
                {"root_id": result.id, "element": 1, "value": None},
            ],
        }
        assert result.references == {"main.a": 1, "main.as": 1}


ACCOUNTS = {
    "ids": "cuid2",
    "fields": {
        "number": {"type": "bigint", "unique": True, "coerce": True},
        "e.mail": {"column": "mail", "type": "text", "unique": True, "normalise": "lower"},
    },
}


class TestReferencesByAnotherField:
    @pytest.mark.parametrize(
        ("rule", "column", "waits"),
        [
            ({"references": "accounts.number"}, Type("text"), True),
            ({"references": "accounts.number", "type": "bigint"}, Type("bigint"), False),
            ({"references": "accounts.number", "type": "text"}, Type("text"), True),
            ({"references": "accounts.number", "type": "text[]"}, Type("text", array=True), True),
            ({"references": "accounts.number", "type": "int8[]"}, Type("bigint", array=True), False),
            ({"references": "accounts.e.mail", "type": "text"}, Type("text"), False),
            ({"references": "accounts._id"}, Type("text"), False),
        ],
    )
    def test_type_says_whether_the_value_itself_is_kept(
        self, rule: dict[str, Any], column: Type, *, waits: bool
    ) -> None:
        shape = reader({"Main": {"fields": {"a": rule}}, "accounts": ACCOUNTS}).shapes["main"]
        assert shape.columns["a"] == column
        assert shape.references["a"].lookup is waits

    def test_of_names_with_dots_the_longest_wins(self) -> None:
        collections = {"Main": {"fields": {"a": {"references": "a.b.c"}}}, "a": {"fields": {"b.c": "integer"}}}
        assert reader(collections).shapes["main"].references["a"].entry == "a"
        longer = {**collections, "a.b": {"fields": {"c": "text"}}}
        assert reader(longer).shapes["main"].references["a"].entry == "a.b"
        assert reader({**longer, "a.b.c": {}}).shapes["main"].references["a"].entry == "a.b.c"

    def test_the_value_is_converted_as_the_other_column_would(self) -> None:
        fields = {
            "n": {"references": "accounts.number"},
            "m": {"references": "accounts.e.mail", "type": "text", "normalise": "trim"},
        }
        reference = reader({"Main": {"fields": fields}, "accounts": ACCOUNTS})
        result = run(reference, "Main", [("n", bw.string("12")), ("m", bw.string(" A@B "))])
        assert result.pending == {"main.n": [{"root_id": result.id, "value": 12}]}
        assert result.rows["main"] == [{"id": result.id, "m": "a@b", "extras": None}]
        assert result.adjustments == {"main.n:coerced": 1, "main.m:normalised": 1}
        assert result.references == {"main.n": 1, "main.m": 1}
        assert run(reference, "Main", [("n", USER)]).rejected == [("type", "n")]
        assert run(reference, "Main", [("n", bw.dbref("accounts", bw.int32(1)))]).rejected == [("type", "n")]

    def test_null_has_nothing_to_wait_for(self) -> None:
        fields = {"n": {"references": "accounts.number", "required": True}}
        reference = reader({"Main": {"fields": fields}, "accounts": ACCOUNTS})
        assert run(reference, "Main", [("n", bw.null())]).rejected == [("required", "n")]
        reference = reader({"Main": {"fields": {"n": {"references": "accounts.number"}}}, "accounts": ACCOUNTS})
        assert run(reference, "Main", [("n", bw.null())]).pending == {"main.n": []}

    @pytest.mark.parametrize(
        ("value", "rows"),
        [
            (bw.array([bw.int32(5), bw.null()]), [(0, 5), (1, None)]),
            (bw.array([]), [(-1, None)]),
            (bw.null(), []),
        ],
    )
    def test_elements_of_a_child_rows_array_wait_with_all_positions(
        self, value: bw.Value, rows: list[tuple[int, int | None]]
    ) -> None:
        inner = {"child": "deep", "fields": {"ns": {"references": "accounts.number", "type": "text[]"}}}
        fields = {"steps": {"child": "steps", "fields": {"deep": inner}}}
        reference = reader({"Main": {"fields": fields}, "accounts": ACCOUNTS})
        deep = bw.document([("deep", bw.array([bw.document([("ns", value)])]))])
        result = run(reference, "Main", [("steps", bw.array([bw.document([]), deep]))])
        key = {"root_id": result.id, "position_1": 1, "position_2": 0}
        assert result.pending["deep.ns"] == [{**key, "element": at, "value": one} for at, one in rows]

    def test_pairs_by_another_field_wait(self) -> None:
        junctions = {"j": {"main_id": "Main", "account_id": "accounts.number"}}
        reference = reader(
            {
                "Main": {"fields": {"numbers": {"junction": "j"}}},
                "accounts": {**ACCOUNTS, "fields": {**ACCOUNTS["fields"], "users": {"junction": "j"}}},
            },
            junctions=junctions,
        )
        assert reference.shapes["j"].columns == {"main_id": Type("uuid"), "account_id": Type("text")}
        result = run(
            reference, "Main", [("numbers", bw.array([bw.int32(1), bw.string("1"), bw.null(), bw.double(2.0)]))]
        )
        assert result.pending == {"j.account_id": [{"main_id": result.id, "account_id": n} for n in (1, 2)]}
        assert result.adjustments == {
            "j.account_id:coerced": 1,
            "j.account_id:duplicate_pair": 1,
            "j.account_id:null_element": 1,
        }
        back = run(reference, "accounts", [("users", bw.array([USER]))])
        assert back.pending == {}
        assert back.rows["j"] == [{"account_id": back.id, "main_id": run(reference, "Main", [], USER).id}]


class TestRoute:
    COLLECTIONS: ClassVar[dict[str, Any]] = {
        "Main": {"fields": {"owner": {"route": {"Users": "user_id", "Teams": {"column": "team_id", "index": True}}}}},
        "Users": {},
        "Teams": {"from": ["Old", "New"]},
    }

    def test_the_id_stands_in_every_column_and_counts_once(self) -> None:
        reference = reader(self.COLLECTIONS)
        assert reference.shapes["main"].routes == [("user_id", "team_id")]
        result = run(reference, "Main", [("owner", USER)])
        user = run(reference, "Users", [], USER).id
        assert result.rows["main"] == [{"id": result.id, "user_id": user, "team_id": user, "extras": None}]
        assert result.references == {"main.user_id|team_id": 1}
        hashed = run(reference, "Main", [("owner", bw.int32(5))])
        assert hashed.rows["main"][0]["user_id"] != hashed.rows["main"][0]["team_id"]
        assert [entry[0] for entry in hashed.journal.id_map] == ["Users", "Teams"]
        assert hashed.references == {"main.user_id|team_id": 1}

    def test_a_dbref_says_where(self) -> None:
        reference = reader(self.COLLECTIONS)
        row = run(reference, "Main", [("owner", bw.dbref("Teams", USER))]).rows["main"][0]
        assert (row["user_id"], row["team_id"]) == (None, run(reference, "Users", [], USER).id)
        assert run(reference, "Main", [("owner", bw.dbref("Other", USER))]).rejected == [("wrong-collection", "owner")]

        row = run(reference, "Main", [("owner", bw.dbref("Users", bw.null()))]).rows["main"][0]
        assert (row["user_id"], row["team_id"]) == (run(reference, "Users", [], bw.null()).id, None)

    def test_null_missing_and_arrays(self) -> None:
        reference = reader(self.COLLECTIONS)
        for elements in ([], [("owner", bw.null())]):
            row = run(reference, "Main", elements).rows["main"][0]
            assert (row["user_id"], row["team_id"]) == (None, None)
        assert run(reference, "Main", [("owner", bw.array([USER]))]).rejected == [("type", "owner")]
        rule = {"path": "owner", "required": True, "route": {"Users": "a", "Teams": "b"}}
        needed = reader({**self.COLLECTIONS, "Main": {"fields": {"x": rule}}})
        assert run(needed, "Main", []).rejected == [("required", "owner")]
