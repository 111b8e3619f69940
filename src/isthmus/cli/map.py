"""`isthmus map`: propose a mapping of a source, or add what is new to one that is there."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Annotated

import typer

from isthmus.cli.options import (
    DEFAULT_WORKERS,
    DatabaseOption,
    IgnoreOplogOption,
    OutputOption,
    ReadWorkersOption,
)

if TYPE_CHECKING:
    from isthmus.mapping import Mapping
    from isthmus.sources import Source
    from isthmus.survey.model import Survey
    from isthmus.survey.propose.unique import Counts
    from isthmus.work.progress import Progress


def map_(
    source: Annotated[
        str | None,
        typer.Argument(
            metavar="SOURCE",
            envvar="MONGODB_URI",
            help="What to map: mongodb://HOST/DATABASE, a mongodump folder or archive, or JSON of mongoexport.",
            show_default=False,
        ),
    ] = None,
    output: OutputOption = None,
    survey_file: Annotated[
        Path | None,
        typer.Option(
            "--survey",
            metavar="FILE",
            help="Take this survey (isthmus survey SOURCE --json FILE), and read no source.",
        ),
    ] = None,
    update: Annotated[
        bool,
        typer.Option("--update", help="Add new collections and fields to the mapping of -o; all that is there stays."),
    ] = False,
    db: DatabaseOption = None,
    ignore_oplog: IgnoreOplogOption = False,
    workers: ReadWorkersOption = DEFAULT_WORKERS,
) -> int:
    """Propose a mapping that carries everything SOURCE holds, with the reasons in comments.

    Reads every document (or a survey that did), and writes a mapping that `isthmus copy` takes as it is. The same
    documents give the same file. A file that is there is never overwritten.

    Exit codes: 0 a mapping is written, 2 usage, 3 the source cannot be read, or not to its end (what could be read is
    mapped then, and comments say where it broke), 130 stopped.
    """
    from isthmus.cli.output import err, plural, show_note, writing
    from isthmus.survey.propose import propose, update_text, write_mapping

    kept = _kept(output, update=update)
    survey, counts = _look(source, survey_file, db, workers, ignore_oplog=ignore_oplog)
    proposal = propose(survey, counts, kept[1] if kept is not None else None)
    added: list[str] | None = None
    if kept is None:
        text = write_mapping(proposal)
    else:
        updated = update_text(kept[0], kept[1], proposal)
        text, added = updated.text, updated.added
        for one in updated.by_hand:
            show_note(err, one)
    mapping = _checked(text, output)
    if kept is None and output is not None and output.exists():
        raise _there(output)
    if kept is None or text != kept[0]:
        with writing(output) as stream:
            stream.write(text)
    shown = str(output) if output is not None else "mapping"
    if added is not None:
        err.print(f"{shown}: {_added_words(added)}", markup=False, soft_wrap=True)
    else:
        checks = sum(line.lstrip().startswith("# check: ") for line in text.splitlines())
        err.print(
            f"{shown}: {plural(len(mapping.collections), 'collection')} mapped, {plural(checks, 'line')} to check"
            " (# check:).",
            markup=False,
            soft_wrap=True,
        )
    for name, one in survey.collections.items():
        for why in one.broken:
            show_note(err, f"{name} could not be read to its end: {why}")
    return 3 if survey.broken else 0


def _kept(output: Path | None, *, update: bool) -> tuple[str, Mapping] | None:
    """Return the mapping to add to, text and meaning; None for a new one.

    Raises:
        ConfigError: There is a file and it is not to be updated, or there is none and it is.
        MappingError: The mapping that is to be updated cannot be used.
    """
    from isthmus.errors import ConfigError
    from isthmus.mapping import load_mapping

    if not update:
        if output is not None and output.exists():
            raise _there(output)
        return None
    if output is None:
        raise ConfigError("--update adds to a file.", code="no-output", hint="Name the mapping: -o mapping.yaml.")
    if not output.exists():
        raise ConfigError(
            f"There is no mapping {output} to update.",
            code="nothing-to-update",
            hint="Leave --update away to make a new one.",
        )
    mapping = load_mapping(output)
    return output.read_bytes().decode("utf-8"), mapping


def _there(output: Path) -> Exception:
    from isthmus.errors import ConfigError

    return ConfigError(
        f"{output} is there already, and a mapping is never overwritten.",
        code="mapping-exists",
        hint="With --update new collections and fields are added to it; or write to another file.",
    )


def _look(
    source: str | None, survey_file: Path | None, db: str | None, workers: int, *, ignore_oplog: bool
) -> tuple[Survey, Counts]:
    """Return the survey, and what was counted beside it."""
    from isthmus.errors import ConfigError
    from isthmus.sources import open_source
    from isthmus.survey.model import read_survey
    from isthmus.work.progress import Progress
    from isthmus.work.retry import persist

    if survey_file is not None:
        try:
            text = survey_file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as fault:
            why = fault.strerror if isinstance(fault, OSError) else "it is no UTF-8"
            raise ConfigError(f"The survey {survey_file} cannot be read: {why}.", code="not-a-survey") from None
        return read_survey(text, file_name=str(survey_file)), {}
    if source is None:
        raise ConfigError(
            "There is nothing to map.", code="no-source", hint="Name a SOURCE, or a survey of it: --survey FILE."
        )
    progress = Progress()
    opening = persist(
        partial(open_source, source, database=db, ignore_oplog=ignore_oplog, patience_seconds=60.0),
        seconds=60.0,
        stop=Event(),
        note=progress.note,
        most_troubles=1,
    )
    with closing(opening) as opened:
        return _read(opened, workers, progress)


def _read(opened: Source, workers: int, progress: Progress) -> tuple[Survey, Counts]:
    from isthmus.cli.bars import ProgressView
    from isthmus.cli.interrupt import stop_on_signals
    from isthmus.cli.output import err
    from isthmus.sources.reading import Options
    from isthmus.survey.propose.unique import count_values, wanted
    from isthmus.survey.run import survey_source

    options = Options(workers=workers)
    with stop_on_signals(err) as stop, ProgressView(progress):
        survey = survey_source(opened, options, progress, stop)
        return survey, count_values(opened, wanted(survey), options, progress, stop)


def _checked(text: str, output: Path | None) -> Mapping:
    """Read the mapping that is about to be written.

    Raises:
        InternalError: It is none (code `bad-proposal`).
    """
    from isthmus.errors import InternalError, MappingError
    from isthmus.mapping import parse_mapping

    try:
        return parse_mapping(text, file_name=str(output) if output is not None else "mapping.yaml")
    except MappingError as fault:
        raise InternalError(
            "The mapping that was made contradicts itself, and was not written.",
            code="bad-proposal",
            problems=fault.problems,
            hint="Please report it, with these lines.",
        ) from fault


def _added_words(added: list[str]) -> str:
    from isthmus.cli.output import plural

    if not added:
        return "nothing is new; it stays as it is."
    shown = ", ".join(added[:8])
    return f"{plural(len(added), 'thing')} added: {shown}{', …' if len(added) > 8 else ''}."
