"""What no rule takes: the elements of a document that are left over, nesting kept."""

from __future__ import annotations

from collections.abc import Callable, Collection

from isthmus.verify.reference import bson
from isthmus.verify.reference.bson import Document, Value
from isthmus.verify.reference.rules import Path

PARTIAL = -1
"""The type of a leftover document of which some paths were taken; no BSON type has this number."""


def leftovers(
    document: Document, claimed: Collection[Path], loose: Collection[Path], note: Callable[[str], None], here: Path = ()
) -> Document:
    """Elements that no path of the mapping takes.

    A document that paths only lead through leaves over what they do not take, and nothing if it is empty; any other
    value in its place is left over itself. Of duplicate keys the last, counted.

    Args:
        document: The elements.
        claimed: Paths of all rules.
        loose: Those of them whose value is left over all the same.
        note: Takes `duplicate_key` and `empty_document` as they are met.
        here: Keys that lead to these elements.
    """
    elements, dropped = bson.last_wins(document)
    for _ in range(dropped):
        note("duplicate_key")
    left: Document = []
    for key, value in elements:
        try:
            path = (*here, key.decode("utf-8"))
        except UnicodeDecodeError:
            left.append((key, value))
            continue
        if path in loose:
            left.append((key, value))
            continue
        if path in claimed:
            continue
        leads_on = any(other[: len(path)] == path for other in claimed)
        if not leads_on or value.type != bson.DOCUMENT:
            left.append((key, value))
            continue
        if not value.data:
            note("empty_document")
        inner = leftovers(value.data, claimed, loose, note, path)
        if inner:
            left.append((key, Value(PARTIAL, inner, b"")))
    return left


def leaves(left: Document) -> list[Path]:
    """Paths of leftover values; a document of which some paths were taken is named by what is left of it."""
    paths: list[Path] = []
    for key, value in left:
        step = key.decode("utf-8", "replace")
        if value.type == PARTIAL:
            paths += [(step, *path) for path in leaves(value.data)]
        else:
            paths.append((step,))
    return paths


def whole(left: Document) -> Value:
    """Leftovers as one BSON document value."""
    elements = [(key, whole(value.data) if value.type == PARTIAL else value) for key, value in left]
    return Value(bson.DOCUMENT, elements, b"")
