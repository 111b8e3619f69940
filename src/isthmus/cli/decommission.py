"""`isthmus status --decommission`: whether anything still needs MongoDB."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from isthmus.polyglot.decommission_checks import Check, Decommission

_SHOWN = 20


def refuse_lone_options(mapping: Path | None, code: Sequence[Path] | None) -> None:
    """Refuse what only --decommission takes.

    Raises:
        ConfigError: It was given without it (code `decommission-only`).
    """
    from isthmus.errors import ConfigError

    for name, given in (("A mapping", mapping), ("--code", code)):
        if given:
            raise ConfigError(
                f"{name} is for isthmus status --decommission.",
                code="decommission-only",
                hint="Add --decommission --source SOURCE, or leave it out: the target keeps the mapping of its run.",
            )


def tell_decommission(
    target: str,
    mapping: Path | None,
    source: str | None,
    *,
    db: str | None,
    ignore_oplog: bool,
    code: Sequence[Path],
    minutes: int,
    retry_seconds: float,
    json_file: str | None,
) -> int:
    """Tell what stands in the way of switching MongoDB off; see `status`.

    Raises:
        IsthmusError: The mapping, the source or the target cannot be read, or no source is given (code
            `source-needed`).
    """
    from isthmus.cli.bars import ProgressView
    from isthmus.cli.findings import failed_json, writing_refusals
    from isthmus.cli.interrupt import say_nothing_was_committed, stop_on_signals, tidied_before_leaving
    from isthmus.cli.opening import open_waiting
    from isthmus.cli.output import err, result_console, write_json
    from isthmus.cli.target import telling_trouble
    from isthmus.connect.target import open_target
    from isthmus.errors import ConfigError
    from isthmus.mapping import load_mapping
    from isthmus.polyglot.decommission import Wanted, decommission
    from isthmus.sources.gone import open_or_gone
    from isthmus.sources.reading import Options
    from isthmus.verify.result import LAYERS
    from isthmus.work.progress import Progress

    with writing_refusals(json_file, failed_json):
        say_nothing_was_committed()
        if source is None:
            raise ConfigError(
                "--decommission needs the MongoDB side, to tell what is in it and not in the target.",
                code="source-needed",
                hint="Add --source mongodb://HOST/DATABASE, or set MONGODB_URI.",
            )
        given = load_mapping(mapping) if mapping is not None else None
        schemas = ["isthmus", *([given.target.schema_name] if given is not None else [])]
        progress = Progress()
        open_it = partial(
            open_waiting, source, database=db, ignore_oplog=ignore_oplog, seconds=retry_seconds, progress=progress
        )
        opening = open_or_gone(open_it, source)
        with (
            closing(opening) as opened,
            open_target(target) as address,
            tidied_before_leaving(address.close),
            stop_on_signals(err, "stopping") as stop,
            ProgressView(progress),
            telling_trouble(address.conninfo, schemas, values=False),
        ):
            found = decommission(
                given,
                opened,
                address.conninfo,
                Wanted(LAYERS, minutes, source, db, code),
                target_name=address.display,
                options=Options(workers=1, retry_seconds=retry_seconds),
                progress=progress,
                stop=stop,
            )
        code_of_exit = 0 if found.clear else 1
        show_decommission(result_console(json_file), found)
        write_json({**found.as_json(), "exit_code": code_of_exit}, json_file)
    return code_of_exit


def show_decommission(console: Console, found: Decommission) -> None:
    """Print what was found, and the plain answer at the end."""
    from isthmus.cli.output import show_paragraph

    for check in found.checks:
        _show_check(console, check)
    console.print()
    if found.at_work is not None:
        show_paragraph(
            console, "", f"Another isthmus ({found.at_work}) writes to the target now: ask again when it is done."
        )
    show_paragraph(console, "", answer(found))


def answer(found: Decommission) -> str:
    """Return whether MongoDB can be switched off, in a sentence or two."""
    unknown = [check.name for check in found.checks if check.stands is None]
    asked = f" Not known: {', '.join(unknown)}." if unknown else ""
    if found.gone is not None:
        asked += f" Nothing is left there: MongoDB at {found.answered_by} has no database {found.gone} any more."
    if found.in_the_way:
        names = ", ".join(check.name for check in found.in_the_way)
        return f"MongoDB is still needed: {names}.{asked}"
    if not found.clear:
        return f"Nothing stands in the way but the work in hand.{asked}"
    return f"Nothing stands in the way of switching MongoDB off.{asked}"


def _show_check(console: Console, check: Check) -> None:
    from rich.text import Text

    from isthmus.cli.output import show_more, show_paragraph

    words, style = {True: ("in the way", "red"), False: ("clear", "green"), None: ("not known", "yellow")}[check.stands]
    lead = Text.assemble((f"{words:<10}", style), "  ", (f"{check.name:<11}", "bold"), "  ")
    show_paragraph(console, lead, check.told)
    for line in check.details[:_SHOWN]:
        show_paragraph(console, " " * 25, line)
    show_more(console, len(check.details) - _SHOWN, "--json has them", indent=25)
