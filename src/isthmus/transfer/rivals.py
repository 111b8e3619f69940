"""Who stays among documents that hold the same unique values: pure, without a database.

A document stays unless one with a lower `_id` that stays holds one of its values. That is one answer for any order of
looking and however often it is looked, so a copy that was killed in between ends like one that was not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Leaving:
    """A document that cannot stay.

    Attributes:
        group: Number of the group it leaves for.
        keeper: Who stays with the value; None when the document holds it more than once itself.
    """

    group: int
    keeper: str | None


def leaving(groups: Sequence[Sequence[str]], rank: Mapping[str, int], limit: int) -> dict[str, Leaving]:
    """Decide which documents certainly leave.

    Call it again with the groups that are left until there are none; every call with a group makes progress.

    Args:
        groups: Of each value that stands more than once: the document of each row that holds it. A document that is in
            several groups must be in all of them.
        rank: Document → its place in the order of `_id`.
        limit: Most documents to name, at least one.

    Returns:
        Document → why, at most `limit` of them.
    """
    found: dict[str, Leaving] = {}
    for number, members in enumerate(groups):
        for member, count in Counter(members).items():
            if count > 1:
                found.setdefault(member, Leaving(number, None))
    rest = [sorted({*members} - found.keys(), key=rank.__getitem__) for members in groups]
    beaten = {member for members in rest for member in members[1:]}
    for number, members in enumerate(rest):
        if members and members[0] not in beaten:  # first in all its groups: it stays, whatever becomes of the others
            for member in members[1:]:
                found.setdefault(member, Leaving(number, members[0]))
    chosen = sorted(found, key=rank.__getitem__)[:limit]
    return {member: found[member] for member in chosen}
