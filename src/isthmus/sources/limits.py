"""How small and how large a document can be; what reads lengths out of files believes nothing else."""

from __future__ import annotations

SMALLEST_DOCUMENT_BYTES = 5
"""Length and closing zero of a document with nothing in it."""

MAX_DOCUMENT_BYTES = 16 * 1024 * 1024 + 16 * 1024
"""Largest document mongodump writes: 16 MiB and the 16 KiB that internal documents may have on top."""
