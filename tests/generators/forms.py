"""Hypothesis strategies for mappings that choose, replace, put together, and point elsewhere than at an id.

Imports nothing from isthmus. The documents are those of the collection `Main`, which one entry reads, or several under
conditions, alone or together with `Other`, into tables of their own or into one. `Accounts` is referred to by its
unique fields, `Keyed` keeps no id, `Teams` has two collections, `Users` is plain.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from tests.generators import bson_writer as bw
from tests.generators import values
from tests.generators.form_values import by_forms
from tests.generators.mappings import (
    DEFAULTS,
    ENUM,
    FLAGS,
    SKIPS,
    TIMES,
    Case,
    Plain,
    base,
    column,
    ids,
    policies,
)

WHENS: list[Plain] = [*SKIPS, {"flag": {"present": True}}, {"flag": {"not": {"$oid": "00" * 12}}}]
TEXT_TYPES = ("text", "varchar(5)", "varchar", "status", "text[]", "status[]", "varchar(3)[]")
SOME_TEXTS = ["abc", "ACTIVE", "active", "", "5", "é", "true", "strasse", "a b", "ας", "Ж"]
REPLACED: list[list[Any]] = [
    [*SOME_TEXTS, 5, -3, 0.5, 9007199254740993, 2147483648, True],
    [*SOME_TEXTS, 0, 1, 2, False],
]
"""What `values` may list; `1` and `True` would be one key of a dict."""
ACCOUNTS: Plain = {
    "table": "accounts",
    "fields": {
        "number": {"type": "bigint", "unique": True, "coerce": True},
        "e.mail": {"column": "mail", "type": "text", "unique": True, "normalise": ["trim", "lower"]},
        "code": {"type": "status", "unique": True, "values": {"a": "ACTIVE", "p": "PENDING", "none": None}},
        "day": {"type": "date", "unique": True, "policies": {"range": "infinity"}},
    },
}
KEPT = {"number": "bigint", "e.mail": "text", "code": "status", "day": "date"}
"""Types of the columns that `Accounts` is referred to by."""


def becomes(type_text: str) -> SearchStrategy[Any]:
    """What `values` may write into a column of this type."""
    if type_text.startswith("numeric("):
        return st.sampled_from([0, None])
    if base(type_text) in TIMES:
        return st.sampled_from(["2021-03-04" if base(type_text) == "date" else "2021-03-04T05:06:07Z", None])
    return st.sampled_from([*(one for one in DEFAULTS[base(type_text)] if one != "now"), None])


@st.composite
def replaced(draw: DrawFn, type_text: str, *, lower: bool) -> dict[Any, Any]:
    """A `values` map; its texts are as `normalise` leaves them."""
    chosen = draw(st.lists(st.sampled_from(draw(st.sampled_from(REPLACED))), max_size=4, unique=True))
    listed = [one.lower() if lower and isinstance(one, str) else one for one in chosen]
    found = {one: draw(becomes(type_text)) for one in listed}
    if not found or draw(st.integers(0, 3)) == 0:
        found["*"] = draw(becomes(type_text))
    return found


@st.composite
def target(draw: DrawFn, name: str, *, of: list[str] | None = None) -> Plain:
    """A column without a path: what becomes of a value; texts and what is replaced come up often."""
    rule = draw(column([], name))
    del rule["path"]
    if draw(st.integers(0, 2)) != 2:
        kept = {key: rule[key] for key in ("column", "coerce", "policies") if key in rule}
        rule = {**kept, "type": draw(st.sampled_from(of or TEXT_TYPES))}
        if (rule.get("policies") or {}).get("range") == "null":
            del rule["policies"]
    if rule["type"] in TEXT_TYPES and draw(st.integers(0, 2)) != 2:
        rule["normalise"] = draw(st.sampled_from(["trim", "lower", ["trim", "lower"]]))
    if "rewrite" not in rule and draw(st.integers(0, 2)) == 1:
        rule["values"] = draw(replaced(rule["type"], lower="lower" in rule.get("normalise", ())))
    return rule


@st.composite
def changed(draw: DrawFn, name: str) -> tuple[str, Plain]:
    """A plain path whose values are normalised or replaced."""
    return name, {"path": [name], **draw(target(name))}


@st.composite
def first_of(draw: DrawFn, name: str) -> tuple[str, Plain]:
    """The first of several paths."""
    places = [[name], [name, "deep"][::-1], ["sub", name], ["sub", "in", name], [f"{name}.x"]]
    paths = draw(st.lists(st.sampled_from(places), min_size=2, max_size=3, unique_by=tuple))
    return name, {"first_of": paths, **draw(target(name))}


@st.composite
def elements(draw: DrawFn, name: str) -> list[tuple[str, Plain]]:
    """Several elements of one array, or parts of them."""
    path = draw(st.sampled_from([[name], ["sub", name]]))
    parts = st.tuples(st.sampled_from([0, 0, 1, -1, 2, -3]), st.sampled_from([(), (), ("n",), ("m", "n"), ("m", "o")]))
    said = draw(st.lists(parts, min_size=1, max_size=3, unique=True))
    wholes = {number for number, of in said if not of}
    said = [(number, of) for number, of in said if not of or number not in wholes]
    others = draw(st.sampled_from([None, None, "not wanted"]))
    coerce = draw(st.sampled_from([True, False, None]))
    rules: list[tuple[str, Plain]] = []
    for at, (number, of) in enumerate(said):
        rule = {"path": path, "element": number, **draw(target(f"{name}{at}"))}
        rule["coerce"] = draw(st.booleans()) if coerce is None else coerce
        if of:
            rule["of"] = list(of)
        if others:
            rule["others"] = others
        rules.append((f"{name}{at}", rule))
    return rules


@st.composite
def flags(draw: DrawFn, name: str) -> tuple[str, Plain]:
    """Booleans into one column."""
    fields = draw(
        st.lists(st.sampled_from([f"{name}A", f"sub.{name}B", f"{name}C", f"in{name}.x.y"]), min_size=1, unique=True)
    )
    type_text = draw(st.sampled_from(["text", "status", "varchar(5)", "text[]", "status[]", "varchar(5)[]"]))
    labels = ENUM if base(type_text) == "status" else ["a", "b", "é'", "x y"]
    rule: Plain = {
        "column": name,
        "type": type_text,
        "flags": dict(zip(fields, draw(st.permutations(labels)), strict=False)),
    }
    if draw(st.booleans()):
        rule["coerce"] = True
    if not type_text.endswith("[]") and draw(st.booleans()):
        rule["default"] = labels[0]
        if draw(st.booleans()):
            rule["default_for"] = ["missing", "null"]
    elif draw(st.integers(0, 3)) == 0:
        rule["required"] = True
    return name, rule


@st.composite
def put_together(draw: DrawFn, name: str) -> tuple[str, Plain]:
    """Several fields into one object."""
    places = [[name], ["sub", name], ["sub", "in", name], [f"{name}.x"], [f"{name}Y"]]
    paths = draw(st.lists(st.sampled_from(places), min_size=1, max_size=4, unique_by=tuple))
    keys = draw(st.permutations(["a", "b c", "é'\"", "$d.e", ""]))
    rule: Plain = {"column": name, "type": "jsonb", "object": dict(zip(keys, paths, strict=False))}
    if draw(st.integers(0, 2)) == 0:
        rule["policies"] = draw(policies(null_range=False))
    if draw(st.integers(0, 3)) == 0:
        rule["required"] = True
    return name, rule


LABELS = ["admin", "guest", "a b", "é", "5"]


@st.composite
def to_flags(draw: DrawFn, name: str) -> tuple[str, Plain]:
    """Labels into boolean columns."""
    labels = draw(st.lists(st.sampled_from(LABELS), min_size=1, max_size=3, unique=True))
    columns: Plain = {}
    for number, label in enumerate(labels):
        said: Plain = {"column": f"{name}{number}"}
        if draw(st.integers(0, 3)) == 0:
            said["default"] = draw(st.booleans())
        elif draw(st.integers(0, 5)) == 0:
            said["required"] = True
        columns[label] = said if draw(st.booleans()) else said["column"]
    return name, {"path": draw(st.sampled_from([[name], ["sub", name]])), "to_flags": columns}


def id_type(scheme: str) -> str:
    """Type of derived ids."""
    return "uuid" if scheme == "uuid" else "text"


@st.composite
def reference(draw: DrawFn, name: str, schemes: dict[str, str]) -> tuple[str, Plain]:
    """A reference to an entry or to another field of one, kept or looked up, or an array of such."""
    to = draw(
        st.sampled_from(
            [
                *(f"Accounts.{field}" for field in KEPT),
                "Accounts",
                "Keyed",
                "Keyed.code",
                "Teams",
                "TeamsB",
                "Users._id",
            ]
        )
    )
    entry, _, field = to.partition(".")
    entry = "Teams" if entry == "TeamsB" else entry
    held = "bigint" if entry == "Keyed" else id_type(schemes[entry])
    kept = "bigint" if to == "Keyed.code" else KEPT.get(field)
    rule: Plain = {"path": [name], "column": name, "references": to}
    stated = draw(st.sampled_from([None, "kept", "held[]", "kept[]"]))
    if stated == "kept" and kept:
        rule["type"] = kept
    elif stated is not None and stated.endswith("[]"):
        rule["type"] = f"{kept if kept and stated == 'kept[]' else held}[]"
    if draw(st.integers(0, 4)) == 0:
        rule["required"] = True
    array = rule.get("type", "").endswith("[]")
    if (array or kept) and draw(st.booleans()):
        rule["coerce"] = True
    if to in ("Accounts.e.mail", "Accounts.code") and draw(st.booleans()):
        rule["normalise"] = draw(st.sampled_from(["trim", "lower"]))
    if draw(st.booleans()):
        actions = [
            "dead_letter",
            *([] if rule.get("required") and not array else ["null"]),
            *(["drop"] if array else []),
        ]
        rule["on_orphan"] = draw(st.sampled_from(actions))
    return name, rule


@st.composite
def route(draw: DrawFn, name: str) -> tuple[str, Plain]:
    """An id that may be one of several entries'."""
    entries = draw(st.permutations(["Users", "Teams"]))
    rule: Plain = {"route": {entry: f"{name}_{number}" for number, entry in enumerate(entries)}, "path": [name]}
    form = draw(st.sampled_from(["path", "path", "first_of", "element"]))
    if form == "first_of":
        del rule["path"]
        rule["first_of"] = [[name], ["sub", name]]
    elif form == "element":
        rule |= {"element": draw(st.sampled_from([0, -1])), "of": ["n"]} if draw(st.booleans()) else {"element": 0}
    if draw(st.integers(0, 3)) == 0:
        rule["required"] = True
    return name, rule


