"""Which references several documents hold, and what is said of them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from isthmus.errors import PolyglotError, Problem, Where
from isthmus.polyglot.ensure.asks import Asking, Call
from isthmus.polyglot.ensure.belonging import Belonging
from isthmus.polyglot.ensure.indexes import needed_indexes
from isthmus.polyglot.ensure.telling import MOST_NAMED, more, shown, told
from isthmus.work.amounts import plural


@dataclass(frozen=True)
class Double:
    """A reference that several documents hold.

    Attributes:
        key: It, as the caller's collection reads it.
        documents: How many hold it.
        first: `_id` of one of them.
        last: `_id` of another.
    """

    key: Any
    documents: int
    first: Any
    last: Any


def doubles(
    belonging: Belonging, most: int, there: Sequence[Mapping[str, Any]], among: Sequence[Any] | None = None
) -> Asking[list[Double]]:
    """Find references that several documents hold, in MongoDB's order. Reads the collection; writes nothing.

    Args:
        belonging: Which field holds it.
        most: How many, and one more where there are more.
        there: The indexes of the collection.
        among: Look at these alone, by an index; None: at all.
    """
    path = belonging.reference
    (unique,) = needed_indexes(belonging, False, there)
    which: Mapping[str, Any] = unique.options["partialFilterExpression"]
    which = which if among is None else {path: {"$in": list(among)}}
    steps: list[dict[str, Any]] = [
        {"$match": which},
        {"$unwind": f"${path}"},  # an array is in the index by each of its values
        {"$match": which},
        {
            "$group": {
                "_id": f"${path}",
                "documents": {"$sum": 1},
                "first": {"$min": "$_id"},
                "last": {"$max": "$_id"},
            }
        },
        {"$match": {"documents": {"$gt": 1}, "$expr": {"$ne": ["$first", "$last"]}}},
        {"$sort": {"_id": 1}},
        {"$limit": most + 1},
    ]
    collation = {name: value for name, value in unique.options.items() if name == "collation"}
    found: list[Mapping[str, Any]] = yield from told(Call("aggregate", (steps,), {"allowDiskUse": True, **collation}))
    return [Double(one["_id"], one["documents"], one["first"], one["last"]) for one in found]


def double_problems(found: Sequence[Double], belonging: Belonging, collection: str) -> tuple[Problem, ...]:
    """Return findings: of each reference which documents hold it; the last of them says that there are more."""
    problems = [
        Problem(
            "ensure-duplicate",
            f"{plural(one.documents, 'document')} hold {shown(one.key)}, among them {one.first!r} and {one.last!r}.",
            Where(collection=collection, path=belonging.reference),
            "Decide which document it is, and take the reference out of the others.",
        )
        for one in found[:MOST_NAMED]
    ]
    return (*problems, *more(len(found), "ensure-duplicate", collection))


def stand_double(found: Sequence[Double], belonging: Belonging, collection: str) -> PolyglotError:
    """Return what to raise where documents that stand double are in the way of an index."""
    return PolyglotError(
        f"Several documents of {collection} hold one {belonging.reference}, so no index can keep it unique.",
        code="ensure-duplicate",
        where=Where(collection=collection, path=belonging.reference),
        hint="Decide which document it is, take the reference out of the others, then call it again."
        ' Or give leave_out="duplicates" until then.',
        problems=double_problems(found, belonging, collection),
    )
