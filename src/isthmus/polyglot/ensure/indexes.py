"""The indexes that `ensure` needs, and whether a collection has them. Pure.

One is unique, on the reference, and leaves unclaimed documents out: two documents cannot hold one key. Where documents
stand double already, one with gaps (`gaps`) may serve in its place, and a plain one finds what it leaves out. The other
is on the e-mail, with the collation in which it is looked for: without it each sign-in of somebody who has no document
would read the whole collection.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any, cast
from uuid import UUID

from pymongo.collation import Collation

from isthmus.errors import Problem, Where
from isthmus.polyglot.ensure.asks import Call
from isthmus.polyglot.ensure.belonging import Belonging
from isthmus.polyglot.ensure.filters import SIMPLE, collation_of
from isthmus.polyglot.ensure.gaps import Gapped, filter_with_gaps, gaps_of, name_with_gaps

_LEAST: dict[type, tuple[str, Any]] = {str: ("$gt", ""), UUID: ("$gte", b""), int: ("$gte", -inf)}
"""Below every key of a type; MongoDB compares values of one kind only."""
_TYPES: dict[type, frozenset[Any]] = {
    str: frozenset({"string", 2}),
    UUID: frozenset({"binData", 5}),
    int: frozenset({"number"}),
}
_EXACT = {"locale": "simple"}
_OF_COLLATION = {
    "caseLevel": False,
    "alternate": "non-ignorable",
    "normalization": False,
    "backwards": False,
    "numericOrdering": False,
}
"""What else a collation says, as it is unless it is said."""


LOOK_AT_BUILDS = Call("aggregate", ([{"$collStats": {"storageStats": {}}}],), of_server=True)
"""What `built_indexes` is told; asked behind the list of indexes."""


@dataclass(frozen=True)
class Index:
    """An index that is needed.

    Attributes:
        path: The field.
        name: What it is called when it is made here.
        words: What it is for people.
        options: What it is made with.
    """

    path: str
    name: str
    words: str
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])


def needed_indexes(belonging: Belonging, by_email: bool = True, there: Sequence[Mapping[str, Any]] = ()) -> list[Index]:
    """Return the indexes that are needed: the unique one, and perhaps the one on the e-mail.

    Args:
        belonging: Which document belongs to a row.
        by_email: Whether documents are claimed as well.
        there: The indexes of the collection, as the server lists them.
    """
    sign, least = _LEAST[belonging.form.type]
    unique: dict[str, Any] = {"unique": True, "partialFilterExpression": {belonging.reference: {sign: least}}}
    if _own_collation(there) is not None:
        unique["collation"] = SIMPLE  # else it would take over that of the collection
    words = f"a unique index on {belonging.reference} that leaves unclaimed documents out"
    found = [Index(belonging.reference, _named(belonging.reference), words, unique)]
    if by_email and belonging.email is not None:
        collation = collation_of(belonging)
        how = "" if collation is None else " whose collation is of the locale en and the strength 2"
        options = {} if collation is None else {"collation": collation}
        found.append(Index(belonging.email, _named(belonging.email), f"an index on {belonging.email}{how}", options))
    return found


def gapped_index(belonging: Belonging, keys: Sequence[Any], there: Sequence[Mapping[str, Any]]) -> Index:
    """Return the unique index that leaves keys out.

    Args:
        belonging: Which document belongs to a row.
        keys: As `gaps.plain` gives them, in MongoDB's order.
        there: The indexes of the collection.
    """
    (unique,) = needed_indexes(belonging, False, there)
    filtered = filter_with_gaps(belonging.reference, _LEAST[belonging.form.type], keys)
    name = name_with_gaps(_but(belonging), keys)
    return Index(unique.path, name, unique.words, {**unique.options, "partialFilterExpression": filtered})


def plain_index(belonging: Belonging) -> Index:
    """Return the index that finds keys which the unique one does not."""
    path = belonging.reference
    return Index(path, f"{_named(path)}_plain", f"an index on {path}")


def gapped_indexes(belonging: Belonging, there: Sequence[Mapping[str, Any]]) -> list[Gapped]:
    """Return the unique indexes that leave keys out, of those that are there; the fewest keys first."""
    kind, found = belonging.form.type, list[Gapped]()
    for one in there:
        keys = gaps_of(belonging.reference, _LEAST[kind], kind, one.get("partialFilterExpression"))
        if keys is not None and _is_unique(belonging.reference, one):
            found.append(Gapped(str(one.get("name")), keys))
    return sorted(found, key=lambda one: (len(one.keys), one.name))


def leaves_out(belonging: Belonging, there: Sequence[Mapping[str, Any]], key: object) -> bool:
    """Tell whether no unique index keeps a key to one document, of indexes of which one is unique.

    Args:
        belonging: Which document belongs to a row.
        there: The indexes of the collection that are built.
        key: As `gaps.plain` gives it.
    """
    return not _is_whole(belonging, there) and all(one.leaves_out(key) for one in gapped_indexes(belonging, there))


def lacks_plain(belonging: Belonging, there: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether no index finds every key.

    The whole unique index does, unless the collection has a collation of its own, by which documents are looked for.
    """
    own = _own_collation(there)
    if own is None and _is_whole(belonging, there):
        return False
    return not any(_finds(belonging.reference, one, None, own) for one in there)


