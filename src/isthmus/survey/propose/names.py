"""Names of tables and columns: folded, cut to what PostgreSQL takes, and each there once. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection

from isthmus.mapping.names import NAME_BYTES, SYSTEM_COLUMNS, fold
from isthmus.mapping.target import HIDDEN_COLUMNS
from isthmus.survey.profile import ANY_KEY, ELEMENT, Path

RESERVED_COLUMNS = frozenset({*SYSTEM_COLUMNS, *HIDDEN_COLUMNS})
"""Column names that PostgreSQL or Isthmus needs for itself."""

_SHORTENED = 8


def free_name(wish: str, taken: Collection[str], *, fallback: str) -> str:
    """Return a name that is not taken.

    Args:
        wish: What it should be made of; folded.
        taken: Names that are in use.
        fallback: What to call it where no letter and no digit is left of the wish.

    Returns:
        The folded wish, cut to 63 bytes with a hash of the whole where it is longer; with `_2`, `_3`, … where taken.
    """
    name = cut(fold(wish) or fallback)
    if name not in taken:
        return name
    number = 2
    while cut(name, f"_{number}") in taken:
        number += 1
    return cut(name, f"_{number}")


def cut(name: str, suffix: str = "") -> str:
    """Return a name with a suffix within 63 bytes; what is cut off stays told apart by a hash."""
    if len((name + suffix).encode()) <= NAME_BYTES:
        return name + suffix
    digest = "_" + hashlib.sha256(name.encode()).hexdigest()[:_SHORTENED]
    room = NAME_BYTES - len((digest + suffix).encode())
    return name.encode()[:room].decode(errors="ignore").rstrip("_") + digest + suffix


def column_wish(path: Path) -> str:
    """Return what a column is named after: the keys of its path."""
    return " ".join(step for step in path if step not in {ELEMENT, ANY_KEY})


_IES = re.compile(r"(?<=[^aeiou])ies$")


def singular(word: str) -> str:
    """Return a table's name for one of its rows, as far as its ending shows: `customers` is customer."""
    if _IES.search(word) and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word
