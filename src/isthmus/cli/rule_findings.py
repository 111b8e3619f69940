"""What rules found, as people see it: by file, each with its place, its rule and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from isthmus.work.listed import listed

if TYPE_CHECKING:
    from rich.console import Console

    from isthmus.govern.findings import Finding

_MOST_NAMED = 5


def show_findings(console: Console, findings: Iterable[Finding]) -> None:
    """Print findings, which are sorted by file; files of which the same is found stand together, and it once."""
    from isthmus.cli.output import show_hint, show_paragraph

    of_files: dict[str, list[tuple[str, str]]] = {}
    for one in findings:
        place = f"line {one.line}: " if one.line else ""
        of_files.setdefault(one.file, []).append((f"{place}{one.message} ({one.rule})", one.hint))
    together: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for file, said in of_files.items():
        together.setdefault(tuple(said), []).append(file)
    for said, files in together.items():
        for file in files:
            console.print(file, markup=False, style="bold", soft_wrap=True)
        for sentence, hint in said:
            show_paragraph(console, "  • ", sentence)
            show_hint(console, hint, indent=4)


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
        them = "it" if len(paths) == 1 else "them"
        show_note(
            err,
            f"Not looked at, for git does not hold {them}: {listed(paths, _MOST_NAMED)}. git add what belongs there.",
        )


def show_unstaged(paths: Sequence[str]) -> None:
    """Say of which files the working tree has another text than what was judged, on standard error."""
    from isthmus.cli.output import err, show_note

    if paths:
        it = "it" if len(paths) == 1 else "them"
        show_note(
            err,
            f"Judged as git has {it} staged, for the working tree says something else: {listed(paths, _MOST_NAMED)}."
            " git add what is meant.",
        )


def counted(findings: Sequence[Finding]) -> str:
    """Return how many findings there are, in how many files."""
    from isthmus.cli.output import plural

    return f"{plural(len(findings), 'finding')} in {plural(len({one.file for one in findings}), 'file')}."
