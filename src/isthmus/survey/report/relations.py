"""References as rows of a table: two fields that say the same from both sides are one relation. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from isthmus.sources.shown import shown
from isthmus.survey.reference import ID, Reference
from isthmus.survey.report.words import example_text, path_text
from isthmus.work.amounts import share_text
from isthmus.work.listed import listed

_FORMS = {"oid": "ObjectId", "hex": "hex text", "dbref": "DBRef", "value": "value"}


@dataclass(frozen=True)
class Relation:
    """What points at what.

    Attributes:
        one: The reference.
        other: The same from the other side, where there is one.
    """

    one: Reference
    other: Reference | None = None

    @property
    def holder(self) -> str:
        """Collection and field that hold it."""
        return f"{shown(self.one.collection)}.{path_text(self.one.path)}"

    @property
    def goal(self) -> str:
        """What it points at: the collection, with the field where that is not `_id`; of several all."""
        if self.one.several:
            parts = sorted(self.one.several.items(), key=lambda one: (-one[1], one[0]))
            return " or ".join(f"{shown(name)} ({share_text(count, self.one.values)})" for name, count in parts)
        name = shown(self.one.to.collection)
        return name if self.one.to.path == ID else f"{name}.{path_text(self.one.to.path)}"

    @property
    def form(self) -> str:
        """How its values point."""
        return ", ".join(_FORMS.get(form, form) for form in self.one.forms)

    @property
    def found(self) -> str:
        """Share of the values that lead somewhere; the least there may be where only a part was read."""
        share = share_text(self.one.hits, self.one.values)
        return f"≥ {share}" if self.one.sampled else share

    @property
    def orphans(self) -> str:
        """Values that lead nowhere; not told where only a part was read."""
        if self.one.sampled:
            return "?"
        return f"{self.one.orphans:,}" if self.one.orphans else "–"

    @property
    def lost(self) -> str:
        """Some of the values that lead nowhere; empty where there are none, or they are not to be shown."""
        if self.one.sampled or not self.one.orphans:
            return ""
        return ", ".join(example_text(one) for one in self.one.examples[:3])

    @property
    def remarks(self) -> list[str]:
        """What else is to be said, in phrases."""
        found: list[str] = []
        if self.other is not None:
            found.append(f"the same relation as {shown(self.other.collection)}.{path_text(self.other.path)}")
        if self.one.doubt:
            found.append("perhaps by chance: no name speaks for it")
        if self.lost:
            found.append(f"not found: {self.lost}")
        if self.one.wrong:
            wrong = sorted(self.one.wrong.items(), key=lambda one: (-one[1], one[0]))
            found.append("also found: " + listed([f"{count:,} in {shown(name)}" for name, count in wrong], 3))
        if self.one.null:
            found.append(f"{self.one.null:,} null")
        if self.one.to.unique_by == "values":
            found.append("a natural key, though without a unique index")
        if self.one.false_positives:
            found.append(f"looked up in a filter: {self.one.false_positives:.2g} of foreign values pass")
        return found


def relations(references: Sequence[Reference]) -> Iterator[Relation]:
    """Yield each relation once; of two sides the one with more values comes as `one`."""
    known = {(one.collection, one.path): one for one in references}
    told: set[tuple[str, tuple[str, ...]]] = set()
    for one in references:
        if (one.collection, one.path) in told:
            continue
        other = known.get(one.other_side) if one.other_side is not None else None
        if other is not None:
            told.add((other.collection, other.path))
            if other.values > one.values:
                one, other = other, one  # noqa: PLW2901  the larger side speaks
        yield Relation(one, other)
