"""`isthmus schema check`: migrations as git holds them, against every rule."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from isthmus.cli.options import JsonOption
from isthmus.cli.schema.options import NamesArgument

if TYPE_CHECKING:
    from rich.console import Console

    from isthmus.govern.check import Checked
    from isthmus.govern.findings import Finding

_MOST_UNTRACKED = 5


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
