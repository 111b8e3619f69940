"""`isthmus survey`: look at everything a source holds, and say it to people, programs and a browser. Writes nothing."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from isthmus.cli.options import (
    DEFAULT_WORKERS,
    DatabaseOption,
    HtmlOption,
    IgnoreOplogOption,
    JsonOption,
    ReadWorkersOption,
    RetrySecondsOption,
)

if TYPE_CHECKING:
    from rich.console import Console

    from isthmus.errors import IsthmusError
    from isthmus.survey.model import Survey


def survey(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            envvar="MONGODB_URI",
            help="Where to read: mongodb://HOST/DATABASE, a mongodump folder or archive, or JSON of mongoexport."
            " MONGODB_URI_FILE may name a file that holds the address.",
            show_default=False,
        ),
    ],
    db: DatabaseOption = None,
    ignore_oplog: IgnoreOplogOption = False,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="COLLECTION", help="Look at this collection only (may be repeated)."),
    ] = None,
    sample: Annotated[
        int | None,
        typer.Option(
            "--sample",
            min=1,
            metavar="N",
            help="Read about N documents of each collection, not all; the report says what that cannot see.",
        ),
    ] = None,
    workers: ReadWorkersOption = DEFAULT_WORKERS,
    retry_seconds: RetrySecondsOption = 60.0,
    html: HtmlOption = None,
    json_file: JsonOption = None,
) -> int:
    """Look at every document of SOURCE: what its fields hold, what refers to what, and what could become of it.

    Nothing is written to SOURCE. Values of fields whose names say that they are secret are in no output. The JSON is
    what isthmus map --survey reads.

    The files of --json and --html are replaced also when the survey is refused or stopped; then they say why.

    Exit codes: 0 all documents were read, 1 some are malformed and not counted, 2 usage, 3 source (also when it could
    not be read to its end: what could be read is told), 130 stopped by Ctrl-C, SIGTERM or SIGHUP.
    """

    from isthmus.cli.bars import ProgressView
    from isthmus.cli.findings import failed_json, writing_refusals
    from isthmus.cli.interrupt import saying_when_stopped, stop_on_signals
    from isthmus.cli.opening import open_waiting
    from isthmus.cli.output import err, result_console, show_hint, write_json
    from isthmus.cli.result_files import is_written, write_result
    from isthmus.sources.reading import Options
    from isthmus.survey.model import FORMAT
    from isthmus.survey.report.ending import exit_code, remedy
    from isthmus.survey.run import survey_source
    from isthmus.survey.unique import count_unique
    from isthmus.work.interrupted import Interrupted
    from isthmus.work.progress import Progress

    with (
        saying_when_stopped(err, "Stopped before the end: there is no survey, and nothing is known to be complete."),
        writing_refusals(
            json_file,
            lambda fault: {"format": FORMAT, **failed_json(fault)},
            lambda fault: _write_refusal(html, source, fault),
        ),
    ):
        progress = Progress()
        view = ProgressView(progress)
        opening = open_waiting(
            source,
            database=db,
            ignore_oplog=ignore_oplog,
            seconds=retry_seconds,
            progress=progress,
            past_metadata=True,
        )
        options = Options(workers=workers, sample=sample, retry_seconds=retry_seconds)
        with closing(opening) as opened, stop_on_signals(err, "stopping") as stop, view:
            found = survey_source(opened, options, progress, stop, only or None)
            found = count_unique(found, opened, options, progress, stop)
            if stop.is_set():  # it came when all was read
                raise Interrupted
        code = exit_code(found)
        if html is not None:
            from isthmus.survey.report.html import page

            write_result(html, page(found))
        show_survey(result_console(json_file), found)
        outcome = "incomplete" if code else "complete"
        write_json({"outcome": outcome, "exit_code": code, **found.as_json()}, json_file)
    if html is not None and is_written(html):
        err.print(f"The page is in {html}.", markup=False, soft_wrap=True)
    if found.collections and not found.broken:
        _show_next(source, db, json_file)
    if code:
        show_hint(err, f"Exit code {code}: {remedy(found)}", indent=0)
    return code


def _write_refusal(html: Path | None, source: str, fault: IsthmusError) -> None:
    """Write the page of a survey that came to nothing, if one is wanted."""
    if html is None:
        return
    from isthmus.cli.result_files import write_result
    from isthmus.connect.secrets import hide
    from isthmus.survey.report.html import refusal_page

    write_result(html, refusal_page(hide(source), hide(str(fault)), hide(fault.hint or "")))


def show_survey(console: Console, found: Survey) -> None:
    """Print the summary of a survey."""
    from rich.table import Table
    from rich.text import Text

    from isthmus.cli.output import show_paragraph, show_table
    from isthmus.survey.report.terminal import Point, summary

    for block in summary(found):
        if isinstance(block, Table):
            show_table(console, block)
        elif isinstance(block, Point):
            show_paragraph(console, Text(block.lead), block.text)
        else:
            console.print(block)


def _show_next(source: str, db: str | None, json_file: str | None) -> None:
    """Say on standard error what to do next."""
    from shlex import quote

    from isthmus.cli.output import err, show_hint
    from isthmus.cli.result_files import is_written
    from isthmus.connect.secrets import hide

    database = f" --db {quote(db)}" if db is not None else ""
    survey_file = ""
    if json_file is not None and json_file != "-" and is_written(Path(json_file)):
        survey_file = f" --survey {quote(json_file)}"
    command = f"isthmus map {quote(hide(source))}{database}{survey_file} -o mapping.yaml"
    show_hint(err, f"{command} proposes a mapping from it.", indent=0)
