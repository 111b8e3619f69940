"""Hypothesis strategies for whole cases: a mapping as plain YAML data, and documents that fit it more or less.

Imports nothing from isthmus. One collection, `Main`, has columns of every type at plain, nested and hostile paths, a
reference, rewritten jsonb, a junction, a child table with a child table of its own, a dropped field; any of them may be
left out. `Users` is what it refers to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from tests.generators import bson_writer as bw
from tests.generators import values
from tests.generators.bson_writer import Value

Plain = dict[str, Any]
Elements = list[tuple[str | bytes, Value]]

ENUM = ["ACTIVE", "PENDING", "é", "a'b"]
TYPES = [
    *("text", "text", "varchar(5)", "varchar", "smallint", "integer", "bigint", "real", "double", "double"),
    *("numeric", "numeric(10,2)", "numeric(5,5)", "numeric(38,0)", "numeric(3)", "boolean", "date", "timestamp"),
    *("timestamptz", "timestamptz(0)", "timestamp(1)", "timestamptz(2)", "uuid", "bytea", "jsonb", "jsonb", "status"),
    *("text[]", "integer[]", "double[]", "numeric(10,2)[]", "timestamptz[]", "uuid[]", "bytea[]", "status[]"),
    *("boolean[]", "varchar(3)[]", "date[]", "real[]", "bigint[]", "smallint[]", "timestamp[]", "numeric[]"),
]
PATHS: list[list[str]] = [
    *(["a"], ["b"], ["c"], ["$x"], ["a.b"], ["with space"], ["ключ"], [""]),
    *(["sub", "one"], ["sub", "two"], ["sub", "in", "ner"], ["sub", "in", ""], ["$ref", "."], ["o", "p", "q", "r"]),
]
SKIPS: list[Plain] = [
    {"flag": 5},
    {"flag": [1, "abc", None, {"$oid": "00" * 12}]},
    {"flag": {"null": True}},
    {"flag": {"missing": True}, "a": {"present": True}},
    {"flag": {"not": [5, "abc"]}},
    {"flag": {"not": True}, "sub.one": {"missing": True}},
]
FLAGS = [
    *(
        bw.int32(5),
        bw.int64(5),
        bw.double(5.0),
        bw.decimal128(0, 50, -1),
        bw.int32(1),
        bw.double(0.5),
        bw.string("abc"),
    ),
    *(bw.null(), bw.boolean(true=True), bw.object_id(bytes(12)), bw.symbol("abc"), bw.document([])),
]
TIMES = ("timestamp", "timestamptz", "date")
DEFAULTS: dict[str, list[Any]] = {
    "text": ["", "x", "now", "é'"],
    "varchar": ["x"],
    "smallint": [0, -32768],
    "integer": [0, 7],
    "bigint": [0, 9223372036854775807],
    "double": [0, 1.5],
    "real": [0.5],
    "numeric": [0, 1],
    "boolean": [True, False],
    "date": ["now", "id_time", "2021-03-04"],
    "timestamp": ["now", "id_time", "2021-03-04T05:06:07Z"],
    "timestamptz": ["now", "id_time", "2021-03-04T05:06:07.089Z"],
    "uuid": ["01234567-89ab-cdef-0123-456789abcdef"],
    "bytea": ["\\x00ff"],
    "jsonb": [{"a": [1, None, "x", True]}, [], 5, "text"],
    "status": ["ACTIVE"],
}
FITTING: dict[str, SearchStrategy[Value]] = {
    "text": st.one_of(values.texts().map(bw.string), values.object_ids()),
    "varchar": values.texts().map(bw.string),
    "smallint": st.one_of(values.int32s(), st.integers(-32768, 32767).map(bw.int32), values.doubles()),
    "integer": st.one_of(values.int32s(), values.int64s(), values.doubles(), values.decimals()),
    "bigint": st.one_of(values.int32s(), values.int64s(), values.doubles(), values.decimals()),
    "real": st.one_of(values.doubles(), values.int32s(), values.int64s(), values.decimals()),
    "double": st.one_of(values.doubles(), values.int32s(), values.int64s(), values.decimals()),
    "numeric": st.one_of(values.doubles(), values.int32s(), values.int64s(), values.decimals()),
    "boolean": st.booleans().map(lambda flag: bw.boolean(true=flag)),
    "date": values.datetimes(),
    "timestamp": values.datetimes(),
    "timestamptz": values.datetimes(),
    "uuid": st.binary(min_size=16, max_size=16).map(lambda content: bw.binary(4, content)),
    "bytea": st.binary(max_size=9).map(lambda content: bw.binary(0, content)),
    "jsonb": values.anything(),
    "status": st.sampled_from([bw.string(label) for label in [*ENUM, "active"]]),
}


def _decimal(coefficient_digits: int, scale: int) -> SearchStrategy[Value]:
    limit = 10**coefficient_digits - 1
    return st.integers(-limit, limit).map(lambda n: bw.decimal128(int(n < 0), abs(n), -scale))


_EASY_TEXTS = st.one_of(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=3))
_SECONDS = st.integers(-(10**10), 10**11)
SAFE: dict[str, SearchStrategy[Value]] = {
    "text": st.one_of(_EASY_TEXTS.map(bw.string), values.object_ids(), _EASY_TEXTS.map(bw.symbol)),
    "varchar": _EASY_TEXTS.map(bw.string),
    "smallint": st.integers(-32768, 32767).flatmap(
        lambda n: st.sampled_from([bw.int32(n), bw.int64(n), bw.double(n), bw.decimal128(int(n < 0), abs(n), 0)])
    ),
    "integer": st.one_of(values.int32s(), st.integers(-(1 << 31), (1 << 31) - 1).map(bw.int64)),
    "bigint": st.one_of(values.int32s(), values.int64s(), st.integers(-(1 << 53), 1 << 53).map(bw.double)),
    "real": st.one_of(st.floats(width=32).map(bw.double), st.integers(-(1 << 24), 1 << 24).map(bw.int32)),
    "double": st.one_of(
        values.doubles(), values.int32s(), st.integers(-(1 << 53), 1 << 53).map(bw.int64), _decimal(9, 0)
    ),
    "numeric": st.one_of(values.doubles(), values.int32s(), values.int64s(), values.decimals()),
    "numeric(10,2)": st.one_of(
        _decimal(10, 2), st.integers(-(10**9), 10**9).map(lambda n: bw.double(n / 100)), _decimal(3, 0)
    ),
    "numeric(5,5)": _decimal(5, 5),
    "numeric(38,0)": st.one_of(_decimal(34, 0), values.int64s()),
    "numeric(3)": st.one_of(_decimal(3, 0), st.integers(-999, 999).map(bw.int32)),
    "boolean": st.booleans().map(lambda flag: bw.boolean(true=flag)),
    "date": st.integers(-2_440_588, 2_145_042_905).map(lambda day: bw.datetime_ms(day * values.DAY)),
    "timestamp": st.one_of(_SECONDS.map(lambda s: bw.datetime_ms(s * 1000)), _SECONDS.map(bw.datetime_ms)),
    "timestamp(1)": _SECONDS.map(lambda s: bw.datetime_ms(s * 100)),
    "timestamptz(0)": _SECONDS.map(lambda s: bw.datetime_ms(s * 1000)),
    "timestamptz(2)": _SECONDS.map(lambda s: bw.datetime_ms(s * 10)),
    "uuid": st.binary(min_size=16, max_size=16).map(lambda content: bw.binary(4, content)),
    "bytea": st.binary(max_size=9).map(lambda content: bw.binary(0, content)),
    "jsonb": st.recursive(
        st.one_of(
            _EASY_TEXTS.map(bw.string), values.int32s(), values.int64s(), values.object_ids(), values.datetimes()
        ),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3).map(bw.array),
            st.lists(st.tuples(st.sampled_from(["a", "userId", "items", "a.b", "$x", ""]), inner), max_size=3).map(
                bw.document
            ),
        ),
        max_leaves=5,
    ),
    "status": st.sampled_from([bw.string(label) for label in ENUM]),
}
SAFE["timestamptz"] = SAFE["timestamp"]


@dataclass(frozen=True)
class Case:
    """A mapping and documents of its collection `Main`."""

    mapping: Plain
    documents: list[bytes]


def base(type_text: str) -> str:
    """`numeric(10,2)[]` to `numeric`."""
    return type_text.removesuffix("[]").partition("(")[0]


def policies(*, null_range: bool) -> SearchStrategy[Plain]:
    return st.fixed_dictionaries(
        {},
        optional={
            "nul": st.sampled_from(["dead_letter", "remove"]),
            "utf8": st.sampled_from(["dead_letter", "replace"]),
            "nan": st.sampled_from(["dead_letter", "null"]),
            "range": st.sampled_from(["dead_letter", "infinity", *(["null"] if null_range else [])]),
        },
    )


@st.composite
def column(draw: DrawFn, path: list[str], name: str) -> Plain:
    """The long form of one column."""
    type_text = draw(st.sampled_from(TYPES))
    rule: Plain = {"path": path, "column": name, "type": type_text}
    if draw(st.integers(0, 5)) == 0:
        rule["required"] = True
    if draw(st.booleans()):
        rule["coerce"] = True
    if draw(st.booleans()):
        rule["policies"] = draw(policies(null_range=not rule.get("required")))
    if not type_text.endswith("[]") and draw(st.integers(0, 2)) == 0:
        kept = (
            [0] if type_text == "numeric(5,5)" else ["now"] if "(" in type_text and base(type_text) in TIMES else None
        )
        rule["default"] = draw(st.sampled_from(kept or DEFAULTS[base(type_text)]))
        if rule["default"] == "now" and base(type_text) in ("text", "varchar"):
            rule["default"] = {"literal": "now"}
        if draw(st.booleans()):
            rule["default_for"] = ["missing", "null"]
    if type_text == "jsonb" and draw(st.booleans()):
        rule["rewrite"] = {draw(st.sampled_from(["userId", "[].userId", "[]", "items[].userId", "a\\.b"])): "Users"}
    if type_text == "jsonb" and draw(st.integers(0, 2)) == 0:
        keys = st.sampled_from(["userId", "[].userId", "a", "items[].userId", "a\\.b", "[].a", "items"])
        rule["rename"] = draw(st.dictionaries(keys, st.sampled_from(["b", "who 'x\"", "key"]), min_size=1))
    return rule


@st.composite
def mappings(draw: DrawFn) -> Plain:
    """A mapping that `isthmus check` accepts."""
    used = draw(st.lists(st.sampled_from(PATHS), min_size=1, max_size=6, unique_by=tuple))
    fields: Plain = {f"f{number}": draw(column(path, f"c{number}")) for number, path in enumerate(used)}
    if draw(st.booleans()):
        user: Plain = {"column": "user_id", "references": "Users"}
        fields["user"] = user
        if draw(st.integers(0, 4)) == 0:
            user["required"] = True
    junctions: Plain = {}
    if draw(st.booleans()):
        fields["userIDs"] = {"junction": "main_to_users"}
        junctions["main_to_users"] = {"main_id": "Main", "user_id": "Users"}
    if draw(st.booleans()):
        inner: Plain = {f"g{n}": draw(column(path, f"d{n}")) for n, path in enumerate([["a"], ["sub", "one"]])}
        if draw(st.booleans()):
            inner["ref"] = {"column": "ref_id", "references": "Users"}
        if draw(st.booleans()):
            inner["old"] = {"path": ["sub", "old"], "drop": "not wanted either"}
        if draw(st.booleans()):
            deep = {"deep": draw(column(["z"], "z"))}
            inner["parts"] = {"child": "main_parts", "fields": deep}
        fields["steps"] = {"child": "main_steps", "fields": inner}
        if draw(st.integers(0, 3)) == 0:
            fields["steps"]["extras"] = "dead_letter"
    if draw(st.booleans()):
        fields["legacy"] = {"drop": "not wanted"}
    main: Plain = {"table": "main", "fields": fields}
    ids = draw(st.sampled_from(["uuid", "uuid", "cuid2", "keep"]))
    if ids == "keep":
        key_type = draw(st.sampled_from(["text", "bigint", "uuid", None]))
        if key_type:
            fields["_id"] = {"column": draw(st.sampled_from(["id", "key"])), "type": key_type}
    if draw(st.integers(0, 2)) == 0:
        skip = draw(st.sampled_from(SKIPS))
        main["skip"] = [{"when": skip, "why": "asked for"}]
    mapping: Plain = {
        "isthmus": 1,
        "collections": {"Main": main, "Users": {"table": "users", "fields": {"name": "text"}}},
    }
    mapping["enums"] = {"status": ENUM}
    main["ids"] = ids
    mapping["collections"]["Users"]["ids"] = scheme = draw(st.sampled_from(["uuid", "uuid", "cuid2", "keep"]))
    rewriting: list[Plain] = [rule for rule in fields.values() if isinstance(rule, dict) and "rewrite" in rule]
    for rule in rewriting if scheme != "keep" and draw(st.booleans()) else ():
        rule["rewrite"] = {path: {"to": "Users", "others": "keep"} for path in rule["rewrite"]}
    if junctions:
        mapping["junctions"] = junctions
    if draw(st.booleans()):
        mapping["policies"] = draw(policies(null_range=False))
    if draw(st.integers(0, 4)) == 0:
        main["extras"] = "dead_letter"
    return mapping


@st.composite
def ids(draw: DrawFn, main: Plain) -> Value:
    """Mostly ObjectIds, or what the key column keeps; now and then every type that an `_id` may or may not have."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.one_of(values.scalars(), values.anything()))
    if main["ids"] == "keep":
        return draw(SAFE[main["fields"].get("_id", {}).get("type") or "text"])
    return draw(st.one_of(values.object_ids(), values.object_ids(), values.int32s(), values.texts().map(bw.string)))


