"""What stands in place of a value that nobody may be shown. Pure."""

from __future__ import annotations

HIDDEN = "(hidden)"
"""The core writes the same word, and so do the ledgers of every run."""
