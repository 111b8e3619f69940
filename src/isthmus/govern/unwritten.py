"""Words that stand where a person has still to write. Pure."""

from __future__ import annotations

import re

_UNWRITTEN = re.compile(r"[\W_]*(todo|tbd|fixme|xxx|n/?a|none|\.+|…|<.*>|\[.*\])?[\W_]*", re.IGNORECASE)


def says_nothing(text: str) -> bool:
    """Tell whether a text is empty, or holds nothing but a word that stands for one to come: `TODO`, `<why>`, `…`."""
    return _UNWRITTEN.fullmatch(text) is not None
