"""Amounts in words for people: sizes, durations, numbers with their nouns. Pure."""

from __future__ import annotations


def plural(count: int, word: str, words: str | None = None) -> str:
    """Return a number with its noun: `1 dead letter`, `2,000 dead letters`."""
    return f"{count:,} {word if count == 1 else words or word + 's'}"


def share_text(part: int, whole: int) -> str:
    """Return a share in percent that never calls something nothing, or a part the whole: `98.5 %`, `< 0.1 %`."""
    if not whole:
        return "–"
    if part == whole:
        return "100 %"
    if not part:
        return "0 %"
    percent = 100 * part / whole
    if percent < 0.1:
        return "< 0.1 %"
    if percent > 99.9:
        return "> 99.9 %"
    return f"{percent:.1f}".removesuffix(".0") + " %"


def size_text(size_bytes: float) -> str:
    """Return bytes for people: `512 B`, `1.4 MB`, in powers of 1,000."""
    for unit in ("B", "kB", "MB", "GB"):
        if size_bytes < 1000 or unit == "GB":
            return f"{size_bytes:.0f} {unit}" if unit == "B" else f"{size_bytes:.1f} {unit}"
        size_bytes /= 1000
    return ""


def duration_text(seconds: float) -> str:
    """Return a duration for people: `4 s`, `2:05`, `1:02:03`."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02}"
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"
