"""Spreads what is planted over the documents of a collection, so that each thing has one of its own. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

Thing = TypeVar("Thing")


def _one(_thing: object) -> int:
    return 1


def spread(
    things: Sequence[Thing], start: int, size: int, width: Callable[[Thing], int] = _one
) -> tuple[dict[int, Thing], list[Thing]]:
    """Give each thing the number of a document, from `start` to before `size`, as far apart as they can be.

    Args:
        things: In the order in which they are placed.
        start: The first number.
        size: One more than the last.
        width: How many documents next to each other a thing takes.

    Returns:
        Things by their first number, and those that found no place, in order.
    """
    step = max(1, (size - start - 1) // max(1, sum(map(width, things))))
    placed: dict[int, Thing] = {}
    left: list[Thing] = []
    before = 0
    for thing in things:
        at = start + before * step
        before += width(thing)
        if at + width(thing) <= size:
            placed[at] = thing
        else:
            left.append(thing)
    return placed, left
