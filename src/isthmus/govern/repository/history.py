"""What the commits of a branch did, from what git prints of them. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

ADDED, CHANGED, DELETED = "A", "M", "D"
"""What git calls what became of a path (git help diff-tree)."""


@dataclass(frozen=True)
class Touched:
    """What one commit did.

    Attributes:
        commit: Its id.
        paths: Path → `ADDED`, `CHANGED`, `DELETED` or another letter of git's; of a merge only what it added.
        after: The commit, and those of the same branch that come after it.
    """

    commit: str
    paths: Mapping[str, str]
    after: AbstractSet[str]


def read_touched(graph: str, told: Iterable[str], commits: AbstractSet[str]) -> list[Touched]:
    """Read what git said of some commits.

    Args:
        graph: Of every commit of the branch a line: its id and those of its parents (`git rev-list --parents`).
        told: Ids of commits, behind each a status and a path, again and again (`git diff-tree --name-status`).
        commits: Which of these words are ids of commits.
    """
    children: dict[str, list[str]] = defaultdict(list)
    for line in graph.splitlines():
        commit, *parents = line.split()
        for parent in parents:
            children[parent].append(commit)
    found: dict[str, dict[str, str]] = {}
    paths: dict[str, str] = {}
    words = iter(told)
    for word in words:
        if word in commits:
            paths = found.setdefault(word, {})
        else:
            path = next(words)
            if len(word) == 1:
                paths[path] = word
            elif set(word) == {ADDED}:  # a merge has a letter for each that it joins
                paths[path] = ADDED
    return [Touched(commit, done, _after(children, commit)) for commit, done in found.items()]


def _after(children: Mapping[str, Sequence[str]], commit: str) -> AbstractSet[str]:
    seen: set[str] = set()
    waiting = [commit]
    while waiting:
        one = waiting.pop()
        if one not in seen:
            seen.add(one)
            waiting += children.get(one, ())
    return seen
