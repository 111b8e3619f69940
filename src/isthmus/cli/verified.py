"""Show what a verification came to on a terminal: verdict, layers, differences, what was accounted for and left out."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from shlex import quote

from rich.console import Console
from rich.table import Table
from rich.text import Text

from isthmus.cli.output import plural, show_hint, show_more, show_paragraph, show_table, show_with_command, some
from isthmus.sources.shown import shown
from isthmus.verify.report.accounted import Account, most_became
from isthmus.verify.report.choosing import Total, first_differences, totals, uncompared
from isthmus.verify.report.words import WORDS, checked_words, found_words, remarks, side_words, tone, verdict
from isthmus.verify.result import Difference, Verified
from isthmus.work.listed import listed

_MOST_DIFFERENCES = 20
_MOST_LEFT_OUT = 12
_MOST_BECAME = 5
_MOST_PLACES = 6
_MOST_TOTALS = 12
_MOST_REMARKS = 5
_LONGEST_VALUE = 120
_STYLES = {"good": "bold green", "warn": "bold yellow", "bad": "bold red"}
# What only somebody who writes to the target, or a fault, can have changed.
_ROWS = frozenset({"counts", "samples", "references", "types", "rules", "checksum"})


def show_verified(
    console: Console,
    verified: Verified,
    accounts: Sequence[Account],
    target: str,
    *,
    sampled: bool,
    files: Sequence[str] = (),
) -> None:
    """Print what a verification came to, with what to do next.

    Args:
        console: Where to.
        verified: What it came to.
        accounts: What differs rightly.
        target: The target as commands may name it.
        sampled: Whether the layer samples left documents out.
        files: Where all of it is written, in words; empty where nowhere.
    """
    console.print(f"{verdict(verified)} ({verified.seconds:.1f} s)", style=_STYLES[tone(verified)], markup=False)
    if verified.run:
        show_paragraph(console, f"Run {verified.run}: ", f"{shown(verified.source)} → {shown(verified.target)}")
    _show_layers(console, verified)
    _show_differences(console, verified, files)
    _show_accounts(console, accounts, target)
    _show_left_out(console, verified, files)
    _show_remarks(console, verified, files)
    _show_next(console, verified, sampled=sampled)


def _show_layers(console: Console, verified: Verified) -> None:
    if not verified.layers:
        return
    console.print()
    table = Table(box=None, pad_edge=False)
    table.add_column("layer", no_wrap=True)
    table.add_column("checked", no_wrap=True)
    table.add_column("differences", justify="right", no_wrap=True)
    table.add_column("seconds", justify="right", no_wrap=True)
    table.add_column("looks at", overflow="fold")
    for name, layer in verified.layers.items():
        table.add_row(
            name,
            Text(checked_words(layer), style="" if layer.checked else "yellow"),
            Text(some(layer.found), style="bold red" if layer.found else ""),
            f"{layer.seconds:.1f}",
            WORDS[name].briefly,
        )
    show_table(console, table)


def _show_differences(console: Console, verified: Verified, files: Sequence[str]) -> None:
    chosen = first_differences(verified, _MOST_DIFFERENCES)
    for name, layer in verified.layers.items():
        mine = [one for one in chosen if one.layer == name]
        if not mine:
            continue
        console.print()
        console.print(f"{name}: {found_words(layer)}", style="bold red")
        _show_totals(console, [one for one in totals(verified) if one.layer == name], few=layer.found == len(mine))
        for table, ones in groupby(mine, key=lambda one: one.table):
            if table:
                console.print(f"  {shown(table)}", style="bold", markup=False)
            for message, alike in groupby(ones, key=lambda one: one.message):
                _show_alike(console, message, list(alike))
    left = len(verified.differences) - len(chosen)
    if any(one.found > len(one.differences) for one in verified.layers.values()):
        console.print()
        console.print("An entry that tells of several rows or values counts as so many differences.")
    if left:
        console.print()
        console.print(
            f"… and {left:,} more: {_all_of_it(files, '--html FILE or --json FILE lists them')}.", markup=False
        )


def _show_totals(console: Console, there: Sequence[Total], *, few: bool) -> None:
    """Print how many differences are where; `few`: all are listed below, so one place needs no total."""
    if few and len(there) == 1:
        return
    told = [f"{shown(one.place)} {one.count:,}" for one in there[:_MOST_TOTALS]]
    more = there[_MOST_TOTALS:]
    if more:
        rest = sum(one.count for one in more)
        told.append(f"{plural(len(more), 'other place')} {rest:,}")
    show_paragraph(console, "  where: ", ", ".join(told))


def _all_of_it(files: Sequence[str], otherwise: str) -> str:
    """Return where all is written, or else how it would be."""
    if not files:
        return otherwise
    return f"{' and '.join(files)} {'lists' if len(files) == 1 else 'list'} them"


def _show_alike(console: Console, message: str, alike: Sequence[Difference]) -> None:
    """Print differences of which the same is said: that once, then where each is, and both values."""
    bullet = Text("    • ", style="red")
    if message:
        show_paragraph(console, bullet, shown(message))
    for one in alike:
        place = _place(one)
        # A sentence about one row names it already.
        named = len(alike) == 1 and all(part in message for part in (one.id or "", one.path))
        text = ": ".join(part for part in ("" if named else place, _values(one)) if part)
        if text or not message:
            show_paragraph(console, "      " if message else bullet, text or place)


def _place(one: Difference) -> str:
    return " ".join(part for part in (f"row {shown(one.id)}" if one.id is not None else "", shown(one.path)) if part)


def _values(one: Difference) -> str:
    """Return both values; empty where neither is known."""
    if one.expected is None and one.actual is None:
        return ""
    return f"{_value(one, one.expected)} → {_value(one, one.actual)}"


def _value(one: Difference, text: str | None) -> str:
    if text is not None and len(text) > _LONGEST_VALUE:
        text = text[: _LONGEST_VALUE - 1] + "…"
    return side_words(one, text)


def _show_accounts(console: Console, accounts: Sequence[Account], target: str) -> None:
    there = [one for one in accounts if one.count]
    if not there:
        return
    console.print()
    console.print("Accounted for by the run's ledgers, so no differences", style="bold")
    for one in there:
        words = one.word if one.count == 1 else one.words
        command = f"isthmus {one.command} --target {quote(target)}" if one.command else ""
        show_with_command(console, f"  {one.count:>9,}  ", words, command)
        for pair, count in most_became(one, _MOST_BECAME):
            show_paragraph(console, f"  {'':>9}  {count:>9,}  ", shown(pair))


def _show_left_out(console: Console, verified: Verified, files: Sequence[str]) -> None:
    left_out = uncompared(verified)
    if not left_out:
        return
    console.print()
    console.print("Not compared", style="bold")
    for one in left_out[:_MOST_LEFT_OUT]:
        names = list(dict.fromkeys(map(shown, one.places)))
        count = f" ({one.count:,})" if one.count else ""
        why = shown(one.why).rstrip(".")
        show_paragraph(console, "  • ", f"{one.layer}: {listed(names, _MOST_PLACES)}{count}: {why}.")
    show_more(console, len(left_out) - _MOST_LEFT_OUT, _all_of_it(files, "--html and --json have them"))


def _show_remarks(console: Console, verified: Verified, files: Sequence[str]) -> None:
    if not verified.layers:
        return
    console.print()
    console.print("What each layer cannot see, and what it noted", style="bold")
    for name, layer in verified.layers.items():
        told = remarks(layer)
        for note in told[:_MOST_REMARKS]:
            show_paragraph(console, "  • ", f"{name}: {shown(note)}")
        where = _all_of_it(files, "--html and --json have them")
        show_more(console, len(told) - _MOST_REMARKS, where, indent=4)


def _show_next(console: Console, verified: Verified, *, sampled: bool) -> None:
    failing = {name for name, layer in verified.layers.items() if not layer.passed}
    if not failing and not verified.interrupted:
        if sampled and "samples" in verified.layers:
            console.print()
            show_hint(console, "--sample all converts every document a second time, not only a sample.", indent=0)
        return
    console.print()
    if verified.interrupted:
        show_hint(console, "Run the same command again; a verification begins anew.", indent=0)
    if "schema" in failing:
        show_hint(console, "isthmus ddl MAPPING prints the definitions that belong there.", indent=0)
    unexpected = sum(one.unexpected for one in verified.layers.values())
    if unexpected:
        show_hint(
            console,
            f"Only against the mapping's `expect`: {plural(unexpected, 'difference')} of the layer rules. The copy"
            " carries values as they are: where no other layer names the row too, the source holds the same. Correct it"
            " there and copy again, or in both, or change `expect`.",
            indent=0,
        )
    if any(layer.found > layer.unexpected for name, layer in verified.layers.items() if name in _ROWS):
        show_hint(
            console,
            "Has somebody written to the source or the target since the copy? Then these are those writes. If nobody"
            " has, Isthmus is at fault: do not rely on this copy, and please report it. isthmus copy MAPPING tells what"
            " changed in the source; with --fresh it copies anew (it drops what the run made).",
            indent=0,
        )
