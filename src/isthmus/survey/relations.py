"""Settle what references say to one another: two sides of one relation, two directions of one, copies. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from isthmus.survey.chance import resemblance
from isthmus.survey.judge import overlap
from isthmus.survey.paths import names_of
from isthmus.survey.reference import Reference

_SAME = 0.5
"""Share of the pairs of both sides that must be the same."""
_NEARLY = 0.8
_RANKS = {"id": 2, "index": 1, "values": 0}


def settle(found: list[Reference], documents: Mapping[str, int]) -> tuple[Reference, ...]:
    """Return references with each relation said once from each side.

    Args:
        found: What single fields refer to.
        documents: Collection → how many it has.
    """
    return tuple(_pair_up(_without_copies(_one_way(_without_parts(found), documents))))


def _without_parts(found: list[Reference]) -> list[Reference]:
    """Leave out values that are a part of a compound key that refers to something as a whole; ids in one do, too."""
    wholes = {(one.collection, one.path) for one in found if "value" in one.forms}
    return [one for one in found if set(one.forms) != {"value"} or (one.collection, one.path[:-1]) not in wholes]


def _one_way(found: list[Reference], documents: Mapping[str, int]) -> list[Reference]:
    """Leave out one of two keys that hold the same values: what is part of the other points at it."""
    known = {(one.collection, one.path, one.to.collection, one.to.path): one for one in found}
    left: list[Reference] = []
    for one in found:
        back = known.get((one.to.collection, one.to.path, one.collection, one.path))
        if back is None or _weight(one, documents) >= _weight(back, documents):
            left.append(one)
    return left


def _weight(one: Reference, documents: Mapping[str, int]) -> tuple[float, float, int, int, str]:
    return (
        round(one.hit_rate, 2),
        resemblance(one.path, one.to),
        _RANKS[one.to.unique_by],
        documents[one.to.collection],
        one.to.collection,
    )


def _without_copies(found: list[Reference]) -> list[Reference]:
    """Leave out what is copied along with a reference: the name of a user beside the user's id.

    Only values that happen to be unique there are taken for copies: where somebody made a key of them, they may be used
    as one.
    """
    return [one for one in found if not any(_is_copy(one, other) for other in found)]


def _is_copy(one: Reference, other: Reference) -> bool:
    if one.to.unique_by != "values" or one.to.collection != other.to.collection or one.collection != other.collection:
        return False
    beside = one.path[:-1] == other.path[:-1] or names_of(one.path)[1:] == names_of(other.path)[1:]
    alike = _NEARLY * max(one.distinct, other.distinct) <= min(one.distinct, other.distinct)
    better = (_RANKS[other.to.unique_by], resemblance(other.path, other.to)) > (0, resemblance(one.path, one.to))
    return beside and alike and one.to.path != other.to.path and better


def _shared(one: Reference, other: Reference) -> float:
    """Estimate the share of all pairs of two sides that are on both.

    A value whose id is another collection's as well makes a pair with each of them; these are on one side only.
    """
    share = overlap(one.pairs, other.pairs)
    both = (one.pairs_distinct + other.pairs_distinct) * share / (1 + share)
    return both / max(1.0, one.pairs_meant + other.pairs_meant - both)


def _pair_up(found: list[Reference]) -> list[Reference]:
    """Name for each of two references that hold the same pairs of documents the other one: they are one relation."""
    shares = [
        (share, number, other)
        for number, one in enumerate(found)
        for other, before in enumerate(found[:number])
        if (one.collection, one.to.collection) == (before.to.collection, before.collection)
        and (share := _shared(one, before)) >= _SAME
    ]
    sides: dict[int, int] = {}
    for _, one, other in sorted(shares, key=lambda found: (-found[0], found[1], found[2])):
        if one not in sides and other not in sides:
            sides[one], sides[other] = other, one
    return [
        replace(one, other_side=(found[sides[number]].collection, found[sides[number]].path))
        if number in sides
        else one
        for number, one in enumerate(found)
    ]
