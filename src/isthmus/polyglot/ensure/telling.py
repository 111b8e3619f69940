"""What making and checking share: questions that are asked until they are answered, and how findings are told. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from isthmus.errors import Problem, Where
from isthmus.polyglot.ensure.asks import Asking, Call, Gone, Trouble, Wait
from isthmus.polyglot.ensure.indexes import LOOK_AT_BUILDS, built_indexes

MOST_NAMED = 20
"""How many findings of a kind are told."""
_SHOWN_CHARACTERS = 80


def told(call: Call) -> Asking[Any]:
    """Ask, again where the server is in trouble that passes."""
    tried = 0
    while isinstance(answer := (yield call), Trouble):
        yield Wait(min(0.05 * 2.0**tried, 1.0))
        tried = min(tried + 1, 16)
    return answer


def built() -> Asking[list[Mapping[str, Any]]]:
    """Return the indexes that are there, and built to their end."""
    there = yield from told(Call("list_indexes"))
    builds = (yield from told(LOOK_AT_BUILDS)) if there else Gone()
    return [] if isinstance(builds, Gone) else built_indexes(there, builds)


def more(found: int, code: str, collection: str) -> Iterator[Problem]:
    """Give the finding that there are more than are named."""
    if found > MOST_NAMED:
        yield Problem(code, "There are more of this kind.", Where(collection=collection), "Look again behind these.")


def shown(value: object) -> str:
    """Return a key for people."""
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[: _SHOWN_CHARACTERS - 1]}…"
