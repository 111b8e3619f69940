"""Addresses of profiles in the directory, made from names. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator
from itertools import count

LONGEST = 80
_NAMELESS = "pana"
"""For names without a letter of the Latin alphabet, and without a digit."""


def slug_of(name: str) -> str:
    """Return a name as it stands in an address: small letters without accents, digits, dashes between them."""
    plain = "".join(one for one in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(one))
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:LONGEST].strip("-") or _NAMELESS


def numbered(slug: str) -> Iterator[str]:
    """Yield a slug, then the same with the numbers from 2 on."""
    yield slug
    for number in count(2):
        yield f"{slug}-{number}"


def first_free(slug: str, taken: Collection[str]) -> str:
    """Return the first of its numbered slugs that is not taken."""
    return next(one for one in numbered(slug) if one not in taken)
