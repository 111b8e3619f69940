"""How the phases stand and what is to be looked at, as people and programs read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from isthmus.cli.output import show_paragraph, show_table

from .phases import Item, Standing, next_step

COMMAND = "python -m apps.panamia.phase"


def standings_json(standings: Mapping[int, Standing]) -> dict[str, Any]:
    """Return how every phase stands, and what comes next."""
    shown = [
        {
            **asdict(one),
            "retired": sorted(one.retired),
            "dropped": sorted(one.dropped),
            "word": one.word,
            "open": len(one.open),
            "items": len(one.items),
        }
        for one in standings.values()
    ]
    return {"phases": shown, "next": next_step(standings), "retirable": to_retire(standings)}


def show_standings(console: Console, standings: Mapping[int, Standing]) -> None:
    """Print how every phase stands, one below the other, and what comes next."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("phase", "stands", "open", "known", "complete"):
        table.add_column(name, no_wrap=True, justify="right" if name in {"open", "known"} else "left")
    table.add_column("authority then")
    for one in standings.values():
        when = one.finished_at.strftime("%Y-%m-%d %H:%M") if one.finished_at is not None else "–"
        counts = (f"{len(one.open):,}", f"{len(one.items) - len(one.open):,}")
        cells = (f"{one.phase.number} {one.phase.name}", one.word, *counts, when, one.phase.authority)
        table.add_row(*map(Text, cells))
    show_table(console, table)
    console.print()
    for one in standings.values():
        if one.returned:
            names, number = ", ".join(one.returned), one.phase.number
            told = f"MongoDB has {names} again, which phase {number} retired: `retire {number}` says what is new there."
            show_paragraph(console, "", told)
    console.print(Text(what_next(standings)), soft_wrap=True)


def what_next(standings: Mapping[int, Standing]) -> str:
    """Say what is to be done next: a command, or that nothing is."""
    step = next_step(standings)
    if step is not None:
        return f"→ next: {COMMAND} {step}"
    if any(not one.needed for one in standings.values()):
        return "All phases are done. A dump has nothing to retire."
    retirable = to_retire(standings)
    if retirable:
        return f"All phases are done. What they have in MongoDB can go:\n→ next: {COMMAND} retire {retirable[0]}"
    return "All phases are done and retired. isthmus status --decommission says what else still needs MongoDB."


def to_retire(standings: Mapping[int, Standing]) -> list[int]:
    """Return the phases that are done and have collections that were not dropped; none of a dump, whose stay."""
    if any(not one.needed for one in standings.values()):
        return []
    return [one.phase.number for one in standings.values() if one.collections and one.is_done and not one.is_retired]


def items_json(standing: Standing, items: Sequence[Item]) -> dict[str, Any]:
    """Return items of a phase, and how many of all of its items nobody has acknowledged."""
    number, name = standing.phase.number, standing.phase.name
    return {"phase": number, "name": name, "items": [asdict(one) for one in items], "open": len(standing.open)}


def show_items(console: Console, items: Sequence[Item]) -> None:
    """Print items: the key whole, to be pasted, and below it what it is."""
    for item in items:
        reason = f"  [{item.acknowledged}]" if item.acknowledged is not None else ""
        console.print(Text(f"{item.kind:<10}{item.key}{reason}"), soft_wrap=True)
        number = f"number {item.number}: " if item.number is not None else ""
        show_paragraph(console, " " * 10, f"{number}{item.shown}")
