"""What stands in an address in place of a name or a title. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Set


def slug_of(text: str, *, longest: int, otherwise: str, reserved: Set[str] = frozenset()) -> str:
    """Return a text as it stands in an address: small letters without accents, digits, hyphens between them.

    Args:
        text: What people see.
        longest: Characters at most.
        otherwise: For texts without a letter of the Latin alphabet and without a digit; and behind reserved words.
        reserved: Words that lead elsewhere.
    """
    plain = "".join(one for one in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(one))
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:longest].strip("-") or otherwise
    return f"{slug}-{otherwise}" if slug in reserved else slug


def numbered(slug: str, number: int, *, longest: int) -> str:
    """Return a slug with a number behind it, which costs it letters where it would be too long."""
    suffix = f"-{number}"
    return slug[: longest - len(suffix)].rstrip("-") + suffix
