"""How results, errors and JSON leave the program: data on standard output, talk on standard error."""

from __future__ import annotations

import json
import os
import re
import sys
import traceback
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from isthmus.cli.result_files import is_written, write_result
from isthmus.cli.streams import lost_output
from isthmus.connect.secrets import hide
from isthmus.errors import ConfigError, IsthmusError, Problem
from isthmus.work.amounts import plural

__all__ = [
    "delivered",
    "err",
    "fits",
    "out",
    "plural",
    "result_console",
    "show_error",
    "show_hint",
    "show_lost_output",
    "show_more",
    "show_note",
    "show_paragraph",
    "show_point",
    "show_problems",
    "show_rows",
    "show_table",
    "show_unexpected",
    "show_with_command",
    "some",
    "write_json",
]

# A pipe or a file has no width of its own: tables written there should not be squeezed into 80 columns, and sentences
# stay on one line each.
_PIPE_COLUMNS = 140
_GAP = 2
# Narrower than this, a column of text is harder to read than lines that begin at the left edge.
_LEAST_ROOM = 20


def _console(*, stderr: bool) -> Console:
    if (sys.stderr if stderr else sys.stdout).isatty():
        return Console(stderr=stderr, highlight=False, emoji=False)
    return Console(stderr=stderr, highlight=False, emoji=False, width=_PIPE_COLUMNS, soft_wrap=True)


out = _console(stderr=False)
err = _console(stderr=True)


def some(count: int) -> str:
    """Return a number of exceptions (skipped, dead letters, orphans) for a table: a dash says that there are none."""
    return f"{count:,}" if count else "–"


def show_paragraph(console: Console, lead: str | Text, text: str | Text) -> None:
    """Print a sentence behind its lead (a bullet, an arrow, an indent); on a terminal later lines begin below it.

    Where nobody's terminal sets the width, it stays one line.
    """
    first = Text(lead) if isinstance(lead, str) else lead
    body = Text(text) if isinstance(text, str) else text
    room = console.width - first.cell_len
    if console.soft_wrap or room < _LEAST_ROOM:
        console.print(Text.assemble(first, body))
        return
    lines = [line for whole in body.split("\n") for line in whole.divide(_line_starts(whole.plain, room))]
    for number, line in enumerate(lines):
        line.rstrip()
        console.print(Text.assemble(first if number == 0 else " " * first.cell_len, line), soft_wrap=True)


def show_more(console: Console, count: int, where: str, *, indent: int = 2) -> None:
    """Print how many more a list has that was cut, and where they are; nothing of a list that was not.

    Args:
        console: Where to.
        count: How many were not printed; 0 or less where all were.
        where: Where they are, the end of a sentence without its full stop; empty where nowhere.
        indent: Blanks before it.
    """
    if count > 0:
        there = f"; {where}." if where else "."
        console.print(f"{' ' * indent}… and {count:,} more{there}", markup=False, soft_wrap=True)


def show_with_command(console: Console, lead: str, text: str, command: str) -> None:
    """Print words and the command that shows more of it, on a line of its own where both do not fit on one.

    A command is to be pasted, so it is never broken. An empty one is left out.
    """
    whole = f"{lead}{text}: {command}" if command else f"{lead}{text}"
    if not command or console.soft_wrap or cell_len(whole) <= console.width:
        console.print(Text(whole), soft_wrap=True)
        return
    show_paragraph(console, lead, f"{text}:")
    console.print(Text(" " * cell_len(lead) + command), soft_wrap=True)


def _line_starts(text: str, room: int) -> list[int]:
    """Return where later lines begin. A word that is too long, such as a path, stays whole: it is to be selected."""
    starts: list[int] = []
    used = 0
    for word in re.finditer(r"\S+\s*", text):
        if used and used + cell_len(word[0].rstrip()) > room:
            starts.append(word.start())
            used = 0
        used += cell_len(word[0])
    return starts


