"""What is one thing, against a plain model that looks at every two documents; and the cases, one each, by hand.

Cannot see: what a server finds to be connected; `integration/identities` does.
"""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import bson
import pytest
from bson import ObjectId

from isthmus.transfer.identities.deciding import decide
from isthmus.transfer.identities.documents import Decision, Document, Said

MEMBERS = 2  # parts 0 and 1; part 2 is linked
SEED = int(os.environ.get("ISTHMUS_SEED", "1"))
EFFORT = int(os.environ.get("ISTHMUS_EFFORT", "1"))


def document(
    number: int,
    part: int,
    email: str | None = None,
    *,
    hits: Sequence[int] = (),
    link: bool = False,
    known: str | None = None,
    own: str | None = None,
    listed: bool = True,
) -> Document:
    return Document(
        number,
        part,
        bson.encode({"_id": ObjectId(f"{number:024x}")}),
        own or f"own-{number}",
        known,
        listed,
        {} if email is None else {0: email.strip().lower().encode()},
        tuple(hits),
        bool(hits) or link,
    )


def same(number: int, *documents: int) -> Said:
    return Said(number, same=True, documents=documents)


def different(number: int, *documents: int) -> Said:
    return Said(number, same=False, documents=documents)


def decided(documents: Sequence[Document], *said: Said) -> Decision:
    return decide(documents, said, MEMBERS)


def things(decision: Decision) -> dict[int, str | None]:
    assert not decision.findings, decision.findings
    return {number: one.canonical for number, one in decision.placed.items()}


def kinds(decision: Decision) -> list[tuple[str, tuple[int, ...]]]:
    return [(one.kind, one.documents) for one in decision.findings]


def test_documents_of_different_collections_with_one_key_are_one_thing_with_the_id_of_the_first() -> None:
    decision = decided([document(3, 1, "a"), document(7, 0, "A ")])
    assert things(decision) == {3: "own-7", 7: "own-7"}
    assert [decision.placed[number].place for number in (7, 3)] == [0, 1]
    assert {one.why for one in decision.placed.values()} == {"key"}


def test_a_link_joins_where_no_key_contradicts_it() -> None:
    assert things(decided([document(1, 0), document(2, 2, "p", hits=[1])])) == {1: "own-1", 2: "own-1"}


def test_two_documents_of_one_collection_are_a_conflict_until_somebody_says() -> None:
    documents = [document(1, 0, "a"), document(2, 0, "A"), document(3, 1, "a")]
    assert kinds(decided(documents)) == [("several", (1, 2))]
    assert set(things(decided(documents, same(0, 1, 2))).values()) == {"own-1"}
    # what is connected with both is asked for by name
    still = decided(documents, different(0, 1, 2))
    assert kinds(still) == [("still-connected", (1, 2))]
    assert still.findings[0].others == (3,)
    assert things(decided(documents, different(0, 1, 2), same(1, 2, 3))) == {1: "own-1", 2: "own-2", 3: "own-2"}


def test_the_same_documents_by_an_answer_that_reaches_round_are_one() -> None:
    documents = [document(1, 0, "a"), document(2, 0, "A"), document(3, 1, "a")]
    assert set(things(decided(documents, same(0, 1, 3), same(1, 2, 3))).values()) == {"own-1"}


def test_a_link_between_differing_keys_is_a_conflict_and_names_whom_the_key_means() -> None:
    documents = [document(1, 0, "old"), document(2, 1, "new"), document(3, 2, "new", hits=[1])]
    decision = decided(documents)
    assert kinds(decision) == [("differing", (3, 1))]
    assert decision.findings[0].others == (2,)
    by_link = things(decided(documents, same(0, 3, 1), different(1, 3, 2)))
    assert by_link == {1: "own-1", 2: "own-2", 3: "own-1"}
    by_key = things(decided(documents, different(0, 3, 1)))
    assert by_key == {1: "own-1", 2: "own-2", 3: "own-2"}


def test_two_candidates_of_one_collection_are_one_question_not_two() -> None:
    documents = [document(1, 0, "old"), document(2, 0, "new"), document(3, 2, "new", hits=[1])]
    assert kinds(decided(documents)) == [("differing", (3, 1))]


def test_a_link_to_nothing_is_a_conflict_only_where_a_key_leads_to_somebody() -> None:
    alone = decided([document(3, 2, "p", link=True)])
    assert things(alone) == {3: None}
    documents = [document(1, 0, "p"), document(3, 2, "p", link=True)]
    assert kinds(decided(documents)) == [("dangling", (3,))]
    assert things(decided(documents, same(0, 3, 1))) == {1: "own-1", 3: "own-1"}
    assert things(decided(documents, different(0, 3, 1))) == {1: "own-1", 3: None}


def test_a_linked_document_whose_link_is_answered_wrong_belongs_to_none_on_purpose() -> None:
    decision = decided([document(1, 0), document(2, 2, hits=[1])], different(0, 2, 1))
    assert decision.placed[2].canonical is None
    assert decision.placed[2].why == "apart"
    assert decision.placed[1].why == "alone"


