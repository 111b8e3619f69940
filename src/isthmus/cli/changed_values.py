"""Show the values that changed on the way: how many of each column, and what they became where the mapping names it."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console

from isthmus.cli.output import show_more, show_paragraph
from isthmus.sources.shown import shown
from isthmus.state.became import untold

_MOST_LINES = 60
"""Kinds of changed values: more than most databases have, for nothing of it is to be silent."""
_MOST_BECAME = 5
_UNTOLD = "counted by an older Isthmus, which did not tell them apart"


def show_changed(console: Console, adjusted: Mapping[str, int], became: Mapping[str, Mapping[str, int]]) -> None:
    """Print changed values by column and kind, most first, below each what the most of them became.

    Args:
        console: Where to.
        adjusted: `table.column:kind` → how many.
        became: The same names, as far as the mapping names what they become → `WAS → BECAME` → how many.
    """
    if not adjusted:
        return
    console.print()
    console.print("Values changed on the way", style="bold")
    rests = untold(adjusted, became)
    names = sorted(adjusted, key=lambda name: -adjusted[name])
    for name in names[:_MOST_LINES]:
        show_paragraph(console, f"  {adjusted[name]:>9,}  ", shown(name))
        _show_became(console, {**became.get(name, {}), **({_UNTOLD: rests[name]} if name in rests else {})})
    show_more(console, len(names) - _MOST_LINES, "--json lists all")


def _show_became(console: Console, became: Mapping[str, int]) -> None:
    pairs = sorted(became, key=lambda pair: -became[pair])
    for pair in pairs[:_MOST_BECAME]:
        show_paragraph(console, f"  {'':>9}  {became[pair]:>9,}  ", shown(pair))
    more = pairs[_MOST_BECAME:]
    if more:
        rest = sum(became[pair] for pair in more)
        show_paragraph(console, f"  {'':>9}  {rest:>9,}  ", f"in {len(more)} other ways; --json lists all")