def fitting(type_text: str, *, safe: bool) -> SearchStrategy[Value]:
    """Values for a column of this type: of the right kind with its borders, or such that nearly always fit."""
    bare = type_text.removesuffix("[]")
    one = SAFE.get(bare, SAFE[base(type_text)]) if safe else FITTING[base(type_text)]
    if type_text.endswith("[]"):
        return st.lists(st.one_of(one, one, st.just(bw.null())), max_size=4).map(bw.array)
    return one


def references(*, safe: bool) -> SearchStrategy[Value]:
    """What a reference may hold."""
    if safe:
        dbref = values.object_ids().map(lambda content: bw.dbref("Users", content))
        return st.one_of(values.object_ids(), values.object_ids(), _EASY_TEXTS.map(bw.string), dbref)
    refs = st.tuples(st.sampled_from(["Users", "Users", "Other"]), values.object_ids())
    dbrefs = refs.map(lambda parts: bw.dbref(parts[0], parts[1]))
    return st.one_of(values.object_ids(), values.object_ids(), values.texts().map(bw.string), dbrefs, values.anything())


@st.composite
def by_rules(draw: DrawFn, fields: Plain, *, safe: bool) -> Value:
    """A document for these rules: safe ones fit; of others some fields are missing, null, of any type, or unknown."""
    tree: dict[bytes, Any] = {}
    for key, rule in fields.items():
        if key == "_id":
            continue
        path: list[str] = rule.get("path", [key])
        fate = draw(st.integers(0, 19)) if not safe or not rule.get("required") else 19
        if fate <= 2:
            continue
        if fate == 3:
            content = bw.null()
        elif fate == 4 and not safe:
            content = draw(values.anything())
        elif "references" in rule:
            content = draw(references(safe=safe))
        elif "junction" in rule:
            content = draw(
                st.lists(references(safe=safe), max_size=4).map(bw.array) if fate < 18 else references(safe=safe)
            )
        elif "child" in rule:
            elements = st.lists(by_rules(rule["fields"], safe=safe), max_size=3)
            content = bw.array(draw(elements))
        elif "drop" in rule:
            content = draw(values.scalars())
        else:
            content = draw(fitting(rule["type"], safe=safe))
        plant(tree, path, content)
    return bw.document(draw(disturbed(elements_of(tree), safe=safe)))


