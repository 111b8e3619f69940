"""Fields that say of which collection the id beside them is: `subject_type: "Task"` beside `subject`. Pure.

Values decide: a field counts as one only when what it holds names collections, and at least two of them.
"""

from __future__ import annotations

from collections.abc import Collection

from isthmus.survey.paths import beside
from isthmus.survey.profile import Node, Path
from isthmus.survey.similar import CLEAR, last_word, likeness

_MOST = 0.6
"""Share of a field's values that must name collections."""


class Kinds:
    """What texts say of the collections of one source; asked of every field, so answers are kept.

    Args:
        collections: All there are.
    """

    def __init__(self, collections: Collection[str]) -> None:
        self._collections = frozenset(collections)
        self._alike: dict[str, list[str]] = {}
        for name in collections:
            self._alike.setdefault(last_word(name), []).append(name)
        self._meant: dict[str, str | None] = {}
        self._named: dict[int, tuple[Node, dict[str, int]]] = {}

    def said_beside(self, root: Node, path: Path) -> dict[str, int]:
        """Return which collections a field beside a value names, and how often each; empty where none does.

        Args:
            root: What the documents hold.
            path: The value.
        """
        found = [self._of(node) for node in beside(root, path)]
        return max(found, key=lambda one: (len(one), sum(one.values())), default=dict[str, int]())

    def _of(self, node: Node) -> dict[str, int]:
        known = self._named.get(id(node))
        if known is None or known[0] is not node:
            known = self._named[id(node)] = (node, self._names(node))
        return known[1]

    def _names(self, node: Node) -> dict[str, int]:
        if node.values is None or len(node.values) < 2 or not node.kinds.get("string"):
            return {}
        named: dict[str, int] = {}
        for (kind, value), count in node.values:
            name = self._of_text(str(value)) if kind == "s" else None
            if name is not None:
                named[name] = named.get(name, 0) + count
        return named if len(named) > 1 and sum(named.values()) >= _MOST * node.filled else {}

    def _of_text(self, said: str) -> str | None:
        """Return the collection that a text names best; None where it names none clearly."""
        if said in self._collections:
            return said
        if said not in self._meant:
            # a name that speaks clearly ends as the text does
            likely = {name: likeness(said, name) for name in self._alike.get(last_word(said, said=True), ())}
            best = max(likely, key=lambda name: (likely[name], -len(name), name), default=None)
            self._meant[said] = best if best is not None and likely[best] >= CLEAR else None
        return self._meant[said]
