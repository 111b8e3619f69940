"""The types of what people send: every text has a bound, and none holds what PostgreSQL cannot."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path, Query
from pydantic import AfterValidator, StringConstraints


def _no_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("holds a NUL, which no text of PostgreSQL can")
    return text


def _one_line(text: str) -> str:
    if any(ord(one) < 32 or ord(one) == 127 for one in text):
        raise ValueError("holds control characters")
    return text


NO_NUL = AfterValidator(_no_nul)
"""For texts of several lines."""
ONE_LINE = AfterValidator(_one_line)
"""For texts of one line."""


Key = Annotated[str, Path(min_length=1, max_length=64, pattern="^[a-z0-9]+$")]
"""A key in a path."""
KeyText = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern="^[a-z0-9]+$")]
"""A key in a body or a query."""
LARGEST = 2**31 - 1
"""The largest number that may be asked for where fewer are given."""


def up_to(most: int, things: str) -> Any:
    """Return what is said of a `limit` in a query: who asks for more than a page has gets a page."""
    return Query(ge=1, le=LARGEST, description=f"{things} at most; of more than {most} it is {most}")
