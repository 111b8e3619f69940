"""Lists of names in a sentence, so long that a person still reads them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from isthmus.work.listed import listed

if TYPE_CHECKING:
    from isthmus.govern.catalog.model import Key

_MOST_NAMED = 6


def shortened(names: Sequence[str]) -> str:
    """Return the first of some names with commas, and how many more there are."""
    return listed(names, _MOST_NAMED)


def shortened_keys(keys: Iterable[Key]) -> str:
    """Return the first of some objects of a catalog, each with its kind, and how many more there are."""
    return shortened([f"{key.kind} {key.place}" for key in keys])
