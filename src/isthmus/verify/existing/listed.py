"""What differs in tables that were there before, entered in a result row by row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from psycopg import sql

from isthmus.state.kept_values import ROW
from isthmus.verify.existing.accounts import KEPT_ROW
from isthmus.verify.existing.compare import DIFFERING
from isthmus.verify.existing.known import Known
from isthmus.verify.existing.strangers import Strangers
from isthmus.verify.result import MOST_LISTED, LayerResult
from isthmus.work.hidden import HIDDEN


def list_differing(known: Known, result: LayerResult) -> None:
    """Enter every row and column that is not what its document gives, and of many how many more."""
    hiding = known.subject.hiding
    whole = known.rows(
        "SELECT table_name, path, count(*) FROM {d} d WHERE why IS NULL GROUP BY 1, 2 ORDER BY 1, 2", d=DIFFERING
    )
    rows = known.rows(
        "SELECT table_name, path, coalesce(row_id, own), positions, left(given, 300), left(actual, 300)"
        " FROM {d} d WHERE why IS NULL ORDER BY 1, 3, 4, 2 LIMIT {most}",
        d=DIFFERING,
        most=sql.Literal(MOST_LISTED),
    )
    for table, path, row_id, positions, given, actual in rows:
        row = _label(known, table, row_id, positions)
        name = row or hiding.shown(table, ROW, given or actual)
        if path != ROW:
            message = f"{table}.{path} of row {name} is not what its document gives."
        elif given is None:
            message = f"{table} holds the row {name}, which no document of the source gives."
        elif actual is None and given == KEPT_ROW:
            message = f"{table} lacks the row {name}, which was there before the copy and which the copy kept."
        elif actual is None:
            message = f"{table} lacks the row {name}, which a document of the source gives."
        else:
            message = f"{table} holds the row {name} more than once."
        result.differs(
            table,
            path,
            message,
            id=row,
            expected=hiding.shown(table, path, given),
            actual=hiding.shown(table, path, actual),
        )
    listed = Counter((table, path) for table, path, *_ in rows)
    for table, path, count in whole:
        if count > listed[table, path]:
            result.more(table, path, count - listed[table, path])


def name_strangers(strangers: Mapping[str, Strangers], result: LayerResult) -> None:
    """Enter rows with ids that Isthmus made and that no document gives."""
    for name, found in strangers.items():
        for row in found.ours:
            result.differs(
                name,
                ROW,
                f"{name} holds the row {row} with the id of a document, which no document of the source gives.",
                id=row,
                actual="a row",
            )
        if found.earlier:
            result.notes.append(
                f"{found.earlier:,} rows of {name} came with documents of earlier copies that are gone from the"
                " source or not carried now."
            )


def _label(known: Known, table: str, row_id: str | None, positions: list[int]) -> str | None:
    """Return a row's key as a report shows it."""
    if row_id is None:
        return None
    found = known.subject.schema.tables[table]
    root = known.root_of(found)
    keys = found.columns if found.kind == "junction" else map(root.column, known.key(root))
    return HIDDEN if any(column.sensitive for column in keys) else "/".join([row_id, *map(str, positions)])
