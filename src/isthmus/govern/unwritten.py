"""Words that stand where a person has still to write. Pure."""

from __future__ import annotations

import re

_WORD = re.compile(r"[^\W_]")
_PLACEHOLDERS = frozenset({"todo", "tbd", "fixme", "xxx", "na", "n/a", "none"})
_BRACKETS = ("<>", "[]")


def says_nothing(text: str) -> bool:
    """Tell whether a text is empty, or holds nothing but a word that stands for one to come: `TODO`, `<why>`, `…`."""
    first = _WORD.search(text)
    if first is None:
        return True
    last = next(at for at in range(len(text) - 1, -1, -1) if _WORD.match(text, at))
    before, said, after = text[: first.start()], text[first.start() : last + 1], text[last + 1 :]
    if said.casefold() in _PLACEHOLDERS:
        return True
    return "\n" not in text and any(opens in before and closes in after for opens, closes in _BRACKETS)
