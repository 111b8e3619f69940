"""Counts in words, for comments. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from isthmus.work.amounts import share_text


def share(part: int, whole: int) -> str:
    """Return a part of a whole: `3 of 1,200 (0.3 %)`."""
    return f"{part:,} of {whole:,} ({share_text(part, whole)})" if whole else f"{part:,} of 0"


def several(counts: Mapping[str, int], most: int = 6) -> str:
    """Return counted things, the most frequent first: `text 90, int 10`."""
    ranked = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    shown = ", ".join(f"{name} {count:,}" for name, count in ranked[:most])
    return f"{shown}, …" if len(ranked) > most else shown
