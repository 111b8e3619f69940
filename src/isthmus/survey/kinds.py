"""Fields that say of which collection the id beside them is: `subject_type: "Task"` beside `subject`. Pure.

Values decide: a field counts as one only when what it holds names collections, and at least two of them.
"""

from __future__ import annotations

from collections.abc import Collection

from isthmus.survey.paths import beside
from isthmus.survey.profile import Node, Path
from isthmus.survey.similar import CLEAR, likeness

_MOST = 0.6
"""Share of a field's values that must name collections."""


def said_beside(root: Node, path: Path, collections: Collection[str]) -> dict[str, int]:
    """Return which collections a field beside a value names, and how often each; empty where none does.

    Args:
        root: What the documents hold.
        path: The value.
        collections: All there are.
    """
    found = [_named(node, collections) for node in beside(root, path)]
    return max(found, key=lambda one: (len(one), sum(one.values())), default=dict[str, int]())


def _named(node: Node, collections: Collection[str]) -> dict[str, int]:
    if node.values is None or len(node.values) < 2 or not node.kinds.get("string"):
        return {}
    named: dict[str, int] = {}
    for (kind, value), count in node.values:
        name = meant(str(value), collections) if kind == "s" else None
        if name is not None:
            named[name] = named.get(name, 0) + count
    return named if len(named) > 1 and sum(named.values()) >= _MOST * node.filled else {}


def meant(said: str, collections: Collection[str]) -> str | None:
    """Return the collection that a text names best; None where it names none clearly."""
    if said in collections:
        return said
    likely = {name: likeness(said, name) for name in collections}
    best = max(likely, key=lambda name: (likely[name], -len(name), name), default=None)
    return best if best is not None and likely[best] >= CLEAR else None
