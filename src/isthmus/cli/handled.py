"""What a copy left behind, and what it carried otherwise than the source has it, in a few lines for people."""

from __future__ import annotations

from collections import Counter
from shlex import quote
from typing import TYPE_CHECKING

from isthmus.cli.output import plural, show_paragraph, show_with_command

if TYPE_CHECKING:
    from rich.console import Console

    from isthmus.transfer.balance import Balance
    from isthmus.transfer.result import Result

FATES = {"null": "set to NULL", "drop": "left out", "kept": "kept inside jsonb"}


def show_left_out(console: Console, result: Result) -> None:
    """Print the collections that the mapping leaves behind as a whole."""
    if not result.skipped_collections:
        return
    console.print()
    counts = [result.skipped_documents.get(name) for name in result.skipped_collections]
    known = plural(sum(count or 0 for count in counts), "document")
    least = "at least " if None in counts else ""
    console.print(f"Collections left behind, with {least}{known}, because", style="bold")
    for name, why in result.skipped_collections.items():
        count = result.skipped_documents.get(name)
        show_paragraph(console, f"  {'not counted' if count is None else f'{count:,}':>11}  ", f"{name}: {why}")


def show_handled(console: Console, balance: Balance, target: str) -> None:
    """Print in a few lines what is carried, but not as the source has it."""
    actions: Counter[str] = Counter()
    for books in balance.references.values():
        actions.update(books.actions)
    fates = [f"{count:,} {FATES.get(action, action)}" for action, count in actions.items() if count]
    merged = sum(books.merged for books in balance.collections.values())
    skipped = sum(books.skipped for books in balance.collections.values())
    lines = [
        ("references that lead nowhere", ", ".join(fates), "orphans list"),
        ("documents that are one with another", f"{merged:,} merged" if merged else "", "conflicts list"),
        ("documents left behind by a condition", f"{skipped:,} skipped" if skipped else "", ""),
    ]
    if not any(words for _, words, _ in lines):
        return
    console.print()
    console.print("Not as the source has it", style="bold")
    for what, words, command in lines:
        if words:
            more = f"isthmus {command} --target {quote(target)}" if command else ""
            show_with_command(console, "  ", f"{what}: {words}", more)