@st.composite
def disturbed(draw: DrawFn, elements: Elements, *, safe: bool) -> Elements:
    """The elements in another order now and then; unless safe with unknown fields and duplicate keys among them."""
    if draw(st.integers(0, 3)) == 0 and not safe:
        extra = draw(st.lists(st.tuples(values.keys(), values.anything()), max_size=2))
        elements = elements + extra
    if draw(st.integers(0, 9)) == 0:
        elements = draw(st.permutations(elements))
    if elements and not safe and draw(st.integers(0, 9)) == 0:
        again = draw(st.sampled_from([key for key, _ in elements]))
        elements = [*elements, (again, draw(values.anything()))]
    return elements


def plant(tree: dict[bytes, Any], path: list[str], content: Value) -> None:
    """Put a value at a path of keys, unless something else is in its way."""
    place = tree
    for key in path[:-1]:
        below = place.setdefault(key.encode(), {})
        if not isinstance(below, dict):
            return
        place = below
    place.setdefault(path[-1].encode(), content)


def elements_of(tree: dict[bytes, Any]) -> Elements:
    """What was planted, as the elements of a document."""
    return [
        (key, bw.document(elements_of(content)) if isinstance(content, dict) else content)
        for key, content in tree.items()
    ]


@st.composite
def documents(draw: DrawFn, mapping: Plain) -> bytes:
    """One whole document of `Main`."""
    main: Plain = mapping["collections"]["Main"]
    body = draw(by_rules(main["fields"], safe=draw(st.booleans()))).raw
    if "skip" in main and draw(st.integers(0, 3)):
        flag = draw(st.sampled_from(FLAGS))
        body = bw.prepended("flag", flag, body)
    if draw(st.integers(0, 39)) == 0:
        return body
    identifier = draw(ids(main))
    return bw.prepended("_id", identifier, body)


@st.composite
def cases(draw: DrawFn, max_documents: int = 6) -> Case:
    """A mapping with documents."""
    mapping = draw(mappings())
    return Case(mapping, draw(st.lists(documents(mapping), min_size=1, max_size=max_documents)))
