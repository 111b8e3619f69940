"""`isthmus refs map`: which documents and rows refer to which table."""

from __future__ import annotations

from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from isthmus.cli.options import (
    DatabaseOption,
    HtmlOption,
    IgnoreOplogOption,
    JsonOption,
    MappingArgument,
    RetrySecondsOption,
)

if TYPE_CHECKING:
    from rich.console import Console

    from isthmus.errors import IsthmusError
    from isthmus.mapping import Mapping
    from isthmus.polyglot.reference_map import FromDocuments, ReferenceMap
    from isthmus.sources import Source
    from isthmus.work.progress import Progress

# Not from the environment: to read a whole database takes long, so it is asked for.
OptionalSource = Annotated[
    str | None,
    typer.Option(
        "--source",
        "-s",
        metavar="SOURCE",
        help="Count the values at each path: mongodb://HOST/DATABASE, a mongodump folder or archive, or JSON of"
        " mongoexport. MONGODB_URI is not looked at.",
    ),
]
OptionalTarget = Annotated[
    str | None,
    typer.Option(
        "--target",
        "-t",
        metavar="TARGET",
        help="Look at the tables: rows, foreign keys, what was carried, which values are ids of rows: postgresql://… or"
        " embedded:DIR. DATABASE_URL is not looked at.",
    ),
]


def map_(
    mapping: MappingArgument,
    source: OptionalSource = None,
    target: OptionalTarget = None,
    db: DatabaseOption = None,
    ignore_oplog: IgnoreOplogOption = False,
    retry_seconds: RetrySecondsOption = 60.0,
    html: HtmlOption = None,
    json_file: JsonOption = None,
) -> int:
    """Show which paths of MongoDB documents and which columns of rows refer to which table: what a rollback must mind.

    What MAPPING says is enough. With SOURCE the values at each path are counted, by how they are written: ObjectId, its
    24 digits as text, id of a row, other. Without TARGET what looks like the id of a row counts as one; with it, what
    is one. With TARGET foreign keys that the mapping does not name are shown too. Writes nothing; with both there are
    temporary tables in TARGET as long as it runs.

    The JSON: documents (collection, path, kept_in, leads_to, by, rule, documents, values, written,
    rewritten_by_isthmus), rows (table, column, leads_to, how, on_delete, foreign_key, has_foreign_key), tables (table,
    collections, rows, carried_by_run, there), collections, notes.

    Exit codes: 0 the map is shown, 2 usage or mapping, 3 source, 4 target, 130 stopped.
    """
    from isthmus import __version__
    from isthmus.cli.findings import failed_json, writing_refusals
    from isthmus.cli.interrupt import say_nothing_was_committed
    from isthmus.cli.opening import open_waiting
    from isthmus.cli.output import err, result_console, write_json
    from isthmus.cli.result_files import is_written, write_result
    from isthmus.mapping import load_mapping
    from isthmus.polyglot.reference_map import reference_map
    from isthmus.polyglot.reference_page import page
    from isthmus.work.progress import Progress

    with writing_refusals(json_file, failed_json, lambda fault: _write_refusal(html, fault)):
        say_nothing_was_committed()
        checked = load_mapping(mapping)
        told = reference_map(checked)
        progress = Progress()
        with ExitStack() as stack:
            opened = None
            if source is not None:
                opening = open_waiting(
                    source, database=db, ignore_oplog=ignore_oplog, seconds=retry_seconds, progress=progress
                )
                opened = stack.enter_context(closing(opening))
            _fill(told, checked, opened, target, retry_seconds, progress)
        if html is not None:
            write_result(html, page(told, version=__version__))
        show_map(result_console(json_file), told)
        write_json(told.as_json(), json_file)
    if html is not None and is_written(html):
        err.print(f"The page is in {html}.", markup=False, soft_wrap=True)
    return 0


