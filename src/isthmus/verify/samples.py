"""Layer samples: some documents of every collection, converted a second time by the oracle and compared value by value.

The oracle shares no code with the core, so a fault of the conversion shows here and nowhere else. Cannot see:
documents that were not drawn; a rule of conversion that both understood wrongly in the same way.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from isthmus.verify.became import check_oracle
from isthmus.verify.hiding import Hiding
from isthmus.verify.left_behind import find_wrongly_carried, find_wrongly_refused
from isthmus.verify.oracle import Oracle
from isthmus.verify.reference.compare import Comparison, Difference, is_held, keeps_no_id
from isthmus.verify.reference.finishing import There
from isthmus.verify.reference.forms import Form
from isthmus.verify.reference.printed import printed
from isthmus.verify.result import ColumnCheck, LayerResult
from isthmus.verify.settled import find_wrongly_settled
from isthmus.verify.source_facts import SourceFacts
from isthmus.verify.subject import Subject

_WORDS = {
    "missing": "{table} lacks the row {id}",
    "extra": "{table} holds the row {id}, which no document gives",
    "different": "{table}.{path} of row {id} differs",
}


def check(
    subject: Subject,
    facts: SourceFacts,
    oracle: Oracle,
    judged: Callable[[str, str], bool] = lambda _table, _path: True,
    there: There | None = None,
) -> LayerResult:
    """Compare the rows of the documents that were drawn with what the oracle expects.

    Args:
        subject: What is verified, or a mirror of it.
        facts: What is known of the source, with the documents that were drawn.
        oracle: Converts them.
        judged: Tells of (table, path) whether what differs counts.
        there: Where documents are in tables that were there before; None: where their ids say.
    """
    result = LayerResult("samples", unit="documents")
    if subject.options.sample is not None:
        result.notes.append("A sample cannot see documents that were not drawn; --sample all draws every one.")
    result.notes.append("It cannot see a rule that both conversions misread alike.")
    comparison = oracle.comparison(subject, there)
    shapes = comparison.reference.shapes.values()
    comparison.finishing.passed_over = frozenset(
        shape.table for shape in shapes if shape.kind == "junction" and not judged(shape.table, "(row)")
    )
    drawn = ((name, raw) for name, found in facts.collections.items() for raw in found.sample)
    total = sum(len(found.sample) for found in facts.collections.values())
    subject.progress.part("documents", total)
    for found in comparison.of_documents(drawn, subject.progress.part_done):
        if judged(found.table, found.path):
            enter(result, found, subject.hiding)
    _without_id(subject, comparison, result, judged)
    find_wrongly_refused(subject, comparison, facts, result)
    if not subject.existing:  # there the row may be somebody else's
        if subject.options.sample is None:
            check_oracle(subject, comparison.totals.became, result)
        find_wrongly_settled(subject, comparison, result)
        for table, row_id, why in find_wrongly_carried(subject, comparison, facts):
            message = f"{table} holds the row {row_id}, though its document {why}."
            result.differs(table, "(row)", message, id=row_id, actual="(row)")
    result.checked = sum(comparison.totals.documents.values())
    for name, found in facts.collections.items():
        drawn = comparison.totals.documents[name]
        left = found.accepted - drawn
        why = f"{left:,} documents were not drawn." if left > 0 else ""
        result.columns.append(ColumnCheck(name, "", compared=drawn, left_out=max(left, 0), why=why))
    for shape in comparison.reference.shapes.values():  # what was not drawn is said of the collections
        for column in filter(partial(judged, shape.table), shape.final):
            compared = comparison.totals.values[shape.table, column]
            result.columns.append(ColumnCheck(shape.table, column, compared=compared))
    return result


def _without_id(
    subject: Subject, comparison: Comparison, result: LayerResult, judged: Callable[[str, str], bool]
) -> None:
    """Compare what is left of tables that keep no id, where all documents were drawn; say so where they were not."""
    for shape in comparison.reference.shapes.values():
        if not keeps_no_id(shape):
            continue
        if subject.options.sample is None:
            found = comparison.whole(shape) if is_held(shape) else comparison.surplus(shape.table)
        elif not is_held(shape):
            continue  # compared by its key, with the documents
        else:
            why = "It keeps neither id nor key, so that only --sample all compares it."
            result.columns.append(ColumnCheck(shape.table, "", left_out=len(comparison.held[shape.table]), why=why))
            continue
        for one in found:
            if judged(one.table, one.path):
                enter(result, one, subject.hiding)


def enter(result: LayerResult, found: Difference, hiding: Hiding) -> None:
    """Enter a difference that the oracle found."""
    row_id = hiding.row(found.table, found.id)
    result.differs(
        found.table,
        found.path,
        _WORDS[found.what].format(table=found.table, id=row_id, path=found.path) + ".",
        id=row_id,
        expected=hiding.shown(found.table, found.path, _text(found, found.expected)),
        actual=hiding.shown(found.table, found.path, _text(found, found.actual)),
    )


def _text(found: Difference, form: Form) -> str | None:
    """Return a canonical form for people: a row as its columns, a value as the server prints it, None for none."""
    if form is None:
        return None
    if isinstance(form, list) and found.path == "(row)":
        return ", ".join(printed(one, None) for one in form)
    return printed(form, found.type)
