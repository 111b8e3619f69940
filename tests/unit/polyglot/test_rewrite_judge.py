"""What a rewrite decides without a server: verdicts, scopes, what was written, what is put back.

Oracle: answers by hand. Cannot see: whether the server does what an update says; `integration/polyglot` asks it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import bson
import pytest
from bson import ObjectId
from bson.dbref import DBRef

from isthmus.errors import ConfigError
from isthmus.mapping import parse_mapping
from isthmus.mapping.references import Pointer
from isthmus.polyglot.rewrite.documents import Read, document, held
from isthmus.polyglot.rewrite.judge import Limits, Value, found_in, judge
from isthmus.polyglot.rewrite.put_back import back
from isthmus.polyglot.rewrite.resolve import NOTHING, Answer
from isthmus.polyglot.rewrite.scope import scope_of
from isthmus.polyglot.rewrite.settle import was_written
from isthmus.polyglot.sites import Site, SitePath
from isthmus.state.rewrites import Line

OLD, OTHER = ObjectId("65f0c1a2b3c4d5e6f7a8b9c0"), ObjectId("65f0c1a2b3c4d5e6f7a8b9c1")
MOST = Limits()


def read(**fields: Any) -> Read:
    return document(bson.encode({"_id": 1, **fields}))


def site(path: SitePath, *entries: str) -> Site:
    return Site("c", path, tuple(Pointer(one, one) for one in entries or ("users",)), "rule", "c.x")


def judged(
    fields: Mapping[str, Any],
    answers: Mapping[tuple[str, Any], Answer],
    *sites: Site,
    limits: Limits = MOST,
    entries: tuple[str, ...] = ("users", "orgs"),
) -> list[Value]:
    known = {(entry, held(value)): answer for (entry, value), answer in answers.items()}
    one = read(**fields)
    return judge(one, found_in(one, sites), lambda entry, old: known.get((entry, old), NOTHING), limits, entries)


def row(*ids: str) -> Answer:
    return Answer(ids=frozenset(ids))


IS_ID = Answer(is_id=True)
A = site(("a",))
HEX = str(OLD)


@pytest.mark.parametrize(
    ("value", "answer", "expected"),
    [
        (OLD, row("new"), ("change", "new")),
        (HEX, row("new"), ("change", "new")),
        ("new", IS_ID, ("canonical", None)),
        (OLD, NOTHING, ("unmapped", None)),
        ("anything", NOTHING, ("unmapped", None)),
        (OLD, row("x", "y"), ("ambiguous", None)),
        (HEX, Answer(True, frozenset({"new"})), ("ambiguous", None)),
        (HEX, Answer(True, frozenset({HEX})), ("canonical", None)),
        (5, Answer(True, frozenset({"5"})), ("canonical", None)),
        (DBRef("users", OLD), row("new"), ("cannot", None)),
    ],
)
def test_one_answer_gives_one_verdict(value: object, answer: Answer, expected: tuple[str, str | None]) -> None:
    (one,) = judged({"a": value}, {("users", value): answer}, A)
    assert (one.verdict, one.new) == expected


def test_a_route_takes_the_first_table_that_has_a_row() -> None:
    answers = {("orgs", OLD): row("org"), ("users", OLD): row("user"), ("orgs", OTHER): row("org2")}
    route = site(("a", None), "users", "orgs")
    assert [one.new for one in judged({"a": [OLD, OTHER]}, answers, route)] == ["user", "org2"]


def test_two_rules_that_say_different_things_of_one_value_are_an_ambiguity() -> None:
    sites = (site(("a",), "users"), site(("a",), "orgs"))
    both = {("users", OLD): row("user"), ("orgs", OLD): row("org")}
    assert [one.verdict for one in judged({"a": OLD}, both, *sites)] == ["ambiguous"]
    assert [one.new for one in judged({"a": OLD}, {("orgs", OLD): row("org")}, *sites)] == ["org"]
    same = {("users", OLD): row("one"), ("orgs", OLD): row("one")}
    assert [one.new for one in judged({"a": OLD}, same, *sites)] == ["one"]
    mixed = {("users", HEX): IS_ID, ("orgs", HEX): row("org")}
    assert [one.verdict for one in judged({"a": HEX}, mixed, *sites)] == ["ambiguous"]


def test_what_may_lead_to_a_table_that_was_not_asked_for_is_not_unmapped() -> None:
    route = site(("a",), "users", "orgs")
    assert [one.verdict for one in judged({"a": OLD}, {}, route, entries=("users",))] == ["elsewhere"]
    assert [one.verdict for one in judged({"a": OLD}, {}, route)] == ["unmapped"]


@pytest.mark.parametrize(
    ("path", "document", "reason"),
    [
        (("a.b", None), {"a.b": [OLD]}, "dotted-key"),
        (("$a",), {"$a": OLD}, "dollar-key"),
        (("a", ""), {"a": {"": OLD}}, "empty-key"),
        (("key", "of"), {"key": {"of": OLD}}, "shard-key"),
        (("key",), {"key": OLD}, "shard-key"),
        (("s", "t", "u"), {"s": {"t": {"u": OLD}}}, "shard-key"),
    ],
)
def test_what_no_update_can_change_is_told_why(path: SitePath, document: dict[str, Any], reason: str) -> None:
    limits = Limits(shard_key=(("key", "of"), ("s", "t")))
    (one,) = judged(document, {("users", OLD): row("new")}, site(path), limits=limits)
    assert (one.verdict, one.new, one.reason) == ("cannot", "new", reason)
    (other,) = judged(document, {}, site(path), limits=limits)
    assert (other.verdict, other.reason) == ("unmapped", None)


def test_a_document_that_would_grow_too_large_is_left_as_a_whole() -> None:
    fields = {"a": OLD, "b": OTHER, "z": "x" * 100}
    answers = {("users", OLD): row("i" * 24), ("users", OTHER): row("i" * 24)}
    sites = (A, site(("b",)))
    exact = read(**{**fields, "a": "i" * 24, "b": "i" * 24}).size_bytes
    fits = judged(fields, answers, *sites, limits=Limits(document_bytes=exact))
    assert [one.verdict for one in fits] == ["change", "change"]
    beyond = judged(fields, answers, *sites, limits=Limits(document_bytes=exact - 1))
    assert [(one.verdict, one.reason) for one in beyond] == [("cannot", "too-large")] * 2


MAPPING = """
isthmus: 1
collections:
  people: {from: [a, b], table: users, fields: {name: {type: text, unique: true}}}
  posts:
    fields:
      who: {references: people}
      named: {references: people.name, type: text}
      at: {route: {people: at_user, posts: at_post}}
  places: {key: code, fields: {code: text!, who: {references: people}, boss: {references: places}}}
