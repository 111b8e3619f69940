"""`isthmus changes check`: models and the log of their changes as git holds them, against every rule."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from isthmus.cli.options import JsonOption

if TYPE_CHECKING:
    from rich.console import Console

    from isthmus.govern.changes.check import CheckedChanges


def check(
    staged: Annotated[
        bool, typer.Option("--staged", help="Only what is staged and not in HEAD, as a hook asks.")
    ] = False,
    base: Annotated[
        str | None,
        typer.Option("--base", metavar="REV", help="Only what this revision has not, commit by commit: for CI."),
    ] = None,
    json_file: JsonOption = None,
) -> int:
    """Check that each changed model has a new entry of its own, and that entries are whole, true and unchanged.

    The settings stand in isthmus.toml or in pyproject.toml. Looked at is the index, never the working tree, the
    settings included. All findings are told at once. Without --staged and --base every entry is looked at.

    Exit codes: 0 nothing is found, 2 the settings or the repository cannot be used, 5 a rule refuses something.
    """
    from isthmus.cli.interrupt import say_nothing_was_committed
    from isthmus.cli.output import result_console, write_json
    from isthmus.errors import ConfigError
    from isthmus.govern.changes.check import check_changes
    from isthmus.govern.staged_settings import find_staged_project

    say_nothing_was_committed()
    if staged and base is not None:
        raise ConfigError("--staged and --base ask for different things.", code="usage", hint="Give one of them.")
    project, told = find_staged_project(Path.cwd(), section="changes")
    found = check_changes(project, staged=staged, base=base)
    found = replace(found, notes=(*told, *found.notes))
    _show(result_console(json_file), found)
    code = 5 if found.findings else 0
    write_json(
        {
            "outcome": "refused" if code else "passed",
            "exit_code": code,
            "models": found.models,
            "changed": dict(found.changed),
            "entries": found.entries,
            "looked_at": found.looked_at,
            "findings": [one.as_json() for one in found.findings],
            "notes": list(found.notes),
            "untracked": list(found.untracked),
            "unstaged": list(found.unstaged),
            "off": dict(found.off),
        },
        json_file,
    )
    return code


def _show(console: Console, found: CheckedChanges) -> None:
    from isthmus.cli.output import err, plural, show_note
    from isthmus.cli.rule_findings import counted, show_findings, show_off, show_unstaged, show_untracked

    show_findings(console, found.findings)
    show_off(found.off, "changes")
    for note in found.notes:
        show_note(err, note)
    show_untracked(found.untracked)
    show_unstaged(found.unstaged)
    models = f"{plural(found.models, 'model')}, {len(found.changed):,} changed"
    entries = f"{plural(found.entries, 'entry', 'entries')}, {found.looked_at:,} looked at"
    console.print(
        counted(found.findings) if found.findings else f"{models}; {entries}: nothing stands against them.",
        markup=False,
    )
