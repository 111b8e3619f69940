"""Compares references that a survey found with the planted ones: precision, recall, and what is said of each.

A relation between a path and one collection's key is one unit: a path that points at three collections has three. What
the planter calls a distractor and what it does not know of is wrong alike, once found.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from isthmus.survey.reference import Reference
from tests.planted.truth import KEYS
from tests.planted.truth import Reference as Planted

Unit = tuple[str, tuple[str, ...], str, tuple[str, ...]]
"""Collection and path of the values, collection and path of what they mean."""


class HasReferences(Protocol):
    """The planted truth, or a part of it."""

    references: list[Planted]


@dataclass
class Score:
    """How references compare with the truth.

    Attributes:
        right: Units that are planted and found.
        missed: Units that are planted only.
        wrong: Units that are found only.
        told: Of references to one collection: what is said wrongly, as sentences.
        judged: Of how many references to one collection that was compared.
    """

    right: set[Unit] = field(default_factory=set[Unit])
    missed: set[Unit] = field(default_factory=set[Unit])
    wrong: set[Unit] = field(default_factory=set[Unit])
    told: list[str] = field(default_factory=list[str])
    judged: int = 0

    @property
    def precision(self) -> float:
        """Share of what is found that is planted."""
        return len(self.right) / max(1, len(self.right) + len(self.wrong))

    @property
    def recall(self) -> float:
        """Share of what is planted that is found."""
        return len(self.right) / max(1, len(self.right) + len(self.missed))


def score(truth: HasReferences, found: Iterable[Reference]) -> Score:
    """Compare references with the truth about the same database."""
    by_place: dict[tuple[str, tuple[str, ...]], list[Planted]] = {}
    for one in truth.references:
        by_place.setdefault((one.collection, _path(one.path)), []).append(one)
    references = {(one.collection, one.path): one for one in found}
    planted = {(*place, one.target, _path(one.target_path)) for place, targets in by_place.items() for one in targets}
    told = {unit for one in references.values() for unit in units(one)}
    result = Score(planted & told, planted - told, told - planted)
    for place, targets in by_place.items():
        reference = references.get(place)
        if reference is not None and len(targets) == 1 and not reference.several:
            result.judged += 1
            result.told += [f"{place}: {sentence}" for sentence in _differences(targets[0], reference)]
    return result


def units(reference: Reference) -> Iterable[Unit]:
    """Yield what one reference claims."""
    for collection in reference.several or {reference.to.collection: 0}:
        path = ("_id",) if reference.several else reference.to.path
        yield reference.collection, reference.path, collection, path


def _path(path: list[str]) -> tuple[str, ...]:
    return tuple("*" if step == KEYS else step for step in path)


def _differences(planted: Planted, reference: Reference) -> Iterable[str]:
    """Yield what is said wrongly; stray compound keys are no values to the survey, so orphans may be fewer."""
    if planted.cardinality.replace("_", "-") != reference.cardinality:
        yield f"cardinality is {planted.cardinality}, not {reference.cardinality}"
    side = planted.other_side and (planted.other_side.collection, tuple(planted.other_side.path))
    if side != reference.other_side:
        yield f"the other side is {side}, not {reference.other_side}"
    hits = planted.values - planted.orphans
    if hits != reference.hits:
        yield f"{hits} values are found, not {reference.hits}"
    orphans = planted.orphans + planted.others
    if not 0.9 * orphans - 3 <= reference.orphans <= orphans:
        yield f"{orphans} values lead nowhere, not {reference.orphans}"
