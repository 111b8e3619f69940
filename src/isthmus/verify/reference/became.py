"""What stands in the place of a value, in a form in which two can be compared that were written down apart.

Blind spot: instants, UUIDs, bytes, lists and documents are all one thing here.
"""

from __future__ import annotations

from decimal import Context, Decimal
from typing import Any

from isthmus.verify.reference.words import Truth

Word = tuple[str, str]
"""What it is (a text, a number, a truth, a word of the mapping, or another thing), and which."""

OTHER: Word = ("other", "")

_ALL_DIGITS = Context(prec=1_000)
_OTHER_KINDS = frozenset({"date", "timestamp", "timestamptz", "uuid", "bytea"})


def word(name: str) -> Word:
    """A word that stands for no value of its own: `missing`, `null`, `*`, `now`, `id_time`."""
    return ("word", name)


def number(text: str) -> Word:
    """A number, whatever the spelling."""
    exact = Decimal(text)
    return ("number", str(exact.normalize(_ALL_DIGITS)) if exact else "0")


def value(held: Any, kind: str = "") -> Word:
    """A value that an author wrote, or that a column of a kind then holds; None is null."""
    if held is None:
        return word("null")
    if kind in _OTHER_KINDS:
        return OTHER
    if isinstance(held, bool | Truth):
        return ("truth", "true" if held else "false")
    if isinstance(held, str):
        return ("text", held)
    return number(str(held)) if isinstance(held, int | float | Decimal) else OTHER