@st.composite
def fields_of(draw: DrawFn, schemes: dict[str, str], prefix: str, *, most: int = 4) -> Plain:
    """Rules of one table, without what hangs below it."""
    found: Plain = {}
    forms = [
        *("changed", "first_of", "elements", "flags", "to_flags", "reference", "route", "changed", "first_of"),
        "object",
        *("elements", "reference", "column"),
    ]
    for number, form in enumerate(draw(st.lists(st.sampled_from(forms), min_size=1, max_size=most))):
        name = f"{prefix}{number}"
        if form == "elements":
            found |= draw(elements(name))
        elif form == "column":
            found[name] = draw(column(draw(st.sampled_from([[name], ["sub", name], ["o", "p", name]])), name))
        elif form == "reference":
            key, rule = draw(reference(name, schemes))
            found[key] = rule
        else:
            made = {
                "changed": changed,
                "first_of": first_of,
                "flags": flags,
                "object": put_together,
                "to_flags": to_flags,
                "route": route,
            }
            key, rule = draw(made[form](name))
            found[key] = rule
    return found


@st.composite
def entry(draw: DrawFn, schemes: dict[str, str], junctions: Plain, name: str) -> Plain:
    """One entry with its tables."""
    found: Plain = {"fields": draw(fields_of(schemes, "f"))}
    fields: Plain = found["fields"]
    found["ids"] = draw(st.sampled_from(["uuid", "uuid", "cuid2", "keep"]))
    keeps_id = True
    if draw(st.integers(0, 3)) == 2:
        fields["code"] = {"type": "text", "required": True, "default": "d"}
        found["constants"] = {"kind": {"type": "text!", "value": "k"}}
        found["key"] = draw(st.sampled_from(["none", "code", ["kind", "code"]]))
        keeps_id = draw(st.booleans())
        if keeps_id:
            fields["_id"] = {"column": "old_id"}
    if found["ids"] == "keep" and keeps_id and draw(st.booleans()):
        fields["_id"] = {"column": "old_id", "type": draw(st.sampled_from(["text", "bigint"]))}
    if keeps_id and draw(st.booleans()):
        inner = draw(fields_of(schemes, "g", most=3))
        if draw(st.integers(0, 2)) == 0:
            inner["parts"] = {"child": f"{name}_parts".lower(), "fields": draw(fields_of(schemes, "h", most=2))}
        fields["steps"] = {"child": f"{name}_steps".lower(), "own": "main_id", "fields": inner}
    if keeps_id and draw(st.integers(0, 2)) == 0:
        table = f"{name}_pairs".lower()
        end = draw(st.sampled_from(["Accounts.number", "Accounts.e.mail", "Keyed", "Teams", "TeamsA"]))
        fields["pairs"] = {"junction": table}
        junctions[table] = {"own_id": name, "other_id": end}
    if draw(st.integers(0, 9)) == 5:
        found["extras"] = "dead_letter"
    if draw(st.integers(0, 4)) == 2:
        found["skip"] = [{"when": draw(st.sampled_from(SKIPS)), "why": f"asked for by {name}"}]
    return found


