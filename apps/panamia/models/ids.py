"""Make keys: texts in the shape of a cuid2, drawn by the application."""

from __future__ import annotations

import secrets

LENGTH = 24
_FIRST = "ghijklmnopqrstuvwxyz"
"""No hex digit: so no key can be taken for the hex text of an ObjectId, whatever follows."""
_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"


def new_id() -> str:
    """Return a key that nobody has drawn before: 24 characters, a letter first, 123 random bits.

    Keys cannot be guessed from others and do not sort by time.
    """
    return secrets.choice(_FIRST) + "".join(secrets.choice(_ALPHABET) for _ in range(LENGTH - 1))
