"""What rules found, as people see it: by file, each with its place, its rule and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from isthmus.govern.findings import Finding

_MOST_UNTRACKED = 5


def show_findings(console: Console, findings: Iterable[Finding]) -> None:
    """Print findings, which are sorted by file."""
    from isthmus.cli.output import show_hint, show_paragraph

    for file, ones in groupby(findings, lambda one: one.file):
        console.print(file, markup=False, style="bold", soft_wrap=True)
        for one in ones:
            place = f"line {one.line}: " if one.line else ""
            show_paragraph(console, "  • ", f"{place}{one.message} ({one.rule})")
            show_hint(console, one.hint, indent=4)


def show_off(rules: Mapping[str, str], title: str) -> None:
    """Say which rules are switched off, and which migrations are excused from one, and why, on standard error."""
    from isthmus.cli.output import err, show_note
    from isthmus.govern.excuses import names_migration

    for rule, why in rules.items():
        name, _, migration = rule.partition("/")
        if names_migration(migration):
            show_note(err, f"{migration} of {title} is excused from {name}: {why}")
        else:
            show_note(err, f"The rule {rule} is switched off for {title}: {why}")


def show_untracked(paths: Sequence[str]) -> None:
    """Say which files nothing looked at, on standard error."""
    from isthmus.cli.output import err, show_note

    if paths:
        shown = ", ".join(paths[:_MOST_UNTRACKED])
        more = f" and {len(paths) - _MOST_UNTRACKED} more" if len(paths) > _MOST_UNTRACKED else ""
        them = "it" if len(paths) == 1 else "them"
        show_note(err, f"Not looked at, for git does not hold {them}: {shown}{more}. git add what belongs there.")


def counted(findings: Sequence[Finding]) -> str:
    """Return how many findings there are, in how many files."""
    from isthmus.cli.output import plural

    return f"{plural(len(findings), 'finding')} in {plural(len({one.file for one in findings}), 'file')}."
