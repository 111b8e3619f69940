"""Counts in words, for comments. Pure."""

from __future__ import annotations

from collections.abc import Mapping


def number(count: int, word: str, words: str | None = None) -> str:
    """Return a number with its noun: `1 document`, `2,000 documents`."""
    return f"{count:,} {word if count == 1 else words or word + 's'}"


def share(part: int, whole: int) -> str:
    """Return a part of a whole: `3 of 1,200 (0.3 %)`."""
    if not whole:
        return f"{part:,} of 0"
    percent = 100 * part / whole
    shown = f"{percent:.0f}" if percent >= 10 or percent in {0.0, 100.0} else f"{percent:.2g}"
    return f"{part:,} of {whole:,} ({shown} %)"


def several(counts: Mapping[str, int], most: int = 6) -> str:
    """Return counted things, the most frequent first: `text 90, int 10`."""
    ranked = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    shown = ", ".join(f"{name} {count:,}" for name, count in ranked[:most])
    return f"{shown}, …" if len(ranked) > most else shown
