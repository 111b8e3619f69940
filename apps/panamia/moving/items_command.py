"""`phase items` and `phase acknowledge`: what a person must have looked at, and that somebody has."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace

import psycopg
from rich.text import Text

from isthmus.cli.output import err, result_console, show_more, show_note, write_json

from .acknowledged import acknowledge
from .beginning import begin
from .phases import Item, Standing
from .showing import items_json, show_items

_SHOWN = 40

ITEMS = (
    "The JSON: phase, name, items (kind, key, shown, acknowledged, number), open (how many of all), exit_code. Exit"
    " codes: 0 none is open; 1 some are."
)
ACKNOWLEDGE = (
    "The JSON: outcome (acknowledged, failed), phase, name, items, open (how many are left), exit_code. Exit codes: 0"
    " it is written down; 2 no reason, or a key that is of no item or of several: nothing was written."
)


def add_items(parser: argparse.ArgumentParser) -> None:
    """Add the options of `items`."""
    parser.add_argument("--all", action="store_true", help="those that are acknowledged too")


def add_acknowledge(parser: argparse.ArgumentParser) -> None:
    """Add the options of `acknowledge`."""
    parser.add_argument(
        "keys", nargs="*", metavar="KEY", help="as `items` lists them, or a part that one item alone has"
    )
    parser.add_argument("--all", action="store_true", help="all that are open")
    parser.add_argument("--reason", required=True, help="who decided, and why")


def list_items(standing: Standing, *, everything: bool, json_file: str | None) -> int:
    """Print the items of a phase that are open, or all; return the exit code."""
    shown = [item for item in standing.items if everything or item.acknowledged is None]
    code = 1 if standing.open else 0
    if json_file != "-":
        show_items(result_console(json_file), shown)
    write_json({**items_json(standing, shown), "exit_code": code}, json_file)
    print(f"{len(shown):,} items, {len(standing.open):,} of them open", file=sys.stderr)
    if standing.run is None and not standing.items:
        show_note(err, f"Phase {standing.phase.number} was not run yet.")
    return code


def acknowledge_items(
    connection: psycopg.Connection,
    standing: Standing,
    keys: Sequence[str],
    reason: str,
    *,
    everything: bool,
    json_file: str | None,
) -> int:
    """Write down that items were looked at, and say which; return the exit code.

    Raises:
        ConfigError: As `acknowledge` says; nothing was written.
    """
    begin()
    found = acknowledge(connection, standing, keys, reason, everything=everything)
    connection.commit()
    console = result_console(json_file)
    for item in found[:_SHOWN]:
        console.print(Text(f"{item.kind:<10}{item.key}"), soft_wrap=True)
    show_more(console, len(found) - _SHOWN, "--json has them", indent=0)
    after = replace(standing, items=_with(standing.items, found))
    write_json({"outcome": "acknowledged", **items_json(after, found), "exit_code": 0}, json_file)
    print(f"{len(found):,} acknowledged", file=sys.stderr)
    return 0


def _with(items: Sequence[Item], found: Sequence[Item]) -> list[Item]:
    known = {(item.kind, item.key): item for item in found}
    return [known.get((item.kind, item.key), item) for item in items]