@st.composite
def entries(draw: DrawFn, schemes: dict[str, str], junctions: Plain) -> Plain:
    """The entries that read `Main`."""
    form = draw(st.sampled_from(["plain", "named", "sources", "split", "split", "shared"]))
    if form == "plain":
        return {"Main": {"table": "main", **draw(entry(schemes, junctions, "Main"))}}
    first = {"table": "first", "from": "Main", **draw(entry(schemes, junctions, "First"))}
    if form == "named":
        return {"First": first}
    constants: Plain = first.setdefault("constants", {})
    if form == "sources":
        constants["origin"] = draw(st.sampled_from(["text!", "text", {"type": "varchar(5)", "index": True}]))
        first["from"] = {"Main": {"origin": "m"}, "Other": {"origin": "o"}}
        return {"First": first}
    first["when"] = draw(st.sampled_from(WHENS))
    if form == "split":
        second = {"table": "second", "from": draw(st.sampled_from(["Main", ["Main", "Other"]]))}
        second |= draw(entry(schemes, junctions, "Second"))
    else:
        constants["origin"] = {"type": "integer!", "value": 1}
        second = copy.deepcopy(first)
        second["constants"]["origin"]["value"] = 2
        del second["when"]
        for key, rule in list(second["fields"].items()):
            free = isinstance(rule, dict) and not {"child", "junction"} & rule.keys() and key not in ("_id", "code")
            if free and not any(said.get("required") for said in required_in(rule)) and draw(st.booleans()):
                del second["fields"][key]
    if draw(st.booleans()):
        second["when"] = draw(st.sampled_from(WHENS))
    return {"First": first, "Second": second}


