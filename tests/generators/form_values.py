"""Values for the forms of `forms`: what flags, labels, elements, replaced values and natural keys hold, or do not."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from tests.generators import bson_writer as bw
from tests.generators import values
from tests.generators.bson_writer import Value
from tests.generators.mappings import ENUM, Plain, disturbed, elements_of, fitting, plant, references

UNTRIMMED: list[str | bytes] = [
    *(" abc ", "\tABC\n", "\u00a0x\u0085", "\u200bx", "x\u200b", "\u2003a\u3000", "\x1ca\x1f", "\u180ea", "\ufeffa"),
    *("İstanbul", "ΑΣ", "ΑΣ Σ", "ΣΑΣ.", "ẞ", "STRASSE", "ß ", "ǅ", "Ж", "É", "K", "A\0 ", " \0A", "", " ", "a b"),
    *(b"A\xff ", b" \xc2", b"\xffB", " ACTIVE", "active ", "ACTIVE", "é", "É "),
]
"""Texts that `trim` and `lower` change, change only in part, or leave alone."""
NATURAL: dict[str, SearchStrategy[Value]] = {
    "number": st.one_of(
        st.integers(0, 5).flatmap(
            lambda n: st.sampled_from([bw.int32(n), bw.int64(n), bw.double(n), bw.string(str(n))])
        ),
        st.sampled_from(
            [bw.string("+7"), bw.string(" 5"), bw.double(1.5), bw.decimal128(0, 50, -1), bw.int64(1 << 62)]
        ),
    ),
    "e.mail": st.sampled_from(
        [
            *map(bw.string, ["a@b", " A@B ", "A@b\u00a0", "ann example", "Ann Example ", "ΑΣ@x", "", *UNTRIMMED]),
            bw.symbol("A@B"),
        ]
    ),
    "code": st.sampled_from([*map(bw.string, ["a", "p", "none", " a", "A", "x", *ENUM]), bw.symbol("p"), bw.int32(1)]),
    "day": st.one_of(
        st.integers(0, 3).map(lambda day: bw.datetime_ms(day * values.DAY)),
        st.sampled_from([bw.datetime_ms(1), bw.datetime_ms(1 << 62), bw.string("1970-01-02"), bw.int32(1)]),
    ),
}
"""Values that `Accounts` may be referred to by, by field."""
FLAG = [
    *(bw.boolean(true=True), bw.boolean(true=True), bw.boolean(true=False), bw.null(), bw.undefined()),
    *(bw.int32(1), bw.int64(0), bw.double(1.0), bw.double(-0.0), bw.string("true"), bw.symbol("false")),
    *(bw.int32(2), bw.string("TRUE"), bw.array([]), bw.decimal128(0, 1, 0)),
]


def stored(said: Any, *, normalised: bool) -> SearchStrategy[Value]:
    """Ways to store what `values` lists: every type of number that holds it, texts and symbols, perhaps untidy ones."""
    if isinstance(said, bool):
        return st.just(bw.boolean(true=said))
    if isinstance(said, str):
        untidy = [bw.string(f" {said.upper()}\u00a0"), bw.string(said.title())] if normalised else []
        return st.sampled_from([bw.string(said), bw.symbol(said), *untidy])
    ways = [bw.double(said)]
    if isinstance(said, int):
        ways += [
            bw.int64(said),
            bw.decimal128(int(said < 0), abs(said), 0),
            bw.decimal128(int(said < 0), abs(said) * 10, -1),
        ]
        ways += [bw.int32(said)] if abs(said) < 1 << 31 else []
    else:
        ways += [bw.decimal128(0, int(said * 10), -1)]
    return st.sampled_from(ways)


def for_column(rule: Plain, *, safe: bool) -> SearchStrategy[Value]:
    """Values for a column: of its type, listed ones, texts to normalise; for an array column mostly arrays."""
    type_text: str = rule["type"]
    bare = type_text.removesuffix("[]")
    ways = [fitting(bare, safe=safe)]
    for said in rule.get("values", {}):
        ways.append(stored(said, normalised="normalise" in rule) if said != "*" else values.scalars())
    if "normalise" in rule:
        ways += [st.sampled_from(UNTRIMMED).map(bw.string)] * (1 if safe else 2)
    one = st.one_of(ways)
    if bare == type_text:
        return one
    nulls = st.sampled_from([bw.null(), bw.undefined()])
    arrays = st.lists(st.one_of(one, one, nulls), max_size=4).map(bw.array)
    return arrays if safe else st.one_of(arrays, arrays, one)


@st.composite
def twin(draw: DrawFn, value: Value) -> Value:
    """The same value, or, of a number, perhaps the same number as another type."""
    if value.type == 0x10 and draw(st.booleans()):
        number = int.from_bytes(value.raw, "little", signed=True)
        return draw(st.sampled_from([bw.int64(number), bw.double(number)]))
    return value


@st.composite
def for_first_of(draw: DrawFn, rule: Plain, *, safe: bool) -> list[tuple[list[str], Value]]:
    """Values at several paths: missing, null, the same, nearly the same, others."""
    one = draw(values.int32s() if draw(st.integers(0, 3)) == 0 else any_value(rule, safe=safe))
    found: list[tuple[list[str], Value]] = []
    for path in rule["first_of"]:
        fate = draw(st.integers(0, 5))
        if fate == 0:
            found.append((path, draw(st.sampled_from([bw.null(), bw.undefined()]))))
        elif fate <= 2:
            found.append((path, draw(twin(one))))
        elif fate == 3:
            found.append((path, draw(any_value(rule, safe=safe))))
    return found


@st.composite
def for_elements(draw: DrawFn, rule: Plain, *, safe: bool) -> Value:
    """An array with elements and parts of them that fit this rule and perhaps others."""
    inner = any_value(rule, safe=safe)
    part = st.fixed_dictionaries({}, optional={"n": inner, "x": values.int32s(), "o": inner})
    whole = st.tuples(part, part).map(
        lambda two: bw.document([*_items(two[0]), *([("m", bw.document(_items(two[1])))] if two[1] else [])])
    )
    odd = st.sampled_from([bw.null(), bw.undefined(), bw.array([]), bw.document([])])
    one = st.one_of(whole if rule.get("of") else inner, whole, inner, odd)
    if not safe and draw(st.integers(0, 5)) == 0:
        return draw(one)
    return bw.array(draw(st.lists(one, max_size=4)))


def _items(part: dict[str, Value]) -> list[tuple[str | bytes, Value]]:
    return list(part.items())


def for_reference(rule: Plain, *, safe: bool) -> SearchStrategy[Value]:
    """Ids, or natural keys of the field that is referred to; arrays of them, nulls and single values among them."""
    to: str = rule["references"]
    field = to.removeprefix("Accounts.")
    one = NATURAL.get("number" if to == "Keyed.code" else field, references(safe=safe))
    teams = st.sampled_from(["Teams", "TeamsB", "Accounts", "Keyed"])
    named = st.tuples(teams, values.object_ids()).map(lambda parts: bw.dbref(*parts))
    one = st.one_of(one, one, one, named) if not safe else one
    if not rule.get("type", "").endswith("[]"):
        return one
    nulls = st.sampled_from([bw.null(), bw.undefined()])
    arrays = st.lists(st.one_of(one, one, nulls), max_size=4).map(bw.array)
    return arrays if safe else st.one_of(arrays, arrays, arrays, one)


def any_value(rule: Plain, *, safe: bool) -> SearchStrategy[Value]:
    """One value for a rule that takes one value."""
    if "route" in rule:
        named = st.tuples(st.sampled_from(["Users", "Teams", "Other"]), values.object_ids())
        return st.one_of(references(safe=safe), named.map(lambda parts: bw.dbref(*parts)))
    if "references" in rule:
        return for_reference(rule, safe=safe)
    return for_column(rule, safe=safe)


def labels(rule: Plain) -> SearchStrategy[Value]:
    """Arrays of labels, listed and not, nulls and numbers among them; single ones."""
    listed = st.sampled_from([*rule["to_flags"], *rule["to_flags"], "unknown"]).map(bw.string)
    odd = st.sampled_from([bw.null(), bw.int32(5), bw.symbol("admin"), bw.string(b"\xff"), bw.array([])])
    good = st.lists(listed, max_size=4).map(bw.array)
    return st.one_of(good, good, st.lists(st.one_of(listed, odd), max_size=3).map(bw.array), listed, odd)


@st.composite
def for_rule(draw: DrawFn, rule: Plain, path: list[str], *, safe: bool) -> list[tuple[list[str], Value]]:
    """What a document holds for a rule: paths with values, none when the field is missing."""
    if "flags" in rule:
        chosen = st.sampled_from(FLAG[:4] if safe else FLAG)
        return [(field.split("."), draw(chosen)) for field in rule["flags"] if draw(st.integers(0, 3))]
    if "object" in rule:
        said = rule["object"].values()
        content = NATURAL["number"] if safe else st.one_of(values.anything(), NATURAL["number"])
        return [(list(place), draw(content)) for place in said if draw(st.integers(0, 3))]
    fate = draw(st.integers(0, 19)) if not safe or not rule.get("required") else 19
    if fate in (8, 9):
        return []
    if fate == 11:
        return [(path, draw(st.sampled_from([bw.null(), bw.undefined()])))]
    if fate == 13 and not safe:
        return [(path, draw(values.anything()))]
    if "first_of" in rule:
        return draw(for_first_of(rule, safe=safe))
    if "to_flags" in rule:
        content = labels(rule)
    elif "element" in rule:
        content = for_elements(rule, safe=safe)
    elif "junction" in rule:
        one = st.one_of(NATURAL["number"], NATURAL["e.mail"], references(safe=safe))
        content = st.lists(st.one_of(one, one, st.just(bw.null())), max_size=4).map(bw.array) if fate != 5 else one
    elif "child" in rule:
        content = st.lists(by_forms(rule["fields"], safe=safe), max_size=3).map(bw.array)
    else:
        content = any_value(rule, safe=safe)
    return [(path, draw(content))]


@st.composite
def by_forms(draw: DrawFn, fields: Plain, *, safe: bool) -> Value:
    """A document for these rules: safe ones fit mostly; of others some fields are of any type, or unknown."""
    tree: dict[bytes, Any] = {}
    for key, rule in fields.items():
        if key != "_id":
            for path, content in draw(for_rule(rule, rule.get("path", [key]), safe=safe)):
                plant(tree, path, content)
    return bw.document(draw(disturbed(elements_of(tree), safe=safe)))
