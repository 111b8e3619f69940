"""`isthmus map`: propose a mapping of a source, or add what is new to one that is there."""

from __future__ import annotations

from contextlib import closing, nullcontext
from pathlib import Path
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
    from isthmus.work.progress import Progress


def map_(
    context: typer.Context,
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
            help="Take this survey (isthmus survey SOURCE --json FILE), and read no document. A SOURCE beside it must"
            " be the one that was surveyed.",
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
    from isthmus.cli.interrupt import saying_when_stopped
    from isthmus.cli.output import err, plural, show_hint, show_note
    from isthmus.survey.propose import propose, stated_policies, update_text, write_mapping
    from isthmus.survey.report.ending import remedy

    with saying_when_stopped(err, "Stopped; nothing was written."):
        kept = _kept(output, update=update)
        survey = _look(_named(context, source, survey_file), survey_file, db, workers, ignore_oplog=ignore_oplog)
        proposal = propose(survey) if kept is None else propose(survey, kept[1], stated_policies(kept[0]))
        added: list[str] | None = None
        by_hand: list[str] = []
        if kept is None:
            text = write_mapping(proposal)
        else:
            updated = update_text(kept[0], kept[1], proposal)
            text, added, by_hand = updated.text, updated.added, list(updated.by_hand)
        mapping = _checked(text, output)
        if kept is None and output is not None and output.exists():
            raise _there(output)
    for one in by_hand:
        show_note(err, one)
    if kept is None or text != kept[0]:
        _write(text, output)
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
    for name in survey.unread:
        show_note(err, f"{name} could not be read, and is not mapped: {survey.left_out.get(name, 'it is not there')}")
    if survey.broken:
        show_hint(err, f"Exit code 3: {remedy(survey)}", indent=0)
    return 3 if survey.broken else 0


def _named(context: typer.Context, source: str | None, survey_file: Path | None) -> str | None:
    """Return the source that was named; with a survey one of the environment is another command's."""
    origin = context.get_parameter_source("source")
    by_hand = origin is not None and origin.name == "COMMANDLINE"
    return source if survey_file is None or by_hand else None


def _write(text: str, output: Path | None) -> None:
    """Write the mapping, or nothing of it: a signal that comes now finds it written.

    Raises:
        ConfigError: It cannot be written (code `output-lost`).
    """
    from isthmus.cli.interrupt import stop_on_signals
    from isthmus.cli.output import err
    from isthmus.cli.result_files import writing

    held = stop_on_signals(err, "the mapping is being written") if output is not None else nullcontext()
    with held, writing(output) as stream:
        stream.write(text)


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


def _look(source: str | None, survey_file: Path | None, db: str | None, workers: int, *, ignore_oplog: bool) -> Survey:
    """Return the survey.

    Raises:
        ConfigError: There is nothing to map, or the survey is none, or of another source (code `survey-differs`).
        Interrupted: The user asked to stop.
        SourceError: The source cannot be read.
    """
    from isthmus.cli.opening import open_waiting
    from isthmus.errors import ConfigError
    from isthmus.survey.model import read_survey
    from isthmus.work.progress import Progress

    survey: Survey | None = None
    if survey_file is not None:
        try:
            text = survey_file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as fault:
            why = fault.strerror if isinstance(fault, OSError) else "it is no UTF-8"
            raise ConfigError(f"The survey {survey_file} cannot be read: {why}.", code="not-a-survey") from None
        survey = read_survey(text, file_name=str(survey_file))
        if source is None:
            return survey
    if source is None:
        raise ConfigError(
            "There is nothing to map.", code="no-source", hint="Name a SOURCE, or a survey of it: --survey FILE."
        )
    progress = Progress()
    opening = open_waiting(source, database=db, ignore_oplog=ignore_oplog, seconds=60.0, progress=progress)
    with closing(opening) as opened:
        if survey is None:
            return _read(opened, workers, progress)
        _check_same(survey, opened, survey_file)
        return survey


def _check_same(survey: Survey, opened: Source, survey_file: Path | None) -> None:
    """Refuse a survey of another source than the one that is named beside it.

    Raises:
        ConfigError: It is one (code `survey-differs`).
    """
    from isthmus.errors import ConfigError
    from isthmus.survey.same_source import differences

    database = opened.identity().get("database")
    found = differences(
        survey,
        database=database if isinstance(database, str) else None,
        moves=opened.moves,
        collections=opened.collections(),
    )
    if found:
        raise ConfigError(
            f"{survey_file} is a survey of {survey.source}, and {opened.name} is not what it was made from."
            f" {' '.join(found)}",
            code="survey-differs",
            hint="Make a survey of this source, or leave SOURCE out to map what was surveyed.",
        )


def _read(opened: Source, workers: int, progress: Progress) -> Survey:
    from isthmus.cli.bars import ProgressView
    from isthmus.cli.interrupt import stop_on_signals
    from isthmus.cli.output import err
    from isthmus.sources.reading import Options
    from isthmus.survey.run import survey_source
    from isthmus.survey.unique import count_unique
    from isthmus.work.interrupted import Interrupted

    options = Options(workers=workers)
    with stop_on_signals(err, "stopping") as stop, ProgressView(progress):
        survey = survey_source(opened, options, progress, stop)
        survey = count_unique(survey, opened, options, progress, stop)
        if stop.is_set():  # it came when all was read
            raise Interrupted
        return survey


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
