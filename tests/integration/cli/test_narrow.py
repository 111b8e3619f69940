"""What is to be pasted stays whole on a narrow terminal: ids and suggested commands."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from isthmus.cli.books import show_result
from isthmus.cli.output import show_rows
from isthmus.transfer.balance import Balance, CollectionBooks
from isthmus.transfer.result import Result

RESULT = Result(
    run=1,
    outcome="complete",
    balance=Balance(collections={"A": CollectionBooks(read=1, dead_letters=1)}),
)
ID = "0197f1b4-32ab-7cde-8123-456789abcdef"


def narrow(width: int) -> tuple[Console, io.StringIO]:
    """Return a console of a terminal that many columns wide, and what it shows."""
    shown = io.StringIO()
    return Console(file=shown, width=width, force_terminal=True, color_system=None, highlight=False), shown


@pytest.mark.parametrize("width", [20, 60, 79, 80, 200])
def test_no_value_of_a_row_is_broken(width: int) -> None:
    console, shown = narrow(width)
    rows = [("[bold]" + "x" * 30, ID), ("b", ID)]
    show_rows(console, ("_id in MongoDB", "id"), rows)
    text = shown.getvalue()
    assert all(text.count(cell) >= 1 for row in rows for cell in row), text
    assert text.count(ID) == 2
    assert len(text.splitlines()) == (3 if width >= 36 + 2 + 36 else 5)


def test_suggested_command_is_one_line() -> None:
    console, shown = narrow(80)
    target = "embedded:/a/folder/with/a/long/name/so/that/it/does/not/fit/into/eighty/columns/at/all"
    show_result(console, RESULT, target)
    assert f"isthmus letters list --target {target}" in shown.getvalue()
