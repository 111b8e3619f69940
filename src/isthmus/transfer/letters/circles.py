"""Dead letters that lack nothing but each other: pure, without a database.

None of them can be carried before the others, so those of one circle are carried together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable


def circles(links: Iterable[tuple[int, int | None]]) -> list[list[int]]:
    """Find the circles among letters.

    Args:
        links: (letter, letter it lacks), once for everything it lacks; None for what is no letter in question.

    Returns:
        The letters of each circle, or of several that hang together, by number. Letters that only hang on a circle are
        not among them: they can be carried behind it.
    """
    lacks: defaultdict[int, set[int]] = defaultdict(set)
    lacked_by: defaultdict[int, set[int]] = defaultdict(set)
    leaving: list[int] = []
    for letter, other in links:
        lacks[letter]  # has an entry, also without any letter it lacks
        if other is None:
            leaving.append(letter)
        else:
            lacks[letter].add(other)
            lacked_by[other].add(letter)
    leaving += [other for other in lacked_by if other not in lacks]
    _drop(leaving, lacks, lacked_by, hopeless=True)
    _drop([one for one in lacks if not lacked_by[one]], lacks, lacked_by, hopeless=False)
    return _together(lacks, lacked_by)


def _drop(
    leaving: list[int], lacks: dict[int, set[int]], lacked_by: defaultdict[int, set[int]], *, hopeless: bool
) -> None:
    """Drop letters, and what follows: `hopeless` those that lack a dropped one, else those that nobody lacks then."""
    waiting = list(leaving)
    while waiting:
        letter = waiting.pop()
        if letter not in lacks and letter not in lacked_by:
            continue
        for other in lacks.pop(letter, set()):
            lacked_by[other].discard(letter)
            if not hopeless and not lacked_by[other]:
                waiting.append(other)
        for other in lacked_by.pop(letter, set()):
            if hopeless:
                waiting.append(other)


def _together(lacks: dict[int, set[int]], lacked_by: dict[int, set[int]]) -> list[list[int]]:
    found: list[list[int]] = []
    seen: set[int] = set()
    for first in sorted(lacks):
        if first in seen:
            continue
        group: list[int] = []
        waiting = [first]
        seen.add(first)
        while waiting:
            letter = waiting.pop()
            group.append(letter)
            near = (lacks[letter] | lacked_by.get(letter, set())) - seen
            seen |= near
            waiting += near
        found.append(sorted(group))
    return found
