"""Layer samples: some documents of every collection, converted a second time by the oracle and compared value by value.

The oracle shares no code with the core, so a fault of the conversion shows here and nowhere else. Cannot see:
documents that were not drawn; a rule of conversion that both understood wrongly in the same way.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from isthmus.verify.hiding import Hiding
from isthmus.verify.left_behind import find_wrongly_carried, find_wrongly_refused
from isthmus.verify.oracle import comparison_of
from isthmus.verify.reference.compare import Comparison, Difference, is_held
from isthmus.verify.reference.forms import Form
from isthmus.verify.result import ColumnCheck, LayerResult
from isthmus.verify.source_facts import SourceFacts
from isthmus.verify.source_reading import Wanted, read_source
from isthmus.verify.subject import Subject
from isthmus.work.progress import Progress

_WORDS = {
    "missing": "{table} lacks the row {id}",
    "extra": "{table} holds the row {id}, which no document gives",
    "different": "{table}.{path} of row {id} differs",
}


def check(
    subject: Subject,
    facts: SourceFacts,
    progress: Progress,
    stop: threading.Event,
    judged: Callable[[str, str], bool] = lambda _table, _path: True,
) -> LayerResult:
    """Compare the rows of the documents that were drawn with what the oracle expects, where `judged` (table, path)."""
    result = LayerResult("samples", unit="documents")
    if subject.options.sample is not None:
        result.notes.append("A sample cannot see documents that were not drawn; --sample all draws every one.")
    comparison = comparison_of(subject)
    documents = [(name, raw) for name, found in facts.collections.items() for raw in found.sample]
    learn(subject, comparison, progress, stop)
    for found in comparison.of_documents(documents):
        if judged(found.table, found.path):
            enter(result, found, subject.hiding)
    _without_id(subject, comparison, result, judged)
    find_wrongly_refused(comparison, facts, result)
    if not subject.existing:  # there the row may be somebody else's
        for table, row_id, why in find_wrongly_carried(subject, comparison, facts):
            message = f"{table} holds the row {row_id}, though its document {why}."
            result.differs(table, "(row)", message, id=row_id, actual="(row)")
    result.checked = sum(comparison.totals.documents.values())
    for name, found in facts.collections.items():
        drawn = comparison.totals.documents[name]
        left = found.accepted - drawn
        why = f"{left:,} documents were not drawn." if left > 0 else ""
        result.columns.append(ColumnCheck(name, "", compared=drawn, left_out=max(left, 0), why=why))
    return result


def _without_id(
    subject: Subject, comparison: Comparison, result: LayerResult, judged: Callable[[str, str], bool]
) -> None:
    """Compare rows of tables that keep no id: all at once, or those that were drawn, by their key."""
    for shape in comparison.reference.shapes.values():
        if not is_held(shape):
            continue
        if subject.options.sample is None:
            found = comparison.whole(shape)
        elif shape.key:
            found = comparison.drawn(shape)
        else:
            why = "It keeps neither id nor key, so that only --sample all compares it."
            result.columns.append(ColumnCheck(shape.table, "", left_out=len(comparison.held[shape.table]), why=why))
            continue
        for one in found:
            if judged(one.table, one.path):
                enter(result, one, subject.hiding)


def learn(subject: Subject, comparison: Comparison, progress: Progress, stop: threading.Event) -> None:
    """Let the oracle go through the documents that the final form of others depends on, where it must."""
    if comparison.learned:
        return
    tables = comparison.finishing.to_learn
    flows = [flow for table in subject.schema.tables.values() if table.name in tables for flow in table.flows]
    names = {flow.collection for flow in flows}
    read = read_source(subject, Wanted(sample=None), progress, stop, names)
    comparison.learn((name, raw) for name, found in read.collections.items() for raw in found.sample)


def enter(result: LayerResult, found: Difference, hiding: Hiding) -> None:
    """Enter a difference that the oracle found."""
    row_id = hiding.row(found.table, found.id)
    result.differs(
        found.table,
        found.path,
        _WORDS[found.what].format(table=found.table, id=row_id, path=found.path) + ".",
        id=row_id,
        expected=hiding.shown(found.table, found.path, _text(found.expected, found.path)),
        actual=hiding.shown(found.table, found.path, _text(found.actual, found.path)),
    )


def _text(form: Form, path: str) -> str | None:
    """Return a canonical form for people: a row as its columns, an array in braces."""
    if not isinstance(form, list):
        return form
    parts = ["NULL" if one is None else one for one in form]
    return ", ".join(parts) if path == "(row)" else f"{{{','.join(parts)}}}"
