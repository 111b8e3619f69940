"""Which of a survey's references can be written as such: every value must go through, or the field stays a value. Pure.

A reference's column takes what the ids of its collection take. Where some value would be refused (an array, a DBRef
into another collection, a text where ids are numbers), the reference is only told in a comment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from isthmus.survey.model import Survey
from isthmus.survey.paths import node_at
from isthmus.survey.profile import ANY_KEY, Node, Path
from isthmus.survey.propose.figures import share
from isthmus.survey.propose.ids import LONGEST_KEY_BYTES, IdChoice
from isthmus.survey.propose.proposal import CHECK
from isthmus.survey.propose.shapes import judge_documents
from isthmus.survey.propose.types import choose_type, fits
from isthmus.survey.reference import Doubt, Reference
from isthmus.survey.unique import Counts, known_distinct

_IDS = frozenset(
    {"objectId", "string", "symbol", "int", "long", "double", "decimal", "binData", "object", "date", "bool"}
)
"""Types of values that ids are derived from."""
_MEANT = 0.9
"""Share of a field's values that must be references for it to be one: others are lost to the ledger of orphans."""
_FOUND = 0.5
"""Share of the values that must lead somewhere for a reference to be proposed."""
_DOUBTS: Mapping[Doubt, str] = {"numbers": "they are small numbers", "values": "some are nowhere"}
_CERTAIN = 1_000_000
"""Ids of a collection up to which the survey holds all of them, so that no orphan is overlooked."""


@dataclass(frozen=True)
class Pointing:
    """A reference that can be written.

    Attributes:
        reference: As surveyed.
        targets: Collections it points at; several for a route.
        by: The natural key that it holds; None for the id.
        type: Of the key, for `by`.
        orphans: Values that lead nowhere.
        certain: Whether the survey would have seen every orphan.
    """

    reference: Reference
    targets: tuple[str, ...]
    by: Path | None = None
    type: str | None = None
    orphans: int = 0
    certain: bool = False

    def note(self) -> str:
        """Say what was measured."""
        one = self.reference
        at = " and ".join(self.targets) if self.by is None else f"{self.targets[0]}.{'.'.join(self.by)}"
        if not self.orphans:
            return f"all {one.values:,} values are found in {at}"
        if one.sampled:
            found = share(one.hits, self.orphans + one.hits)
            return f"{CHECK}at least {found} values are found in {at}, of which only a part could be read"
        return f"{CHECK}{share(one.hits, self.orphans + one.hits)} values are found in {at}, {self.orphans:,} nowhere"


@dataclass
class Pointers:
    """All that can be written, and why the rest cannot.

    Attributes:
        good: By collection and path.
        refused: By collection and path: a comment.
        keys: Fields that references name, which must be unique.
    """

    good: dict[tuple[str, Path], Pointing] = field(default_factory=dict[tuple[str, Path], Pointing])
    refused: dict[tuple[str, Path], str] = field(default_factory=dict[tuple[str, Path], str])
    keys: set[tuple[str, Path]] = field(default_factory=set[tuple[str, Path]])

    def below(self, collection: str, path: Path) -> dict[Path, Pointing]:
        """Return the references inside of a value, by their path from there."""
        return {
            at[len(path) :]: one
            for (name, at), one in self.good.items()
            if name == collection and len(at) > len(path) and at[: len(path)] == path
        }


def find_pointers(
    survey: Survey,
    ids: Mapping[str, IdChoice],
    counts: Counts,
    has_key: Callable[[str, Path, str], bool | None] | None = None,
) -> Pointers:
    """Choose the references that can be written.

    Args:
        survey: What was found.
        ids: Of the collections that can be pointed at.
        counts: Of different values.
        has_key: Tells whether a mapping that is there has a column of a type to refer to; None where it says nothing
            of the collection.
    """
    found = Pointers()
    by_id = [one for one in survey.references if one.several or one.to.path == ("_id",)]
    for one in by_id:
        _take(found, survey, ids, one, None)
    for one in survey.references:
        if one.several or one.to.path == ("_id",):
            continue
        key = (one.to.collection, one.to.path)
        fault = "it is a reference itself" if key in found.good else unique_fault(survey, *key, counts)
        if fault is None and has_key is not None and has_key(*key, _key_type(survey, *key)) is False:
            fault = "the mapping has no unique column of it"
        if fault is None:
            _take(found, survey, ids, one, _key_type(survey, *key))
        else:
            found.refused[one.collection, one.path] = (
                f"{CHECK}{share(one.hits, one.values)} values are found in {_shown(key)}, which cannot be referred to:"
                f" {fault}"
            )
    for key in {(one.targets[0], one.by) for one in found.good.values() if one.by is not None}:
        if found.good.pop(key, None) is not None:
            found.refused[key] = f"{CHECK}a key that others refer to, so it is no reference itself"
        found.keys.add(key)
    return found


