"""What becomes of the `_id`s of a collection. Pure.

ObjectIds, and ids of several types, become UUIDs, which every reference derives again; ids that are all of one plain
type are names that people know, and stay.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from isthmus.survey.model import Surveyed
from isthmus.survey.profile import Node
from isthmus.survey.propose.figures import several, share
from isthmus.survey.propose.proposal import CHECK
from isthmus.survey.propose.spelling import same_digits
from isthmus.survey.propose.types import choose_type, fits, scalar_type

LONGEST_KEY_BYTES = 1000
"""Longest text in an index; a B-tree of PostgreSQL takes 2,704 bytes, of all columns together."""
_KEPT = frozenset({"text", "integer", "bigint", "uuid"})


@dataclass(frozen=True)
class IdChoice:
    """What a collection's ids become.

    Attributes:
        type: Of the key column.
        keep: Whether `_id` itself is the key.
        source: Type of a column that holds the `_id` beside the derived key; None where the key says it.
        notes: Comments.
    """

    type: str = "uuid"
    keep: bool = False
    source: str | None = None
    notes: tuple[str, ...] = ()


def choose_ids(one: Surveyed, referring: Iterable[Node] = ()) -> IdChoice:
    """Choose what becomes of a collection's `_id`s.

    Args:
        one: The collection.
        referring: What stands where references to it are: ids stay only where all of that goes into their column.
    """
    node = one.profile.root.fields.get("_id")
    if node is None or not node.present:
        return IdChoice()
    kinds = set(node.kinds)
    unusable = node.missing + node.kinds.get("array", 0) + node.kinds.get("regex", 0)
    warning: tuple[str, ...] = ()
    if unusable:
        lost = share(unusable, one.profile.documents)
        warning = (f"{CHECK}{lost} documents have no _id that MongoDB would take, and become dead letters",)
    if kinds == {"objectId"} and not node.null:
        return IdChoice(notes=warning)
    chosen = None if node.null or unusable else scalar_type(node)
    if chosen is not None and not all(_refers(chosen.type, other) for other in referring):
        why = "keys are derived, because some references hold values of other types; source_id holds the _id itself"
        return IdChoice(source=choose_type(node).type, notes=(why, *_same_digits(node)))
    if (
        chosen is not None
        and chosen.type in _KEPT
        and len(kinds & {"objectId", "string", "symbol"}) < 2
        and _short(node)
    ):
        return IdChoice(chosen.type, keep=True, notes=("ids that are no ObjectIds stay as they are",))
    source = choose_type(node)
    notes = [*warning, f"ids are {several(node.kinds)}: keys are derived; source_id holds the _id itself"]
    return IdChoice(source=source.type, notes=(*notes, *_same_digits(node)))


def _same_digits(node: Node) -> list[str]:
    """Warn of ids that MongoDB tells apart and that derive one key: the same 24 digits, in whatever form."""
    if node.texts is None or not node.texts.hex24 or not (node.kinds.get("objectId") or same_digits(node)):
        return []
    beside = " beside ObjectIds" if node.kinds.get("objectId") else ""
    note = (
        f"{CHECK}texts of 24 digits{beside}: {node.texts.hex24:,}; ids of the same digits, in upper or lower case, are"
        " one id, and all but the first become dead letters (duplicate-id)"
    )
    return [note]


def _refers(type_: str, node: Node) -> bool:
    """Tell whether references go into a column of kept ids; of DBRefs their `$id` does."""
    inner = node.fields.get("$id")
    if node.documents is not None and node.documents.dbref and inner is not None:
        return set(node.kinds) == {"object"} and fits(type_, inner)
    return fits(type_, node)


def _short(node: Node) -> bool:
    texts = node.texts
    return texts is None or (texts.bytes_max <= LONGEST_KEY_BYTES and not texts.nul and not texts.invalid_utf8)