def test_two_linked_documents_of_one_thing_are_a_conflict_also_where_it_has_no_member() -> None:
    assert kinds(decided([document(1, 2, "a"), document(2, 2, "A")])) == [("several", (1, 2))]
    apart = decided([document(1, 2, "a"), document(2, 2, "A")], different(0, 1, 2))
    assert things(apart) == {1: None, 2: None}


def test_a_thing_keeps_the_id_that_an_earlier_map_knows_it_by() -> None:
    first, gone = document(2, 1, "a", known="own-9"), document(9, 0, known="own-9", listed=False)
    assert set(things(decided([first, gone, document(5, 0, "b")])).values()) == {"own-9", "own-5"}
    # a new document of an earlier collection does not take its place
    assert things(decided([document(1, 0, "a"), document(2, 1, "a", known="own-2")])) == {1: "own-2", 2: "own-2"}


def test_what_an_earlier_map_joined_stays_joined_whatever_became_of_the_keys() -> None:
    changed = [document(1, 0, "old", known="own-1"), document(2, 1, "new", known="own-1")]
    decision = decided(changed)
    assert things(decision) == {1: "own-1", 2: "own-1"}
    assert {one.why for one in decision.placed.values()} == {"known"}
    linked = [document(1, 0, "old", known="own-1"), document(3, 2, "new", hits=[1], known="own-1")]
    assert things(decided(linked)) == {1: "own-1", 3: "own-1"}


def test_a_linked_document_that_goes_over_to_another_thing_goes() -> None:
    documents = [
        document(1, 0, "a", known="own-1"),
        document(2, 0, "b", known="own-2"),
        document(3, 2, "b", hits=[2], known="own-1"),
    ]
    assert things(decided(documents)) == {1: "own-1", 2: "own-2", 3: "own-2"}


def test_two_things_of_an_earlier_map_that_are_one_now_are_a_conflict() -> None:
    documents = [document(1, 0, "a", known="own-1"), document(2, 1, "a", known="own-2")]
    assert kinds(decided(documents)) == [("two-canonical", (1, 2))]
    assert things(decided(documents, same(0, 1, 2))) == {1: "own-1", 2: "own-1"}
    assert things(decided(documents, different(0, 1, 2))) == {1: "own-1", 2: "own-2"}


def test_what_an_answer_parts_keeps_the_id_where_its_document_is() -> None:
    documents = [document(1, 0, "a", known="own-2"), document(2, 1, "a", known="own-2")]
    assert things(decided(documents, different(0, 1, 2))) == {1: "own-1", 2: "own-2"}


def test_documents_with_one_id_that_are_not_one_thing_are_a_conflict() -> None:
    documents = [document(1, 0, "a", own="same"), document(2, 1, "b", own="same")]
    assert kinds(decided(documents)) == [("same-id", (1, 2))]
    assert set(things(decided(documents, same(0, 1, 2))).values()) == {"same"}
    assert kinds(decided(documents, different(0, 1, 2))) == [("same-id", (1, 2))]


def test_answers_that_contradict_each_other_are_named_together() -> None:
    documents = [document(1, 0, "a"), document(2, 0, "a"), document(3, 1, "a")]
    decision = decided(documents, same(0, 1, 3), same(1, 2, 3), different(2, 1, 2))
    assert ("same-and-different", (1, 2)) in kinds(decision)
    assert decision.findings[0].said == (2, 0, 1)
    assert decision.findings[0].others == (3,)


def test_answers_without_which_it_comes_to_the_same_are_idle() -> None:
    plain = [document(1, 0, "a"), document(2, 1, "a")]
    assert decided(plain, same(4, 1, 2)).idle == (4,)
    needed = [document(1, 0, "a"), document(2, 0, "a")]
    assert decided(needed, same(4, 1, 2)).idle == ()
    # that an earlier map says so by now is no reason to take the answer away
    known = [replace(one, known="own-1") for one in needed]
    assert decided(known, same(4, 1, 2)).idle == ()


@pytest.mark.parametrize("seed", range(SEED, SEED + 400 * EFFORT))
def test_random_components_come_to_what_a_plain_model_says(seed: int) -> None:
    chance = random.Random(seed)
    documents = random_documents(chance)
    said = random_answers(chance, documents)
    decision = decided(documents, *said)
    expected = model(documents, said)
    taken = {one.kind for one in decision.findings} == {"same-id"}
    assert taken or {one.kind for one in decision.findings} == expected.kinds
    if taken:  # a thing's only id is what another one is known by
        assert {one.own_id for one in documents} & {one.known for one in documents}
    if not decision.findings:
        assert partition(decision) == expected.sets
    shuffled = list(documents)
    chance.shuffle(shuffled)
    again = decided(shuffled, *said)
    assert again.placed == decision.placed
    assert set(again.findings) == set(decision.findings)