def _take(found: Pointers, survey: Survey, ids: Mapping[str, IdChoice], one: Reference, key_type: str | None) -> None:
    at = (one.collection, one.path)
    if one.doubt:
        target = one.to.collection if key_type is None else _shown((one.to.collection, one.to.path))
        found.refused[at] = (
            f"{CHECK}{share(one.hits, one.values)} values are found in {target}, perhaps by chance:"
            f" {_DOUBTS[one.doubt]} and no name speaks for it; if they refer to it, write references: {target}"
        )
        return
    targets = tuple(sorted(one.several, key=lambda name: (-one.several[name], name))) or (one.to.collection,)
    if one.hit_rate < _FOUND and not one.sampled:
        found.refused[at] = (
            f"{CHECK}only {share(one.hits, one.values)} values are found in {' and '.join(targets)}: too few for a"
            " reference, whose others would become NULL"
        )
        return
    node = None
    if one.collection in survey.collections:
        node = node_at(survey.collections[one.collection].profile.root, one.path)
    fault = _fault(survey, ids, one, targets, node, key_type)
    if fault is not None or node is None:
        found.refused[at] = (
            f"{CHECK}{share(one.hits, one.values)} values are found in {' and '.join(targets)}, but this cannot be"
            f" written as a reference: {fault}"
        )
        return
    hits = one.hits
    found.good[at] = Pointing(
        one,
        targets,
        None if key_type is None else one.to.path,
        key_type,
        orphans=max(node.filled - hits, 0),
        certain=not survey.moves
        and survey.sample is None
        and all(survey.collections[name].profile.documents <= _CERTAIN for name in targets)
        and not any(survey.collections[name].broken for name in targets),
    )


def _fault(
    survey: Survey,
    ids: Mapping[str, IdChoice],
    one: Reference,
    targets: tuple[str, ...],
    node: Node | None,
    key_type: str | None,
) -> str | None:
    if node is None or ANY_KEY in one.path:
        return "its keys are data"
    if any(name not in ids for name in targets):
        return "its collection is not carried"
    if not set(node.kinds) <= _IDS:
        return f"it also holds {', '.join(sorted(set(node.kinds) - _IDS))}"
    if one.values < _MEANT * node.filled:
        return f"only {share(one.values, node.filled)} values can be ids"
    kept = {ids[name].type if ids[name].keep else "" for name in targets}
    if len(kept) > 1:
        return "the collections have ids of several types"
    dbrefs = node.documents.dbref if node.documents is not None else 0
    if dbrefs and not _databases(node) <= {None, survey.database}:
        return "its DBRefs name another database"
    if node.kinds.get("object"):
        if dbrefs not in {0, node.kinds["object"]}:
            return "some of its documents are DBRefs and some are not"
        if dbrefs and not _named(node) <= set(targets):
            return "its DBRefs name other collections"
    type_ = key_type or next(iter(kept))
    if type_ and not dbrefs and not fits(type_, node):
        return f"its values do not all go into {type_}"
    if type_ and dbrefs:
        inner = node.fields.get("$id")
        if len(node.kinds) > 1 or inner is None or not fits(type_, inner):
            return f"its values do not all go into {type_}"
    return None


def _named(node: Node) -> set[str]:
    """Return the collections that DBRefs name; one that there is none of where they are too many or hidden."""
    named = node.fields.get("$ref")
    if named is None or named.values is None or set(named.kinds) != {"string"}:
        return {""}
    return {str(value) for (_, value), _ in named.values}


def _databases(node: Node) -> set[str | None]:
    """Return the databases that DBRefs name; one that there is none of where they are too many."""
    named = node.fields.get("$db")
    if named is None:
        return {None}
    if named.values is None:
        return {""}
    return {str(value) for (_, value), _ in named.values}


def _shown(key: tuple[str, Path]) -> str:
    return f"{key[0]}.{'.'.join(key[1])}"


def _key_type(survey: Survey, collection: str, path: Path) -> str:
    node = node_at(survey.collections[collection].profile.root, path)
    return choose_type(node).type if node is not None else "jsonb"


def unique_fault(survey: Survey, collection: str, path: Path, counts: Counts) -> str | None:
    """Say why a column of a field cannot be unique; None where it can, and costs no document."""
    if collection not in survey.collections:
        return "its collection is not carried"
    one = survey.collections[collection]
    root = one.profile.root
    for length in range(1, len(path)):
        outer = node_at(root, path[:length])
        if outer is None or not judge_documents(outer).is_shape:
            return "it is no column of its own"
    node = node_at(root, path)
    if node is None or not node.filled:
        return "it has no values"
    return column_fault(node) or _repeats(node, counts.get((collection, path)), sampled=one.sampled)


def column_fault(node: Node) -> str | None:
    """Say why a column cannot tell values apart as MongoDB does; None where it can."""
    chosen = choose_type(node)
    if not chosen.is_plain:
        return f"it is {chosen.type}"
    if chosen.policies:
        return "some of its values are replaced"
    texts = node.texts
    if texts is not None and (texts.nul or texts.invalid_utf8):
        return "some of its texts are mended"
    if texts is not None and texts.bytes_max > LONGEST_KEY_BYTES:
        return f"its texts have up to {texts.bytes_max:,} bytes, too many for an index"
    if {"decimal", "double"} <= set(node.kinds) or (chosen.type == "text" and len(node.kinds) > 1):
        return "values that MongoDB tells apart would be the same"
    return None


def _repeats(node: Node, counted: int | None, *, sampled: bool) -> str | None:
    """Say that values stand twice, or that it is not known."""
    if sampled:
        return "only a sample was read"
    distinct = counted if counted is not None else known_distinct(node)
    if distinct is None:
        return f"it was not counted whether all {node.filled:,} values differ"
    repeated = node.filled - distinct
    if repeated <= 0:
        return None
    return f"{repeated:,} of its {node.filled:,} values {'is' if repeated == 1 else 'are'} there a second time"
