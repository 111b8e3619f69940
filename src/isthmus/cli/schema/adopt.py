"""`isthmus schema adopt`: take over what another runner applied."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from isthmus.cli.options import JsonOption
from isthmus.cli.schema.options import SchemaOption, TargetOption, only_schema

if TYPE_CHECKING:
    from rich.console import Console

    from isthmus.govern.adopting.adopt import Adopted
    from isthmus.govern.settings import Project, SchemaSettings


def adopt(
    target: TargetOption,
    schema: SchemaOption = None,
    history: Annotated[
        str | None,
        typer.Option(
            "--history",
            metavar="SCHEMA.TABLE",
            help="Where the other runner's history is, if not where Prisma or Drizzle put it.",
        ),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="There is no history, and the database has all migrations.")
    ] = False,
    up_to: Annotated[
        str | None,
        typer.Option("--up-to", metavar="NAME", help="There is no history, and it has them up to this one."),
    ] = None,
    accept: Annotated[
        list[str] | None,
        typer.Option("--accept", metavar="NAME", help="This one is as it should be, although it does not fit."),
    ] = None,
    why: Annotated[str | None, typer.Option("--why", metavar="TEXT", help="Kept with what you say.")] = None,
    write: Annotated[
        bool, typer.Option("--write", help="Put the baseline into the settings, where they have none.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be recorded; write nothing.")] = False,
    json_file: JsonOption = None,
) -> int:
    """Take over the history of Prisma or Drizzle: what they applied becomes the baseline; nothing of it is executed.

    From then on isthmus is the only one that deploys; it refuses when the other history grows. Files up to the baseline
    may have any header and name, and must not change. Where something does not fit (a file that was changed since it
    was applied, one that is gone, one that was passed over) nothing is recorded, until it fits or is accepted by name.

    Exit codes: 0 it is recorded, 2 the settings or files cannot be used or there is no history, 4 the database cannot
    be read or written, or a deployer is at work, 5 history and files do not fit together.
    """
    from isthmus.cli.findings import failed_json, writing_refusals
    from isthmus.cli.output import result_console, write_json
    from isthmus.connect.target import open_target
    from isthmus.errors import ConfigError
    from isthmus.govern.adopting.adopt import Wanted
    from isthmus.govern.adopting.adopt import adopt as adopt_history
    from isthmus.govern.settings import find_project

    if everything and up_to is not None:
        raise ConfigError("--all and --up-to say different things.", code="usage", hint="Give one of them.")
    wanted = Wanted(history, tuple(accept or ()), everything, up_to, why)
    if wanted.on_my_word and (history is not None or accept):
        raise ConfigError(
            "--all and --up-to are for a database without a history.",
            code="usage",
            hint="Leave --history and --accept out.",
        )
    project = find_project(Path.cwd())
    settings = only_schema(project, schema)
    console = result_console(json_file)
    with writing_refusals(json_file, failed_json), open_target(target) as address:
        found = adopt_history(address.conninfo, project.folder / settings.folder, settings, wanted, dry_run=dry_run)
        _show(console, settings, found, dry_run=dry_run)
        written = _advise(console, project, settings, found, write=write and not dry_run)
    write_json(
        {
            "outcome": "complete",
            "exit_code": 0,
            "history": found.history,
            "adopted": [{"name": one.script.name.text, "accepted": one.accepted} for one in found.taken],
            "known": list(found.known),
            "pending": list(found.pending),
            "forgotten": list(found.forgotten),
            "baseline": found.baseline,
            "written": written,
        },
        json_file,
    )
    return 0


def _show(console: Console, settings: SchemaSettings, found: Adopted, *, dry_run: bool) -> None:
    from isthmus.cli.output import plural, show_paragraph

    said = "would become baseline" if dry_run else "baseline"
    whose = f", from {found.history}" if found.history is not None else ", on your word"
    console.print(
        f"{settings.title}: {plural(len(found.taken), 'migration')} {said}{whose}",
        markup=False,
        style="bold",
        soft_wrap=True,
    )
    for one in found.taken:
        when = f", applied {one.applied_at:%Y-%m-%d %H:%M} UTC" if one.applied_at is not None else ""
        accepted = ", accepted on your word" if one.accepted and found.history is not None else ""
        console.print(f"  {one.script.name.text}{when}{accepted}", markup=False, soft_wrap=True)
    if found.known:
        show_paragraph(
            console,
            "  ",
            f"{plural(len(found.known), 'migration')} of it {'was' if len(found.known) == 1 else 'were'} known before.",
        )
    for name in found.forgotten:
        show_paragraph(console, "  ", f"{name} has no file, and is left out on your word.")
    if found.pending:
        show_paragraph(console, "  ", f"Pending: {', '.join(found.pending)}. isthmus schema deploy applies what is.")


def _advise(console: Console, project: Project, settings: SchemaSettings, found: Adopted, *, write: bool) -> bool:
    """Say what the settings should, or write it there; return whether that was done."""
    import json

    from isthmus.cli.output import show_hint
    from isthmus.cli.result_files import write_result
    from isthmus.govern.adopting.settings_line import with_baseline
    from isthmus.govern.settings import FILES

    if found.baseline is None:
        return False
    line = f"baseline = {json.dumps(found.baseline, ensure_ascii=False)}"
    if write:
        prefix = FILES[project.file.name]
        text = with_baseline(project.file.read_bytes().decode(), settings.folder, found.baseline, prefix=prefix)
        if text is not None:
            write_result(project.file, text)
            console.print(f"{project.file}: {line}", markup=False, soft_wrap=True)
            return True
    show_hint(console, f"Write into {project.file}, beside the folder of {settings.title}:", indent=0)
    console.print(f"  {line}", markup=False, soft_wrap=True)
    return False
