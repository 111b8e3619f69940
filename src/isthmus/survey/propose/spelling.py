"""Whether references that MongoDB tells apart may mean one document, so that a unique index would cost one. Pure.

A reference is what its column makes of it: an ObjectId, its digits as text in either case, and a DBRef with or without
`$db` are one and the same there. MongoDB holds each of these to be a value of its own.
"""

from __future__ import annotations

from isthmus.survey.profile import Node

_NUMBERS = frozenset({"int", "long", "double", "decimal"})
_HEX_DIGITS = 24


def spelling_fault(node: Node, *, kept: bool = False) -> str | None:
    """Say how two different values may be the same reference; None where none can.

    Args:
        node: What was met at the field.
        kept: Whether the ids it refers to stay as they are, so that texts of other case are other ids.
    """
    kinds = set(node.kinds)
    if len(kinds) == 1 and kinds <= {"objectId", "date", "bool"}:
        return None
    if kinds == {"string"}:
        return _text_fault(node, kept=kept)
    if kinds <= _NUMBERS:
        return "decimals beside doubles may become the same number" if {"decimal", "double"} <= kinds else None
    if kinds == {"binData"}:
        one = node.binaries is not None and len(node.binaries.subtypes) == 1
        return None if one else "its binary values are of several subtypes"
    if kinds == {"object"} and node.documents is not None and node.documents.dbref == node.kinds["object"]:
        return _dbref_fault(node, kept=kept)
    return "its references are written in several ways, so two may mean the same document"


def same_digits(node: Node) -> bool:
    """Tell whether two texts of 24 digits may differ in upper and lower case only."""
    if node.texts is None or node.texts.hex24 < 2:
        return False
    if node.values is None:
        return True
    texts = [str(value) for kind, value in (one for one, _ in node.values) if kind == "s"]
    folded = [text.lower() for text in texts if len(text) == _HEX_DIGITS]
    return len(set(folded)) < len(folded)


def _text_fault(node: Node, *, kept: bool) -> str | None:
    if node.texts is not None and (node.texts.nul or node.texts.invalid_utf8):
        return "some of its texts are mended"
    if not kept and same_digits(node):
        return "two of its texts of 24 digits mean the same document where they differ in case only"
    return None


def _dbref_fault(node: Node, *, kept: bool) -> str | None:
    inner, database = node.fields.get("$id"), node.fields.get("$db")
    if inner is None or not _is_one(node.fields.get("$ref")):
        return "its DBRefs do not all name one collection"
    if database is not None and (database.missing or not _is_one(database)):
        return "its DBRefs do not all name one database, so two may mean the same document"
    return spelling_fault(inner, kept=kept)


def _is_one(node: Node | None) -> bool:
    return node is not None and node.values is not None and len(node.values) == 1
