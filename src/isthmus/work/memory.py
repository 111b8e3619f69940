"""One byte budget shared by all workers.

Every worker owns a fixed share for ordinary batches. A document larger than a batch asks for more before it is read
and waits until others gave theirs back, so sixteen workers never hold sixteen large documents at once.
"""

from __future__ import annotations

import ctypes
import threading

MIB = 1 << 20

# What one byte of BSON may occupy at once: the block itself, its rows while they are assembled (JSON text can be
# longer than BSON), the growth of a buffer, and the piece that is on its way to the server.
EXPANSION = 5
BATCHES_PER_WORKER = 2
"""One that is on its way to the server, one that is prepared meanwhile."""
LARGEST_BATCH_BYTES = 4 * MIB
SMALLEST_BATCH_BYTES = 128 * 1024


# Parameters of glibc's mallopt(3), from malloc.h.
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3


def bound_allocator(batch_bytes: int) -> None:
    """Make the C library give freed memory back to the system instead of keeping it for every thread.

    By default glibc raises its two thresholds to the largest block it ever saw freed, and then every thread's arena
    keeps that much: sixteen workers that each met one document of 15 MiB keep several hundred MiB between them.
    Fixed thresholds let an ordinary batch reuse its memory and return that of a large document at once.

    Changes the whole process, for good. Does nothing where the C library is not glibc.

    Args:
        batch_bytes: Most bytes of an ordinary batch.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    mallopt(_M_MMAP_THRESHOLD, 2 * batch_bytes)
    mallopt(_M_TRIM_THRESHOLD, 4 * batch_bytes)


class MemoryBudget:
    """Bytes that all workers together may hold in buffers.

    Args:
        total_bytes: The budget.
        workers: How many workers share it.

    Attributes:
        batch_bytes: Most bytes of BSON that one ordinary batch may have.
    """

    def __init__(self, total_bytes: int, workers: int) -> None:
        held = workers * BATCHES_PER_WORKER * EXPANSION  # for every byte of a batch
        # a third stays for large documents
        self.batch_bytes = max(SMALLEST_BATCH_BYTES, min(LARGEST_BATCH_BYTES, total_bytes * 2 // 3 // held))
        # at least one byte, so that large documents go one after the other also where there is no room to spare
        self._spare_total = max(1, total_bytes - held * self.batch_bytes)
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
