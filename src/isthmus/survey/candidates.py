"""Which values could be references to what: decided from profiles alone, before any value is looked up. Pure.

Looking up is what proves a reference; here only what cannot be one is left out, so that few values are looked up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from isthmus.survey.profile import ANY_KEY, ELEMENT, Node, Path, Profile
from isthmus.survey.reference import Form, Key

KEY_KINDS = frozenset({"string", "int", "long", "double", "decimal", "binData"})
"""Types of values that natural keys have."""

_ID: Path = ("_id",)
_DBREF = frozenset({"$ref", "$id", "$db"})
_LEAST_KEYS = 8
"""Fewer distinct values than this are words of a list, or chance; unless an index says that they are unique."""
_SHARED = 0.5
"""Share of the values of a field, by their sketches, that a natural key must hold before they are looked up in it."""


@dataclass(frozen=True)
class Candidate:
    """Values that may be references.

    Attributes:
        collection: Whose documents have them.
        path: Where.
        forms: How a value may refer.
        keys: What it may refer to; ids of all collections are meant by the forms `oid`, `hex` and `dbref`.
    """

    collection: str
    path: Path
    forms: tuple[Form, ...]
    keys: tuple[Key, ...]


def find_keys(collection: str, profile: Profile, indexes: tuple[dict[str, object], ...]) -> Iterator[Key]:
    """Yield what may tell the documents of a collection apart: `_id`, and natural keys."""
    yield Key(collection, _ID, "id")
    unique = set(_unique_paths(indexes))
    for path, node in profile.walk():
        if path[0] == "_id" or ELEMENT in path or ANY_KEY in path or not _is_key(node):
            continue
        if path in unique:
            yield Key(collection, path, "index")
        elif node.distinct >= _LEAST_KEYS and _all_differ(node) and 2 * node.filled > profile.documents:
            yield Key(collection, path, "values")


def _unique_paths(indexes: tuple[dict[str, object], ...]) -> Iterator[Path]:
    for index in indexes:
        keys = index.get("key")
        if index.get("unique") and isinstance(keys, Mapping) and len(keys) == 1:  # pyright: ignore[reportUnknownArgumentType]
            (name,) = keys  # pyright: ignore[reportUnknownVariableType]
            yield tuple(str(name).split("."))  # pyright: ignore[reportUnknownArgumentType]


def _is_key(node: Node) -> bool:
    return bool(node.kinds) and set(node.kinds) <= KEY_KINDS


def _all_differ(node: Node) -> bool:
    """Tell whether values may be all different; where there are many, the number is an estimate, good to a tenth."""
    return node.distinct >= 0.85 * node.filled


def find_candidates(
    profiles: Mapping[str, Profile], keys: Mapping[str, tuple[Key, ...]]
) -> dict[str, tuple[Candidate, ...]]:
    """Return the values of every collection that may be references.

    Args:
        profiles: Collection → profile.
        keys: Collection → what tells its documents apart.
    """
    natural = [key for found in keys.values() for key in found]
    return {
        name: tuple(
            found
            for path, node in profile.walk()
            if path[-1] not in _DBREF and (found := _candidate(name, path, node, profiles, natural))
        )
        for name, profile in profiles.items()
    }


def _candidate(
    collection: str, path: Path, node: Node, profiles: Mapping[str, Profile], keys: list[Key]
) -> Candidate | None:
    forms: list[Form] = []
    if node.kinds.get("objectId"):
        forms.append("oid")
    if node.texts is not None and node.texts.hex24:
        forms.append("hex")
    if node.documents is not None and node.documents.dbref:
        forms.append("dbref")
    held: tuple[Key, ...] = ()
    if set(node.kinds) & (KEY_KINDS | {"object"}):
        held = tuple(
            key
            for key in keys
            if (key.collection, key.path) != (collection, path)
            and _may_hold(node_at(profiles[key.collection].root, key.path), node)
        )
        if held:
            forms.append("value")
    return Candidate(collection, path, tuple(forms), held) if forms else None


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


def _may_hold(key: Node | None, node: Node) -> bool:
    """Tell whether enough of a field's values are among those of a key, as far as sketches show."""
    if key is None:
        return False
    if key.kinds.get("object") and node.kinds.get("object"):  # a compound key: the same names
        return bool(key.fields) and set(key.fields) == set(node.fields)
    if not key.sketch or not node.sketch or not set(key.kinds) & KEY_KINDS:
        return False
    bound = min(_reach(key), _reach(node))
    seen = [value for value in node.sketch if value <= bound]
    if not seen:
        return False
    there = set(key.sketch)
    return sum(value in there for value in seen) >= _SHARED * len(seen)


def _reach(node: Node) -> int:
    """Return up to which hash a sketch is whole: to the end where it holds every value."""
    return node.sketch[-1] if node.distinct > len(node.sketch) else 2**64 - 1
