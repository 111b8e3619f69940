"""One byte budget shared by all workers.

Every worker owns a fixed share for ordinary batches. A document larger than a batch asks for more before it is read
and waits until others gave theirs back, so sixteen workers never hold sixteen large documents at once.
"""

from __future__ import annotations

import threading

MIB = 1 << 20

# What one byte of BSON may occupy at once: the block itself, its rows while they are assembled (JSON text can be
# longer than BSON), the growth of a buffer, and the piece that is on its way to the server.
EXPANSION = 5
LARGEST_BATCH_BYTES = 4 * MIB
SMALLEST_BATCH_BYTES = 128 * 1024


class MemoryBudget:
    """Bytes that all workers together may hold in buffers.

    Args:
        total_bytes: The budget.
        workers: How many workers share it.

    Attributes:
        batch_bytes: Most bytes of BSON that one ordinary batch may have.
    """

    def __init__(self, total_bytes: int, workers: int) -> None:
        share = total_bytes // (2 * workers * EXPANSION)
        self.batch_bytes = max(SMALLEST_BATCH_BYTES, min(LARGEST_BATCH_BYTES, share))
        # at least one byte, so that large documents go one after the other also where there is no room to spare
        self._spare_total = max(1, total_bytes - workers * self.batch_bytes * EXPANSION)
        self._spare = self._spare_total
        self._changed = threading.Condition()

    def grow(self, document_bytes: int, stop: threading.Event) -> int:
        """Reserve room for one document larger than a batch; waits until it is there.

        A document that is larger than the whole spare room is let through alone.

        Args:
            document_bytes: Its length as BSON.
            stop: Ends the waiting early (the caller stops anyway).

        Returns:
            The reserved bytes, to be given to `shrink`.
        """
        wanted = min(document_bytes * EXPANSION, self._spare_total)
        with self._changed:
            while self._spare < wanted and not stop.is_set():
                self._changed.wait(timeout=0.5)
            self._spare -= wanted
        return wanted

    def shrink(self, reserved_bytes: int) -> None:
        """Give back what `grow` reserved."""
        with self._changed:
            self._spare += reserved_bytes
            self._changed.notify_all()
