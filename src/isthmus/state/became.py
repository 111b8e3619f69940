"""What values became because the mapping names it, in the counters of a run: `values` and defaults. Pure.

Beside how many values of a column changed in a way, the counters say what they were and what they became: a group for
each name of `adjusted`, in it `WAS → BECAME` and how often. There are no more of these than the mapping has words.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from isthmus._rust import Batch
from isthmus.state.checkpoints import PartitionState

_GROUP = "became at "
_KINDS = ("default", "value_mapped")

UNTOLD = "(left again, not told apart)"
"""Counts, below zero, values of documents that left when their original bytes were gone already."""

TOLD = "told_apart"
"""The number among a partition's books that says of how many documents it is counted what changed values became."""

STAYED = "counts-stayed"
"""The kind of the tally of documents that left while something of their changes stayed in the books, by collection."""


def group_of(name: str) -> str:
    """Return the group that says what the values became which a name of `adjusted` counts."""
    return f"{_GROUP}{name}"


def is_told(name: str) -> bool:
    """Tell whether a name of `adjusted` counts changes that have such a group."""
    return name.rpartition(":")[2] in _KINDS


def counts_of(batch: Batch) -> dict[str, dict[str, int]]:
    """Return the core's counts of a batch, with a group for each name of which it says what values became."""
    return {**batch.counts(), **{group_of(name): dict(became) for name, became in batch.became().items()}}


def became_in(groups: Mapping[str, Mapping[str, int]]) -> Iterator[tuple[str, Mapping[str, int]]]:
    """Yield (name of `adjusted`, what its values became) of the groups of counters that say so."""
    for group, names in groups.items():
        if group.startswith(_GROUP):
            yield group.removeprefix(_GROUP), names


def untold(adjusted: Mapping[str, int], became: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    """Return name of `adjusted` → how many more changes it counts than are told apart; names without any are left out.

    Below zero where more are told apart than were counted, which is a fault of the books. Above zero where an older
    Isthmus counted some, which did not tell them apart.
    """
    names = [name for name in adjusted if is_told(name)]
    names += [name for name in became if name not in adjusted]
    rest = {name: adjusted.get(name, 0) - sum(became.get(name, {}).values()) for name in names}
    return {name: amount for name, amount in rest.items() if amount}


def all_told(states: Iterable[PartitionState]) -> bool:
    """Tell whether it is counted of all documents of a run what their changed values became.

    It is not where an older Isthmus read some of them.
    """
    books = [state.counts.get("books", {}) for state in states]
    return all(own.get(TOLD, 0) == own.get("read", 0) for own in books)
