"""What the ledgers say about departures from what the documents alone would give."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from blake3 import blake3

Source = tuple[str, str]
"""A document: its collection, and the id that its own row has or would have."""


class Accounts(Protocol):
    """What the comparison asks the ledgers.

    A row is named by the key it is loaded with, its parts joined with `/`: the root document's id, which the finished
    table may not have any more, and the positions.
    """

    def dead(self, collection: str, document: bytes) -> bool:
        """Whether this document is a dead letter of a stage that the oracle does not know (load, finish)."""
        ...

    def nulled(self, table: str, row_id: str, column: str, value: str | None = None) -> bool:
        """Whether this reference was an orphan and set to null; of a route its columns are joined with `|`.

        With the value that it held, of a reference that needs no looking up: whether it was so with this one.
        """
        ...

    def element(self, table: str, row_id: str, column: str, position: int) -> str | None:
        """What became of the element at this position, from 0, of an array of references: `null`, `drop` or None."""
        ...

    def dropped(self, table: str, pair: Sequence[str]) -> bool:
        """Whether this pair of a junction table had an end that does not exist; values in column order."""
        ...

    def joined(self) -> Mapping[Source, str] | None:
        """The id of the row that each joined document became part of; None: not known, and not compared."""
        ...

    def said_otherwise(self) -> Mapping[Source, Collection[str]] | None:
        """The columns in which joined documents have other values than their row; None: not known, not compared."""
        ...

    def left(self, table: str, row_id: str) -> str | None:
        """The id of the row with which a document of a table of things left, having become part of it; None for none.

        References had been made to lead there before.
        """
        ...


@dataclass
class GivenAccounts:
    """Accounts from plain sets; empty ones account for nothing.

    Attributes:
        dead_documents: (collection, `digest_of` the document's bytes).
        nulls: (table, row key, column).
        held: What these held; of those that are not in it, anything.
        pairs: (table, first value, second value), in column order.
        elements: (table, row key, column, position) to `null` or `drop`.
        joined_into: The id of the row that each joined document became part of; None: not known.
        conflicts: The columns in which joined documents say something else than their row; None: not known.
        left_with: Table to the id of a document to the id of the row that it was a part of when that left.
    """

    dead_documents: set[tuple[str, int]] = field(default_factory=set[tuple[str, int]])
    nulls: set[tuple[str, str, str]] = field(default_factory=set[tuple[str, str, str]])
    held: dict[tuple[str, str, str], set[str]] = field(default_factory=dict[tuple[str, str, str], set[str]])
    pairs: set[tuple[str, str, str]] = field(default_factory=set[tuple[str, str, str]])
    elements: dict[tuple[str, str, str, int], str] = field(default_factory=dict[tuple[str, str, str, int], str])
    joined_into: dict[Source, str] | None = None
    conflicts: dict[Source, frozenset[str]] | None = None
    left_with: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])

    def dead(self, collection: str, document: bytes) -> bool:
        """See `Accounts`."""
        return (collection, digest_of(document)) in self.dead_documents

    def nulled(self, table: str, row_id: str, column: str, value: str | None = None) -> bool:
        """See `Accounts`."""
        place = (table, row_id, column)
        return place in self.nulls and (value is None or place not in self.held or value in self.held[place])

    def element(self, table: str, row_id: str, column: str, position: int) -> str | None:
        """See `Accounts`."""
        return self.elements.get((table, row_id, column, position))

    def dropped(self, table: str, pair: Sequence[str]) -> bool:
        """See `Accounts`."""
        return (table, pair[0], pair[1]) in self.pairs

    def joined(self) -> dict[Source, str] | None:
        """See `Accounts`."""
        return self.joined_into

    def said_otherwise(self) -> dict[Source, frozenset[str]] | None:
        """See `Accounts`."""
        return self.conflicts

    def left(self, table: str, row_id: str) -> str | None:
        """See `Accounts`."""
        return self.left_with.get(table, {}).get(row_id)


def digest_of(data: bytes) -> int:
    """64 bits of a document or of a row's key."""
    return int.from_bytes(blake3(data).digest(8), "big")