def required_in(rule: Plain) -> Iterator[Plain]:
    """A rule and the columns stated inside it."""
    yield rule
    yield from (said for said in rule.get("to_flags", {}).values() if isinstance(said, dict))


@st.composite
def mappings(draw: DrawFn) -> Plain:
    """A mapping that `isthmus check` accepts."""
    any_ids = st.sampled_from(["uuid", "uuid", "cuid2", "keep"])
    schemes = {name: draw(any_ids) for name in ("Users", "Accounts", "Keyed")}
    schemes["Teams"] = schemes["Users"]
    junctions: Plain = {}
    collections = draw(entries(schemes, junctions))
    collections |= {
        "Users": {"table": "users", "ids": schemes["Users"]},
        "Teams": {"table": "teams", "from": ["TeamsA", "TeamsB"], "ids": schemes["Teams"]},
        "Accounts": {**ACCOUNTS, "ids": schemes["Accounts"]},
        "Keyed": {"table": "keyed", "ids": schemes["Keyed"], "key": "code", "fields": {"code": "bigint!"}},
    }
    mapping: Plain = {"isthmus": 1, "enums": {"status": ENUM}, "collections": collections}
    if junctions:
        mapping["junctions"] = junctions
    if draw(st.booleans()):
        mapping["policies"] = draw(policies(null_range=False))
    return mapping


@st.composite
def documents(draw: DrawFn, mapping: Plain) -> bytes:
    """One whole document of `Main`, made for one of the entries that read it."""
    mine = [said for name, said in mapping["collections"].items() if name == "Main" or "Main" in said.get("from", ())]
    one: Plain = draw(st.sampled_from(mine))
    body = draw(by_forms(one["fields"], safe=draw(st.integers(0, 2)) != 2)).raw
    if draw(st.integers(0, 3)) != 2:
        body = bw.prepended("flag", draw(st.sampled_from(FLAGS)), body)
    fate = draw(st.integers(0, 39))
    if fate == 17:
        return body
    return bw.prepended("_id", draw(ids(one) if fate == 23 else good_ids(one)), body)


def good_ids(said: Plain) -> SearchStrategy[bw.Value]:
    """Ids that the entry's documents may have."""
    stated = said["fields"].get("_id", {}).get("type")
    if said["ids"] == "keep":
        return values.int64s() if stated == "bigint" else values.object_ids()
    return st.one_of(
        values.object_ids(), values.object_ids(), values.int32s(), st.sampled_from(["a", ""]).map(bw.string)
    )


@st.composite
def form_cases(draw: DrawFn, max_documents: int = 5) -> Case:
    """A mapping with documents of `Main`."""
    mapping = draw(mappings())
    return Case(mapping, draw(st.lists(documents(mapping), min_size=1, max_size=max_documents)))
