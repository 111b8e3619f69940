"""Who stays among documents with the same unique values: against the plain rule, for any order of looking."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from isthmus.transfer.finishing.rivals import Leaving, leaving

Held = dict[str, list[int]]

documents = st.dictionaries(
    st.sampled_from("abcdefgh"), st.lists(st.integers(0, 6), max_size=4), min_size=1, max_size=8
)


def plain_rule(held: Held) -> set[str]:
    """Walk the documents in order of `_id`; one stays when none of its values is taken and none stands twice."""
    taken: set[int] = set()
    stay: set[str] = set()
    for name in sorted(held):
        values = held[name]
        if len(set(values)) == len(values) and not taken & set(values):
            stay.add(name)
            taken |= set(values)
    return stay


def groups_of(held: Held) -> list[list[str]]:
    values = {value for values in held.values() for value in values}
    found = [[name for name, own in held.items() for one in own if one == value] for value in sorted(values)]
    return [members for members in found if len(members) > 1]


@given(documents, st.integers(1, 5), st.randoms(use_true_random=False))
def test_repeated_decisions_end_at_the_plain_rule_whatever_the_order(held: Held, limit: int, random: object) -> None:
    rank = {name: number for number, name in enumerate(sorted(held))}
    left = dict(held)
    while groups := groups_of(left):
        random.shuffle(groups)  # type: ignore[attr-defined]
        gone = leaving(groups, rank, limit)
        assert 0 < len(gone) <= limit
        for name, why in gone.items():
            assert name in groups[why.group]
            assert why.keeper is None or rank[why.keeper] < rank[name]
            del left[name]
    assert set(left) == plain_rule(held)


@given(documents, st.randoms(use_true_random=False))
def test_what_is_left_over_leaves_for_the_same_reason_as_before(held: Held, random: object) -> None:
    def decide(left: Held) -> dict[str, tuple[int, str | None]]:
        values = sorted({value for own in left.values() for value in own})
        shared = [value for value in values if sum(own.count(value) for own in left.values()) > 1]
        rank = {name: number for number, name in enumerate(sorted(left))}
        gone = leaving(groups_of(left), rank, len(rank) or 1)
        return {name: (shared[why.group], why.keeper) for name, why in gone.items()}

    before = decide(held)
    removed = {name for name in before if random.random() < 0.5}  # type: ignore[attr-defined]
    after = decide({name: values for name, values in held.items() if name not in removed})
    assert after == {name: why for name, why in before.items() if name not in removed}


def test_document_that_leaves_does_not_stand_in_the_way_of_others() -> None:
    rank = {"a": 0, "b": 1, "c": 2}
    assert leaving([["a", "b"], ["b", "c"]], rank, 10) == {"b": Leaving(0, "a")}
    assert leaving([["a", "a", "b"]], rank, 10) == {"a": Leaving(0, None)}


def test_all_that_leave_are_named_at_once_each_for_the_first_value_that_another_keeps() -> None:
    rank = {"a": 0, "b": 1, "c": 2, "d": 3}
    groups = [["c", "d"], ["a", "b"], ["b", "c"], ["a", "d"]]
    # c stays because b leaves, so d leaves for the value of c, whether b is still there or not
    assert leaving(groups, rank, 10) == {"b": Leaving(1, "a"), "d": Leaving(0, "c")}
    assert leaving([["c", "d"], ["a", "d"]], rank, 10) == {"d": Leaving(0, "c")}