"""


def scoped(*, to: Collection[str] = (), only: Collection[str] = ()) -> dict[str, list[str]]:
    scope = scope_of(parse_mapping(MAPPING), to, only)
    return {name: [one.shown for one in group] for name, group in scope.sites.items()}


def test_a_scope_is_chosen_by_tables_entries_and_source_collections() -> None:
    everything = {"posts": ["who", "at"], "places": ["who"]}
    assert scoped() == everything
    assert scoped(to=["users"]) == scoped(to=["people"]) == scoped(to=["b"]) == everything
    assert scoped(to=["posts"]) == {"posts": ["at"]}
    assert scoped(only=["places"]) == {"places": ["who"]}
    scope = scope_of(parse_mapping(MAPPING), ["users"])
    assert scope.entries == ("people",)
    assert [(name, path) for name, path, _ in scope.left_out] == [("posts", "named")]
    everywhere = scope_of(parse_mapping(MAPPING))
    assert [(name, path) for name, path, _ in everywhere.left_out] == [("posts", "named"), ("places", "boss")]


@pytest.mark.parametrize(
    ("chosen", "code", "words"),
    [
        ({"to": ["userz"]}, "no-such-entry", "users"),
        ({"only": ["post"]}, "no-such-entry", "posts"),
        ({"only": ["users"]}, "no-such-entry", "no collection"),
        ({"only": ["a"]}, "nothing-refers", "--to and --only"),
        ({"to": ["places"]}, "nothing-refers", "--to and --only"),
    ],
)
def test_a_scope_that_names_nothing_is_refused(chosen: dict[str, list[str]], code: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        scoped(**chosen)
    assert caught.value.code == code
    assert words in f"{caught.value} {caught.value.hint}"


def line(number: int, path: tuple[str | int, ...], old: object, new: str) -> Line:
    shown = ".".join("[]" if isinstance(step, int) else step for step in path)
    return Line("c", b"", shown, path, held(old), new, "done", None, number, 1)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ({"a": OLD, "xs": [OTHER]}, False),
        ({"a": "n1", "xs": ["n2"]}, True),
        ({"a": "n1", "xs": []}, True),
        ({"a": "theirs", "xs": ["first", "n2"]}, True),
        ({"a": "theirs", "xs": ["theirs"]}, False),
        ({"a": "n1", "xs": [OTHER]}, False),
        ({}, False),
        (None, False),
    ],
)
def test_a_look_at_the_document_tells_whether_an_update_was_done(now: dict[str, Any] | None, expected: bool) -> None:
    lines = [line(1, ("a",), OLD, "n1"), line(2, ("xs", 0), OTHER, "n2")]
    assert was_written(lines, None if now is None else read(**now)) is expected


def put_back(lines: list[Line], now: dict[str, Any] | None) -> tuple[dict[int, Any], list[int], list[int]]:
    result = back(sorted(lines, key=lambda one: -one.id), None if now is None else read(**now))
    places = {one.id: place for one, place in result.standing}
    return places, sorted(one.id for one in result.settled), sorted(one.id for one, _ in result.changed)


XS = [line(1, ("xs", 0), "o0", "n0"), line(2, ("xs", 1), "o1", "n1"), line(3, ("xs", 2), "o2", "n2")]


def test_values_are_put_back_where_they_stand_now() -> None:
    assert put_back(XS, {"xs": ["n0", "n1", "n2"]}) == ({1: ("xs", 0), 2: ("xs", 1), 3: ("xs", 2)}, [], [])
    assert put_back(XS, {"xs": ["theirs", "n0", "n2", "n1"]}) == ({1: ("xs", 1), 2: ("xs", 3), 3: ("xs", 2)}, [], [])
    assert put_back(XS, {"xs": ["n2"]}) == ({3: ("xs", 0)}, [], [1, 2])
    assert put_back(XS, {"xs": ["o0", "n1", "theirs"]}) == ({2: ("xs", 1)}, [1], [3])
    assert put_back(XS, {}) == ({}, [], [1, 2, 3])


def test_equal_values_of_one_array_each_get_their_own_old_form() -> None:
    lines = [line(1, ("xs", 0), OLD, "n"), line(2, ("xs", 1), HEX, "n")]
    assert put_back(lines, {"xs": ["n", "n"]}) == ({1: ("xs", 0), 2: ("xs", 1)}, [], [])
    assert put_back(lines, {"xs": ["n"]})[0] == {1: ("xs", 0)}
    assert put_back(lines, {"xs": ["theirs", "n", "n"]})[0] == {2: ("xs", 1), 1: ("xs", 2)}


def test_of_several_rewrites_of_one_place_the_newest_is_put_back() -> None:
    same = [line(1, ("a",), OLD, "n"), line(2, ("a",), OLD, "n")]
    assert put_back(same, {"a": "n"}) == ({2: ("a",)}, [1], [])
    other = [line(1, ("a",), OLD, "n"), line(2, ("a",), OTHER, "m")]
    assert put_back(other, {"a": "m"}) == ({2: ("a",)}, [1], [])
    shifted = [line(1, ("xs", 0), "o0", "n0"), line(2, ("xs", 1), "o1", "n1"), line(3, ("xs", 0), "o9", "n9")]
    assert put_back(shifted, {"xs": ["n9", "n0", "n1"]})[0] == {3: ("xs", 0), 2: ("xs", 2), 1: ("xs", 1)}


def test_nothing_is_said_of_a_document_that_is_gone() -> None:
    result = back(XS, None)
    assert result.gone
    assert (result.standing, result.settled, result.changed) == ([], [], [])
