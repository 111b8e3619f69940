"""Whether values that are equal to a key's can be so by chance. Pure.

ObjectIds, UUIDs and compound keys are never equal by chance; texts are where a few words are all there is; small
numbers are, nearly always: whatever is counted from one on is found among ids that are counted from one on. Those of a
reference go through all of a key's numbers; quantities, marks and years stay in a corner.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from isthmus.survey.paths import names_of
from isthmus.survey.profile import Node, Path
from isthmus.survey.reference import ID, Key
from isthmus.survey.similar import CLEAR, is_same_name, likeness, says_reference

PARTS = 16
"""Into so many parts a key's numbers are cut, to see through how many of them a field's go."""

COUNTABLE = 200_000
"""A key whose numbers span no more than so many is cut into parts."""

_NUMBERS = frozenset({"int", "long", "double", "decimal"})
_SMALL = 10_000
"""Numbers below are met everywhere; what begins above them is hardly hit by chance."""
_DENSE = 0.3
"""A key that holds this share of the numbers between its least and its greatest is hit by any number of that size."""
_COUNTED = 32
"""So many numbers from one on are months, hours, days, marks and ranks before they are ids."""
_LEAST_SPREAD = 8
"""Fewer distinct numbers cannot show that they go through all of a key's."""
_SURELY_ALL = 8 * PARTS
"""So many different numbers leave no part empty."""
_CORNER = 0.5
"""Share of all values that one part may have."""
_APART = 4
_QUARTER = 0.25
_OUTER = 0.8
"""How much the name of what a field stands in speaks, of what its own would."""
_FEW_WORDS = {"id": 3, "index": 3, "values": 8}
_FEW_WORDS_NAMED = {"id": 1, "index": 1, "values": 5}
"""Distinct values that show more than chance, by what makes the key unique; and where a name speaks for it."""


def resemblance(path: Path, key: Key) -> float:
    """Return 0 to 1: how much the names on a path speak for a collection."""
    names = names_of(path)
    own = likeness(names[0], key.collection) if names else 0.0
    return own if own > 0 or len(names) < 2 else _OUTER * likeness(names[1], key.collection)


def is_meant(
    node: Node,
    there: Node,
    key: Key,
    path: Path,
    named: float,
    distinct: int | None = None,
    spread: Sequence[int] | None = None,
) -> bool:
    """Tell whether equal values can be more than chance; of ObjectIds it need not be asked.

    Args:
        node: The values.
        there: Those of the key.
        key: What they may be equal to.
        path: Where the values stand.
        named: How much names speak for the key's collection, 0 to 1.
        distinct: How many different values there are; None before they were looked up.
        spread: How many values hit each part of the key's numbers; None before they were looked up, or where they were
            not counted.
    """
    if only_numbers(node, there) and is_dense(there):
        return (
            named >= CLEAR
            or is_same_number(path, key)
            or _goes_through(node, there, path, spread, looked_up=distinct is not None)
        )
    if distinct is None or (node.kinds.get("object") and there.kinds.get("object")):
        return True
    return distinct >= (_FEW_WORDS_NAMED if named >= CLEAR else _FEW_WORDS)[key.unique_by]


def only_numbers(node: Node, there: Node) -> bool:
    """Tell whether nothing but numbers can be equal."""
    return set(node.kinds) & set(there.kinds) <= _NUMBERS


def is_dense(node: Node) -> bool:
    """Tell whether a key's numbers are hit by any small number."""
    if node.integers is None or not node.distinct:
        return False
    low, high = node.integers.range
    return low < _SMALL and node.distinct > _DENSE * (high - low + 1)


def is_same_number(path: Path, key: Key) -> bool:
    """Tell whether a field has the name of a key, and one that says of what it is the number: `account_number`."""
    names = names_of(path)
    return bool(names) and says_reference(names[0]) and is_same_name(names[0], key.path[-1])


def lies_apart(node: Node, there: Node) -> bool:
    """Tell whether a field's numbers that a key does not hold are far from it: other ids, and no larger quantities."""
    if node.integers is None or there.integers is None:
        return False
    (low, high), (least, most) = node.integers.range, there.integers.range
    return high - low > _APART * (most - least)


def says_id(path: Path) -> bool:
    """Tell whether a field's name says that it holds ids: `owner_id`, `owner._id`."""
    names = names_of(path)
    if not names:  # keys that are written as the marks for elements and for data
        return False
    return says_reference(names[0], surely=True) or (len(names) > 1 and names[0].lower() in {"id", "_id"})


def is_countable(node: Node) -> bool:
    """Tell whether a key's numbers can be cut into parts."""
    return node.integers is not None and node.integers.range[1] - node.integers.range[0] < COUNTABLE


def parts(node: Node) -> list[range]:
    """Cut the numbers of a countable key into equal parts."""
    least, most = node.integers.range if node.integers is not None else (0, -1)
    ends = [least + (most + 1 - least) * part // PARTS for part in range(PARTS + 1)]
    return [range(low, high) for low, high in pairwise(ends)]


def _goes_through(node: Node, there: Node, path: Path, spread: Sequence[int] | None, *, looked_up: bool) -> bool:
    """Tell whether a field's numbers go through a key's as ids do, and not only through the few small ones.

    Numbers that begin before the key's are quantities; those that are all different are a count of their own.
    """
    if node.integers is None or there.integers is None or path[0] == ID[0]:
        return False
    (low, high), (least, most) = node.integers.range, there.integers.range
    counted = node.distinct >= node.filled and is_dense(node)
    if low < least or counted or node.distinct < _LEAST_SPREAD:
        return False
    if there.distinct <= _COUNTED and not says_id(path):
        return False
    if spread is not None:
        # Of parts that are drawn evenly so many stay empty, give or take the root of it.
        empty = PARTS * (1 - 1 / PARTS) ** node.distinct
        most_empty = int(empty + math.sqrt(empty)) + (node.distinct < _SURELY_ALL)
        return any(spread[-PARTS // 4 :]) and spread.count(0) <= most_empty and max(spread) <= _CORNER * sum(spread)
    if not looked_up and is_countable(there):
        return True
    reaches = high <= most and high - least >= (1 - 4 / node.distinct) * (most - least)
    return reaches or node.distinct >= _QUARTER * there.distinct
