"""Sets of numbers that are joined two by two, and what is still connected where some must stay apart. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Sequence


class Joined:
    """Numbers, each in a set of its own at first.

    Args:
        members: All of them.
    """

    def __init__(self, members: Iterable[int]) -> None:
        self._parent = {member: member for member in members}

    def find(self, member: int) -> int:
        """Return the one that stands for the set of a member."""
        root = member
        while self._parent[root] != root:
            root = self._parent[root]
        while self._parent[member] != root:
            self._parent[member], member = root, self._parent[member]
        return root

    def join(self, one: int, other: int) -> None:
        """Make one set of two; the lower number stands for it."""
        low, high = sorted((self.find(one), self.find(other)))
        self._parent[high] = low

    def sets(self) -> list[list[int]]:
        """Return the sets, each in order, by the lowest of each."""
        found: dict[int, list[int]] = {}
        for member in sorted(self._parent):
            found.setdefault(self.find(member), []).append(member)
        return list(found.values())


class Cliques:
    """What connects documents: groups in which each is one with each, but for those that are kept apart.

    Args:
        members: All documents.
        groups: Groups of them, each with what connects it; a link or an answer is a group of two.
        apart: Tells of two documents whether they are kept apart.
    """

    def __init__(
        self,
        members: Collection[int],
        groups: Sequence[tuple[Hashable, Sequence[int]]],
        apart: Callable[[int, int], bool],
    ) -> None:
        self._groups = groups
        self._apart = apart
        self._of: dict[int, list[int]] = {member: [] for member in members}
        for number, (_, group) in enumerate(groups):
            for member in group:
                self._of[member].append(number)

    def within(self, members: Collection[int]) -> Cliques:
        """Return what connects some of the documents without the others."""
        inside = set(members)
        groups = [(why, [one for one in group if one in inside]) for why, group in self._groups]
        return Cliques(members, groups, self._apart)

    def connected(self) -> list[list[int]]:
        """Return the sets of documents that are connected."""
        joined = Joined(self._of)
        seen: set[int] = set()
        for start in sorted(self._of):
            if start in seen:
                continue
            for one, before in self.ways(start).items():
                seen.add(one)
                if before is not None:
                    joined.join(one, before)
        return joined.sets()

    def ways(self, start: int) -> dict[int, int | None]:
        """Return every document that is connected with one, with the one before it on a shortest way."""
        left = {number: list(dict.fromkeys(group)) for number, (_, group) in enumerate(self._groups)}
        before: dict[int, int | None] = {start: None}
        waiting = [start]
        for one in waiting:
            for number in self._of[one]:
                kept: list[int] = []
                for other in left[number]:
                    if other in before:
                        continue
                    if self._apart(one, other):
                        kept.append(other)
                        continue
                    before[other] = one
                    waiting.append(other)
                left[number] = kept
        return before

    def between(self, start: int, end: int) -> list[int] | None:
        """Return the documents on a shortest way from one to another, without these two; None where there is none."""
        before = self.ways(start)
        if end not in before:
            return None
        way: list[int] = []
        at = before[end]
        while at is not None and at != start:
            way.append(at)
            at = before[at]
        return way[::-1]
