"""Hold every reference of the project's documents against the tables that the project's models say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from sqlalchemy import MetaData

from isthmus.errors import Problem, Where
from isthmus.polyglot.references.found import Use, references_of
from isthmus.polyglot.references.judging import Judged, judge
from isthmus.polyglot.references.types import spelt


@dataclass(frozen=True)
class CheckedReferences:
    """What a check came to.

    Attributes:
        models: How many classes were looked at.
        uses: Every reference that was found, and what was found out about it.
        problems: What is wrong, each with file and line, in the order of files.
        notes: What is not wrong and should be known, each with its place.
    """

    models: int
    uses: tuple[tuple[Use, Judged], ...]
    problems: tuple[Problem, ...]
    notes: tuple[tuple[Where, str], ...]

    def listed(self) -> list[dict[str, Any]]:
        """Return each reference as JSON values: field, file, line, refers to, type, form (None where it is wrong)."""
        return [
            {
                "field": use.where.path,
                "file": use.where.file,
                "line": use.where.line,
                "refers_to": use.reference.name,
                "type": None if use.base is None else spelt(use.base),
                "form": judged.form.name if judged.form is not None else None,
            }
            for use, judged in self.uses
        ]


def check_references(places: Iterable[ModuleType | type], metadata: MetaData, folder: Path) -> CheckedReferences:
    """Check the references of modules or single classes.

    A reference that knows tables of its own (`PgRef = References(metadata)`) is held against those as well: it is they
    that judge values while the application runs.

    Args:
        places: Modules with document models, or single models.
        metadata: The tables.
        folder: The project's.
    """
    found = references_of(places, folder)
    uses = [(use, _judged(use, metadata)) for use in found.uses]
    problems = [replace(one, where=use.where) for use, judged in uses for one in judged.problems]
    problems += found.unread
    problems.sort(key=lambda one: (one.where.file or "", one.where.line or 0))
    notes = tuple((use.where, note) for use, judged in uses for note in judged.notes)
    return CheckedReferences(len(found.models), tuple(uses), tuple(problems), notes)


def _judged(use: Use, metadata: MetaData) -> Judged:
    reference = use.reference
    if use.base is None:
        problem = Problem(
            "pg-ref-alone",
            f"{reference} stands alone, so that nothing says its type.",
            hint=f"Write Annotated[str, {reference}]: the type of the column, then the reference.",
        )
        return Judged(None, (problem,))
    judged = judge(reference.name, reference.form, use.base, metadata)
    own = reference.metadata
    if own is None and judged.form is not None:
        believed = judge(reference.name, reference.form, use.base, None)
        return replace(judged, form=believed.form, problems=believed.problems)
    if own is None or own is metadata:
        return judged
    beside = reference.judge(use.base)
    more = tuple(_of_its_own(beside.problems, judged.problems))
    return replace(judged, form=None if more else judged.form, problems=(*judged.problems, *more))


def _of_its_own(problems: Iterable[Problem], told: Iterable[Problem]) -> Iterator[Problem]:
    known = {one.message for one in told}
    for one in problems:
        if one.message not in known:
            yield replace(one, message=f"{one.message[:-1]}, in the metadata that this PgRef was given.")
