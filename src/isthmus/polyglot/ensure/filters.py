"""What is asked of MongoDB: which document is the row's, which are unclaimed, which have an e-mail. Pure.

An e-mail is found by an index, however it is stored: its collation takes capitals and small letters for one, and the
usual white space around an e-mail is asked for as well. What the index gives is held against the one meaning of
`normalise` before it counts, so a collation that takes more for one never makes two e-mails one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast
from uuid import UUID

from bson import Binary
from bson.binary import UuidRepresentation
from pymongo.collation import Collation

from isthmus.mapping.reading.choosing import WHITE_SPACE
from isthmus.polyglot.ensure.belonging import Belonging

AROUND = ("", " ", "  ", "\t", "\n", "\r\n", "\u00a0")
"""White space that e-mails are looked for with, before and behind them."""
COLLATION = Collation("en", strength=2)
"""Takes capitals and small letters for one."""
SIMPLE = Collation("simple")
"""Takes nothing for one that is not the same, whatever collation a collection has of its own."""

_NOTHING = object()


def stored_form(value: object, representation: int) -> object:
    """Return a key as the driver reads and writes it.

    Args:
        value: The key.
        representation: How the caller's collection represents UUIDs; where it does not say, subtype 4.
    """
    if isinstance(value, UUID) and representation == UuidRepresentation.UNSPECIFIED:
        return Binary.from_uuid(value)
    return value


def unclaimed(belonging: Belonging) -> dict[str, Any]:
    """Return what a document meets that belongs to nobody. An array is no reference, whatever it holds."""
    return {belonging.reference: {"$in": [None, ""], "$not": {"$type": "array"}}}


def is_unclaimed(belonging: Belonging, document: Mapping[str, Any]) -> bool:
    """Tell the same of a document that was read; one without a place for the reference is not unclaimed."""
    *outer, last = belonging.reference.split(".")
    inner: object = document
    for name in outer:
        inner = cast("Mapping[str, object]", inner).get(name)
        if inner is None:
            return True
        if not isinstance(inner, Mapping):
            return False
    found = cast("Mapping[str, object]", inner).get(last)
    return found is None or found == ""


def with_email(belonging: Belonging, email: str, given: str) -> dict[str, Any]:
    """Return what finds documents with an e-mail, and perhaps others.

    Args:
        belonging: Which field it is.
        email: The e-mail, normalised.
        given: The same as the caller gave it.
    """
    around = AROUND if "trim" in belonging.normalise else ("",)
    forms = [f"{before}{email}{behind}" for before in around for behind in around]
    return {cast("str", belonging.email): {"$in": list(dict.fromkeys([*forms, given]))}}


def collation_of(belonging: Belonging) -> Collation | None:
    """Return the collation in which e-mails are looked for; None: that of the collection."""
    return COLLATION if "lower" in belonging.normalise else None


def is_looked_for(belonging: Belonging, stored: str) -> bool:
    """Tell whether `with_email` finds a stored e-mail, whatever its capitals."""
    core = stored.strip(WHITE_SPACE)
    before, behind = stored[: stored.find(core)], stored[stored.find(core) + len(core) :]
    return not core or "trim" not in belonging.normalise or (before in AROUND and behind in AROUND)


def spaced(belonging: Belonging) -> dict[str, Any]:
    """Return what finds unclaimed documents with white space around their e-mail. Reads the collection."""
    letters = f"[{WHITE_SPACE}]"
    pattern = {"$regex": f"^{letters}|{letters}$"}
    return {**unclaimed(belonging), cast("str", belonging.email): pattern}


def value_at(document: Mapping[str, Any], path: str) -> Any:
    """Return the value at a path, which leads through documents only; None where there is none."""
    value: object = document
    for name in path.split("."):
        if not isinstance(value, Mapping):
            return None
        value = cast("Mapping[str, object]", value).get(name)
    return value
