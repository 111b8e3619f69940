"""Ids that were written into jsonb: they still know where they point, so that they can point elsewhere in the end.

Blind spot: under `ids: keep`, ids that are neither texts nor numbers in JSON stay as they were written.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, cast


class TextId(str):
    """An id as JSON text, equal to the text."""

    entry: str


class NumberId(Decimal):
    """An id as JSON number, equal to the number."""

    entry: str


def written(content: Any, entry: str) -> Any:
    """The same content, marked as the id of a document of an entry."""
    kind = TextId if isinstance(content, str) else NumberId if isinstance(content, Decimal) else None
    if kind is None:
        return content
    marked = kind(content)
    marked.entry = entry
    return marked


def moved(content: Any, move: Callable[[str, str], str]) -> Any:
    """JSON content with each marked id replaced by what `move` makes of its entry and its text."""
    if isinstance(content, dict):
        return {key: moved(inner, move) for key, inner in cast("dict[str, Any]", content).items()}
    if isinstance(content, list):
        return [moved(inner, move) for inner in cast("list[Any]", content)]
    if isinstance(content, TextId):
        return move(content.entry, str(content))
    if isinstance(content, NumberId):
        return Decimal(move(content.entry, format(content, "f")))
    return content
