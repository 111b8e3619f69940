"""`isthmus schema check`: migrations as git holds them, against every rule."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from isthmus.cli.options import JsonOption
from isthmus.cli.schema.options import NamesArgument

if TYPE_CHECKING:
    from rich.console import Console

    from isthmus.govern.check import Checked


def check(
    names: NamesArgument = None,
    staged: Annotated[
        bool, typer.Option("--staged", help="Only what is staged and not in HEAD, as a hook asks.")
    ] = False,
    base: Annotated[
        str | None,
        typer.Option(
            "--base", metavar="REV", help="Only what this revision has not, and nothing that it has may change: for CI."
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(
            "--target", "-t", metavar="TARGET", help="Nothing that this database has may be changed or gone either."
        ),
    ] = None,
    json_file: JsonOption = None,
) -> int:
    """Check migrations as git holds them: names, order, headers, dangerous DDL, and that nothing committed was changed.

    The settings stand in isthmus.toml or in pyproject.toml. Looked at is the index, never the working tree, the
    settings included. All findings are told at once. Dangerous DDL is found by squawk, where it is installed.

    Exit codes: 0 nothing is found, 2 the settings, the repository or squawk cannot be used, 4 the database cannot be
    read, 5 a rule refuses something.
    """
    from isthmus.cli.interrupt import say_nothing_was_committed
    from isthmus.cli.output import result_console, write_json
    from isthmus.errors import ConfigError
    from isthmus.govern.check import check_schemas
    from isthmus.govern.staged_settings import find_staged_project

    say_nothing_was_committed()
    if staged and base is not None:
        raise ConfigError("--staged and --base ask for different things.", code="usage", hint="Give one of them.")
    project, told = find_staged_project(Path.cwd())
    applied = None
    if target is not None:
        from isthmus.cli.schema.histories import read_applied

        applied = read_applied(target, project.settings.chosen(names or (), project.file))
    found = check_schemas(project, staged=staged, base=base, only=names or (), applied=applied)
    found = replace(found, notes=(*told, *found.notes))
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
            "unstaged": list(found.unstaged),
            "off": found.off,
            "notes": list(found.notes),
        },
        json_file,
    )
    return code


def _show(console: Console, found: Checked) -> None:
    from isthmus.cli.output import err, plural, show_note, show_paragraph
    from isthmus.cli.rule_findings import counted, show_findings, show_off, show_unstaged, show_untracked

    show_findings(console, found.findings)
    for schema, rules in found.off.items():
        show_off(rules, schema)
    show_untracked(found.untracked)
    show_unstaged(found.unstaged)
    for note in found.notes:
        show_note(err, note)
    held, looked_at = sum(found.folders.values()), sum(found.looked_at.values())
    if found.findings:
        rules = Counter(one.rule for one in found.findings)
        console.print(counted(found.findings), markup=False)
        if len(rules) > 1:
            counts = ", ".join(f"{rule} {count:,}" for rule, count in rules.most_common())
            show_paragraph(console, "By rule: ", f"{counts}.")
    else:
        console.print(
            f"{plural(held, 'migration')}, {looked_at:,} looked at: nothing stands against them.", markup=False
        )
