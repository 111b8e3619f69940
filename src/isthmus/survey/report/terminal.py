"""The summary of a survey for a terminal, as blocks that whoever prints them may wrap. Colours say nothing alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rich.table import Table
from rich.text import Text

from isthmus.sources.shown import shown
from isthmus.survey.advice import Advice, Verdict
from isthmus.survey.model import Survey
from isthmus.survey.report.fields import FieldRow, field_rows
from isthmus.survey.report.kinds import index_texts, kind_text
from isthmus.survey.report.oddities import notes, oddities
from isthmus.survey.report.relations import Relation, relations
from isthmus.survey.report.words import range_text
from isthmus.work.amounts import plural, share_text, size_text

MOST_FIELDS = 60
"""More fields of a collection than this are left to the page and the JSON."""
_MOST_REASONS = 4
_GAP = 2

_CARDINALITIES = {"one-to-one": "1:1", "many-to-one": "n:1", "one-to-many": "1:n", "many-to-many": "n:n"}

VERDICTS: dict[Verdict, str] = {
    "relational": "relational",
    "jsonb": "JSONB",
    "stay": "stay in MongoDB",
    "undecided": "–",
}
"""Each verdict in a word or two."""


@dataclass(frozen=True)
class Point:
    """A sentence behind its lead; later lines begin below it."""

    lead: str
    text: str


Block = Text | Table | Point


def summary(survey: Survey) -> Iterator[Block]:
    """Yield the summary, block by block; an empty text is an empty line."""
    yield from _head(survey)
    if survey.collections:
        yield Text()
        yield _overview(survey)
    for name in survey.collections:
        yield Text()
        yield from _collection(survey, name)
    if survey.references:
        yield Text()
        yield Text("References", style="bold")
        told = list(relations(survey.references))
        yield _references(told)
        for relation in told:
            if relation.remarks:
                yield Point(f"  {relation.holder}: ", f"{'; '.join(relation.remarks)}.")
    known = notes(survey)
    if known:
        yield Text()
        yield Text("To be known", style="bold")
        yield from (Point("  • ", note) for note in known)


def _head(survey: Survey) -> Iterator[Block]:
    documents = sum(one.profile.documents for one in survey.collections.values())
    size = sum(one.profile.bytes for one in survey.collections.values())
    what = f"{plural(len(survey.collections), 'collection')}, {plural(documents, 'document')}, {size_text(size)}"
    if not survey.collections:
        yield Point("", f"{survey.source} holds no collection that can be read.")
        return
    part = any(one.sampled for one in survey.collections.values())
    read = "not all could be read" if survey.broken else "a sample was read" if part else "all were read"
    if survey.malformed:
        lost = f"{plural(survey.malformed, 'document is', 'documents are')} malformed and not counted"
        read = f"{read}, and {lost}" if survey.broken or part else lost
    yield Point("", f"{survey.source} ({survey.kind}): {what}; {read}.")


def _overview(survey: Survey) -> Table:
    table = _table()
    table.add_column("Collection", overflow="fold", min_width=10)
    table.add_column("Documents", justify="right", no_wrap=True)
    table.add_column("Size", justify="right", no_wrap=True)
    table.add_column("Fields", justify="right", no_wrap=True)
    table.add_column("Indexes", justify="right", no_wrap=True)
    table.add_column("Advice", no_wrap=True)
    table.add_column("", overflow="fold")
    for name, one in survey.collections.items():
        malformed = f"{one.malformed:,} malformed"
        told = (("broken", one.broken), (malformed, one.malformed), ("sample", one.sampled))
        remark = [word for word, there in told if there]
        kind = kind_text(survey, name)
        table.add_row(
            Text(shown(name)),
            f"{one.profile.documents:,}",
            size_text(one.profile.bytes),
            f"{sum(1 for _ in field_rows(one.profile)):,}",
            f"{len(one.info.indexes):,}",
            VERDICTS[survey.advice[name].verdict] if name in survey.advice else "–",
            Text(", ".join([*remark, *([kind] if kind else [])])),
        )
    return table


def _collection(survey: Survey, name: str) -> Iterator[Block]:
    one = survey.collections[name]
    profile = one.profile
    sizes = f" of {range_text(*map(size_text, profile.sizes))}" if profile.documents else ""
    yield Text.assemble((shown(name), "bold"), f" · {plural(profile.documents, 'document')}{sizes}")
    kind = kind_text(survey, name)
    if kind:
        yield Point("  ", f"{kind[0].upper()}{kind[1:]}.")
    if name in survey.advice:
        yield Point("  advice: ", advice_text(survey.advice[name]))
    indexes = index_texts(one)
    if indexes:
        yield Point("  indexes: ", "; ".join(indexes))
    for oddity in oddities(one):
        yield Point("  ! ", oddity)
    rows = list(field_rows(profile))
    if rows:
        yield _fields(rows[:MOST_FIELDS], _goals(survey, name))
    if len(rows) > MOST_FIELDS:
        yield Point("  ", f"… and {plural(len(rows) - MOST_FIELDS, 'field')} more: --html FILE shows all.")


def advice_text(advice: Advice) -> str:
    """Return the advice with its reasons, those against it last."""
    mine = "relational" if advice.verdict == "relational" else "document"
    reasons = [one.text for one in advice.reasons if one.side in {mine, "neither"}]
    against = [one.text for one in advice.reasons if one.side not in {mine, "neither"}]
    text = VERDICTS[advice.verdict]
    if advice.verdict == "stay":
        text += " for now, or JSONB"
    if reasons:
        text += f": {'; '.join(reasons[:_MOST_REASONS])}"
    return f"{text}. But {'; '.join(against[:_MOST_REASONS])}." if against else f"{text}."


def _goals(survey: Survey, name: str) -> dict[tuple[str, ...], str]:
    found: dict[tuple[str, ...], str] = {}
    for one in survey.references:
        if one.collection == name:
            relation = Relation(one)
            found[one.path] = f"→ {relation.goal}, {relation.found} found"
    return found


def _fields(rows: list[FieldRow], goals: dict[tuple[str, ...], str]) -> Table:
    told = [n for n in range(3) if n == 0 or any(row.shares[n] for row in rows)]  # narrow terminals need the room
    table = _table()
    table.add_column("  Field", overflow="fold", min_width=14)
    for number in told:
        table.add_column(("Present", "Null", "Missing")[number], justify="right", no_wrap=True)
    table.add_column("Types", overflow="fold", min_width=12)
    table.add_column("Values", overflow="fold", min_width=18)
    for row in rows:
        pointing = [goals[path] for path in row.paths if path in goals]
        details = [*pointing, *(f"! {warning}" for warning in row.warnings), *row.details]
        table.add_row(
            Text("  " * (row.depth + 1) + row.name),
            *(share_text(row.shares[n], row.node.parents) if row.shares[n] or n == 0 else "–" for n in told),
            Text(row.types),
            Text(", ".join(details)),
        )
    return table


def _references(found: list[Relation]) -> Table:
    table = _table()
    table.add_column("  From", overflow="fold")
    table.add_column("To", overflow="fold")
    table.add_column("By", overflow="fold", max_width=9)
    table.add_column("Values", justify="right", no_wrap=True)
    table.add_column("Found", justify="right", no_wrap=True)
    table.add_column("Orphans", justify="right", no_wrap=True)
    table.add_column("Kind", no_wrap=True)
    for relation in found:
        table.add_row(
            Text("  " + relation.holder),
            Text(("↔ " if relation.other is not None else "→ ") + relation.goal),
            Text(relation.form),
            f"{relation.one.values:,}",
            relation.found,
            relation.orphans,
            _CARDINALITIES[relation.one.cardinality],
        )
    return table


def _table() -> Table:
    return Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="dim")
