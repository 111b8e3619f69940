"""Lists of names in a sentence, so short that a person still reads them. Pure."""

from __future__ import annotations

from collections.abc import Sequence


def listed(names: Sequence[str], most: int, *, beyond: int = 0) -> str:
    """Return the first of some names with commas, and how many more there are: `a, b and 3 more`.

    Args:
        names: The names.
        most: How many of them are named.
        beyond: How many there are that are not among `names`.
    """
    more = max(0, len(names) - most) + beyond
    return ", ".join(names[:most]) + (f" and {more:,} more" if more else "")
