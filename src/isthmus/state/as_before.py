"""Documents as they stood before values in them were replaced: what a rewrite wrote is changed back. Pure.

Nothing else of a document changes, not by a byte: one that is not written again as it was read is left alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import bson
from bson import CodecOptions, DatetimeConversion
from bson.errors import BSONError

_CODEC = CodecOptions[dict[str, Any]](datetime_conversion=DatetimeConversion.DATETIME_AUTO)


@dataclass(frozen=True)
class Step:
    """One value: where it stands, and what becomes of it where it does.

    Attributes:
        path: Where: keys are texts, positions numbers.
        there: `{"": value}` as BSON: what must stand there.
        becomes: `{"": value}` as BSON.
    """

    path: tuple[str | int, ...]
    there: bytes
    becomes: bytes


def text_held(text: str) -> bytes:
    """Return `{"": text}` as BSON."""
    return bson.encode({"": text})


def as_before(raw: bytes, steps: Sequence[Step]) -> bytes | None:
    """Return a document with values replaced, one step after the other; those whose value stands no more are passed.

    Args:
        raw: The document, BSON.
        steps: The newest change first, for each is taken back behind those that came after it.

    Returns:
        The document; None where it cannot be read and written again without a change.
    """
    try:
        document: dict[str, Any] = bson.decode(raw, _CODEC)  # pyright: ignore[reportUnknownMemberType]  pymongo's generics
        if bson.encode(document, codec_options=_CODEC) != raw:
            return None
        for step in steps:
            _take(document, step)
        return bson.encode(document, codec_options=_CODEC)
    except (BSONError, KeyError, TypeError, ValueError, OverflowError, RecursionError):
        return None


def _take(document: dict[str, Any], step: Step) -> None:
    holder: Any = document
    for one in step.path[:-1]:
        holder = _below(holder, one)
    last = step.path[-1]
    if _below(holder, last) is None:
        return  # no rewrite changes a null, nor makes one
    if bson.encode({"": _below(holder, last)}, codec_options=_CODEC) == step.there:
        holder[last] = bson.decode(step.becomes, _CODEC)[""]  # pyright: ignore[reportUnknownMemberType]


def _below(holder: Any, step: str | int) -> Any:
    """Return what stands under a key or a position; None where nothing does."""
    if isinstance(holder, dict) and isinstance(step, str):
        return holder.get(step)  # pyright: ignore[reportUnknownVariableType,reportUnknownMemberType]
    if isinstance(holder, list) and isinstance(step, int) and step < len(holder):  # pyright: ignore[reportUnknownArgumentType]
        return holder[step]  # pyright: ignore[reportUnknownVariableType]
    return None
