"""What one reading of the source tells the layers. Pure data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol


class Documents(Protocol):
    """Raw documents, to be gone through as often as needed."""

    def __iter__(self) -> Iterator[bytes]: ...

    def __len__(self) -> int: ...


@dataclass
class CollectionFacts:
    """What was read of a collection.

    Attributes:
        documents: All.
        rewritten: Those in which `isthmus refs rewrite` has changed references since the copy.
        accepted: Those that have rows, as the core converts them.
        skipped: Why → those the mapping leaves behind.
        letters: Those the ledger has as dead letters.
        letters_unmet: Dead letters that no document of the source was met for.
        letters_listed: Dead letters in the ledger.
        carriable: Those that are dead letters because they could not be converted, and that every mapping of the run
            converts: their `_id` as text.
        more_carriable: How many more there are.
        late: Number of a mapping of the run, from 1 → documents that only it carried, when dead letters were retried.
        lost: Those that are neither carried nor in the ledger: (`_id` as text, why they cannot be carried).
        more_lost: How many more there are.
        adjusted: (table, column, kind) → changed values of those that have rows, whose originals are lost but for the
            ledger; empty where nobody asked.
        became: What values of those became that the mapping replaces or fills in, as the core's `Batch.became` has it;
            empty where nobody asked.
        digest: Sum of the digests of all documents, as `state` keeps those of the copy.
        broken: Where reading ended early.
        profile: What the core's `Profiler` says of the accepted ones, JSON; empty where nobody asked.
        sample: Documents that were drawn among those that are no dead letters, raw BSON; may be gone through again.
        refused: Documents that were drawn among those which the core refuses, and which are dead letters.
    """

    documents: int = 0
    rewritten: int = 0
    accepted: int = 0
    skipped: Counter[str] = field(default_factory=Counter[str])
    letters: int = 0
    letters_unmet: int = 0
    letters_listed: int = 0
    carriable: list[str] = field(default_factory=list[str])
    more_carriable: int = 0
    late: Counter[int] = field(default_factory=Counter[int])
    lost: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    more_lost: int = 0
    adjusted: Counter[tuple[str, str, str]] = field(default_factory=Counter[tuple[str, str, str]])
    became: dict[str, Counter[str]] = field(default_factory=dict[str, Counter[str]])
    digest: int = 0
    broken: list[str] = field(default_factory=list[str])
    profile: str = ""
    sample: Documents = ()
    refused: Documents = ()

    def add_became(self, more: Mapping[str, Mapping[str, int]]) -> None:
        """Add to what values became."""
        for name, pairs in more.items():
            self.became.setdefault(name, Counter()).update(pairs)


@dataclass
class SourceFacts:
    """What was read of the whole source.

    Attributes:
        collections: By name; every collection that the mapping carries.
        rows: Table → rows that the accepted documents make; of a junction the pairs that they name.
        unknown: Collections of the source that the mapping does not name → documents, as far as the source says.
        left_out: Collections that a rule leaves out → the rule.
        absent: Collections that the mapping names and the source does not have.
    """

    collections: dict[str, CollectionFacts] = field(default_factory=dict[str, CollectionFacts])
    rows: Counter[str] = field(default_factory=Counter[str])
    unknown: dict[str, int | None] = field(default_factory=dict[str, "int | None"])
    left_out: dict[str, str] = field(default_factory=dict[str, str])
    absent: list[str] = field(default_factory=list[str])
