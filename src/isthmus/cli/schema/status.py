"""`isthmus schema status`: which migrations a database has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from isthmus.cli.options import JsonOption
from isthmus.cli.schema.options import NamesArgument, TargetOption

if TYPE_CHECKING:
    from isthmus.govern.deploying.standing import Standing

_STYLES = {"pending": "yellow", "failed": "bold red", "half-run": "bold red", "changed": "bold red"}


def status(
    target: TargetOption,
    names: NamesArgument = None,
    json_file: JsonOption = None,
) -> int:
    """Show which migrations a database has, and where files and history do not fit together. Writes nothing.

    Exit codes: 0 all is applied, 1 something is pending, failed or half run, 2 the settings or files cannot be used,
    4 the database cannot be read, 5 what was applied is not what the files say.
    """
    from isthmus.cli.output import result_console, show_hint, show_table, write_json
    from isthmus.connect.postgres import connect
    from isthmus.connect.target import open_target
    from isthmus.govern.deploying.standing import MISFITS, standings
    from isthmus.govern.migrations.script import read_scripts
    from isthmus.govern.settings import find_project
    from isthmus.state.schema_history import read_history

    project = find_project(Path.cwd())
    report: dict[str, list[dict[str, object]]] = {}
    stands: set[str] = set()
    console = result_console(json_file)
    with open_target(target) as address, connect(address.conninfo, autocommit=True) as connection:
        for settings in project.settings.chosen(names or (), project.file):
            scripts = read_scripts(project.folder / settings.folder, settings)
            found = standings(scripts, read_history(connection, settings.title))
            stands |= {one.stand for one in found}
            report[settings.title] = [one.as_json() for one in found]
            console.print(f"{settings.title}: {_summary(found)}", markup=False, style="bold")
            shown = [one for one in found if one.stand not in {"applied", "baseline"}] or found[-1:]
            table = Table(box=None, pad_edge=False, show_header=False)
            for one in shown:
                when = f"{one.applied.applied_at:%Y-%m-%d %H:%M} UTC" if one.applied and one.applied.applied_at else ""
                table.add_row("  ", Text(one.name), Text(one.stand, style=_STYLES.get(one.stand, "")), when)
            show_table(console, table)
            for one in shown:
                if one.stand in MISFITS:
                    show_hint(console, f"{one.name}: {' '.join(MISFITS[one.stand])}", indent=2)
                elif one.applied is not None and one.applied.fault:
                    show_hint(console, f"{one.name}: the server said: {one.applied.fault}", indent=2)
    code = 5 if stands & MISFITS.keys() - {"half-run"} else 1 if stands - {"applied", "baseline"} else 0
    write_json({"outcome": "failed" if code else "passed", "exit_code": code, "schemas": report}, json_file)
    return code


def _summary(found: Sequence[Standing]) -> str:
    counts = Counter(one.stand for one in found)
    return ", ".join(f"{count:,} {stand}" for stand, count in counts.items()) or "no migrations"
