"""What an identity came to, in memory: its numbers, and what a person must say, the first of it in words. Pure."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from isthmus.transfer.identities.conflicts import Conflict

MOST_IN_WORDS = 1_000
"""Conflicts of one identity that are put into words and kept; of more there is only the number."""


@dataclass
class Found:
    """What an identity came to.

    Attributes:
        name: Of the identity.
        rules_digest: Of the identity in the mapping.
        answers_digest: Of the answers.
        things: How many there are.
        collections: By name: `documents`, `joined`, `linked`, `alone`, `apart`, `dropped` and `open` of them.
        kinds: How many conflicts there are, by kind.
        notes: What a person may want to know, as sentences.
    """

    name: str
    rules_digest: str
    answers_digest: str
    things: int = 0
    collections: dict[str, dict[str, int]] = field(default_factory=dict[str, dict[str, int]])
    kinds: dict[str, int] = field(default_factory=dict[str, int])
    notes: list[str] = field(default_factory=list[str])
    _asked: list[tuple[int, Conflict]] = field(default_factory=list[tuple[int, Conflict]])
    _ranks: set[int] = field(default_factory=set[int])

    @property
    def open(self) -> int:
        """How many conflicts there are."""
        return sum(self.kinds.values())

    @property
    def conflicts(self) -> list[Conflict]:
        """The conflicts in words, or those of the lowest ids: the same whatever the order they were found in."""
        return sorted((one for _, one in self._asked), key=lambda one: (one.kind, one.id))

    def ask(self, kind: str, id_: str, words: Callable[[], Conflict]) -> None:
        """Add a conflict.

        Args:
            kind: Its kind.
            id_: Its id.
            words: Puts it into words; only called where these are kept.
        """
        rank = -int(id_, 16)
        if rank in self._ranks:
            return  # two answers may be about the same
        self.kinds[kind] = self.kinds.get(kind, 0) + 1
        self._ranks.add(rank)
        if len(self._asked) < MOST_IN_WORDS:
            heapq.heappush(self._asked, (rank, words()))
        elif rank > self._asked[0][0]:
            heapq.heapreplace(self._asked, (rank, words()))

    def counts(self) -> dict[str, Any]:
        """Return its numbers as JSON values."""
        return {
            "things": self.things,
            "collections": self.collections,
            "conflicts": self.open,
            "kinds": dict(sorted(self.kinds.items())),
        }