def _fill(
    told: ReferenceMap,
    mapping: Mapping,
    source: Source | None,
    target: str | None,
    retry_seconds: float,
    progress: Progress,
) -> None:
    """Ask the databases that are given."""
    from isthmus.cli.bars import ProgressView
    from isthmus.cli.interrupt import stop_on_signals, tidied_before_leaving
    from isthmus.cli.output import err
    from isthmus.cli.target import telling_trouble
    from isthmus.connect.pooled import refuse_pooled
    from isthmus.connect.postgres import connect
    from isthmus.connect.target import open_target
    from isthmus.polyglot.reference_counts import fill_documents
    from isthmus.polyglot.reference_there import fill_rows
    from isthmus.sources.reading import Options

    connection = None
    with ExitStack() as stack:
        if target is not None:
            address = stack.enter_context(open_target(target))
            stack.enter_context(tidied_before_leaving(address.close))
            stack.enter_context(telling_trouble(address.conninfo, ["isthmus", told.schema], values=False))
            connection = stack.enter_context(connect(address.conninfo, autocommit=True))
            if source is not None:  # then there are temporary tables
                refuse_pooled(connection, address.conninfo)
            fill_rows(told, connection, address.display)
        if source is not None:
            with stop_on_signals(err, "stopping") as stop, ProgressView(progress):
                options = Options(workers=1, retry_seconds=retry_seconds)
                fill_documents(told, mapping, source, connection, options, progress, stop)


def _write_refusal(html: Path | None, fault: IsthmusError) -> None:
    """Write the page of a map that came to nothing, if one is wanted."""
    if html is None:
        return
    from isthmus import __version__
    from isthmus.cli.result_files import write_result
    from isthmus.connect.secrets import hide
    from isthmus.polyglot.reference_page import refusal_page

    write_result(html, refusal_page(hide(str(fault)), hide(fault.hint or ""), version=__version__))


def show_map(console: Console, told: ReferenceMap) -> None:
    """Print a map."""
    from rich.text import Text

    from isthmus.cli.output import show_paragraph, show_rows, some
    from isthmus.polyglot.reference_map import WRITTEN
    from isthmus.polyglot.reference_page import HOW, WORDS, deleting, heading

    counted = told.source is not None
    amounts = ("values", *(WORDS[form] for form in WRITTEN)) if counted else ()
    by_isthmus = ("by refs rewrite",) if any(one.by_rewrite for one in told.documents) else ()
    console.print(Text("Documents that refer to rows", style="bold"))
    for goal in dict.fromkeys(one.leads_to for one in told.documents):
        lines = [
            (*_line(one, counted=counted), *(some(one.by_rewrite or 0) for _ in by_isthmus))
            for one in told.documents
            if one.leads_to == goal
        ]
        console.print(f"→ {', '.join(goal)}", markup=False)
        columns = ("path", *(amounts or ("carried into",)), *by_isthmus)
        show_rows(console, columns, lines, numbers=(*amounts, *by_isthmus))
        console.print()
    if not told.documents:
        console.print("  The mapping names no reference.\n")
    console.print(Text("Rows that refer to rows", style="bold"))
    for goal in dict.fromkeys(one.leads_to for one in told.rows):
        rows = [(f"{one.table}.{one.column}", HOW[one.how], deleting(one)) for one in told.rows if one.leads_to == goal]
        console.print(f"→ {goal}", markup=False)
        show_rows(console, ("column", "held in", "kept by"), rows)
        console.print()
    if not told.rows:
        console.print("  No column refers to another table.\n")
    if told.target is not None:
        console.print(Text("Tables", style="bold"))
        tables = [
            (
                table.name,
                ", ".join(table.collections) or "–",
                "not there" if table.rows is None else f"{table.rows:,}",
                "–" if not table.collections else f"by run {table.run}" if table.run else "not yet",
            )
            for table in told.tables.values()
        ]
        show_rows(console, ("table", "filled by", "rows", "carried"), tables, numbers=("rows",))
        console.print()
    for note in told.notes:
        show_paragraph(console, "note: ", note)
    console.print(f"{heading(told)}.", markup=False)


def _line(one: FromDocuments, *, counted: bool) -> tuple[str, ...]:
    from isthmus.cli.output import some
    from isthmus.polyglot.reference_map import WRITTEN

    path = f"{one.site.collection}.{one.site.shown}"
    if not counted:
        return (path, one.site.column)
    return (path, f"{one.written.total():,}", *(some(one.written[form]) for form in WRITTEN))
