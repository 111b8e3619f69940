"""Which values could be references to what: decided from profiles alone, before any value is looked up. Pure.

Looking up is what proves a reference; here only what cannot be one is left out, so that few values are looked up.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from isthmus.survey.chance import is_meant, resemblance
from isthmus.survey.kinds import Kinds
from isthmus.survey.paths import node_at
from isthmus.survey.profile import ANY_KEY, ELEMENT, Node, Path, Profile
from isthmus.survey.reference import ID, Form, Key
from isthmus.survey.similar import CLEAR, is_same_name

KEY_KINDS = frozenset({"string", "int", "long", "double", "decimal", "binData"})
"""Types of values that natural keys have."""

_FAMILIES = (
    frozenset({"string", "symbol"}),
    frozenset({"int", "long", "double", "decimal"}),
    frozenset({"binData"}),
    frozenset({"date"}),
    frozenset({"object"}),
)
"""Types between which values can be equal."""

_DBREF = frozenset({"$ref", "$id", "$db"})
SEEMS_UNIQUE = 0.99
"""Share of the values of a natural key without an index that must be different: a few are there twice by mistake."""
_LEAST_KEYS = 8
"""Fewer distinct values than this are words of a list, or chance; unless an index says that they are unique."""
_SHARED_ID = 0.05
_SHARED_KEY = 0.3
"""Share of a field's values, by their sketches, that an `_id` and a natural key must hold before they are looked up."""
_DOUBT = 0.05
"""A sketch may say no only where it would be wrong this seldom."""
_FEW_SETS = 16
"""ObjectIds are looked up in all ids there are while these are no more collections; beyond, sketches choose."""
_SURE = 60
"""Values that two sketches must have had the chance to share before none shared means that there are hardly any."""


@dataclass(frozen=True)
class Candidate:
    """Values that may be references.

    Attributes:
        collection: Whose documents have them.
        path: Where.
        forms: How a value may refer.
        keys: What values may be equal to, form `value`.
        ids: Collections whose ids the forms `oid`, `hex` and `dbref` may mean.
        said: What a field beside says: collection → how often.
    """

    collection: str
    path: Path
    forms: tuple[Form, ...]
    keys: tuple[Key, ...] = ()
    ids: tuple[str, ...] = ()
    said: Mapping[str, int] = field(default_factory=dict[str, int])


def find_keys(
    collection: str, profile: Profile, indexes: tuple[dict[str, object], ...], *, whole: bool = True
) -> Iterator[Key]:
    """Yield what may tell the documents of a collection apart: `_id`, and natural keys.

    Args:
        collection: Its name.
        profile: What it holds.
        indexes: As the source lists them.
        whole: Whether all of it was read: what is unique in a sample need not be unique.
    """
    yield Key(collection, ID, "id")
    unique = set(_unique_paths(indexes))
    for path, node in profile.walk():
        if path[0] == "_id" or ELEMENT in path or ANY_KEY in path or not _is_key(node):
            continue
        if path in unique:
            yield Key(collection, path, "index")
        elif whole and node.distinct >= _LEAST_KEYS and _all_differ(node) and 2 * node.filled > profile.documents:
            yield Key(collection, path, "values")


def _unique_paths(indexes: tuple[dict[str, object], ...]) -> Iterator[Path]:
    for index in indexes:
        keys = index.get("key")
        if not isinstance(keys, Mapping) or not index.get("unique") or index.get("partialFilterExpression"):
            continue
        names = [str(name) for name in keys]  # pyright: ignore[reportUnknownVariableType,reportUnknownArgumentType]
        if len(names) == 1:
            yield tuple(names[0].split("."))


def _is_key(node: Node) -> bool:
    return bool(node.kinds) and set(node.kinds) <= KEY_KINDS


def _all_differ(node: Node) -> bool:
    """Tell whether values may be all different; where there are many, the number is an estimate, good to a tenth."""
    return node.distinct >= (SEEMS_UNIQUE if node.distinct < len(node.sketch) else 0.85) * node.filled


def find_candidates(
    profiles: Mapping[str, Profile], keys: Mapping[str, tuple[Key, ...]]
) -> dict[str, tuple[Candidate, ...]]:
    """Return the values of every collection that may be references.

    Args:
        profiles: Collection → profile.
        keys: Collection → what tells its documents apart.
    """
    finder = _Finder(profiles, keys)
    found = {name: tuple(finder.of(name, profile)) for name, profile in profiles.items()}
    return {name: ones for name, ones in found.items() if any(_leads_elsewhere(one) for one in ones)}


def _leads_elsewhere(candidate: Candidate) -> bool:
    """Tell whether values may be more than the `_id` that they are."""
    return candidate.path != ID or any(
        name != candidate.collection for name in (*candidate.ids, *(key.collection for key in candidate.keys))
    )


@dataclass(frozen=True)
class _Held:
    """A key, and what is asked of it for every field."""

    key: Key
    node: Node
    families: int
    reach: int


