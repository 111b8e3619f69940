"""`isthmus schema`: SQL migrations under rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from isthmus.cli.options import JsonOption

if TYPE_CHECKING:
    from rich.console import Console

    from isthmus.govern.check import Checked
    from isthmus.govern.deploying.standing import Standing
    from isthmus.govern.findings import Finding

app = typer.Typer(help="SQL migrations under rules.", no_args_is_help=True)

_MOST_UNTRACKED = 5
_STYLES = {"pending": "yellow", "failed": "bold red", "half-run": "bold red", "changed": "bold red"}

_NamesArgument = Annotated[
    list[str] | None, typer.Argument(metavar="[SCHEMA]…", help="Only these schemas of the settings; else all.")
]
_TargetOption = Annotated[
    str,
    typer.Option(
        "--target",
        "-t",
        envvar=["POSTGRES_DIRECT_URL", "DATABASE_URL"],
        metavar="TARGET",
        help="The database, by its direct address: postgresql://… or embedded:DIR.",
        show_default=False,
    ),
]


@app.callback()
def _root() -> None:  # pyright: ignore[reportUnusedFunction]  makes `check` a subcommand
    """SQL migrations under rules."""


@app.command("check")
def check(
    names: _NamesArgument = None,
    staged: Annotated[
        bool, typer.Option("--staged", help="Only what is staged and not in HEAD, as a hook asks.")
    ] = False,
    base: Annotated[
        str | None,
        typer.Option(
            "--base", metavar="REV", help="Only what this revision has not, and nothing that it has may change: for CI."
        ),
    ] = None,
    json_file: JsonOption = None,
) -> int:
    """Check migrations as git holds them: names, order, headers, and that nothing committed was changed.

    The settings stand in isthmus.toml or in pyproject.toml. Looked at is the index, never the working tree. All
    findings are told at once.

    Exit codes: 0 nothing is found, 2 the settings or the repository cannot be used, 5 a rule refuses something.
    """
    from isthmus.cli.output import result_console, write_json
    from isthmus.errors import ConfigError
    from isthmus.govern.check import check_schemas
    from isthmus.govern.settings import find_project

    if staged and base is not None:
        raise ConfigError("--staged and --base ask for different things.", code="usage", hint="Give one of them.")
    project = find_project(Path.cwd())
    found = check_schemas(project, staged=staged, base=base, only=names or ())
    console = result_console(json_file)
    _show(console, found)
    code = 5 if found.findings else 0
    write_json(
        {
            "outcome": "refused" if code else "passed",
            "exit_code": code,
            "migrations": found.folders,
            "looked_at": found.looked_at,
            "findings": [one.as_json() for one in found.findings],
            "untracked": list(found.untracked),
            "off": found.off,
        },
        json_file,
    )
    return code


@app.command("new")
def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it does: add_users_email.")],
    schema: Annotated[
        str | None, typer.Option("--schema", metavar="SCHEMA", help="Of which schema, where the settings name several.")
    ] = None,
    purpose: Annotated[str | None, typer.Option("--purpose", metavar="TEXT", help="Why it is there.")] = None,
    ticket: Annotated[
        str | None, typer.Option("--ticket", metavar="TICKET", help="Else what the name of the branch says.")
    ] = None,
) -> int:
    """Write the next migration, with its header, and its entry in Drizzle's journal.

    Its number comes after all of the folder, of HEAD and of the base that the settings name.
    """
    from isthmus.cli.output import out, show_hint
    from isthmus.errors import ConfigError
    from isthmus.govern.settings import find_project
    from isthmus.govern.writing.new import write_new

    project = find_project(Path.cwd())
    chosen = project.settings.chosen([schema] if schema is not None else [], project.file)
    if len(chosen) != 1:
        raise ConfigError(
            "The settings name several schemas." if chosen else "The settings name no schema.",
            code="which-schema",
            hint=f"Give --schema, one of: {', '.join(one.title for one in chosen)}." if chosen else "Add [schema].",
        )
    for file in write_new(project, chosen[0], name, purpose=purpose, ticket=ticket):
        out.print(str(file), markup=False, soft_wrap=True)
    show_hint(
        out, "Write what stands in <angle brackets>, and the SQL; then git add it, and isthmus schema check.", indent=0
    )
    return 0


@app.command("status")
def status(
    target: _TargetOption,
    names: _NamesArgument = None,
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


@app.command("deploy")
def deploy(
    target: _TargetOption,
    names: _NamesArgument = None,
    lock_seconds: Annotated[
        float,
        typer.Option(
            "--lock-seconds",
            min=0.1,
            metavar="SECONDS",
            help="How long a statement waits for a lock.",
        ),
    ] = 5.0,
    json_file: JsonOption = None,
) -> int:
    """Apply what is pending, each migration as a whole, in order; one deployer at a time.

    A migration whose header says `Transaction: none` is executed statement by statement.

    Exit codes: 0 all is applied, 2 the settings or files cannot be used, 4 the server refused something, 5 what was
    applied is not what the files say, 130 stopped between two migrations.
    """
    from isthmus.cli.findings import failed_json, writing_refusals
    from isthmus.cli.interrupt import stop_on_signals
    from isthmus.cli.output import err, plural, result_console, write_json
    from isthmus.connect.target import open_target
    from isthmus.govern.deploying.deploy import Done
    from isthmus.govern.deploying.deploy import deploy as deploy_scripts
    from isthmus.govern.migrations.script import read_scripts
    from isthmus.govern.settings import find_project

    project = find_project(Path.cwd())
    chosen = project.settings.chosen(names or (), project.file)
    scripts = {one.title: read_scripts(project.folder / one.folder, one) for one in chosen}
    console = result_console(json_file)
    done: dict[str, list[Done]] = {}

    def as_json() -> dict[str, object]:
        return {"applied": {title: [vars(one) for one in ones] for title, ones in done.items()}}

    with (
        writing_refusals(json_file, lambda fault: {**failed_json(fault), **as_json()}),
        open_target(target) as address,
        stop_on_signals(err, "finishing the migration in hand") as stop,
    ):
        for title, ones in scripts.items():
            told = done.setdefault(title, [])

            def tell(one: Done, told: list[Done] = told) -> None:
                told.append(one)
                again = f", at attempt {one.attempts}" if one.attempts > 1 else ""
                console.print(f"  {one.name}: applied ({one.seconds:.1f} s{again})", markup=False, soft_wrap=True)

            console.print(f"{title}:", markup=False, style="bold")
            deploy_scripts(address.conninfo, title, ones, tell=tell, stop=stop, lock_seconds=lock_seconds)
            if not told:
                console.print(f"  nothing is pending; it has {plural(len(ones), 'migration')}.", markup=False)
    write_json({"outcome": "complete", "exit_code": 0, **as_json()}, json_file)
    return 0


def _summary(found: Sequence[Standing]) -> str:
    counts = Counter(one.stand for one in found)
    return ", ".join(f"{count:,} {stand}" for stand, count in counts.items()) or "no migrations"


def _show(console: Console, found: Checked) -> None:
    from isthmus.cli.output import err, plural, show_hint, show_note, show_paragraph

    for file, ones in groupby(found.findings, lambda one: one.file):
        console.print(file, markup=False, style="bold", soft_wrap=True)
        for one in ones:
            show_paragraph(console, "  • ", f"{_place(one)}{one.message} ({one.rule})")
            show_hint(console, one.hint, indent=4)
    for schema, rules in found.off.items():
        for rule, why in rules.items():
            show_note(err, f"The rule {rule} is switched off for {schema}: {why}")
    if found.untracked:
        shown = ", ".join(found.untracked[:_MOST_UNTRACKED])
        more = len(found.untracked) - _MOST_UNTRACKED
        show_note(
            err,
            f"Not looked at, for git does not hold {'it' if len(found.untracked) == 1 else 'them'}: {shown}"
            + (f" and {more} more" if more > 0 else "")
            + ". git add what belongs there.",
        )
    held, looked_at = sum(found.folders.values()), sum(found.looked_at.values())
    files = len({one.file for one in found.findings})
    console.print(
        f"{plural(len(found.findings), 'finding')} in {plural(files, 'file')}."
        if found.findings
        else f"{plural(held, 'migration')}, {looked_at:,} looked at: nothing stands against them.",
        markup=False,
    )


def _place(one: Finding) -> str:
    return f"line {one.line}: " if one.line else ""
