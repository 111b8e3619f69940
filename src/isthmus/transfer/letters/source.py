"""A source that is not read: what a retry of dead letters has, whose documents stand in the ledger.

It takes the place of the source the run began with where a step asks for one, and says who it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from isthmus.errors import InternalError
from isthmus.sources.protocol import Block, CollectionInfo, Partition
from isthmus.state.runs import Run


class LettersSource:
    """The source of a run whose documents are not read again.

    Args:
        run: The run.
    """

    kind = "letters"
    moves = False

    def __init__(self, run: Run) -> None:
        self._run = run

    @property
    def name(self) -> str:
        """Name of the source that the run began with."""
        return self._run.source_name

    def identity(self) -> dict[str, object]:
        """Return the identity of the source that the run began with."""
        return dict(self._run.source)

    def tell(self, note: Callable[[str], None]) -> None:
        """Take no notice: there is nothing to tell."""

    def collections(self) -> list[CollectionInfo]:
        """Return no collection."""
        return []

    def partitions(self, collection: str, wanted: int) -> list[Partition]:  # noqa: ARG002  the protocol's
        """Refuse to be read."""
        raise self._refusal()

    def read(
        self,
        partition: Partition,  # noqa: ARG002
        *,
        after: bytes | None,  # noqa: ARG002
        until: bytes | None,  # noqa: ARG002
        max_bytes: int,  # noqa: ARG002
        grow: Callable[[int], None] | None = None,  # noqa: ARG002
    ) -> Iterator[Block]:
        """Refuse to be read."""
        raise self._refusal()

    def _refusal(self) -> InternalError:
        return InternalError("A retry of dead letters must not read the source.", code="source-not-read")

    def locate(self, position: bytes, offset: int, *, collection: str | None = None) -> str:  # noqa: ARG002
        """Return nothing: letters know where they came from."""
        return ""

    def changed(self, collection: str) -> str | None:  # noqa: ARG002
        """Return None: nobody looks."""
        return None

    def close(self) -> None:
        """Do nothing."""
