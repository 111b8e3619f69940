"""Single decisions about references, on counts made by hand: filters, names, samples."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from isthmus.survey.candidates import Candidate, find_candidates, find_keys
from isthmus.survey.chance import PARTS, is_meant, parts
from isthmus.survey.judge import Grounds, judge
from isthmus.survey.kinds import Kinds
from isthmus.survey.lookups import Looked, read_probes
from isthmus.survey.profile import Integers, Node, Profile, Texts
from isthmus.survey.reference import Key, Reference, read_reference
from isthmus.survey.similar import is_same_name, likeness, says_reference

USERS, TEAMS = Key("users", ("_id",), "id"), Key("teams", ("_id",), "id")


def ids(count: int) -> Node:
    return Node(fields={"_id": Node(present=count, types={"objectId": count}, distinct=count)})


def looked(hits: int, values: int, *, rate: float = 0.0, field: str = "x") -> Looked:
    candidate = Candidate("things", (field,), ("oid",), ids=("users", "teams"))
    told = {"values": values, "hits": {"0": hits}, "misses": values - hits}
    probe: dict[str, Any] = {"values": values, "forms": {"oid": told}, "distinct": values}
    return read_probes(candidate, [probe], [USERS, TEAMS], {USERS: rate} if rate else {}, {})


GROUNDS = Grounds({"users": ids(1000), "teams": ids(50), "things": Node(fields={"x": Node(), "user": Node()})})


# Filters.


def test_as_many_hits_as_a_filter_gives_by_itself_are_none() -> None:
    assert judge(looked(300, 1000, rate=0.1), GROUNDS) is None
    assert looked(300, 1000, rate=0.1).hit(USERS) == 0
    assert judge(looked(30, 1000, rate=0.01, field="user"), GROUNDS) is None


def test_false_hits_are_taken_off_and_their_rate_is_told() -> None:
    reference = judge(looked(910, 1000, rate=0.1), GROUNDS)
    assert reference is not None
    assert (reference.hits, reference.orphans, reference.false_positives) == (900, 100, 0.1)
    exact = judge(looked(910, 1000), GROUNDS)
    assert exact is not None
    assert (exact.hits, exact.false_positives) == (910, 0.0)


# Samples.


def test_a_target_that_was_read_in_part_needs_few_hits_and_tells_no_orphans() -> None:
    sampled = replace(GROUNDS, sampled=frozenset({"users"}))
    reference = judge(looked(20, 1000), sampled)
    assert judge(looked(20, 1000), GROUNDS) is None
    assert reference is not None
    assert reference.sampled
    assert judge(looked(1, 1000), sampled) is None


def test_a_holder_that_was_read_in_part_is_never_one_to_one() -> None:
    whole = judge(looked(100, 100), GROUNDS)
    part = judge(looked(100, 100), replace(GROUNDS, sampled=frozenset({"things"})))
    assert whole is not None
    assert part is not None
    assert (whole.cardinality, part.cardinality, part.sampled) == ("one-to-one", "many-to-one", False)


def test_what_is_unique_in_a_sample_is_no_key() -> None:
    text = Node(present=50, parents=50, holders=50, types={"string": 50}, texts=Texts(), distinct=50, sketch=(1,) * 60)
    root = Node(fields={"_id": Node(present=50, types={"objectId": 50}, distinct=50), "code": text})
    profile = Profile(50, {}, 0, (0, 0), root, {}, {}, path_limit=False)
    assert [key.path for key in find_keys("c", profile, ())] == [("_id",), ("code",)]
    assert [key.path for key in find_keys("c", profile, (), whole=False)] == [("_id",)]
    unique: dict[str, object] = {"key": {"code": 1}, "unique": True}
    assert [key.unique_by for key in find_keys("c", profile, (unique,), whole=False)] == ["id", "index"]
    partial = {**unique, "partialFilterExpression": {"active": True}}
    assert [key.unique_by for key in find_keys("c", profile, (partial,), whole=False)] == ["id"]


# Candidates.


def field(sketch: tuple[int, ...], distinct: int, **more: Any) -> Node:
    count = 10 * distinct
    return Node(
        present=count, types={"string": count}, texts=Texts(**more), distinct=distinct, sketch=sketch, parents=count
    )


def candidates(key: Node, node: Node) -> dict[str, tuple[Candidate, ...]]:
    roots = {"users": Node(fields={"_id": key}), "things": Node(fields={"_id": ids(5).fields["_id"], "x": node})}
    profiles = {name: Profile(10, {}, 0, (0, 0), root, {}, {}, path_limit=False) for name, root in roots.items()}
    return find_candidates(profiles, {name: (Key(name, ("_id",), "id"),) for name in roots})


def test_sketches_that_share_nothing_save_the_look() -> None:
    full = tuple(range(1, 257))
    assert not candidates(field(full, 256), field(tuple(range(1000, 1256)), 256))
    assert candidates(field(full, 256), field(full[:30], 30))["things"]


def test_sketches_that_do_not_reach_far_enough_do_not_decide() -> None:
    # A few of a million ids: none of their hashes is among the lowest 256.
    lowest, few = tuple(range(1, 257)), tuple(range(10_000, 10_050))
    assert candidates(field(lowest, 1_000_000), field(few, 50))["things"]


# Chance.


def numbers(low: int, high: int, distinct: int) -> Node:
    count = 4 * distinct
    return Node(present=count, types={"int": count}, integers=Integers((low, high)), distinct=distinct)


@pytest.mark.parametrize(
    ("spread", "meant"),
    [
        ([5] * PARTS, True),
        ([70, 10] + [0] * (PARTS - 2), False),
        ([5] * (PARTS // 2) + [0] * (PARTS // 2), False),
        ([200] + [5] * (PARTS - 1), False),
    ],
)
def test_numbers_must_go_through_all_of_a_keys(spread: list[int], meant: bool) -> None:
    key = Key("goods", ("_id",), "id")
    assert is_meant(numbers(1, 300, 60), numbers(1, 300, 300), key, ("x",), 0.0, 60, spread) is meant


def test_parts_cover_every_number_once() -> None:
    for low, high in ((1, 40), (0, 16), (-5, 1000), (7, 7)):
        cut = [number for part in parts(numbers(low, high, 9)) for number in part]
        assert cut == list(range(low, high + 1))


# Names.


@pytest.mark.parametrize(
    ("name", "collection", "expected"),
    [
        ("user", "users", 1.0),
        ("userId", "users", 1.0),
        ("user_ids", "users", 1.0),
        ("accountsIDs", "crm_Accounts", 0.7),
        ("category", "categories", 1.0),
        ("größe", "größes", 1.0),
        ("boardUser", "users", 0.7),
        ("accountName", "accounts", 0.4),
        ("id", "users", 0.0),
        ("user", "userStatistics", 0.4),
        ("owner", "users", 0.0),
        ("", "users", 0.0),
    ],
)
def test_names_speak_for_collections(name: str, collection: str, expected: float) -> None:
    assert likeness(name, collection) == expected


def test_names_that_say_reference() -> None:
    assert says_reference("linkedIDs")
    assert says_reference("account_number")
    assert not says_reference("account_number", surely=True)
    assert not says_reference("number")
    assert is_same_name("accountId", "account_id")
    assert not is_same_name("", "")


def test_a_field_that_names_collections_is_told_from_one_that_does_not() -> None:
    def texts(*values: str) -> Node:
        return Node(
            present=len(values), types={"string": len(values)}, values=tuple((("s", value), 1) for value in values)
        )

    fields = {"ref": Node(), "status": texts("open", "closed"), "kind": texts("User", "user", "Team")}
    root = Node(fields={"about": Node(elements=Node(fields=fields))})
    assert Kinds(("users", "teams", "notes")).said_beside(root, ("about", "[]", "ref")) == {"users": 2, "teams": 1}
    assert Kinds(("users", "notes")).said_beside(root, ("about", "[]", "ref")) == {}


# JSON.


def test_a_reference_comes_back_from_json() -> None:
    reference = Reference(
        "things", ("a", "[]"), {"oid": 3}, USERS, 4, 3, null=1, several={"users": 2, "teams": 1}, wrong={"x": 1},
        examples=("1",), cardinality="many-to-many", distinct=2, other_side=("users", ("b",)), sampled=True,
        repeated=None, false_positives=0.25,
    )  # fmt: skip
    assert read_reference(reference.as_json()) == reference
    assert (reference.orphans, reference.hit_rate) == (1, 0.75)
