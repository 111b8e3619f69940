"""Lists of names in a sentence, so long that a person still reads them. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from isthmus.govern.catalog.model import Key

_MOST_NAMED = 6


def shortened(names: Collection[str]) -> str:
    """Return the first of some names with commas, and how many more there are."""
    more = len(names) - _MOST_NAMED
    return ", ".join(islice(names, _MOST_NAMED)) + (f" and {more:,} more" if more > 0 else "")


def shortened_keys(keys: Iterable[Key]) -> str:
    """Return the first of some objects of a catalog, each with its kind, and how many more there are."""
    return shortened([f"{key.kind} {key.place}" for key in keys])
