"""What copies and verifies the documents of a collection that is switched over. Pure: the Protocol and what it says.

Two do: `plain`, for a table of documents, and the engine with a mapping, which the command line brings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from isthmus.polyglot.switch.place import Table

Home = Literal["mongodb", "postgres"]


@dataclass(frozen=True)
class Difference:
    """A document that is not the same on both sides.

    Attributes:
        id: Its `_id`, printable.
        what: What differs, in words; no values.
    """

    id: str
    what: str


@dataclass(frozen=True)
class Compared:
    """What a verification looked at.

    Attributes:
        documents: How many documents were compared.
        differences: Those that differ; not all where there are many.
        total: How many differ.
        contents: Table → what it holds, in a word that is another one when anything in it is; kept with the move.
    """

    documents: int
    differences: Sequence[Difference] = field(default_factory=tuple[Difference, ...])
    total: int = 0
    contents: Mapping[str, str] = field(default_factory=dict[str, str])


class Carrier(Protocol):
    """Copies a collection to where it goes, and compares both sides."""

    @property
    def name(self) -> str:
        """What it works with: `table NAME`, or `mapping NAME`."""
        ...

    def table(self) -> Table | None:
        """Return the table of documents that it works with; None: it is not there, or a mapping has its own ones."""
        ...

    def check(self, goal: Home) -> None:
        """Refuse what cannot be carried, before anything is written.

        Raises:
            IsthmusError: It is so.
        """
        ...

    def ahead(self, goal: Home) -> Mapping[str, int] | None:
        """Copy while the collection is still written to, so that little is left for the freeze.

        What cannot be carried is found here, before anybody is kept waiting.

        Returns:
            Counts; None where nothing is copied ahead.

        Raises:
            IsthmusError: Some documents cannot be carried, or a server is in trouble.
        """
        ...

    def copy(self, goal: Home) -> Mapping[str, int]:
        """Copy what differs, while nobody writes. Safe to repeat, also after a death on the way.

        Returns:
            Counts: documents, written, removed.

        Raises:
            IsthmusError: As `ahead`.
        """
        ...

    def verify(self, goal: Home) -> Compared:
        """Compare every document, while nobody writes.

        Raises:
            IsthmusError: A server is in trouble.
        """
        ...
