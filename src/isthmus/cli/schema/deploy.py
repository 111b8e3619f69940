"""`isthmus schema deploy`: apply what is pending."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from isthmus.cli.options import JsonOption
from isthmus.cli.schema.options import NamesArgument, TargetOption

if TYPE_CHECKING:
    from rich.console import Console

    from isthmus.govern.migrations.script import Script


def deploy(
    context: typer.Context,
    target: TargetOption,
    names: NamesArgument = None,
    to: Annotated[
        str | None,
        typer.Option(
            "--to", metavar="NAME", help="Stop behind this migration, by its name, its number or a part; of one schema."
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be applied; write nothing.")] = False,
    lock_seconds: Annotated[
        float,
        typer.Option(
            "--lock-seconds",
            min=0.1,
            metavar="SECONDS",
            help="How long a statement waits for a lock before its migration is tried again.",
        ),
    ] = 5.0,
    wait_seconds: Annotated[
        float,
        typer.Option(
            "--wait-seconds",
            min=0.0,
            metavar="SECONDS",
            help="How long to wait for another isthmus that is at work there; else it is refused.",
        ),
    ] = 0.0,
    json_file: JsonOption = None,
) -> int:
    """Apply what is pending, each migration as a whole, in order; one deployer at a time.

    A migration whose header says `Transaction: none` is executed statement by statement. A lock that is not to be had
    is let go and tried again, six times in all. A pooler in transaction mode is refused: give the direct address.

    Exit codes: 0 all is applied, 2 the settings or files cannot be used, 4 the server refused something or another
    isthmus is at work, 5 what was applied is not what the files say, or another runner deploys here as well, 130
    stopped between two migrations.
    """
    from isthmus.cli.findings import failed_json, writing_refusals
    from isthmus.cli.interrupt import stop_on_signals
    from isthmus.cli.output import err, plural, result_console, write_json
    from isthmus.cli.schema.hinting import Hinting
    from isthmus.cli.schema.working import Working
    from isthmus.connect.target import open_target
    from isthmus.errors import ConfigError
    from isthmus.govern.deploying.deploy import deploy as deploy_scripts
    from isthmus.govern.deploying.deploy import deploying, pending_of
    from isthmus.govern.migrations.script import read_scripts
    from isthmus.govern.settings import find_project

    project = find_project(Path.cwd())
    chosen = project.settings.chosen(names or (), project.file)
    if to is not None and len(chosen) != 1:
        raise ConfigError(
            "--to names a migration of one schema.",
            code="which-schema",
            hint=f"Name the schema before it, one of: {', '.join(one.title for one in chosen)}.",
        )
    scripts = {one.title: read_scripts(project.folder / one.folder, one) for one in chosen}
    titles = [one.title for one in project.settings.schemas]
    console = result_console(json_file)
    done: dict[str, Working] = {}

    def as_json() -> dict[str, object]:
        return {"applied": {title: [vars(one) for one in ones.done] for title, ones in done.items()}}

    with (
        writing_refusals(json_file, lambda fault: {**failed_json(fault), **as_json()}),
        Hinting(context, target).of_refusals(),
        open_target(target, create=not dry_run) as address,
    ):
        if dry_run:
            pending = _dry_run(console, address.conninfo, scripts, to, titles)
            write_json({"outcome": "complete", "exit_code": 0, "applied": {}, "pending": pending}, json_file)
            return 0
        with stop_on_signals(err, "finishing the migration in hand") as stop:
            if len(scripts) > 1:  # where one of them cannot be deployed, none is
                with deploying(
                    address.conninfo, telling=Working(console), wait_seconds=wait_seconds, stop=stop
                ) as lease:
                    pending_of(lease.connection, scripts, titles=titles)
            for title, ones in scripts.items():
                with done.setdefault(title, Working(console, title)) as working:
                    deploy_scripts(
                        address.conninfo,
                        title,
                        ones,
                        telling=working,
                        stop=stop,
                        lock_seconds=lock_seconds,
                        wait_seconds=wait_seconds,
                        to=to,
                        titles=titles,
                    )
                working.show_title()
                if not working.done:
                    held = plural(len(ones), "migration")
                    console.print(f"  nothing is pending; it has {held}.", markup=False)
    write_json({"outcome": "complete", "exit_code": 0, **as_json()}, json_file)
    return 0


def _dry_run(
    console: Console, conninfo: str, scripts: dict[str, list[Script]], to: str | None, titles: list[str]
) -> dict[str, list[dict[str, object]]]:
    from isthmus.cli.output import plural
    from isthmus.cli.schema.reading import reading
    from isthmus.govern.deploying.deploy import pending_of

    found: dict[str, list[dict[str, object]]] = {}
    with reading(conninfo) as connection:
        for title, pending in pending_of(connection, scripts, to, titles=titles).items():
            console.print(f"{title}: {len(pending):,} would be applied", markup=False, style="bold")
            for script, one in pending:
                how = "in one transaction" if script.in_transaction else "statement by statement"
                if one.stand == "settled" and one.applied is not None and one.applied.steps_done:
                    how += f", from statement {one.applied.steps_done + 1} on"
                statements = plural(len(script.statements), "statement")
                console.print(f"  {script.name.text}: {statements}, {how}", markup=False, soft_wrap=True)
            found[title] = [{**one.as_json(), "in_transaction": script.in_transaction} for script, one in pending]
    return found
