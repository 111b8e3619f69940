"""Documents as they stood before values in them were replaced: what a rewrite wrote is changed back. Pure.

Nothing else of a document changes, not by a byte, whatever stands in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import bson

from isthmus.state.bson_splice import replace_value


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
        The document; None where it is no BSON as far as it was looked at.
    """
    try:
        for step in steps:
            raw = replace_value(raw, step.path, step.there, step.becomes)
    except ValueError:
        return None
    return raw
