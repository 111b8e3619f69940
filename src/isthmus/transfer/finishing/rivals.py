"""Who stays among documents that hold the same unique values: pure, without a database.

A document stays unless it holds a value twice itself, or one with a lower `_id` that stays holds one of its values.
That is one answer for any order of looking and however often it is looked, also after some of those that leave are
gone, so a copy that was killed in between ends like one that was not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Leaving:
    """A document that cannot stay.

    Attributes:
        group: Number of the group it leaves for.
        keeper: Who stays with the value; None when the document holds it more than once itself.
    """

    group: int
    keeper: str | None


def leaving(groups: Sequence[Sequence[str]], rank: Mapping[str, int], limit: int) -> dict[str, Leaving]:
    """Decide which documents leave.

    Args:
        groups: Of each value that stands more than once: the document of each row that holds it. A document that is in
            several groups must be in all of them; of these it leaves for the first that it may.
        rank: Document → its place in the order of `_id`.
        limit: Most documents to name, at least one; with fewer than leave, those with the lowest `_id`.

    Returns:
        Document → why, at most `limit` of them, in the order of `_id`.
    """
    held: defaultdict[str, list[int]] = defaultdict(list)
    for number, members in enumerate(groups):
        for member in members:
            held[member].append(number)
    found: dict[str, Leaving] = {}
    keepers: dict[int, str] = {}
    for member in sorted(held, key=rank.__getitem__):
        why = _why(held[member], keepers)
        if why is None:
            keepers.update(dict.fromkeys(held[member], member))
            continue
        found[member] = why
        if len(found) == limit:
            break
    return found


def _why(groups: Sequence[int], keepers: Mapping[int, str]) -> Leaving | None:
    """Return why a document leaves, when those with a lower `_id` are decided; None when it stays."""
    for before, number in pairwise(groups):
        if before == number:
            return Leaving(number, None)
    return next((Leaving(number, keepers[number]) for number in groups if number in keepers), None)
