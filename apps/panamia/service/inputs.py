"""The types of what people send: every text has a bound, and none holds what PostgreSQL cannot."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path
from pydantic import AfterValidator, StringConstraints

LONGEST_EMAIL = 254
"""Characters, as RFC 5321 allows for a path less its brackets."""


def _no_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("holds a NUL, which no text of PostgreSQL can")
    return text


def _one_line(text: str) -> str:
    if any(ord(one) < 32 or ord(one) == 127 for one in text):
        raise ValueError("holds control characters")
    return text


def _address(text: str) -> str:
    """Fold an address: trimmed and in lower case, as the mapping does."""
    name, _, domain = text.rpartition("@")
    if not name or not domain or any(one.isspace() for one in text) or "@" in name:
        raise ValueError("is no e-mail address")
    return _one_line(text)


def text_of(most: int, least: int = 0) -> type[str]:
    """Return the type of a text of several lines with a number of characters, trimmed."""
    bounds = StringConstraints(strip_whitespace=True, min_length=least, max_length=most)
    return Annotated[str, bounds, AfterValidator(_no_nul)]  # pyright: ignore[reportReturnType]


def line_of(most: int, least: int = 0) -> type[str]:
    """Return the type of a single line with a number of characters, trimmed."""
    bounds = StringConstraints(strip_whitespace=True, min_length=least, max_length=most)
    return Annotated[str, bounds, AfterValidator(_one_line)]  # pyright: ignore[reportReturnType]


Email = Annotated[
    str,
    StringConstraints(strip_whitespace=True, to_lower=True, min_length=3, max_length=LONGEST_EMAIL),
    AfterValidator(_address),
]
"""An e-mail address, trimmed and in lower case."""
Key = Annotated[str, Path(min_length=1, max_length=64, pattern="^[a-z0-9]+$")]
"""A key in a path."""