def random_documents(chance: random.Random) -> list[Document]:
    numbers = range(1, chance.randint(2, 8) + 1)
    parts = {number: chance.randrange(3) for number in numbers}
    things = [f"own-{number}" for number in numbers if parts[number] < MEMBERS]
    found: list[Document] = []
    for number in numbers:
        others = [n for n in numbers if n != number and parts[n] < MEMBERS]
        hits = chance.sample(others, min(len(others), chance.choice([0, 0, 0, 1, 1, 2])))
        email = chance.choice([None, "a", "a", "b", "c"])
        known = chance.choice(things) if things and chance.random() < 0.15 else None
        found.append(document(number, parts[number], email, hits=sorted(hits), link=chance.random() < 0.1, known=known))
    return found


def random_answers(chance: random.Random, documents: Sequence[Document]) -> list[Said]:
    found: list[Said] = []
    for number in range(chance.choice([0, 0, 1, 2, 3])):
        pair = sorted(one.number for one in chance.sample(list(documents), 2))
        found.append(Said(number, chance.random() < 0.5, tuple(pair)))
    return found


def partition(decision: Decision) -> set[frozenset[int]]:
    """Return the things with more than one document, and every member for itself where it is alone."""
    by: dict[str, set[int]] = {}
    for number, one in decision.placed.items():
        if one.canonical is not None:
            by.setdefault(one.canonical, set()).add(number)
    return {frozenset(one) for one in by.values()}


class Model:
    """What a component should come to, looked at pair by pair."""

    def __init__(self, kinds: set[str], sets: set[frozenset[int]]) -> None:
        self.kinds = kinds
        self.sets = sets


def closure(numbers: Sequence[int], pairs: set[frozenset[int]]) -> dict[int, frozenset[int]]:
    """Return the set that each number is in, by going round until nothing changes."""
    of = {number: {number} for number in numbers}
    changed = True
    while changed:
        changed = False
        for a, b in (tuple(pair) for pair in pairs if len(pair) == 2):
            if of[a] != of[b]:
                union = of[a] | of[b]
                for number in union:
                    of[number] = set(union)
                changed = True
    return {number: frozenset(one) for number, one in of.items()}


def model(documents: Sequence[Document], said: Sequence[Said]) -> Model:
    of = {one.number: one for one in documents}
    numbers = sorted(of)
    told = closure(numbers, {frozenset(one.documents) for one in said if one.same})
    unlike = [one.documents for one in said if not one.same]

    def cut(a: int, b: int) -> bool:
        return any({told[x], told[y]} == {told[a], told[b]} for x, y in unlike)

    def known(a: int, b: int) -> bool:
        one, other = of[a], of[b]
        return one.part < MEMBERS and other.part < MEMBERS and one.known is not None and one.known == other.known

    def near(a: int, b: int) -> bool:
        return bool(of[a].keys) and of[a].keys == of[b].keys

    def linked(a: int, b: int) -> bool:
        return b in of[a].hits or a in of[b].hits

    def answered(a: int, b: int) -> bool:
        return any(one.same and {a, b} <= set(one.documents) for one in said)

    def edges(inside: Sequence[int]) -> set[frozenset[int]]:
        return {
            frozenset(pair)
            for pair in combinations(inside, 2)
            if not cut(*pair) and any(test(*pair) for test in (known, near, linked, answered))
        }

    sets = closure(numbers, edges(numbers))
    settled = closure(
        numbers,
        {frozenset(p) for p in combinations(numbers, 2) if answered(*p) or (known(*p) and not cut(*p))},
    )

    def is_settled(a: int, b: int) -> bool:
        return settled[a] == settled[b] or (of[a].known is not None and of[a].known == of[b].known)

    kinds: set[str] = set()
    for x, y in unlike:
        if told[x] == told[y]:
            kinds.add("same-and-different")
        elif sets[x] == sets[y]:
            kinds.add("still-connected")
    doubtful: set[int] = set()
    for a in numbers:
        one = of[a]
        for b in one.hits:
            if not cut(a, b) and not is_settled(a, b) and one.keys and of[b].keys and one.keys != of[b].keys:
                kinds.add("differing")
                doubtful.add(a)
        beside = [b for b in numbers if b != a and sets[b] == sets[a] and near(a, b)]
        if one.has_link and not one.hits and beside and not any(is_settled(a, b) for b in beside):
            kinds.add("dangling")
            doubtful.add(a)
    rest = [number for number in numbers if number not in doubtful]
    for group in set(closure(rest, edges(rest)).values()):
        heads = [n for n in group if of[n].part < MEMBERS and of[n].known is not None]
        pairs = {frozenset((a, b)) for a, b in combinations(heads, 2) if of[a].known == of[b].known}
        pairs |= {
            frozenset(p) for one in said if one.same for p in combinations([n for n in one.documents if n in group], 2)
        }
        apart = len({closure(sorted(group), pairs)[n] for n in heads}) > 1
        if apart:
            kinds.add("two-canonical")
        for part in range(3):
            inside = [n for n in group if of[n].part == part]
            if apart and all(of[n].known is not None for n in inside):
                continue
            if len({settled[n] for n in inside}) > 1 and not any(cut(*p) for p in combinations(inside, 2)):
                kinds.add("several")
    found = {one for one in sets.values() if any(of[n].part < MEMBERS for n in one)}
    return Model(kinds, found)
