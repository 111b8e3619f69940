"""Whether documents inside documents become columns, a child table, or JSON. Pure.

The rule: what has the same few keys nearly everywhere is a shape and becomes columns; what has keys that are data, or
keys that mostly are not there, is content and stays JSON.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from isthmus.survey.profile import Node
from isthmus.survey.propose.figures import share

_DATA = re.compile(r"[0-9][0-9.,:\-/T ]*|[0-9a-fA-F]{24}|[0-9a-fA-F-]{36}|[^@\s]+@[^@\s]+\.[^@\s]+|\w+://.*", re.ASCII)
MOST_KEYS = 40
"""More keys than this are content."""
_LEAST_FILLED = 0.5
"""Share of all places (documents times keys) that must be taken."""
_LEAST_DOCUMENTS = 0.95
"""Share of the values that must be documents; the few others go to extras."""
MOST_LEVELS = 4
"""How deep documents inside documents become columns."""
MOST_COLUMNS = 200
"""Columns of a table; beyond, documents inside stay JSON and the rarest fields go to extras."""


@dataclass(frozen=True)
class Verdict:
    """Whether a document's fields become columns, and why (not)."""

    is_shape: bool
    why: str = ""


def judge_documents(node: Node) -> Verdict:
    """Judge what stands at a field that holds documents."""
    documents = node.kinds.get("object", 0)
    if node.documents is not None and node.documents.dbref:
        return Verdict(False, "DBRefs, which stay JSON where they are no references of one kind")
    if _is_place(node):
        return Verdict(False, "GeoJSON, which stays whole; PostGIS has a type for it")
    if documents and not node.fields and node.collapsed is None and not node.unlisted:
        return Verdict(False, "only empty documents were met")
    if node.collapsed is not None:
        return Verdict(False, f"keys are data ({node.collapsed.keys:,} or more of them), so it stays JSON")
    if 2 * sum(map(_is_data, node.fields)) > len(node.fields):
        return Verdict(False, "keys look like data, so it stays JSON")
    if node.documents is not None and node.documents.extended:
        return Verdict(False, "keys that begin with $ are no names for columns, so it stays JSON")
    if node.unlisted or not node.fields:
        return Verdict(False, "more keys than were followed, so it stays JSON")
    if len(node.fields) > MOST_KEYS:
        return Verdict(False, f"{len(node.fields)} different keys, so it stays JSON")
    if documents < _LEAST_DOCUMENTS * node.filled:
        return Verdict(False, f"only {share(documents, node.filled)} values are documents, so it stays JSON")
    places = documents * len(node.fields)
    taken = sum(child.holders for child in node.fields.values())
    if taken < _LEAST_FILLED * places:
        return Verdict(False, f"varied: {share(taken, places)} of its keys' places are taken, so it stays JSON")
    return Verdict(True)


def judge_elements(node: Node) -> Verdict:
    """Judge an array's elements: whether they become rows of a child table."""
    elements = node.elements
    if elements is None or set(node.kinds) != {"array"}:
        return Verdict(False, "not always an array, so it stays JSON")
    if set(elements.types) != {"object"}:
        return Verdict(False, "not every element is a document, so it stays JSON")
    return judge_documents(elements)


def _is_data(key: str) -> bool:
    """Tell whether a key is no name: an id, a number, a date, an address."""
    return _DATA.fullmatch(key) is not None


def _is_place(node: Node) -> bool:
    """Tell whether documents are places as GeoJSON has them."""
    if set(node.fields) != {"type", "coordinates"}:
        return False
    return set(node.fields["type"].kinds) == {"string"} and set(node.fields["coordinates"].kinds) == {"array"}