def superfluous(belonging: Belonging, there: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return indexes that were made here and do nothing any more, by name.

    One with gaps does not where another keeps each of its keys; none of them does, nor the plain one beside them, where
    the whole unique index is there.
    """
    gapped = [one for one in gapped_indexes(belonging, there) if one.name.startswith(_but(belonging))]
    if not _is_whole(belonging, there):
        return [one.name for one in gapped[1:] if all(one.leaves_out(key) for key in gapped[0].keys)]
    plain = plain_index(belonging).name
    idle = [one.get("name") for one in there if one.get("name") == plain and _own_collation(there) is None]
    return [*(one.name for one in gapped), *map(str, idle)]


def built_indexes(there: Sequence[Mapping[str, Any]], told: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the indexes that are built to their end; one in build keeps nobody from a second document.

    Args:
        there: The indexes as the server lists them, those in build among them.
        told: What `$collStats` told after that, with `storageStats`; a document for each shard.
    """
    built: set[str] | None = None
    for one in told:
        of: Mapping[str, Any] = one.get("storageStats", {})
        names = set(of.get("indexSizes", {})) - set(of.get("indexBuilds", ()))
        built = names if built is None else built & names
    return [one for one in there if one.get("name") in (built or ())]


def missing_indexes(belonging: Belonging, by_email: bool, there: Sequence[Mapping[str, Any]]) -> list[Index]:
    """Return the indexes that are needed and not there.

    Args:
        belonging: Which document belongs to a row.
        by_email: Whether documents are claimed as well.
        there: The indexes of the collection, as the server lists them.
    """
    own = _own_collation(there)
    needed = needed_indexes(belonging, by_email, there)
    return [one for one in needed if not any(_serves(belonging, one, it, own) for it in there)]


def judge_indexes(
    belonging: Belonging, by_email: bool, there: Sequence[Mapping[str, Any]], collection: str
) -> tuple[Problem, ...]:
    """Return what is missing, as findings; a unique index with gaps is none. Arguments as of `missing_indexes`."""
    gapped = gapped_indexes(belonging, there)
    return tuple(
        Problem(
            "ensure-no-index",
            f"There is no index that keeps documents of {collection} one to a row: it takes {one.words}."
            if "unique" in one.options
            else f"There is no index that finds an e-mail in {collection}: it takes {one.words}.",
            Where(collection=collection, path=one.path),
            "Call ensure_indexes once, before the application starts.",
        )
        for one in missing_indexes(belonging, by_email, there)
        if not ("unique" in one.options and gapped)
    )


def _named(path: str) -> str:
    return f"isthmus_ensure_{path}"


def _but(belonging: Belonging) -> str:
    return f"{_named(belonging.reference)}_but_"


def _own_collation(there: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Return the collation that a collection has of its own, which is that of the index on `_id`; None: it has none."""
    found = [one.get("collation") for one in there if one.get("name") == "_id_"]
    return found[0] if found and found[0] != _EXACT else None


def _is_whole(belonging: Belonging, there: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether a unique index leaves no key out."""
    return not any("unique" in one.options for one in missing_indexes(belonging, False, there))


def _serves(belonging: Belonging, needed: Index, there: Mapping[str, Any], own: Mapping[str, Any] | None) -> bool:
    if "unique" in needed.options:
        return _is_unique(needed.path, there) and _covers(belonging, there.get("partialFilterExpression"))
    return _finds(needed.path, there, needed.options.get("collation"), own)


def _is_unique(path: str, there: Mapping[str, Any]) -> bool:
    alone = len(there.get("key", {})) == 1 and _begins_with(path, there)
    return alone and bool(there.get("unique")) and there.get("collation", _EXACT) == _EXACT


def _finds(path: str, there: Mapping[str, Any], collation: Collation | None, own: Mapping[str, Any] | None) -> bool:
    """Tell whether an index finds each value of a field, in a collation; None: in the collection's own."""
    if there.get("hidden") or "partialFilterExpression" in there or not _begins_with(path, there):
        return False
    listed: Mapping[str, Any] = there.get("collation", _EXACT)
    return listed == (own or _EXACT) if collation is None else _same_collation(collation, listed)


def _begins_with(path: str, there: Mapping[str, Any]) -> bool:
    keys: Mapping[str, Any] = there.get("key", {})
    return bool(keys) and next(iter(keys)) == path and keys[path] in (1, -1)


def _covers(belonging: Belonging, filtered: Mapping[str, Any] | None) -> bool:
    """Tell whether a filter of an index leaves no key out."""
    if filtered is None:
        return True
    if set(filtered) != {belonging.reference}:
        return False
    condition = filtered[belonging.reference]
    if not isinstance(condition, Mapping) or len(cast("Mapping[str, Any]", condition)) != 1:
        return False
    ((sign, value),) = cast("Mapping[str, Any]", condition).items()
    kind = belonging.form.type
    if sign == "$type":
        said = cast("list[Any]", value) if isinstance(value, list) else [value]
        return any(one in list(_TYPES[kind]) for one in said)
    return (sign, value) in [("$exists", True), _LEAST[kind], ("$gte", _LEAST[kind][1])]


def _same_collation(wanted: Collation, there: Mapping[str, Any]) -> bool:
    document = wanted.document
    if any(there.get(name) != document[name] for name in document):
        return False
    return all(there.get(name, usual) == usual for name, usual in _OF_COLLATION.items())
