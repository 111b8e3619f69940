"""A map of references as one page of HTML that opens without network: a drawing, and tables that say the same. Pure."""

from __future__ import annotations

import math

from isthmus.polyglot.reference_map import WRITTEN, FromDocuments, FromRows, MapTable, ReferenceMap, Written
from isthmus.sources.shown import shown
from isthmus.work.amounts import plural
from isthmus.work.page import render_page
from isthmus.work.page.drawing import MOST_CELLS, MOST_NAME, Box, Drawing, Tie, lay_out

WORDS: dict[Written, str] = {
    "object_id": "ObjectId",
    "hex": "24 digits",
    "rewritten": "id of a row",
    "other": "other",
}
"""How values are written, for people."""

HOW = {
    "column": "column",
    "array": "elements of an array",
    "jsonb": "inside jsonb",
    "junction": "pairs",
    "part": "rows of its own",
    "key": "not in the mapping",
}
"""What holds a reference of rows, for people."""


def page(told: ReferenceMap, *, version: str) -> str:
    """Return a map as a page of HTML."""
    drawing, numbers = draw(told)
    counted = told.source is not None
    return render_page(
        "isthmus.polyglot",
        "reference_page.html",
        styles=("page/drawing.css", "reference_page.css"),
        scripts=("page/drawing.js",),
        verdict=heading(told),
        tone="",
        error="",
        facts=[
            *([("Source", shown(told.source))] if told.source is not None else []),
            *([("Target", shown(told.target))] if told.target is not None else []),
            ("Schema", shown(told.schema)),
            *([("Values in documents", f"{sum(one.written.total() for one in told.documents):,}")] if counted else []),
        ],
        notes=[shown(note) for note in told.notes],
        graph=drawing,
        numbers=numbers,
        told=told,
        counted=counted,
        asked=told.target is not None,
        written=[WORDS[form] for form in WRITTEN],
        forms=WRITTEN,
        how=HOW,
        shown=shown,
        deleting=deleting,
        version=version,
    )


def refusal_page(error: str, hint: str, *, version: str) -> str:
    """Return the page of a map that came to nothing.

    Args:
        error: Why, without secrets.
        hint: What to do about that.
        version: Of this Isthmus.
    """
    return render_page(
        "isthmus.polyglot",
        "reference_page.html",
        styles=("page/drawing.css", "reference_page.css"),
        scripts=("page/drawing.js",),
        verdict=f"No map: {shown(error)}",
        tone="bad",
        error=shown(hint) or "Run the same command again.",
        facts=[],
        version=version,
    )


def heading(told: ReferenceMap) -> str:
    """Return what the map tells, in a sentence without its full stop."""
    paths, columns = plural(len(told.documents), "path"), plural(len(told.rows), "column")
    verbs = ("refers" if len(told.documents) == 1 else "refer", "refers" if len(told.rows) == 1 else "refer")
    return f"{paths} of documents {verbs[0]} to rows, and {columns} of rows {verbs[1]} to others"


def deleting(one: FromRows) -> str:
    """Return what keeps a reference of rows, and what becomes of it when the row is deleted."""
    if one.key is not None if one.asked else one.made:
        return f"foreign key, on delete {one.on_delete or 'refused'}"
    return "no foreign key" if one.asked or one.how in {"jsonb", "array"} else "as the table has it"


def draw(told: ReferenceMap) -> tuple[Drawing, dict[str, int]]:
    """Return the drawing of a map, and the number of each table on the page."""
    boxes: dict[str, Box] = {}
    numbers = {name: number for number, name in enumerate(told.tables)}
    most = max([1, *told.counts.values(), *(table.rows or 0 for table in told.tables.values())])
    ties = [tie for one in told.documents for tie in _from_documents(told, one, boxes, numbers, most)]
    ties += [_from_rows(told, one, boxes, numbers, most) for one in told.rows]
    return lay_out(boxes, ties), numbers


def _head(amount: int | None, most: int) -> float:
    return round(34 + 26 * math.log1p(amount or 0) / math.log1p(most))


def _collection(told: ReferenceMap, name: str, boxes: dict[str, Box], most: int) -> Box:
    key = f"documents {name}"
    if key not in boxes:
        count = told.counts.get(name)
        words = "collection" if count is None else plural(count, "document")
        number = len(told.tables) + len(boxes)
        boxes[key] = Box(key, number, _short(name, MOST_NAME), words, _head(count, most), kind="documents")
    return boxes[key]


def _table(told: ReferenceMap, name: str, boxes: dict[str, Box], numbers: dict[str, int], most: int) -> Box:
    key = f"rows {name}"
    if key not in boxes:
        table = told.tables.get(name, MapTable(name))
        words = "table" if table.rows is None else plural(table.rows, "row")
        if table.there is False:
            words = "no such table yet"
        boxes[key] = Box(key, numbers.get(name, 0), _short(name, MOST_NAME), words, _head(table.rows, most))
    return boxes[key]


def _from_documents(
    told: ReferenceMap, one: FromDocuments, boxes: dict[str, Box], numbers: dict[str, int], most: int
) -> list[Tie]:
    # what is compared with another field than the id never changes
    old = one.written.total() - one.written["rewritten"] if one.site.by is None else 0
    holder = _collection(told, one.site.collection, boxes, most)
    row = holder.add_row(_short(one.site.shown, MOST_CELLS), f"{old:,} old" if told.source is not None and old else "")
    ties: list[Tie] = []
    for place in one.leads_to:
        table = place.rpartition(".")[0]
        goal = _table(told, table, boxes, numbers, most)
        values = plural(one.written.total(), "value") if told.source is not None else "not counted"
        title = f"{one.site.collection}.{one.site.shown} → {place}: {values}"
        width = round(1 + 0.35 * math.log10(max(1, one.written.total())), 2)
        ties.append(Tie(holder.name, row, goal.name, None, shown(title), width, bool(told.source and old)))
    return ties


def _from_rows(told: ReferenceMap, one: FromRows, boxes: dict[str, Box], numbers: dict[str, int], most: int) -> Tie:
    holder = _table(told, one.table, boxes, numbers, most)
    row = holder.add_row(_short(one.column, MOST_CELLS), "")
    goal = _table(told, one.leads_to.rpartition(".")[0], boxes, numbers, most)
    title = f"{one.table}.{one.column} → {one.leads_to}: {HOW[one.how]}, {deleting(one)}"
    return Tie(holder.name, row, goal.name, None, shown(title), 1.0, broken=False)


def _short(text: str, most: int) -> str:
    plain = shown(text)
    return plain if len(plain) <= most else plain[: most - 1] + "…"
