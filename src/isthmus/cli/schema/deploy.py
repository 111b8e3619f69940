"""`isthmus schema deploy`: apply what is pending."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from isthmus.cli.options import JsonOption
from isthmus.cli.schema.options import NamesArgument, TargetOption


def deploy(
    target: TargetOption,
    names: NamesArgument = None,
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
