"""`isthmus schema status`: which migrations a database has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.text import Text

from isthmus.cli.options import JsonOption
from isthmus.cli.schema.options import NamesArgument, TargetOption

if TYPE_CHECKING:
    from rich.console import Console

    from isthmus.cli.schema.hinting import Hinting
    from isthmus.errors import GovernError
    from isthmus.govern.deploying.standing import Standing

_BAD = {"failed", "half-run", "changed", "missing", "out-of-order"}
_WHOSE = {"person": "on a person's word", "prisma": "by Prisma", "drizzle": "by Drizzle"}


def status(
    context: typer.Context,
    target: TargetOption,
    names: NamesArgument = None,
    json_file: JsonOption = None,
) -> int:
    """Show which migrations a database has, and where files and history do not fit together. Writes nothing.

    Of those that are applied the newest is shown; the JSON has all.

    Exit codes: 0 all is applied, 1 something is pending, failed or half run, 2 the settings or files cannot be used,
    4 the database cannot be read, 5 what was applied is not what the files say, or another runner deploys here as
    well.
    """
    from isthmus.cli.findings import failed_json, writing_refusals
    from isthmus.cli.interrupt import say_nothing_was_committed
    from isthmus.cli.output import result_console, write_json
    from isthmus.cli.schema.hinting import Hinting
    from isthmus.cli.schema.reading import reading
    from isthmus.connect.target import open_target
    from isthmus.errors import GovernError
    from isthmus.govern.deploying.beside import refuse_foreign
    from isthmus.govern.deploying.renamed import refuse_renamed
    from isthmus.govern.deploying.standing import MISFITS, THROUGH, standings
    from isthmus.govern.migrations.script import read_scripts
    from isthmus.govern.settings import find_project
    from isthmus.state.deployer_at_work import is_at_work
    from isthmus.state.schema_history import read_history

    say_nothing_was_committed()
    project = find_project(Path.cwd())
    report: dict[str, list[dict[str, object]]] = {}
    beside: dict[str, GovernError] = {}
    stands: set[str] = set()
    console = result_console(json_file)
    hinting = Hinting(context, target)
    chosen = project.settings.chosen(names or (), project.file)
    scripts = {one.title: read_scripts(project.folder / one.folder, one) for one in chosen}
    with (
        writing_refusals(json_file, failed_json),
        open_target(target) as address,
        reading(address.conninfo) as connection,
    ):
        at_work = is_at_work(connection)
        for title, ones in scripts.items():
            history = read_history(connection, title)
            found = standings(ones, history, at_work=at_work)
            try:
                refuse_foreign(connection, title, ones)
                refuse_renamed(connection, title, ones, [one.title for one in project.settings.schemas])
            except GovernError as fault:
                beside[title] = fault
            stands |= {one.stand for one in found}
            report[title] = [one.as_json() for one in found]
            _show(console, title, found, beside.get(title), hinting)
    code = 1 if stands - THROUGH else 0
    if beside or stands & MISFITS.keys() - {"half-run"}:
        code = 5
    others = {title: {"code": fault.code, "error": fault.message} for title, fault in beside.items()}
    write_json(
        {"outcome": "failed" if code else "passed", "exit_code": code, "schemas": report, "other_runners": others},
        json_file,
    )
    return code


def _show(
    console: Console, title: str, found: Sequence[Standing], beside: GovernError | None, hinting: Hinting
) -> None:
    from isthmus.cli.output import show_hint, show_paragraph
    from isthmus.govern.deploying.standing import THROUGH

    console.print(f"{title}: {_summary(found)}", markup=False, style="bold")
    if beside is not None:
        show_paragraph(console, Text("  • ", style="red"), beside.message)
        show_hint(console, hinting.with_target(beside.hint or ""), indent=4)
    through = [one for one in found if one.stand in THROUGH]
    shown = [*through[-1:], *(one for one in found if one.stand not in THROUGH)]
    wide = max((len(one.name) for one in shown), default=0)
    for one in shown:
        stand = one.stand.ljust(12)
        about = _about(one)
        style = "bold red" if one.stand in _BAD else "yellow" if one.stand not in THROUGH else ""
        line = Text.assemble("  ", one.name.ljust(wide), "  ", (stand, style), about)
        line.rstrip()
        if line.cell_len > console.width and not console.soft_wrap:
            console.print(Text.assemble("  ", one.name), soft_wrap=True)
            show_paragraph(console, "    ", Text.assemble((one.stand, style), f" {about}" if about else ""))
        else:
            console.print(line, soft_wrap=True)
        if one.applied is not None and one.applied.fault:
            show_hint(console, f"The server said: {one.applied.fault}", indent=4)
        if one.misfit is not None:
            show_hint(console, hinting.with_target(" ".join(one.misfit)), indent=4)


def _about(one: Standing) -> str:
    there = one.applied
    if there is None:
        return ""
    if one.stand in {"half-run", "running", "settled"}:
        parts = [f"{there.steps_done} of {there.steps} statements", f"begun {there.started_at:%Y-%m-%d %H:%M} UTC"]
    else:
        parts = [f"{there.applied_at:%Y-%m-%d %H:%M} UTC"] if there.applied_at else []
    if there.on_word_of is not None:
        parts.append(_WHOSE[there.on_word_of])
    elif one.stand == "applied":
        parts.append(f"isthmus {there.isthmus_version}")
    return ("applied " if one.stand in {"missing", "changed"} and parts else "") + ", ".join(parts)


def _summary(found: Sequence[Standing]) -> str:
    counts = Counter(one.stand for one in found)
    return ", ".join(f"{count:,} {stand}" for stand, count in counts.items()) or "no migrations"
