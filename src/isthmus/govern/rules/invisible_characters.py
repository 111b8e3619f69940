"""No character that cannot be seen.

Problem: a zero-width space inside of a name makes another name; a character that turns the direction of writing shows a
reviewer another text than the server reads.

Solution: remove them. In a text that needs one write an escape: `U&'\\\\200B'`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from isthmus.govern.checking import Checking
from isthmus.govern.findings import Finding
from isthmus.govern.rules.rule import Rule

_ALLOWED = frozenset("\n\r\t")


def _find(checking: Checking) -> Iterator[Finding]:
    for one in checking.looked_at:
        for blob in (one.sql, one.rollback):
            text = checking.text(blob)
            if text is None or blob is None or text.isascii():
                continue
            for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
                hidden = sorted({character for character in line if is_invisible(character)})
                if hidden:
                    named = ", ".join(
                        f"U+{ord(character):04X} {unicodedata.name(character, '')}" for character in hidden
                    )
                    yield Finding(
                        blob.path, number, RULE.name, f"It holds what cannot be seen: {named.strip()}.", "Remove it."
                    )


def is_invisible(character: str) -> bool:
    """Tell whether a character is seen as nothing, or as a blank that is none: Unicode's Cc, Cf, Zl, Zp, and Zs but
    the space."""
    if character in _ALLOWED or character == " ":
        return False
    return unicodedata.category(character) in {"Cc", "Cf", "Zl", "Zp", "Zs"}


RULE = Rule("invisible-characters", _find)
