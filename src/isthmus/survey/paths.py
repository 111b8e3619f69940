"""What stands at a path of a profile, and beside it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from isthmus.survey.profile import ANY_KEY, ELEMENT, Node, Path

_NO_NAMES = frozenset({ELEMENT, ANY_KEY, "$id"})


def node_at(root: Node, path: Path) -> Node | None:
    """Return what stands at a path; None where nothing was met."""
    node: Node | None = root
    for key in path:
        if node is None:
            return None
        if key == ELEMENT:
            node = node.elements
        elif node.collapsed is not None and key not in node.fields:
            node = node.collapsed.node
        else:
            node = node.fields.get(key)
    return node


@lru_cache(65536)
def names_of(path: Path) -> tuple[str, ...]:
    """Return the names on a path from the innermost out: `author.user.[]` is user, author."""
    return tuple(step for step in reversed(path) if step not in _NO_NAMES)


def beside(root: Node, path: Path) -> Iterator[Node]:
    """Yield what stands beside a value: other fields of the document that has it, or has the array that holds it."""
    holder = path
    while holder and holder[-1] == ELEMENT:
        holder = holder[:-1]
    node = node_at(root, holder[:-1]) if holder else None
    if node is not None:
        yield from (child for key, child in node.fields.items() if key != holder[-1])