def show_table(console: Console, table: Table) -> None:
    """Print a table; where nobody's terminal shows it, without the blanks that fill its last column."""
    if console.is_terminal:
        console.print(table)
        return
    with console.capture() as capture:
        console.print(table)
    text = "\n".join(line.rstrip() for line in capture.get().splitlines())
    console.print(Text(text), soft_wrap=True)


def fits(console: Console, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Tell whether rows can be shown as a table in which no value is broken."""
    widths = [max(map(cell_len, cells)) for cells in zip(columns, *rows, strict=True)]
    return sum(widths) + _GAP * (len(widths) - 1) <= console.width


def show_rows(
    console: Console, columns: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: Collection[str] = ()
) -> None:
    """Print rows as a table, or each below the other where the table is too wide: no value is ever broken.

    Args:
        console: Where to.
        columns: The columns' names.
        rows: The values, one a column.
        numbers: Columns that hold numbers; they end below each other.
    """
    if fits(console, columns, rows):
        table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0))
        for name in columns:
            table.add_column(name, no_wrap=True, justify="right" if name in numbers else "left")
        for row in rows:
            table.add_row(*map(Text, row))
        show_table(console, table)
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

    A file is replaced as a whole, so a reader never sees half of it. `delivered` tells whether it took it.
    """
    if target is None:
        return
    text = json.dumps(data, indent=2, ensure_ascii=False, default=str)
    if target == "-":
        sys.stdout.write(text + "\n")
        sys.stdout.flush()  # what comes after may rely on its being out
        return
    write_result(Path(target), text + "\n")


def delivered(json_target: str | None) -> bool:
    """Tell whether what a command came to is out: the file of its JSON, or all that went to standard output."""
    if json_target is None or json_target == "-":
        return lost_output() is None
    return is_written(Path(json_target))


def show_error(fault: IsthmusError) -> None:
    """Print an error for a person: what, where, every finding, what to do next, and its code."""
    err.print(Text.assemble(("error", "bold red"), f" ({fault.code}): {hide(str(fault))}"))
    show_problems(fault.problems, told=fault.code)
    if fault.hint:
        show_hint(err, fault.hint, indent=2)


def show_hint(console: Console, hint: str, *, indent: int) -> None:
    """Print what to do next, without secrets."""
    show_paragraph(console, Text(" " * indent + "→ ", style="cyan"), hide(hint))


def show_point(console: Console, text: str) -> None:
    """Print one point of a list, without secrets."""
    show_paragraph(console, Text("  • ", style="red"), hide(text))


def show_note(console: Console, text: str, *, style: str = "") -> None:
    """Print a remark, without secrets; a finding's code, which begins its text, stands where an error's does."""
    code = re.match(r"(\([a-z0-9-]+\)) ", text)
    lead = f"note {code[1]}: " if code is not None else "note: "
    body = text if code is None else text[code.end() :]
    show_paragraph(console, Text(lead, style=style), Text(hide(body), style=style))


def show_problems(problems: tuple[Problem, ...] | list[Problem], limit: int = 100, *, told: str | None = None) -> None:
    """Print findings, one paragraph each, at most `limit` of them and how many more there are.

    Args:
        problems: The findings.
        limit: How many to print.
        told: A code that was printed before and need not be repeated.
    """
    for problem in problems[:limit]:
        place = str(problem.where)
        code = f"({problem.code}) " if problem.code != told else ""
        show_point(err, code + (f"{place}: {problem.message}" if place else problem.message))
        if problem.hint:
            show_hint(err, problem.hint, indent=4)
    show_more(err, len(problems) - limit, "")


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


def show_unexpected(fault: BaseException) -> None:
    """Print an error nobody foresaw, without secrets; the whole trace with ISTHMUS_DEBUG=1."""
    err.print(Text.assemble(("internal error", "bold red"), f": {type(fault).__name__}: {hide(str(fault))}"))
    if os.environ.get("ISTHMUS_DEBUG"):
        err.print(hide("".join(traceback.format_exception(fault))), markup=False)
    else:
        err.print("  → What was committed is kept. Set ISTHMUS_DEBUG=1 to see the trace, and please report it.")
