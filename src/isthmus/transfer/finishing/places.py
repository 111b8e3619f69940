"""Where a column's values stand in the documents of its collection, for messages of finish."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from psycopg import sql

from isthmus.mapping.model import ChildField, FieldPath, FieldRule, Flow, JunctionField
from isthmus.mapping.reading.fields import show_path
from isthmus.mapping.tables import Column, Table
from isthmus.transfer.job import Job
from isthmus.work.hidden import HIDDEN

SHOWN_CHARACTERS = 80


def document_path(job: Job, table: Table, columns: Sequence[str], flow: Flow) -> str:
    """Return the path of columns inside a document, as the core writes paths: `steps.[].name`, `_id`.

    Args:
        job: The copy.
        table: A root or child table.
        columns: Names of columns of it; several are joined with a comma.
        flow: Which of the table's flows the document came by.
    """
    rule = job.mapping.collections[flow.entry]
    above = () if table.kind == "root" else _child(rule.fields, table.name, ()) or ()
    return ", ".join(_path(above, table.column(name)) for name in columns)


def junction_path(job: Job, flow: Flow, junction: str, own: str) -> str:
    """Return the path of the array (or arrays, with a comma) of a flow's documents that fills a side of a junction."""
    arrays = _arrays(job.mapping.collections[flow.entry].fields, junction, ())
    return ", ".join(show_path(path) for path, stated in arrays if stated in {None, own})


def sensitive(table: Table, columns: Sequence[str]) -> bool:
    """Tell whether one of these columns must not be shown."""
    return any(table.column(name).sensitive for name in columns)


def shown_value(table: Table, columns: Sequence[str]) -> sql.Composable:
    """Return SQL of what a message may show of these columns' values, shortened."""
    if sensitive(table, columns):
        return sql.Literal(HIDDEN)
    texts = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(name)) for name in columns)
    return sql.SQL("left(concat_ws(', ', {}), {})").format(texts, sql.Literal(SHOWN_CHARACTERS))


def _child(fields: Sequence[FieldRule], table: str, above: FieldPath) -> FieldPath | None:
    for field in fields:
        if isinstance(field, ChildField):
            path = (*above, *field.path, "[]")
            found = path if field.table == table else _child(field.fields, table, path)
            if found is not None:
                return found
    return None


def _arrays(fields: Sequence[FieldRule], junction: str, above: FieldPath) -> Iterator[tuple[FieldPath, str | None]]:
    """Yield path and stated own column of every array that feeds a junction, also of those inside child tables."""
    for field in fields:
        if isinstance(field, ChildField):
            yield from _arrays(field.fields, junction, (*above, *field.path, "[]"))
        elif isinstance(field, JunctionField) and field.junction == junction:
            yield (*above, *field.path), field.own


def _path(above: FieldPath, column: Column) -> str:
    if column.path is None:
        return "_id" if column.role in {"id", "root_id"} else column.name
    return show_path((*above, *column.path))
