"""What the checksum takes of the documents that have rows, while the source is read."""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from typing import Generic, Protocol, Self, TypeVar
from uuid import UUID

from isthmus._rust import Batch, Transcoder
from isthmus.mapping.plan_tables import PlanTable
from isthmus.verify.checksum.pairs import PairStore
from isthmus.verify.checksum.spool import Spool
from isthmus.work.progress import Progress

S = TypeVar("S", bound="Side")


class Side(Protocol):
    """What counts the rows of one side: `Digester` and `Finder` of the core."""

    def fresh(self) -> Self:
        """Return an empty one of the same side."""
        ...

    def read_copy(self, table: int, data: bytes, /) -> int:
        """Take rows in COPY's binary form, and return how many."""
        ...

    def read_batch(self, batch: Batch, /) -> None:
        """Take all rows of a batch."""
        ...

    def merge(self, other: Self, /) -> None:
        """Take over what another one took."""
        ...


class SumTaker(Generic[S]):
    """Adds the rows of a collection's documents to the expected side.

    Args:
        side: Makes empty ones of the collection's side.
        total: Takes over what all of them took.
        mutex: For it.
    """

    def __init__(self, side: S, total: S, mutex: threading.Lock) -> None:
        self._side = side
        self._total = total
        self._mutex = mutex
        self._own: S | None = None

    def take(self, documents: bytes, batch: Batch) -> None:
        """See `Taker`."""
        del documents
        if self._own is None:
            self._own = self._side.fresh()
        self._own.read_batch(batch)

    def merge(self, other: SumTaker[S]) -> None:
        """See `Taker`."""
        other.flush()

    def flush(self) -> None:
        """Hand over what was taken."""
        if self._own is not None:
            with self._mutex:
                self._total.merge(self._own)
            self._own = None


class CountTaker:
    """Tells how many documents went by."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def take(self, documents: bytes, batch: Batch) -> None:
        """See `Taker`."""
        del documents
        self._progress.part_done(batch.documents)

    def merge(self, other: CountTaker) -> None:
        """See `Taker`."""


class PairTaker:
    """Sends the pairs of documents to where they are compared."""

    def __init__(self, store: PairStore, tables: tuple[PlanTable, ...]) -> None:
        self._store = store
        self._tables = tables

    def take(self, documents: bytes, batch: Batch) -> None:
        """See `Taker`."""
        del documents
        self._store.add(self._tables, batch)

    def merge(self, other: PairTaker) -> None:
        """See `Taker`."""


class OracleTaker:
    """Keeps the documents that are left to the oracle.

    Args:
        spool: Keeps them; None where something else does.
        collection: Whose.
        find: Finds those with one of `ids`; None keeps all.
        ids: Of their root rows, as `Transcoder.find` takes them.
        met: Gets the numbers of those that are found.
    """

    def __init__(
        self,
        spool: Spool | None,
        collection: str,
        find: Transcoder | None = None,
        ids: Sequence[bytes | str] = (),
        met: set[int] | None = None,
    ) -> None:
        self._spool = spool
        self._collection = collection
        self._find = find
        self._ids = ids
        self._met: set[int] = set() if met is None else met

    def take(self, documents: bytes, batch: Batch) -> None:
        """See `Taker`."""
        del batch
        if self._find is None:
            self._keep(documents)
            return
        for offset, length, which in self._find.find(documents, self._ids):
            self._met.add(which)
            self._keep(documents[offset : offset + length])

    def _keep(self, documents: bytes) -> None:
        if self._spool is not None:
            self._spool.add(self._collection, documents)

    def merge(self, other: OracleTaker) -> None:
        """See `Taker`."""


def ids_to_find(ids: Collection[str], *, uuid: bool) -> list[bytes | str]:
    """Return ids as `Transcoder.find` takes them."""
    return [UUID(one).bytes if uuid else one for one in sorted(ids)]
