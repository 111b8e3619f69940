"""A survey as one page of HTML that opens without network: styles, script and drawing are inside of it. Pure.

Everything from the data is escaped by the template; the page's policy lets only its own script run.
"""

from __future__ import annotations

from dataclasses import dataclass

from isthmus.sources.shown import shown
from isthmus.survey.advice import Advice
from isthmus.survey.model import Survey, Surveyed
from isthmus.survey.report.fields import FieldRow, Part, field_rows
from isthmus.survey.report.graph import draw
from isthmus.survey.report.kinds import index_texts, kind_text
from isthmus.survey.report.oddities import notes, oddities
from isthmus.survey.report.relations import Relation, relations
from isthmus.survey.report.words import range_text
from isthmus.work.amounts import plural, share_text, size_text
from isthmus.work.page import render_page

MOST_FIELDS = 1500
"""More fields of a collection than this are left to the JSON: a browser should still scroll."""

VERDICTS = {
    "relational": "Relational",
    "jsonb": "JSONB",
    "stay": "Stay in MongoDB for now",
    "undecided": "Undecided",
}

LEGEND = (
    ("string", "text"),
    ("int", "number"),
    ("double", "double, decimal"),
    ("bool", "boolean"),
    ("date", "date"),
    ("objectId", "ObjectId"),
    ("object", "document"),
    ("array", "array"),
    ("binData", "binary"),
    ("other", "other"),
    ("null", "null"),
    ("missing", "missing"),
)
"""Kinds of the bars, by the type that names their colour, with their words."""

_COLOURS = {
    "string": "string",
    "symbol": "string",
    "int": "int",
    "long": "int",
    "double": "double",
    "decimal": "double",
    "bool": "bool",
    "date": "date",
    "timestamp": "date",
    "objectId": "objectId",
    "object": "object",
    "array": "array",
    "binData": "binData",
    "null": "null",
    "missing": "missing",
}


@dataclass(frozen=True)
class _Bar:
    """A part of a bar: its colour's name, its share in percent, its words."""

    colour: str
    percent: str
    words: str


@dataclass(frozen=True)
class _FieldLine:
    """A line of the table of fields."""

    row: FieldRow
    bars: tuple[_Bar, ...]
    present: str
    null: str
    missing: str
    goals: tuple[tuple[str, int | None, bool], ...]


@dataclass(frozen=True)
class _Section:
    """What the page says of a collection."""

    number: int
    name: str
    one: Surveyed
    kind: str
    advice: Advice | None
    indexes: list[str]
    oddities: list[str]
    lines: list[_FieldLine]
    fields: int
    sizes: str
    mean: str


def page(survey: Survey) -> str:
    """Return a survey as a page of HTML."""
    numbers = {name: number for number, name in enumerate(survey.collections)}
    sections = [_section(survey, name, numbers) for name in survey.collections]
    profiles = [one.profile for one in survey.collections.values()]
    told = list(relations(survey.references))
    documents = sum(one.documents for one in profiles)
    sampled = any(one.sampled for one in survey.collections.values())
    return render_page(
        "isthmus.survey.report",
        "survey.html",
        styles=("page/drawing.css", "survey.css"),
        scripts=("page/drawing.js",),
        source=shown(survey.source),
        verdict=_verdict(survey, documents, sampled=sampled),
        tone="bad" if survey.broken else "warn" if survey.malformed or sampled else "",
        sections=sections,
        relations=told,
        numbers=numbers,
        notes=notes(survey),
        graph=draw(survey),
        legend=LEGEND,
        error="",
        verdicts=VERDICTS,
        shown=shown,
        facts=[
            ("Bytes of BSON", size_text(sum(one.bytes for one in profiles))),
            ("Fields", f"{sum(section.fields for section in sections):,}"),
            ("References", f"{len(told):,}"),
            ("Values that lead nowhere", _orphans(told)),
        ],
    )


def refusal_page(source: str, error: str, hint: str) -> str:
    """Return the page of a survey that came to nothing.

    Args:
        source: What was to be surveyed, without secrets.
        error: Why, without secrets.
        hint: What to do about that.
    """
    return render_page(
        "isthmus.survey.report",
        "survey.html",
        styles=("page/drawing.css", "survey.css"),
        scripts=("page/drawing.js",),
        source=shown(source),
        verdict=f"Not surveyed: {shown(error)}",
        tone="bad",
        error=shown(error),
        hint=shown(hint),
        facts=[],
    )


def _verdict(survey: Survey, documents: int, *, sampled: bool) -> str:
    """Return the page's heading."""
    read = f"{plural(len(survey.collections), 'collection')}, {plural(documents, 'document')}"
    if survey.broken:
        return f"{read}, and not all of the source could be read"
    if survey.malformed:
        return f"{read}, and {survey.malformed:,} malformed"
    return f"A sample of {plural(len(survey.collections), 'collection')}" if sampled else read


def _orphans(told: list[Relation]) -> str:
    if any(relation.one.sampled for relation in told):
        return "not told"
    return f"{sum(side.orphans for relation in told for side in (relation.one, relation.other) if side):,}"


def _section(survey: Survey, name: str, numbers: dict[str, int]) -> _Section:
    one = survey.collections[name]
    rows = list(field_rows(one.profile))
    goals: dict[tuple[str, ...], Relation] = {
        ref.path: Relation(ref) for ref in survey.references if ref.collection == name
    }
    documents = one.profile.documents
    return _Section(
        number=numbers[name],
        name=shown(name) or "(no name)",
        one=one,
        kind=kind_text(survey, name),
        advice=survey.advice.get(name),
        indexes=index_texts(one),
        oddities=oddities(one),
        lines=[_line(row, goals, numbers) for row in rows[:MOST_FIELDS]],
        fields=len(rows),
        sizes=range_text(*map(size_text, one.profile.sizes)) if documents else "–",
        mean=size_text(one.profile.bytes / documents) if documents else "–",
    )


def _line(row: FieldRow, goals: dict[tuple[str, ...], Relation], numbers: dict[str, int]) -> _FieldLine:
    found = [goals[path] for path in row.paths if path in goals]
    present, null, missing = row.shares
    whole = row.node.parents
    return _FieldLine(
        row=row,
        bars=tuple(_bar(part) for part in row.parts),
        present=share_text(present, whole),
        null=share_text(null, whole) if null else "–",
        missing=share_text(missing, whole) if missing else "–",
        goals=tuple(
            (f"{one.goal}, {one.found} found", numbers.get(one.one.to.collection), one.one.orphans > 0) for one in found
        ),
    )


def _bar(part: Part) -> _Bar:
    percent = 100 * part.count / part.whole if part.whole else 0
    return _Bar(_COLOURS.get(part.kind, "other"), f"{percent:.4g}", f"{part.word} {share_text(part.count, part.whole)}")
