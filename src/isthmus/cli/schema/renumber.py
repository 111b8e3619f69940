"""`isthmus schema renumber`: new numbers for migrations that nobody else has."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from isthmus.cli.options import JsonOption
from isthmus.cli.schema.options import SchemaOption, only_schema


def renumber(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME]…", help="These migrations, and all own ones behind them; else all that need a new number."
        ),
    ] = None,
    base: Annotated[
        str | None,
        typer.Option(
            "--base", metavar="REV", help="What others have already; else the base of the settings, else HEAD."
        ),
    ] = None,
    schema: SchemaOption = None,
    target: Annotated[
        str | None,
        typer.Option("--target", "-t", metavar="TARGET", help="What this database has keeps its number as well."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    json_file: JsonOption = None,
) -> int:
    """Give migrations that are neither merged nor applied the next numbers behind those that are.

    For a branch whose migrations are older than what came into its base meanwhile. Their order among themselves stays.
    Files are moved in the working tree and in the index; `Migration:` and `Dependencies:` of headers, Drizzle's journal
    and the names of its snapshots follow. Nothing is committed. Name a base, or only what is in no commit is moved.

    Exit codes: 0 done, or nothing to do, 2 the settings or the repository cannot be used, or files have changes that
    are not staged, 4 the database cannot be read, 5 a migration that is named is merged or applied.
    """
    from isthmus.cli.output import err, plural, result_console, show_note, write_json
    from isthmus.cli.rule_findings import show_untracked
    from isthmus.cli.schema.histories import read_applied
    from isthmus.govern.renumbering.renumber import renumber as renumber_files
    from isthmus.govern.settings import find_project

    project = find_project(Path.cwd())
    settings = only_schema(project, schema)
    applied = None if target is None else read_applied(target, [settings])[settings.title]
    done = renumber_files(project, settings, names or (), base=base, applied=applied, dry_run=dry_run)
    console = result_console(json_file)
    for old, new in done.names.items():
        console.print(f"{old} → {new}", markup=False, soft_wrap=True)
    changed = [path for path, new in done.files.items() if path == new]
    for path in changed:
        console.print(f"{path}: {'would be written' if dry_run else 'written'} anew", markup=False, soft_wrap=True)
    if not done.files:
        console.print(f"{settings.title}: no migration needs a new number.", markup=False)
    elif done.after is not None and done.names:
        word = "would come" if dry_run else "now comes" if len(done.names) == 1 else "now come"
        console.print(f"{plural(len(done.names), 'migration')} {word} behind {done.after}.", markup=False)
    for path in done.stale:
        show_note(err, f"{path} does not know what came in before it: let drizzle-kit generate it anew.")
    if done.names and done.has_schema_json:
        show_note(err, "schema.json names them as they were: isthmus schema rehearse writes it anew.")
    show_untracked(done.untracked)
    if done.names and base is not None and project.settings.base is None:
        show_note(
            err,
            "The settings name no base, so that the hook will take this for a change of what is committed: "
            f'base = "{base}" in the settings tells it what others have.',
        )
    write_json(
        {
            "outcome": "planned" if dry_run else "complete",
            "exit_code": 0,
            "schema": settings.title,
            "names": dict(done.names),
            "files": dict(done.files),
            "after": done.after,
        },
        json_file,
    )
    return 0
