"""Which look-ups the rows of some documents will need, so that they can be made in a few queries. Pure.

What is missing here is looked up when it is needed; what is too much is looked up in vain.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import chain

from isthmus.verify.reference.documents import Expected, Row
from isthmus.verify.reference.forms import form_of
from isthmus.verify.reference.rules import Reference
from isthmus.verify.reference.shapes import Shape
from isthmus.verify.reference.values import Type

Place = tuple[str, str]
"""(table, column) of a value that others refer to."""


def look_ahead(
    results: Iterable[Expected],
    shapes: Mapping[str, Shape],
    place_of: Callable[[Reference], Place],
    passed_over: Collection[str],
) -> dict[Place, set[str]]:
    """Return what the references in the rows of some documents hold, by where it is looked for.

    Args:
        results: Of the documents.
        shapes: The tables.
        place_of: Where a reference's value is looked for.
        passed_over: Tables of which nothing is asked.
    """
    found: defaultdict[Place, set[str]] = defaultdict(set)
    for result in results:
        for reference, value in _held(result, shapes, passed_over):
            found[place_of(reference)].add(value)
    return found


def _held(
    result: Expected, shapes: Mapping[str, Shape], passed_over: Collection[str]
) -> Iterator[tuple[Reference, str]]:
    """(reference, one value of it) of a document's rows."""
    for table, rows in result.rows.items():
        if table not in passed_over:
            for name, reference in shapes[table].references.items():
                yield from _values(reference, name, shapes[table].columns[name], rows)
    for place, rows in result.pending.items():
        table, _, name = place.partition(".")
        reference = shapes[table].references.get(name) if table not in passed_over else None
        if reference is not None:
            yield from _values(reference, "value", reference.type, rows)


def _values(reference: Reference, name: str, kind: Type, rows: Iterable[Row]) -> Iterator[tuple[Reference, str]]:
    forms = (form_of(row.get(name), kind) for row in rows)
    texts = chain.from_iterable(form if isinstance(form, list) else [form] for form in forms)
    return ((reference, str(text)) for text in texts if text is not None)
