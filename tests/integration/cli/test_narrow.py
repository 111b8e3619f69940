"""What is to be pasted stays whole on a narrow terminal (ids, commands); sentences hang below their bullet."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from isthmus.cli.books import show_result
from isthmus.cli.output import plural, show_hint, show_paragraph, show_point, show_rows, some
from isthmus.transfer.balance import Balance, CollectionBooks
from isthmus.transfer.result import Result
from tests.integration.cli.conftest import RunCommand

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


def test_piped_table_ends_without_blanks() -> None:
    shown = io.StringIO()
    console = Console(file=shown, width=140, soft_wrap=True)
    show_rows(console, ("a", "last"), [("long value", "x"), ("b", "a longer one")])
    show_result(console, RESULT, "embedded:pg")
    assert "all" in shown.getvalue()
    assert [line for line in shown.getvalue().splitlines() if line != line.rstrip()] == []


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


@pytest.mark.parametrize("width", [40, 80, 120])
def test_sentence_of_a_list_hangs_below_its_bullet(width: int) -> None:
    console, shown = narrow(width)
    sentence = "The column [red]is[/red] :warning: narrower than " + "what the documents of this collection hold " * 4
    show_point(console, sentence)
    show_hint(console, sentence, indent=4)
    lines = shown.getvalue().splitlines()
    hint = next(number for number, line in enumerate(lines) if line.startswith("    → "))
    assert lines[0].startswith("  • ")
    assert 1 < hint < len(lines) - 1, "both must be broken for this to see anything"
    assert all(line[:4] == " " * 4 and line[4] != " " for line in lines[1:hint])
    assert all(line[:6] == " " * 6 and line[6] != " " for line in lines[hint + 1 :])
    assert max(map(len, lines)) <= width
    told = " ".join(line.strip(" •→") for line in lines)
    assert told == " ".join([sentence.strip()] * 2)


def test_path_in_a_sentence_stays_one_word() -> None:
    console, shown = narrow(40)
    path = "/a/folder/with/a/long/name/so/that/it/fits/nowhere"
    show_paragraph(console, "  • ", f"see {path} for more")
    assert f"    {path}\n" in shown.getvalue()


def test_sentence_in_a_pipe_is_one_line() -> None:
    shown = io.StringIO()
    console = Console(file=shown, width=140, soft_wrap=True)
    show_point(console, "word " * 60 + "end")
    assert shown.getvalue() == "  • " + "word " * 60 + "end\n"


def test_numbers_end_below_each_other_and_exceptions_that_are_none_are_a_dash() -> None:
    console, shown = narrow(80)
    rows = [("Users", "12,345", some(0)), ("a", "7", some(1234))]
    show_rows(console, ("collection", "tried", "left"), rows, numbers=("tried", "left"))
    assert [line.rstrip() for line in shown.getvalue().splitlines()] == [
        "collection   tried   left",
        "Users       12,345      –",
        "a                7  1,234",
    ]


@pytest.mark.parametrize(("count", "text"), [(0, "0 tables"), (1, "1 table"), (2, "2 tables"), (2000, "2,000 tables")])
def test_noun_agrees_with_its_number(count: int, text: str) -> None:
    assert plural(count, "table") == text


def test_names_are_shown_as_they_are_written(isthmus: RunCommand, tmp_path: Path) -> None:
    """Neither `:warning:` nor `[bold]` means anything in a name."""
    mapping = tmp_path / ":warning: [bold]x.yaml"
    mapping.write_text("isthmus: 1\ncollections: {a: {fields: {b: text}}}\n")
    assert isthmus("check", mapping).out.startswith(f"{mapping.name}: 1 collection becomes 1 table ")
    mapping.unlink()
    assert mapping.name in isthmus("check", mapping).err