class _Finder:
    """Compares every field with every key; what most of these comparisons need is kept at hand."""

    def __init__(self, profiles: Mapping[str, Profile], keys: Mapping[str, tuple[Key, ...]]) -> None:
        self._collections = tuple(profiles)
        self._kinds = Kinds(self._collections)
        found = [
            _Held(key, node, _families(node), _reach(node))
            for held in keys.values()
            for key in held
            if (node := node_at(profiles[key.collection].root, key.path)) is not None
        ]
        self._values = [one for one in found if set(one.node.kinds) - {"objectId"}]
        self._ids = [one for one in found if one.key.path == ID and one.node.kinds.get("objectId")]
        self._holders: dict[int, list[int]] = {}
        """Hash of a value → keys that have it in their sketches."""
        for number, one in enumerate(self._values):
            for value in one.node.sketch:
                self._holders.setdefault(value, []).append(number)

    def of(self, collection: str, profile: Profile) -> Iterator[Candidate]:
        """Yield the candidates of a collection."""
        for path, node in profile.walk():
            if path[-1] not in _DBREF and (found := self._candidate(collection, path, node, profile.root)):
                yield found

    def _candidate(self, collection: str, path: Path, node: Node, root: Node) -> Candidate | None:
        forms: list[Form] = []
        if node.kinds.get("objectId"):
            forms.append("oid")
        if node.texts is not None and node.texts.hex24:
            forms.append("hex")
        if node.documents is not None and node.documents.dbref:
            forms.append("dbref")
        ids = self._reached(node) if forms else ()
        families = _families(node)
        if not families and not ids:
            return None
        said = self._kinds.said_beside(root, path)
        held = tuple(self._held(collection, path, node, families, said)) if families else ()
        if held:
            forms.append("value")
        return Candidate(collection, path, tuple(forms), held, ids, said) if ids or held else None

    def _reached(self, node: Node) -> tuple[str, ...]:
        """Return the collections whose ids are worth looking into: ObjectIds, and those that DBRefs name."""
        ids = self._of_object_ids(node)
        if node.documents is None or not node.documents.dbref:
            return ids
        told = node.fields.get("$ref")
        names = self._collections
        if told is not None and told.values is not None:
            said = {str(value) for (_, value), _ in told.values}
            names = tuple(name for name in names if name in said)
        return tuple(dict.fromkeys((*ids, *names)))

    def _of_object_ids(self, node: Node) -> tuple[str, ...]:
        if len(self._ids) <= _FEW_SETS or not node.sketch or set(node.kinds) != {"objectId"}:
            return tuple(one.key.collection for one in self._ids)
        known = set(node.sketch)
        return tuple(
            one.key.collection for one in self._ids if _seen(node, one) < _SURE or not known.isdisjoint(one.node.sketch)
        )

    def _held(self, collection: str, path: Path, node: Node, families: int, said: Mapping[str, int]) -> Iterator[Key]:
        """Yield the keys that may hold enough of a field's values for a look at each of them."""
        both = Counter(number for value in node.sketch for number in self._holders.get(value, ()))
        for number, one in enumerate(self._values):
            if not families & one.families:
                continue
            if (one.key.collection, one.key.path) == (collection, path):
                if path == ID:  # so that copies of a document's own `_id` are seen to be copies
                    yield one.key
            elif self._may_hold(path, node, one, both[number], said):
                yield one.key

    @staticmethod
    def _may_hold(path: Path, node: Node, one: _Held, both: int, said: Mapping[str, int]) -> bool:
        key, there = one.key, one.node
        seen = _seen(node, one)
        if key.path != ID and not both and (1 - _SHARED_KEY) ** seen < _DOUBT:
            return False
        named = 1.0 if key.collection in said else resemblance(path, key)
        if not is_meant(node, there, key, path, named):
            return False
        if node.kinds.get("object") and there.kinds.get("object"):
            return set(there.fields) <= set(node.fields)  # a compound key: the same names
        least = _SHARED_KEY if key.path != ID else 0.0 if named >= CLEAR else _SHARED_ID
        if both or not least:
            return both >= least * seen
        return (1 - least) ** seen >= _DOUBT and (key.path == ID or _look_alike(path, node, key, there))


def _families(node: Node) -> int:
    """Return with which types values can be equal, as bits: a number never is a text."""
    kinds = set(node.kinds)
    return sum(1 << number for number, family in enumerate(_FAMILIES) if kinds & family)


def _seen(node: Node, one: _Held) -> int:
    """Return of how many of a field's values two sketches tell whether the key has them."""
    return bisect_right(node.sketch, min(one.reach, _reach(node)))


def _reach(node: Node) -> int:
    """Return up to which hash a sketch is whole: to the end where it holds every value."""
    return node.sketch[-1] if node.sketch and node.distinct > len(node.sketch) else 2**64 - 1


def _look_alike(path: Path, node: Node, key: Key, there: Node) -> bool:
    """Tell whether values may be the same things, where sketches are too small to say: a few of very many keys."""
    if is_same_name(path[-1], key.path[-1]):
        return True
    if node.texts is not None and there.texts is not None:
        texts = [(one.texts, one.kinds.get("string", 0)) for one in (node, there) if one.texts is not None]
        looks = ("hex24", "uuid", "email")
        return any(all(count and getattr(text, look) >= 0.9 * count for text, count in texts) for look in looks)
    if node.integers is not None and there.integers is not None:
        (low, high), (least, most) = node.integers.range, there.integers.range
        return least <= low and high <= most and math.log10(max(1, least)) >= 4
    return False
