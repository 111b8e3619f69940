"""Decisions of a retry of dead letters without a server: circles, books that move, the order of collections, shapes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.mapping import parse_mapping
from isthmus.transfer.balance import Balance, CollectionBooks, ReferenceBooks
from isthmus.transfer.letters.circles import circles
from isthmus.transfer.letters.passes import carrying_order
from isthmus.transfer.letters.result import RetryResult
from isthmus.transfer.letters.same_shape import shape_differences, shape_of, with_sensitive_of
from isthmus.transfer.letters.shift import Shift, imbalance, shifted


def test_circles_are_found_without_what_hangs_on_them_and_what_is_hopeless() -> None:
    links = [
        (1, 2),
        (2, 1),
        (3, 1),
        (4, 5),
        (5, 4),
        (5, None),
        (6, 7),
        (7, 8),
        (8, 6),
        (10, 6),
        (11, 12),
        (12, 11),
        (12, 4),
    ]
    assert circles(links) == [[1, 2], [6, 7, 8]]
    assert circles([(1, 99)]) == []
    assert circles([]) == []


@given(st.lists(st.tuples(st.integers(0, 12), st.one_of(st.none(), st.integers(0, 12))), max_size=30))
def test_whoever_is_in_a_circle_lacks_only_others_in_it_and_is_lacked_by_one(
    links: list[tuple[int, int | None]],
) -> None:
    found = circles(links)
    members = [one for circle in found for one in circle]
    assert len(members) == len(set(members))
    for circle in found:
        for letter in circle:
            lacks = [other for one, other in links if one == letter]
            assert lacks
            assert set(lacks) <= set(circle)
            assert any(other == letter for one, other in links if one in circle)
    # and nobody is forgotten who is in a set of letters that lack only each other and are all lacked
    rest = {one for one, _ in links}
    while True:
        keep = {
            one
            for one in rest
            if all(other in rest for first, other in links if first == one)
            and any(other == one and first in rest for first, other in links)
        }
        if keep == rest:
            break
        rest = keep
    assert set(members) == rest


def books() -> Balance:
    return Balance(
        collections={
            "A": CollectionBooks(read=5, copied=2, dead_letters=3, letters={"type": 2, "orphan": 1}, tables={"a": 2})
        },
        references={
            "a.b": ReferenceBooks(values=2, resolved=1, orphans=1, actions={"null": 1}, refused=1, by_default=2)
        },
        junctions={"j": 0},
    )


def test_shift_moves_a_letter_its_references_and_a_restored_one() -> None:
    before = books()
    shift = Shift()
    shift.copied["A"] += 1
    shift.skipped["A"] += 1
    shift.skips["old"] += 1
    shift.letters["A", "type"] -= 2
    shift.rows["A", "a"] += 1
    shift.values["a.b"] += 1
    shift.orphans["a.b", "null", False] += 1
    shift.orphans["a.b", "dead_letter", True] -= 1
    shift.orphans["a.b", "null", True] -= 1
    shift.changed["adjusted"]["a.n:nul_removed"] += 1
    after = shifted(before, shift)
    assert before == books(), "not changed in place"
    own = after.collections["A"]
    assert (own.read, own.copied, own.skipped, own.dead_letters, own.letters, own.tables) == (
        5,
        3,
        1,
        1,
        {"orphan": 1},
        {"a": 3},
    )
    assert after.references["a.b"] == ReferenceBooks(values=3, resolved=2, orphans=1, actions={"null": 1})
    assert (after.skips, after.adjusted) == ({"old": 1}, {"a.n:nul_removed": 1})
    assert imbalance(after, {"j": {"a.b"}}) == "j: 2 resolved references, 0 named twice, 0 pairs"
    assert imbalance(after, {"j": ()}) is None


@pytest.mark.parametrize("part", ["copied", "letters", "codes", "values", "orphans", "pairs"])
def test_books_that_do_not_add_up_are_noticed(part: str) -> None:
    shift = Shift()
    if part == "copied":
        shift.copied["A"] += 1
    elif part == "letters":
        shift.letters["A", "type"] -= 3
    elif part == "codes":
        shift.letters["A", "type"] -= 3
        shift.letters["A", "nul"] += 3
    elif part == "values":
        shift.orphans["a.b", "null", False] += 5
    elif part == "orphans":
        shift.orphans["a.b", "dead_letter", True] -= 2
    else:
        shift.pairs["j"] += 1
    assert imbalance(shifted(books(), shift), {"j": ()}) is not None


def test_collections_that_are_referred_to_come_first() -> None:
    assert carrying_order({"A": {"B"}, "B": {"C"}, "C": set(), "D": {"A"}}) == ["C", "B", "A", "D"]
    assert sorted(carrying_order({"A": {"B"}, "B": {"A", "X"}})) == ["A", "B"]


def test_exit_code_is_one_while_letters_are_left_or_something_was_decided_by_default() -> None:
    assert RetryResult().exit_code == 130
    done = RetryResult(outcome="complete", balance=Balance())
    assert done.exit_code == 0
    for wanting in (
        {"left": [("A", "load", "type", 1)]},
        {"by_default": 1},
        {"unrestored": {"a.b": 1}},
        {"balance": Balance(differences=["x"])},
        {"balance": None},
    ):
        assert RetryResult(**{"outcome": "complete", "balance": Balance(), **wanting}).exit_code == 1


MAPPING = """
isthmus: 1
enums: {e: [x, y]}
collections:
  A: {fields: {n: integer, b: {references: B}, j: {type: jsonb, rewrite: {who: B}}, p: {junction: pairs}, s: e}}
  B: {fields: {t: text!}}
junctions: {pairs: {a_id: A, b_id: B}}
"""


def test_policies_values_and_orphans_make_no_other_shape() -> None:
    now = MAPPING.replace(
        "n: integer", "n: {type: integer, coerce: true, default: 1, sensitive: true, column: n, path: [m]}"
    )
    now = now.replace("references: B}", "references: B, on_orphan: dead_letter}").replace(
        "{a_id: A", "{columns: {a_id: A"
    )
    now = now.replace("b_id: B}}", "b_id: B}, on_orphan: dead_letter}}").replace(
        "A: {fields", "A: {skip: [{when: {n: 1}, why: x}], fields"
    )
    before, after = shape_of(parse_mapping(MAPPING)), shape_of(parse_mapping(now))
    assert list(shape_differences(before, after)) == []
    both = with_sensitive_of(before.schema, after.schema)
    assert both.tables["a"].column("n").sensitive
    assert not both.tables["a"].column("s").sensitive


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("enums: {e: [x, y]}", "enums: {e: [x, y, z]}", "enum e has the values"),
        ("references: B}", "references: A}", "refers to B; in this mapping to A"),
        ("rewrite: {who: B}", "rewrite: {whom: B}", "ids inside its column j"),
        ("t: text!", "t: text", "required (NOT NULL); this mapping wants it nullable"),
        ("B: {fields", "B: {ids: cuid2, fields", "ids of B are made as uuid"),
        (
            "p: {junction: pairs}",
            "p: {junction: pairs, own: a_id}, q: {child: qs, fields: {x: text}}",
            "table qs is new",
        ),
    ],
)
def test_what_other_tables_or_ids_a_mapping_wants_is_named(old: str, new: str, words: str) -> None:
    before, after = (shape_of(parse_mapping(text)) for text in (MAPPING, MAPPING.replace(old, new)))
    found = [text for _, text in shape_differences(before, after)]
    assert any(words in text for text in found), found
