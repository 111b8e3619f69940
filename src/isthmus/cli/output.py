"""How results, errors and JSON leave the program: data on standard output, talk on standard error."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import traceback
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any, TextIO

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from isthmus.cli.streams import lost_output
from isthmus.connect.secrets import hide
from isthmus.errors import ConfigError, IsthmusError, Problem

# A pipe or a file has no width of its own: tables written there should not be squeezed into 80 columns, and sentences
# stay on one line each.
_PIPE_COLUMNS = 140
_GAP = 2


def _console(*, stderr: bool) -> Console:
    if (sys.stderr if stderr else sys.stdout).isatty():
        return Console(stderr=stderr, highlight=False)
    return Console(stderr=stderr, highlight=False, width=_PIPE_COLUMNS, soft_wrap=True)


out = _console(stderr=False)
err = _console(stderr=True)


def plural(count: int, word: str, words: str | None = None) -> str:
    """Return a number with its noun: `1 dead letter`, `2,000 dead letters`."""
    return f"{count:,} {word if count == 1 else words or word + 's'}"


def show_rows(console: Console, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows as a table, or each below the other where the table is too wide: no value is ever broken.

    Args:
        console: Where to.
        columns: The columns' names.
        rows: The values, one a column.
    """
    widths = [max(map(cell_len, cells)) for cells in zip(columns, *rows, strict=True)]
    if sum(widths) + _GAP * (len(widths) - 1) <= console.width:
        table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0))
        for name in columns:
            table.add_column(name, no_wrap=True)
        for row in rows:
            table.add_row(*map(Text, row))
        console.print(table)
        return
    wide = max(map(cell_len, columns))
    for number, row in enumerate(rows):
        if number:
            console.print()
        for name, value in zip(columns, row, strict=True):
            console.print(Text.assemble((name.ljust(wide + _GAP), "bold"), value), soft_wrap=True)


def result_console(json_target: str | None) -> Console:
    """Return where tables for people go: standard output, unless JSON takes that place."""
    return err if json_target == "-" else out


def write_json(data: Any, target: str | None) -> None:
    """Write a result as JSON to a file or standard output; None writes nothing.

    A file is replaced as a whole, so a reader never sees half of it. `delivered` tells whether standard output took it.
    """
    if target is None:
        return
    text = json.dumps(data, indent=2, ensure_ascii=False, default=str)
    if target == "-":
        sys.stdout.write(text + "\n")
        sys.stdout.flush()  # what comes after may rely on its being out
        return
    with writing(Path(target)) as stream:
        stream.write(text + "\n")


def delivered(json_target: str | None) -> bool:
    """Tell whether what a command came to is out: the file of its JSON, or all that went to standard output."""
    return json_target not in {None, "-"} or lost_output() is None


@contextlib.contextmanager
def writing(path: Path | None, *, private: bool = False) -> Generator[TextIO]:
    """Open a file to write a result to, or standard output for None.

    The file is replaced as a whole when all went well; after an error the old one is still there. `private`: only its
    owner may read it, from the first byte on.
    """
    if path is None:
        yield sys.stdout
        sys.stdout.flush()
        return
    partial = path.with_name(path.name + ".partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if private else 0o666)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as stream:
            yield stream
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def _tell(text: str) -> None:
    """Print a sentence to standard error, without secrets."""
    err.print(hide(text), markup=False)


def show_error(fault: IsthmusError) -> None:
    """Print an error for a person: what, where, every finding, what to do next, and its code."""
    err.print(f"[bold red]error[/] ({fault.code}): ", end="")
    _tell(str(fault))
    show_problems(fault.problems)
    if fault.hint:
        err.print("  → ", end="", style="cyan")
        _tell(fault.hint)


def show_problems(problems: tuple[Problem, ...] | list[Problem], limit: int = 100) -> None:
    """Print findings, one paragraph each, at most `limit` of them and how many more there are."""
    for problem in problems[:limit]:
        place = str(problem.where)
        err.print("  • ", end="", style="red")
        _tell(f"{place}: {problem.message}" if place else problem.message)
        if problem.hint:
            err.print("    → ", end="", style="cyan")
            _tell(problem.hint)
    if len(problems) > limit:
        err.print(f"  … and {len(problems) - limit} more.")


def show_lost_output() -> int:
    """Say that a result that was asked for is not on standard output, and return the exit code that tells it."""
    lost = lost_output()
    why = lost.strerror if lost is not None else "closed"
    fault = ConfigError(
        f"Standard output could not be written to its end: {why}.",
        code="output-lost",
        hint="What the command did is done; run it again with an output that takes all of it.",
    )
    show_error(fault)
    return fault.exit_code


def show_unexpected(fault: Exception) -> None:
    """Print an error nobody foresaw, without secrets; the whole trace with ISTHMUS_DEBUG=1."""
    err.print(f"[bold red]internal error[/]: {type(fault).__name__}: ", end="")
    _tell(str(fault))
    if os.environ.get("ISTHMUS_DEBUG"):
        err.print(hide("".join(traceback.format_exception(fault))), markup=False)
    else:
        err.print("  → What was committed is kept. Set ISTHMUS_DEBUG=1 to see the trace, and please report it.")
